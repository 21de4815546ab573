//! The target: choosing, loading and being the real driver.
//!
//! One loaded copy of this library has one target, for good: the target's own handles go out to the driver manager, so
//! it could never be exchanged under them. Which one it is:
//!
//! 1. `LOOPBACK_ODBC_TARGET_DRIVER`, a name in odbcinst.ini or a library's path;
//! 2. the driver of the loopback string in `LOOPBACK_ODBC_CONNECTION_STRING`;
//! 3. `TargetDriver` in the odbcinst.ini section whose `Driver` is this very library;
//! 4. the newest of Microsoft's drivers that is registered and loads.
//!
//! A target that cannot be loaded is a driver too, the [absent](crate::absent) one, so that the reason can be told at
//! connect: driver managers throw away what a driver says when it cannot allocate an environment.

use crate::absent;
use crate::connection_string::Text;
use crate::entry_points::{self, ROWS, Row};
use crate::failure::{Failure, Sqlstate};
use crate::loopback::driver::{Kind, NAMES};
use crate::loopback::official;
use crate::odbc::*;
use crate::output;
use crate::registration::{self, Driver};
use crate::world::{Machine, Platform, World, open_driver, stay_loaded};
use crate::{connections, guard, logging};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Names the target: a driver of odbcinst.ini, or a library's path.
const TARGET_VARIABLE: &str = "LOOPBACK_ODBC_TARGET_DRIVER";

/// Microsoft's drivers, best first: on Linux those that know `ClientCertificate`.
pub fn preferred(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Linux => &NAMES[..2],
        Platform::Windows => &NAMES,
    }
}

/// Without these nothing can be said through a driver.
const REQUIRED: [&str; 5] =
    ["SQLAllocHandle", "SQLFreeHandle", "SQLDriverConnectW", "SQLGetDiagRecW", "SQLGetDiagFieldW"];

/// A function that only this library exports: by it another copy of the library is known as such.
const OWN_MARKER: &[u8] = b"loopback_odbc_version\0";

/// A function that only driver managers export.
const DRIVER_MANAGER_MARKER: &[u8] = b"SQLDriversW\0";

/// The driver that calls go to.
///
/// `Display` and `Debug` hide secrets: an official string whose braces do not match has a password in its driver's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in odbcinst.ini; none for a target given by path.
    name: Option<Text>,
    library: PathBuf,
}

/// Set once, and never again: handles of the target are out from then on.
static LOADED: OnceLock<Target> = OnceLock::new();

/// Why there is no target, and what takes its place. Whoever loads holds this lock.
static ABSENT: Mutex<Absent> = Mutex::new(Absent { reason: None, handles: absent::Handles::new() });

pub struct Absent {
    reason: Option<Failure>,
    handles: absent::Handles,
}

/// The load lock, held.
pub type Guard = MutexGuard<'static, Absent>;

/// Takes the load lock.
pub fn lock() -> Guard {
    ABSENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs a function on the absent target's handles, under the load lock.
pub fn with_absent_handles<T>(action: impl FnOnce(&mut absent::Handles) -> T) -> T {
    action(&mut lock().handles)
}

/// The loaded target.
///
/// # Errors
/// IM003 with every name and path that was tried.
pub fn loaded() -> Result<&'static Target, Failure> {
    LOADED.get().ok_or_else(|| {
        let never_tried = || Failure::new(Sqlstate::DRIVER_NOT_LOADED, "No environment was ever allocated.");
        lock().reason.clone().unwrap_or_else(never_tried)
    })
}

/// The target, if there is one.
pub fn if_loaded() -> Option<&'static Target> {
    LOADED.get()
}

/// Whether there is a target; what is then still answered for an absent one is what the target lacks.
pub fn is_loaded() -> bool {
    LOADED.get().is_some()
}

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
pub unsafe fn introduce(connection: Handle, target: &Target) {
    if KIND.get().is_some() || !target.kind_by_name().is_microsofts() {
        return;
    }
    let ask = |information| {
        let mut text = [0u16; 128];
        // SAFETY: the caller's promise; the buffer has the size that the target is told, in bytes.
        let code = unsafe {
            entry_points::target::SQLGetInfoW(
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
    let (name, version) = (ask(SQL_DRIVER_NAME), ask(SQL_DRIVER_VER));
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
    let (mut environment, mut connection) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the handles are the target's own, each used as what it is and freed once, in the order of the specification.
    unsafe {
        use entry_points::target::{SQLAllocHandle, SQLFreeHandle, SQLSetEnvAttr};
        SQLAllocHandle(SQL_HANDLE_ENV, std::ptr::null_mut(), &raw mut environment);
        SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, SQL_OV_ODBC3 as Pointer, 0);
        SQLAllocHandle(SQL_HANDLE_DBC, environment, &raw mut connection);
        if !connection.is_null() {
            introduce(connection, &target);
        }
        SQLFreeHandle(SQL_HANDLE_DBC, connection);
        SQLFreeHandle(SQL_HANDLE_ENV, environment);
    }
    Ok(Examined { kind: kind(&target), target, lacking, refused })
}

/// `SQLAllocHandle`: the first environment loads the target.
///
/// # Safety
/// The arguments are as the specification has them.
pub unsafe fn alloc_handle(handle_type: i16, input: Handle, output: *mut Handle) -> Return {
    connections::clear_records(input);
    if handle_type == SQL_HANDLE_ENV && !is_loaded() {
        if output.is_null() {
            return SQL_ERROR;
        }
        let Ok(absent) = guard::catch(load_or_stand_in) else { return SQL_ERROR };
        if let Some(environment) = absent {
            // SAFETY: the caller's promise.
            unsafe { output::put(output, environment) };
            return SQL_SUCCESS;
        }
    }
    // SAFETY: the caller's arguments, unchanged.
    unsafe { entry_points::target::SQLAllocHandle(handle_type, input, output) }
}

/// Loads the target unless it is loaded; gives an environment of the absent target if there is none.
///
/// As long as a handle of the absent target is alive nothing is tried: the functions must not be exchanged under it.
/// The decision and the absent environment belong together under one lock, or another thread could load in between.
fn load_or_stand_in() -> Option<Handle> {
    let mut absent = lock();
    begin();
    if !is_loaded() && absent.handles.is_empty() {
        absent.try_to_load();
    }
    (!is_loaded()).then(|| absent.handles.allocate(SQL_HANDLE_ENV))
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
                log::error!("there is no target: {}", failure.text);
                self.reason = Some(failure);
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let library = Text::new(self.library.to_string_lossy());
        match &self.name {
            Some(name) => write!(formatter, "{name} ({library})"),
            None => write!(formatter, "{library}"),
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

impl Target {
    #[cfg(any(test, fuzzing))]
    pub fn registered_as(name: &str) -> Target {
        Target { name: Some(Text::new(name)), library: PathBuf::from("/usr/lib/target.so") }
    }

    /// The first whose file is there, without loading it; or the first of all, if none is.
    ///
    /// # Errors
    /// IM003 when none is registered, with every name that was looked for.
    pub fn first(world: &dyn World) -> Result<Target, Failure> {
        let mut choice = choose(world)?;
        if choice.candidates.is_empty() {
            return Err(choice.failure(Vec::new()));
        }
        // A plain name is for the loader to search.
        let is_there = |it: &Target| !it.library.is_absolute() || world.exists(&it.library).unwrap_or(true);
        let first = choice.candidates.iter().position(is_there).unwrap_or(0);
        Ok(choice.candidates.swap_remove(first))
    }

    /// The one of this name or path, whether it is registered and there or not.
    pub fn named(world: &dyn World, name: &str) -> Target {
        let library = registration::driver(world, name).map_or_else(|| PathBuf::from(name), |driver| driver.library);
        Target { name: Some(Text::new(name)), library }
    }

    /// What kind of driver it is, by the name that it is registered under or that of its file; the version is not known.
    pub fn kind_by_name(&self) -> Kind {
        let by_name = self.name().map(|name| Kind::new(name, "")).filter(Kind::is_microsofts);
        let file = || self.library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        by_name.unwrap_or_else(|| Kind::new(&file(), ""))
    }

    /// What `Driver=` says of it; none for a target given by path.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Text::reveal)
    }

    /// Its file.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Holds a `TargetDriver` keyword against this target.
    ///
    /// # Errors
    /// HY024 when it names another one.
    pub fn must_be(&self, world: &dyn World, wanted: &Text) -> Result<(), Failure> {
        if self.name().is_some_and(|name| wanted.is(name)) {
            return Ok(());
        }
        let library = match wanted.reveal() {
            path if is_path(path) => Some(PathBuf::from(path)),
            name => registration::driver(world, name).map(|driver| driver.library),
        };
        if library.is_some_and(|library| registration::same_file(world, &library, &self.library)) {
            return Ok(());
        }
        Err(Failure::new(
            Sqlstate::INVALID_VALUE,
            format!(
                "TargetDriver={wanted} asks for another driver than the one that this library has loaded, which is \
                 {self}. A loaded library has one target. To use both, register a copy of libloopbackodbc.so as a \
                 second driver in odbcinst.ini, with TargetDriver={wanted} there, and a data source for it."
            ),
        ))
    }
}

/// What the choice came to, before anything is loaded.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    /// To be tried in this order.
    candidates: Vec<Target>,
    /// Names that lead to no library, with the reason.
    passed_over: Vec<String>,
    /// Where the name came from, as a part of a sentence; none when nobody named a target.
    named_by: Option<String>,
}

/// Applies the rules in the module's text.
///
/// # Errors
/// IM003 when the registrations contradict each other.
fn choose(world: &dyn World) -> Result<Choice, Failure> {
    let drivers = registration::drivers(world);
    let named = |name: &Text, named_by: String| {
        let mut choice = Choice { candidates: Vec::new(), passed_over: Vec::new(), named_by: Some(named_by) };
        if is_path(name.reveal()) {
            choice.add(Target { name: None, library: name.reveal().into() });
        } else {
            choice.add_registered(name, &drivers);
        }
        choice
    };
    if let Some(name) = world.variable(TARGET_VARIABLE) {
        let name = Text::new(name.to_string_lossy());
        return Ok(named(&name, format!("by the environment variable {TARGET_VARIABLE}")));
    }
    if let Some(name) = official::driver(world) {
        return Ok(named(&name, format!("by Driver in the environment variable {}", official::STRING_VARIABLE)));
    }
    let own = own_registrations(world, drivers.as_deref().unwrap_or_default());
    if let [first, rest @ ..] = own.as_slice()
        && let Some(other) = rest.iter().find(|other| other.target_driver != first.target_driver)
    {
        let target = |driver: &Driver| Text::new(driver.target_driver.as_deref().unwrap_or("none"));
        return Err(Failure::new(
            Sqlstate::DRIVER_NOT_LOADED,
            format!(
                "odbcinst.ini has two sections for one file, {}, with different targets: [{}] has TargetDriver={}, \
                 [{}] has TargetDriver={}. A loaded library has one target; register a copy of the file for the second.",
                first.library.display(),
                first.name,
                target(first),
                other.name,
                target(other)
            ),
        ));
    }
    if let Some((name, section)) = own.iter().find_map(|driver| Some((driver.target_driver.clone()?, &driver.name))) {
        return Ok(named(&Text::new(name), format!("by TargetDriver in section [{section}] of odbcinst.ini")));
    }
    let mut choice = Choice { candidates: Vec::new(), passed_over: Vec::new(), named_by: None };
    for name in preferred(world.platform()) {
        choice.add_registered(&Text::new(*name), &drivers);
    }
    Ok(choice)
}

impl Choice {
    /// Adds a candidate, unless its path leads to whatever lies in the program's working directory.
    fn add(&mut self, target: Target) {
        if is_path(&target.library.to_string_lossy()) && !target.library.is_absolute() {
            let text =
                format!("{target}: this path depends on the working directory; give the whole path, from the root");
            self.passed_over.push(text);
        } else {
            self.candidates.push(target);
        }
    }

    fn add_registered(&mut self, name: &Text, drivers: &Result<Vec<Driver>, String>) {
        let found = match drivers {
            Ok(drivers) => drivers.iter().find(|driver| name.is(&driver.name)),
            Err(reason) => return self.passed_over.push(format!("{name}: odbcinst.ini cannot be read: {reason}")),
        };
        match found {
            Some(Driver { name, library, .. }) => {
                self.add(Target { name: Some(Text::new(name)), library: library.clone() });
            }
            None => self.passed_over.push(format!("{name}: no such section in odbcinst.ini")),
        }
    }

    fn failure(self, tried: Vec<String>) -> Failure {
        let cause = match &self.named_by {
            Some(by) => {
                format!("The target driver, named {by}, cannot be loaded. Install it, or name another one there")
            }
            None => format!(
                "No ODBC driver for SQL Server can be loaded. Install Microsoft's, or name another one with \
                 TargetDriver in this driver's section of odbcinst.ini, or with {TARGET_VARIABLE}"
            ),
        };
        let tried: Vec<String> = self.passed_over.into_iter().chain(tried).collect();
        Failure::new(Sqlstate::DRIVER_NOT_LOADED, format!("{cause}. Tried: {}", tried.join("; ")))
    }
}

/// The sections of odbcinst.ini that register this very library.
fn own_registrations<'d>(world: &dyn World, drivers: &'d [Driver]) -> Vec<&'d Driver> {
    let Some(own) = world.own_library() else { return Vec::new() };
    drivers.iter().filter(|driver| registration::same_file(world, &driver.library, &own)).collect()
}

/// A target is given by path when there is a slash in it; on Windows also a backslash, or a drive.
fn is_path(target: &str) -> bool {
    target.contains('/') || cfg!(windows) && target.contains(['\\', ':'])
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
    let mut choice = choose(world)?;
    let mut tried = Vec::new();
    for candidate in std::mem::take(&mut choice.candidates) {
        match load_functions(&candidate.library) {
            Ok(lacking) => {
                if !lacking.is_empty() {
                    log::info!("{candidate} lacks {}", lacking.join(", "));
                }
                return Ok(Loaded { target: candidate, lacking, refused: tried });
            }
            Err(reason) => tried.push(format!("{candidate}: {}", Text::new(reason))),
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
    use crate::world::Profile::Odbcinst;
    use crate::world::fixture::{Fixture, whole};

    const OWN: &str = "/usr/lib/odbc/libloopbackodbc.so";

    fn registered(own: &[(&str, &str)]) -> Fixture {
        let entries = [&[("Driver", OWN)], own].concat();
        Fixture::default()
            .own_library(OWN)
            .section(Odbcinst, "SQL Server Loopback", &entries)
            .section(Odbcinst, "ODBC Driver 17 for SQL Server", &[("Driver", whole!("/opt/17.so"))])
            .section(Odbcinst, "Other", &[("Driver", whole!("/opt/32.so")), ("Driver64", whole!("/opt/64.so"))])
    }

    fn named(name: &str, library: &str) -> Target {
        Target { name: Some(Text::new(name)), library: library.into() }
    }

    #[test]
    fn the_best_installed_is_taken_when_nobody_names_one() {
        let world = registered(&[]);
        let choice = choose(&world).unwrap();
        assert_eq!(choice.candidates, [named("ODBC Driver 17 for SQL Server", whole!("/opt/17.so"))]);
        assert_eq!(choice.passed_over, ["ODBC Driver 18 for SQL Server: no such section in odbcinst.ini"]);
        let world = world.section(Odbcinst, "ODBC Driver 18 for SQL Server", &[("Driver", whole!("/opt/18.so"))]);
        let libraries: Vec<PathBuf> = choose(&world).unwrap().candidates.into_iter().map(|it| it.library).collect();
        assert_eq!(libraries, [Path::new(whole!("/opt/18.so")), Path::new(whole!("/opt/17.so"))]);
    }

    #[test]
    fn target_driver_in_our_own_section_comes_before_the_best() {
        let choice = choose(&registered(&[("TargetDriver", "other")])).unwrap();
        assert_eq!(choice.candidates, [named("Other", whole!("/opt/64.so"))]);
        assert!(choice.named_by.unwrap().contains("[SQL Server Loopback]"));
    }

    #[test]
    fn the_variable_comes_first() {
        let world = registered(&[("TargetDriver", "Other")]).variable(TARGET_VARIABLE, "odbc driver 17 for sql server");
        let choice = choose(&world).unwrap();
        assert_eq!(choice.candidates, [named("ODBC Driver 17 for SQL Server", whole!("/opt/17.so"))]);
        let choice = choose(&registered(&[]).variable(TARGET_VARIABLE, whole!("/opt/any.so"))).unwrap();
        assert_eq!(choice.candidates, [Target { name: None, library: whole!("/opt/any.so").into() }]);
        assert!(choice.named_by.unwrap().contains(TARGET_VARIABLE));
    }

    #[test]
    fn the_official_string_s_driver_comes_before_the_registrations() {
        let string = "Driver=ODBC Driver 17 for SQL Server;Server=.";
        let world = registered(&[("TargetDriver", "Other")]).variable(official::STRING_VARIABLE, string);
        let choice = choose(&world).unwrap();
        assert_eq!(choice.candidates, [named("ODBC Driver 17 for SQL Server", whole!("/opt/17.so"))]);
        assert!(choice.named_by.unwrap().contains(official::STRING_VARIABLE));
        let choice = choose(&world.variable(TARGET_VARIABLE, "Other")).unwrap();
        assert_eq!(choice.candidates, [named("Other", whole!("/opt/64.so"))]);
    }

    #[test]
    fn a_password_in_a_driver_s_name_is_not_shown() {
        // A brace is missing, and the next value has it.
        let swallowed = |start: &str| format!("{start};UID=u;PWD=secret;Server={{fe80::1%eth0");
        for start in
            ["ODBC Driver 18 for SQL Server", "ODBC Driver 13 for SQL Server", "Other", "./17.so", "/opt/17.so"]
        {
            let name = swallowed(start);
            let official = format!("Driver={{{name}}};Database=Sales");
            let worlds = [
                registered(&[]).variable(official::STRING_VARIABLE, &official),
                registered(&[]).variable(TARGET_VARIABLE, &name),
                registered(&[("TargetDriver", &name)]),
                registered(&[("TargetDriver", &name)]).section(Odbcinst, "Second", &[("Driver", OWN)]),
                registered(&[("TargetDriver", &name)]).section(Odbcinst, &name, &[("Driver", &name)]),
            ];
            for world in worlds {
                let failure = load(&world).err().unwrap();
                assert!(failure.text.contains("***") && !failure.text.contains("secret"), "{}", failure.text);
                if let Ok(choice) = choose(&world) {
                    assert!(!format!("{choice:?}").contains("secret"), "{choice:?}");
                }
            }
            let target = Target::named(&Fixture::default(), &name);
            let kind = target.kind_by_name();
            let too_old = kind.must_know_certificates().err().map(|it| it.text).unwrap_or_default();
            for text in [target.to_string(), format!("{target:?}"), kind.to_string(), format!("{kind:?}"), too_old] {
                assert!(!text.contains("secret"), "{text}");
            }
        }
    }

    #[test]
    fn a_path_that_is_not_whole_is_refused_wherever_it_stands() {
        let in_odbcinst = |path: &str| registered(&[("TargetDriver", path)]);
        let anywhere = ["./17.so", "opt/17.so", "../17.so", "~/17.so", "file:/opt/17.so"];
        // Without a drive, and in that one's working directory.
        let windows = ["/opt/17.so", r"\opt\17.dll", "C:17.dll", r"..\17.dll"];
        for path in anywhere.into_iter().chain(windows.into_iter().filter(|_| cfg!(windows))) {
            let worlds = [
                in_odbcinst(path),
                in_odbcinst("Mine").section(Odbcinst, "Mine", &[("Driver", path)]),
                registered(&[]).variable(TARGET_VARIABLE, path),
                registered(&[]).variable(official::STRING_VARIABLE, &format!("Driver={path};Server=.")),
            ];
            for world in worlds {
                let failure = load(&world).err().unwrap();
                assert_eq!(failure.state, Sqlstate::DRIVER_NOT_LOADED);
                assert!(
                    failure.text.contains(path) && failure.text.contains("give the whole path"),
                    "{}",
                    failure.text
                );
                assert!(Target::first(&world).is_err_and(|it| it.text.contains("give the whole path")), "{path}");
            }
        }
        // A name is looked up in odbcinst.ini, and what stands there without a slash is the loader's to search.
        assert_eq!(choose(&in_odbcinst("17.so")).unwrap().passed_over, ["17.so: no such section in odbcinst.ini"]);
        let plain = in_odbcinst("Mine").section(Odbcinst, "Mine", &[("Driver", "libmine.so")]);
        assert_eq!(choose(&plain).unwrap().candidates, [named("Mine", "libmine.so")]);
    }

    #[test]
    fn another_library_s_section_is_not_ours() {
        let world = registered(&[]).file("/usr/lib/copy.so", "").section(
            Odbcinst,
            "Copy",
            &[("Driver", "/usr/lib/copy.so"), ("TargetDriver", "Other")],
        );
        assert_eq!(choose(&world).unwrap().named_by, None);
    }

    #[test]
    fn two_sections_for_this_file_must_agree() {
        let twice = |target| registered(&[("TargetDriver", "Other")]).section(Odbcinst, "Second", target);
        assert!(choose(&twice(&[("Driver", OWN), ("TargetDriver", "Other")])).is_ok());
        let failure = choose(&twice(&[("Driver", OWN)])).unwrap_err();
        assert_eq!(failure.state, Sqlstate::DRIVER_NOT_LOADED);
        for part in ["[SQL Server Loopback] has TargetDriver=Other", "[Second] has TargetDriver=none", OWN] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
    }

    #[test]
    fn a_failure_names_everything_that_was_tried() {
        let world = Fixture::default().own_library(OWN);
        let failure = load(&world).err().unwrap();
        assert_eq!(failure.state, Sqlstate::DRIVER_NOT_LOADED);
        for part in [NAMES[0], NAMES[1], "no such section in odbcinst.ini", "TargetDriver", TARGET_VARIABLE] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
        let failure = load(&registered(&[])).err().unwrap();
        let words = if cfg!(windows) { "(os error 126)" } else { "cannot open shared object file" };
        for part in [whole!("/opt/17.so"), words] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
    }
}
