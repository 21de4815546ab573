//! The log must not affect the program that writes it: the program never waits for it, gets no signal from it, and
//! finds nothing written into its own files. Also: whose environment counts.

mod common;

use common::{Ran, Registrations, assert_says, compile, library, link, part};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

/// tests/programs/log.c, linked with the library, and its log.
struct Program {
    folder: Registrations,
    program: PathBuf,
}

impl Program {
    #[track_caller]
    fn new() -> Program {
        let folder = Registrations::usual("");
        let program = folder.path("log");
        link("tests/programs/log.c", &program, &library());
        Program { folder, program }
    }

    fn command(&self, mode: &str) -> Command {
        let mut command = self.folder.command(&self.program);
        command.arg(mode).arg(self.folder.path("own"));
        command.env("LOOPBACK_ODBC_TARGET_DRIVER", part("RECORDING_TARGET")).env("LOOPBACK_ODBC_LOG", "trace");
        command
    }

    /// Runs it with standard error as its log.
    #[track_caller]
    fn run(&self, mode: &str) -> Ran {
        Ran::of(&mut self.command(mode)).ok()
    }

    /// Runs it with this file as its log.
    #[track_caller]
    fn run_with_file(&self, mode: &str, log: &str) -> Ran {
        Ran::of(self.command(mode).env("LOOPBACK_ODBC_LOG_FILE", log)).ok()
    }

    /// Creates a FIFO in its folder.
    #[track_caller]
    fn fifo(&self, name: &str) -> String {
        let path = self.folder.path(name).to_str().unwrap().to_owned();
        Ran::of(Command::new("mkfifo").arg(&path)).ok();
        path
    }
}

#[test]
fn a_fifo_without_a_reader_does_not_block() {
    let program = Program::new();
    let fifo = program.fifo("fifo");
    let ran = program.run_with_file("plain", &fifo);
    assert_says(&ran.stderr, &[&format!("LOOPBACK_ODBC_LOG_FILE={fifo} cannot be opened"), "connecting with"]);
}

#[test]
fn a_fifo_reader_may_leave_and_return() {
    let program = Program::new();
    let fifo = program.fifo("own");
    assert_eq!(program.run_with_file("fifo", &fifo).stdout, "1 then 1 lines, SIGPIPE 0\n");
}

#[test]
fn a_full_fifo_does_not_block() {
    let program = Program::new();
    let fifo = program.fifo("own");
    program.run_with_file("fifo full", &fifo);
}

#[test]
fn a_disk_may_be_full() {
    let program = Program::new();
    program.run_with_file("plain", "/dev/full");
    // A file system with room for a part.
    let disk = program.folder.path("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = program.folder.command("unshare");
    command.args([
        "--mount",
        "sh",
        "-c",
        r#"mount -t tmpfs -o size=4k none disk && "$@" && stat -c %s disk/log"#,
        "sh",
    ]);
    command.arg(&program.program).arg("plain").env("LOOPBACK_ODBC_LOG", "trace");
    command
        .env("LOOPBACK_ODBC_TARGET_DRIVER", part("RECORDING_TARGET"))
        .env("LOOPBACK_ODBC_LOG_FILE", disk.join("log"));
    let size: u32 = Ran::of(&mut command).ok().stdout.trim().parse().unwrap();
    assert!((1..=4096).contains(&size), "{size}");
}

#[test]
fn a_file_size_limit_is_tolerated() {
    let program = Program::new();
    let log = program.folder.path("the log");
    let ran = program.run_with_file("limit", log.to_str().unwrap());
    assert_eq!((ran.stdout.as_str(), fs::read(log).unwrap().len()), ("SIGXFSZ 0, blocked 0\n", 10));
}

#[test]
fn the_log_goes_to_the_inherited_standard_error() {
    let program = Program::new();
    for (mode, said) in [
        ("pipe", "lines: 1, it waits: 1\n"),
        ("socket", "lines: 1, it waits: 1\n"),
        ("added to", "bytes: 1\n"),
        ("pipe without a reader", "SIGPIPE 0\n"),
        ("socket without a reader", "SIGPIPE 0\n"),
        ("pipe that is full", "it waits: 1\n"),
        ("pending", "SIGPIPE 1, SIGXFSZ 1, blocked 1\n"),
    ] {
        assert_eq!(program.run(mode).stdout, said, "{mode}");
    }
}

#[test]
fn the_log_does_not_go_to_a_file_the_program_opened() {
    for (mode, said) in [
        ("closed", "descriptor 2: -1\n"),
        ("own file", "bytes: 0\n"),
        ("own file later", "bytes: 0\n"),
        ("own file, not inherited", "bytes: 0\n"),
        ("connection", "bytes: 0\n"),
    ] {
        assert_eq!(Program::new().run(mode).stdout, said, "{mode}");
    }
    // Nothing is written if another file takes the place of the log's file, and the log never takes the place of a
    // standard stream.
    for (mode, said) in [("closed", "descriptor 2: -1\n"), ("all closed", "bytes: 0\n")] {
        let program = Program::new();
        let log = program.folder.path("the log");
        assert_eq!(program.run_with_file(mode, log.to_str().unwrap()).stdout, said, "{mode}");
        assert_says(&fs::read_to_string(log).unwrap(), &["connecting with"]);
    }
}

#[test]
fn no_value_can_forge_a_log_line() {
    let program = Program::new();
    for stderr in [program.run("forged").stderr, {
        let log = program.folder.path("the log");
        program.run_with_file("forged", log.to_str().unwrap());
        fs::read_to_string(log).unwrap()
    }] {
        assert_says(&stderr, &[r"a\nloopback-odbc[1] INFO: forged\r\n\u{1b}[2J"]);
        assert!(stderr.lines().all(|line| line.starts_with("loopback-odbc[")), "{stderr}");
        assert!(!stderr.lines().any(|line| line.starts_with("loopback-odbc[1]")), "{stderr}");
    }
}

/// A program that has the rights of a user other than the one who starts it, and the same program without them.
#[test]
fn setuid_and_setgid_programs_ignore_the_environment() {
    const STARTS: u32 = 10_001;
    const OWNS: u32 = 10_002;
    // Debian 13 mounts /tmp with nosuid, which takes these rights away. The program's folder gets a mount that leaves them.
    const START: &str = r#"mount --bind "$0" "$0" && mount -o remount,bind,suid "$0" && exec setpriv "$@""#;
    let folder = Registrations::new("", "");
    let (own_library, program) = (folder.path("libloopbackodbc.so"), folder.path("log"));
    let (target, log) = (folder.path("target.so"), folder.path("written/log"));
    fs::copy(library(), &own_library).unwrap();
    link("tests/programs/log.c", &program, &own_library);
    compile("benches/target.c", &target, &["-O2", "-shared", "-fPIC", "-Wno-unused-parameter"]);
    fs::create_dir(folder.path("written")).unwrap();
    fs::set_permissions(folder.path("written"), Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o755)).unwrap();
    let run = |mode: u32| {
        chown(&program, Some(OWNS), Some(OWNS)).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
        let mut command = folder.command("unshare");
        command.args(["--mount", "sh", "-c", START]).arg(folder.path(""));
        command.args(["--reuid", &STARTS.to_string(), "--regid", &STARTS.to_string(), "--clear-groups"]);
        command.arg(&program).arg("refused").env("LOOPBACK_ODBC_TARGET_DRIVER", &target);
        command.env("LOOPBACK_ODBC_LOG", "trace").env("LOOPBACK_ODBC_LOG_FILE", &log);
        Ran::of(&mut command).ok()
    };
    for mode in [0o4755, 0o2755] {
        let ran = run(mode);
        assert_says(&ran.stdout, &["-1 IM003", "cannot be loaded: odbcinst.ini cannot be read"]);
        assert!(!log.exists() && ran.stderr.is_empty(), "{ran:?}");
    }
    assert_says(&run(0o755).stdout, &["0 "]);
    assert_says(&fs::read_to_string(&log).unwrap(), &["connecting with"]);
}

#[test]
fn an_invalid_level_is_reported_with_the_valid_ones() {
    let run = |level: &str| {
        let registrations = Registrations::usual("");
        let mut command = registrations.command(part("PYTHON"));
        command.args(["-c", common::CONNECT_AND_FAIL, "DSN=Loopback"]).env("LOOPBACK_ODBC_LOG", level);
        let log = registrations.path("log");
        Ran::of(command.env("LOOPBACK_ODBC_LOG_FILE", &log));
        fs::read_to_string(&log).unwrap_or_default()
    };
    let log = run("verbose");
    assert_says(
        &log,
        &[" WARN: LOOPBACK_ODBC_LOG=verbose is not a level, ", "Use off, error, warn, info, debug or trace"],
    );
    assert!(!log.contains(" INFO: "), "{log}");
    for level in ["off", " OFF ", ""] {
        assert_eq!(run(level), "");
    }
    assert!(run("Info").contains(" INFO: ") && !run("Info").contains("not a level"));
}
