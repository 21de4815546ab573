//! `DSN=Loopback` for scripts that SQL Server runs: an ODBC driver that is not a driver.
//!
//! A driver manager loads this library because odbcinst.ini names it. The library loads the real driver, the *target*,
//! and calls go straight through to it, with the target's own handles. The library acts only where a connection is
//! made: it turns `DSN=Loopback` into the loopback connection string of this machine and session.
//!
//! The code has four layers. A file uses its own layer and the layers below it; a test in this file checks that.
//!
//! | layer | what it is | where to start |
//! |-|-|-|
//! | [`surface`] | what a driver manager calls: the exported functions, the three connect functions, diagnostics, what is remembered of each connection; the C interface; on Windows the setup of data sources. `unsafe`, thin | `surface/connect.rs` |
//! | [`target`] | the real driver: its functions in their slots, loading it, the placeholder when there is none. `unsafe`, thin | `target/loading.rs`, `target/table.rs` |
//! | [`loopback`] | the domain: the sources of each value, how to log in, discovery, the choice of the driver, the string. Safe code without I/O of its own | `loopback.rs`: [`loopback::rewrite`] |
//! | [`world`] | everything outside the process, behind one trait; the log; the boundary that catches panics. `unsafe` in the system modules only | `world.rs` |
//!
//! | to change | start in |
//! |-|-|
//! | an entry point | `target/table.rs`: one row declares it for every user of the table |
//! | what decides who logs in | `loopback/decision.rs` |
//! | a keyword or its precedence | `loopback.rs` (the names), `loopback/sources.rs`, `docs/settings.md` |
//! | how the certificate or the server is discovered | `loopback/session.rs`, `loopback/server.rs`, `loopback/trust.rs` |
//! | a message | where it is made; `docs/troubleshooting.md` quotes each |
//! | a question to the operating system | `world.rs` (the trait), then `world/linux.rs`, `world/windows.rs` and `world/fixture.rs` |

#[cfg(test)]
mod documented;
mod loopback;
mod surface;
mod target;
mod world;

/// What the program `loopback-odbc` uses of the library, so both decide with the same code.
pub mod program {
    pub use crate::loopback::advice::{similar, unknown};
    pub use crate::loopback::choice::{Target, opening_to_all, preferred};
    pub use crate::loopback::confirmation::{Told, document};
    pub use crate::loopback::connection_string::{Attribute, Text, parse, shown, shown_each};
    pub use crate::loopback::driver::{Kind, USUAL};
    pub use crate::loopback::official::means_the_same;
    pub use crate::loopback::question::Question;
    pub use crate::loopback::registration::{Driver, drivers};
    pub use crate::loopback::search::{Finding, Search};
    pub use crate::loopback::{Rewritten, Wanted, file_of, file_value, rewrite, utf16};
    pub use crate::target::loading::examine as examine_target;
    pub use crate::world::{Machine, Platform, Profile, World, installer_function, speak_for, words};
}

/// What the fuzz targets in `fuzz/` use.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::loopback::choice::Target;
    pub use crate::loopback::confirmation::{Told, document};
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

/// The names of the ODBC functions that the library exports. The tests compare the built library with them.
pub fn entry_point_names() -> Vec<&'static str> {
    target::slots::ROWS.iter().filter(|row| row.is_exported()).map(|row| row.name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The lowest first.
    const LAYERS: [&str; 4] = ["world", "loopback", "target", "surface"];

    /// Collects uses of a higher layer in the files of a lower one.
    fn upward(folder: &Path, layer: usize, found: &mut Vec<String>, files: &mut usize) {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries {
            if path.is_dir() {
                upward(&path, layer, found, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                look(&path, layer, found);
                *files += 1;
            }
        }
    }

    fn look(path: &Path, layer: usize, found: &mut Vec<String>) {
        for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let above = LAYERS[layer + 1..].iter().find(|above| line.contains(&format!("crate::{above}")));
            let braces = line.contains("crate::{").then_some(&"several layers at once");
            if let Some(above) = above.or(braces) {
                found.push(format!("{}:{}: {above}", path.display(), number + 1));
            }
        }
    }

    #[test]
    fn no_file_uses_a_layer_above_its_own() {
        let (mut found, mut files) = (Vec::new(), 0);
        for (layer, name) in LAYERS.iter().enumerate() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            look(&source.join(format!("{name}.rs")), layer, &mut found);
            upward(&source.join(name), layer, &mut found, &mut files);
        }
        assert!(files > 30, "{files}");
        assert_eq!(found, [""; 0]);
    }
}
