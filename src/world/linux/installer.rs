//! The ODBC installer library: it reads odbcinst.ini and odbc.ini, so this library need not know where they are.
//!
//! It must be the one that belongs to the driver manager in this process, because another one may read other files. So
//! the folder of the driver manager's own file is searched first. The library is opened once, before the target can
//! load another one (Microsoft's wheel contains one of its own).

use crate::world::Profile;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use once_cell::sync::OnceCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// `SQLGetPrivateProfileString` (ODBC Programmer's Reference, Installer DLL). Lengths are in bytes.
type GetPrivateProfileString = unsafe extern "system" fn(
    section: *const c_char,
    entry: *const c_char,
    default: *const c_char,
    buffer: *mut c_char,
    buffer_length: c_int,
    file: *const c_char,
) -> c_int;

/// A driver manager and the installer library that belongs to it.
const PAIRS: [(&CStr, &str); 2] = [(c"libodbc.so.2", "libodbcinst.so.2"), (c"libiodbc.so.2", "libiodbcinst.so.2")];

/// unixODBC reads values of up to 1,000 bytes; lists of keywords may be longer. Microsoft's driver asks with the same
/// length, so unixODBC can serve both from one cached value.
const FIRST_BUFFER: usize = 4097;
const FIRST_LIST: usize = 16 * 1024;
const LAST_BUFFER: usize = 4 * 1024 * 1024;

/// The open installer library.
pub struct Installer {
    library: Library,
    get: GetPrivateProfileString,
}

/// Opens the installer library, unless it is already open. A failure is not final: the process may correct its search
/// path and need not restart.
///
/// # Errors
/// Each name that was tried, with the loader's own message.
pub fn open() -> Result<&'static Installer, String> {
    static INSTALLER: OnceCell<Installer> = OnceCell::new();
    INSTALLER.get_or_try_init(find)
}

fn find() -> Result<Installer, String> {
    let mut tried = Vec::new();
    for candidate in candidates() {
        // SAFETY: an installer library's initialisers are part of the driver manager that runs this code.
        let library = match unsafe { Library::open(Some(&candidate), RTLD_LAZY | RTLD_LOCAL) } {
            Ok(library) => library,
            Err(error) => {
                tried.push(error.to_string());
                continue;
            }
        };
        // SAFETY: the type is the specification's.
        match unsafe { library.get::<GetPrivateProfileString>(b"SQLGetPrivateProfileString\0") } {
            Ok(symbol) => {
                let get = *symbol;
                return Ok(Installer { library, get });
            }
            Err(error) => tried.push(error.to_string()),
        }
    }
    Err(format!("the ODBC installer library cannot be loaded: {}", tried.join("; ")))
}

/// The files to try: for a driver manager in the process the file next to it, then the plain name.
fn candidates() -> Vec<PathBuf> {
    let managers: Vec<(PathBuf, &str)> =
        PAIRS.iter().filter_map(|(manager, installer)| Some((loaded_path(manager)?, *installer))).collect();
    let mut paths: Vec<PathBuf> =
        managers.iter().map(|(manager, installer)| manager.with_file_name(installer)).collect();
    let names = if managers.is_empty() { PAIRS.iter().map(|pair| pair.1).collect() } else { vec![managers[0].1] };
    paths.extend(names.into_iter().map(PathBuf::from));
    paths
}

/// The file of a library that odbcinst.ini names without a path, if the process has loaded it.
pub fn loaded_library(name: &Path) -> Option<PathBuf> {
    loaded_path(&CString::new(name.as_os_str().as_bytes()).ok()?)
}

/// The file of a driver or a driver manager, if the process has loaded it.
fn loaded_path(name: &CStr) -> Option<PathBuf> {
    // SAFETY: RTLD_NOLOAD loads nothing, so no initialiser runs.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle was just returned. Any function that every driver manager has shows where the library is.
    let path = path_of_symbol(unsafe { libc::dlsym(handle, c"SQLAllocHandle".as_ptr()) });
    // SAFETY: the handle was just returned; this releases the reference that dlopen added.
    unsafe { libc::dlclose(handle) };
    path
}

/// The file that a symbol was loaded from.
fn path_of_symbol(symbol: *const c_void) -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: dladdr takes any address. If it knows the address it fills `info` and returns a value other than 0.
    if symbol.is_null() || unsafe { libc::dladdr(symbol, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr filled it. The name is the loader's, NUL-terminated, and lives as long as the library.
    let name = unsafe { CStr::from_ptr(info.assume_init().dli_fname) };
    Some(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).to_owned())
}

/// A section's name in the file's bytes; none for a name that cannot exist there.
///
/// Microsoft's driver asks for a data source with wide characters, and unixODBC uses only the low byte of each. So the
/// driver finds names in Latin-1 correctly, but for other names it would find any section whose name has the same low
/// bytes.
fn section_name(profile: Profile, section: &str) -> Option<CString> {
    let bytes = match profile {
        Profile::Odbcinst => section.as_bytes().to_vec(),
        Profile::Odbc => section.chars().map(u8::try_from).collect::<Result<_, _>>().ok()?,
    };
    CString::new(bytes).ok()
}

/// The file of the library that contains this function.
pub fn own_library() -> Option<PathBuf> {
    path_of_symbol(own_library as *const c_void)
}

impl Installer {
    /// Another function of the installer library.
    ///
    /// # Errors
    /// The loader's own message.
    pub fn function(&self, name: &str) -> Result<*const (), String> {
        // SAFETY: only the address is used. The library stays open for the life of the process.
        let symbol = unsafe { self.library.get::<*const ()>(name.as_bytes()) };
        symbol.map(|symbol| *symbol).map_err(|error| error.to_string())
    }

    pub fn sections(&self, profile: Profile) -> Vec<String> {
        self.list(None, profile)
    }

    pub fn keywords(&self, profile: Profile, section: &str) -> Vec<String> {
        section_name(profile, section).map(|section| self.list(Some(&section), profile)).unwrap_or_default()
    }

    /// Whether a list of keywords costs less than a few values. Each value means reading the file again.
    ///
    /// unixODBC caches values for 20 seconds and returns a cached one at once. But for every list it keeps a cache
    /// entry that it never uses, and that slows down all its later look-ups (odbcinst/SQLGetPrivateProfileString.c,
    /// 2.3.11 to 2.3.14). In most scripts a process connects once. So each process asks for one list, and afterwards
    /// for values by name.
    pub fn lists_cheaply(&self) -> bool {
        static LISTED: AtomicBool = AtomicBool::new(false);
        !LISTED.swap(true, Relaxed)
    }

    /// # Errors
    /// A value that is not UTF-8.
    pub fn value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String> {
        let (Some(section), Ok(keyword)) = (section_name(profile, section), CString::new(keyword)) else {
            return Ok(String::new());
        };
        // The error does not contain the value, which may be a password.
        String::from_utf8(self.get(Some(&section), Some(&keyword), profile, FIRST_BUFFER))
            .map_err(|_| "it is not UTF-8. Save the file in UTF-8".to_owned())
    }

    /// The sections, or one section's keywords: a list of strings, each with a NUL, and one more NUL at the end. A name
    /// that is not UTF-8 matches nothing.
    fn list(&self, section: Option<&CStr>, profile: Profile) -> Vec<String> {
        let list = self.get(section, None, profile, FIRST_LIST);
        let names = list.split(|&byte| byte == 0).take_while(|name| !name.is_empty());
        names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Makes one call, and repeats it with a larger buffer until the answer fits. The result does not include the
    /// answer's last NUL.
    fn get(&self, section: Option<&CStr>, entry: Option<&CStr>, profile: Profile, first: usize) -> Vec<u8> {
        let pointer = |string: Option<&CStr>| string.map_or(std::ptr::null(), CStr::as_ptr);
        let mut size = first;
        loop {
            let mut buffer = vec![0u8; size];
            // SAFETY: the strings are NUL-terminated and live through the call; the buffer has the given length.
            let length = unsafe {
                (self.get)(
                    pointer(section),
                    pointer(entry),
                    c"".as_ptr(),
                    buffer.as_mut_ptr().cast(),
                    size as c_int,
                    profile.file_name().as_ptr(),
                )
            };
            let length = usize::try_from(length).unwrap_or(0);
            // A truncated list ends with the last complete name, a truncated value at the last byte of the buffer.
            let fits = if entry.is_some() { length + 2 < size } else { length < size / 2 };
            if fits || size >= LAST_BUFFER {
                buffer.truncate(length);
                return buffer;
            }
            size *= 4;
        }
    }
}
