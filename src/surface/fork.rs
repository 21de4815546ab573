//! For a process that forks while its threads are inside ODBC calls, as R's `mclapply` and Python's `multiprocessing`
//! do.
//!
//! The child has only the thread that forked. A lock that another thread held would be locked for ever in the child,
//! and the data under it might be half-changed. So the forking thread first takes the library's locks, and both
//! processes then release them.
//!
//! There are two locks, taken in this order: the lock of [`state`], under which everything that exists only once is
//! created, including the installer library and the log; and the lock of [`connections`]. A fork waits while a target
//! is being loaded.

use crate::surface::connections;
use crate::target::state;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What the forking thread holds.
type Held = (state::Guard, connections::Guard);

/// From before the fork until after it. The thread that stores here holds the locks, so there is only one at a time.
static HELD: AtomicPtr<Held> = AtomicPtr::new(std::ptr::null_mut());

/// Registered when the library is loaded, not when it is first used: no fork may happen between the first use of a lock
/// and the registration.
#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOADING: extern "C" fn() = handle_forks;

extern "C" fn handle_forks() {
    // SAFETY: the library is never unloaded, so the handlers stay valid. The call fails only when memory is short; a
    // fork then works as it would without the handlers.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}

unsafe extern "C" fn before() {
    let held: Held = (state::lock(), connections::lock());
    HELD.store(Box::into_raw(Box::new(held)), Relaxed);
}

unsafe extern "C" fn after() {
    let held = HELD.swap(std::ptr::null_mut(), Relaxed);
    // It is null if the library was loaded in the middle of a fork.
    if !held.is_null() {
        // SAFETY: `before` made it, on this thread or, in the child, on the thread that this one is a copy of.
        drop(unsafe { Box::from_raw(held) });
    }
}
