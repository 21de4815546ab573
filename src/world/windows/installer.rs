//! The ODBC installer library: it reads odbcinst.ini and odbc.ini, which on Windows are registry keys of the user and
//! the machine.
//!
//! `odbccp32.dll` is part of Windows. It is not linked but opened when needed: a program that only asks for a string
//! needs no ODBC.

use super::{wide, words};
use crate::world::Profile;
use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library};
use once_cell::sync::OnceCell;
use std::ffi::c_int;

/// `SQLGetPrivateProfileStringW` (ODBC Programmer's Reference, Installer DLL). Lengths are in characters.
type GetPrivateProfileString = unsafe extern "system" fn(
    section: *const u16,
    entry: *const u16,
    default: *const u16,
    buffer: *mut u16,
    buffer_length: c_int,
    file: *const u16,
) -> c_int;

const FIRST_BUFFER: usize = 4 * 1024;
const LAST_BUFFER: usize = 1024 * 1024;

/// The open installer library.
pub struct Installer {
    library: Library,
    get: GetPrivateProfileString,
}

/// Opens the installer library, unless it is already open.
///
/// # Errors
/// The loader's own message.
pub fn open() -> Result<&'static Installer, String> {
    static INSTALLER: OnceCell<Installer> = OnceCell::new();
    INSTALLER.get_or_try_init(|| {
        find().map_err(|error| format!("the ODBC installer library cannot be loaded: odbccp32.dll: {}", words(&error)))
    })
}

fn find() -> Result<Installer, libloading::Error> {
    // SAFETY: the library is part of Windows, and the type is the specification's.
    unsafe {
        let library = Library::load_with_flags("odbccp32.dll", LOAD_LIBRARY_SEARCH_SYSTEM32)?;
        let get = *library.get::<GetPrivateProfileString>(b"SQLGetPrivateProfileStringW\0")?;
        Ok(Installer { library, get })
    }
}

impl Installer {
    /// Another function of the installer library.
    ///
    /// # Errors
    /// The loader's own message.
    pub fn function(&self, name: &str) -> Result<*const (), String> {
        // SAFETY: only the address is used. The library stays open for the life of the process.
        let symbol = unsafe { self.library.get::<*const ()>(name.as_bytes()) };
        symbol.map(|symbol| *symbol).map_err(|error| words(&error))
    }

    /// The names that are listed as installed drivers, or as data sources. The installer library cannot list the
    /// sections themselves.
    pub fn sections(&self, profile: Profile) -> Vec<String> {
        let list = match profile {
            Profile::Odbcinst => "ODBC Drivers",
            Profile::Odbc => "ODBC Data Sources",
        };
        self.keywords(profile, list)
    }

    /// The keywords: strings with a NUL each, and one more NUL at the end. A name that is not UTF-16 matches nothing.
    pub fn keywords(&self, profile: Profile, section: &str) -> Vec<String> {
        let list = self.get(section, None, profile);
        list.split(|&unit| unit == 0).take_while(|name| !name.is_empty()).map(String::from_utf16_lossy).collect()
    }

    /// Whether a list of keywords costs less than a few values. It does not: each value is one look into the registry.
    pub fn lists_cheaply(&self) -> bool {
        false
    }

    /// # Errors
    /// A value that is not UTF-16.
    pub fn value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String> {
        // The error does not contain the value, which may be a password.
        String::from_utf16(&self.get(section, Some(keyword), profile)).map_err(|_| "it is not UTF-16".to_owned())
    }

    /// Makes one call, and repeats it with a larger buffer until the answer fits. The result does not include the
    /// answer's last NUL.
    fn get(&self, section: &str, entry: Option<&str>, profile: Profile) -> Vec<u16> {
        let (section, entry) = (wide(section), entry.map(wide));
        let file = wide(profile.file_name().to_string_lossy().as_ref());
        let mut size = FIRST_BUFFER;
        loop {
            let mut buffer = vec![0u16; size];
            // SAFETY: the strings are NUL-terminated and live through the call; the buffer has the given length.
            let length = unsafe {
                (self.get)(
                    section.as_ptr(),
                    entry.as_ref().map_or(std::ptr::null(), |entry| entry.as_ptr()),
                    [0].as_ptr(),
                    buffer.as_mut_ptr(),
                    size as c_int,
                    file.as_ptr(),
                )
            };
            let length = usize::try_from(length).unwrap_or(0);
            // Two units of slack: a truncated list ends with two NULs, which may or may not be counted.
            if length + 2 < size || size >= LAST_BUFFER {
                buffer.truncate(length);
                return buffer;
            }
            size *= 4;
        }
    }
}
