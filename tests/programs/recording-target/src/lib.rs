//! An ODBC driver for tests: it records each call with all arguments, and returns what the test sets.
//!
//! Its functions are made from the library's own table of entry points, so it has exactly those. Settings and recorded
//! calls belong to the thread, so tests can run in parallel. See [`control`].
//!
//! A call without a setting does the minimum that a driver manager needs ([`behaviour`]). The target knows its handles
//! and answers SQL_INVALID_HANDLE for all others, without accessing memory behind them.

#[path = "../../../common/abi.rs"]
mod abi;
mod behaviour;
mod control;
mod handles;

use abi::*;

type WChar = u16;

/// An argument as it arrived, zero-extended, so all arguments fit into one list.
trait Argument {
    fn bits(self) -> u64;
}

impl Argument for i16 {
    fn bits(self) -> u64 {
        self.cast_unsigned().into()
    }
}

impl Argument for u16 {
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Argument for i32 {
    fn bits(self) -> u64 {
        self.cast_unsigned().into()
    }
}

impl Argument for isize {
    fn bits(self) -> u64 {
        self as u64
    }
}

impl Argument for usize {
    fn bits(self) -> u64 {
        self as u64
    }
}

impl<T> Argument for *mut T {
    fn bits(self) -> u64 {
        self.addr() as u64
    }
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// The identifiers of all functions, for SQLGetFunctions.
        const FUNCTION_IDS: &[u16] = &[$($id),*];

        $(
            /// # Safety
            /// The arguments are as the specification requires, or the test set what the call returns.
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, clippy::too_many_arguments)]
            pub unsafe extern "system" fn $name($($argument: $type),*) -> Return {
                let arguments = [$($argument.bits()),*];
                // SAFETY: the caller's promise.
                unsafe { behaviour::call(stringify!($name), &arguments) }
            }
        )*
    };
}

include!("../../../../src/target/table.rs");
