//! Taking sections out of odbcinst.ini and odbc.ini again: a file that nobody else has changed becomes what it was, to the
//! byte. From one that somebody has, the installer library removes our section, and what that loses is kept in a copy.

use super::Register;
use super::backup::Kept;
use crate::ini::{Ini, Section};
use crate::plan::Plan;

/// Removes a section: by putting the file back as it was, if it was ours alone to change, or else by the installer library.
/// `written` says whether somebody has added to the section.
///
/// # Errors
/// The system's reason, with the path.
pub fn remove_section(
    plan: &mut Plan,
    register: &Register,
    name: &str,
    written: bool,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    if !can_be_restored(register, name)? {
        return change(plan, register, name, format!("{register}: [{name}] removed"), written, by_installer);
    }
    let says = format!("{register}: [{name}] removed, the file is as it was before the installation");
    let path = register.path.clone();
    plan.change(says, register.clone(), move || Kept::of(&path).restore().map(|()| None));
    Ok(())
}

/// Has the installer library count one user of a driver less.
///
/// # Errors
/// The system's reason, with the path.
pub fn count_less(
    plan: &mut Plan,
    register: &Register,
    name: &str,
    says: String,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    change(plan, register, name, says, false, by_installer)
}

/// Whether all that has changed in a file since we changed it first is that this section was added.
fn can_be_restored(register: &Register, name: &str) -> Result<bool, String> {
    let kept = Kept::of(&register.path);
    if !kept.untouched()? {
        return Ok(false);
    }
    let (mut now, mut original) = (sections(&register.read()?), sections(&kept.original()?));
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
    register: &Register,
    name: &str,
    says: String,
    written: bool,
    by_installer: impl FnOnce() -> Result<(), String> + 'static,
) -> Result<(), String> {
    let (now, kept) = (register.read()?, Kept::of(&register.path));
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
    let (file, name) = (register.clone(), name.to_owned());
    plan.change(format!("{says}{loses}"), register.clone(), move || {
        let copy = if loses_now { Some(kept.keep()?) } else { None };
        kept.change(&name, by_installer)?;
        let older = if more { kept.after_change().map(|()| None) } else { kept.forget() }?;
        let copies: Vec<String> = copy.iter().chain(&older).map(|copy| copy.display().to_string()).collect();
        Ok((!copies.is_empty()).then(|| {
            format!(
                "{file} has lost comments, or what was added to our section: others have changed it since the installation, or \
                 it had the section before, so that it was not put back as it was. What was lost is in {}",
                copies.join(" and ")
            )
        }))
    });
    Ok(())
}
