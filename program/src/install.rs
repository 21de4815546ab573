//! `loopback-odbc install`: plans the changes that make `DSN=Loopback` connect, and warns of obstacles.
//!
//! An existing installation is updated. Only what is out of date changes. The usage count stays, and so do keywords that somebody
//! added.

use crate::arguments::{DSN, Installation, Registration, option};
use crate::ini::{Ini, Section};
use crate::paths::folder_of;
use crate::places::{self, Places};
use crate::plan::{Change, Plan};
use crate::system::{self, QUOTE, Register};
use crate::{library, program};
use loopbackodbc::program::{Machine, Text, USUAL, World, preferred};
use std::fs;
use std::path::Path;

/// # Errors
/// The installation is not possible, or a change failed.
pub fn run(wanted: &Installation) -> Result<u8, String> {
    let registration = &wanted.registration;
    let target = wanted.target_driver.as_deref();
    if registration.user && target.is_some() {
        let text = "--target-driver is a setting of the driver in odbcinst.ini, which --user does not register. Fix: set \
                    LOOPBACK_ODBC_TARGET_DRIVER for your programs";
        return Err(text.to_owned());
    }
    target.map_or(Ok(()), check_named_target)?;
    let places = Places::of(registration)?;
    let _lock = system::lock(registration.dry_run)?;
    let (drivers, data_sources) = (places.drivers.read()?, places.data_sources.read()?);
    let from = match (&wanted.library, places.packaged) {
        (Some(_), true) => return Err(owned_by_a_package(&places)),
        (None, true) => places.library.clone(),
        (named, false) => {
            let packaged = places::package()?;
            let installed = packaged.as_ref().unwrap_or(&places.library);
            library::source(named.as_deref(), &folder_of(installed))?
        }
    };
    match places.packaged {
        true => check_packaged(&from)?,
        false => library::check(&from)?,
    }
    let file = path_text(&places.library)?;

    let mut plan = Plan::default();
    match places.packaged {
        true => plan.say(format!("{}: in place, from its package", places.library.display())),
        false => copy(&mut plan, &from, &places.library)?,
    }
    places.program.as_ref().map_or(Ok(()), |places| program::install(&mut plan, places))?;
    if !registration.user {
        system::share(&mut plan, &places.library);
        driver(&mut plan, &places, &drivers, registration, target, &file)?;
    }
    data_source(&mut plan, &places, &data_sources, registration, &file)?;
    if !registration.user {
        // The library will be readable by all.
        system::warn_if_hidden(&mut plan, "", &places.library);
        let files = [places.drivers.file(), places.data_sources.file()];
        files.into_iter().flatten().for_each(|path| system::warn_if_unseen(&mut plan, "", path));
    }
    let target = target.or_else(|| Some(drivers.section(&registration.driver_name)?.value("TargetDriver")));
    let target = target.filter(|name| !name.is_empty());
    target.map_or(Ok(()), places::check_text)?;
    let lacking = check_target(&mut plan, &drivers, target)?;
    warn_of_older_copies(&mut plan, &from, &places, &drivers);
    plan.say(next(registration, &places, lacking));
    plan.carry_out(|| places.recover(), registration)
}

/// Checks a package's library, which is used where it is and as it is.
///
/// # Errors
/// Not every user can read it, or it is not this library in this version.
fn check_packaged(library: &Path) -> Result<(), String> {
    let checked = match system::opening(library) {
        Some(_) => Err(format!("{} cannot be read by every user", library.display())),
        None => library::check(library),
    };
    checked.map_err(|reason| format!("{reason}. Fix: {}", places::mending(library).unwrap_or_default()))
}

fn owned_by_a_package(places: &Places) -> String {
    format!(
        "{} belongs to the package loopback-odbc, so --library cannot replace it. Fix: upgrade the package, or install a second copy \
         with --driver-name and --dsn",
        places.library.display()
    )
}

/// Checks the value of `--target-driver`.
///
/// # Errors
/// It cannot be stored, or is a path that depends on the working directory.
fn check_named_target(target: &str) -> Result<(), String> {
    places::check_text(target)?;
    if !target.contains(std::path::is_separator) || Path::new(target).is_absolute() {
        return Ok(());
    }
    let whole = std::path::absolute(target).map_or_else(|_| "/PATH".into(), |path| path.display().to_string());
    let shown = |text: &str| Text::new(text).to_string();
    Err(format!(
        "--target-driver {} is a relative path, which other programs do not find. Fix: --target-driver {QUOTE}{}{QUOTE}",
        shown(target),
        shown(&whole)
    ))
}

/// Warns of copies of the library under other names that differ from the installed one.
fn warn_of_older_copies(plan: &mut Plan, from: &Path, places: &Places, drivers: &Ini) {
    let current = fs::read(from).ok();
    let others =
        drivers.sections.iter().filter(|other| places::ours(other) && !places::same(other.library(), &places.library));
    for other in others.filter(|other| fs::read(other.library()).is_ok_and(|contents| Some(contents) != current)) {
        let (library, name) = (other.library().display(), &other.name);
        plan.warn(format!(
            "{library}, the library of [{name}], is another version. Fix: loopback-odbc install --driver-name {QUOTE}{name}{QUOTE}"
        ));
    }
}

/// A path as a value of odbc.ini or odbcinst.ini.
fn path_text(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
    places::check_text(text).map(|()| text.to_owned())
}

fn copy(plan: &mut Plan, from: &Path, to: &Path) -> Result<(), String> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    let says = match to.exists() {
        true if read(from)? == read(to)? && system::is_open_to_all(to) => {
            plan.say(format!("{}: up to date", to.display()));
            return Ok(());
        }
        true => "replaced by the library, version",
        false => "the library, version",
    };
    let says = format!("{}: {says} {}, from {}", to.display(), env!("CARGO_PKG_VERSION"), from.display());
    let (from, to) = (from.to_owned(), to.to_owned());
    plan.change(says, folder_of(&to), move || library::put(&from, &to));
    Ok(())
}

/// The driver's section of odbcinst.ini.
fn driver(
    plan: &mut Plan,
    places: &Places,
    drivers: &Ini,
    registration: &Registration,
    target: Option<&str>,
    file: &str,
) -> Result<(), String> {
    let (register, name) = (&places.drivers, &registration.driver_name);
    let sharing =
        |other: &&Section| places::same(other.library(), Path::new(file)) && !other.name.eq_ignore_ascii_case(name);
    if let Some(other) = drivers.sections.iter().find(sharing) {
        return Err(format!(
            "the driver [{}] of {register} already uses the file {file}. Fix: choose another --driver-name",
            other.name
        ));
    }
    let mut values = system::LIBRARIES.map(|keyword| (keyword, file)).to_vec();
    values.extend(target.map(|target| ("TargetDriver", target)));
    let there = drivers.section(name);
    match there {
        // Somebody has misspelt or removed the line.
        Some(section) if section.library().as_os_str().is_empty() => {}
        Some(section) if !places::ours(section) => {
            return Err(format!(
                "[{name}] of {register} is another driver ({}). Nothing was changed. Fix: choose another --driver-name, or, if this \
                 section is meant for loopback-odbc, write {}={file} in it",
                Text::new(section.library().to_string_lossy()),
                section.library_keyword()
            ));
        }
        Some(section) if !section.value("Driver64").is_empty() => values.push(("Driver64", file)),
        Some(_) => {}
        None => values.extend(system::DRIVER_VALUES),
    }
    let folder = folder_of(&places.library);
    let add = |missing: &Values| register.add_driver(drivers, name, &folder, missing);
    Entry { register, ini: drivers, name, values: &values }.plan(plan, add);
    Ok(())
}

/// The data source's section of odbc.ini.
fn data_source(
    plan: &mut Plan,
    places: &Places,
    data_sources: &Ini,
    registration: &Registration,
    file: &str,
) -> Result<(), String> {
    let (register, name) = (&places.data_sources, &registration.dsn);
    let driver = system::data_source_driver(places.mode, &registration.driver_name, file);
    let there = data_sources.section(name);
    if let Some(section) = there {
        let other = section.value("Driver");
        // `uninstall` leaves a section without a driver if it contains a login.
        if !other.is_empty() && !other.eq_ignore_ascii_case(driver) && !places::is_ours(Path::new(other)) {
            return Err(format!(
                "[{name}] of {register} has another driver ({}). Nothing was changed. Fix: choose another --dsn, or, if this section \
                 is meant for loopback-odbc, write Driver={driver} in it",
                Text::new(other)
            ));
        }
    }
    let driver_name = &registration.driver_name;
    let add = |_: &Values| register.add_data_source(data_sources, name, driver_name, driver);
    Entry { register, ini: data_sources, name, values: &[("Driver", driver)] }.plan(plan, add);
    Ok(())
}

/// Keywords with their values.
type Values<'v> = [(&'v str, &'v str)];

/// The values that a section must have. Missing ones are added, wrong ones are changed.
struct Entry<'e> {
    register: &'e Register,
    ini: &'e Ini,
    name: &'e str,
    values: &'e Values<'e>,
}

impl Entry<'_> {
    fn plan(self, plan: &mut Plan, add: impl FnOnce(&Values) -> Change) {
        let Entry { register, ini, name, values } = self;
        let there = ini.section(name);
        let missing = |(keyword, value): &&(&str, &str)| there.is_none_or(|section| section.value(keyword) != *value);
        let missing: Vec<(&str, &str)> = values.iter().filter(missing).copied().collect();
        if missing.is_empty() {
            plan.say(format!("{register}: [{name}] is up to date"));
            return;
        }
        let listed = missing.iter().map(|(keyword, value)| format!("{keyword}={}", Text::new(*value)));
        let listed: Vec<String> = listed.collect();
        let (what, change) = match there {
            None => ("added", add(&missing)),
            Some(_) => ("changed", register.set(ini, name, &missing)),
        };
        plan.change(format!("{register}: [{name}] {what}: {}", listed.join(", ")), register.clone(), change);
    }
}

/// The last line: what to do next. `lacking` is what connections need and do not have.
fn next(registration: &Registration, places: &Places, lacking: Option<String>) -> String {
    let dsn = &registration.dsn;
    let configure = |place: &str| format!("add a server and a login to [{dsn}] of {place}");
    let next = match (lacking, registration.user) {
        (Some(lacking), _) => format!("Done, but connections fail until {lacking}."),
        (None, true) => {
            let configure = configure(&places.data_sources.to_string());
            format!("Done. To connect, {configure}. Scripts that SQL Server runs do not see this installation.")
        }
        (None, false) => format!(
            "Done. Scripts that SQL Server runs connect with DSN={dsn}. On a development machine, first {}.",
            configure(&system::of_developer(&places.data_sources))
        ),
    };
    let check = option("--dsn", dsn, DSN);
    format!("{next} Check it with: loopback-odbc doctor --installation{check}")
}

/// Warns if the target driver is missing, or if scripts cannot see it. The target is the named driver, or the Microsoft driver that the
/// library would load. Returns what connections need and do not have, as the end of a sentence.
///
/// # Errors
/// The target is this library.
fn check_target(plan: &mut Plan, drivers: &Ini, named: Option<&str>) -> Result<Option<String>, String> {
    let registered = drivers.sections.iter().map(|section| section.name.as_str());
    let names = named.map_or_else(|| preferred(Machine.platform(), registered), |name| vec![name]);
    let library = match (named, names.iter().find_map(|name| drivers.section(name))) {
        (_, Some(section)) => section.library(),
        (Some(path), None) if path.contains(std::path::is_separator) => Path::new(path),
        (Some(name), None) => {
            let name = Text::new(name);
            plan.warn(format!(
                "the target driver, {name}, is not in odbcinst.ini. Connections fail until it is registered"
            ));
            return Ok(Some(format!("{name} is registered")));
        }
        (None, None) => {
            plan.warn(format!(
                "no Microsoft ODBC driver for SQL Server is registered. Connections fail until one is installed. \
                 Fix: install {USUAL}"
            ));
            return Ok(Some(format!("{USUAL} is installed")));
        }
    };
    if places::is_ours(library) {
        return Err(format!(
            "the target driver, {}, is this library itself. Fix: name another one with --target-driver",
            library.display()
        ));
    }
    // The loader searches for a plain name.
    if library.is_absolute() && !library.exists() {
        let library = Text::new(library.to_string_lossy());
        plan.warn(format!("the target driver's library, {library}, does not exist"));
        return Ok(Some(format!("{library} exists")));
    }
    system::warn_if_unseen(plan, "the target driver's library, ", library);
    Ok(None)
}
