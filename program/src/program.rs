//! Installs and removes the program's own file.
//!
//! A program that a package or `make install` put into a folder of programs is neither copied nor removed.

use crate::library::{self, gone, irremovable};
use crate::paths::{folder_of, new_name};
use crate::plan::Plan;
use crate::system;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the program is installed.
pub struct Program {
    pub file: PathBuf,
    /// A link in a folder of programs. If it points to the file, this program created it.
    pub link: PathBuf,
}

/// This program's own file.
fn running() -> Option<PathBuf> {
    std::env::current_exe().and_then(|program| program.canonicalize()).ok()
}

/// Whether the link exists and points to the installed file.
fn is_linked(places: &Program) -> bool {
    fs::read_link(&places.link).is_ok_and(|target| target == places.file)
}

/// Plans the program's installation.
///
/// # Errors
/// A file cannot be read.
pub fn install(plan: &mut Plan, places: &Program) -> Result<(), String> {
    let Some(running) = running() else { return Ok(()) };
    let folder_of_programs = places.link.parent().unwrap_or(Path::new("/"));
    if running.parent() == folder_of_programs.canonicalize().ok().as_deref() {
        return Ok(());
    }
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    if running == places.file || places.file.exists() && read(&running)? == read(&places.file)? {
        plan.say(format!("{}: up to date", places.file.display()));
    } else {
        let (from, to) = (running, places.file.clone());
        let says = format!("{}: this program, version {}", to.display(), env!("CARGO_PKG_VERSION"));
        plan.change(says, folder_of(&to), move || library::put(&from, &to));
    }
    if is_linked(places) {
        plan.say(format!("{}: up to date", places.link.display()));
    } else if places.link.symlink_metadata().is_ok() {
        plan.say(format!("{}: not changed: another program has this name", places.link.display()));
    } else if !folder_of_programs.is_dir() {
        plan.say(format!("{}: not created: its folder does not exist", places.link.display()));
    } else {
        let (file, link) = (places.file.clone(), places.link.clone());
        let says = format!("{}: a link to {}", link.display(), file.display());
        plan.change(says, folder_of_programs.to_owned(), move || {
            let made = make_link(&file, &link).map(|()| None);
            made.map_err(|error| format!("{} cannot be created: {error}", link.display()))
        });
    }
    Ok(())
}

/// Creates a link atomically, by renaming a new one.
fn make_link(file: &Path, link: &Path) -> io::Result<()> {
    let new = new_name(link);
    system::link(file, &new)?;
    fs::rename(new, link)
}

/// Plans the program's removal, if an installation put it there.
pub fn uninstall(plan: &mut Plan, places: &Program) {
    if is_linked(places) {
        let link = places.link.clone();
        let says = format!("{}: removed", link.display());
        plan.change(says, folder_of(&link), move || {
            fs::remove_file(&link).map(|()| None).map_err(|error| irremovable(&link, &error))
        });
    }
    if places.file.exists() {
        let file = places.file.clone();
        let says = format!("{}: removed", file.display());
        plan.change(says, folder_of(&file), move || library::remove(&file));
    }
}

/// Removes leftovers of a killed run.
///
/// # Errors
/// The system's reason, with the path.
pub fn recover(places: &Program) -> Result<(), String> {
    let new = new_name(&places.link);
    gone(fs::remove_file(&new)).map_err(|error| irremovable(&new, &error))?;
    library::recover(&places.file)
}
