//! `scripts/test-server`, as someone with a SQL Server runs it; here the server is the stand-in.

mod common;

use common::clients::CLIENTS;
use common::server::Server;
use common::{Ran, assert_says, part, project};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

const USER: &str = "client";
const PASSWORD: &str = "secret";
/// The name of the machine while the script runs: no word of the page, as a machine's own may be.
const HOST: &str = "loopback-odbc-test-host";

/// The server, and the file with the password. Only one `scripts/test-server` runs at a time.
struct Setting {
    server: Server,
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Setting {
    fn new() -> Setting {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        let odbcinst = format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", part("MSODBCSQL").display());
        std::fs::write(folder.path().join("odbcinst.ini"), odbcinst).unwrap();
        Setting { server: Server::start(), folder, _alone: alone }
    }

    fn address(&self) -> String {
        format!("127.0.0.1,{}", self.server.port)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // What a script starts in the background ignores Ctrl-C, and so do the tests there.
        const START: &str = r#"hostname "$0" && exec env --default-signal=INT "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--uts", "sh", "-c", START, HOST]).arg(project("scripts/test-server"));
        command.args(["--server", &self.address(), "--user", USER, "--password-file"]);
        command.arg(self.folder.path().join("password")).args(arguments);
        // What is private to a run must be gone afterwards.
        command.env("TMPDIR", self.private()).env_remove("LOOPBACK_ODBC_LIBRARY");
        command
    }

    fn private(&self) -> PathBuf {
        let private = self.folder.path().join("tmp");
        let _ = std::fs::create_dir(&private);
        private
    }

    /// The databases that are on the server besides master.
    fn databases(&self) -> Vec<String> {
        let code = "import os, pyodbc, sys\n\
                    for row in pyodbc.connect(sys.argv[1]).execute('SELECT name FROM sys.databases'): print(row[0])";
        let string = format!(
            "Driver={{ODBC Driver 18 for SQL Server}};Server={};UID={USER};PWD={PASSWORD};TrustServerCertificate=Yes",
            self.address()
        );
        let mut command = Command::new(part("PYTHON"));
        command.args(["-c", code, &string]).env("ODBCSYSINI", self.folder.path());
        let ran = Ran::of(command.env("ODBCINI", self.folder.path().join("user.ini"))).ok();
        ran.stdout.lines().filter(|name| *name != "master").map(str::to_owned).collect()
    }

    /// Checks that nothing is left of a run: no database of its own, and no file with a login.
    #[track_caller]
    fn nothing_is_left(&self) {
        assert_eq!(self.databases(), ["Sales"]);
        let left: Vec<_> = std::fs::read_dir(self.private()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The headings, and the first cell of each row.
fn shape<'p>(page: &'p str) -> Vec<&'p str> {
    let cell = |line: &'p str| line.strip_prefix("| ")?.split(" |").next();
    page.lines().filter_map(|line| if line.starts_with('#') { Some(line) } else { cell(line) }).collect()
}

#[test]
fn nothing_is_different_on_the_stand_in_and_the_page_names_nobody() {
    let setting = Setting::new();
    let ran = Ran::of(&mut setting.command(&["--suites", "pyodbc"]));
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    let page = std::fs::read_to_string(project("build/test-server/page.md")).unwrap();
    assert_says(
        &page,
        &["Nothing is different through the library.", "Differences: **0**.", "all are read back", "| pyodbc |"],
    );
    let run = CLIENTS.iter().filter(|client| !client.name.ends_with("sql") && !client.is_lacking()).count();
    assert_eq!(page.matches("| the same | as expected |").count(), run, "{page}");
    assert_eq!(page.matches("each has its own results").count(), 6, "{page}");
    let documented = std::fs::read_to_string(project("docs/test-server.md")).unwrap();
    let (_, example) = documented.split_once("````markdown\n").expect("the page has an example");
    assert_eq!(
        shape(example.trim_end_matches("````\n")),
        shape(&page),
        "copy build/test-server/page.md into docs/test-server.md"
    );
    // The client is named in the table of clients' programs; the user's name is a word of its own.
    for name in [&*setting.server.port, "LoopbackOdbcTest", HOST, "127.0.0.1", &format!("'{USER}'"), PASSWORD] {
        assert!(!page.contains(name), "{name} is on the page:\n{page}");
    }
    setting.nothing_is_left();
}

#[test]
fn a_database_that_exists_is_refused_and_stays() {
    let setting = Setting::new();
    let ran = Ran::of(&mut setting.command(&["--database", "Sales", "--suites", "none"]));
    assert_ne!(ran.status, 0);
    ran.says(&["the database Sales is there already. Name another one", "--database NAME"]);
    setting.nothing_is_left();
}

#[test]
fn a_wrong_password_is_refused_with_what_the_server_says() {
    let setting = Setting::new();
    std::fs::write(setting.folder.path().join("password"), "wrong\n").unwrap();
    let ran = Ran::of(&mut setting.command(&["--suites", "none"]));
    assert_ne!(ran.status, 0);
    ran.says(&["the server cannot be reached, or has refused: ", "Login failed for user 'client'"]);
    std::fs::write(setting.folder.path().join("password"), PASSWORD).unwrap();
    setting.nothing_is_left();
}

#[test]
fn ctrl_c_drops_the_database() {
    let setting = Setting::new();
    // In a process group of its own, as in a terminal, which sends the signal to all of it.
    let mut command = setting.command(&["--suites", "none"]);
    let mut process =
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while setting.databases().len() == 1 {
        assert!(process.try_wait().unwrap().is_none() && Instant::now() < deadline, "no database was created");
        sleep(Duration::from_millis(200));
    }
    let group = format!("-{}", process.id());
    Ran::of(Command::new("kill").args(["-INT", "--", &group])).ok();
    let status = process.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    setting.nothing_is_left();
}
