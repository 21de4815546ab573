//! `loopback-odbc`: installs the library, checks loopback connections, and prints the loopback connection string.
//!
//! The library's own code is linked in and decides everything about connections. `install` copies the library's file. Standard
//! output contains only the requested output.
//!
//! | module | what it is |
//! |-|-|
//! | [`arguments`] | the commands and their options |
//! | [`string`] | `string`: the loopback connection string |
//! | [`doctor`], [`registration`], [`report`] | `doctor`: the checks, those of the registrations, and the report |
//! | [`version`] | the version that a library file reports |
//! | [`certificate`], [`comparison`] | checks of `doctor`: the session's files, an official string |
//! | [`install`], [`uninstall`] | `install` and `uninstall`: the planned changes |
//! | [`plan`] | changes, printed by a dry run, or printed and made |
//! | [`places`], [`library`], [`program`] | the paths of an installation; copies and removes the files of library and program |
//! | [`ini`] | reads registrations |
//! | `linux`, `windows` | the parts that depend on the operating system, and how it changes registrations |

mod arguments;
mod certificate;
mod comparison;
mod doctor;
mod ini;
mod install;
mod library;
#[cfg(not(windows))]
mod linux;
mod manual;
mod paths;
mod places;
mod plan;
mod program;
mod registration;
mod report;
mod string;
mod uninstall;
mod version;
#[cfg(windows)]
mod windows;

#[cfg(not(windows))]
use linux as system;
#[cfg(windows)]
use windows as system;

use arguments::{Arguments, Command, Making};
use clap::{CommandFactory, Parser};
use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

/// All is well.
const OK: u8 = 0;
/// The command failed.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    let outcome = if Making::is_asked_for(first.as_deref().and_then(OsStr::to_str)) {
        make(Making::parse())
    } else {
        run(Arguments::parse())
    };
    outcome
        .unwrap_or_else(|problem| {
            anstream::eprintln!("{}: {problem}", arguments::NAME);
            FAILED
        })
        .into()
}

/// Runs a user's command.
fn run(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::String(wanted) => looking(|| string::print(&wanted)),
        Command::Doctor(examination) => looking(|| doctor::run(&examination)),
        Command::Install(wanted) => install::run(&wanted),
        Command::Uninstall(registration) => uninstall::run(&registration),
    }
}

/// Prints a manual page or completions, for `make install`.
fn make(wanted: Making) -> Result<u8, String> {
    match wanted {
        Making::Man { command } => print(&manual::page(command.as_deref())?),
        Making::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), arguments::NAME, &mut script);
            print(&script)
        }
    }
}

/// Writes to standard output.
///
/// # Errors
/// Standard output cannot be written.
fn print(text: &[u8]) -> Result<u8, String> {
    std::io::stdout().write_all(text).map(|()| OK).map_err(|error| format!("standard output: {error}"))
}

/// Runs a command that changes nothing.
fn looking(command: impl FnOnce() -> Result<u8, String>) -> Result<u8, String> {
    let _untouched = system::Untouched::now();
    command()
}
