//! The outside world as this library sees it: one small trait.
//!
//! Every rule about targets, sessions and servers is a function of a [`World`]. [`Machine`] is the real one; the tests
//! make theirs of fixtures, so that each rule is tested without root, without a network namespace, and without SQL
//! Server.

use std::ffi::{CStr, OsString};
use std::io;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

#[cfg(test)]
pub mod fixture;
#[cfg(not(windows))]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(not(windows))]
use linux as system;
#[cfg(windows)]
use windows as system;

pub use system::{LogFile, open_driver, stay_loaded, uncancelled};

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
            Profile::Odbc => c"odbc.ini",
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

/// The two ends of an established TCP connection over IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpConnection {
    pub local: Ipv6Addr,
    pub remote: Ipv6Addr,
    /// The interface that the connection is bound to, as every one with a link-local address is; none where it cannot be
    /// told.
    pub interface: Option<String>,
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
    /// A file's contents.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The paths of a directory's entries.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;
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
    /// A value of a profile's section; empty when there is none.
    ///
    /// # Errors
    /// The reason why the installer library cannot be asked, or its answer not be used.
    fn profile_value(&self, profile: Profile, section: &str, keyword: &str) -> Result<String, String>;
    /// The IPv6 addresses of all interfaces.
    fn interface_addresses(&self) -> io::Result<Vec<InterfaceAddress>>;
    /// The established TCP connections over IPv6 as the kernel's socket diagnostics tell them.
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

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // A pipe would wait for a writer, and a device might never end.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        std::fs::read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = std::fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<PathBuf>>>()?;
        // So that messages name the same things in the same order each time.
        paths.sort();
        Ok(paths)
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
