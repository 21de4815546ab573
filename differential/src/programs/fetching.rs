//! Results: bound columns, row arrays, long values in pieces, several results.

use crate::buffer::{Buffer, shown};
use crate::note;
use crate::odbc::*;
use crate::session::{Setting, Statement};
use std::ptr::null_mut;

const QUERY: &str = "SELECT id, name, price FROM items ORDER BY id";
const ROWS: usize = 3;
const WIDTH: usize = 12;

/// Columns of a row array, bound one after another, and the fetch's report.
struct Rowset {
    ids: [i32; ROWS],
    id_lengths: [isize; ROWS],
    names: [[u8; WIDTH]; ROWS],
    name_lengths: [isize; ROWS],
    status: [u16; ROWS],
    fetched: usize,
}

impl Rowset {
    fn new() -> Box<Rowset> {
        let (names, status) = ([[0xA5; WIDTH]; ROWS], [77; ROWS]);
        Box::new(Rowset {
            ids: [-77; ROWS],
            id_lengths: [-77; ROWS],
            names,
            name_lengths: [-77; ROWS],
            status,
            fetched: 77,
        })
    }

    fn bind(&mut self, statement: &Statement) {
        let handle = statement.handle;
        SQLBindCol(handle, 1, SQL_C_SLONG, self.ids.as_mut_ptr().cast(), 4, self.id_lengths.as_mut_ptr());
        SQLBindCol(
            handle,
            2,
            SQL_C_CHAR,
            self.names.as_mut_ptr().cast(),
            WIDTH as isize,
            self.name_lengths.as_mut_ptr(),
        );
    }

    fn show(&mut self) {
        let names: Vec<String> = self.names.iter().map(|name| shown(name)).collect();
        note!("  fetched {} status {:?} {:?} {:?}", self.fetched, self.status, self.ids, self.id_lengths);
        note!("  {} {:?}", names.join(" "), self.name_lengths);
        let Rowset { ids, id_lengths, names, name_lengths, status, fetched } = *Rowset::new();
        *self = Rowset { ids, id_lengths, names, name_lengths, status, fetched };
    }
}

fn prepared(setting: &Setting) -> (crate::session::Connection, Statement) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    let statement = connection.statement();
    (connection, statement)
}

pub fn arrays_by_column(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let mut rowset = Rowset::new();
    statement.set(SQL_ATTR_ROW_ARRAY_SIZE, ROWS);
    statement.point(SQL_ATTR_ROW_STATUS_PTR, rowset.status.as_mut_ptr());
    statement.point(SQL_ATTR_ROWS_FETCHED_PTR, &raw mut rowset.fetched);
    rowset.bind(&statement);
    statement.direct(QUERY);
    for _ in 0..3 {
        SQLFetch(statement.handle);
        rowset.show();
    }
    statement.close();
    statement.direct(QUERY);
    SQLFetchScroll(statement.handle, SQL_FETCH_NEXT, 0);
    rowset.show();
    SQLFetchScroll(statement.handle, SQL_FETCH_FIRST, 0);
    // The binding changes between two fetches.
    SQLFreeStmt(statement.handle, SQL_UNBIND);
    SQLFetch(statement.handle);
    rowset.show();
    statement.close();
    statement.set(SQL_ATTR_ROW_ARRAY_SIZE, 0);
    statement.get(SQL_ATTR_ROW_ARRAY_SIZE);
}

pub fn arrays_by_row(setting: &Setting) {
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Row {
        id: i32,
        name: [u8; WIDTH],
        id_length: isize,
        name_length: isize,
    }
    let (_connection, statement) = prepared(setting);
    let mut rows = [Row { id: -77, name: [0xA5; WIDTH], id_length: -77, name_length: -77 }; ROWS + 1];
    let (mut status, mut fetched) = ([77u16; ROWS], 77usize);
    let mut offset = size_of::<Row>();
    statement.set(SQL_ATTR_ROW_BIND_TYPE, size_of::<Row>());
    statement.set(SQL_ATTR_ROW_ARRAY_SIZE, ROWS);
    statement.point(SQL_ATTR_ROW_BIND_OFFSET_PTR, &raw mut offset);
    statement.point(SQL_ATTR_ROW_STATUS_PTR, status.as_mut_ptr());
    statement.point(SQL_ATTR_ROWS_FETCHED_PTR, &raw mut fetched);
    let first = rows.as_mut_ptr();
    // SAFETY: the fields belong to an existing row.
    let (id, name, id_length, name_length) = unsafe {
        (&raw mut (*first).id, &raw mut (*first).name, &raw mut (*first).id_length, &raw mut (*first).name_length)
    };
    SQLBindCol(statement.handle, 1, SQL_C_SLONG, id.cast(), 0, id_length);
    SQLBindCol(statement.handle, 2, SQL_C_CHAR, name.cast(), WIDTH as isize, name_length);
    statement.direct(QUERY);
    for _ in 0..3 {
        SQLFetch(statement.handle);
        note!("  fetched {fetched} status {status:?}");
        for index in 0..rows.len() {
            // SAFETY: as above. Read again, because the compiler does not see that the driver writes.
            let row = unsafe { first.add(index).read_volatile() };
            note!("  {} {} {} {}", row.id, row.id_length, shown(&row.name), row.name_length);
        }
    }
}

pub fn extended(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let mut rowset = Rowset::new();
    statement.set(SQL_ATTR_ROWSET_SIZE, ROWS);
    rowset.bind(&statement);
    statement.direct(QUERY);
    for orientation in [SQL_FETCH_NEXT, SQL_FETCH_NEXT, SQL_FETCH_NEXT, SQL_FETCH_FIRST] {
        let (mut fetched, mut status) = (77, [77u16; ROWS]);
        SQLExtendedFetch(statement.handle, orientation as u16, 0, &mut fetched, status.as_mut_ptr());
        note!("  {status:?}");
        rowset.show();
    }
    // One way to fetch after the other.
    SQLFetch(statement.handle);
    statement.close();
    statement.direct(QUERY);
    SQLFetch(statement.handle);
    SQLExtendedFetch(statement.handle, 1, 0, null_mut(), null_mut());
}

/// Row by row with the functions for rowsets. Microsoft's driver opens no cursor on the server for that.
pub fn one_by_one(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let mut rowset = Rowset::new();
    rowset.bind(&statement);
    let handle = statement.handle;
    statement.direct(QUERY);
    SQLFetchScroll(handle, SQL_FETCH_NEXT, 0);
    SQLSetPos(handle, 1, 0, 0);
    // SQL_UPDATE_BY_BOOKMARK, without bookmarks.
    SQLBulkOperations(handle, 5);
    SQLFetchScroll(handle, SQL_FETCH_LAST, 0);
    rowset.show();
    SQLCloseCursor(handle);
    statement.direct(QUERY);
    for orientation in [SQL_FETCH_NEXT, SQL_FETCH_NEXT, SQL_FETCH_LAST] {
        let (mut fetched, mut status) = (77, [77u16; ROWS]);
        SQLExtendedFetch(handle, orientation as u16, 0, &mut fetched, status.as_mut_ptr());
        note!("  {status:?}");
        rowset.show();
    }
}

pub fn limits(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    const MAX_ROWS: i32 = 1;
    const NOSCAN: i32 = 2;
    const MAX_LENGTH: i32 = 3;
    const RETRIEVE_DATA: i32 = 11;
    for (attribute, value) in [(MAX_ROWS, 2), (MAX_LENGTH, 3), (NOSCAN, 1), (RETRIEVE_DATA, 0)] {
        statement.set(attribute, value);
        statement.get(attribute);
        statement.direct(QUERY);
        statement.results(10);
        statement.set(attribute, 0);
    }
}

pub fn warnings(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let handle = statement.handle;
    // NULL without an indicator, a truncated text and a truncated number, a number out of range, and a text that is not
    // a number.
    let mut value = Buffer::new(40);
    for (sql, c_type, capacity) in [
        ("SELECT name FROM items WHERE id = 3", SQL_C_CHAR, 10),
        ("SELECT name FROM items WHERE id = 2", SQL_C_CHAR, 3),
        ("SELECT name FROM items WHERE id = 2", SQL_C_WCHAR, 7),
        ("SELECT price FROM items WHERE id = 1", SQL_C_SLONG, 4),
        ("SELECT id + 1000 FROM items WHERE id = 1", SQL_TINYINT, 1),
        ("SELECT name FROM items WHERE id = 1", SQL_C_SLONG, 4),
        ("SELECT made FROM items WHERE id = 3", SQL_TYPE_DATE, 6),
        ("SELECT made FROM items WHERE id = 3", SQL_C_CHAR, 10),
        ("SELECT id FROM items WHERE id = 1", SQL_C_CHAR, 0),
        ("SELECT id FROM items WHERE id = 1", SQL_C_CHAR, -4),
    ] {
        SQLBindCol(handle, 1, c_type, value.p(), capacity, null_mut());
        statement.direct(sql);
        SQLFetch(handle);
        value.length = 0;
        note!("  {}", value.shown());
        value.reset();
        statement.close();
        SQLFreeStmt(handle, SQL_UNBIND);
    }
}

pub fn pieces(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    for value in setting.target.long_values {
        for (c_type, capacities) in [
            (SQL_C_CHAR, [0, 7, 4000]),
            (SQL_C_WCHAR, [0, 7, 4000]),
            (SQL_C_BINARY, [0, 7, 4000]),
            (SQL_C_DEFAULT, [1, 8, 4000]),
        ] {
            if !succeeded(statement.direct(&format!("SELECT {value}, 5"))) {
                continue;
            }
            SQLFetch(statement.handle);
            capacities.into_iter().for_each(|capacity| _ = statement.data(1, c_type, capacity));
            let mut most = 6;
            while succeeded(statement.data(1, c_type, 4000)) && most > 0 {
                most -= 1;
            }
            // The next column, then back, and columns that do not exist.
            for column in [2, 1, 3, 0] {
                statement.data(column, SQL_C_SLONG, 4);
            }
            statement.close();
        }
    }
}

pub fn several_results(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let one_more_than_there_are = 8;
    for prepared in [false, true] {
        if prepared {
            statement.prepare(setting.target.several);
            SQLExecute(statement.handle);
        } else {
            statement.direct(setting.target.several);
        }
        for _ in 0..one_more_than_there_are {
            let columns = statement.columns();
            statement.row_count();
            if columns > 0 {
                statement.rows(columns, 10);
            }
            SQLMoreResults(statement.handle);
        }
        statement.close();
    }
    // Closed half-way.
    statement.direct(setting.target.several);
    SQLFreeStmt(statement.handle, SQL_CLOSE);
    statement.direct("SELECT 'after'");
    statement.results(1);
}

pub fn names(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    statement.direct("SELECT 1 AS \"A long name, and ünïcode 大阪\"");
    for capacity in [40, 10, 1, 0] {
        statement.describe_within(1, capacity);
    }
    SQLDescribeColW(statement.handle, 1, null_mut(), 0, null_mut(), null_mut(), null_mut(), null_mut(), null_mut());
    // Before anything is executed.
    let fresh = connection.statement();
    fresh.columns();
    fresh.describe(1);
    fresh.row_count();
    SQLFetch(fresh.handle);
    fresh.data(1, SQL_C_CHAR, 10);
    SQLMoreResults(fresh.handle);
    SQLCloseCursor(fresh.handle);
    fresh.close();
}
