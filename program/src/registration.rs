//! `doctor`, its first step: the registrations of the data source and of the driver. Where one is wrong and `install` does not mend it,
//! the fix is the line to write.

use crate::arguments::{DRIVER_NAME, DSN, Registration};
use crate::ini::Section;
use crate::places::{self, Mode, is_ours};
use crate::report::{Area, Level, Report};
use crate::system::{self, Register};
use loopbackodbc::program::{Driver, Machine, Profile, Text, World, drivers, similar};
use std::path::Path;

/// The fix if no ODBC installer library can be loaded.
const NO_INSTALLER: &str = if cfg!(windows) {
    "It is part of Windows. Ask the administrator of this machine"
} else {
    "Fix: install unixODBC, for example with: sudo apt-get install libodbc2 odbcinst (Debian, Ubuntu), sudo dnf install unixODBC"
};

/// A data source's section that names a driver.
pub struct Source<'s> {
    dsn: &'s str,
    /// Its `Driver`.
    named: String,
    place: Place,
}

/// The driver of a data source, and the fix if its file is not this library.
pub struct Registered {
    pub driver: Driver,
    pub remedy: String,
}

/// Where a section is, or would be.
struct Place {
    mode: Mode,
    /// The register that contains it, or all that are searched for it.
    name: String,
    section: Option<Section>,
}

/// The registered drivers; none if the registrations cannot be read.
pub fn registered_drivers(report: &mut Report) -> Option<Vec<Driver>> {
    let drivers = match drivers(&Machine) {
        Ok(drivers) => drivers,
        Err(reason) => {
            report.failure(Area::Registration, reason, NO_INSTALLER);
            return None;
        }
    };
    let all_readable = !tell_unreadable(report, Profile::Odbcinst, Level::Failure);
    all_readable.then_some(drivers)
}

/// Reports the registers that the driver manager treats as missing, because this user may not read them or they do not begin with a
/// section; returns whether there are any.
fn tell_unreadable(report: &mut Report, profile: Profile, level: Level) -> bool {
    let mut any = false;
    for (_, register) in registers(profile) {
        let unread = match register.read() {
            Ok(ini) => register.unread(&ini),
            Err(reason) => Some((reason, system::let_read(&register))),
        };
        if let Some((reason, remedy)) = unread {
            report.add(Area::Registration, level, reason, vec![remedy]);
            any = true;
        }
    }
    any
}

/// Calls `check` for the files of registrations for all users that this user can read: the others have been reported.
pub fn check_files(report: &mut Report, check: fn(&mut Report, Area, &Path)) {
    let registers = [Profile::Odbcinst, Profile::Odbc].into_iter().flat_map(registers);
    let of_all = registers.filter(|(mode, register)| *mode == Mode::System && register.read().is_ok());
    for (_, register) in of_all {
        register.file().into_iter().for_each(|path| check(report, Area::Registration, path));
    }
}

/// Checks the data source's section. None if it names no driver, an error if that cannot be read.
pub fn data_source<'s>(report: &mut Report, dsn: &'s str, drivers: &[Driver]) -> Result<Option<Source<'s>>, ()> {
    let place = place(Profile::Odbc, dsn);
    let named = match Machine.profile_value(Profile::Odbc, dsn, "Driver") {
        Ok(named) if !named.is_empty() => named,
        Ok(_) if tell_unreadable(report, Profile::Odbc, Level::Failure) => return Err(()),
        Ok(_) => {
            match &place.section {
                Some(section) => no_driver_line(report, section, &place, &installing(DRIVER_NAME, dsn, place.mode)),
                None => no_data_source(report, dsn, &place, drivers),
            }
            return Ok(None);
        }
        Err(reason) => {
            let text = format!("Section [{dsn}] of {} cannot be read: {reason}", place.name);
            report.add(Area::Registration, Level::Failure, text, Vec::new());
            return Err(());
        }
    };
    tell_unreadable(report, Profile::Odbc, Level::Warning);
    let text = format!("{}, section [{dsn}]: Driver={}", place.name, Text::new(&*named));
    report.ok(Area::Registration, text);
    Ok(Some(Source { dsn, named, place }))
}

/// Reports a section without a driver, and the keyword that may be meant for it.
fn no_driver_line(report: &mut Report, section: &Section, place: &Place, remedy: &str) {
    let text = format!("Section [{}] of {} has no Driver line", section.name, place.name);
    let keywords = section.properties.iter().map(|(keyword, _)| keyword.as_str());
    let misspelt = keywords.filter(|keyword| similar(keyword, ["Driver"].into_iter()).is_some());
    let misspelt = misspelt.map(|keyword| format!("Did you mean Driver instead of {}?", Text::new(keyword)));
    let details = misspelt.chain([remedy.to_owned()]).collect();
    report.add(Area::Registration, Level::Failure, text, details);
}

/// Reports a missing data source, a similar name, and the data sources that there are.
fn no_data_source(report: &mut Report, dsn: &str, expected: &Place, drivers: &[Driver]) {
    let leads_here = |name: &&String| {
        let named = Machine.profile_value(Profile::Odbc, name, "Driver").unwrap_or_default();
        let library =
            drivers.iter().find(|driver| driver.name.eq_ignore_ascii_case(&named)).map(|it| it.library.clone());
        is_ours(&library.unwrap_or_else(|| named.into()))
    };
    let names = Machine.profile_sections(Profile::Odbc).unwrap_or_default();
    let meant = similar(dsn, names.iter().map(String::as_str));
    let meant = meant.map(|name| did_you_mean(name, dsn, &place(Profile::Odbc, name)));
    let others: Vec<String> = names.iter().filter(leads_here).map(|name| format!("[{name}]")).collect();
    let others = (!others.is_empty()).then(|| format!("The data sources of this library are {}", others.join(", ")));
    let mode = match places::library(Mode::User, DRIVER_NAME) {
        Ok(library) if library.exists() && !drivers.iter().any(|driver| is_ours(&driver.library)) => Mode::User,
        _ => Mode::System,
    };
    let details = meant.into_iter().chain(others).chain([installing(DRIVER_NAME, dsn, mode)]).collect();
    let text = format!("There is no data source [{dsn}] in {}", expected.name);
    report.add(Area::Registration, Level::Failure, text, details);
}

/// Names a data source with a similar name. The usual name is right.
fn did_you_mean(similar: &str, dsn: &str, place: &Place) -> String {
    let then = match dsn.eq_ignore_ascii_case(DSN) {
        true => format!(" Then write [{dsn}] instead"),
        false => String::new(),
    };
    format!("Did you mean [{similar}] of {}?{then}", place.name)
}

/// The fix that installs, with `sudo` where it is needed.
fn installing(driver_name: &str, dsn: &str, mode: Mode) -> String {
    let user = mode == Mode::User;
    let driver_name = if user { DRIVER_NAME } else { driver_name };
    let registration = Registration { dsn: dsn.to_owned(), driver_name: driver_name.to_owned(), user, dry_run: false };
    let prefix = if user { String::new() } else { system::as_administrator() };
    format!("Fix: {prefix}loopback-odbc install{}", registration.options())
}

/// The driver that a data source names.
pub fn driver(report: &mut Report, source: &Source, drivers: &[Driver]) -> Option<Registered> {
    let named = source.named.as_str();
    // On Windows this is the library's path. The driver may also be registered.
    let by_path = drivers.iter().find(|driver| cfg!(windows) && driver.library == Path::new(named));
    if by_path.is_none() && named.contains(std::path::is_separator) {
        let remedy = match is_ours(Path::new(named)) {
            true => installing(DRIVER_NAME, source.dsn, source.place.mode),
            false => source.line(drivers),
        };
        let driver = Driver { name: named.to_owned(), library: named.into(), target_driver: None };
        return Some(Registered { driver, remedy });
    }
    let by_name = || drivers.iter().find(|driver| driver.name.eq_ignore_ascii_case(named));
    let Some(driver) = by_path.or_else(by_name) else {
        no_driver(report, source, drivers);
        return None;
    };
    let target =
        driver.target_driver.as_deref().map(Text::new).map_or(String::new(), |it| format!(", TargetDriver={it}"));
    let (name, library) = (&driver.name, Text::new(driver.library.to_string_lossy()));
    let place = place(Profile::Odbcinst, name);
    report.ok(Area::Registration, format!("{}, section [{name}]: Driver={library}{target}", place.name));
    Some(Registered { driver: driver.clone(), remedy: remedy(driver, Some(source), source.dsn, drivers) })
}

/// The driver that is registered under the usual name, whatever the data source names.
pub fn usual_driver(dsn: &str, drivers: &[Driver]) -> Option<Registered> {
    let driver = drivers.iter().find(|driver| driver.name == DRIVER_NAME)?;
    Some(Registered { driver: driver.clone(), remedy: remedy(driver, None, dsn, drivers) })
}

/// Reports that the driver that a data source names is not registered.
fn no_driver(report: &mut Report, source: &Source, drivers: &[Driver]) {
    let named = source.named.as_str();
    let shown = Text::new(named);
    let place = place(Profile::Odbcinst, named);
    if let Some(section) = &place.section {
        let remedy = installing(&section.name, source.dsn, Mode::System);
        return no_driver_line(report, section, &place, &remedy);
    }
    let mut details = Vec::new();
    if named != plain_name(named) {
        details.push("Driver takes the name alone, without braces, quotation marks or other keywords".to_owned());
    }
    let meant = meant(named, drivers);
    let near = |name: &str| similar(named, [name].into_iter()).is_some();
    details.push(match meant {
        Some(driver) if named.eq_ignore_ascii_case(DRIVER_NAME) && near(&driver.name) => {
            format!("Fix: write [{DRIVER_NAME}] instead of [{}] in {}", driver.name, place.name)
        }
        // `install` copies no library that is registered under another name.
        Some(_) => source.line(drivers),
        // The usual driver, or a second one, has been lost.
        None if named.eq_ignore_ascii_case(DRIVER_NAME) || !near(DRIVER_NAME) && places::is_driver_name(named) => {
            installing(named, source.dsn, Mode::System)
        }
        None => source.line(drivers),
    });
    report.add(Area::Registration, Level::Failure, format!("There is no driver [{shown}] in {}", place.name), details);
}

/// The name in a value that has more than a name.
fn plain_name(named: &str) -> &str {
    named.split(';').next().unwrap_or_default().trim_matches(['{', '}', '"', '\'', ' '])
}

/// The driver of this library that a data source probably means.
fn meant<'d>(named: &str, drivers: &'d [Driver]) -> Option<&'d Driver> {
    let ours = || drivers.iter().filter(|driver| is_ours(&driver.library));
    let name = similar(plain_name(named), ours().map(|driver| driver.name.as_str())).unwrap_or(DRIVER_NAME);
    ours().find(|driver| driver.name == name).or_else(|| ours().next())
}

impl Source<'_> {
    /// The fix for a data source that names a wrong driver: `install` takes it for another driver's.
    fn line(&self, drivers: &[Driver]) -> String {
        let Place { mode, name: place, .. } = &self.place;
        let library = |mode| places::library(mode, DRIVER_NAME).unwrap_or_default();
        let (own, of_all) = (library(Mode::User), library(Mode::System));
        let usual = || system::data_source_driver(Mode::System, DRIVER_NAME, &of_all.to_string_lossy()).to_owned();
        let (value, is_installed) = match (mode, meant(&self.named, drivers)) {
            (Mode::User, _) if own.exists() => (own.display().to_string(), true),
            (_, Some(driver)) => {
                let file = driver.library.to_string_lossy();
                (system::data_source_driver(Mode::System, &driver.name, &file).to_owned(), true)
            }
            (Mode::User, None) => (own.display().to_string(), false),
            (Mode::System, None) => (usual(), false),
        };
        writing("Driver", &value, self.dsn, place) + &then_install(is_installed, DRIVER_NAME, self.dsn, *mode)
    }
}

/// The fix that changes a line.
fn writing(keyword: &str, value: &str, section: &str, place: &str) -> String {
    format!("Fix: write {keyword}={value} in section [{section}] of {place}")
}

/// What follows a fix, if nothing is installed yet.
fn then_install(is_installed: bool, driver_name: &str, dsn: &str, mode: Mode) -> String {
    match is_installed {
        true => String::new(),
        false => installing(driver_name, dsn, mode).replacen("Fix:", ", then:", 1),
    }
}

/// The fix for a driver's section whose file is not this library, or not in this version.
fn remedy(driver: &Driver, source: Option<&Source>, dsn: &str, drivers: &[Driver]) -> String {
    let name = &driver.name;
    let is_meant_for_ours = name.eq_ignore_ascii_case(DRIVER_NAME) || driver.target_driver.is_some();
    match source {
        _ if is_ours(&driver.library) => installing(name, dsn, Mode::System),
        Some(source) if !is_meant_for_ours => source.line(drivers),
        _ => {
            let place = place(Profile::Odbcinst, name);
            let keyword = place.section.as_ref().map_or("Driver", Section::library_keyword);
            let file = places::library(Mode::System, name).unwrap_or_default();
            writing(keyword, &file.to_string_lossy(), name, &place.name)
                + &then_install(file.exists(), name, dsn, Mode::System)
        }
    }
}

/// The registers of a profile, in the order in which they are searched; none if the driver manager is not unixODBC, because other
/// installer libraries do not report them.
pub fn registers(profile: Profile) -> Vec<(Mode, Register)> {
    let registers = |mode| system::registers(mode).ok().map(|registers| (mode, registers));
    match profile {
        Profile::Odbcinst => registers(Mode::System).map(|(mode, (drivers, _))| (mode, drivers)).into_iter().collect(),
        Profile::Odbc => {
            let both = [Mode::User, Mode::System].into_iter().filter_map(registers);
            both.map(|(mode, (_, sources))| (mode, sources)).collect()
        }
    }
}

/// The place of a section: the first that names a driver, or else the first.
fn place(profile: Profile, section: &str) -> Place {
    let registers = registers(profile);
    let of = |(mode, register): &(Mode, Register)| {
        let sections = register.read().ok()?.sections;
        let found = sections.into_iter().find(|it| it.name.eq_ignore_ascii_case(section))?;
        Some(Place { mode: *mode, name: register.to_string(), section: Some(found) })
    };
    let has_driver = |place: &Place| place.section.as_ref().is_some_and(|it| !it.library().as_os_str().is_empty());
    let mut places: Vec<Place> = registers.iter().filter_map(of).collect();
    match (places.iter().position(has_driver).unwrap_or(0), profile) {
        (index, _) if index < places.len() => places.swap_remove(index),
        (_, profile) => {
            let name = match profile {
                Profile::Odbc if registers.is_empty() => "odbc.ini".to_owned(),
                Profile::Odbcinst if registers.is_empty() => "odbcinst.ini".to_owned(),
                _ => registers.iter().map(|(_, it)| it.to_string()).collect::<Vec<_>>().join(" or "),
            };
            Place { mode: Mode::System, name, section: None }
        }
    }
}
