//! The domain: what the right loopback string is, here and now.
//!
//! SQL Server tells a script neither its address nor where the session's certificate is. [`rewrite`] takes what the
//! application, the environment and the DSN section say, lets [`session`] and [`server`] find what nobody said, and
//! fills in the constants of the documented form. Nothing is guessed: none or several is an error that lists what was
//! looked at. On Windows there is nothing to be found but the [`instance`], and that is the default one if nothing says
//! otherwise.

pub mod driver;
pub mod hints;
pub mod instance;
pub mod official;
pub mod preset;
pub mod search;
pub mod server;
pub mod session;
mod trust;

use crate::connection_string::{Attribute, write};
use crate::failure::{Failure, Sqlstate};
use crate::loopback::driver::Kind;
use crate::loopback::official::STRING_VARIABLE;
use crate::loopback::search::{Search, Shown};
use crate::loopback::server::Purpose;
use crate::registration;
use crate::target::Target;
use crate::world::{Platform, World};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names SQL Server's address: what `Server` takes.
pub const SERVER_VARIABLE: &str = "LOOPBACK_ODBC_SERVER";
/// Names the session's certificate: a path, or what `ClientCertificate` takes.
pub const CERTIFICATE_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_CERTIFICATE";
/// Names the certificate's key: a path, or what `ClientKey` takes.
pub const KEY_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_KEY";

/// A value of the loopback form: the keywords that give it, of which the first is the one we write.
type Slot = &'static [&'static str];

/// `Servername` is psqlodbc's.
const SERVER: Slot = &["Server", "Address", "Addr", "Servername"];
const DATABASE: Slot = &["Database"];
const CLIENT_CERTIFICATE: Slot = &["ClientCertificate"];
const CLIENT_KEY: Slot = &["ClientKey"];
const TRUST_SERVER_CERTIFICATE: Slot = &["TrustServerCertificate"];
const TRUSTED_CONNECTION: Slot = &["Trusted_Connection"];
const ENCRYPT: Slot = &["Encrypt"];
/// The form, in the order in which Microsoft documents it.
const FORM: [Slot; 7] =
    [SERVER, DATABASE, CLIENT_CERTIFICATE, CLIENT_KEY, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT];

/// `Username` is psqlodbc's.
const USER: Slot = &["UID", "Username"];
const PASSWORD: Slot = &["PWD", "Password"];
const AUTHENTICATION: Slot = &["Authentication"];
/// What a login by name is made of.
const BY_NAME: [Slot; 3] = [AUTHENTICATION, USER, PASSWORD];
/// The other ways to log in.
const BY_OTHER_MEANS: [Slot; 3] = [CLIENT_CERTIFICATE, CLIENT_KEY, TRUSTED_CONNECTION];
const TARGET_DRIVER: Slot = &["TargetDriver"];

/// Who can say something, the strongest first: the application's string, its attributes ([`preset`]), the environment, the
/// DSN section.
type Sources = [Vec<Attribute<'static>>; 4];
const PRESET: usize = 1;
const ENVIRONMENT: usize = 2;

/// What names the data source or the driver to the driver manager or to us.
const NOT_FOR_THE_TARGET: Slot = &["DSN", "FILEDSN", "SAVEFILE", "Driver", "TargetDriver", STRING_VARIABLE];

/// What a loopback string is wanted for.
pub struct Wanted<'w> {
    pub target: &'w Target,
    /// What kind of driver the target is.
    pub kind: &'w Kind,
    /// Which form it has: that of the machine, or of one for which the string is only printed.
    pub platform: Platform,
    /// What the application has said by attributes of the connection.
    pub preset: Vec<Attribute<'static>>,
    /// Whether files that the application gives need not be there: the string is not for this machine, or not for now.
    pub files_unseen: bool,
}

/// A connection string made ready.
#[derive(Debug)]
pub struct Rewritten {
    platform: Platform,
    /// What the target is given.
    pub target: Vec<Attribute<'static>>,
    /// What the application gets back: its own words and the database, so that it works again in this program and in
    /// its next session, and shows no session's paths.
    pub returned: Vec<Attribute<'static>>,
    /// The data source's name for `SQLGetInfo(SQL_DATA_SOURCE_NAME)`; empty for a connection by driver.
    pub data_source: Vec<u16>,
    /// Whether anything of the loopback form was added to what was given; otherwise it is a connection as any other.
    pub is_loopback: bool,
}

/// Turns what the application asked for into the loopback string that is wanted.
///
/// For every value: connection string, then attributes, then environment, then DSN section, then what the session shows, then the form's
/// constant. If a server and a way to authenticate are given, nothing is discovered; and if that way is not a certificate,
/// nothing is added either: that is a development machine. For a driver that is not for SQL Server nothing is looked for,
/// and nothing added. What was looked at, and what it gave, is added to the search.
///
/// # Errors
/// HY024 when `TargetDriver` names another driver than the loaded one; 08001 when something is missing or ambiguous.
pub fn rewrite(
    world: &dyn World,
    wanted: &Wanted,
    application: &[Attribute],
    search: &mut Search,
) -> Result<Rewritten, Failure> {
    let &Wanted { target, kind, platform, .. } = wanted;
    let application: Vec<Attribute<'static>> = application.iter().map(Attribute::to_static).collect();
    let data_source = data_source_of(&application);
    let name = data_source.map(Attribute::text);
    let section = match &name {
        Some(name) => registration::data_source(world, name)?,
        None => Vec::new(),
    };
    let mut sources = [application.clone(), Vec::new(), Vec::new(), section];
    if kind.is_microsofts() {
        sources[PRESET] = wanted.preset.clone();
        sources[ENVIRONMENT] = environment(world);
        add_official_strings(world, &mut sources)?;
    }

    if let Some(wanted) = first(&sources, TARGET_DRIVER) {
        target.must_be(world, &wanted.text())?;
    }
    // Of a database that an attribute names the name is not known.
    let by_attribute = find(&sources[PRESET], DATABASE);
    let database = first(&sources, DATABASE).filter(|&database| Some(database) != by_attribute).cloned();

    let mut discovered = Vec::new();
    if kind.is_microsofts() {
        if platform == Platform::Linux {
            take_the_session_for_trusted(&mut sources);
        }
        settle_authentication(&mut sources);
        // Where values can be given that the application itself does not give.
        let place = name.map_or("the connection string".to_owned(), |name| format!("section [{name}] of odbc.ini"));
        discovered = match platform {
            Platform::Linux => discover(world, wanted, &sources, &place, search)?,
            Platform::Windows => discover_on_windows(world, kind, &sources, search),
        };
    } else {
        search.nothing("Loopback", "target", format!("{kind} is none of Microsoft's drivers: nothing is looked for"));
    }
    let is_other = |it: &&Attribute| !is_in(it, &FORM) && !is_any(it, NOT_FOR_THE_TARGET);
    let [application_rest, preset_rest, environment_rest, section_rest] =
        sources.each_ref().map(|source| source.iter().filter(is_other));

    let mut string: Vec<Attribute<'static>> = Vec::new();
    string.extend(target.name().map(|name| Attribute::new("Driver", &utf16(name))));
    for slot in FORM {
        let source = sources.iter().chain([&discovered]).find(|source| find(source, slot).is_some());
        let written = source.filter(|source| !std::ptr::eq(*source, &sources[PRESET]));
        for attribute in written.into_iter().flatten().filter(|attribute| is_any(attribute, slot)) {
            push_once(&mut string, attribute);
        }
    }
    string.extend(application_rest.cloned());
    let preset: Vec<String> = preset_rest.map(|it| String::from_utf16_lossy(&it.keyword)).collect();
    let is_free = |it: &&Attribute| !preset.iter().any(|keyword| it.is(keyword));
    environment_rest.chain(section_rest).filter(is_free).for_each(|attribute| push_once(&mut string, attribute));

    let data_source = data_source.map(|attribute| attribute.value().into_owned()).unwrap_or_default();
    let mut returned = application;
    returned.retain(|attribute| !attribute.is("SAVEFILE"));
    if let Some(database) = database {
        push_once(&mut returned, &database);
    }
    Ok(Rewritten { platform, target: string, returned, data_source, is_loopback: !discovered.is_empty() })
}

impl Rewritten {
    /// The string for the target, in code units; as Microsoft documents it, that for Windows ends in a semicolon.
    pub fn target_string(&self) -> Vec<u16> {
        let mut string = write(&self.target);
        if self.platform == Platform::Windows && string.last() != Some(&u16::from(b';')) {
            string.push(b';'.into());
        }
        string
    }

    /// The string for the application, in code units.
    pub fn returned_string(&self) -> Vec<u16> {
        write(&self.returned)
    }
}

/// The data source that the application names; a `DRIVER` before it makes the connection one without data source.
fn data_source_of<'s>(application: &'s [Attribute<'static>]) -> Option<&'s Attribute<'static>> {
    let first = application.iter().find(|attribute| attribute.is("DSN") || attribute.is("Driver"))?;
    (first.is("DSN") && !first.value().is_empty()).then_some(first)
}

/// What the environment says, as attributes.
fn environment(world: &dyn World) -> Vec<Attribute<'static>> {
    let file = |value: OsString| file_value(&value.to_string_lossy());
    let server = world.variable(SERVER_VARIABLE).map(|value| (SERVER, value.to_string_lossy().into_owned()));
    let certificate = world.variable(CERTIFICATE_VARIABLE).map(|value| (CLIENT_CERTIFICATE, file(value)));
    let key = world.variable(KEY_VARIABLE).map(|value| (CLIENT_KEY, file(value)));
    [server, certificate, key]
        .into_iter()
        .flatten()
        .map(|(slot, value)| Attribute::new(slot[0], &utf16(&value)))
        .collect()
}

/// What `ClientCertificate` or `ClientKey` takes, for a path or for what is in that form already: a file, or a certificate
/// of Windows' store.
pub fn file_value(given: &str) -> String {
    let is_form = |form: &str| given.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form));
    if given.is_empty() || ["file:", "sha1:", "subject:"].into_iter().any(is_form) {
        given.to_owned()
    } else {
        format!("file:{given}")
    }
}

/// Adds what SQL Server's own functions printed, where somebody has given that.
fn add_official_strings(world: &dyn World, sources: &mut Sources) -> Result<(), Failure> {
    let [_, _, environment, section] = sources;
    if let Some(string) = world.variable(STRING_VARIABLE) {
        official::add(environment, &string.to_string_lossy(), &format!("the environment variable {STRING_VARIABLE}"))?;
        // The target is loaded; if not by this string, then by a name that comes before it.
        environment.retain(|attribute| !is_any(attribute, TARGET_DRIVER));
    }
    if let Some(string) = find(section, &[STRING_VARIABLE]).map(Attribute::text) {
        official::add(section, &string, &format!("{STRING_VARIABLE} of the DSN section"))?;
    }
    Ok(())
}

/// Makes one choice of how to log in: the first source that names a way decides, and what later sources say of another
/// way goes. Empty values go first: an empty user, password or server is one that nobody gave.
///
/// A user, a password and `Authentication` may come from different sources, as they may with the driver's own data
/// sources.
fn settle_authentication(sources: &mut [Vec<Attribute<'static>>]) {
    for source in sources.iter_mut() {
        source.retain(|it| !it.value().is_empty() || !(is_in(it, &FORM) || is_in(it, &BY_NAME)));
    }
    // Which of several counts is settled before it is asked whether it says yes.
    if let Some(first) = sources.iter().position(|source| find(source, TRUSTED_CONNECTION).is_some()) {
        for source in &mut sources[first + 1..] {
            source.retain(|attribute| !is_any(attribute, TRUSTED_CONNECTION));
        }
    }
    let Some(decides) = sources.iter().position(|source| authenticates(source)) else { return };
    let has = |slot| find(&sources[decides], slot).is_some();
    // A certificate or the process's own user leaves no place for names.
    let exclusive = has(CLIENT_CERTIFICATE) || !(has(USER) || has(AUTHENTICATION));
    for source in &mut sources[decides + 1..] {
        source.retain(|it| !(is_in(it, &BY_OTHER_MEANS) || exclusive && is_in(it, &BY_NAME)));
    }
}

/// On Linux `Trusted_Connection=yes` without a server, as SQLAlchemy writes it into every string that names no user, asks
/// for what the session's certificate gives: a connection as the user that the script runs for. There is no Kerberos ticket
/// in a satellite. A server that the environment names is SQL Server's of the session, where it could not be found.
fn take_the_session_for_trusted(sources: &mut Sources) {
    let [application, _, _, section] = &*sources;
    if [application, section].iter().all(|source| find(source, SERVER).is_none()) {
        for source in sources {
            let trusted = says_yes(source, TRUSTED_CONNECTION);
            source.retain(|attribute| !(trusted && is_any(attribute, TRUSTED_CONNECTION)));
        }
    }
}

/// Whether a source names a way to log in.
fn authenticates(source: &[Attribute<'static>]) -> bool {
    let by_keyword = [USER, AUTHENTICATION, CLIENT_CERTIFICATE].iter().any(|slot| find(source, slot).is_some());
    by_keyword || says_yes(source, TRUSTED_CONNECTION) || says_yes(source, preset::ACCESS_TOKEN)
}

fn says_yes(source: &[Attribute<'static>], slot: Slot) -> bool {
    find(source, slot).is_some_and(|attribute| attribute.text().eq_ignore_ascii_case("yes"))
}

/// Finds what nobody said, and adds the constants of the form it then is.
fn discover(
    world: &dyn World,
    wanted: &Wanted,
    sources: &Sources,
    place: &str,
    search: &mut Search,
) -> Result<Vec<Attribute<'static>>, Failure> {
    let kind = wanted.kind;
    let mut found = Vec::new();
    let mut set = |slot: Slot, value: &str| found.push(Attribute::new(slot[0], &utf16(value)));

    check_given_files(world, sources, wanted.files_unseen, search)?;
    let by_certificate = match sources.iter().find(|source| authenticates(source)) {
        Some(source) => find(source, CLIENT_CERTIFICATE).is_some(),
        None => {
            let pair = session::find_pair(world, place, search)?;
            warn_of_readers(world, &pair.key, search);
            set(CLIENT_CERTIFICATE, &format!("file:{}", pair.certificate.display()));
            set(CLIENT_KEY, &format!("file:{}", pair.key.display()));
            true
        }
    };
    if by_certificate {
        kind.must_know_certificates()?;
    }
    let server_discovered = first(sources, SERVER).is_none();
    if server_discovered {
        if !by_certificate {
            // A password is not for whoever happens to be on the network: only a session shows that there is a server.
            session::find_pair(world, place, search)?;
        }
        let purpose = if by_certificate { Purpose::Certificate } else { Purpose::Secret };
        set(SERVER, &server::find_server(world, place, purpose, search)?);
    }
    let mut set_if_known = |slot, value| {
        if kind.knows(slot) {
            set(slot, value);
        }
    };
    if by_certificate || server_discovered {
        // The server's certificate is self-signed, and the session's certificate stands for the user.
        set_if_known(TRUST_SERVER_CERTIFICATE, "Yes");
        set_if_known(ENCRYPT, "Yes");
    }
    if by_certificate {
        set_if_known(TRUSTED_CONNECTION, "no");
    }
    Ok(found)
}

/// As [`discover`], on Windows: the trusted form, in which the script's account stands for the user.
fn discover_on_windows(
    world: &dyn World,
    kind: &Kind,
    sources: &Sources,
    search: &mut Search,
) -> Vec<Attribute<'static>> {
    let mut found = Vec::new();
    let mut set = |slot: Slot, value: &str| found.push(Attribute::new(slot[0], &utf16(value)));
    if first(sources, SERVER).is_none() {
        set(SERVER, &instance::find_instance(world, search));
        if kind.encrypts_by_default() {
            // The server's certificate is self-signed, and the connection never leaves the machine.
            set(TRUST_SERVER_CERTIFICATE, "Yes");
        }
    }
    if !sources.iter().any(|source| authenticates(source)) {
        set(TRUSTED_CONNECTION, "Yes");
    }
    found
}

/// A certificate and a key belong together, and the files must be there. Those that the environment names must be PEM, as
/// the session's own are.
///
/// What a connection string or a DSN section says is the driver's own syntax, in which a certificate without a key is a
/// PKCS #12 file, and one with a key may be DER; the driver judges that.
///
/// With `unseen`, what the application gives is taken as it is.
fn check_given_files(world: &dyn World, sources: &Sources, unseen: bool, search: &mut Search) -> Result<(), Failure> {
    let unable = |text: String| Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text));
    let certificate = first(sources, CLIENT_CERTIFICATE);
    let key = first(sources, CLIENT_KEY);
    let environment = &sources[ENVIRONMENT];
    let of_environment = |given: &Attribute| environment.iter().any(|attribute| std::ptr::eq(attribute, given));
    let file_of = |given: &Attribute| {
        let is_unseen = unseen && sources[0].iter().any(|attribute| std::ptr::eq(attribute, given));
        file_of(given).filter(|_| !is_unseen)
    };
    match (certificate, key) {
        (None, Some(key)) => unable(format!(
            "There is a key ({key}) but no certificate that it belongs to. Give ClientCertificate (or \
             {CERTIFICATE_VARIABLE}) as well, or neither."
        )),
        (Some(certificate), None) if of_environment(certificate) => unable(format!(
            "{CERTIFICATE_VARIABLE} names a certificate ({certificate}) without its key. Set {KEY_VARIABLE} as well."
        )),
        (Some(certificate), Some(key)) => {
            for (given, file) in [(certificate, session::CERTIFICATE), (key, session::KEY)] {
                if let Some(path) = file_of(given) {
                    file.check(world, &path, &Shown(&path), of_environment(given))?;
                }
            }
            if let Some(key) = file_of(key) {
                warn_of_readers(world, &key, search);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A key is for one user; whoever can read it can connect as him.
fn warn_of_readers(world: &dyn World, key: &Path, search: &mut Search) {
    if let Ok(true) = world.readable_by_all(key) {
        let key = key.display();
        search.warnings.push(format!(
            "The client key {key} can be read by every user of this machine, and whoever reads it can connect in this \
             user's name. Take that right away: chmod o-r {key}"
        ));
    }
}

/// The path in `file:PATH[,password:PASSWORD]`; none in a value of another form.
pub fn file_of(attribute: &Attribute) -> Option<PathBuf> {
    let value = attribute.text();
    let lower = value.to_ascii_lowercase();
    lower.starts_with("file:").then(|| {
        let end = lower.find(",password:").unwrap_or(value.len());
        value["file:".len()..end].into()
    })
}

fn is_in(attribute: &Attribute, slots: &[Slot]) -> bool {
    slots.iter().any(|slot| is_any(attribute, slot))
}

fn is_any(attribute: &Attribute, slot: Slot) -> bool {
    slot.iter().any(|keyword| attribute.is(keyword))
}

fn find<'s>(source: &'s [Attribute<'static>], slot: Slot) -> Option<&'s Attribute<'static>> {
    source.iter().find(|attribute| is_any(attribute, slot))
}

/// The attribute of the first source that has one.
fn first<'s>(sources: &'s [Vec<Attribute<'static>>], slot: Slot) -> Option<&'s Attribute<'static>> {
    sources.iter().find_map(|source| find(source, slot).filter(|attribute| !attribute.value().is_empty()))
}

fn push_once(attributes: &mut Vec<Attribute<'static>>, attribute: &Attribute<'static>) {
    let keyword = String::from_utf16_lossy(&attribute.keyword);
    if !attributes.iter().any(|present| present.is(&keyword)) {
        attributes.push(attribute.clone());
    }
}

pub fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests;
