//! What is registered with the driver manager: drivers in odbcinst.ini, data sources in odbc.ini.

use crate::connection_string::Attribute;
use crate::failure::{Failure, Sqlstate};
use crate::loopback::utf16;
use crate::world::{Entry, Profile, World};
use std::path::{Path, PathBuf};

/// A driver section of odbcinst.ini.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    pub name: String,
    /// `Driver64`, or `Driver` where there is none: a path, or a name for the loader to search.
    pub library: PathBuf,
    /// `TargetDriver`, which only sections of this library have.
    pub target_driver: Option<String>,
}

/// The registered drivers that name a library.
///
/// # Errors
/// The reason why the registrations cannot be read.
pub fn drivers(world: &dyn World) -> Result<Vec<Driver>, String> {
    let mut drivers = Vec::new();
    for name in world.profile_sections(Profile::Odbcinst)? {
        let entries = world.profile_entries(Profile::Odbcinst, &name)?;
        let value = |keyword: &str| {
            let found = entries.iter().find(|entry| entry.keyword.eq_ignore_ascii_case(keyword))?;
            found.value.as_deref().ok().map(str::trim).filter(|value| !value.is_empty())
        };
        if let Some(library) = value("Driver64").or_else(|| value("Driver")) {
            let target_driver = value("TargetDriver").map(str::to_owned);
            drivers.push(Driver { library: library.into(), target_driver, name });
        }
    }
    Ok(drivers)
}

/// The attributes of a data source's section of odbc.ini; none when there is no such section.
///
/// # Errors
/// 08001 with the reason why the section cannot be read.
pub fn data_source(world: &dyn World, name: &str) -> Result<Vec<Attribute<'static>>, Failure> {
    let unreadable = |reason: String| {
        let text = format!("Section [{name}] of odbc.ini cannot be read: {reason}.");
        Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
    };
    let entries = world.profile_entries(Profile::Odbc, name).map_err(unreadable)?;
    let attribute = |Entry { keyword, value }| match value {
        Ok(value) => Ok(Attribute::new(&keyword, &utf16(&value))),
        Err(reason) => Err(unreadable(format!("the value of {keyword}, {reason}"))),
    };
    entries.into_iter().map(attribute).collect()
}

/// Whether two paths lead to the same file.
pub fn same_file(world: &dyn World, one: &Path, other: &Path) -> bool {
    matches!((world.identity(one), world.identity(other)), (Ok(one), Ok(other)) if one == other)
}
