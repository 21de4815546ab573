//! Windows as this library sees it: what [`super::Machine`] asks of this system alone.
//!
//! All strings are UTF-16 at the border. What Windows does not let us see, as it may be in an AppContainer, is told as a
//! reason, never as a failure.

pub mod installer;
mod process;
mod registry;

pub use process::{account, process_paths};
pub use registry::instances;

use super::{InterfaceAddress, Neighbour, Owner, SocketIdentity, TcpConnection};
use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Component, Path, PathBuf, Prefix};
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, GetFileInformationByHandle,
};
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN,
    GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, GetModuleFileNameW, GetModuleHandleExW,
};

/// The longest path that Windows knows, in code units (Maximum Path Length Limitation).
const LONGEST_PATH: usize = 32 * 1024;

/// Opens a driver. Libraries that it needs are searched beside it first.
///
/// # Errors
/// The loader's own words.
pub fn open_driver(library: &Path) -> Result<libloading::Library, String> {
    // With a plain name, which is for the loader to search, that search would not be defined.
    let flags = if library.is_absolute() { LOAD_WITH_ALTERED_SEARCH_PATH } else { 0 };
    // SAFETY: the administrator named this driver, and the driver manager would run its initialisers just so.
    unsafe { Library::load_with_flags(library, flags) }.map(Into::into).map_err(|error| words(&error))
}

/// What the system says; libloading's own text is the name of the function that failed.
fn words(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// A file that was opened for the log, or standard error.
pub struct LogFile {
    /// None for standard error, which a program may exchange any time, and which is looked up for each line.
    opened: Option<File>,
}

impl LogFile {
    /// Opens a file to add lines to.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        Ok(LogFile { opened: Some(File::options().append(true).create(true).open(path)?) })
    }

    pub fn standard_error() -> LogFile {
        LogFile { opened: None }
    }

    /// Adds a line. There is nobody to tell of a failure, and in a service there is no standard error.
    pub fn add(&self, line: &[u8]) {
        let _ = match &self.opened {
            Some(file) => (&mut &*file).write_all(line),
            None => io::stderr().write_all(line),
        };
    }
}

/// Runs a function; there is nothing here by which one thread could end another in an orderly way.
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    action()
}

/// Programs here have the rights of whoever started them, or get a new environment.
pub fn has_others_rights() -> bool {
    false
}

/// With links, substituted drives and 8.3 names resolved, since they hide the folders that tell the instance.
pub fn working_directory() -> io::Result<PathBuf> {
    let directory = std::env::current_dir()?;
    // An AppContainer may not look at the folders above; the path then stays as it is.
    Ok(std::fs::canonicalize(&directory).map_or(directory, |resolved| plain(&resolved)))
}

/// A path without the prefix `\\?\`, which programs that show or compare paths do not expect.
fn plain(path: &Path) -> PathBuf {
    let mut components = path.components();
    let Some(Component::Prefix(prefix)) = components.next() else { return path.to_owned() };
    let mut plain = match prefix.kind() {
        Prefix::VerbatimDisk(letter) => OsString::from(format!("{}:", char::from(letter))),
        Prefix::VerbatimUNC(server, share) => {
            [OsStr::new(r"\\"), server, OsStr::new(r"\"), share].into_iter().collect()
        }
        _ => return path.to_owned(),
    };
    plain.push(components.as_path());
    plain.into()
}

/// Volume serial number and file index.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let loaded;
    let path = match path.parent() {
        // A plain name is for the loader to search, and means what it has found.
        Some(folder) if folder.as_os_str().is_empty() => {
            loaded = module(0, wide(path).as_ptr()).and_then(module_path).ok_or(io::ErrorKind::NotFound)?;
            &loaded
        }
        _ => path,
    };
    // No access is needed to ask for this, and the flag allows to ask it of a folder, too.
    let file = File::options().access_mode(0).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)?;
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is the open file's, the structure of the type that is asked for.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut information) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = u64::from(information.nFileIndexHigh) << 32 | u64::from(information.nFileIndexLow);
    Ok((information.dwVolumeSerialNumber.into(), index))
}

/// The file of the library that this very function is in.
pub fn own_library() -> Option<PathBuf> {
    module(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, own_library as *const u16).and_then(module_path)
}

/// Keeps this library loaded for the life of the process: the driver manager unloads drivers, and the target's handles and
/// our state would not survive that.
pub fn stay_loaded() {
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: the address is one in this library. It cannot fail for one.
    unsafe { GetModuleHandleExW(flags, stay_loaded as *const u16, &raw mut module) };
}

/// A module that the process has loaded, by its name or by an address in it, as the flags say.
fn module(flags: u32, name: *const u16) -> Option<HMODULE> {
    let mut module = std::ptr::null_mut();
    // SAFETY: the callers give a name with its NUL or an address, which is not followed.
    let found =
        unsafe { GetModuleHandleExW(flags | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, name, &raw mut module) };
    (found != 0).then_some(module)
}

/// A module's file.
fn module_path(module: HMODULE) -> Option<PathBuf> {
    let mut buffer = vec![0; LONGEST_PATH];
    // SAFETY: the buffer has the length that is said, and a handle that is no module's gives nothing.
    let length = unsafe { GetModuleFileNameW(module, buffer.as_mut_ptr(), LONGEST_PATH as u32) };
    (length != 0).then(|| OsString::from_wide(&buffer[..length as usize]).into())
}

/// Code units with a NUL.
fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// By its arguments: where one ends is of no interest.
pub fn command_line() -> Result<String, String> {
    let arguments: Vec<String> = std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect();
    Ok(arguments.join(" "))
}

/// What the Linux rules look at is not there.
fn only_on_linux<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn readable_by_all(_path: &Path) -> io::Result<bool> {
    only_on_linux()
}

pub fn owner(_path: &Path) -> io::Result<Option<Owner>> {
    only_on_linux()
}

/// Nobody's number, as accounts have none here.
pub fn user() -> u32 {
    u32::MAX
}

/// As [`user`].
pub fn group() -> u32 {
    u32::MAX
}

pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    only_on_linux()
}

pub fn tcp_connections() -> io::Result<Vec<TcpConnection>> {
    only_on_linux()
}

pub fn tcp_connection(_identity: &SocketIdentity) -> Option<TcpConnection> {
    None
}

pub fn neighbours() -> io::Result<Vec<Neighbour>> {
    only_on_linux()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_the_prefix_that_programs_do_not_expect() {
        for (path, expected) in [
            (r"\\?\C:\SQL-SALES\SALES01", r"C:\SQL-SALES\SALES01"),
            (r"\\?\C:\", r"C:\"),
            (r"\\?\UNC\server\share\folder", r"\\server\share\folder"),
            (r"\\?\Volume{b75e2c83}\folder", r"\\?\Volume{b75e2c83}\folder"),
            (r"C:\folder", r"C:\folder"),
            (r"\\server\share\folder", r"\\server\share\folder"),
        ] {
            assert_eq!(plain(Path::new(path)).to_str(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_file_is_the_same_by_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a long name of a file.dll"), folder.path().join("other"));
        std::fs::write(&file, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let (drive, rest) = file.to_str().unwrap().split_at(2);
        let roundabout = format!(r"{}\.{}", drive.to_lowercase(), rest.to_uppercase());
        assert_eq!(identity(&file).unwrap(), identity(Path::new(&roundabout)).unwrap());
        assert_ne!(identity(&file).unwrap(), identity(&other).unwrap());
        assert!(identity(folder.path()).is_ok());
        assert!(identity(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn a_plain_name_is_the_library_that_is_loaded() {
        let system = std::env::var("SystemRoot").unwrap();
        let path = Path::new(&system).join(r"system32\kernel32.dll");
        assert_eq!(identity(Path::new("kernel32.dll")).unwrap(), identity(&path).unwrap());
        assert!(identity(Path::new("not_loaded.dll")).is_err());
    }

    #[test]
    fn the_process_is_this_one() {
        let program = std::env::current_exe().unwrap();
        let same = |path: &str| path.eq_ignore_ascii_case(program.to_str().unwrap());
        // The library's code is the test program's here.
        assert!(same(own_library().unwrap().to_str().unwrap()));
        let paths = process_paths().unwrap();
        assert!(same(&paths[0]), "{paths:?}");
        assert!(paths.iter().any(|path| path.to_ascii_lowercase().ends_with(r"\kernel32.dll")), "{paths:?}");
        let user = std::env::var("USERNAME").unwrap();
        assert!(account().unwrap().ends_with(&format!(r"\{user}")), "{:?}", account());
        assert!(command_line().unwrap().contains("loopbackodbc"), "{:?}", command_line());
    }
}
