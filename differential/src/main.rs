//! ODBC programs that record everything they observe.
//!
//! `tests/differential/main.rs` runs them twice, on a driver directly and through libloopbackodbc.so, and compares the
//! results. The programs judge nothing: if a target does not support something, they record the error.
//!
//! Everything here is portable: the programs run wherever there is a driver manager whose `SQLWCHAR` is UTF-16. On
//! Windows they can also call a driver's own functions without a driver manager.

mod buffer;
mod diagnostics;
mod manager;
mod odbc;
mod programs;
mod session;
mod targets;
mod transcript;

use clap::Parser;
use programs::PROGRAMS;
use session::Setting;
use std::sync::atomic::Ordering::Relaxed;

/// Runs ODBC programs and writes a transcript of what they observe.
#[derive(Parser)]
struct Arguments {
    /// The target: one of the names in targets.rs.
    #[arg(long)]
    target: String,

    /// The connection string by data source. No value may contain a semicolon.
    #[arg(long)]
    string: String,

    /// The same by driver.
    #[arg(long)]
    by_driver: String,

    /// The data source, for SQLConnect.
    #[arg(long)]
    data_source: String,

    #[arg(long)]
    user: String,

    #[arg(long)]
    password: String,

    /// Run only programs whose names contain this.
    #[arg(long, default_value = "")]
    only: String,

    /// A program to leave out, by its full name. Can be given several times.
    #[arg(long)]
    skip: Vec<String>,

    /// The library whose functions are called: the driver manager, or a driver itself.
    #[cfg(windows)]
    #[arg(long, default_value = "odbc32.dll")]
    functions_of: std::path::PathBuf,

    /// A program and its arguments that stop the server.
    #[arg(last = true)]
    stop_server: Vec<String>,
}

fn main() {
    let arguments = Arguments::parse();
    let attributes = arguments.string.split(';').filter_map(|attribute| attribute.split_once('='));
    let setting = Setting {
        target: targets::by_name(&arguments.target),
        string: attributes.map(|(keyword, value)| (keyword.to_owned(), value.to_owned())).collect(),
        by_driver: arguments.by_driver,
        data_source: arguments.data_source,
        user: arguments.user,
        password: arguments.password,
        stop_server: arguments.stop_server,
    };
    #[cfg(windows)]
    odbc::prepare(&arguments.functions_of);
    transcript::begin();
    let wanted = |name: &str| name.contains(&arguments.only) && !arguments.skip.iter().any(|it| it == name);
    for (name, program) in PROGRAMS.iter().filter(|(name, _)| wanted(name)) {
        transcript::write(&format!("{}{name}", transcript::PROGRAM));
        program(&setting);
    }
    transcript::write(&format!("{}calls", transcript::PROGRAM));
    for function in odbc::FUNCTIONS {
        note!("{} {} {}", function.name, function.calls.load(Relaxed), function.successes.load(Relaxed));
    }
}
