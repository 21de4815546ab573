//! The target's functions, made from the table of entry points: for each function a slot with the target's function,
//! the replacement if there is none, and the typed call ([`call`]) that all code above uses.
//!
//! A row may name a replacement for the case that there is no target (`absent`), or that the target lacks the function
//! (`lacking`). Otherwise the replacement returns `SQL_ERROR`.
//!
//! The functions are those of Microsoft's driver: wide functions and, except on Windows, the narrow
//! `SQLSetConnectAttr`; no ANSI and no ODBC 2 functions. `docs/exports.md` lists what is left out, and what each of
//! those would break.
//!
//! Functions return an `i16` wherever another library calls or is called: `SqlReturn` is a C struct, which costs
//! instructions on AArch64 (`docs/decisions.md`).

use crate::target::odbc::{HDbc, HDesc, HEnv, HStmt, Handle, Len, Pointer, SqlReturn, ULen, WChar};
use crate::target::{absent, lacking, state};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// The only function in the table that Microsoft's driver for Windows does not have.
const NOT_ON_WINDOWS: &str = "SQLSetConnectAttr";

/// What the loader and the tests use of an entry point.
pub struct Row {
    pub name: &'static str,
    /// SQL_API_...: the function's identifier for `SQLGetFunctions`.
    pub function_id: u16,
    slot: &'static AtomicPtr<()>,
    filled: AtomicBool,
}

impl Row {
    /// Whether the library exports this function on this platform.
    pub fn is_exported(&self) -> bool {
        !cfg!(windows) || self.name != NOT_ON_WINDOWS
    }

    /// Connects the entry point to the target's function.
    pub fn fill(&self, function: *mut ()) {
        // Relaxed is enough: a caller has a handle, and handles are handed out after this.
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

        /// The functions that receive the calls: the absent target's until a target is loaded.
        #[allow(non_upper_case_globals)]
        mod slot {
            use super::*;
            $(pub static $name: AtomicPtr<()> = AtomicPtr::new(without::$name as *mut ());)*
        }

        /// What each function does without a target, or with a target that lacks it.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod without {
            use super::*;
            $(entry_points!(@without $name($($argument: $type),*) $($when $answer)?);)*
        }

        /// The target's functions. The safety of each is that of the specification: the arguments are as it requires.
        /// Two are never called, because every connect goes to the target's `SQLDriverConnectW`.
        #[allow(dead_code, non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc)]
        pub mod call {
            use super::*;
            $(
                #[inline(always)]
                pub unsafe fn $name($($argument: $type),*) -> SqlReturn {
                    let function = slot::$name.load(Relaxed);
                    // SAFETY: the slot holds a function of this name, this library's or the target's, and a function of
                    // this name has this type. The caller promises the arguments.
                    unsafe {
                        let function: unsafe extern "system-unwind" fn($($type),*) -> i16 = std::mem::transmute(function);
                        SqlReturn(function($($argument),*))
                    }
                }
            )*
        }
    };

    (@without $name:ident($($argument:ident: $type:ty),*)) => {
        pub unsafe extern "system-unwind" fn $name($(_: $type),*) -> i16 {
            SqlReturn::ERROR.0
        }
    };
    (@without $name:ident($($argument:ident: $type:ty),*) absent $absent:path) => {
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> i16 {
            if state::is_loaded() {
                return SqlReturn::ERROR.0;
            }
            // SAFETY: the caller's arguments, unchanged.
            unsafe { $absent($($argument),*) }.0
        }
    };
    (@without $name:ident($($argument:ident: $type:ty),*) lacking $lacking:path) => {
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> i16 {
            if !state::is_loaded() {
                return SqlReturn::ERROR.0;
            }
            // SAFETY: the caller's arguments, unchanged.
            unsafe { $lacking($($argument),*) }.0
        }
    };
}

include!("table.rs");
