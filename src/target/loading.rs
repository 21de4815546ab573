//! Loads the target, and asks it what kind of driver it is.
//!
//! A loaded copy of this library has one target, which never changes: the driver manager gets the target's own handles,
//! so the target can never be replaced under them. The domain decides which target it is ([`choice`]).
//!
//! If the target cannot be loaded, the [absent](super::absent) one takes its place, to report the reason when the
//! application connects: driver managers discard what a driver reports when it cannot allocate an environment.

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

/// Without these functions a driver cannot even report an error.
const REQUIRED: [&str; 5] =
    ["SQLAllocHandle", "SQLFreeHandle", "SQLDriverConnectW", "SQLGetDiagRecW", "SQLGetDiagFieldW"];

/// A function that only this library exports. It identifies another copy of the library.
const OWN_MARKER: &[u8] = b"loopback_odbc_version\0";

/// A function that only driver managers export.
const DRIVER_MANAGER_MARKER: &[u8] = b"SQLDriversW\0";

/// Creates what exists only once: starts the log and opens the installer library. Both happen under the load lock,
/// because of processes that fork. For callers that do not allocate an environment.
pub fn start() {
    let _held = lock();
    begin();
    // An error is reported when the installer library is used.
    let _ = registration::drivers(&Machine);
}

/// Must run before anything is remembered or handed out.
fn begin() {
    stay_loaded();
    logging::start();
}

/// The target's answer, from the first time it was asked.
static KIND: OnceLock<Kind> = OnceLock::new();

/// Asks the target what kind of driver it is, unless it has answered before.
///
/// A driver whose name is not one of Microsoft's is not asked: some drivers must be connected before they are asked
/// anything, and crash otherwise. Microsoft's driver answers SQL_DRIVER_NAME and SQL_DRIVER_VER at any time.
///
/// # Safety
/// `connection` is a connection of the target; it need not be open.
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
    // Memory is allocated only after these calls: if the target did not return, nothing would leak.
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

/// The target's kind: its own answer, or else the kind that its name implies.
pub fn kind(target: &Target) -> Kind {
    KIND.get().cloned().unwrap_or_else(|| target.kind_by_name())
}

/// A target that was loaded to be examined.
pub struct Examined {
    pub target: Target,
    pub kind: Kind,
    /// Functions that the library exports and the target does not.
    pub lacking: Vec<&'static str>,
    /// Better candidates that are registered but cannot be loaded, with the reason.
    pub refused: Vec<String>,
    /// The command that lets this user read such a candidate, if it is closed.
    pub opening: Option<String>,
}

/// Loads the target like the first environment does, and asks it what kind of driver it is. For a program that does
/// this only once.
///
/// # Errors
/// IM003 with every name and path that was tried.
pub fn examine(world: &dyn World) -> Result<Examined, Failure> {
    let Loaded { target, lacking, refused, opening } = load(world)?;
    let (mut environment, mut connection) = (Handle::null(), Handle::null());
    // SAFETY: the handles are the target's own, each used for what it is and freed once, in the order of the
    // specification.
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
    Ok(Examined { kind: kind(&target), target, lacking, refused, opening })
}

/// Loads the target unless it is loaded. Returns an environment of the absent target if loading fails.
///
/// While a handle of the absent target is alive, loading is not tried: the functions must not be replaced under it. The
/// decision and the allocation of the absent environment happen under one lock, or another thread could load in
/// between.
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
                // The lock is held, so no other thread has set it.
                LOADED.get_or_init(|| target);
            }
            Err(failure) => {
                log::error!("no target: {}", failure.text);
                self.reason = Some(failure);
            }
        }
    }
}

/// The result of loading.
struct Loaded {
    target: Target,
    /// Functions of the table that the target does not export.
    lacking: Vec<&'static str>,
    /// Better candidates that cannot be loaded, with the reason.
    refused: Vec<String>,
    /// The command that lets this user read such a candidate, if it is closed.
    opening: Option<String>,
}

/// Loads the first candidate that can be loaded, and fills the table of entry points with its functions.
fn load(world: &dyn World) -> Result<Loaded, Failure> {
    let mut choice = choice::choose(world)?;
    let mut tried = Vec::new();
    for candidate in std::mem::take(&mut choice.candidates) {
        match load_functions(candidate.library()) {
            Ok(lacking) => {
                if !lacking.is_empty() {
                    log::info!("{candidate} lacks {}", lacking.join(", "));
                }
                return Ok(Loaded { target: candidate, lacking, refused: tried, opening: choice.opening });
            }
            Err(reason) => {
                choice.note_closed(world, &candidate);
                tried.push(candidate.refused(&reason));
            }
        }
    }
    Err(choice.failure(tried))
}

/// Opens a driver and fills the table with its functions. Returns those that it lacks; they keep returning `SQL_ERROR`.
fn load_functions(library: &Path) -> Result<Vec<&'static str>, String> {
    let library = open_driver(library)?;
    // SAFETY: only the presence of the symbol is checked.
    if unsafe { library.get::<*const ()>(OWN_MARKER) }.is_ok() {
        return Err("this is loopback-odbc itself; the target must be the driver behind it".into());
    }
    // SAFETY: as before. A driver manager would load this library again, which would ask it for an environment, and so
    // on.
    if unsafe { library.get::<*const ()>(DRIVER_MANAGER_MARKER) }.is_ok() {
        return Err("this is a driver manager; the target must be a driver".into());
    }
    // SAFETY: the addresses are used as functions of the specification's types; functions of these names have these
    // types.
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
    // Never closed: its handles and functions are in use.
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
