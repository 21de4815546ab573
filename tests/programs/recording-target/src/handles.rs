//! The handles that are alive, and their diagnostic records.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A diagnostic record: SQLSTATE, native error and text.
#[derive(Clone)]
pub struct Record {
    pub state: String,
    pub native_error: i32,
    pub text: String,
}

#[derive(Default)]
pub struct Object {
    /// SQL_ATTR_ODBC_VERSION of an environment.
    pub odbc_version: i32,
    /// The records of the last call on this handle, and its return code.
    pub records: Vec<Record>,
    pub code: i16,
}

pub struct Handles {
    alive: BTreeMap<u64, Object>,
    freed: Vec<u64>,
    last: u64,
}

static HANDLES: Mutex<Handles> = Mutex::new(Handles { alive: BTreeMap::new(), freed: Vec::new(), last: FIRST });

/// Higher than the numbers that the library uses as handles when it has no target, so the two cannot be confused.
const FIRST: u64 = 0x5ec0_0000_0000;

pub fn lock() -> MutexGuard<'static, Handles> {
    HANDLES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handles {
    /// A new handle: the last one that was freed, if any, like drivers that allocate memory for handles.
    pub fn allocate(&mut self) -> u64 {
        let handle = self.freed.pop().unwrap_or_else(|| {
            self.last += 16;
            self.last
        });
        self.alive.insert(handle, Object::default());
        handle
    }

    /// Frees a handle, and returns whether it was alive.
    pub fn free(&mut self, handle: u64) -> bool {
        let known = self.alive.remove(&handle).is_some();
        if known {
            self.freed.push(handle);
        }
        known
    }

    pub fn get(&mut self, handle: u64) -> Option<&mut Object> {
        self.alive.get_mut(&handle)
    }
}
