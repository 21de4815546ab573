//! A Windows machine on which the library, Microsoft's driver, the recording target and two instances of SQL Server are
//! registered, and the program that connects through its driver manager. `make test-windows` provides the components.
//!
//! There is one registry: a test must not change what other tests of the same program rely on.

use super::{Ran, library, part, registry};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

pub const DRIVERS: &str = r"HKLM\Software\ODBC\ODBCINST.INI";
pub const SOURCES: &str = r"HKLM\Software\ODBC\ODBC.INI";
pub const USER_SOURCES: &str = r"HKCU\Software\ODBC\ODBC.INI\ODBC Data Sources";
pub const INSTANCES: &str = r"HKLM\SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL";

/// Characters of several scripts that no single code page of Windows contains.
pub const LETTERS: &str = "Bjørn 日本 Ω";

/// A text in code units, with a NUL.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Registers a driver; `values` are added to its library.
pub fn register(name: &str, library: &Path, values: &[(&str, &str)]) {
    registry::set(&format!(r"{DRIVERS}\ODBC Drivers"), &[(name, "Installed")]);
    registry::set(&format!(r"{DRIVERS}\{name}"), &[&[("Driver", shown(library))], values].concat());
}

/// Registers the drivers and two instances of SQL Server, one of which has an id that differs from its name.
pub fn machine() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        machine_without_us();
        let library = library();
        register("SQL Server Loopback", &library, &[("Setup", shown(&library))]);
    });
}

/// Registers the same again, without this library.
pub fn machine_without_us() {
    for key in [DRIVERS, SOURCES, r"HKCU\Software\ODBC"] {
        registry::remove(key);
    }
    register("ODBC Driver 18 for SQL Server", &part("MSODBCSQL"), &[]);
    register("SQL Server", &part("RECORDING_TARGET"), &[]);
    registry::set(INSTANCES, &[("MSSQLSERVER", "MSSQL15.MSSQLSERVER"), ("SALES", "MSSQL15.SALES_1")]);
}

/// Adds a data source that leads to the stand-in server.
pub fn data_source(name: &str, driver: &str, library: &Path, database: &str) {
    let mut values = vec![("Database", database), ("TrustServerCertificate", "Yes")];
    // Microsoft's driver reads no login from its section.
    if driver == "SQL Server Loopback" {
        values.extend([("UID", "developer"), ("PWD", PASSWORD)]);
    }
    data_source_of(name, driver, library, &values);
}

/// The same with only these values and the stand-in server's address.
pub fn data_source_of(name: &str, driver: &str, library: &Path, values: &[(&str, &str)]) {
    machine();
    registry::set(&format!(r"{SOURCES}\ODBC Data Sources"), &[(name, driver)]);
    let server = format!("127.0.0.1,{}", std::env::var("STANDIN_PORT").expect("make test-windows sets it"));
    let key = format!(r"{SOURCES}\{name}");
    registry::remove(&key);
    registry::set(&key, &[&[("Driver", shown(library)), ("Server", &server)], values].concat());
}

/// A password that must be quoted in a connection string.
pub const PASSWORD: &str = "se;cr}et";
pub const QUOTED: &str = "{se;cr}}et}";

/// tests/programs/windows.c, with none of this project's variables in the environment.
pub fn program(arguments: &[&str]) -> Command {
    machine();
    program_as_it_is(arguments)
}

/// The same, without changing what is registered.
pub fn program_as_it_is(arguments: &[&str]) -> Command {
    let mut command = Command::new(part("WINDOWS_PROGRAM"));
    command.args(arguments).env_remove("LOOPBACK_ODBC_TARGET_DRIVER");
    command
}

/// The same with the recording target, which reports that it is the driver that comes with Windows.
pub fn recorded(string: &str) -> Command {
    let mut command = program(&["connect", string]);
    command.env("LOOPBACK_ODBC_TARGET_DRIVER", "SQL Server").env("RECORDING_DRIVER_NAME", "SQLSRV32.DLL");
    command
}

#[track_caller]
pub fn given(command: &mut Command) -> String {
    let said = Ran::of(command).ok().stdout;
    let given = said.lines().find_map(|line| line.strip_prefix("given: "));
    given.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// Names this driver, and nothing that could be taken for an instance.
pub const STRING: &str = "DRIVER={SQL Server Loopback};Database=Sales";
