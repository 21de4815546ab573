//! The paths of files that take others' places.

use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The folder that a file stands in.
pub fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("/")).to_owned()
}

/// The name of a file or folder that will take another's when it is whole, or has given its own up to be removed. It is the same
/// for all runs, of which only one has the lock, so that the next one knows what a killed one has left.
pub fn new_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new-by-loopback-odbc");
    name.into()
}

/// Makes an empty file that will take another's name. It is for its maker alone, and goes if nothing comes of it.
///
/// # Errors
/// The system's reason.
pub fn new_beside(path: &Path) -> io::Result<NamedTempFile> {
    let new = new_name(path);
    let name = new.file_name().unwrap_or_default();
    tempfile::Builder::new().prefix(name).rand_bytes(0).tempfile_in(folder_of(path))
}
