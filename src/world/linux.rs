//! What [`super::Machine`] asks of Linux.

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
/// The loader's own message.
pub fn open_driver(library: &Path) -> Result<libloading::Library, String> {
    // RTLD_LOCAL: the target's symbols must not interfere with the driver manager's.
    // SAFETY: the administrator named this driver, and the driver manager would run its initialisers in the same way.
    let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) };
    library.map(Into::into).map_err(|error| error.to_string())
}

/// The link options mark the library as never unloaded (build.rs).
pub fn stay_loaded() {}

unsafe extern "C" {
    // From POSIX; the libc crate lacks it.
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// The same in glibc and musl.
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Runs a function during which this thread is not cancelled; a cancellation waits until afterwards. The system calls
/// that wait are cancellation points: they would end the thread by unwinding it, out of functions that Rust's standard
/// library declares as never unwinding.
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    struct Restored(c_int);
    impl Drop for Restored {
        fn drop(&mut self) {
            // SAFETY: the state comes from the same function.
            unsafe { pthread_setcancelstate(self.0, &raw mut self.0) };
        }
    }
    let mut before = 0;
    // SAFETY: the state is one of POSIX's, and the pointer leads to an integer.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
    let _restored = Restored(before);
    action()
}

/// Whether this program has more rights than the user who started it, as a setuid program does. The loader and libc use
/// the same test.
pub fn has_others_rights() -> bool {
    // SAFETY: it only looks up a number that the kernel gave the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

pub fn working_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// Device and inode.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let loaded;
    let path = match path.parent() {
        // The loader searches for a plain name, so the name means the file that it found.
        Some(folder) if folder.as_os_str().is_empty() => {
            loaded = installer::loaded_library(path).ok_or(io::ErrorKind::NotFound)?;
            &loaded
        }
        _ => path,
    };
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// From the mode only: whether the folders above can be entered is not checked.
pub fn readable_by_all(path: &Path) -> io::Result<bool> {
    std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

pub fn owner(path: &Path) -> io::Result<Option<Owner>> {
    let metadata = std::fs::symlink_metadata(path)?;
    let owner = Owner { user: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777 };
    Ok((!metadata.is_symlink()).then_some(owner))
}

pub fn user() -> u32 {
    // SAFETY: it takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

pub fn group() -> u32 {
    // SAFETY: it takes no arguments and cannot fail.
    unsafe { libc::getegid() }
}

/// The Windows rules have nothing to check here.
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
