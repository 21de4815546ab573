//! The transcript: lines on standard output, one program after another. Two runs of a program on the same target
//! produce the same lines, so values from outside (addresses, times, session numbers) are not written at all.
//!
//! The actions of other threads are not written, because their position among the lines would be random.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The start of the line with a program's name.
pub const PROGRAM: &str = "## ";

static LINES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

/// From now on the actions of this thread are written.
pub fn begin() {
    WRITES.set(true);
}

/// Runs an action that leaves no trace, such as one that is repeated until something happens.
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
        // Each line of the transcript is one line, whatever a message contains.
        println!("{}", line.replace('\r', "\\r").replace('\n', "\\n"));
    }
}

/// Writes what is formatted.
#[macro_export]
macro_rules! note {
    ($($argument:tt)*) => { $crate::transcript::write(&format!($($argument)*)) };
}
