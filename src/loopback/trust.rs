//! Who could have put a file or connection where it is.
//!
//! Discovery looks into folders and at connections that nobody configured. What it finds decides which server the
//! process talks to and as whom, so it counts only if no other user could have planted it: it belongs to root or to the
//! user of this process, and nobody else can write there. Two more owners are trusted, because they control the process
//! anyway or keep the session's files:
//!
//! - whoever owns or can write to the root folder, which contains this process's libraries and `/etc`: a script's
//!   sandbox may have a root folder that the service made;
//! - whoever owns or can write to [`KEPT_BY_SQL_SERVER`], which only root can create: in Microsoft's installation that
//!   is the account `mssql_launchpadd` (docs/discovery.md has the layout).
//!
//! No other user counts. A sticky bit does not help: it keeps others from removing files, not from creating them first.
//! Group 0 is no exception: it has members besides root, such as `operator` on Red Hat and every process of a container
//! on OpenShift.

use crate::loopback::sentence::{Sentence, sentence};
use crate::world::{Owner, World};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// SQL Server's folders for scripts, the outer one first.
const KEPT_BY_SQL_SERVER: [&str; 2] = ["/var/opt/mssql-extensibility", "/var/opt/mssql-extensibility/data"];

/// The user that the kernel shows for every user unknown in a user namespace (`/proc/sys/kernel/overflowuid`). It may
/// be anybody, so it is never trusted, not even if it is this process's own user.
const OVERFLOW_USER: u32 = 65534;

const ROOT: u32 = 0;
const GROUP_MAY_WRITE: u32 = 0o020;
const ALL_MAY_WRITE: u32 = 0o002;

/// The most folders above a file that are checked; no path of SQL Server's is nearly as deep.
pub const MOST_FOLDERS: usize = 64;

/// Whether this user's files are trusted like root's or this process's own.
pub fn is_trusted(world: &dyn World, user: u32) -> bool {
    user != OVERFLOW_USER && (user == ROOT || user == world.user())
}

/// The users and groups that may have written the contents of a folder.
#[derive(Clone, Default)]
struct Trusted {
    users: Vec<u32>,
    groups: Vec<u32>,
}

impl Trusted {
    /// Adds everybody who owns or can write to this.
    fn admit(&mut self, owner: Owner) {
        self.users.push(owner.user);
        if owner.mode & GROUP_MAY_WRITE != 0 {
            self.groups.push(owner.group);
        }
    }

    /// Checks that nobody else controls a file or folder.
    ///
    /// # Errors
    /// Who controls it.
    fn check(&self, world: &dyn World, path: &Path, owner: Owner) -> Result<(), Sentence> {
        let Owner { user, group, mode } = owner;
        let (user_id, group_id, mode_bits) = (Sentence::User(user), Sentence::Group(group), Sentence::Mode(mode));
        if user == OVERFLOW_USER {
            Err(sentence!(path, " belongs to an unknown user (", user_id, ")"))
        } else if !is_trusted(world, user) && !self.users.contains(&user) {
            Err(sentence!(path, " belongs to user ", user_id, ", who is neither root nor the user of this process"))
        } else if mode & ALL_MAY_WRITE != 0 {
            Err(sentence!("every user may write to ", path, " (mode ", mode_bits, ")"))
        } else if mode & GROUP_MAY_WRITE != 0 && !self.groups.contains(&group) {
            Err(sentence!("group ", group_id, " may write to ", path, " (mode ", mode_bits, ")"))
        } else {
            Ok(())
        }
    }
}

/// Judges the places of files, and checks each folder once.
#[derive(Default)]
pub struct Judge {
    folders: BTreeMap<PathBuf, Result<Trusted, Sentence>>,
}

impl Judge {
    /// Checks that nobody else controls the file that `path` leads to. Returns its path without symbolic links, so the
    /// file that is used is the one that was checked.
    ///
    /// # Errors
    /// Who controls it, or what cannot be determined.
    pub fn file(&mut self, world: &dyn World, path: &Path) -> Result<PathBuf, Sentence> {
        let has_detours = !path.has_root() || path.components().any(|it| it == Component::ParentDir);
        let straight =
            if has_detours { Err(sentence!(path, " is relative or contains ..")) } else { self.straight(world, path) };
        let Err(reason) = straight else { return Ok(path.to_owned()) };
        // The path may contain symbolic links; most paths do not.
        let resolved = world.resolve(path).map_err(|error| untold(path, &error))?;
        if resolved == path {
            return Err(reason);
        }
        self.straight(world, &resolved).map(|()| resolved)
    }

    /// Like [`Judge::file`], for a path without symbolic links.
    fn straight(&mut self, world: &dyn World, path: &Path) -> Result<(), Sentence> {
        let trusted = self.folder(world, path.parent().unwrap_or(path))?;
        trusted.check(world, path, owner(world, path)?)
    }

    /// Everybody who can write below a folder, if they control all folders down to it.
    fn folder(&mut self, world: &dyn World, folder: &Path) -> Result<Trusted, Sentence> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let mut above: Vec<&Path> = folder.ancestors().take(MOST_FOLDERS + 1).collect();
        if above.len() > MOST_FOLDERS {
            return Err(sentence!(folder, " lies below more than ", MOST_FOLDERS, " folders"));
        }
        above.reverse();
        let mut verdict = Ok(Trusted::default());
        for folder in above {
            verdict = match self.folders.get(folder) {
                Some(known) => known.clone(),
                None => verdict.and_then(|trusted| within(world, folder, trusted)),
            };
            self.folders.insert(folder.to_owned(), verdict.clone());
        }
        verdict
    }
}

/// Everybody who can write below a folder, given who can write to the folder above it.
fn within(world: &dyn World, folder: &Path, mut trusted: Trusted) -> Result<Trusted, Sentence> {
    let owner = owner(world, folder)?;
    if folder.parent().is_none() {
        trusted.admit(owner);
    } else if KEPT_BY_SQL_SERVER.iter().any(|kept| folder == Path::new(kept)) {
        trusted.admit(owner);
        // In its own folder a launchpad creates its sessions' folders as the user that its scripts run as. So this user
        // can write there, as the owner or by the group.
        trusted.groups.push(world.group());
    }
    trusted.check(world, folder, owner).map(|()| trusted)
}

fn owner(world: &dyn World, path: &Path) -> Result<Owner, Sentence> {
    let owner = world.owner(path).map_err(|error| untold(path, &error))?;
    owner.ok_or_else(|| sentence!(path, " is a symbolic link"))
}

fn untold(path: &Path, error: &io::Error) -> Sentence {
    sentence!("the owner of ", path, " cannot be determined: ", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::{Fixture, USER};

    const SERVICE: u32 = 996;
    const OTHER: u32 = 1001;
    const DATA: &str = "/var/opt/mssql-extensibility/data";
    const FILE: &str = "/var/opt/mssql-extensibility/data/launchpad/file";

    fn judged(world: &Fixture, path: &str) -> Result<PathBuf, String> {
        Judge::default().file(world, Path::new(path)).map_err(|reason| reason.to_string())
    }

    #[track_caller]
    fn assert_refused(world: &Fixture, path: &str, reason: &str) {
        assert_eq!(judged(world, path), Err(reason.to_owned()));
    }

    #[test]
    fn files_of_root_and_of_this_user_are_trusted() {
        let world = Fixture::default().owned("/a/b", USER, USER, 0o700).owned("/a/b/c", USER, OTHER, 0o644);
        assert_eq!(judged(&world, "/a/b/c"), Ok("/a/b/c".into()));
        assert_eq!(judged(&world, "/x"), Ok("/x".into()));
    }

    #[test]
    fn a_file_or_folder_that_others_can_change_is_not_trusted() {
        let foreign =
            |path: &str| format!("{path} belongs to user 1001, who is neither root nor the user of this process");
        for path in ["/a", "/a/b", "/a/b/file"] {
            for (user, group, mode, reason) in [
                (OTHER, OTHER, 0o700, foreign(path)),
                (0, 0, 0o1777, format!("every user may write to {path} (mode 1777)")),
                (USER, USER, 0o707, format!("every user may write to {path} (mode 707)")),
                (USER, USER, 0o775, format!("group 1000 may write to {path} (mode 775)")),
                (0, 0, 0o775, format!("group 0 may write to {path} (mode 775)")),
                (0, OTHER, 0o3770, format!("group 1001 may write to {path} (mode 3770)")),
                (65534, 65534, 0o755, format!("{path} belongs to an unknown user (65534)")),
            ] {
                assert_refused(&Fixture::default().owned(path, user, group, mode), "/a/b/file", &reason);
            }
            let unknown = format!("the owner of {path} cannot be determined: permission denied");
            assert_refused(&Fixture::default().of_nobody_knows_whom(path), "/a/b/file", &unknown);
        }
    }

    #[test]
    fn the_microsoft_installation_layout_is_trusted() {
        // The layout is from microsoft/mssql-docker #557; the launchpad's folder as its own account needs it.
        let world = || {
            Fixture::default()
                .owned("/var/opt/mssql-extensibility", SERVICE, SERVICE, 0o771)
                .owned(DATA, SERVICE, SERVICE, 0o771)
                .owned(FILE, SERVICE, USER, 0o640)
        };
        for (user, group, mode) in
            [(SERVICE, SERVICE, 0o771), (SERVICE, USER, 0o770), (USER, SERVICE, 0o770), (0, USER, 0o750)]
        {
            let world = world().owned(&format!("{DATA}/launchpad"), user, group, mode);
            assert_eq!(judged(&world, FILE), Ok(FILE.into()));
        }
        // Files of other users below it do not count.
        let launchpad = format!("{DATA}/launchpad");
        for (user, group, mode) in [(OTHER, OTHER, 0o755), (SERVICE, OTHER, 0o770), (SERVICE, SERVICE, 0o777)] {
            assert!(judged(&world().owned(&launchpad, user, group, mode), FILE).is_err());
        }
        // Nor do files of its account elsewhere.
        assert!(judged(&Fixture::default().owned("/srv/data", SERVICE, SERVICE, 0o755), "/srv/data/file").is_err());
        // Nor does that folder inside another user's folder.
        assert!(judged(&world().owned("/var/opt", OTHER, OTHER, 0o755), FILE).is_err());
        assert!(judged(&world().owned("/var/opt", 0, 0, 0o777), FILE).is_err());
    }

    #[test]
    fn the_owner_of_the_root_folder_is_trusted() {
        let world = |user, mode| {
            Fixture::default()
                .owned("/", user, user, mode)
                .owned("/var", user, user, mode)
                .owned("/var/x", user, user, 0o644)
        };
        assert_eq!(judged(&world(SERVICE, 0o755), "/var/x"), Ok("/var/x".into()));
        assert_eq!(judged(&world(SERVICE, 0o771), "/var/x"), Ok("/var/x".into()));
        assert_refused(&world(0, 0o777), "/var/x", "every user may write to / (mode 777)");
        // Unless it is the unknown user.
        assert_refused(&world(65534, 0o755), "/var/x", "/ belongs to an unknown user (65534)");
    }

    #[test]
    fn a_link_is_judged_by_its_target() {
        let world = Fixture::default().link("/tmp/link", "/good").owned("/tmp", 0, 0, 0o1777);
        let certificate = "sqlsatellitecert.pem";
        assert_eq!(judged(&world, "/tmp/link/sqlsatellitecert.pem"), Ok(Path::new("/good").join(certificate)));
        let world = Fixture::default().link("/good/link", "/tmp/planted").owned("/tmp", 0, 0, 0o1777);
        assert_refused(&world, "/good/link/sqlsatellitecert.pem", "every user may write to /tmp (mode 1777)");
    }

    #[test]
    fn the_number_of_checked_folders_is_limited() {
        let path = |folders: usize| format!("{}/file", "/x".repeat(folders));
        assert!(judged(&Fixture::default(), &path(MOST_FOLDERS - 1)).is_ok());
        let refused = judged(&Fixture::default(), &path(MOST_FOLDERS)).unwrap_err();
        assert!(refused.ends_with("lies below more than 64 folders"), "{refused}");
    }
}
