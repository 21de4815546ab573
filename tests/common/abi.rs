//! The types in the table of entry points as the ABI has them, for everybody who calls the library's functions or takes their place:
//! integers and pointers. The library itself has odbc-sys's newtypes there; that these are passed alike shows in each such call.
//!
//! `WChar` is missing: what a text is, each says itself.

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
