//! What is registered with the driver manager: drivers in odbcinst.ini, data sources in odbc.ini.

use crate::connection_string::Attribute;
use crate::failure::{Failure, Sqlstate};
use crate::loopback::utf16;
use crate::world::{Profile, World};
use std::path::{Path, PathBuf};

/// Keywords of a data source's section that tell the driver manager and setup programs something, and a driver nothing.
const OF_THE_DRIVER_MANAGER: [&str; 10] = [
    "Driver",
    "Driver64",
    "Setup",
    "Description",
    "UsageCount",
    // unixODBC's own.
    "DMEnvAttr",
    "DMConnAttr",
    "DMStmtAttr",
    "Trace",
    "TraceFile",
];

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
        // A value in another encoding than ours is somebody else's.
        let value = |keyword: &str| {
            let value = world.profile_value(Profile::Odbcinst, &name, keyword).unwrap_or_default();
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        if let Some(library) = value("Driver64").or_else(|| value("Driver")) {
            let target_driver = value("TargetDriver");
            drivers.push(Driver { library: library.into(), target_driver, name });
        }
    }
    Ok(drivers)
}

/// The attributes of a data source's section of odbc.ini, but for those that are the driver manager's; none when there is
/// no such section.
///
/// # Errors
/// 08001 with the reason why the section cannot be read.
pub fn data_source(world: &dyn World, name: &str) -> Result<Vec<Attribute<'static>>, Failure> {
    let unreadable = |reason: String| {
        let text = format!("Section [{name}] of odbc.ini cannot be read: {reason}.");
        Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
    };
    let attribute = |keyword: String| match world.profile_value(Profile::Odbc, name, &keyword) {
        Ok(value) => Ok(Attribute::new(&keyword, &utf16(&value))),
        Err(reason) => Err(unreadable(format!("the value of {keyword}: {reason}"))),
    };
    let ours = |keyword: &String| !OF_THE_DRIVER_MANAGER.iter().any(|other| keyword.eq_ignore_ascii_case(other));
    let keywords = world.profile_keywords(Profile::Odbc, name).map_err(unreadable)?;
    // Each value is a file read again.
    keywords.into_iter().filter(ours).map(attribute).collect()
}

/// Whether no driver manager can have come here by this data source's name: odbc.ini has no section for it, nor the one
/// from which unixODBC takes the driver of a name that has none. False when odbc.ini cannot be read.
pub fn leads_nowhere(world: &dyn World, name: &str) -> bool {
    [name, "DEFAULT"].iter().all(|section| world.profile_keywords(Profile::Odbc, section).is_ok_and(|it| it.is_empty()))
}

/// Whether two paths lead to the same file, or would if it were there.
pub fn same_file(world: &dyn World, one: &Path, other: &Path) -> bool {
    one == other || matches!((world.identity(one), world.identity(other)), (Ok(one), Ok(other)) if one == other)
}
