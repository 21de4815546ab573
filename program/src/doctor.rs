//! `loopback-odbc doctor`: follows a connection and reports the state of each step.
//!
//! The steps are the registration of the data source and the driver, the library, the driver behind it (the target), the session, the
//! string and, on request, a real connection. A step that depends on a failed one is reported as not checked, so that each cause is
//! reported once, with its own fix.

use crate::arguments::{DRIVER_NAME, Examination};
use crate::registration::{self, Registered, registers};
use crate::report::{Area, Level, Report};
use crate::{certificate, comparison, places, print, system, version};
use loopbackodbc::entry_point_names;
use loopbackodbc::program::{
    Attribute, Finding, Kind, Machine, Profile, Rewritten, Search, Target, Text, Told, USUAL, Wanted, World, document,
    drivers, examine_target, file_of, rewrite, shown, speak_for, unknown, utf16,
};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// The queries after a connection: the server's version, the login, and the database.
const QUERIES: [&str; 3] = ["select @@version", "select suser_sname()", "select db_name()"];

/// Runs the doctor as a script of SQL Server, which checks a session.
const IN_A_SESSION: &str = "EXECUTE sp_execute_external_script @language = N'Python', @script = N'import subprocess; \
    print(subprocess.run([\"loopback-odbc\", \"doctor\"], capture_output=True, text=True).stdout)'";

/// Checks everything, prints the report, and returns the exit status.
///
/// # Errors
/// The name is not that of a data source, or standard output cannot be written.
pub fn run(examination: &Examination) -> Result<u8, String> {
    places::check_section(&examination.dsn)?;
    if examination.report {
        let registered = drivers(&Machine).unwrap_or_default().into_iter().find(|driver| driver.name == DRIVER_NAME);
        registered.into_iter().for_each(|driver| speak_for(driver.library));
        let told = Told { official: examination.compare.as_deref().unwrap_or_default(), ..Told::default() };
        return print(document(&Machine, told).as_bytes());
    }
    let mut report = Report::new(Box::new(anstream::stdout()), examination.json);
    examine(&mut report, examination);
    report.end().map(Level::status).map_err(|error| format!("standard output: {error}"))
}

fn examine(report: &mut Report, examination: &Examination) {
    let dsn = &examination.dsn;
    let Some(drivers) = registration::registered_drivers(report) else {
        let areas = [Area::Target, Area::Session];
        for area in areas.into_iter().take(if examination.installation { 1 } else { 2 }) {
            report.unchecked(area, "Not checked: this depends on the registrations", Vec::new());
        }
        return;
    };
    let found = registration::data_source(report, dsn, &drivers);
    let named = found.as_ref().ok().and_then(Option::as_ref);
    let registered = named.and_then(|source| registration::driver(report, source, &drivers));
    // Root reads everything, and scripts of SQL Server run as another user.
    let for_scripts = examination.installation || Machine.user() == 0;
    if for_scripts {
        registration::check_files(report, unreadable);
    }
    // The driver may be registered even if the data source is not.
    let registered = registered.or_else(|| registration::usual_driver(dsn, &drivers));
    if let Some(registered) = &registered {
        library(report, registered, for_scripts);
        speak_for(registered.driver.library.clone());
    }
    let named_target = registered.and_then(|registered| registered.driver.target_driver);
    let (target, kind) = target(report, named_target, for_scripts);
    if named.is_some() && kind.is_microsofts() {
        warn_of_mistakes(report, dsn);
    }
    let mut is_configured = false;
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
        if let Some(rewritten) = session(report, &wanted, data_source.as_slice(), dsn) {
            is_configured = !rewritten.is_loopback;
            let section = |_| format!("The driver reads the other keywords of section [{dsn}] of odbc.ini itself");
            report.add(Area::String, Level::Ok, shown(&rewritten.target), named.map(section).into_iter().collect());
        }
    }
    if examination.connect {
        connection(report, dsn);
    }
    if let Some(official) = &examination.compare {
        comparison::compare(report, &wanted, official, is_configured);
    }
}

/// Warns of keywords of the data source that the driver ignores and that are probably misspelt.
fn warn_of_mistakes(report: &mut Report, dsn: &str) {
    let keywords = Machine.profile_keywords(Profile::Odbc, dsn).unwrap_or_default();
    for mistake in keywords.iter().filter_map(|keyword| unknown(keyword, &format!("section [{dsn}]"))) {
        report.add(Area::Target, Level::Warning, mistake, Vec::new());
    }
}

/// Reports a file that the user of scripts cannot read.
fn unreadable(report: &mut Report, area: Area, path: &Path) {
    if let Some(command) = system::opening(path) {
        let text = format!("{} cannot be read by the user that SQL Server runs scripts as", path.display());
        report.failure(area, text, &format!("Fix: {command}"));
    }
}

/// The file that the driver manager would load.
fn library(report: &mut Report, registered: &Registered, for_scripts: bool) {
    let Registered { driver, remedy } = registered;
    let path = &driver.library;
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
                remedy.clone(),
            ],
        ),
        Err(reason) => {
            let remedy = places::mending(path).map_or_else(|| remedy.clone(), |it| format!("Fix: {it}"));
            return report.failure(Area::Library, Text::new(reason).to_string(), &remedy);
        }
    }
    if for_scripts {
        unreadable(report, Area::Library, path);
    }
    if let Some(remedy) = system::unseen(path) {
        let text = format!("Scripts that SQL Server runs cannot see {}", path.display());
        report.add(Area::Library, Level::Warning, text, vec![remedy.to_owned()]);
    }
}

/// The target driver, loaded as the library loads it. If that fails, the driver that the library's section names, or the preferred
/// one.
fn target(report: &mut Report, named: Option<String>, for_scripts: bool) -> (Target, Kind) {
    match examine_target(&Machine) {
        Ok(examined) => {
            for refused in &examined.refused {
                let remedy = match &examined.opening {
                    Some(command) => format!("Fix: {command}"),
                    None => "Fix: install it again, or remove its section from odbcinst.ini".to_owned(),
                };
                let text = format!("A newer driver is registered but cannot be loaded: {refused}");
                report.warning(Area::Target, text, &remedy);
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
            if for_scripts {
                unreadable(report, Area::Target, examined.target.library());
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
    let answers = Machine.ask(&format!("DSN={dsn}"), &QUERIES);
    match answers.and_then(|answers| answers.into_iter().collect::<Result<Vec<_>, _>>()) {
        Ok(answers) => {
            let [version, login, database] = answers.as_slice() else { unreachable!("one answer for each query") };
            let text = format!("Connected as {login} to {database}, in {} ms", begin.elapsed().as_millis());
            report.add(Area::Connection, Level::Ok, text, version.lines().map(str::to_owned).collect());
        }
        Err(records) => {
            let text = format!("The connection failed after {} ms", begin.elapsed().as_millis());
            let page = messages().map(|page| format!("{} explains these messages", page.display()));
            report.add(
                Area::Connection,
                Level::Failure,
                text,
                records.iter().map(ToString::to_string).chain(page).collect(),
            );
        }
    }
}

/// The installed page that explains messages.
fn messages() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let page = program.parent()?.with_file_name("share").join("doc").join("loopback-odbc").join("troubleshooting.md");
    page.is_file().then_some(page)
}
