//! The functions that answer for themselves in part: everything custom that is neither a connect nor a diagnostic.

use crate::connections;
use crate::entry_points::{ROWS, target};
use crate::loopback::preset;
use crate::odbc::*;
use crate::output;

/// `SQLSetConnectAttrW`, which also says what a keyword of the connection string may say.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn set_connect_attr_w(connection: Handle, attribute: i32, value: Pointer, length: i32) -> Return {
    connections::clear_records(connection);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { target::SQLSetConnectAttrW(connection, attribute, value, length) };
    remember(connection, attribute, value.addr(), code)
}

/// `SQLSetConnectAttr`, which driver managers call for attributes without text.
///
/// # Safety
/// The arguments are as the specification has them.
#[cfg_attr(windows, allow(dead_code))] // Not exported there.
pub unsafe fn set_connect_attr(connection: Handle, attribute: i32, value: Pointer, length: i32) -> Return {
    connections::clear_records(connection);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { target::SQLSetConnectAttr(connection, attribute, value, length) };
    remember(connection, attribute, value.addr(), code)
}

/// `SQLSetConnectOptionW`, the same of ODBC 2.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn set_connect_option_w(connection: Handle, option: u16, value: usize) -> Return {
    connections::clear_records(connection);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { target::SQLSetConnectOptionW(connection, option, value) };
    remember(connection, option.into(), value, code)
}

/// Remembers an attribute that the target has taken, if it has a keyword.
fn remember(connection: Handle, attribute: i32, value: usize, code: Return) -> Return {
    if succeeded(code)
        && let Some(said) = preset::keyword(attribute, value != 0)
    {
        connections::preset(connection, said);
    }
    code
}

/// `SQLFreeHandle`: what is known of a connection goes before the connection does, since the target gives the address
/// out again at once, perhaps to another thread.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn free_handle(handle_type: i16, handle: Handle) -> Return {
    let state = (handle_type == SQL_HANDLE_DBC).then(|| connections::take(handle)).flatten();
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { target::SQLFreeHandle(handle_type, handle) };
    if let Some(state) = state
        && !succeeded(code)
    {
        connections::put_back(handle, state);
    }
    code
}

/// `SQLGetEnvAttr`: iODBC asks for the width of our characters, which Microsoft's driver does not know to answer.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn get_env_attr(
    environment: Handle,
    attribute: i32,
    value: Pointer,
    capacity: i32,
    length: *mut i32,
) -> Return {
    if attribute == SQL_ATTR_DRIVER_UNICODE_TYPE {
        // SAFETY: the caller's promise: an SQLINTEGER.
        unsafe {
            output::put(value.cast(), SQL_DM_CP_UTF16);
            output::put(length, size_of_val(&SQL_DM_CP_UTF16) as i32);
        }
        return SQL_SUCCESS;
    }
    // SAFETY: the caller's arguments, unchanged.
    unsafe { target::SQLGetEnvAttr(environment, attribute, value, capacity, length) }
}

/// `SQLGetFunctions`: what the target does not export is not there, whatever it says, so that the driver manager
/// answers IM001.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn get_functions(connection: Handle, function: u16, supported: *mut u16) -> Return {
    connections::clear_records(connection);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { target::SQLGetFunctions(connection, function, supported) };
    if supported.is_null() || !succeeded(code) {
        return code;
    }
    // SQLSetConnectAttr has two rows; one of them is enough.
    let absent = |id: u16| ROWS.iter().filter(|row| row.function_id == id).all(|row| !row.is_filled());
    let of_the_target = ROWS.iter().filter(|row| !NOT_THE_TARGET_S.contains(&row.name));
    for id in of_the_target.map(|row| row.function_id).filter(|&id| absent(id)) {
        let (word, bits) = match function {
            SQL_API_ODBC3_ALL_FUNCTIONS => (usize::from(id >> 4), !(1 << (id & 0xf))),
            SQL_API_ALL_FUNCTIONS if usize::from(id) < ODBC2_FUNCTIONS => (usize::from(id), 0),
            single if single == id => (0, 0),
            _ => continue,
        };
        // SAFETY: the array has 250 or ODBC2_FUNCTIONS words, or is a single one.
        unsafe {
            let word = supported.add(word);
            output::put(word, word.read_unaligned() & bits);
        }
    }
    code
}

/// `SQLGetFunctions` for a target that has none: all that we export, of which [`get_functions`] takes away what it lacks.
/// Without an answer unixODBC would take it to have nothing, and crash.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn functions_of_the_target(_connection: Handle, function: u16, supported: *mut u16) -> Return {
    let has = |id: u16| ROWS.iter().any(|row| row.function_id == id);
    let bits = |word: u16| (0..16).filter(|bit| has(16 * word + bit)).fold(0, |bits, bit| bits | 1 << bit);
    let words: Vec<u16> = match function {
        SQL_API_ODBC3_ALL_FUNCTIONS => (0..ODBC3_WORDS).map(bits).collect(),
        SQL_API_ALL_FUNCTIONS => (0..ODBC2_FUNCTIONS as u16).map(|id| has(id).into()).collect(),
        single => vec![has(single).into()],
    };
    if supported.is_null() {
        return SQL_ERROR;
    }
    for (index, word) in words.into_iter().enumerate() {
        // SAFETY: the caller's promise: room for this many words.
        unsafe { output::put(supported.add(index), word) };
    }
    SQL_SUCCESS
}

/// `SQLGetConnectOptionW` for a target that has its successor alone. The driver manager would turn the one into the other
/// itself, were the older one not exported here.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn get_connect_option(connection: Handle, option: u16, value: Pointer) -> Return {
    let capacity = SQL_MAX_OPTION_STRING_LENGTH * size_of::<WChar>() as i32;
    // SAFETY: the caller's promise: room for a text of that length, or an integer.
    unsafe { target::SQLGetConnectAttrW(connection, option.into(), value, capacity, std::ptr::null_mut()) }
}

/// `SQLSetConnectOptionW`, likewise.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn set_connect_option(connection: Handle, option: u16, value: usize) -> Return {
    // SAFETY: the caller's promise: an integer, or the address of a text that ends with a NUL.
    unsafe { target::SQLSetConnectAttrW(connection, option.into(), value as Pointer, SQL_NTS.into()) }
}

/// Ours need not be the target's: two are made of its `SQLDriverConnectW`.
const NOT_THE_TARGET_S: [&str; 3] = ["SQLConnectW", "SQLBrowseConnectW", "SQLGetFunctions"];

/// The length of the array for SQL_API_ODBC3_ALL_FUNCTIONS.
const ODBC3_WORDS: u16 = 250;

/// The length of the array for SQL_API_ALL_FUNCTIONS.
const ODBC2_FUNCTIONS: usize = 100;
