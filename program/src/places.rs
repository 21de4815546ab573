//! Where an installation stands on Linux: the library's file, and the files of registrations.

use crate::arguments::{DRIVER_NAME, Registration};
use crate::ini::Section;
use crate::installer::{self, Files, Mode};
use std::path::{Path, PathBuf};

/// What the names of all copies of the library begin with.
const STEM: &str = "libloopbackodbc";

/// Characters that the specification keeps out of a data source's name (SQLValidDSN), and that would read as something else
/// in a driver's.
const NOT_IN_NAMES: &str = "[]{}(),;?*=!@\\";

/// SQL_MAX_DSN_LENGTH
const LONGEST_DSN: usize = 32;

/// Sections that are not drivers or data sources.
const NOT_NAMES: [&str; 4] = ["ODBC", "ODBC Drivers", "ODBC Data Sources", "DEFAULT"];

pub struct Places {
    pub mode: Mode,
    /// The library's installed file.
    pub library: PathBuf,
    pub files: Files,
}

impl Places {
    /// # Errors
    /// A name that cannot be one, no home folder, or what the installer library says.
    pub fn of(registration: &Registration) -> Result<Places, String> {
        check_name("--dsn", &registration.dsn, LONGEST_DSN)?;
        check_name("--driver-name", &registration.driver_name, usize::MAX)?;
        let (mode, folder) = match registration.user {
            false => (Mode::System, system_folder(Path::new("/usr"))),
            true if registration.driver_name != DRIVER_NAME => {
                return Err("--driver-name is a name in odbcinst.ini, which with --user has nothing of ours".to_owned());
            }
            true => (Mode::User, user_folder()?),
        };
        check_search(mode)?;
        let library = folder.join(file_name(&registration.driver_name));
        Ok(Places { mode, library, files: installer::files(mode)? })
    }
}

/// unixODBC lets this variable say which odbc.ini is written, against what a program says.
fn check_search(mode: Mode) -> Result<(), String> {
    let wanted = match mode {
        Mode::System => "ODBC_SYSTEM_DSN",
        Mode::User => "ODBC_USER_DSN",
    };
    match std::env::var("ODBCSEARCH") {
        Ok(other) if other != wanted => {
            Err(format!("ODBCSEARCH={other} makes unixODBC write another odbc.ini: unset it"))
        }
        _ => Ok(()),
    }
}

fn check_name(option: &str, name: &str, longest: usize) -> Result<(), String> {
    let odd = |character: char| character.is_control() || NOT_IN_NAMES.contains(character);
    let reserved = NOT_NAMES.iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    if name.is_empty() || name.trim() != name || name.len() > longest || name.contains(odd) || reserved {
        return Err(format!("{option} {name:?}: this cannot be a name in the files of ODBC"));
    }
    installer::check_text(name)
}

/// Where Debian and Ubuntu have drivers; elsewhere the folder of libraries itself. SQL Server's scripts see both.
fn system_folder(usr: &Path) -> PathBuf {
    let debian = usr.join("lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    if debian.is_dir() { debian.join("odbc") } else { usr.join("lib64") }
}

/// The user's folder of data (XDG Base Directory Specification).
fn user_folder() -> Result<PathBuf, String> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    data.map(|data| data.join("loopback-odbc")).ok_or("--user needs HOME, the path of the home folder".to_owned())
}

/// The file's name: of the first copy that of the library, of others with the driver's name in it.
fn file_name(driver_name: &str) -> String {
    if driver_name.eq_ignore_ascii_case(DRIVER_NAME) {
        return format!("{STEM}.so");
    }
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    format!("{STEM}-{}.so", driver_name.chars().map(plain).collect::<String>())
}

/// Whether a driver's section is of this library: by the name of its file, so that one that was registered by hand, or whose
/// file is gone, is known as well.
pub fn ours(driver: &Section) -> bool {
    is_ours(driver.library())
}

/// Whether a path is one of a copy of this library.
pub fn is_ours(library: &Path) -> bool {
    library.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(STEM.as_bytes()))
}

/// The folder that a file stands in.
pub fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ini::Ini;

    #[test]
    fn a_second_driver_has_a_file_of_its_own() {
        assert_eq!(file_name("SQL Server Loopback"), "libloopbackodbc.so");
        assert_eq!(file_name("Loopback by ODBC 17"), "libloopbackodbc-loopback-by-odbc-17.so");
    }

    #[test]
    fn the_folder_is_that_of_the_distribution_s_drivers() {
        let usr = tempfile::tempdir().unwrap();
        assert_eq!(system_folder(usr.path()), usr.path().join("lib64"));
        let debian = usr.path().join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
        std::fs::create_dir_all(&debian).unwrap();
        assert_eq!(system_folder(usr.path()), debian.join("odbc"));
    }

    #[test]
    fn names_that_the_files_cannot_hold_are_refused() {
        for name in ["", " a", "a]", "a=b", "a\nb", "odbc", "a;b", "a\\b"] {
            assert!(check_name("--dsn", name, 32).unwrap_err().starts_with("--dsn "), "{name:?}");
        }
        assert!(check_name("--dsn", &"x".repeat(33), 32).is_err());
        assert!(check_name("--dsn", "Loopback (not)", 32).is_err());
        assert_eq!(check_name("--dsn", "Loopback 17", 32), Ok(()));
    }

    #[test]
    fn a_section_is_ours_by_the_name_of_its_file() {
        let ini = Ini::parse(
            b"[A]\nDriver=/opt/x/libloopbackodbc.so\n[B]\nDriver=/x/libloopbackodbc-b.so\n[C]\nDriver=/x/libmsodbcsql.so\n[D]\n",
        );
        let which: Vec<bool> = ini.sections.iter().map(ours).collect();
        assert_eq!(which, [true, true, false, false]);
    }
}
