//! Whether there is a target, and the handles of the absent one. Loading sets them under its lock; all calls read them.

use crate::loopback::choice::Target;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::target::odbc::{Handle, Pointer};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Set once and never changed, because handles of the target are in use from then on.
pub static LOADED: OnceLock<Target> = OnceLock::new();

/// Why there is no target, and its replacement. Loading holds this lock.
static ABSENT: Mutex<Absent> = Mutex::new(Absent { reason: None, handles: Handles::new() });

pub struct Absent {
    pub reason: Option<Failure>,
    pub handles: Handles,
}

/// The load lock, held.
pub type Guard = MutexGuard<'static, Absent>;

/// Takes the load lock.
pub fn lock() -> Guard {
    ABSENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs a function on the absent target's handles, under the load lock.
pub fn with_absent_handles<T>(action: impl FnOnce(&mut Handles) -> T) -> T {
    action(&mut lock().handles)
}

/// The loaded target.
///
/// # Errors
/// IM003 with every name and path that was tried.
pub fn loaded() -> Result<&'static Target, Failure> {
    LOADED.get().ok_or_else(|| {
        let never_tried = || Failure::new(Sqlstate::DRIVER_NOT_LOADED, "No environment was ever allocated.");
        lock().reason.clone().unwrap_or_else(never_tried)
    })
}

/// The target, if one is loaded.
pub fn if_loaded() -> Option<&'static Target> {
    LOADED.get()
}

/// Whether a target is loaded.
pub fn is_loaded() -> bool {
    LOADED.get().is_some()
}

/// The handles of the absent target that are alive. The load lock protects them.
pub struct Handles {
    pub alive: BTreeMap<usize, AbsentHandle>,
    last: usize,
}

pub struct AbsentHandle {
    pub handle_type: i16,
    /// SQL_ATTR_ODBC_VERSION of an environment: the driver manager reads back what it set.
    pub odbc_version: i32,
}

impl Handles {
    pub const fn new() -> Self {
        Handles { alive: BTreeMap::new(), last: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    pub fn allocate(&mut self, handle_type: i16) -> Handle {
        self.last += 1;
        self.alive.insert(self.last, AbsentHandle { handle_type, odbc_version: 0 });
        Handle(std::ptr::without_provenance_mut(self.last))
    }

    pub fn get(&mut self, handle: Pointer) -> Option<&mut AbsentHandle> {
        self.alive.get_mut(&handle.addr())
    }
}
