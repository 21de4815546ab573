//! include/loopback_odbc.h from C, Python and R, in the satellite setting and outside.

mod common;

use common::{Ran, Registrations, assert_says, compile_against_us, library, part, project};
use std::process::Command;

/// The examples of the C interface for the satellite setting, each as a program with its first arguments.
const PYTHON: [&str; 3] =
    ["/usr/bin/python3", "connection_string.py", "/opt/mssql-extensibility/lib/libloopbackodbc.so"];
const R: [&str; 3] = ["/usr/bin/Rscript", "connection_string.R", "/opt/mssql-extensibility/lib/libloopbackodbc.so"];
const C: [&str; 1] = ["./connection_string"];

/// The example in C.
const SOURCE: &str = "examples/connection_string.c";

/// Runs an example in the satellite setting.
fn in_a_session(example: &[&str], arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("connection_string");
    compile_against_us(SOURCE, &program);
    let mut command = Command::new(project("scripts/satellite"));
    for script in [program, project("examples/connection_string.py"), project("examples/connection_string.R")] {
        command.arg("--script").arg(script);
    }
    command.args(["--prepare", "echo Database=Sales >>$ODBCSYSINI/odbc.ini"]);
    // The C program finds the library here.
    let path = format!(
        "LD_LIBRARY_PATH=/opt/mssql-extensibility/lib:/opt/mssql-extensibility/stage/unixodbc/usr/lib/{}-linux-gnu",
        std::env::consts::ARCH
    );
    Ran::of(command.args(["--env", &path, "--"]).args(example).args(arguments))
}

#[test]
fn each_language_gets_the_session_string() {
    for example in [&PYTHON[..], &R, &C] {
        let string = in_a_session(example, &["Größe", "ODBC Driver 17 for SQL Server"]).ok().stdout;
        let launchpad = string.split("file:").nth(1).unwrap().strip_suffix("/sqlsatellitecert.pem;ClientKey=").unwrap();
        assert_eq!(
            string,
            format!(
                "Driver=ODBC Driver 17 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=Größe;\
                 ClientCertificate=file:{launchpad}/sqlsatellitecert.pem;ClientKey=file:{launchpad}/sqlsatellitekey.pem;\
                 TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes\n"
            )
        );
        // Without a driver it is the one that the library would load; without a database there is none.
        let string = in_a_session(example, &[]).ok().stdout;
        assert!(string.starts_with("Driver=ODBC Driver 18 for SQL Server;Server=fe80::"), "{string}");
        assert!(!string.contains("Database"), "{string}");
    }
}

#[test]
fn the_examples_can_be_used_by_other_scripts() {
    let print = "from connection_string import connection_string; \
        print(connection_string('/opt/mssql-extensibility/lib/libloopbackodbc.so', 'Sales'))";
    let said = in_a_session(&["/usr/bin/python3", "-c", print], &[]).ok().stdout;
    assert_says(&said, &["Driver=ODBC Driver 18 for SQL Server;Server=fe80::", ";Database=Sales;"]);
    let print = "source('connection_string.R'); cat(connection_string('/opt/mssql-extensibility/lib/libloopbackodbc.so', 'Sales'))";
    let said = in_a_session(&["/usr/bin/Rscript", "-e", print], &[]).ok().stdout;
    assert_says(&said, &["Driver=ODBC Driver 18 for SQL Server;Server=fe80::", ";Database=Sales;"]);
}

#[test]
fn outside_a_session_the_error_is_given_in_each_language() {
    let registrations = Registrations::usual("");
    let program = registrations.path("connection_string");
    compile_against_us(SOURCE, &program);
    let python = (part("PYTHON"), Some(project("examples/connection_string.py")));
    let r = (part("RSCRIPT"), Some(project("examples/connection_string.R")));
    for (program, script) in [python, r, (program, None)] {
        let mut command = registrations.command(program);
        if let Some(script) = script {
            command.arg(script).arg(library());
        }
        let path = format!("{}:{}", library().parent().unwrap().display(), part("UNIXODBC_LIB").display());
        let ran = Ran::of(command.env("LD_LIBRARY_PATH", path));
        assert!(ran.status > 0, "{ran:?}");
        assert_says(&ran.stderr, &["08001: No server and no login are configured", "working directory"]);
    }
}

/// Calls a function with buffers of several sizes, and prints the results.
const SIZES: &str = r##"
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
def call(function, *arguments):
    whole = None
    for size in (None, 0, 1, 10, 5000):
        text = ctypes.create_string_buffer(b"#" * 6000)
        length = ctypes.c_int(size or 0)
        needed = function(*arguments, None if size is None else text, ctypes.byref(length))
        assert needed == length.value, (needed, length)
        assert whole in (None, needed), (whole, needed)
        whole = needed
        fits = size is not None and abs(needed) < size
        assert len(text.value) == (abs(needed) if fits else 0 if size else 6000), (size, text.value)
        assert text.raw[max(size or 0, 1 if size else 0):] .startswith(b"#"), size
    assert function(*arguments, None, None) == whole
    return text.value.decode()
string = library.loopback_odbc_connection_string
print(call(string, b"D", b"ODBC Driver 18 for SQL Server"))
print(call(string, None, None))
print(call(string, b"", b"PostgreSQL Unicode"))
print(call(string, b"Gr\xf6sse", None))
print(call(library.loopback_odbc_report), end="")
"##;

#[test]
fn strings_are_not_truncated_and_the_length_is_returned() {
    let registrations = Registrations::usual("");
    let mut command = registrations.command(part("PYTHON"));
    let variables = [
        ("LOOPBACK_ODBC_SERVER", "fe80::1%eth0"),
        ("LOOPBACK_ODBC_CLIENT_CERTIFICATE", "/nonexistent/cert.pem"),
        ("LOOPBACK_ODBC_CLIENT_KEY", "file:/nonexistent/key.pem,password:hunter2"),
    ];
    let said = Ran::of(command.envs(variables).arg("-c").arg(SIZES).arg(library())).ok().stdout;
    assert_says(
        &said,
        &[
            "08001: The client certificate /nonexistent/cert.pem cannot be read",
            "HY024: PostgreSQL Unicode (PostgreSQL Unicode) is not a Microsoft ODBC driver for SQL Server",
            "HY024: The name of the database is not UTF-8.",
            &format!("loopback-odbc {}\nLibrary: {}\n", env!("CARGO_PKG_VERSION"), library().display()),
            "Target: ODBC Driver 18 for SQL Server (",
        ],
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_report_says_each_signal_in_a_session() {
    let print = "import ctypes; text = ctypes.create_string_buffer(9999); \
        ctypes.CDLL('/opt/mssql-extensibility/lib/libloopbackodbc.so').loopback_odbc_report(text, ctypes.byref(ctypes.c_int(9999))); \
        print(text.value.decode(), end='')";
    let said = in_a_session(&["/usr/bin/python3", "-c", print], &[]).ok().stdout;
    assert_says(
        &said,
        &[
            "Certificate and key, working directory: found /var/opt/mssql-extensibility/data/",
            "Server, established connections: found fe80::8012:3df5:0:5db1%eth0 in socket diagnostics",
            "String: Driver=ODBC Driver 18 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;ClientCertificate=file:",
        ],
    );
}
