//! The custom functions that neither connect nor return diagnostics.

use crate::loopback::preset;
use crate::surface::connections;
use crate::target::lacking::ODBC2_FUNCTIONS;
use crate::target::odbc::*;
use crate::target::slots::{ROWS, call};
use crate::target::{loading, output, state};
use crate::world::guard;

/// `SQLAllocHandle`: the first environment loads the target.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn alloc_handle(handle_type: i16, input: Handle, output: *mut Handle) -> SqlReturn {
    connections::clear_records(input.0);
    if handle_type == HandleType::Env as i16 && !state::is_loaded() {
        if output.is_null() {
            return SqlReturn::ERROR;
        }
        let Ok(absent) = guard::catch(loading::load_or_stand_in) else { return SqlReturn::ERROR };
        if let Some(environment) = absent {
            // SAFETY: the caller's promise.
            unsafe { output::put(output, environment) };
            return SqlReturn::SUCCESS;
        }
    }
    // SAFETY: the caller's arguments, unchanged.
    unsafe { call::SQLAllocHandle(handle_type, input, output) }
}

/// `SQLSetConnectAttrW`, whose attributes may replace a keyword of the connection string.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn set_connect_attr_w(connection: HDbc, attribute: i32, value: Pointer, length: i32) -> SqlReturn {
    connections::clear_records(connection.0);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { call::SQLSetConnectAttrW(connection, attribute, value, length) };
    remember(connection, attribute, value.addr(), code)
}

/// `SQLSetConnectAttr`, which driver managers call for attributes without text.
///
/// # Safety
/// The arguments are as the specification requires.
#[cfg_attr(windows, allow(dead_code))] // Not exported on Windows.
pub unsafe fn set_connect_attr(connection: HDbc, attribute: i32, value: Pointer, length: i32) -> SqlReturn {
    connections::clear_records(connection.0);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { call::SQLSetConnectAttr(connection, attribute, value, length) };
    remember(connection, attribute, value.addr(), code)
}

/// `SQLSetConnectOptionW`, its predecessor in ODBC 2.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn set_connect_option_w(connection: HDbc, option: u16, value: usize) -> SqlReturn {
    connections::clear_records(connection.0);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { call::SQLSetConnectOptionW(connection, option, value) };
    remember(connection, option.into(), value, code)
}

/// Remembers an attribute that the target has accepted, if there is a keyword for it.
fn remember(connection: HDbc, attribute: i32, value: usize, code: SqlReturn) -> SqlReturn {
    if succeeded(code)
        && let Some(said) = preset::keyword(attribute, value != 0)
    {
        connections::preset(connection, said);
    }
    code
}

/// `SQLFreeHandle`: forgets a connection before the target frees it, because the target reuses the address at once,
/// perhaps for another thread.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn free_handle(handle_type: i16, handle: Handle) -> SqlReturn {
    let state = (handle_type == HandleType::Dbc as i16).then(|| connections::take(handle.as_hdbc())).flatten();
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { call::SQLFreeHandle(handle_type, handle) };
    if let Some(state) = state
        && !succeeded(code)
    {
        connections::put_back(handle.as_hdbc(), state);
    }
    code
}

/// `SQLGetEnvAttr`: iODBC asks for the width of the driver's characters, a question that Microsoft's driver does not
/// know.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn get_env_attr(
    environment: HEnv,
    attribute: i32,
    value: Pointer,
    capacity: i32,
    length: *mut i32,
) -> SqlReturn {
    if attribute == DRIVER_UNICODE_TYPE {
        // SAFETY: the caller promises an SQLINTEGER.
        unsafe {
            output::put(value.cast(), UTF_16);
            output::put(length, size_of_val(&UTF_16) as i32);
        }
        return SqlReturn::SUCCESS;
    }
    // SAFETY: the caller's arguments, unchanged.
    unsafe { call::SQLGetEnvAttr(environment, attribute, value, capacity, length) }
}

/// `SQLGetFunctions`: a function that the target does not export is reported as missing, whatever the target says, so
/// the driver manager answers IM001.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn get_functions(connection: HDbc, function: u16, supported: *mut u16) -> SqlReturn {
    connections::clear_records(connection.0);
    // SAFETY: the caller's arguments, unchanged.
    let code = unsafe { call::SQLGetFunctions(connection, function, supported) };
    if supported.is_null() || !succeeded(code) {
        return code;
    }
    // SQLSetConnectAttr has two rows; one of them is enough.
    let absent = |id: u16| ROWS.iter().filter(|row| row.function_id == id).all(|row| !row.is_filled());
    let of_the_target = ROWS.iter().filter(|row| !NOT_THE_TARGET_S.contains(&row.name));
    for id in of_the_target.map(|row| row.function_id).filter(|&id| absent(id)) {
        let (word, bits) = match function {
            ODBC3_ALL_FUNCTIONS => (usize::from(id >> 4), !(1 << (id & 0xf))),
            ALL_FUNCTIONS if usize::from(id) < ODBC2_FUNCTIONS => (usize::from(id), 0),
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

/// The target need not have these: the library makes two of them from its `SQLDriverConnectW`, and answers the third
/// itself.
const NOT_THE_TARGET_S: [&str; 3] = ["SQLConnectW", "SQLBrowseConnectW", "SQLGetFunctions"];
