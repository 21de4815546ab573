//! The keys ODBCINST.INI and ODBC.INI of the registry: each section is a key below.

use crate::ini::{Ini, Section};
use crate::installer::Mode;
use crate::plan::{Plan, Warning, Writable, unwritable};
use std::fmt;
use std::path::Path;
use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE, Type, Value};

const DRIVERS: &str = r"SOFTWARE\ODBC\ODBCINST.INI";
const DATA_SOURCES: &str = r"SOFTWARE\ODBC\ODBC.INI";

/// One of the keys.
#[derive(Clone, Debug)]
pub struct Register {
    mode: Mode,
    path: &'static str,
}

/// Where drivers and the data sources of this mode are registered.
///
/// # Errors
/// None.
pub fn registers(mode: Mode) -> Result<(Register, Register), String> {
    Ok((Register { mode: Mode::System, path: DRIVERS }, Register { mode, path: DATA_SOURCES }))
}

impl Register {
    fn root(&self) -> &'static Key {
        match self.mode {
            Mode::System => LOCAL_MACHINE,
            Mode::User => CURRENT_USER,
        }
    }

    /// The sections; none where there is no such key.
    ///
    /// # Errors
    /// The system's reason why it cannot be read.
    pub fn read(&self) -> Result<Ini, String> {
        let sections = existing(self.root().open(self.path)).and_then(|key| match key {
            Some(key) => key.keys()?.map(|name| section(&key, name)).collect(),
            None => Ok(Vec::new()),
        });
        sections.map(|sections| Ini { sections }).map_err(|error| format!("{self} cannot be read: {error}"))
    }

    /// No file, whose place could be hidden from scripts.
    pub fn file(&self) -> Option<&Path> {
        None
    }

    /// What is to be said of what a change loses: nothing is lost.
    pub fn loses(&self) -> &'static str {
        ""
    }

    /// Has a section added or changed.
    ///
    /// # Errors
    /// Those of the change.
    pub fn install(&self, _section: &str, change: impl FnOnce() -> Result<(), String>) -> Result<Warning, String> {
        change().map(|()| None)
    }
}

fn section(key: &Key, name: String) -> windows_registry::Result<Section> {
    let key = key.open(&name)?;
    let properties = key.values()?.filter_map(|(keyword, value)| Some((keyword, text(value)?))).collect();
    Ok(Section { name, properties })
}

/// A value as it would stand in a file: texts, and the usage count.
fn text(value: Value) -> Option<String> {
    match value.ty() {
        Type::U32 => u32::try_from(value).ok().map(|number| number.to_string()),
        _ => String::try_from(value).ok(),
    }
}

fn existing<T>(outcome: windows_registry::Result<T>) -> windows_registry::Result<Option<T>> {
    /// HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)
    const NOT_FOUND: u32 = 0x8007_0002;
    match outcome {
        Err(error) if error.code().0 as u32 == NOT_FOUND => Ok(None),
        outcome => outcome.map(Some),
    }
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let root = match self.mode {
            Mode::System => "HKLM",
            Mode::User => "HKCU",
        };
        write!(formatter, r"{root}\{}", self.path)
    }
}

/// The key, or the nearest one above it that there is.
impl Writable for Register {
    fn writable(&self) -> Result<(), String> {
        let above = self.path.match_indices('\\').map(|(index, _)| &self.path[..index]);
        let nearest_first = above.chain([self.path]).rev();
        for path in nearest_first.collect::<Vec<_>>() {
            match existing(self.root().options().read().write().open(path)) {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {}
                Err(error) => return Err(unwritable(self, &error)),
            }
        }
        Ok(())
    }
}

/// Removes a section by the installer library. `written` says whether somebody has added to the section.
///
/// # Errors
/// None.
pub fn remove_section(
    plan: &mut Plan,
    register: &Register,
    name: &str,
    written: bool,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    let loses = if written { "; what was added to it is lost" } else { "" };
    let (place, section) = (register.clone(), name.to_owned());
    plan.change(format!("{register}: [{name}] removed{loses}"), register.clone(), move || {
        by_installer()?;
        match place.read()?.section(&section) {
            Some(_) => Err(format!(
                "the ODBC installer library has said that all is well, but [{section}] of {place} is still there"
            )),
            None => Ok(None),
        }
    });
    Ok(())
}

/// Has the installer library count one user of a driver less.
///
/// # Errors
/// None.
pub fn count_less(
    plan: &mut Plan,
    register: &Register,
    _name: &str,
    says: String,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    plan.change(says, register.clone(), move || by_installer().map(|()| None));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_read_as_a_file_would_have_them() {
        assert_eq!(text(Value::from("YYY")), Some("YYY".to_owned()));
        assert_eq!(text(Value::from(3u32)), Some("3".to_owned()));
        assert_eq!(text(Value::from([1u8].as_slice())), None);
    }

    #[test]
    fn a_key_that_is_not_there_has_no_sections() {
        let register = Register { mode: Mode::User, path: r"SOFTWARE\loopback-odbc test\nowhere" };
        assert_eq!(register.read(), Ok(Ini::default()));
        assert_eq!(register.writable(), Ok(()));
        assert_eq!(register.to_string(), r"HKCU\SOFTWARE\loopback-odbc test\nowhere");
    }
}
