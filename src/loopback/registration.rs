//! Registrations with the driver manager: drivers in odbcinst.ini, data sources in odbc.ini.

use crate::loopback::connection_string::{Attribute, Text};
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::utf16;
use crate::world::{Platform, Profile, World};
use std::path::{Path, PathBuf};

/// A driver section of odbcinst.ini.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    pub name: String,
    /// `Driver64`, or else `Driver`: a path, or a name for which the loader searches.
    pub library: PathBuf,
    /// `TargetDriver`, which only this library's own sections have.
    pub target_driver: Option<String>,
}

/// The registered drivers whose section names a library.
///
/// # Errors
/// The reason why the registrations cannot be read.
pub fn drivers(world: &dyn World) -> Result<Vec<Driver>, String> {
    let names = world.profile_sections(Profile::Odbcinst)?;
    Ok(names.into_iter().filter_map(|name| driver(world, &name)).collect())
}

/// The driver with this name, if it is registered and its section names a library.
pub fn driver(world: &dyn World, name: &str) -> Option<Driver> {
    // A value in another encoding belongs to somebody else's driver.
    let value = |keyword: &str| {
        let value = world.profile_value(Profile::Odbcinst, name, keyword).unwrap_or_default();
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let library = expanded(world, value("Driver64").or_else(|| value("Driver"))?).into();
    Some(Driver { name: name.to_owned(), library, target_driver: value("TargetDriver") })
}

/// unixODBC reads this many bytes of a line. A line of this length may have been truncated.
const MOST_BYTES: usize = 999;

/// Replaces the variables in a path: the driver that comes with Windows is registered in `%WINDIR%`.
fn expanded(world: &dyn World, path: String) -> String {
    let mut parts = path.splitn(3, '%');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(before), Some(name), Some(behind)) if world.platform() == Platform::Windows => match world.variable(name)
        {
            Some(value) => format!("{before}{}{behind}", value.to_string_lossy()),
            None => path,
        },
        _ => path,
    }
}

/// A data source's section of odbc.ini. The library reads single keywords; the target reads the section itself.
pub struct Section<'w> {
    world: &'w dyn World,
    name: Text,
    /// The keywords in the section, if listing them is cheap.
    keywords: Option<Vec<String>>,
}

impl<'w> Section<'w> {
    /// The section of the data source that an application names.
    ///
    /// # Errors
    /// 08001 with the reason why it cannot be read.
    pub fn of(world: &'w dyn World, name: Text) -> Result<Section<'w>, Failure> {
        let keywords = world.profile_overview(name.reveal()).map_err(|reason| unreadable(&name, reason))?;
        Ok(Section { world, name, keywords })
    }

    /// The keywords in the section, if listing them is cheap.
    pub fn keywords(&self) -> &[String] {
        self.keywords.as_deref().unwrap_or_default()
    }

    /// Refuses a missing section. It must not count as an empty one, because the connection would lead elsewhere.
    ///
    /// # Errors
    /// IM002 when there is no such section.
    pub fn must_be_there(&self) -> Result<(), Failure> {
        // The driver manager found this library by the section's `Driver`, or by the `Driver` of the default section,
        // which serves names that have no section.
        let is_there = |name: &str| self.world.profile_value(Profile::Odbc, name, "Driver").map(|it| !it.is_empty());
        let found = match &self.keywords {
            Some(_) => self.lists("Driver"),
            None => is_there(self.name.reveal()).unwrap_or(true),
        };
        if found || is_there("DEFAULT").unwrap_or(true) { Ok(()) } else { Err(self.is_missing()) }
    }

    /// The value of a keyword; none if it is missing or empty, which is the same to the driver.
    ///
    /// # Errors
    /// 08001 with the keyword and the reason when it cannot be used.
    pub fn value(&self, keyword: &str) -> Result<Option<Attribute<'static>>, Failure> {
        if !self.lists(keyword) {
            return Ok(None);
        }
        match self.world.profile_value(Profile::Odbc, self.name.reveal(), keyword) {
            Ok(value) if self.world.platform() == Platform::Linux && keyword.len() + 1 + value.len() >= MOST_BYTES => {
                let reason = format!("the value of {keyword} is longer than ODBC's installer library can return");
                Err(unreadable(&self.name, reason))
            }
            Ok(value) => Ok(Some(Attribute::new(keyword, &utf16(&value))).filter(|it| !it.value().is_empty())),
            Err(reason) => Err(unreadable(&self.name, format!("the value of {keyword}: {reason}"))),
        }
    }

    /// Whether the section may have the keyword.
    fn lists(&self, keyword: &str) -> bool {
        self.keywords.as_ref().is_none_or(|present| present.iter().any(|it| it.eq_ignore_ascii_case(keyword)))
    }

    fn is_missing(&self) -> Failure {
        let name = self.name.reveal();
        let reason = if name.chars().count() == 1 {
            // If the characters of the name have 32 bits, only the first one is read.
            " The name may be cut off: if the driver manager passes 32-bit characters, this driver, which expects 16-bit \
             ones, reads only the first. In that case use iODBC 3.52.14 or later, or unixODBC."
        } else if !name.is_ascii() && self.world.platform() == Platform::Linux {
            " Microsoft's driver finds a section only if its name is ASCII, or if odbc.ini has it in Latin-1. Rename the data \
             source."
        } else {
            " Add the data source to the odbc.ini that this program's driver manager reads, or correct the name."
        };
        let text = format!("odbc.ini has no section [{}] with a Driver.{reason}", self.name);
        Failure::new(Sqlstate::DATA_SOURCE_NOT_FOUND, text)
    }
}

fn unreadable(name: &Text, reason: String) -> Failure {
    let text = format!("Section [{name}] of odbc.ini cannot be read: {reason}.");
    Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
}

/// Whether two paths lead to the same file, or would if the file existed.
pub fn same_file(world: &dyn World, one: &Path, other: &Path) -> bool {
    one == other || matches!((world.identity(one), world.identity(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::Fixture;

    #[test]
    fn variables_in_a_driver_s_path_are_replaced_on_windows() {
        let library = |world: Fixture, path: &str| {
            let world =
                world.variable("WINDIR", r"C:\Windows").section(Profile::Odbcinst, "SQL Server", &[("Driver", path)]);
            driver(&world, "SQL Server").unwrap().library
        };
        for (path, whole) in [
            (r"%WINDIR%\system32\SQLSRV32.dll", r"C:\Windows\system32\SQLSRV32.dll"),
            (r"%NOBODY%\x.dll", r"%NOBODY%\x.dll"),
            (r"C:\100%\x.dll", r"C:\100%\x.dll"),
        ] {
            assert_eq!(library(Fixture::default().windows(), path), Path::new(whole));
            assert_eq!(library(Fixture::default(), path), Path::new(path));
        }
    }
}
