//! The outside world: everything outside the process, behind one small trait.
//!
//! Every rule about targets, sessions and servers is a function of a [`World`]. [`Machine`] is the real one. The tests
//! use a fixture, so each rule is tested without root, without a network namespace, and without SQL Server.

use std::error::Error;
use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

pub mod driver_manager;
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

pub use driver_manager::{Answer, Record};
pub use system::{LogFile, open_driver, stay_loaded, uncancelled};
#[cfg(fuzzing)]
pub use system::{NetlinkAnswer, netlink_answer};

/// The two files of registrations, by their names in the ODBC installer library.
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
            // In capitals, as Microsoft's driver writes it: see FIRST_BUFFER of the installer library for Linux.
            Profile::Odbc => c"ODBC.INI",
        }
    }
}

/// The operating systems. Each has its own form of a loopback connection.
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

/// An entry of the neighbour table (RFC 4861): a host with which this one has exchanged packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub interface: String,
    pub address: Ipv6Addr,
    /// Whether the address was ever resolved: the state is not FAILED, INCOMPLETE or none.
    pub resolved: bool,
}

/// The owner of a file or folder, and what others may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
    /// The permission bits. If there is an access control list, the group's bits are the most that the list grants to
    /// anyone.
    pub mode: u32,
}

/// What was read or listed, and whether there is more than the requested amount.
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
    /// The interface that the connection is bound to; every connection with a link-local address is bound. None if it
    /// is unknown.
    pub interface: Option<String>,
    /// The user who owns its socket.
    pub user: u32,
    /// The kernel's identifier for it; none if it is unknown.
    pub identity: Option<SocketIdentity>,
}

/// `struct inet_diag_sockid` of linux/inet_diag.h: ports, addresses, interface, and a number that is unique to this
/// socket since the machine was started.
pub type SocketIdentity = [u8; 48];

/// Everything that the rules check.
pub trait World {
    fn platform(&self) -> Platform;
    /// An environment variable. One that is empty counts as not set, and so does every variable in a program that has
    /// more rights than the user who started it, such as a setuid program.
    fn variable(&self, name: &str) -> Option<OsString>;
    /// The process's working directory.
    fn working_directory(&self) -> io::Result<PathBuf>;
    /// Whether there is something at `path`; an error if the system does not tell.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// A file's contents, at most `most` bytes.
    fn read(&self, path: &Path, most: usize) -> io::Result<Cut<Vec<u8>>>;
    /// The paths of a directory's entries, at most `most` of them.
    fn list(&self, directory: &Path, most: usize) -> io::Result<Cut<Vec<PathBuf>>>;
    /// The path that `path` leads to, without symbolic links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// The owner of a file or folder; none for a symbolic link.
    fn owner(&self, path: &Path) -> io::Result<Option<Owner>>;
    /// The effective user of this process.
    fn user(&self) -> u32;
    /// The effective group of this process.
    fn group(&self) -> u32;
    /// The file that a path leads to, whatever its name: device and inode.
    fn identity(&self, path: &Path) -> io::Result<(u64, u64)>;
    /// Whether every user of the machine can read a file.
    fn readable_by_all(&self, path: &Path) -> io::Result<bool>;
    /// The path of this library's own file.
    fn own_library(&self) -> Option<PathBuf>;
    /// The names of a profile's sections.
    ///
    /// # Errors
    /// The reason why the installer library is not available.
    fn profile_sections(&self, profile: Profile) -> Result<Vec<String>, String>;
    /// The keywords of a profile's section; none if there is no such section.
    ///
    /// # Errors
    /// The reason why the installer library is not available.
    fn profile_keywords(&self, profile: Profile, section: &str) -> Result<Vec<String>, String>;
    /// The keywords of a data source's section, if listing them costs less than reading a few values by name; none
    /// otherwise.
    ///
    /// # Errors
    /// The reason why the installer library is not available.
    fn profile_overview(&self, section: &str) -> Result<Option<Vec<String>>, String>;
    /// A value of a profile's section; empty if there is none.
    ///
    /// # Errors
    /// The reason why the installer library is not available, or why its answer cannot be used.
    fn profile_value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String>;
    /// The IPv6 addresses of all interfaces, from the kernel's routing socket.
    fn interface_addresses(&self) -> io::Result<Vec<InterfaceAddress>>;
    /// The established TCP connections to link-local addresses, from the kernel's socket diagnostics.
    fn tcp_connections(&self) -> io::Result<Vec<TcpConnection>>;
    /// The established connection with this identity; none if it has ended.
    fn tcp_connection(&self, identity: &SocketIdentity) -> Option<TcpConnection>;
    /// The connection that showed the server, remembered for the next connect of this process.
    fn remembered_connection(&self) -> &Mutex<Option<SocketIdentity>>;
    /// The IPv6 neighbour table.
    fn neighbours(&self) -> io::Result<Vec<Neighbour>>;
    /// The paths of this process's program and of the libraries that it has loaded. This and the following are for
    /// Windows only.
    fn process_paths(&self) -> Result<Vec<String>, String>;
    /// This process's command line.
    fn command_line(&self) -> Result<String, String>;
    /// The account that runs this process, `DOMAIN\NAME`.
    fn account(&self) -> Result<String, String>;
    /// The instances of SQL Server in the registry: their names and ids.
    fn instances(&self) -> Result<Vec<(String, String)>, String>;
    /// Connects through the driver manager and asks each query.
    ///
    /// # Errors
    /// The diagnostic records of the connect, or why there is no driver manager.
    fn ask(&self, string: &str, queries: &[&str]) -> Result<Vec<Answer>, Vec<Record>>;
}

/// The loader's message. On Windows libloading's own text is only the name of the function that failed.
pub fn words(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The machine this process runs on.
pub struct Machine;

/// The file of the library, for a program that contains only the library's code.
static SPOKEN_FOR: OnceLock<PathBuf> = OnceLock::new();

/// Makes this file the result of [`World::own_library`] for the [`Machine`]. Only the first call has an effect.
pub fn speak_for(library: PathBuf) {
    SPOKEN_FOR.get_or_init(|| library);
}

/// A function of the ODBC installer library.
///
/// # Errors
/// The reason why the library cannot be loaded, or that the library lacks the function.
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
        // Reading a pipe would wait for a writer, and a device might never end.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        // Files in /proc report size 0.
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
        // Sorted, so messages always name the same things in the same order.
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

    fn ask(&self, string: &str, queries: &[&str]) -> Result<Vec<Answer>, Vec<Record>> {
        driver_manager::ask(string, queries)
    }
}
