//! The types and constants of the C interface: those of odbc-sys, and those that it lacks.
//!
//! The table of entry points uses its transparent newtypes, but integers instead of its enums: an application may pass
//! any value, and in a Rust enum a value outside the enum would be undefined behaviour. So the enums only give names to
//! values here, as in `handle_type == HandleType::Dbc as i16`.
//!
//! Names and values of the rest are from ODBC 3.8: `sql.h`, `sqlext.h` and `sqlucode.h`.

pub use odbc_sys::{
    AttrOdbcVersion, DriverConnectOption, EnvironmentAttribute, HDbc, HDesc, HEnv, HStmt, Handle, HandleType,
    HeaderDiagnosticIdentifier, IS_INTEGER, InfoType, Len, Pointer, SqlReturn, ULen, WChar,
};

/// `SQL_SUCCEEDED`.
pub fn succeeded(code: SqlReturn) -> bool {
    matches!(code, SqlReturn::SUCCESS | SqlReturn::SUCCESS_WITH_INFO)
}

/// The length of a string argument that ends at a NUL, in the type of lengths.
pub const NTS: i16 = odbc_sys::NTS as i16;

/// SQL_MAX_OPTION_STRING_LENGTH: the longest text that `SQLGetConnectOption` writes, in characters.
pub const MAX_OPTION_STRING_LENGTH: i32 = 256;

/// SQL_ATTR_DRIVER_UNICODE_TYPE: iODBC asks for it to learn the width of the driver's `SQLWCHAR`.
pub const DRIVER_UNICODE_TYPE: i32 = 1065;
/// SQL_DM_CP_UTF16: the answer to [`DRIVER_UNICODE_TYPE`] of a driver that uses UTF-16.
pub const UTF_16: i32 = 1;

/// SQL_NO_COLUMN_NUMBER.
pub const NO_COLUMN_NUMBER: i32 = -1;
/// SQL_NO_ROW_NUMBER.
pub const NO_ROW_NUMBER: Len = -1;

/// SQL_API_ALL_FUNCTIONS: the functions of ODBC 2.
pub const ALL_FUNCTIONS: u16 = 0;
/// SQL_API_ODBC3_ALL_FUNCTIONS.
pub const ODBC3_ALL_FUNCTIONS: u16 = 999;
