//! Real, unmodified ODBC clients. Each runs its program in `tests/programs/clients` three times, each time with a new
//! stand-in server:
//!
//! - `DSN=Direct`: Microsoft's driver by itself, with user and password,
//! - `DSN=Loopback`: through the library, with the same user and password,
//! - `DSN=Loopback` and nothing else, in the environment of a script that SQL Server runs.
//!
//! All three runs must print exactly the same: the rows that were written and read, and the error that was provoked.
//! `tests/expected/clients` has what the output must contain, so three equal failures do not pass.
//!
//! The results are written to `build/clients.md`; `docs/clients.md` is a copy of it (`make clients`).

mod common;

use common::clients::{CLIENTS, Client, stage_paths, told};
use common::server::{self, Server};
use common::{Ran, Registrations, library, part, project};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// One test for each client.
macro_rules! test_each {
    ($($test:ident: $name:expr,)+) => {
        const TESTED: &[&str] = &[$($name),+];
        $(#[test]
        fn $test() {
            try_out(CLIENTS.iter().position(|client| client.name == $name).unwrap());
        })+
    };
}

test_each! {
    pyodbc: "pyodbc",
    sqlalchemy: "SQLAlchemy, over pyodbc",
    pandas: "pandas, over SQLAlchemy and pyodbc",
    arrow_odbc: "arrow-odbc",
    rodbc: "RODBC",
    dbd_odbc: "DBD::ODBC",
    php_odbc: "PHP, `odbc_*`",
    pdo_odbc: "PHP, PDO_ODBC",
    node_odbc: "Node.js, `odbc`",
    odbc_api: "odbc-api",
    isql: "isql",
    iusql: "iusql",
}

/// What the server's log records of logins: the result, the user, and the database. The rest is cut off: ports, and
/// application and host. Microsoft's driver leaves these empty in SQLConnect and sets them in SQLDriverConnect, which
/// the library always uses.
fn logins(log: &Path) -> Vec<String> {
    server::logins(log).iter().map(|line| line.split(" application=").next().unwrap().to_owned()).collect()
}

/// A client on a new stand-in server, in each of the ways.
trait Ways {
    /// With a data source of odbc.ini, a user and a password: the output, and the server's log of logins.
    fn outside(&self, dsn: &str) -> (String, Vec<String>);

    /// With only `DSN=Loopback`, where SQL Server runs scripts: the same.
    fn in_satellite(&self) -> (String, Vec<String>);
}

impl Ways for Client {
    fn outside(&self, dsn: &str) -> (String, Vec<String>) {
        let server = Server::start();
        let section = server.section_without_login();
        let direct = format!("{section}[Direct]\nDriver=ODBC Driver 18 for SQL Server\n{section}");
        let registrations = Registrations::usual(&direct);
        let log = registrations.path("odbc.log");
        let mut command = self.command(&registrations, dsn, ["client", "secret"]);
        command.env("LOOPBACK_ODBC_LOG", "info").env("LOOPBACK_ODBC_LOG_FILE", &log);
        let ran = Ran::of(&mut command).ok();
        let through_us = fs::read_to_string(log).unwrap_or_default().matches("connecting with: ").count();
        let logins = logins(&server.log);
        assert_eq!(through_us, if dsn == "Loopback" { logins.len() } else { 0 }, "{logins:?}");
        (ran.stdout, logins)
    }

    fn in_satellite(&self) -> (String, Vec<String>) {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        let log = folder.path().join("log");
        let script = self.script();
        let stage = Path::new("/opt/mssql-extensibility/stage");
        let mut words = self.words();
        if script == 0 {
            words[0] = "./use_odbc_api".into();
        }
        let mut command = Command::new(project("scripts/satellite"));
        command.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
        command.arg("--server-log").arg(&log).arg("--script").arg(Client::file(self.program[script]));
        for (name, value) in stage_paths(stage) {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        command.arg("--").args(words).arg("Loopback");
        (Ran::of(&mut command).ok().stdout, logins(&log))
    }
}

/// Runs the client at this position in the list.
#[track_caller]
fn try_out(place: usize) {
    let client = &CLIENTS[place];
    if client.is_lacking() {
        // For scripts/test, which reports it and does not count the test as passed. print! would keep the line for a
        // test that fails.
        let line = format!("NOT RUN: {}: Debian 13 has no package of it\n", client.name);
        stdout().write_all(line.as_bytes()).unwrap();
        return tell(place, "client: **not run**: Debian 13 has no package of it\nlanguage: none\n");
    }
    let (direct, direct_logins) = client.outside("Direct");
    let (loopback, loopback_logins) = client.outside("Loopback");
    let (satellite, satellite_logins) = client.in_satellite();

    if let Some(line) = client.missing(&direct).first() {
        panic!("{line:?} is not, or not there, in:\n{direct}");
    }
    assert!(loopback == direct, "DSN=Loopback gives\n{loopback}\nand DSN=Direct\n{direct}");
    assert!(satellite == direct, "in the satellite DSN=Loopback gives\n{satellite}\nand DSN=Direct\n{direct}");

    assert!(!direct_logins.is_empty());
    assert_eq!(loopback_logins, direct_logins);
    assert_eq!(satellite_logins.len(), direct_logins.len(), "{satellite_logins:?}");
    for login in &direct_logins {
        common::assert_says(login, &["result=ok", "client_certificate=none", "user=\"client\""]);
    }
    for login in &satellite_logins {
        common::assert_says(login, &["result=ok", "client_certificate=session", "user=\"\""]);
    }
    tell(place, &direct);
}

// --- The table ---

const BEFORE_TABLE: &str = "\
# Tested clients

These are real ODBC clients, unmodified. Each wrote and read rows of the usual types, as far as it supports them, and caused an error. Each
did so in three ways: through Microsoft's driver directly; through `DSN=Loopback` with a user and a password; and through `DSN=Loopback`
alone, in an environment like that of a script that SQL Server runs. The three outputs were identical, including error texts.
`tests/clients.rs` checks this. The remarks describe the client itself; they also hold without the library.

The versions are those of the last run of `make clients`, which writes this table. Every run of the tests writes its own table to
`build/clients.md`.

";
/// What is not in the table, and why.
const AFTER_TABLE: &str = "
Reading a table's definition with SQLAlchemy (`autoload_with`, and therefore also `pandas.read_sql_table`) was not tested: the stand-in does
not have the system views that it queries.

mssql-python is not in the table. It contains Microsoft's driver and no way to another one: version 1.16.0 refuses `DSN`, `Driver`,
`ClientCertificate` and `ClientKey` as unknown or reserved keywords, so it cannot make a loopback connection on Linux. A test notices when
this changes.

turbodbc is not in the table. PyPI has only its source. From version 4.10 on it needs the headers of simdutf, for which Debian 12 has no
package. 4.9.0 needs the headers of Boost and compiles for five minutes, which is too much for what `make test` installs. In one manual test
(with NumPy 2.2.6, without Arrow, Python 3.11.2), it wrote, read and failed identically with `DSN=Direct` and `DSN=Loopback`.
";
const HEADER: [&str; 6] = ["client", "version", "language", "driver manager", "connects by", "remarks"];

/// The rows of the clients that have succeeded so far, by position in the list.
static ROWS: Mutex<BTreeMap<usize, String>> = Mutex::new(BTreeMap::new());

fn row(cells: [&str; 6]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// Adds a client to the table, and writes the table when it is complete.
fn tell(place: usize, output: &str) {
    let manager = Ran::of(Command::new(part("ISQL")).arg("--version")).ok().stdout;
    let client = &CLIENTS[place];
    let cells = [
        client.name,
        &told(output, "client: "),
        &told(output, "language: "),
        manager.trim(),
        client.connects,
        client.remarks,
    ];
    // Another client's failure does not affect this one.
    let mut rows = ROWS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    rows.insert(place, row(cells));
    if rows.len() == CLIENTS.len() {
        let table: String = rows.values().map(String::as_str).collect();
        let text = format!("{BEFORE_TABLE}{}{}{table}{AFTER_TABLE}", row(HEADER), "|-".repeat(HEADER.len()) + "|\n");
        fs::write(project("build/clients.md"), text).unwrap();
    }
}

#[test]
fn the_committed_table_lists_the_same_clients() {
    let table = fs::read_to_string(project("docs/clients.md")).unwrap();
    let (before, rows) = table.split_once(&row(HEADER)).expect("docs/clients.md has the table");
    let (rows, after) = rows.split_at(rows.rfind("|\n").expect("it has rows") + 2);
    assert_eq!((before, after), (BEFORE_TABLE, AFTER_TABLE), "make clients");
    // Everything except the versions.
    let told: Vec<_> = rows.lines().skip(1).map(|row| row.trim_matches('|').split(" | ").collect::<Vec<_>>()).collect();
    let told: Vec<_> = told.iter().map(|cells| [cells[0], cells[4], cells[5]].map(str::trim)).collect();
    let held: Vec<_> = CLIENTS.iter().map(|client| [client.name, client.connects, client.remarks]).collect();
    assert_eq!(told, held, "make clients");
    assert_eq!(TESTED, CLIENTS.iter().map(|client| client.name).collect::<Vec<_>>());
}

#[test]
fn mssql_python_takes_no_loopback_string() {
    let code = "
import mssql_python, sys
for string in sys.argv[1:]:
    try:
        mssql_python.connect(string)
    except Exception as error:
        print(type(error).__name__, ' '.join(str(error).split()))
";
    let mut command = Command::new(part("PYTHON"));
    command.env(
        "PYTHONPATH",
        format!("{}:{}", part("PYTHONPATH").display(), part("STAGE").join("clients/python").display()),
    );
    command.args(["-c", code, "DSN=Loopback", "Driver={SQL Server Loopback};Server=x"]);
    let said = Ran::of(command.arg("Server=127.0.0.1,1;ClientCertificate=file:/c;ClientKey=file:/k")).ok().stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    for (line, keyword) in lines.iter().zip(["'dsn'", "'driver'", "'clientcertificate'"]) {
        assert!(line.starts_with("ConnectionStringParseError") && line.contains(keyword), "{line}: docs/clients.md");
    }
}
