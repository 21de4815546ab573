//! Every keyword, with every kind of value, in every place: the library must behave like the driver alone.
//!
//! The table is generated. Each row is a section of odbc.ini, a connection string, and attributes set before the
//! connect. Each row is run twice: on Microsoft's driver, with a section that differs only in `Driver`, and through the
//! library. Everything that an application can see must be the same: the return code, all diagnostic records, what the
//! server was asked for, and what SQLGetInfo and SQLGetConnectAttr return. In a session the driver is given what the
//! library discovers for it.
//!
//! Every difference fails, except those in [`ALLOWED`], each of which has a reason. An entry that matches no difference
//! fails as well, and so does a table that has become small.
//!
//! With `SECTIONS_KEEP=FOLDER` the test leaves its results in that folder.

mod common;

use common::server::Server;
use common::{Ran, Registrations, library, part, project};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

/// The keywords, each with values that the driver understands. `{server}` is a running server, `{elsewhere}` one that
/// hangs up, `{certificate}` and `{key}` a pair of files.
///
/// First come the keywords that driver 18.6 reads from a section, then those that it reads only from a string, then
/// those of other drivers and of driver managers, and one that nothing uses.
const KEYWORDS: &[(&str, &[&str])] = &[
    ("Server", &["{server}", "{elsewhere}"]),
    ("Database", &["Sales", "Elsewhere"]),
    ("Trusted_Connection", &["No", "Yes", "Yes "]),
    ("TrustServerCertificate", &["Yes", "No"]),
    ("Encrypt", &["Yes", "No", "Optional", "Mandatory", "Strict"]),
    ("ClientCertificate", &["file:{certificate}"]),
    ("HostNameInCertificate", &["localhost"]),
    ("ServerCertificate", &["{certificate}"]),
    ("Authentication", &["SqlPassword"]),
    ("Description", &["A note; with = signs"]),
    ("Language", &["us_english"]),
    ("MARS_Connection", &["Yes", "No"]),
    ("QuotedId", &["No"]),
    ("AnsiNPW", &["No"]),
    ("AutoTranslate", &["No"]),
    ("Regional", &["Yes"]),
    ("ApplicationIntent", &["ReadOnly"]),
    ("MultiSubnetFailover", &["Yes"]),
    ("TransparentNetworkIPResolution", &["Disabled"]),
    ("ConnectRetryCount", &["3"]),
    ("ConnectRetryInterval", &["3"]),
    ("KeepAlive", &["40"]),
    ("KeepAliveInterval", &["2"]),
    ("AttachDBFileName", &["sales.mdf"]),
    ("Failover_Partner", &["127.0.0.2"]),
    ("ServerSPN", &["MSSQLSvc/elsewhere"]),
    ("FailoverPartnerSPN", &["MSSQLSvc/elsewhere"]),
    ("ColumnEncryption", &["Disabled"]),
    ("KeystoreAuthentication", &["KeyVaultPassword"]),
    ("KeystorePrincipalId", &["somebody"]),
    ("KeystoreSecret", &["hunter2"]),
    ("KeystoreLocation", &["elsewhere"]),
    ("UseFMTONLY", &["Yes"]),
    ("Replication", &["Yes"]),
    ("LongAsMax", &["Yes"]),
    ("GetDataExtensions", &["Yes"]),
    ("IpAddressPreference", &["IPv4First"]),
    ("RetryExec", &["{1205:1,1:select}"]),
    ("PacketSize", &["8000"]),
    ("ConcatNullYieldsNull", &["No"]),
    ("vectorTypeSupport", &["off"]),
    ("QueryLog_On", &["No"]),
    ("QueryLogFile", &["queries"]),
    ("QueryLogTime", &["30000"]),
    ("StatsLog_On", &["No"]),
    ("StatsLogFile", &["statistics"]),
    ("RegPrecedence", &["No"]),
    ("LastUser", &["somebody"]),
    ("UID", &["client", "nobody"]),
    ("PWD", &["secret"]),
    ("ClientKey", &["file:{key}"]),
    ("APP", &["an application"]),
    ("WSID", &["a machine"]),
    ("Address", &["{server}", "{elsewhere}"]),
    ("Addr", &["{elsewhere}"]),
    ("Net", &["dbmssocn"]),
    ("Network", &["dbmssocn"]),
    ("Servername", &["{elsewhere}"]),
    ("Username", &["nobody"]),
    ("Password", &["hunter2"]),
    ("Port", &["9"]),
    ("TDS_Version", &["8.0"]),
    ("Threading", &["0"]),
    ("CPTimeout", &["60"]),
    ("UsageCount", &["1"]),
    ("Trace", &["No"]),
    ("Nonsense", &["1"]),
];

/// Keywords that determine which server the driver calls, or make it try until the timeout.
const SERVERS: [&str; 5] = ["Server", "Address", "Addr", "KeepAlive", "KeepAliveInterval"];

/// Attributes that may be set before the connect, each with the keyword that sets the same, and two values for both.
const ATTRIBUTES: &[(u32, &str, [&str; 2], [&str; 2])] = &[
    (109, "Database", ["Sales", "Elsewhere"], ["Sales", "Elsewhere"]),
    (1203, "Trusted_Connection", ["0", "1"], ["No", "Yes"]),
    (1217, "QuotedId", ["0", "1"], ["No", "Yes"]),
    (1218, "AnsiNPW", ["0", "1"], ["No", "Yes"]),
    (1220, "AutoTranslate", ["0", "1"], ["No", "Yes"]),
    (1222, "ConcatNullYieldsNull", ["0", "1"], ["No", "Yes"]),
    (1223, "Encrypt", ["0", "1"], ["No", "Yes"]),
    (1224, "MARS_Connection", ["0", "1"], ["No", "Yes"]),
    (1228, "TrustServerCertificate", ["0", "1"], ["No", "Yes"]),
    (1247, "ApplicationIntent", ["ReadWrite", "ReadOnly"], ["ReadWrite", "ReadOnly"]),
    (1248, "MultiSubnetFailover", ["0", "1"], ["No", "Yes"]),
];

/// An intended difference.
struct Allowed {
    /// Titles of rows; `*` matches anything.
    rows: &'static [&'static str],
    /// What the driver shows there.
    driver: &'static str,
    /// What the library shows.
    library: &'static str,
    /// For people; the test does not use it.
    #[expect(dead_code, reason = "each entry must have one")]
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        rows: &["*: section UID Latin-1", "*: section PWD Latin-1", "*: section ClientKey Latin-1"],
        driver: "",
        library: "UTF-8",
        reason: "The driver does not read these from a section. The library does, and says which one it cannot read.",
    },
    Allowed {
        rows: &["*: section UID long", "*: section PWD long", "*: section ClientKey long"],
        driver: "",
        library: "longer than",
        reason: "unixODBC cuts the line. The driver does not read these from a section; half a password is for nobody.",
    },
    Allowed {
        rows: &["*: section ClientKey *", "*: string ClientKey *"],
        driver: "",
        library: "A key is configured (",
        reason: "A key without a certificate: the driver goes on as if it were not there.",
    },
    Allowed {
        rows: &["login in *: * Server empty", "login in *: * Server first empty", "login in *: * Server without ="],
        driver: "Login timeout expired",
        library: "",
        reason: "A server given as nothing is one that is looked for; the driver calls one without a name.",
    },
    Allowed {
        rows: &["login in string: string RetryExec space behind", "login in string: string RetryExec in braces"],
        driver: "Login timeout expired",
        library: "this does not look like one",
        reason: "A brace stops the reading of the string before its server; the driver calls one of the data source's name.",
    },
    Allowed {
        rows: &["login in *: * UID *", "login in *: who logs in: *"],
        driver: "Login failed for user ''",
        library: "this does not look like one",
        reason: "No user, and no certificate either: the driver logs in without a user, and is refused.",
    },
];

/// The source of the server and the login.
#[derive(Clone, Copy, PartialEq)]
enum Setting {
    /// A machine outside SQL Server, with the server and the login in the section.
    Section,
    /// The same, with both in the string.
    String,
    /// A session of SQL Server: both are discovered.
    Session,
}

/// One row of the table.
struct Row {
    title: String,
    /// The data source's name, where it matters: in the string, and in the file.
    source: Option<(&'static str, &'static [u8])>,
    attributes: String,
    /// Without `Driver`.
    section: Vec<u8>,
    /// Without `DSN`.
    string: String,
}

/// Replacements for the placeholders.
struct Places {
    server: String,
    elsewhere: String,
    certificate: String,
    key: String,
}

impl Places {
    fn fill(&self, text: &str) -> String {
        let text = text.replace("{server}", &self.server).replace("{elsewhere}", &self.elsewhere);
        text.replace("{certificate}", &self.certificate).replace("{key}", &self.key)
    }
}

/// The keyword's values in a section: a name for each kind of value, and the lines.
fn lines(keyword: &str, values: &[String], few: bool) -> Vec<(String, Vec<u8>)> {
    let value = &values[0];
    let mut kinds: Vec<(String, Vec<u8>)> = Vec::new();
    let mut kind = |name: &str, lines: String| kinds.push((name.to_owned(), (lines + "\n").into()));
    kind("empty", format!("{keyword}="));
    for value in values {
        kind(&format!("={value}"), format!("{keyword}={value}"));
    }
    kind("wrong", format!("{keyword}=wrong"));
    if !SERVERS.contains(&keyword) {
        kind("as True", format!("{keyword}=True"));
    }
    kind("first empty", format!("{keyword}=\n{keyword}={value}"));
    kind("doubled", format!("{keyword}={value}\n{keyword}=wrong"));
    if !few {
        kind("as 1", format!("{keyword}=1"));
        kind("doubled, wrong first", format!("{keyword}=wrong\n{keyword}={value}"));
        kind("other case", format!("{}={value}", other_case(keyword)));
        kind("spaced", format!("{keyword} = {value} "));
        kind("indented", format!("  {keyword}={value}"));
        kind("without =", keyword.to_owned());
        kind("beyond ASCII", format!("{keyword}=ü中"));
        kind("long", format!("{keyword}={}", "x".repeat(1500)));
    }
    kinds.push(("Latin-1".to_owned(), [keyword.as_bytes(), b"=\xfc\xe9\n"].concat()));
    kinds
}

/// The keyword's values in a string.
fn words(keyword: &str, values: &[String], few: bool) -> Vec<(String, String)> {
    let value = &values[0];
    let mut kinds = Vec::new();
    let mut kind = |name: &str, words: String| kinds.push((name.to_owned(), words + ";"));
    kind("empty", format!("{keyword}="));
    for value in values {
        kind(&format!("={value}"), format!("{keyword}={value}"));
    }
    kind("wrong", format!("{keyword}=wrong"));
    if !SERVERS.contains(&keyword) {
        kind("as True", format!("{keyword}=True"));
    }
    kind("first empty", format!("{keyword}=;{keyword}={value}"));
    if !few {
        kind("as 1", format!("{keyword}=1"));
        kind("as SSPI", format!("{keyword}=SSPI"));
        kind("doubled", format!("{keyword}={value};{keyword}=wrong"));
        kind("doubled, wrong first", format!("{keyword}=wrong;{keyword}={value}"));
        kind("other case", format!("{}={value}", other_case(keyword)));
        kind("spaced", format!("{keyword} = {value} "));
        kind("space behind", format!("{keyword}={value} "));
        kind("indented", format!(" {keyword}={value}"));
        kind("in braces", format!("{keyword}={{{value}}}"));
        kind("beyond ASCII", format!("{keyword}=ü中😀"));
    }
    kinds
}

fn other_case(keyword: &str) -> String {
    let swapped = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    keyword.chars().map(swapped).collect()
}

/// What a machine outside SQL Server sets besides the keyword.
fn base(setting: Setting, keyword: &str, places: &Places) -> Vec<(&'static str, String)> {
    if setting == Setting::Session {
        return Vec::new();
    }
    let mut base = vec![("Server", places.server.clone()), ("TrustServerCertificate", "Yes".to_owned())];
    base.extend([("UID", "client".to_owned()), ("PWD", "secret".to_owned())]);
    base.retain(|(name, _)| !name.eq_ignore_ascii_case(keyword));
    base
}

fn row(setting: Setting, keyword: &str, places: &Places, title: &str, lines: &[u8], words: &str) -> Row {
    let (mut section, mut string) = (lines.to_vec(), words.to_owned());
    for (name, value) in base(setting, keyword, places) {
        match setting {
            Setting::Section => section.extend(format!("{name}={value}\n").into_bytes()),
            _ => write!(string, "{name}={value};").unwrap(),
        }
    }
    Row { title: title.to_owned(), source: None, attributes: String::new(), section, string }
}

/// All rows of a setting; `few` limits them, for every way except the first.
fn table(setting: Setting, places: &Places, few: bool) -> Vec<Row> {
    let name = match setting {
        Setting::Section => "login in section",
        Setting::String => "login in string",
        Setting::Session => "session",
    };
    let mut rows = vec![row(setting, "", places, &format!("{name}: nothing else"), b"", "")];
    for (keyword, values) in KEYWORDS {
        let values: Vec<_> = values.iter().map(|value| places.fill(value)).collect();
        // Each server that does not exist costs a second.
        let few = few || setting != Setting::String || SERVERS.contains(keyword);
        for (kind, lines) in lines(keyword, &values, few) {
            let title = format!("{name}: section {keyword} {kind}");
            rows.push(row(setting, keyword, places, &title, &lines, ""));
        }
        // In this setting the section has the login; other settings cover the keywords in the string.
        if setting != Setting::Section {
            for (kind, words) in words(keyword, &values, few) {
                let title = format!("{name}: string {keyword} {kind}");
                rows.push(row(setting, keyword, places, &title, b"", &words));
            }
        }
    }
    for (attribute, keyword, values, words) in ATTRIBUTES {
        for value in values {
            for (section, string) in [("", ""), ("", words[0]), ("", words[1]), (words[0], ""), (words[1], "")] {
                let title = format!("{name}: attribute {attribute}={value}, section {section:?}, string {string:?}");
                let section = if section.is_empty() { String::new() } else { format!("{keyword}={section}\n") };
                let string = if string.is_empty() { String::new() } else { format!("{keyword}={string};") };
                let mut row = row(setting, keyword, places, &title, section.as_bytes(), &string);
                row.attributes = format!("{attribute}={value}");
                rows.push(row);
            }
        }
    }
    // The table of ATTRIBUTES has one login; these rows cover all of them.
    for (attribute, section, string, user) in everyone() {
        let title =
            format!("{name}: who logs in: attribute {attribute:?}, section {section:?}, string {string:?} {user:?}");
        let words = format!("{string}{user}");
        let mut row =
            row(setting, if user.is_empty() { "" } else { "UID" }, places, &title, section.as_bytes(), &words);
        row.attributes = attribute.to_owned();
        rows.push(row);
    }
    rows
}

/// Trusted or not as an attribute, in the section and in the string, together with a SQL Server user, a Windows user,
/// or none.
fn everyone() -> impl Iterator<Item = (&'static str, &'static str, &'static str, &'static str)> {
    let sections = ["", "Trusted_Connection=Yes\n", "Trusted_Connection=No\n"];
    let strings = ["", "Trusted_Connection=yes;", "Trusted_Connection=no;"];
    let users = ["", "UID=client;PWD=secret;", "UID=dom\\x;", "UID=;"];
    ["", "1203=0", "1203=1"].into_iter().flat_map(move |attribute| {
        sections.into_iter().flat_map(move |section| {
            strings.into_iter().flat_map(move |string| users.map(|user| (attribute, section, string, user)))
        })
    })
}

/// The value in a section, as unixODBC reads it.
fn of_section<'r>(section: &'r [u8], keyword: &str) -> Option<&'r [u8]> {
    let value = section.split(|&byte| byte == b'\n').find_map(|line| {
        let end = line.iter().position(|&byte| byte == b'=').unwrap_or(line.len());
        let found = line[..end].trim_ascii_end().eq_ignore_ascii_case(keyword.as_bytes());
        found.then(|| line.get(end + 1..).unwrap_or_default().trim_ascii())
    });
    value.filter(|value| !value.is_empty())
}

/// The value in a string, as Microsoft's driver reads it. An empty value is a value.
fn of_string<'r>(string: &'r str, keyword: &str) -> Option<&'r str> {
    let mut words = string.split(';').filter_map(|word| word.split_once('='));
    let value = words.find_map(|(name, value)| name.eq_ignore_ascii_case(keyword).then_some(value))?;
    Some(value.strip_prefix('{').and_then(|value| value.strip_suffix('}')).unwrap_or(value))
}

/// The string without this keyword.
fn without(string: &str, keyword: &str) -> String {
    let is_it = |word: &&str| word.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case(keyword));
    string.split_inclusive(';').filter(|word| !is_it(word)).collect()
}

/// What the driver must be given to do what the library promises for this row: the application's keywords, those that
/// the library reads from the section but the driver does not, and in a session what is discovered there.
fn to_the_driver(setting: Setting, row: &Row, places: &Places) -> (String, String) {
    let (section, mut string) = (&row.section, row.string.clone());
    if !string.is_empty() && !string.ends_with(';') {
        string.push(';');
    }
    for keyword in ["UID", "PWD", "ClientKey"] {
        if let Some(value) = of_section(section, keyword) {
            write!(string, "{keyword}={};", String::from_utf8_lossy(value)).unwrap();
        }
    }
    if setting != Setting::Session {
        return (row.attributes.clone(), string);
    }
    // In a session an empty server or certificate counts as missing and is discovered.
    for keyword in ["Server", "Address", "Addr", "ClientCertificate", "ClientKey"] {
        if of_string(&string, keyword) == Some("") {
            string = without(&string, keyword);
        }
    }
    let given = |keyword: &str| of_string(&string, keyword).is_some_and(|value| !value.is_empty());
    let said = |keyword: &str| given(keyword) || of_section(section, keyword).is_some();
    let server = said("Server") || given("Address") || given("Addr");
    // The order is attribute, string, section, as measured.
    let trusted = match row.attributes.as_str() {
        "1203=1" => true,
        "1203=0" => false,
        _ => of_string(&string, "Trusted_Connection")
            .map(str::as_bytes)
            .or_else(|| of_section(section, "Trusted_Connection"))
            .is_some_and(|value| value.eq_ignore_ascii_case(b"yes")),
    };
    // "Trusted" without a server is Microsoft's way to ask for a loopback connection; on Linux that means the
    // certificate.
    let loopback = trusted && !server;
    // A value in the section that the driver ignores is not a login.
    let authentication = given("Authentication")
        || of_section(section, "Authentication").is_some_and(|value| value.eq_ignore_ascii_case(b"SqlPassword"));
    let login = ["UID", "ClientCertificate", "ClientKey"];
    let names_login = authentication || login.iter().any(|keyword| said(keyword));
    let certificate = loopback || !trusted && !names_login;
    let verified = said("HostNameInCertificate")
        || said("ServerCertificate")
        || of_string(&string, "Encrypt").is_some_and(|value| value.eq_ignore_ascii_case("strict"))
        || of_section(section, "Encrypt").is_some_and(|value| value.eq_ignore_ascii_case(b"strict"));
    // A value in the section that the driver ignores sets nothing.
    let counts = |keyword: &str| {
        let words = ["yes", "no", "optional", "mandatory", "strict"];
        let words = if keyword == "Encrypt" { &words[..] } else { &words[..2] };
        let is_one = |value: &[u8]| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
        of_string(&string, keyword).is_some() || of_section(section, keyword).is_some_and(is_one)
    };
    let mut found = String::new();
    if !server {
        write!(found, "Server={};", places.server).unwrap();
    }
    if certificate {
        write!(found, "ClientCertificate=file:{};ClientKey=file:{};", places.certificate, places.key).unwrap();
    }
    if certificate && !said("Trusted_Connection") {
        found.push_str("Trusted_Connection=no;");
    }
    for keyword in ["TrustServerCertificate", "Encrypt"] {
        let left_out = counts(keyword) || keyword == "TrustServerCertificate" && verified;
        if !left_out {
            write!(found, "{keyword}=Yes;").unwrap();
        }
    }
    // The driver uses the first of two equal keywords.
    let first = if loopback { "Trusted_Connection=no;" } else { "" };
    let attributes = if loopback { row.attributes.replace("1203=1", "1203=0") } else { row.attributes.clone() };
    (attributes, format!("{first}{string}{found}"))
}

/// What the library is given: everything that the application sets.
fn to_the_library(row: &Row) -> (String, String) {
    (row.attributes.clone(), row.string.clone())
}

/// The file of actions for tests/programs/sections.py.
fn actions(rows: &[Row], driver: &str, told: impl Fn(&Row) -> (String, String)) -> String {
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut actions = String::new();
    for (number, row) in rows.iter().enumerate() {
        // Each row has a name of its own, because unixODBC caches what it has read.
        let of_its_own = format!("Source{number}");
        let (name, in_file) = row.source.unwrap_or((&of_its_own, of_its_own.as_bytes()));
        let section = [b"[", in_file, format!("]\nDriver={driver}\n").as_bytes(), &row.section].concat();
        let (attributes, string) = told(row);
        let string = format!("DSN={name};{string}");
        // If a server refuses, Microsoft's driver keeps trying until the timeout.
        let seconds = if SERVERS.iter().any(|it| row.title.contains(&format!(" {it} "))) { 1 } else { 5 };
        let (section, string) = (hexadecimal(&section), hexadecimal(string.as_bytes()));
        writeln!(actions, "{}\t{seconds}\t{attributes}\t{section}\t{string}", row.title).unwrap();
    }
    actions
}

/// The program's output, by the titles of the actions.
fn seen(printed: &str) -> BTreeMap<String, Vec<String>> {
    assert!(printed.ends_with("done\n"), "{printed}");
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for action in printed.trim_end_matches("done\n").split("action ").skip(1) {
        let mut lines = action.lines().map(str::to_owned);
        let title = lines.next().unwrap();
        assert!(seen.insert(title.clone(), lines.collect()).is_none(), "two rows are called {title:?}");
    }
    seen
}

/// The part of the driver's or the library's result that must be the same.
fn compared(lines: &[String]) -> Vec<String> {
    let fails = lines.iter().any(|line| line == "return: -1");
    // A hint stands behind the driver's own words.
    let words = |line: &String| match line.split_once(" [loopback-odbc] ") {
        Some((words, _)) if line.starts_with("record: ") => format!("{words}'"),
        _ => line.clone(),
    };
    let lines: Vec<String> = lines.iter().map(words).collect();
    let ours = |line: &String| line.starts_with("record: ") && line.contains("[loopback-odbc]");
    let all_ours = lines.iter().filter(|line| line.starts_with("record: ")).all(ours);
    let mut lines = lines;
    // The library returns the application's own string, and explains the driver's failure after the driver's records.
    lines.retain(|line| !(line.starts_with("completed: ") || fails && !all_ours && ours(line)));
    lines
}

/// Compares the results of the rows on the driver with those through the library.
fn compare(name: &str, driver: &str, library: &str) {
    if let Some(folder) = std::env::var_os("SECTIONS_KEEP") {
        let folder = Path::new(&folder);
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("{name}, driver")), driver).unwrap();
        fs::write(folder.join(format!("{name}, library")), library).unwrap();
    }
    let (driver, library) = (seen(driver), seen(library));
    assert_eq!(driver.keys().collect::<Vec<_>>(), library.keys().collect::<Vec<_>>());
    let mut differences = String::new();
    let (mut count, mut used, mut open_ended) = (0, vec![false; ALLOWED.len()], Vec::new());
    for (title, on_driver) in &driver {
        let through_library = &library[title];
        let completed = through_library.iter().find_map(|line| line.strip_prefix("completed: "));
        open_ended.extend(completed.filter(|string| !string.ends_with(";'")).map(|string| (title, string)));
        let (expected, found) = (compared(on_driver), compared(through_library));
        if expected == found {
            continue;
        }
        let entry = ALLOWED.iter().position(|allowed| {
            allowed.rows.iter().any(|rows| is_like(title, rows))
                && expected.join("\n").contains(allowed.driver)
                && found.join("\n").contains(allowed.library)
        });
        match entry {
            Some(entry) => used[entry] = true,
            None => {
                count += 1;
                writeln!(differences, "{title}").unwrap();
                for (sign, mine, other) in [("driver ", &expected, &found), ("library", &found, &expected)] {
                    for line in mine.iter().filter(|line| !other.contains(line)) {
                        writeln!(differences, "  {sign} {line}").unwrap();
                    }
                }
            }
        }
    }
    for (allowed, used) in ALLOWED.iter().zip(used) {
        let here = allowed.rows.iter().any(|rows| driver.keys().any(|title| is_like(title, rows)));
        if here && !used {
            count += 1;
            writeln!(differences, "nothing differs any more in {:?}", allowed.rows).unwrap();
        }
    }
    // A program can append `KEY=value;` to the driver's string and connect with it.
    if let Some((title, string)) = open_ended.first() {
        count += 1;
        let rows = open_ended.len();
        writeln!(differences, "{rows} completed strings do not end in ';'; that of {title:?}: {string}").unwrap();
    }
    assert!(count == 0, "{count} of {} rows differ, {name}:\n{differences}", driver.len());
}

/// Whether a text matches a pattern, in which `*` matches anything.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| is_like(&text[at..], rest))
        }),
    }
}

const DRIVER: &str = "ODBC Driver 18 for SQL Server";
const LIBRARY: &str = "SQL Server Loopback";

/// A pair of files like a session's.
fn make_pair(folder: &Path) -> (String, String) {
    let shown = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (shown("sqlsatellitecert.pem"), shown("sqlsatellitekey.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Microsoft Corporation/CN=tests"]);
    Ran::of(openssl.args(["-out", &certificate, "-keyout", &key])).ok();
    (certificate, key)
}

/// A server that hangs up at once, until the test ends: a driver keeps trying a server that does not exist.
fn hanging_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It hangs up after reading something; unread data would sometimes be answered by a reset.
    let hang_up = |mut socket: TcpStream| drop(socket.read(&mut [0; 4096]));
    std::thread::spawn(move || listener.incoming().flatten().for_each(hang_up));
    format!("127.0.0.1,{port}")
}

/// Runs actions outside SQL Server, and returns the output.
fn carry_out(registrations: &Registrations, log: &Path, driver: &str, way: &str, actions: &str) -> String {
    let file = registrations.path(driver);
    fs::write(&file, actions).unwrap();
    let mut program = registrations.command(part("PYTHON"));
    program.arg(project("tests/programs/sections.py")).args([driver, way]).arg(file).arg(log);
    Ran::of(&mut program).ok().stdout
}

/// Outside SQL Server, without a driver manager (`direct`) or with unixODBC (`manager`).
fn outside(setting: Setting, way: &str, few: bool, least: usize) {
    let server = Server::start();
    let registrations = Registrations::usual("");
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = make_pair(folder.path());
    let places = Places { server: format!("127.0.0.1,{}", server.port), elsewhere: hanging_up(), certificate, key };
    let rows = table(setting, &places, few);
    assert!(rows.len() >= least, "there are {} rows alone", rows.len());
    let run = |driver: &str, actions: String| carry_out(&registrations, &server.log, driver, way, &actions);
    let on_driver = run(DRIVER, actions(&rows, DRIVER, |row| to_the_driver(setting, row, &places)));
    let through_library = run(LIBRARY, actions(&rows, LIBRARY, to_the_library));
    let name = if setting == Setting::Section { "login in section" } else { "login in string" };
    compare(&format!("{name}, {way}"), &on_driver, &through_library);
}

/// In a session of SQL Server.
fn session(way: &str, least: usize) {
    let folder = tempfile::tempdir().unwrap();
    let places = Places {
        server: "fe80::8012:3df5:0:5db1%eth0".to_owned(),
        elsewhere: "127.0.0.1,9".to_owned(),
        certificate: "{launchpad}/sqlsatellitecert.pem".to_owned(),
        key: "{launchpad}/sqlsatellitekey.pem".to_owned(),
    };
    let rows = table(Setting::Session, &places, true);
    assert!(rows.len() >= least, "there are {} rows alone", rows.len());
    let run = |driver: &str, actions: String| {
        let file = folder.path().join("actions");
        fs::write(&file, actions).unwrap();
        let mut satellite = Command::new(project("scripts/satellite"));
        satellite.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
        for script in [&project("tests/programs/sections.py"), &project("tests/programs/odbc.py"), &file] {
            satellite.arg("--script").arg(script);
        }
        // In the satellite's root folder, where both sides of the setting can see it.
        satellite.args(["--standin-arg", "--login=client:secret", "--server-log", "/var/opt/root/log", "--"]);
        satellite.args(["/usr/bin/python3", "sections.py", driver, way, "actions", "/log"]);
        // Each call creates folders with names of their own.
        let printed = Ran::of(&mut satellite).ok().stdout;
        without_guids(&printed)
    };
    let on_driver = run(DRIVER, actions(&rows, DRIVER, |row| to_the_driver(Setting::Session, row, &places)));
    let through_library = run(LIBRARY, actions(&rows, LIBRARY, to_the_library));
    compare(&format!("session, {way}"), &on_driver, &through_library);
}

/// A text with `GUID` in place of each GUID.
fn without_guids(text: &str) -> String {
    let is_guid = |part: &str| {
        let lengths = part.split('-').map(str::len);
        part.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && lengths.eq([8, 4, 4, 4, 12])
    };
    let parts = text.split_inclusive('/').map(|part| {
        let (name, end) = part.strip_suffix('/').map_or((part, ""), |name| (name, "/"));
        if is_guid(name) { format!("GUID{end}") } else { part.to_owned() }
    });
    parts.collect()
}

#[test]
fn outside_with_the_login_in_the_string() {
    outside(Setting::String, "direct", false, 1900);
}

#[test]
fn outside_with_the_login_in_the_section() {
    outside(Setting::Section, "direct", true, 400);
}

#[test]
fn outside_through_unixodbc() {
    outside(Setting::String, "manager", true, 400);
}

#[test]
fn in_a_session() {
    session("direct", 400);
}

#[test]
fn in_a_session_through_unixodbc() {
    session("manager", 400);
}

/// Outside SQL Server and without a server, the library fails by itself. In the section only values that set a server
/// or a login make a difference.
#[test]
fn without_a_session_and_a_server_a_section_changes_nothing() {
    let server = Server::start();
    let places = Places {
        server: "127.0.0.1,9".to_owned(),
        elsewhere: "127.0.0.1,10".to_owned(),
        certificate: "/nonexistent/certificate.pem".to_owned(),
        key: "/nonexistent/key.pem".to_owned(),
    };
    let decide = ["Server", "UID", "ClientCertificate", "ClientKey", "Authentication", "Trusted_Connection", "PWD"];
    let mut rows = table(Setting::Session, &places, true);
    rows.retain(|row| {
        row.title.ends_with("nothing else")
            || row.title.contains(": section ") && !decide.iter().any(|it| row.title.contains(&format!(" {it} ")))
    });
    assert!(rows.len() > 350, "there are {} rows alone", rows.len());
    let printed =
        carry_out(&Registrations::usual(""), &server.log, LIBRARY, "direct", &actions(&rows, LIBRARY, to_the_library));
    assert_eq!(server.logins(), [""; 0]);
    let seen = seen(&printed);
    let records = |title: &str| {
        let mut lines = seen[title].clone();
        for line in &mut lines {
            // Removes the numbers in section names.
            line.retain(|c| !c.is_ascii_digit());
        }
        lines
    };
    let expected = records("session: nothing else");
    assert!(expected[0] == "return: -" && expected.iter().any(|line| line.contains("[loopback-odbc]")), "{expected:?}");
    for row in &rows {
        assert_eq!(records(&row.title), expected, "{}", row.title);
    }
}

/// The error names a value that Microsoft's driver does not accept, wherever it is set, instead of a missing session.
#[test]
fn an_invalid_trusted_connection_value_is_named() {
    let mut rows = Vec::new();
    for value in ["True", "1", "SSPI", "Yes "] {
        let (title, string) = (format!("Trusted_Connection={value}"), format!("Trusted_Connection={value};"));
        rows.push(Row { title, source: None, attributes: String::new(), section: Vec::new(), string });
    }
    let server = Server::start();
    let printed =
        carry_out(&Registrations::usual(""), &server.log, LIBRARY, "direct", &actions(&rows, LIBRARY, to_the_library));
    for (title, lines) in seen(&printed) {
        let record = lines.iter().find(|line| line.starts_with("record: ")).unwrap();
        assert!(record.contains(&format!("The driver does not know the value in {title}:")), "{title}: {record}");
    }
}

/// No program may connect to the default database because the section that sets another one was not found.
#[test]
fn a_missing_section_is_not_treated_as_empty() {
    let server = Server::start();
    let login = format!("Server=127.0.0.1,{};TrustServerCertificate=Yes;UID=client;PWD=secret;", server.port);
    let names: [(&str, &str, &[u8]); 6] = [
        ("ASCII", "plain", b"plain"),
        ("Latin-1", "caf\u{e9}1", b"caf\xe91"),
        ("UTF-8", "caf\u{e9}2", "caf\u{e9}2".as_bytes()),
        ("UTF-8, two bytes", "\u{4e2d}3", "\u{4e2d}3".as_bytes()),
        ("another name", "one", b"other"),
        ("a space behind", "four ", b"four"),
    ];
    let rows = names.map(|(title, name, in_file)| Row {
        title: title.to_owned(),
        source: Some((name, in_file)),
        attributes: String::new(),
        section: b"Database=Sales\n".to_vec(),
        string: login.clone(),
    });
    for way in ["direct", "manager"] {
        let printed =
            carry_out(&Registrations::usual(""), &server.log, LIBRARY, way, &actions(&rows, LIBRARY, to_the_library));
        for (title, lines) in seen(&printed) {
            let is = |line: &str| lines.iter().any(|other| other == line);
            let found = is("database: 'Sales'");
            let said = lines.iter().any(|line| line.starts_with("record: IM002 "));
            assert!(found || is("return: -1") && said, "{way}, {title}: {lines:#?}");
            // A section that the driver finds, the library must find too.
            assert!(
                found || !["ASCII", "Latin-1"].contains(&title.as_str()) || way == "manager",
                "{title}: {lines:#?}"
            );
        }
    }
}

/// `doctor` predicts correctly what a connect does with a section.
#[test]
fn doctor_says_what_a_connect_does() {
    let server = Server::start();
    let elsewhere = hanging_up();
    let login = server.section_without_login() + "UID=client\nPWD=secret\n";
    let sections: [(&str, Vec<u8>); 14] = [
        ("Usual", login.clone().into()),
        ("Nothing", Vec::new()),
        ("Empty", format!("{login}MARS_Connection=\nNet=\nAPP=\nLanguage=\n").into()),
        ("Encrypt", format!("{login}Encrypt=True\n").into()),
        ("Mars", format!("{login}MARS_Connection=1\n").into()),
        ("Retry", format!("{login}ConnectRetryCount=yes\n").into()),
        ("Foreign", format!("{login}Port=9\nTDS_Version=8.0\nThreading=0\nCPTimeout=60\nNonsense=1\n").into()),
        ("Address", format!("{login}Address={elsewhere}\nAddr={elsewhere}\n").into()),
        ("Latin", [login.as_bytes(), b"; caf\xe9\nDescription=caf\xe9\n"].concat()),
        ("LatinPassword", [server.section_without_login().as_bytes(), b"UID=client\nPWD=caf\xe9\n"].concat()),
        ("Wrong", (server.section_without_login() + "UID=client\nPWD=wrong\n").into()),
        ("NoLogin", server.section_without_login().into()),
        ("Database", format!("{login}Database=Sales\nDatabase=Elsewhere\n").into()),
        ("Elsewhere", format!("{login}Database=Elsewhere\n").into()),
    ];
    let registrations = Registrations::usual("");
    let mut odbc = fs::read(registrations.path("odbc.ini")).unwrap();
    let mut rows = Vec::new();
    for (name, section) in &sections {
        odbc.extend([format!("[{name}]\nDriver={LIBRARY}\n").as_bytes(), section].concat());
        let (title, section) = ((*name).to_owned(), section.clone());
        rows.push(Row { title, source: None, attributes: String::new(), section, string: String::new() });
    }
    fs::write(registrations.path("odbc.ini"), odbc).unwrap();
    let printed = carry_out(&registrations, &server.log, LIBRARY, "manager", &actions(&rows, LIBRARY, to_the_library));
    let mut wrong = String::new();
    for (name, lines) in seen(&printed) {
        let connects = !lines.contains(&"return: -1".to_owned());
        let mut doctor = registrations.command(part("PROGRAM"));
        // The project may be in a closed home, which is not root's under sudo.
        let doctor = Ran::of(doctor.args(["doctor", "--connect", "--dsn", &name]).env("HOME", project("")));
        if connects != (doctor.status != 2) {
            writeln!(wrong, "[{name}] connects: {connects}; doctor says {}:\n{}", doctor.status, doctor.stdout)
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
