//! The absent target: it receives calls if the real driver cannot be loaded.
//!
//! Its environments and connections can be allocated, given attributes and freed. A connect fails with the reason why
//! there is no driver. Its handles are numbers; no memory belongs to them.

use crate::target::odbc::*;
use crate::target::output;
use crate::target::state::with_absent_handles;

/// `SQLAllocHandle` for connections. Loading allocates the environments.
///
/// # Safety
/// `output` is null or can be written to.
pub unsafe extern "system-unwind" fn alloc_handle(handle_type: i16, _input: Handle, output: *mut Handle) -> SqlReturn {
    if output.is_null() || handle_type != HandleType::Dbc as i16 {
        return SqlReturn::ERROR;
    }
    let handle = with_absent_handles(|handles| handles.allocate(handle_type));
    // SAFETY: the caller's promise.
    unsafe { output::put(output, handle) };
    SqlReturn::SUCCESS
}

/// `SQLFreeHandle`.
pub unsafe extern "system-unwind" fn free_handle(handle_type: i16, handle: Handle) -> SqlReturn {
    with_absent_handles(|handles| match handles.get(handle.0) {
        Some(known) if known.handle_type == handle_type => {
            handles.alive.remove(&handle.0.addr());
            SqlReturn::SUCCESS
        }
        _ => SqlReturn::INVALID_HANDLE,
    })
}

/// `SQLSetEnvAttr`.
pub unsafe extern "system-unwind" fn set_env_attr(
    environment: HEnv,
    attribute: i32,
    value: Pointer,
    _length: i32,
) -> SqlReturn {
    with_absent_handles(|handles| match handles.get(environment.0) {
        Some(known) => {
            if attribute == EnvironmentAttribute::OdbcVersion as i32 {
                // The value of an integer attribute is passed in the pointer itself.
                known.odbc_version = value.addr() as i32;
            }
            SqlReturn::SUCCESS
        }
        None => SqlReturn::INVALID_HANDLE,
    })
}

/// `SQLGetEnvAttr`, for SQL_ATTR_ODBC_VERSION only.
///
/// # Safety
/// `value` is null or can be written to as the attribute's type.
pub unsafe extern "system-unwind" fn get_env_attr(
    environment: HEnv,
    attribute: i32,
    value: Pointer,
    _buffer_length: i32,
    _length: *mut i32,
) -> SqlReturn {
    let version = with_absent_handles(|handles| handles.get(environment.0).map(|known| known.odbc_version));
    match version {
        None => SqlReturn::INVALID_HANDLE,
        Some(version) if attribute == EnvironmentAttribute::OdbcVersion as i32 => {
            // SAFETY: the caller's promise.
            unsafe { output::put(value.cast::<i32>(), version) };
            SqlReturn::SUCCESS
        }
        Some(_) => SqlReturn::ERROR,
    }
}

/// `SQLSetConnectAttr` and `SQLSetConnectAttrW`: the connect will fail, so attributes set before it are dropped.
pub unsafe extern "system-unwind" fn set_connect_attr(
    _connection: HDbc,
    _attribute: i32,
    _value: Pointer,
    _length: i32,
) -> SqlReturn {
    SqlReturn::SUCCESS
}

/// `SQLGetDiagRecW`: only the library's own records contain something.
pub unsafe extern "system-unwind" fn get_diag_rec(
    _handle_type: i16,
    _handle: Handle,
    _number: i16,
    _state: *mut u16,
    _native_error: *mut i32,
    _text: *mut u16,
    _capacity: i16,
    _length: *mut i16,
) -> SqlReturn {
    SqlReturn::NO_DATA
}

/// `SQLGetDiagFieldW`: see [`get_diag_rec`].
pub unsafe extern "system-unwind" fn get_diag_field(
    _handle_type: i16,
    _handle: Handle,
    _number: i16,
    _field: i16,
    _value: Pointer,
    _capacity: i16,
    _length: *mut i16,
) -> SqlReturn {
    SqlReturn::NO_DATA
}
