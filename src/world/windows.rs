//! What [`super::Machine`] asks of Windows.
//!
//! All strings are UTF-16 at the API. What Windows does not allow this process to see, for example in an AppContainer,
//! is returned as a reason, never as a failure.

pub mod installer;
mod process;
mod registry;

pub use process::{account, process_paths};
pub use registry::instances;

use super::{InterfaceAddress, Neighbour, Owner, SocketIdentity, TcpConnection, words};
use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library};
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

/// The longest path that Windows supports, in code units (Maximum Path Length Limitation).
const LONGEST_PATH: usize = 32 * 1024;

/// Opens a driver. The loader searches the libraries that it needs in its folder first.
///
/// # Errors
/// The loader's own message.
pub fn open_driver(library: &Path) -> Result<libloading::Library, String> {
    // For a plain name, for which the loader searches, this flag has no defined behaviour.
    let flags = if library.is_absolute() { LOAD_WITH_ALTERED_SEARCH_PATH } else { 0 };
    // SAFETY: the administrator named this driver, and the driver manager would run its initialisers in the same way.
    unsafe { Library::load_with_flags(library, flags) }.map(Into::into).map_err(|error| words(&error))
}

/// A file opened for the log, or standard error.
pub struct LogFile {
    /// None for standard error. A program may replace it at any time, so it is looked up for each line.
    opened: Option<File>,
}

impl LogFile {
    /// Opens a file to append lines to.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        Ok(LogFile { opened: Some(File::options().append(true).create(true).open(path)?) })
    }

    pub fn standard_error() -> LogFile {
        LogFile { opened: None }
    }

    /// Appends a line. A failure cannot be reported anywhere, and a service has no standard error.
    pub fn add(&self, line: &[u8]) {
        let _ = match &self.opened {
            Some(file) => (&mut &*file).write_all(line),
            None => io::stderr().write_all(line),
        };
    }
}

/// Runs a function. On Windows a thread cannot cancel another one in an orderly way.
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    action()
}

/// On Windows a program has the rights of the user who started it, or gets a new environment.
pub fn has_others_rights() -> bool {
    false
}

/// Resolves links, substituted drives and 8.3 names, because they hide the folders that show the instance.
pub fn working_directory() -> io::Result<PathBuf> {
    let directory = std::env::current_dir()?;
    // An AppContainer cannot look at the folders above; the path then stays unchanged.
    Ok(std::fs::canonicalize(&directory).map_or(directory, |resolved| plain(&resolved)))
}

/// A path without the prefix `\\?\`, which programs that display or compare paths do not expect.
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
        // The loader searches for a plain name, so the name means the file that it found.
        Some(folder) if folder.as_os_str().is_empty() => {
            loaded = module(0, wide(path).as_ptr()).and_then(module_path).ok_or(io::ErrorKind::NotFound)?;
            &loaded
        }
        _ => path,
    };
    // This needs no access rights, and with the flag it also works for a folder.
    let file = File::options().access_mode(0).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)?;
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is the open file's, and the structure has the required type.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut information) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = u64::from(information.nFileIndexHigh) << 32 | u64::from(information.nFileIndexLow);
    Ok((information.dwVolumeSerialNumber.into(), index))
}

/// The file of the library that contains this function.
pub fn own_library() -> Option<PathBuf> {
    module(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, own_library as *const u16).and_then(module_path)
}

/// Keeps this library loaded for the life of the process. The driver manager unloads drivers, and the target's handles
/// and this library's state would not survive that.
pub fn stay_loaded() {
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: the address is inside this library, for which the call cannot fail.
    unsafe { GetModuleHandleExW(flags, stay_loaded as *const u16, &raw mut module) };
}

/// A module that the process has loaded, found by its name or by an address in it, depending on the flags.
fn module(flags: u32, name: *const u16) -> Option<HMODULE> {
    let mut module = std::ptr::null_mut();
    // SAFETY: callers pass a name with its NUL, or an address, which is not dereferenced.
    let found =
        unsafe { GetModuleHandleExW(flags | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, name, &raw mut module) };
    (found != 0).then_some(module)
}

/// A module's file.
fn module_path(module: HMODULE) -> Option<PathBuf> {
    let mut buffer = vec![0; LONGEST_PATH];
    // SAFETY: the buffer has the given length. For a handle that is not a module's, nothing is written.
    let length = unsafe { GetModuleFileNameW(module, buffer.as_mut_ptr(), LONGEST_PATH as u32) };
    (length != 0).then(|| OsString::from_wide(&buffer[..length as usize]).into())
}

/// A text in code units, with a NUL.
fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// Built from the arguments; where each one ends does not matter.
pub fn command_line() -> Result<String, String> {
    let arguments: Vec<String> = std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect();
    Ok(arguments.join(" "))
}

/// The Linux rules have nothing to check here.
fn only_on_linux<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn readable_by_all(_path: &Path) -> io::Result<bool> {
    only_on_linux()
}

pub fn owner(_path: &Path) -> io::Result<Option<Owner>> {
    only_on_linux()
}

/// A number that is nobody's, because Windows accounts have no number.
pub fn user() -> u32 {
    u32::MAX
}

/// See [`user`].
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
    fn the_verbatim_prefix_of_a_path_is_removed() {
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
    fn a_bare_name_identifies_the_loaded_library() {
        let system = std::env::var("SystemRoot").unwrap();
        let path = Path::new(&system).join(r"system32\kernel32.dll");
        assert_eq!(identity(Path::new("kernel32.dll")).unwrap(), identity(&path).unwrap());
        assert!(identity(Path::new("not_loaded.dll")).is_err());
    }

    #[test]
    fn process_information_describes_this_process() {
        let program = std::env::current_exe().unwrap();
        let same = |path: &str| path.eq_ignore_ascii_case(program.to_str().unwrap());
        // In the test, the library's code is part of the test program.
        assert!(same(own_library().unwrap().to_str().unwrap()));
        let paths = process_paths().unwrap();
        assert!(same(&paths[0]), "{paths:?}");
        assert!(paths.iter().any(|path| path.to_ascii_lowercase().ends_with(r"\kernel32.dll")), "{paths:?}");
        let user = std::env::var("USERNAME").unwrap();
        assert!(account().unwrap().ends_with(&format!(r"\{user}")), "{:?}", account());
        assert!(command_line().unwrap().contains("loopbackodbc"), "{:?}", command_line());
    }
}
