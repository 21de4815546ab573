//! Thin wrappers of the ODBC installer library's functions that change registrations (ODBC Programmer's Reference, Installer DLL API
//! Reference).

use crate::places::Mode;
use loopbackodbc::program::installer_function;
use std::ffi::c_int;
use std::path::Path;

type Wide = *const u16;

/// ODBC_INSTALL_COMPLETE: installs, instead of only inquiring.
const COMPLETE: u16 = 2;
const SQL_SUCCESS: i16 = 0;
const SQL_SUCCESS_WITH_INFO: i16 = 1;
/// The most error records of a function of this library.
const RECORDS: u16 = 8;
/// Characters of a record's text.
const TEXT: usize = 512;
/// Characters of a folder's path: more than any installer library writes.
const PATH: usize = 16 * 1024;

/// Calls a function of the installer library: its name, and each argument with its type in the specification.
macro_rules! call {
    ($name:literal, $($argument:expr => $type:ty),* => returns $result:ty) => {{
        let function = installer_function($name)?;
        // SAFETY: the uses below give the types of the specification, strings that end with a NUL, and buffers of more
        // characters than they say.
        unsafe {
            std::mem::transmute::<*const (), unsafe extern "system" fn($($type),*) -> $result>(function)($($argument),*)
        }
    }};
}

/// `SQLInstallDriverEx`: adds a new driver with these keywords and values, and a usage count. On Windows libraries are named without
/// their folder, which is a separate argument.
///
/// # Errors
/// The installer library's message, as in the functions below.
pub fn install_driver(name: &str, folder: Option<&Path>, values: &[(&str, &str)]) -> Result<(), String> {
    let values: String = values.iter().map(|(keyword, value)| format!("{keyword}={value}\0")).collect();
    let list = wide(&format!("{name}\0{values}"));
    let folder = folder.map(|folder| wide(&folder.to_string_lossy()));
    let (mut written, mut length, mut count) = (vec![0u16; PATH], 0, 0);
    let done = call!("SQLInstallDriverExW",
        list.as_ptr() => Wide, folder.as_ref().map_or(std::ptr::null(), |folder| folder.as_ptr()) => Wide,
        written.as_mut_ptr() => *mut u16, (PATH - 1) as u16 => u16,
        &raw mut length => *mut u16, COMPLETE => u16, &raw mut count => *mut u32 => returns c_int);
    outcome(done, &format!("SQLInstallDriverEx for {name}"))
}

/// `SQLRemoveDriver`: decrements the driver's usage count, and removes the driver at 0.
pub fn remove_driver(name: &str) -> Result<(), String> {
    const DATA_SOURCES_STAY: c_int = 0;
    let (text, mut count) = (wide(name), 0);
    let done = call!("SQLRemoveDriverW",
        text.as_ptr() => Wide, DATA_SOURCES_STAY => c_int, &raw mut count => *mut u32 => returns c_int);
    outcome(done, &format!("SQLRemoveDriver for {name}"))
}

/// `SQLWriteDSNToIni`: adds a new data source.
pub fn write_data_source(mode: Mode, name: &str, driver: &str) -> Result<(), String> {
    set_mode(mode)?;
    let (text, driver) = (wide(name), wide(driver));
    let done = call!("SQLWriteDSNToIniW", text.as_ptr() => Wide, driver.as_ptr() => Wide => returns c_int);
    outcome(done, &format!("SQLWriteDSNToIni for {name}"))
}

/// `SQLRemoveDSNFromIni`: removes a data source.
pub fn remove_data_source(mode: Mode, name: &str) -> Result<(), String> {
    set_mode(mode)?;
    let text = wide(name);
    let done = call!("SQLRemoveDSNFromIniW", text.as_ptr() => Wide => returns c_int);
    outcome(done, &format!("SQLRemoveDSNFromIni for {name}"))
}

/// `SQLWritePrivateProfileString` for a driver's section.
pub fn write_driver_value(name: &str, keyword: &str, value: &str) -> Result<(), String> {
    write_value(name, keyword, value, "odbcinst.ini")
}

/// `SQLWritePrivateProfileString` for a data source's section.
pub fn write_data_source_value(mode: Mode, name: &str, keyword: &str, value: &str) -> Result<(), String> {
    set_mode(mode)?;
    write_value(name, keyword, value, "odbc.ini")
}

fn write_value(section: &str, keyword: &str, value: &str, file: &str) -> Result<(), String> {
    let [name, key, text, profile] = [section, keyword, value, file].map(wide);
    let done = call!("SQLWritePrivateProfileStringW",
        name.as_ptr() => Wide, key.as_ptr() => Wide, text.as_ptr() => Wide, profile.as_ptr() => Wide => returns c_int);
    outcome(done, &format!("SQLWritePrivateProfileString for {keyword} of [{section}]"))
}

fn set_mode(mode: Mode) -> Result<(), String> {
    let done = call!("SQLSetConfigMode", mode as u16 => u16 => returns c_int);
    outcome(done, "SQLSetConfigMode")
}

/// If a function returned FALSE, its error records give the reason.
fn outcome(done: c_int, what: &str) -> Result<(), String> {
    if done != 0 {
        return Ok(());
    }
    let mut records = Vec::new();
    for number in 1..=RECORDS {
        let (mut code, mut length, mut text) = (0, 0, [0u16; TEXT]);
        let got = call!("SQLInstallerErrorW",
            number => u16, &raw mut code => *mut u32, text.as_mut_ptr() => *mut u16, (TEXT - 1) as u16 => u16,
            &raw mut length => *mut u16 => returns i16);
        if got != SQL_SUCCESS && got != SQL_SUCCESS_WITH_INFO {
            break;
        }
        records.push(String::from_utf16_lossy(text.split(|&unit| unit == 0).next().unwrap_or_default()));
    }
    Err(format!("the ODBC installer library refused {what}: {}", records.join("; ")))
}

/// UTF-16, with a NUL at the end.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
