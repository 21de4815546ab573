//! What driver managers call, and what programs call through the C interface.

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
