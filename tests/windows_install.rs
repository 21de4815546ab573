//! `loopback-odbc.exe`: what it installs on Windows, that the result works, that uninstalling leaves nothing, and its
//! output.
//!
//! Each test has the machine to itself, because there is only one registry and one %ProgramFiles%.

#![cfg(windows)]

mod common;

use common::windows::*;
use common::{Ran, assert_says, library, part, project, registry};
use libloading::Library;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

const FOLDER: &str = r"C:\Program Files\loopback-odbc";
const FILE: &str = r"C:\Program Files\loopback-odbc\loopbackodbc.dll";
const OURS: &str = r"HKLM\Software\ODBC\ODBCINST.INI\SQL Server Loopback";
const SOURCE: &str = r"HKLM\Software\ODBC\ODBC.INI\Loopback";
const PENDING: &str = r"HKLM\System\CurrentControlSet\Control\Session Manager";

/// A machine with Microsoft's driver and other people's data sources, but without this project's files and
/// registrations.
struct Machine {
    before: Traces,
    _alone: MutexGuard<'static, ()>,
}

/// What an installation may leave: registrations, and files with their sizes.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    registry: [String; 2],
    files: BTreeMap<PathBuf, u64>,
}

impl Machine {
    fn new() -> Machine {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        machine_without_us();
        for folder in [Path::new(FOLDER), &user_folder()] {
            let _ = fs::remove_dir_all(folder);
        }
        for root in ["HKLM", "HKCU"] {
            registry::set(&format!(r"{root}\Software\ODBC\ODBC.INI\ODBC Data Sources"), &[("Warehouse", "Other")]);
            registry::set(&format!(r"{root}\Software\ODBC\ODBC.INI\Warehouse"), &[("Driver", r"C:\other.dll")]);
        }
        Machine { before: Traces::now(), _alone: alone }
    }

    #[track_caller]
    fn assert_as_before(&self) {
        assert_eq!(Traces::now(), self.before);
    }
}

impl Traces {
    fn now() -> Traces {
        let mut files = BTreeMap::new();
        for folder in [Path::new(FOLDER).parent().unwrap(), user_folder().parent().unwrap()] {
            list(folder, &mut files);
        }
        Traces { registry: ["HKLM", "HKCU"].map(|root| registry::exported(&format!(r"{root}\Software\ODBC"))), files }
    }
}

fn list(folder: &Path, files: &mut BTreeMap<PathBuf, u64>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        // The tests' programs create and remove files there.
        if entry.file_name() == "Temp" {
            continue;
        }
        let is_folder = entry.file_type().unwrap().is_dir();
        files.insert(entry.path(), if is_folder { 0 } else { entry.metadata().unwrap().len() });
        if is_folder {
            list(&entry.path(), files);
        }
    }
}

fn user_folder() -> PathBuf {
    PathBuf::from(std::env::var_os("LOCALAPPDATA").unwrap()).join("loopback-odbc")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(part("PROGRAM"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Ran {
    Ran::of(&mut command(arguments))
}

/// Sets the stand-in server and a login in a data source, as a developer does.
fn login(key: &str, database: &str) {
    let server = format!("127.0.0.1,{}", std::env::var("STANDIN_PORT").unwrap());
    let values = [("Server", &*server), ("Database", database), ("TrustServerCertificate", "Yes")];
    registry::set(key, &[&values[..], &[("UID", "developer"), ("PWD", PASSWORD)]].concat());
}

/// The library of this version in a different file: data after its end is not loaded.
fn another_library(folder: &tempfile::TempDir, more: &[u8]) -> PathBuf {
    let path = folder.path().join("another.dll");
    fs::write(&path, [fs::read(library()).unwrap(), more.to_vec()].concat()).unwrap();
    path
}

// --- From end to end ---

#[test]
fn an_administrator_installs_connects_and_uninstalls_without_a_trace() {
    let machine = Machine::new();
    let said = run(&["install"]).ok().stdout;
    assert_documented("Installing", &said);
    assert_eq!(fs::read(FILE).unwrap(), fs::read(library()).unwrap());
    for (key, name, value) in [
        (OURS, "Driver", FILE),
        (OURS, "Setup", FILE),
        (OURS, "DriverODBCVer", "03.80"),
        (&*format!(r"{DRIVERS}\ODBC Drivers"), "SQL Server Loopback", "Installed"),
        (&*format!(r"{SOURCES}\ODBC Data Sources"), "Loopback", "SQL Server Loopback"),
    ] {
        assert!(registry::values(key).contains(&(name.into(), value.into())), "{name} of {key}");
    }
    assert_says(&registry::exported(OURS), &["\"UsageCount\"=dword:00000001"]);

    login(SOURCE, "Installed");
    let said = Ran::of(&mut program_as_it_is(&["queries", "DSN=Loopback"])).ok().stdout;
    assert_says(
        &said,
        &["data source: Loopback", "driver: msodbcsql18.dll", "database: Installed", "row: 4 committed"],
    );
    // The driver's registry key has the same values that Microsoft's driver reports.
    let answers = Ran::of(&mut program_as_it_is(&["conformance", "DSN=Loopback"])).ok().stdout;
    let answers: Vec<(&str, &str)> = answers.lines().filter_map(|line| line.split_once('=')).collect();
    let registered = registry::values(OURS);
    for name in ["APILevel", "SQLLevel", "FileUsage", "DriverODBCVer"] {
        let (_, answer) = answers.iter().find(|(answered, _)| *answered == name).expect(name);
        assert!(registered.contains(&(name.into(), (*answer).into())), "{name}={answer}: {registered:?}");
    }
    // The plain case of a script works too.
    registry::remove(SOURCE);
    run(&["install"]).ok();
    let mut command = program_as_it_is(&["connect", "DSN=Loopback;Database=Sales"]);
    command.env("LOOPBACK_ODBC_TARGET_DRIVER", "SQL Server").env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL");
    assert_eq!(given(&mut command), "DSN=Loopback;Server=.;Database=Sales;Trusted_Connection=Yes;");

    let said = run(&["uninstall"]).ok().stdout;
    let lines = [
        r"HKLM\SOFTWARE\ODBC\ODBC.INI: [Loopback] removed",
        r"HKLM\SOFTWARE\ODBC\ODBCINST.INI: [SQL Server Loopback] removed",
        &format!("{FILE}: removed"),
        "Done.",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    machine.assert_as_before();
    let again = run(&["uninstall"]).ok();
    again.says(&["there is no [Loopback]", "there is no [SQL Server Loopback]", "loopbackodbc.dll: does not exist"]);
}

#[test]
fn a_user_installs_with_the_user_option() {
    let machine = Machine::new();
    let file = user_folder().join("loopbackodbc.dll");
    let said = run(&["install", "--user"]).ok().stdout;
    assert_says(
        &said,
        &[
            &format!("{}: the library, version", file.display()),
            &format!(r"HKCU\SOFTWARE\ODBC\ODBC.INI: [Loopback] added: Driver={}", file.display()),
            "Scripts that SQL Server runs do not see this installation.",
        ],
    );
    assert!(!said.contains("HKLM") && !said.contains("ALL APPLICATION PACKAGES"), "{said}");
    assert!(registry::values(USER_SOURCES).contains(&("Loopback".into(), "SQL Server Loopback".into())));
    login(r"HKCU\Software\ODBC\ODBC.INI\Loopback", "InstalledByUser");
    // Windows uses the path in the data source; Wine uses the name of a registered driver.
    register("SQL Server Loopback", &file, &[]);
    let said = Ran::of(&mut program_as_it_is(&["queries", "DSN=Loopback"])).ok().stdout;
    assert_says(&said, &["data source: Loopback", "database: InstalledByUser", "row: 4 committed"]);
    registry::remove(OURS);
    registry::remove_value(&format!(r"{DRIVERS}\ODBC Drivers"), "SQL Server Loopback");
    run(&["doctor"])
        .ok()
        .says(&[r"HKCU\SOFTWARE\ODBC\ODBC.INI, section [Loopback]", "a server and a login are configured"]);
    let said = run(&["uninstall", "--user"]).ok().stdout;
    assert_says(&said, &[r"HKCU\SOFTWARE\ODBC\ODBC.INI: [Loopback] removed, with the values that were added to it"]);
    machine.assert_as_before();
}

#[test]
fn a_second_registration_is_a_second_copy_with_a_target_of_its_own() {
    let machine = Machine::new();
    run(&["install"]).ok();
    let (driver, dsn) = ("Loopback by SQL Server", format!("Two {LETTERS}"));
    let second = ["--driver-name", driver, "--dsn", &dsn];
    let copy = format!(r"{FOLDER}\loopbackodbc-loopback-by-sql-server.dll");
    let said = run(&[&["install", "--target-driver", "SQL Server"], &second[..]].concat()).ok().stdout;
    assert_says(
        &said,
        &[&format!("{copy}: the library"), "SQLLevel=1", "TargetDriver=SQL Server", &format!("[{dsn}] added")],
    );
    let key = format!(r"{DRIVERS}\{driver}");
    assert!(registry::values(&key).contains(&("TargetDriver".into(), "SQL Server".into())));
    let connect = |string: &str| {
        let mut command = program_as_it_is(&["connect", string]);
        given(command.env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL"))
    };
    assert_eq!(
        connect(&format!("DSN={dsn};Database=Sales")),
        format!("DSN={dsn};Server=.;Database=Sales;Trusted_Connection=Yes;")
    );
    run(&["doctor", "--dsn", &dsn]).says(&[&format!("section [{driver}]: Driver={copy}, TargetDriver=SQL Server")]);

    run(&["uninstall"])
        .ok()
        .says(&[&format!("[{driver}] stays (uninstall --driver-name \"{driver}\" --dsn \"{dsn}\")")]);
    assert!(Path::new(&copy).exists() && !Path::new(FILE).exists());
    run(&[&["uninstall"], &second[..]].concat()).ok();
    machine.assert_as_before();
}

// --- Again, and newer ---

#[test]
fn a_reinstallation_changes_nothing_and_keeps_an_added_login() {
    let machine = Machine::new();
    run(&["install"]).ok();
    login(SOURCE, "Sales");
    let before = Traces::now();
    let said = run(&["install"]).ok().stdout;
    assert_says(
        &said,
        &["loopbackodbc.dll: up to date", "[SQL Server Loopback] is up to date", "[Loopback] is up to date"],
    );
    assert_eq!(Traces::now(), before);
    // Changed by hand, with the driver in another place.
    registry::set(OURS, &[("Driver", r"C:\elsewhere\loopbackodbc.dll")]);
    registry::set(SOURCE, &[("Driver", r"C:\elsewhere\loopbackodbc.dll")]);
    run(&["install"]).ok().says(&["[SQL Server Loopback] changed: Driver=", "[Loopback] changed: Driver="]);
    assert_eq!(Traces::now(), before);
    run(&["uninstall"]).ok();
    machine.assert_as_before();
}

#[test]
fn an_upgrade_leaves_running_programs_the_library_that_they_have() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    run(&["install"]).ok();
    // SAFETY: the library's initialisers are this project's.
    let loaded = unsafe { Library::new(FILE) }.unwrap();
    assert!(fs::write(FILE, "").is_err() && fs::remove_file(FILE).is_err(), "a loaded library can be changed here");

    let newer = another_library(&folder, b"newer");
    let ran = run(&["install", "--library", shown(&newer)]);
    let old = format!("{FILE}.old-1");
    ran.says(&[
        "loopbackodbc.dll: replaced by the library, version",
        "warning: programs still use the old library",
        &format!("Windows deletes {old} when it restarts"),
    ]);
    assert_eq!(ran.status, 1);
    assert_eq!(fs::read(FILE).unwrap(), fs::read(&newer).unwrap());
    assert_eq!(fs::read(&old).unwrap(), fs::read(library()).unwrap());
    let pending = Ran::of(Command::new("reg").args(["query", PENDING, "/v", "PendingFileRenameOperations"])).stdout;
    assert_says(&pending, &[&old]);
    // The loaded one still answers.
    // SAFETY: the function is declared in include/loopback_odbc.h.
    let version =
        unsafe { CStr::from_ptr(loaded.get::<extern "C" fn() -> *const c_char>(b"loopback_odbc_version").unwrap()()) };
    assert_eq!(version.to_str().unwrap(), env!("CARGO_PKG_VERSION"));

    // Upgrading a library that no process has loaded leaves nothing. Upgrading a loaded one leaves the old file, and
    // the next upgrade removes it.
    fs::write(&newer, [fs::read(&newer).unwrap(), b"still".to_vec()].concat()).unwrap();
    run(&["install", "--library", shown(&newer)]).ok();
    assert!(Path::new(&old).exists() && !Path::new(&format!("{FILE}.old-2")).exists());
    drop(loaded);
    run(&["install"]).ok();
    assert!(!Path::new(&old).exists());
    run(&["uninstall"]).ok();
    machine.assert_as_before();
}

#[test]
fn a_library_in_use_is_removed_later() {
    let machine = Machine::new();
    run(&["install"]).ok();
    // SAFETY: the library's initialisers are this project's.
    let loaded = unsafe { Library::new(FILE) }.unwrap();
    let ran = run(&["uninstall"]);
    assert_eq!(ran.status, 1);
    ran.says(&["loopbackodbc.dll: removed", "programs still use the old library", ".old-1 when it restarts"]);
    assert!(!Path::new(FILE).exists());
    drop(loaded);
    // The state after Windows has restarted.
    run(&["install"]).ok();
    run(&["uninstall"]).ok();
    machine.assert_as_before();
}

// --- What is refused, or left ---

#[test]
fn a_dry_run_says_what_the_real_one_does_and_changes_nothing() {
    let machine = Machine::new();
    let both = |command: &str| {
        let before = Traces::now();
        let dry = run(&[command, "--dry-run"]).ok().stdout;
        assert_eq!(Traces::now(), before);
        let (head, dry) = dry.split_once('\n').unwrap();
        assert_eq!(head.trim_end(), "Dry run: nothing is changed. A real run would print and do this:");
        assert_eq!(run(&[command]).ok().stdout, dry);
    };
    both("install");
    both("uninstall");
    machine.assert_as_before();
}

#[test]
fn an_unwritable_place_is_named_and_nothing_is_changed() {
    let machine = Machine::new();
    // Nobody can create a file there.
    let unwritable = |ran: Ran, place: &str, advice: &str| {
        assert_eq!(ran.status, 2, "{ran:?}");
        ran.says(&[&format!("{place} cannot be written ("), &format!("Nothing was changed. Fix: {advice}")]);
        machine.assert_as_before();
    };
    let folder = r"Z:\sys\loopback-odbc";
    unwritable(
        Ran::of(command(&["install", "--user"]).env("LOCALAPPDATA", r"Z:\sys")),
        folder,
        r"make Z:\sys writable",
    );
    run(&["install", "--user", "--dry-run"]).ok();
    // Nor below a file.
    fs::write(FOLDER, "").unwrap();
    let ran = run(&["install"]);
    fs::remove_file(FOLDER).unwrap();
    unwritable(ran, FOLDER, "run this as an administrator, or with --user");
    let ran = Ran::of(command(&["install", "--user"]).env_remove("LOCALAPPDATA"));
    ran.says(&["the environment variable LOCALAPPDATA is not set"]);
    machine.assert_as_before();
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let _machine = Machine::new();
    let before = Traces::now();
    for (arguments, reason) in [
        (
            &["install", "--dsn", "Warehouse"][..],
            r"[Warehouse] of HKLM\SOFTWARE\ODBC\ODBC.INI has another driver (C:\other.dll)",
        ),
        (&["install", "--driver-name", "SQL Server"], "is another driver ("),
        (&["uninstall", "--driver-name", "SQL Server"], "is another driver ("),
        (&["install", "--dsn", "a[b"], "is not a valid name"),
        (&["install", "--user", "--driver-name", "Two"], "which --user does not change"),
        (&["install", "--user", "--target-driver", "SQL Server"], "set LOOPBACK_ODBC_TARGET_DRIVER"),
        (&["install", "--library", r"C:\windows\system32\kernel32.dll"], "is not the library of loopback-odbc"),
        (&["install", "--library", r"C:\nowhere.dll"], "(os error 126)"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {ran:?}");
        ran.says(&[reason]);
        assert_eq!(Traces::now(), before, "{arguments:?}");
    }
    run(&["uninstall", "--dsn", "Warehouse"]).ok().says(&[r"[Warehouse] stays: its driver is C:\other.dll"]);
    assert_eq!(Traces::now(), before);
}

#[test]
fn a_driver_with_a_usage_count_stays_until_the_last_uninstall() {
    let machine = Machine::new();
    run(&["install"]).ok();
    Ran::of(Command::new("reg").args(["add", OURS, "/v", "UsageCount", "/t", "REG_DWORD", "/d", "2", "/f"])).ok();
    let ran = run(&["uninstall"]);
    assert_eq!(ran.status, 1);
    ran.says(&[
        "[SQL Server Loopback] changed: UsageCount=1",
        "loopbackodbc.dll: stays",
        "other installations use [SQL Server Loopback]",
    ]);
    assert_says(&registry::exported(OURS), &["\"UsageCount\"=dword:00000001"]);
    assert!(Path::new(FILE).exists());
    run(&["uninstall"]).ok();
    machine.assert_as_before();
}

// --- What it says ---

#[test]
fn the_string_is_the_documented_one() {
    let _machine = Machine::new();
    let string =
        |arguments: &[&str]| run(&[&["string", "--database", "nameOfDatabase"], arguments].concat()).ok().stdout;
    let documented = "Driver=SQL Server;Server=.;Database=nameOfDatabase;Trusted_Connection=Yes;\n";
    assert_eq!(string(&["--driver", "SQL Server"]), documented);
    assert_eq!(
        string(&["--driver", "SQL Server", "--server", r".\SALES"]),
        documented.replace("Server=.;", r"Server=.\SALES;")
    );
    // Without a driver it uses the one that the library would load.
    assert_says(&string(&[]), &["Driver=ODBC Driver 18 for SQL Server;Server=.;Database=nameOfDatabase;"]);
}

#[test]
fn doctor_reports_the_state_of_an_installation() {
    let _machine = Machine::new();
    let ran = run(&["doctor"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_says(
        &ran.stdout,
        &[
            r"There is no data source [Loopback] in HKCU\SOFTWARE\ODBC\ODBC.INI or HKLM\SOFTWARE\ODBC\ODBC.INI",
            "Fix: loopback-odbc install",
        ],
    );
    run(&["install"]).ok();
    let ran = run(&["doctor"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_documented("Outside SQL Server", &ran.stdout);
    assert_says(&run(&["doctor", "--json"]).stdout, &["\"level\": \"warning\"", "\"area\": \"Session\""]);

    login(SOURCE, "Doctor");
    let ran = run(&["doctor", "--connect"]).ok();
    assert_says(&ran.stdout, &["Connected as developer to Doctor, in ", "0 failures, 0 warnings", "PWD=***"]);
    assert_says(
        &run(&["doctor", "--json", "--connect"]).ok().stdout,
        &["\"level\": \"ok\"", "Connected as developer to Doctor"],
    );
    registry::set(SOURCE, &[("PWD", "wrong")]);
    let ran = run(&["doctor", "--connect"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_says(&ran.stdout, &["The connection failed after ", "28000: ", "Login failed for user 'developer'"]);
}

/// Compares docs/administrators-windows.md with the output, with typical paths and without the version.
#[track_caller]
fn assert_documented(heading: &str, said: &str) {
    let page = fs::read_to_string(project("docs/administrators-windows.md")).unwrap();
    let below = page.split_once(&format!("# {heading}\n")).expect(heading).1;
    let documented = below.split("```").nth(1).unwrap().trim_start_matches("text\n");
    let usual = said
        .replace(shown(&part("MSODBCSQL")), r"C:\Windows\System32\msodbcsql18.dll")
        .replace(shown(&library()), r"C:\Setup\loopbackodbc.dll")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert_eq!(usual, documented);
}
