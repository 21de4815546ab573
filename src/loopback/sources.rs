//! Step one, gather: the values from every source.
//!
//! The application gives values in its connection string and by connection attributes; the administrator in the
//! environment and in the section of the data source. The target reads its section itself, by its own rules; this
//! module reads only the values that a decision needs.

use super::{
    AUTHENTICATION, CERTIFICATE_VARIABLE, CLIENT_CERTIFICATE, CLIENT_KEY, ENCRYPT, HOST_NAME_IN_CERTIFICATE,
    KEY_VARIABLE, PASSWORD, SERVER, SERVER_CERTIFICATE, SERVER_VARIABLE, Slot, TARGET_DRIVER, TRUST_SERVER_CERTIFICATE,
    TRUSTED_CONNECTION, UNREAD, USER, file_value, is_any, official, utf16,
};
use crate::loopback::connection_string::Attribute;
use crate::loopback::driver::Kind;
use crate::loopback::failure::Failure;
use crate::loopback::official::STRING_VARIABLE;
use crate::loopback::registration::Section;
use crate::world::World;
use std::ffi::OsString;

/// What is read from the section: what decides how to log in and where, what the constants of the form would override,
/// and what the target does not read there. In the order of docs/settings.md.
const ASKED: [Slot; 11] = [
    SERVER,
    CLIENT_CERTIFICATE,
    CLIENT_KEY,
    TRUST_SERVER_CERTIFICATE,
    TRUSTED_CONNECTION,
    ENCRYPT,
    HOST_NAME_IN_CERTIFICATE,
    SERVER_CERTIFICATE,
    USER,
    PASSWORD,
    AUTHENTICATION,
];

/// The values of `Authentication`; Microsoft, "Using Microsoft Entra ID with the ODBC Driver".
const AUTHENTICATIONS: [&str; 7] = [
    "SqlPassword",
    "ActiveDirectoryPassword",
    "ActiveDirectoryIntegrated",
    "ActiveDirectoryInteractive",
    "ActiveDirectoryMsi",
    "ActiveDirectoryServicePrincipal",
    "ActiveDirectoryDefault",
];

/// The values from every source, the strongest source first.
#[derive(Debug, Default)]
pub struct Sources {
    /// The application's connection string, complete and in order.
    pub application: Vec<Attribute<'static>>,
    /// What connection attributes set; the target has them already ([`super::preset`]).
    pub preset: Vec<Attribute<'static>>,
    /// The variables for single values.
    pub environment: Vec<Attribute<'static>>,
    /// The parts of the string in the variable [`STRING_VARIABLE`].
    pub printed: Vec<Attribute<'static>>,
    /// What the section sets, without the values that the target ignores there.
    pub section: Vec<Attribute<'static>>,
    /// What the section sets and the target ignores, because it does not know the value.
    pub section_ignored: Vec<Attribute<'static>>,
    /// All keywords of the section, if listing them is cheap, to find misspelt ones.
    pub section_keywords: Vec<String>,
    /// The parts of the string that the section has under [`STRING_VARIABLE`].
    pub official: Vec<Attribute<'static>>,
}

/// The sources of values, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Application,
    Preset,
    Environment,
    Printed,
    Section,
    Official,
}

/// A value and its source.
#[derive(Clone, Copy, Debug)]
pub struct Said<'s> {
    pub origin: Origin,
    pub attribute: &'s Attribute<'static>,
}

impl Sources {
    /// Reads every source.
    ///
    /// # Errors
    /// IM002 when the data source has no section; 08001 when the section cannot be read, or a needed value in it cannot
    /// be used; 08001 also when an official string cannot be read.
    pub fn gather(
        world: &dyn World,
        kind: &Kind,
        application: Vec<Attribute<'static>>,
        preset: Vec<Attribute<'static>>,
    ) -> Result<Sources, Failure> {
        let name = data_source(&application).map(Attribute::text);
        let section = name.map(|name| Section::of(world, name)).transpose()?;
        let mut sources = Sources { application, ..Sources::default() };
        if let Some(section) = section.as_ref().filter(|_| kind.is_microsofts()) {
            section.must_be_there()?;
        }
        if let Some(section) = &section {
            sources.section.extend(section.value(TARGET_DRIVER[0])?);
        }
        if !kind.is_microsofts() {
            return Ok(sources);
        }
        // Programs such as SQLAlchemy write an empty server if they mean none. `Address` takes precedence over
        // `Server`.
        for slot in [&SERVER[..1], &SERVER[1..]] {
            let first = sources.application.iter().find(|attribute| is_any(attribute, slot));
            if first.is_some_and(|first| first.value().is_empty()) {
                sources.application.retain(|attribute| !is_any(attribute, slot));
            }
        }
        sources.preset = preset;
        sources.environment = environment(world);
        sources.printed = printed(world)?;
        if let Some(section) = section {
            sources.section_keywords = section.keywords().to_vec();
            for slot in ASKED {
                // The application's value takes precedence, so the section is not read for it.
                if !sources.application.iter().any(|attribute| is_any(attribute, slot))
                    && let Some(attribute) = value(&section, slot)?
                {
                    let counts = counts_in_section(kind, &attribute);
                    let list = if counts { &mut sources.section } else { &mut sources.section_ignored };
                    list.push(attribute);
                }
            }
            if let Some(string) = section.value(STRING_VARIABLE)? {
                let place = format!("{STRING_VARIABLE} of the DSN section");
                for part in official::read(string.text().reveal(), &place)? {
                    // A separate keyword in the section is stronger.
                    if section.value(&String::from_utf16_lossy(&part.keyword))?.is_none() {
                        sources.official.push(part);
                    }
                }
            }
        }
        Ok(sources)
    }

    /// The effective value: the one from the strongest source that gives one. An empty value from the application also
    /// counts; it means that there is no value.
    ///
    /// In Microsoft's driver the attribute for `Trusted_Connection` overrides the connection string.
    pub fn said(&self, slot: Slot) -> Option<Said<'_>> {
        let sources = [
            (Origin::Application, &self.application),
            (Origin::Preset, &self.preset),
            (Origin::Environment, &self.environment),
            (Origin::Printed, &self.printed),
            (Origin::Section, &self.section),
            (Origin::Official, &self.official),
        ];
        let by_attribute = || first(sources[1], slot).filter(|_| slot == TRUSTED_CONNECTION);
        let said = by_attribute().or_else(|| sources.into_iter().find_map(|source| first(source, slot)))?;
        Some(said).filter(|said| !said.attribute.value().is_empty())
    }

    /// The effective value, if it is yes.
    pub fn says_yes(&self, slot: Slot) -> Option<Said<'_>> {
        self.said(slot).filter(|said| said.attribute.text().is("yes"))
    }

    /// Drops a printed string if neither its server nor its certificate is used. Its other parts belong to these and
    /// are not meant for another server.
    pub fn forget_unused(&mut self, used: [Origin; 2]) {
        if !used.contains(&Origin::Printed) {
            self.printed.clear();
        }
        if !used.contains(&Origin::Official) {
            self.official.retain(|part| is_any(part, TARGET_DRIVER));
        }
    }

    /// Whether no source sets a value. An empty value from the application counts as set; the target judges it.
    pub fn is_open(&self, slot: Slot) -> bool {
        self.said(slot).is_none() && !self.application.iter().any(|attribute| is_any(attribute, slot))
    }
}

/// The data source that an application names. After a `DRIVER` it does not count: then the connection has no data
/// source.
pub fn data_source<'s>(application: &'s [Attribute<'static>]) -> Option<&'s Attribute<'static>> {
    let first = application.iter().find(|attribute| attribute.is("DSN") || attribute.is("Driver"))?;
    (first.is("DSN") && !first.value().is_empty()).then_some(first)
}

/// The attribute in one source that gives a value.
fn first<'s>((origin, source): (Origin, &'s Vec<Attribute<'static>>), slot: Slot) -> Option<Said<'s>> {
    let attribute = source.iter().find(|attribute| is_any(attribute, slot))?;
    Some(Said { origin, attribute })
}

/// The values from the environment, as attributes.
fn environment(world: &dyn World) -> Vec<Attribute<'static>> {
    let text = |value: OsString| value.to_string_lossy().trim().to_owned();
    let file = |value: OsString| file_value(&text(value));
    let server = world.variable(SERVER_VARIABLE).map(|value| (SERVER, text(value)));
    let certificate = world.variable(CERTIFICATE_VARIABLE).map(|value| (CLIENT_CERTIFICATE, file(value)));
    let key = world.variable(KEY_VARIABLE).map(|value| (CLIENT_KEY, file(value)));
    let given = [server, certificate, key].into_iter().flatten();
    given.map(|(slot, value)| Attribute::new(slot[0], &utf16(&value))).collect()
}

/// The parts of the string in the environment.
fn printed(world: &dyn World) -> Result<Vec<Attribute<'static>>, Failure> {
    let Some(string) = world.variable(STRING_VARIABLE) else { return Ok(Vec::new()) };
    let place = format!("the environment variable {STRING_VARIABLE}");
    let mut parts = official::read(&string.to_string_lossy(), &place)?;
    // Its driver has named the target already, unless a stronger setting did.
    parts.retain(|part| !is_any(part, TARGET_DRIVER));
    Ok(parts)
}

/// A value in the section. If only the driver needs to read it and it cannot be used, a placeholder says that it is
/// set.
fn value(section: &Section, slot: Slot) -> Result<Option<Attribute<'static>>, Failure> {
    let is_written = UNREAD.contains(&slot);
    let unknown = || Attribute::new(slot[0], &[0xfffd]);
    section.value(slot[0]).or_else(|failure| if is_written { Err(failure) } else { Ok(Some(unknown())) })
}

/// Whether the target accepts a value in its section. It silently ignores values that it does not know.
fn counts_in_section(kind: &Kind, attribute: &Attribute<'static>) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| attribute.text().is(word));
    let is_answer = || is(&["yes", "no"]);
    if is_any(attribute, ENCRYPT) {
        return is_answer() || kind.encrypts_by_default() && is(&["mandatory", "optional", "strict"]);
    }
    if is_any(attribute, AUTHENTICATION) {
        return is(&AUTHENTICATIONS);
    }
    let takes_answer = is_any(attribute, TRUST_SERVER_CERTIFICATE) || is_any(attribute, TRUSTED_CONNECTION);
    !takes_answer || is_answer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::connection_string::words;
    use crate::loopback::driver::USUAL;
    use crate::world::Profile::Odbc;
    use crate::world::fixture::Fixture;

    fn written(attributes: &[Attribute]) -> String {
        String::from_utf16(&super::super::write(attributes)).unwrap()
    }

    #[test]
    fn each_source_is_read_and_kept_separate() {
        let world = Fixture::default()
            .variable(SERVER_VARIABLE, " of the environment ")
            .variable(CERTIFICATE_VARIABLE, "/c")
            .variable(STRING_VARIABLE, "Driver=printed;Server=printed;")
            .section(Odbc, "Own", &[("Server", "of the section"), ("UID", "u"), ("APP", "for the driver")])
            .section(Odbc, "Other", &[(STRING_VARIABLE, "Server=official;UID=official")]);
        let kind = Kind::new(USUAL, "");
        let gather = |string: &str| Sources::gather(&world, &kind, words(string), words("Database=of an attribute"));
        let sources = gather("DSN=Own;APP=a").unwrap();
        assert_eq!(written(&sources.application), "DSN=Own;APP=a");
        assert_eq!(written(&sources.preset), "Database=of an attribute");
        assert_eq!(written(&sources.environment), "Server=of the environment;ClientCertificate=file:/c");
        assert_eq!(written(&sources.printed), "Server=printed");
        assert_eq!(written(&sources.section), "Server=of the section;UID=u");
        assert_eq!(written(&sources.official), "");
        assert_eq!(written(&gather("DSN=Other").unwrap().official), "Server=official;UID=official");
        // A value from the application is not read from the section.
        assert_eq!(written(&gather("DSN=Own;Server=s").unwrap().section), "UID=u");
        // For a driver that is not one of Microsoft's, no other source is read.
        let others = Sources::gather(&world, &Kind::new("psqlodbcw.so", ""), words("DSN=Own"), Vec::new()).unwrap();
        assert_eq!([others.environment, others.printed, others.section].concat(), []);
    }

    #[test]
    fn the_stronger_source_wins_for_every_value() {
        let origins = [
            Origin::Application,
            Origin::Preset,
            Origin::Environment,
            Origin::Printed,
            Origin::Section,
            Origin::Official,
        ];
        for slot in ASKED {
            for (at, &stronger) in origins.iter().enumerate() {
                let mut sources = Sources::default();
                for &origin in &origins[at..] {
                    let attribute = Attribute::new(slot[0], &utf16("yes"));
                    match origin {
                        Origin::Application => &mut sources.application,
                        Origin::Preset => &mut sources.preset,
                        Origin::Environment => &mut sources.environment,
                        Origin::Printed => &mut sources.printed,
                        Origin::Section => &mut sources.section,
                        Origin::Official => &mut sources.official,
                    }
                    .push(attribute);
                }
                let is_trusted = slot == TRUSTED_CONNECTION && stronger == Origin::Application;
                let expected = if is_trusted { Origin::Preset } else { stronger };
                assert_eq!(sources.said(slot).unwrap().origin, expected, "{slot:?}");
                assert!(sources.says_yes(slot).is_some() && !sources.is_open(slot));
            }
            assert!(Sources::default().said(slot).is_none() && Sources::default().is_open(slot));
        }
    }

    #[test]
    fn an_empty_application_value_hides_weaker_sources() {
        let sources = Sources { application: words("ClientCertificate="), ..Sources::default() };
        assert!(sources.said(CLIENT_CERTIFICATE).is_none() && !sources.is_open(CLIENT_CERTIFICATE));
        let sources = Sources { section: words("ClientCertificate=c"), ..sources };
        assert!(sources.said(CLIENT_CERTIFICATE).is_none());
    }
}
