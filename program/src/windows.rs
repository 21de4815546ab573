//! The Windows part of installing. The registrations are keys of the registry, which the installer library changes without loss. Rights
//! decide whether a script of SQL Server sees a file. A loaded library can be renamed, but not overwritten or removed.
//!
//! The counterpart is `linux.rs`, with the same names.

mod installer;
mod registry;
mod used;

pub use registry::{Register, registers};
pub use used::{replace, take_away};

use crate::paths::folder_of;
use crate::places::Mode;
use crate::plan::{Plan, Warning, unwritable};
use crate::program::Program;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The beginning and the end of the file names of all copies of the library.
pub const STEM: &str = "loopbackodbc";
pub const ENDING: &str = ".dll";

/// Quotes a name with blanks on a command line.
pub const QUOTE: char = '"';

/// The prefix of a command that changes the installation: none, because it needs an administrator's console.
pub fn as_administrator() -> String {
    String::new()
}

/// The fix for a register that this user may not read.
pub fn let_read(_register: &Register) -> String {
    "Fix: let every user read the key, including AppContainers (S-1-15-2-1), in which SQL Server runs scripts"
        .to_owned()
}

/// The command that lets every user read a file. Not checked on Windows.
pub fn opening(_path: &Path) -> Option<String> {
    None
}

/// The fix for a file that is missing in a package.
pub const REINSTALL: &str = "install the MSI again";

/// Where a developer adds a server and a login.
pub fn of_developer(data_sources: &Register) -> String {
    data_sources.to_string()
}

/// Who has the right to install for all.
pub const WHO_MAY: &str = "as an administrator";

/// The SID of ALL APPLICATION PACKAGES, whose name depends on the language of Windows: the AppContainers in which SQL Server 2019 and
/// later run scripts (docs/administrators-windows.md).
const PACKAGES: &str = "S-1-15-2-1";

/// The library's folder.
///
/// # Errors
/// The environment variable of the folder is not set.
pub fn folder(mode: Mode) -> Result<PathBuf, String> {
    let variable = match mode {
        Mode::System => "ProgramFiles",
        Mode::User => "LOCALAPPDATA",
    };
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    folder
        .map(|folder| folder.join("loopback-odbc"))
        .ok_or_else(|| format!("the environment variable {variable} is not set to the path of a folder"))
}

/// None: the program stays where it is, because Windows has no folder of programs on PATH.
///
/// # Errors
/// None.
pub fn program(_mode: Mode) -> Result<Option<Program>, String> {
    Ok(None)
}

/// A file that the MSI contains: the path of its library.
///
/// # Errors
/// The environment variable of the folder is not set.
pub fn package() -> Result<PathBuf, String> {
    Ok(folder(Mode::System)?.join("package"))
}

/// # Errors
/// Always: no program is installed here.
pub fn link(_file: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The values of a new driver section, besides its libraries. They match the library's answers to SQLGetInfo, which are those of
/// Microsoft's driver (ODBC Programmer's Reference, Driver Specification Subkeys).
pub const DRIVER_VALUES: [(&str, &str); 5] =
    [("APILevel", "2"), ("ConnectFunctions", "YYY"), ("DriverODBCVer", "03.80"), ("FileUsage", "0"), ("SQLLevel", "1")];

/// The keywords of a driver's section that name the library: as the driver, and as its setup library.
pub const LIBRARIES: [&str; 2] = ["Driver", "Setup"];

/// The value of a data source's `Driver`: the file, which the driver manager loads.
pub fn data_source_driver<'d>(_mode: Mode, _driver_name: &'d str, file: &'d str) -> &'d str {
    file
}

/// No lock: each value and each file changes atomically.
///
/// # Errors
/// None.
pub fn lock(_dry_run: bool) -> Result<Option<()>, String> {
    Ok(None)
}

/// An absolute path. Links stay, because resolving them adds the prefix `\\?\`.
///
/// # Errors
/// The system's reason.
pub fn whole(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Checks that a new file can be created in this folder, or in the nearest existing one above it. Creates a temporary file, because
/// rights on Windows cannot be queried reliably.
///
/// # Errors
/// It cannot be written, with the system's reason.
pub fn writable(folder: &Path, mode: Mode) -> Result<(), String> {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    tempfile::tempfile_in(there)
        .map(drop)
        .map_err(|error| unwritable(&folder.display(), &there.display(), &error, mode))
}

/// Lets every user load a path. Nothing to do on Windows: it inherits its folder's rights.
///
/// # Errors
/// None.
pub fn open_to_all(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether every user can load an installed file: [`share`] ensures it.
pub fn is_open_to_all(_path: &Path) -> bool {
    true
}

/// Opens the library's folder, and everything in it, to scripts of SQL Server. Uses Windows' own icacls, which keeps existing rights and
/// which administrators know.
pub fn share(plan: &mut Plan, library: &Path) {
    let folder = folder_of(library);
    let says =
        format!("{}: ALL APPLICATION PACKAGES ({PACKAGES}) may read and execute what is in it", folder.display());
    plan.change(says, folder.clone(), move || Ok(grant(&folder)));
}

fn grant(folder: &Path) -> Warning {
    let rights = format!("*{PACKAGES}:(OI)(CI)RX");
    // By its absolute path: another program of this name may be on PATH, and administrators run this.
    let program = PathBuf::from(std::env::var_os("SystemRoot").unwrap_or_default()).join(r"System32\icacls.exe");
    let mut command = Command::new(program);
    command.arg(folder).args(["/grant", &rights, "/T", "/Q"]).stdin(Stdio::null());
    let why = match command.output() {
        Ok(output) if output.status.success() => return None,
        Ok(output) => String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Some(format!(
        "ALL APPLICATION PACKAGES ({PACKAGES}) did not get the right to read {} ({why}). Scripts that SQL Server runs may not see it",
        folder.display()
    ))
}

/// Warns if scripts of SQL Server cannot see a path. Not checked on Windows.
pub fn warn_if_unseen(_plan: &mut Plan, _what: &str, _path: &Path) {}

/// Warns if scripts of SQL Server cannot see a path. Not checked on Windows.
pub fn warn_if_hidden(_plan: &mut Plan, _what: &str, _path: &Path) {}

/// The fix, if scripts of SQL Server cannot see a path. Not checked on Windows.
pub fn unseen(_path: &Path) -> Option<&'static str> {
    None
}

/// Nothing to remove on Windows: reading registrations creates nothing.
pub struct Untouched;

impl Untouched {
    pub fn now() -> Untouched {
        Untouched
    }
}
