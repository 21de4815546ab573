//! What a call does: what the test set for it, or the minimum that a driver manager needs to connect, query and
//! disconnect.

use crate::control;
use crate::handles::{self, Handles, Object, Record};
use crate::{FUNCTION_IDS, Return};

const SQL_SUCCESS: Return = 0;
const SQL_SUCCESS_WITH_INFO: Return = 1;
const SQL_NO_DATA: Return = 100;
const SQL_ERROR: Return = -1;
const SQL_INVALID_HANDLE: Return = -2;

const SQL_HANDLE_ENV: u64 = 1;
const SQL_ATTR_ODBC_VERSION: u64 = 200;
const SQL_API_ODBC3_ALL_FUNCTIONS: u64 = 999;
const SQL_API_ALL_FUNCTIONS: u64 = 0;
const SQL_DIAG_RETURNCODE: u64 = 1;
const SQL_DIAG_NUMBER: u64 = 2;
const SQL_DRIVER_NAME: u64 = 6;
const SQL_DRIVER_VER: u64 = 7;
const SQL_DRIVER_ODBC_VER: u64 = 77;
/// The implicit descriptors: from SQL_ATTR_APP_ROW_DESC to SQL_ATTR_IMP_PARAM_DESC.
const DESCRIPTORS: std::ops::RangeInclusive<u64> = 10010..=10013;

/// Does one call.
///
/// # Safety
/// The arguments are as the specification requires for the function, unless the test set what to return.
pub unsafe fn call(function: &'static str, arguments: &[u64]) -> Return {
    control::record(function, arguments);
    // SAFETY: the caller's promise.
    unsafe {
        if function == "SQLDriverConnectW" {
            control::set_connection_string(units(arguments[2], arguments[3] as u16));
        }
        let handles = &mut *handles::lock();
        let handle = handle(function, arguments);
        if let Some(told) = control::told(function) {
            if let Some(object) = handles.get(handle) {
                object.records = told.records;
                object.code = told.code;
            }
            return told.code;
        }
        if function == "SQLAllocHandle" && arguments[0] == SQL_HANDLE_ENV {
            put(arguments[2], handles.allocate());
            return SQL_SUCCESS;
        }
        let Some(object) = handles.get(handle) else { return SQL_INVALID_HANDLE };
        if !function.starts_with("SQLGetDiag") {
            *object = Object { odbc_version: object.odbc_version, ..Object::default() };
        }
        behave(function, arguments, handles, handle)
    }
}

/// The handle that a call uses.
fn handle(function: &str, arguments: &[u64]) -> u64 {
    match function {
        "SQLAllocHandle" | "SQLFreeHandle" | "SQLEndTran" | "SQLCancelHandle" | "SQLGetDiagRecW"
        | "SQLGetDiagFieldW" => arguments[1],
        _ => arguments[0],
    }
}

/// # Safety
/// As for [`call`]; the handle is alive.
unsafe fn behave(function: &str, arguments: &[u64], handles: &mut Handles, handle: u64) -> Return {
    let object = handles.get(handle).expect("the caller has looked it up");
    // SAFETY: the caller's promise.
    unsafe {
        match (function, arguments) {
            ("SQLAllocHandle", &[_, _, output]) => put(output, handles.allocate()),
            ("SQLFreeHandle", _) => drop(handles.free(handle)),
            ("SQLSetEnvAttr", &[_, SQL_ATTR_ODBC_VERSION, version, _]) => object.odbc_version = version as i32,
            ("SQLGetEnvAttr", &[_, SQL_ATTR_ODBC_VERSION, value, ..]) => put(value, object.odbc_version),
            ("SQLGetStmtAttrW", &[_, attribute, value, ..]) if DESCRIPTORS.contains(&attribute) => {
                put(value, handle + attribute);
            }
            ("SQLGetInfoW", &[_, information, value, _, length]) => {
                let name = std::env::var("RECORDING_DRIVER_NAME");
                let text = match information {
                    // It claims to be a driver that knows the loopback form, unless the test names another.
                    SQL_DRIVER_NAME => name.as_deref().unwrap_or("libmsodbcsql-18.0.so.0.0"),
                    SQL_DRIVER_VER => "18.00.0000",
                    SQL_DRIVER_ODBC_VER => "03.80",
                    _ => "",
                };
                put_text(value, text);
                put(length, 2 * text.len() as i16);
            }
            ("SQLNumResultCols", &[_, count]) => put(count, 0i16),
            ("SQLRowCount", &[_, count]) => put(count, 0isize),
            ("SQLFetch" | "SQLFetchScroll" | "SQLMoreResults" | "SQLGetData", _) => return SQL_NO_DATA,
            ("SQLGetFunctions", &[_, function, supported]) => get_functions(function, supported),
            ("SQLGetDiagRecW", &[_, _, number, state, native_error, message, capacity, length]) => {
                let Some(record) = record(object, number) else { return SQL_NO_DATA };
                put_text(state, &record.state);
                put(native_error, record.native_error);
                put(length, record.text.len() as i16);
                let cut = &record.text[..record.text.len().min((capacity as usize).saturating_sub(1))];
                put_text(message, cut);
                return if cut == record.text { SQL_SUCCESS } else { SQL_SUCCESS_WITH_INFO };
            }
            ("SQLGetDiagFieldW", &[_, _, 0, SQL_DIAG_NUMBER, value, ..]) => put(value, object.records.len() as i32),
            ("SQLGetDiagFieldW", &[_, _, 0, SQL_DIAG_RETURNCODE, value, ..]) => put(value, object.code),
            ("SQLGetDiagFieldW", &[_, _, number, ..]) => {
                return if number == 0 || record(object, number).is_some() { SQL_ERROR } else { SQL_NO_DATA };
            }
            _ => {}
        }
    }
    SQL_SUCCESS
}

fn record(object: &Object, number: u64) -> Option<&Record> {
    object.records.get((number as usize).checked_sub(1)?)
}

/// # Safety
/// `supported` has the room that `function` requires.
unsafe fn get_functions(function: u64, supported: u64) {
    let word = |index: u64| supported + 2 * index;
    let has = |id: u16| FUNCTION_IDS.contains(&id);
    // SAFETY: the caller promises 250 words, 100, or one.
    unsafe {
        match function {
            SQL_API_ODBC3_ALL_FUNCTIONS => {
                for index in 0..250u16 {
                    let bits = (0..16).filter(|bit| has(index * 16 + bit)).fold(0u16, |bits, bit| bits | 1 << bit);
                    put(word(index.into()), bits);
                }
            }
            SQL_API_ALL_FUNCTIONS => (0..100).for_each(|id| put(word(id.into()), u16::from(has(id)))),
            id => put(supported, u16::from(has(id as u16))),
        }
    }
}

/// Writes a value to a pointer argument, unless that is null.
///
/// # Safety
/// The pointer leads to a `T`.
unsafe fn put<T>(pointer: u64, value: T) {
    let pointer = pointer as usize as *mut T;
    if !pointer.is_null() {
        // SAFETY: the caller's promise; ODBC promises no alignment.
        unsafe { pointer.write_unaligned(value) };
    }
}

/// # Safety
/// The pointer is null, or leads to room for the text and its NUL.
unsafe fn put_text(pointer: u64, text: &str) {
    if pointer != 0 {
        for (index, unit) in text.encode_utf16().chain([0]).enumerate() {
            // SAFETY: the caller's promise.
            unsafe { put(pointer + 2 * index as u64, unit) };
        }
    }
}

/// A string argument of `length` code units, or up to its NUL if `length` is SQL_NTS.
///
/// # Safety
/// The pointer is null, or leads to such a string.
unsafe fn units(pointer: u64, length: u16) -> Vec<u16> {
    const SQL_NTS: u16 = -3i16 as u16;
    let string = pointer as usize as *const u16;
    if string.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    let unit = |index| unsafe { string.add(index).read_unaligned() };
    match length {
        SQL_NTS => (0..).map(unit).take_while(|&unit| unit != 0).collect(),
        _ => (0..usize::from(length)).map(unit).collect(),
    }
}
