//! Every value as every C type, and every C type as every SQL type.

use crate::buffer::Buffer;
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting, Statement};
use crate::targets::SqlType;
use std::ptr::null_mut;

/// The specification's C types, Microsoft's own, and an unknown one, each with the bytes of a value.
const C_VALUES: [(i16, &[u8]); 43] = [
    (SQL_C_CHAR, b"12"),
    (SQL_C_WCHAR, b"1\x002\0"),
    (SQL_C_BINARY, &[1, 2]),
    (SQL_BIT, &[1]),
    (-28, &[200]),           // unsigned tiny
    (-26, &[0x85]),          // signed tiny
    (SQL_TINYINT, &[7]),     // tiny
    (-17, &[0x39, 0xB0]),    // unsigned short
    (-15, &[0x39, 0xB0]),    // signed short
    (SQL_SMALLINT, &[7, 0]), // short
    (-18, &[1, 0, 0, 0x80]), // unsigned long
    (SQL_C_SLONG, &[1, 0, 0, 0x80]),
    (SQL_INTEGER, &[7, 0, 0, 0]), // long
    (-27, &[1, 0, 0, 0, 0, 0, 0, 0x80]),
    (SQL_C_SBIGINT, &[1, 0, 0, 0, 0, 0, 0, 0x80]),
    (SQL_REAL, &[0, 0, 0x60, 0x40]),               // 3.5
    (SQL_DOUBLE, &[0, 0, 0, 0, 0, 0, 0x0C, 0x40]), // 3.5
    (SQL_NUMERIC, &[5, 2, 1, 0x39, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), // 123.45
    (SQL_GUID, &[0xFF, 0x19, 0x96, 0x6F, 0x86, 0x8B, 0x11, 0xD0, 0xB4, 0x2D, 0, 0xC0, 0x4F, 0xC9, 0x64, 0xFF]),
    (9, DATE),
    (10, TIME),
    (11, TIMESTAMP),
    (SQL_TYPE_DATE, DATE),
    (SQL_TYPE_TIME, TIME),
    (SQL_TYPE_TIMESTAMP, TIMESTAMP),
    (101, interval::YEAR),
    (102, interval::MONTH),
    (103, interval::DAY),
    (104, interval::HOUR),
    (105, interval::MINUTE),
    (106, interval::SECOND),
    (107, interval::YEAR_TO_MONTH),
    (108, interval::DAY_TO_HOUR),
    (109, interval::DAY_TO_MINUTE),
    (110, interval::DAY_TO_SECOND),
    (111, interval::HOUR_TO_MINUTE),
    (112, interval::HOUR_TO_SECOND),
    (113, interval::MINUTE_TO_SECOND),
    (SQL_C_DEFAULT, b"12"),
    (0x4000, &[4, 0, 5, 0, 6, 0, 0, 0, 0, 0xCA, 0x9A, 0x3B]), // SQL_C_SS_TIME2, with a fraction that is too large
    (0x4001, &[0xEA, 7, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0, 0, 2, 0, 30, 0]), // SQL_C_SS_TIMESTAMPOFFSET
    (12345, &[1, 2, 3, 4]),
    (0, &[1, 2, 3, 4]),
];

const DATE: &[u8] = &[0xEA, 7, 2, 0, 3, 0]; // 2026-02-03
const TIME: &[u8] = &[4, 0, 5, 0, 6, 0];
const TIMESTAMP: &[u8] = &[0xEA, 7, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0x65, 0xCD, 0x1D]; // with half a second

/// SQL_INTERVAL_STRUCT: the type, the sign, and five numbers.
mod interval {
    macro_rules! interval {
        ($($name:ident $kind:literal)*) => {$(
            pub const $name: &[u8] =
                &[$kind, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
        )*};
    }
    interval!(YEAR 1 MONTH 2 DAY 3 HOUR 4 MINUTE 5 SECOND 6 YEAR_TO_MONTH 7 DAY_TO_HOUR 8 DAY_TO_MINUTE 9 DAY_TO_SECOND 10
        HOUR_TO_MINUTE 11 HOUR_TO_SECOND 12 MINUTE_TO_SECOND 13);
}

/// The specification's SQL types, Microsoft's own, and an unknown one.
const SQL_TYPES: [SqlType; 31] = [
    (SQL_CHAR, 40, 0),
    (SQL_VARCHAR, 40, 0),
    (SQL_LONGVARCHAR, 400, 0),
    (SQL_WCHAR, 40, 0),
    (SQL_WVARCHAR, 40, 0),
    (SQL_WVARCHAR, 0, 0),
    (SQL_WLONGVARCHAR, 400, 0),
    (SQL_DECIMAL, 18, 4),
    (SQL_NUMERIC, 5, 0),
    (SQL_SMALLINT, 0, 0),
    (SQL_INTEGER, 0, 0),
    (SQL_REAL, 0, 0),
    (SQL_FLOAT, 53, 0),
    (SQL_DOUBLE, 0, 0),
    (SQL_BIT, 0, 0),
    (SQL_TINYINT, 0, 0),
    (SQL_BIGINT, 0, 0),
    (SQL_BINARY, 10, 0),
    (SQL_VARBINARY, 40, 0),
    (SQL_LONGVARBINARY, 400, 0),
    (SQL_TYPE_DATE, 10, 0),
    (SQL_TYPE_TIME, 8, 0),
    (SQL_TYPE_TIMESTAMP, 23, 3),
    (9, 10, 0),
    (11, 27, 7),
    (SQL_GUID, 36, 0),
    (101, 4, 0),
    (-152, 0, 0),
    (-154, 16, 7),
    (-155, 34, 7),
    (12345, 0, 0),
];

/// The fields of SQLColAttribute: ODBC 3's, ODBC 2's, and Microsoft's.
fn column_fields() -> impl Iterator<Item = u16> {
    (0..=32).chain(1001..=1013).chain([1099]).chain(1211..=1250)
}

pub fn fetch(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    for value in setting.target.values {
        // One column for each C type, because a value can be read only once.
        let columns = vec![*value; C_VALUES.len()].join(", ");
        if !succeeded(statement.direct(&format!("SELECT {columns}"))) {
            continue;
        }
        statement.describe(1);
        SQLFetch(statement.handle);
        for (column, (c_type, _)) in (1..).zip(C_VALUES) {
            statement.data(column, c_type, 128);
        }
        SQLFetch(statement.handle);
        statement.close();
    }
}

pub fn describe(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    for value in setting.target.values {
        statement.direct(&format!("SELECT {value} AS named, {value}"));
        for column in 1..=2 {
            for field in column_fields() {
                let (mut text, mut length, mut number) = (Buffer::new(200), -77, -77);
                let (handle, capacity) = (statement.handle, text.len() as i16);
                SQLColAttributeW(handle, column, field, text.p(), capacity, &mut length, &mut number);
                note!("  {}", text.shown());
            }
        }
        statement.close();
    }
    statement.direct("SELECT 1 AS a");
    // A column that does not exist, the bookmark column, and buffers that are too short or missing.
    for (column, capacity) in [(2, 20), (0, 20), (1, 3), (1, 2), (1, 0), (1, -1)] {
        let (mut text, mut length, mut number) = (Buffer::new(20), -77, -77);
        SQLColAttributeW(statement.handle, column, 1011, text.p(), capacity, &mut length, &mut number);
        note!("  {}", text.shown());
    }
    SQLColAttributeW(statement.handle, 1, 1011, null_mut(), 0, null_mut(), null_mut());
    statement.describe(0);
    statement.describe(2);
}

pub fn parameters(setting: &Setting) {
    let (c_types, sql_types) = setting.target.crashing;
    let mut session = Session::new(setting);
    for (c_type, bytes) in C_VALUES {
        for (sql_type, size, digits) in SQL_TYPES {
            if c_types.contains(&c_type) && sql_types.contains(&sql_type) {
                continue;
            }
            let statement = &session.statement;
            let mut value = Buffer::of(bytes);
            statement.parameter(1, c_type, sql_type, size, digits, &mut value);
            if succeeded(statement.direct("SELECT ?")) {
                statement.describe(1);
                statement.rows(1, 1);
            }
            statement.close();
            SQLFreeStmt(statement.handle, SQL_RESET_PARAMS);
            // A server may treat unreadable input as a broken connection.
            if session.connection.is_dead() {
                session = Session::new(setting);
            }
        }
    }
}

/// A connection with a statement, which is freed first.
struct Session {
    statement: Statement,
    connection: Connection,
}

impl Session {
    fn new(setting: &Setting) -> Session {
        let connection = setting.connect();
        Session { statement: connection.statement(), connection }
    }
}
