//! The library's inputs, each as a target of libFuzzer. For every input three things must hold:
//!
//! - No panic, and no arithmetic overflow.
//! - No unintended attribute: everything in the string for the target, parsed again, comes from a source, from
//!   discovery, or is a section keyword that the target does not read itself ([`meant`]).
//! - No secret is shown: wherever a password stands, no output for people contains it ([`secrets`]).
//!
//! `scripts/fuzz` builds and runs this. The variable `FUZZ_TARGET` names the target, and `FUZZ_CPU_SECONDS` limits the
//! processor time.

#![no_main]

mod c_interface;
mod input;
mod meant;
mod netlink;
mod pem;
mod proc;
mod reference;
mod secrets;
mod strings;

use input::SECRET;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::sync::OnceLock;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 7] = [
    ("connection_string", strings::connection_string),
    ("section", strings::section),
    ("official_string", strings::official_string),
    ("proc", proc::proc),
    ("netlink", netlink::netlink),
    ("pem", pem::pem),
    ("c_interface", c_interface::c_interface),
];

fn target() -> Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(name, _)| *name == wanted);
        found.unwrap_or_else(|| panic!("FUZZ_TARGET={wanted} is none of {:?}", TARGETS.map(|(name, _)| name))).1
    })
}

fuzz_target!(|input: &[u8]| -> Corpus {
    // libFuzzer learns the words with which an input is compared. The password counts only where it is planted as one.
    if input.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        return Corpus::Reject;
    }
    target()(input);
    end_in_time();
    Corpus::Keep
});

/// libFuzzer's own limit is elapsed time, which on a busy machine says little about the amount of work.
fn end_in_time() {
    static LIMIT: OnceLock<Option<i64>> = OnceLock::new();
    let limit = LIMIT.get_or_init(|| std::env::var("FUZZ_CPU_SECONDS").ok()?.parse().ok());
    let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a time structure.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut used) };
    if limit.is_some_and(|limit| used.tv_sec >= limit) {
        // SAFETY: libFuzzer treats this signal as the request to stop.
        unsafe { libc::raise(libc::SIGUSR1) };
    }
}
