//! `loopback-odbc string`: the loopback string, as SQL Server's own functions print it.

use crate::OK;
use crate::arguments::{Platform, Wanted};
use loopbackodbc::program::{self, Machine, Question, Search};

/// The driver on Azure SQL Managed Instance, where nobody can install another.
const MANAGED_INSTANCE_DRIVER: &str = "ODBC Driver 11 for SQL Server";

/// Prints the string, and nothing else, on standard output.
///
/// # Errors
/// The failure's lines.
pub fn print(wanted: &Wanted) -> Result<u8, String> {
    println!("{}", of(wanted)?);
    Ok(OK)
}

fn of(wanted: &Wanted) -> Result<String, String> {
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
    let rewritten = answer.map_err(|failure| search.explain(failure).lines().join("\n"))?;
    Ok(String::from_utf16_lossy(&rewritten.target_string()))
}
