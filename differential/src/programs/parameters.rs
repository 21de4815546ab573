//! Parameters: arrays, data at execution, output, description.

use crate::buffer::Buffer;
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting, Statement, number};
use std::hint::black_box;
use std::ptr::null_mut;

const INSERT: &str = "INSERT INTO items (id, name) VALUES (?, ?)";
const INSERT_DATA: &str = "INSERT INTO items (id, data) VALUES (?, ?)";
const SETS: usize = 5;

/// A connection with a new `items`, and a statement.
fn items(setting: &Setting) -> (Connection, Statement) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    let statement = connection.statement();
    (connection, statement)
}

fn show_items(connection: &Connection) {
    let statement = connection.statement();
    statement.direct("SELECT id, name, data FROM items WHERE id > 5 ORDER BY id");
    statement.results(20);
}

/// The report of a call about an array's elements.
struct Report {
    status: [u16; SETS],
    processed: usize,
}

impl Report {
    fn new(statement: &Statement) -> Box<Report> {
        let mut report = Box::new(Report { status: [77; SETS], processed: 77 });
        statement.set(SQL_ATTR_PARAMSET_SIZE, SETS);
        statement.point(SQL_ATTR_PARAM_STATUS_PTR, report.status.as_mut_ptr());
        statement.point(SQL_ATTR_PARAMS_PROCESSED_PTR, &raw mut report.processed);
        report
    }

    fn show(&mut self) {
        note!("  processed {} status {:?}", self.processed, self.status);
        (self.status, self.processed) = ([77; SETS], 77);
    }
}

pub fn arrays_by_column(setting: &Setting) {
    let (connection, statement) = items(setting);
    let mut report = Report::new(&statement);
    // The third exists already, the fourth is too long, the fifth is NULL.
    let mut ids = [10i32, 11, 1, 13, 14];
    let mut names = [[0u16; 50]; SETS];
    for (name, text) in names.iter_mut().zip(["ten", "élf", "one", &"x".repeat(45), ""]) {
        name.iter_mut().zip(text.encode_utf16()).for_each(|(unit, letter)| *unit = letter);
    }
    let mut lengths = [6isize, SQL_NTS as isize, 6, 90, SQL_NULL_DATA];
    let handle = statement.handle;
    let input = SQL_PARAM_INPUT;
    SQLBindParameter(handle, 1, input, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids.as_mut_ptr().cast(), 4, null_mut());
    let values = names.as_mut_ptr().cast();
    SQLBindParameter(handle, 2, input, SQL_C_WCHAR, SQL_WVARCHAR, 50, 0, values, 100, lengths.as_mut_ptr());
    statement.direct(INSERT);
    report.show();
    for _ in 0..SETS + 1 {
        statement.row_count();
        SQLMoreResults(handle);
    }
    show_items(&connection);
    // Prepared, with two sets left out.
    let mut operations = [0u16, 1, 0, 1, 0];
    statement.point(SQL_ATTR_PARAM_OPERATION_PTR, operations.as_mut_ptr());
    ids = [20, 21, 22, 23, 24];
    lengths[3] = 2;
    // Here and below: the compiler does not see that the driver reads them.
    black_box((&mut ids, &mut lengths));
    statement.prepare(INSERT);
    SQLExecute(handle);
    report.show();
    statement.row_count();
    // A query for each set.
    statement.close();
    statement.direct("SELECT id, name FROM items WHERE id = ? OR name = ?");
    report.show();
    statement.results(3);
    show_items(&connection);
}

/// A row of parameters.
#[repr(C)]
#[derive(Clone, Copy)]
struct Row {
    id: i32,
    id_length: isize,
    name: [u8; 20],
    name_length: isize,
}

pub fn arrays_by_row(setting: &Setting) {
    let (connection, statement) = items(setting);
    let mut report = Report::new(&statement);
    let row = |id, text: &[u8; 4]| {
        let mut name = [0; 20];
        name[..4].copy_from_slice(text);
        Row { id, id_length: 4, name, name_length: 4 }
    };
    let mut rows =
        [row(30, b"aaaa"), row(31, b"bbbb"), row(32, b"cccc"), row(33, b"dddd"), row(34, b"eeee"), row(35, b"ffff")];
    rows[2].name_length = SQL_NULL_DATA;
    // The bindings are for the first row, and the offset leads to the second.
    let mut offset = size_of::<Row>() as isize;
    statement.set(SQL_ATTR_PARAM_BIND_TYPE, size_of::<Row>());
    statement.point(SQL_ATTR_PARAM_BIND_OFFSET_PTR, &raw mut offset);
    let (handle, input) = (statement.handle, SQL_PARAM_INPUT);
    let first = rows.as_mut_ptr();
    // SAFETY: the fields belong to an existing row.
    let (id, id_length, name, name_length) = unsafe {
        (&raw mut (*first).id, &raw mut (*first).id_length, &raw mut (*first).name, &raw mut (*first).name_length)
    };
    SQLBindParameter(handle, 1, input, SQL_C_SLONG, SQL_INTEGER, 0, 0, id.cast(), 0, id_length);
    SQLBindParameter(handle, 2, input, SQL_C_CHAR, SQL_VARCHAR, 20, 0, name.cast(), 20, name_length);
    statement.prepare(INSERT);
    SQLExecute(handle);
    report.show();
    show_items(&connection);
    // The older way to set the number of sets.
    let mut row = 77;
    SQLParamOptions(handle, 2, &mut row);
    statement.direct("DELETE FROM items WHERE id = ? OR name = ?");
    note!("  row {row}");
    statement.row_count();
    statement.get(SQL_ATTR_PARAMSET_SIZE);
    show_items(&connection);
}

/// Which of two parameters is asked for, identified by the tokens with which they were bound.
fn ask(statement: &Statement) -> Return {
    let mut token = null_mut();
    let code = SQLParamData(statement.handle, &mut token);
    note!("  token {}", token.addr());
    code
}

pub fn data_at_execution(setting: &Setting) {
    let (connection, statement) = items(setting);
    let handle = statement.handle;
    let text: Vec<u16> = "é23456789".encode_utf16().collect();
    for (round, indicator) in
        [SQL_DATA_AT_EXEC, SQL_LEN_DATA_AT_EXEC_OFFSET - 18, SQL_LEN_DATA_AT_EXEC_OFFSET].iter().enumerate()
    {
        let (mut of_id, mut of_value) = (SQL_DATA_AT_EXEC, *indicator);
        let input = SQL_PARAM_INPUT;
        SQLBindParameter(handle, 1, input, SQL_C_SLONG, SQL_INTEGER, 0, 0, number(101), 0, &mut of_id);
        SQLBindParameter(handle, 2, input, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, number(102), 0, &mut of_value);
        statement.prepare(INSERT);
        SQLExecute(handle);
        // Out of sequence.
        SQLExecute(handle);
        SQLFetch(handle);
        ask(&statement);
        let mut id = 40 + round as i32;
        SQLPutData(handle, (&raw mut id).cast(), 4);
        ask(&statement);
        for piece in text.chunks(4) {
            SQLPutData(handle, piece.as_ptr().cast_mut().cast(), size_of_val(piece) as isize);
        }
        ask(&statement);
        statement.row_count();
        statement.close();
    }
    // NULL, NULL twice, and a value that is cancelled.
    let (mut of_id, mut of_value) = (0, SQL_DATA_AT_EXEC);
    let mut id = 50i32;
    let input = SQL_PARAM_INPUT;
    SQLBindParameter(handle, 1, input, SQL_C_SLONG, SQL_INTEGER, 0, 0, (&raw mut id).cast(), 0, &mut of_id);
    SQLBindParameter(handle, 2, input, SQL_C_CHAR, SQL_VARCHAR, 40, 0, number(7), 0, &mut of_value);
    statement.direct(INSERT);
    ask(&statement);
    SQLPutData(handle, null_mut(), SQL_NULL_DATA);
    SQLPutData(handle, null_mut(), SQL_NULL_DATA);
    ask(&statement);
    id = 51;
    black_box(&mut id);
    statement.direct(INSERT);
    ask(&statement);
    SQLPutData(handle, c"abc".as_ptr().cast_mut().cast(), 3);
    SQLCancel(handle);
    ask(&statement);
    SQLPutData(handle, c"abc".as_ptr().cast_mut().cast(), 3);
    id = 52;
    black_box(&mut id);
    statement.direct(INSERT);
    ask(&statement);
    SQLCancelHandle(SQL_HANDLE_STMT, handle);
    // Without any data, and with a negative length.
    id = 53;
    black_box(&mut id);
    statement.direct(INSERT);
    ask(&statement);
    SQLPutData(handle, c"abc".as_ptr().cast_mut().cast(), -5);
    ask(&statement);
    SQLCancel(handle);
    show_items(&connection);
}

pub fn long_data(setting: &Setting) {
    let (_connection, statement) = items(setting);
    let handle = statement.handle;
    let mut id = 60i32;
    let mut of_value = SQL_DATA_AT_EXEC;
    let input = SQL_PARAM_INPUT;
    SQLBindParameter(handle, 1, input, SQL_C_SLONG, SQL_INTEGER, 0, 0, (&raw mut id).cast(), 0, null_mut());
    SQLBindParameter(handle, 2, input, SQL_C_BINARY, SQL_LONGVARBINARY, 1_000_000, 0, number(1), 0, &mut of_value);
    statement.prepare(INSERT_DATA);
    SQLExecute(handle);
    ask(&statement);
    for piece in 0..20u8 {
        SQLPutData(handle, vec![piece; 5000].as_mut_ptr().cast(), 5000);
    }
    ask(&statement);
    statement.close();
    statement.direct("SELECT data FROM items WHERE id = 60");
    SQLFetch(handle);
    while succeeded(statement.data(1, SQL_C_BINARY, 7000)) {}
}

pub fn output(setting: &Setting) {
    let connection = setting.connect();
    // As an integer, as a text, and as a text that is too short for it.
    for sql in setting.target.outputs {
        for (direction, c_type, sql_type, size, capacity) in [
            (SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 4),
            (SQL_PARAM_INPUT_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 4),
            (SQL_PARAM_OUTPUT, SQL_C_WCHAR, SQL_WVARCHAR, 20, 40),
            (SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 2),
            // SQL_PARAM_OUTPUT_STREAM.
            (16, SQL_C_CHAR, SQL_VARCHAR, 20, 20),
        ] {
            let statement = connection.statement();
            let mut value = Buffer::of(&vec![0; capacity]);
            let handle = statement.handle;
            let indicator = &raw mut value.length;
            SQLBindParameter(handle, 1, direction, c_type, sql_type, size, 0, value.p(), capacity as isize, indicator);
            statement.direct(sql);
            note!("  {}", value.shown());
            SQLMoreResults(handle);
            note!("  {}", value.shown());
            if direction == 16 {
                ask(&statement);
                statement.data(1, c_type, 20);
            }
        }
    }
}

pub fn described(setting: &Setting) {
    let (_connection, statement) = items(setting);
    for sql in [
        INSERT,
        INSERT_DATA,
        "SELECT id FROM items WHERE name = ? AND made > ?",
        "UPDATE items SET price = ?, made = ? WHERE id = ?",
        "SELECT ?",
        "SELECT 1",
        "SELECT ? FROM nowhere",
    ] {
        statement.prepare(sql);
        let mut count = -77;
        SQLNumParams(statement.handle, &mut count);
        for parameter in 0..=count.max(0) as u16 + 1 {
            let (mut sql_type, mut size, mut digits, mut nullable) = (0, 0, 0, 0);
            SQLDescribeParam(statement.handle, parameter, &mut sql_type, &mut size, &mut digits, &mut nullable);
        }
        // Without bound parameters.
        SQLExecute(statement.handle);
        let mut columns = 0;
        SQLNumResultCols(statement.handle, &mut columns);
        statement.close();
    }
}
