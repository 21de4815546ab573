//! What the library remembers of a connection: its own diagnostic records, attributes set before the connect, and a
//! connect that the target has not finished yet.
//!
//! This is the only state outside the target, and only functions that take an environment or a connection use it. Its
//! key is the target's handle. It is dropped with the handle, because the target reuses the address.

use crate::loopback::Rewritten;
use crate::loopback::connection_string::{Attribute, Stopped};
use crate::loopback::failure::{Failure, PREFIX, Sqlstate};
use crate::target::odbc::{HDbc, Pointer, SqlReturn, WChar};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A diagnostic record of this library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub state: Sqlstate,
    pub native_error: i32,
    pub text: Vec<u16>,
}

impl Record {
    pub fn new(state: Sqlstate, text: &str) -> Self {
        Record { state, native_error: 0, text: format!("{PREFIX}{text}").encode_utf16().collect() }
    }

    /// The records of a failure.
    pub fn all(failure: &Failure) -> Vec<Self> {
        let record =
            |text: String| Record { state: failure.state, native_error: 0, text: text.encode_utf16().collect() };
        failure.records().into_iter().map(record).collect()
    }
}

/// The records for the last call on a connection, in addition to the target's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    pub records: Vec<Record>,
    /// One of the target's records, by its number, with a hint appended to its text.
    pub explained: Option<(i16, Record)>,
    /// Whether the target was called. If not, its records belong to an earlier call and are hidden.
    pub target_called: bool,
    /// What this library's function returned: SQL_DIAG_RETURNCODE.
    pub code: SqlReturn,
}

impl Diagnostics {
    /// The records of a call that failed before it reached the target.
    pub fn of_failure(failure: &Failure) -> Self {
        Diagnostics { records: Record::all(failure), explained: None, target_called: false, code: SqlReturn::ERROR }
    }
}

/// One connection's state.
#[derive(Default)]
pub struct Connection {
    diagnostics: Option<Diagnostics>,
    /// Whether it is or was open. From then on only the target deals with attributes.
    pub was_open: bool,
    /// What attributes set before the first connect.
    pub preset: Vec<Attribute<'static>>,
    /// A connect for which the target returned SQL_STILL_EXECUTING.
    pub pending: Option<Box<Prepared>>,
}

/// A connect that is ready for the target. It is kept until the target has finished, because in asynchronous execution
/// the arguments of the first call count and those of later polls do not.
pub struct Prepared {
    /// Ends in a NUL, for a target that relies on one.
    pub string: Vec<u16>,
    pub rewritten: Rewritten,
    pub stopped: Option<Stopped>,
    pub completed: Option<Completed>,
}

/// Where the application wants the completed connection string; `capacity` is in characters and includes the NUL.
pub struct Completed {
    pub buffer: *mut WChar,
    pub capacity: usize,
    pub length: *mut i16,
}

// SAFETY: the application keeps its buffers until the connect has finished, whichever thread finishes it.
unsafe impl Send for Completed {}

static CONNECTIONS: Mutex<BTreeMap<usize, Connection>> = Mutex::new(BTreeMap::new());

/// How many connections have records. In most processes none ever has, so a forwarded call reads only this. It changes
/// together with the map and under its lock, so a fork finds them consistent.
static WITH_RECORDS: AtomicUsize = AtomicUsize::new(0);

/// The map's lock, held.
pub type Guard = MutexGuard<'static, BTreeMap<usize, Connection>>;

/// Takes the map's lock.
pub fn lock() -> Guard {
    CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads or changes a connection's state, and creates it if there is none.
pub fn with<T>(connection: HDbc, action: impl FnOnce(&mut Connection) -> T) -> T {
    action(lock().entry(connection.0.addr()).or_default())
}

/// Remembers what an attribute sets, unless the connection is or was open.
pub fn preset(connection: HDbc, said: Attribute<'static>) {
    with(connection, |state| {
        if !state.was_open {
            state.preset.retain(|earlier| earlier.keyword != said.keyword);
            state.preset.push(said);
        }
    });
}

/// The library's own records for a connection.
pub fn diagnostics(connection: HDbc) -> Option<Diagnostics> {
    if !any_records() {
        return None;
    }
    lock().get(&connection.0.addr())?.diagnostics.clone()
}

/// Replaces the library's own records for a connection.
pub fn set_diagnostics(connection: HDbc, diagnostics: Diagnostics) {
    with(connection, |state| {
        if state.diagnostics.replace(diagnostics).is_none() {
            WITH_RECORDS.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Clears the records of earlier calls on a handle. Every function except the diagnostic ones must do this.
#[inline]
pub fn clear_records(handle: Pointer) {
    if any_records() {
        clear(handle);
    }
}

#[inline]
fn any_records() -> bool {
    WITH_RECORDS.load(Ordering::Relaxed) != 0
}

#[cold]
fn clear(handle: Pointer) {
    let mut connections = lock();
    if connections.get_mut(&handle.addr()).and_then(|state| state.diagnostics.take()).is_some() {
        WITH_RECORDS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Forgets a connection and returns its state.
pub fn take(connection: HDbc) -> Option<Connection> {
    let mut connections = lock();
    let state = connections.remove(&connection.0.addr())?;
    if state.diagnostics.is_some() {
        WITH_RECORDS.fetch_sub(1, Ordering::Relaxed);
    }
    Some(state)
}

/// Puts back the result of [`take`] without its records, for a handle that could not be freed.
pub fn put_back(connection: HDbc, state: Connection) {
    lock().insert(connection.0.addr(), Connection { diagnostics: None, ..state });
}
