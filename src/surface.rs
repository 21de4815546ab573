//! What a driver manager calls, and a program by the C interface.

mod answers;
pub mod c_api;
pub mod connect;
mod connections;
mod diagnostics;
mod exported;
#[cfg(not(windows))]
mod fork;
#[cfg(windows)]
mod setup;
