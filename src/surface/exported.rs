//! The exported functions, made from the table of entry points. A row consists of the function's identifier for
//! `SQLGetFunctions`, its kind, and its signature in the ABI's types:
//!
//! - `forward`: takes a statement or a descriptor. A load and a jump, nothing more.
//! - `connection(handle)`: takes an environment or a connection. The same, after the library's own records for that
//!   handle are cleared, if there are any.
//! - `custom(function)`: the library answers itself, partly or wholly.
//!
//! No code in this library calls an exported function, because the dynamic linker may bind such a call to the driver
//! manager's function of the same name. A call may unwind through an exported function, for example when its thread is
//! cancelled in the target (`extern "system-unwind"`).

use crate::surface::{answers, connect, connections, diagnostics};
use crate::target::odbc::{HDbc, HDesc, HEnv, HStmt, Handle, Len, Pointer, ULen, WChar};
use crate::target::slots::call;

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        /// The exported functions. The safety of each is that of the specification: the arguments are as it requires.
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
        pub unsafe extern "system-unwind" fn $name($($argument: $type),*) -> i16 {
            entry_points!(@body $kind $($detail)?, $name($($argument),*)).0
        }
    };

    // SAFETY of all three: the caller's arguments, unchanged.
    (@body forward, $name:ident($($argument:ident),*)) => { unsafe { call::$name($($argument),*) } };
    (@body connection $handle:path, $name:ident($($argument:ident),*)) => {{
        connections::clear_records($handle.0);
        unsafe { call::$name($($argument),*) }
    }};
    (@body custom $function:path, $name:ident($($argument:ident),*)) => { unsafe { $function($($argument),*) } };
}

include!("../target/table.rs");
