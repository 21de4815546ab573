//! The program's own file: put where it can be called after the installation, and removed from there.
//!
//! A program that a package or `make install` has brought is in a folder of programs itself, and is left alone.

use crate::library;
use crate::paths::{folder_of, new_name};
use crate::plan::Plan;
use crate::system;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the program is installed.
pub struct Program {
    pub file: PathBuf,
    /// In a folder of programs. That it leads to the file is how it is known as this program's work.
    pub link: PathBuf,
}

/// This program's own file.
fn running() -> Option<PathBuf> {
    std::env::current_exe().and_then(|program| program.canonicalize()).ok()
}

/// Whether the link is there and leads to the installed file.
fn is_linked(places: &Program) -> bool {
    fs::read_link(&places.link).is_ok_and(|target| target == places.file)
}

/// Plans what puts the program in its place.
///
/// # Errors
/// A file that cannot be read.
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
        plan.say(format!("{}: another program, left alone", places.link.display()));
    } else if !folder_of_programs.is_dir() {
        plan.say(format!("{}: not made, since there is no such folder", places.link.display()));
    } else {
        let (file, link) = (places.file.clone(), places.link.clone());
        let says = format!("{}: a link to {}", link.display(), file.display());
        plan.change(says, folder_of_programs.to_owned(), move || match make_link(&file, &link) {
            Ok(()) => Ok(None),
            Err(error) => Err(format!("{} cannot be made: {error}", link.display())),
        });
    }
    Ok(())
}

/// Makes a link at once: it has another name until it is whole.
fn make_link(file: &Path, link: &Path) -> io::Result<()> {
    let new = new_name(link);
    system::link(file, &new)?;
    fs::rename(new, link)
}

/// Plans what takes the program away, if an installation has brought it.
pub fn uninstall(plan: &mut Plan, places: &Program) {
    if is_linked(places) {
        let link = places.link.clone();
        let says = format!("{}: removed", link.display());
        plan.change(says, folder_of(&link), move || match fs::remove_file(&link) {
            Ok(()) => Ok(None),
            Err(error) => Err(format!("{} cannot be removed: {error}", link.display())),
        });
    }
    if places.file.exists() {
        let file = places.file.clone();
        let says = format!("{}: removed", file.display());
        plan.change(says, folder_of(&file), move || library::remove(&file));
    }
}

/// Removes what a killed run has left.
///
/// # Errors
/// The system's reason, with the path.
pub fn recover(places: &Program) -> Result<(), String> {
    let new = new_name(&places.link);
    if new.symlink_metadata().is_ok() {
        fs::remove_file(&new).map_err(|error| format!("{} cannot be removed: {error}", new.display()))?;
    }
    library::recover(&places.file)
}
