//! Changes that are to be made, each with the line that says so: a dry run prints the lines, and the real one makes the
//! changes and prints the same.

use crate::report::Level;
use anstyle::{AnsiColor, Style};
use rustix::fs::{Access, access};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a change may leave to be told.
type Warning = Option<String>;

struct Step {
    says: String,
    change: Option<Box<dyn FnOnce() -> Result<Warning, String>>>,
}

#[derive(Default)]
pub struct Plan {
    steps: Vec<Step>,
    writes: Vec<PathBuf>,
    warnings: Vec<String>,
}

impl Plan {
    /// Says something that needs no change.
    pub fn say(&mut self, says: String) {
        self.steps.push(Step { says, change: None });
    }

    /// Adds a change, and what is written by it: files, and folders of new files.
    pub fn change(
        &mut self,
        says: String,
        writes: &[&Path],
        change: impl FnOnce() -> Result<Warning, String> + 'static,
    ) {
        self.writes.extend(writes.iter().map(|path| path.to_path_buf()));
        self.steps.push(Step { says, change: Some(Box::new(change)) });
    }

    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Makes the changes, unless this is a dry run, and gives the exit status. Either all paths can be written, or nothing
    /// is changed.
    ///
    /// # Errors
    /// What cannot be written, or what went wrong in between.
    pub fn carry_out(mut self, dry_run: bool) -> Result<u8, String> {
        // What cannot be said is no reason to stop halfway.
        let mut said = Ok(());
        let mut say =
            |line: &str| said = std::mem::replace(&mut said, Ok(())).and_then(|()| writeln!(io::stdout(), "{line}"));
        if dry_run {
            say("Nothing is changed. What would be said and done:");
        } else {
            self.writes.iter().try_for_each(|path| writable(path))?;
        }
        let mut changed = false;
        for Step { says, change } in self.steps {
            if let (Some(change), false) = (change, dry_run) {
                let warning = change().map_err(|error| if changed { halfway(&error) } else { error })?;
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
        said.map(|()| level.status()).map_err(|error| format!("standard output: {error}. All was done nevertheless"))
    }
}

fn halfway(error: &str) -> String {
    format!(
        "{error}\nThis is halfway: what is said above was done. `loopback-odbc uninstall` takes back what there is."
    )
}

/// Whether a path, or the nearest folder above it where there is none yet, can be written.
fn writable(path: &Path) -> Result<(), String> {
    if path.is_symlink() && !path.exists() {
        return Err(format!("{} is a link that leads nowhere, and nothing was changed", path.display()));
    }
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    access(there, Access::WRITE_OK).map_err(|error| {
        format!(
            "{} cannot be written ({error}), and nothing was changed. Run it as root, or with --user.",
            path.display()
        )
    })
}
