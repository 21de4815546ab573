//! Implements `include/loopback_odbc.h`.

use crate::loopback::choice::Target;
use crate::loopback::confirmation::{Told, document};
use crate::loopback::connection_string::shown;
use crate::loopback::driver::USUAL;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::question::Question;
use crate::loopback::search::Search;
use crate::target::{loading, output};
use crate::world::guard;
use crate::world::{Machine, World};
use std::ffi::{CStr, c_char, c_int};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the version has a NUL in it"),
};

/// The library's version: a static, NUL-terminated string such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn loopback_odbc_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The loopback string for a database and for a driver's registered name, both UTF-8. Either may be null or empty; the
/// driver is then the one that the library would load. Other values come from the environment or from discovery. The
/// header describes `buffer`, `length` and the returned value.
///
/// # Safety
/// The strings end with a NUL or are null; `buffer` has `*length` bytes, or `length` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn loopback_odbc_connection_string(
    database: *const c_char,
    driver: *const c_char,
    buffer: *mut c_char,
    length: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let (database, driver) = unsafe { (text(database), text(driver)) };
    let string = || {
        loading::start();
        let values = [("Database", text_of(database, "name of the database")?)];
        let question =
            Question { driver: text_of(driver, "name of the driver")?, values: &values, ..Question::default() };
        let mut search = Search::default();
        let rewritten = question.answer(&Machine, &mut search).map_err(|failure| search.explain(failure))?;
        Ok(String::from_utf16_lossy(&rewritten.target_string()))
    };
    // SAFETY: the caller's promise.
    unsafe { give(string, buffer, length) }
}

/// What was checked and found, in lines that end in a newline each. Secrets are not shown. The header describes
/// `buffer`, `length` and the returned value.
///
/// # Safety
/// `buffer` has `*length` bytes, or `length` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn loopback_odbc_report(buffer: *mut c_char, length: *mut c_int) -> c_int {
    let report = || {
        loading::start();
        Ok(report(&Machine))
    };
    // SAFETY: the caller's promise.
    unsafe { give(report, buffer, length) }
}

/// The document of `examples/confirm.sql`, for the login that called the script and the string that SQL Server's own
/// function printed, both UTF-8; null or empty if unknown. It opens a connection. The header describes `buffer`,
/// `length` and the returned value.
///
/// # Safety
/// The strings end with a NUL or are null; `buffer` has `*length` bytes, or `length` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn loopback_odbc_confirmation(
    caller: *const c_char,
    official: *const c_char,
    buffer: *mut c_char,
    length: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let (caller, official) = unsafe { (text(caller), text(official)) };
    let document = || {
        loading::start();
        Ok(document(
            &Machine,
            Told { caller: text_of(caller, "caller")?, official: text_of(official, "official string")? },
        ))
    };
    // SAFETY: the caller's promise.
    unsafe { give(document, buffer, length) }
}

pub fn report(world: &dyn World) -> String {
    let mut lines = vec![format!("loopback-odbc {}", env!("CARGO_PKG_VERSION"))];
    match world.own_library() {
        Some(library) => lines.push(format!("Library: {}", library.display())),
        None => lines.push("Library: its path cannot be determined".to_owned()),
    }
    let driver = match Target::first(world) {
        Ok(target) => {
            lines.push(format!("Target: {target}"));
            ""
        }
        Err(failure) => {
            lines.extend(failure.lines());
            // Without a target, everything else can still be reported.
            USUAL
        }
    };
    let mut search = Search::thorough();
    let answer = Question { driver, ..Question::default() }.answer(world, &mut search);
    lines.extend(search.warnings.iter().map(|warning| format!("Warning: {warning}")));
    lines.extend(search.lines());
    match answer {
        Ok(rewritten) => lines.push(format!("String: {}", shown(&rewritten.target))),
        Err(failure) => lines.extend(failure.lines()),
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Returns a text, or the text of a failure, as the header describes.
///
/// # Safety
/// `buffer` has `*length` bytes, or `length` is null.
unsafe fn give(text: impl FnOnce() -> Result<String, Failure>, buffer: *mut c_char, length: *mut c_int) -> c_int {
    let outcome = guard::catch(text).unwrap_or_else(|()| Err(Failure::defect()));
    let (text, sign) = match outcome {
        Ok(text) => (text, 1),
        Err(failure) => (failure.lines().join("\n"), -1),
    };
    let needed = sign * c_int::try_from(text.len()).unwrap_or(c_int::MAX);
    // SAFETY: the caller's promise.
    unsafe {
        let capacity = if length.is_null() { 0 } else { usize::try_from(length.read_unaligned()).unwrap_or(0) };
        let text = if text.len() < capacity { text.as_bytes() } else { &[] };
        output::put_bytes(buffer.cast(), capacity, text);
        output::put(length, needed);
    }
    needed
}

/// A caller's text; null counts as empty.
///
/// # Safety
/// `string` is null or ends with a NUL.
unsafe fn text<'s>(string: *const c_char) -> &'s CStr {
    // SAFETY: the caller's promise.
    if string.is_null() { c"" } else { unsafe { CStr::from_ptr(string) } }
}

/// # Errors
/// HY024 for a text that is not UTF-8: a name in another encoding would be a different name.
fn text_of<'s>(text: &'s CStr, what: &str) -> Result<&'s str, Failure> {
    let refusal = |_| Failure::new(Sqlstate::INVALID_VALUE, format!("The {what} is not UTF-8."));
    text.to_str().map_err(refusal)
}
