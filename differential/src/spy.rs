//! A driver in front of a driver that does nothing but remember which functions are called: what the driver manager passes
//! on, and does not answer itself.
//!
//! `DIFFERENTIAL_SPY_TARGET` is the real driver, and `DIFFERENTIAL_SPY_FILE` gets the name of each function, once.

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
    // SAFETY: what a driver does when it is loaded is its own affair.
    TARGET.get_or_init(|| unsafe { Library::new(variable("DIFFERENTIAL_SPY_TARGET")) }.expect("the real driver loads"))
}

fn remember(name: &str) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(variable("DIFFERENTIAL_SPY_FILE"));
    writeln!(file.expect("the file can be opened"), "{name}").expect("the file can be written");
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {$(
        /// # Safety
        /// The specification's: the arguments are as it has them.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub unsafe extern "system" fn $name($($argument: $type),*) -> Return {
            static ONCE: Once = Once::new();
            static FUNCTION: OnceLock<unsafe extern "system" fn($($type),*) -> Return> = OnceLock::new();
            ONCE.call_once(|| remember(stringify!($name)));
            // SAFETY: the name promises the type.
            let function = FUNCTION.get_or_init(|| unsafe { *target().get(stringify!($name).as_bytes()).expect("a function") });
            // SAFETY: the caller's arguments, unchanged.
            unsafe { function($($argument),*) }
        }
    )*};
}

include!("../../src/target/table.rs");
