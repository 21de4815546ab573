//! Replacements for functions that a target lacks and that can be answered without them.

use crate::target::odbc::*;
use crate::target::output;
use crate::target::slots::{ROWS, call};

/// `SQLGetFunctions` for a target that has none: every function that the library exports. The surface then removes
/// those that the target lacks. Without an answer unixODBC would assume that there are no functions, and crash.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn functions(_connection: HDbc, function: u16, supported: *mut u16) -> SqlReturn {
    let has = |id: u16| ROWS.iter().any(|row| row.function_id == id);
    let bits = |word: u16| (0..16).filter(|bit| has(16 * word + bit)).fold(0, |bits, bit| bits | 1 << bit);
    let words: Vec<u16> = match function {
        ODBC3_ALL_FUNCTIONS => (0..ODBC3_WORDS).map(bits).collect(),
        ALL_FUNCTIONS => (0..ODBC2_FUNCTIONS as u16).map(|id| has(id).into()).collect(),
        single => vec![has(single).into()],
    };
    if supported.is_null() {
        return SqlReturn::ERROR;
    }
    for (index, word) in words.into_iter().enumerate() {
        // SAFETY: the caller's promise: room for this many words.
        unsafe { output::put(supported.add(index), word) };
    }
    SqlReturn::SUCCESS
}

/// `SQLGetConnectOptionW` for a target that has only its successor. The driver manager would convert the call itself if
/// this library did not export the older function.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn get_connect_option(connection: HDbc, option: u16, value: Pointer) -> SqlReturn {
    let capacity = MAX_OPTION_STRING_LENGTH * size_of::<WChar>() as i32;
    // SAFETY: the caller promises room for a text of that length, or an integer.
    unsafe { call::SQLGetConnectAttrW(connection, option.into(), value, capacity, std::ptr::null_mut()) }
}

/// `SQLSetConnectOptionW`, likewise.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn set_connect_option(connection: HDbc, option: u16, value: usize) -> SqlReturn {
    // SAFETY: the caller passes an integer, or the address of a text that ends with a NUL.
    unsafe { call::SQLSetConnectAttrW(connection, option.into(), value as Pointer, NTS.into()) }
}

/// The length of the array for SQL_API_ODBC3_ALL_FUNCTIONS.
const ODBC3_WORDS: u16 = 250;

/// The length of the array for SQL_API_ALL_FUNCTIONS.
pub const ODBC2_FUNCTIONS: usize = 100;
