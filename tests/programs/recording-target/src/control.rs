//! How a test controls the recording target: it opens the same file, and calls these functions.

use crate::handles::Record;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, c_char};

/// What a call must return, and the records that it leaves on its handle.
pub struct Told {
    function: String,
    pub code: i16,
    pub records: Vec<Record>,
}

struct Call {
    function: &'static str,
    arguments: Vec<u64>,
}

thread_local! {
    static TOLD: RefCell<VecDeque<Told>> = const { RefCell::new(VecDeque::new()) };
    static CALLS: RefCell<VecDeque<Call>> = const { RefCell::new(VecDeque::new()) };
    static CONNECTION_STRING: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// The number of calls that are kept for each thread, so they do not accumulate if nobody asks for them.
const KEPT: usize = 64;

/// Makes the next call of a function on this thread return a code. A second use applies to the call after that, and so
/// on.
///
/// # Safety
/// `function` is a string with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recording_tell(function: *const c_char, code: i16) {
    // SAFETY: the caller's promise.
    let function = unsafe { text(function) };
    TOLD.with_borrow_mut(|told| told.push_back(Told { function, code, records: Vec::new() }));
}

/// Adds a diagnostic record to the latest setting.
///
/// # Safety
/// `state` and `message` are strings with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recording_tell_record(state: *const c_char, native_error: i32, message: *const c_char) {
    // SAFETY: the caller's promise.
    let record = unsafe { Record { state: text(state), native_error, text: text(message) } };
    TOLD.with_borrow_mut(|told| {
        if let Some(last) = told.back_mut() {
            last.records.push(record);
        }
    });
}

/// Takes the oldest call of this thread that has not been taken yet: writes its name with a NUL and its arguments, and
/// returns the number of arguments; -1 if there is no call.
///
/// # Safety
/// `name` has room for 32 bytes, `arguments` for 16 values; every name and every list fits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recording_take(name: *mut u8, arguments: *mut u64) -> i32 {
    let Some(call) = CALLS.with_borrow_mut(VecDeque::pop_front) else { return -1 };
    let bytes = call.function.as_bytes();
    // SAFETY: the caller's promise.
    unsafe {
        name.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        name.add(bytes.len()).write(0);
        arguments.copy_from_nonoverlapping(call.arguments.as_ptr(), call.arguments.len());
    }
    call.arguments.len() as i32
}

/// Writes the connection string of this thread's last connect, truncated to `capacity` code units, without a NUL, and
/// returns its length.
///
/// # Safety
/// `buffer` has room for `capacity` code units.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recording_connection_string(buffer: *mut u16, capacity: usize) -> usize {
    CONNECTION_STRING.with_borrow(|string| {
        // SAFETY: the caller's promise.
        unsafe { buffer.copy_from_nonoverlapping(string.as_ptr(), string.len().min(capacity)) };
        string.len()
    })
}

pub fn record(function: &'static str, arguments: &[u64]) {
    CALLS.with_borrow_mut(|calls| {
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back(Call { function, arguments: arguments.to_vec() });
    });
}

pub fn set_connection_string(string: Vec<u16>) {
    CONNECTION_STRING.set(string);
}

pub fn told(function: &str) -> Option<Told> {
    TOLD.with_borrow_mut(|told| {
        let position = told.iter().position(|told| told.function == function)?;
        told.remove(position)
    })
}

/// # Safety
/// `string` ends with a NUL.
unsafe fn text(string: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}
