//! The domain: which loopback string is right, here and now.
//!
//! SQL Server tells a script neither its own address nor where the session's certificate is. [`rewrite`] takes three
//! steps:
//!
//! 1. [`sources`]: gather the values from every source: the application's string and attributes, the environment, the
//!    DSN section;
//! 2. [`decision`]: decide from these values how to log in and at which server;
//! 3. [`form`]: discover the values that no source gives, with [`session`], [`server`] and [`instance`], and write the
//!    string.
//!
//! The library never guesses. No candidate, or more than one, is an error that lists everything that was checked.

#![forbid(unsafe_code)]

pub mod advice;
pub mod choice;
pub mod confirmation;
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
pub mod sentence;
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
use crate::loopback::sentence::{Sentence, sentence};
use crate::loopback::sources::Sources;
use crate::world::{Platform, World};

/// Sets SQL Server's address: what `Server` takes.
pub const SERVER_VARIABLE: &str = "LOOPBACK_ODBC_SERVER";
/// Sets the session's certificate: a path, or what `ClientCertificate` takes.
pub const CERTIFICATE_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_CERTIFICATE";
/// Sets the certificate's key: a path, or what `ClientKey` takes.
pub const KEY_VARIABLE: &str = "LOOPBACK_ODBC_CLIENT_KEY";

/// The keywords that give one value. The library writes the first.
type Slot = &'static [&'static str];

const SERVER: Slot = &["Server", "Address", "Addr"];
const DATABASE: Slot = &["Database"];
const CLIENT_CERTIFICATE: Slot = &["ClientCertificate"];
const CLIENT_KEY: Slot = &["ClientKey"];
const TRUST_SERVER_CERTIFICATE: Slot = &["TrustServerCertificate"];
const TRUSTED_CONNECTION: Slot = &["Trusted_Connection"];
const ENCRYPT: Slot = &["Encrypt"];
/// The keywords of the loopback form, in the order in which Microsoft documents them.
const FORM: [Slot; 7] =
    [SERVER, DATABASE, CLIENT_CERTIFICATE, CLIENT_KEY, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT];

const USER: Slot = &["UID"];
const PASSWORD: Slot = &["PWD"];
const AUTHENTICATION: Slot = &["Authentication"];
/// The keywords of a login by name.
const BY_NAME: [Slot; 3] = [USER, PASSWORD, AUTHENTICATION];
/// Each requires a valid certificate of the server, not just any certificate; so does `Encrypt=strict`.
const HOST_NAME_IN_CERTIFICATE: Slot = &["HostNameInCertificate"];
const SERVER_CERTIFICATE: Slot = &["ServerCertificate"];
/// What Microsoft's driver does not read in its own section. The library reads it there and passes it on.
const UNREAD: [Slot; 3] = [CLIENT_KEY, USER, PASSWORD];
const TARGET_DRIVER: Slot = &["TargetDriver"];

/// Names the data source or the driver for the driver manager or for this library.
const NOT_FOR_THE_TARGET: Slot = &["DSN", "FILEDSN", "SAVEFILE", "Driver", "TargetDriver", STRING_VARIABLE];

/// What the loopback string is for.
pub struct Wanted<'w> {
    pub target: &'w Target,
    /// What kind of driver the target is.
    pub kind: &'w Kind,
    /// The platform whose form the string takes: this machine's, or another one for which the string is only printed.
    pub platform: Platform,
    /// Connection attributes that the application has set.
    pub preset: Vec<Attribute<'static>>,
    /// Whether files that the application names may be missing, because the string is for another machine or for later.
    pub files_unseen: bool,
    /// Whether the application's string ends in a keyword without a value and without a semicolon. The driver warns
    /// about such a keyword; with a semicolon it would refuse the string.
    pub ends_open: bool,
}

/// A finished connection string.
#[derive(Debug)]
pub struct Rewritten {
    platform: Platform,
    ends_open: bool,
    /// The string for the target.
    pub target: Vec<Attribute<'static>>,
    /// The string for the application: its own keywords and values, so the string works again in this program and in
    /// the next session, and shows no path of this session.
    pub returned: Vec<Attribute<'static>>,
    /// Whether anything of the loopback form was added. Otherwise this is an ordinary connection.
    pub is_loopback: bool,
    /// The certificate and the key that the target logs in with, whichever source they come from.
    pub files: [Option<Attribute<'static>>; 2],
    /// Whether the string has the Windows form on another system.
    pub is_of_other_system: bool,
    /// Whether the attribute SQL_COPT_SS_INTEGRATED_SECURITY must be reset, because it would override the string.
    pub resets_trusted: bool,
}

/// Turns the application's request into the string for the target.
///
/// Each value comes from the first source that gives it: connection string, connection attributes, environment, DSN
/// section, discovery in the session, constants of the form. If a server and a login are given, nothing is discovered;
/// if that login does not use a certificate, nothing is added either: this is a development machine. For a driver that
/// is not for SQL Server, nothing is discovered and nothing is added. The target receives the data source's name and
/// reads the section itself. For a connection by `DRIVER` it receives its own registered name, as in the documented
/// strings. Everything that was checked, and the result, is added to `search`.
///
/// # Errors
/// IM002 when the data source has no section; HY024 when `TargetDriver` names a driver other than the loaded one; 08001
/// when a value is missing or ambiguous.
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
    let decision = if kind.is_microsofts() {
        let used = Decision::of(&sources, platform)?.origins();
        sources.forget_unused(used);
        Some(Decision::of(&sources, platform)?)
    } else {
        let text =
            sentence!(Sentence::Foreign(kind.to_string()), " is not a Microsoft ODBC driver: nothing is discovered");
        search.nothing("Loopback", "target", text);
        None
    };
    let additions = match &decision {
        Some(decision) => form::find(world, wanted, &sources, decision, search)?,
        None => form::Additions::new(),
    };
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
    /// The string for the target, in UTF-16 code units. The Windows form ends in a semicolon, as Microsoft documents
    /// it.
    pub fn target_string(&self) -> Vec<u16> {
        let mut string = write(&self.target);
        if self.ends_open {
            string.truncate(string.len() - 1);
        } else if self.platform == Platform::Windows {
            terminate(&mut string);
        }
        string
    }

    /// The string for the target without secrets. What the application wrote after a password without braces may be
    /// part of the password, so it is hidden wherever it appears here.
    pub fn shown(&self) -> String {
        let hidden: Vec<&Attribute> = connection_string::behind_a_secret(&self.returned).iter().collect();
        let shown = connection_string::shown_each(&self.target);
        let each = self.target.iter().zip(shown);
        each.map(|(it, shown)| if hidden.contains(&it) { "***".to_owned() } else { shown })
            .collect::<Vec<_>>()
            .join(";")
    }

    /// Whether a failed connect may have an explanation ([`hints`]).
    pub fn can_be_explained(&self) -> bool {
        self.is_loopback || self.is_of_other_system
    }

    /// The string for the application, in UTF-16 code units. Like the driver's, it ends in a semicolon, because
    /// programs append attributes to it.
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

/// The value of `ClientCertificate` or `ClientKey` for a path, or for a value that has the right form already: a file,
/// or a certificate in the Windows certificate store.
pub fn file_value(given: &str) -> String {
    let is_form = |form: &str| given.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form));
    if given.is_empty() || ["file:", "sha1:", "subject:"].into_iter().any(is_form) {
        given.to_owned()
    } else {
        format!("file:{given}")
    }
}

/// The path in `file:PATH[,password:PASSWORD]`; none for a value of another form.
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
