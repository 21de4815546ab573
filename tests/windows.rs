//! The library on Windows, through Windows' own driver manager. `make test-windows` runs this under Wine, with
//! Microsoft's driver for Windows, and with the stand-in server on this machine's loopback interface.

#![cfg(windows)]

mod common;

use common::windows::*;
use common::{Ran, assert_says, part, project, registry};
use libloading::Library;
use serde_json::Value;
use std::ffi::c_char;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

// --- What the target is given ---

#[test]
fn the_plain_case_is_the_documented_string() {
    machine();
    registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[("Plain", "SQL Server Loopback")]);
    registry::set(&format!(r"{SOURCES}\Plain"), &[("Driver", shown(&common::library()))]);
    for (string, expected) in [
        (STRING, "Driver=SQL Server;Server=.;Database=Sales;Trusted_Connection=Yes;"),
        ("dsn=Plain;database=Sales", "dsn=Plain;Server=.;database=Sales;Trusted_Connection=Yes;"),
    ] {
        assert_eq!(given(&mut recorded(string)), expected);
    }
}

/// The folder of a session of the instance SALES, below a temporary folder.
fn session_folder(below: &Path) -> PathBuf {
    let folder = below.join(r"SQL-SALES-ExtensibilityData-PY\SALES01\9A1CFF64-7E4B-4B4C-8B0A-3B0A0D1C1B5E");
    fs::create_dir_all(&folder).unwrap();
    folder
}

const SALES: &str = r"Driver=SQL Server;Server=.\SALES;Database=Sales;Trusted_Connection=Yes;";

#[test]
fn the_working_directory_shows_a_named_instance() {
    let folder = tempfile::tempdir().unwrap();
    let session = session_folder(&folder.path().join(LETTERS));
    assert_eq!(given(recorded(STRING).current_dir(&session)), SALES);
    assert_eq!(given(recorded(STRING).current_dir(folder.path())), SALES.replace(r".\SALES", "."));
}

#[test]
fn a_working_directory_by_its_short_name_shows_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let session = session_folder(folder.path());
    let ask = format!("for %I in (\"{}\") do @echo %~sI", shown(&session));
    let mut command = Command::new("cmd");
    std::os::windows::process::CommandExt::raw_arg(&mut command, format!("/c {ask}"));
    let short = Ran::of(&mut command).ok().stdout.trim().to_owned();
    assert!(short.contains('~') && !short.contains("Extensibility"), "{short}");
    assert_eq!(given(recorded(STRING).current_dir(&short)), SALES);
}

#[test]
fn the_environment_and_the_command_line_show_it() {
    let path = r"C:\Program Files\Microsoft SQL Server\MSSQL15.SALES_1\MSSQL\ExternalLibraries";
    assert_eq!(given(recorded(STRING).env("MRS_EXTLIB_USER_PATH", path)), SALES);
    let by_command_line = format!("{STRING};APP={path}");
    assert_eq!(given(&mut recorded(&by_command_line)), format!("{SALES}APP={path};"));
    // A configured server is stronger.
    let mut command = recorded(STRING);
    command.env("LOOPBACK_ODBC_SERVER", r".\OTHER").env("MRS_EXTLIB_USER_PATH", path);
    assert_eq!(given(&mut command), SALES.replace("SALES", "OTHER"));
}

#[test]
fn the_programs_of_the_process_and_its_parent_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = folder.path().join(r"MSSQL15.SALES_1\MSSQL\Binn");
    fs::create_dir_all(&binaries).unwrap();
    let (own, launcher) = (binaries.join("own.exe"), binaries.join("launcher.exe"));
    fs::copy(part("WINDOWS_PROGRAM"), &own).unwrap();
    fs::copy(Path::new(r"C:\windows\system32\cmd.exe"), &launcher).unwrap();
    let with_target = |mut command: Command| {
        command.env("LOOPBACK_ODBC_TARGET_DRIVER", "SQL Server").env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL");
        given(&mut command)
    };
    let mut command = Command::new(own);
    command.args(["connect", STRING]);
    assert_eq!(with_target(command), SALES);
    let mut command = Command::new(launcher);
    let line = format!("/c {} connect \"{STRING}\"", shown(&part("WINDOWS_PROGRAM")));
    std::os::windows::process::CommandExt::raw_arg(&mut command, line);
    assert_eq!(with_target(command), SALES);
}

// --- From end to end ---

/// The output of the program's statements, with any driver.
const QUERIES: &str = "row: 1 Bjørn 日本 Ω 😀
row: 2 NULL
with that note:
row: 1 Bjørn 日本 Ω 😀
missing table: -1
record: 42S02 208 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object name 'dbo.Missing'.
after both transactions:
row: 4 committed
";

#[track_caller]
fn queries(string: &str, completed: &str, data_source: &str, database: &str) {
    let said = Ran::of(&mut program(&["queries", string])).ok().stdout.replace('\r', "");
    let head = format!(
        "completed: {completed}\ndata source: {data_source}\ndriver: msodbcsql18.dll\ndatabase: {database}\n{QUERIES}"
    );
    assert_eq!(said, head);
}

/// Registers the data source that scripts name.
fn register_loopback() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| data_source("Loopback", "SQL Server Loopback", &common::library(), "ByName"));
}

#[test]
fn a_c_program_works_by_data_source() {
    register_loopback();
    queries("DSN=Loopback", "DSN=Loopback;", "Loopback", "ByName");
}

#[test]
fn a_c_program_works_by_driver() {
    machine();
    let port = std::env::var("STANDIN_PORT").unwrap();
    let string = format!(
        "DRIVER={{SQL Server Loopback}};Server=127.0.0.1,{port};Database=ByDriver;UID=developer;PWD={QUOTED};TrustServerCertificate=Yes"
    );
    queries(&string, &format!("{string};"), "", "ByDriver");
}

#[test]
fn an_odbc_api_program_prints_the_same_as_with_the_driver_alone() {
    data_source("Rust", "SQL Server Loopback", &common::library(), "OdbcApi");
    data_source("Direct", "ODBC Driver 18 for SQL Server", &part("MSODBCSQL"), "OdbcApiDirect");
    let run = |arguments: &[&str]| Ran::of(Command::new(part("USE_ODBC_API")).args(arguments)).ok().stdout;
    let direct = run(&[&format!("Direct;UID=developer;PWD={QUOTED}")]);
    // Wine reads a name with a given length only up to a semicolon.
    assert_eq!(run(&["Rust;"]), direct);
    assert_says(
        &direct,
        &fs::read_to_string(project("tests/expected/clients/use_odbc_api.expected"))
            .unwrap()
            .lines()
            .collect::<Vec<_>>(),
    );
}

#[test]
fn sql_connect_takes_a_login() {
    data_source("Login", "SQL Server Loopback", &common::library(), "ByLogin");
    for key in ["UID", "PWD"] {
        registry::remove_value(&format!(r"{SOURCES}\Login"), key);
    }
    assert_eq!(login("Login", PASSWORD), connected("Login", "ByLogin"));
    assert_says(&login("Login", "wrong"), &["record: 28000 18456 [Microsoft]", "Login failed for user 'developer'"]);
}

/// The result of an SQLConnect.
fn login(data_source: &str, password: &str) -> String {
    Ran::of(&mut program(&["login", data_source, "developer", password])).stdout.replace('\r', "")
}

/// The expected result of one that succeeds.
fn connected(data_source: &str, database: &str) -> String {
    let records = [
        format!("5701 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Changed database context to '{database}'."),
        "5703 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Changed language setting to us_english.".to_owned(),
    ];
    let records: String = records.iter().map(|record| format!("record: 01000 {record}\n")).collect();
    format!("{records}data source: {data_source}\ndatabase: {database}\n")
}

/// Keywords and values.
type Values = &'static [(&'static str, &'static str)];

/// Each kind of value that a section can have: one that the driver knows, one that it does not know, an empty one, and
/// one that it ignores. Each has the resulting database, or none for a connect that fails.
const SECTIONS: [(Values, Option<&str>); 8] = [
    (&[], Some("master")),
    (&[("Database", "Sections"), ("TrustServerCertificate", "Yes")], Some("Sections")),
    (
        &[
            ("Database", ""),
            ("Encrypt", ""),
            ("MARS_Connection", ""),
            ("APP", ""),
            ("Net", ""),
            ("Trusted_Connection", ""),
        ],
        Some("master"),
    ),
    (
        &[
            ("Encrypt", "True"),
            ("TrustServerCertificate", "1"),
            ("Trusted_Connection", "SSPI"),
            ("MARS_Connection", "1"),
        ],
        Some("master"),
    ),
    (&[("Port", "1"), ("Nonsense", "{"), ("LastUser", "sa"), ("CPTimeout", "5"), ("APP", LETTERS)], Some("master")),
    (&[("Address", "127.0.0.1,1"), ("Addr", "127.0.0.1,1"), ("ConnectRetryCount", "yes")], Some("master")),
    (&[("Database", LETTERS)], None),
    (&[("Trusted_Connection", "Yes"), ("UID", "developer")], None),
];

#[test]
fn a_section_works_as_with_the_driver_alone() {
    let names = [format!("Direct {LETTERS}"), format!("Through {LETTERS}")];
    for (values, database) in SECTIONS {
        let drivers =
            [("ODBC Driver 18 for SQL Server", part("MSODBCSQL")), ("SQL Server Loopback", common::library())];
        let said = [0, 1].map(|index| {
            let ((driver, library), name) = (&drivers[index], &names[index]);
            data_source_of(name, driver, library, values);
            login(name, PASSWORD).replace(name.as_str(), "NAME")
        });
        assert_eq!(said[1], said[0], "{values:?}");
        match database {
            Some(database) => assert_eq!(said[0], connected("NAME", database), "{values:?}"),
            None => assert!(said[0].starts_with("connect: -1\nrecord: "), "{values:?}: {}", said[0]),
        }
    }
}

// --- The log ---

#[test]
fn the_log_goes_to_standard_error_or_is_added_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{LETTERS}.log"));
    fs::write(&file, "before\n").unwrap();
    let string = format!("{STRING};APP=\"{LETTERS}\u{85}\"");
    let logged = |ran: &str| {
        let given = "INFO: connecting with: Driver=SQL Server;Server=.;Database=Sales;";
        let line = ran.lines().find(|line| line.contains(given)).unwrap_or_else(|| panic!("{ran}"));
        assert!(line.starts_with("loopback-odbc[") && line.ends_with(&format!("APP=\"{LETTERS}\\u{{85}}\"")), "{line}");
    };
    let mut command = recorded(&string);
    logged(&Ran::of(command.env("LOOPBACK_ODBC_LOG", "info")).ok().stderr);
    let ran = Ran::of(command.env("LOOPBACK_ODBC_LOG_FILE", &file)).ok();
    assert_eq!(ran.stderr, "");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("before\nloopback-odbc["), "{written}");
    logged(&written);
    // If there is no such folder, the log goes to standard error with the reason.
    let nowhere = folder.path().join(r"nowhere\log");
    let ran = Ran::of(command.env("LOOPBACK_ODBC_LOG_FILE", &nowhere)).ok();
    assert_says(&ran.stderr, &["ERROR: LOOPBACK_ODBC_LOG_FILE=", "cannot be opened: ", "(os error 3)"]);
    logged(&ran.stderr);
}

#[test]
fn names_and_paths_have_any_letters() {
    machine();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join(LETTERS);
    fs::create_dir_all(&folder).unwrap();
    let (library, target) = (folder.join("copy.dll"), folder.join("recordingtarget.dll"));
    fs::copy(common::library(), &library).unwrap();
    fs::copy(part("RECORDING_TARGET"), &target).unwrap();
    // Its registered name makes it one of Microsoft's drivers.
    let (driver, behind) = (format!("Copy of {LETTERS}"), format!("SQL Server Native Client {LETTERS}"));
    register(&driver, &library, &[("TargetDriver", &behind)]);
    register(&behind, &target, &[]);
    registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[(LETTERS, &driver)]);
    registry::set(&format!(r"{SOURCES}\{LETTERS}"), &[("Driver", shown(&library)), ("Database", LETTERS)]);
    let mut command = program(&["connect", &format!("DSN={LETTERS}")]);
    let given = given(command.env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL"));
    assert_eq!(given, format!("DSN={LETTERS};Server=.;Trusted_Connection=Yes;"));
}

#[test]
fn programs_ask_for_the_string_by_the_c_interface() {
    machine();
    type Report = unsafe extern "C" fn(*mut u8, *mut i32) -> i32;
    type Ask = unsafe extern "C" fn(*const c_char, *const c_char, *mut u8, *mut i32) -> i32;
    let text = |call: &dyn Fn(*mut u8, *mut i32) -> i32| {
        let (mut buffer, mut length) = (vec![0u8; 16 * 1024], 16 * 1024);
        assert_eq!(call(buffer.as_mut_ptr(), &raw mut length), length);
        buffer.truncate(usize::try_from(length).expect("it is no failure"));
        String::from_utf8(buffer).unwrap()
    };
    // SAFETY: the library's initialisers are this project's. The types are those in include/loopback_odbc.h, and each
    // buffer has the given length.
    let (string, report) = unsafe {
        let library = Library::new(common::library()).unwrap();
        let ask = library.get::<Ask>(b"loopback_odbc_connection_string").unwrap();
        let report = library.get::<Report>(b"loopback_odbc_report").unwrap();
        let string = text(&|buffer, length| ask(c"Sales".as_ptr(), c"SQL Server".as_ptr(), buffer, length));
        (string, text(&|buffer, length| report(buffer, length)))
    };
    assert_eq!(string, "Driver=SQL Server;Server=.;Database=Sales;Trusted_Connection=Yes;");
    let library = format!("Library: {}", shown(&common::library()));
    let target = format!("Target: ODBC Driver 18 for SQL Server ({})", shown(&part("MSODBCSQL")));
    assert_says(
        &report,
        &[&library, &target, "registry: 2 instances", "String: Driver=ODBC Driver 18 for SQL Server;Server=."],
    );
    for signal in ["MRS_EXTLIB_SHARED_PATH", "working directory", "paths of the process", "command line", "account"] {
        assert_says(&report, &[&format!("Server, {signal}")]);
    }
}

#[test]
fn the_document_of_a_session_names_nobody() {
    register_loopback();
    let folder = tempfile::tempdir().unwrap();
    let session = session_folder(&folder.path().join(LETTERS));
    let path = r"C:\Program Files\Microsoft SQL Server\MSSQL15.SALES_1\MSSQL\ExternalLibraries";
    let mut command = Command::new(part("PROGRAM"));
    command.args(["doctor", "--report"]).current_dir(&session).env("MRS_EXTLIB_USER_PATH", path);
    let said = Ran::of(&mut command).ok().stdout;
    let by_program: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let user = std::env::var("USERNAME").unwrap();
    for name in ["SALES", "9A1CFF64", "developer", "ByName", "127.0.0.1", PASSWORD, LETTERS, &user] {
        assert!(!said.contains(name), "{name}: {said}");
    }
    assert!(said.is_ascii(), "{said}");
    assert_eq!(by_program["system"], "Windows x86_64");
    assert_says(&by_program["working directory"].to_string(), &["SQL-<name ", ">-ExtensibilityData-PY", "<uuid 1>"]);
    assert_says(&by_program["instances"].to_string(), &["MSSQLSERVER: MSSQL15.MSSQLSERVER", ">: MSSQL15.<name "]);
    assert_says(&by_program["programs"].to_string(), &["loopback-odbc.exe"]);
    assert_says(&by_program["drivers"].to_string(), &["ODBC Driver 18 for SQL Server", "SQL Server Loopback"]);
    let instance = by_program["instances"][1].as_str().unwrap().split(':').next().unwrap().to_owned();
    for signal in [0, 1] {
        let finding = &by_program["signals"][signal];
        assert!(finding["text"].as_str().unwrap().starts_with(&format!("{instance}, from <drive>:")), "{said}");
    }
    assert_eq!(by_program["connection"]["login"], "<unknown>", "{said}");

    type Confirm = unsafe extern "C" fn(*const c_char, *const c_char, *mut u8, *mut i32) -> i32;
    let (mut buffer, mut length) = (vec![0u8; 1 << 20], 1 << 20);
    // SAFETY: the library's initialisers are this project's. The type is that in include/loopback_odbc.h, and the buffer
    // has the given length.
    unsafe {
        let library = Library::new(common::library()).unwrap();
        let confirm = library.get::<Confirm>(b"loopback_odbc_confirmation").unwrap();
        confirm(c"developer".as_ptr(), std::ptr::null(), buffer.as_mut_ptr(), &raw mut length);
    }
    let document: Value = serde_json::from_slice(&buffer[..usize::try_from(length).unwrap()]).unwrap();
    let connection = &document["connection"];
    assert_eq!([&connection["login"], &connection["version"]], ["the caller's", "16.0.0.0"], "{document}");
}

// --- Bad registrations ---

#[test]
fn an_unloadable_target_is_reported_with_the_system_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(LETTERS).join(name).to_str().unwrap().to_owned();
    fs::create_dir(folder.path().join(LETTERS)).unwrap();
    fs::write(path("text.dll"), "not a library, though it has the name of one, and is long enough to be read as such")
        .unwrap();
    // The machine is in the first field after the signature to which the word at 0x3c leads (PE Format, COFF File
    // Header).
    let mut image = fs::read(part("RECORDING_TARGET")).unwrap();
    let header = u32::from_le_bytes(image[0x3c..0x40].try_into().unwrap()) as usize;
    image[header + 4..header + 6].copy_from_slice(&0x14c_u16.to_le_bytes()); // IMAGE_FILE_MACHINE_I386
    fs::write(path("x86.dll"), image).unwrap();
    let (missing, text, x86) = (path("missing.dll"), path("text.dll"), path("x86.dll"));
    let ours = common::library();
    for (target, words) in [
        (missing.as_str(), "(os error 126)"),
        (&text, "(os error 193)"),
        (&x86, "(os error 193)"),
        (r"C:\windows\system32\kernel32.dll", "does not export SQLAllocHandle"),
        (shown(&ours), "this is loopback-odbc itself"),
    ] {
        let mut command = program(&["connect", STRING]);
        let said = Ran::of(command.env("LOOPBACK_ODBC_TARGET_DRIVER", target)).stdout;
        assert_says(&said, &["record: IM003 0 [loopback-odbc] The target driver cannot be loaded: ", target, words]);
    }
}

#[test]
fn a_driver_without_a_library_in_the_registry_is_not_found() {
    machine();
    registry::set(&format!(r"{DRIVERS}\ODBC Drivers"), &[("Incomplete", "Installed")]);
    registry::set(&format!(r"{DRIVERS}\Incomplete"), &[("APILevel", "2")]);
    for name in ["Incomplete", "Nowhere"] {
        let mut command = program(&["connect", STRING]);
        let said = Ran::of(command.env("LOOPBACK_ODBC_TARGET_DRIVER", name)).stdout;
        assert_says(&said, &["record: IM003 0 [loopback-odbc]", &format!("{name}: no such section in odbcinst.ini")]);
    }
}
