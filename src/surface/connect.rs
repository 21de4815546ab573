//! `SQLDriverConnectW`, `SQLConnectW` and `SQLBrowseConnectW`: where `DSN=Loopback` becomes a loopback string.
//!
//! All three call the target's `SQLDriverConnectW`. A browse with `DSN` or `DRIVER` completes in one step: there is
//! nothing left to ask for, and the driver's own browse refuses the certificate form.

use crate::loopback::connection_string::{Attribute, Stopped, parse};
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::search::Search;
use crate::loopback::{self, Wanted, hints, preset};
use crate::surface::connections::{self, Completed, Diagnostics, Prepared, Record};
use crate::surface::diagnostics::{self, TargetRecords};
use crate::target::odbc::*;
use crate::target::output;
use crate::target::slots::call;
use crate::target::{loading, state};
use crate::world::guard;
use crate::world::{Machine, World};

/// The longest string that the API can carry, in code units: its lengths are of type SQLSMALLINT.
const LONGEST: usize = i16::MAX as usize;

/// `SQLDriverConnectW`. Lengths are in characters. The target is always told not to prompt: in a service, a dialog
/// would wait for ever.
///
/// # Safety
/// The arguments are as the specification requires.
#[allow(clippy::too_many_arguments)]
pub unsafe fn driver_connect(
    connection: HDbc,
    _window: Pointer,
    string: *mut WChar,
    string_length: i16,
    buffer: *mut WChar,
    capacity: i16,
    length: *mut i16,
    _completion: u16,
) -> SqlReturn {
    let request = || {
        // SAFETY: the caller's promise.
        let string = unsafe { input(string, string_length, "connection string") }?;
        Request::parse(&string)
    };
    // SAFETY: the caller's promise.
    unsafe { connect_with(connection, request, Some((buffer, capacity, length))) }
}

/// `SQLBrowseConnectW`. Lengths are in characters.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn browse_connect(
    connection: HDbc,
    string: *mut WChar,
    string_length: i16,
    buffer: *mut WChar,
    capacity: i16,
    length: *mut i16,
) -> SqlReturn {
    // SAFETY: the caller's promise; this function passes on a part of it.
    unsafe {
        let (window, completion) = (std::ptr::null_mut(), DriverConnectOption::NoPrompt as u16);
        driver_connect(connection, window, string, string_length, buffer, capacity, length, completion)
    }
}

/// `SQLConnectW`. Lengths are in characters. An empty or null user or password counts as not given.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn connect(
    connection: HDbc,
    data_source: *mut WChar,
    data_source_length: i16,
    user: *mut WChar,
    user_length: i16,
    password: *mut WChar,
    password_length: i16,
) -> SqlReturn {
    let request = || {
        // SAFETY: the caller's promise.
        let values = unsafe {
            [
                ("DSN", input(data_source, data_source_length, "data source name")?),
                ("UID", input(user, user_length, "user name")?),
                ("PWD", input(password, password_length, "password")?),
            ]
        };
        Request::of_arguments(&values)
    };
    // SAFETY: there is no output buffer, so nothing to promise.
    unsafe { connect_with(connection, request, None) }
}

/// The application's request.
#[derive(Debug)]
pub struct Request {
    attributes: Vec<Attribute<'static>>,
    stopped: Option<Stopped>,
    /// Whether the string ends in a keyword without a value, and without a semicolon.
    ends_open: bool,
}

impl Request {
    /// The request in a connection string.
    pub fn parse(string: &[u16]) -> Result<Request, Failure> {
        let parsed = parse(string);
        if string.contains(&0) {
            return Err(wide_characters("The connection string contains a NUL character"));
        }
        if parsed.attributes.is_empty() && !string.is_empty() {
            return Err(wide_characters("The connection string has no keyword, such as DSN=Loopback"));
        }
        let attributes = parsed.attributes.iter().map(Attribute::to_static).collect();
        let ends_open = string.last() == Some(&u16::from(b'='));
        Ok(Request { attributes, stopped: parsed.stopped, ends_open })
    }

    /// The request in the arguments of `SQLConnectW`: keywords and values, the data source's name first.
    pub fn of_arguments(values: &[(&str, Vec<u16>)]) -> Result<Request, Failure> {
        if values.iter().any(|(_, value)| value.contains(&0)) {
            return Err(wide_characters("An argument of SQLConnect contains a NUL character"));
        }
        let given = values.iter().filter(|(_, value)| !value.is_empty());
        let attributes = given.map(|(keyword, value)| Attribute::new(keyword, value)).collect();
        Ok(Request { attributes, stopped: None, ends_open: false })
    }
}

/// The error for a misread string of 32-bit characters. It comes from a driver manager that does not ask for
/// [`DRIVER_UNICODE_TYPE`]; the first release of iODBC that does is 3.52.14. Its strings have four bytes per character,
/// so a connection string reads as its first character, or as all characters with NULs between them.
fn wide_characters(evidence: &str) -> Failure {
    let text = format!(
        "{evidence}. This happens when the driver manager passes 32-bit characters and not 16-bit ones: use iODBC \
         3.52.14 or later, or unixODBC."
    );
    Failure::new(Sqlstate::GENERAL, text)
}

/// The common part of all three: prepares the string, unless the target is still busy with an earlier one, calls the
/// target, and adds the completed string and the library's own records to its answer.
///
/// The target is called outside the boundary that catches panics, and while no value of this library waits to be
/// dropped: a thread that is cancelled in the target ends as it would without this library.
///
/// # Safety
/// The pointers of `completed` are null or can be written to.
unsafe fn connect_with(
    connection: HDbc,
    request: impl FnOnce() -> Result<Request, Failure>,
    completed: Option<(*mut WChar, i16, *mut i16)>,
) -> SqlReturn {
    if connection.0.is_null() {
        return SqlReturn::INVALID_HANDLE;
    }
    connections::clear_records(connection.0);
    if let Some(target) = state::if_loaded() {
        // SAFETY: a target is loaded, so the driver manager's connection is the target's.
        unsafe { loading::introduce(connection, target) };
    }
    let Some(prepared) = ready(connection, request, completed) else { return SqlReturn::ERROR };
    // SAFETY: the string lives until the target has finished: until it is taken back below, or, if the target continues
    // asynchronously, with the connection.
    let code = unsafe {
        if (*prepared).rewritten.resets_trusted {
            let no = std::ptr::null_mut();
            let _ = call::SQLSetConnectAttrW(connection, preset::INTEGRATED_SECURITY.0, no, IS_INTEGER);
        }
        let string = &(*prepared).string;
        call::SQLDriverConnectW(
            connection,
            std::ptr::null_mut(),
            string.as_ptr().cast_mut(),
            (string.len() - 1) as i16,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
            DriverConnectOption::NoPrompt as u16,
        )
    };
    // SAFETY: as before.
    let is_explained = code == SqlReturn::ERROR && unsafe { (*prepared).rewritten.can_be_explained() };
    let records = if is_explained { diagnostics::target_records(connection) } else { TargetRecords::default() };
    // SAFETY: `ready` made it from a box, and there is no other copy. The rest is the caller's promise.
    let finish = || unsafe { Box::from_raw(prepared).finish(connection, code, &records) };
    guard::catch(finish).unwrap_or(code)
}

/// The string for the target, which the caller then owns; none for a refusal, whose records are then stored with the
/// connection.
fn ready(
    connection: HDbc,
    request: impl FnOnce() -> Result<Request, Failure>,
    completed: Option<(*mut WChar, i16, *mut i16)>,
) -> Option<*mut Prepared> {
    let attempt = || {
        if let Some(prepared) = connections::with(connection, |state| state.pending.take()) {
            // The application polls: the target reads the same string from the same place.
            return Ok(prepared);
        }
        let completed = completed.map(|(buffer, capacity, length)| {
            Ok(Completed { buffer, capacity: not_negative(capacity, "output buffer")?, length })
        });
        prepare(connection, request()?, completed.transpose()?).map(Box::new)
    };
    let refuse = |failure: Failure| {
        log::error!("refused with {}: {}", failure.state.text(), failure.text);
        for finding in &failure.findings {
            log::info!("{finding}");
        }
        connections::set_diagnostics(connection, Diagnostics::of_failure(&failure));
    };
    // Handling a refusal writes to the log, so it also happens inside the boundary.
    guard::catch(|| attempt().map(Box::into_raw).map_err(refuse).ok()).unwrap_or_else(|()| {
        refuse(Failure::defect());
        None
    })
}

/// Checks in this order: target, `TargetDriver`, discovery, length.
fn prepare(connection: HDbc, request: Request, completed: Option<Completed>) -> Result<Prepared, Failure> {
    let target = state::loaded()?;
    let kind = &loading::kind(target);
    let preset = connections::with(connection, |state| state.preset.clone());
    let wanted = Wanted {
        target,
        kind,
        platform: Machine.platform(),
        preset,
        files_unseen: false,
        ends_open: request.ends_open,
    };
    let mut search = Search::default();
    let rewritten = loopback::rewrite(&Machine, &wanted, &request.attributes, &mut search);
    for warning in &search.warnings {
        log::warn!("{warning}");
    }
    let rewritten = rewritten.map_err(|failure| search.explain(failure))?;
    for finding in &search.findings {
        log::info!("{finding}");
    }
    log::info!("connecting with: {}", rewritten.shown());
    let mut string = rewritten.target_string();
    if string.len() > LONGEST {
        return Err(Failure::new(
            Sqlstate::INVALID_LENGTH,
            format!(
                "The connection string for the target has {} characters; ODBC allows {LONGEST}. Shorten the \
                 application's connection string or the values in the DSN section.",
                string.len()
            ),
        ));
    }
    string.push(0);
    Ok(Prepared { string, rewritten, stopped: request.stopped, completed })
}

impl Prepared {
    /// Adds to the target's answer: the completed string, and the library's own records.
    ///
    /// # Safety
    /// The pointers of `completed` are null or can be written to.
    unsafe fn finish(self: Box<Self>, connection: HDbc, code: SqlReturn, of_target: &TargetRecords) -> SqlReturn {
        if code == SqlReturn::STILL_EXECUTING {
            connections::with(connection, |state| state.pending = Some(self));
            return code;
        }
        let mut records = Vec::new();
        if let Some(Stopped { position, reason }) = &self.stopped {
            let text = format!(
                "The connection string was read only up to character {position}: {}. The rest was ignored.",
                reason.text()
            );
            records.push(Record::new(Sqlstate::INVALID_ATTRIBUTE, &text));
        }
        let mut explained = None;
        if code == SqlReturn::ERROR {
            let of_target = of_target.to_vec();
            let hint = hints::hint(&self.rewritten, &of_target);
            if let (Some(first), Some((state, hint))) = (hints::shown_first(&of_target, Machine.platform()), hint) {
                let (number, first) = first;
                let behind = hints::behind(first, &hint);
                if !behind.as_ref().is_some_and(|(_, is_whole)| *is_whole) {
                    records.extend(Record::all(&Failure::new(Sqlstate(state), hint)));
                }
                explained = behind.map(|(text, _)| {
                    let (state, native_error) = (Sqlstate(first.state), first.native_error);
                    (number, Record { state, native_error, text: text.encode_utf16().collect() })
                });
            }
        }
        if succeeded(code) {
            connections::with(connection, |state| state.was_open = true);
            // SAFETY: the caller's promise.
            let write = |completed: &Completed| unsafe { completed.write(&self.rewritten.returned_string()) };
            if self.completed.as_ref().is_some_and(write) {
                let text = "The completed connection string was longer than the buffer.";
                records.push(Record::new(Sqlstate::TRUNCATED, text));
            }
        }
        if records.is_empty() && explained.is_none() {
            return code;
        }
        let code = if code == SqlReturn::SUCCESS { SqlReturn::SUCCESS_WITH_INFO } else { code };
        connections::set_diagnostics(connection, Diagnostics { records, explained, target_called: true, code });
        code
    }
}

impl Completed {
    /// Writes the completed string for the application; the reported length is the whole string's. Returns whether the
    /// string was truncated.
    ///
    /// # Safety
    /// The pointers are null or can be written to.
    unsafe fn write(&self, string: &[u16]) -> bool {
        // SAFETY: the caller's promise. The string had at most LONGEST code units, but the database may have made it
        // longer.
        unsafe {
            output::put(self.length, i16::try_from(string.len()).unwrap_or(i16::MAX));
            output::put_string(self.buffer, self.capacity, string)
        }
    }
}

/// A caller's string: `length` in characters, or SQL_NTS. Null counts as empty.
///
/// # Safety
/// `string` is null, or can be read for `length` code units, or up to its NUL if `length` is SQL_NTS.
unsafe fn input(string: *const WChar, length: i16, what: &str) -> Result<Vec<u16>, Failure> {
    // SAFETY: the caller's promise; ODBC promises no alignment.
    let unit = |index| unsafe { string.add(index).read_unaligned() };
    if string.is_null() {
        return Ok(Vec::new());
    }
    if length == NTS {
        return Ok((0..).map(unit).take_while(|&unit| unit != 0).collect());
    }
    let mut units: Vec<u16> = (0..not_negative(length, what)?).map(unit).collect();
    // Some programs include the NUL in the length; they mean the same string.
    while units.last() == Some(&0) {
        units.pop();
    }
    Ok(units)
}

fn not_negative(length: i16, what: &str) -> Result<usize, Failure> {
    usize::try_from(length)
        .map_err(|_| Failure::new(Sqlstate::INVALID_LENGTH, format!("The length of the {what} is {length}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::utf16;

    /// What a driver with 16-bit characters reads from these 32-bit characters: `units` code units, or up to the first
    /// NUL.
    fn misread(text: &str, units: Option<usize>) -> Vec<u16> {
        let wide: Vec<u16> =
            text.chars().flat_map(|c| [c as u32 as u16, (c as u32 >> 16) as u16]).chain([0, 0]).collect();
        let length = units.map_or(NTS, |units| units as i16);
        // SAFETY: there is a NUL at the end, and no test passes a longer length.
        unsafe { input(wide.as_ptr(), length, "connection string") }.unwrap()
    }

    #[track_caller]
    fn refused(request: Result<Request, Failure>, state: Sqlstate, evidence: &str) {
        let failure = request.expect_err("it is refused");
        assert_eq!(failure.state, state, "{}", failure.text);
        for part in [evidence, "3.52.14"] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
        assert_eq!(failure.records().len(), 1, "{}", failure.text);
    }

    #[test]
    fn a_connection_string_of_32_bit_characters_is_refused() {
        let string = "DSN=Loopback;Database=Sales";
        refused(Request::parse(&misread(string, None)), Sqlstate::GENERAL, "no keyword");
        for units in 2..=string.len() {
            let evidence = if units == 2 { "no keyword" } else { "a NUL" };
            refused(Request::parse(&misread(string, Some(units))), Sqlstate::GENERAL, evidence);
        }
    }

    #[test]
    fn strings_that_are_not_misread_are_accepted() {
        let string = utf16("DSN=Loopback;");
        for (string, attributes) in [("", 0), ("DSN=Loopback;;", 1), ("D=", 1), ("=", 1)] {
            assert_eq!(Request::parse(&utf16(string)).map(|it| it.attributes.len()), Ok(attributes), "{string}");
        }
        // Two NULs that are included in the length.
        let counted = [&string[..], &[0, 0]].concat();
        // SAFETY: the length is the vector's.
        let read = unsafe { input(counted.as_ptr(), counted.len() as i16, "connection string") };
        assert_eq!(read, Ok(string));
    }

    #[test]
    fn the_arguments_of_sqlconnect_make_a_request() {
        let named = |name: Vec<u16>| {
            Request::of_arguments(&[("DSN", name), ("UID", utf16("u")), ("PWD", Vec::new())])
                .map(|it| it.attributes.len())
        };
        assert_eq!(named(utf16("Loopback")), Ok(2));
        assert_eq!(named(Vec::new()), Ok(1));
        let misread = |units| Request::of_arguments(&[("DSN", misread("Loopback", units))]);
        refused(misread(Some(8)), Sqlstate::GENERAL, "a NUL");
        // Up to its first NUL it is a valid name, but odbc.ini has no section for it.
        let Request { attributes, .. } = misread(None).unwrap();
        assert_eq!(attributes[0].text().reveal(), "L");
    }
}
