//! The keys ODBCINST.INI and ODBC.INI of the registry. Each section is a subkey.

use super::{DRIVER_VALUES, LIBRARIES, installer};
use crate::ini::{Ini, Section};
use crate::places::Mode;
use crate::plan::{Change, Writable, unwritable};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE, Type, Value};

const DRIVERS: &str = r"SOFTWARE\ODBC\ODBCINST.INI";
const DATA_SOURCES: &str = r"SOFTWARE\ODBC\ODBC.INI";

/// The error if the registry does not contain the written values begins with this.
const SAID_WELL: &str = "the ODBC installer library reported success, but";

/// One of the keys.
#[derive(Clone, Debug)]
pub struct Register {
    mode: Mode,
    path: &'static str,
}

/// The registers of drivers and of this mode's data sources.
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

    /// The sections; none if the key does not exist.
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

    /// None: the registry has no text outside of keys.
    pub fn unread(&self, _ini: &Ini) -> Option<(String, String)> {
        None
    }

    /// None: the registry is not a file that could be hidden from scripts.
    pub fn file(&self) -> Option<&Path> {
        None
    }

    /// Adds a driver. SQLInstallDriverEx takes the libraries' names and their folder. How it joins them is not specified, so the paths
    /// are then written separately, as are keywords that the specification does not have.
    pub fn add_driver(&self, _ini: &Ini, name: &str, folder: &Path, values: &[(&str, &str)]) -> Change {
        let folder = folder.to_owned();
        self.write(name, values, move |name, values| {
            let is_library = |keyword| LIBRARIES.contains(&keyword);
            let is_fixed = |keyword| DRIVER_VALUES.iter().any(|&(fixed, _)| fixed == keyword);
            let plain = |value| Path::new(value).file_name().and_then(OsStr::to_str).unwrap_or(value);
            let by_name = |(keyword, value)| (keyword, if is_library(keyword) { plain(value) } else { value });
            let documented = values.iter().copied().filter(|&(keyword, _)| is_library(keyword) || is_fixed(keyword));
            installer::install_driver(name, Some(&folder), &documented.map(by_name).collect::<Vec<_>>())?;
            let mut others = values.iter().filter(|&&(keyword, _)| !is_fixed(keyword));
            others.try_for_each(|(keyword, value)| installer::write_driver_value(name, keyword, value))
        })
    }

    /// Adds a data source. SQLWriteDSNToIni is not used for a user's data source, because its driver is not registered.
    pub fn add_data_source(&self, _ini: &Ini, name: &str, driver_name: &str, file: &str) -> Change {
        let (mode, driver_name) = (self.mode, driver_name.to_owned());
        self.write(name, &[("Driver", file)], move |name, values| {
            match mode {
                Mode::System => installer::write_data_source(mode, name, &driver_name)?,
                Mode::User => installer::write_data_source_value(mode, "ODBC Data Sources", name, &driver_name)?,
            }
            values
                .iter()
                .try_for_each(|(keyword, value)| installer::write_data_source_value(mode, name, keyword, value))
        })
    }

    /// Sets values of a section.
    pub fn set(&self, _ini: &Ini, name: &str, values: &[(&str, &str)]) -> Change {
        let (mode, is_driver) = (self.mode, self.path == DRIVERS);
        self.write(name, values, move |name, values| {
            values.iter().try_for_each(|(keyword, value)| match is_driver {
                true => installer::write_driver_value(name, keyword, value),
                false => installer::write_data_source_value(mode, name, keyword, value),
            })
        })
    }

    /// Writes values through the installer library, and checks that the registry then contains them.
    fn write(
        &self,
        name: &str,
        values: &[(&str, &str)],
        by_installer: impl FnOnce(&str, &[(&str, &str)]) -> Result<(), String> + 'static,
    ) -> Change {
        let (register, name) = (self.clone(), name.to_owned());
        let values: Vec<(String, String)> =
            values.iter().map(|(keyword, value)| ((*keyword).to_owned(), (*value).to_owned())).collect();
        Box::new(move || {
            let values: Vec<(&str, &str)> = values.iter().map(|(keyword, value)| (&**keyword, &**value)).collect();
            by_installer(&name, &values)?;
            let ini = register.read()?;
            let section = ini.section(&name);
            let wrong =
                |(keyword, value): &&(&str, &str)| section.is_none_or(|section| section.value(keyword) != *value);
            match values.iter().find(wrong) {
                Some((keyword, value)) => Err(format!("{SAID_WELL} [{name}] of {register} has no {keyword}={value}")),
                None => Ok(None),
            }
        })
    }

    /// Decrements a driver's usage count through the installer library.
    pub fn count_less(&self, _ini: &Ini, name: &str, _left: u32) -> Change {
        let name = name.to_owned();
        Box::new(move || installer::remove_driver(&name).map(|()| None))
    }

    /// Plans the removal of a driver; returns the line and the change.
    pub fn remove_driver(&self, _ini: &Ini, section: &Section) -> (String, Change) {
        self.remove(section, "", installer::remove_driver)
    }

    /// Plans the removal of a data source, including values that others added to it.
    pub fn remove_data_source(&self, _ini: &Ini, section: &Section) -> (String, Change) {
        let mode = self.mode;
        let written = section.properties.iter().any(|(keyword, _)| !keyword.eq_ignore_ascii_case("Driver"));
        let loses = if written { ", with the values that were added to it" } else { "" };
        self.remove(section, loses, move |name| installer::remove_data_source(mode, name))
    }

    fn remove(
        &self,
        section: &Section,
        loses: &str,
        by_installer: impl FnOnce(&str) -> Result<(), String> + 'static,
    ) -> (String, Change) {
        let (register, name) = (self.clone(), section.name.clone());
        let says = format!("{register}: [{name}] removed{loses}");
        let change = move || {
            by_installer(&name)?;
            match register.read()?.section(&name) {
                Some(_) => Err(format!("{SAID_WELL} [{name}] of {register} is still there")),
                None => Ok(None),
            }
        };
        (says, Box::new(change))
    }

    /// Removes leftovers of a killed run: there are none in the registry.
    ///
    /// # Errors
    /// None.
    pub fn recover(&self) -> Result<(), String> {
        Ok(())
    }
}

fn section(key: &Key, name: String) -> windows_registry::Result<Section> {
    let key = key.open(&name)?;
    let properties = key.values()?.filter_map(|(keyword, value)| Some((keyword, text(value)?))).collect();
    Ok(Section { name, properties })
}

/// A value as text, as a file would contain it: a string, or the usage count.
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

/// Checks the key, or the nearest existing one above it.
impl Writable for Register {
    fn writable(&self, mode: Mode) -> Result<(), String> {
        let above = self.path.match_indices('\\').map(|(index, _)| &self.path[..index]);
        let nearest_first = above.chain([self.path]).rev();
        for path in nearest_first.collect::<Vec<_>>() {
            match existing(self.root().options().read().write().open(path)) {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {}
                Err(error) => return Err(unwritable(self, self, &error, mode)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_are_read_as_text() {
        assert_eq!(text(Value::from("YYY")), Some("YYY".to_owned()));
        assert_eq!(text(Value::from(3u32)), Some("3".to_owned()));
        assert_eq!(text(Value::from([1u8].as_slice())), None);
    }

    #[test]
    fn a_key_that_is_not_there_has_no_sections() {
        let register = Register { mode: Mode::User, path: r"SOFTWARE\loopback-odbc test\nowhere" };
        assert_eq!(register.read(), Ok(Ini::default()));
        assert_eq!(register.writable(Mode::User), Ok(()));
        assert_eq!(register.to_string(), r"HKCU\SOFTWARE\loopback-odbc test\nowhere");
    }
}
