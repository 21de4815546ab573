//! The ABI types of the table of entry points, for code that calls the library's functions or replaces them: integers
//! and pointers. The library itself uses odbc-sys's newtypes; each such call shows that they are passed in the same
//! way.
//!
//! `WChar` is missing: each user defines its own type of text.

use std::ffi::c_void;

pub type Handle = *mut c_void;
pub type HEnv = Handle;
pub type HDbc = Handle;
pub type HStmt = Handle;
pub type HDesc = Handle;
pub type Pointer = *mut c_void;
pub type Len = isize;
pub type ULen = usize;
pub type Return = i16;
