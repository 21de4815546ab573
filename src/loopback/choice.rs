//! Chooses the target driver. A loaded copy of this library has one target, which never changes. The choice is, in this
//! order:
//!
//! 1. `LOOPBACK_ODBC_TARGET_DRIVER`, a name in odbcinst.ini or the path of a library;
//! 2. the driver of the loopback string in `LOOPBACK_ODBC_CONNECTION_STRING`;
//! 3. `TargetDriver` in the odbcinst.ini section whose `Driver` is this library itself;
//! 4. the newest of Microsoft's drivers that is registered and loads.

use super::connection_string::Text;
use super::driver::{Kind, USUAL, rank};
use super::failure::{Failure, Sqlstate};
use super::official;
use super::registration::{self, Driver};
use crate::world::{Owner, Platform, World};
use std::path::{Path, PathBuf};

/// Sets the target: the name of a driver in odbcinst.ini, or the path of a library.
pub const TARGET_VARIABLE: &str = "LOOPBACK_ODBC_TARGET_DRIVER";

/// Those of these names that are Microsoft's drivers, best first; on Linux only drivers that know `ClientCertificate`.
pub fn preferred<'n>(platform: Platform, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut ranked: Vec<(u32, &str)> = names.filter_map(|name| Some((rank(name, platform)?, name))).collect();
    ranked.sort_by_key(|&(rank, _)| std::cmp::Reverse(rank));
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// The driver that calls go to.
///
/// `Display` and `Debug` hide secrets: if the braces of an official string do not match, the driver's name contains a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in odbcinst.ini; none for a target given by path.
    name: Option<Text>,
    library: PathBuf,
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

    /// The first candidate whose file exists, without loading it; the very first candidate if no file exists.
    ///
    /// # Errors
    /// IM003 when none is registered, with every name that was tried.
    pub fn first(world: &dyn World) -> Result<Target, Failure> {
        let mut choice = choose(world)?;
        if choice.candidates.is_empty() {
            return Err(choice.failure(Vec::new()));
        }
        // The loader searches for a name without a path.
        let is_there = |it: &Target| !it.library.is_absolute() || world.exists(&it.library).unwrap_or(true);
        let first = choice.candidates.iter().position(is_there).unwrap_or(0);
        Ok(choice.candidates.swap_remove(first))
    }

    /// The target with this name or path, whether or not it is registered and its file exists.
    pub fn named(world: &dyn World, name: &str) -> Target {
        let library = registration::driver(world, name).map_or_else(|| PathBuf::from(name), |driver| driver.library);
        Target { name: Some(Text::new(name)), library }
    }

    /// The kind of driver, by its registered name or its file name; the version is unknown.
    pub fn kind_by_name(&self) -> Kind {
        let by_name = self.name().map(|name| Kind::new(name, "")).filter(Kind::is_microsofts);
        let file = || self.library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        by_name.unwrap_or_else(|| Kind::new(&file(), ""))
    }

    /// The value of `Driver=`; none for a target given by path.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Text::reveal)
    }

    /// Why it cannot be loaded, with its name and path. The loader's message usually contains the path already.
    pub fn refused(&self, reason: &str) -> String {
        let reason = Text::new(reason);
        let names_path = reason.reveal().contains(&*self.library.to_string_lossy());
        match &self.name {
            _ if !names_path => format!("{self}: {reason}"),
            Some(name) => format!("{name}: {reason}"),
            None => reason.to_string(),
        }
    }

    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Checks a `TargetDriver` keyword against this target.
    ///
    /// # Errors
    /// HY024 when it names another driver.
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
                "TargetDriver={wanted} is not the driver that this library has loaded: {self}. One library file has one \
                 target. To use both, register a copy of libloopbackodbc.so as a second driver in odbcinst.ini with \
                 TargetDriver={wanted}, and add a data source for it."
            ),
        ))
    }
}

/// The result of the choice, before anything is loaded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// In the order in which to try them.
    pub candidates: Vec<Target>,
    /// Names that lead to no library, with the reason.
    passed_over: Vec<String>,
    /// Which setting named the target, as part of a sentence; none when no setting did.
    named_by: Option<String>,
    /// The registered driver that is used without the line that named the target.
    instead: Option<String>,
    /// The command that lets this user read a candidate, if its file or a folder above it is closed.
    pub opening: Option<String>,
}

/// Applies the rules in the module's documentation.
///
/// # Errors
/// IM003 when the registrations contradict each other.
pub fn choose(world: &dyn World) -> Result<Choice, Failure> {
    let drivers = registration::drivers(world);
    let named = |name: &Text, named_by: String| {
        let mut choice = Choice { named_by: Some(named_by), ..Choice::default() };
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
                "Two sections of odbcinst.ini register the same file, {}, with different targets: [{}] has \
                 TargetDriver={}, [{}] has TargetDriver={}. One library file has one target. Register a copy of the \
                 file for the second.",
                first.library.display(),
                first.name,
                target(first),
                other.name,
                target(other)
            ),
        ));
    }
    if let Some((name, section)) = own.iter().find_map(|driver| Some((driver.target_driver.clone()?, &driver.name))) {
        let registered = drivers.iter().flatten().map(|driver| driver.name.as_str());
        let instead = preferred(world.platform(), registered).into_iter().find(|other| *other != name);
        let choice = named(&Text::new(&*name), format!("by TargetDriver in section [{section}] of odbcinst.ini"));
        return Ok(Choice { instead: instead.map(str::to_owned), ..choice });
    }
    let mut choice = Choice::default();
    match &drivers {
        Ok(registered) => {
            for name in preferred(world.platform(), registered.iter().map(|driver| driver.name.as_str())) {
                choice.add_registered(&Text::new(name), &drivers);
            }
        }
        Err(reason) => choice.passed_over.push(format!("odbcinst.ini cannot be read: {reason}")),
    }
    Ok(choice)
}

impl Choice {
    /// Adds a candidate, unless its path depends on the program's working directory.
    fn add(&mut self, target: Target) {
        if is_path(&target.library.to_string_lossy()) && !target.library.is_absolute() {
            let text = format!("{target}: this path depends on the working directory; use an absolute path");
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

    /// Notes whether a candidate that cannot be loaded is closed to this user.
    pub fn note_closed(&mut self, world: &dyn World, candidate: &Target) {
        self.opening = self.opening.take().or_else(|| opening(world, &candidate.library));
    }

    /// IM003, with the reason why each candidate cannot be loaded, best candidate first.
    pub fn failure(self, tried: Vec<String>) -> Failure {
        let reasons: Vec<String> = tried.into_iter().chain(self.passed_over).collect();
        let reasons = reasons.join("; ");
        let text = match (&self.named_by, &self.opening) {
            (_, Some(opening)) => {
                format!("The target driver cannot be loaded: {reasons}. Let every user read it: {opening}")
            }
            (Some(by), None) => {
                let or = match &self.instead {
                    Some(name) => format!("delete that line, which is enough to use {name}"),
                    None => "set another driver".to_owned(),
                };
                format!("The target driver cannot be loaded: {reasons}. It is set {by}. Install it, or {or}.")
            }
            (None, None) if reasons.is_empty() => format!(
                "No Microsoft ODBC driver for SQL Server, version 17 or later, is registered in odbcinst.ini. Install {USUAL}, or \
                 name another driver with TargetDriver in this driver's section of odbcinst.ini, or with {TARGET_VARIABLE}."
            ),
            (None, None) => format!(
                "Microsoft's ODBC driver cannot be loaded: {reasons}. Install it again, or name another driver with \
                 TargetDriver in this driver's section of odbcinst.ini, or with {TARGET_VARIABLE}."
            ),
        };
        Failure::new(Sqlstate::DRIVER_NOT_LOADED, text)
    }
}

/// The command that lets this user read a library; none if nothing is closed to this user.
fn opening(world: &dyn World, library: &Path) -> Option<String> {
    let is_other = |it: &Owner| it.user != world.user() && it.group != world.group();
    if world.user() == 0 { None } else { opening_for(world, library, is_other) }
}

/// The command that lets every user read a file; none if nothing is closed to users who are neither its owner nor in its group.
pub fn opening_to_all(world: &dyn World, file: &Path) -> Option<String> {
    opening_for(world, file, |_| true)
}

/// The command that opens the uppermost closed folder of a file, or the file, to every user. `is_other` tells whether the user who is
/// to read it has only the rights of all users.
fn opening_for(world: &dyn World, file: &Path, is_other: impl Fn(&Owner) -> bool) -> Option<String> {
    let is_closed = |path: &Path, needed: u32| {
        let owner = world.owner(path).ok().flatten();
        owner.is_some_and(|it| is_other(&it) && it.mode & needed == 0)
    };
    let mut folders: Vec<&Path> = file.ancestors().skip(1).collect();
    folders.reverse();
    let folder = folders.into_iter().find(|folder| is_closed(folder, 0o001));
    let command = |rights, path: &Path| format!("sudo chmod {rights} '{}'", path.display());
    folder.map(|folder| command("a+x", folder)).or_else(|| is_closed(file, 0o004).then(|| command("a+r", file)))
}

/// The sections of odbcinst.ini that register this library itself.
fn own_registrations<'d>(world: &dyn World, drivers: &'d [Driver]) -> Vec<&'d Driver> {
    let Some(own) = world.own_library() else { return Vec::new() };
    drivers.iter().filter(|driver| registration::same_file(world, &driver.library, &own)).collect()
}

/// A target is a path if it contains a slash; on Windows also a backslash or a drive.
fn is_path(target: &str) -> bool {
    target.contains('/') || cfg!(windows) && target.contains(['\\', ':'])
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
    fn the_best_installed_driver_is_the_default() {
        let world = registered(&[]);
        let choice = choose(&world).unwrap();
        assert_eq!(choice.candidates, [named("ODBC Driver 17 for SQL Server", whole!("/opt/17.so"))]);
        assert_eq!(choice.passed_over, [""; 0]);
        let world = world.section(Odbcinst, "ODBC Driver 18 for SQL Server", &[("Driver", whole!("/opt/18.so"))]);
        let libraries: Vec<PathBuf> = choose(&world).unwrap().candidates.into_iter().map(|it| it.library).collect();
        assert_eq!(libraries, [Path::new(whole!("/opt/18.so")), Path::new(whole!("/opt/17.so"))]);
    }

    #[test]
    fn a_failure_begins_with_the_reason() {
        let none = choose(&Fixture::default()).unwrap().failure(Vec::new()).text;
        assert!(
            none.starts_with("No Microsoft ODBC driver for SQL Server, version 17 or later, is registered"),
            "{none}"
        );
        let target = named("ODBC Driver 18 for SQL Server", "/opt/18.so");
        let refused = target.refused("/opt/18.so: cannot open shared object file");
        assert_eq!(refused, "ODBC Driver 18 for SQL Server: /opt/18.so: cannot open shared object file");
        assert_eq!(target.refused("too old"), "ODBC Driver 18 for SQL Server (/opt/18.so): too old");
        let by_path = Target { name: None, library: "/opt/18.so".into() };
        assert_eq!(by_path.refused("/opt/18.so: too old"), "/opt/18.so: too old");
        let broken = choose(&registered(&[])).unwrap().failure(vec![refused]).text;
        assert!(
            broken.starts_with("Microsoft's ODBC driver cannot be loaded: ODBC Driver 18 for SQL Server: /opt/"),
            "{broken}"
        );
        let text = choose(&registered(&[("TargetDriver", "Missing")])).unwrap().failure(Vec::new()).text;
        let expected = "The target driver cannot be loaded: Missing: no such section in odbcinst.ini. It is set by \
                        TargetDriver in section [SQL Server Loopback] of odbcinst.ini";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    #[cfg_attr(windows, ignore = "it is about the modes of Linux")]
    fn an_unreadable_driver_needs_chmod_and_not_reinstallation() {
        let library = "/opt/17.so";
        for (path, mode, command) in [
            ("/opt", 0o700, Some("sudo chmod a+x '/opt'")),
            (library, 0o600, Some("sudo chmod a+r '/opt/17.so'")),
            (library, 0o644, None),
        ] {
            let open = |world: Fixture, path| world.owned(path, 0, 0, 0o755);
            let world = ["/", "/opt", library].into_iter().fold(registered(&[]), open).owned(path, 0, 0, mode);
            let mut choice = choose(&world).unwrap();
            let target = choice.candidates.remove(0);
            choice.note_closed(&world, &target);
            let text = choice.failure(vec![target.refused("Permission denied")]).text;
            assert_eq!(text.contains("Install it again"), command.is_none(), "{text}");
            assert!(
                command.is_none_or(|command| text.ends_with(&format!("Let every user read it: {command}"))),
                "{text}"
            );
        }
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
        // A brace is missing, and the next value contains it.
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
                let failure = choose(&world).map_or_else(
                    |failure| failure,
                    |choice| {
                        assert!(!format!("{choice:?}").contains("secret"), "{choice:?}");
                        let tried = choice.candidates.iter().map(Target::to_string).collect();
                        choice.failure(tried)
                    },
                );
                assert!(failure.text.contains("***") && !failure.text.contains("secret"), "{}", failure.text);
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
    fn a_relative_path_is_refused_wherever_it_is_set() {
        let in_odbcinst = |path: &str| registered(&[("TargetDriver", path)]);
        let anywhere = ["./17.so", "opt/17.so", "../17.so", "~/17.so", "file:/opt/17.so"];
        // Without a drive, or relative to a drive's working directory.
        let windows = ["/opt/17.so", r"\opt\17.dll", "C:17.dll", r"..\17.dll"];
        for path in anywhere.into_iter().chain(windows.into_iter().filter(|_| cfg!(windows))) {
            let worlds = [
                in_odbcinst(path),
                in_odbcinst("Mine").section(Odbcinst, "Mine", &[("Driver", path)]),
                registered(&[]).variable(TARGET_VARIABLE, path),
                registered(&[]).variable(official::STRING_VARIABLE, &format!("Driver={path};Server=.")),
            ];
            for world in worlds {
                let choice = choose(&world).unwrap();
                assert_eq!(choice.candidates, []);
                let failure = choice.failure(Vec::new());
                assert_eq!(failure.state, Sqlstate::DRIVER_NOT_LOADED);
                assert!(
                    failure.text.contains(path) && failure.text.contains("use an absolute path"),
                    "{}",
                    failure.text
                );
                assert!(Target::first(&world).is_err_and(|it| it.text.contains("use an absolute path")), "{path}");
            }
        }
        // A name is looked up in odbcinst.ini. If the section has no slash in its value, the loader searches for it.
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
}
