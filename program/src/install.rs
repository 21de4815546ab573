//! `loopback-odbc install`: what has to change so that `DSN=Loopback` connects, and what may stand in its way.
//!
//! An installation that is there already is brought up to date: what needs no change gets none, the usage count stays, and so
//! do keywords that somebody else has added.

use crate::arguments::{Installation, Registration};
use crate::backup::Kept;
use crate::ini::{Ini, Section};
use crate::installer::{self, Mode};
use crate::places::{self, Places, folder_of};
use crate::plan::Plan;
use crate::{library, sandbox};
use loopbackodbc::program::{Machine, World, preferred};
use std::fs;
use std::path::Path;

const DESCRIPTION: (&str, &str) = ("Description", "Loopback connections of SQL Server scripts");

/// The modes of files that were not there: one that every user's programs read, and one for its owner's passwords.
const FOR_ALL: u32 = 0o644;
const FOR_ITS_OWNER: u32 = 0o600;

/// # Errors
/// Why nothing can be installed, or what went wrong halfway.
pub fn run(wanted: &Installation) -> Result<u8, String> {
    let registration = &wanted.registration;
    let target = wanted.target_driver.as_deref();
    if registration.user && target.is_some() {
        let text = "--target-driver is kept with the driver in odbcinst.ini, which with --user has nothing of ours: set \
                    LOOPBACK_ODBC_TARGET_DRIVER for your programs instead";
        return Err(text.to_owned());
    }
    target.map_or(Ok(()), installer::check_text)?;
    let places = Places::of(registration)?;
    let drivers = Ini::read(&places.files.drivers)?;
    let data_sources = Ini::read(&places.files.data_sources)?;
    let from = library::source(wanted.library.as_deref())?;
    library::check(&from)?;
    let file = path_text(&places.library)?;

    let mut plan = Plan::default();
    let leads_to = if registration.user { file.clone() } else { registration.driver_name.clone() };
    copy(&mut plan, &from, &places.library)?;
    if !registration.user {
        driver(&mut plan, &places, &drivers, registration, target, &file)?;
    }
    data_source(&mut plan, &places, &data_sources, registration, &leads_to)?;
    plan.say(next(registration, &places));
    if !registration.user {
        let files = [&places.library, &places.files.drivers, &places.files.data_sources];
        files.into_iter().for_each(|path| warn_if_unseen(&mut plan, "", path));
    }
    let target = target.or_else(|| Some(drivers.section(&registration.driver_name)?.value("TargetDriver")));
    let target = target.filter(|name| !name.is_empty());
    target.map_or(Ok(()), installer::check_text)?;
    check_target(&mut plan, &drivers, target)?;
    warn_of_older_copies(&mut plan, &from, &places, &drivers);
    plan.carry_out(registration.dry_run)
}

/// Warns of copies of the library under other names that are not the one that is installed now.
fn warn_of_older_copies(plan: &mut Plan, from: &Path, places: &Places, drivers: &Ini) {
    let current = fs::read(from).ok();
    let others = drivers.sections.iter().filter(|other| places::ours(other) && other.library() != places.library);
    for other in others.filter(|other| fs::read(other.library()).is_ok_and(|contents| Some(contents) != current)) {
        let (library, name) = (other.library().display(), &other.name);
        plan.warn(format!(
            "{library}, the library of [{name}], is another version: install --driver-name '{name}' as well"
        ));
    }
}

/// A path as it is written into the files of registrations.
fn path_text(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
    installer::check_text(text).map(|()| text.to_owned())
}

fn copy(plan: &mut Plan, from: &Path, to: &Path) -> Result<(), String> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    let says = match to.exists() {
        true if read(from)? == read(to)? && library::has_its_mode(to) => {
            plan.say(format!("{}: up to date", to.display()));
            return Ok(());
        }
        true => "exchanged for the library of version",
        false => "the library, version",
    };
    let says = format!("{}: {says} {}, from {}", to.display(), env!("CARGO_PKG_VERSION"), from.display());
    let (from, to) = (from.to_owned(), to.to_owned());
    plan.change(says, &[&folder_of(&to)], move || library::put(&from, &to).map(|()| None));
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
    let (path, name) = (&places.files.drivers, &registration.driver_name);
    let sharing = |other: &&Section| other.library() == Path::new(file) && !other.name.eq_ignore_ascii_case(name);
    if let Some(other) = drivers.sections.iter().find(sharing) {
        return Err(format!(
            "the driver [{}] of {} has the file {file}: give another --driver-name",
            other.name,
            path.display()
        ));
    }
    let mut values = vec![("Driver", file)];
    values.extend(target.map(|target| ("TargetDriver", target)));
    let there = drivers.section(name);
    match there {
        Some(section) if !places::ours(section) => {
            return Err(format!(
                "[{name}] of {} is another driver ({}), and is left alone: give another --driver-name",
                path.display(),
                section.library().display()
            ));
        }
        Some(section) if !section.value("Driver64").is_empty() => values.push(("Driver64", file)),
        Some(_) => {}
        None => values.push(DESCRIPTION),
    }
    let (add, set) = (Box::new(installer::install_driver), Box::new(installer::write_driver_value));
    Entry { path, mode: FOR_ALL, name, there, values: &values, add, set }.plan(plan);
    Ok(())
}

/// The data source's section of odbc.ini.
fn data_source(
    plan: &mut Plan,
    places: &Places,
    data_sources: &Ini,
    registration: &Registration,
    driver: &str,
) -> Result<(), String> {
    let (path, name, mode) = (&places.files.data_sources, &registration.dsn, places.mode);
    let there = data_sources.section(name);
    if let Some(section) = there {
        let other = section.value("Driver");
        if !other.eq_ignore_ascii_case(driver) && !places::is_ours(Path::new(other)) {
            return Err(format!(
                "[{name}] of {} has another driver ({other}), and is left alone: give another --dsn",
                path.display()
            ));
        }
    }
    let add = Box::new(move |name: &str, values: &[(&str, &str)]| {
        let driver = values.first().map_or("", |(_, value)| value);
        installer::write_data_source(mode, name, driver)
    });
    let set = Box::new(move |name: &str, keyword: &str, value: &str| {
        installer::write_data_source_value(mode, name, keyword, value)
    });
    let of_new_file = if mode == Mode::User { FOR_ITS_OWNER } else { FOR_ALL };
    Entry { path, mode: of_new_file, name, there, values: &[("Driver", driver)], add, set }.plan(plan);
    Ok(())
}

/// Adds a section, with all values.
type Add = Box<dyn Fn(&str, &[(&str, &str)]) -> Result<(), String>>;
/// Sets a value of a section that is there.
type Set = Box<dyn Fn(&str, &str, &str) -> Result<(), String>>;

/// A section that is to have some values: what is missing of it is added or set.
struct Entry<'e> {
    path: &'e Path,
    /// Of the file, if it is not there.
    mode: u32,
    name: &'e str,
    there: Option<&'e Section>,
    values: &'e [(&'e str, &'e str)],
    add: Add,
    set: Set,
}

impl Entry<'_> {
    fn plan(self, plan: &mut Plan) {
        let Entry { path, mode, name, there, values, add, set } = self;
        let missing = |(keyword, value): &&(&str, &str)| there.is_none_or(|section| section.value(keyword) != *value);
        let missing: Vec<(String, String)> = values
            .iter()
            .filter(missing)
            .map(|(keyword, value)| ((*keyword).to_owned(), (*value).to_owned()))
            .collect();
        if missing.is_empty() {
            plan.say(format!("{}: [{name}] is there", path.display()));
            return;
        }
        let listed: Vec<String> = missing.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect();
        let is_new = there.is_none();
        let what = if is_new { "added" } else { "changed" };
        let loses = match Ini::read(path).is_ok_and(|ini| ini.comments) {
            true => "; comments are lost there until `uninstall` puts them back, and kept in a copy",
            false => "",
        };
        let says = format!("{}: [{name}] {what}: {}{loses}", path.display(), listed.join(", "));
        let (path, name) = (path.to_owned(), name.to_owned());
        plan.change(says, &[&path.clone(), &folder_of(&path)], move || {
            let missing: Vec<(&str, &str)> = missing.iter().map(|(keyword, value)| (&**keyword, &**value)).collect();
            let old = Kept::of(&path).install(&name, mode, || {
                match is_new {
                    true => add(&name, &missing)?,
                    false => missing.iter().try_for_each(|(keyword, value)| set(&name, keyword, value))?,
                }
                verify(&path, &name, &missing)
            })?;
            Ok(old.map(|copy| {
                format!(
                    "{} was changed by others since the last installation, and has lost comments then; they are in {}",
                    path.display(),
                    copy.display()
                )
            }))
        });
    }
}

/// Holds that a file has what was written, by the file itself.
fn verify(path: &Path, name: &str, values: &[(&str, &str)]) -> Result<(), String> {
    let ini = Ini::read(path)?;
    let wrong =
        |(keyword, value): &&(&str, &str)| ini.section(name).is_none_or(|section| section.value(keyword) != *value);
    match values.iter().find(wrong) {
        Some((keyword, value)) => Err(format!(
            "the ODBC installer library has said that all is well, but [{name}] of {} is without {keyword}={value}",
            path.display()
        )),
        None => Ok(()),
    }
}

/// Says what to do with the installation.
fn next(registration: &Registration, places: &Places) -> String {
    let dsn = &registration.dsn;
    let here = format!("a server and a login go into [{dsn}] of {}", places.files.data_sources.display());
    let next = match registration.user {
        true => format!("{here}; scripts that SQL Server runs see nothing of it"),
        false => format!("a script that SQL Server runs needs nothing else; on a development machine, {here}"),
    };
    format!("Next: connect with DSN={dsn}; {next}. `loopback-odbc doctor` says what is missing.")
}

/// Warns when scripts of SQL Server do not see what stands at a path, or may not read it.
fn warn_if_unseen(plan: &mut Plan, what: &str, path: &Path) {
    if Machine.readable_by_all(path).is_ok_and(|readable| !readable) {
        plan.warn(format!("{what}{} cannot be read by the user that SQL Server runs scripts as", path.display()));
    }
    if sandbox::hidden(path) {
        plan.warn(format!(
            "{what}{} is where scripts that SQL Server runs do not see it ({})",
            path.display(),
            sandbox::REMEDY
        ));
    }
}

/// Warns when the driver to be loaded is not there, or not for scripts: the one that is named, or any of Microsoft's that the
/// library would take.
///
/// # Errors
/// The target is this library.
fn check_target(plan: &mut Plan, drivers: &Ini, named: Option<&str>) -> Result<(), String> {
    let names = named.map_or_else(|| preferred(Machine.platform()).to_vec(), |name| vec![name]);
    let library = match (named, names.iter().find_map(|name| drivers.section(name))) {
        (_, Some(section)) => section.library(),
        (Some(path), None) if path.contains('/') => Path::new(path),
        (Some(name), None) => {
            plan.warn(format!("the target, {name}, is not in odbcinst.ini: until it is, nothing can be connected"));
            return Ok(());
        }
        (None, None) => {
            plan.warn(format!(
                "no driver of Microsoft's is in odbcinst.ini ({}): until one is, nothing can be connected",
                names.join(", ")
            ));
            return Ok(());
        }
    };
    if places::is_ours(library) {
        return Err(format!("the target, {}, is this library itself", library.display()));
    }
    // A plain name is for the loader to search.
    if library.is_absolute() && !library.exists() {
        plan.warn(format!("the target's library, {}, is not there", library.display()));
    } else {
        warn_if_unseen(plan, "the target's library, ", library);
    }
    Ok(())
}
