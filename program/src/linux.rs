//! The Linux part of installing. unixODBC's two files contain the registrations. The folder of a file decides whether a script of SQL
//! Server sees it.
//!
//! The counterpart is `windows.rs`, with the same names.

mod exchange;
mod files;
mod ini;
mod lock;
mod sandbox;
mod untouched;

pub use files::{Register, registers};
pub use lock::lock;
pub use untouched::Untouched;

use sandbox::{REMEDY, hidden};

use crate::arguments::NAME;
use crate::places::Mode;
use crate::plan::{Plan, unwritable};
use crate::program::Program;
use loopbackodbc::program::{Machine, opening_to_all};
use rustix::fs::{Access, access};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The beginning and the end of the file names of all copies of the library.
pub const STEM: &str = "libloopbackodbc";
pub const ENDING: &str = ".so";

/// Quotes a name with blanks on a command line.
pub const QUOTE: char = '\'';

/// The prefix of a command that changes what belongs to the administrator.
pub const AS_ADMINISTRATOR: &str = "sudo ";

/// The prefix of a command of this program that changes the installation for all. sudo drops the variables that lead to the files.
pub fn as_administrator() -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    let quoted = |value: String| match value.chars().all(plain) {
        true => value,
        false => format!("'{}'", value.replace('\'', r"'\''")),
    };
    let variables =
        ["ODBCSYSINI", "ODBCINSTINI"].into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    let kept: String = variables.map(|(name, value)| format!("{name}={} ", quoted(value))).collect();
    format!("{AS_ADMINISTRATOR}{kept}")
}

/// The fix for a register that this user may not read.
pub fn let_read(register: &Register) -> String {
    let path = register.path.display();
    match is_in_home(&register.path) {
        true => format!("Fix: sudo chown $USER '{path}' && chmod u+r '{path}'"),
        false => format!("Fix: sudo chmod a+r '{path}' (scripts of SQL Server run as another user)"),
    }
}

fn is_in_home(path: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.parent().is_some());
    home.is_some_and(|home| path.starts_with(home))
}

/// The command that lets every user read a file; none if its mode and those of the folders above it do, or if it is below this user's
/// home folder, whose files are for no script of SQL Server. Groups and access control lists are not considered.
pub fn opening(path: &Path) -> Option<String> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let paths = [path, &real].into_iter().filter(|path| !is_in_home(path));
    paths.filter(|path| path.is_absolute()).find_map(|path| opening_to_all(&Machine, path))
}

/// The fix for a file that is missing in a package.
pub const REINSTALL: &str = concat!(
    "install the package again: sudo apt install --reinstall ./loopback-odbc_",
    env!("CARGO_PKG_VERSION"),
    "-1_*.deb, or sudo rpm -i --replacepkgs loopback-odbc-",
    env!("CARGO_PKG_VERSION"),
    "-1.*.rpm"
);

/// Where a developer adds a server and a login: those in the file for all would end discovery for every script.
pub fn of_developer(_data_sources: &Register) -> String {
    "the developer's ~/.odbc.ini, which loopback-odbc install --user creates".to_owned()
}

/// Who has the right to install for all.
pub const WHO_MAY: &str = "as root";

/// Exists on a machine with SQL Server, but is hidden from its scripts.
const SQL_SERVER: &str = "/opt/mssql/bin/sqlservr";

/// The mode of the library and of the folders that are created for it, whatever the umask: all users' programs load the library.
const MODE: u32 = 0o755;

/// The library's folder.
///
/// # Errors
/// There is no home folder.
pub fn folder(mode: Mode) -> Result<PathBuf, String> {
    match mode {
        Mode::System => Ok(system_folder(Path::new("/usr"))),
        Mode::User => user_folder(),
    }
}

/// The folder of drivers on Debian and Ubuntu; elsewhere the folder of libraries. SQL Server's scripts see both.
fn system_folder(usr: &Path) -> PathBuf {
    let debian = usr.join("lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    if debian.is_dir() { debian.join("odbc") } else { usr.join("lib64") }
}

/// The user's data folder (XDG Base Directory Specification).
fn user_folder() -> Result<PathBuf, String> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    data.map(|data| data.join("loopback-odbc"))
        .ok_or("--user needs the environment variable HOME, the path of your home folder".to_owned())
}

/// The program's file and the link to it. Scripts of SQL Server see both. A user's PATH contains `~/.local/bin`.
///
/// # Errors
/// There is no home folder.
pub fn program(mode: Mode) -> Result<Option<Program>, String> {
    let (folder, programs) = match mode {
        Mode::System => (PathBuf::from("/usr/lib/loopback-odbc"), PathBuf::from("/usr/bin")),
        Mode::User => {
            let home = std::env::var_os("HOME").unwrap_or_default();
            (user_folder()?, Path::new(&home).join(".local/bin"))
        }
    };
    Ok(Some(Program { file: folder.join("bin").join(NAME), link: programs.join(NAME) }))
}

/// A file that packages contain: the path of their library.
///
/// # Errors
/// None.
pub fn package() -> Result<PathBuf, String> {
    Ok(PathBuf::from("/usr/lib/loopback-odbc/package"))
}

/// Creates a symbolic link to a file.
///
/// # Errors
/// The system's reason.
pub fn link(file: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, link)
}

/// The values of a new driver section, besides its libraries.
pub const DRIVER_VALUES: [(&str, &str); 1] = [("Description", "Loopback connections of SQL Server scripts")];

/// The keywords of a driver's section that name the library.
pub const LIBRARIES: [&str; 1] = ["Driver"];

/// The value of a data source's `Driver`. unixODBC accepts the driver's name or its file.
pub fn data_source_driver<'d>(mode: Mode, driver_name: &'d str, file: &'d str) -> &'d str {
    match mode {
        Mode::System => driver_name,
        Mode::User => file,
    }
}

/// A path with its links resolved.
///
/// # Errors
/// The system's reason.
pub fn whole(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Checks, without writing, that a path can be written. If it does not exist, the nearest existing folder above it counts.
///
/// # Errors
/// It cannot be written, with the system's reason.
pub fn writable(path: &Path, mode: Mode) -> Result<(), String> {
    if path.is_symlink() && !path.exists() {
        return Err(format!(
            "{} is a symbolic link to a file that does not exist. Nothing was changed",
            path.display()
        ));
    }
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    access(there, Access::WRITE_OK).map_err(|error| unwritable(&path.display(), &there.display(), &error, mode))
}

/// Lets every user load a file, or enter a folder.
///
/// # Errors
/// The system's reason.
pub fn open_to_all(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(MODE))
}

/// Whether every user can load an installed file.
pub fn is_open_to_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == MODE)
}

/// Opens the library's folder to scripts of SQL Server. Nothing to do on Linux: every user can read it.
pub fn share(_plan: &mut Plan, _library: &Path) {}

/// Gives a new file the name of an installed one. Programs that have the old file open keep it.
///
/// # Errors
/// The system's reason.
pub fn replace(new: NamedTempFile, path: &Path) -> io::Result<Option<String>> {
    new.persist(path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(None)
}

/// Removes an installed file. Programs that have it open keep it.
///
/// # Errors
/// The system's reason.
pub fn take_away(path: &Path) -> io::Result<Option<String>> {
    fs::remove_file(path).map(|()| None)
}

/// Warns if scripts of SQL Server cannot see or read a path.
pub fn warn_if_unseen(plan: &mut Plan, what: &str, path: &Path) {
    if let Some(command) = opening(path) {
        let path = path.display();
        plan.warn(format!("{what}{path} cannot be read by the user that SQL Server runs scripts as. Fix: {command}"));
    }
    warn_if_hidden(plan, what, path);
}

/// Warns if scripts of SQL Server cannot see a path.
pub fn warn_if_hidden(plan: &mut Plan, what: &str, path: &Path) {
    if hidden(path) {
        plan.warn(format!("scripts that SQL Server runs cannot see {what}{}. {REMEDY}", path.display()));
    }
}

/// The fix, if this is a machine with SQL Server whose scripts cannot see a path.
pub fn unseen(path: &Path) -> Option<&'static str> {
    (Path::new(SQL_SERVER).exists() && hidden(path)).then_some(REMEDY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_folder_is_where_the_distribution_puts_drivers() {
        let usr = tempfile::tempdir().unwrap();
        assert_eq!(system_folder(usr.path()), usr.path().join("lib64"));
        let debian = usr.path().join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
        std::fs::create_dir_all(&debian).unwrap();
        assert_eq!(system_folder(usr.path()), debian.join("odbc"));
    }
}
