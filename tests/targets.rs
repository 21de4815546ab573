//! Targets that differ from the real driver: they export other functions, cannot be loaded, or fail at once. Each must
//! give a defined result, both directly and through unixODBC.

mod common;

use common::{Ran, Registrations, assert_says, compile, library, link, part, project};
use std::fs;
use std::path::{Path, PathBuf};

/// The identifier and name of each function.
macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        const FUNCTIONS: &[(u16, &str)] = &[$(($id, stringify!($name))),*];
    };
}

include!("../src/target/table.rs");

/// The functions that the library requires; it reports if one is missing.
const REQUIRED: [&str; 5] =
    ["SQLAllocHandle", "SQLFreeHandle", "SQLDriverConnectW", "SQLGetDiagRecW", "SQLGetDiagFieldW"];

/// Registers this library with this target.
fn with_target(target: &Path) -> Registrations {
    let odbcinst = format!(
        "[SQL Server Loopback]\nDriver={}\nTargetDriver=Mine\n[Mine]\nDriver={}\n",
        library().display(),
        target.display()
    );
    Registrations::new(&odbcinst, "[Loopback]\nDriver=SQL Server Loopback\n")
}

/// A copy of the recording target that does not export these functions: in the copy they have another name.
fn without(folder: &Path, names: &[&str]) -> PathBuf {
    let mut image = fs::read(part("RECORDING_TARGET")).unwrap();
    for name in names {
        // In the table of names each name stands between two zero bytes.
        let entry = [b"\0", name.as_bytes(), b"\0"].concat();
        let position = image.windows(entry.len()).position(|window| window == entry);
        image[position.unwrap_or_else(|| panic!("{name} is not among the target's names")) + 1] = b'_';
    }
    let path = folder.join("lacking.so");
    fs::write(&path, image).unwrap();
    path
}

/// Runs tests/programs/lacking.py with a target that lacks these functions.
fn lacking(names: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let target = without(folder.path(), names);
    let list = |lacks: bool| {
        let items = FUNCTIONS.iter().filter(|(_, name)| names.contains(name) == lacks);
        items.map(|(id, name)| format!("{id}:{name}")).collect::<Vec<_>>().join(",")
    };
    let registrations = with_target(&target);
    let mut command = registrations.command(part("PYTHON"));
    command.arg(project("tests/programs/lacking.py")).arg(library()).arg(list(true)).arg(list(false));
    Ran::of(command.env("LOOPBACK_ODBC_TARGET_DRIVER", &target)).ok().stdout
}

/// Cancels a thread inside each of these functions.
#[track_caller]
fn cancelled_in(names: &[&str]) {
    let odbc = "[Loopback]\nDriver=SQL Server Loopback\nServer=s\nUID=u\nPWD=p\n";
    let folder = Registrations::new("", odbc);
    let (program, target) = (folder.path("cancelled_anywhere"), folder.path("msodbcsql18.so"));
    let source = "tests/programs/cancelled_anywhere.c";
    link(source, &program, &library());
    let functions = FUNCTIONS.iter().filter(|(_, name)| *name != "SQLAllocHandle");
    let functions: String = functions.map(|(_, name)| format!("FUNCTION({name}) ")).collect();
    let options = ["-shared", "-fPIC", "-DTARGET", "-Wno-unused-parameter", &format!("-DFUNCTIONS={functions}")];
    compile(source, &target, &options);
    let mut command = folder.command(&program);
    command.arg(&target).args(names).env("LOOPBACK_ODBC_TARGET_DRIVER", &target);
    Ran::of(&mut command).ok().says(&[&format!("{} functions", names.len())]);
}

const CONNECT: [&str; 3] = ["SQLDriverConnectW", "SQLConnectW", "SQLBrowseConnectW"];

#[test]
fn a_thread_that_is_cancelled_in_any_function_of_the_target_ends() {
    let names: Vec<&str> = FUNCTIONS.iter().map(|(_, name)| *name).filter(|name| !CONNECT.contains(name)).collect();
    cancelled_in(&names);
}

#[test]
fn a_thread_that_is_cancelled_in_any_kind_of_connect_ends() {
    cancelled_in(&CONNECT);
}

#[test]
fn the_driver_manager_returns_im001_for_missing_functions() {
    // unixODBC cancels a statement with SQLCancel, whatever the program calls. The library implements browsing itself:
    // it needs only the target's SQLDriverConnectW.
    let whole = "0 masked\ncancel statement: 0 SQLCancel\ncancel connection: 0 SQLCancelHandle\n\
        bind column: 0 SQLBindCol\ntype information: 0 SQLGetTypeInfoW\nbrowse: 0\n";
    let but = |from: &str, to: &str| whole.replace("0 masked", "1 masked").replace(from, to);
    assert_eq!(lacking(&[]), whole);
    assert_eq!(lacking(&["SQLCancelHandle"]), but("connection: 0 SQLCancelHandle", "connection: -1 IM001"));
    assert_eq!(lacking(&["SQLBindCol"]), but("column: 0 SQLBindCol", "column: -1 IM001"));
    // If a function with strings is missing, unixODBC drops only the narrow variant, which this library never has. No
    // driver lacks such a function.
    assert_eq!(lacking(&["SQLGetTypeInfoW"]), but("information: 0 SQLGetTypeInfoW", "information: -1 00000"));
    for name in ["SQLBrowseConnectW", "SQLGetFunctions"] {
        assert_eq!(lacking(&[name]), whole);
    }
}

#[test]
fn whatever_is_missing_is_masked() {
    // Each optional function is missing in one of the two targets.
    let (optional, mut masked) = (FUNCTIONS.iter().filter(|(_, name)| !REQUIRED.contains(name)), 0);
    let names: Vec<&str> = optional.map(|&(_, name)| name).collect();
    for half in names.chunks(names.len().div_ceil(2)) {
        let said = lacking(half);
        masked += said.strip_suffix(" masked\n").unwrap().parse::<usize>().unwrap();
    }
    // Except the three that the library implements itself; and SQLSetConnectAttr has two functions, which are in the
    // same half.
    assert_eq!(masked, names.len() - 4);
    assert!(lacking(&["SQLSetConnectAttr"]).starts_with("0 masked"));
}

#[test]
fn a_target_without_what_is_needed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in REQUIRED {
        let text = with_target(&without(folder.path(), &[name])).refusal("DSN=Loopback");
        assert_says(&text, &["[IM003] [loopback-odbc]", &format!("it does not export {name}"), "Unicode"]);
    }
}

#[test]
fn an_ansi_driver_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wide: Vec<&str> = FUNCTIONS.iter().map(|&(_, name)| name).filter(|name| name.ends_with('W')).collect();
    assert!(wide.len() > 20);
    let text = with_target(&without(folder.path(), &wide)).refusal("DSN=Loopback");
    assert_says(&text, &["[IM003] [loopback-odbc]", "lacking.so): it does not export SQLDriverConnectW", "Unicode"]);
}

#[test]
fn an_unloadable_target_is_reported_with_the_loader_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("text.so"), "not a library, though it has the name of one, and is long enough to be read as such")
        .unwrap();
    // The fifth byte of an ELF file is its class, and bytes 18 and 19 are its machine (elf(5)).
    let mut image = fs::read(part("RECORDING_TARGET")).unwrap();
    image[4] = 1;
    fs::write(path("class.so"), &image).unwrap();
    image[4] = 2;
    // A machine that this test cannot run on: SPARC v9.
    image[18..20].copy_from_slice(&[43, 0]);
    fs::write(path("machine.so"), &image).unwrap();
    fs::write(folder.path().join("symbol.c"), "int nowhere(void);\nint SQLAllocHandle(void) { return nowhere(); }\n")
        .unwrap();
    compile(&path("symbol.c"), Path::new(&path("symbol.so")), &["-shared", "-fPIC"]);
    for (library, words) in [
        (path("missing.so"), "cannot open shared object file"),
        (path("text.so"), "invalid ELF header"),
        (path("class.so"), "wrong ELF class: ELFCLASS32"),
        (path("machine.so"), "cannot open shared object file"),
        (path("symbol.so"), "undefined symbol: nowhere"),
        (path(""), "cannot read file data"),
        // A library that is not a driver.
        ("libc.so.6".to_owned(), "does not export SQLAllocHandle"),
    ] {
        let text = with_target(Path::new(&library)).refusal("DSN=Loopback");
        assert_says(&text, &["[IM003] [loopback-odbc]", "section [SQL Server Loopback]", &library, words]);
    }
}

#[test]
fn a_missing_dependency_of_the_target_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("part.c"), "int part(void) { return 1; }\n").unwrap();
    fs::write(path("driver.c"), "int part(void);\nint SQLAllocHandle(void) { return part(); }\n").unwrap();
    let (part, driver) = (path("libpart.so"), path("driver.so"));
    compile(&path("part.c"), Path::new(&part), &["-shared", "-fPIC"]);
    compile(&path("driver.c"), Path::new(&driver), &["-shared", "-fPIC", "-Wl,--no-as-needed", &part]);
    fs::remove_file(&part).unwrap();
    let text = with_target(Path::new(&driver)).refusal("DSN=Loopback");
    assert_says(&text, &["[IM003]", "section [SQL Server Loopback]", "libpart.so", "cannot open shared object file"]);
}

#[test]
fn the_driver_manager_reports_a_failed_allocation_in_the_target() {
    let target = part("RECORDING_TARGET");
    let registrations = with_target(&target);
    let mut command = registrations.command(part("PYTHON"));
    let said = Ran::of(command.arg(project("tests/programs/failing_allocation.py"))).ok().stdout;
    assert_eq!(said, "environment: -1 ['IM004']\nconnection: -1 ['IM005']\nconnected\n");
}
