//! Which packages `scripts/setup` takes of a distribution, read from what `apt-cache show` has printed there (`expected/packages`).

mod common;

use common::{Ran, project};
use std::fs;
use std::process::Command;

/// Runs a function of `scripts/lib.sh` on this input.
fn function(name: &str, input: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    fs::write(&file, input).unwrap();
    let script = format!("set -euo pipefail; . scripts/lib.sh; {name} <\"$0\"");
    Ran::of(Command::new("bash").args(["-c", &script]).arg(file).current_dir(project("")))
}

/// The packages of a recorded list: `postgresql`, and those that are unpacked.
fn recorded(distribution: &str) -> (String, String) {
    let list = fs::read_to_string(project(&format!("tests/expected/packages/{distribution}"))).unwrap();
    let (first, rest) = list.split_once("\n\n").unwrap();
    assert!(first.starts_with("Package: postgresql\n"), "{first}");
    (first.to_owned(), rest.to_owned())
}

#[test]
fn the_server_s_package_is_the_one_with_a_version() {
    for (distribution, package) in [("debian-12", "postgresql-15\n"), ("debian-13", "postgresql-17\n")] {
        let (postgresql, _) = recorded(distribution);
        assert_eq!(function("postgresql_server", &postgresql).ok().stdout, package);
    }
    assert_ne!(function("postgresql_server", "Package: postgresql\nDepends: debconf\n").status, 0);
}

#[test]
fn libraries_have_the_names_that_the_distribution_gives_them() {
    for (distribution, new, old) in [
        ("debian-12", ["libicu72", "libldap-2.5-0", "libssl3"], ["libicu76", "libldap2", "libssl3t64"]),
        ("debian-13", ["libicu76", "libldap2", "libssl3t64"], ["libicu72", "libldap-2.5-0", "libssl3"]),
    ] {
        let printed = function("linked_libraries", &recorded(distribution).1).ok().stdout;
        let libraries: Vec<&str> = printed.lines().collect();
        for library in new.into_iter().chain(["libpq5", "libxml2", "tzdata"]) {
            assert!(libraries.contains(&library), "{library} is not in {libraries:?}");
        }
        for library in old {
            assert!(!libraries.contains(&library), "{library} is in {libraries:?}");
        }
        // Installed, these would change the machine's ODBC configuration or start a server; or they are unpacked, or not used.
        let others = |name: &&&str| !name.starts_with("lib") && **name != "tzdata";
        assert_eq!(libraries.iter().find(others), None);
        let unwanted = |name: &&&str| name.starts_with("libodbc") || name.starts_with("libllvm");
        assert_eq!(libraries.iter().find(unwanted), None);
    }
}
