//! The ODBC installer library: who reads odbcinst.ini and odbc.ini, so that we never have to know where they are.
//!
//! It must be the one that belongs to the driver manager in this process, since another one may look elsewhere. So it
//! is searched beside the driver manager's own file first, and opened once, before the target can bring in another
//! (Microsoft's wheel carries one of its own).

use crate::world::Profile;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use once_cell::sync::OnceCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// `SQLGetPrivateProfileString` (ODBC Programmer's Reference, Installer DLL): lengths in bytes.
type GetPrivateProfileString = unsafe extern "system" fn(
    section: *const c_char,
    entry: *const c_char,
    default: *const c_char,
    buffer: *mut c_char,
    buffer_length: c_int,
    file: *const c_char,
) -> c_int;

/// A driver manager and the installer library that goes with it.
const PAIRS: [(&CStr, &str); 2] = [(c"libodbc.so.2", "libodbcinst.so.2"), (c"libiodbc.so.2", "libiodbcinst.so.2")];

/// unixODBC reads values of up to 1,000 bytes; lists of keywords may be longer. This is the length with which Microsoft's
/// driver asks: unixODBC then gives the one what it has read for the other.
const FIRST_BUFFER: usize = 4097;
const FIRST_LIST: usize = 16 * 1024;
const LAST_BUFFER: usize = 4 * 1024 * 1024;

/// The installer library, open.
pub struct Installer {
    library: Library,
    get: GetPrivateProfileString,
}

/// Opens the installer library, unless it has been opened before. A process that cannot may set its search path right, and is not
/// asked to start anew.
///
/// # Errors
/// Each name that was tried, with the loader's own words.
pub fn open() -> Result<&'static Installer, String> {
    static INSTALLER: OnceCell<Installer> = OnceCell::new();
    INSTALLER.get_or_try_init(find)
}

fn find() -> Result<Installer, String> {
    let mut tried = Vec::new();
    for candidate in candidates() {
        // SAFETY: an installer library's initialisers are those of a part of the driver manager that runs us.
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

/// The files to try: for the driver manager in the process its neighbour, then the plain name.
fn candidates() -> Vec<PathBuf> {
    let managers: Vec<(PathBuf, &str)> =
        PAIRS.iter().filter_map(|(manager, installer)| Some((loaded_path(manager)?, *installer))).collect();
    let mut paths: Vec<PathBuf> =
        managers.iter().map(|(manager, installer)| manager.with_file_name(installer)).collect();
    let names = if managers.is_empty() { PAIRS.iter().map(|pair| pair.1).collect() } else { vec![managers[0].1] };
    paths.extend(names.into_iter().map(PathBuf::from));
    paths
}

/// The file of a library that odbcinst.ini gives by a plain name, if the process has it loaded.
pub fn loaded_library(name: &Path) -> Option<PathBuf> {
    loaded_path(&CString::new(name.as_os_str().as_bytes()).ok()?)
}

/// The file of a driver or a driver manager, if the process has it loaded.
fn loaded_path(name: &CStr) -> Option<PathBuf> {
    // SAFETY: RTLD_NOLOAD loads nothing, so no initialiser runs.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle was just given. Any function that every driver manager has tells where the library is.
    let path = path_of_symbol(unsafe { libc::dlsym(handle, c"SQLAllocHandle".as_ptr()) });
    // SAFETY: the handle was just given; this takes back the reference that dlopen added.
    unsafe { libc::dlclose(handle) };
    path
}

/// The file that a symbol was loaded from.
fn path_of_symbol(symbol: *const c_void) -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: dladdr takes any address and fills `info` when it knows it, which it says with a value other than 0.
    if symbol.is_null() || unsafe { libc::dladdr(symbol, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr filled it; the name is the loader's, NUL-terminated, and stays as long as the library.
    let name = unsafe { CStr::from_ptr(info.assume_init().dli_fname) };
    Some(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).to_owned())
}

/// A section's name in the file's bytes; none for a name that cannot be one.
///
/// Microsoft's driver asks for a data source with wide characters, of which unixODBC takes the low byte each. So it finds
/// names in Latin-1 as they are, and for others would find any section whose name has the same low bytes.
fn section_name(profile: Profile, section: &str) -> Option<CString> {
    let bytes = match profile {
        Profile::Odbcinst => section.as_bytes().to_vec(),
        Profile::Odbc => section.chars().map(u8::try_from).collect::<Result<_, _>>().ok()?,
    };
    CString::new(bytes).ok()
}

/// The file of the library that this very function is in.
pub fn own_library() -> Option<PathBuf> {
    path_of_symbol(own_library as *const c_void)
}

impl Installer {
    /// Another of its functions.
    ///
    /// # Errors
    /// The loader's own words.
    pub fn function(&self, name: &str) -> Result<*const (), String> {
        // SAFETY: only the address is looked at. The library is kept open for the life of the process.
        let symbol = unsafe { self.library.get::<*const ()>(name.as_bytes()) };
        symbol.map(|symbol| *symbol).map_err(|error| error.to_string())
    }

    pub fn sections(&self, profile: Profile) -> Vec<String> {
        self.list(None, profile)
    }

    pub fn keywords(&self, profile: Profile, section: &str) -> Vec<String> {
        section_name(profile, section).map(|section| self.list(Some(&section), profile)).unwrap_or_default()
    }

    /// Whether a list of keywords costs less than a few values, each of which is a file read again.
    ///
    /// unixODBC keeps values for 20 seconds, and gives one that it has in no time; but of every list it keeps an entry that
    /// it never uses, behind which all its look-ups get slower (odbcinst/SQLGetPrivateProfileString.c, 2.3.11 to 2.3.14). So
    /// a process, which in most scripts connects once, asks it for one list, and from then on by name.
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
        // Not the value itself in the error: it may be a password.
        String::from_utf8(self.get(Some(&section), Some(&keyword), profile, FIRST_BUFFER))
            .map_err(|_| "it is not UTF-8".to_owned())
    }

    /// The sections, or one section's keywords: a list of strings, each with a NUL, and one more NUL at the end. A name
    /// that is not UTF-8 leads nowhere.
    fn list(&self, section: Option<&CStr>, profile: Profile) -> Vec<String> {
        let list = self.get(section, None, profile, FIRST_LIST);
        let names = list.split(|&byte| byte == 0).take_while(|name| !name.is_empty());
        names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// One call, with a buffer that is made larger until the answer fits; without the answer's last NUL.
    fn get(&self, section: Option<&CStr>, entry: Option<&CStr>, profile: Profile, first: usize) -> Vec<u8> {
        let pointer = |string: Option<&CStr>| string.map_or(std::ptr::null(), CStr::as_ptr);
        let mut size = first;
        loop {
            let mut buffer = vec![0u8; size];
            // SAFETY: the strings are NUL-terminated and live through the call; the buffer has the length that is said.
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
            // A list that is cut ends with the last name that fits whole, a value at its last byte.
            let fits = if entry.is_some() { length + 2 < size } else { length < size / 2 };
            if fits || size >= LAST_BUFFER {
                buffer.truncate(length);
                return buffer;
            }
            size *= 4;
        }
    }
}
