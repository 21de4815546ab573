//! The library's file: found, checked, put into its place, and removed from there.
//!
//! File and folders appear and go at once, by a change of name: what a killed run leaves is known by that name ([`new_name`]).

use crate::paths::{folder_of, new_beside, new_name};
use crate::plan::Warning;
use crate::system::{self, ENDING, STEM};
use crate::version;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Stands in a folder that was made for the library, and holds the path of the uppermost one that was. A folder with nothing
/// else in it is not needed any more.
const MARK: &str = ".made-by-loopback-odbc";

/// The file that is to be installed: the one that is named, the one beside this program, the one that `make install` puts where
/// programs have their own libraries, or the one in the folder of installed ones, for a second copy.
///
/// # Errors
/// The paths that were tried.
pub fn source(named: Option<&Path>, installed: &Path) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return system::whole(named).map_err(|error| format!("--library {}: {error}", named.display()));
    }
    let program = std::env::current_exe().and_then(|program| system::whole(&program));
    let program = program.map_err(|error| format!("this program's own path cannot be told: {error}"))?;
    let folder = program.parent().unwrap_or(Path::new("/"));
    let file = format!("{STEM}{ENDING}");
    let own = folder.with_file_name("lib").join("loopback-odbc");
    let candidates = [folder.to_owned(), own, installed.to_owned()].map(|folder| folder.join(&file));
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        format!("the library was not found (looked for {}). Fix: name it with --library", tried.join(", "))
    })
}

/// Holds that a file is this library, and of this program's version: they are made for each other.
///
/// # Errors
/// What it is instead, or the loader's words.
pub fn check(path: &Path) -> Result<(), String> {
    let ours = env!("CARGO_PKG_VERSION");
    match version::of(path)? {
        version if version == ours => Ok(()),
        version => Err(format!("{} is version {version}, and this program {ours}", path.display())),
    }
}

/// Copies the library to its place. Programs that have the old file open keep it: the new one is another file, which takes the
/// name when it is whole.
///
/// # Errors
/// The system's reason, with the path.
pub fn put(from: &Path, to: &Path) -> Result<Warning, String> {
    let folder = &folder_of(to);
    let copied = || -> io::Result<Warning> {
        make(folder)?;
        let mut copy = new_beside(to)?;
        io::copy(&mut File::open(from)?, copy.as_file_mut())?;
        system::open_to_all(copy.path())?;
        copy.as_file().sync_all()?;
        system::replace(copy, to)
    };
    copied().map_err(|error| format!("{} cannot be written: {error}", to.display()))
}

/// Makes a folder, marked, with those above it that are missing.
fn make(folder: &Path) -> io::Result<()> {
    let Some(uppermost) = folder.ancestors().take_while(|folder| !folder.exists()).last() else { return Ok(()) };
    let new = &new_name(uppermost);
    let inside = folder.strip_prefix(uppermost).map_err(io::Error::other)?;
    let innermost = new.join(inside);
    let below: Vec<&Path> = innermost.ancestors().take_while(|folder| folder.starts_with(new)).collect();
    for folder in below.iter().rev() {
        fs::create_dir(folder)?;
        system::open_to_all(folder)?;
    }
    let mark = innermost.join(MARK);
    fs::write(&mark, uppermost.as_os_str().as_encoded_bytes())?;
    system::open_to_all(&mark)?;
    fs::rename(new, uppermost)
}

/// Removes an installed library, and the folders that were made for it if nothing else is in them.
///
/// # Errors
/// The system's reason, with the path.
pub fn remove(path: &Path) -> Result<Warning, String> {
    let warning = system::take_away(path).map_err(|error| irremovable(path, &error))?;
    remove_folders(&folder_of(path)).map(|()| warning)
}

/// Removes what a killed run has left: a file or folder that has not taken its name yet, folders that are not needed any more.
///
/// # Errors
/// The system's reason, with the path.
pub fn recover(path: &Path) -> Result<(), String> {
    let (new, folder) = (new_name(path), folder_of(path));
    gone(fs::remove_file(&new)).map_err(|error| irremovable(&new, &error))?;
    match folder.ancestors().find(|folder| folder.file_name().is_some() && new_name(folder).exists()) {
        Some(uppermost) => remove_renamed(&folder, uppermost),
        None => remove_folders(&folder),
    }
}

/// Removes a folder and those above it that were made with it, if it has only our mark. The mark goes last, under a name that
/// tells which folder is the uppermost, so that what is not done now can be done later.
fn remove_folders(folder: &Path) -> Result<(), String> {
    let Some(uppermost) = only_mark_left(folder) else { return Ok(()) };
    let new = new_name(&uppermost);
    fs::rename(folder, &new).map_err(|error| irremovable(folder, &error))?;
    remove_renamed(folder, &uppermost)
}

fn remove_renamed(folder: &Path, uppermost: &Path) -> Result<(), String> {
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(uppermost)) {
        // One that is in use stays, and so do those above.
        if gone(fs::remove_dir(folder)).is_err() {
            break;
        }
    }
    // No more than what is ours: others may have put something into the folder before its name was changed.
    let new = new_name(uppermost);
    let innermost = new.join(folder.strip_prefix(uppermost).unwrap_or(Path::new("")));
    for left in innermost.ancestors().take_while(|left| left.starts_with(&new)) {
        let removed = gone(fs::remove_file(left.join(MARK))).and_then(|()| gone(fs::remove_dir(left)));
        removed.map_err(|error| irremovable(left, &error))?;
    }
    Ok(())
}

/// What is not there is removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn irremovable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be removed: {error}", path.display())
}

/// What our mark in a folder says, if nothing else is in there.
fn only_mark_left(folder: &Path) -> Option<PathBuf> {
    let uppermost = fs::read_to_string(folder.join(MARK)).ok()?;
    (fs::read_dir(folder).ok()?.count() == 1).then(|| uppermost.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_and_go_with_the_last_library() {
        let home = tempfile::tempdir().unwrap();
        let from = home.path().join("built.so");
        fs::write(&from, "first").unwrap();
        let folder = home.path().join("a/b");
        let (one, other) = (folder.join("one.so"), folder.join("other.so"));
        put(&from, &one).unwrap();
        put(&from, &other).unwrap();
        assert!(system::is_open_to_all(&one) && system::is_open_to_all(&folder));
        remove(&one).unwrap();
        assert!(other.exists());
        remove(&other).unwrap();
        let left: Vec<PathBuf> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [from]);
    }

    #[test]
    fn a_folder_that_was_there_or_has_something_else_stays() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("built.so"), home.path().join("a/b/one.so"));
        fs::write(&from, "first").unwrap();
        put(&from, &to).unwrap();
        fs::write(home.path().join("a/others"), "").unwrap();
        remove(&to).unwrap();
        assert!(home.path().join("a/others").exists() && !home.path().join("a/b").exists());
        put(&from, &home.path().join("one.so")).unwrap();
        remove(&home.path().join("one.so")).unwrap();
        assert!(home.path().exists());
    }

    #[test]
    fn who_has_the_old_file_keeps_it() {
        use std::io::Read;
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("built.so"), home.path().join("one.so"));
        fs::write(&from, "first").unwrap();
        put(&from, &to).unwrap();
        let mut open = File::open(&to).unwrap();
        fs::write(&from, "second").unwrap();
        put(&from, &to).unwrap();
        let mut old = String::new();
        open.read_to_string(&mut old).unwrap();
        assert_eq!((old.as_str(), fs::read_to_string(&to).unwrap().as_str()), ("first", "second"));
    }

    #[test]
    fn another_library_is_refused_with_the_loader_s_words() {
        let text = check(Path::new("/nonexistent.so")).unwrap_err();
        assert!(text.starts_with("/nonexistent.so cannot be loaded: "), "{text}");
        assert!(text.contains(if cfg!(windows) { "os error 126" } else { "No such file" }), "{text}");
    }
}
