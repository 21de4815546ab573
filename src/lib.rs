//! `DSN=Loopback` for scripts that SQL Server runs: an ODBC driver that is not a driver.
//!
//! A driver manager loads this library because odbcinst.ini says so. It loads the real driver, the *target*, and calls
//! go straight through to it, with the target's own handles. Only where a connection is made does it do something: it
//! turns `DSN=Loopback` into the loopback connection string of the machine and the session that it runs in.
//!
//! The house has four floors. A file uses its own floor and those below, which a test in this file holds.
//!
//! | floor | what it is | where to start |
//! |-|-|-|
//! | [`surface`] | what a driver manager calls: the exported functions, the three connects, diagnostics, what is remembered of a connection; the C interface; on Windows setting up data sources. `unsafe`, thin | `surface/connect.rs` |
//! | [`target`] | the real driver: its functions in their slots, loading it, the absent one. `unsafe`, thin | `target/loading.rs`, `target/table.rs` |
//! | [`loopback`] | the domain: who says what, how to log in, what is discovered, which driver, the string. Safe code without I/O of its own | `loopback.rs`: [`loopback::rewrite`] |
//! | [`world`] | everything outside the process, behind one trait; the log; the boundary around our own code. `unsafe` in the system modules alone | `world.rs` |
//!
//! | to change | start in |
//! |-|-|
//! | an entry point | `target/table.rs`: one row declares it for all readers of the table |
//! | what decides who logs in | `loopback/decision.rs` |
//! | a keyword or its precedence | `loopback.rs` (the names), `loopback/sources.rs`, `docs/settings.md` |
//! | how the certificate is discovered, or the server | `loopback/session.rs`, `loopback/server.rs`, `loopback/trust.rs` |
//! | a message | where it is made; `docs/troubleshooting.md` quotes each |
//! | what the system is asked | `world.rs` (the trait), then `world/linux.rs`, `world/windows.rs` and `world/fixture.rs` |

#[cfg(test)]
mod documented;
mod loopback;
mod surface;
mod target;
mod world;

/// What the program `loopback-odbc` uses of the library: it explains and prints what the library decides, by the same code.
pub mod program {
    pub use crate::loopback::advice::misspelt;
    pub use crate::loopback::choice::{Target, preferred};
    pub use crate::loopback::connection_string::{Attribute, Text, parse, shown, shown_each};
    pub use crate::loopback::driver::{Kind, USUAL};
    pub use crate::loopback::question::Question;
    pub use crate::loopback::registration::{Driver, drivers};
    pub use crate::loopback::search::{Finding, Search};
    pub use crate::loopback::{Rewritten, Wanted, file_of, file_value, rewrite, utf16};
    pub use crate::target::loading::examine as examine_target;
    pub use crate::world::{Machine, Platform, Profile, World, installer_function, speak_for};
}

/// What the fuzz targets of `fuzz/` look at.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::loopback::choice::Target;
    pub use crate::loopback::connection_string::{Attribute, Parsed, parse, shown, shown_each};
    pub use crate::loopback::driver::Kind;
    pub use crate::loopback::failure::Failure;
    pub use crate::loopback::hints::{TargetRecord, hint};
    pub use crate::loopback::preset::keyword as preset;
    pub use crate::loopback::search::Search;
    pub use crate::loopback::{Rewritten, Wanted, official, rewrite};
    pub use crate::surface::c_api::report;
    pub use crate::world::fixture::Fixture;
    pub use crate::world::{NetlinkAnswer, Platform, Profile, World, netlink_answer};
}

/// The names of the ODBC functions that the library exports; for the tests, which hold the built library to them.
pub fn entry_point_names() -> Vec<&'static str> {
    target::slots::ROWS.iter().filter(|row| row.is_exported()).map(|row| row.name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// From the lowest.
    const FLOORS: [&str; 4] = ["world", "loopback", "target", "surface"];

    /// Uses of a higher floor in a file of a lower one.
    fn upward(folder: &Path, floor: usize, found: &mut Vec<String>, files: &mut usize) {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries {
            if path.is_dir() {
                upward(&path, floor, found, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                look(&path, floor, found);
                *files += 1;
            }
        }
    }

    fn look(path: &Path, floor: usize, found: &mut Vec<String>) {
        for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let above = FLOORS[floor + 1..].iter().find(|above| line.contains(&format!("crate::{above}")));
            let braces = line.contains("crate::{").then_some(&"several floors at once");
            if let Some(above) = above.or(braces) {
                found.push(format!("{}:{}: {above}", path.display(), number + 1));
            }
        }
    }

    #[test]
    fn no_file_uses_a_floor_above_its_own() {
        let (mut found, mut files) = (Vec::new(), 0);
        for (floor, name) in FLOORS.iter().enumerate() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            look(&source.join(format!("{name}.rs")), floor, &mut found);
            upward(&source.join(name), floor, &mut found, &mut files);
        }
        assert!(files > 30, "{files}");
        assert_eq!(found, [""; 0]);
    }
}
