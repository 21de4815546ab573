//! `loopback-odbc string`: prints the loopback connection string, as SQL Server's own functions do.

use crate::arguments::{DRIVER_NAME, Platform, Wanted};
use loopbackodbc::program::{self, Machine, Question, Search, drivers, speak_for};

/// The driver on Azure SQL Managed Instance, where no other can be installed.
const MANAGED_INSTANCE_DRIVER: &str = "ODBC Driver 11 for SQL Server";

/// The refusal outside a session. The library's own is about data sources and development servers.
const NO_SESSION: &str = "This is not a script that SQL Server runs, so its certificate was not found. Run this in such a script, or \
    add --server, --client-certificate and --client-key.";

/// Prints only the string on standard output.
///
/// # Errors
/// The lines of the failure.
pub fn print(wanted: &Wanted) -> Result<u8, String> {
    crate::print(format!("{}\n", of(wanted)?).as_bytes())
}

fn of(wanted: &Wanted) -> Result<String, String> {
    // Its section may name the driver.
    let registered = drivers(&Machine).unwrap_or_default().into_iter().find(|driver| driver.name == DRIVER_NAME);
    registered.into_iter().for_each(|driver| speak_for(driver.library));
    let platform = wanted.platform.map(|platform| match platform {
        Platform::Linux => program::Platform::Linux,
        Platform::Windows | Platform::ManagedInstance => program::Platform::Windows,
    });
    let driver = match (wanted.driver.as_str(), wanted.platform) {
        ("", Some(Platform::ManagedInstance)) => MANAGED_INSTANCE_DRIVER,
        (driver, _) => driver,
    };
    let values = [
        ("Database", wanted.database.as_str()),
        ("Server", &wanted.server),
        ("ClientCertificate", &program::file_value(&wanted.client_certificate)),
        ("ClientKey", &program::file_value(&wanted.client_key)),
    ];
    let question = Question { platform, driver, values: &values, files_unseen: true };
    let mut search = Search::default();
    let answer = question.answer(&Machine, &mut search);
    let rewritten = answer.map_err(|mut failure| {
        if search.is_no_session {
            failure.text = NO_SESSION.to_owned();
        }
        search.explain(failure).lines().join("\n")
    })?;
    Ok(String::from_utf16_lossy(&rewritten.target_string()))
}
