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
//! | [`places`], [`library`] | where an installation stands; the library's file, checked, copied and removed |
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
mod paths;
mod places;
mod plan;
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

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::process::ExitCode;

/// All is well.
const OK: u8 = 0;
/// What was asked for could not be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::String(wanted) => looking(|| string::print(&wanted)),
        Command::Doctor(examination) => looking(|| doctor::run(&examination)),
        Command::Install(wanted) => install::run(&wanted),
        Command::Uninstall(registration) => uninstall::run(&registration),
        Command::Man { command } => man(command.as_deref()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), arguments::NAME, &mut script);
            print(&script)
        }
    };
    outcome
        .unwrap_or_else(|problem| {
            anstream::eprintln!("{}: {problem}", arguments::NAME);
            FAILED
        })
        .into()
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

/// Prints the manual page of the program, or of one of its commands.
///
/// # Errors
/// There is no such command.
fn man(command: Option<&str>) -> Result<u8, String> {
    let mut program = Arguments::command();
    program.build();
    let page = match command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| format!("there is no command {name}"))?,
    };
    // "loopback-odbc-doctor", as its page is called.
    let name = page.get_display_name().unwrap_or(arguments::NAME).to_owned();
    let page = clap_mangen::Man::new(page.name(name));
    page.render(&mut std::io::stdout()).map(|()| OK).map_err(|error| error.to_string())
}
