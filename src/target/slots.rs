//! The table of entry points, read for the target: a slot for each function with the target's function behind it, what
//! takes its place without one, and the typed calls ([`call`]) that everything above makes.
//!
//! A row may say what happens without a target (`absent`), or with one that lacks the function (`lacking`); else it is
//! `SQL_ERROR`.
//!
//! The set is that of Microsoft's driver: wide functions and, except on Windows, the narrow `SQLSetConnectAttr`; no ANSI and
//! no ODBC 2 functions. What is left out, and what each of those would break, is in `docs/exports.md`.

use crate::target::odbc::{HDbc, HDesc, HEnv, HStmt, Handle, Len, Pointer, SqlReturn, ULen, WChar};
use crate::target::{absent, lacking, state};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// The one function that Microsoft's driver for Windows does not have.
const NOT_ON_WINDOWS: &str = "SQLSetConnectAttr";

/// What the loader and the tests know of an entry point.
pub struct Row {
    pub name: &'static str,
    /// SQL_API_...: what `SQLGetFunctions` knows it by.
    pub function_id: u16,
    slot: &'static AtomicPtr<()>,
    filled: AtomicBool,
}

impl Row {
    /// Whether the library has this function here.
    pub fn is_exported(&self) -> bool {
        !cfg!(windows) || self.name != NOT_ON_WINDOWS
    }

    /// Puts the target's function behind the entry point.
    pub fn fill(&self, function: *mut ()) {
        // Relaxed: whoever calls has a handle, and the handle was given out after this.
        self.slot.store(function, Relaxed);
        self.filled.store(true, Relaxed);
    }

    /// Whether the target has this function.
    pub fn is_filled(&self) -> bool {
        self.filled.load(Relaxed)
    }
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// All entry points.
        pub static ROWS: [Row; [$($id),*].len()] = [$(
            Row { name: stringify!($name), function_id: $id, slot: &slot::$name, filled: AtomicBool::new(false) },
        )*];

        /// The functions that calls go to: the absent target's until a target is loaded.
        #[allow(non_upper_case_globals)]
        mod slot {
            use super::*;
            $(pub static $name: AtomicPtr<()> = AtomicPtr::new(without::$name as *mut ());)*
        }

        /// What each function does without a target, or in a target that lacks it.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod without {
            use super::*;
            $(entry_points!(@without $name($($argument: $type),*) $($when $answer)?);)*
        }

        /// The target's functions. For each the safety is the specification's: the arguments are as it has them.
        /// Two are never called: every connect goes to the target's `SQLDriverConnectW`.
        #[allow(dead_code, non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc)]
        pub mod call {
            use super::*;
            $(
                #[inline(always)]
                pub unsafe fn $name($($argument: $type),*) -> SqlReturn {
                    let function = slot::$name.load(Relaxed);
                    // SAFETY: the slot holds a function of this name, ours or the target's, and the name promises its
                    // type. The caller promises the arguments.
                    unsafe {
                        let function: unsafe extern "system-unwind" fn($($type),*) -> SqlReturn = std::mem::transmute(function);
                        function($($argument),*)
                    }
                }
            )*
        }
    };

    (@without $name:ident($($argument:ident: $type:ty),*)) => {
        pub unsafe extern "system-unwind" fn $name($(_: $type),*) -> SqlReturn {
            SqlReturn::ERROR
        }
    };
    (@without $name:ident($($argument:ident: $type:ty),*) absent $absent:path) => {
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> SqlReturn {
            if state::is_loaded() {
                return SqlReturn::ERROR;
            }
            // SAFETY: the caller's arguments, unchanged.
            unsafe { $absent($($argument),*) }
        }
    };
    (@without $name:ident($($argument:ident: $type:ty),*) lacking $lacking:path) => {
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> SqlReturn {
            if !state::is_loaded() {
                return SqlReturn::ERROR;
            }
            // SAFETY: the caller's arguments, unchanged.
            unsafe { $lacking($($argument),*) }
        }
    };
}

include!("table.rs");
