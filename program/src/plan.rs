//! Planned changes, each with a line that describes it. A dry run prints the lines. A real run makes the changes and prints the same
//! lines.

use crate::arguments::Registration;
use crate::places::Mode;
use crate::report::Level;
use crate::system;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

/// The warning that a change may return.
pub type Warning = Option<String>;

/// Makes a change.
pub type Change = Box<dyn FnOnce() -> Result<Warning, String>>;

/// A place that a change writes to.
pub trait Writable {
    /// # Errors
    /// It cannot be written, with the reason and the fix for this mode.
    fn writable(&self, mode: Mode) -> Result<(), String>;
}

/// A folder for new files.
impl Writable for PathBuf {
    fn writable(&self, mode: Mode) -> Result<(), String> {
        system::writable(self, mode)
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
    /// Adds a line that needs no change.
    pub fn say(&mut self, says: String) {
        self.steps.push(Step { says, change: None });
    }

    /// Adds a change, and the place that it writes to.
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

    /// Makes the changes, unless this is a dry run, and returns the exit status. If any path cannot be written, nothing changes.
    /// `recover` runs before the first change and removes the leftovers of a killed run.
    ///
    /// # Errors
    /// A path cannot be written, or a change failed.
    pub fn carry_out(
        mut self,
        recover: impl FnOnce() -> Result<(), String>,
        registration: &Registration,
    ) -> Result<u8, String> {
        let dry_run = registration.dry_run;
        // An unwritable standard output does not stop the changes.
        let mut said = Ok(());
        let mut say =
            |line: &str| said = std::mem::replace(&mut said, Ok(())).and_then(|()| writeln!(io::stdout(), "{line}"));
        if dry_run {
            say("Dry run: nothing is changed. A real run would print and do this:");
        } else {
            self.writes.iter().try_for_each(|place| place.writable(registration.mode()))?;
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
        said.map(|()| level.status()).map_err(|error| format!("standard output: {error}. All changes were made"))
    }
}

fn halfway(error: &str, registration: &Registration) -> String {
    let options = registration.options();
    format!(
        "{error}\nStopped part-way. The changes listed above were made; `loopback-odbc uninstall{options}` undoes them."
    )
}

/// The error for a place that cannot be written. `there` is the part of it that exists.
pub fn unwritable(place: &dyn Display, there: &dyn Display, error: &dyn Display, mode: Mode) -> String {
    let remedy = match mode {
        Mode::System => format!("run this {}, or with --user", system::WHO_MAY),
        Mode::User => format!("make {there} writable for this user"),
    };
    format!("{place} cannot be written ({error}). Nothing was changed. Fix: {remedy}")
}
