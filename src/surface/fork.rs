//! A process that forks while its threads are inside ODBC calls, as R's `mclapply` and Python's `multiprocessing` do.
//!
//! The child has only the thread that forked: a lock of ours that another thread held would be held there for ever, and
//! what it guards might be half-changed. So whoever forks takes our locks first, and both processes let go of them.
//!
//! There are two, taken in this order: [`state`]'s, under which everything that is made only once is made, the
//! installer library and the log among it; and [`connections`]'. A fork waits for a target that is being loaded.

use crate::surface::connections;
use crate::target::state;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What the forking thread holds.
type Held = (state::Guard, connections::Guard);

/// From before the fork until after it. Whoever stores here holds the locks, so there is one at a time.
static HELD: AtomicPtr<Held> = AtomicPtr::new(std::ptr::null_mut());

/// With the library's loading, not with its first use: between taking a lock for the first time and this there must be
/// no moment in which to fork.
#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOADING: extern "C" fn() = handle_forks;

extern "C" fn handle_forks() {
    // SAFETY: the library is never unloaded, so the handlers stay. It fails only for want of memory; a fork is then as
    // it would be without.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}

unsafe extern "C" fn before() {
    let held: Held = (state::lock(), connections::lock());
    HELD.store(Box::into_raw(Box::new(held)), Relaxed);
}

unsafe extern "C" fn after() {
    let held = HELD.swap(std::ptr::null_mut(), Relaxed);
    // Nothing is held when the library was loaded in the middle of a fork.
    if !held.is_null() {
        // SAFETY: `before` has made it, on this thread, or on the one that this is the copy of.
        drop(unsafe { Box::from_raw(held) });
    }
}
