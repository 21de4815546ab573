//! Diagnostic records of a connection: the target's first, then the library's, and when the library's are cleared. A
//! hint is appended to the text of the target's first record.
//!
//! Specification: SQLGetDiagRec, SQLGetDiagField, and "Sequence of Status Records".

mod common;

use common::shim::{self, *};
use std::ptr::null_mut;

const SQL_DIAG_RETURNCODE: i16 = 1;
const SQL_DIAG_NUMBER: i16 = 2;
const SQL_DIAG_SQLSTATE: i16 = 4;
const SQL_DIAG_NATIVE: i16 = 5;
const SQL_DIAG_MESSAGE_TEXT: i16 = 6;
const SQL_DIAG_CLASS_ORIGIN: i16 = 8;
const SQL_DIAG_SUBCLASS_ORIGIN: i16 = 9;
const SQL_DIAG_CONNECTION_NAME: i16 = 10;
const SQL_DIAG_SERVER_NAME: i16 = 11;
const SQL_DIAG_COLUMN_NUMBER: i16 = -1247;
const SQL_DIAG_ROW_NUMBER: i16 = -1248;

/// With a server and a login, nothing is discovered and nothing is added.
const LOGIN: &str = "DSN=none;Server=s;UID=u";
/// A session's certificate. This source file serves as the certificate file, because the file must exist.
const BY_CERTIFICATE: &str = concat!("DSN=none;Server=s;ClientCertificate=file:", file!());
/// The library refuses this itself, without calling the target.
const REFUSED: &str = "DSN=none;TargetDriver=another";
/// A string that cannot be read to its end, so the library adds a warning.
const STOPPED: &str = "DSN=none;Server=s;UID=u;APP={x}y";

fn text(units: &[u16]) -> String {
    String::from_utf16(units.split(|&unit| unit == 0).next().unwrap()).unwrap()
}

/// A record: return code, SQLSTATE, native error, text.
fn record(connection: &Connection, number: i16) -> Option<(String, i32, String)> {
    let (mut state, mut native_error, mut message, mut length) = ([0; 6], -7, [0; 1000], -7);
    let (state_to, message_to) = (state.as_mut_ptr(), message.as_mut_ptr());
    let (handle, native_to) = (connection.handle, &raw mut native_error);
    let code = SQLGetDiagRecW(SQL_HANDLE_DBC, handle, number, state_to, native_to, message_to, 1000, &raw mut length);
    if code == SQL_NO_DATA {
        return None;
    }
    assert_eq!(code, SQL_SUCCESS);
    assert_eq!(usize::try_from(length).unwrap(), text(&message).encode_utf16().count());
    Some((text(&state), native_error, text(&message)))
}

fn records(connection: &Connection) -> Vec<(String, i32, String)> {
    (1..).map_while(|number| record(connection, number)).collect()
}

/// SQLSTATE, native error, and source of each record.
fn outline(connection: &Connection) -> Vec<String> {
    let records = records(connection);
    let outline = |(state, native_error, message): &(String, i32, String)| {
        format!("{state} {native_error} {}", message.split_inclusive(']').next().unwrap())
    };
    records.iter().map(outline).collect()
}

fn field<T: Default>(connection: &Connection, number: i16, field: i16) -> T {
    let mut value = T::default();
    let (handle, value_to) = (connection.handle, (&raw mut value).cast());
    assert_eq!(SQLGetDiagFieldW(SQL_HANDLE_DBC, handle, number, field, value_to, 0, null_mut()), SQL_SUCCESS);
    value
}

/// A string field with room for `capacity` bytes: return code, text, and length in bytes.
fn string_field(connection: &Connection, number: i16, field: i16, capacity: i16) -> (Return, String, i16) {
    let (mut value, mut length) = ([0u16; 1000], -7);
    let (handle, value_to) = (connection.handle, value.as_mut_ptr().cast());
    let code = SQLGetDiagFieldW(SQL_HANDLE_DBC, handle, number, field, value_to, capacity, &raw mut length);
    (code, text(&value), length)
}

fn header(connection: &Connection) -> (i32, Return) {
    (field(connection, 0, SQL_DIAG_NUMBER), field(connection, 0, SQL_DIAG_RETURNCODE))
}

#[test]
fn target_records_come_before_ours() {
    let connection = Connection::new();
    let told = [("01000", 5701, "[fake] one"), ("01000", 5703, "[fake] two")];
    tell("SQLDriverConnectW", SQL_SUCCESS_WITH_INFO, &told);
    assert_eq!(connection.connect(STOPPED), SQL_SUCCESS_WITH_INFO);
    let records = records(&connection);
    assert_eq!(records.len(), 3);
    for ((state, native_error, message), expected) in records.iter().zip(told) {
        assert_eq!((state.as_str(), *native_error, message.as_str()), expected);
    }
    assert_eq!((records[2].0.as_str(), records[2].1), ("01S00", 0));
    assert!(records[2].2.starts_with("[loopback-odbc] The connection string was read only up to character"));
    assert_eq!(header(&connection), (3, SQL_SUCCESS_WITH_INFO));
}

#[test]
fn our_warning_turns_success_into_success_with_info_and_keeps_an_error() {
    for (told, returned) in [(SQL_SUCCESS, SQL_SUCCESS_WITH_INFO), (SQL_ERROR, SQL_ERROR)] {
        let connection = Connection::new();
        tell("SQLDriverConnectW", told, &[]);
        assert_eq!(connection.connect(STOPPED), returned);
        assert_eq!(outline(&connection), ["01S00 0 [loopback-odbc]"]);
        assert_eq!(header(&connection), (1, returned));
    }
}

#[test]
fn a_target_failure_is_passed_on_unchanged() {
    let connection = Connection::new();
    tell("SQLDriverConnectW", SQL_ERROR, &[("28000", 18456, "[fake] Login failed for user 'u'.")]);
    assert_eq!(connection.connect(LOGIN), SQL_ERROR);
    assert_eq!(outline(&connection), ["28000 18456 [fake]"]);
    assert_eq!(header(&connection), (1, SQL_ERROR));
}

#[test]
#[cfg_attr(windows, ignore = "a login by certificate is no loopback connection there")]
fn a_hint_follows_the_target_message_of_a_failed_loopback_connect() {
    let connection = Connection::new();
    let told =
        [("28000", 18456, "[fake] Login failed for user 'Microsoft Corporation'."), ("01000", 911, "[fake] other")];
    tell("SQLDriverConnectW", SQL_ERROR, &told);
    assert_eq!(connection.connect(BY_CERTIFICATE), SQL_ERROR);
    assert_eq!(outline(&connection), ["28000 18456 [fake]", "01000 911 [fake]"]);
    assert_eq!(header(&connection), (2, SQL_ERROR));
    let (_, _, words) = record(&connection, 1).unwrap();
    let hint = words.strip_prefix(told[0].2).unwrap();
    assert!(
        hint.starts_with(" [loopback-odbc] ") && hint.contains("session has ended") && hint.contains(file!()),
        "{hint}"
    );
    // Reading the fields gives the same text. All other fields of the record come from the target.
    let bytes = i16::try_from(size_of::<u16>() * words.encode_utf16().count()).unwrap();
    let by_field = string_field(&connection, 1, SQL_DIAG_MESSAGE_TEXT, 2000);
    assert_eq!(by_field, (SQL_SUCCESS, words, bytes));
    // The recording target supports no other field, but it is asked.
    forget_calls();
    assert_eq!(string_field(&connection, 1, SQL_DIAG_SQLSTATE, 20).0, SQL_ERROR);
    assert!(take_names().ends_with(&["SQLGetDiagFieldW".to_owned()]));
    assert_eq!(record(&connection, 2).unwrap().2, told[1].2);
    // What does not fit goes into a record of its own.
    let long = format!("[fake] {}", "Login timeout expired. ".repeat(12));
    let connection = Connection::new();
    tell("SQLDriverConnectW", SQL_ERROR, &[("HYT00", 0, &long)]);
    assert_eq!(connection.connect(BY_CERTIFICATE), SQL_ERROR);
    assert_eq!(outline(&connection), ["HYT00 0 [fake]", "HYT00 0 [loopback-odbc]"]);
    let [(_, _, words), (_, _, hint)] = &records(&connection)[..] else { panic!("two records") };
    assert!(words.starts_with(&long) && words.ends_with(" ...") && words.len() <= 480, "{words}");
    assert!(hint.starts_with("[loopback-odbc] No SQL Server answered at ") && hint.ends_with("of odbc.ini."), "{hint}");
    // A record without room stays unchanged.
    let full = format!("[fake] {}", "x".repeat(470));
    let connection = Connection::new();
    tell("SQLDriverConnectW", SQL_ERROR, &[("HYT00", 0, &full)]);
    assert_eq!(connection.connect(BY_CERTIFICATE), SQL_ERROR);
    assert_eq!(outline(&connection), ["HYT00 0 [fake]", "HYT00 0 [loopback-odbc]"]);
    assert_eq!(record(&connection, 1).unwrap().2, full);
    // A success needs no explanation, and a poll is not the end of a connect.
    for code in [SQL_SUCCESS_WITH_INFO, SQL_STILL_EXECUTING] {
        let connection = Connection::new();
        tell("SQLDriverConnectW", code, &told[..1]);
        assert_eq!(connection.connect(BY_CERTIFICATE), code);
        assert_eq!(outline(&connection), ["28000 18456 [fake]"]);
    }
}

#[test]
fn our_refusal_hides_target_records_of_the_previous_call() {
    let connection = Connection::new();
    tell("SQLDriverConnectW", SQL_ERROR, &[("28000", 18456, "[fake] no")]);
    assert_eq!(connection.connect(LOGIN), SQL_ERROR);
    forget_calls();
    assert_eq!(connection.connect(REFUSED), SQL_ERROR);
    assert_eq!(outline(&connection), ["HY024 0 [loopback-odbc]"]);
    assert_eq!(header(&connection), (1, SQL_ERROR));
    assert_eq!(take_names(), [""; 0], "the target was asked");
    // The next call's records come from the target only.
    tell("SQLDriverConnectW", SQL_ERROR, &[("08001", 1, "[fake] again")]);
    assert_eq!(connection.connect(LOGIN), SQL_ERROR);
    assert_eq!(outline(&connection), ["08001 1 [fake]"]);
}

#[test]
fn a_data_source_that_is_not_there_is_refused() {
    let connection = Connection::new();
    for name in ["nowhere", "n\u{fc}rgends", "\u{4f55}\u{51e6}"] {
        assert_eq!(connection.connect(&format!("DSN={name};Server=s;UID=u")), SQL_ERROR);
        assert_eq!(outline(&connection), ["IM002 0 [loopback-odbc]"], "{name}");
    }
}

#[test]
fn each_connection_has_its_own_records() {
    let (refused, other) = (Connection::new(), Connection::new());
    assert_eq!(refused.connect(REFUSED), SQL_ERROR);
    assert_eq!(outline(&other), [""; 0]);
    assert_eq!(other.connect(LOGIN), SQL_SUCCESS);
    assert_eq!(outline(&refused), ["HY024 0 [loopback-odbc]"]);
}

/// Calls the function with the connection as its first argument, or as its second after a handle type, and with numbers
/// that mean nothing to any function. The target is told to succeed.
macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($first:ident: $first_type:ty $(, $argument:ident: $type:ty)*) $($when:ident($answer:path))?;)*) => {
        fn functions_of_a_connection() -> Vec<(&'static str, fn(Handle))> {
            let mut functions: Vec<(&'static str, fn(Handle))> = Vec::new();
            $(
                let arguments = [stringify!($first), $(stringify!($argument)),*];
                if arguments[0] == "connection" || arguments.starts_with(&["handle_type", "handle"]) {
                    functions.push((stringify!($name), |connection| {
                        shim::$name(<$first_type>::first(connection), $(<$type>::later(stringify!($argument), connection)),*);
                    }));
                }
            )*
            functions.retain(|(name, _)| loopbackodbc::entry_point_names().contains(name));
            functions
        }
    };
}

/// Makes up an argument.
trait Made {
    fn first(connection: Handle) -> Self;
    fn later(name: &str, connection: Handle) -> Self;
}

macro_rules! numbers {
    ($($type:ty),*) => {
        $(impl Made for $type {
            /// A handle type, where it is not the handle itself.
            fn first(_: Handle) -> $type {
                SQL_HANDLE_DBC as $type
            }
            fn later(_: &str, _: Handle) -> $type {
                99
            }
        })*
    };
}
numbers!(i16, u16, i32, isize, usize);

impl<T> Made for *mut T {
    fn first(connection: Handle) -> *mut T {
        connection.cast()
    }
    fn later(name: &str, connection: Handle) -> *mut T {
        if name == "handle" { connection.cast() } else { null_mut() }
    }
}

include!("../src/target/table.rs");

#[test]
fn the_next_call_on_the_connection_clears_records() {
    let functions = functions_of_a_connection();
    let mut cleared = 0;
    for (name, call) in functions {
        let connection = Connection::new();
        assert_eq!(connection.connect(REFUSED), SQL_ERROR);
        let is_diagnostic = name.starts_with("SQLGetDiag");
        if !is_diagnostic {
            tell(name, SQL_SUCCESS, &[("01000", 1, "[fake] new")]);
        }
        call(connection.handle);
        let seen = outline(&connection);
        match name {
            _ if is_diagnostic => assert_eq!(seen, ["HY024 0 [loopback-odbc]"], "{name}"),
            // The library answers these itself: a null string with length 99 is not a server name.
            "SQLConnectW" | "SQLDriverConnectW" | "SQLBrowseConnectW" => {
                assert!(!seen.iter().any(|record| record.starts_with("HY024")), "{name}: {seen:?}");
            }
            _ => {
                assert_eq!(seen, ["01000 1 [fake]"], "{name}");
                cleared += 1;
            }
        }
    }
    // Microsoft's driver for Windows lacks SQLSetConnectAttr.
    assert_eq!(cleared, if cfg!(windows) { 11 } else { 12 });
    // Allocating a statement clears them too; its first argument is the type of the new handle.
    let connection = Connection::new();
    assert_eq!(connection.connect(REFUSED), SQL_ERROR);
    let (statement, mut handle) = (3, null_mut());
    assert_eq!(SQLAllocHandle(statement, connection.handle, &raw mut handle), SQL_SUCCESS);
    assert_eq!(outline(&connection), [""; 0]);
    SQLFreeHandle(statement, handle);
}

#[test]
fn freeing_a_handle_drops_its_records_even_if_the_address_is_reused() {
    let mut again = 0;
    for _ in 0..100 {
        let mut connection = Connection::new();
        let address = connection.handle;
        assert_eq!(connection.connect(REFUSED), SQL_ERROR);
        SQLFreeHandle(SQL_HANDLE_DBC, address);
        connection.allocate();
        again += i32::from(connection.handle == address);
        assert_eq!(outline(&connection), [""; 0]);
    }
    assert!(again > 0, "no address came again");
}

#[test]
fn a_handle_that_could_not_be_freed_keeps_its_attributes() {
    const SQL_COPT_SS_ACCESS_TOKEN: i32 = 1256;
    let connection = Connection::new();
    let token = std::ptr::without_provenance_mut(0x77);
    assert_eq!(SQLSetConnectAttrW(connection.handle, SQL_COPT_SS_ACCESS_TOKEN, token, 0), SQL_SUCCESS);
    tell("SQLFreeHandle", SQL_ERROR, &[("HY010", 0, "[fake] still connected")]);
    assert_eq!(SQLFreeHandle(SQL_HANDLE_DBC, connection.handle), SQL_ERROR);
    assert_eq!(outline(&connection), ["HY010 0 [fake]"]);
    // The token is a way to log in. Without it only the session's login is left, which on Windows is the account's.
    assert_eq!(connection.connect("DSN=none;Server=s"), SQL_SUCCESS);
    assert_eq!(connection_string().trim_end_matches(';'), "DSN=none;Server=s");
    let without = Connection::new().connect("DSN=none;Server=s");
    if cfg!(windows) {
        assert_eq!((without, &*connection_string()), (SQL_SUCCESS, "DSN=none;Server=s;Trusted_Connection=Yes;"));
    } else {
        assert_eq!(without, SQL_ERROR);
    }
}

#[test]
fn short_buffers_null_pointers_and_invalid_record_numbers() {
    let connection = Connection::new();
    assert_eq!(connection.connect(REFUSED), SQL_ERROR);
    let (_, _, whole) = record(&connection, 1).unwrap();
    let units = whole.encode_utf16().count() as i16;
    let get = |number, buffer: *mut u16, capacity| {
        let mut length = -7;
        let (handle, length_to) = (connection.handle, &raw mut length);
        let code = SQLGetDiagRecW(SQL_HANDLE_DBC, handle, number, null_mut(), null_mut(), buffer, capacity, length_to);
        (code, length)
    };
    for (capacity, code, expected) in [
        (units + 1, SQL_SUCCESS, whole.as_str()),
        (units, SQL_SUCCESS_WITH_INFO, &whole[..whole.len() - 1]),
        (10, SQL_SUCCESS_WITH_INFO, &whole[..9]),
        (1, SQL_SUCCESS_WITH_INFO, ""),
    ] {
        let mut buffer = [u16::from(b'#'); 1000];
        assert_eq!(get(1, buffer.as_mut_ptr(), capacity), (code, units));
        assert_eq!(text(&buffer), expected);
        assert!(buffer[capacity as usize..].iter().all(|&unit| unit == u16::from(b'#')), "written past {capacity}");
    }
    let mut buffer = [u16::from(b'#'); 2];
    assert_eq!(get(1, buffer.as_mut_ptr(), 0), (SQL_SUCCESS_WITH_INFO, units));
    for number in [0, -1, i16::MIN] {
        assert_eq!(get(number, buffer.as_mut_ptr(), 2), (SQL_ERROR, -7));
    }
    assert_eq!(get(1, buffer.as_mut_ptr(), -1), (SQL_ERROR, -7));
    for number in [2, i16::MAX] {
        assert_eq!(get(number, buffer.as_mut_ptr(), 2), (SQL_NO_DATA, -7));
    }
    assert_eq!(buffer, [u16::from(b'#'); 2]);
    // First only the length is asked for, then nothing at all.
    assert_eq!(get(1, null_mut(), 0), (SQL_SUCCESS, units));
    let (handle, null) = (connection.handle, null_mut());
    assert_eq!(SQLGetDiagRecW(SQL_HANDLE_DBC, handle, 1, null, null.cast(), null, 0, null.cast()), SQL_SUCCESS);
}

#[test]
fn fields_of_our_records() {
    let connection = Connection::new();
    assert_eq!(connection.connect(REFUSED), SQL_ERROR);
    let (_, _, whole) = record(&connection, 1).unwrap();
    for (identifier, expected) in [
        (SQL_DIAG_SQLSTATE, "HY024"),
        (SQL_DIAG_MESSAGE_TEXT, whole.as_str()),
        (SQL_DIAG_CLASS_ORIGIN, "ISO 9075"),
        (SQL_DIAG_SUBCLASS_ORIGIN, "ISO 9075"),
        (SQL_DIAG_CONNECTION_NAME, ""),
        (SQL_DIAG_SERVER_NAME, ""),
    ] {
        let bytes = 2 * expected.encode_utf16().count() as i16;
        assert_eq!(string_field(&connection, 1, identifier, 2000), (SQL_SUCCESS, expected.into(), bytes));
        if bytes > 2 {
            let cut = (SQL_SUCCESS_WITH_INFO, expected[..1].to_owned(), bytes);
            // An odd last byte cannot be used.
            assert_eq!(string_field(&connection, 1, identifier, 4), cut);
            assert_eq!(string_field(&connection, 1, identifier, 5), cut);
        }
        assert_eq!(string_field(&connection, 1, identifier, -4).0, SQL_ERROR);
        assert_eq!(string_field(&connection, 2, identifier, 2000).0, SQL_NO_DATA);
        for number in [0, -1, i16::MIN] {
            assert_eq!(string_field(&connection, number, identifier, 2000).0, SQL_ERROR);
        }
        // First without any room, then only the length, only the text, and nothing at all.
        let get = |value: *mut u16, capacity, length: *mut i16| {
            SQLGetDiagFieldW(SQL_HANDLE_DBC, connection.handle, 1, identifier, value.cast(), capacity, length)
        };
        let (mut value, mut length) = ([u16::from(b'#'); 1000], -7);
        assert_eq!((get(value.as_mut_ptr(), 0, &raw mut length), length), (SQL_SUCCESS_WITH_INFO, bytes));
        assert_eq!(value[0], u16::from(b'#'));
        for capacity in [0, 2000] {
            length = -7;
            assert_eq!((get(null_mut(), capacity, &raw mut length), length), (SQL_SUCCESS, bytes));
        }
        assert_eq!((get(value.as_mut_ptr(), 2000, null_mut()), text(&value)), (SQL_SUCCESS, expected.to_owned()));
        assert_eq!(get(null_mut(), 0, null_mut()), SQL_SUCCESS);
    }
    assert_eq!(field::<i32>(&connection, 1, SQL_DIAG_NATIVE), 0);
    assert_eq!(field::<i32>(&connection, 1, SQL_DIAG_COLUMN_NUMBER), -1);
    assert_eq!(field::<isize>(&connection, 1, SQL_DIAG_ROW_NUMBER), -1);
    // A header field is the same for any record number.
    assert_eq!(field::<i32>(&connection, 7, SQL_DIAG_NUMBER), 1);
    assert_eq!(string_field(&connection, 1, 77, 2000).0, SQL_ERROR);
}

#[test]
fn an_asynchronous_connect_uses_the_arguments_of_the_first_call() {
    let connection = Connection::new();
    let (mut given, mut completed, mut length) = (wide(&format!("{LOGIN};APP=async")), [0u16; 100], -7);
    let connect = |string: *mut u16, buffer: *mut u16, capacity, length: *mut i16, code| {
        tell("SQLDriverConnectW", code, &[]);
        let handle = connection.handle;
        assert_eq!(SQLDriverConnectW(handle, null_mut(), string, SQL_NTS, buffer, capacity, length, 0), code);
        take_connects()[0].arguments[2]
    };
    let first = connect(given.as_mut_ptr(), completed.as_mut_ptr(), 100, &raw mut length, SQL_STILL_EXECUTING);
    given.fill(0);
    assert_eq!(connect(null_mut(), null_mut(), 0, null_mut(), SQL_STILL_EXECUTING), first, "the string has moved");
    assert_eq!(text(&completed), "");
    assert_eq!(connect(null_mut(), null_mut(), 0, null_mut(), SQL_SUCCESS), first);
    let expected = format!("{LOGIN};APP=async;");
    assert_eq!((text(&completed), length), (expected.clone(), expected.len() as i16));
}
