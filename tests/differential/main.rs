//! The differential suite: the programs of `differential/`, run on a driver directly and through the library, each time
//! on a new server. Everything that the two runs observe must be the same, except the differences that
//! docs/differences.md lists with reasons. A file named after the target has what must succeed on the driver itself, so
//! two equal failures do not pass.

mod case;
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
#[path = "linux.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;
#[cfg(unix)]
mod postgresql;
mod transcript;

use case::Case;
use common::{library, part};
#[cfg(unix)]
use postgresql::Postgresql;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use transcript::Transcript;

const USER: &str = "developer";
const PASSWORD: &str = "secret";

/// Far fewer calls would mean that the programs stop early.
const FEWEST_CALLS: usize = 25_000;

/// A target, and what its driver itself cannot do.
struct Suite {
    case: Case,
    /// The functions that never succeed on the driver itself, each for a reason.
    without_success: &'static [&'static str],
    /// Those among them that succeed with newer versions of the driver.
    newly_successful: &'static [&'static str],
}

impl Suite {
    /// Runs the programs with this file as the driver. The transcript that is kept has its name.
    fn run(&self, side: &str, driver: &Path, stop: &[String], variables: &[(&str, &Path)]) -> Transcript {
        let text = self.case.run(driver, stop, variables);
        if let Ok(folder) = std::env::var("DIFFERENTIAL_KEEP") {
            std::fs::write(format!("{folder}/{}-{side}", self.case.target), &text).unwrap();
        }
        Transcript::parse(&text)
    }

    /// Runs the programs on both, each time with a server that has just been started.
    #[track_caller]
    fn compare<S>(&self, start: impl Fn() -> (S, Vec<String>)) {
        let [direct, through] = [("direct", &self.case.driver), ("library", &library())].map(|(side, driver)| {
            let (_server, stop) = start();
            self.run(side, driver, &stop, &[])
        });
        let target = self.case.target;
        println!("{target}: {}", direct.size());
        let found = self.case.register().judge(&direct, &through);
        assert_eq!(found.len(), 0, "{} differences on {target}:\n{}", found.len(), found.join("\n"));
        assert!(direct.calls() >= FEWEST_CALLS, "{}", direct.size());
        assert_eq!(direct.never_called(), BTreeSet::new(), "the programs do not call these functions");
        // Two equal failures would be no difference.
        let newly = BTreeSet::from_iter(self.newly_successful.iter().copied());
        let without: BTreeSet<&str> = &direct.never_succeeded() | &newly;
        assert_eq!(without, BTreeSet::from_iter(self.without_success.iter().copied()));
        let missing = self.case.missing(&direct);
        assert_eq!(missing.len(), 0, "{target} itself does not do what is expected:\n{}", missing.join("\n"));
    }

    /// Checks that the list of programs that run on the driver's own functions is exactly what the driver manager
    /// cannot do.
    #[cfg(windows)]
    fn nothing_is_needless<S>(&self, start: impl Fn() -> (S, Vec<String>)) {
        let (_server, stop) = start();
        let case = &self.case;
        let registrations = case.registrations(&case.driver);
        let needless =
            platform::needless(|further| case.command(&registrations, &stop, further), &case.driver, &case.register());
        assert_eq!(needless, [""; 0], "these run by the driver manager");
    }

    /// Runs the programs on the spy in front of the driver, and returns the functions that were called there.
    #[cfg(unix)]
    fn reached<S>(&self, start: impl Fn() -> (S, Vec<String>)) -> BTreeSet<String> {
        let (_server, stop) = start();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("called");
        let variables = [("DIFFERENTIAL_SPY_TARGET", &*self.case.driver), ("DIFFERENTIAL_SPY_FILE", &*file)];
        self.run("spy", &part("DIFFERENTIAL_SPY"), &stop, &variables);
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect()
    }
}

#[test]
fn microsoft_s_driver() {
    // The same port for both servers, because messages contain it.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let driver = part("MSODBCSQL");
    let suite = Suite {
        case: Case {
            target: "sql-server",
            registered: format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", driver.display()),
            driver,
            section: format!("Server=127.0.0.1,{port}\nTrustServerCertificate=Yes\n"),
            database: "Sales".to_owned(),
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
        },
        without_success: &[
            // It asks for what the string already has.
            "SQLBrowseConnectW",
            // The stand-in server does not have their procedures.
            "SQLColumnPrivilegesW",
            "SQLTablePrivilegesW",
        ],
        newly_successful: &[],
    };
    let start = || platform::start(port, &format!("{USER}:{PASSWORD}"));
    suite.compare(start);
    #[cfg(windows)]
    suite.nothing_is_needless(start);
    // Functions that the driver manager answers itself would be compared with themselves.
    #[cfg(unix)]
    {
        let reached = suite.reached(start);
        let mut unreached = loopbackodbc::entry_point_names().into_iter().filter(|&name| !reached.contains(name));
        assert_eq!(unreached.next(), None, "unixODBC does not pass it on");
    }
}

#[cfg(unix)]
#[test]
fn psqlodbc() {
    let driver = part("PSQLODBC");
    let server = Postgresql::prepare(USER, PASSWORD);
    let suite = Suite {
        case: Case {
            target: "postgresql",
            registered: format!("TargetDriver=PostgreSQL Unicode\n[PostgreSQL Unicode]\nDriver={}\n", driver.display()),
            driver,
            section: format!("Servername={}\nPort=5432\n", server.address()),
            database: "postgres".to_owned(),
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
        },
        without_success: &[
            // It answers that these are not implemented, or not for this descriptor.
            "SQLBrowseConnectW",
            "SQLCopyDesc",
            // It asks itself for a field that it does not know, or for a column that is not bound.
            "SQLGetDescRecW",
            // It tells unixODBC that it does not support this.
            "SQLSetDescRec",
        ],
        newly_successful: &[
            // From some version between 13 and 17 on.
            "SQLGetDescRecW",
            "SQLSetDescRec",
        ],
    };
    suite.compare(|| {
        let running = server.start();
        let stop = running.stop_command();
        (running, stop)
    });
}
