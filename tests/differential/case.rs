//! How the programs are run: once with a driver, once with the library in front of it, and nothing else is different.

use crate::common::{Ran, part, project};
use crate::platform::{self, Registrations};
use crate::transcript::{self, Register, Transcript};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What all runs have in common: they get the same arguments, and odbcinst.ini determines the driver.
pub struct Case {
    pub target: &'static str,
    /// More lines for odbcinst.ini: in the library's own section, and other sections.
    pub registered: String,
    /// The real driver.
    pub driver: PathBuf,
    /// How to reach the server: the lines of `[Loopback]`, without the database.
    pub section: String,
    pub database: String,
    pub user: String,
    pub password: String,
}

impl Case {
    /// The programs, with this file as the driver and these additional arguments; and the files that they read.
    pub fn command(&self, registrations: &Registrations, stop: &[String], further: &[&str]) -> Command {
        let by_driver = format!("Driver={{Under test}};{}", self.lines().trim_end().replace('\n', ";"));
        let mut command = registrations.command(part("DIFFERENTIAL"));
        command.env("DIFFERENTIAL_USER", &self.user).env("DIFFERENTIAL_PASSWORD", &self.password);
        command.args(["--target", self.target, "--data-source", "Loopback", "--by-driver", &by_driver]);
        command.args(["--catalog", &self.database]).args(further).arg("--").args(stop);
        command
    }

    /// The registrations of a run, with this file as the driver.
    pub fn registrations(&self, driver: &Path) -> Registrations {
        let odbcinst = format!("[Under test]\nDriver={}\n{}", driver.display(), self.registered);
        Registrations::new(&odbcinst, &format!("[Loopback]\nDriver=Under test\n{}", self.lines()))
    }

    fn lines(&self) -> String {
        format!("{}Database={}\n", self.section, self.database)
    }

    /// Runs the programs with this file as the driver, and returns what they wrote.
    pub fn run(&self, driver: &Path, stop: &[String], variables: &[(&str, &Path)]) -> String {
        let registrations = self.registrations(driver);
        let command = |further: &[&str]| {
            let mut command = self.command(&registrations, stop, further);
            command.envs(variables.iter().copied());
            command
        };
        platform::texts(command, driver, &self.register()).concat()
    }

    pub fn register(&self) -> Register {
        Register::read(&project("docs/differences.md"), &format!("{}{}", self.target, platform::ON))
    }

    /// The patterns of what must succeed on the driver itself.
    pub fn expected(&self) -> String {
        let file = project(&format!("tests/expected/differential/{}.expected", self.target));
        std::fs::read_to_string(file).unwrap()
    }

    /// What must succeed on the driver itself, and does not in this transcript.
    pub fn missing(&self, direct: &Transcript) -> Vec<String> {
        let missing = direct.missing(&self.expected()).into_iter();
        missing.map(|(program, pattern)| format!("{program}: {pattern}")).collect()
    }
}

/// A part of the names of the programs to run.
pub fn only() -> String {
    std::env::var("DIFFERENTIAL_ONLY").unwrap_or_default()
}

/// The transcript of a run that must end well.
#[track_caller]
pub fn finished(command: &mut Command) -> String {
    let ran = Ran::of(command);
    let last = ran.stdout.lines().rfind(|line| line.starts_with(transcript::PROGRAM));
    assert_eq!(ran.status, 0, "the programs ended in {last:?}: {}", ran.stderr);
    ran.stdout
}
