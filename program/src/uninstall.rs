//! `loopback-odbc uninstall`: takes back what `install` did, and no more.
//!
//! A file of registrations that nobody else has changed becomes what it was, to the byte. From one that somebody has, the
//! installer library removes our sections, and what that loses is kept in a copy. A driver on which others count stays, with
//! its library.

use crate::arguments::Registration;
use crate::backup::Kept;
use crate::ini::{Ini, Section};
use crate::places::{self, Places, folder_of};
use crate::plan::Plan;
use crate::{installer, library};
use std::path::Path;

/// # Errors
/// Why nothing can be taken back, or what went wrong halfway.
pub fn run(registration: &Registration) -> Result<u8, String> {
    let places = Places::of(registration)?;
    let drivers = Ini::read(&places.files.drivers)?;
    let data_sources = Ini::read(&places.files.data_sources)?;
    let mut plan = Plan::default();
    let driver = if registration.user { None } else { our_driver(&places, &drivers, registration)? };
    let data_source = data_sources.section(&registration.dsn);
    let ours = |section: &Section| leads_to(section, registration, &places);
    match data_source {
        Some(section) if ours(section) => remove_data_source(&mut plan, &places, section)?,
        Some(section) => plan.say(format!(
            "{}: [{}] stays, its driver is {}",
            places.files.data_sources.display(),
            section.name,
            section.value("Driver")
        )),
        None => plan.say(format!("{}: there is no [{}]", places.files.data_sources.display(), registration.dsn)),
    }
    let mut others = data_sources.sections.iter().filter(|section| ours(section) && Some(*section) != data_source);
    let counted = driver.map_or(0, others_counting);
    if counted > 0 {
        plan.warn(format!(
            "others count on [{}] of {} (UsageCount): the driver and its library stay",
            registration.driver_name,
            places.files.drivers.display()
        ));
    }
    if let Some(section) = driver {
        remove_driver(&mut plan, &places, section, counted)?;
    } else if !registration.user {
        plan.say(format!("{}: there is no [{}]", places.files.drivers.display(), registration.driver_name));
    }
    let in_use = registration.user && others.clone().next().is_some();
    let file = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let shares = |other: &&Section| Some(*other) != driver && file(other.library()) == file(&places.library);
    let sharing = drivers.sections.iter().find(shares);
    if let Some(other) = sharing {
        plan.say(format!("{}: [{}] has the same file", places.files.drivers.display(), other.name));
    }
    match (counted == 0 && !in_use && sharing.is_none(), places.library.exists()) {
        (true, true) => {
            let path = places.library.clone();
            let says = format!("{}: removed", path.display());
            plan.change(says, &[&folder_of(&path)], move || library::remove(&path).map(|()| None));
        }
        (true, false) => plan.say(format!("{}: is not there", places.library.display())),
        (false, _) => plan.say(format!("{}: stays", places.library.display())),
    }
    if let Some(section) = driver.filter(|section| counted == 0 && section.library() != places.library) {
        plan.say(format!("{}: stays, it was not installed by this program", section.library().display()));
    }
    for other in &mut others {
        let (path, name) = (places.files.data_sources.display(), &other.name);
        if counted == 0 && !registration.user && driver.is_some() {
            plan.warn(format!("[{name}] of {path} has a driver now that is not there"));
        } else {
            let user = if registration.user { " --user" } else { "" };
            plan.say(format!("{path}: [{name}] stays (uninstall --dsn '{name}'{user})"));
        }
    }
    for other in drivers.sections.iter().filter(|other| places::ours(other) && Some(*other) != driver) {
        let leads_here = |section: &&Section| section.value("Driver").eq_ignore_ascii_case(&other.name);
        let data_source = data_sources.sections.iter().find(leads_here);
        let dsn = data_source.map_or_else(String::new, |section| format!(" --dsn '{}'", section.name));
        plan.say(format!(
            "{}: [{1}] stays (uninstall --driver-name '{1}'{dsn})",
            places.files.drivers.display(),
            other.name
        ));
    }
    plan.carry_out(registration.dry_run)
}

/// The driver's section, if it is there.
///
/// # Errors
/// It is another driver's.
fn our_driver<'i>(
    places: &Places,
    drivers: &'i Ini,
    registration: &Registration,
) -> Result<Option<&'i Section>, String> {
    let Some(section) = drivers.section(&registration.driver_name) else { return Ok(None) };
    if !places::ours(section) {
        return Err(format!(
            "[{}] of {} is another driver ({}), and is left alone",
            section.name,
            places.files.drivers.display(),
            section.library().display()
        ));
    }
    Ok(Some(section))
}

/// Whether a data source is one of this registration.
fn leads_to(section: &Section, registration: &Registration, places: &Places) -> bool {
    let driver = section.value("Driver");
    Path::new(driver) == places.library
        || (!registration.user && driver.eq_ignore_ascii_case(&registration.driver_name))
}

/// How many others count on a driver, beside this installation: SQLRemoveDriver takes a section without a count for 1.
fn others_counting(section: &Section) -> u32 {
    section.value("UsageCount").parse::<u32>().unwrap_or(1).saturating_sub(1)
}

fn remove_data_source(plan: &mut Plan, places: &Places, section: &Section) -> Result<(), String> {
    let (name, mode) = (section.name.clone(), places.mode);
    // What else is in it somebody has written who may want it back.
    let written = section.properties.iter().any(|(keyword, _)| !keyword.eq_ignore_ascii_case("Driver"));
    remove(plan, &places.files.data_sources, &name.clone(), written, move || installer::remove_data_source(mode, &name))
}

fn remove_driver(plan: &mut Plan, places: &Places, section: &Section, counted: u32) -> Result<(), String> {
    let (path, name) = (&places.files.drivers, section.name.clone());
    if counted == 0 {
        let remove_it = {
            let name = name.clone();
            move || installer::remove_driver(&name)
        };
        return remove(plan, path, &name, false, remove_it);
    }
    let says = format!("{}: [{name}] counted one time less, UsageCount={counted}", path.display());
    change(plan, path, &name.clone(), says, false, move || installer::remove_driver(&name))
}

/// Removes a section: by putting the file back as it was, if it was ours alone to change, or else by the installer library.
fn remove(
    plan: &mut Plan,
    path: &Path,
    name: &str,
    written: bool,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    if !can_be_restored(path, name)? {
        return change(plan, path, name, format!("{}: [{name}] removed", path.display()), written, by_installer);
    }
    let says = format!("{}: [{name}] removed, the file is as it was before the installation", path.display());
    let path = path.to_owned();
    plan.change(says, &[&path.clone(), &folder_of(&path)], move || Kept::of(&path).restore().map(|()| None));
    Ok(())
}

/// Whether all that has changed in a file since we changed it first is that this section was added.
fn can_be_restored(path: &Path, name: &str) -> Result<bool, String> {
    let kept = Kept::of(path);
    if !kept.untouched()? {
        return Ok(false);
    }
    let (mut now, mut original) = (sections(&Ini::read(path)?), sections(&kept.original()?));
    now.retain(|section| *section != name.to_ascii_lowercase());
    now.sort();
    original.sort();
    Ok(now == original)
}

/// The names of sections, as case does not count.
fn sections(ini: &Ini) -> Vec<String> {
    ini.sections.iter().map(|section| section.name.to_ascii_lowercase()).collect()
}

/// A change by the installer library, of a file that cannot be put back as it was.
fn change(
    plan: &mut Plan,
    path: &Path,
    name: &str,
    says: String,
    written: bool,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    let (now, kept) = (Ini::read(path)?, Kept::of(path));
    let original = kept.original()?;
    let added =
        |section: &Section| !section.name.eq_ignore_ascii_case(name) && original.section(&section.name).is_none();
    // More of ours, which may be taken back later.
    let more = kept.untouched()? && now.sections.iter().any(added);
    let loses_now = now.comments || written;
    let loses = if loses_now || (original.comments && !more) {
        "; comments or additions are lost, and kept in a copy"
    } else {
        ""
    };
    let (path, name) = (path.to_owned(), name.to_owned());
    plan.change(format!("{says}{loses}"), &[&path.clone(), &folder_of(&path)], move || {
        let copy = if loses_now { Some(kept.keep()?) } else { None };
        kept.change(&name, by_installer)?;
        let older = if more { kept.after_change().map(|()| None) } else { kept.forget() }?;
        let copies: Vec<String> = copy.iter().chain(&older).map(|copy| copy.display().to_string()).collect();
        Ok((!copies.is_empty()).then(|| {
            format!(
                "{} has lost comments, or what was added to our section: others have changed it since the installation, or \
                 it had the section before, so that it was not put back as it was. What was lost is in {}",
                path.display(),
                copies.join(" and ")
            )
        }))
    });
    Ok(())
}
