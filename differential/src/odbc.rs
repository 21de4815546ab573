//! The driver manager's functions, as the programs call them.
//!
//! Each function here calls the driver manager's function of the same name and writes the call to the transcript: its
//! name, its arguments, the return code, and, except after SQL_SUCCESS, all diagnostic records of the handle. Numbers
//! and texts behind pointers are shown as they are after the call. Handles and addresses are never shown.
//!
//! The functions are not marked `unsafe` although they are: this whole program calls a C interface with its own
//! buffers, and a mark on every line would say nothing. The arguments must be as the specification requires, and a text
//! must end with a NUL.

use crate::diagnostics;
pub use crate::manager::*;
use crate::transcript;

/// An argument as the transcript shows it.
trait Argument {
    /// `None` for an argument that is never shown.
    fn shown(&self) -> Option<String>;
    /// The value as a handle or a number, to find the handle with the diagnostic records.
    fn handle(&self) -> Handle {
        std::ptr::null_mut()
    }
    fn number(&self) -> i16 {
        0
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Argument for $type {
            fn shown(&self) -> Option<String> {
                Some(self.to_string())
            }
            fn number(&self) -> i16 {
                *self as i16
            }
        }
        impl Argument for *mut $type {
            fn shown(&self) -> Option<String> {
                // SAFETY: the programs pass null or their own numbers.
                Some(if self.is_null() { "null".to_owned() } else { unsafe { self.read_unaligned() }.to_string() })
            }
        }
    )*};
}
numbers!(i16 u16 i32 isize usize);

impl Argument for Pointer {
    fn shown(&self) -> Option<String> {
        self.is_null().then(|| "null".to_owned())
    }
    fn handle(&self) -> Handle {
        *self
    }
}

impl Argument for *mut Pointer {
    fn shown(&self) -> Option<String> {
        self.is_null().then(|| "null".to_owned())
    }
}

impl Argument for *mut WChar {
    fn shown(&self) -> Option<String> {
        if self.is_null() {
            return Some("null".to_owned());
        }
        // SAFETY: the programs pass texts that end with a NUL.
        let unit = |index| unsafe { self.add(index).read_unaligned() }.0;
        let text: Vec<u16> = (0..).map(unit).take_while(|&unit| unit != 0).collect();
        let text = String::from_utf16_lossy(&text);
        // psqlodbc generates cursor names from addresses.
        Some(if text.starts_with("SQL_CUR0000") { "SQL_CUR".to_owned() } else { format!("{text:?}") })
    }
}

fn call(function: &str, arguments: &[(&str, &dyn Argument)], code: impl FnOnce() -> Return) -> Return {
    let code = code();
    // After a failed SQLExtendedFetch, psqlodbc reads the number of rows from memory that it has not written.
    let steady = |name| succeeded(code) || (function, name) != ("SQLExtendedFetch", "rows");
    let shown = arguments
        .iter()
        .filter(|(name, _)| steady(name))
        .filter_map(|(name, argument)| Some(format!("{name}={}", argument.shown()?)));
    let shown: Vec<String> = shown.collect();
    transcript::write(&format!("{function}({}) = {code}", shown.join(", ")));
    if code != 0 && !function.starts_with("SQLGetDiag") {
        let (kind, handle) = diagnosed(function, arguments);
        diagnostics::write(kind, handle);
    }
    code
}

/// The type and the handle that have the records of a call.
fn diagnosed(function: &str, arguments: &[(&str, &dyn Argument)]) -> (i16, Handle) {
    let argument = |name| arguments.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
    if let Some(kind) = argument("handle_type").map(|kind| kind.number()) {
        return match argument("input") {
            // The records for a new handle belong to its parent, which for a descriptor is a connection.
            Some(parent) => ((kind - 1).min(SQL_HANDLE_DBC), parent.handle()),
            None => (kind, argument("handle").map_or(std::ptr::null_mut(), |handle| handle.handle())),
        };
    }
    [
        ("statement", SQL_HANDLE_STMT),
        ("connection", SQL_HANDLE_DBC),
        ("environment", SQL_HANDLE_ENV),
        ("descriptor", SQL_HANDLE_DESC),
        ("destination", SQL_HANDLE_DESC),
    ]
    .into_iter()
    .find_map(|(name, kind)| Some((kind, argument(name)?.handle())))
    .unwrap_or_else(|| panic!("{function} has no handle"))
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        $(
            #[allow(non_snake_case, clippy::too_many_arguments)]
            pub fn $name($($argument: $type),*) -> Return {
                // SAFETY: the programs' arguments are as the specification requires.
                call(stringify!($name), &[$((stringify!($argument), &$argument)),*], || unsafe { quiet::$name($($argument),*) })
            }
        )*
    };
}

include!("../../src/target/table.rs");
