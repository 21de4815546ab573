//! Descriptors: the four of a statement, explicit ones, their fields and records, copies.

use crate::buffer::{Buffer, Text};
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting, Statement, allocate, number};
use std::ptr::null_mut;

const OF_A_STATEMENT: [i32; 4] =
    [SQL_ATTR_APP_ROW_DESC, SQL_ATTR_APP_PARAM_DESC, SQL_ATTR_IMP_ROW_DESC, SQL_ATTR_IMP_PARAM_DESC];

const SQL_DESC_COUNT: i16 = 1001;
const SQL_DESC_TYPE: i16 = 1002;

/// The fields, except those that are addresses.
fn fields() -> impl Iterator<Item = i16> {
    const ADDRESSES: [i16; 6] = [21, 34, 1004, 1009, 1010, 25];
    let all = (1..=35).chain(SQL_DESC_COUNT..=1013).chain([1099]).chain(1211..=1225);
    all.filter(|field| !ADDRESSES.contains(field))
}

/// All fields but those that the driver gives from its memory, and these.
fn show_fields(setting: &Setting, descriptor: Handle, record: i16, others: &[i16]) {
    for field in fields().filter(|field| !setting.target.unsteady_fields.contains(field) && !others.contains(field)) {
        let (mut value, mut length) = (Buffer::new(200), -77);
        let capacity = value.len() as i32;
        if SQLGetDescFieldW(descriptor, record, field, value.p(), capacity, &mut length) != SQL_NO_DATA {
            note!("  {}", value.shown());
        }
    }
}

fn show_record(setting: &Setting, descriptor: Handle, record: i16) {
    show_fields(setting, descriptor, record, &[]);
    let (mut name, mut length, mut sql_type, mut subtype) = (Text::new(60), -77, -77, -77);
    let (mut octets, mut precision, mut scale, mut nullable) = (-77, -77, -77, -77);
    let capacity = name.capacity();
    #[rustfmt::skip]
    SQLGetDescRecW(
        descriptor, record, name.p(), capacity, &mut length, &mut sql_type, &mut subtype, &mut octets, &mut precision, &mut scale,
        &mut nullable,
    );
}

fn prepared(setting: &Setting) -> (Connection, Statement) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    let statement = connection.statement();
    (connection, statement)
}

pub fn of_a_statement(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    for state in ["new", "prepared", "executed", "fetched", "closed"] {
        note!("-- {state}");
        match state {
            "prepared" => {
                statement.prepare("SELECT id, name, price FROM items WHERE id > ?");
            }
            "executed" => {
                let (mut id, mut length) = (Buffer::of(&[0, 0, 0, 0]), 77);
                statement.parameter(1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &mut id);
                SQLBindCol(statement.handle, 2, SQL_C_CHAR, null_mut(), 10, &mut length);
                SQLExecute(statement.handle);
            }
            "fetched" => {
                SQLFreeStmt(statement.handle, SQL_UNBIND);
                SQLFreeStmt(statement.handle, SQL_RESET_PARAMS);
                SQLFetch(statement.handle);
            }
            "closed" => statement.close(),
            _ => {}
        }
        for attribute in OF_A_STATEMENT {
            let descriptor = statement.descriptor(attribute);
            (0..=3).for_each(|record| show_record(setting, descriptor, record));
        }
    }
}

pub fn bound_by_fields(setting: &Setting) {
    let (_connection, statement) = prepared(setting);
    let row = statement.descriptor(SQL_ATTR_APP_ROW_DESC);
    let mut value = Buffer::new(20);
    let mut indicator = -77isize;
    let set = |descriptor, record, field, value, length| {
        SQLSetDescFieldW(descriptor, record, field, value, length);
    };
    set(row, 1, SQL_DESC_TYPE, number(SQL_CHAR as usize), 0);
    set(row, 1, 1013, number(20), 0); // SQL_DESC_OCTET_LENGTH
    set(row, 1, 1010, value.p(), 0); // SQL_DESC_DATA_PTR
    set(row, 1, 1004, (&raw mut value.length).cast(), 0); // SQL_DESC_OCTET_LENGTH_PTR
    set(row, 1, 1009, (&raw mut indicator).cast(), 0); // SQL_DESC_INDICATOR_PTR
    statement.direct("SELECT name FROM items ORDER BY id");
    for _ in 0..3 {
        SQLFetch(statement.handle);
        note!("  {} {indicator}", value.shown());
    }
    statement.close();
    // Another way to do the same.
    let (length, of_null) = (&raw mut value.length, &raw mut indicator);
    SQLSetDescRec(row, 1, SQL_C_SLONG, 0, 4, 0, 0, value.p(), length, of_null);
    statement.direct("SELECT id FROM items ORDER BY id");
    SQLFetch(statement.handle);
    note!("  {}", value.shown());
    statement.close();
    let implementation = statement.descriptor(SQL_ATTR_IMP_ROW_DESC);
    // Values that cannot be set, or not in this way.
    set(row, 1, SQL_DESC_TYPE, number(9999), 0);
    set(row, -1, SQL_DESC_TYPE, number(1), 0);
    set(row, 0, SQL_DESC_COUNT, number(0), 0);
    set(row, 1, 9999, number(1), 0);
    set(implementation, 1, SQL_DESC_TYPE, number(4), 0);
    set(implementation, 0, 34, null_mut(), 0);
    SQLSetDescRec(implementation, 1, SQL_INTEGER, 0, 4, 0, 0, null_mut(), null_mut(), null_mut());
    SQLSetDescRec(row, 1, 9999, 0, 4, 0, 0, null_mut(), null_mut(), null_mut());
    // Names of parameters, which some drivers accept.
    let parameters = statement.descriptor(SQL_ATTR_IMP_PARAM_DESC);
    SQLSetDescRec(parameters, 1, SQL_WVARCHAR, 0, 40, 0, 0, null_mut(), null_mut(), null_mut());
    set(parameters, 1, 1011, Text::of("@named").pointer(), SQL_NTS.into()); // SQL_DESC_NAME
    if setting.target.unsteady_parameter {
        show_fields(setting, parameters, 1, &[2, 1002]); // SQL_DESC_CONCISE_TYPE, SQL_DESC_TYPE
    } else {
        show_record(setting, parameters, 1);
    }
}

pub fn explicit(setting: &Setting) {
    let (connection, statement) = prepared(setting);
    let (one, other) = (allocate(SQL_HANDLE_DESC, connection.handle), allocate(SQL_HANDLE_DESC, connection.handle));
    show_record(setting, one, 0);
    let mut value = Buffer::new(20);
    let length = &raw mut value.length;
    SQLSetDescRec(one, 1, SQL_C_CHAR, 0, 20, 0, 0, value.p(), length, length);
    SQLCopyDesc(one, other);
    show_record(setting, other, 1);
    statement.point(SQL_ATTR_APP_ROW_DESC, other);
    statement.direct("SELECT name FROM items ORDER BY id");
    SQLFetch(statement.handle);
    note!("  {}", value.shown());
    // To an implementation descriptor, from one, and from one that no longer has rows.
    let implementation = statement.descriptor(SQL_ATTR_IMP_ROW_DESC);
    SQLCopyDesc(other, implementation);
    SQLCopyDesc(implementation, one);
    show_record(setting, one, 1);
    statement.close();
    SQLCopyDesc(implementation, one);
    // Back to the statement's own descriptor: explicitly, and because the other one is freed.
    statement.point(SQL_ATTR_APP_ROW_DESC, null_mut::<u8>());
    statement.point(SQL_ATTR_APP_PARAM_DESC, other);
    statement.point(SQL_ATTR_IMP_ROW_DESC, other);
    SQLFreeHandle(SQL_HANDLE_DESC, other);
    let own = statement.descriptor(SQL_ATTR_APP_PARAM_DESC);
    show_record(setting, own, 0);
    SQLFreeHandle(SQL_HANDLE_DESC, own);
    SQLFreeHandle(SQL_HANDLE_DESC, one);
}
