//! Checks whether a file is the library, and which version.

use libloading::Library;
use std::error::Error;
use std::ffi::{CStr, c_char};
use std::path::Path;

/// The version that a library file reports.
///
/// # Errors
/// The file is another library, or the loader's message.
pub fn of(path: &Path) -> Result<String, String> {
    // SAFETY: loading runs the file's initialisers. Every ODBC program here loads this file, or will load it.
    let library = unsafe { Library::new(path) };
    let library = library.map_err(|error| format!("{} cannot be loaded: {}", path.display(), words(&error)))?;
    // SAFETY: nothing else has this name; it is include/loopback_odbc.h's.
    match unsafe { library.get::<extern "C" fn() -> *const c_char>(b"loopback_odbc_version\0") } {
        // SAFETY: it gives a string that ends with a NUL and stays while the library does.
        Ok(version) => Ok(unsafe { CStr::from_ptr(version()) }.to_string_lossy().into_owned()),
        Err(error) => Err(format!("{} is not the library of loopback-odbc: {}", path.display(), words(&error))),
    }
}

/// The loader's message. On Windows libloading's own text is only the name of the function that failed.
pub fn words(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
