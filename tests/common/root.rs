//! A private root: mounts that exist as long as a value, and the programs and files in them.

use super::Ran;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const DRIVERS: &str = "/etc/odbcinst.ini";
pub const DATA_SOURCES: &str = "/etc/odbc.ini";

/// What an administrator had in the files before: comments, blank lines, other data sources.
pub const OTHERS: &str = "; Ours, do not touch\n\n[Warehouse]\n  Driver = Other\nServer=w # main\n\n\n# The end\n";

/// Prints which copy of the library is loaded after a connect.
pub const CONNECT: &str = "
import pyodbc, sys
print('connected:', *pyodbc.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM Sales.dbo.Orders').fetchone())
with open('/proc/self/maps') as maps:
    print('loaded:', *{line.split()[-1] for line in maps if 'libloopbackodbc' in line})
";

/// A process in a mount namespace. It waits for the end of standard input, which comes when the test ends, however it ends.
pub struct Holder(Child);

impl Holder {
    /// Starts a command that makes the mounts, prints `ready`, and waits.
    pub fn of(command: &mut Command) -> Holder {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line, "ready\n",
            "no namespace with an overlay could be made; in a container, it has to be a privileged one"
        );
        Holder(child)
    }

    /// The path by which this process reaches a path in the private root.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.0.id())).join(path.as_ref().strip_prefix("/").unwrap())
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn write(&self, path: &str, contents: &str) {
        fs::write(self.path(path), contents).unwrap();
    }

    /// Registers this driver of Microsoft's, and other people's data sources.
    pub fn prepare(&self, target: &str) {
        self.write(
            DRIVERS,
            &format!("# Drivers\n\n[ODBC Driver 18 for SQL Server]\nDriver = {target}\nUsageCount=1\n"),
        );
        self.write(DATA_SOURCES, OTHERS);
    }

    /// A command that enters the private root; the program is its next argument.
    pub fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        let of_holder = format!("/proc/{}", self.0.id());
        // Also enters the root: the namespace alone would give the root from before a chroot.
        command.args([format!("--mount={of_holder}/ns/mnt"), format!("--root={of_holder}/root")]).arg("--");
        command
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The output of a listing of files, which must be long.
#[track_caller]
pub fn listing(command: &mut Command) -> String {
    let ran = Ran::of(command);
    assert!(ran.stdout.lines().count() > 1000, "{ran:?}");
    ran.stdout
}

/// Checks that two listings have the same lines.
#[track_caller]
pub fn assert_same(before: &str, now: &str) {
    let (before, now): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), now.lines().collect());
    let different: Vec<&&str> = before.symmetric_difference(&now).collect();
    assert!(different.is_empty(), "{different:#?}");
}
