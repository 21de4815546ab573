//! Names of new files that replace others.

use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The folder of a file.
pub fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("/")).to_owned()
}

/// The temporary name of a file or folder before it replaces another, or before it is removed. All runs use the same name, and only
/// one run has the lock, so the next run finds the leftovers of a killed one.
pub fn new_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new-by-loopback-odbc");
    name.into()
}

/// Creates an empty file that will replace another. Only its owner can read it. It is deleted if it is not used.
///
/// # Errors
/// The system's reason.
pub fn new_beside(path: &Path) -> io::Result<NamedTempFile> {
    let new = new_name(path);
    let name = new.file_name().unwrap_or_default();
    tempfile::Builder::new().prefix(name).rand_bytes(0).tempfile_in(folder_of(path))
}
