//! The places of an installation: the library's file, and the registers of drivers and data sources. Also decides which names are valid
//! and which files belong to this library.

use crate::arguments::{DRIVER_NAME, DSN, Registration};
use crate::ini::Section;
use crate::library;
use crate::paths::folder_of;
use crate::program::{self, Program};
use crate::system::{self, ENDING, Register, STEM};
use loopbackodbc::program::Text;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Characters that the specification forbids in a data source's name (SQLValidDSN), and that would be misread in a driver's name.
const NOT_IN_NAMES: &str = "[]{}(),;?*=!@\\";

/// SQL_MAX_DSN_LENGTH
const LONGEST_DSN: usize = 32;

/// Sections that are not drivers or data sources.
const NOT_NAMES: [&str; 4] = ["ODBC", "ODBC Drivers", "ODBC Data Sources", "DEFAULT"];

/// Which odbc.ini contains a data source: the system's, or the calling user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// ODBC_USER_DSN
    User = 1,
    /// ODBC_SYSTEM_DSN
    System = 2,
}

pub struct Places {
    pub mode: Mode,
    /// The library's installed file.
    pub library: PathBuf,
    /// Whether a package owns the library. Then it is registered where it is, and neither copied nor removed.
    pub packaged: bool,
    /// The program's installed file, and the link to it in a folder of programs; none on Windows, and none if a package owns the
    /// program.
    pub program: Option<Program>,
    pub drivers: Register,
    pub data_sources: Register,
}

impl Places {
    /// # Errors
    /// An invalid name, no home folder, or an error of the installer library.
    pub fn of(registration: &Registration) -> Result<Places, String> {
        check_name("--dsn", &registration.dsn, LONGEST_DSN)?;
        check_name("--driver-name", &registration.driver_name, usize::MAX)?;
        let mode = match registration.user {
            false => Mode::System,
            true if registration.driver_name != DRIVER_NAME => {
                let text =
                    "--driver-name names a driver in odbcinst.ini, which --user does not change. Fix: omit one of them";
                return Err(text.to_owned());
            }
            true => Mode::User,
        };
        let package = package_of(mode)?;
        let library = library_beside(package.as_deref(), mode, &registration.driver_name)?;
        let (drivers, data_sources) = system::registers(mode)?;
        let program = if package.is_some() { None } else { system::program(mode)? };
        Ok(Places { mode, packaged: package.as_ref() == Some(&library), library, program, drivers, data_sources })
    }

    /// Removes leftovers of a killed run. The caller must hold the lock.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn recover(&self) -> Result<(), String> {
        self.data_sources.recover()?;
        self.drivers.recover()?;
        // The program's folder may be in the library's.
        self.program.as_ref().map_or(Ok(()), program::recover)?;
        library::recover(&self.library)
    }
}

/// The library's file, if a package owns it. A file of the package contains its path, because packages differ in the folder.
pub fn package() -> Result<Option<PathBuf>, String> {
    let file = system::package()?;
    match fs::read_to_string(&file) {
        Ok(path) => Ok(Some(path.trim().into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
    }
}

/// The fix for a library that is missing or cannot be loaded, if `install` cannot replace it: a command that lets every user read it,
/// or, for a package's library, the package.
pub fn mending(library: &Path) -> Option<String> {
    let is_packaged = || package().is_ok_and(|packaged| packaged.as_deref() == Some(library));
    system::opening(library).or_else(|| is_packaged().then(|| system::REINSTALL.to_owned()))
}

fn check_name(option: &str, name: &str, longest: usize) -> Result<(), String> {
    let odd = |character: char| character.is_control() || NOT_IN_NAMES.contains(character);
    let reserved = NOT_NAMES.iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    if name.is_empty() || name.trim() != name || name.len() > longest || name.contains(odd) || reserved {
        let shown = Text::new(name).to_string();
        return Err(format!("{option} {shown:?} is not a valid name in odbc.ini and odbcinst.ini"));
    }
    check_text(name)
}

/// Checks that a name can be the name of a driver's section that [`Places::of`] accepts.
pub fn is_driver_name(name: &str) -> bool {
    check_name("--driver-name", name, usize::MAX).is_ok()
}

/// Checks that a text can name a section of odbc.ini. A whole connection string cannot.
///
/// # Errors
/// It cannot.
pub fn check_section(dsn: &str) -> Result<(), String> {
    let odd = |character: char| character.is_control() || "[]{};=".contains(character);
    match dsn.contains(odd) {
        true => {
            let given = Text::new(dsn).to_string();
            Err(format!(
                "--dsn {given:?} is not the name of a data source. Fix: give the name only, for example --dsn {DSN}"
            ))
        }
        false => Ok(()),
    }
}

/// The library's installed file.
///
/// # Errors
/// There is no folder for it.
pub fn library(mode: Mode, driver_name: &str) -> Result<PathBuf, String> {
    library_beside(package_of(mode)?.as_deref(), mode, driver_name)
}

/// Packages install for all users.
fn package_of(mode: Mode) -> Result<Option<PathBuf>, String> {
    if mode == Mode::System { package() } else { Ok(None) }
}

/// The library's installed file: beside that of a package, if there is one.
fn library_beside(package: Option<&Path>, mode: Mode, driver_name: &str) -> Result<PathBuf, String> {
    let folder = package.map_or_else(|| system::folder(mode), |library| Ok(folder_of(library)))?;
    Ok(folder.join(file_name(driver_name)))
}

/// Checks that a text can be a value in odbc.ini or odbcinst.ini.
///
/// # Errors
/// It cannot.
pub fn check_text(text: &str) -> Result<(), String> {
    match text.contains(|character: char| character.is_ascii_control()) {
        true => Err(format!(
            "{:?} contains control characters, which odbc.ini and odbcinst.ini cannot store",
            Text::new(text).to_string()
        )),
        false => Ok(()),
    }
}

/// The installed file's name. Further copies of the library have the driver's name in it.
fn file_name(driver_name: &str) -> String {
    if driver_name.eq_ignore_ascii_case(DRIVER_NAME) {
        return format!("{STEM}{ENDING}");
    }
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    format!("{STEM}-{}{ENDING}", driver_name.chars().map(plain).collect::<String>())
}

/// Whether a driver's section belongs to this library. The file's name decides: this also recognises a registration made by hand, and
/// one whose file is missing.
pub fn ours(driver: &Section) -> bool {
    is_ours(driver.library())
}

/// Whether a path names a copy of this library.
pub fn is_ours(library: &Path) -> bool {
    let begins = |name: &[u8]| name.get(..STEM.len()).is_some_and(|start| same_text(start, STEM.as_bytes()));
    library.file_name().is_some_and(|name| begins(name.as_encoded_bytes()))
}

/// Whether two paths are written alike. Windows ignores case.
pub fn same(one: &Path, other: &Path) -> bool {
    one == other || same_text(one.as_os_str().as_encoded_bytes(), other.as_os_str().as_encoded_bytes())
}

fn same_text(one: &[u8], other: &[u8]) -> bool {
    if cfg!(windows) { one.eq_ignore_ascii_case(other) } else { one == other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_driver_has_a_file_of_its_own() {
        assert_eq!(file_name("SQL Server Loopback"), format!("{STEM}{ENDING}"));
        assert_eq!(file_name("Loopback by ODBC 17"), format!("{STEM}-loopback-by-odbc-17{ENDING}"));
    }

    #[test]
    fn names_not_valid_in_ini_files_are_refused() {
        for name in ["", " a", "a]", "a=b", "a\nb", "odbc", "a;b", "a\\b"] {
            assert!(check_name("--dsn", name, 32).unwrap_err().starts_with("--dsn "), "{name:?}");
        }
        assert!(check_name("--dsn", &"x".repeat(33), 32).is_err());
        assert!(check_name("--dsn", "Loopback (not)", 32).is_err());
        assert_eq!(check_name("--dsn", "Loopback 17", 32), Ok(()));
    }

    #[test]
    fn a_connection_string_is_not_a_name_and_its_password_is_hidden() {
        for dsn in ["DSN=Loopback", "a]b", "[a", "{a}", "x;PWD=hunter2"] {
            let text = check_section(dsn).unwrap_err();
            assert!(text.contains("give the name only") && !text.contains("hunter2"), "{text}");
        }
        let text = check_name("--dsn", "DSN=x;PWD=hunter2", 32).unwrap_err();
        assert_eq!(text, "--dsn \"DSN=x;PWD=***\" is not a valid name in odbc.ini and odbcinst.ini");
        assert_eq!(check_section("dev@host (17)"), Ok(()));
    }

    #[test]
    fn a_driver_is_recognized_as_ours_by_its_file_name() {
        for (name, is) in [("loopbackodbc", false), (STEM, true), ("libmsodbcsql", false)] {
            let is = is || name == STEM;
            for rest in ["", "-b"] {
                let section = Section::new("A", &[("Driver", &format!("/opt/x/{name}{rest}{ENDING}"))]);
                assert_eq!(ours(&section), is, "{name}");
            }
        }
        assert!(!ours(&Section::new("A", &[])));
        assert_eq!(
            is_ours(Path::new("/x/LibLoopbackOdbc.dll")) || is_ours(Path::new("/x/LoopbackOdbc.dll")),
            cfg!(windows)
        );
    }
}
