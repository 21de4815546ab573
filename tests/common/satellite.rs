//! The environment of a script that SQL Server on Linux runs. `scripts/satellite` creates one for each test.

use super::server::logins;
use super::{CONNECT_AND_FAIL, Ran, assert_says, library, part, project};
use std::process::Command;

pub const PYTHON: &str = "/usr/bin/python3";
pub const RSCRIPT: &str = "/usr/bin/Rscript";
pub const SERVER: &str = "fe80::8012:3df5:0:5db1%eth0";

/// One call of `scripts/satellite`, and the files that remain after it.
pub struct Satellite {
    pub command: Command,
    pub folder: tempfile::TempDir,
}

/// The result of a call.
pub struct Outcome {
    pub ran: Ran,
    /// The server's lines about logins.
    pub logins: Vec<String>,
}

impl Satellite {
    pub fn new() -> Satellite {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        let mut command = Command::new(project("scripts/satellite"));
        command.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
        command.arg("--server-log").arg(folder.path().join("server.log"));
        Satellite { command, folder }
    }

    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.command.arg(name).arg(value);
        self
    }

    pub fn flag(mut self, name: &str) -> Self {
        self.command.arg(name);
        self
    }

    pub fn script(mut self, path: &str) -> Self {
        self.command.arg("--script").arg(project(path));
        self
    }

    pub fn seeded(self) -> Self {
        let seed = format!("Sales={}", project("examples/sales.sql").display());
        self.option("--seed", &seed)
    }

    pub fn prepare(self, snippet: &str) -> Self {
        self.option("--prepare", snippet)
    }

    /// Runs a program in this environment. It must end well.
    #[track_caller]
    pub fn run(self, program: &[&str]) -> Outcome {
        let mut command = self.command;
        command.arg("--").args(program);
        let ran = Ran::of(&mut command).ok();
        Outcome { ran, logins: logins(&self.folder.path().join("server.log")) }
    }

    /// Connects with pyodbc, which must fail without reaching the server, and returns the first record.
    #[track_caller]
    pub fn refused(self, string: &str) -> String {
        let outcome = self.run(&[PYTHON, "-c", CONNECT_AND_FAIL, string]);
        assert_eq!(outcome.logins, [""; 0]);
        outcome.ran.stdout
    }

    /// Connects with pyodbc and returns the string that the target received.
    #[track_caller]
    pub fn target_string(self, string: &str) -> String {
        let outcome = self.option("--env", "LOOPBACK_ODBC_LOG=info").run(&[PYTHON, "-c", CONNECT, string]);
        outcome.by_certificate(1);
        let given = outcome.ran.stderr.lines().find_map(|line| line.split_once("connecting with: "));
        given.unwrap_or_else(|| panic!("{}", outcome.ran.stderr)).1.to_owned()
    }
}

impl Outcome {
    /// Checks that there were exactly `count` logins, all by certificate, as in loopback connections.
    #[track_caller]
    pub fn by_certificate(&self, count: usize) {
        assert_eq!(self.logins.len(), count, "{:?}", self.logins);
        for login in &self.logins {
            assert_says(login, &["result=ok", "prelogin_encryption=0x81", "client_certificate=session", "user=\"\""]);
        }
    }

    /// Like [`Outcome::by_certificate`], and also checks that all asked for this database.
    #[track_caller]
    pub fn by_certificate_to(&self, database: &str, count: usize) {
        self.by_certificate(count);
        for login in &self.logins {
            assert_says(login, &[&format!("database=\"{database}\"")]);
        }
    }
}

/// Connects and prints the database.
pub const CONNECT: &str = "
import pyodbc, sys
connection = pyodbc.connect(sys.argv[1])
print(connection.execute('SELECT DB_NAME()').fetchval())
";
