//! Scrollable cursors, their names, positioned changes, bookmarks and bulk operations.

use crate::buffer::{Text, shown};
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting, Statement};
use std::ptr::null_mut;

const QUERY: &str = "SELECT id, name FROM items";
const ROWS: usize = 2;
const WIDTH: usize = 20;

/// The kinds of cursors: forward only, keyset-driven, dynamic, static.
const CURSOR_TYPES: [usize; 4] = [0, 1, 2, 3];
/// Read only, lock, row version, values.
const CONCURRENCIES: [usize; 4] = [1, 2, 3, 4];

/// A cursor over `items` with a bound rowset.
struct Cursor {
    // Before the connection, because fields are dropped in this order.
    statement: Statement,
    connection: Connection,
    rowset: Box<Rowset>,
}

struct Rowset {
    ids: [i32; ROWS],
    id_lengths: [isize; ROWS],
    names: [[u8; WIDTH]; ROWS],
    name_lengths: [isize; ROWS],
    bookmarks: [[u8; 16]; ROWS],
    bookmark_lengths: [isize; ROWS],
    status: [u16; ROWS],
    fetched: usize,
}

impl Cursor {
    fn new(setting: &Setting, cursor_type: usize, concurrency: usize, bookmarks: bool) -> Cursor {
        let connection = setting.connect();
        connection.execute(setting.target.items);
        let statement = connection.statement();
        let mut rowset = Box::new(Rowset {
            ids: [-77; ROWS],
            id_lengths: [4; ROWS],
            names: [[0; WIDTH]; ROWS],
            name_lengths: [SQL_NTS as isize; ROWS],
            bookmarks: [[0; 16]; ROWS],
            bookmark_lengths: [0; ROWS],
            status: [77; ROWS],
            fetched: 77,
        });
        statement.set(SQL_ATTR_CURSOR_TYPE, cursor_type);
        statement.set(SQL_ATTR_CONCURRENCY, concurrency);
        for attribute in [SQL_ATTR_CURSOR_TYPE, SQL_ATTR_CONCURRENCY, SQL_ATTR_CURSOR_SCROLLABLE, -2] {
            statement.get(attribute);
        }
        if bookmarks {
            statement.set(SQL_ATTR_USE_BOOKMARKS, 2);
            let (values, lengths) = (rowset.bookmarks.as_mut_ptr().cast(), rowset.bookmark_lengths.as_mut_ptr());
            SQLBindCol(statement.handle, 0, -27, values, 16, lengths);
        }
        statement.set(SQL_ATTR_ROW_ARRAY_SIZE, ROWS);
        statement.point(SQL_ATTR_ROW_STATUS_PTR, rowset.status.as_mut_ptr());
        statement.point(SQL_ATTR_ROWS_FETCHED_PTR, &raw mut rowset.fetched);
        let handle = statement.handle;
        SQLBindCol(handle, 1, SQL_C_SLONG, rowset.ids.as_mut_ptr().cast(), 4, rowset.id_lengths.as_mut_ptr());
        let names = rowset.names.as_mut_ptr().cast();
        SQLBindCol(handle, 2, SQL_C_CHAR, names, WIDTH as isize, rowset.name_lengths.as_mut_ptr());
        SQLSetCursorNameW(handle, Text::of("walker").p(), SQL_NTS);
        statement.direct(&format!("{QUERY}{}", if concurrency == 1 { " ORDER BY id" } else { "" }));
        // The values that the driver chose.
        for attribute in [SQL_ATTR_CURSOR_TYPE, SQL_ATTR_CONCURRENCY] {
            statement.get(attribute);
        }
        statement.row_count();
        Cursor { connection, statement, rowset }
    }

    fn fetch(&mut self, orientation: i16, offset: isize) -> Return {
        let code = SQLFetchScroll(self.statement.handle, orientation, offset);
        self.show();
        statement_row(&self.statement);
        code
    }

    fn show(&mut self) {
        let rowset = &mut self.rowset;
        note!("  fetched {} status {:?} {:?} {:?}", rowset.fetched, rowset.status, rowset.ids, rowset.id_lengths);
        let names: Vec<String> = rowset.names.iter().map(|name| shown(name)).collect();
        note!("  {} {:?} bookmarks {:?}", names.join(" "), rowset.name_lengths, rowset.bookmark_lengths);
        (rowset.fetched, rowset.status) = (77, [77; ROWS]);
    }

    fn position(&mut self, row: usize, operation: u16, lock: u16) -> Return {
        let code = SQLSetPos(self.statement.handle, row, operation, lock);
        self.show();
        code
    }

    fn name(&mut self, row: usize, name: &str) {
        self.rowset.names[row] = [0; WIDTH];
        self.rowset.names[row][..name.len()].copy_from_slice(name.as_bytes());
        self.rowset.name_lengths[row] = SQL_NTS as isize;
    }

    fn show_items(self) {
        drop(self.statement);
        let statement = self.connection.statement();
        statement.direct(&format!("{QUERY} ORDER BY id"));
        statement.results(20);
    }
}

/// SQL_ATTR_ROW_NUMBER.
fn statement_row(statement: &Statement) {
    statement.get(14);
}

pub fn scroll(setting: &Setting) {
    for cursor_type in CURSOR_TYPES {
        for concurrency in CONCURRENCIES {
            let mut cursor = Cursor::new(setting, cursor_type, concurrency, false);
            for (orientation, offset) in [
                (SQL_FETCH_NEXT, 0),
                (SQL_FETCH_NEXT, 0),
                (SQL_FETCH_PRIOR, 0),
                (SQL_FETCH_LAST, 0),
                (SQL_FETCH_NEXT, 0),
                (SQL_FETCH_FIRST, 0),
                (SQL_FETCH_PRIOR, 0),
                (SQL_FETCH_ABSOLUTE, 2),
                (SQL_FETCH_RELATIVE, 1),
                (SQL_FETCH_RELATIVE, -2),
                (SQL_FETCH_ABSOLUTE, -1),
                (SQL_FETCH_ABSOLUTE, 100),
                (SQL_FETCH_ABSOLUTE, 0),
                (SQL_FETCH_BOOKMARK, 0),
                (77, 0),
            ] {
                cursor.fetch(orientation, offset);
            }
            // Unbound data of the second row.
            cursor.fetch(SQL_FETCH_FIRST, 0);
            cursor.position(2, 0, 0);
            cursor.statement.data(2, SQL_C_CHAR, 20);
            SQLCloseCursor(cursor.statement.handle);
            SQLCloseCursor(cursor.statement.handle);
        }
    }
}

const POSITION: u16 = 0;
const REFRESH: u16 = 1;
const UPDATE: u16 = 2;
const DELETE: u16 = 3;
const ADD: u16 = 4;

pub fn positioned(setting: &Setting) {
    for cursor_type in CURSOR_TYPES {
        for concurrency in [3, 4] {
            let mut cursor = Cursor::new(setting, cursor_type, concurrency, false);
            cursor.fetch(SQL_FETCH_NEXT, 0);
            cursor.position(1, POSITION, 0);
            cursor.position(9, POSITION, 0);
            cursor.position(1, REFRESH, 0);
            // In psqlodbc a refresh returns the second row's value.
            cursor.rowset.ids[0] = 1;
            cursor.name(0, "changed");
            cursor.position(1, UPDATE, 0);
            cursor.position(2, DELETE, 0);
            (cursor.rowset.ids[0], cursor.rowset.ids[1]) = (70, 71);
            cursor.name(0, "added");
            cursor.position(1, ADD, 0);
            cursor.position(1, POSITION, 1);
            cursor.position(1, 9, 0);
            // By the cursor's name, from another statement.
            cursor.fetch(SQL_FETCH_NEXT, 0);
            cursor.position(1, POSITION, 0);
            cursor.connection.execute(&[
                "UPDATE items SET name = 'by name' WHERE CURRENT OF walker",
                "DELETE FROM items WHERE CURRENT OF nobody",
            ]);
            cursor.show_items();
        }
    }
}

pub fn bookmarks(setting: &Setting) {
    for cursor_type in [1, 3] {
        let mut cursor = Cursor::new(setting, cursor_type, 4, true);
        cursor.fetch(SQL_FETCH_NEXT, 0);
        // SQL_ATTR_FETCH_BOOKMARK_PTR.
        let mut bookmark = cursor.rowset.bookmarks[1];
        cursor.statement.point(16, bookmark.as_mut_ptr());
        cursor.fetch(SQL_FETCH_BOOKMARK, 0);
        cursor.fetch(SQL_FETCH_BOOKMARK, 1);
        cursor.fetch(SQL_FETCH_FIRST, 0);
        cursor.statement.data(0, -2, 16);
        cursor.name(0, "by bookmark");
        for operation in [UPDATE_BY_BOOKMARK, FETCH_BY_BOOKMARK, DELETE_BY_BOOKMARK, ADD, 99] {
            if operation == ADD {
                (cursor.rowset.ids[0], cursor.rowset.ids[1]) = (80, 81);
                cursor.rowset.id_lengths = [4; ROWS];
            }
            SQLBulkOperations(cursor.statement.handle, operation as i16);
            cursor.show();
        }
        cursor.statement.row_count();
        cursor.show_items();
    }
}

const UPDATE_BY_BOOKMARK: u16 = 5;
const DELETE_BY_BOOKMARK: u16 = 6;
const FETCH_BY_BOOKMARK: u16 = 7;

pub fn names(setting: &Setting) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    let (one, other) = (connection.statement(), connection.statement());
    let name = |statement: &Statement, capacity: i16| {
        let (mut name, mut length) = (Text::new(50), -77);
        SQLGetCursorNameW(statement.handle, name.p(), capacity, &mut length);
    };
    let set = |statement: &Statement, name: &str, length: i16| {
        SQLSetCursorNameW(statement.handle, Text::of(name).p(), length);
    };
    name(&one, 50);
    set(&one, "largo", SQL_NTS);
    set(&other, "largo", SQL_NTS);
    set(&other, "SQL_CUR_mine", SQL_NTS);
    set(&other, &"n".repeat(300), SQL_NTS);
    set(&other, "ünïcode", 3);
    set(&other, "", SQL_NTS);
    for capacity in [50, 6, 5, 1, 0] {
        name(&one, capacity);
        name(&other, capacity);
    }
    one.direct(QUERY);
    set(&one, "too late", SQL_NTS);
    SQLGetCursorNameW(one.handle, null_mut(), 0, null_mut());
}

pub fn scroll_options(setting: &Setting) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    let statement = connection.statement();
    for (concurrency, keyset, rowset) in
        [(1, 0, 1), (1, -1, 2), (4, -2, 2), (3, -3, 2), (1, 5, 2), (2, 1, 2), (9, 0, 1), (1, -9, 1)]
    {
        SQLSetScrollOptions(statement.handle, concurrency, keyset, rowset);
        for attribute in [SQL_ATTR_CURSOR_TYPE, SQL_ATTR_CONCURRENCY, 8, SQL_ATTR_ROWSET_SIZE] {
            statement.get(attribute);
        }
    }
    statement.direct(QUERY);
    SQLSetScrollOptions(statement.handle, 1, 0, 1);
}
