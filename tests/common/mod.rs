//! Shared by the end-to-end tests: the components that `scripts/test` names in the environment, and running programs.
//!
//! The tests use the release build of the library. Without the components they fail with a message.

#![allow(dead_code)] // Each test program uses only a part of this.

pub mod abi;
pub mod bulk_copy;
#[cfg(unix)]
pub mod clients;
pub mod memcheck;
#[cfg(windows)]
pub mod registry;
#[cfg(not(windows))]
pub mod root;
pub mod satellite;
pub mod server;
pub mod shim;
#[cfg(windows)]
pub mod windows;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A component that `scripts/env` names, such as `MSODBCSQL`.
#[track_caller]
pub fn part(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: run the tests with `make test`, or source scripts/env first")
    });
    assert!(Path::new(&path).exists(), "{variable}={} is not there: `make setup build` makes it", path.display());
    path.into()
}

/// The release build of the library.
pub fn library() -> PathBuf {
    part("LOOPBACK_ODBC_LIBRARY")
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program's output and exit status.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Ran {
        let Output { status, stdout, stderr } = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        Ran {
            // A crash has no exit code.
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Checks that the program ended well.
    #[track_caller]
    pub fn ok(self) -> Ran {
        assert_eq!(self.status, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that the two outputs together contain each part, and returns them.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> String {
        let text = format!("{}{}", self.stdout, self.stderr);
        assert_says(&text, parts);
        text
    }
}

/// The C compiler, which finds unixODBC's headers.
#[track_caller]
pub fn compiler() -> Command {
    let headers = std::env::var_os("UNIXODBC_INCLUDE").expect("UNIXODBC_INCLUDE is not set: source scripts/env first");
    let mut command = Command::new("cc");
    command.env("C_INCLUDE_PATH", headers);
    command
}

/// Compiles a C program or library: of the project, or any other by its whole path.
#[track_caller]
pub fn compile(source: &str, to: &Path, options: &[&str]) {
    let mut command = compiler();
    command.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"]).arg(to).arg(project(source)).args(options);
    Ran::of(&mut command).ok();
}

/// Compiles a C99 program with this project's header and library.
#[track_caller]
pub fn compile_against_us(source: &str, to: &Path) {
    let headers = format!("-I{}", project("include").display());
    compile(source, to, &["-std=c99", &headers, library().to_str().unwrap()]);
}

/// Links a program with a library file. The path in the program takes precedence over LD_LIBRARY_PATH, in which cargo
/// puts the folder of another build of the library.
#[track_caller]
pub fn link(source: &str, program: &Path, library: &Path) {
    let folder = format!("-Wl,--disable-new-dtags,-rpath,{}", library.parent().unwrap().display());
    compile(source, program, &["-rdynamic", library.to_str().unwrap(), &folder, "-lpthread", "-ldl"]);
}

/// Checks that a text contains each part.
#[track_caller]
pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// A folder with odbcinst.ini and odbc.ini of its own, for programs that run outside the satellite setting.
pub struct Registrations {
    folder: TempDir,
}

impl Registrations {
    /// Creates the two files with these contents.
    pub fn new(odbcinst: &str, odbc: &str) -> Registrations {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        // As everybody's registrations are; a new temporary folder is its owner's alone.
        #[cfg(unix)]
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("odbcinst.ini"), odbcinst).unwrap();
        std::fs::write(folder.path().join("odbc.ini"), odbc).unwrap();
        Registrations { folder }
    }

    /// Registers this library and Microsoft's driver, with a `[Loopback]` section that has these additional lines.
    pub fn usual(section: &str) -> Registrations {
        let odbcinst = format!(
            "[SQL Server Loopback]\nDriver={}\n[ODBC Driver 18 for SQL Server]\nDriver={}\n",
            library().display(),
            part("MSODBCSQL").display()
        );
        Registrations::new(&odbcinst, &format!("[Loopback]\nDriver=SQL Server Loopback\n{section}\n"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that sees these registrations and none of this project's variables, with this folder as its working
    /// directory.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOOPBACK_ODBC_") {
                command.env_remove(name);
            }
        }
        // The second is the user's own file. unixODBC reads it as well, and creates it if there is none.
        command.env("ODBCSYSINI", self.folder.path()).env("ODBCINI", self.path("user.ini"));
        // Programs and drivers depend on the locale, which differs between machines.
        command.env_remove("LC_ALL").env("LANG", "C.UTF-8").current_dir(self.folder.path());
        command
    }

    /// Connects with pyodbc, which must fail, and returns the text of the exception: the first record.
    #[track_caller]
    pub fn refusal(&self, string: &str) -> String {
        self.refusal_with(string, &[])
    }

    /// Like [`Registrations::refusal`], with environment variables.
    #[track_caller]
    pub fn refusal_with(&self, string: &str, variables: &[(&str, &str)]) -> String {
        let mut command = self.command(part("PYTHON"));
        command.envs(variables.iter().copied()).arg("-c").arg(CONNECT_AND_FAIL).arg(string);
        Ran::of(&mut command).ok().stdout
    }
}

/// Prints the first record of a connect that must fail, and shows that the process continues to work.
pub const CONNECT_AND_FAIL: &str = "
import pyodbc, sys
for attempt in range(2):
    try:
        pyodbc.connect(sys.argv[1], timeout=5)
    except pyodbc.Error as error:
        message = error.args[1]
    else:
        sys.exit('connected')
print(message)
";
