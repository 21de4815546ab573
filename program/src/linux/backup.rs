//! Copies of odbcinst.ini and odbc.ini: the installer library writes a file anew without its comments, and an installation
//! that is taken back is to leave the file as it was.
//!
//! Two copies stand beside a file that we have changed, with its owner and mode: the file as it was *before* our first
//! change, unless there was none, and as it is *after* our last. While the file is still what it was after, nobody else has
//! changed it, and the first copy can take its place. When it is not, the chain of our changes is broken: the next change
//! begins a new one, and what an old copy alone still has, comments, is kept under a third name.

use crate::ini::{Ini, Section};
use crate::places::folder_of;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// A file of registrations, and the names of its copies.
#[derive(Debug)]
pub struct Kept {
    file: PathBuf,
    before: PathBuf,
    after: PathBuf,
}

impl Kept {
    /// The copies stand where the file itself is, if its path is a link.
    pub fn of(path: &Path) -> Kept {
        let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Kept { before: beside(&file, "before-loopback-odbc"), after: beside(&file, "after-loopback-odbc"), file }
    }

    /// Has the installer library change a section, and remembers what the file was before and is after. A file that is not
    /// there is made, with this mode. If the change fails, or is more than it should be, the file is what it was. Gives the
    /// path of an old copy that is kept from now on, if there is one.
    ///
    /// # Errors
    /// Those of the change; the section that it would change besides; the system's reason, with the path.
    pub fn install(
        &self,
        section: &str,
        mode: u32,
        change: impl FnOnce() -> Result<(), String>,
    ) -> Result<Option<PathBuf>, String> {
        let continues = self.untouched()?;
        let kept = if continues { None } else { self.begin(mode)? };
        let changed = self.change(section, change).and_then(|()| self.after_change());
        if changed.is_err() && !continues {
            self.restore()?;
        }
        changed.map(|()| kept)
    }

    /// Begins a chain of changes.
    fn begin(&self, mode: u32) -> Result<Option<PathBuf>, String> {
        let kept = self.forget()?;
        if self.file.exists() {
            return copy(&self.file, &self.before).map(|()| kept);
        }
        let made = File::options().write(true).create_new(true).open(&self.file);
        let made = made.and_then(|file| file.set_permissions(fs::Permissions::from_mode(mode)));
        made.map_err(|error| at(&self.file, "cannot be made", &error))?;
        self.after_change().map(|()| kept)
    }

    /// Has the installer library change a section, and holds that it leaves the others as they are: it cuts values and lines
    /// after 1,000 bytes. If it does not, or fails, the file is put back as it was.
    ///
    /// # Errors
    /// Those of the change; the section that it would change besides; the system's reason, with the path.
    pub fn change(&self, section: &str, change: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let was = contents(&self.file)?.unwrap_or_default();
        let changed = change().and_then(|()| self.holds_others(section, &Ini::parse(&was)));
        if changed.is_err() {
            fs::write(&self.file, was).map_err(|error| at(&self.file, "cannot be written", &error))?;
        }
        changed
    }

    fn holds_others(&self, section: &str, was: &Ini) -> Result<(), String> {
        let is = Ini::read(&self.file)?;
        let other = |other: &&Section| !other.name.eq_ignore_ascii_case(section);
        let mut others = is.sections.iter().filter(other);
        match was.sections.iter().filter(other).find(|other| others.next() != Some(other)) {
            Some(other) => Err(format!(
                "the ODBC installer library does not leave [{}] of {} as it is, and so the file was put back: has it values of \
                 more than 1,000 bytes? The README says how to register by hand",
                other.name,
                self.file.display()
            )),
            None => Ok(()),
        }
    }

    /// To be called after a change, when others may follow.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn after_change(&self) -> Result<(), String> {
        copy(&self.file, &self.after)
    }

    /// Whether nobody else has changed the file since our last change, if there was one.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn untouched(&self) -> Result<bool, String> {
        Ok(match (contents(&self.after)?, contents(&self.file)?) {
            (Some(after), Some(now)) => after == now,
            _ => false,
        })
    }

    /// The sections before our first change.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn original(&self) -> Result<Ini, String> {
        Ini::read(&self.before)
    }

    /// Makes the file what it was before our first change, which it is for the caller to know is right.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn restore(&self) -> Result<(), String> {
        match contents(&self.before)? {
            // Written over, not exchanged, so that owner, mode, labels and links stay.
            Some(original) => {
                fs::write(&self.file, original).map_err(|error| at(&self.file, "cannot be written", &error))?;
            }
            None => remove(&self.file)?,
        }
        remove(&self.before)?;
        remove(&self.after)
    }

    /// Gives the copies up. The one from before our first change is kept under another name if it has comments that are
    /// nowhere else; this name is given.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn forget(&self) -> Result<Option<PathBuf>, String> {
        remove(&self.after)?;
        if !self.original()?.comments || contents(&self.before)? == contents(&self.file)? {
            return remove(&self.before).map(|()| None);
        }
        let name = self.unused_name();
        fs::rename(&self.before, &name).map_err(|error| at(&name, "cannot be made", &error))?;
        Ok(Some(name))
    }

    /// Keeps a copy of the file as it is now, for what will be lost and is not ours, and gives its name.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn keep(&self) -> Result<PathBuf, String> {
        let name = self.unused_name();
        copy(&self.file, &name).map(|()| name)
    }

    fn unused_name(&self) -> PathBuf {
        let mut names = (1..).map(|number| beside(&self.file, &format!("kept-by-loopback-odbc-{number}")));
        names.find(|name| !name.exists()).unwrap_or_default()
    }
}

/// The name of a copy of the file.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// A copy with the same owner and mode, which appears under its name when it is whole.
fn copy(file: &Path, to: &Path) -> Result<(), String> {
    let copied = || -> io::Result<()> {
        let (contents, metadata) = (fs::read(file)?, fs::metadata(file)?);
        let mut copy = tempfile::NamedTempFile::new_in(folder_of(to))?;
        fchown(copy.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
        copy.as_file().set_permissions(metadata.permissions())?;
        copy.write_all(&contents)?;
        copy.as_file().sync_all()?;
        copy.persist(to)?;
        Ok(())
    };
    copied().map_err(|error| at(to, "cannot be made", &error))
}

fn contents(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, "cannot be read", &error)),
    }
}

/// What is not there need not be removed.
fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, "cannot be removed", &error)),
        _ => Ok(()),
    }
}

fn at(path: &Path, what: &str, error: &io::Error) -> String {
    format!("{} {what}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "# a comment\n[A]\nB=1\n";

    /// A folder with an odbc.ini of these contents, if any, and what stands for it.
    fn file(contents: Option<&str>) -> (tempfile::TempDir, PathBuf, Kept) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odbc.ini");
        if let Some(contents) = contents {
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        }
        let kept = Kept::of(&path);
        (folder, path, kept)
    }

    /// As the installer library does: without comments.
    fn change(kept: &Kept, path: &Path, contents: &str) -> Option<PathBuf> {
        kept.install("Ours", 0o644, || write(path, contents)).unwrap()
    }

    fn write(path: &Path, contents: &str) -> Result<(), String> {
        fs::write(path, contents).map_err(|error| error.to_string())
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn after_any_number_of_our_changes_the_file_is_restored_to_the_byte() {
        let (folder, path, kept) = file(Some(FIRST));
        for contents in ["[A]\nB=1\n[Ours]\n", "[A]\nB=1\n[Ours]\nMore=1\n"] {
            assert_eq!(change(&kept, &path, contents), None);
            assert!(kept.untouched().unwrap());
            assert_eq!(kept.original().unwrap(), Ini::parse(FIRST.as_bytes()));
        }
        let copy = fs::metadata(folder.path().join("odbc.ini.before-loopback-odbc")).unwrap();
        assert_eq!(copy.mode() & 0o777, 0o640);
        kept.restore().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), FIRST);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(names(&folder), ["odbc.ini"]);
    }

    #[test]
    fn a_file_that_was_not_there_is_made_with_the_mode_and_deleted_again() {
        let (folder, path, kept) = file(None);
        change(&kept, &path, "[Ours]\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        kept.restore().unwrap();
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn another_s_change_is_seen_and_begins_a_new_chain() {
        let (folder, path, kept) = file(Some(FIRST));
        change(&kept, &path, "[A]\nB=1\n[Ours]\n");
        let others = "[A]\nB=2\n[Ours]\n";
        fs::write(&path, others).unwrap();
        assert!(!kept.untouched().unwrap());
        // The comments of the first copy are nowhere else.
        let old = change(&kept, &path, "[A]\nB=2\n[Ours]\nMore=1\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), FIRST);
        assert_eq!(kept.original().unwrap(), Ini::parse(others.as_bytes()));
        // Those of the second copy, which has none, are given up without a trace.
        assert_eq!(kept.forget().unwrap(), None);
        assert_eq!(names(&folder), ["odbc.ini", "odbc.ini.kept-by-loopback-odbc-1"]);
        assert_eq!(kept.keep().unwrap(), folder.path().join("odbc.ini.kept-by-loopback-odbc-2"));
    }

    #[test]
    fn a_change_that_was_not_finished_is_not_taken_for_ours() {
        let (_folder, path, kept) = file(Some(FIRST));
        kept.begin(0o644).unwrap();
        fs::write(&path, "[A]\n").unwrap();
        assert!(!kept.untouched().unwrap());
    }

    #[test]
    fn a_change_that_fails_or_touches_others_is_put_back_without_a_trace() {
        for contents in [Some(FIRST), None] {
            let (folder, path, kept) = file(contents);
            let before = names(&folder);
            let failing = kept.install("Ours", 0o644, || write(&path, "[A]\nB=1\n[Ours]\n").and(Err("no".to_owned())));
            assert_eq!(failing, Err("no".to_owned()));
            assert_eq!((super::contents(&path).unwrap(), names(&folder)), (contents.map(Into::into), before));
        }
        let (folder, path, kept) = file(Some(FIRST));
        for wrong in ["[A]\nB=\n[Ours]\n", "[Ours]\n", "[A]\nB=1\nC=1\n[Ours]\n"] {
            let text = kept.install("Ours", 0o644, || write(&path, wrong)).unwrap_err();
            assert!(text.contains("does not leave [A] of ") && text.contains("1,000 bytes"), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), FIRST);
            assert_eq!(names(&folder), ["odbc.ini"]);
        }
    }

    #[test]
    fn of_a_link_the_file_is_copied_that_it_leads_to() {
        let (folder, path, _) = file(Some(FIRST));
        let link = folder.path().join("link.ini");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let kept = Kept::of(&link);
        change(&kept, &path, "[A]\nB=1\n[Ours]\n");
        kept.restore().unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), path);
        assert_eq!(names(&folder), ["link.ini", "odbc.ini"]);
    }
}
