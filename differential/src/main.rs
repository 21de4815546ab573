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

    /// The data source. The user and the password are the environment variables DIFFERENTIAL_USER and DIFFERENTIAL_PASSWORD: other users
    /// of the machine can read arguments.
    #[arg(long)]
    data_source: String,

    /// A connection string by driver to the same database, without a login.
    #[arg(long)]
    by_driver: String,

    /// The name of the database.
    #[arg(long)]
    catalog: String,

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
    let [user, password] = ["DIFFERENTIAL_USER", "DIFFERENTIAL_PASSWORD"]
        .map(|name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set")));
    let setting = Setting {
        target: targets::by_name(&arguments.target),
        data_source: arguments.data_source,
        by_driver: arguments.by_driver,
        catalog: arguments.catalog,
        user,
        password,
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
