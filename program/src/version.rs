//! Checks whether a file is the library, and which version.

use libloading::Library;
use loopbackodbc::program::words;
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
