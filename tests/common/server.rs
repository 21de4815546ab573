//! The stand-in outside the satellite setting.

use super::{part, project};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The file of its folder with what it says on standard error.
const SAID: &str = "said";

/// A stand-in on the loopback interface that takes a user and a password; ended with the test.
pub struct Server {
    pub process: Child,
    pub port: String,
    pub log: PathBuf,
    folder: tempfile::TempDir,
}

impl Server {
    /// For a user whose password must be quoted in a connection string, and one whose need not.
    pub fn start() -> Server {
        Server::start_with("127.0.0.1:0", &["developer:se;cr}et", "client:secret"])
    }

    /// On this address, for these users and passwords.
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
            // It has no time to clean up when the test ends it.
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        // From here on it is ended, and shows what it said, if the test fails.
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

    /// What the section of a data source says that leads here, without a login.
    pub fn section_without_login(&self) -> String {
        format!("Server=127.0.0.1,{}\nTrustServerCertificate=Yes\n", self.port)
    }

    /// The same with the login of [`Server::start`] whose password must be quoted in a connection string.
    pub fn section(&self) -> String {
        self.section_without_login() + "UID=developer\nPWD=se;cr}et\n"
    }

    /// The lines of its log that tell of a login.
    pub fn logins(&self) -> Vec<String> {
        logins(&self.log)
    }
}

/// The lines of a stand-in's log that tell of a login. Before the first one there may be no log.
pub fn logins(log: &Path) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| line.starts_with("login ")).map(str::to_owned).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprint!("{}", fs::read_to_string(self.folder.path().join(SAID)).unwrap_or_default());
        }
    }
}
