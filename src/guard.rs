//! The panic boundary: a defect of ours must not take the host process down.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code that might panic; the error is the panic's own words.
///
/// Only code that computes goes through here. Forwarded calls do not: nothing of ours runs in them.
pub fn catch<T>(action: impl FnOnce() -> T) -> Result<T, String> {
    // State that a panic could leave half-changed is only ever replaced whole, under its lock.
    catch_unwind(AssertUnwindSafe(action)).map_err(|panic| words(&*panic))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_words() {
        assert_eq!(catch(|| 5), Ok(5));
        assert_eq!(catch(|| panic!("no {}", "way")), Err::<(), _>("no way".to_owned()));
    }
}
