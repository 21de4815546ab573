//! `loopback-odbc uninstall`: undoes what `install` did, and nothing else.
//!
//! A driver that other installations use stays, with its library. How sections are removed depends on the operating system.

use crate::arguments::Registration;
use crate::ini::{Ini, Section};
use crate::paths::folder_of;
use crate::places::{self, Mode, Places};
use crate::plan::Plan;
use crate::system::{self, QUOTE};
use crate::{library, program};
use loopbackodbc::program::Text;
use std::path::Path;

/// # Errors
/// The uninstallation is not possible, or a change failed.
pub fn run(registration: &Registration) -> Result<u8, String> {
    let places = Places::of(registration)?;
    let _lock = system::lock(registration.dry_run)?;
    let (drivers, data_sources) = (places.drivers.read()?, places.data_sources.read()?);
    let mut plan = Plan::default();
    let driver = if registration.user { None } else { our_driver(&places, &drivers, registration)? };
    let data_source = data_sources.section(&registration.dsn);
    let ours = |section: &Section| leads_to(section, registration, &places);
    match data_source {
        Some(section) if ours(section) => {
            let register = &places.data_sources;
            let (says, change) = register.remove_data_source(&data_sources, section);
            plan.change(says, register.clone(), change);
        }
        Some(section) if section.value("Driver").is_empty() => {
            plan.say(format!("{}: [{}] stays: it has no driver", places.data_sources, section.name));
        }
        Some(section) => plan.say(format!(
            "{}: [{}] stays: its driver is {}",
            places.data_sources,
            section.name,
            Text::new(section.value("Driver"))
        )),
        None => plan.say(format!("{}: there is no [{}]", places.data_sources, registration.dsn)),
    }
    // Sections of the same name are removed with it.
    let other = |section: &&Section| ours(section) && !section.name.eq_ignore_ascii_case(&registration.dsn);
    let others: Vec<&Section> = data_sources.sections.iter().filter(other).collect();
    // A package takes its library away, whoever uses it.
    let in_use = !places.packaged && !others.is_empty();
    let counted = driver.filter(|_| !places.packaged).map_or(0, others_counting);
    if !in_use && counted > 0 {
        plan.warn(format!(
            "other installations use [{}] of {} (UsageCount): the driver and its library stay",
            registration.driver_name, places.drivers
        ));
    }
    if let Some(section) = driver.filter(|_| in_use) {
        plan.say(format!("{}: [{}] stays", places.drivers, section.name));
    } else if let Some(section) = driver {
        let register = &places.drivers;
        let (says, change) = match counted {
            0 => register.remove_driver(&drivers, section),
            _ => (
                format!("{register}: [{}] changed: UsageCount={counted}", section.name),
                register.count_less(&drivers, &section.name, counted),
            ),
        };
        plan.change(says, register.clone(), change);
    } else if !registration.user {
        plan.say(format!("{}: there is no [{}]", places.drivers, registration.driver_name));
    }
    let goes = counted == 0 && !in_use;
    let file = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let shares = |other: &&Section| Some(*other) != driver && file(other.library()) == file(&places.library);
    let sharing = drivers.sections.iter().find(shares);
    if let Some(other) = sharing {
        plan.say(format!("{}: [{}] uses the same file", places.drivers, other.name));
    }
    let others_of_ours = drivers.sections.iter().filter(|other| places::ours(other) && Some(*other) != driver);
    if let Some(places) = &places.program
        && goes
        && (registration.user || others_of_ours.clone().next().is_none())
    {
        program::uninstall(&mut plan, places);
    }
    match (goes && sharing.is_none(), places.library.exists()) {
        _ if places.packaged => plan.say(format!("{}: stays: its package removes it", places.library.display())),
        (true, true) => {
            let path = places.library.clone();
            let says = format!("{}: removed", path.display());
            plan.change(says, folder_of(&path), move || library::remove(&path));
        }
        (true, false) => plan.say(format!("{}: does not exist", places.library.display())),
        (false, _) => plan.say(format!("{}: stays", places.library.display())),
    }
    if let Some(section) = driver.filter(|section| goes && !places::same(section.library(), &places.library)) {
        plan.say(format!("{}: stays: this program did not install it", section.library().display()));
    }
    let options = |other: &Section| {
        let (dsn, driver_name) = (other.name.clone(), registration.driver_name.clone());
        Registration { dsn, driver_name, ..*registration }.options()
    };
    for other in others.iter().filter(|_| places.packaged) {
        plan.warn(format!("[{}] of {} uses the driver that is removed", other.name, places.data_sources));
    }
    for other in &others {
        plan.say(format!("{}: [{}] stays (uninstall{})", places.data_sources, other.name, options(other)));
    }
    for other in others_of_ours {
        let library = other.library().to_string_lossy();
        let driver = system::data_source_driver(Mode::System, &other.name, &library);
        let leads_here = |section: &&Section| section.value("Driver").eq_ignore_ascii_case(driver);
        let data_source = data_sources.sections.iter().find(leads_here);
        let dsn = data_source.map_or_else(String::new, |section| format!(" --dsn {QUOTE}{}{QUOTE}", section.name));
        plan.say(format!(
            "{}: [{1}] stays (uninstall --driver-name {QUOTE}{1}{QUOTE}{dsn})",
            places.drivers, other.name
        ));
    }
    match others.first().filter(|_| !data_source.is_some_and(ours)) {
        Some(other) => plan.warn(format!(
            "nothing was removed: [{}] of {} is no data source of loopback-odbc, and [{}] uses the driver. Fix: to remove that one, \
             loopback-odbc uninstall{}",
            registration.dsn,
            places.data_sources,
            other.name,
            options(other)
        )),
        None => plan.say("Done.".to_owned()),
    }
    plan.carry_out(|| places.recover(), registration)
}

/// The driver's section, if it exists.
///
/// # Errors
/// It belongs to another driver.
fn our_driver<'i>(
    places: &Places,
    drivers: &'i Ini,
    registration: &Registration,
) -> Result<Option<&'i Section>, String> {
    let Some(section) = drivers.section(&registration.driver_name) else { return Ok(None) };
    if section.library().as_os_str().is_empty() {
        return Err(format!(
            "[{}] of {} has no Driver line. Nothing was changed. Fix: write Driver={} in it, then run this again",
            section.name,
            places.drivers,
            places.library.display()
        ));
    }
    if !places::ours(section) {
        return Err(format!(
            "[{}] of {} is another driver ({}). Nothing was changed",
            section.name,
            places.drivers,
            Text::new(section.library().to_string_lossy())
        ));
    }
    Ok(Some(section))
}

/// Whether a data source belongs to this registration.
fn leads_to(section: &Section, registration: &Registration, places: &Places) -> bool {
    let driver = section.value("Driver");
    places::same(Path::new(driver), &places.library)
        || (!registration.user && driver.eq_ignore_ascii_case(&registration.driver_name))
}

/// How many other installations use a driver. A section without a count counts as 1, as for SQLRemoveDriver.
fn others_counting(section: &Section) -> u32 {
    section.value("UsageCount").parse::<u32>().unwrap_or(1).saturating_sub(1)
}
