//! The driver manager's functions, made from the library's own table of entry points, so none can be forgotten; and the
//! constants for them.
//!
//! These functions leave no trace in the transcript; those of [`crate::odbc`] do.

#[path = "../../tests/common/abi.rs"]
mod abi;

pub use abi::*;
#[cfg(windows)]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// `SQLWCHAR`: a type of its own, to distinguish texts from numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct WChar(pub u16);

/// The library that exports the functions, on Windows.
#[cfg(windows)]
static MANAGER: OnceLock<libloading::Library> = OnceLock::new();

/// Loads the library that exports the functions. From here on a crash ends the process, without a debugger or a dialog.
#[cfg(windows)]
pub fn prepare(functions_of: &std::path::Path) {
    const SEM_NOGPFAULTERRORBOX: u32 = 2;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetErrorMode(mode: u32) -> u32;
    }
    // SAFETY: the call takes only a number, and the initialisers of the library are its own business.
    let library = unsafe {
        SetErrorMode(SEM_NOGPFAULTERRORBOX);
        libloading::Library::new(functions_of)
    };
    MANAGER.get_or_init(|| library.expect("the library with the functions loads"));
}

/// A function of the table, with the number of calls and of successes.
pub struct Function {
    pub name: &'static str,
    pub calls: AtomicUsize,
    pub successes: AtomicUsize,
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// The driver manager's own functions.
        #[cfg(unix)]
        mod own {
            use super::{WChar, abi::*};
            #[link(name = "odbc")]
            unsafe extern "system" {
                $(pub fn $name($($argument: $type),*) -> Return;)*
            }
        }

        /// The same on Windows: the driver manager's functions, or a driver's own. A function that a driver does not
        /// export fails.
        #[cfg(windows)]
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod own {
            use super::{MANAGER, OnceLock, SQL_ERROR, WChar, abi::*};
            $(
                /// # Safety
                /// The arguments are as the specification requires.
                pub unsafe fn $name($($argument: $type),*) -> Return {
                    static FUNCTION: OnceLock<Option<unsafe extern "system" fn($($type),*) -> Return>> = OnceLock::new();
                    let library = MANAGER.get().expect("main has loaded it");
                    // SAFETY: a function of this name has this type.
                    let find = || unsafe { library.get(stringify!($name).as_bytes()) }.ok().map(|it| *it);
                    // SAFETY: the caller's arguments, unchanged.
                    FUNCTION.get_or_init(find).map_or(SQL_ERROR, |function| unsafe { function($($argument),*) })
                }
            )*
        }

        /// The functions; calls are counted but leave no trace in the transcript.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub mod quiet {
            use super::{Relaxed, WChar, abi::*, function, own, succeeded};
            $(
                /// # Safety
                /// The arguments are as the specification requires.
                pub unsafe fn $name($($argument: $type),*) -> Return {
                    function::$name.calls.fetch_add(1, Relaxed);
                    // SAFETY: the caller's arguments, unchanged.
                    let code = unsafe { own::$name($($argument),*) };
                    function::$name.successes.fetch_add(succeeded(code).into(), Relaxed);
                    code
                }
            )*
        }

        mod function {
            use super::{AtomicUsize, Function};
            $(
                #[allow(non_upper_case_globals)]
                pub static $name: Function = Function {
                    name: stringify!($name),
                    calls: AtomicUsize::new(0),
                    successes: AtomicUsize::new(0),
                };
            )*
        }

        /// All functions of the table.
        pub static FUNCTIONS: [&Function; [$($id),*].len()] = [$(&function::$name),*];
    };
}

include!("../../src/target/table.rs");

#[cfg(windows)]
pub const SQL_ERROR: Return = -1;
pub const SQL_SUCCESS: Return = 0;
pub const SQL_SUCCESS_WITH_INFO: Return = 1;
pub const SQL_STILL_EXECUTING: Return = 2;
pub const SQL_NO_DATA: Return = 100;

/// `SQL_SUCCEEDED`.
pub fn succeeded(code: Return) -> bool {
    matches!(code, SQL_SUCCESS | SQL_SUCCESS_WITH_INFO)
}

pub const SQL_NTS: i16 = -3;
pub const SQL_NULL_DATA: isize = -1;
pub const SQL_DATA_AT_EXEC: isize = -2;
pub const SQL_LEN_DATA_AT_EXEC_OFFSET: isize = -100;

pub const SQL_HANDLE_ENV: i16 = 1;
pub const SQL_HANDLE_DBC: i16 = 2;
pub const SQL_HANDLE_STMT: i16 = 3;
pub const SQL_HANDLE_DESC: i16 = 4;

pub const SQL_ATTR_ODBC_VERSION: i32 = 200;

pub const SQL_CLOSE: u16 = 0;
pub const SQL_UNBIND: u16 = 2;
pub const SQL_RESET_PARAMS: u16 = 3;

pub const SQL_CHAR: i16 = 1;
pub const SQL_NUMERIC: i16 = 2;
pub const SQL_DECIMAL: i16 = 3;
pub const SQL_INTEGER: i16 = 4;
pub const SQL_SMALLINT: i16 = 5;
pub const SQL_FLOAT: i16 = 6;
pub const SQL_REAL: i16 = 7;
pub const SQL_DOUBLE: i16 = 8;
pub const SQL_VARCHAR: i16 = 12;
pub const SQL_TYPE_DATE: i16 = 91;
pub const SQL_TYPE_TIME: i16 = 92;
pub const SQL_TYPE_TIMESTAMP: i16 = 93;
pub const SQL_LONGVARCHAR: i16 = -1;
pub const SQL_BINARY: i16 = -2;
pub const SQL_VARBINARY: i16 = -3;
pub const SQL_LONGVARBINARY: i16 = -4;
pub const SQL_BIGINT: i16 = -5;
pub const SQL_TINYINT: i16 = -6;
pub const SQL_BIT: i16 = -7;
pub const SQL_WCHAR: i16 = -8;
pub const SQL_WVARCHAR: i16 = -9;
pub const SQL_WLONGVARCHAR: i16 = -10;
pub const SQL_GUID: i16 = -11;

pub const SQL_C_CHAR: i16 = SQL_CHAR;
pub const SQL_C_WCHAR: i16 = SQL_WCHAR;
pub const SQL_C_BINARY: i16 = SQL_BINARY;
pub const SQL_C_SLONG: i16 = -16;
pub const SQL_C_SBIGINT: i16 = -25;
pub const SQL_C_DEFAULT: i16 = 99;

pub const SQL_PARAM_INPUT: i16 = 1;
pub const SQL_PARAM_INPUT_OUTPUT: i16 = 2;
pub const SQL_PARAM_OUTPUT: i16 = 4;

pub const SQL_FETCH_NEXT: i16 = 1;
pub const SQL_FETCH_FIRST: i16 = 2;
pub const SQL_FETCH_LAST: i16 = 3;
pub const SQL_FETCH_PRIOR: i16 = 4;
pub const SQL_FETCH_ABSOLUTE: i16 = 5;
pub const SQL_FETCH_RELATIVE: i16 = 6;
pub const SQL_FETCH_BOOKMARK: i16 = 8;

pub const SQL_COMMIT: i16 = 0;
pub const SQL_ROLLBACK: i16 = 1;
pub const SQL_ATTR_AUTOCOMMIT: i32 = 102;
pub const SQL_ATTR_LOGIN_TIMEOUT: i32 = 103;
pub const SQL_ATTR_TXN_ISOLATION: i32 = 108;
pub const SQL_ATTR_CURRENT_CATALOG: i32 = 109;
pub const SQL_ATTR_CONNECTION_DEAD: i32 = 1209;

pub const SQL_ATTR_QUERY_TIMEOUT: i32 = 0;
pub const SQL_ATTR_ASYNC_ENABLE: i32 = 4;
pub const SQL_ATTR_ROW_BIND_TYPE: i32 = 5;
pub const SQL_ATTR_CURSOR_TYPE: i32 = 6;
pub const SQL_ATTR_CONCURRENCY: i32 = 7;
pub const SQL_ATTR_ROWSET_SIZE: i32 = 9;
pub const SQL_ATTR_USE_BOOKMARKS: i32 = 12;
pub const SQL_ATTR_PARAM_BIND_OFFSET_PTR: i32 = 17;
pub const SQL_ATTR_PARAM_BIND_TYPE: i32 = 18;
pub const SQL_ATTR_PARAM_OPERATION_PTR: i32 = 19;
pub const SQL_ATTR_PARAM_STATUS_PTR: i32 = 20;
pub const SQL_ATTR_PARAMS_PROCESSED_PTR: i32 = 21;
pub const SQL_ATTR_PARAMSET_SIZE: i32 = 22;
pub const SQL_ATTR_ROW_BIND_OFFSET_PTR: i32 = 23;
pub const SQL_ATTR_ROW_STATUS_PTR: i32 = 25;
pub const SQL_ATTR_ROWS_FETCHED_PTR: i32 = 26;
pub const SQL_ATTR_ROW_ARRAY_SIZE: i32 = 27;
pub const SQL_ATTR_CURSOR_SCROLLABLE: i32 = -1;
pub const SQL_ATTR_APP_ROW_DESC: i32 = 10010;
pub const SQL_ATTR_APP_PARAM_DESC: i32 = 10011;
pub const SQL_ATTR_IMP_ROW_DESC: i32 = 10012;
pub const SQL_ATTR_IMP_PARAM_DESC: i32 = 10013;

/// As the length of an attribute: the value is an integer, not a pointer.
pub const SQL_IS_UINTEGER: i32 = -5;
