//! The table of entry points, read for the driver manager: the exported functions. A row is the function's identifier for
//! `SQLGetFunctions`, its kind, and its signature in the ABI's types:
//!
//! - `forward`: takes a statement or a descriptor. A load and a jump, no more.
//! - `connection(handle)`: takes an environment or a connection. The same, after our own records on that handle are
//!   cleared, if any exist at all.
//! - `custom(function)`: ours to answer, in part or wholly.
//!
//! Exported functions are leaves: nothing in this library calls one, since the dynamic linker may bind such a call to
//! the driver manager's function of the same name. An exported function may be unwound through, as when its thread is
//! cancelled in the target (`extern "system-unwind"`).

use crate::surface::{answers, connect, connections, diagnostics};
use crate::target::odbc::{HDbc, HDesc, HEnv, HStmt, Handle, Len, Pointer, SqlReturn, ULen, WChar};
use crate::target::slots::call;

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// The exported functions. For each the safety is the specification's: the arguments are as it has them.
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc)]
        mod exported {
            use super::*;
            $(entry_points!(@export $name $kind $($detail)?, $($argument: $type),*);)*
        }
    };

    (@export SQLSetConnectAttr $($rest:tt)*) => {
        #[cfg(not(windows))]
        entry_points!(@exported SQLSetConnectAttr $($rest)*);
    };
    (@export $($row:tt)*) => { entry_points!(@exported $($row)*); };
    (@exported $name:ident $kind:ident $($detail:path)?, $($argument:ident: $type:ty),*) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> SqlReturn {
            entry_points!(@body $kind $($detail)?, $name($($argument),*))
        }
    };

    // SAFETY of the three: the caller's arguments, unchanged.
    (@body forward, $name:ident($($argument:ident),*)) => { unsafe { call::$name($($argument),*) } };
    (@body connection $handle:path, $name:ident($($argument:ident),*)) => {{
        connections::clear_records($handle.0);
        unsafe { call::$name($($argument),*) }
    }};
    (@body custom $function:path, $name:ident($($argument:ident),*)) => { unsafe { $function($($argument),*) } };
}

include!("../target/table.rs");
