//! odbcinst.ini and odbc.ini: where unixODBC has them, and how they are changed.

use super::backup::Kept;
use crate::ini::Ini;
use crate::installer::Mode;
use crate::places::folder_of;
use crate::plan::{Warning, Writable};
use loopbackodbc::program::installer_function;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The modes of files that were not there: one that every user's programs read, and one for its owner's passwords.
const FOR_ALL: u32 = 0o644;
const FOR_ITS_OWNER: u32 = 0o600;

/// More than unixODBC's ODBC_FILENAME_MAX, to which it writes without being told a length.
const PATH: usize = 16 * 1024;

/// One of the two files.
#[derive(Clone, Debug)]
pub struct Register {
    pub path: PathBuf,
    /// Of the file, if it is not there.
    mode: u32,
}

/// Where drivers and the data sources of this mode are registered, by unixODBC's own word: `ODBCSYSINI`, `ODBCINSTINI` and
/// `ODBCINI` count as they do to the driver manager. Nothing is made.
///
/// # Errors
/// The installer library cannot be loaded, or is not unixODBC's.
pub fn registers(mode: Mode) -> Result<(Register, Register), String> {
    type Name = unsafe extern "C" fn(*mut c_char) -> *const c_char;
    type Odbc = unsafe extern "C" fn(*mut c_char, c_int) -> c_int;
    const DO_NOT_MAKE: c_int = 0;
    let not_unixodbc = |reason| {
        format!("unixODBC's installer library is needed (Debian and Ubuntu: libodbcinst2, others: unixODBC): {reason}")
    };
    let function = |name| installer_function(name).map_err(not_unixodbc);
    let name = |function: *const ()| {
        let mut buffer = vec![0; PATH];
        // SAFETY: unixODBC's function of this type, which fills the buffer, or not, and gives a string that ends with a NUL, in
        // that buffer or one of its own that stays.
        unsafe {
            let name = std::mem::transmute::<*const (), Name>(function)(buffer.as_mut_ptr());
            path_of(CStr::from_ptr(name))
        }
    };
    // As unixODBC puts them together: an absolute name does not take the folder's place.
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

impl Register {
    /// # Errors
    /// The system's reason why it cannot be read.
    pub fn read(&self) -> Result<Ini, String> {
        Ini::read(&self.path)
    }

    /// The file, if there may be such a thing to be seen by scripts.
    pub fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    /// What is to be said of what a change loses.
    pub fn loses(&self) -> &'static str {
        match self.read().is_ok_and(|ini| ini.comments) {
            true => "; comments are lost there until `uninstall` puts them back, and kept in a copy",
            false => "",
        }
    }

    /// Has a section added or changed, and keeps the file as it was before.
    ///
    /// # Errors
    /// Those of the change, and of the copies.
    pub fn install(&self, section: &str, change: impl FnOnce() -> Result<(), String>) -> Result<Warning, String> {
        let old = Kept::of(&self.path).install(section, self.mode, change)?;
        Ok(old.map(|copy| {
            format!(
                "{self} was changed by others since the last installation, and has lost comments then; they are in {}",
                copy.display()
            )
        }))
    }
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.path.display().fmt(formatter)
    }
}

/// The file and its copies, which stand beside it.
impl Writable for Register {
    fn writable(&self) -> Result<(), String> {
        let paths = [self.path.clone(), folder_of(&self.path)];
        paths.iter().try_for_each(Writable::writable)
    }
}
