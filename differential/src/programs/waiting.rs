//! Calls that take a while: cancelled from another thread, with a time limit, and asynchronous.

use crate::buffer::{Buffer, Text};
use crate::diagnostics;
use crate::note;
use crate::odbc::*;
use crate::session::{Setting, Statement};
use crate::transcript::unwritten;
use std::ptr::null_mut;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Much less than the slow query takes, and much more than a busy machine needs.
const SOON: Duration = Duration::from_secs(10);

/// The time that a cancel may take; it does not wait for the query.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Cancels until the query has returned, because a cancel before the query has begun does nothing. Returns whether all
/// cancels succeeded, and whether all returned at once.
fn cancel_until(returned: &Receiver<()>, cancel: impl Fn() -> Return) -> (bool, bool) {
    let (mut successful, mut at_once) = (true, true);
    // The pauses grow, because a cancel between the end of the query and its notification would clear the query's
    // records.
    let mut pause = Duration::from_millis(100);
    while returned.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let start = Instant::now();
        successful &= succeeded(cancel());
        at_once &= start.elapsed() < AT_ONCE;
        pause *= 2;
    }
    (successful, at_once)
}

pub fn cancelled(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    for by_handle in [false, true] {
        // Handles are addresses in the driver, which accepts them from any thread.
        let address = statement.handle.expose_provenance();
        let start = Instant::now();
        let (returns, returned) = channel();
        let canceller = thread::spawn(move || {
            let handle = std::ptr::with_exposed_provenance_mut(address);
            cancel_until(&returned, || {
                if by_handle { SQLCancelHandle(SQL_HANDLE_STMT, handle) } else { SQLCancel(handle) }
            })
        });
        // The records are read when the cancels have ended.
        let mut text = Text::of(setting.target.slow);
        // SAFETY: the statement and the text live until the call returns.
        let code = unsafe { quiet::SQLExecDirectW(statement.handle, text.p(), SQL_NTS.into()) };
        returns.send(()).expect("the canceller waits");
        let soon = start.elapsed() < SOON;
        let (successful, at_once) = canceller.join().expect("the canceller does not panic");
        note!("cancelled: {code}, soon: {soon}; the cancels successful: {successful}, at once: {at_once}");
        diagnostics::write(SQL_HANDLE_STMT, statement.handle);
        statement.direct("SELECT 'alive'");
        statement.results(1);
    }
    // Nothing is running here.
    SQLCancel(statement.handle);
    SQLCancelHandle(SQL_HANDLE_STMT, statement.handle);
    SQLCancelHandle(SQL_HANDLE_DBC, connection.handle);
    SQLCancelHandle(SQL_HANDLE_ENV, connection.environment);
    statement.direct("SELECT 1");
    SQLCancel(statement.handle);
    SQLFetch(statement.handle);
}

pub fn timed_out(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    statement.set(SQL_ATTR_QUERY_TIMEOUT, 1);
    let start = Instant::now();
    statement.direct(setting.target.slow);
    note!("soon: {}", start.elapsed() < SOON);
    statement.set(SQL_ATTR_QUERY_TIMEOUT, 0);
    statement.direct("SELECT 'alive'");
    statement.results(1);
}

/// Repeats a call until it has finished, and writes its final result.
fn polled(statement: &Statement, action: impl Fn() -> Return) -> Return {
    let start = Instant::now();
    loop {
        let code = unwritten(&action);
        if code != SQL_STILL_EXECUTING || start.elapsed() > 3 * SOON {
            note!("finished with {code}");
            if code != SQL_SUCCESS {
                diagnostics::write(SQL_HANDLE_STMT, statement.handle);
            }
            return code;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn asynchronous(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    statement.set(SQL_ATTR_ASYNC_ENABLE, 1);
    statement.get(SQL_ATTR_ASYNC_ENABLE);
    let show = || {
        let mut results = 0;
        loop {
            polled(&statement, || SQLFetch(statement.handle));
            let mut text = Buffer::new(40);
            let (value, capacity, length) = (text.p(), text.len(), &raw mut text.length);
            polled(&statement, || SQLGetData(statement.handle, 1, SQL_C_CHAR, value, capacity, length));
            note!("  {}", text.shown());
            results += 1;
            if results == 3 || !succeeded(polled(&statement, || SQLMoreResults(statement.handle))) {
                break;
            }
        }
        statement.close();
    };
    let started = statement.direct(setting.target.moment);
    if started == SQL_STILL_EXECUTING {
        polled(&statement, || statement.direct(setting.target.moment));
    }
    show();
    polled(&statement, || statement.prepare("SELECT 'prepared'"));
    polled(&statement, || SQLExecute(statement.handle));
    show();
    polled(&statement, || SQLTablesW(statement.handle, null_mut(), 0, null_mut(), 0, null_mut(), 0, null_mut(), 0));
    statement.close();
    // Other calls while one is running, which is then cancelled.
    if started == SQL_STILL_EXECUTING {
        statement.direct(setting.target.slow);
        SQLFetch(statement.handle);
        SQLGetData(statement.handle, 1, SQL_C_CHAR, null_mut(), 0, null_mut());
        SQLCancel(statement.handle);
        polled(&statement, || statement.direct(setting.target.slow));
        statement.close();
    }
    statement.set(SQL_ATTR_ASYNC_ENABLE, 0);
    statement.direct("SELECT 'alive'");
    statement.results(1);
}
