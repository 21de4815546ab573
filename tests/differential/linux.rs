//! The differential suite on Linux: registrations in files, all programs in one process, and the server as a child
//! process.

use crate::case::{finished, only};
use crate::common;
pub use crate::common::Registrations;
use crate::transcript::Register;
use std::path::Path;
use std::process::Command;

/// What docs/differences.md adds to the name of the target.
pub const ON: &str = "";

pub fn texts(command: impl Fn(&[&str]) -> Command, _driver: &Path, _register: &Register) -> Vec<String> {
    vec![finished(&mut command(&["--only", &only()]))]
}

/// Starts the stand-in server, and returns the command that stops it.
pub fn start(port: u16, login: &str) -> (common::server::Server, Vec<String>) {
    let server = common::server::Server::start_with(&format!("127.0.0.1:{port}"), &[login]);
    let stop = stop_command(server.process.id(), port);
    (server, stop)
}

/// The command that stops a process. It ends when connecting to its port is impossible, or after a time.
pub fn stop_command(process: u32, port: u16) -> Vec<String> {
    let script = "kill -KILL $0; while (: </dev/tcp/127.0.0.1/$1) 2>/dev/null; do sleep 0.02; done";
    ["timeout", "30", "bash", "-c", script, &process.to_string(), &port.to_string()].map(str::to_owned).to_vec()
}
