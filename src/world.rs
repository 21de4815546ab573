//! The outside world as this library sees it: one small trait.
//!
//! Every rule about targets, sessions and servers is a function of a [`World`]. [`Machine`] is the real one; the tests
//! make theirs of fixtures, so that each rule is tested without root, without a network namespace, and without SQL
//! Server.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

#[cfg(any(test, fuzzing))]
pub mod fixture;
pub mod guard;
#[cfg(not(windows))]
mod linux;
pub mod logging;
#[cfg(windows)]
mod windows;

#[cfg(not(windows))]
use linux as system;
#[cfg(windows)]
use windows as system;

pub use system::{LogFile, open_driver, stay_loaded, uncancelled};
#[cfg(fuzzing)]
pub use system::{NetlinkAnswer, netlink_answer};

/// The two files of registrations, by the names that the ODBC installer library knows them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Driver specifications.
    Odbcinst,
    /// Data source specifications.
    Odbc,
}

impl Profile {
    fn file_name(self) -> &'static CStr {
        match self {
            Profile::Odbcinst => c"odbcinst.ini",
            // As Microsoft's driver writes it: see FIRST_BUFFER of the installer library for Linux.
            Profile::Odbc => c"ODBC.INI",
        }
    }
}

/// The operating systems, of which each has its form of a loopback connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Linux,
    Windows,
}

/// An IPv6 address of one of this machine's network interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    pub interface: String,
    pub address: Ipv6Addr,
    /// Whether this is the loopback interface.
    pub loopback: bool,
}

/// An entry of the neighbour table (RFC 4861): a host that this one has exchanged packets with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub interface: String,
    pub address: Ipv6Addr,
    /// Whether the address was ever resolved: neither FAILED nor INCOMPLETE nor without a state.
    pub resolved: bool,
}

/// Whose a file or folder is, and what others may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
    /// The permission bits. Where there is an access control list, those of the group are the most that it gives anybody.
    pub mode: u32,
}

/// What was read or listed, and whether there is more of it than was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut<T> {
    pub part: T,
    pub more: bool,
}

/// The two ends of an established TCP connection over IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpConnection {
    pub local: Ipv6Addr,
    pub remote: Ipv6Addr,
    /// The interface that the connection is bound to, as every one with a link-local address is; none where it cannot be
    /// told.
    pub interface: Option<String>,
    /// Whose its socket is.
    pub user: u32,
    /// What the kernel knows it by; none where it is not told.
    pub identity: Option<SocketIdentity>,
}

/// `struct inet_diag_sockid` of linux/inet_diag.h: ports, addresses, interface, and a number that no other socket has had
/// since the machine was started.
pub type SocketIdentity = [u8; 48];

/// Everything the rules look at.
pub trait World {
    fn platform(&self) -> Platform;
    /// An environment variable; one that is set but empty counts as not set, and so does any in a program that has other
    /// rights than whoever set it.
    fn variable(&self, name: &str) -> Option<OsString>;
    /// The process's working directory.
    fn working_directory(&self) -> io::Result<PathBuf>;
    /// Whether there is something at `path`; an error when the system does not say.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// A file's contents, at most so many bytes of them.
    fn read(&self, path: &Path, most: usize) -> io::Result<Cut<Vec<u8>>>;
    /// The paths of a directory's entries, at most so many of them.
    fn list(&self, directory: &Path, most: usize) -> io::Result<Cut<Vec<PathBuf>>>;
    /// A path without symbolic links to what `path` leads to.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// Whose a file or folder is; none for a symbolic link.
    fn owner(&self, path: &Path) -> io::Result<Option<Owner>>;
    /// The effective user of this process.
    fn user(&self) -> u32;
    /// The effective group of this process.
    fn group(&self) -> u32;
    /// Which file a path leads to, whatever its name: device and inode.
    fn identity(&self, path: &Path) -> io::Result<(u64, u64)>;
    /// Whether every user of the machine may read a file.
    fn readable_by_all(&self, path: &Path) -> io::Result<bool>;
    /// The path of this library's own file.
    fn own_library(&self) -> Option<PathBuf>;
    /// The names of a profile's sections.
    ///
    /// # Errors
    /// The reason why the installer library cannot be asked.
    fn profile_sections(&self, profile: Profile) -> Result<Vec<String>, String>;
    /// The keywords of a profile's section; none when there is no such section.
    ///
    /// # Errors
    /// The reason why the installer library cannot be asked.
    fn profile_keywords(&self, profile: Profile, section: &str) -> Result<Vec<String>, String>;
    /// The keywords of a data source's section, where they can be told at less cost than asking for a few of them by name;
    /// none elsewhere.
    ///
    /// # Errors
    /// The reason why the installer library cannot be asked.
    fn profile_overview(&self, section: &str) -> Result<Option<Vec<String>>, String>;
    /// A value of a profile's section; empty when there is none.
    ///
    /// # Errors
    /// The reason why the installer library cannot be asked, or its answer not be used.
    fn profile_value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String>;
    /// The IPv6 addresses of all interfaces as the kernel's routing socket tells them.
    fn interface_addresses(&self) -> io::Result<Vec<InterfaceAddress>>;
    /// The established TCP connections to link-local addresses as the kernel's socket diagnostics tell them.
    fn tcp_connections(&self) -> io::Result<Vec<TcpConnection>>;
    /// The one of these connections that has this identity; none when it is no longer established.
    fn tcp_connection(&self, identity: &SocketIdentity) -> Option<TcpConnection>;
    /// The connection that showed the server, kept from one connect of this process to the next.
    fn remembered_connection(&self) -> &Mutex<Option<SocketIdentity>>;
    /// The IPv6 neighbour table.
    fn neighbours(&self) -> io::Result<Vec<Neighbour>>;
    /// The paths of this process's program and of the libraries that it has loaded. On Windows alone, as the following.
    fn process_paths(&self) -> Result<Vec<String>, String>;
    /// This process's command line.
    fn command_line(&self) -> Result<String, String>;
    /// The account that runs this process, `DOMAIN\NAME`.
    fn account(&self) -> Result<String, String>;
    /// The instances of SQL Server in the registry: names and ids.
    fn instances(&self) -> Result<Vec<(String, String)>, String>;
}

/// The machine this process runs on.
pub struct Machine;

/// The file of the library, where a program speaks for it that only has its code.
static SPOKEN_FOR: OnceLock<PathBuf> = OnceLock::new();

/// Makes this file the answer to [`World::own_library`] of the [`Machine`], the first time it is called.
pub fn speak_for(library: PathBuf) {
    SPOKEN_FOR.get_or_init(|| library);
}

/// A function of the ODBC installer library.
///
/// # Errors
/// The reason why the library cannot be loaded, or that it lacks the function.
pub fn installer_function(name: &str) -> Result<*const (), String> {
    system::installer::open()?.function(name)
}

impl World for Machine {
    fn platform(&self) -> Platform {
        if cfg!(windows) { Platform::Windows } else { Platform::Linux }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name).filter(|value| !value.is_empty() && !system::has_others_rights())
    }

    fn working_directory(&self) -> io::Result<PathBuf> {
        system::working_directory()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Cut<Vec<u8>>> {
        // A pipe would wait for a writer, and a device might never end.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        // The size that is told is 0 in /proc.
        let size = usize::try_from(metadata.len()).unwrap_or(most).min(most);
        let mut part = Vec::with_capacity(size + 1);
        File::open(path)?.take(most as u64 + 1).read_to_end(&mut part)?;
        let more = part.len() > most;
        part.truncate(most);
        Ok(Cut { part, more })
    }

    fn list(&self, directory: &Path, most: usize) -> io::Result<Cut<Vec<PathBuf>>> {
        let mut entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
        let mut part = entries.by_ref().take(most).collect::<io::Result<Vec<PathBuf>>>()?;
        // So that messages name the same things in the same order each time.
        part.sort();
        Ok(Cut { part, more: entries.next().is_some() })
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn owner(&self, path: &Path) -> io::Result<Option<Owner>> {
        system::owner(path)
    }

    fn user(&self) -> u32 {
        system::user()
    }

    fn group(&self) -> u32 {
        system::group()
    }

    fn identity(&self, path: &Path) -> io::Result<(u64, u64)> {
        system::identity(path)
    }

    fn readable_by_all(&self, path: &Path) -> io::Result<bool> {
        system::readable_by_all(path)
    }

    fn own_library(&self) -> Option<PathBuf> {
        SPOKEN_FOR.get().cloned().or_else(system::own_library)
    }

    fn profile_sections(&self, profile: Profile) -> Result<Vec<String>, String> {
        Ok(system::installer::open()?.sections(profile))
    }

    fn profile_keywords(&self, profile: Profile, section: &str) -> Result<Vec<String>, String> {
        Ok(system::installer::open()?.keywords(profile, section))
    }

    fn profile_overview(&self, section: &str) -> Result<Option<Vec<String>>, String> {
        let installer = system::installer::open()?;
        Ok(installer.lists_cheaply().then(|| installer.keywords(Profile::Odbc, section)))
    }

    fn profile_value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String> {
        system::installer::open()?.value(profile, section, keyword)
    }

    fn interface_addresses(&self) -> io::Result<Vec<InterfaceAddress>> {
        system::interface_addresses()
    }

    fn tcp_connections(&self) -> io::Result<Vec<TcpConnection>> {
        system::tcp_connections()
    }

    fn tcp_connection(&self, identity: &SocketIdentity) -> Option<TcpConnection> {
        system::tcp_connection(identity)
    }

    fn remembered_connection(&self) -> &Mutex<Option<SocketIdentity>> {
        static REMEMBERED: Mutex<Option<SocketIdentity>> = Mutex::new(None);
        &REMEMBERED
    }

    fn neighbours(&self) -> io::Result<Vec<Neighbour>> {
        system::neighbours()
    }

    fn process_paths(&self) -> Result<Vec<String>, String> {
        system::process_paths()
    }

    fn command_line(&self) -> Result<String, String> {
        system::command_line()
    }

    fn account(&self) -> Result<String, String> {
        system::account()
    }

    fn instances(&self) -> Result<Vec<(String, String)>, String> {
        system::instances()
    }
}
