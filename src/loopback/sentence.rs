//! What a finding says: in full for the user of this machine, or anonymously for the people who work on this library.
//!
//! A sentence consists of words from this library's source and of parts that come from outside, each with its type. The
//! anonymous form keeps the words, and of a part only what Microsoft documents as the same everywhere. Everything else
//! becomes a placeholder such as `<name 1>`; the same thing gets the same number. So what nobody has thought of is
//! replaced, and a text without a type cannot be put into a sentence.

use std::fmt::{self, Write};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// A part of a sentence, or a whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// These parts, one after the other.
    All(Vec<Sentence>),
    /// Written in this library's source.
    Words(&'static str),
    Number(usize),
    /// Permission bits.
    Mode(u32),
    User(u32),
    Group(u32),
    Path(PathBuf),
    Address(IpAddr),
    /// A network interface.
    Interface(String),
    /// An instance of SQL Server.
    Instance(String),
    /// `DOMAIN\NAME` on Windows, `NAME` on Linux.
    Account(String),
    /// The registered name of a driver.
    Driver(String),
    /// An error of the system.
    Error(String, ErrorKind),
    /// Somebody else's words.
    Foreign(String),
    /// A version or an SQLSTATE.
    Checked(Checked),
}

/// A text that names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked(String);

/// A sentence of these parts.
macro_rules! sentence {
    ($($part:expr),* $(,)?) => {
        $crate::loopback::sentence::Sentence::All(vec![$($crate::loopback::sentence::Sentence::from($part)),*])
    };
}
pub(crate) use sentence;

impl Sentence {
    /// The sentence without anything that identifies a machine, a network or a person.
    pub fn anonymous(&self, masks: &mut Masks) -> String {
        masks.hide(self)
    }

    /// A version or a number from outside: digits and dots.
    pub fn version(text: &str) -> Sentence {
        Sentence::checked(text, text.len() <= 24 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    }

    /// An SQLSTATE from outside, of a class in Appendix A of the ODBC specification.
    pub fn state(text: &str) -> Sentence {
        const CLASSES: [&str; 18] = [
            "01", "07", "08", "21", "22", "23", "24", "25", "28", "34", "3C", "3D", "3F", "40", "42", "44", "HY", "IM",
        ];
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        Sentence::checked(text, is_plain && text.len() == 5 && CLASSES.contains(&&text[..2]))
    }

    fn checked(text: &str, names_nothing: bool) -> Sentence {
        if names_nothing { Sentence::Checked(Checked(text.to_owned())) } else { "<other>".into() }
    }
}

impl From<&'static str> for Sentence {
    fn from(words: &'static str) -> Sentence {
        Sentence::Words(words)
    }
}

impl From<usize> for Sentence {
    fn from(number: usize) -> Sentence {
        Sentence::Number(number)
    }
}

impl From<&Path> for Sentence {
    fn from(path: &Path) -> Sentence {
        Sentence::Path(path.to_owned())
    }
}

impl From<&PathBuf> for Sentence {
    fn from(path: &PathBuf) -> Sentence {
        path.as_path().into()
    }
}

impl From<Ipv6Addr> for Sentence {
    fn from(address: Ipv6Addr) -> Sentence {
        Sentence::Address(address.into())
    }
}

impl From<&io::Error> for Sentence {
    fn from(error: &io::Error) -> Sentence {
        Sentence::Error(error.to_string(), error.kind())
    }
}

impl From<io::Error> for Sentence {
    fn from(error: io::Error) -> Sentence {
        (&error).into()
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Sentence::All(parts) => parts.iter().try_for_each(|part| part.fmt(formatter)),
            Sentence::Words(words) => formatter.write_str(words),
            Sentence::Number(number) => write!(formatter, "{number}"),
            Sentence::Mode(mode) => write!(formatter, "{mode:o}"),
            Sentence::User(id) | Sentence::Group(id) => write!(formatter, "{id}"),
            Sentence::Path(path) => Shown(path).fmt(formatter),
            Sentence::Address(address) => write!(formatter, "{address}"),
            // The kernel allows control characters in the names of interfaces.
            Sentence::Interface(name) => Shown(Path::new(name)).fmt(formatter),
            Sentence::Instance(text) | Sentence::Account(text) | Sentence::Driver(text) => formatter.write_str(text),
            Sentence::Error(text, _) | Sentence::Foreign(text) | Sentence::Checked(Checked(text)) => {
                formatter.write_str(text)
            }
        }
    }
}

/// A path for one line of text: line ends and other control characters in it are escaped.
pub struct Shown<'p>(pub &'p Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        for character in self.0.to_string_lossy().chars() {
            match character.is_control() {
                true => write!(formatter, "{}", character.escape_debug())?,
                false => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Folders and files that are the same everywhere, below the root of Linux or a drive of Windows. `*` is a component
/// that differs, `#` a number of one or two digits.
const KNOWN: [&str; 26] = [
    "etc/odbc.ini",
    "etc/odbcinst.ini",
    "home/mssql_satellite",
    "mnt",
    "opt/microsoft/msodbcsql#/lib64",
    "opt/mssql-extensibility",
    "opt/mssql/mlservices",
    "proc/*/cmdline",
    "proc/*/stat",
    "proc/self/cmdline",
    "proc/self/stat",
    "root",
    "srv",
    "tmp",
    "usr/bin",
    "usr/lib/loopback-odbc",
    "usr/lib/x86_64-linux-gnu/odbc",
    "usr/lib64",
    "usr/local/lib",
    "var/lib",
    "var/opt/mssql-extensibility/data/*/*",
    "Program Files/Microsoft SQL Server",
    "Program Files/loopback-odbc",
    "ProgramData/*/Temp-PY/Appcontainer#",
    "ProgramData/*/Temp-R/Appcontainer#",
    "Windows/System32",
];

/// The same below the folder of an instance.
const OF_INSTANCE: [&str; 6] = [
    "MSSQL/Binn",
    "MSSQL/ExtensibilityData/*",
    "MSSQL/ExternalLibraries/Python",
    "MSSQL/ExternalLibraries/R",
    "PYTHON_SERVICES/Lib/site-packages",
    "R_SERVICES/library",
];

/// File names that are the same everywhere, in any folder.
const FILES: [&str; 17] = [
    "BxlServer.exe",
    "R.exe",
    "Rterm.exe",
    "libloopbackodbc.so",
    "loopback-odbc",
    "loopback-odbc.exe",
    "loopbackodbc.dll",
    "msodbcsql11.dll",
    "msodbcsql13.dll",
    "msodbcsql17.dll",
    "msodbcsql18.dll",
    "python.exe",
    "sqlncli11.dll",
    "sqlsatellite.dll",
    "sqlsatellitecert.pem",
    "sqlsatellitekey.pem",
    "sqlsrv32.dll",
];

/// The placeholders of one document.
#[derive(Debug, Default)]
pub struct Masks {
    /// User and group of this process.
    own: [Option<u32>; 2],
    /// What was replaced, each with its kind. The number of a placeholder is the place among those of its kind.
    replaced: Vec<(&'static str, String)>,
}

impl Masks {
    pub fn new(user: u32, group: u32) -> Masks {
        Masks { own: [Some(user), Some(group)], replaced: Vec::new() }
    }

    fn hide(&mut self, part: &Sentence) -> String {
        match part {
            Sentence::All(parts) => parts.iter().map(|part| self.hide(part)).collect(),
            Sentence::Words(_) | Sentence::Number(_) | Sentence::Mode(_) | Sentence::Checked(_) => part.to_string(),
            Sentence::User(id) => self.id("user", *id, self.own[0]),
            Sentence::Group(id) => self.id("group", *id, self.own[1]),
            Sentence::Path(path) => self.path(&path.to_string_lossy()),
            Sentence::Address(address) => self.address(*address),
            Sentence::Interface(name) if ["lo", "eth0"].contains(&name.as_str()) => name.clone(),
            Sentence::Interface(name) => self.placeholder("interface", name),
            Sentence::Instance(name) => self.name(name),
            Sentence::Account(account) => self.account(account),
            Sentence::Driver(name) => self.driver(name),
            Sentence::Error(text, kind) => format!("{kind:?}{}", code(text)),
            Sentence::Foreign(text) => format!("<text>{}", code(text)),
        }
    }

    /// `<KIND NUMBER>`. Case makes no difference, as in the names of Windows.
    fn placeholder(&mut self, kind: &'static str, text: &str) -> String {
        let text = text.to_lowercase();
        if !self.replaced.iter().any(|known| *known == (kind, text.clone())) {
            self.replaced.push((kind, text.clone()));
        }
        let number = self.replaced.iter().filter(|(of, _)| *of == kind).position(|(_, known)| *known == text);
        format!("<{kind} {}>", number.unwrap_or_default() + 1)
    }

    /// Root and the kernel's overflow user have the same number everywhere.
    fn id(&mut self, kind: &'static str, id: u32, own: Option<u32>) -> String {
        match id {
            0 | 65534 => id.to_string(),
            _ if Some(id) == own => format!("<own {kind}>"),
            _ => self.placeholder(kind, &id.to_string()),
        }
    }

    fn name(&mut self, name: &str) -> String {
        // Setup's names for the default instance and for the Express edition's.
        let usual = ["MSSQLSERVER", "SQLEXPRESS"].into_iter().find(|usual| name.eq_ignore_ascii_case(usual));
        usual.map_or_else(|| self.placeholder("name", name), str::to_owned)
    }

    fn address(&mut self, address: IpAddr) -> String {
        let kind = match address.to_canonical() {
            address if address.is_loopback() => return "<loopback address>".to_owned(),
            address if address.is_unspecified() => return "<no address>".to_owned(),
            IpAddr::V6(address) if address.is_unicast_link_local() => "link-local IPv6 address",
            IpAddr::V6(address) if address.is_unique_local() => "private IPv6 address",
            IpAddr::V6(_) => "global IPv6 address",
            IpAddr::V4(address) if address.is_link_local() => "link-local IPv4 address",
            IpAddr::V4(address) if address.is_private() => "private IPv4 address",
            IpAddr::V4(_) => "global IPv4 address",
        };
        self.placeholder(kind, &address.to_string())
    }

    /// The launchpad's account, or a worker's, whose name is that of the instance and a number.
    fn account(&mut self, account: &str) -> String {
        let (domain, user) = account.rsplit_once('\\').unwrap_or(("", account));
        let domain = match domain {
            "" => String::new(),
            usual if usual.eq_ignore_ascii_case("NT Service") => r"NT Service\".to_owned(),
            other => self.placeholder("name", other) + r"\",
        };
        let launchpad = user.split_at_checked("MSSQLLaunchpad".len());
        let launchpad = launchpad.filter(|(name, _)| name.eq_ignore_ascii_case("MSSQLLaunchpad"));
        let user = match launchpad {
            _ if user == "mssql_satellite" => user.to_owned(),
            Some((_, "")) => "MSSQLLaunchpad".to_owned(),
            Some((_, rest)) if rest.starts_with('$') => format!("MSSQLLaunchpad${}", self.name(&rest[1..])),
            _ => {
                let stem = user.trim_end_matches(|it: char| it.is_ascii_digit());
                let number = if stem.len() == user.len() { "" } else { "<number>" };
                self.name(stem) + number
            }
        };
        domain + &user
    }

    fn driver(&mut self, name: &str) -> String {
        let number = |rest: &str| !rest.is_empty() && rest.chars().all(|it| it.is_ascii_digit() || it == '.');
        let is_numbered = |before: &str, behind: &str| {
            name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(number)
        };
        let is_usual = ["SQL Server", "SQL Server Loopback"].contains(&name)
            || is_numbered("ODBC Driver ", " for SQL Server")
            || is_numbered("SQL Server Native Client ", "");
        if is_usual { name.to_owned() } else { self.placeholder("driver", name) }
    }

    fn path(&mut self, path: &str) -> String {
        let mut known: Vec<&str> = KNOWN.to_vec();
        let mut hidden = String::new();
        let mut rest = path;
        while !rest.is_empty() {
            let end = rest.find(['/', '\\']).unwrap_or(rest.len());
            let is_first = hidden.chars().all(|it| matches!(it, '\\' | '?'));
            let is_drive = is_first && end == 2 && rest.is_char_boundary(1) && rest[1..].starts_with(':');
            match &rest[..end] {
                "" | "?" | "." | ".." => hidden += &rest[..end],
                _ if is_drive => hidden += "<drive>:",
                component => hidden += &self.component(component, &mut known),
            }
            let separator = rest[end..].chars().next();
            hidden.extend(separator);
            rest = &rest[end + separator.map_or(0, char::len_utf8)..];
        }
        hidden
    }

    /// A component of a path, given what is known below the components before it.
    fn component(&mut self, component: &str, known: &mut Vec<&str>) -> String {
        let of_instance = self.folder_of_instance(component);
        if let Some(folder) = of_instance {
            *known = OF_INSTANCE.to_vec();
            return folder;
        }
        let mut usual = None;
        let mut below = Vec::new();
        for &branch in known.iter() {
            let (first, rest) = branch.split_once('/').unwrap_or((branch, ""));
            let as_usual = match first.strip_suffix('#') {
                Some(stem) => numbered(component, stem),
                None => component.eq_ignore_ascii_case(first).then(|| first.to_owned()),
            };
            if first == "*" || as_usual.is_some() {
                usual = usual.or(as_usual);
                below.push(rest);
            }
        }
        *known = below;
        let file = || FILES.into_iter().find(|file| component.eq_ignore_ascii_case(file)).map(str::to_owned);
        if let Some(usual) = usual.or_else(file) {
            return usual;
        }
        let is_version = |text: &str| text.chars().all(|it| it.is_ascii_digit() || it == '.');
        let driver = component.strip_prefix("libmsodbcsql-").and_then(|rest| rest.split_once(".so."));
        if driver.is_some_and(|(one, other)| is_version(one) && is_version(other)) {
            component.to_owned()
        } else if is_uuid(component) {
            self.placeholder("uuid", component)
        } else if component.bytes().all(|byte| byte.is_ascii_digit()) {
            "<number>".to_owned()
        } else {
            self.name(component)
        }
    }

    /// `MSSQL15.ID` and `SQL-NAME-ExtensibilityData-PY`.
    fn folder_of_instance(&mut self, folder: &str) -> Option<String> {
        if let Some((version, id)) = folder.split_once('.')
            && let Some(version) = numbered(version, "MSSQL")
        {
            return Some(format!("{version}.{}", self.name(id)));
        }
        let middle = folder.to_ascii_uppercase().find("-EXTENSIBILITYDATA-").filter(|&it| it > "SQL-".len())?;
        let language = &folder[middle + "-ExtensibilityData-".len()..];
        let language = ["PY", "R"].into_iter().find(|usual| language.eq_ignore_ascii_case(usual))?;
        let name = folder.get(..middle)?.split_at_checked("SQL-".len())?.1;
        Some(format!("SQL-{}-ExtensibilityData-{language}", self.name(name)))
    }
}

/// A word with a number of one or two digits behind it, as it is usually written.
fn numbered(text: &str, word: &str) -> Option<String> {
    let (start, number) = text.split_at_checked(word.len())?;
    let is_number = matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && start.eq_ignore_ascii_case(word)).then(|| format!("{word}{number}"))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12]) && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The system's number at the end of its message, which the standard library appends.
fn code(text: &str) -> String {
    let number = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (os error "));
    let number = number.and_then(|(_, number)| number.parse::<i32>().ok());
    number.map(|number| format!(" (os error {number})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_control_characters_in_a_path_are_escaped() {
        for (path, shown) in [
            ("/a b/\u{e9}\u{1f600}'\"\\;", "/a b/\u{e9}\u{1f600}'\"\\;"),
            ("/x\nERROR: forged\r\t", "/x\\nERROR: forged\\r\\t"),
            ("/\u{1b}[2J\u{7f}\u{85}", "/\\u{1b}[2J\\u{7f}\\u{85}"),
        ] {
            assert_eq!(Shown(Path::new(path)).to_string(), shown);
        }
    }

    fn hidden(parts: &[Sentence]) -> String {
        Sentence::All(parts.to_vec()).anonymous(&mut Masks::new(1000, 1000))
    }

    #[test]
    fn of_a_path_what_is_documented_remains() {
        for (path, shape) in [
            (
                "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2/sqlsatellitecert.pem",
                "/var/opt/mssql-extensibility/data/<uuid 1>/sqlsatellitecert.pem",
            ),
            (
                "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1",
                "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1",
            ),
            ("/proc/4711/cmdline", "/proc/<number>/cmdline"),
            ("/home/mssql_satellite/x", "/home/mssql_satellite/<name 1>"),
            // A known name counts only in its place.
            ("/home/data/opt/usr", "/home/<name 1>/<name 2>/<name 3>"),
            (
                "/srv/Acme Inc/data/4711/a/sqlsatellitekey.pem",
                "/srv/<name 1>/<name 2>/<number>/<name 3>/sqlsatellitekey.pem",
            ),
            ("relative/../etc", "<name 1>/../<name 2>"),
            (
                r"C:\Program Files\Microsoft SQL Server\MSSQL15.SALES\MSSQL\ExtensibilityData\SALES01\0A1C",
                r"<drive>:\Program Files\Microsoft SQL Server\MSSQL15.<name 1>\MSSQL\ExtensibilityData\<name 2>\<name 3>",
            ),
            (r"\\?\d:\Acme\mssql16.mssqlserver\mssql", r"\\?\<drive>:\<name 1>\MSSQL16.MSSQLSERVER\MSSQL"),
            (r"\\host\share\x", r"\\<name 1>\<name 2>\<name 3>"),
            (r"C:\ProgramData\SALES\temp-py\Appcontainer12", r"<drive>:\ProgramData\<name 1>\Temp-PY\Appcontainer12"),
            (r"C:\SQL-SALES-ExtensibilityData-PY", r"<drive>:\SQL-<name 1>-ExtensibilityData-PY"),
            (r"C:\SQL-SALES-ExtensibilityData-Acme", r"<drive>:\<name 1>"),
            (r"C:\MSSQL15", r"<drive>:\<name 1>"),
            ("", ""),
        ] {
            assert_eq!(hidden(&[Sentence::Path(path.into())]), shape, "{path}");
        }
    }

    #[test]
    fn of_other_parts_the_kind_remains() {
        let text = |text: &str| text.to_owned();
        for (part, kind) in [
            (Sentence::User(0), "0"),
            (Sentence::User(1000), "<own user>"),
            (Sentence::User(1001), "<user 1>"),
            (Sentence::Group(65534), "65534"),
            (Sentence::Address("fe80::8012:3df5:0:5db1".parse().unwrap()), "<link-local IPv6 address 1>"),
            (Sentence::Address("::1".parse().unwrap()), "<loopback address>"),
            (Sentence::Address("::ffff:192.168.1.7".parse().unwrap()), "<private IPv4 address 1>"),
            (Sentence::Address("2001:db8::1".parse().unwrap()), "<global IPv6 address 1>"),
            (Sentence::Interface(text("eth0")), "eth0"),
            (Sentence::Interface(text("wlan0")), "<interface 1>"),
            (Sentence::Instance(text("mssqlserver")), "MSSQLSERVER"),
            (Sentence::Account(text(r"NT SERVICE\MSSQLLaunchpad$SALES")), r"NT Service\MSSQLLaunchpad$<name 1>"),
            (Sentence::Account(text(r"HOST\MSSQLSERVER07")), r"<name 1>\MSSQLSERVER<number>"),
            (Sentence::Account(text("mssql_satellite")), "mssql_satellite"),
            (Sentence::Driver(text("ODBC Driver 18 for SQL Server")), "ODBC Driver 18 for SQL Server"),
            (Sentence::Driver(text("SQL Server Native Client of Acme")), "<driver 1>"),
            (Sentence::Foreign(text("Zugriff auf HOST verweigert (os error 5)")), "<text> (os error 5)"),
            (
                Sentence::Error(io::Error::from_raw_os_error(2).to_string(), ErrorKind::NotFound),
                "NotFound (os error 2)",
            ),
            (Sentence::version("16.0.4185.3"), "16.0.4185.3"),
            (Sentence::version("4185a"), "<other>"),
            (Sentence::state("HYT00"), "HYT00"),
            (Sentence::state("HOST7"), "<other>"),
        ] {
            assert_eq!(hidden(std::slice::from_ref(&part)), kind, "{part:?}");
        }
    }

    #[test]
    fn the_same_thing_has_the_same_number() {
        let [one, other] = ["SALES", "hr"].map(|name| Sentence::Instance(name.to_owned()));
        let path = Sentence::Path(r"C:\MSSQL15.sales\MSSQL".into());
        assert_eq!(hidden(&[one, other, path]), r"<name 1><name 2><drive>:\MSSQL15.<name 1>\MSSQL");
    }

    /// A part of each kind, with this name in it.
    fn named(name: &str, path: &str) -> String {
        let text = || name.to_owned();
        hidden(&[
            Sentence::Interface(text()),
            Sentence::Instance(text()),
            Sentence::Account(text()),
            Sentence::Account(format!(r"{name}\{name}")),
            Sentence::Driver(text()),
            Sentence::Foreign(text()),
            Sentence::Error(text(), ErrorKind::Other),
            Sentence::Path(format!("{path}/{name}/{name}{path}").into()),
            Sentence::Path(format!(r"C:\SQL-{name}-ExtensibilityData-R\MSSQL15.{name}").into()),
        ])
    }

    proptest! {
        #[test]
        fn nothing_unknown_remains(name in "[a-zA-Z0-9äß日._$ -]{3,12}", path in r"([/\\][a-z$. {}-]{0,9}){0,4}") {
            prop_assume!(name.contains(|it: char| it.is_alphabetic()) && !named("another", &path).contains(&name));
            let hidden = named(&name, &path);
            prop_assert!(!hidden.contains(&name), "{name:?}: {hidden}");
        }
    }
}
