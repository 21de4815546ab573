//! The stand-in server outside the satellite setting.

use super::{part, project};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The file in its folder with its standard error.
const SAID: &str = "said";

/// A stand-in server on the loopback interface that accepts a user and a password. It is stopped with the test.
pub struct Server {
    pub process: Child,
    pub port: String,
    pub log: PathBuf,
    folder: tempfile::TempDir,
}

impl Server {
    /// With one user whose password must be quoted in a connection string, and one whose password need not.
    pub fn start() -> Server {
        Server::start_with("127.0.0.1:0", &["developer:se;cr}et", "client:secret"])
    }

    /// At this address, with these users and passwords.
    pub fn start_with(address: &str, logins: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (ready, log) = (folder.path().join("ready"), folder.path().join("log"));
        let seed = format!("Sales={}", project("examples/sales.sql").display());
        let said = fs::File::create(folder.path().join(SAID)).unwrap();
        let process = Command::new(part("STANDIN"))
            .args(["--listen", address, "--seed", &seed])
            .args(logins.iter().flat_map(|login| ["--login", login]))
            .arg("--log")
            .arg(&log)
            .arg("--ready-file")
            .arg(&ready)
            // When the test stops it, it has no time to clean up.
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        // From here on, if the test fails, the server is stopped and its output is shown.
        let mut server = Server { process, port: String::new(), log, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            let ended = server.process.try_wait().unwrap();
            assert!(ended.is_none(), "the stand-in ended at once, with {}", ended.unwrap());
            assert!(Instant::now() < deadline, "the stand-in is not ready");
            thread::sleep(Duration::from_millis(10));
        }
        let address = fs::read_to_string(&ready).unwrap();
        server.port = address.lines().next().unwrap().rsplit(':').next().unwrap().to_owned();
        server
    }

    /// The lines of a data source section that lead to this server, without a login.
    pub fn section_without_login(&self) -> String {
        format!("Server=127.0.0.1,{}\nTrustServerCertificate=Yes\n", self.port)
    }

    /// The same with the login from [`Server::start`] whose password must be quoted in a connection string.
    pub fn section(&self) -> String {
        self.section_without_login() + "UID=developer\nPWD=se;cr}et\n"
    }

    /// The log lines about logins.
    pub fn logins(&self) -> Vec<String> {
        logins(&self.log)
    }
}

/// The lines about logins in a stand-in server's log. Before the first one there may be no log.
pub fn logins(log: &Path) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| line.starts_with("login ")).map(str::to_owned).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprint!("{}", fs::read_to_string(self.folder.path().join(SAID)).unwrap_or_default());
        }
    }
}
