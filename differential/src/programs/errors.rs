//! Errors: statements that fail, functions out of sequence, invalid arguments.

use crate::buffer::{Buffer, Text};
use crate::odbc::*;
use crate::session::{Connection, Setting, number};
use std::ptr::null_mut;

pub fn statements(setting: &Setting) {
    for version in [2, 3] {
        let connection = Connection::new(version);
        connection.connect(&setting.with(&[]));
        connection.execute(setting.target.items);
        let statement = connection.statement();
        for sql in setting.target.errors {
            let sql = &sql.replace("CATALOG", &setting.catalog);
            statement.direct(sql);
            statement.results(5);
            statement.prepare(sql);
            SQLExecute(statement.handle);
            statement.results(5);
        }
    }
}

pub fn sequence(setting: &Setting) {
    let connection = Connection::new(3);
    // Without a connection.
    let mut handle = null_mut();
    SQLAllocHandle(SQL_HANDLE_STMT, connection.handle, &mut handle);
    SQLAllocHandle(SQL_HANDLE_DESC, connection.handle, &mut handle);
    SQLAllocHandle(9, connection.handle, &mut handle);
    SQLDisconnect(connection.handle);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    let mut text = Text::of("SELECT 1");
    SQLNativeSqlW(connection.handle, text.p(), SQL_NTS.into(), Text::new(20).p(), 20, null_mut());
    SQLFreeHandle(SQL_HANDLE_ENV, connection.environment);
    connection.connect(&setting.with(&[]));
    connection.connect(&setting.with(&[]));
    SQLFreeHandle(SQL_HANDLE_DBC, connection.handle);
    connection.execute(setting.target.items);
    // Without a statement, a result, or a row.
    let statement = connection.statement();
    SQLExecute(statement.handle);
    SQLFetchScroll(statement.handle, SQL_FETCH_FIRST, 0);
    SQLSetPos(statement.handle, 1, 0, 0);
    SQLBulkOperations(statement.handle, 4);
    SQLPutData(statement.handle, text.pointer(), 4);
    SQLParamData(statement.handle, &mut null_mut());
    SQLCloseCursor(statement.handle);
    let mut count = 0;
    SQLNumParams(statement.handle, &mut count);
    SQLDescribeParam(statement.handle, 1, null_mut(), null_mut(), null_mut(), null_mut());
    statement.direct("UPDATE items SET price = 1 WHERE id = 1");
    SQLFetch(statement.handle);
    statement.data(1, SQL_C_CHAR, 10);
    statement.direct("SELECT 1, 2");
    statement.direct("SELECT 3");
    statement.data(1, SQL_C_CHAR, 10);
    statement.prepare("SELECT 4");
    SQLFetch(statement.handle);
    SQLFetch(statement.handle);
    SQLFetch(statement.handle);
    statement.data(1, SQL_C_CHAR, 10);
    statement.close();
    statement.direct("SELECT ?");
    statement.direct("SELECT 1 WHERE ? = ?");
    // A busy connection.
    let other = connection.statement();
    statement.direct("SELECT id FROM items");
    SQLFetch(statement.handle);
    other.direct("SELECT name FROM items");
    SQLFetch(other.handle);
    SQLFetch(statement.handle);
    // Disconnecting frees the statements.
    std::mem::forget((statement, other));
    SQLDisconnect(connection.handle);
    connection.connect(&setting.with(&[]));
}

pub fn arguments(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    let handle = statement.handle;
    let mut text = Text::of("SELECT 1");
    let mut value = Buffer::new(20);
    for length in [8, 6, 0, -1, -4] {
        SQLExecDirectW(handle, text.p(), length);
        statement.close();
        SQLPrepareW(handle, text.p(), length);
        statement.close();
    }
    SQLExecDirectW(handle, null_mut(), SQL_NTS.into());
    SQLPrepareW(handle, null_mut(), 3);
    SQLBindCol(handle, 1, 777, value.p(), 4, null_mut());
    SQLBindCol(handle, 1, SQL_C_CHAR, value.p(), -4, null_mut());
    SQLBindCol(handle, 0, SQL_C_CHAR, value.p(), 4, null_mut());
    SQLBindCol(handle, 1, SQL_C_CHAR, null_mut(), 4, null_mut());
    let input = SQL_PARAM_INPUT;
    for (parameter, direction, c_type, sql_type, capacity) in [
        (0, input, SQL_C_CHAR, SQL_VARCHAR, 10),
        (1, 9, SQL_C_CHAR, SQL_VARCHAR, 10),
        (1, input, 777, SQL_VARCHAR, 10),
        (1, input, SQL_C_CHAR, 777, 10),
        (1, input, SQL_C_CHAR, SQL_VARCHAR, -7),
        (40000, input, SQL_C_CHAR, SQL_VARCHAR, 10),
    ] {
        SQLBindParameter(handle, parameter, direction, c_type, sql_type, 10, 0, value.p(), capacity, null_mut());
    }
    SQLBindParameter(handle, 1, input, SQL_C_CHAR, SQL_VARCHAR, 10, 0, null_mut(), 10, null_mut());
    SQLFreeStmt(handle, 9);
    SQLFreeStmt(handle, SQL_RESET_PARAMS);
    SQLFreeStmt(handle, SQL_UNBIND);
    SQLSetStmtAttrW(handle, SQL_ATTR_CURSOR_TYPE, number(99), 0);
    statement.direct("SELECT 1");
    SQLFetch(handle);
    for (column, c_type, capacity) in [(1, 777, 10), (9, SQL_C_CHAR, 10), (1, SQL_C_CHAR, -1)] {
        SQLGetData(handle, column, c_type, value.p(), capacity, null_mut());
    }
    SQLGetData(handle, 1, SQL_C_CHAR, null_mut(), 10, null_mut());
    // Only values that the driver manager itself recognises as invalid handles.
    SQLExecute(null_mut());
    SQLExecute(connection.handle);
    SQLFetch(connection.environment);
    SQLDisconnect(handle);
    SQLFreeHandle(SQL_HANDLE_STMT, connection.handle);
}

/// Reading the records: their numbers, short buffers, and that the next call clears them.
pub fn records(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    statement.direct("SELECT nothing FROM nowhere");
    for (number, capacity) in [(0, 10), (-1, 10), (1, 10), (1, 600), (2, 600), (9, 600)] {
        let (mut state, mut text, mut native, mut length) = (Text::new(6), Text::new(700), -77, -77);
        let (kind, handle) = (SQL_HANDLE_STMT, statement.handle);
        SQLGetDiagRecW(kind, handle, number, state.p(), &mut native, text.p(), capacity, &mut length);
        for field in [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, -1247, -1248, -1249, 99] {
            if (field, number) != (10, 1) {
                let (mut value, mut length) = (Buffer::new(700), -77);
                SQLGetDiagFieldW(kind, handle, number, field, value.p(), capacity, &mut length);
                crate::note!("  {}", value.shown());
            }
        }
    }
    statement.columns();
    first_record(SQL_HANDLE_STMT, statement.handle);
    // A connection's records: the next call on it clears them.
    let refused = Connection::new(3);
    refused.set(SQL_ATTR_LOGIN_TIMEOUT, 1);
    refused.connect(&setting.with(setting.target.nowhere));
    refused.get(SQL_ATTR_AUTOCOMMIT);
    first_record(SQL_HANDLE_DBC, refused.handle);
}

fn first_record(kind: i16, handle: Handle) {
    let (mut state, mut text, mut native, mut length) = (Text::new(6), Text::new(100), -77, -77);
    SQLGetDiagRecW(kind, handle, 1, state.p(), &mut native, text.p(), 100, &mut length);
}
