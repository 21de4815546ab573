//! `ConfigDSNW` and `ConfigDriverW`: the installer library calls them to set up a data source or the driver, for the
//! ODBC administrator and `odbcconf`.
//!
//! There is no dialog: a data source gets exactly the given attributes. Without a name it is called [`DEFAULT_NAME`]
//! and needs nothing else, so "Add" in the ODBC administrator adds that data source.
//!
//! On Windows only (`docs/exports.md`).
//!
//! The specification: ODBC Programmer's Reference, Setup DLL Function Reference.

use crate::loopback::connection_string::same_keyword;
use crate::loopback::utf16;
use crate::target::output;
use crate::world::guard;
use crate::world::{Machine, Profile, World, installer_function};
use std::ffi::c_void;
use std::ptr::null;

/// The name of a data source that is added without a name.
const DEFAULT_NAME: &str = "Loopback";

const ODBC_ADD_DSN: u16 = 1;
const ODBC_CONFIG_DSN: u16 = 2;
const ODBC_REMOVE_DSN: u16 = 3;

const ODBC_INSTALL_DRIVER: u16 = 1;
const ODBC_REMOVE_DRIVER: u16 = 2;
const ODBC_CONFIG_DRIVER: u16 = 3;

const ODBC_ERROR_GENERAL_ERR: u32 = 1;
const ODBC_ERROR_INVALID_REQUEST_TYPE: u32 = 5;
const ODBC_ERROR_INVALID_KEYWORD_VALUE: u32 = 8;
const ODBC_ERROR_REQUEST_FAILED: u32 = 11;

/// Why a request is refused.
enum Refusal {
    /// With the installer library's error code.
    Ours(u32, String),
    /// The installer library refused the request and has recorded the reason.
    Installer,
}

/// Adds, changes or removes a data source. `attributes` is a list of `keyword=value`, each with a NUL, and one more NUL
/// at the end. An empty value removes the keyword.
///
/// # Safety
/// The strings are as the specification requires, or null.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ConfigDSNW(
    _window: *mut c_void,
    request: u16,
    driver: *const u16,
    attributes: *const u16,
) -> i32 {
    // SAFETY: the caller's promise.
    let (driver, attributes) = unsafe { (text(driver), list(attributes)) };
    answer(|| configure_data_source(request, &driver, &attributes))
}

/// Changes a value in the driver's own section, such as `TargetDriver` or `CPTimeout`. Installing or removing the
/// driver needs nothing here: the installer library does it all.
///
/// # Safety
/// The strings are as the specification requires, or null; `message` has `capacity` characters.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ConfigDriverW(
    _window: *mut c_void,
    request: u16,
    driver: *const u16,
    argument: *const u16,
    message: *mut u16,
    capacity: u16,
    length: *mut u16,
) -> i32 {
    // SAFETY: the caller's promise. There is never a message.
    let (driver, argument) = unsafe {
        output::put_string(message, capacity.into(), &[]);
        output::put(length, 0);
        (text(driver), text(argument))
    };
    answer(|| match request {
        ODBC_INSTALL_DRIVER | ODBC_REMOVE_DRIVER => Ok(()),
        ODBC_CONFIG_DRIVER => write(&driver, pair(&argument)?, "odbcinst.ini"),
        _ => refuse_request(request),
    })
}

fn configure_data_source(request: u16, driver: &[u16], attributes: &[Vec<u16>]) -> Result<(), Refusal> {
    let pairs = attributes.iter().map(|attribute| pair(attribute)).collect::<Result<Vec<_>, _>>()?;
    let named = pairs.iter().find(|(keyword, _)| same_keyword(keyword, "DSN")).map(|&(_, name)| name.to_vec());
    let name = named.unwrap_or_else(|| utf16(DEFAULT_NAME));
    SQLValidDSNW(&name).map_err(|_| {
        let text = format!("{} is not a valid name for a data source.", String::from_utf16_lossy(&name));
        Refusal::Ours(ODBC_ERROR_INVALID_KEYWORD_VALUE, text)
    })?;
    match request {
        ODBC_ADD_DSN => SQLWriteDSNToIniW(&name, driver)?,
        ODBC_CONFIG_DSN | ODBC_REMOVE_DSN => must_exist(&name)?,
        _ => return refuse_request(request),
    }
    if request == ODBC_REMOVE_DSN {
        return SQLRemoveDSNFromIniW(&name);
    }
    let is_value = |keyword: &[u16]| !["DSN", "Driver"].iter().any(|name| same_keyword(keyword, name));
    pairs.into_iter().filter(|(keyword, _)| is_value(keyword)).try_for_each(|pair| write(&name, pair, "odbc.ini"))
}

fn must_exist(name: &[u16]) -> Result<(), Refusal> {
    let name = String::from_utf16_lossy(name);
    match Machine.profile_keywords(Profile::Odbc, &name) {
        Ok(keywords) if !keywords.is_empty() => Ok(()),
        Ok(_) => Err(Refusal::Ours(ODBC_ERROR_REQUEST_FAILED, format!("The data source {name} does not exist."))),
        Err(reason) => Err(Refusal::Ours(ODBC_ERROR_REQUEST_FAILED, reason)),
    }
}

fn refuse_request(request: u16) -> Result<(), Refusal> {
    Err(Refusal::Ours(ODBC_ERROR_INVALID_REQUEST_TYPE, format!("{request} is not a valid request.")))
}

/// Keyword and value, with surrounding spaces removed.
fn pair(attribute: &[u16]) -> Result<(&[u16], &[u16]), Refusal> {
    let is_space = |unit: &u16| *unit == u16::from(b' ');
    let trim = |text: &[u16]| -> std::ops::Range<usize> {
        let start = text.iter().take_while(|unit| is_space(unit)).count();
        start..text.len() - text[start..].iter().rev().take_while(|unit| is_space(unit)).count()
    };
    let equals = attribute.iter().position(|&unit| unit == u16::from(b'='));
    let (keyword, value) = attribute.split_at(equals.unwrap_or(0));
    if keyword[trim(keyword)].is_empty() {
        // Does not show the attribute itself: it may be a part of a password.
        let text = "An attribute has no keyword. Write each attribute as keyword=value.";
        return Err(Refusal::Ours(ODBC_ERROR_INVALID_KEYWORD_VALUE, text.to_owned()));
    }
    let value = &value[1..];
    Ok((&keyword[trim(keyword)], &value[trim(value)]))
}

/// Writes a value; an empty value removes the keyword.
fn write(section: &[u16], (keyword, value): (&[u16], &[u16]), file: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        SQLWritePrivateProfileStringW(section, keyword, None, &utf16(file))
    } else {
        SQLWritePrivateProfileStringW(section, keyword, Some(value), &utf16(file))
    }
}

/// Runs a request, and gives the installer library the reason of a refusal. Returns a BOOL.
fn answer(request: impl FnOnce() -> Result<(), Refusal>) -> i32 {
    let defect = || Refusal::Ours(ODBC_ERROR_GENERAL_ERR, "This is a bug in loopback-odbc.".to_owned());
    match guard::catch(request).unwrap_or_else(|()| Err(defect())) {
        Ok(()) => 1,
        Err(Refusal::Installer) => 0,
        Err(Refusal::Ours(code, text)) => {
            post(code, &text);
            0
        }
    }
}

/// An argument of the installer library's functions: a text, which may be absent.
trait Argument {
    fn terminated(self) -> Option<Vec<u16>>;
}

impl Argument for &[u16] {
    fn terminated(self) -> Option<Vec<u16>> {
        Some([self, &[0]].concat())
    }
}

impl Argument for Option<&[u16]> {
    fn terminated(self) -> Option<Vec<u16>> {
        self.and_then(Argument::terminated)
    }
}

/// Functions of the installer library that take texts and return a BOOL.
macro_rules! installer_functions {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[allow(non_snake_case)]
        fn $name($($argument: $type),*) -> Result<(), Refusal> {
            let missing = |reason| Refusal::Ours(ODBC_ERROR_GENERAL_ERR, reason);
            let function = installer_function(stringify!($name)).map_err(missing)?;
            $(let $argument = $argument.terminated();)*
            // SAFETY: a function of this name has this type. Each text ends with a NUL and lives through the call.
            let done = unsafe {
                let function: unsafe extern "system" fn($(installer_functions!(@pointer $argument)),*) -> i32 =
                    std::mem::transmute(function);
                function($($argument.as_ref().map_or(null(), |text| text.as_ptr())),*)
            };
            if done != 0 { Ok(()) } else { Err(Refusal::Installer) }
        }
    )*};
    (@pointer $argument:ident) => { *const u16 };
}

installer_functions! {
    SQLValidDSNW(name: &[u16]);
    SQLWriteDSNToIniW(name: &[u16], driver: &[u16]);
    SQLRemoveDSNFromIniW(name: &[u16]);
    SQLWritePrivateProfileStringW(section: &[u16], keyword: &[u16], value: Option<&[u16]>, file: &[u16]);
}

/// `SQLPostInstallerErrorW`.
fn post(code: u32, text: &str) {
    type Post = unsafe extern "system" fn(u32, *const u16) -> i16;
    if let Ok(function) = installer_function("SQLPostInstallerErrorW") {
        let text = [utf16(text), vec![0]].concat();
        // SAFETY: a function of this name has this type, and the text ends with a NUL.
        unsafe { std::mem::transmute::<*const (), Post>(function)(code, text.as_ptr()) };
    }
}

/// A caller's string; null counts as empty.
///
/// # Safety
/// It ends with a NUL, or is null.
unsafe fn text(string: *const u16) -> Vec<u16> {
    // SAFETY: the caller's promise.
    let unit = |index| unsafe { string.add(index).read_unaligned() };
    if string.is_null() { Vec::new() } else { (0..).map(unit).take_while(|&unit| unit != 0).collect() }
}

/// A caller's list of strings; null counts as empty.
///
/// # Safety
/// Each ends with a NUL, and there is an empty one at the end; or it is null.
unsafe fn list(mut strings: *const u16) -> Vec<Vec<u16>> {
    let mut list = Vec::new();
    loop {
        // SAFETY: the caller's promise.
        let string = unsafe { text(strings) };
        if string.is_empty() {
            return list;
        }
        strings = strings.wrapping_add(string.len() + 1);
        list.push(string);
    }
}
