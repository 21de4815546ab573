//! Loading the target, and what it says of itself.
//!
//! One loaded copy of this library has one target, for good: the target's own handles go out to the driver manager, so
//! it could never be exchanged under them. Which one it is, the domain decides ([`choice`]).
//!
//! A target that cannot be loaded is a driver too, the [absent](super::absent) one, so that the reason can be told at
//! connect: driver managers throw away what a driver says when it cannot allocate an environment.

use crate::loopback::choice::{self, Target};
use crate::loopback::driver::Kind;
use crate::loopback::failure::Failure;
use crate::loopback::registration;
use crate::target::odbc::*;
use crate::target::slots::{ROWS, Row, call};
use crate::target::state::{Absent, LOADED, is_loaded, lock};
use crate::world::{Machine, World, logging, open_driver, stay_loaded};
use std::path::Path;
use std::sync::OnceLock;

/// Without these nothing can be said through a driver.
const REQUIRED: [&str; 5] =
    ["SQLAllocHandle", "SQLFreeHandle", "SQLDriverConnectW", "SQLGetDiagRecW", "SQLGetDiagFieldW"];

/// A function that only this library exports: by it another copy of the library is known as such.
const OWN_MARKER: &[u8] = b"loopback_odbc_version\0";

/// A function that only driver managers export.
const DRIVER_MANAGER_MARKER: &[u8] = b"SQLDriversW\0";

/// What is made only once is made under the load lock, for the sake of processes that fork: the log, and the installer
/// library's opening. For whoever comes without allocating an environment.
pub fn start() {
    let _held = lock();
    begin();
    // Whatever it says is told when it is asked for something.
    let _ = registration::drivers(&Machine);
}

/// Before anything is remembered, or shown to others.
fn begin() {
    stay_loaded();
    logging::start();
}

/// What the target says of itself, the first time that it is asked.
static KIND: OnceLock<Kind> = OnceLock::new();

/// Has the target say what kind of driver it is, unless it has before.
///
/// One that is not Microsoft's by its name is not asked: drivers may expect to be connected before they are asked for
/// anything, and some crash otherwise. Microsoft's answers SQL_DRIVER_NAME and SQL_DRIVER_VER at any time.
///
/// # Safety
/// `connection` is a connection of the target, which need not be open.
pub unsafe fn introduce(connection: HDbc, target: &Target) {
    if KIND.get().is_some() || !target.kind_by_name().is_microsofts() {
        return;
    }
    let ask = |information| {
        let mut text = [0u16; 128];
        // SAFETY: the caller's promise; the buffer has the size that the target is told, in bytes.
        let code = unsafe {
            call::SQLGetInfoW(
                connection,
                information,
                text.as_mut_ptr().cast(),
                size_of_val(&text) as i16,
                std::ptr::null_mut(),
            )
        };
        succeeded(code).then_some(text)
    };
    // Only then anything is allocated: the target is called where nothing would be lost if it did not return.
    let (name, version) = (ask(InfoType::DriverName as u16), ask(InfoType::DriverVer as u16));
    let text = |answer: Option<[u16; 128]>| {
        let units = answer.unwrap_or([0; 128]);
        String::from_utf16_lossy(units.split(|&unit| unit == 0).next().unwrap_or_default())
    };
    let name = text(name);
    if !name.is_empty() {
        let _held = lock();
        KIND.get_or_init(|| Kind::new(&name, &text(version)));
    }
}

/// What kind of driver the target is, as it has said, or else as its name tells.
pub fn kind(target: &Target) -> Kind {
    KIND.get().cloned().unwrap_or_else(|| target.kind_by_name())
}

/// A target that was loaded in order to be looked at.
pub struct Examined {
    pub target: Target,
    pub kind: Kind,
    /// Functions that it does not export, of those that the library does.
    pub lacking: Vec<&'static str>,
    /// Better ones that are registered and cannot be loaded, with the reason.
    pub refused: Vec<String>,
}

/// Loads the target, as the first environment does, and has it say what it is. For a program that looks only once.
///
/// # Errors
/// IM003 with every name and path that was tried.
pub fn examine(world: &dyn World) -> Result<Examined, Failure> {
    let Loaded { target, lacking, refused } = load(world)?;
    let (mut environment, mut connection) = (Handle::null(), Handle::null());
    // SAFETY: the handles are the target's own, each used as what it is and freed once, in the order of the specification.
    unsafe {
        use call::{SQLAllocHandle, SQLFreeHandle, SQLSetEnvAttr};
        let _ = SQLAllocHandle(HandleType::Env as i16, Handle::null(), &raw mut environment);
        let version = (EnvironmentAttribute::OdbcVersion as i32, AttrOdbcVersion::Odbc3.into());
        let _ = SQLSetEnvAttr(environment.as_henv(), version.0, version.1, 0);
        let _ = SQLAllocHandle(HandleType::Dbc as i16, environment, &raw mut connection);
        if !connection.0.is_null() {
            introduce(connection.as_hdbc(), &target);
        }
        let _ = SQLFreeHandle(HandleType::Dbc as i16, connection);
        let _ = SQLFreeHandle(HandleType::Env as i16, environment);
    }
    Ok(Examined { kind: kind(&target), target, lacking, refused })
}

/// Loads the target unless it is loaded; gives an environment of the absent target if there is none.
///
/// As long as a handle of the absent target is alive nothing is tried: the functions must not be exchanged under it.
/// The decision and the absent environment belong together under one lock, or another thread could load in between.
pub fn load_or_stand_in() -> Option<Handle> {
    let mut absent = lock();
    begin();
    if !is_loaded() && absent.handles.is_empty() {
        absent.try_to_load();
    }
    (!is_loaded()).then(|| absent.handles.allocate(HandleType::Env as i16))
}

impl Absent {
    fn try_to_load(&mut self) {
        match load(&Machine) {
            Ok(Loaded { target, .. }) => {
                log::info!("the target is {target}");
                // The lock is held, so nobody else has set it.
                LOADED.get_or_init(|| target);
            }
            Err(failure) => {
                log::error!("no target: {}", failure.text);
                self.reason = Some(failure);
            }
        }
    }
}

/// What came of loading.
struct Loaded {
    target: Target,
    /// Functions of the table that it does not export.
    lacking: Vec<&'static str>,
    /// Better ones that cannot be loaded, with the reason.
    refused: Vec<String>,
}

/// Loads the first candidate that can be, and fills the table of entry points with its functions.
fn load(world: &dyn World) -> Result<Loaded, Failure> {
    let mut choice = choice::choose(world)?;
    let mut tried = Vec::new();
    for candidate in std::mem::take(&mut choice.candidates) {
        match load_functions(candidate.library()) {
            Ok(lacking) => {
                if !lacking.is_empty() {
                    log::info!("{candidate} lacks {}", lacking.join(", "));
                }
                return Ok(Loaded { target: candidate, lacking, refused: tried });
            }
            Err(reason) => tried.push(candidate.refused(&reason)),
        }
    }
    Err(choice.failure(tried))
}

/// Opens a driver and fills the table with its functions. Gives those that it lacks, which keep answering `SQL_ERROR`.
fn load_functions(library: &Path) -> Result<Vec<&'static str>, String> {
    let library = open_driver(library)?;
    // SAFETY: only the address is looked at.
    if unsafe { library.get::<*const ()>(OWN_MARKER) }.is_ok() {
        return Err("this is loopback-odbc itself; the target must be the driver behind it".into());
    }
    // SAFETY: as before. It would load this library again, which would ask it for an environment, and so on.
    if unsafe { library.get::<*const ()>(DRIVER_MANAGER_MARKER) }.is_ok() {
        return Err("this is a driver manager; the target must be a driver".into());
    }
    // SAFETY: the addresses are used as functions of the specification's types, which their names promise.
    let address = |row: &Row| unsafe { library.get::<*mut ()>(row.name.as_bytes()) }.ok().map(|symbol| *symbol);
    if let Some(missing) = ROWS.iter().find(|row| REQUIRED.contains(&row.name) && address(row).is_none()) {
        return Err(format!("it does not export {}; is it an ODBC driver for Unicode?", missing.name));
    }
    let mut lacking = Vec::new();
    for row in &ROWS {
        match address(row) {
            Some(function) => row.fill(function),
            None if row.is_exported() => lacking.push(row.name),
            None => {}
        }
    }
    // Never closed: its handles and functions are out.
    std::mem::forget(library);
    Ok(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::failure::Sqlstate;
    use crate::world::Profile::Odbcinst;
    use crate::world::fixture::{Fixture, whole};

    #[test]
    fn a_failure_names_everything_that_was_tried() {
        let world = Fixture::default().own_library("/usr/lib/odbc/libloopbackodbc.so");
        let failure = load(&world).err().unwrap();
        assert_eq!(failure.state, Sqlstate::DRIVER_NOT_LOADED);
        for part in [
            "ODBC Driver 18 for SQL Server",
            "is registered in odbcinst.ini",
            "TargetDriver",
            "LOOPBACK_ODBC_TARGET_DRIVER",
        ] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
        let failure =
            load(&world.section(Odbcinst, "ODBC Driver 17 for SQL Server", &[("Driver", whole!("/opt/17.so"))]))
                .err()
                .unwrap();
        let words = if cfg!(windows) { "(os error 126)" } else { "cannot open shared object file" };
        for part in [whole!("/opt/17.so"), words] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
    }
}
