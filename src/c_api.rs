//! What `include/loopback_odbc.h` promises.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the version has a NUL in it"),
};

/// The library's version: a static, NUL-terminated string such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn loopback_odbc_version() -> *const c_char {
    VERSION.as_ptr()
}
