//! `DSN=Loopback` for scripts that SQL Server runs: an ODBC driver that is not a driver.
//!
//! A driver manager loads this library because odbcinst.ini says so. It loads the real driver, the *target*, and calls
//! go straight through to it, with the target's own handles. Only where a connection is made does it do something: it
//! turns `DSN=Loopback` into the loopback connection string of the machine and the session that it runs in.
//!
//! The map of the house, from the outside in:
//!
//! | module | what it is |
//! |-|-|
//! | [`entry_points`] | every exported ODBC function, once, in `entry_points/table.rs`; and what is made of that table |
//! | [`connect`] | `SQLDriverConnectW`, `SQLConnectW`, `SQLBrowseConnectW` |
//! | [`diagnostics`], [`answers`] | the other functions that we answer in part |
//! | [`connections`] | what is remembered of a connection handle |
//! | [`target`], [`absent`] | choosing and loading the real driver; what stands in for it when there is none |
//! | [`fork`] | what a process that forks must do with our locks |
//! | [`loopback`] | the domain: which string is right, and how server and certificate are found |
//! | [`connection_string`] | reading and writing connection strings as Microsoft's driver does |
//! | [`registration`] | what odbcinst.ini and odbc.ini say |
//! | [`world`] | everything outside the process, behind one trait |
//! | [`failure`] | SQLSTATEs, and errors that say cause and remedy |
//! | [`output`], [`guard`], [`logging`], [`odbc`] | caller's pointers, the panic boundary, the log, the specification's constants |
//! | [`c_api`], [`question`], [`program`] | the C interface, the string for those who ask for it, and what the program `loopback-odbc` uses |
//! | `setup` | on Windows: setting up data sources for the ODBC administrator |
//!
//! `unsafe` is in the outer modules and in `world`'s two system modules; what decides anything is safe code.

mod absent;
mod answers;
mod c_api;
mod connect;
mod connection_string;
mod connections;
mod diagnostics;
#[cfg(test)]
mod documented;
mod entry_points;
mod failure;
#[cfg(not(windows))]
mod fork;
mod guard;
mod logging;
mod loopback;
mod odbc;
mod output;
mod question;
mod registration;
#[cfg(windows)]
mod setup;
mod target;
mod world;

/// What the program `loopback-odbc` uses of the library: it explains and prints what the library decides, by the same code.
pub mod program {
    pub use crate::connection_string::{Attribute, Text, parse, shown, shown_each};
    pub use crate::loopback::driver::{Kind, NAMES};
    pub use crate::loopback::search::{Finding, Search};
    pub use crate::loopback::{Rewritten, Wanted, file_of, file_value, rewrite, utf16};
    pub use crate::question::Question;
    pub use crate::registration::{Driver, drivers};
    pub use crate::target::{Target, examine as examine_target, preferred};
    pub use crate::world::{Machine, Platform, Profile, World, installer_function, speak_for};
}

/// What the fuzz targets of `fuzz/` look at.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::c_api::report;
    pub use crate::connection_string::{Attribute, Parsed, parse, shown, shown_each};
    pub use crate::failure::Failure;
    pub use crate::loopback::driver::Kind;
    pub use crate::loopback::hints::{TargetRecord, hint};
    pub use crate::loopback::preset::keyword as preset;
    pub use crate::loopback::search::Search;
    pub use crate::loopback::{Rewritten, Wanted, official, rewrite};
    pub use crate::target::Target;
    pub use crate::world::fixture::Fixture;
    pub use crate::world::{NetlinkAnswer, Platform, Profile, World, netlink_answer};
}

/// The names of the ODBC functions that the library exports; for the tests, which hold the built library to them.
pub fn entry_point_names() -> Vec<&'static str> {
    entry_points::ROWS.iter().filter(|row| row.is_exported()).map(|row| row.name).collect()
}
