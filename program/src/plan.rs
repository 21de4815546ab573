//! Changes that are to be made, each with the line that says so: a dry run prints the lines, and the real one makes the
//! changes and prints the same.

use crate::arguments::Registration;
use crate::report::Level;
use crate::system;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

/// What a change may leave to be told.
pub type Warning = Option<String>;

/// A change, when it is made.
pub type Change = Box<dyn FnOnce() -> Result<Warning, String>>;

/// What is written by a change.
pub trait Writable {
    /// # Errors
    /// That it cannot be written, and why.
    fn writable(&self) -> Result<(), String>;
}

/// The folder of new files.
impl Writable for PathBuf {
    fn writable(&self) -> Result<(), String> {
        system::writable(self)
    }
}

struct Step {
    says: String,
    change: Option<Change>,
}

#[derive(Default)]
pub struct Plan {
    steps: Vec<Step>,
    writes: Vec<Box<dyn Writable>>,
    warnings: Vec<String>,
}

impl Plan {
    /// Says something that needs no change.
    pub fn say(&mut self, says: String) {
        self.steps.push(Step { says, change: None });
    }

    /// Adds a change, and what is written by it.
    pub fn change(
        &mut self,
        says: String,
        writes: impl Writable + 'static,
        change: impl FnOnce() -> Result<Warning, String> + 'static,
    ) {
        self.writes.push(Box::new(writes));
        self.steps.push(Step { says, change: Some(Box::new(change)) });
    }

    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Makes the changes, unless this is a dry run, and gives the exit status. Either all paths can be written, or nothing
    /// is changed. Before the first change comes `recover`: what a killed run has left goes.
    ///
    /// # Errors
    /// What cannot be written, or what went wrong in between.
    pub fn carry_out(
        mut self,
        recover: impl FnOnce() -> Result<(), String>,
        registration: &Registration,
    ) -> Result<u8, String> {
        let dry_run = registration.dry_run;
        // What cannot be said is no reason to stop halfway.
        let mut said = Ok(());
        let mut say =
            |line: &str| said = std::mem::replace(&mut said, Ok(())).and_then(|()| writeln!(io::stdout(), "{line}"));
        if dry_run {
            say("Dry run: nothing is changed. A real run would print and do this:");
        } else {
            self.writes.iter().try_for_each(|place| place.writable())?;
            recover()?;
        }
        let mut changed = false;
        for Step { says, change } in self.steps {
            if let (Some(change), false) = (change, dry_run) {
                let warning = change().map_err(|error| if changed { halfway(&error, registration) } else { error })?;
                self.warnings.extend(warning);
                changed = true;
            }
            say(&says);
        }
        let colour = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        for warning in &self.warnings {
            anstream::eprintln!("{colour}warning:{colour:#} {warning}");
        }
        let level = if self.warnings.is_empty() { Level::Ok } else { Level::Warning };
        said.map(|()| level.status())
            .map_err(|error| format!("standard output: {error}. All changes were made nevertheless"))
    }
}

fn halfway(error: &str, registration: &Registration) -> String {
    let options = registration.options();
    format!(
        "{error}\nStopped part-way. The changes listed above were made; `loopback-odbc uninstall{options}` undoes them."
    )
}

/// What is said of a place that cannot be written.
pub fn unwritable(place: &dyn Display, error: &dyn Display) -> String {
    let who = system::WHO_MAY;
    format!("{place} cannot be written ({error}). Nothing was changed. Fix: run this {who}, or with --user")
}
