//! A driver in front of another driver that only remembers which functions are called: those that the driver manager
//! passes on and does not answer itself.
//!
//! `DIFFERENTIAL_SPY_TARGET` is the real driver. The name of each function is written once to `DIFFERENTIAL_SPY_FILE`.

#[path = "../../tests/common/abi.rs"]
mod abi;

use abi::*;
use libloading::Library;
use std::io::Write;
use std::sync::{Once, OnceLock};

type WChar = u16;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn target() -> &'static Library {
    static TARGET: OnceLock<Library> = OnceLock::new();
    // SAFETY: the initialisers of a driver are its own business.
    TARGET.get_or_init(|| unsafe { Library::new(variable("DIFFERENTIAL_SPY_TARGET")) }.expect("the real driver loads"))
}

fn remember(name: &str) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(variable("DIFFERENTIAL_SPY_FILE"));
    writeln!(file.expect("the file can be opened"), "{name}").expect("the file can be written");
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {$(
        /// # Safety
        /// The arguments are as the specification requires.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub unsafe extern "system" fn $name($($argument: $type),*) -> Return {
            static ONCE: Once = Once::new();
            static FUNCTION: OnceLock<unsafe extern "system" fn($($type),*) -> Return> = OnceLock::new();
            ONCE.call_once(|| remember(stringify!($name)));
            // SAFETY: a function of this name has this type.
            let function = FUNCTION.get_or_init(|| unsafe { *target().get(stringify!($name).as_bytes()).expect("a function") });
            // SAFETY: the caller's arguments, unchanged.
            unsafe { function($($argument),*) }
        }
    )*};
}

include!("../../src/target/table.rs");
