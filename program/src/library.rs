//! Finds, checks, installs and removes the library's file.
//!
//! Files and folders appear and disappear atomically, by a rename. The temporary name ([`new_name`]) identifies the leftovers of a
//! killed run.

use crate::paths::{folder_of, new_beside, new_name};
use crate::plan::Warning;
use crate::system::{self, ENDING, STEM};
use crate::version;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Marks a folder that was created for the library. It contains the path of the uppermost folder that was created with it. A folder
/// that contains only this file can be removed.
const MARK: &str = ".made-by-loopback-odbc";

/// The file to install: the one named with `--library`, the one beside this program, the one that `make install` put into the
/// program's own library folder, or, for a second copy, the installed one or that of a package.
///
/// # Errors
/// None exists; lists the paths that were tried.
pub fn source(named: Option<&Path>, installed: &Path) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return system::whole(named).map_err(|error| format!("--library {}: {error}", named.display()));
    }
    let program = std::env::current_exe().and_then(|program| system::whole(&program));
    let program = program.map_err(|error| format!("this program's own path is unknown: {error}"))?;
    let folder = program.parent().unwrap_or(Path::new("/"));
    let file = format!("{STEM}{ENDING}");
    let own = folder.with_file_name("lib").join("loopback-odbc");
    let candidates = [folder.to_owned(), own, installed.to_owned()].map(|folder| folder.join(&file));
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        format!("the library was not found (looked for {}). Fix: name it with --library", tried.join(", "))
    })
}

/// Checks that a file is this library, in this program's version.
///
/// # Errors
/// It is another library or version, or the loader's message.
pub fn check(path: &Path) -> Result<(), String> {
    let ours = env!("CARGO_PKG_VERSION");
    match version::of(path)? {
        version if version == ours => Ok(()),
        version => Err(format!("{} is version {version}, but this program is version {ours}", path.display())),
    }
}

/// Copies the library to its place. The new file replaces the old one by a rename when it is complete. Programs that have the old file
/// open keep it.
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

/// Creates a marked folder, and the missing folders above it.
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

/// Removes an installed library, and the folders that were created for it if they contain nothing else.
///
/// # Errors
/// The system's reason, with the path.
pub fn remove(path: &Path) -> Result<Warning, String> {
    let warning = system::take_away(path).map_err(|error| irremovable(path, &error))?;
    remove_folders(&folder_of(path)).map(|()| warning)
}

/// Removes leftovers of a killed run: files and folders with a temporary name, and folders that are not needed any more.
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

/// Removes a folder that contains only the mark, and the folders that were created with it. The mark is removed last, under a name
/// that identifies the uppermost folder, so a later run can finish the removal.
fn remove_folders(folder: &Path) -> Result<(), String> {
    let Some(uppermost) = only_mark_left(folder) else { return Ok(()) };
    let new = new_name(&uppermost);
    fs::rename(folder, &new).map_err(|error| irremovable(folder, &error))?;
    remove_renamed(folder, &uppermost)
}

fn remove_renamed(folder: &Path, uppermost: &Path) -> Result<(), String> {
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(uppermost)) {
        // A folder that is in use stays, and so do those above it.
        if gone(fs::remove_dir(folder)).is_err() {
            break;
        }
    }
    // Removes only the mark: others may have put files into the folder before it was renamed.
    let new = new_name(uppermost);
    let innermost = new.join(folder.strip_prefix(uppermost).unwrap_or(Path::new("")));
    for left in innermost.ancestors().take_while(|left| left.starts_with(&new)) {
        let removed = gone(fs::remove_file(left.join(MARK))).and_then(|()| gone(fs::remove_dir(left)));
        removed.map_err(|error| irremovable(left, &error))?;
    }
    Ok(())
}

/// A missing file counts as removed.
pub fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The message for a path that cannot be removed.
pub fn irremovable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be removed: {error}", path.display())
}

/// The path in the folder's mark, if the folder contains nothing else.
fn only_mark_left(folder: &Path) -> Option<PathBuf> {
    let uppermost = fs::read_to_string(folder.join(MARK)).ok()?;
    (fs::read_dir(folder).ok()?.count() == 1).then(|| uppermost.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_created_and_removed_with_the_last_library() {
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
    fn existing_and_nonempty_folders_are_kept() {
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
    fn an_open_file_keeps_its_old_contents() {
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
    fn an_unloadable_library_is_refused_with_the_loader_error() {
        let text = check(Path::new("/nonexistent.so")).unwrap_err();
        assert!(text.starts_with("/nonexistent.so cannot be loaded: "), "{text}");
        assert!(text.contains(if cfg!(windows) { "os error 126" } else { "No such file" }), "{text}");
    }
}
