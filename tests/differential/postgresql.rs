//! A PostgreSQL server for the tests: in a temporary folder, with a socket there and no port, stopped with the test.

use crate::common::{Ran, part};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// `nobody`: PostgreSQL does not run as root.
const UNPRIVILEGED: u32 = 65534;

/// A server's programs and a new cluster's files. Every server starts from the same files.
pub struct Postgresql {
    folder: TempDir,
}

pub struct Running {
    process: Child,
    socket: PathBuf,
}

impl Postgresql {
    /// Creates a cluster with this superuser.
    pub fn prepare(user: &str, password: &str) -> Postgresql {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-postgresql").tempdir().unwrap();
        let postgresql = Postgresql { folder };
        // The unprivileged user cannot read the project if it is below somebody's home folder.
        let programs = part("POSTGRESQL_BIN");
        let unpacked = programs.ancestors().find(|folder| folder.ends_with("usr")).unwrap();
        Ran::of(Command::new("cp").arg("-r").arg(unpacked).arg(postgresql.path("usr"))).ok();
        std::fs::write(postgresql.path("password"), password).unwrap();
        if runs_as_root() {
            chown(postgresql.folder.path(), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        }
        let mut initdb = postgresql.command("initdb");
        initdb.args([
            "--username",
            user,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        initdb.arg("--pwfile").arg(postgresql.path("password")).arg("-D").arg(postgresql.path("cluster"));
        Ran::of(&mut initdb).ok();
        postgresql
    }

    /// The folder of the socket. In a connection string it replaces the server's name.
    pub fn address(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Starts a server on a fresh copy of the cluster.
    pub fn start(&self) -> Running {
        let data = self.path("data");
        if data.exists() {
            std::fs::remove_dir_all(&data).unwrap();
        }
        let mut copy = Command::new("cp");
        Ran::of(self.unprivileged(&mut copy).arg("-r").arg(self.path("cluster")).arg(&data)).ok();
        Ran::of(self.unprivileged(&mut Command::new("chmod")).arg("700").arg(&data)).ok();
        let log = std::fs::File::create(self.path("log")).unwrap();
        let mut server = self.command("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(self.folder.path());
        server
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "timezone=UTC", "-c", "jit=off"])
            .stdin(Stdio::null())
            .stderr(log);
        let running = Running { process: server.spawn().unwrap(), socket: self.path(".s.PGSQL.5432") };
        let deadline = Instant::now() + Duration::from_secs(30);
        // The last line of this file shows when the server accepts connections.
        while !std::fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready")) {
            let log = || std::fs::read_to_string(self.path("log"));
            assert!(Instant::now() < deadline, "PostgreSQL is not ready: {:?}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let programs = part("POSTGRESQL_BIN");
        let unpacked = programs.ancestors().find(|folder| folder.ends_with("usr")).unwrap();
        let mut command = Command::new(self.path("usr").join(programs.strip_prefix(unpacked).unwrap()).join(program));
        self.unprivileged(&mut command);
        command
    }

    fn unprivileged<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        if runs_as_root() {
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        }
        // The server must not use what scripts/env exports for the driver, and it may not be able to read the test's
        // folder.
        command.env_remove("LD_LIBRARY_PATH").current_dir(Path::new("/"))
    }
}

impl Running {
    /// A command that stops the server at once. It ends when connecting is impossible, or fails.
    pub fn stop_command(&self) -> Vec<String> {
        let script = "kill -QUIT $0; while [ -e $1 ]; do sleep 0.02; done";
        let (process, socket) = (self.process.id().to_string(), self.socket.display().to_string());
        ["timeout", "30", "sh", "-c", script, &process, &socket].map(str::to_owned).to_vec()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Immediately, with all its processes. It may have stopped already.
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

fn runs_as_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
