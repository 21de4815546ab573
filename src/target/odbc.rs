//! The vocabulary of the C interface: odbc-sys, and what that lacks.
//!
//! In the table of entry points stand its transparent newtypes, and integers wherever it has an enum: an application may pass any
//! value, and in a Rust enum a value outside it would be undefined behaviour. So its enums are names for values here, as in
//! `handle_type == HandleType::Dbc as i16`.
//!
//! Names and values of the rest: ODBC 3.8, `sql.h`, `sqlext.h` and `sqlucode.h`.

pub use odbc_sys::{
    AttrOdbcVersion, DriverConnectOption, EnvironmentAttribute, HDbc, HDesc, HEnv, HStmt, Handle, HandleType,
    HeaderDiagnosticIdentifier, IS_INTEGER, InfoType, Len, Pointer, SqlReturn, ULen, WChar,
};

/// `SQL_SUCCEEDED`.
pub fn succeeded(code: SqlReturn) -> bool {
    matches!(code, SqlReturn::SUCCESS | SqlReturn::SUCCESS_WITH_INFO)
}

/// A string argument's length when it ends at a NUL, as the type that lengths have.
pub const NTS: i16 = odbc_sys::NTS as i16;

/// SQL_MAX_OPTION_STRING_LENGTH: the most that `SQLGetConnectOption` writes, in characters.
pub const MAX_OPTION_STRING_LENGTH: i32 = 256;

/// SQL_ATTR_DRIVER_UNICODE_TYPE, asked by iODBC: the width of the driver's `SQLWCHAR`.
pub const DRIVER_UNICODE_TYPE: i32 = 1065;
/// SQL_DM_CP_UTF16: the answer to [`DRIVER_UNICODE_TYPE`] of a driver that speaks UTF-16.
pub const UTF_16: i32 = 1;

/// SQL_NO_COLUMN_NUMBER.
pub const NO_COLUMN_NUMBER: i32 = -1;
/// SQL_NO_ROW_NUMBER.
pub const NO_ROW_NUMBER: Len = -1;

/// SQL_API_ALL_FUNCTIONS: the functions of ODBC 2.
pub const ALL_FUNCTIONS: u16 = 0;
/// SQL_API_ODBC3_ALL_FUNCTIONS.
pub const ODBC3_ALL_FUNCTIONS: u16 = 999;
