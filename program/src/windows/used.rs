//! Replaces and removes a library file that programs have loaded. Windows does not let it be overwritten or removed, but it can be
//! renamed. The renamed file is deleted by the next upgrade or uninstallation after the programs have ended, or when Windows restarts.

use crate::paths::folder_of;
use crate::plan::Warning;
use std::fs;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use windows_sys::Win32::Storage::FileSystem::{MOVEFILE_DELAY_UNTIL_REBOOT, MoveFileExW};

/// Gives a new file the name of an installed one. Programs that have the old one loaded keep it.
///
/// # Errors
/// The system's reason. The old file then keeps its name.
pub fn replace(new: NamedTempFile, path: &Path) -> io::Result<Warning> {
    if !path.exists() {
        return new.persist(path).map(|_| None).map_err(Into::into);
    }
    let old = out_of_the_way(path)?;
    if let Err(error) = new.persist(path) {
        fs::rename(&old, path)?;
        return Err(error.into());
    }
    Ok(discard(&old))
}

/// Removes an installed file. Programs that have it loaded keep it.
///
/// # Errors
/// The system's reason.
pub fn take_away(path: &Path) -> io::Result<Warning> {
    out_of_the_way(path).map(|old| discard(&old))
}

/// Renames a file and returns its new name. Deletes older renamed files that are not in use.
fn out_of_the_way(path: &Path) -> io::Result<PathBuf> {
    let begin = old_name(path, "");
    for entry in fs::read_dir(folder_of(path))?.flatten().map(|entry| entry.path()) {
        if entry.as_os_str().as_encoded_bytes().starts_with(begin.as_os_str().as_encoded_bytes()) {
            // A file that is in use stays.
            let _ = fs::remove_file(entry);
        }
    }
    let mut names = (1..).map(|number: u32| old_name(path, &number.to_string()));
    let old = names.find(|name| !name.exists()).unwrap_or_default();
    fs::rename(path, &old).map(|()| old)
}

fn old_name(path: &Path, number: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".old-{number}"));
    name.into()
}

/// Removes a file, or has Windows remove it at its restart.
fn discard(old: &Path) -> Warning {
    let in_use = fs::remove_file(old).err()?;
    let path: Vec<u16> = old.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the path ends with a NUL. Without a second path the file is deleted.
    let delayed = unsafe { MoveFileExW(path.as_ptr(), std::ptr::null(), MOVEFILE_DELAY_UNTIL_REBOOT) } != 0;
    let old = old.display();
    let next = match delayed {
        true => format!("Windows deletes {old} when it restarts"),
        false => format!("Fix: delete {old} when they have ended"),
    };
    Some(format!("programs still use the old library ({in_use}). {next}"))
}
