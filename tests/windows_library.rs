//! The library for Windows as a file: its exports, its dependencies, the length of its forwarding code, and that it
//! stays loaded.

#![cfg(windows)]

mod common;

use common::windows::*;
use common::{part, project};
use libloading::Library;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::fs;
use std::path::Path;

/// objdump's output for a library, made by `make test-windows`.
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
        "loopback_odbc_confirmation",
    ];
    let declared = loopbackodbc::entry_point_names().into_iter().chain(others).map(str::to_owned).collect();
    assert_eq!(exports(&headers("HEADERS")), declared);
}

#[test]
fn omitted_exports_of_the_real_driver_are_documented() {
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
fn it_needs_only_windows_libraries_and_no_driver_manager() {
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
        // SAFETY: the functions are longer than the part that is read.
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
fn library_and_program_show_their_version() {
    assert_shows_version(&common::library(), env!("CARGO_PKG_DESCRIPTION"), "loopbackodbc.dll");
    let description = "loopback-odbc: prints, explains, installs and uninstalls loopback connections";
    assert_shows_version(&part("PROGRAM"), description, "loopback-odbc.exe");
}

#[track_caller]
fn assert_shows_version(file: &Path, description: &str, name: &str) {
    // GetFileVersionInfoW and VerQueryValueW of winver.h.
    type Get = unsafe extern "system" fn(*const u16, u32, u32, *mut c_void) -> i32;
    type Query = unsafe extern "system" fn(*const c_void, *const u16, *mut *const u16, *mut u32) -> i32;
    let file = wide(shown(file));
    let mut block = vec![0u64; 1024];
    // SAFETY: the library is part of Windows; the types are those in its header, and the block has the given size.
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
            ("FileDescription", description),
            ("OriginalFilename", name),
        ] {
            let (mut text, mut length) = (std::ptr::null(), 0);
            let path = wide(&format!(r"\StringFileInfo\040904B0\{name}"));
            assert_ne!(query(block.as_ptr().cast(), path.as_ptr(), &raw mut text, &raw mut length), 0, "{name}");
            let text = std::slice::from_raw_parts(text, length as usize);
            assert_eq!(String::from_utf16_lossy(text).trim_end_matches('\0'), expected);
        }
    }
}
