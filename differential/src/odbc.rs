//! The driver manager's functions, made of the library's own table of entry points, so that none can be forgotten.
//!
//! Each function here calls the driver manager's function of the same name and writes the call to the transcript: its
//! name, its arguments, the return code, and after anything but SQL_SUCCESS all diagnostic records of the handle. What a
//! pointer to a number or a text points at is shown as it is after the call. Handles and addresses are never shown.
//!
//! The functions are not marked `unsafe` though they are: this whole program is calls of a C interface with its own
//! buffers, and a mark on every line would say nothing. What must hold is the specification's, and that a text ends with
//! a NUL.

use crate::diagnostics;
use crate::transcript;
#[cfg(windows)]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[path = "../../tests/common/abi.rs"]
mod abi;
pub use abi::*;

/// `SQLWCHAR`: a type of its own, so that a text can be told from a number.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct WChar(pub u16);

/// An argument, as it looks in the transcript.
trait Argument {
    /// `None` for what is never shown.
    fn shown(&self) -> Option<String>;
    /// The value as a handle or a number, for finding the handle that has the diagnostic records.
    fn handle(&self) -> Handle {
        std::ptr::null_mut()
    }
    fn number(&self) -> i16 {
        0
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Argument for $type {
            fn shown(&self) -> Option<String> {
                Some(self.to_string())
            }
            fn number(&self) -> i16 {
                *self as i16
            }
        }
        impl Argument for *mut $type {
            fn shown(&self) -> Option<String> {
                // SAFETY: the programs give null or their own numbers.
                Some(if self.is_null() { "null".to_owned() } else { unsafe { self.read_unaligned() }.to_string() })
            }
        }
    )*};
}
numbers!(i16 u16 i32 isize usize);

impl Argument for Pointer {
    fn shown(&self) -> Option<String> {
        self.is_null().then(|| "null".to_owned())
    }
    fn handle(&self) -> Handle {
        *self
    }
}

impl Argument for *mut Pointer {
    fn shown(&self) -> Option<String> {
        self.is_null().then(|| "null".to_owned())
    }
}

impl Argument for *mut WChar {
    fn shown(&self) -> Option<String> {
        if self.is_null() {
            return Some("null".to_owned());
        }
        // SAFETY: the programs give texts that end with a NUL.
        let unit = |index| unsafe { self.add(index).read_unaligned() }.0;
        let text: Vec<u16> = (0..).map(unit).take_while(|&unit| unit != 0).collect();
        let text = String::from_utf16_lossy(&text);
        // A cursor's name, as psqlodbc makes one, is an address.
        Some(if text.starts_with("SQL_CUR0000") { "SQL_CUR".to_owned() } else { format!("{text:?}") })
    }
}

/// A function of the table, how often it was called, and how often it succeeded.
pub struct Function {
    pub name: &'static str,
    pub calls: AtomicUsize,
    pub successes: AtomicUsize,
}

fn call(function: &Function, arguments: &[(&str, &dyn Argument)], code: impl FnOnce() -> Return) -> Return {
    function.calls.fetch_add(1, Relaxed);
    let code = code();
    function.successes.fetch_add(succeeded(code).into(), Relaxed);
    // How many rows there are after a failed SQLExtendedFetch, psqlodbc reads from memory that it has not written.
    let steady = |name| succeeded(code) || (function.name, name) != ("SQLExtendedFetch", "rows");
    let shown = arguments
        .iter()
        .filter(|(name, _)| steady(name))
        .filter_map(|(name, argument)| Some(format!("{name}={}", argument.shown()?)));
    let shown: Vec<String> = shown.collect();
    transcript::write(&format!("{}({}) = {code}", function.name, shown.join(", ")));
    if code != 0 && !function.name.starts_with("SQLGetDiag") {
        let (kind, handle) = diagnosed(function.name, arguments);
        diagnostics::write(kind, handle);
    }
    code
}

/// The type and the handle that has the records of a call.
fn diagnosed(function: &str, arguments: &[(&str, &dyn Argument)]) -> (i16, Handle) {
    let argument = |name| arguments.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
    if let Some(kind) = argument("handle_type").map(|kind| kind.number()) {
        return match argument("input") {
            // A new handle's records are its parent's, which is a connection for a descriptor.
            Some(parent) => ((kind - 1).min(SQL_HANDLE_DBC), parent.handle()),
            None => (kind, argument("handle").map_or(std::ptr::null_mut(), |handle| handle.handle())),
        };
    }
    [
        ("statement", SQL_HANDLE_STMT),
        ("connection", SQL_HANDLE_DBC),
        ("environment", SQL_HANDLE_ENV),
        ("descriptor", SQL_HANDLE_DESC),
        ("destination", SQL_HANDLE_DESC),
    ]
    .into_iter()
    .find_map(|(name, kind)| Some((kind, argument(name)?.handle())))
    .unwrap_or_else(|| panic!("{function} has no handle"))
}

/// What exports the functions, on Windows.
#[cfg(windows)]
static MANAGER: OnceLock<libloading::Library> = OnceLock::new();

/// Loads what exports the functions. A crash from here on ends the process, and no debugger or dialog comes between.
#[cfg(windows)]
pub fn prepare(functions_of: &std::path::Path) {
    const SEM_NOGPFAULTERRORBOX: u32 = 2;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetErrorMode(mode: u32) -> u32;
    }
    // SAFETY: a number alone; and what a library does when it is loaded is its own affair.
    let library = unsafe {
        SetErrorMode(SEM_NOGPFAULTERRORBOX);
        libloading::Library::new(functions_of)
    };
    MANAGER.get_or_init(|| library.expect("the library with the functions loads"));
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// The driver manager's own functions, which leave no trace in the transcript.
        #[cfg(unix)]
        pub mod quiet {
            use super::{WChar, abi::*};
            #[link(name = "odbc")]
            unsafe extern "system" {
                $(pub fn $name($($argument: $type),*) -> Return;)*
            }
        }

        /// The same on Windows: the driver manager's, or a driver's own. What a driver does not export fails.
        #[cfg(windows)]
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub mod quiet {
            use super::{MANAGER, OnceLock, SQL_ERROR, WChar, abi::*};
            $(
                /// # Safety
                /// The specification's: the arguments are as it has them.
                pub unsafe fn $name($($argument: $type),*) -> Return {
                    static FUNCTION: OnceLock<Option<unsafe extern "system" fn($($type),*) -> Return>> = OnceLock::new();
                    let library = MANAGER.get().expect("main has loaded it");
                    // SAFETY: the name promises the type.
                    let find = || unsafe { library.get(stringify!($name).as_bytes()) }.ok().map(|it| *it);
                    // SAFETY: the caller's arguments, unchanged.
                    FUNCTION.get_or_init(find).map_or(SQL_ERROR, |function| unsafe { function($($argument),*) })
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

        $(
            #[allow(non_snake_case, clippy::too_many_arguments)]
            pub fn $name($($argument: $type),*) -> Return {
                // SAFETY: the programs' arguments are as the specification has them.
                call(&function::$name, &[$((stringify!($argument), &$argument)),*], || unsafe { quiet::$name($($argument),*) })
            }
        )*
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

/// A length that is an attribute's: the value is an integer and not a pointer.
pub const SQL_IS_UINTEGER: i32 = -5;
