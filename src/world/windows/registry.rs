//! The instances of SQL Server in the registry.
//!
//! Uses only Microsoft's declarations: the registry crates load Windows libraries into the process that this code does
//! not need.

use super::wide;
use std::io;
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, ERROR_SUCCESS, WIN32_ERROR,
};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, KEY_READ, KEY_WOW64_32KEY, KEY_WOW64_64KEY, REG_SZ, RegCloseKey, RegEnumValueW,
    RegOpenKeyExW,
};

/// Names of instances with their ids.
const INSTANCES: &str = r"SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL";

/// In code units. An instance's name has at most 16, and its id is not much longer.
const LONGEST: usize = 256;

/// The instances, first from the registry view of 64-bit programs, then from that of 32-bit ones.
pub fn instances() -> Result<Vec<(String, String)>, String> {
    let mut instances: Vec<(String, String)> = Vec::new();
    for view in [KEY_WOW64_64KEY, KEY_WOW64_32KEY] {
        let of_view = Key::open(INSTANCES, view).and_then(|key| key.map_or(Ok(Vec::new()), |key| key.values()));
        for (name, id) in of_view.map_err(|code| io::Error::from_raw_os_error(code as i32).to_string())? {
            if !instances.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                instances.push((name, id));
            }
        }
    }
    Ok(instances)
}

/// A key of HKEY_LOCAL_MACHINE, open for reading.
struct Key(HKEY);

impl Key {
    /// None if there is no such key.
    fn open(path: &str, view: u32) -> Result<Option<Key>, WIN32_ERROR> {
        let mut key = std::ptr::null_mut();
        let path = wide(path);
        // SAFETY: the path has its NUL, and the key is written.
        match unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.as_ptr(), 0, KEY_READ | view, &raw mut key) } {
            ERROR_SUCCESS => Ok(Some(Key(key))),
            ERROR_FILE_NOT_FOUND => Ok(None),
            code => Err(code),
        }
    }

    /// Its string values.
    fn values(&self) -> Result<Vec<(String, String)>, WIN32_ERROR> {
        let mut values = Vec::new();
        for index in 0.. {
            let (mut name, mut data, mut kind) = ([0u16; LONGEST], [0u16; LONGEST], 0);
            let (mut name_length, mut data_size) = (LONGEST as u32, size_of_val(&data) as u32);
            // SAFETY: the key is open; the buffers have the given lengths, the second in bytes.
            let code = unsafe {
                RegEnumValueW(
                    self.0,
                    index,
                    name.as_mut_ptr(),
                    &raw mut name_length,
                    std::ptr::null(),
                    &raw mut kind,
                    data.as_mut_ptr().cast(),
                    &raw mut data_size,
                )
            };
            let text = |units: &[u16]| String::from_utf16_lossy(units).trim_end_matches('\0').to_owned();
            match code {
                ERROR_SUCCESS if kind == REG_SZ => {
                    let data = &data[..data_size as usize / size_of::<u16>()];
                    values.push((text(&name[..name_length as usize]), text(data)));
                }
                // Such a value does not belong to an instance.
                ERROR_SUCCESS | ERROR_MORE_DATA => {}
                ERROR_NO_MORE_ITEMS => break,
                code => return Err(code),
            }
        }
        Ok(values)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the key was opened here and is closed once.
        unsafe { RegCloseKey(self.0) };
    }
}
