//! The boundary around our own code: what ends it must not take the host process down. A panic is a defect of ours; a
//! cancellation of the thread is the program's wish, and waits until we are done.

use crate::world::uncancelled;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code that might panic. Where that was goes to standard error ([`crate::world::logging`]).
///
/// Only code that computes goes through here. Forwarded calls do not: nothing of ours runs in them.
pub fn catch<T>(action: impl FnOnce() -> T) -> Result<T, ()> {
    // State that a panic could leave half-changed is only ever replaced whole, under its lock.
    uncancelled(|| catch_unwind(AssertUnwindSafe(action)).map_err(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_here() {
        assert_eq!(catch(|| 5), Ok(5));
        assert_eq!(catch(|| panic!("no way")), Err::<(), _>(()));
    }
}
