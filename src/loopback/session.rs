//! Discovers the session's client certificate and key.
//!
//! SQL Server puts both into the folder of the launchpad that runs the script's session. The script's working directory
//! is most probably a folder below it. Three signals are checked, in this order:
//!
//! 1. the working directory and the folders above it: the nearest one that holds both files;
//! 2. the data directory: the only folder in it that holds a readable pair;
//! 3. the paths in the command lines of this process and of the processes above it, each searched like the working
//!    directory. The data directory may allow entering but not listing.
//!
//! A pair that other users could have put there does not count ([`trust`](super::trust)). No folder is checked twice,
//! and every signal is limited: the constants here are its limits, and the findings name what lies beyond them.

use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::search::{MOST_NAMED, Search, named};
use crate::loopback::sentence::{Sentence, Shown, sentence};
use crate::loopback::trust::{Judge, MOST_FOLDERS};
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub const DATA_DIR_VARIABLE: &str = "LOOPBACK_ODBC_DATA_DIR";
/// Where SQL Server on Linux keeps the launchpads' folders.
const DATA_DIR: &str = "/var/opt/mssql-extensibility/data";

/// The largest certificate or key that is read, in bytes; real ones have a few thousand.
const MOST_PEM_BYTES: usize = 256 << 10;
/// The most entries of a data directory that are read; there is one for each user who runs a script.
const MOST_ENTRIES: usize = 1024;
/// How many processes up the chain are checked; a satellite is in a namespace with a handful.
const MOST_PROCESSES: usize = 32;
/// How many bytes of a command line are read.
const MOST_COMMAND_LINE_BYTES: usize = 64 << 10;
/// How many paths of a command line are followed.
const MOST_PATHS: usize = 32;
/// The longest path that the system accepts, in bytes (PATH_MAX of linux/limits.h).
const LONGEST_PATH: usize = 4096;
/// How many bytes of a process's state are read; the relevant fields come first.
const MOST_STAT_BYTES: usize = 4096;

/// A certificate and its key: two PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Pair {
    fn in_folder(folder: &Path) -> Pair {
        Pair { certificate: folder.join(CERTIFICATE.file_name), key: folder.join(KEY.file_name) }
    }

    /// Whether both files are usable.
    ///
    /// # Errors
    /// 08001 with the path and the system's reason.
    fn check(&self, world: &dyn World) -> Result<(), Failure> {
        CERTIFICATE.check(world, &self.certificate, &Shown(&self.certificate), true, None)?;
        KEY.check(world, &self.key, &Shown(&self.key), true, None)
    }
}

/// One of the two files of a pair.
pub struct PemFile {
    /// The file's name in a session's folder.
    file_name: &'static str,
    /// Its name in messages.
    title: &'static str,
    /// Text that a PEM file of this kind contains.
    marker: &'static str,
}

pub const CERTIFICATE: PemFile =
    PemFile { file_name: "sqlsatellitecert.pem", title: "client certificate", marker: "-----BEGIN CERTIFICATE-----" };

/// PKCS #1, which SQL Server writes, or PKCS #8, which the driver reads as well.
pub const KEY: PemFile = PemFile { file_name: "sqlsatellitekey.pem", title: "client key", marker: "PRIVATE KEY-----" };

impl PemFile {
    /// Checks that a file can be read and is not empty; with `pem`, also that it is a PEM file of this kind. Messages
    /// name it as `shown`, and the variable that names it, if one does.
    ///
    /// # Errors
    /// 08001 with the path and the system's reason.
    pub fn check(
        &self,
        world: &dyn World,
        path: &Path,
        shown: &dyn Display,
        pem: bool,
        variable: Option<&str>,
    ) -> Result<(), Failure> {
        let marker = self.marker.as_bytes();
        let reason = match world.read(path, MOST_PEM_BYTES) {
            Err(error) => format!("cannot be read: {error}"),
            Ok(contents) if contents.more => format!("is too large: it has more than {MOST_PEM_BYTES} bytes"),
            Ok(contents) if contents.part.is_empty() => "is empty".to_owned(),
            Ok(contents) if pem && !contents.part.windows(marker.len()).any(|window| window == marker) => {
                format!("is not a PEM file: it does not contain \"{}\"", self.marker)
            }
            Ok(_) => return Ok(()),
        };
        let remedy = match variable {
            Some(variable) => format!("The environment variable {variable} names this file: correct the path in it."),
            None => "SQL Server writes both files when a session starts and removes them when it ends. To use other \
                     files, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY."
                .to_owned(),
        };
        let text = format!("The {} {shown} {reason}. {remedy}", self.title);
        Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text))
    }
}

/// The name of the value in findings.
const VALUE: &str = "Certificate and key";

/// The progress of a search for pairs.
struct Hunt<'w> {
    world: &'w dyn World,
    judge: Judge,
    /// The folders that were checked, and the pairs in them that count.
    folders: BTreeMap<PathBuf, Option<Pair>>,
    /// Files (named first) whose counterpart is missing.
    halves: Vec<(PathBuf, PathBuf)>,
    /// Why complete pairs cannot be used.
    unusable: Vec<Failure>,
    /// Pairs that other users could have put there, each with the reason.
    passed_over: Vec<Sentence>,
    /// How many of these are in the findings already.
    told: usize,
    /// What the current signal could not check, each with the reason.
    closed: Vec<Sentence>,
    /// What the current signal left out, because of a limit or because it could not be read.
    left_out: Vec<Sentence>,
    /// Why the data directory, which exists, could not be searched: it may have the pair.
    hidden: Option<String>,
}

/// A signal decides if it returns something, even if that is the error that there is more than one pair.
type Signal = fn(&mut Hunt, &mut Search) -> Option<Result<Pair, Failure>>;

/// The signals in order.
const SIGNALS: [Signal; 3] = [above_working_directory, in_data_directory, in_command_lines];

/// Finds the session's pair, and adds the result of each signal to `search`. If nothing shows a session, `no_session`
/// makes the refusal from a description of what was checked, and whether a session may nevertheless be there.
///
/// # Errors
/// 08001 when there is no pair, more than one, or one that cannot be used.
pub fn find_pair(
    world: &dyn World,
    no_session: impl FnOnce(&str, bool) -> Failure,
    search: &mut Search,
) -> Result<Pair, Failure> {
    let mut hunt = Hunt {
        world,
        judge: Judge::default(),
        folders: BTreeMap::new(),
        halves: Vec::new(),
        unusable: Vec::new(),
        passed_over: Vec::new(),
        told: 0,
        closed: Vec::new(),
        left_out: Vec::new(),
        hidden: None,
    };
    let mut answer = None;
    for signal in SIGNALS {
        if search.goes_on(&answer) {
            answer = answer.or(signal(&mut hunt, search));
        }
    }
    answer.unwrap_or_else(|| Err(hunt.failure(no_session)))
}

impl Hunt<'_> {
    /// The pair in a folder, if there is one that counts.
    fn look(&mut self, folder: &Path) -> Option<Pair> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let pair = Pair::in_folder(folder);
        let found = match (self.is_there(&pair.certificate), self.is_there(&pair.key)) {
            (Ok(true), Ok(true)) => self.judged(pair),
            (Ok(false), Ok(false)) => None,
            (Ok(true), Ok(false)) => {
                self.halves.push((pair.certificate, pair.key));
                None
            }
            (Ok(false), Ok(true)) => {
                self.halves.push((pair.key, pair.certificate));
                None
            }
            (Err(error), _) | (_, Err(error)) => {
                self.closed.push(sentence!(folder, ": ", error));
                None
            }
        };
        self.folders.insert(folder.to_owned(), found.clone());
        found
    }

    /// Whether the path exists; an error if the system does not tell.
    fn is_there(&self, path: &Path) -> io::Result<bool> {
        match self.world.exists(path) {
            // Something that is not a folder, or has too long a name, contains nothing.
            Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::InvalidFilename) => Ok(false),
            answer => answer,
        }
    }

    /// A pair with its paths resolved, if no other user could have put it there.
    fn judged(&mut self, pair: Pair) -> Option<Pair> {
        let mut judge = |path: &Path| self.judge.file(self.world, path);
        match judge(&pair.certificate).and_then(|certificate| Ok((certificate, judge(&pair.key)?))) {
            Ok((certificate, key)) => Some(Pair { certificate, key }),
            Err(reason) => {
                self.passed_over.push(sentence!(&pair.certificate, " is ignored, because ", reason));
                None
            }
        }
    }

    /// The pair in the nearest of a folder and the folders above it.
    fn nearest(&mut self, folder: &Path) -> Option<Pair> {
        let mut folders = folder.ancestors();
        let found = folders.by_ref().take(MOST_FOLDERS).find_map(|folder| self.look(folder));
        if let (None, Some(above)) = (&found, folders.next()) {
            let text = sentence!(above, " and the folders above it (more than ", MOST_FOLDERS, " folders up)");
            self.left_out.push(text);
        }
        found
    }

    /// Adds to the findings what a signal did not check or does not count.
    fn tell(&mut self, search: &mut Search, signal: impl Into<Sentence>) {
        let signal = signal.into();
        let passed_over = &self.passed_over[self.told..];
        self.told = self.passed_over.len();
        let lists = [("ignored", passed_over), ("cannot be searched", &self.closed), ("skipped", &self.left_out)];
        for (what, list) in lists {
            if !list.is_empty() {
                search.nothing(VALUE, signal.clone(), sentence!(what, ": ", named(list)));
            }
        }
        self.closed.clear();
        self.left_out.clear();
    }

    /// The error if no signal shows a pair.
    fn failure(self, no_session: impl FnOnce(&str, bool) -> Failure) -> Failure {
        let mut unusable = self.unusable.into_iter();
        if let Some(first) = unusable.next() {
            let mut others: Vec<String> = unusable.by_ref().take(MOST_NAMED).map(|other| other.text).collect();
            let more = unusable.count();
            others.extend((more > 0).then(|| format!("{more} more pairs cannot be used.")));
            return first.with_findings(others);
        }
        let text = match (self.passed_over.first(), self.halves.first()) {
            (Some(pair), _) => format!(
                "Other users could have planted the certificate and key: {pair}. Only root and this user may own or \
                 write the two files and the folders above them. Correct that, or set LOOPBACK_ODBC_CLIENT_CERTIFICATE \
                 and LOOPBACK_ODBC_CLIENT_KEY to the files."
            ),
            (None, Some((present, absent))) => format!(
                "A session has a certificate and a key, but beside {} there is no {}. SQL Server writes both when a \
                 session starts. To use other files, set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY.",
                Shown(present),
                Shown(Path::new(absent.file_name().unwrap_or_default()))
            ),
            (None, None) => {
                let data_dir = data_directory(self.world);
                let (in_data_dir, hidden) = match &self.hidden {
                    Some(reason) => ("", format!(", and {} cannot be listed: {reason}", Shown(&data_dir))),
                    None => (&*format!("in a folder of {}, ", Shown(&data_dir)), String::new()),
                };
                let looked = format!(
                    "{} and {} are not in the working directory or above it, {in_data_dir}or on a command line{hidden}",
                    CERTIFICATE.file_name, KEY.file_name,
                );
                return no_session(&looked, self.hidden.is_some());
            }
        };
        Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
    }

    /// The only pair that a signal shows, if it is usable.
    fn found(&self, search: &mut Search, signal: impl Into<Sentence>, pair: Pair) -> Result<Pair, Failure> {
        let certificate = Shown(&pair.certificate).to_string();
        search.found(VALUE, signal, &certificate, sentence!("found ", &pair.certificate));
        pair.check(self.world).map(|()| pair)
    }
}

/// Pairs without duplicates. Different paths may lead to the same file, because a folder may be mounted in several
/// places.
#[derive(Default)]
struct Pairs {
    pairs: Vec<Pair>,
    files: BTreeSet<(u64, u64)>,
}

impl Pairs {
    fn add(&mut self, world: &dyn World, pair: Pair) {
        if world.identity(&pair.certificate).map_or(true, |file| self.files.insert(file)) {
            self.pairs.push(pair);
        }
    }
}

/// Where SQL Server keeps the folders of sessions.
fn data_directory(world: &dyn World) -> PathBuf {
    world.variable(DATA_DIR_VARIABLE).map_or_else(|| PathBuf::from(DATA_DIR), PathBuf::from)
}

/// Signal 1.
fn above_working_directory(hunt: &mut Hunt, search: &mut Search) -> Option<Result<Pair, Failure>> {
    const SIGNAL: &str = "working directory";
    let directory = match hunt.world.working_directory() {
        Ok(directory) => directory,
        Err(error) => {
            search.nothing(VALUE, SIGNAL, sentence!("cannot be determined: ", error));
            return None;
        }
    };
    let nearest = hunt.nearest(&directory);
    hunt.tell(search, SIGNAL);
    if nearest.is_none() {
        let text = sentence!("no certificate and key in ", &directory, " or a folder above it");
        search.nothing(VALUE, SIGNAL, text);
    }
    nearest.map(|pair| hunt.found(search, SIGNAL, pair))
}

/// Signal 2.
fn in_data_directory(hunt: &mut Hunt, search: &mut Search) -> Option<Result<Pair, Failure>> {
    let data_dir = data_directory(hunt.world);
    let signal = sentence!("data directory ", &data_dir);
    let folders = match hunt.world.list(&data_dir, MOST_ENTRIES) {
        Ok(folders) if folders.more => {
            let text = sentence!("not used, because it has more than ", MOST_ENTRIES, " entries");
            search.nothing(VALUE, signal, text);
            return None;
        }
        Ok(folders) => folders.part,
        Err(error) => {
            search.nothing(VALUE, signal, sentence!("cannot be listed: ", &error));
            hunt.hidden = (error.kind() != ErrorKind::NotFound).then(|| error.to_string());
            return None;
        }
    };
    let mut usable = Pairs::default();
    for folder in &folders {
        if let Some(pair) = hunt.look(folder) {
            match pair.check(hunt.world) {
                Ok(()) => usable.add(hunt.world, pair),
                Err(failure) => hunt.unusable.push(failure),
            }
        }
    }
    // Folders that this user cannot enter belong to other users' sessions.
    hunt.tell(search, signal.clone());
    match usable.pairs.as_slice() {
        [pair] => Some(hunt.found(search, signal, pair.clone())),
        [] => {
            let text = sentence!("no usable certificate and key in its ", folders.len(), " entries");
            search.nothing(VALUE, signal, text);
            None
        }
        several => Some(Err(several_pairs(search, signal, several))),
    }
}

/// The error for several pairs, any of which may be the session's.
fn several_pairs(search: &mut Search, signal: impl Into<Sentence>, pairs: &[Pair]) -> Failure {
    let signal = signal.into();
    let paths: Vec<Sentence> = pairs.iter().map(|pair| (&pair.certificate).into()).collect();
    let paths = named(&paths);
    let text = format!(
        "It is unclear which session this is: there are {} sessions' certificates in the {signal}, and the working \
         directory is below none of them. Set LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY to this \
         session's files. Found: {paths}",
        pairs.len()
    );
    search.nothing(VALUE, signal, sentence!(pairs.len(), " pairs: ", paths));
    Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
}

/// Signal 3.
fn in_command_lines(hunt: &mut Hunt, search: &mut Search) -> Option<Result<Pair, Failure>> {
    const SIGNAL: &str = "command lines";
    let world = hunt.world;
    let mut pairs = Pairs::default();
    let lines = command_lines(world, &mut hunt.left_out);
    for path in lines.iter().flatten() {
        if let Some(pair) = hunt.nearest(path) {
            pairs.add(world, pair);
        }
    }
    hunt.tell(search, SIGNAL);
    match pairs.pairs.as_slice() {
        [] => {
            let text = sentence!("no certificate and key on the command lines of ", lines.len(), " processes");
            search.nothing(VALUE, SIGNAL, text);
            None
        }
        [pair] => Some(hunt.found(search, SIGNAL, pair.clone())),
        several => Some(Err(several_pairs(search, SIGNAL, several))),
    }
}

/// The paths to follow in the command lines of this process and of the processes above it. What is left out, and why,
/// is added to `left_out`.
pub fn command_lines(world: &dyn World, left_out: &mut Vec<Sentence>) -> Vec<Vec<PathBuf>> {
    let mut lines = Vec::new();
    let mut process = Some("self".to_owned());
    while let Some(id) = process {
        if lines.len() == MOST_PROCESSES {
            left_out.push(sentence!("the processes above the first ", MOST_PROCESSES));
            break;
        }
        match command_line(world, &id, left_out) {
            Ok(paths) => lines.push(paths),
            Err(reason) => {
                left_out.push(reason);
                break;
            }
        }
        process = parent(world, &id).unwrap_or_else(|reason| {
            left_out.push(sentence!("the processes above: ", reason));
            None
        });
    }
    lines
}

/// The paths to follow in the command line of a process.
fn command_line(world: &dyn World, id: &str, left_out: &mut Vec<Sentence>) -> Result<Vec<PathBuf>, Sentence> {
    let file = &PathBuf::from(format!("/proc/{id}/cmdline"));
    let line = world.read(file, MOST_COMMAND_LINE_BYTES);
    let line = line.map_err(|error| sentence!(file, " cannot be read: ", error))?;
    let text = String::from_utf8_lossy(&line.part);
    let mut arguments: Vec<&str> = text.split('\0').collect();
    if line.more {
        arguments.pop(); // It is not whole.
        left_out.push(sentence!("everything after the first ", MOST_COMMAND_LINE_BYTES, " bytes of ", file));
    }
    // What is as long as this is no path: the system opens none of that length. Files in the root folder belong to no
    // session.
    let paths = arguments.into_iter().filter_map(absolute_path).filter(|path| path.len() < LONGEST_PATH);
    let mut paths = paths.map(PathBuf::from).filter(|path| path.components().nth(2).is_some());
    let followed = paths.by_ref().take(MOST_PATHS).collect();
    if paths.next().is_some() {
        left_out.push(sentence!("the paths after the first ", MOST_PATHS, " in ", file));
    }
    Ok(followed)
}

/// The absolute path in an argument: all of it, or what follows `=`. Reports name the paths that were followed, so an argument with
/// other characters than those of a session's path does not count: it may be a script, a connection string or a URL, with a password.
fn absolute_path(argument: &str) -> Option<&str> {
    let start = if argument.starts_with('/') { 0 } else { argument.find("=/")? + 1 };
    let path = &argument[start..];
    path.chars().all(|it| it.is_alphanumeric() || "/._-+~,%".contains(it)).then_some(path)
}

/// The parent of a process, from `/proc/ID/stat` (proc_pid_stat(5)): the second field after the name in parentheses.
fn parent(world: &dyn World, id: &str) -> Result<Option<String>, Sentence> {
    let file = &PathBuf::from(format!("/proc/{id}/stat"));
    let stat = world.read(file, MOST_STAT_BYTES).map_err(|error| sentence!(file, " cannot be read: ", error))?;
    let stat = String::from_utf8_lossy(&stat.part);
    let parent = stat.rsplit(')').next().and_then(|fields| fields.split_ascii_whitespace().nth(1));
    let parent: u32 = parent
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| sentence!(file, " does not name the parent process"))?;
    Ok((parent != 0).then(|| parent.to_string()))
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
        find_pair(world, |looked, _| Failure::new(Sqlstate::UNABLE_TO_CONNECT, looked), &mut search)
            .map_err(|failure| search.explain(failure))
    }

    /// The error, all records in one text.
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

    const OTHER_USER: u32 = 1001;

    /// A pair that another user planted, in every possible way.
    fn planted(world: impl Fn() -> Fixture, folder: &str) -> Vec<(Fixture, String)> {
        let of_other = |path: &str| format!("{path} belongs to user {OTHER_USER}");
        let parent = Path::new(folder).parent().unwrap().to_str().unwrap();
        let pair = || world().pair(folder);
        let [certificate, key] = ["sqlsatellitecert.pem", "sqlsatellitekey.pem"].map(|name| format!("{folder}/{name}"));
        let mut worlds = Vec::new();
        for path in [folder, &certificate, &key] {
            worlds.push((pair().owned(path, OTHER_USER, OTHER_USER, 0o755), of_other(path)));
            worlds.push((pair().owned(path, 0, OTHER_USER, 0o775), format!("group {OTHER_USER} may write to {path}")));
        }
        worlds.push((pair().owned(parent, 0, 0, 0o1777), format!("every user may write to {parent} (mode 1777)")));
        worlds.push((pair().owned(parent, OTHER_USER, 0, 0o755), of_other(parent)));
        let linked = world().link(folder, "/planted").owned("/planted", OTHER_USER, OTHER_USER, 0o755);
        worlds.push((linked, of_other("/planted")));
        worlds.push((pair().of_nobody_knows_whom(folder), format!("the owner of {folder} cannot be determined")));
        worlds
    }

    #[test]
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
    fn a_pair_that_others_could_have_planted_is_ignored_and_named() {
        let above = || Fixture::default().working_directory("/tmp/a/b/c");
        let in_data = || Fixture::default().working_directory("/elsewhere").variable(DATA_DIR_VARIABLE, "/srv/data");
        let named = || process(Fixture::default().working_directory("/elsewhere"), "self", &["x", "/opt/s/x.py"], "0");
        let worlds = [
            ("working directory", planted(above, "/tmp/a/b")),
            ("data directory", planted(in_data, "/srv/data/x")),
            ("command lines", planted(named, "/opt/s")),
        ];
        for (signal, worlds) in worlds {
            for (world, reason) in worlds {
                let failure = find(&world).unwrap_err();
                assert_says(
                    &failure.text,
                    &["/sqlsatellitecert.pem is ignored, because ", &reason, "LOOPBACK_ODBC_CLIENT_CERTIFICATE"],
                );
                let findings = failure.findings.join("\n");
                assert_says(&findings, &[signal, "ignored: ", &reason]);
                // It does not affect the session's own pair.
                let pair = Pair::in_folder(Path::new("/elsewhere/own"));
                let world = world.pair("/elsewhere/own");
                let world = process(world, "self", &["x", "/elsewhere/own", "/opt/s/x.py"], "0");
                assert_eq!(find(&world).unwrap(), pair, "{reason}");
            }
        }
    }

    #[test]
    fn the_parent_process_id_must_be_a_number() {
        for parent in ["../../tmp/planted", "1\u{1b}[2J", "-1", "4294967296"] {
            let world = process(Fixture::default().working_directory("/elsewhere"), "self", &["x"], parent);
            let world = process(world.pair("/opt/s"), parent, &["x", "/opt/s/x.py"], "0");
            assert_says(&refusal(&world), &["the processes above: /proc/self/stat does not name the parent process"]);
        }
    }

    #[test]
    fn a_planted_pair_is_never_read() {
        let world = Fixture::default().working_directory("/tmp").pair("/tmp").owned("/tmp", 0, 0, 0o1777);
        assert_says(&refusal(&world.unreadable("/tmp/sqlsatellitekey.pem")), &["is ignored, because every user"]);
    }

    #[test]
    fn the_microsoft_installation_layout_is_trusted_with_each_signal() {
        let data = "/var/opt/mssql-extensibility/data";
        let installed = || {
            Fixture::default()
                .pair(LAUNCHPAD)
                .owned("/var/opt/mssql-extensibility", 996, 996, 0o771)
                .owned(data, 996, 996, 0o771)
                .owned(LAUNCHPAD, 996, 1000, 0o770)
                .owned(SESSION, 1000, 1000, 0o700)
        };
        let pair = Pair::in_folder(Path::new(LAUNCHPAD));
        assert_eq!(find(&installed().working_directory(SESSION)).unwrap(), pair);
        assert_eq!(find(&installed().working_directory("/")).unwrap(), pair);
        assert_eq!(find(&process(installed().unlisted(), "self", &["x", SESSION], "0")).unwrap(), pair);
    }

    #[test]
    fn the_path_that_is_used_is_the_one_that_was_judged() {
        let world = Fixture::default().working_directory("/home/me/link").link("/home/me/link", LAUNCHPAD);
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
    fn a_file_that_is_too_large_is_refused() {
        for name in ["sqlsatellitecert.pem", "sqlsatellitekey.pem"] {
            let path = format!("{LAUNCHPAD}/{name}");
            let contents = |size: usize| format!("{CERTIFICATE_PEM}{KEY_PEM}{}", " ".repeat(size));
            let world = |size| Fixture::default().pair(LAUNCHPAD).file(&path, contents(size));
            assert!(find(&world(MOST_PEM_BYTES - contents(0).len())).is_ok());
            let text = refusal(&world(MOST_PEM_BYTES + 1 - contents(0).len()));
            assert_says(&text, &[&path, "is too large: it has more than 262144 bytes"]);
        }
    }

    #[test]
    fn each_signal_stops_at_its_limits_and_names_what_it_skipped() {
        let world = || Fixture::default().working_directory("/elsewhere").pair("/x/s").unlisted();
        let command_line = |arguments: &[&str]| refusal(&process(world(), "self", arguments, "0"));
        let deep = |folders: usize| format!("/x/s{}", "/d".repeat(folders));
        let found = |path: &str| find(&process(world(), "self", &["x", path], "0")).is_ok();
        assert!(found(&deep(MOST_FOLDERS - 1)));
        assert!(!found(&deep(MOST_FOLDERS)));
        let left_out = format!("skipped: /x/s and the folders above it (more than {MOST_FOLDERS} folders up)");
        assert_says(&command_line(&["x", &deep(MOST_FOLDERS)]), &[&left_out]);
        let below = Fixture::default().working_directory(&deep(MOST_FOLDERS)).pair("/x/s");
        assert_says(&refusal(&below), &["working directory: ", &left_out]);

        let slashes = "/".repeat(120_000);
        assert_says(
            &command_line(&["x", &slashes, "/x/s"]),
            &["skipped: everything after the first 65536 bytes of /proc/self/cmdline"],
        );
        for long in [&slashes[..LONGEST_PATH], &deep(LONGEST_PATH), &format!("a={}", &slashes[..LONGEST_PATH])] {
            assert!(!command_line(&[long]).contains("skipped"));
            assert!(find(&process(world(), "self", &[long, "/x/s"], "0")).is_ok());
        }
        // A path whose end is cut off is another path.
        let cut = format!("{}\0/x/s/{}", "y".repeat(MOST_COMMAND_LINE_BYTES - 10), "d".repeat(100));
        assert_says(&command_line(&[&cut]), &["skipped: everything after the first 65536 bytes"]);

        let many: Vec<String> = (0..MOST_PATHS).map(|number| format!("/n/{number}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        many.push("/x/s");
        assert_says(&command_line(&many), &["skipped: the paths after the first 32 in /proc/self/cmdline"]);
        assert!(find(&process(world(), "self", &many[1..], "0")).is_ok());

        let entries = |count: usize| {
            let data = || Fixture::default().working_directory("/elsewhere");
            (0..count).fold(data(), |world, number| world.pair(&format!("{DATA_DIR}/{number}")))
        };
        assert_says(&refusal(&entries(MOST_ENTRIES + 1)), &["it has more than 1024 entries"]);
        // Of a great many, only some are named.
        let text = refusal(&entries(500));
        assert_says(&text, &["there are 500 sessions' certificates", "and 492 more"]);
        let unusable = (0..500)
            .fold(entries(500), |world, number| world.unreadable(&format!("{DATA_DIR}/{number}/sqlsatellitekey.pem")));
        assert_says(&refusal(&unusable), &["cannot be read: permission denied", "491 more pairs cannot be used."]);
    }

    #[test]
    #[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
    fn a_folder_that_cannot_be_searched_is_not_reported_as_empty() {
        let closed = || Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD).closed(LAUNCHPAD);
        let line = format!("cannot be searched: {LAUNCHPAD}: permission denied");
        assert_says(&refusal(&closed()), &[&line, "no usable certificate and key in its 1 entries"]);
        let below = format!("cannot be searched: {SESSION}: permission denied, {LAUNCHPAD}: permission denied");
        assert_says(&refusal(&closed().working_directory(SESSION)), &["working directory: ", &below]);
        let named = process(closed().unlisted(), "self", &["x", SESSION], "0");
        assert_says(&refusal(&named), &["command lines: ", &below, "cannot be listed: permission denied"]);
    }

    #[test]
    fn unreadable_processes_are_reported() {
        let world = || process(Fixture::default().working_directory("/elsewhere"), "self", &["x"], "5");
        assert_says(
            &refusal(&world()),
            &["skipped: /proc/5/cmdline cannot be read: ", "on the command lines of 1 processes"],
        );
        let no_parent = world().unreadable("/proc/self/stat");
        assert_says(&refusal(&no_parent), &["the processes above: /proc/self/stat cannot be read: permission denied"]);
        let nonsense = world().file("/proc/self/stat", "nonsense");
        assert_says(&refusal(&nonsense), &["the processes above: /proc/self/stat does not name the parent process"]);
    }

    #[test]
    fn control_characters_of_a_path_do_not_break_lines() {
        let evil = "/tmp/x\nERROR: forged";
        let world = || Fixture::default().working_directory(evil).pair(evil);
        for world in [
            world().owned("/tmp", 0, 0, 0o1777),
            world().unreadable(&format!("{evil}/sqlsatellitekey.pem")),
            world().closed(evil),
            Fixture::default().working_directory(evil),
            Fixture::default()
                .working_directory("/")
                .variable(DATA_DIR_VARIABLE, evil)
                .pair(&format!("{evil}/a"))
                .pair(&format!("{evil}/b")),
            Fixture::default().working_directory(evil).file(&format!("{evil}/sqlsatellitecert.pem"), ""),
        ] {
            let failure = find(&world).unwrap_err();
            for line in failure.lines() {
                assert!(!line.contains(char::is_control), "{line:?}");
            }
            assert_says(&failure.lines().join("\n"), &["/tmp/x\\nERROR: forged"]);
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
    fn the_data_directory_is_used_if_the_working_directory_is_deleted() {
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
    fn no_pair_means_not_a_sql_server_script() {
        let world = Fixture::default().working_directory("/home/me").file("/var/opt/other", "");
        assert_says(&refusal(&world), &["/home/me", "/var/opt/mssql-extensibility/data", "cannot be listed"]);
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

    /// A process in /proc: its id, its command line, and its parent.
    fn process(world: Fixture, id: &str, arguments: &[&str], parent: &str) -> Fixture {
        world
            .file(&format!("/proc/{id}/cmdline"), arguments.join("\0"))
            .file(&format!("/proc/{id}/stat"), format!("7 (R (x) 1) S {parent} 7 7 0"))
    }

    #[test]
    fn a_command_line_path_leads_to_a_pair_in_an_unlistable_directory() {
        let closed = || Fixture::default().working_directory("/elsewhere").pair(LAUNCHPAD).unlisted();
        for arguments in [[SESSION, ""], ["-d", &format!("{SESSION}/script.py")], ["x", &format!("--dir={SESSION}")]] {
            let world = process(closed(), "self", &arguments, "0");
            assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
            // In the command line of the parent, and of the grandparent.
            let world = process(process(closed(), "self", &["python3"], "5"), "5", &arguments, "1");
            assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
        }
        assert_says(
            &refusal(&process(closed(), "self", &["python3", "x.py"], "0")),
            &["on the command lines of 1 processes"],
        );
        assert_says(&refusal(&closed()), &["/proc/self/cmdline cannot be read"]);
    }

    #[test]
    fn arguments_that_may_contain_a_password_are_neither_followed_nor_shown() {
        for argument in [
            "/closed/q;PWD=hunter2",
            "--dsn=/closed/b:hunter2@host/",
            "A=/closed/x; run --password hunter2",
            "/closed/'hunter2'",
        ] {
            let world = Fixture::default().working_directory("/elsewhere").closed("/closed").unlisted();
            let text = refusal(&process(world, "self", &["x", argument], "0"));
            assert!(!text.contains("hunter2") && !text.contains("/closed"), "{text}");
        }
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
        assert_eq!(find(&world).unwrap(), Pair::in_folder(Path::new(LAUNCHPAD)));
    }

    #[test]
    fn an_unreadable_pair_does_not_stop_the_command_line_search() {
        let world = Fixture::default().pair("/elsewhere/session").pair(OTHER);
        let world = world.unreadable(&format!("{OTHER}/sqlsatellitekey.pem"));
        let found = process(world, "self", &["python3", "/elsewhere/session/x.py"], "0");
        assert_eq!(find(&found).unwrap(), Pair::in_folder(Path::new("/elsewhere/session")));
    }

    #[test]
    fn a_cycle_of_parent_processes_ends() {
        let world = process(process(Fixture::default(), "self", &["a"], "5"), "5", &["b"], "5");
        assert_says(&refusal(&world), &["on the command lines of 32 processes"]);
    }

    #[test]
    fn the_limits_are_documented() {
        let page = include_str!("../../docs/discovery.md");
        assert_eq!(LONGEST_PATH, 4096);
        for (limit, row) in [
            (MOST_FOLDERS, "above a pair | LIMIT |"),
            (MOST_PEM_BYTES >> 10, "including configured ones | LIMIT KiB |"),
            (MOST_PROCESSES, "| processes | LIMIT |"),
            (MOST_COMMAND_LINE_BYTES >> 10, "bytes of a path | LIMIT KiB; "),
            (MOST_PATHS, " KiB; LIMIT; 4,096 |"),
        ] {
            assert!(page.contains(&row.replace("LIMIT", &limit.to_string())), "{row}: {limit}");
        }
        assert!(page.contains("entries of the data directory | 1,024 |") && MOST_ENTRIES == 1024);
    }

    #[test]
    fn pkcs1_and_pkcs8_keys_are_accepted() {
        let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
        let world = Fixture::default().pair(LAUNCHPAD).file(&key, "-----BEGIN PRIVATE KEY-----\n");
        assert!(find(&world).is_ok());
    }
}
