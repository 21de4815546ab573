//! Bulk copy with Microsoft's `bcp_*` functions. Programs call them in the real driver's library and pass the driver
//! manager's connection. The real driver asks the driver manager for its own handle, and gets it through this library.

mod common;

use common::server::Server;
use common::{Ran, Registrations, bulk_copy, part};

/// The program's output for a connection string to its own stand-in server.
fn said(string: impl Fn(&Server) -> String, section: impl Fn(&Server) -> String) -> String {
    let server = Server::start();
    let registrations = Registrations::usual(&section(&server));
    let program = registrations.path("bulk_copy");
    bulk_copy::compile(&program);
    Ran::of(registrations.command(&program).arg(string(&server)).env("MSODBCSQL", part("MSODBCSQL"))).ok().stdout
}

#[test]
fn rows_and_errors_match_the_driver_alone() {
    let login = |server: &Server| {
        format!(
            "Server=127.0.0.1,{};Database=Sales;UID=developer;PWD={{se;cr}}}}et}};TrustServerCertificate=Yes",
            server.port
        )
    };
    let direct =
        said(|server| format!("Driver={{ODBC Driver 18 for SQL Server}};{}", login(server)), |_| String::new());
    let loopback = said(|_| "DSN=Loopback;Database=Sales".to_owned(), Server::section);
    assert_eq!(loopback, direct);
    let strictly = "\
strictly: 3
3 | 3
a duplicate: -1
  23000 2627 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Violation of PRIMARY KEY constraint 'PK__strict'. \
Cannot insert duplicate key in object 'dbo.strict'.
3 | 3
a NULL: -1
  23000 515 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot insert the value NULL into column 'name', \
table 'dbo.strict'; column does not allow nulls. The statement fails.
3 | 3
strictly: 3
6 | 6
";
    assert_eq!(loopback, bulk_copy::expected_load() + strictly);
}
