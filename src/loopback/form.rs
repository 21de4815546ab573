//! Step three, discover and write: the values that no source gives, and the string for the target.

use super::decision::{Decision, Login};
use super::session::Pair;
use super::sources::{self, Origin, Said, Sources};
use super::{
    BY_NAME, CERTIFICATE_VARIABLE, CLIENT_CERTIFICATE, CLIENT_KEY, ENCRYPT, FORM, KEY_VARIABLE, NOT_FOR_THE_TARGET,
    SERVER, STRING_VARIABLE, Slot, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, UNREAD, Wanted, advice, file_of,
    instance, is_any, is_in, server, session, utf16,
};
use crate::loopback::connection_string::Attribute;
use crate::loopback::failure::Failure;
use crate::loopback::search::Search;
use crate::loopback::sentence::Shown;
use crate::loopback::server::Purpose;
use crate::world::{Platform, World};
use std::fmt::Display;
use std::path::Path;

/// The discovered values and the constants of the form, under the driver's keywords.
pub type Additions = Vec<Attribute<'static>>;

/// Discovers the values that no source gives, and adds the constants of the platform's form.
///
/// # Errors
/// 08001 when a value is missing or ambiguous, or a configured file cannot be used.
pub fn find(
    world: &dyn World,
    wanted: &Wanted,
    sources: &Sources,
    decision: &Decision,
    search: &mut Search,
) -> Result<Additions, Failure> {
    if let Login::Certificate { certificate, key } = decision.login {
        check_files(world, wanted, certificate, key, search)?;
    }
    let additions = match wanted.platform {
        Platform::Linux => linux(world, wanted, sources, decision, search)?,
        Platform::Windows => windows(world, wanted, sources, decision, search),
    };
    if let Some(said) = decision.verification
        && sources.is_open(TRUST_SERVER_CERTIFICATE)
        && additions.iter().any(|it| is_any(it, SERVER) || is_any(it, CLIENT_CERTIFICATE))
    {
        search.warnings.push(format!(
            "{} asks the driver to verify the server's certificate, so TrustServerCertificate=Yes is not added. SQL \
             Server's own certificate is self-signed and fails the verification. Remove the keyword, or install a \
             certificate on the server that this machine trusts",
            said.attribute
        ));
    }
    Ok(additions)
}

/// The form for Linux: the session's certificate identifies the user.
fn linux(
    world: &dyn World,
    wanted: &Wanted,
    sources: &Sources,
    decision: &Decision,
    search: &mut Search,
) -> Result<Additions, Failure> {
    let place = &advice::place(sources);
    let mut additions = Additions::new();
    let by_certificate = decision.is_by_certificate(Platform::Linux);
    if let Login::Session = decision.login {
        let pair = find_pair(world, sources, search)?;
        warn_of_readers(world, &pair.key, &Shown(&pair.key), search);
        set(&mut additions, CLIENT_CERTIFICATE, &format!("file:{}", pair.certificate.display()));
        set(&mut additions, CLIENT_KEY, &format!("file:{}", pair.key.display()));
    }
    if by_certificate {
        wanted.kind.must_know_certificates()?;
    }
    if decision.server.is_none() {
        if !by_certificate {
            // A password must not go to whatever server is on the network. Only a session shows that there is a SQL
            // Server.
            find_pair(world, sources, search)?;
        }
        let purpose = if by_certificate { Purpose::Certificate } else { Purpose::Secret };
        set(&mut additions, SERVER, &server::find_server(world, place, purpose, search)?);
    }
    let mut constant = |slot, value, is_wanted: bool| {
        if is_wanted && wanted.kind.knows(slot) {
            set(&mut additions, slot, value);
        }
    };
    // The server's certificate is self-signed.
    let is_session_s = by_certificate || decision.server.is_none();
    constant(TRUST_SERVER_CERTIFICATE, "Yes", is_session_s && decision.may_trust(sources));
    // Whatever a source sets besides its own certificate is for the driver to judge.
    let kept = sources
        .said(TRUSTED_CONNECTION)
        .is_some_and(|said| !decision.overrules(said.attribute) && decision.counts(said));
    constant(TRUSTED_CONNECTION, "no", by_certificate && !kept);
    constant(ENCRYPT, "Yes", is_session_s && sources.is_open(ENCRYPT));
    Ok(additions)
}

/// The form for Windows: the account of the process identifies the user.
fn windows(
    world: &dyn World,
    wanted: &Wanted,
    sources: &Sources,
    decision: &Decision,
    search: &mut Search,
) -> Additions {
    let mut additions = Additions::new();
    if decision.server.is_none() {
        set(&mut additions, SERVER, &instance::find_instance(world, search));
        if wanted.kind.encrypts_by_default() && decision.may_trust(sources) {
            // The server's certificate is self-signed, and the connection never leaves the machine.
            set(&mut additions, TRUST_SERVER_CERTIFICATE, "Yes");
        }
    }
    if matches!(decision.login, Login::Session) && sources.is_open(TRUSTED_CONNECTION) {
        set(&mut additions, TRUSTED_CONNECTION, "Yes");
    }
    additions
}

fn set(additions: &mut Additions, slot: Slot, value: &str) {
    additions.push(Attribute::new(slot[0], &utf16(value)));
}

/// The session's pair. Without a session the refusal says what is configured and what is missing.
fn find_pair(world: &dyn World, sources: &Sources, search: &mut Search) -> Result<Pair, Failure> {
    let mut is_no_session = false;
    let no_session = |looked: &str, may_be_hidden: bool| {
        if may_be_hidden && advice::nothing_configured(sources) {
            return advice::hidden_session(sources, looked);
        }
        is_no_session = true;
        advice::no_session(sources, looked)
    };
    let found = session::find_pair(world, no_session, search);
    search.is_no_session = is_no_session;
    search.is_unconfigured = is_no_session && advice::nothing_configured(sources);
    found
}

/// Configured files must be readable. Files from the environment must be PEM, like the session's own.
///
/// Values in a connection string or a DSN section follow the driver's own syntax: a certificate without a key is a PKCS
/// #12 file, and one with a key may be DER. The driver judges those.
fn check_files(
    world: &dyn World,
    wanted: &Wanted,
    certificate: Said,
    key: Option<Said>,
    search: &mut Search,
) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    let path_of = |said: Said| {
        let unseen = wanted.files_unseen && said.origin == Origin::Application;
        file_of(said.attribute).filter(|_| !unseen)
    };
    let files = [(certificate, session::CERTIFICATE, CERTIFICATE_VARIABLE), (key, session::KEY, KEY_VARIABLE)];
    for (said, file, variable) in files {
        if let Some(path) = path_of(said) {
            let (is_pem, variable) = match said.origin {
                Origin::Environment => (true, Some(variable)),
                Origin::Printed => (true, Some(STRING_VARIABLE)),
                Origin::Application | Origin::Preset | Origin::Section | Origin::Official => (false, None),
            };
            file.check(world, Path::new(path.reveal()), &path.path(), is_pem, variable)?;
        }
    }
    if let Some(path) = path_of(key) {
        warn_of_readers(world, Path::new(path.reveal()), &path.path(), search);
    }
    Ok(())
}

/// Whoever can read the key can connect as its user.
fn warn_of_readers(world: &dyn World, key: &Path, shown: &dyn Display, search: &mut Search) {
    if let Ok(true) = world.readable_by_all(key) {
        search.warnings.push(format!(
            "The client key {shown} can be read by every user of this machine. Whoever reads it can connect as this \
             user. Remove that permission: chmod o-r {shown}"
        ));
    }
}

/// Writes the string for the target: its name for the connection; the form in the documented order; then the
/// application's other attributes in their order; then what else is needed that the target does not read in its
/// section.
pub fn write(
    wanted: &Wanted,
    sources: &Sources,
    decision: Option<&Decision>,
    additions: &Additions,
) -> Vec<Attribute<'static>> {
    let mut string: Vec<Attribute<'static>> = Vec::new();
    match sources::data_source(&sources.application) {
        Some(name) => string.push(name.clone()),
        None => string.extend(wanted.target.name().map(|name| Attribute::new("Driver", &utf16(name)))),
    }
    let is_overruled = |it: &Attribute<'static>| decision.is_some_and(|decision| decision.overrules(it));
    let mut own: Vec<_> = sources.application.iter().filter(|it| !is_overruled(it)).collect();
    // A keyword without a value at the very end of the application's string stays at the end.
    let last = own.last().copied().filter(|last| wanted.ends_open && last.value().is_empty());
    let last = last.filter(|last| !is_any(last, NOT_FOR_THE_TARGET));
    own.truncate(own.len() - usize::from(last.is_some()));
    for slot in FORM {
        let of_slot = own.iter().filter(|attribute| is_any(attribute, slot));
        let before = string.len();
        string.extend(of_slot.map(|&attribute| attribute.clone()));
        if string.len() == before && !last.is_some_and(|last| is_any(last, slot)) {
            let added = additions.iter().find(|attribute| is_any(attribute, slot));
            string.extend(added.or_else(|| unread(sources, decision?, slot)).cloned());
            string.extend(switched_off(sources, decision, slot).filter(|_| string.len() == before));
        }
    }
    let is_other = |it: &&Attribute<'static>| !is_in(it, &FORM) && !is_any(it, NOT_FOR_THE_TARGET);
    string.extend(own.into_iter().filter(|it| is_other(it)).cloned());
    let Some(decision) = decision else {
        string.extend(last.cloned());
        return string;
    };
    string.extend(BY_NAME.iter().filter(|_| matches!(decision.login, Login::Name)).filter_map(|slot| {
        let missing = sources.application.iter().all(|attribute| !is_any(attribute, slot));
        unread(sources, decision, slot).filter(|_| missing).cloned()
    }));
    let rest = sources.printed.iter().chain(&sources.official);
    for attribute in rest.filter(|it| is_other(it) && !is_in(it, &BY_NAME)) {
        let keyword = String::from_utf16_lossy(&attribute.keyword);
        if !string.iter().any(|present| present.is(&keyword)) {
            string.push(attribute.clone());
        }
    }
    string.extend(last.cloned());
    string
}

/// An empty value that switches off a certificate in the section. To the driver that certificate takes precedence over
/// a user, but the decision followed the environment or a stronger source.
fn switched_off(sources: &Sources, decision: Option<&Decision>, slot: Slot) -> Option<Attribute<'static>> {
    let is_in_section = || sources.section.iter().any(|attribute| is_any(attribute, CLIENT_CERTIFICATE));
    let by_other_means = !decision?.is_by_certificate(Platform::Linux);
    (slot == CLIENT_CERTIFICATE && by_other_means && is_in_section()).then(|| Attribute::new(slot[0], &[]))
}

/// The certificate and the key that the target logs in with.
pub fn files(decision: &Decision, additions: &Additions) -> [Option<Attribute<'static>>; 2] {
    match decision.login {
        Login::Certificate { certificate, key } => [Some(certificate), key].map(|said| Some(said?.attribute.clone())),
        Login::Session | Login::Name | Login::Token | Login::Account => [CLIENT_CERTIFICATE, CLIENT_KEY]
            .map(|slot| additions.iter().find(|attribute| is_any(attribute, slot)).cloned()),
    }
}

/// The effective value, if the target gets it neither from the application nor from its own section.
fn unread<'s>(sources: &'s Sources, decision: &Decision<'s>, slot: Slot) -> Option<&'s Attribute<'static>> {
    let said = match (&decision.login, slot) {
        (Login::Certificate { certificate, .. }, CLIENT_CERTIFICATE) => Some(*certificate),
        (Login::Certificate { key, .. }, CLIENT_KEY) => *key,
        // A certificate or key from a weaker source belongs to another way to log in.
        (_, CLIENT_CERTIFICATE | CLIENT_KEY) => None,
        _ => sources.said(slot),
    }?;
    match said.origin {
        Origin::Application | Origin::Preset => None,
        Origin::Section => UNREAD.contains(&slot).then_some(said.attribute),
        Origin::Environment | Origin::Printed | Origin::Official => Some(said.attribute),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::choice::Target;
    use crate::loopback::connection_string::{self, words};
    use crate::loopback::driver::Kind;
    use crate::world::fixture::Fixture;

    /// The additions to the values from the application and the section, and the string for the target. There are no
    /// other sources.
    fn found_and_written(world: &Fixture, driver: &str, string: &str, section: &str) -> [String; 2] {
        let wanted = Wanted {
            target: &Target::registered_as(driver),
            kind: &Kind::new(driver, ""),
            platform: world.platform(),
            preset: Vec::new(),
            files_unseen: true,
            ends_open: false,
        };
        let sources = Sources { application: words(string), section: words(section), ..Sources::default() };
        let decision = Decision::of(&sources, wanted.platform).unwrap();
        let additions = find(world, &wanted, &sources, &decision, &mut Search::default()).unwrap();
        let target = write(&wanted, &sources, Some(&decision), &additions);
        [additions, target].map(|all| String::from_utf16(&connection_string::write(&all)).unwrap())
    }

    const NEWEST: &str = "ODBC Driver 18 for SQL Server";

    #[test]
    fn on_linux_missing_values_are_discovered_and_constants_added() {
        let session = Fixture::default().working_directory("/s").pair("/s").pair("/g").address("eth0", "fe80::2");
        let session = session.connection("fe80::2", "fe80::1");
        let [found, constants] =
            ["Server=fe80::1%eth0", "TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"];
        let files = if cfg!(windows) { r"file:/s\" } else { "file:/s/" };
        let pair = format!("ClientCertificate={files}sqlsatellitecert.pem;ClientKey={files}sqlsatellitekey.pem");
        for (string, section, added, target) in [
            ("DSN=L", "", format!("{pair};{found};{constants}"), format!("DSN=L;{found};{pair};{constants}")),
            (
                "DSN=L;Database=d;APP=a",
                "Server=h",
                format!("{pair};{constants}"),
                format!("DSN=L;Database=d;{pair};{constants};APP=a"),
            ),
            (
                "DSN=L",
                "ClientCertificate=file:/g/sqlsatellitecert.pem;ClientKey=file:/g/sqlsatellitekey.pem",
                format!("{found};{constants}"),
                format!("DSN=L;{found};ClientKey=file:/g/sqlsatellitekey.pem;{constants}"),
            ),
            // A login by name gets what a discovered server needs, and nothing at a configured server.
            (
                "DSN=L;UID=u",
                "",
                format!("{found};TrustServerCertificate=Yes;Encrypt=Yes"),
                format!("DSN=L;{found};TrustServerCertificate=Yes;Encrypt=Yes;UID=u"),
            ),
            ("DSN=L;Server=h;UID=u", "PWD=p", String::new(), "DSN=L;Server=h;UID=u;PWD=p".into()),
            ("Driver=x;Server=h;UID=u", "", String::new(), format!("Driver={NEWEST};Server=h;UID=u")),
        ] {
            let expected = [added, target];
            assert_eq!(found_and_written(&session, NEWEST, string, section), expected, "{string} {section}");
        }
    }

    #[test]
    fn on_windows_the_account_logs_in_if_no_user_is_given() {
        let world = Fixture::default().windows();
        for (driver, string, added) in [
            (NEWEST, "DSN=L", "Server=.;TrustServerCertificate=Yes;Trusted_Connection=Yes"),
            ("ODBC Driver 17 for SQL Server", "DSN=L", "Server=.;Trusted_Connection=Yes"),
            (NEWEST, "DSN=L;Server=h", "Trusted_Connection=Yes"),
            (NEWEST, "DSN=L;Server=h;UID=u", ""),
            (NEWEST, "DSN=L;UID=u", "Server=.;TrustServerCertificate=Yes"),
        ] {
            assert_eq!(found_and_written(&world, driver, string, "")[0], added, "{driver} {string}");
        }
    }
}
