//! Replaces a file atomically: every reader gets the complete old file or the complete new one, even if this program is killed.
//!
//! The new file is written beside the old one under a temporary name, which [`recover`] knows, and then renamed. Because it may contain
//! passwords, it gets the old file's mode, owner, group and extended attributes (labels, access control lists) before its contents.

use crate::paths::{folder_of, new_beside, new_name};
use rustix::fs::{CWD, RenameFlags, XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Linux's limit for an attribute's value and for the list of names, in bytes.
const LARGEST: usize = 64 * 1024;
/// An access control list. A new file may inherit one from its folder.
const ACCESS: &[u8] = b"system.posix_acl_access";
/// Signatures of the contents, which the kernel renews.
const OF_CONTENTS: [&[u8]; 2] = [b"security.evm", b"security.ima"];

/// The file behind a path's symbolic links. The links stay.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Removes the temporary file of a killed run.
///
/// # Errors
/// The system's reason, with the path.
pub fn recover(path: &Path) -> Result<(), String> {
    let left = new_name(&real(path));
    match fs::remove_file(&left) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {error}", left.display()))
        }
        _ => Ok(()),
    }
}

/// Replaces a file's contents, creates the file (old is none) with a mode, or removes it (new is none). The new file is checked with
/// `check` first, and the old file must still have the old contents.
///
/// # Errors
/// The check failed, another program changed the file, or the system's reason with the path. The old file then stays as it was.
pub fn exchange(
    path: &Path,
    (old, new): (Option<&[u8]>, Option<&[u8]>),
    mode: u32,
    check: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let path = &real(path);
    let failed = |error: io::Error| format!("{} cannot be written: {error}", path.display());
    let original = existing(File::open(path)).map_err(failed)?;
    let new = match new {
        Some(contents) => {
            let mut file = new_beside(path).map_err(failed)?;
            let made = match &original {
                Some(original) => become_like(file.as_file(), original),
                None => file.as_file().set_permissions(Permissions::from_mode(mode)),
            };
            made.and_then(|()| file.write_all(contents)).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
            check(file.path())?;
            Some(file)
        }
        None => None,
    };
    let meanwhile = || {
        let path = path.display();
        format!(
            "{path} was changed by another program at the same time. Its change was kept. Fix: run this command again"
        )
    };
    if existing(fs::read(path)).map_err(failed)?.as_deref() != old {
        return Err(meanwhile());
    }
    let out = new_name(path);
    match (&original, new) {
        (None, None) => return Ok(()),
        (None, Some(new)) => match new.persist_noclobber(path) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Err(meanwhile()),
            made => made.map(drop).map_err(|error| failed(error.error))?,
        },
        (Some(_), new) => {
            // Exchanges the two names. A change that another program made up to this moment is then seen, and the names are exchanged
            // back.
            let flags = if new.is_some() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
            match renameat_with(CWD, path, CWD, &out, flags) {
                Ok(()) if fs::read(&out).map_err(failed)? != old.unwrap_or_default() => {
                    renameat_with(CWD, &out, CWD, path, flags).map_err(|error| failed(error.into()))?;
                    return Err(meanwhile());
                }
                // Not every file system supports this.
                Err(Errno::INVAL | Errno::NOSYS) if new.is_some() => fs::rename(&out, path).map_err(failed)?,
                Err(Errno::INVAL | Errno::NOSYS) => fs::remove_file(path).map_err(failed)?,
                done => done.map_err(|error| failed(error.into()))?,
            }
            existing(fs::remove_file(&out)).map_err(failed)?;
        }
    }
    File::open(folder_of(path)).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn existing<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Gives an empty file the original's owner, mode and attributes. Nobody who may not read the original can read it at any time.
fn become_like(file: &File, original: &File) -> io::Result<()> {
    let (metadata, theirs) = (original.metadata()?, attributes(original)?);
    if theirs.iter().all(|(name, _)| name != ACCESS) && attributes(file)?.iter().any(|(name, _)| name == ACCESS) {
        fremovexattr(file, ACCESS)?;
    }
    fchown(file, Some(metadata.uid()), Some(metadata.gid()))?;
    file.set_permissions(metadata.permissions())?;
    let ours = attributes(file)?;
    for (name, value) in theirs.iter().filter(|attribute| !ours.contains(attribute)) {
        fsetxattr(file, name.as_slice(), value, XattrFlags::empty())
            .map_err(|error| io::Error::other(format!("{}: {error}", String::from_utf8_lossy(name))))?;
    }
    Ok(())
}

/// Names and values of extended attributes; none if the file system does not support them.
fn attributes(file: &File) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut buffer = vec![0; LARGEST];
    let length = match flistxattr(file, &mut buffer[..]) {
        Err(Errno::NOTSUP | Errno::NOSYS) => 0,
        length => length?,
    };
    let names: Vec<Vec<u8>> = buffer[..length].split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    let names = names.into_iter().filter(|name| !name.is_empty() && !OF_CONTENTS.contains(&name.as_slice()));
    names
        .map(|name| {
            let length = fgetxattr(file, name.as_slice(), &mut buffer[..])?;
            Ok((name, buffer[..length].to_vec()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const OLD: &[u8] = b"PWD=old\n";

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odbc.ini");
        fs::write(&path, OLD).unwrap();
        (folder, path)
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_new_file_gets_mode_owner_and_attributes_before_its_contents() {
        let (folder, path) = folder();
        let original = File::options().write(true).open(&path).unwrap();
        fsetxattr(&original, "user.label", b"theirs", XattrFlags::empty()).unwrap();
        for mode in [0o600, 0o640, 0o444, 0o666] {
            original.set_permissions(Permissions::from_mode(mode)).unwrap();
            let made = new_beside(&path).unwrap();
            assert_eq!(made.as_file().metadata().unwrap().mode() & 0o777, 0o600);
            become_like(made.as_file(), &original).unwrap();
            assert_eq!(made.as_file().metadata().unwrap().mode() & 0o7777, mode);
            assert_eq!(attributes(made.as_file()).unwrap(), attributes(&original).unwrap());
        }
        exchange(&path, (Some(OLD), Some(b"new")), 0, |_| Ok(())).unwrap();
        let now = File::open(&path).unwrap();
        assert!(attributes(&now).unwrap().contains(&(b"user.label".to_vec(), b"theirs".to_vec())));
        assert_eq!((fs::read(&path).unwrap(), now.metadata().unwrap().mode() & 0o777), (b"new".to_vec(), 0o666));
        assert_eq!(names(&folder), ["odbc.ini"]);
    }

    #[test]
    fn an_access_control_list_of_the_folder_opens_nothing() {
        // Version 2; rw- for the owner, rwx for a user by number, r-- for the group, r-- for the mask, nothing for others.
        let entry = |tag: u16, rights: u16, id: u32| {
            [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat()
        };
        const NOBODY: u32 = u32::MAX;
        let entries =
            [entry(1, 6, NOBODY), entry(2, 7, 1234), entry(4, 4, NOBODY), entry(16, 7, NOBODY), entry(32, 0, NOBODY)];
        let list = [&2u32.to_le_bytes()[..], &entries.concat()].concat();
        let (folder, path) = folder();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let open = File::open(folder.path()).unwrap();
        fsetxattr(&open, "system.posix_acl_default", &list, XattrFlags::empty()).unwrap();
        exchange(&path, (Some(OLD), Some(b"new")), 0, |_| Ok(())).unwrap();
        assert_eq!(attributes(&File::open(&path).unwrap()).unwrap(), []);
        // One that the file itself has stays.
        let file = File::open(&path).unwrap();
        fsetxattr(&file, ACCESS, &list, XattrFlags::empty()).unwrap();
        let (before, mode) = (attributes(&file).unwrap(), file.metadata().unwrap().mode());
        exchange(&path, (Some(b"new"), Some(OLD)), 0, |_| Ok(())).unwrap();
        let now = File::open(&path).unwrap();
        assert_eq!((attributes(&now).unwrap(), now.metadata().unwrap().mode()), (before, mode));
    }

    #[test]
    fn symbolic_links_stay_and_their_targets_are_replaced() {
        let (folder, path) = folder();
        let link = folder.path().join("link.ini");
        symlink("odbc.ini", &link).unwrap();
        exchange(&link, (Some(OLD), Some(b"new")), 0, |_| Ok(())).unwrap();
        assert_eq!((fs::read_link(&link).unwrap(), fs::read(&path).unwrap()), ("odbc.ini".into(), b"new".to_vec()));
        exchange(&link, (Some(b"new"), None), 0, |_| Ok(())).unwrap();
        assert_eq!(names(&folder), ["link.ini"]);
    }

    #[test]
    fn a_failed_check_or_concurrent_change_leaves_the_file_unchanged() {
        let (folder, path) = folder();
        for new in [Some(&b"new"[..]), None] {
            let changed = exchange(&path, (Some(b"older"), new), 0, |_| Ok(())).unwrap_err();
            assert!(changed.contains("changed by another program at the same time"), "{changed}");
        }
        assert_eq!(exchange(&path, (Some(OLD), Some(b"new")), 0, |_| Err("no".to_owned())), Err("no".to_owned()));
        let appeared = exchange(&path, (None, Some(b"new")), 0o644, |_| Ok(())).unwrap_err();
        assert!(appeared.contains("changed by another program at the same time"), "{appeared}");
        assert_eq!((fs::read(&path).unwrap(), names(&folder)), (OLD.to_vec(), vec!["odbc.ini".to_owned()]));
    }

    #[test]
    fn the_new_file_does_not_follow_an_existing_link() {
        let (folder, path) = folder();
        let other = folder.path().join("other");
        symlink(&other, new_name(&path)).unwrap();
        let refused = exchange(&path, (Some(OLD), Some(b"new")), 0, |_| Ok(())).unwrap_err();
        assert!(refused.contains("File exists"), "{refused}");
        recover(&path).unwrap();
        recover(&path).unwrap();
        assert_eq!(names(&folder), ["odbc.ini"]);
    }
}
