//! The ODBC specification's types and constants, as far as this library needs them.
//!
//! The ABI's scalars are raw integers on purpose: an application may pass any value, and a Rust `enum` in an exported
//! signature would make a value outside it undefined behaviour. `odbc-sys` is not used because it brings exactly such
//! enums, lacks the diagnostic identifiers, and asks every builder of the library for a driver manager's development
//! package to link with (see `docs/decisions.md`).
//!
//! Names and values: ODBC 3.8, `sql.h`, `sqlext.h` and `sqlucode.h`.

use std::ffi::c_void;

/// `SQLHANDLE`: an environment, connection, statement or descriptor. Always the target's own; never dereferenced here.
pub type Handle = *mut c_void;
/// `SQLPOINTER`.
pub type Pointer = *mut c_void;
/// `SQLWCHAR`: a UTF-16 code unit.
pub type WChar = u16;
/// `SQLRETURN`.
pub type Return = i16;

pub const SQL_SUCCESS: Return = 0;
pub const SQL_SUCCESS_WITH_INFO: Return = 1;
pub const SQL_STILL_EXECUTING: Return = 2;
pub const SQL_NO_DATA: Return = 100;
pub const SQL_ERROR: Return = -1;
pub const SQL_INVALID_HANDLE: Return = -2;

/// `SQL_SUCCEEDED`.
pub fn succeeded(code: Return) -> bool {
    matches!(code, SQL_SUCCESS | SQL_SUCCESS_WITH_INFO)
}

/// A string argument's length when it ends at a NUL.
pub const SQL_NTS: i16 = -3;

pub const SQL_HANDLE_ENV: i16 = 1;
pub const SQL_HANDLE_DBC: i16 = 2;

/// The most that `SQLGetConnectOption` writes, in characters.
pub const SQL_MAX_OPTION_STRING_LENGTH: i32 = 256;

pub const SQL_DRIVER_NOPROMPT: u16 = 0;

pub const SQL_ATTR_ODBC_VERSION: i32 = 200;
pub const SQL_OV_ODBC3: usize = 3;
/// Asked by iODBC: the width of the driver's `SQLWCHAR`.
pub const SQL_ATTR_DRIVER_UNICODE_TYPE: i32 = 1065;
/// The answer to [`SQL_ATTR_DRIVER_UNICODE_TYPE`] of a driver that speaks UTF-16.
pub const SQL_DM_CP_UTF16: i32 = 1;

pub const SQL_DRIVER_NAME: u16 = 6;
pub const SQL_DRIVER_VER: u16 = 7;

pub const SQL_DIAG_RETURNCODE: i16 = 1;
pub const SQL_DIAG_NUMBER: i16 = 2;
pub const SQL_DIAG_SQLSTATE: i16 = 4;
pub const SQL_DIAG_NATIVE: i16 = 5;
pub const SQL_DIAG_MESSAGE_TEXT: i16 = 6;
pub const SQL_DIAG_CLASS_ORIGIN: i16 = 8;
pub const SQL_DIAG_SUBCLASS_ORIGIN: i16 = 9;
pub const SQL_DIAG_CONNECTION_NAME: i16 = 10;
pub const SQL_DIAG_SERVER_NAME: i16 = 11;
pub const SQL_DIAG_COLUMN_NUMBER: i16 = -1247;
pub const SQL_DIAG_ROW_NUMBER: i16 = -1248;
pub const SQL_NO_COLUMN_NUMBER: i32 = -1;
pub const SQL_NO_ROW_NUMBER: isize = -1;

pub const SQL_API_ALL_FUNCTIONS: u16 = 0;
pub const SQL_API_ODBC3_ALL_FUNCTIONS: u16 = 999;

/// The length of an attribute that is an integer: SQL_IS_INTEGER.
pub const SQL_IS_INTEGER: i32 = -6;
