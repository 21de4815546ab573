//! The stand-in outside the satellite setting.

use super::{part, project};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A stand-in on the loopback interface that takes a user and a password; ended with the test.
pub struct Server {
    pub process: Child,
    pub port: String,
    pub log: PathBuf,
    _folder: tempfile::TempDir,
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
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            assert!(Instant::now() < deadline, "the stand-in is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        let address = fs::read_to_string(&ready).unwrap();
        let port = address.lines().next().unwrap().rsplit(':').next().unwrap().to_owned();
        Server { process, port, log, _folder: folder }
    }

    /// The lines of its log that tell of a login.
    pub fn logins(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.starts_with("login ")).map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
