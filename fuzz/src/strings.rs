//! The texts of a request: the connection string, the section of the data source, official strings.

use crate::input::{self, Options, SECRET};
use crate::meant::Meant;
use crate::reference::{self, Pair};
use crate::secrets;
use loopbackodbc::fuzzing::{
    Failure, Fixture, Kind, Platform, Profile, Rewritten, Search, Target, Told, Wanted, World, document, parse, preset,
    report, rewrite, shown, shown_each,
};

const LAUNCHPAD: &str = "/var/opt/mssql-extensibility/data/launchpad";
const OWN: &str = "fe80::2";
const SERVER: &str = "fe80::8012:3df5:0:5db1";
/// The existing data source.
const NAME: &str = "Loopback";

const OFFICIAL: &str = "LOOPBACK_ODBC_CONNECTION_STRING";
/// Variables that give one value, and its keyword.
const VARIABLES: [(&str, &str); 3] = [
    ("LOOPBACK_ODBC_SERVER", "Server"),
    ("LOOPBACK_ODBC_CLIENT_CERTIFICATE", "ClientCertificate"),
    ("LOOPBACK_ODBC_CLIENT_KEY", "ClientKey"),
];
/// Keywords that the target does not read in its section.
const UNREAD: [&str; 3] = ["ClientKey", "UID", "PWD"];

/// Names and versions of drivers.
const DRIVERS: [(&str, &str); 5] = [
    ("libmsodbcsql-18.6.so.2.1", "18.06.0002"),
    ("libmsodbcsql-17.10.so.6.1", "17.10.0006"),
    ("libmsodbcsql-17.3.so.1.1", "17.03.0001"),
    ("sqlsrv32.dll", "10.00.19041"),
    ("psqlodbcw.so", "13.02.0000"),
];

/// Attributes that were set before the connect: the number, and whether the value is something.
const PRESETS: [Option<(i32, bool)>; 4] = [None, Some((1203, true)), Some((1256, true)), Some((1203, false))];

/// The values from all sources.
#[derive(Default)]
struct Case {
    string: Vec<u16>,
    section: Vec<(String, String)>,
    /// The variables of [`VARIABLES`], in their order, and [`OFFICIAL`].
    variables: [String; 4],
}

/// An application's string. The section contains more than it should, little of which may be used.
pub fn connection_string(input: &[u8]) {
    let Some((options, string)) = Options::take(input) else { return };
    let string = input::units(string);
    let parsed = parse(&string);
    assert_eq!(reference::of(&parsed), reference::read(&string), "{:?}", String::from_utf16_lossy(&string));
    secrets::hidden_in([shown(&parsed.attributes), format!("{parsed:?}")]);
    secrets::hidden_in(shown_each(&parsed.attributes));
    if !string.contains(&0) {
        let section = [
            ("Server", "of the section"),
            ("UID", "user;of the section"),
            ("PWD", "password}of the section"),
            ("ClientKey", "file:/key of the section"),
            ("Note", "x;UID=sa"),
        ];
        let section = section[..options.number(6, 2) * section.len()].iter();
        let section = section.map(|&(keyword, value)| (keyword.to_owned(), value.to_owned())).collect();
        Case { string, section, ..Case::default() }.run(options);
    }
}

/// A data source's section, and what an application adds to its name: one line, then lines of the section.
pub fn section(input: &[u8]) {
    let Some((options, input)) = Options::take(input) else { return };
    let [string, section] = input::parts(input, b'\n');
    let string = format!("DSN={NAME};{}", input::c_text(string)).encode_utf16().collect();
    Case { string, section: input::entries(section), ..Case::default() }.run(options);
}

/// An administrator's settings elsewhere: official strings in the environment and the section, and the variables.
pub fn official_string(input: &[u8]) {
    let Some((options, input)) = Options::take(input) else { return };
    let [string, in_section, variables @ ..] = input::parts::<6>(input, b'\n').map(input::c_text);
    let string = format!("DSN={NAME};{string}").encode_utf16().collect();
    let section = Vec::from_iter((!in_section.is_empty()).then(|| (OFFICIAL.to_owned(), in_section)));
    let case = Case { string, section, variables };
    let world = case.world(options);
    secrets::hidden_in([report(&world), document(&world, Told::default())]);
    match Target::first(&world) {
        Ok(target) => secrets::hidden_in([target.to_string(), format!("{target:?}")]),
        Err(failure) => secrets::hidden_in(failure.lines().into_iter().chain([format!("{failure:?}")])),
    }
    case.run(options);
}

impl Case {
    fn world(&self, options: Options) -> Fixture {
        let mut world = Fixture::default()
            .section(Profile::Odbcinst, "ODBC Driver 18 for SQL Server", &[("Driver", "/usr/lib/target.so")])
            .section(Profile::Odbc, "DEFAULT", &[]);
        let section: Vec<_> = self.section.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
        world = world.section(Profile::Odbc, NAME, &section);
        if options.is_set(0) {
            world = world.overview();
        }
        if options.is_set(1) {
            world = world.windows();
        } else if options.is_set(2) {
            world = world.working_directory("/home/me");
        } else {
            world = world.working_directory(&format!("{LAUNCHPAD}/session")).pair(LAUNCHPAD);
            world = world.address("eth0", OWN).connection(OWN, SERVER);
        }
        for path in ["/c", "/k"] {
            world = world.file(path, "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n").open(path);
        }
        let names = VARIABLES.iter().map(|(name, _)| *name).chain([OFFICIAL]);
        names.zip(&self.variables).fold(world, |world, (name, value)| world.variable(name, value))
    }

    fn run(&self, options: Options) {
        let world = self.world(options);
        let (name, version) = DRIVERS[options.number(3, 8).min(DRIVERS.len() - 1)];
        let kind = &Kind::new(name, version);
        let preset = PRESETS[options.number(6, PRESETS.len())].and_then(|(number, is)| preset(number, is));
        let registered = "ODBC Driver 18 for SQL Server";
        let target = &Target::registered_as(registered);
        let platform = world.platform();
        let ends_open = self.string.last() == Some(&u16::from(b'='));
        let wanted = Wanted { target, kind, platform, preset: Vec::from_iter(preset), files_unseen: false, ends_open };
        let mut search = if options.is_set(5) { Search::thorough() } else { Search::default() };
        let outcome = rewrite(&world, &wanted, &parse(&self.string).attributes, &mut search);
        if let Ok(rewritten) = &outcome {
            let (application, _) = reference::read(&self.string);
            let others = self.others(&application, platform);
            let target = registered.to_owned();
            Meant { is_microsofts: kind.is_microsofts(), application, target, others }.holds(rewritten);
        }
        self.secrets(&outcome, &search);
    }

    /// What may come from sources other than the application.
    fn others(&self, application: &[Pair], platform: Platform) -> Vec<Pair> {
        let mut others = match platform {
            Platform::Linux => vec![
                // A certificate in the section that is switched off.
                Pair::new("ClientCertificate", ""),
                Pair::new("Server", &format!("{SERVER}%eth0")),
                Pair::new("ClientCertificate", &format!("file:{LAUNCHPAD}/sqlsatellitecert.pem")),
                Pair::new("ClientKey", &format!("file:{LAUNCHPAD}/sqlsatellitekey.pem")),
                Pair::new("Trusted_Connection", "no"),
                Pair::new("Encrypt", "Yes"),
            ],
            Platform::Windows => vec![
                Pair::new("Server", "."),
                Pair::new("Trusted_Connection", "Yes"),
                // With a configured certificate the form is that for Linux.
            ],
        };
        others.push(Pair::new("TrustServerCertificate", "Yes"));
        let official = |string: &str| reference::read(&string.trim().encode_utf16().collect::<Vec<u16>>()).0;
        for ((_, keyword), value) in VARIABLES.iter().zip(&self.variables) {
            let is_file = value.to_ascii_lowercase().starts_with("file:");
            let is_in_store = ["sha1:", "subject:"].iter().any(|it| value.to_ascii_lowercase().starts_with(it));
            let is_whole = *keyword == "Server" || is_file || is_in_store;
            others.push(Pair::new(keyword, &if is_whole { value.clone() } else { format!("file:{value}") }));
        }
        others.extend(official(&self.variables[3]));
        let named = application.iter().find(|it| it.is("DSN") || it.is("Driver"));
        if named.is_some_and(|it| it.is("DSN") && it.says(NAME)) {
            let value = |keyword: &str| self.section.iter().find(|(it, _)| it.eq_ignore_ascii_case(keyword));
            let unread = UNREAD.iter().filter_map(|keyword| Some(Pair::new(keyword, &value(keyword)?.1)));
            others.extend(unread);
            others.extend(value(OFFICIAL).into_iter().flat_map(|(_, string)| official(string)));
        }
        others
    }

    fn secrets(&self, outcome: &Result<Rewritten, Failure>, search: &Search) {
        secrets::hidden(outcome, search);
        let is_its_own = String::from_utf16_lossy(&self.string).contains(SECRET);
        if let (Ok(rewritten), false) = (outcome, is_its_own) {
            secrets::hidden_in([String::from_utf16_lossy(&rewritten.returned_string())]);
        }
    }
}
