//! Linux as this library sees it: what [`super::Machine`] asks of this system alone.

pub mod installer;
mod log_file;
mod netlink;

pub use installer::own_library;
pub use log_file::LogFile;
#[cfg(fuzzing)]
pub use netlink::{NetlinkAnswer, netlink_answer};
pub use netlink::{interface_addresses, neighbours, tcp_connection, tcp_connections};

use super::Owner;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::c_int;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Opens a driver.
///
/// # Errors
/// The loader's own words.
pub fn open_driver(library: &Path) -> Result<libloading::Library, String> {
    // RTLD_LOCAL: the target's names must not reach the driver manager's.
    // SAFETY: the administrator named this driver, and the driver manager would run its initialisers just so.
    let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) };
    library.map(Into::into).map_err(|error| error.to_string())
}

/// The linker has marked the library as one that is never unloaded (build.rs).
pub fn stay_loaded() {}

unsafe extern "C" {
    // POSIX's, which the libc crate lacks.
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Of glibc and musl alike.
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Runs a function in which this thread is not cancelled; a cancellation waits until after it. The system calls that wait
/// would end the thread by unwinding it, from functions that Rust's standard library calls as ones that never unwind.
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    struct Restored(c_int);
    impl Drop for Restored {
        fn drop(&mut self) {
            // SAFETY: the state is one that the same function has given.
            unsafe { pthread_setcancelstate(self.0, &raw mut self.0) };
        }
    }
    let mut before = 0;
    // SAFETY: the state is POSIX's, and the pointer leads to an integer.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
    let _restored = Restored(before);
    action()
}

/// Whether this program has other rights than whoever started it, as one that is setuid: what the loader and libc go by.
pub fn has_others_rights() -> bool {
    // SAFETY: it looks a number up, in what the kernel gave the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

pub fn working_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// Device and inode.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let loaded;
    let path = match path.parent() {
        // A plain name is for the loader to search, and means what it has found.
        Some(folder) if folder.as_os_str().is_empty() => {
            loaded = installer::loaded_library(path).ok_or(io::ErrorKind::NotFound)?;
            &loaded
        }
        _ => path,
    };
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// By the mode alone: whether the folders above can be entered is not asked.
pub fn readable_by_all(path: &Path) -> io::Result<bool> {
    std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

pub fn owner(path: &Path) -> io::Result<Option<Owner>> {
    let metadata = std::fs::symlink_metadata(path)?;
    let owner = Owner { user: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777 };
    Ok((!metadata.is_symlink()).then_some(owner))
}

pub fn user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

pub fn group() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::getegid() }
}

/// What the Windows rules look at is not there.
fn only_on_windows<T>() -> Result<T, String> {
    Err("this is not Windows".to_owned())
}

pub fn process_paths() -> Result<Vec<String>, String> {
    only_on_windows()
}

pub fn command_line() -> Result<String, String> {
    only_on_windows()
}

pub fn account() -> Result<String, String> {
    only_on_windows()
}

pub fn instances() -> Result<Vec<(String, String)>, String> {
    only_on_windows()
}
