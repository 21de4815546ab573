//! The domain: what the right loopback string is, here and now.
//!
//! SQL Server tells a script neither its address nor where the session's certificate is. [`rewrite`] goes three steps:
//!
//! 1. [`sources`]: gather who says what: the application's string, its attributes, the environment, the DSN section;
//! 2. [`decision`]: decide how to log in and at which server, by what is said;
//! 3. [`form`]: find what nobody said, by [`session`], [`server`] and [`instance`], and write the string.
//!
//! Nothing is guessed: none or several is an error that lists what was looked at.

#![forbid(unsafe_code)]

pub mod advice;
pub mod choice;
pub mod connection_string;
pub mod decision;
pub mod driver;
pub mod failure;
pub mod form;
pub mod hints;
pub mod instance;
pub mod official;
pub mod preset;
pub mod question;
pub mod registration;
pub mod search;
pub mod server;
pub mod session;
pub mod sources;
mod trust;

use crate::loopback::choice::Target;
use crate::loopback::connection_string::{Attribute, Text, write};
use crate::loopback::decision::Decision;
use crate::loopback::driver::Kind;
use crate::loopback::failure::Failure;
use crate::loopback::official::STRING_VARIABLE;
use crate::loopback::search::Search;
use crate::loopback::sources::Sources;
use crate::world::{Platform, World};

/// Names SQL Server's address: what `Server` takes.
pub const SERVER_VARIABLE: &str = "LOOPBACK_ODBC_SERVER";
/// Names the session's certificate: a path, or what `ClientCertificate` takes.
pub const CERTIFICATE_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_CERTIFICATE";
/// Names the certificate's key: a path, or what `ClientKey` takes.
pub const KEY_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_KEY";

/// A value: the keywords that give it, of which the first is the one we write.
type Slot = &'static [&'static str];

const SERVER: Slot = &["Server", "Address", "Addr"];
const DATABASE: Slot = &["Database"];
const CLIENT_CERTIFICATE: Slot = &["ClientCertificate"];
const CLIENT_KEY: Slot = &["ClientKey"];
const TRUST_SERVER_CERTIFICATE: Slot = &["TrustServerCertificate"];
const TRUSTED_CONNECTION: Slot = &["Trusted_Connection"];
const ENCRYPT: Slot = &["Encrypt"];
/// The form, in the order in which Microsoft documents it.
const FORM: [Slot; 7] =
    [SERVER, DATABASE, CLIENT_CERTIFICATE, CLIENT_KEY, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT];

const USER: Slot = &["UID"];
const PASSWORD: Slot = &["PWD"];
const AUTHENTICATION: Slot = &["Authentication"];
/// What a login by name is made of.
const BY_NAME: [Slot; 3] = [USER, PASSWORD, AUTHENTICATION];
/// What asks for more of the server's certificate than that there is one; `Encrypt=strict` does, too.
const HOST_NAME_IN_CERTIFICATE: Slot = &["HostNameInCertificate"];
const SERVER_CERTIFICATE: Slot = &["ServerCertificate"];
/// What Microsoft's driver does not read in its section, and is given from there.
const UNREAD: [Slot; 3] = [CLIENT_KEY, USER, PASSWORD];
const TARGET_DRIVER: Slot = &["TargetDriver"];

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
    /// Whether the application's string ends in a keyword without a value, and without a semicolon. About such a one the
    /// driver warns, where with a semicolon it would refuse.
    pub ends_open: bool,
}

/// A connection string made ready.
#[derive(Debug)]
pub struct Rewritten {
    platform: Platform,
    ends_open: bool,
    /// What the target is given.
    pub target: Vec<Attribute<'static>>,
    /// What the application gets back: its own words, so that they work again in this program and in its next session, and
    /// show no session's paths.
    pub returned: Vec<Attribute<'static>>,
    /// Whether anything of the loopback form was added to what was given; otherwise it is a connection as any other.
    pub is_loopback: bool,
    /// The certificate and the key that the target logs in with, wherever it reads of them.
    pub files: [Option<Attribute<'static>>; 2],
    /// Whether it is Windows' form, and used elsewhere.
    pub is_of_other_system: bool,
    /// Whether the attribute SQL_COPT_SS_INTEGRATED_SECURITY must be taken back, which would overrule the string.
    pub resets_trusted: bool,
}

/// Turns what the application asked for into the string for the target.
///
/// For every value: connection string, then attributes, then environment, then DSN section, then what the session shows,
/// then the form's constant. If a server and a way to authenticate are given, nothing is discovered; and if that way is not
/// a certificate, nothing is added either: that is a development machine. For a driver that is not for SQL Server nothing
/// is looked for, and nothing added. The target is given the data source's name and reads its section itself; for a
/// connection by `DRIVER` it is given its own registered name, as in the documented strings. What was looked at, and what
/// it gave, is added to the search.
///
/// # Errors
/// IM002 when there is no section of the data source; HY024 when `TargetDriver` names another driver than the loaded one;
/// 08001 when something is missing or ambiguous.
pub fn rewrite(
    world: &dyn World,
    wanted: &Wanted,
    application: &[Attribute],
    search: &mut Search,
) -> Result<Rewritten, Failure> {
    let &Wanted { target, kind, platform, .. } = wanted;
    let application = application.iter().map(Attribute::to_static).collect();
    let mut sources = Sources::gather(world, kind, application, wanted.preset.clone())?;
    if let Some(named) = sources.said(TARGET_DRIVER) {
        target.must_be(world, &named.attribute.text())?;
    }
    let mut additions = form::Additions::new();
    if kind.is_microsofts() {
        let used = Decision::of(&sources, platform)?.origins();
        sources.forget_unused(used);
    }
    let decision = match kind.is_microsofts() {
        true => Some(Decision::of(&sources, platform)?),
        false => None,
    };
    match &decision {
        Some(decision) => additions = form::find(world, wanted, &sources, decision, search)?,
        None => {
            search.nothing(
                "Loopback",
                "target",
                format!("{kind} is not a Microsoft ODBC driver: nothing is discovered"),
            );
        }
    }
    let returned = sources.application.iter().filter(|attribute| !attribute.is("SAVEFILE")).cloned().collect();
    let target = form::write(wanted, &sources, decision.as_ref(), &additions);
    Ok(Rewritten {
        platform,
        ends_open: wanted.ends_open && target.last().is_some_and(|last| last.value().is_empty()),
        target,
        returned,
        is_loopback: !additions.is_empty(),
        files: decision.as_ref().map(|decision| form::files(decision, &additions)).unwrap_or_default(),
        is_of_other_system: platform == Platform::Linux && decision.as_ref().is_some_and(Decision::is_form_of_windows),
        resets_trusted: decision.is_some_and(|decision| decision.resets_trusted),
    })
}

impl Rewritten {
    /// The string for the target, in code units; as Microsoft documents it, that for Windows ends in a semicolon.
    pub fn target_string(&self) -> Vec<u16> {
        let mut string = write(&self.target);
        if self.ends_open {
            string.truncate(string.len() - 1);
        } else if self.platform == Platform::Windows {
            terminate(&mut string);
        }
        string
    }

    /// The string for the target without secrets. What the application wrote behind a password without braces may be a part
    /// of it, wherever it stands here.
    pub fn shown(&self) -> String {
        let hidden: Vec<&Attribute> = connection_string::behind_a_secret(&self.returned).iter().collect();
        let shown = connection_string::shown_each(&self.target);
        let each = self.target.iter().zip(shown);
        each.map(|(it, shown)| if hidden.contains(&it) { "***".to_owned() } else { shown })
            .collect::<Vec<_>>()
            .join(";")
    }

    /// Whether there may be something to say of a connect that fails ([`hints`]).
    pub fn can_be_explained(&self) -> bool {
        self.is_loopback || self.is_of_other_system
    }

    /// The string for the application, in code units. It ends in a semicolon, as the driver's does: programs append
    /// attributes to it.
    pub fn returned_string(&self) -> Vec<u16> {
        let mut string = write(&self.returned);
        terminate(&mut string);
        string
    }
}

fn terminate(string: &mut Vec<u16>) {
    if string.last().is_some_and(|&last| last != u16::from(b';')) {
        string.push(b';'.into());
    }
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

/// The path in `file:PATH[,password:PASSWORD]`; none in a value of another form.
pub fn file_of(attribute: &Attribute) -> Option<Text> {
    let value = attribute.text();
    let value = value.reveal();
    let lower = value.to_ascii_lowercase();
    lower.starts_with("file:").then(|| {
        let end = lower.find(",password:").unwrap_or(value.len());
        Text::new(&value["file:".len()..end])
    })
}

fn is_in(attribute: &Attribute, slots: &[Slot]) -> bool {
    slots.iter().any(|slot| is_any(attribute, slot))
}

fn is_any(attribute: &Attribute, slot: Slot) -> bool {
    slot.iter().any(|keyword| attribute.is(keyword))
}

pub fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests;
