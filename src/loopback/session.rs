//! Finding the session's client certificate and key.
//!
//! SQL Server puts both into the folder of the launchpad that runs the script's session, and the script's working
//! directory is most probably a folder below that. Three signals are looked at, in this order:
//!
//! 1. the nearest of the working directory and the folders above it that holds both files;
//! 2. the one folder of the data directory that holds a readable pair;
//! 3. the same as the first, for the paths in the command lines of this process and of those above it: the data directory
//!    may be one that can be entered but not listed.

use crate::failure::{Failure, Sqlstate};
use crate::loopback::search::Search;
use crate::registration::same_file;
use crate::world::World;
use std::fmt::Display;
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
        CERTIFICATE.check(world, &self.certificate, &self.certificate.display(), true)?;
        KEY.check(world, &self.key, &self.key.display(), true)
    }
}

/// One of the two files of a pair.
pub struct PemFile {
    /// Its name in a session's folder.
    file_name: &'static str,
    /// What messages call it.
    title: &'static str,
    /// What a PEM file of this kind has in it.
    marker: &'static str,
}

pub const CERTIFICATE: PemFile =
    PemFile { file_name: "sqlsatellitecert.pem", title: "client certificate", marker: "-----BEGIN CERTIFICATE-----" };

/// PKCS #1 as SQL Server writes it, or PKCS #8, which the driver reads as well.
pub const KEY: PemFile = PemFile { file_name: "sqlsatellitekey.pem", title: "client key", marker: "PRIVATE KEY-----" };

impl PemFile {
    /// Whether a file can be read and has something in it; with `pem`, also whether it is a PEM file of this kind.
    ///
    /// # Errors
    /// 08001 with the path and the system's reason.
    pub fn check(&self, world: &dyn World, path: &Path, shown: &dyn Display, pem: bool) -> Result<(), Failure> {
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
                "The {} {shown} {reason}. SQL Server writes both files when a session begins and removes them at its end; \
                 to use others, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY.",
                self.title
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

/// What findings call the value.
const VALUE: &str = "Certificate and key";

/// What was seen of pairs that are none: half ones, and the reasons why whole ones cannot be used.
#[derive(Default)]
struct Seen {
    halves: Vec<(PathBuf, PathBuf)>,
    unusable: Vec<Failure>,
}

/// A signal decides when it gives something, be it that there is no telling which pair is the session's.
type Signal = fn(&dyn World, &mut Search, &mut Seen) -> Option<Result<Pair, Failure>>;

/// The signals in their order.
const SIGNALS: [Signal; 3] = [above_working_directory, in_data_directory, in_command_lines];

/// Finds the session's pair; what each signal gave is added to the search.
///
/// # Errors
/// 08001 when there is none, when there are several, and when the one there is cannot be used.
pub fn find_pair(world: &dyn World, place: &str, search: &mut Search) -> Result<Pair, Failure> {
    let mut seen = Seen::default();
    let mut answer = None;
    for signal in SIGNALS {
        if search.goes_on(&answer) {
            answer = answer.or(signal(world, search, &mut seen));
        }
    }
    if let Some(answer) = answer {
        return answer;
    }
    let mut unusable = seen.unusable.into_iter();
    if let Some(first) = unusable.next() {
        return Err(first.with_findings(unusable.map(|other| other.text).collect()));
    }
    let text = match seen.halves.first() {
        Some((present, absent)) => format!(
            "The session's certificate and key must both be there, but beside {} there is no {}. SQL Server writes \
             both when a session begins; to use others, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and \
             LOOPBACK_ODBC_CLIENT_KEY.",
            present.display(),
            absent.file_name().unwrap_or_default().display()
        ),
        None => format!(
            "This does not look like a script run by SQL Server: {} and {} are neither in the working directory, nor \
             above it, nor in a folder of {}, nor does a command line lead to them. To connect from elsewhere, name a \
             server and a login in {place} (Server=..., and UID= with PWD=, or Trusted_Connection=yes).",
            CERTIFICATE.file_name,
            KEY.file_name,
            data_directory(world).display()
        ),
    };
    Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text))
}

/// Where SQL Server keeps the sessions' folders.
fn data_directory(world: &dyn World) -> PathBuf {
    world.variable(DATA_DIR_VARIABLE).map_or_else(|| PathBuf::from(DATA_DIR), PathBuf::from)
}

/// Signal 1.
fn above_working_directory(world: &dyn World, search: &mut Search, seen: &mut Seen) -> Option<Result<Pair, Failure>> {
    const SIGNAL: &str = "working directory";
    let directory = match world.working_directory() {
        Ok(directory) => directory,
        Err(error) => {
            search.nothing(VALUE, SIGNAL, format!("it cannot be told: {error}"));
            return None;
        }
    };
    let mut closed = Vec::new();
    if let Some(pair) = nearest(world, &directory, &mut seen.halves, &mut closed) {
        return Some(found(world, search, SIGNAL, pair));
    }
    let folders = match closed.as_slice() {
        [] => String::new(),
        closed => format!(" that can be searched ({})", closed.join("; ")),
    };
    search.nothing(VALUE, SIGNAL, format!("not both in {}, nor in a folder above it{folders}", directory.display()));
    None
}

/// The one pair that a signal shows, if it can be used.
fn found(world: &dyn World, search: &mut Search, signal: &str, pair: Pair) -> Result<Pair, Failure> {
    let certificate = pair.certificate.display().to_string();
    search.found(VALUE, signal, &certificate, format!("found {certificate}"));
    pair.check(world).map(|()| pair)
}

/// The pair in the nearest of a folder and those above it that has both files.
fn nearest(
    world: &dyn World,
    directory: &Path,
    halves: &mut Vec<(PathBuf, PathBuf)>,
    closed: &mut Vec<String>,
) -> Option<Pair> {
    for folder in directory.ancestors() {
        match look(world, folder) {
            Folder::Nothing => {}
            Folder::Both(pair) => return Some(pair),
            Folder::Half(present, absent) => halves.push((present, absent)),
            Folder::Closed(error) => closed.push(format!("{}: {error}", folder.display())),
        }
    }
    None
}

/// Signal 2.
fn in_data_directory(world: &dyn World, search: &mut Search, seen: &mut Seen) -> Option<Result<Pair, Failure>> {
    let data_dir = data_directory(world);
    let signal = format!("data directory {}", data_dir.display());
    let folders = match world.list(&data_dir) {
        Ok(folders) => folders,
        Err(error) => {
            search.nothing(VALUE, signal, format!("it cannot be listed: {error}"));
            return None;
        }
    };
    let mut usable = Vec::new();
    for folder in &folders {
        match look(world, folder) {
            Folder::Nothing => {}
            Folder::Both(pair) => match pair.check(world) {
                Ok(()) => push_new(world, &mut usable, pair),
                Err(failure) => seen.unusable.push(failure),
            },
            Folder::Half(present, absent) => seen.halves.push((present, absent)),
            // A file among the folders, or another user's session.
            Folder::Closed(error) => {
                search.nothing(VALUE, &signal, format!("{} cannot be searched: {error}", folder.display()));
            }
        }
    }
    match usable.as_slice() {
        [pair] => Some(found(world, search, &signal, pair.clone())),
        [] => {
            search.nothing(VALUE, signal, format!("no usable pair in its {} entries", folders.len()));
            None
        }
        several => Some(Err(several_pairs(search, &signal, several))),
    }
}

/// There is no telling which of several pairs is the session's.
fn several_pairs(search: &mut Search, signal: &str, pairs: &[Pair]) -> Failure {
    let paths: Vec<String> = pairs.iter().map(|pair| pair.certificate.display().to_string()).collect();
    let paths = paths.join(", ");
    search.nothing(VALUE, signal, format!("{} pairs: {paths}", pairs.len()));
    let text = format!(
        "In the {signal} there are {} sessions' certificates, and the working directory is below none of them. Set \
         LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY to this session's. Found: {paths}",
        pairs.len()
    );
    Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
}

/// Signal 3.
fn in_command_lines(world: &dyn World, search: &mut Search, seen: &mut Seen) -> Option<Result<Pair, Failure>> {
    const SIGNAL: &str = "command lines";
    let mut pairs = Vec::new();
    let mut processes = 0;
    let mut process = Some("self".to_owned());
    while let Some(id) = process.filter(|_| processes < MOST_PROCESSES) {
        let Ok(line) = world.read(&Path::new("/proc").join(&id).join("cmdline")) else { break };
        processes += 1;
        for path in absolute_paths(&String::from_utf8_lossy(&line)) {
            if let Some(pair) = nearest(world, &path, &mut seen.halves, &mut Vec::new()) {
                push_new(world, &mut pairs, pair);
            }
        }
        process = parent(world, &id);
    }
    match pairs.as_slice() {
        [] if processes == 0 => search.nothing(VALUE, SIGNAL, "/proc/self/cmdline cannot be read"),
        [] => search.nothing(VALUE, SIGNAL, format!("no path of {processes} processes leads to a pair")),
        [pair] => return Some(found(world, search, SIGNAL, pair.clone())),
        several => return Some(Err(several_pairs(search, SIGNAL, several))),
    }
    None
}

/// Adds a pair unless it is there already, be it by another path: there may be symbolic links.
fn push_new(world: &dyn World, pairs: &mut Vec<Pair>, pair: Pair) {
    if !pairs.iter().any(|known| same_file(world, &known.certificate, &pair.certificate)) {
        pairs.push(pair);
    }
}

/// How far up the processes are gone through; a satellite is in a namespace with a handful.
const MOST_PROCESSES: usize = 32;

/// The process above another, from `/proc/ID/stat` (proc_pid_stat(5)): the second field behind the name in parentheses.
fn parent(world: &dyn World, id: &str) -> Option<String> {
    let stat = world.read(&Path::new("/proc").join(id).join("stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let parent = stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?;
    (parent != "0").then(|| parent.to_owned())
}

/// The absolute paths in a command line, whose arguments end in NULs: whole arguments, and what stands behind `=`.
fn absolute_paths(command_line: &str) -> impl Iterator<Item = PathBuf> {
    let path = |argument: &str| {
        let start = if argument.starts_with('/') { 0 } else { argument.find("=/")? + 1 };
        // Whatever there is at the root is no session's.
        Some(PathBuf::from(&argument[start..])).filter(|path| path.components().count() > 2)
    };
    command_line.split('\0').filter_map(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::{CERTIFICATE_PEM, Fixture, KEY_PEM};

    const SESSION: &str = "/var/opt/mssql-extensibility/data/launchpad-1/session-1";
    const LAUNCHPAD: &str = "/var/opt/mssql-extensibility/data/launchpad-1";
    const OTHER: &str = "/var/opt/mssql-extensibility/data/launchpad-2";

    fn find(world: &Fixture) -> Result<Pair, Failure> {
        let mut search = Search::default();
        find_pair(world, "section [Loopback] of odbc.ini", &mut search).map_err(|failure| search.explain(failure))
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
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
    fn several_pairs_are_all_named_with_the_variable_that_chooses() {
        let world = Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD).pair(OTHER);
        assert_says(&refusal(&world), &[LAUNCHPAD, OTHER, "LOOPBACK_ODBC_CLIENT_CERTIFICATE"]);
    }

    #[test]
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
    fn half_a_pair_names_what_is_missing() {
        let certificate = format!("{LAUNCHPAD}/sqlsatellitecert.pem");
        let world = Fixture::default().working_directory(SESSION).file(&certificate, CERTIFICATE_PEM);
        assert_says(&refusal(&world), &[&certificate, "there is no sqlsatellitekey.pem"]);
        let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
        let world = Fixture::default().working_directory("/elsewhere").file(&key, KEY_PEM);
        assert_says(&refusal(&world), &[&key, "there is no sqlsatellitecert.pem"]);
    }

    #[test]
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
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

    /// A process of /proc: its id, its command line, and the one above it.
    fn process(world: Fixture, id: &str, arguments: &[&str], parent: &str) -> Fixture {
        world
            .file(&format!("/proc/{id}/cmdline"), &arguments.join("\0"))
            .file(&format!("/proc/{id}/stat"), &format!("7 (R (x) 1) S {parent} 7 7 0"))
    }

    #[test]
    fn a_path_in_a_command_line_leads_to_the_pair_in_a_directory_that_cannot_be_listed() {
        let closed = || Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD).unlisted();
        for arguments in [[SESSION, ""], ["-d", &format!("{SESSION}/script.py")], ["x", &format!("--dir={SESSION}")]] {
            let world = process(closed(), "self", &arguments, "0");
            assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
            // Of the process above, and of the one above that.
            let world = process(process(closed(), "self", &["python3"], "5"), "5", &arguments, "1");
            assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
        }
        assert_says(&refusal(&process(closed(), "self", &["python3", "x.py"], "0")), &["no path of 1 processes"]);
        assert_says(&refusal(&closed()), &["/proc/self/cmdline cannot be read"]);
    }

    #[test]
    fn command_lines_that_lead_to_two_pairs_are_an_error_that_names_both() {
        let world = Fixture::default().pair(LAUNCHPAD).pair(OTHER).unlisted();
        let world = process(process(world, "self", &["python3", LAUNCHPAD], "5"), "5", &["launchpad", OTHER], "0");
        assert_says(&refusal(&world), &[LAUNCHPAD, OTHER, "command line", "LOOPBACK_ODBC_CLIENT_CERTIFICATE"]);
    }

    #[test]
    fn a_pair_that_a_symbolic_link_leads_to_as_well_is_one_pair() {
        let world = || Fixture::default().pair(LAUNCHPAD).link("/var/opt/mssql-extensibility/data/link", LAUNCHPAD);
        assert_eq!(find(&world()).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
        let world = process(world().unlisted(), "self", &["python3", "/var/opt/mssql-extensibility/data/link"], "5");
        let world = process(world, "5", &["launchpad", LAUNCHPAD], "0");
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new("/var/opt/mssql-extensibility/data/link")));
    }

    #[test]
    fn another_user_s_pair_in_the_data_directory_leaves_the_command_line() {
        let world = Fixture::default().pair("/elsewhere/session").pair(OTHER);
        let world = world.unreadable(&format!("{OTHER}/sqlsatellitekey.pem"));
        let found = process(world, "self", &["python3", "/elsewhere/session/x.py"], "0");
        assert_eq!(find(&found).unwrap(), Pair::in_folder(Path::new("/elsewhere/session")));
    }

    #[test]
    fn a_ring_of_processes_ends() {
        let world = process(process(Fixture::default(), "self", &["a"], "5"), "5", &["b"], "5");
        assert_says(&refusal(&world), &["no path of 32 processes"]);
    }

    #[test]
    fn keys_of_both_pkcs_forms_are_keys() {
        let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
        let world = Fixture::default().pair(LAUNCHPAD).file(&key, "-----BEGIN PRIVATE KEY-----\n");
        assert!(find(&world).is_ok());
    }
}
