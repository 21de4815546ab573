//! The transcript: lines on standard output, one program after another. Two runs of one program on one target give the
//! same lines, so whatever comes from outside (addresses, times, session numbers) is not written in the first place.
//!
//! What other threads do is not written, since its place among the lines would be left to chance.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What begins the line with a program's name.
pub const PROGRAM: &str = "## ";

static LINES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

/// From now on what this thread does is written.
pub fn begin() {
    WRITES.set(true);
}

/// Runs something that leaves no trace: what is repeated until something happens.
pub fn unwritten<T>(action: impl FnOnce() -> T) -> T {
    let before = WRITES.replace(false);
    let result = action();
    WRITES.set(before);
    result
}

pub fn is_written() -> bool {
    WRITES.get()
}

pub fn write(line: &str) {
    if WRITES.get() {
        LINES.fetch_add(1, Relaxed);
        // A line in the transcript is a line, whatever a message contains.
        println!("{}", line.replace('\r', "\\r").replace('\n', "\\n"));
    }
}

/// Writes what is formatted.
#[macro_export]
macro_rules! note {
    ($($argument:tt)*) => { $crate::transcript::write(&format!($($argument)*)) };
}
