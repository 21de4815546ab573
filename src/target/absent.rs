//! The absent target: what calls go to when the real driver cannot be loaded.
//!
//! Its environments and connections can be allocated, given attributes and freed; a connect fails with the reason why
//! there is no driver. Its handles are numbers, not memory: nothing is ever behind them.

use crate::target::odbc::{
    Handle, Pointer, Return, SQL_ATTR_ODBC_VERSION, SQL_ERROR, SQL_HANDLE_DBC, SQL_INVALID_HANDLE, SQL_NO_DATA,
    SQL_SUCCESS,
};
use crate::target::output;
use crate::target::state::with_absent_handles;

/// `SQLAllocHandle` for connections; environments are allocated by who loads.
///
/// # Safety
/// `output` is null or can be written to.
pub unsafe extern "system-unwind" fn alloc_handle(handle_type: i16, _input: Handle, output: *mut Handle) -> Return {
    if output.is_null() || handle_type != SQL_HANDLE_DBC {
        return SQL_ERROR;
    }
    let handle = with_absent_handles(|handles| handles.allocate(handle_type));
    // SAFETY: the caller's promise.
    unsafe { output::put(output, handle) };
    SQL_SUCCESS
}

/// `SQLFreeHandle`.
pub unsafe extern "system-unwind" fn free_handle(handle_type: i16, handle: Handle) -> Return {
    with_absent_handles(|handles| match handles.get(handle) {
        Some(known) if known.handle_type == handle_type => {
            handles.alive.remove(&handle.addr());
            SQL_SUCCESS
        }
        _ => SQL_INVALID_HANDLE,
    })
}

/// `SQLSetEnvAttr`.
pub unsafe extern "system-unwind" fn set_env_attr(
    environment: Handle,
    attribute: i32,
    value: Pointer,
    _length: i32,
) -> Return {
    with_absent_handles(|handles| match handles.get(environment) {
        Some(known) => {
            if attribute == SQL_ATTR_ODBC_VERSION {
                // An integer attribute travels in the pointer itself.
                known.odbc_version = value.addr() as i32;
            }
            SQL_SUCCESS
        }
        None => SQL_INVALID_HANDLE,
    })
}

/// `SQLGetEnvAttr`, which knows SQL_ATTR_ODBC_VERSION alone.
///
/// # Safety
/// `value` is null or can be written to as the attribute's type.
pub unsafe extern "system-unwind" fn get_env_attr(
    environment: Handle,
    attribute: i32,
    value: Pointer,
    _buffer_length: i32,
    _length: *mut i32,
) -> Return {
    let version = with_absent_handles(|handles| handles.get(environment).map(|known| known.odbc_version));
    match version {
        None => SQL_INVALID_HANDLE,
        Some(version) if attribute == SQL_ATTR_ODBC_VERSION => {
            // SAFETY: the caller's promise.
            unsafe { output::put(value.cast::<i32>(), version) };
            SQL_SUCCESS
        }
        Some(_) => SQL_ERROR,
    }
}

/// `SQLSetConnectAttr` and `SQLSetConnectAttrW`: what was set before a connect that fails is of no use to anybody.
pub unsafe extern "system-unwind" fn set_connect_attr(
    _connection: Handle,
    _attribute: i32,
    _value: Pointer,
    _length: i32,
) -> Return {
    SQL_SUCCESS
}

/// `SQLGetDiagRecW`: all there is to tell is in our own records.
pub unsafe extern "system-unwind" fn get_diag_rec(
    _handle_type: i16,
    _handle: Handle,
    _number: i16,
    _state: *mut u16,
    _native_error: *mut i32,
    _text: *mut u16,
    _capacity: i16,
    _length: *mut i16,
) -> Return {
    SQL_NO_DATA
}

/// `SQLGetDiagFieldW`: as [`get_diag_rec`].
pub unsafe extern "system-unwind" fn get_diag_field(
    _handle_type: i16,
    _handle: Handle,
    _number: i16,
    _field: i16,
    _value: Pointer,
    _capacity: i16,
    _length: *mut i16,
) -> Return {
    SQL_NO_DATA
}
