//! `loopback-odbc doctor`: follows a connection and reports the state of each step.
//!
//! The steps are the registration of the data source and the driver, the library, the driver behind it (the target), the session, the
//! string and, on request, a real connection. A step that depends on a failed one is reported as not checked, so that each cause is
//! reported once, with its own fix.

use crate::arguments::{DRIVER_NAME, DSN, Examination, option};
use crate::places::{Mode, is_ours};
use crate::report::{Area, Level, Report};
use crate::system::{self, Register};
use crate::{certificate, comparison, driver_manager, version};
use loopbackodbc::entry_point_names;
use loopbackodbc::program::{
    Attribute, Driver, Finding, Kind, Machine, Profile, Rewritten, Search, Target, Text, USUAL, Wanted, World, drivers,
    examine_target, file_of, misspelt, rewrite, shown, speak_for, utf16,
};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// The queries after a connection: the server's version, the login, and the database.
const QUERIES: [&str; 3] = ["select @@version", "select suser_sname()", "select db_name()"];

/// The fix if no ODBC installer library can be loaded.
const NO_INSTALLER: &str = if cfg!(windows) {
    "It is part of Windows. Ask the administrator of this machine"
} else {
    "Fix: install unixODBC, for example with: sudo apt-get install libodbc2 odbcinst (Debian, Ubuntu), sudo dnf install unixODBC"
};

/// Runs the doctor as a script of SQL Server, which checks a session.
const IN_A_SESSION: &str = "EXECUTE sp_execute_external_script @language = N'Python', @script = N'import subprocess; \
    print(subprocess.run([\"loopback-odbc\", \"doctor\"], capture_output=True, text=True).stdout)'";

/// Checks everything, prints the report, and returns the exit status.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(examination: &Examination) -> Result<u8, String> {
    let mut report = Report::new(Box::new(anstream::stdout()), examination.json);
    examine(&mut report, examination);
    report.end().map(Level::status).map_err(|error| format!("standard output: {error}"))
}

fn examine(report: &mut Report, examination: &Examination) {
    let dsn = &examination.dsn;
    let Some(drivers) = registered_drivers(report) else {
        let areas = [Area::Target, Area::Session];
        for area in areas.into_iter().take(if examination.installation { 1 } else { 2 }) {
            report.unchecked(area, "Not checked: this depends on the registrations", Vec::new());
        }
        return;
    };
    let found = data_source(report, dsn, &drivers);
    let named = found.as_ref().ok().and_then(Option::as_deref);
    let registered = named.and_then(|named| driver(report, named, &drivers));
    // The driver may be registered even if the data source is not.
    let registered = registered.or_else(|| drivers.iter().find(|driver| driver.name == DRIVER_NAME).cloned());
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
    if examination.installation {
        // Only scripts have a session.
    } else if found.is_err() {
        report.unchecked(Area::Session, "Not checked: this depends on the data source", Vec::new());
    } else {
        // Without the data source, the rest is checked as for a connection by DRIVER.
        let data_source = named.map(|_| Attribute::new("DSN", &utf16(dsn)));
        if named.is_some() && kind.is_microsofts() {
            warn_of_mistakes(report, dsn);
        }
        if let Some(rewritten) = session(report, &wanted, data_source.as_slice(), dsn) {
            let section = |_| format!("The driver reads the other keywords of section [{dsn}] of odbc.ini itself");
            report.add(Area::String, Level::Ok, shown(&rewritten.target), named.map(section).into_iter().collect());
        }
    }
    if examination.connect {
        connection(report, dsn);
    }
    if let Some(official) = &examination.compare {
        comparison::compare(report, &wanted, official);
    }
}

/// The registered drivers; none if the registrations cannot be read.
fn registered_drivers(report: &mut Report) -> Option<Vec<Driver>> {
    let drivers = match drivers(&Machine) {
        Ok(drivers) => drivers,
        Err(reason) => {
            report.failure(Area::Registration, reason, NO_INSTALLER);
            return None;
        }
    };
    let all_readable = !tell_unreadable(report, Profile::Odbcinst, Level::Failure);
    all_readable.then_some(drivers)
}

/// Reports the registers that this user may not read, which the driver manager treats as missing; returns whether there are any.
fn tell_unreadable(report: &mut Report, profile: Profile, level: Level) -> bool {
    let mut any = false;
    for register in registers(profile) {
        if let Err(reason) = register.read() {
            report.add(Area::Registration, level, reason, vec![system::let_read(&register)]);
            any = true;
        }
    }
    any
}

/// Checks the data source's section and returns its `Driver`, or an error if that cannot be read.
fn data_source(report: &mut Report, dsn: &str, drivers: &[Driver]) -> Result<Option<String>, ()> {
    let place = place(Profile::Odbc, dsn);
    let named = match Machine.profile_value(Profile::Odbc, dsn, "Driver") {
        Ok(named) if !named.is_empty() => named,
        Ok(_) if tell_unreadable(report, Profile::Odbc, Level::Failure) => return Err(()),
        Ok(_) => {
            let text = format!("There is no data source [{dsn}] in {place}");
            report.add(Area::Registration, Level::Failure, text, no_data_source(dsn, drivers));
            return Ok(None);
        }
        Err(reason) => {
            let text = format!("Section [{dsn}] of {place} cannot be read: {reason}");
            report.failure(Area::Registration, text, "Fix: save the file in UTF-8");
            return Err(());
        }
    };
    tell_unreadable(report, Profile::Odbc, Level::Warning);
    report.ok(Area::Registration, format!("{place}, section [{dsn}]: Driver={named}"));
    Ok(Some(named))
}

/// Warns of keywords that the driver ignores and that are probably misspelt.
fn warn_of_mistakes(report: &mut Report, dsn: &str) {
    let keywords = Machine.profile_keywords(Profile::Odbc, dsn).unwrap_or_default();
    for mistake in keywords.iter().filter_map(|keyword| misspelt(keyword, &format!("section [{dsn}]"))) {
        report.add(Area::Session, Level::Warning, mistake, Vec::new());
    }
}

/// The fix for a missing data source.
fn no_data_source(dsn: &str, drivers: &[Driver]) -> Vec<String> {
    let leads_here = |name: &&String| {
        let named = Machine.profile_value(Profile::Odbc, name, "Driver").unwrap_or_default();
        let library =
            drivers.iter().find(|driver| driver.name.eq_ignore_ascii_case(&named)).map(|it| it.library.clone());
        is_ours(&library.unwrap_or_else(|| named.into()))
    };
    let names = Machine.profile_sections(Profile::Odbc).unwrap_or_default();
    let others: Vec<String> = names.iter().filter(leads_here).map(|name| format!("[{name}]")).collect();
    let install = installing(&option("--dsn", dsn, DSN));
    let others = (!others.is_empty()).then(|| format!("The data sources of this library are {}", others.join(", ")));
    others.into_iter().chain([install]).collect()
}

/// The fix that installs, with `sudo` where it is needed.
fn installing(options: &str) -> String {
    format!("Fix: {}loopback-odbc install{options}", system::AS_ADMINISTRATOR)
}

/// The driver that a data source names.
fn driver(report: &mut Report, named: &str, drivers: &[Driver]) -> Option<Driver> {
    // On Windows this is the library's path. The driver may also be registered.
    let by_path = drivers.iter().find(|driver| cfg!(windows) && driver.library == Path::new(named));
    if by_path.is_none() && named.contains(std::path::is_separator) {
        return Some(Driver { name: named.to_owned(), library: named.into(), target_driver: None });
    }
    let by_name = || drivers.iter().find(|driver| driver.name.eq_ignore_ascii_case(named));
    let Some(driver) = by_path.or_else(by_name) else {
        let text = format!("There is no driver [{named}] in {}", place(Profile::Odbcinst, named));
        report.failure(Area::Registration, text, &installing(&option("--driver-name", named, DRIVER_NAME)));
        return None;
    };
    let target =
        driver.target_driver.as_deref().map(Text::new).map_or(String::new(), |it| format!(", TargetDriver={it}"));
    let (name, library) = (&driver.name, driver.library.display());
    let place = place(Profile::Odbcinst, name);
    report.ok(Area::Registration, format!("{place}, section [{name}]: Driver={library}{target}"));
    Some(driver.clone())
}

/// The registers of a profile; none if the driver manager is not unixODBC, because other installer libraries do not report them.
fn registers(profile: Profile) -> Vec<Register> {
    let registers = |mode| system::registers(mode).ok();
    match profile {
        Profile::Odbcinst => registers(Mode::System).map(|(drivers, _)| drivers).into_iter().collect(),
        Profile::Odbc => {
            [Mode::User, Mode::System].into_iter().filter_map(registers).map(|(_, sources)| sources).collect()
        }
    }
}

/// The register that contains a section, or all registers that are searched for it.
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
            vec![
                format!("This report follows the rules of this program's version, {}", env!("CARGO_PKG_VERSION")),
                installing(""),
            ],
        ),
        Err(reason) => report.failure(Area::Library, reason, &installing("")),
    }
    if let Some(remedy) = system::unseen(path) {
        let text = format!("Scripts that SQL Server runs cannot see {}", path.display());
        report.add(Area::Library, Level::Warning, text, vec![remedy.to_owned()]);
    }
}

/// The target driver, loaded as the library loads it. If that fails, the driver that the library's section names, or the preferred
/// one.
fn target(report: &mut Report, named: Option<String>) -> (Target, Kind) {
    match examine_target(&Machine) {
        Ok(examined) => {
            for refused in &examined.refused {
                report.warning(
                    Area::Target,
                    format!("A newer driver is registered but cannot be loaded: {refused}"),
                    "Fix: install it again, or remove its section from odbcinst.ini",
                );
            }
            report.ok(Area::Target, format!("{} is {}", examined.target, examined.kind));
            let lacking = || format!("It does not export {}", examined.lacking.join(", "));
            match examined.lacking.len() {
                0 => report.ok(Area::Target, format!("It exports all {} functions", entry_point_names().len())),
                _ if examined.kind.is_microsofts() => report.warning(
                    Area::Target,
                    lacking(),
                    "Fix: install a newer version: programs may need these functions",
                ),
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

/// Checks each signal of the session, and makes the connection string.
fn session(report: &mut Report, wanted: &Wanted, given: &[Attribute], dsn: &str) -> Option<Rewritten> {
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
                report.ok(Area::Session, "Not needed: a server and a login are configured");
            }
            certificate_and_key(report, &rewritten);
            Some(rewritten)
        }
        Err(failure) => {
            let seen = search.findings.iter().filter(|finding| Some(finding.value) == failing);
            let seen = seen.map(detail).chain(failure.findings);
            if search.is_unconfigured {
                let text =
                    "Not checked: this is not a script that SQL Server runs, and no development server is configured";
                let configure =
                    format!("On a development machine, add a server and a login to section [{dsn}] of odbc.ini");
                let check = format!("To check a session, run in SQL Server: {IN_A_SESSION}");
                report.unchecked(Area::Session, text, [check, configure].into_iter().chain(seen).collect());
            } else {
                report.add(Area::Session, Level::Failure, failure.text, seen.collect());
            }
            None
        }
    }
}

/// Reports a value that was found. The first signal that showed a value decided.
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
            "The signals disagree. The first one that shows a value counts. If it is wrong, configure the value"
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

/// Checks the contents of the files in the string.
fn certificate_and_key(report: &mut Report, rewritten: &Rewritten) {
    let mut read = |file: &Option<Attribute>| {
        let path = file_of(file.as_ref()?)?;
        let contents = fs::read(path.reveal());
        let unreadable = |error| {
            let remedy = "Fix: name a file that exists and that the user who connects may read";
            report.failure(Area::Session, format!("{path} cannot be read: {error}"), remedy);
        };
        contents.map_err(unreadable).ok()
    };
    let [certificate, key] = &rewritten.files;
    match (read(certificate), read(key)) {
        (Some(certificate), Some(key)) => certificate::check(report, &certificate, &key, SystemTime::now()),
        (Some(_), None) => report.ok(Area::Session, "The certificate file exists; its contents were not checked"),
        _ => {}
    }
}

/// Connects as any program does.
fn connection(report: &mut Report, dsn: &str) {
    if registers(Profile::Odbcinst).is_empty() {
        let text = "Not checked: the driver manager on this machine is not unixODBC";
        return report.unchecked(Area::Connection, text, vec!["Connect with your own program instead".to_owned()]);
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
            let text = format!("The connection failed after {} ms", begin.elapsed().as_millis());
            let page = messages().map(|page| format!("{} explains these messages", page.display()));
            report.add(Area::Connection, Level::Failure, text, records.into_iter().chain(page).collect());
        }
    }
}

/// The installed page that explains messages.
fn messages() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let page = program.parent()?.with_file_name("share").join("doc").join("loopback-odbc").join("troubleshooting.md");
    page.is_file().then_some(page)
}
