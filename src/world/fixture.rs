//! A world made of test data, for the tests of the rules and for the fuzz targets.

use super::{
    Answer, Cut, InterfaceAddress, Neighbour, Owner, Platform, Profile, Record, SocketIdentity, TcpConnection, World,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// An absolute path on the system that runs the tests.
#[cfg(test)]
macro_rules! whole {
    ($path:literal) => {
        if cfg!(windows) { concat!("C:", $path) } else { $path }
    };
}
#[cfg(test)]
pub(crate) use whole;

pub const CERTIFICATE_PEM: &str = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
pub const KEY_PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n";

/// The driver of every data source here. A section without a driver does not count as a data source.
const LOOPBACK: &str = "SQL Server Loopback";

/// Represents a value in another encoding.
pub const NOT_UTF_8: &str = "(not UTF-8)";
/// User and group of the process.
pub const USER: u32 = 1000;

/// A section of a profile: its name, and its keywords with their values.
type Section = (String, Vec<(String, String)>);

/// An empty world; the methods below fill it.
#[derive(Default)]
pub struct Fixture {
    variables: BTreeMap<String, String>,
    working_directory: Option<PathBuf>,
    files: BTreeMap<PathBuf, Result<Vec<u8>, io::ErrorKind>>,
    closed: BTreeSet<PathBuf>,
    open: BTreeSet<PathBuf>,
    owners: BTreeMap<PathBuf, Result<Owner, io::ErrorKind>>,
    links: BTreeMap<PathBuf, PathBuf>,
    unlisted: bool,
    odbcinst: Vec<Section>,
    odbc: Vec<Section>,
    own_library: Option<PathBuf>,
    addresses: Vec<InterfaceAddress>,
    no_addresses: bool,
    connections: Option<Vec<TcpConnection>>,
    /// How many connections have an identity.
    sockets: u8,
    neighbours: Option<Vec<Neighbour>>,
    remembered_connection: Mutex<Option<SocketIdentity>>,
    windows: bool,
    process_paths: Vec<String>,
    command_line: String,
    account: Option<String>,
    instances: Vec<(String, String)>,
    no_registry: bool,
    overview: bool,
    answers: Vec<(String, String)>,
    refusal: Vec<Record>,
}

impl Fixture {
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub fn working_directory(mut self, path: &str) -> Self {
        self.working_directory = Some(path.into());
        self
    }

    pub fn file(mut self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), Ok(contents.as_ref().to_vec()));
        self
    }

    /// A file that exists but cannot be read.
    pub fn unreadable(mut self, path: &str) -> Self {
        self.files.insert(path.into(), Err(io::ErrorKind::PermissionDenied));
        self
    }

    /// A folder that cannot be listed or searched.
    pub fn closed(mut self, folder: &str) -> Self {
        self.closed.insert(folder.into());
        self
    }

    /// A file that every user can read.
    pub fn open(mut self, path: &str) -> Self {
        self.open.insert(path.into());
        self
    }

    /// A file or folder with another owner or mode. All others belong to root alone.
    pub fn owned(mut self, path: &str, user: u32, group: u32, mode: u32) -> Self {
        self.owners.insert(path.into(), Ok(Owner { user, group, mode }));
        self
    }

    /// A file or folder whose owner is unknown.
    pub fn of_nobody_knows_whom(mut self, path: &str) -> Self {
        self.owners.insert(path.into(), Err(io::ErrorKind::PermissionDenied));
        self
    }

    /// No folder can be listed, but files with known names can be used.
    pub fn unlisted(mut self) -> Self {
        self.unlisted = true;
        self
    }

    pub fn pair(self, folder: &str) -> Self {
        self.file(&format!("{folder}/sqlsatellitecert.pem"), CERTIFICATE_PEM)
            .file(&format!("{folder}/sqlsatellitekey.pem"), KEY_PEM)
    }

    /// A symbolic link to a folder with a pair.
    pub fn link(mut self, link: &str, to: &str) -> Self {
        self.links.insert(link.into(), to.into());
        self.pair(link).pair(to)
    }

    pub fn section(mut self, profile: Profile, name: &str, entries: &[(&str, &str)]) -> Self {
        let entries: Vec<(String, String)> = entries.iter().map(|&(one, other)| (one.into(), other.into())).collect();
        match profile {
            Profile::Odbcinst => self.odbcinst.push((name.into(), entries)),
            Profile::Odbc => {
                self.odbc.push((name.into(), [vec![("Driver".into(), LOOPBACK.into())], entries].concat()))
            }
        }
        self
    }

    /// The keywords of a section can be listed.
    pub fn overview(mut self) -> Self {
        self.overview = true;
        self
    }

    pub fn own_library(mut self, path: &str) -> Self {
        self.own_library = Some(path.into());
        self.file(path, "")
    }

    pub fn address(mut self, interface: &str, address: &str) -> Self {
        let address = address.parse().unwrap();
        self.addresses.push(InterfaceAddress { interface: interface.into(), address, loopback: interface == "lo" });
        self
    }

    /// Netlink does not return the interfaces' addresses.
    pub fn no_addresses(mut self) -> Self {
        self.no_addresses = true;
        self
    }

    /// An established connection whose interface and identity are unknown.
    pub fn connection(mut self, local: &str, remote: &str) -> Self {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        let connection = TcpConnection { local, remote, interface: None, user: USER, identity: None };
        self.connections.get_or_insert_default().push(connection);
        self
    }

    /// An established connection as socket diagnostics return it.
    pub fn bound_connection(mut self, local: &str, remote: &str, interface: &str) -> Self {
        self.sockets += 1;
        let (local, remote, interface) = (local.parse().unwrap(), remote.parse().unwrap(), Some(interface.to_owned()));
        let identity = Some([self.sockets; 48]);
        self.connections.get_or_insert_default().push(TcpConnection { local, remote, interface, user: USER, identity });
        self
    }

    /// The last connection's socket belongs to this user.
    pub fn of_user(mut self, user: u32) -> Self {
        self.connections.as_mut().unwrap().last_mut().unwrap().user = user;
        self
    }

    /// All connections so far have ended.
    pub fn without_connections(mut self) -> Self {
        self.connections = None;
        self
    }

    pub fn neighbour(mut self, interface: &str, address: &str, resolved: bool) -> Self {
        let neighbour = Neighbour { interface: interface.into(), address: address.parse().unwrap(), resolved };
        self.neighbours.get_or_insert_default().push(neighbour);
        self
    }

    pub fn windows(mut self) -> Self {
        self.windows = true;
        self
    }

    pub fn process_path(mut self, path: &str) -> Self {
        self.process_paths.push(path.into());
        self
    }

    pub fn command_line(mut self, line: &str) -> Self {
        self.command_line = line.into();
        self
    }

    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.into());
        self
    }

    pub fn instance(mut self, name: &str, id: &str) -> Self {
        self.instances.push((name.into(), id.into()));
        self
    }

    /// The registry cannot be read.
    pub fn no_registry(mut self) -> Self {
        self.no_registry = true;
        self
    }

    /// A connection's answer to each query that contains this; others fail.
    pub fn answer(mut self, query: &str, answer: &str) -> Self {
        self.answers.push((query.into(), answer.into()));
        self
    }

    /// Each connect fails with this record.
    pub fn refusal(mut self, state: &str, native_error: i32, text: &str) -> Self {
        self.refusal.push(Record { state: state.into(), native_error, text: text.into() });
        self
    }

    fn sections(&self, profile: Profile) -> &[Section] {
        match profile {
            Profile::Odbcinst => &self.odbcinst,
            Profile::Odbc => &self.odbc,
        }
    }

    fn entries(&self, profile: Profile, section: &str) -> &[(String, String)] {
        let found = self.sections(profile).iter().find(|(name, _)| name.eq_ignore_ascii_case(section));
        found.map_or(&[], |(_, entries)| entries)
    }

    fn refuse_below_closed(&self, path: &Path) -> io::Result<()> {
        match path.ancestors().skip(1).any(|folder| self.closed.contains(folder)) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

impl World for Fixture {
    fn platform(&self) -> Platform {
        if self.windows { Platform::Windows } else { Platform::Linux }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(OsString::from)
    }

    fn working_directory(&self) -> io::Result<PathBuf> {
        self.working_directory.clone().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.refuse_below_closed(path)?;
        Ok(self.files.contains_key(path))
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Cut<Vec<u8>>> {
        self.refuse_below_closed(path)?;
        let mut part = self.files.get(path).cloned().unwrap_or(Err(io::ErrorKind::NotFound))?;
        let more = part.len() > most;
        part.truncate(most);
        Ok(Cut { part, more })
    }

    fn list(&self, directory: &Path, most: usize) -> io::Result<Cut<Vec<PathBuf>>> {
        if self.unlisted || self.closed.contains(directory) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let below = self.files.keys().filter_map(|path| path.strip_prefix(directory).ok());
        let entries: BTreeSet<PathBuf> =
            below.filter_map(|path| path.components().next()).map(|name| directory.join(name)).collect();
        if entries.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let more = entries.len() > most;
        Ok(Cut { part: entries.into_iter().take(most).collect(), more })
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.refuse_below_closed(path)?;
        let linked = self.links.iter().find_map(|(link, to)| Some(to.join(path.strip_prefix(link).ok()?)));
        Ok(linked.unwrap_or_else(|| path.to_owned()))
    }

    fn owner(&self, path: &Path) -> io::Result<Option<Owner>> {
        if self.links.contains_key(path) {
            return Ok(None);
        }
        let of_root = Owner { user: 0, group: 0, mode: 0o755 };
        self.owners.get(path).copied().unwrap_or(Ok(of_root)).map(Some).map_err(Into::into)
    }

    fn user(&self) -> u32 {
        USER
    }

    fn group(&self) -> u32 {
        USER
    }

    fn identity(&self, path: &Path) -> io::Result<(u64, u64)> {
        let resolved = self.resolve(path)?;
        let inode = self.files.keys().position(|known| *known == resolved);
        inode.map(|inode| (1, inode as u64)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn readable_by_all(&self, path: &Path) -> io::Result<bool> {
        Ok(self.open.contains(path))
    }

    fn own_library(&self) -> Option<PathBuf> {
        self.own_library.clone()
    }

    fn profile_sections(&self, profile: Profile) -> Result<Vec<String>, String> {
        Ok(self.sections(profile).iter().map(|(name, _)| name.clone()).collect())
    }

    fn profile_keywords(&self, profile: Profile, section: &str) -> Result<Vec<String>, String> {
        Ok(self.entries(profile, section).iter().map(|(keyword, _)| keyword.clone()).collect())
    }

    fn profile_overview(&self, section: &str) -> Result<Option<Vec<String>>, String> {
        self.overview.then(|| self.profile_keywords(Profile::Odbc, section)).transpose()
    }

    fn profile_value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String> {
        let mut entries = self.entries(profile, section).iter();
        let found = entries.find(|(known, _)| known.eq_ignore_ascii_case(keyword));
        let value = found.map(|(_, value)| value.clone()).unwrap_or_default();
        if value == NOT_UTF_8 { Err("it is not UTF-8".to_owned()) } else { Ok(value) }
    }

    fn interface_addresses(&self) -> io::Result<Vec<InterfaceAddress>> {
        if self.no_addresses { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(self.addresses.clone()) }
    }

    fn tcp_connections(&self) -> io::Result<Vec<TcpConnection>> {
        self.connections.clone().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn tcp_connection(&self, identity: &SocketIdentity) -> Option<TcpConnection> {
        self.connections.iter().flatten().find(|it| it.identity.as_ref() == Some(identity)).cloned()
    }

    fn remembered_connection(&self) -> &Mutex<Option<SocketIdentity>> {
        &self.remembered_connection
    }

    fn neighbours(&self) -> io::Result<Vec<Neighbour>> {
        self.neighbours.clone().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn process_paths(&self) -> Result<Vec<String>, String> {
        Ok(self.process_paths.clone())
    }

    fn command_line(&self) -> Result<String, String> {
        Ok(self.command_line.clone())
    }

    fn account(&self) -> Result<String, String> {
        self.account.clone().ok_or_else(|| "cannot be determined".to_owned())
    }

    fn instances(&self) -> Result<Vec<(String, String)>, String> {
        if self.no_registry { Err("access denied".to_owned()) } else { Ok(self.instances.clone()) }
    }

    fn ask(&self, _string: &str, queries: &[&str]) -> Result<Vec<Answer>, Vec<Record>> {
        if !self.refusal.is_empty() {
            return Err(self.refusal.clone());
        }
        let answer = |query: &&str| {
            let found = self.answers.iter().find(|(part, _)| query.contains(part));
            found.map(|(_, answer)| answer.clone()).ok_or_else(|| vec![Record::from("no answer".to_owned())])
        };
        Ok(queries.iter().map(answer).collect())
    }
}
