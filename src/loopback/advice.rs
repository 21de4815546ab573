//! Advice for a connection without a session. A development machine needs a server and a login, but only one of them is
//! configured, or neither, or with keywords that the driver does not know.

use super::sources::{self, Origin, Said, Sources};
use super::{AUTHENTICATION, PASSWORD, SERVER, Slot, TRUSTED_CONNECTION, USER, is_any};
use crate::loopback::connection_string::Attribute;
use crate::loopback::failure::{Failure, Sqlstate};

/// Keywords of other libraries and tools, and what they most probably mean.
const OTHER_WORDS: [(&str, &str); 14] = [
    ("user", "UID"),
    ("userid", "UID"),
    ("username", "UID"),
    ("login", "UID"),
    ("password", "PWD"),
    ("pass", "PWD"),
    ("host", "Server"),
    ("hostname", "Server"),
    ("datasource", "Server"),
    ("servername", "Server"),
    ("networkaddress", "Server"),
    ("integratedsecurity", "Trusted_Connection"),
    ("trusted", "Trusted_Connection"),
    ("trustedconnection", "Trusted_Connection"),
];

/// The keywords that configure a server and a login.
const NEEDED: [Slot; 5] = [SERVER, USER, PASSWORD, TRUSTED_CONNECTION, AUTHENTICATION];

/// The keywords of data sources that this library, a driver manager or a driver for SQL Server knows (docs/settings.md has the
/// sources).
const KNOWN: [&str; 64] = [
    "Addr",
    "Address",
    "AnsiNPW",
    "APP",
    "ApplicationIntent",
    "AttachDBFileName",
    "Authentication",
    "AutoTranslate",
    "ClientCertificate",
    "ClientKey",
    "ColumnEncryption",
    "ConcatNull",
    "ConnectRetryCount",
    "ConnectRetryInterval",
    "Database",
    "Description",
    "Driver",
    "Driver64",
    "DSN",
    "Encrypt",
    "Failover_Partner",
    "FILEDSN",
    "HostNameInCertificate",
    "IpAddressPreference",
    "KeepAlive",
    "KeepAliveInterval",
    "KeystoreAuthentication",
    "KeystoreLocation",
    "KeystorePrincipalId",
    "KeystoreSecret",
    "Language",
    "LastUser",
    "LongAsMax",
    "MARS_Connection",
    "MultiSubnetFailover",
    "Net",
    "Network",
    "PacketSize",
    "Port",
    "PWD",
    "QueryLog_On",
    "QueryLogFile",
    "QueryLogTime",
    "QuotedId",
    "Regional",
    "Replication",
    "RetryExec",
    "SAVEFILE",
    "Server",
    "ServerCertificate",
    "ServerSPN",
    "Setup",
    "StatsLog_On",
    "StatsLogFile",
    "TargetDriver",
    "TDS_Version",
    "Threading",
    "Trace",
    "TransparentNetworkIPResolution",
    "Trusted_Connection",
    "TrustServerCertificate",
    "UID",
    "UseFMTONLY",
    "WSID",
];

/// Where a value can be configured that the application does not give.
pub fn place(sources: &Sources) -> String {
    match sources::data_source(&sources.application) {
        Some(name) => format!("section [{}] of odbc.ini", name.text()),
        None => "the connection string".to_owned(),
    }
}

/// Whether nobody has configured a server or a login, not even in words that the driver does not know.
pub fn nothing_configured(sources: &Sources) -> bool {
    let is_said = |slot: &Slot| sources.said(slot).is_some();
    !NEEDED.iter().any(is_said) && mistakes(sources).is_empty()
}

/// The refusal of a connection for which no session was found: what is configured, what is missing, and finally where
/// the session's certificate was looked for.
pub fn no_session(sources: &Sources, looked: &str) -> Failure {
    let place = place(sources);
    let mut sentences = mistakes(sources);
    let server = sources.said(SERVER);
    let login = [USER, AUTHENTICATION].into_iter().find_map(|slot| sources.said(slot));
    let login = login.or_else(|| sources.says_yes(TRUSTED_CONNECTION));
    let remedy = match (server, login) {
        (Some(server), None) => format!(
            "A server is configured ({}), and no login. Add UID= and PWD=, or Trusted_Connection=yes, to {place}.",
            configured(server)
        ),
        (None, Some(login)) => {
            format!("A login is configured ({}), and no server. Add Server= to {place}.", configured(login))
        }
        _ => format!(
            "No server and no login are configured. Add Server=, and UID= with PWD= or Trusted_Connection=yes, to {place}."
        ),
    };
    sentences.push(remedy);
    sentences
        .push(format!("Only scripts that SQL Server runs need neither, and this does not look like one: {looked}."));
    Failure::new(Sqlstate::UNABLE_TO_CONNECT, sentences.join(" "))
}

/// The refusal if a session may be there that this process cannot see, and nothing is configured.
pub fn hidden_session(sources: &Sources, looked: &str) -> Failure {
    let text = format!(
        "The session's certificate was not found: {looked}. Set LOOPBACK_ODBC_CLIENT_CERTIFICATE and \
         LOOPBACK_ODBC_CLIENT_KEY to this session's files. Outside the scripts that SQL Server runs, add Server=, and \
         UID= with PWD=, to {}.",
        place(sources)
    );
    Failure::new(Sqlstate::UNABLE_TO_CONNECT, text)
}

fn configured(said: Said) -> String {
    match said.origin {
        Origin::Environment | Origin::Printed => format!("{}, in the environment", said.attribute),
        Origin::Application | Origin::Preset | Origin::Section | Origin::Official => said.attribute.to_string(),
    }
}

/// One sentence for each keyword or value that the driver does not take as it was most probably meant.
fn mistakes(sources: &Sources) -> Vec<String> {
    let keyword = |attribute: &Attribute| String::from_utf16_lossy(&attribute.keyword);
    let written = sources.application.iter().map(|attribute| (keyword(attribute), "the connection string"));
    let unknown = sources.section_keywords.iter().map(|keyword| (keyword.clone(), "the section"));
    let misspelt = written.chain(unknown).filter_map(|(keyword, place)| misspelt(&keyword, place));
    let given = sources.application.iter().chain(&sources.section_ignored);
    let value = given.into_iter().find(|it| is_any(it, TRUSTED_CONNECTION)).filter(|it| {
        let value = it.text();
        !(value.is("yes") || value.is("no") || value.reveal().is_empty())
    });
    let value =
        value.map(|word| format!("The driver does not know the value in {word}: write {}=yes.", TRUSTED_CONNECTION[0]));
    misspelt.chain(value).collect()
}

/// What is wrong with a keyword that resembles one of the needed keywords but is not one.
fn misspelt(keyword: &str, place: &str) -> Option<String> {
    let is_known =
        |word: &str| NEEDED.iter().flat_map(|slot| slot.iter()).any(|known| known.eq_ignore_ascii_case(word));
    if is_known(keyword) || !is_comparable(keyword) {
        return None;
    }
    if is_known(keyword.trim()) {
        return Some(format!(
            "The keyword \"{keyword}\" in {place} has a space at its end: write {}=.",
            keyword.trim()
        ));
    }
    let plain = plain(keyword);
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == plain).map(|(_, meant)| *meant);
    let known = || NEEDED.iter().flat_map(|slot| slot.iter()).copied();
    let meant = other.or_else(|| similar(keyword, known()))?;
    Some(did_you_mean(keyword, place, meant))
}

/// What is wrong with a keyword that neither this library nor a driver knows, and that resembles one that they know.
pub fn unknown(keyword: &str, place: &str) -> Option<String> {
    let is_known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(keyword));
    if is_known || !is_comparable(keyword) {
        return None;
    }
    misspelt(keyword, place).or_else(|| Some(did_you_mean(keyword, place, similar(keyword, KNOWN.into_iter())?)))
}

fn did_you_mean(keyword: &str, place: &str, meant: &str) -> String {
    format!("The driver does not know the keyword \"{keyword}\" in {place}: did you mean {meant}?")
}

/// A long one may be anything, after a forgotten brace or quotation mark.
fn is_comparable(keyword: &str) -> bool {
    keyword.chars().count() <= LONGEST && keyword.chars().all(|it| it.is_ascii_alphanumeric() || " _".contains(it))
}

/// The known word that is most similar to a written one, if one is similar enough to be meant.
pub fn similar<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let written = plain(written);
    if written.is_empty() {
        return None;
    }
    let most = if written.len() <= SHORT { 1 } else { 2 };
    let distances = known.map(|known| (strsim::osa_distance(&written, &plain(known)), known));
    distances.filter(|&(distance, _)| distance <= most).min().map(|(_, known)| known)
}

/// The letters and digits of a word, in lower case.
fn plain(word: &str) -> String {
    word.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The longest keyword that is compared, in characters.
const LONGEST: usize = 24;
/// The longest keyword, in characters, that may have only one wrong character; longer ones may have two.
const SHORT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::connection_string::words;
    use crate::loopback::failure::{MOST_UNITS, PREFIX};

    const LOOKED: &str = "nowhere";

    fn advice(string: &str, section: &[&str]) -> String {
        let section_keywords = section.iter().map(|&keyword| keyword.to_owned()).collect();
        let sources = Sources { application: words(string), section_keywords, ..Sources::default() };
        no_session(&sources, LOOKED).text
    }

    #[test]
    fn what_is_missing_is_named() {
        for (string, expected) in [
            (
                "DSN=L",
                "No server and no login are configured. Add Server=, and UID= with PWD= or Trusted_Connection=yes, to section [L]",
            ),
            (
                "Driver=x",
                "No server and no login are configured. Add Server=, and UID= with PWD= or Trusted_Connection=yes, to the connection string.",
            ),
            (
                "DSN=L;Server=dev",
                "A server is configured (Server=dev), and no login. Add UID= and PWD=, or Trusted_Connection=yes, to section [L]",
            ),
            (
                "DSN=L;UID=u;PWD=p",
                "A login is configured (UID=u), and no server. Add Server= to section [L] of odbc.ini.",
            ),
            ("DSN=L;Trusted_Connection=yes", "A login is configured (Trusted_Connection=yes), and no server."),
            (
                "DSN=L;Trusted_Connection=True;Server=h",
                "The driver does not know the value in Trusted_Connection=True: write Trusted_Connection=yes. A server",
            ),
        ] {
            let text = advice(string, &[]);
            assert!(text.starts_with(expected), "{string}: {text}");
            assert!(text.ends_with("this does not look like one: nowhere."), "{text}");
        }
        let ignored = Sources { section_ignored: words("Trusted_Connection=True"), ..Sources::default() };
        assert!(!nothing_configured(&ignored));
        let text = no_session(&ignored, LOOKED).text;
        assert!(text.starts_with("The driver does not know the value in Trusted_Connection=True: write"), "{text}");
        let text = advice("DSN=L;Server=mssql://u:hunter2@h", &[]);
        assert!(text.starts_with("A server is configured (Server=mssql://u:***), and no login."), "{text}");
        let sources = Sources { environment: words("Server=dev"), ..Sources::default() };
        assert!(
            no_session(&sources, LOOKED).text.starts_with("A server is configured (Server=dev, in the environment)")
        );
    }

    #[test]
    fn a_misspelt_keyword_gets_a_suggestion() {
        for (keyword, meant) in [
            ("Sever", "did you mean Server?"),
            ("Srever", "did you mean Server?"),
            ("Servers", "did you mean Server?"),
            ("Host", "did you mean Server?"),
            ("Data Source", "did you mean Server?"),
            ("User ID", "did you mean UID?"),
            ("user_name", "did you mean UID?"),
            ("UDI", "did you mean UID?"),
            ("Password", "did you mean PWD?"),
            ("PDW", "did you mean PWD?"),
            ("Trusted Connection", "did you mean Trusted_Connection?"),
            ("Integrated Security", "did you mean Trusted_Connection?"),
            ("Server ", "has a space at its end: write Server=."),
            ("UID ", "has a space at its end: write UID=."),
        ] {
            let text = advice(&format!("DSN=L;{keyword}=x"), &[]);
            assert!(text.contains(meant) && text.contains(&format!("\"{keyword}\"")), "{keyword}: {text}");
            assert!(text.contains("the connection string"), "{text}");
            // The sentence about the session may go to a record of its own.
            let remedy = PREFIX.len() + text.find(" Only scripts").unwrap();
            assert!(remedy <= MOST_UNITS, "{remedy}: {text}");
        }
        let in_section = advice("DSN=L", &["Driver", "Sever", "Description"]);
        assert!(
            in_section
                .starts_with("The driver does not know the keyword \"Sever\" in the section: did you mean Server?")
        );
    }

    /// Keywords that the driver knows, and some for other drivers.
    #[test]
    fn no_other_keyword_is_taken_for_a_mistake() {
        let needed = |keyword: &str| NEEDED.iter().flat_map(|slot| slot.iter()).any(|known| *known == keyword);
        for keyword in KNOWN.into_iter().filter(|keyword| !needed(keyword)) {
            assert_eq!(unknown(keyword, "the section"), None);
            assert!(
                advice(&format!("DSN=L;{keyword}=x"), &[keyword]).starts_with("No server")
                    || keyword.starts_with("Addr"),
                "{keyword}"
            );
        }
        // Text that may contain a secret is not repeated.
        let text = advice("DSN=L;se\u{20ac}cret;UID=x", &[]);
        assert!(!text.contains("cret"), "{text}");
    }
}
