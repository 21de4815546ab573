//! Installing on Windows: what is asked of this system alone. Registrations are keys of the registry, which the installer
//! library changes without loss; what a script of SQL Server sees is a question of rights; and a library that a program has
//! loaded can be renamed, but neither written over nor removed.
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

/// What the names of all copies of the library begin with, and end with.
pub const STEM: &str = "loopbackodbc";
pub const ENDING: &str = ".dll";

/// What a name with blanks stands between on a command line.
pub const QUOTE: char = '"';

/// What comes before a command that changes the installation: a console of an administrator is what it takes.
pub const AS_ADMINISTRATOR: &str = "";

/// The fix for a register that this user may not read.
pub fn let_read(_register: &Register) -> String {
    "Fix: let every user read the key, including AppContainers (S-1-15-2-1), in which SQL Server runs scripts"
        .to_owned()
}

/// Who has the right to install for all.
pub const WHO_MAY: &str = "as an administrator";

/// ALL APPLICATION PACKAGES, by which name Windows knows it in English alone: the AppContainers in which SQL Server 2019 and
/// later run scripts (docs/administrators-windows.md).
const PACKAGES: &str = "S-1-15-2-1";

/// Where the library goes.
///
/// # Errors
/// Windows does not say where programs or the user's data are.
pub fn folder(mode: Mode) -> Result<PathBuf, String> {
    let variable = match mode {
        Mode::System => "ProgramFiles",
        Mode::User => "LOCALAPPDATA",
    };
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    folder
        .map(|folder| folder.join("loopback-odbc"))
        .ok_or_else(|| format!("{variable}, the path of a folder, is not set"))
}

/// The program stays where it is: there is no folder of programs.
///
/// # Errors
/// None.
pub fn program(_mode: Mode) -> Result<Option<Program>, String> {
    Ok(None)
}

/// # Errors
/// Always: no program is installed here.
pub fn link(_file: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What a driver's section has besides its libraries when it is made. The library answers SQLGetInfo as Microsoft's driver
/// does, and these values repeat the answers (ODBC Programmer's Reference, Driver Specification Subkeys).
pub const DRIVER_VALUES: [(&str, &str); 5] =
    [("APILevel", "2"), ("ConnectFunctions", "YYY"), ("DriverODBCVer", "03.80"), ("FileUsage", "0"), ("SQLLevel", "1")];

/// The keywords of a driver's section that name the library: as the driver, and as what sets its data sources up.
pub const LIBRARIES: [&str; 2] = ["Driver", "Setup"];

/// What a data source has for its driver: its file, which is what the driver manager loads.
pub fn data_source_driver<'d>(_mode: Mode, _driver_name: &'d str, file: &'d str) -> &'d str {
    file
}

/// No lock: what is changed is one value or one file after the other, each at once.
///
/// # Errors
/// None.
pub fn lock(_dry_run: bool) -> Result<Option<()>, String> {
    Ok(None)
}

/// A path from its drive on. Links stay: to resolve them brings the prefix `\\?\`, which nobody expects to read.
///
/// # Errors
/// The system's reason.
pub fn whole(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Holds that a new file can be made in this folder, or the nearest one above it that there is. Rights on Windows are more than
/// one can ask for, so one is made, without a name that stays.
///
/// # Errors
/// It cannot, with the system's reason.
pub fn writable(folder: &Path) -> Result<(), String> {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    tempfile::tempfile_in(there).map(drop).map_err(|error| unwritable(&folder.display(), &error))
}

/// Lets everybody load what stands at a path: it has the rights of the folder that it was made in, and is to have them.
///
/// # Errors
/// None.
pub fn open_to_all(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether everybody can load an installed file: [`share`] sees to it.
pub fn is_open_to_all(_path: &Path) -> bool {
    true
}

/// Opens the library's folder, and all in it, to scripts of SQL Server. By Windows' own program, which leaves alone what there
/// is already, and needs not be understood to be checked by whoever wonders what was done.
pub fn share(plan: &mut Plan, library: &Path) {
    let folder = folder_of(library);
    let says =
        format!("{}: ALL APPLICATION PACKAGES ({PACKAGES}) may read and execute what is in it", folder.display());
    plan.change(says, folder.clone(), move || Ok(grant(&folder)));
}

fn grant(folder: &Path) -> Warning {
    let rights = format!("*{PACKAGES}:(OI)(CI)RX");
    // By its whole path: a program of this name may be on PATH, and this is run by administrators.
    let program = PathBuf::from(std::env::var_os("SystemRoot").unwrap_or_default()).join(r"System32\icacls.exe");
    let mut command = Command::new(program);
    command.arg(folder).args(["/grant", &rights, "/T", "/Q"]).stdin(Stdio::null());
    let why = match command.output() {
        Ok(output) if output.status.success() => return None,
        Ok(output) => String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Some(format!(
        "the right could not be given ({why}): scripts of SQL Server may not be able to read {}",
        folder.display()
    ))
}

/// Warns when scripts of SQL Server may not read what stands at a path, which here is not asked.
pub fn warn_if_unseen(_plan: &mut Plan, _what: &str, _path: &Path) {}

/// What makes scripts of SQL Server see what stands at a path, which here is not known.
pub fn unseen(_path: &Path) -> Option<&'static str> {
    None
}

/// Looking at registrations leaves no trace here.
pub struct Untouched;

impl Untouched {
    pub fn now() -> Untouched {
        Untouched
    }
}
