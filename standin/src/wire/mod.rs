//! The protocol: everything between the socket and the requests that a session executes.

pub mod bulk;
pub mod cursor;
pub mod login;
pub mod packet;
pub mod rpc;
pub mod tls;
pub mod tokens;
pub mod transport;
pub mod values;
