//! Setting up data sources and the driver on Windows, through the installer library, which calls this library's
//! functions.

#![cfg(windows)]

mod common;

use common::windows::*;
use common::{Ran, part, registry};
use libloading::Library;
use std::ffi::c_void;

/// Sends a request to the driver's setup functions, through the installer library.
fn set_up(arguments: &[&str]) -> String {
    Ran::of(&mut program(arguments)).ok().stdout.replace('\r', "")
}

const ADD: &str = "1";
const CHANGE: &str = "2";
const REMOVE: &str = "3";
const DRIVER: &str = "SQL Server Loopback";

/// The values of a user data source, without its library. If a value is to be removed, Wine leaves an empty one.
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
    let string = format!("DSN={name};Server=.;Trusted_Connection=Yes;");
    assert_eq!(given(&mut recorded(&named)), string);
    assert_eq!(source(REMOVE, &[&named]), "done: 1\n");
    assert_eq!(values(&name), [""; 0]);
    assert!(!registry::values(USER_SOURCES).iter().any(|(it, _)| *it == name));
}

#[test]
fn a_data_source_without_a_name_is_loopback() {
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
    // Not with this library: two sections for the same file must not differ.
    register(driver, &part("MSODBCSQL"), &[]);
    // Called directly, because Wine's installer library handles this request itself.
    type Configure =
        unsafe extern "system" fn(*mut c_void, u16, *const u16, *const u16, *mut u16, u16, *mut u16) -> i32;
    let (name, mut message, mut length) = (wide(driver), [9; 4], 9);
    let mut configure = |request, argument: &str| {
        // SAFETY: the library's initialisers are this project's; strings end with a NUL, and the message's size is
        // given.
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
