//! Attributes of environments, connections and statements: read, set and read again.

use crate::buffer::{Buffer, Text};
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting, number};
use std::ptr::null_mut;

/// Connection attributes that are addresses, or differ each time: handles of the tracing library and of Microsoft's
/// driver, identifiers and statistics.
const UNSHOWN: [i32; 12] = [111, 112, 118, 119, 10013, 1221, 1226, 1229, 1230, 1231, 1232, 1241];

pub fn environment(_setting: &Setting) {
    // SQL_OV_ODBC2, SQL_OV_ODBC3, SQL_OV_ODBC3_80, and an invalid one.
    for version in [2, 3, 380, 7] {
        let connection = Connection::new(version);
        for attribute in [SQL_ATTR_ODBC_VERSION, 201, 202, 10001, 1064, 1065, 9999] {
            let (mut value, mut length) = (Buffer::new(8), -77);
            SQLGetEnvAttr(connection.environment, attribute, value.p(), 8, &mut length);
            note!("  {}", value.shown());
        }
        // SQL_ATTR_OUTPUT_NTS, SQL_ATTR_CONNECTION_POOLING, and the version, which comes too late.
        for (attribute, value) in [(10001, 1), (10001, 0), (201, 0), (SQL_ATTR_ODBC_VERSION, 3), (9999, 1)] {
            SQLSetEnvAttr(connection.environment, attribute, number(value), 0);
        }
    }
}

/// Integer attributes with valid and invalid values.
const OF_CONNECTIONS: &[(i32, usize)] = &[
    (101, 1),
    (101, 0),
    (SQL_ATTR_AUTOCOMMIT, 0),
    (SQL_ATTR_AUTOCOMMIT, 1),
    (SQL_ATTR_AUTOCOMMIT, 7),
    (SQL_ATTR_LOGIN_TIMEOUT, 9),
    (SQL_ATTR_TXN_ISOLATION, 1),
    (SQL_ATTR_TXN_ISOLATION, 4),
    (SQL_ATTR_TXN_ISOLATION, 8),
    (SQL_ATTR_TXN_ISOLATION, 32),
    (SQL_ATTR_TXN_ISOLATION, 2),
    (110, 2),    // SQL_ATTR_ODBC_CURSORS
    (112, 8192), // SQL_ATTR_PACKET_SIZE
    (113, 5),    // SQL_ATTR_CONNECTION_TIMEOUT
    (113, 0),
    (114, 1), // SQL_ATTR_DISCONNECT_BEHAVIOR
    (SQL_ATTR_ASYNC_ENABLE, 1),
    (SQL_ATTR_ASYNC_ENABLE, 0),
    (117, 1), // SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE
    (117, 0),
    (116, 1), // SQL_ATTR_RESET_CONNECTION
    (10001, 1),
    (10014, 1),
    (10014, 0),
    (SQL_ATTR_CONNECTION_DEAD, 1),
    (0, 3), // statement attributes for all later statements
    (3, 0),
    (9999, 1),
];

fn set_and_get(connection: &Connection, further: &[i32]) {
    for &(attribute, value) in OF_CONNECTIONS {
        connection.set(attribute, value);
        connection.get(attribute);
    }
    for &attribute in further {
        connection.get(attribute);
        for value in [1, 0] {
            connection.set(attribute, value);
            connection.get(attribute);
        }
    }
}

fn read_all(connection: &Connection) {
    let microsofts = (1200..=1270).chain(1300..=1310);
    for attribute in (101..=130).chain(microsofts).chain([10001, 10014, 30002, 65536, 65540]) {
        if !UNSHOWN.contains(&attribute) {
            let (mut value, mut length) = (Buffer::new(300), -77);
            SQLGetConnectAttrW(connection.handle, attribute, value.p(), 300, &mut length);
            note!("  {}", value.shown());
        }
    }
}

pub fn connection(setting: &Setting) {
    let connection = Connection::new(3);
    set_and_get(&connection, setting.target.connection_attributes);
    read_all(&connection);
    connection.connect(&setting.with(&[]));
    read_all(&connection);
    set_and_get(&connection, setting.target.connection_attributes);
    read_all(&connection);
    // The narrow function, with a number and with a text.
    SQLSetConnectAttr(connection.handle, SQL_ATTR_AUTOCOMMIT, number(1), 0);
    SQLSetConnectAttr(connection.handle, SQL_ATTR_CURRENT_CATALOG, c"nowhere".as_ptr().cast_mut().cast(), 7);
}

pub fn catalog(setting: &Setting) {
    for before in [true, false] {
        let connection = Connection::new(3);
        let mut name = Text::of(setting.target.other_database);
        let mut set = |length: i32| {
            SQLSetConnectAttrW(connection.handle, SQL_ATTR_CURRENT_CATALOG, name.pointer(), length);
        };
        if before {
            set(SQL_NTS.into());
            connection.connect(&setting.with(&[]));
        } else {
            connection.connect(&setting.with(&[]));
            set(6);
            set(12);
            set(-6);
        }
        for capacity in [40, 6, 3, 0] {
            let (mut value, mut length) = (Buffer::new(60), -77);
            SQLGetConnectAttrW(connection.handle, SQL_ATTR_CURRENT_CATALOG, value.p(), capacity, &mut length);
            note!("  {}", value.shown());
        }
        let mut nowhere = Text::of("nowhere");
        SQLSetConnectAttrW(connection.handle, SQL_ATTR_CURRENT_CATALOG, nowhere.pointer(), SQL_NTS.into());
    }
}

pub fn options(setting: &Setting) {
    let connection = setting.connect();
    for (option, value) in [(101, 0), (102, 0), (102, 1), (103, 5), (108, 8), (108, 2), (9999, 1)] {
        SQLSetConnectOptionW(connection.handle, option, value);
        let mut read = Buffer::new(8);
        SQLGetConnectOptionW(connection.handle, option, read.p());
        note!("  {}", read.shown());
    }
    let mut name = Buffer::new(600);
    SQLGetConnectOptionW(connection.handle, 109, name.p());
    note!("  {}", name.shown());
}

/// A token is an address that the driver keeps until it connects.
pub fn access_token(setting: &Setting) {
    const SQL_COPT_SS_ACCESS_TOKEN: i32 = 1256;
    let mut token = [8u32.to_le_bytes().to_vec(), b"t\0o\0k\0e\0".to_vec()].concat();
    for (login, read) in [(true, false), (false, true)] {
        let connection = Connection::new(3);
        SQLSetConnectAttrW(connection.handle, SQL_COPT_SS_ACCESS_TOKEN, token.as_mut_ptr().cast(), -4);
        if read {
            let mut value = 0usize;
            SQLGetConnectAttrW(connection.handle, SQL_COPT_SS_ACCESS_TOKEN, (&raw mut value).cast(), 8, null_mut());
            note!("  the same: {}", value == token.as_ptr().addr());
        }
        let string = if login { setting.with(&[]) } else { setting.with(&[("UID", ""), ("PWD", "")]) };
        connection.connect(&string);
        SQLSetConnectAttrW(connection.handle, SQL_COPT_SS_ACCESS_TOKEN, token.as_mut_ptr().cast(), -4);
    }
}

pub fn statement(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    let addresses = [SQL_ATTR_APP_ROW_DESC, SQL_ATTR_APP_PARAM_DESC, SQL_ATTR_IMP_ROW_DESC, SQL_ATTR_IMP_PARAM_DESC];
    let read_all = || {
        for attribute in (-3..=35).chain(10001..=10020).chain(1225..=1240).chain([65536, 9999]) {
            if !addresses.contains(&attribute) {
                statement.get(attribute);
            }
        }
    };
    read_all();
    for (attribute, values) in [
        (SQL_ATTR_QUERY_TIMEOUT, &[5, 0, 100_000][..]),
        (1, &[10, 0]),
        (2, &[1, 0, 7]),
        (3, &[100, 0]),
        (SQL_ATTR_ASYNC_ENABLE, &[1, 0, 7]),
        (SQL_ATTR_ROW_BIND_TYPE, &[16, 0]),
        (SQL_ATTR_CURSOR_TYPE, &[1, 2, 3, 0, 9]),
        (SQL_ATTR_CONCURRENCY, &[2, 3, 4, 1, 9]),
        (8, &[10, 0]),
        (SQL_ATTR_ROWSET_SIZE, &[10, 1, 0]),
        (10, &[0, 1]),
        (11, &[0, 1]),
        (SQL_ATTR_USE_BOOKMARKS, &[2, 1, 0]),
        (15, &[1, 0]),
        (SQL_ATTR_PARAM_BIND_TYPE, &[8, 0]),
        (SQL_ATTR_PARAMSET_SIZE, &[3, 1, 0]),
        (24, &[0, 1]),
        (SQL_ATTR_ROW_ARRAY_SIZE, &[3, 1, 0]),
        (SQL_ATTR_CURSOR_SCROLLABLE, &[1, 0, 9]),
        (-2, &[1, 2, 0, 9]),
        (10001, &[1, 0]),
        (10014, &[1, 0]),
        (1227, &[1, 0]),
        (1228, &[1, 0]),
        (9999, &[1]),
    ] {
        for &value in values {
            statement.set(attribute, value);
            statement.get(attribute);
        }
    }
    statement.direct("SELECT 1");
    for (attribute, value) in [(SQL_ATTR_CURSOR_TYPE, 3), (SQL_ATTR_CONCURRENCY, 4), (SQL_ATTR_QUERY_TIMEOUT, 5)] {
        statement.set(attribute, value);
    }
    read_all();
}
