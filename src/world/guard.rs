//! The boundary around this library's own code, which protects the host process. A panic, which is a defect, is caught
//! here. A cancellation of the thread, which the program wants, is delayed until this code has finished.

use crate::world::uncancelled;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code that might panic. The place of a panic is written to standard error ([`crate::world::logging`]).
///
/// Only code that computes runs inside. Forwarded calls do not, because they run none of this library's code.
pub fn catch<T>(action: impl FnOnce() -> T) -> Result<T, ()> {
    // A panic cannot leave state half-changed: state is only replaced as a whole, under its lock.
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
