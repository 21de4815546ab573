//! `SQLDriverConnectW`, `SQLConnectW` and `SQLBrowseConnectW`: where a pseudo DSN becomes a loopback string.
//!
//! All three end in the target's `SQLDriverConnectW`. A browse with `DSN` or `DRIVER` completes in one step, since there
//! is nothing left to ask for, and since the driver's own browse refuses the certificate form.

use crate::connection_string::{Attribute, Stopped, parse, shown};
use crate::connections::{self, Diagnostics, Record};
use crate::diagnostics;
use crate::entry_points;
use crate::failure::{Failure, Sqlstate};
use crate::guard;
use crate::loopback::search::Search;
use crate::loopback::{self, Rewritten, Wanted, hints};
use crate::odbc::*;
use crate::output;
use crate::registration;
use crate::target;
use crate::world::{Machine, World};

/// The longest string that the API can carry, in code units: its lengths are SQLSMALLINT.
const LONGEST: usize = i16::MAX as usize;

/// A connect that is ready for the target, and kept until the target has finished with it: in asynchronous execution the
/// arguments of the first call count, and those of the polls do not.
pub struct Prepared {
    /// With a NUL at the end, for a target that counts on one.
    string: Vec<u16>,
    rewritten: Rewritten,
    stopped: Option<Stopped>,
    completed: Option<Completed>,
}

/// Where the application wants the completed connection string; `capacity` in characters with the NUL.
struct Completed {
    buffer: *mut WChar,
    capacity: usize,
    length: *mut i16,
}

// SAFETY: the application keeps its buffers until the connect has finished, whichever thread finishes it.
unsafe impl Send for Completed {}

/// `SQLDriverConnectW`. Lengths are in characters. The target is always asked not to prompt: a dialog in a service
/// would wait for ever.
///
/// # Safety
/// The arguments are as the specification has them.
#[allow(clippy::too_many_arguments)]
pub unsafe fn driver_connect(
    connection: Handle,
    _window: Pointer,
    string: *mut WChar,
    string_length: i16,
    buffer: *mut WChar,
    capacity: i16,
    length: *mut i16,
    _completion: u16,
) -> Return {
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
    connection: Handle,
    string: *mut WChar,
    string_length: i16,
    buffer: *mut WChar,
    capacity: i16,
    length: *mut i16,
) -> Return {
    // SAFETY: the caller's promise, of which this function has a part.
    unsafe {
        let (window, completion) = (std::ptr::null_mut(), SQL_DRIVER_NOPROMPT);
        driver_connect(connection, window, string, string_length, buffer, capacity, length, completion)
    }
}

/// `SQLConnectW`. Lengths are in characters. An empty or null user or password is one that was not given.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn connect(
    connection: Handle,
    data_source: *mut WChar,
    data_source_length: i16,
    user: *mut WChar,
    user_length: i16,
    password: *mut WChar,
    password_length: i16,
) -> Return {
    let request = || {
        // SAFETY: the caller's promise.
        let values = unsafe {
            [
                ("DSN", input(data_source, data_source_length, "data source name")?),
                ("UID", input(user, user_length, "user name")?),
                ("PWD", input(password, password_length, "password")?),
            ]
        };
        Request::of_arguments(&Machine, &values)
    };
    // SAFETY: without an output there is nothing to promise.
    unsafe { connect_with(connection, request, None) }
}

/// What the application asks for.
#[derive(Debug)]
pub struct Request {
    attributes: Vec<Attribute<'static>>,
    stopped: Option<Stopped>,
}

impl Request {
    /// The request that a connection string makes.
    pub fn parse(string: &[u16]) -> Result<Request, Failure> {
        let parsed = parse(string);
        if string.contains(&0) {
            return Err(wide_characters("The connection string has a NUL in it"));
        }
        if parsed.attributes.is_empty() && !string.is_empty() {
            return Err(wide_characters("The connection string has no attribute, such as DSN=Loopback"));
        }
        let attributes = parsed.attributes.iter().map(Attribute::to_static).collect();
        Ok(Request { attributes, stopped: parsed.stopped })
    }

    /// The request that `SQLConnectW` makes: keywords and values, the data source's name first.
    pub fn of_arguments(world: &dyn World, values: &[(&str, Vec<u16>)]) -> Result<Request, Failure> {
        if values.iter().any(|(_, value)| value.contains(&0)) {
            return Err(wide_characters("An argument of SQLConnect has a NUL in it"));
        }
        let given = values.iter().filter(|(_, value)| !value.is_empty());
        let attributes: Vec<_> = given.map(|(keyword, value)| Attribute::new(keyword, value)).collect();
        // Of a longer name in 32-bit characters the first one is read. Other names are left alone: a driver manager that
        // is a part of the program may have its odbc.ini elsewhere.
        if let Some(name) = attributes.first().filter(|first| first.is("DSN") && first.value().len() == 1)
            && registration::leads_nowhere(world, &name.text())
        {
            let text = format!(
                "odbc.ini has no section [{}]. The name may have been longer: a name in characters of 32 bits, where this \
                 driver's have 16, is read up to its first. If the driver manager gives such, {REMEDY}",
                name.text()
            );
            return Err(Failure::new(Sqlstate::DATA_SOURCE_NOT_FOUND, text));
        }
        Ok(Request { attributes, stopped: None })
    }
}

/// What to do about a driver manager that does not ask for [`SQL_ATTR_DRIVER_UNICODE_TYPE`], the first release that
/// does being iODBC's 3.52.14. Its strings have four bytes a character, so that a connection string reads as its first
/// character, or as all of them with NULs between.
const REMEDY: &str = "use iODBC 3.52.14 or later, or unixODBC.";

/// A connection string that can only be one of 32-bit characters, misread.
fn wide_characters(evidence: &str) -> Failure {
    let text = format!(
        "{evidence}, as when the driver manager gives characters of 32 bits, where this driver's have 16: {REMEDY}"
    );
    Failure::new(Sqlstate::GENERAL, text)
}

/// The common part: prepares the string, unless the target is still busy with an earlier one, and calls the target.
///
/// # Safety
/// The pointers of `completed` are null or can be written to.
unsafe fn connect_with(
    connection: Handle,
    request: impl FnOnce() -> Result<Request, Failure>,
    completed: Option<(*mut WChar, i16, *mut i16)>,
) -> Return {
    if connection.is_null() {
        return SQL_INVALID_HANDLE;
    }
    connections::clear_records(connection);
    let attempt = || {
        let prepared = match connections::with(connection, |state| state.pending.take()) {
            // A poll: the target reads the same string from the same place.
            Some(prepared) => prepared,
            None => {
                let completed = completed.map(|(buffer, capacity, length)| {
                    Ok(Completed { buffer, capacity: not_negative(capacity, "output buffer")?, length })
                });
                Box::new(prepare(connection, request()?, completed.transpose()?)?)
            }
        };
        // SAFETY: the caller's promise.
        Ok(unsafe { call_target(connection, prepared) })
    };
    let outcome = guard::catch(attempt).unwrap_or_else(|()| Err(Failure::defect()));
    outcome.unwrap_or_else(|failure| {
        log::error!("refused with {}: {}", failure.state.text(), failure.text);
        for finding in &failure.findings {
            log::info!("{finding}");
        }
        connections::set_diagnostics(connection, Diagnostics::of_failure(&failure));
        SQL_ERROR
    })
}

/// The checks in their order: target, `TargetDriver`, discovery, length.
fn prepare(connection: Handle, request: Request, completed: Option<Completed>) -> Result<Prepared, Failure> {
    let target = target::loaded()?;
    let kind = &target::kind(connection, target);
    let preset = connections::with(connection, |state| state.preset.clone());
    let wanted = Wanted { target, kind, platform: Machine.platform(), preset, files_unseen: false };
    let mut search = Search::default();
    let rewritten = loopback::rewrite(&Machine, &wanted, &request.attributes, &mut search);
    for warning in &search.warnings {
        log::warn!("{warning}");
    }
    let rewritten = rewritten.map_err(|failure| search.explain(failure))?;
    for finding in &search.findings {
        log::info!("{finding}");
    }
    let mut string = rewritten.target_string();
    if string.len() > LONGEST {
        return Err(Failure::new(
            Sqlstate::INVALID_LENGTH,
            format!(
                "The connection string for the target has {} characters; ODBC can carry {LONGEST}. Shorten what the \
                 application or the DSN section gives.",
                string.len()
            ),
        ));
    }
    string.push(0);
    Ok(Prepared { string, rewritten, stopped: request.stopped, completed })
}

/// Connects the target, and adds to its answer what is ours to add.
///
/// # Safety
/// The pointers of `prepared.completed` are null or can be written to.
unsafe fn call_target(connection: Handle, prepared: Box<Prepared>) -> Return {
    log::info!("the target is given: {}", shown(&prepared.rewritten.target));
    // SAFETY: the string lives until the target has finished: until here, or with the connection if it has not.
    let code = unsafe {
        entry_points::target::SQLDriverConnectW(
            connection,
            std::ptr::null_mut(),
            prepared.string.as_ptr().cast_mut(),
            (prepared.string.len() - 1) as i16,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
            SQL_DRIVER_NOPROMPT,
        )
    };
    if code == SQL_STILL_EXECUTING {
        connections::with(connection, |state| state.pending = Some(prepared));
        return code;
    }
    let mut records = Vec::new();
    if let Some(Stopped { position, reason }) = &prepared.stopped {
        let text = format!(
            "The connection string was read only up to character {position}: {}. What follows there was ignored.",
            reason.text()
        );
        records.push(Record::new(Sqlstate::INVALID_ATTRIBUTE, &text));
    }
    if prepared.rewritten.is_loopback && code == SQL_ERROR {
        let hint = hints::hint(&prepared.rewritten.target, &diagnostics::target_records(connection));
        records.extend(hint.into_iter().flat_map(|(state, text)| Record::all(&Failure::new(Sqlstate(state), text))));
    }
    if succeeded(code) {
        connections::with(connection, |state| state.data_source = Some(prepared.rewritten.data_source.clone()));
        // SAFETY: the caller's promise.
        let write = |completed: &Completed| unsafe { completed.write(&prepared.rewritten.returned_string()) };
        let cut = prepared.completed.as_ref().is_some_and(write);
        if cut {
            records
                .push(Record::new(Sqlstate::TRUNCATED, "The completed connection string was longer than the buffer."));
        }
    }
    if records.is_empty() {
        return code;
    }
    let code = if code == SQL_SUCCESS { SQL_SUCCESS_WITH_INFO } else { code };
    connections::set_diagnostics(connection, Diagnostics { records, target_called: true, code });
    code
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
    if length == SQL_NTS {
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
    use crate::world::Profile;
    use crate::world::fixture::Fixture;

    /// What a driver of 16-bit characters finds where these characters of 32 bits are: `units` of them, or up to the
    /// first NUL.
    fn misread(text: &str, units: Option<usize>) -> Vec<u16> {
        let wide: Vec<u16> =
            text.chars().flat_map(|c| [c as u32 as u16, (c as u32 >> 16) as u16]).chain([0, 0]).collect();
        let length = units.map_or(SQL_NTS, |units| units as i16);
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
        refused(Request::parse(&misread(string, None)), Sqlstate::GENERAL, "no attribute");
        for units in 2..=string.len() {
            let evidence = if units == 2 { "no attribute" } else { "a NUL" };
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
    fn a_data_source_s_first_character_is_refused() {
        let world = || Fixture::default().section(Profile::Odbc, "Loopback", &[("Driver", "SQL Server Loopback")]);
        let named = |world: &Fixture, name: Vec<u16>| {
            Request::of_arguments(world, &[("DSN", name), ("UID", utf16("u")), ("PWD", Vec::new())])
        };
        assert_eq!(named(&world(), utf16("Loopback")).map(|it| it.attributes.len()), Ok(2));
        assert_eq!(named(&world(), utf16("Elsewhere")).map(|it| it.attributes.len()), Ok(2));
        assert_eq!(named(&world(), Vec::new()).map(|it| it.attributes.len()), Ok(1));
        refused(named(&world(), misread("Loopback", None)), Sqlstate::DATA_SOURCE_NOT_FOUND, "no section [L]");
        refused(named(&world(), misread("Loopback", Some(8))), Sqlstate::GENERAL, "a NUL");
        // unixODBC loads the driver of this section for a name without one.
        let with_default = world().section(Profile::Odbc, "DEFAULT", &[("Driver", "SQL Server Loopback")]);
        assert_eq!(named(&with_default, utf16("E")).map(|it| it.attributes.len()), Ok(2));
    }
}
