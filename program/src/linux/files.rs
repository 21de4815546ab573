//! Finds and changes unixODBC's odbcinst.ini and odbc.ini.
//!
//! This program writes the files itself. unixODBC's installer library overwrites a file in place, drops its comments, and truncates
//! values to 1,000 bytes. It is only used to find the files, and to read the new file before it replaces the old one.

use super::AS_ADMINISTRATOR;
use super::exchange::{exchange, real, recover};
use super::ini::Before;
use crate::ini::{Ini, Section};
use crate::paths::folder_of;
use crate::places::Mode;
use crate::plan::{Change, Writable};
use loopbackodbc::program::installer_function;
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The modes of new files: one that all users' programs can read, and one for a user's own file, which may contain passwords.
const FOR_ALL: u32 = 0o644;
const FOR_ITS_OWNER: u32 = 0o600;

/// More than unixODBC's ODBC_FILENAME_MAX, to which it writes without being told a length.
const PATH: usize = 16 * 1024;

/// One of the two files.
#[derive(Clone, Debug)]
pub struct Register {
    pub path: PathBuf,
    /// The mode of the file, if it must be created.
    mode: u32,
}

/// The registers of drivers and of this mode's data sources, as unixODBC reports them. `ODBCSYSINI`, `ODBCINSTINI` and `ODBCINI` have
/// the same effect as on the driver manager. No file is created.
///
/// # Errors
/// The installer library cannot be loaded, or is not unixODBC's.
pub fn registers(mode: Mode) -> Result<(Register, Register), String> {
    type Name = unsafe extern "C" fn(*mut c_char) -> *const c_char;
    type Odbc = unsafe extern "C" fn(*mut c_char, c_int) -> c_int;
    const DO_NOT_MAKE: c_int = 0;
    let not_unixodbc = |reason| {
        format!(
            "unixODBC's installer library is required: {reason}. Fix: install package libodbcinst2 (Debian, Ubuntu) or \
             unixODBC (other distributions)"
        )
    };
    let function = |name| installer_function(name).map_err(not_unixodbc);
    let name = |function: *const ()| {
        let mut buffer = vec![0; PATH];
        // SAFETY: unixODBC's function of this type. It returns a string that ends with a NUL, in this buffer or in a static one.
        unsafe {
            let name = std::mem::transmute::<*const (), Name>(function)(buffer.as_mut_ptr());
            path_of(CStr::from_ptr(name))
        }
    };
    // Joined as unixODBC does: an absolute name does not replace the folder.
    let (folder, file) = (name(function("odbcinst_system_file_path")?), name(function("odbcinst_system_file_name")?));
    let drivers = folder.join(file.strip_prefix("/").unwrap_or(&file));
    let (odbc, of_new_file) = match mode {
        Mode::User => ("_odbcinst_UserINI", FOR_ITS_OWNER),
        Mode::System => ("_odbcinst_SystemINI", FOR_ALL),
    };
    let odbc = function(odbc)?;
    let mut buffer = vec![0; PATH];
    // SAFETY: unixODBC's function of this type, which writes a string that ends with a NUL to the buffer.
    let data_sources = unsafe {
        std::mem::transmute::<*const (), Odbc>(odbc)(buffer.as_mut_ptr(), DO_NOT_MAKE);
        path_of(CStr::from_ptr(buffer.as_ptr()))
    };
    Ok((Register { path: drivers, mode: FOR_ALL }, Register { path: data_sources, mode: of_new_file }))
}

fn path_of(name: &CStr) -> PathBuf {
    Path::new(OsStr::from_bytes(name.to_bytes())).to_owned()
}

/// A path by which unixODBC reads this file and no other: unixODBC takes every path that contains `odbcinst` for the file of registered
/// drivers. The file stays open, because unixODBC caches values by path and the next file must not get the same path.
fn path_for_unixodbc(file: &Path) -> io::Result<String> {
    Ok(format!("/proc/self/fd/{}", File::open(file)?.into_raw_fd()))
}

/// The bytes of a value, as unixODBC reads it from a file; empty if there is none.
///
/// # Errors
/// The installer library cannot be loaded, or a text contains a NUL.
fn profile_string(file: &str, section: &str, keyword: &str) -> Result<Vec<u8>, String> {
    type Text = *const c_char;
    type Get = unsafe extern "C" fn(Text, Text, Text, *mut c_char, c_int, Text) -> c_int;
    let text = |text: &str| CString::new(text).map_err(|error| error.to_string());
    let (section, keyword, file) = (text(section)?, text(keyword)?, text(file)?);
    let get = installer_function("SQLGetPrivateProfileString")?;
    let mut buffer: Vec<c_char> = vec![0; PATH];
    // SAFETY: the function has the type of the specification; the texts end with a NUL, and so does what it writes to the
    // buffer, whose length it is told.
    unsafe {
        let get = std::mem::transmute::<*const (), Get>(get);
        get(section.as_ptr(), keyword.as_ptr(), c"".as_ptr(), buffer.as_mut_ptr(), PATH as c_int, file.as_ptr());
        Ok(CStr::from_ptr(buffer.as_ptr()).to_bytes().to_vec())
    }
}

impl Register {
    /// # Errors
    /// The system's reason why it cannot be read.
    pub fn read(&self) -> Result<Ini, String> {
        Ini::read(&self.path)
    }

    /// Why unixODBC reads no section of this file, and the fix; none if it reads them.
    pub fn unread(&self, ini: &Ini) -> Option<(String, String)> {
        let path = self.path.display();
        let sudo = match self.mode {
            FOR_ALL => AS_ADMINISTRATOR,
            _ => "",
        };
        let (what, remedy) = match ini.before_sections()? {
            Before::ByteOrderMark => {
                ("a UTF-8 byte order mark", format!(r"{sudo}sed -i '1s/^\xEF\xBB\xBF//' '{path}'"))
            }
            Before::Utf16 => {
                ("the byte order mark of UTF-16", "save the file in UTF-8, without a byte order mark".to_owned())
            }
            Before::Text => ("text before the first section", "remove that text".to_owned()),
        };
        Some((format!("{path} begins with {what}, so unixODBC reads no section of it"), format!("Fix: {remedy}")))
    }

    /// The file, which scripts must see.
    pub fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    /// Adds a driver with a usage count of 1.
    pub fn add_driver(&self, ini: &Ini, name: &str, _folder: &Path, values: &[(&str, &str)]) -> Change {
        self.set(ini, name, &[values, &[("UsageCount", "1")]].concat())
    }

    /// Adds a data source.
    pub fn add_data_source(&self, ini: &Ini, name: &str, _driver_name: &str, driver: &str) -> Change {
        self.set(ini, name, &[("Driver", driver)])
    }

    /// Sets values of a section.
    pub fn set(&self, ini: &Ini, name: &str, values: &[(&str, &str)]) -> Change {
        let owned = |text: &&str| (*text).to_owned();
        let values_read = values.iter().map(|(keyword, value)| (owned(keyword), owned(value))).collect();
        self.change(ini, Some(ini.with(name, values)), name, values_read)
    }

    /// Reduces a driver's usage count to `left`.
    pub fn count_less(&self, ini: &Ini, name: &str, left: u32) -> Change {
        self.set(ini, name, &[("UsageCount", &left.to_string())])
    }

    /// Plans the removal of a driver; returns the line and the change.
    pub fn remove_driver(&self, ini: &Ini, section: &Section) -> (String, Change) {
        self.remove(ini, section, |_| true)
    }

    /// Plans the removal of a data source. Other keywords stay, because they may be a login that is needed again.
    pub fn remove_data_source(&self, ini: &Ini, section: &Section) -> (String, Change) {
        self.remove(ini, section, |keyword| keyword.eq_ignore_ascii_case("Driver"))
    }

    fn remove(&self, ini: &Ini, section: &Section, ours: impl Fn(&str) -> bool) -> (String, Change) {
        let others = section.properties.iter().map(|(keyword, _)| keyword.as_str()).filter(|keyword| !ours(keyword));
        let others: Vec<&str> = others.collect();
        let name = &section.name;
        // Removing the file would leave a dangling link.
        let new = ini.without(name, &ours).or_else(|| self.path.is_symlink().then(Vec::new));
        let says = match (others.is_empty(), &new) {
            (false, _) => format!("Driver removed; the other keywords stay: {}", others.join(", ")),
            (true, Some(_)) => "removed".to_owned(),
            (true, None) => "removed, and the file, which contains nothing else".to_owned(),
        };
        // A later section of the same name may become visible.
        let left = new.clone().map_or_else(Ini::default, Ini::parse);
        let driver = left.section(name).map_or("", |section| section.value("Driver")).to_owned();
        let change = self.change(ini, new, name, vec![("Driver".to_owned(), driver)]);
        (format!("{self}: [{name}] {says}"), change)
    }

    /// Replaces the file that was read, and checks that unixODBC reads these values from the new one.
    fn change(&self, ini: &Ini, new: Option<Vec<u8>>, name: &str, values: Vec<(String, String)>) -> Change {
        let (register, old, name) = (self.clone(), ini.contents.clone(), name.to_owned());
        let unread = self.unread(ini);
        Box::new(move || {
            let check = |new: &Path| {
                let file =
                    path_for_unixodbc(new).map_err(|error| format!("{} cannot be read: {error}", new.display()))?;
                values.iter().try_for_each(|(keyword, value)| match profile_string(&file, &name, keyword)? {
                    read if read == value.as_bytes() => Ok(()),
                    read => Err(format!(
                        "{register} was not changed: unixODBC would read {keyword} of [{name}] as {:?} instead of {value:?}{}",
                        String::from_utf8_lossy(&read),
                        unread.as_ref().map(|(reason, remedy)| format!(". {reason}. {remedy}")).unwrap_or_default()
                    )),
                })
            };
            exchange(&register.path, (old.as_deref(), new.as_deref()), register.mode, check).map(|()| None)
        })
    }

    /// Removes leftovers of a killed run.
    ///
    /// # Errors
    /// The system's reason, with the path.
    pub fn recover(&self) -> Result<(), String> {
        recover(&self.path)
    }
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.path.display().fmt(formatter)
    }
}

/// Checks the file, and the folder in which the new one is created.
impl Writable for Register {
    fn writable(&self, mode: Mode) -> Result<(), String> {
        let paths = [self.path.clone(), folder_of(&real(&self.path))];
        paths.iter().try_for_each(|path| path.writable(mode))?;
        match statx(CWD, &self.path, AtFlags::empty(), StatxFlags::BASIC_STATS) {
            Ok(file) if file.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) => {
                Err(format!("{self} is a mount point, so it cannot be replaced. Nothing was changed"))
            }
            _ => Ok(()),
        }
    }
}
