//! The differential suite under Wine: registrations in the registry, and the stand-in server as a program of the host
//! system, started with Wine's `start`. docs/differences.md lists the programs that must run in another way here.

use crate::case::{finished, only};
use crate::common::windows::{DRIVERS, SOURCES, shown};
use crate::common::{Ran, registry};
use crate::transcript::{CALL, CALLS, PROGRAM, Register};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// What docs/differences.md adds to the name of the target.
pub const ON: &str = " on Windows";

/// These programs wait most of the time and use no table, so they run in parallel with the others.
const BESIDE: [&str; 2] = ["waiting: asynchronous", "waiting: cancelled"];
/// This program stops the server.
const LAST: &str = "connecting: lost";

/// A program that runs longer than this hangs; the programs in question take a second.
const HANGS: Duration = Duration::from_secs(8);

/// The contents of odbcinst.ini and odbc.ini, put into the registry.
pub struct Registrations;

impl Registrations {
    pub fn new(odbcinst: &str, odbc: &str) -> Registrations {
        let sections = |text: &str| -> Vec<(String, Vec<(String, String)>)> {
            let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            let sections = text.split('[').filter_map(|section| section.split_once("]\n"));
            sections.map(|(name, lines)| (name.to_owned(), lines.lines().filter_map(pair).collect())).collect()
        };
        let drivers = sections(odbcinst);
        // A data source's section has the file of its driver.
        let file = |name: &str| drivers.iter().find(|(it, _)| it == name).map(|(_, values)| values[0].1.clone());
        for (key, list, sections) in
            [(DRIVERS, "ODBC Drivers", drivers.clone()), (SOURCES, "ODBC Data Sources", sections(odbc))]
        {
            registry::remove(key);
            for (name, values) in sections {
                registry::set(&format!(r"{key}\{list}"), &[(&name, &values[0].1)]);
                let own = |value: &str| file(value).unwrap_or_else(|| value.to_owned());
                let values: Vec<(&str, String)> = values.iter().map(|(key, value)| (&**key, own(value))).collect();
                let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, &**value)).collect();
                registry::set(&format!(r"{key}\{name}"), &values);
            }
        }
        registry::remove(r"HKCU\Software\ODBC");
        Registrations
    }

    /// A program with none of this project's variables in its environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LOOPBACK_ODBC_"));
        ours.for_each(|(name, _)| _ = command.env_remove(name));
        command
    }
}

/// Runs all programs, some of them in a process of their own, and some on the driver's own functions.
pub fn texts(command: impl Fn(&[&str]) -> Command + Sync, driver: &Path, register: &Register) -> Vec<String> {
    let alone = &|name: &str| {
        let without_manager = register.without_manager.contains(name);
        let functions: &[&str] = if without_manager { &["--functions-of", shown(driver)] } else { &[] };
        let mut command = command(&[&["--only", name], functions].concat());
        if !register.crashes.contains(name) {
            return finished(&mut command);
        }
        let ran = Ran::of(&mut command);
        assert_ne!(ran.status, 0, "{name} does not crash any more");
        ran.stdout + &format!("{PROGRAM}{CALLS}\n")
    };
    let chosen = |name: &&str| name.contains(&only());
    let listed = register.without_manager.union(&register.crashes).map(|name| &**name);
    let others: Vec<&str> = listed.filter(|name| !BESIDE.contains(name)).collect();
    let skipped = [&BESIDE, &others[..], &[LAST]].concat().into_iter().flat_map(|name| ["--skip", name]);
    let rest: Vec<&str> = skipped.chain(["--only"]).collect();
    let mut texts = thread::scope(|scope| {
        let beside = BESIDE.into_iter().filter(chosen).map(|name| scope.spawn(move || alone(name))).collect::<Vec<_>>();
        let mut texts: Vec<String> = others.iter().copied().filter(chosen).map(alone).collect();
        texts.push(finished(&mut command(&[&rest[..], &[&only()]].concat())));
        texts.extend(beside.into_iter().map(|running| running.join().unwrap()));
        texts
    });
    texts.extend([LAST].into_iter().filter(chosen).map(alone));
    texts
}

/// The programs that complete on the driver's own functions, and would succeed in as many calls through the driver
/// manager.
pub fn needless(command: impl Fn(&[&str]) -> Command, driver: &Path, register: &Register) -> Vec<String> {
    let successes = |arguments: &[&str]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut command = command(arguments);
        let mut process =
            command.stdin(Stdio::null()).stdout(file.reopen().unwrap()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while start.elapsed() < HANGS && process.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(50));
        }
        process.kill().and_then(|()| process.wait()).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        text.lines().filter(|line| line.starts_with(CALL) && line.ends_with(") = 0")).count()
    };
    let runs = |name: &&String| {
        let own = successes(&["--only", name, "--functions-of", shown(driver)]);
        successes(&["--only", name]) >= own
    };
    register.without_manager.difference(&register.crashes).filter(runs).cloned().collect()
}

/// The stand-in server, stopped with the test. After fifteen minutes it stops itself.
pub struct Server {
    process: String,
}

const START: &str = r#"exec >"$0/said" 2>&1 </dev/null timeout 900     sh -c 'echo $$ >"$0/process"; exec env TMPDIR="$0" "$@" --log "$0/log" --ready-file "$0/ready"' "$0" "$@""#;

/// A command that runs a script on the host system. It does not wait for it.
fn below(script: &str, arguments: &[&str]) -> Vec<String> {
    [&["start", "/unix", "/bin/sh", "-c", script], arguments].concat().into_iter().map(str::to_owned).collect()
}

fn run(command: &[String]) {
    Ran::of(Command::new(&command[0]).args(&command[1..])).ok();
}

/// Starts the stand-in server, and returns the command that stops it. Paths are those of the host system, which
/// programs under Wine accept as well.
pub fn start(port: u16, login: &str) -> (Server, Vec<String>) {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/differential");
    // The previous server's folder.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let standin = std::env::var("STANDIN").expect("scripts/env sets it");
    let address = format!("127.0.0.1:{port}");
    let seed = concat!("Sales=", env!("CARGO_MANIFEST_DIR"), "/examples/sales.sql");
    run(&below(START, &[folder, &standin, "--listen", &address, "--seed", seed, "--login", login]));
    let read = |name: &str| fs::read_to_string(Path::new(folder).join(name)).unwrap_or_default();
    let start = Instant::now();
    while read("ready").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "the stand-in is not ready: {}", read("said"));
        thread::sleep(Duration::from_millis(20));
    }
    let server = Server { process: read("process").trim().to_owned() };
    let stop = server.stop();
    (server, stop)
}

impl Server {
    fn stop(&self) -> Vec<String> {
        below("kill -KILL $0 2>/dev/null", &[&self.process])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped already.
        run(&self.stop());
        while Path::new("/proc").join(&self.process).exists() {
            thread::sleep(Duration::from_millis(20));
        }
    }
}
