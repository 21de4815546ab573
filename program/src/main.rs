//! `loopback-odbc`: the program for whoever installs the library, wants to know why a loopback connection is as it is, or
//! needs its string.
//!
//! What it says of connections is decided by the library's own code, which is linked in; what it installs is the library's
//! file. Standard output carries what was asked for and nothing else.
//!
//! | module | what it is |
//! |-|-|
//! | [`arguments`] | the commands and their options |
//! | [`string`] | `string`: the loopback string |
//! | [`doctor`], [`report`] | `doctor`: what is checked, and how it is told |
//! | [`version`] | the library's own word of its version |
//! | [`certificate`], [`driver_manager`], [`comparison`] | what only `doctor` looks at: the session's files, a real connection, an official string |
//! | [`install`], [`uninstall`] | `install` and `uninstall`: what is to be changed |
//! | [`plan`] | changes that are said, or said and made |
//! | [`places`], [`library`], [`program`] | where an installation stands; the files of library and program, copied and removed |
//! | [`ini`] | registrations, read |
//! | `linux`, `windows` | what installing and looking ask of the one system or the other, and how registrations are changed there |

mod arguments;
mod certificate;
mod comparison;
mod doctor;
mod driver_manager;
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
use std::io::Write;
use std::process::ExitCode;

/// All is well.
const OK: u8 = 0;
/// What was asked for could not be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let first = std::env::args().nth(1);
    let outcome = if Making::is_asked_for(first.as_deref()) { make(Making::parse()) } else { run(Arguments::parse()) };
    outcome
        .unwrap_or_else(|problem| {
            anstream::eprintln!("{}: {problem}", arguments::NAME);
            FAILED
        })
        .into()
}

/// Does what a user asks for.
fn run(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::String(wanted) => looking(|| string::print(&wanted)),
        Command::Doctor(examination) => looking(|| doctor::run(&examination)),
        Command::Install(wanted) => install::run(&wanted),
        Command::Uninstall(registration) => uninstall::run(&registration),
    }
}

/// Prints what an installation has besides the program.
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

/// Prints what was asked for.
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
