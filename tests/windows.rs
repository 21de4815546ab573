//! The library on Windows, through Windows' own driver manager: `make test-windows` runs this under Wine, with Microsoft's
//! driver for Windows and the stand-in for SQL Server on this machine's loopback interface.

#![cfg(windows)]

mod common;

use common::registry;
use common::{Ran, assert_says, part, project};
use libloading::Library;
use std::collections::BTreeSet;
use std::ffi::{c_char, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

const DRIVERS: &str = r"HKLM\Software\ODBC\ODBCINST.INI";
const SOURCES: &str = r"HKLM\Software\ODBC\ODBC.INI";
const USER_SOURCES: &str = r"HKCU\Software\ODBC\ODBC.INI\ODBC Data Sources";
const INSTANCES: &str = r"HKLM\SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL";

/// Letters of several scripts, which no code page of Windows has together.
const LETTERS: &str = "Bjørn 日本 Ω";

/// Code units with a NUL.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Registers a driver; `values` beside its library.
fn register(name: &str, library: &Path, values: &[(&str, &str)]) {
    registry::set(&format!(r"{DRIVERS}\ODBC Drivers"), &[(name, "Installed")]);
    registry::set(&format!(r"{DRIVERS}\{name}"), &[&[("Driver", shown(library))], values].concat());
}

/// The drivers and two instances of SQL Server, of which one has another id than its name.
fn machine() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        for key in [DRIVERS, SOURCES, r"HKCU\Software\ODBC"] {
            registry::remove(key);
        }
        let library = common::library();
        register("SQL Server Loopback", &library, &[("Setup", shown(&library))]);
        register("ODBC Driver 18 for SQL Server", &part("MSODBCSQL"), &[]);
        register("SQL Server", &part("RECORDING_TARGET"), &[]);
        registry::set(INSTANCES, &[("MSSQLSERVER", "MSSQL15.MSSQLSERVER"), ("SALES", "MSSQL15.SALES_1")]);
    });
}

/// Adds a data source that leads to the stand-in.
fn data_source(name: &str, driver: &str, library: &Path, database: &str) {
    machine();
    registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[(name, driver)]);
    let server = format!("127.0.0.1,{}", std::env::var("STANDIN_PORT").expect("make test-windows sets it"));
    let mut values = vec![("Driver", shown(library)), ("Server", &server), ("Database", database)];
    values.push(("TrustServerCertificate", "Yes"));
    // Microsoft's driver takes no login from its section.
    if driver == "SQL Server Loopback" {
        values.extend([("UID", "developer"), ("PWD", PASSWORD)]);
    }
    registry::set(&format!(r"{SOURCES}\{name}"), &values);
}

/// One that must be quoted in a connection string.
const PASSWORD: &str = "se;cr}et";
const QUOTED: &str = "{se;cr}}et}";

/// tests/programs/windows.c, with nothing of ours in the environment.
fn program(arguments: &[&str]) -> Command {
    machine();
    let mut command = Command::new(part("WINDOWS_PROGRAM"));
    command.args(arguments).env_remove("LOOPBACK_ODBC_TARGET_DRIVER");
    command
}

/// The same with the recording target, which says that it is the driver that comes with Windows.
fn recorded(string: &str) -> Command {
    let mut command = program(&["connect", string]);
    command.env("LOOPBACK_ODBC_TARGET_DRIVER", "SQL Server").env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL");
    command
}

#[track_caller]
fn given(command: &mut Command) -> String {
    let said = Ran::of(command).ok().stdout;
    let given = said.lines().find_map(|line| line.strip_prefix("given: "));
    given.unwrap_or_else(|| panic!("{said}")).to_owned()
}

// --- What the target is given ---

#[test]
fn the_plain_case_is_the_documented_string() {
    machine();
    for string in ["DRIVER={SQL Server Loopback};Database=Sales", "dsn=Plain;database=Sales"] {
        registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[("Plain", "SQL Server Loopback")]);
        registry::set(&format!(r"{SOURCES}\Plain"), &[("Driver", shown(&common::library()))]);
        let given = given(&mut recorded(string));
        let documented = "Driver=SQL Server;Server=.;Database=Sales;Trusted_Connection=Yes;";
        assert_eq!(given.to_lowercase(), documented.to_lowercase());
        assert!(given.ends_with("=Sales;Trusted_Connection=Yes;") && given.starts_with("Driver=SQL Server;Server=.;"));
    }
}

/// A folder of a session of the instance SALES, below a temporary one.
fn session_folder(below: &Path) -> PathBuf {
    let folder = below.join(r"SQL-SALES-ExtensibilityData-PY\SALES01\9A1CFF64-7E4B-4B4C-8B0A-3B0A0D1C1B5E");
    fs::create_dir_all(&folder).unwrap();
    folder
}

const SALES: &str = r"Driver=SQL Server;Server=.\SALES;Database=Sales;Trusted_Connection=Yes;";
const STRING: &str = "DRIVER={SQL Server Loopback};Database=Sales";

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
    // What somebody names is stronger.
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

/// What the program says of its statements, with any driver.
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

/// For the data source of this name, which two tests have.
static LOOPBACK: Mutex<()> = Mutex::new(());

#[test]
fn a_c_program_works_by_data_source() {
    let _alone = LOOPBACK.lock();
    data_source("Loopback", "SQL Server Loopback", &common::library(), "ByName");
    queries("DSN=Loopback", "DSN=Loopback;Database=ByName", "Loopback", "ByName");
}

#[test]
fn a_c_program_works_by_driver() {
    machine();
    let port = std::env::var("STANDIN_PORT").unwrap();
    let string = format!(
        "DRIVER={{SQL Server Loopback}};Server=127.0.0.1,{port};Database=ByDriver;UID=developer;PWD={QUOTED};TrustServerCertificate=Yes"
    );
    queries(&string, &string, "", "ByDriver");
}

#[test]
fn a_program_of_odbc_api_says_through_us_what_it_says_directly() {
    data_source("Rust", "SQL Server Loopback", &common::library(), "OdbcApi");
    data_source("Direct", "ODBC Driver 18 for SQL Server", &part("MSODBCSQL"), "OdbcApiDirect");
    let run = |arguments: &[&str]| Ran::of(Command::new(part("USE_ODBC_API")).args(arguments)).ok().stdout;
    let direct = run(&[&format!("Direct;UID=developer;PWD={QUOTED}")]);
    // Wine reads a name whose length is given only up to a semicolon.
    assert_eq!(run(&["Rust;"]), direct);
    assert_says(
        &direct,
        &fs::read_to_string(project("tests/clients/use_odbc_api.expected")).unwrap().lines().collect::<Vec<_>>(),
    );
}

#[test]
fn sql_connect_takes_a_login() {
    data_source("Login", "SQL Server Loopback", &common::library(), "ByLogin");
    for key in ["UID", "PWD"] {
        Ran::of(Command::new("reg").args(["delete", &format!(r"{SOURCES}\Login"), "/v", key, "/f"])).ok();
    }
    let said = |password| Ran::of(&mut program(&["login", "Login", "developer", password]));
    assert_eq!(said(PASSWORD).ok().stdout.trim(), "database: ByLogin");
    assert_says(&said("wrong").stdout, &["record: 28000 18456 [Microsoft]", "Login failed for user 'developer'"]);
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
    let (driver, behind) = (format!("Copy of {LETTERS}"), format!("Behind {LETTERS}"));
    register(&driver, &library, &[("TargetDriver", &behind)]);
    register(&behind, &target, &[]);
    registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[(LETTERS, &driver)]);
    registry::set(&format!(r"{SOURCES}\{LETTERS}"), &[("Driver", shown(&library)), ("Database", LETTERS)]);
    let mut command = program(&["connect", &format!("DSN={LETTERS}")]);
    let given = given(command.env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL"));
    assert_eq!(given, format!("Driver={behind};Server=.;Database={LETTERS};Trusted_Connection=Yes;"));
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
    // SAFETY: the library's initialisers are this project's. The types are those of include/loopback_odbc.h, and each buffer
    // has the length that is said.
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

// --- Setting up ---

/// A request to the driver's setup functions, by the installer library.
fn set_up(arguments: &[&str]) -> String {
    Ran::of(&mut program(arguments)).ok().stdout.replace('\r', "")
}

const ADD: &str = "1";
const CHANGE: &str = "2";
const REMOVE: &str = "3";
const DRIVER: &str = "SQL Server Loopback";

/// The values of a data source of the user's, without its library. Where a value is to be taken away, Wine leaves an empty
/// one.
fn values(name: &str) -> Vec<String> {
    let values = registry::values(&format!(r"HKCU\Software\ODBC\ODBC.INI\{name}")).into_iter();
    let mut values: Vec<String> = values
        .filter(|(keyword, value)| !keyword.eq_ignore_ascii_case("Driver") && !value.is_empty())
        .map(|(keyword, value)| format!("{keyword}={value}"))
        .collect();
    values.sort();
    values
}

#[test]
fn a_data_source_is_added_changed_and_removed_by_the_installer_library() {
    let source = |request, attributes: &[&str]| set_up(&[&["source", request, DRIVER], attributes].concat());
    let name = format!("Set up {LETTERS}");
    let named = format!("DSN={name}");
    assert_eq!(source(ADD, &[&named, "Database = Sales", "APP=a=b", "Driver=another"]), "done: 1\n");
    assert_eq!(values(&name), ["APP=a=b", "Database=Sales"]);
    assert!(registry::values(USER_SOURCES).contains(&(name.clone(), DRIVER.into())));
    assert_eq!(source(CHANGE, &[&named, "Database=", &format!("APP={LETTERS}")]), "done: 1\n");
    assert_eq!(values(&name), [format!("APP={LETTERS}")]);
    let string = format!("Driver=SQL Server;Server=.;Trusted_Connection=Yes;APP={LETTERS};");
    assert_eq!(given(&mut recorded(&named)), string);
    assert_eq!(source(REMOVE, &[&named]), "done: 1\n");
    assert_eq!(values(&name), [""; 0]);
    assert!(!registry::values(USER_SOURCES).iter().any(|(it, _)| *it == name));
}

#[test]
fn a_data_source_without_a_name_is_loopback() {
    let _alone = LOOPBACK.lock();
    assert_eq!(set_up(&["source", ADD, DRIVER]), "done: 1\n");
    assert!(registry::values(USER_SOURCES).contains(&("Loopback".into(), DRIVER.into())));
    assert_eq!(values("Loopback"), [""; 0]);
    assert_eq!(set_up(&["source", REMOVE, DRIVER, "DSN=Loopback"]), "done: 1\n");
    assert!(!registry::values(USER_SOURCES).iter().any(|(name, _)| name == "Loopback"));
}

#[test]
fn what_cannot_be_set_up_is_refused() {
    for arguments in [
        &["source", CHANGE, DRIVER, "DSN=Nowhere", "Database=Sales"][..],
        &["source", REMOVE, DRIVER, "DSN=Nowhere"],
        &["source", ADD, DRIVER, "DSN=Refused", "Database"],
        &["source", ADD, DRIVER, "DSN=Refused", "=Sales"],
        &["source", ADD, DRIVER, "DSN=Refused{}"],
        &["driver", "77", DRIVER, "CPTimeout=60"],
    ] {
        let said = set_up(arguments);
        assert!(said.starts_with("done: 0\n"), "{arguments:?}: {said}");
    }
    assert!(!registry::values(USER_SOURCES).iter().any(|(name, _)| name.starts_with("Refused")));
}

#[test]
fn the_driver_s_own_section_is_changed() {
    machine();
    let driver = "Configured";
    // Not with our library: two sections for one file may not differ.
    register(driver, &part("MSODBCSQL"), &[]);
    // Directly: Wine's installer library does this request by itself.
    type Configure =
        unsafe extern "system" fn(*mut c_void, u16, *const u16, *const u16, *mut u16, u16, *mut u16) -> i32;
    let (name, mut message, mut length) = (wide(driver), [9; 4], 9);
    let mut configure = |request, argument: &str| {
        // SAFETY: the library's initialisers are this project's; strings end with a NUL, and the message's size is said.
        unsafe {
            let library = Library::new(common::library()).unwrap();
            let configure = library.get::<Configure>(b"ConfigDriverW").unwrap();
            let (window, argument) = (std::ptr::null_mut(), wide(argument));
            configure(window, request, name.as_ptr(), argument.as_ptr(), message.as_mut_ptr(), 4, &raw mut length)
        }
    };
    assert_eq!(configure(3, "TargetDriver = SQL Server"), 1);
    assert_eq!([configure(3, "TargetDriver"), configure(3, ""), configure(4, "TargetDriver=x")], [0; 3]);
    assert_eq!([configure(1, ""), configure(2, "")], [1; 2], "to install and to remove is the installer library's");
    assert_eq!((message[0], length), (0, 0));
    let written = registry::values(&format!(r"{DRIVERS}\{driver}"));
    assert!(written.contains(&("TargetDriver".into(), "SQL Server".into())), "{written:?}");
}

// --- Bad registrations ---

#[test]
fn a_target_that_cannot_be_loaded_is_told_in_the_system_s_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(LETTERS).join(name).to_str().unwrap().to_owned();
    fs::create_dir(folder.path().join(LETTERS)).unwrap();
    fs::write(path("text.dll"), "not a library, though it has the name of one, and is long enough to be read as such")
        .unwrap();
    // The machine is in the first field behind the signature that the word at 0x3c leads to (PE Format, COFF File Header).
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
        assert_says(
            &said,
            &["record: IM003 0 [loopback-odbc] The target driver, named by the environment", target, words],
        );
    }
}

#[test]
fn a_driver_without_a_library_in_the_registry_is_not_there() {
    machine();
    registry::set(&format!(r"{DRIVERS}\ODBC Drivers"), &[("Incomplete", "Installed")]);
    registry::set(&format!(r"{DRIVERS}\Incomplete"), &[("APILevel", "2")]);
    for name in ["Incomplete", "Nowhere"] {
        let mut command = program(&["connect", STRING]);
        let said = Ran::of(command.env("LOOPBACK_ODBC_TARGET_DRIVER", name)).stdout;
        assert_says(&said, &["record: IM003 0 [loopback-odbc]", &format!("{name}: no such section in odbcinst.ini")]);
    }
}

// --- The library as a file ---

/// What objdump says of a library, which `make test-windows` has asked it.
fn headers(variable: &str) -> String {
    fs::read_to_string(part(variable)).unwrap()
}

fn exports(headers: &str) -> BTreeSet<String> {
    let table = headers.split("[Ordinal/Name Pointer] Table").nth(1).expect("it exports something");
    let lines = table.lines().skip(1).take_while(|line| line.contains('['));
    let names = lines.filter_map(|line| line.rsplit_once(']').or_else(|| line.rsplit_once(' ')));
    names.map(|(_, name)| name.split_whitespace().last().unwrap().to_owned()).collect()
}

#[test]
fn exports_are_exactly_the_declared_ones() {
    let others = [
        "ConfigDSNW",
        "ConfigDriverW",
        "loopback_odbc_version",
        "loopback_odbc_connection_string",
        "loopback_odbc_report",
    ];
    let declared = loopbackodbc::entry_point_names().into_iter().chain(others).map(str::to_owned).collect();
    assert_eq!(exports(&headers("HEADERS")), declared);
}

#[test]
fn what_the_real_driver_exports_besides_is_listed_as_left_out() {
    let (ours, real) = (exports(&headers("HEADERS")), exports(&headers("MSODBCSQL_HEADERS")));
    let documented = fs::read_to_string(project("docs/exports.md")).unwrap();
    let names: Vec<&str> = documented.split('`').skip(1).step_by(2).collect();
    let is_listed = |name: &str| {
        names.iter().any(|&listed| match listed.split_once('*') {
            Some((start, end)) => name.starts_with(start) && name.ends_with(end),
            None => listed == name,
        })
    };
    let left_out: Vec<&String> = real.difference(&ours).collect();
    assert!(left_out.len() > 30, "{left_out:?}");
    let unlisted: Vec<&String> = left_out.into_iter().filter(|name| !is_listed(name)).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
    let missing: Vec<&str> =
        loopbackodbc::entry_point_names().into_iter().filter(|&name| !real.contains(name)).collect();
    assert_eq!(missing, [""; 0], "the real driver lacks them");
}

#[test]
fn it_needs_parts_of_windows_alone_and_no_driver_manager() {
    let headers = headers("HEADERS");
    let needed: BTreeSet<String> =
        headers.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: ")).map(str::to_lowercase).collect();
    let known = [
        "advapi32.dll",
        "bcryptprimitives.dll",
        "kernel32.dll",
        "msvcrt.dll",
        "ntdll.dll",
        "userenv.dll",
        "ws2_32.dll",
    ];
    let unknown: Vec<&String> =
        needed.iter().filter(|name| !known.contains(&name.as_str()) && !name.starts_with("api-ms-win-core-")).collect();
    assert!(needed.contains("kernel32.dll") && unknown.is_empty(), "{needed:?}");
}

#[test]
fn a_forwarded_call_is_a_load_and_a_jump() {
    // SAFETY: the library's initialisers are this project's.
    let library = unsafe { Library::new(common::library()) }.unwrap();
    for function in ["SQLFetch", "SQLGetData", "SQLBindParameter", "SQLGetDescRecW"] {
        // SAFETY: the functions are longer than what is read of them.
        let code: [u8; 10] = unsafe { *library.get::<*const [u8; 10]>(function.as_bytes()).unwrap().cast() };
        // mov rax, [rip + ...] and jmp rax, with or without a prefix that changes nothing.
        assert_eq!(code[..3], [0x48, 0x8b, 0x05], "{function}: {code:x?}");
        assert!(code[7..9] == [0xff, 0xe0] || code[7..] == [0x48, 0xff, 0xe0], "{function}: {code:x?}");
    }
}

#[test]
fn it_stays_loaded_once_it_was_used() {
    machine();
    let name = "stays.dll";
    let folder = tempfile::tempdir().unwrap();
    fs::copy(common::library(), folder.path().join(name)).unwrap();
    type Allocate = unsafe extern "system" fn(i16, *mut c_void, *mut *mut c_void) -> i16;
    let is_loaded = || libloading::os::windows::Library::open_already_loaded(name).is_ok();
    for (used, stays) in [(false, false), (true, true)] {
        // SAFETY: the library's initialisers are this project's; the arguments are those of an environment.
        unsafe {
            let library = Library::new(folder.path().join(name)).unwrap();
            let mut environment = std::ptr::null_mut();
            if used {
                let allocate = library.get::<Allocate>(b"SQLAllocHandle").unwrap();
                assert_eq!(allocate(1, std::ptr::null_mut(), &raw mut environment), 0);
            }
        }
        assert_eq!(is_loaded(), stays);
    }
}

#[test]
fn its_file_shows_the_version() {
    // GetFileVersionInfoW and VerQueryValueW of winver.h.
    type Get = unsafe extern "system" fn(*const u16, u32, u32, *mut c_void) -> i32;
    type Query = unsafe extern "system" fn(*const c_void, *const u16, *mut *const u16, *mut u32) -> i32;
    let file = wide(shown(&common::library()));
    let mut block = vec![0u64; 1024];
    // SAFETY: a part of Windows; the types are those of its header, and the block has the size that is said.
    unsafe {
        let library = Library::new("version.dll").unwrap();
        let size = size_of_val(&block[..]) as u32;
        assert_ne!(
            library.get::<Get>(b"GetFileVersionInfoW").unwrap()(file.as_ptr(), 0, size, block.as_mut_ptr().cast()),
            0
        );
        let query = library.get::<Query>(b"VerQueryValueW").unwrap();
        for (name, expected) in [
            ("ProductVersion", env!("CARGO_PKG_VERSION")),
            ("FileDescription", env!("CARGO_PKG_DESCRIPTION")),
            ("OriginalFilename", "loopbackodbc.dll"),
        ] {
            let (mut text, mut length) = (std::ptr::null(), 0);
            let path = wide(&format!(r"\StringFileInfo\040904B0\{name}"));
            assert_ne!(query(block.as_ptr().cast(), path.as_ptr(), &raw mut text, &raw mut length), 0, "{name}");
            let text = std::slice::from_raw_parts(text, length as usize);
            assert_eq!(String::from_utf16_lossy(text).trim_end_matches('\0'), expected);
        }
    }
}
