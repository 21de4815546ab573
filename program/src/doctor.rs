//! `loopback-odbc doctor`: goes the way that a connection goes, and says of each step how it stands.
//!
//! From the data source's registration over the library and its target to the session, the string, and, if that is asked
//! for, a real connection. What a step needs of one that failed is replaced by the usual, so that as much as possible is
//! told in one run.

use crate::arguments::Examination;
use crate::places::Mode;
use crate::report::{Area, Level, Report};
use crate::system::{self, Register};
use crate::{certificate, comparison, driver_manager, version};
use loopbackodbc::entry_point_names;
use loopbackodbc::program::{
    Attribute, Driver, Finding, Kind, Machine, Profile, Rewritten, Search, Target, Text, USUAL, Wanted, World, drivers,
    examine_target, file_of, rewrite, shown, speak_for, utf16,
};
use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Instant, SystemTime};

/// What is asked of a server that a connection was made to: its version, who we are there, and where.
const QUERIES: [&str; 3] = ["select @@version", "select suser_sname()", "select db_name()"];

/// What to do where something of the installation is missing.
const INSTALL: &str = "To mend it: loopback-odbc install";
/// What to do where nobody reads registrations.
const NO_INSTALLER: &str = if cfg!(windows) {
    "It is a part of Windows: ask whoever has set this machine up"
} else {
    "Install unixODBC: it comes with pyodbc, RODBC or Microsoft's driver (Debian: libodbc2, odbcinst)"
};

/// Checks everything and prints the report; gives the exit status.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(examination: &Examination) -> Result<u8, String> {
    let mut report = Report::new(Box::new(anstream::stdout()), examination.json);
    examine(&mut report, examination);
    report.end().map(Level::status).map_err(|error| format!("standard output: {error}"))
}

fn examine(report: &mut Report, examination: &Examination) {
    let registered = registration(report, &examination.dsn);
    if let Some(driver) = &registered {
        library(report, &driver.library);
        speak_for(driver.library.clone());
    }
    let (target, kind) = target(report, registered.and_then(|driver| driver.target_driver));
    let wanted = Wanted {
        target: &target,
        kind: &kind,
        platform: Machine.platform(),
        preset: vec![],
        files_unseen: false,
        ends_open: false,
    };
    // Where the data source is missing, the rest is told as for a connection by DRIVER.
    let is_there = Machine.profile_value(Profile::Odbc, &examination.dsn, "Driver").is_ok_and(|it| !it.is_empty());
    let data_source = is_there.then(|| Attribute::new("DSN", &utf16(&examination.dsn)));
    if let Some(rewritten) = session(report, &wanted, data_source.as_slice()) {
        let section = || format!("The driver reads what else there is in section [{}] of odbc.ini", examination.dsn);
        let details = is_there.then(section).into_iter().collect();
        report.add(Area::String, Level::Ok, shown(&rewritten.target), details);
    }
    if examination.connect {
        connection(report, &examination.dsn);
    }
    if let Some(official) = &examination.compare {
        comparison::compare(report, &wanted, official);
    }
}

/// The data source's section, and its driver's.
fn registration(report: &mut Report, dsn: &str) -> Option<Driver> {
    let drivers = match drivers(&Machine) {
        Ok(drivers) => drivers,
        Err(reason) => {
            report.add(Area::Registration, Level::Failure, reason, vec![NO_INSTALLER.to_owned()]);
            return None;
        }
    };
    for reason in unreadable() {
        report.failure(Area::Registration, reason, system::LET_ALL_READ);
    }
    let named = match Machine.profile_value(Profile::Odbc, dsn, "Driver") {
        Ok(named) if !named.is_empty() => named,
        Ok(_) => {
            let text = format!("There is no section [{dsn}] with a Driver in {}", place(Profile::Odbc, dsn));
            report.add(Area::Registration, Level::Failure, text, vec![INSTALL.to_owned()]);
            // The driver may be registered all the same.
            return drivers.into_iter().find(|driver| driver.name == crate::arguments::DRIVER_NAME);
        }
        Err(reason) => {
            let place = place(Profile::Odbc, dsn);
            report.failure(
                Area::Registration,
                format!("Section [{dsn}] of {place} cannot be read: {reason}"),
                "Write it in UTF-8",
            );
            return None;
        }
    };
    report.ok(Area::Registration, format!("{}, section [{dsn}]: Driver={named}", place(Profile::Odbc, dsn)));
    // Windows has the library's path here, and the driver may be registered besides.
    let by_path = |driver: &&Driver| cfg!(windows) && driver.library == Path::new(&named);
    let by_path = drivers.iter().find(by_path).map(|driver| driver.name.clone());
    if by_path.is_none() && named.contains(std::path::is_separator) {
        return Some(Driver { name: named.clone(), library: named.into(), target_driver: None });
    }
    let named = by_path.unwrap_or(named);
    let Some(driver) = drivers.into_iter().find(|driver| driver.name.eq_ignore_ascii_case(&named)) else {
        let text = format!("There is no section [{named}] with a Driver in {}", place(Profile::Odbcinst, &named));
        report.add(Area::Registration, Level::Failure, text, vec![INSTALL.to_owned()]);
        return None;
    };
    let target =
        driver.target_driver.as_deref().map(Text::new).map_or(String::new(), |it| format!(", TargetDriver={it}"));
    let (name, library) = (&driver.name, driver.library.display());
    let place = place(Profile::Odbcinst, name);
    report.ok(Area::Registration, format!("{place}, section [{name}]: Driver={library}{target}"));
    Some(driver)
}

/// The registers of a profile; none where the driver manager is not unixODBC, whose installer library does not tell.
fn registers(profile: Profile) -> Vec<Register> {
    let registers = |mode| system::registers(mode).ok();
    match profile {
        Profile::Odbcinst => registers(Mode::System).map(|(drivers, _)| drivers).into_iter().collect(),
        Profile::Odbc => {
            [Mode::User, Mode::System].into_iter().filter_map(registers).map(|(_, sources)| sources).collect()
        }
    }
}

/// What the driver manager takes for something that is not there: a register that this user may not read.
fn unreadable() -> Vec<String> {
    let registers = [Profile::Odbcinst, Profile::Odbc].into_iter().flat_map(registers);
    registers.filter_map(|register| register.read().err()).collect()
}

/// The register that has a section, or all in which it would be looked for.
fn place(profile: Profile, section: &str) -> String {
    let registers = registers(profile);
    let has_it = |register: &&Register| register.read().is_ok_and(|ini| ini.section(section).is_some());
    match (registers.iter().find(has_it), profile) {
        (Some(register), _) => register.to_string(),
        (None, Profile::Odbc) if registers.is_empty() => "odbc.ini".to_owned(),
        (None, Profile::Odbcinst) if registers.is_empty() => "odbcinst.ini".to_owned(),
        (None, _) => registers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
    }
}

/// The file that the driver manager would load.
fn library(report: &mut Report, path: &Path) {
    match version::of(path) {
        Ok(version) if version == env!("CARGO_PKG_VERSION") => {
            report.ok(Area::Library, format!("{} is loopback-odbc {version}", path.display()));
        }
        Ok(version) => report.add(
            Area::Library,
            Level::Warning,
            format!("{} is loopback-odbc {version}", path.display()),
            vec![format!("What is said here is decided by this program's version, {}", env!("CARGO_PKG_VERSION"))],
        ),
        Err(reason) => report.failure(Area::Library, reason, INSTALL),
    }
    if let Some(remedy) = system::unseen(path) {
        let text = format!("Scripts that SQL Server runs do not see {}", path.display());
        report.add(Area::Library, Level::Warning, text, vec![remedy.to_owned()]);
    }
}

/// The driver behind the library, loaded as the library loads it. Where it cannot be, the one that the library's section
/// names, or that is wanted most.
fn target(report: &mut Report, named: Option<String>) -> (Target, Kind) {
    match examine_target(&Machine) {
        Ok(examined) => {
            for refused in &examined.refused {
                report.warning(
                    Area::Target,
                    format!("Registered, and cannot be loaded: {refused}"),
                    "Install it anew, or take its registration away",
                );
            }
            report.ok(Area::Target, format!("{} is {}", examined.target, examined.kind));
            let lacking = || format!("It does not export {}", examined.lacking.join(", "));
            match examined.lacking.len() {
                0 => report.ok(Area::Target, format!("It exports all {} functions", entry_point_names().len())),
                _ if examined.kind.is_microsofts() => {
                    report.warning(Area::Target, lacking(), "Install a newer one: programs may need these functions")
                }
                _ => report.ok(Area::Target, lacking()),
            }
            (examined.target, examined.kind)
        }
        Err(failure) => {
            report.add(Area::Target, Level::Failure, failure.text, failure.findings);
            let target = Target::named(&Machine, named.as_deref().unwrap_or(USUAL));
            let kind = target.kind_by_name();
            (target, kind)
        }
    }
}

/// What each signal shows of the session, and the string that comes of it.
fn session(report: &mut Report, wanted: &Wanted, given: &[Attribute]) -> Option<Rewritten> {
    let mut search = Search::thorough();
    let outcome = rewrite(&Machine, wanted, given, &mut search);
    let mut findings = search.findings.as_slice();
    let failing = outcome.is_err().then(|| findings.last().map(|finding| finding.value)).flatten();
    while let Some(first) = findings.first() {
        let (of_value, rest) = findings.split_at(findings.iter().take_while(|it| it.value == first.value).count());
        findings = rest;
        if Some(first.value) != failing {
            value(report, of_value);
        }
    }
    for warning in &search.warnings {
        report.add(Area::Session, Level::Warning, warning, Vec::new());
    }
    match outcome {
        Ok(rewritten) => {
            if search.findings.is_empty() {
                let text = "Nothing was looked for: a server and a way to log in are given";
                report.ok(Area::Session, text);
            }
            certificate_and_key(report, &rewritten);
            Some(rewritten)
        }
        Err(failure) => {
            let seen = search.findings.iter().filter(|finding| Some(finding.value) == failing);
            let details = seen.map(detail).chain(failure.findings).collect();
            report.add(Area::Session, Level::Failure, failure.text, details);
            None
        }
    }
}

/// A value that was found: the first signal that showed something has decided.
fn value(report: &mut Report, findings: &[Finding]) {
    let shown: Vec<&str> = findings.iter().filter_map(|finding| finding.found.as_deref()).collect();
    let mut details: Vec<String> = findings.iter().map(detail).collect();
    let [decided, others @ ..] = shown.as_slice() else {
        // No driver for SQL Server.
        return report.ok(Area::Session, details.join("; "));
    };
    // Paths may differ by symbolic links.
    let real = |path: &str| fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let agree = others.iter().all(|other| real(other) == real(decided));
    if !agree {
        details.push(
            "The signals do not agree. The first that shows something decides; if it is wrong, say it explicitly"
                .to_owned(),
        );
    }
    let assumed = findings.iter().any(Finding::is_assumed);
    let level = if agree && !assumed { Level::Ok } else { Level::Warning };
    report.add(Area::Session, level, format!("{}: {decided}", findings[0].value), details);
}

fn detail(finding: &Finding) -> String {
    format!("{}: {}", finding.signal, finding.text)
}

/// The contents of the files that the string names.
fn certificate_and_key(report: &mut Report, rewritten: &Rewritten) {
    let mut read = |file: &Option<Attribute>| {
        let path = file_of(file.as_ref()?)?;
        let contents = fs::read(path.reveal());
        let unreadable = |error| {
            let remedy = "Name a file that is there, and that the user who connects may read";
            report.failure(Area::Session, format!("{path} cannot be read: {error}"), remedy);
        };
        contents.map_err(unreadable).ok()
    };
    let [certificate, key] = &rewritten.files;
    match (read(certificate), read(key)) {
        (Some(certificate), Some(key)) => certificate::check(report, &certificate, &key, SystemTime::now()),
        (Some(_), None) => report.ok(Area::Session, "The certificate's file is there; what is in it was not checked"),
        _ => {}
    }
}

/// A connection as any program makes it.
fn connection(report: &mut Report, dsn: &str) {
    if registers(Profile::Odbcinst).is_empty() {
        let text = "A connection was not tried: the driver manager here is not unixODBC";
        return report.warning(Area::Connection, text, "Connect with a program of your own to see");
    }
    if std::io::stderr().is_terminal() {
        anstream::eprintln!("Connecting to {dsn} ...");
    }
    let begin = Instant::now();
    match driver_manager::ask(&format!("DSN={dsn}"), &QUERIES) {
        Ok(answers) => {
            let [version, login, database] = answers.as_slice() else { unreachable!("one answer for each query") };
            let text = format!("Connected as {login} to {database}, in {} ms", begin.elapsed().as_millis());
            report.add(Area::Connection, Level::Ok, text, version.lines().map(str::to_owned).collect());
        }
        Err(records) => {
            let text = format!("The connection has failed, after {} ms", begin.elapsed().as_millis());
            let remedy = "docs/troubleshooting.md says what these messages mean".to_owned();
            report.add(Area::Connection, Level::Failure, text, [records, vec![remedy]].concat());
        }
    }
}
