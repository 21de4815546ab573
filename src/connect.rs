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
use crate::loopback::{self, Rewritten, hints};
use crate::odbc::*;
use crate::output;
use crate::target;
use crate::world::Machine;

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
        Ok(Request::parse(&string))
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
        let given = values.iter().filter(|(_, value)| !value.is_empty());
        Ok(Request {
            attributes: given.map(|(keyword, value)| Attribute::new(keyword, value)).collect(),
            stopped: None,
        })
    };
    // SAFETY: without an output there is nothing to promise.
    unsafe { connect_with(connection, request, None) }
}

/// What the application asks for.
struct Request {
    attributes: Vec<Attribute<'static>>,
    stopped: Option<Stopped>,
}

impl Request {
    fn parse(string: &[u16]) -> Request {
        let parsed = parse(string);
        Request { attributes: parsed.attributes.iter().map(Attribute::to_static).collect(), stopped: parsed.stopped }
    }
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
                Box::new(prepare(request()?, completed.transpose()?)?)
            }
        };
        // SAFETY: the caller's promise.
        Ok(unsafe { call_target(connection, prepared) })
    };
    let outcome = guard::catch(attempt).unwrap_or_else(|()| {
        let text = "This is a defect of loopback-odbc. Please report it, with what standard error shows of it.";
        Err(Failure::new(Sqlstate::GENERAL, text))
    });
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
fn prepare(request: Request, completed: Option<Completed>) -> Result<Prepared, Failure> {
    let target = target::loaded()?;
    let rewritten = loopback::rewrite(&Machine, target, &request.attributes)?;
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
    for finding in &prepared.rewritten.findings {
        log::info!("{finding}");
    }
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
    Ok((0..not_negative(length, what)?).map(unit).collect())
}

fn not_negative(length: i16, what: &str) -> Result<usize, Failure> {
    usize::try_from(length)
        .map_err(|_| Failure::new(Sqlstate::INVALID_LENGTH, format!("The length of the {what} is {length}.")))
}
