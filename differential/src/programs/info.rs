//! What a driver reports about itself.

use crate::buffer::{Buffer, Text};
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting};
use std::ptr::null_mut;

/// Handles and addresses: SQL_DRIVER_HDBC, _HENV, _HSTMT, _HLIB and _HDESC.
const ADDRESSES: [u16; 5] = [3, 4, 5, 76, 135];

fn everything(connection: &Connection) {
    let drivers_own = (1000..=1030).chain(1150..=1160);
    for information in (0..=200).chain(10000..=10030).chain(20000..=20002).chain(drivers_own).chain([65535]) {
        if ADDRESSES.contains(&information) {
            continue;
        }
        let (mut value, mut length) = (Buffer::new(6000), -77);
        let capacity = value.len() as i16;
        SQLGetInfoW(connection.handle, information, value.p(), capacity, &mut length);
        note!("  {}", value.shown());
    }
}

pub fn info(setting: &Setting) {
    for version in [2, 3, 380] {
        let connection = Connection::new(version);
        everything(&connection);
        connection.connect(&setting.with(&[]));
        everything(&connection);
    }
    let connection = Connection::new(3);
    connection.connect(&setting.by_driver());
    // SQL_DATA_SOURCE_NAME, SQL_SERVER_NAME, SQL_DATABASE_NAME, SQL_DRIVER_NAME, SQL_DBMS_NAME, SQL_USER_NAME.
    for information in [2, 13, 16, 6, 17, 47] {
        for capacity in [100, 10, 7, 2] {
            let (mut value, mut length) = (Buffer::new(100), -77);
            SQLGetInfoW(connection.handle, information, value.p(), capacity, &mut length);
            note!("  {}", value.shown());
        }
        SQLGetInfoW(connection.handle, information, null_mut(), 0, null_mut());
    }
    // Only checks that handles, which cannot be shown, are present.
    for information in ADDRESSES.into_iter().filter(|&information| information != 5 && information != 135) {
        let mut value = 0usize;
        SQLGetInfoW(connection.handle, information, (&raw mut value).cast(), 8, null_mut());
        note!("  {}", value != 0);
    }
}

pub fn functions(setting: &Setting) {
    for version in [2, 3] {
        let connection = Connection::new(version);
        let mut all = [7u16; 300];
        SQLGetFunctions(connection.handle, 0, all.as_mut_ptr());
        connection.connect(&setting.with(&[]));
        // SQL_API_ODBC3_ALL_FUNCTIONS has a bit for each function, SQL_API_ALL_FUNCTIONS a word.
        for (function, words, bits) in [(999, 250, 16), (0, 100, 1)] {
            let mut all = [7u16; 300];
            SQLGetFunctions(connection.handle, function, all.as_mut_ptr());
            // A line that begins like a call is compared by itself.
            for supported in (0..words * bits).filter(|id| all[id / bits] >> (id % bits) & 1 == 1) {
                note!("of {function}: {supported}");
            }
            note!("nothing but 0 and 1: {}", bits > 1 || all[..words].iter().all(|&word| word < 2));
            note!("nothing behind: {}", all[words..].iter().all(|&word| word == 7));
        }
        for function in (1..=100).chain(1001..=1030).chain([5000, 65535]) {
            let mut supported = 7;
            SQLGetFunctions(connection.handle, function, &mut supported);
        }
    }
}

pub fn native(setting: &Setting) {
    let connection = setting.connect();
    for sql in [
        "SELECT 1",
        "SELECT {d '2026-01-02'}, {t '03:04:05'}, {ts '2026-01-02 03:04:05'}",
        "SELECT {fn UCASE('a')}, {fn CONVERT(1, SQL_VARCHAR)}, {fn NOW()}",
        "SELECT * FROM {oj items LEFT OUTER JOIN parts ON items.id = parts.item}",
        "{? = call something(?, {d '2026-01-02'})}",
        "{call something}",
        "SELECT 'it''s {not} an escape' LIKE 'x\\_' {escape '\\'}",
        "SELECT {nothing}",
        "SELECT {d '2026",
        "",
        "SELECT '大阪 𝄞'",
    ] {
        for capacity in [200, 10, 0] {
            let (mut text, mut native, mut length) = (Text::of(sql), Text::new(210), -77);
            SQLNativeSqlW(connection.handle, text.p(), SQL_NTS.into(), native.p(), capacity, &mut length);
        }
    }
    let mut text = Text::of("SELECT 12345");
    for length in [8, 0, -1, -4] {
        let (mut native, mut written) = (Text::new(50), -77);
        SQLNativeSqlW(connection.handle, text.p(), length, native.p(), 40, &mut written);
    }
    SQLNativeSqlW(connection.handle, null_mut(), 3, null_mut(), 0, null_mut());
    // The escapes, executed.
    let statement = connection.statement();
    for sql in [
        "SELECT {d '2026-01-02'}, {ts '2026-01-02 03:04:05'}",
        "SELECT {fn UCASE('a')}, {fn LENGTH('abc')}, {fn MOD(7, 3)}",
        "SELECT {fn LOCATE('b', 'abc')}",
    ] {
        statement.direct(sql);
        statement.results(3);
    }
}
