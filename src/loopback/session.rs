//! Finding the session's client certificate and key.
//!
//! SQL Server puts both into the folder of the launchpad that runs the script's session, and the script's working
//! directory is most probably a folder below that. Two signals are looked at, in this order:
//!
//! 1. the nearest of the working directory and the folders above it that holds both files;
//! 2. the one folder of the data directory that holds a readable pair.

use crate::failure::{Failure, Sqlstate};
use crate::world::World;
use std::io;
use std::path::{Path, PathBuf};

const DATA_DIR_VARIABLE: &str = "LOOPBACK_ODBC_DATA_DIR";
/// Where SQL Server on Linux keeps the launchpads' folders.
const DATA_DIR: &str = "/var/opt/mssql-extensibility/data";

/// A certificate and its key: two PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What a folder has of a pair.
enum Folder {
    Nothing,
    Both(Pair),
    /// One file (named first) without the other.
    Half(PathBuf, PathBuf),
    /// The system does not let us look.
    Closed(io::Error),
}

impl Pair {
    fn in_folder(folder: &Path) -> Pair {
        Pair { certificate: folder.join(CERTIFICATE.file_name), key: folder.join(KEY.file_name) }
    }

    /// Whether both files can be used.
    ///
    /// # Errors
    /// 08001 with the path and the system's reason.
    fn check(&self, world: &dyn World) -> Result<(), Failure> {
        CERTIFICATE.check(world, &self.certificate, true)?;
        KEY.check(world, &self.key, true)
    }
}

/// One of the two files of a pair.
pub struct Kind {
    /// Its name in a session's folder.
    file_name: &'static str,
    /// What messages call it.
    title: &'static str,
    /// What a PEM file of this kind has in it.
    marker: &'static str,
}

pub const CERTIFICATE: Kind =
    Kind { file_name: "sqlsatellitecert.pem", title: "client certificate", marker: "-----BEGIN CERTIFICATE-----" };

/// PKCS #1 as SQL Server writes it, or PKCS #8, which the driver reads as well.
pub const KEY: Kind = Kind { file_name: "sqlsatellitekey.pem", title: "client key", marker: "PRIVATE KEY-----" };

impl Kind {
    /// Whether a file can be read and has something in it; with `pem`, also whether it is a PEM file of this kind.
    ///
    /// # Errors
    /// 08001 with the path and the system's reason.
    pub fn check(&self, world: &dyn World, path: &Path, pem: bool) -> Result<(), Failure> {
        let marker = self.marker;
        let reason = match world.read(path) {
            Err(error) => format!("cannot be read: {error}"),
            Ok(contents) if contents.is_empty() => "is empty".to_owned(),
            Ok(contents) if pem && !contents.windows(marker.len()).any(|window| window == marker.as_bytes()) => {
                format!("is not a PEM file: there is no \"{marker}\" in it")
            }
            Ok(_) => return Ok(()),
        };
        Err(Failure::new(
            Sqlstate::UNABLE_TO_CONNECT,
            format!(
                "The {} {} {reason}. SQL Server writes both files when a session begins and removes them at its end; \
                 to use others, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY.",
                self.title,
                path.display()
            ),
        ))
    }
}

fn look(world: &dyn World, folder: &Path) -> Folder {
    let pair = Pair::in_folder(folder);
    match (world.exists(&pair.certificate), world.exists(&pair.key)) {
        (Ok(true), Ok(true)) => Folder::Both(pair),
        (Ok(true), Ok(false)) => Folder::Half(pair.certificate, pair.key),
        (Ok(false), Ok(true)) => Folder::Half(pair.key, pair.certificate),
        (Ok(false), Ok(false)) => Folder::Nothing,
        (Err(error), _) | (_, Err(error)) => Folder::Closed(error),
    }
}

/// Finds the session's pair; what each signal gave is added to `findings`.
///
/// # Errors
/// 08001 when there is none, when there are several, and when the one there is cannot be used.
pub fn find_pair(world: &dyn World, place: &str, findings: &mut Vec<String>) -> Result<Pair, Failure> {
    let mut halves = Vec::new();
    if let Some(pair) = above_working_directory(world, findings, &mut halves) {
        pair.check(world).map_err(|failure| failure.with_findings(std::mem::take(findings)))?;
        return Ok(pair);
    }
    let data_dir = world.variable(DATA_DIR_VARIABLE).map_or_else(|| PathBuf::from(DATA_DIR), PathBuf::from);
    if let Some(pair) = in_data_directory(world, &data_dir, findings, &mut halves)? {
        return Ok(pair);
    }
    let text = match halves.first() {
        Some((present, absent)) => format!(
            "The session's certificate and key must both be there, but beside {} there is no {}. SQL Server writes \
             both when a session begins; to use others, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and \
             LOOPBACK_ODBC_CLIENT_KEY.",
            present.display(),
            absent.file_name().unwrap_or_default().display()
        ),
        None => format!(
            "This does not look like a script run by SQL Server: {} and {} are neither in the working directory, nor \
             above it, nor in a folder of {}. To connect from elsewhere, name a server and a login in {place} \
             (Server=..., and UID= with PWD=, or Trusted_Connection=yes).",
            CERTIFICATE.file_name,
            KEY.file_name,
            data_dir.display()
        ),
    };
    Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text).with_findings(std::mem::take(findings)))
}

/// Signal 1.
fn above_working_directory(
    world: &dyn World,
    findings: &mut Vec<String>,
    halves: &mut Vec<(PathBuf, PathBuf)>,
) -> Option<Pair> {
    let mut say = |what: String| findings.push(format!("Certificate and key, working directory: {what}"));
    let directory = match world.working_directory() {
        Ok(directory) => directory,
        Err(error) => {
            say(format!("it cannot be told: {error}"));
            return None;
        }
    };
    let mut closed = Vec::new();
    for folder in directory.ancestors() {
        match look(world, folder) {
            Folder::Nothing => {}
            Folder::Both(pair) => {
                say(format!("found in {}", folder.display()));
                return Some(pair);
            }
            Folder::Half(present, absent) => halves.push((present, absent)),
            Folder::Closed(error) => closed.push(format!("{}: {error}", folder.display())),
        }
    }
    say(match closed.as_slice() {
        [] => format!("not both in {}, nor in a folder above it", directory.display()),
        closed => format!(
            "not both in {}, nor in a folder above it that can be searched ({})",
            directory.display(),
            closed.join("; ")
        ),
    });
    None
}

/// Signal 2.
fn in_data_directory(
    world: &dyn World,
    data_dir: &Path,
    findings: &mut Vec<String>,
    halves: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<Option<Pair>, Failure> {
    let mut say = |what: String| {
        findings.push(format!("Certificate and key, data directory {}: {what}", data_dir.display()));
    };
    let folders = match world.list(data_dir) {
        Ok(folders) => folders,
        Err(error) => {
            say(format!("it cannot be listed: {error}"));
            return Ok(None);
        }
    };
    let mut usable = Vec::new();
    let mut unusable = Vec::new();
    for folder in &folders {
        match look(world, folder) {
            Folder::Nothing => {}
            Folder::Both(pair) => match pair.check(world) {
                Ok(()) => usable.push(pair),
                Err(failure) => unusable.push(failure),
            },
            Folder::Half(present, absent) => halves.push((present, absent)),
            // A file among the folders, or another user's session.
            Folder::Closed(error) => say(format!("{} cannot be searched: {error}", folder.display())),
        }
    }
    match usable.as_slice() {
        [pair] => {
            say(format!("found {}", pair.certificate.display()));
            Ok(Some(pair.clone()))
        }
        [] => {
            say(format!("no usable pair in its {} entries", folders.len()));
            let mut unusable = unusable.into_iter();
            let Some(first) = unusable.next() else { return Ok(None) };
            findings.extend(unusable.map(|other| other.text));
            Err(first.with_findings(std::mem::take(findings)))
        }
        several => {
            let paths: Vec<String> = several.iter().map(|pair| pair.certificate.display().to_string()).collect();
            Err(Failure::new(
                Sqlstate::UNABLE_TO_CONNECT,
                format!(
                    "The data directory has {} sessions' certificates, and the working directory is below none of \
                     them. Set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY to this session's. \
                     Found: {}",
                    paths.len(),
                    paths.join(", ")
                ),
            )
            .with_findings(std::mem::take(findings)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::{CERTIFICATE_PEM, Fixture, KEY_PEM};

    const SESSION: &str = "/var/opt/mssql-extensibility/data/launchpad-1/session-1";
    const LAUNCHPAD: &str = "/var/opt/mssql-extensibility/data/launchpad-1";
    const OTHER: &str = "/var/opt/mssql-extensibility/data/launchpad-2";

    fn find(world: &Fixture) -> Result<Pair, Failure> {
        find_pair(world, "section [Loopback] of odbc.ini", &mut Vec::new())
    }

    /// The refusal, all records in one text.
    fn refusal(world: &Fixture) -> String {
        let failure = find(world).unwrap_err();
        assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
        failure.records().join("\n")
    }

    #[track_caller]
    fn assert_says(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    #[test]
    fn the_pair_in_the_working_directory_counts() {
        let world = Fixture::default().working_directory(SESSION).pair(SESSION).pair(LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(SESSION)));
    }

    #[test]
    fn the_nearest_pair_above_the_working_directory_counts() {
        let world = Fixture::default().working_directory(SESSION).pair(LAUNCHPAD).pair(OTHER).pair("");
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn a_folder_with_one_of_the_files_is_passed_over() {
        let world = Fixture::default()
            .working_directory(SESSION)
            .file(&format!("{SESSION}/sqlsatellitecert.pem"), CERTIFICATE_PEM)
            .pair(LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn the_only_pair_of_the_data_directory_counts() {
        let world = Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn a_deleted_working_directory_leaves_the_data_directory() {
        let world = Fixture::default().pair(LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn the_variable_names_another_data_directory() {
        let world = Fixture::default().variable(DATA_DIR_VARIABLE, "/data").pair("/data/a").pair(LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new("/data/a")));
    }

    #[test]
    fn only_readable_pairs_of_the_data_directory_count() {
        let world = Fixture::default().pair(LAUNCHPAD).pair(OTHER).closed(OTHER);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
        let key = format!("{OTHER}/sqlsatellitekey.pem");
        let world = Fixture::default().pair(LAUNCHPAD).pair(OTHER).unreadable(&key);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn no_pair_is_not_a_script_of_sql_server() {
        let world = Fixture::default().working_directory("/home/me").file("/var/opt/other", "");
        assert_says(
            &refusal(&world),
            &[
                "does not look like a script run by SQL Server",
                "/home/me",
                "/var/opt/mssql-extensibility/data",
                "[Loopback] of odbc.ini",
                "cannot be listed",
            ],
        );
    }

    #[test]
    fn several_pairs_are_all_named_with_the_variable_that_chooses() {
        let world = Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD).pair(OTHER);
        assert_says(&refusal(&world), &[LAUNCHPAD, OTHER, "LOOPBACK_ODBC_CLIENT_CERTIFICATE"]);
    }

    #[test]
    fn half_a_pair_names_what_is_missing() {
        let certificate = format!("{LAUNCHPAD}/sqlsatellitecert.pem");
        let world = Fixture::default().working_directory(SESSION).file(&certificate, CERTIFICATE_PEM);
        assert_says(&refusal(&world), &[&certificate, "there is no sqlsatellitekey.pem"]);
        let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
        let world = Fixture::default().working_directory("/elsewhere").file(&key, KEY_PEM);
        assert_says(&refusal(&world), &[&key, "there is no sqlsatellitecert.pem"]);
    }

    #[test]
    fn a_pair_that_cannot_be_used_is_named_with_the_reason() {
        for directory in [SESSION, "/elsewhere"] {
            for file in ["sqlsatellitecert.pem", "sqlsatellitekey.pem"] {
                let path = format!("{LAUNCHPAD}/{file}");
                let world = || Fixture::default().working_directory(directory).pair(LAUNCHPAD);
                assert_says(&refusal(&world().unreadable(&path)), &[&path, "permission denied"]);
                assert_says(&refusal(&world().file(&path, "")), &[&path, "is empty"]);
                assert_says(&refusal(&world().file(&path, "\u{30}\u{82}")), &[&path, "is not a PEM file"]);
            }
        }
    }

    #[test]
    fn keys_of_both_pkcs_forms_are_keys() {
        let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
        let world = Fixture::default().pair(LAUNCHPAD).file(&key, "-----BEGIN PRIVATE KEY-----\n");
        assert!(find(&world).is_ok());
    }
}
