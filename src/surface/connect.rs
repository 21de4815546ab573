//! `SQLDriverConnectW`, `SQLConnectW` and `SQLBrowseConnectW`: where a pseudo DSN becomes a loopback string.
//!
//! All three end in the target's `SQLDriverConnectW`. A browse with `DSN` or `DRIVER` completes in one step, since there
//! is nothing left to ask for, and since the driver's own browse refuses the certificate form.

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

/// The longest string that the API can carry, in code units: its lengths are SQLSMALLINT.
const LONGEST: usize = i16::MAX as usize;

/// `SQLDriverConnectW`. Lengths are in characters. The target is always asked not to prompt: a dialog in a service
/// would wait for ever.
///
/// # Safety
/// The arguments are as the specification has them.
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
/// The arguments are as the specification has them.
pub unsafe fn browse_connect(
    connection: HDbc,
    string: *mut WChar,
    string_length: i16,
    buffer: *mut WChar,
    capacity: i16,
    length: *mut i16,
) -> SqlReturn {
    // SAFETY: the caller's promise, of which this function has a part.
    unsafe {
        let (window, completion) = (std::ptr::null_mut(), DriverConnectOption::NoPrompt as u16);
        driver_connect(connection, window, string, string_length, buffer, capacity, length, completion)
    }
}

/// `SQLConnectW`. Lengths are in characters. An empty or null user or password is one that was not given.
///
/// # Safety
/// The arguments are as the specification has them.
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
    // SAFETY: without an output there is nothing to promise.
    unsafe { connect_with(connection, request, None) }
}

/// What the application asks for.
#[derive(Debug)]
pub struct Request {
    attributes: Vec<Attribute<'static>>,
    stopped: Option<Stopped>,
    /// Whether the string ends in a keyword without a value, and without a semicolon.
    ends_open: bool,
}

impl Request {
    /// The request that a connection string makes.
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

    /// The request that `SQLConnectW` makes: keywords and values, the data source's name first.
    pub fn of_arguments(values: &[(&str, Vec<u16>)]) -> Result<Request, Failure> {
        if values.iter().any(|(_, value)| value.contains(&0)) {
            return Err(wide_characters("An argument of SQLConnect contains a NUL character"));
        }
        let given = values.iter().filter(|(_, value)| !value.is_empty());
        let attributes = given.map(|(keyword, value)| Attribute::new(keyword, value)).collect();
        Ok(Request { attributes, stopped: None, ends_open: false })
    }
}

/// A connection string that can only be one of 32-bit characters, misread: of a driver manager that does not ask for
/// [`DRIVER_UNICODE_TYPE`], the first release that does being iODBC's 3.52.14. Its strings have four bytes a
/// character, so that a connection string reads as its first character, or as all of them with NULs between.
fn wide_characters(evidence: &str) -> Failure {
    let text = format!(
        "{evidence}. This happens when the driver manager passes 32-bit characters and not 16-bit ones: use iODBC \
         3.52.14 or later, or unixODBC."
    );
    Failure::new(Sqlstate::GENERAL, text)
}

/// The common part: prepares the string, unless the target is still busy with an earlier one, calls the target, and adds to
/// its answer what is ours to add.
///
/// The target is called outside of the panic boundary, and while nothing of ours waits to be dropped: a thread that is
/// cancelled there ends as it would without us.
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
        // SAFETY: the driver manager gives a connection of the target, since there is one.
        unsafe { loading::introduce(connection, target) };
    }
    let Some(prepared) = ready(connection, request, completed) else { return SqlReturn::ERROR };
    // SAFETY: the string lives until the target has finished: until it is taken back below, or with the connection if the
    // target goes on with it.
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
    // SAFETY: `ready` has made it of a box, and it is nowhere else. The rest is the caller's promise.
    let finish = || unsafe { Box::from_raw(prepared).finish(connection, code, &records) };
    guard::catch(finish).unwrap_or(code)
}

/// What the target is to be given, of which the caller becomes the owner; none for a refusal, whose records are then the
/// connection's.
fn ready(
    connection: HDbc,
    request: impl FnOnce() -> Result<Request, Failure>,
    completed: Option<(*mut WChar, i16, *mut i16)>,
) -> Option<*mut Prepared> {
    let attempt = || {
        if let Some(prepared) = connections::with(connection, |state| state.pending.take()) {
            // A poll: the target reads the same string from the same place.
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
    // What is done about a refusal writes the log, so that it is inside, too.
    guard::catch(|| attempt().map(Box::into_raw).map_err(refuse).ok()).unwrap_or_else(|()| {
        refuse(Failure::defect());
        None
    })
}

/// The checks in their order: target, `TargetDriver`, discovery, length.
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
    /// Adds to the target's answer what is ours to add: the completed string, and records.
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
    /// Gives the application its string; the length is the whole string's. True when the string was cut.
    ///
    /// # Safety
    /// The pointers are null or can be written to.
    unsafe fn write(&self, string: &[u16]) -> bool {
        // SAFETY: the caller's promise. What came in as a string of at most LONGEST may have grown by the database.
        unsafe {
            output::put(self.length, i16::try_from(string.len()).unwrap_or(i16::MAX));
            output::put_string(self.buffer, self.capacity, string)
        }
    }
}

/// A caller's string: `length` in characters, or SQL_NTS. Null is empty.
///
/// # Safety
/// `string` is null, or can be read for `length` code units, or up to its NUL with SQL_NTS.
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
    // A program that counts the NUL at the end means the same string.
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

    /// What a driver of 16-bit characters finds where these characters of 32 bits are: `units` of them, or up to the
    /// first NUL.
    fn misread(text: &str, units: Option<usize>) -> Vec<u16> {
        let wide: Vec<u16> =
            text.chars().flat_map(|c| [c as u32 as u16, (c as u32 >> 16) as u16]).chain([0, 0]).collect();
        let length = units.map_or(NTS, |units| units as i16);
        // SAFETY: there is a NUL at the end, and no test gives a longer length.
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
    fn what_is_not_a_misread_string_is_not_refused() {
        let string = utf16("DSN=Loopback;");
        for (string, attributes) in [("", 0), ("DSN=Loopback;;", 1), ("D=", 1), ("=", 1)] {
            assert_eq!(Request::parse(&utf16(string)).map(|it| it.attributes.len()), Ok(attributes), "{string}");
        }
        // Two NULs, counted.
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
        // Up to its first NUL it is a name, of which odbc.ini has no section.
        let Request { attributes, .. } = misread(None).unwrap();
        assert_eq!(attributes[0].text().reveal(), "L");
    }
}
