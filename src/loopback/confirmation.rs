//! The document of `examples/confirm.sql`: what discovery finds in a real session, for the people who work on this
//! library. Nothing in it identifies a machine, a network or a person. docs/confirming.md explains each field.
//!
//! It is JSON, whose texts are [`Sentence`]s in their anonymous form.

use crate::loopback::choice::{TARGET_VARIABLE, Target};
use crate::loopback::connection_string::Attribute;
use crate::loopback::driver::USUAL;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::instance::{LIBRARY_VARIABLES, find_instance};
use crate::loopback::official::{self, STRING_VARIABLE, means_the_same};
use crate::loopback::question::Question;
use crate::loopback::search::{Finding, Search, named};
use crate::loopback::sentence::{Masks, Sentence, sentence};
use crate::loopback::server::{
    PROC_NET_IF_INET6, PROC_NET_IPV6_ROUTE, PROC_NET_TCP6, Purpose, find_server, interface_addresses,
};
use crate::loopback::session::{DATA_DIR_VARIABLE, command_lines, find_pair};
use crate::loopback::{
    CERTIFICATE_VARIABLE, DATABASE, FORM, KEY_VARIABLE, Rewritten, SERVER_VARIABLE, file_of, is_any, registration,
};
use crate::world::logging::{FILE_VARIABLE, LEVEL_VARIABLE};
use crate::world::{Platform, Profile, Record, World};
use std::fmt::Write;
use std::path::Path;

/// What the script knows and the library does not. Empty means unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'t> {
    /// The login that called the script.
    pub caller: &'t str,
    /// The string that SQL Server's own function printed.
    pub official: &'t str,
}

/// The variables whose names are reported if they are set.
const VARIABLES: [&str; 13] = [
    SERVER_VARIABLE,
    CERTIFICATE_VARIABLE,
    KEY_VARIABLE,
    STRING_VARIABLE,
    DATA_DIR_VARIABLE,
    TARGET_VARIABLE,
    LEVEL_VARIABLE,
    FILE_VARIABLE,
    LIBRARY_VARIABLES[0],
    LIBRARY_VARIABLES[1],
    "ODBCSYSINI",
    "ODBCINI",
    "ODBCINSTINI",
];

/// Folders that a script does not see if only the documented ones are visible.
const HIDDEN: [&str; 5] = ["/home", "/mnt", "/root", "/srv", "/usr/local"];

/// How an answer of the server is reported.
enum Answered {
    /// A number, a version, or one of [`WORDS`].
    Word,
    Address,
    Port,
    Login,
}

/// The words in these answers, as Microsoft documents them for `sys.dm_exec_connections` and `sys.dm_os_host_info`; and
/// `CERTIFICATE`, because it documents no authentication scheme for a loopback connection.
const WORDS: [&str; 19] = [
    "BASIC",
    "CERTIFICATE",
    "DIGEST",
    "Database Mirroring",
    "FALSE",
    "HTTP",
    "KERBEROS",
    "Linux",
    "NEGOTIATE",
    "NTLM",
    "Named pipe",
    "SOAP",
    "SQL",
    "Session",
    "Shared memory",
    "TCP",
    "TRUE",
    "TSQL",
    "Windows",
];

/// What a connection is asked. Each question is a query of its own, because some need permissions.
const QUESTIONS: [(&str, &str, Answered); 11] = [
    ("login", "SELECT SUSER_SNAME()", Answered::Login),
    ("version", "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))", Answered::Word),
    ("engine edition", "SELECT CAST(SERVERPROPERTY('EngineEdition') AS nvarchar(128))", Answered::Word),
    ("host platform", "SELECT host_platform FROM sys.dm_os_host_info", Answered::Word),
    ("auth scheme", "SELECT CAST(CONNECTIONPROPERTY('auth_scheme') AS nvarchar(128))", Answered::Word),
    ("net transport", "SELECT CAST(CONNECTIONPROPERTY('net_transport') AS nvarchar(128))", Answered::Word),
    (
        "physical net transport",
        "SELECT CAST(CONNECTIONPROPERTY('physical_net_transport') AS nvarchar(128))",
        Answered::Word,
    ),
    ("protocol type", "SELECT CAST(CONNECTIONPROPERTY('protocol_type') AS nvarchar(128))", Answered::Word),
    ("encrypt option", "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID", Answered::Word),
    ("client address", "SELECT CAST(CONNECTIONPROPERTY('client_net_address') AS nvarchar(128))", Answered::Address),
    ("port", "SELECT CAST(CONNECTIONPROPERTY('local_tcp_port') AS nvarchar(128))", Answered::Port),
];

/// The document. It asks every signal, and connects with `DSN=Loopback`.
pub fn document(world: &dyn World, told: Told) -> String {
    let signals = signals(world);
    let target = Target::first(world);
    let driver = if target.is_ok() { "" } else { USUAL };
    let answer = Question { driver, ..Question::default() }.answer(world, &mut Search::default());
    let system = match world.platform() {
        Platform::Linux => "Linux",
        Platform::Windows => "Windows",
    };
    let used = |target: Target| {
        let name = target.name().map_or(Sentence::Words("by its path"), |name| Sentence::Driver(name.to_owned()));
        text(sentence!(name, ": ", target.library()))
    };
    let mut fields = vec![
        ("library", text(sentence!("loopback-odbc ", env!("CARGO_PKG_VERSION")))),
        ("system", text(sentence!(system, " ", std::env::consts::ARCH))),
        ("file", optional(world.own_library().map(|path| (&path).into()))),
        ("drivers", drivers(world)),
        ("target", target.map_or_else(failed, used)),
        ("data source", Json::Flag(is_registered(world))),
        ("variables", texts(VARIABLES.into_iter().filter(|name| world.variable(name).is_some()))),
        ("account", account(world)),
        ("working directory", text(or_reason(world.working_directory().map(|path| (&path).into())))),
    ];
    fields.extend(match world.platform() {
        Platform::Linux => on_linux(world, answer.as_ref().ok()),
        Platform::Windows => on_windows(world),
    });
    fields.extend([
        ("signals", Json::List(signals.iter().map(finding).collect())),
        ("string", answer.as_ref().map_or_else(|failure| failed(failure.clone()), |_| text("complete"))),
        ("official string", compared(told.official, answer.as_ref().ok())),
        ("connection", connection(world, told.caller)),
    ]);
    let mut document = String::new();
    Json::Object(fields).write(&mut Masks::new(world.user(), world.group()), 0, &mut document);
    document + "\n"
}

/// What each signal shows, even if a setting gives the value.
fn signals(world: &dyn World) -> Vec<Finding> {
    let mut search = Search::thorough();
    match world.platform() {
        // The findings contain what the errors say.
        Platform::Linux => {
            let no_session = |looked: &str, _| Failure::new(Sqlstate::UNABLE_TO_CONNECT, looked);
            let _ = find_pair(world, no_session, &mut search);
            let _ = find_server(world, "", Purpose::Certificate, &mut search);
        }
        Platform::Windows => {
            find_instance(world, &mut search);
        }
    }
    search.findings
}

fn drivers(world: &dyn World) -> Json {
    match registration::drivers(world) {
        Ok(drivers) => texts(drivers.into_iter().map(|driver| Sentence::Driver(driver.name))),
        Err(reason) => text(Sentence::Foreign(reason)),
    }
}

/// Whether the data source has a driver.
fn is_registered(world: &dyn World) -> bool {
    world.profile_value(Profile::Odbc, "Loopback", "Driver").is_ok_and(|driver| !driver.is_empty())
}

/// The name of the user, which Linux has in a file.
fn account(world: &dyn World) -> Json {
    let found = match world.platform() {
        Platform::Windows => world.account().map_err(Sentence::Foreign),
        Platform::Linux => world.read(Path::new("/etc/passwd"), 1 << 20).map_err(Sentence::from).and_then(|users| {
            let users = String::from_utf8_lossy(&users.part).into_owned();
            let is_own = |line: &&str| line.split(':').nth(2) == Some(&world.user().to_string());
            let own = users.lines().find(is_own).and_then(|line| line.split(':').next());
            own.map(str::to_owned).ok_or_else(|| "no name".into())
        }),
    };
    text(found.map_or_else(|reason| reason, Sentence::Account))
}

fn on_linux(world: &dyn World, answer: Option<&Rewritten>) -> Vec<(&'static str, Json)> {
    // The findings contain what was left out.
    let lines = command_lines(world, &mut Vec::new());
    let lines = lines.iter().map(|paths| texts(paths.iter().map(Sentence::from)));
    let interfaces = match interface_addresses(world) {
        Ok(addresses) => {
            texts(addresses.into_iter().map(|it| sentence!(Sentence::Interface(it.interface), " ", it.address)))
        }
        Err(reason) => text(reason),
    };
    let readable = |path: &'static str| match world.read(Path::new(path), 1) {
        Ok(_) => sentence!(path, ": can be read"),
        Err(error) => sentence!(path, ": ", error),
    };
    let entries = |path: &'static str| match world.list(Path::new(path), 64) {
        Ok(entries) if entries.part.is_empty() => sentence!(path, ": empty"),
        Ok(entries) => {
            let entries: Vec<Sentence> = entries.part.iter().map(Sentence::from).collect();
            sentence!(path, ": ", named(&entries))
        }
        Err(error) => sentence!(path, ": ", error),
    };
    let files = answer.iter().flat_map(|answer| answer.files.iter().flatten().filter_map(file_of));
    vec![
        ("command lines", Json::List(lines.collect())),
        ("interfaces", interfaces),
        ("tables", texts([PROC_NET_TCP6, PROC_NET_IF_INET6, PROC_NET_IPV6_ROUTE].map(readable))),
        ("folders", texts(HIDDEN.map(entries))),
        ("certificate and key", Json::List(files.map(|path| file(world, Path::new(path.reveal()))).collect())),
    ]
}

fn on_windows(world: &dyn World) -> Vec<(&'static str, Json)> {
    // The first is this process's program, the last the one that started it.
    let programs = world.process_paths().map(|paths| {
        let ends = [paths.first(), paths.get(1..).and_then(<[_]>::last)];
        texts(ends.into_iter().flatten().map(|path| Sentence::Path(path.into())))
    });
    let line = world.command_line().map(|line| {
        let paths = line.split(['"', '=']).filter(|part| part.contains('\\'));
        texts(paths.map(|path| Sentence::Path(path.into())))
    });
    let instances = world.instances().map(|instances| {
        texts(
            instances
                .into_iter()
                .map(|(name, id)| sentence!(Sentence::Instance(name), ": ", Sentence::Path(id.into()))),
        )
    });
    let reason = |reason| text(Sentence::Foreign(reason));
    vec![
        ("programs", programs.unwrap_or_else(reason)),
        ("command line", line.unwrap_or_else(reason)),
        ("instances", instances.unwrap_or_else(reason)),
    ]
}

/// The form and the owner of the certificate or the key.
fn file(world: &dyn World, path: &Path) -> Json {
    const FIRST_LINES: [&str; 4] = [
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    ];
    let contents = world.read(path, 1 << 16).map(|contents| String::from_utf8_lossy(&contents.part).into_owned());
    let begins = contents.as_ref().map(|contents| {
        let usual = FIRST_LINES.into_iter().find(|line| contents.starts_with(line));
        Sentence::from(usual.unwrap_or("<other>"))
    });
    let owner = world.owner(path).map(|owner| match owner {
        Some(it) => {
            sentence!(
                "user ",
                Sentence::User(it.user),
                ", group ",
                Sentence::Group(it.group),
                ", mode ",
                Sentence::Mode(it.mode)
            )
        }
        None => "a symbolic link".into(),
    });
    Json::Object(vec![
        ("file", text(path)),
        ("begins", text(begins.unwrap_or_else(Sentence::from))),
        ("names Microsoft Corporation", Json::Flag(contents.is_ok_and(|contents| names_microsoft(&contents)))),
        ("owner", text(or_reason(owner))),
    ])
}

/// Whether the subject of a PEM certificate contains these words. In base64 they have three forms, depending on where
/// they begin.
fn names_microsoft(pem: &str) -> bool {
    const FORMS: [&str; 3] =
        ["TWljcm9zb2Z0IENvcnBvcmF0aW9u", "1pY3Jvc29mdCBDb3Jwb3JhdGlvb", "NaWNyb3NvZnQgQ29ycG9yYXRpb2"];
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    FORMS.iter().any(|form| body.contains(form))
}

fn finding(finding: &Finding) -> Json {
    Json::Object(vec![
        ("value", text(finding.value)),
        ("signal", text(finding.signal.clone())),
        ("shows one", Json::Flag(finding.found.is_some())),
        ("text", text(finding.text.clone())),
    ])
}

/// The keywords of the form in the official string and in the library's. Databases differ, because only one was asked
/// for.
fn compared(official: &str, ours: Option<&Rewritten>) -> Json {
    if official.is_empty() {
        return Json::Nothing;
    }
    let Ok(theirs) = official::read(official, "") else { return text("cannot be read") };
    let find = |string: &[Attribute], slot| string.iter().find(|it| is_any(it, slot)).map(Attribute::text);
    let ours = ours.map_or(&[][..], |ours| &ours.target);
    let verdict = |slot| match (find(&theirs, slot), find(ours, slot)) {
        (Some(one), Some(other)) if means_the_same(one.reveal(), other.reveal()) => Some("the same"),
        (Some(_), Some(_)) => Some("different"),
        (Some(_), None) => Some("only in the official string"),
        (None, Some(_)) => Some("only in the library's string"),
        (None, None) => None,
    };
    let slots = FORM.into_iter().filter(|&slot| slot != DATABASE);
    Json::Object(slots.filter_map(|slot| Some((slot[0], text(verdict(slot)?)))).collect())
}

/// What a connection with `DSN=Loopback` says, or why there is none.
fn connection(world: &dyn World, caller: &str) -> Json {
    let queries = QUESTIONS.map(|(_, query, _)| query);
    match world.ask("DSN=Loopback", &queries) {
        Err(records) => Json::Object(vec![("failed", texts(records.iter().map(record)))]),
        Ok(answers) => {
            let asked = QUESTIONS.iter().zip(answers);
            let answers = asked.map(|((name, _, kind), answer)| match answer {
                Ok(answer) if answer.is_empty() => (*name, Json::Nothing),
                Ok(answer) => (*name, text(kind.of(&answer, caller))),
                Err(records) => (*name, Json::Object(vec![("failed", texts(records.iter().map(record)))])),
            });
            Json::Object(answers.collect())
        }
    }
}

impl Answered {
    fn of(&self, answer: &str, caller: &str) -> Sentence {
        match self {
            Answered::Word => {
                let usual = WORDS.into_iter().find(|word| answer.eq_ignore_ascii_case(word));
                usual.map_or_else(|| Sentence::version(answer), Sentence::Words)
            }
            Answered::Port if answer == "1433" => Sentence::Words("1433"),
            Answered::Port => Sentence::Words("<other>"),
            Answered::Login if caller.is_empty() => Sentence::Words("<unknown>"),
            Answered::Login if answer == caller => Sentence::Words("the caller's"),
            Answered::Login => Sentence::Words("<another>"),
            Answered::Address => {
                let usual = ["<local machine>", "<named pipe>"].into_iter().find(|usual| answer == *usual);
                let address = answer.split('%').next().and_then(|address| address.parse().ok());
                usual.map(Sentence::Words).or(address.map(Sentence::Address)).unwrap_or(Sentence::Words("<other>"))
            }
        }
    }
}

/// SQLSTATE, the server's error number, and who reports it. The text may contain anything.
fn record(record: &Record) -> Sentence {
    if record.state.is_empty() {
        return "<other>".into();
    }
    const REPORTERS: [&str; 4] = ["[loopback-odbc]", "[Microsoft]", "[unixODBC]", "[iODBC]"];
    let reporter = REPORTERS.into_iter().find(|reporter| record.text.starts_with(reporter));
    let number = record.native_error.to_string();
    let number = Sentence::version(number.trim_start_matches('-'));
    sentence!(Sentence::state(&record.state), " ", number, " ", reporter.unwrap_or("<other>"))
}

/// The SQLSTATE of a refusal by this library.
fn failed(failure: Failure) -> Json {
    text(sentence!("failed: ", Sentence::state(&failure.state.text())))
}

fn or_reason(found: Result<Sentence, std::io::Error>) -> Sentence {
    found.unwrap_or_else(Sentence::from)
}

/// A JSON value (RFC 8259).
enum Json {
    Nothing,
    Flag(bool),
    Text(Sentence),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

fn text(sentence: impl Into<Sentence>) -> Json {
    Json::Text(sentence.into())
}

fn texts(sentences: impl IntoIterator<Item = impl Into<Sentence>>) -> Json {
    Json::List(sentences.into_iter().map(text).collect())
}

fn optional(sentence: Option<Sentence>) -> Json {
    sentence.map_or(Json::Nothing, Json::Text)
}

impl Json {
    /// Writes the value. `depth` is the number of values around it; what has further values in it has a line for each.
    fn write(&self, masks: &mut Masks, depth: usize, to: &mut String) {
        match self {
            Json::Nothing => *to += "null",
            Json::Flag(flag) => *to += if *flag { "true" } else { "false" },
            Json::Text(sentence) => write_text(&sentence.anonymous(masks), to),
            Json::List(list) => {
                let entries: Vec<_> = list.iter().map(|value| (None, value)).collect();
                write_entries(['[', ']'], &entries, masks, depth, to);
            }
            Json::Object(fields) => {
                let entries: Vec<_> = fields.iter().map(|(name, value)| (Some(*name), value)).collect();
                write_entries(['{', '}'], &entries, masks, depth, to);
            }
        }
    }

    fn is_simple(&self) -> bool {
        !matches!(self, Json::List(_) | Json::Object(_))
    }
}

fn write_entries(
    brackets: [char; 2],
    entries: &[(Option<&str>, &Json)],
    masks: &mut Masks,
    depth: usize,
    to: &mut String,
) {
    let in_one_line = entries.is_empty() || depth > 1 || entries.len() == 1 && entries[0].1.is_simple();
    to.push(brackets[0]);
    for (index, (name, value)) in entries.iter().enumerate() {
        match (index, in_one_line) {
            (0, true) => {}
            (_, true) => *to += ", ",
            (_, false) => {
                *to += if index == 0 { "\n" } else { ",\n" };
                *to += &"  ".repeat(depth + 1);
            }
        }
        if let Some(name) = name {
            write_text(name, to);
            *to += ": ";
        }
        value.write(masks, depth + 1, to);
    }
    if !in_one_line {
        to.push('\n');
        *to += &"  ".repeat(depth);
    }
    to.push(brackets[1]);
}

fn write_text(text: &str, to: &mut String) {
    to.push('"');
    for character in text.chars() {
        let _ = match character {
            '"' | '\\' => write!(to, "\\{character}"),
            _ if character.is_control() => write!(to, "\\u{:04x}", u32::from(character)),
            _ => write!(to, "{character}"),
        };
    }
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::Fixture;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const LAUNCHPAD: &str = "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2";

    fn read(world: &Fixture, told: Told) -> Value {
        let document = document(world, told);
        assert!(document.is_ascii() && document.ends_with("}\n"), "{document}");
        serde_json::from_str(&document).unwrap_or_else(|error| panic!("{error}: {document}"))
    }

    fn session() -> Fixture {
        Fixture::default()
            .working_directory(&format!("{LAUNCHPAD}/0a1b2c3d-0000-4000-8000-00000000000a"))
            .pair(LAUNCHPAD)
            .address("eth0", "fe80::2")
            .bound_connection("fe80::2", "fe80::1", "eth0")
            .section(
                Profile::Odbcinst,
                USUAL,
                &[("Driver", "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1")],
            )
            .section(Profile::Odbc, "Loopback", &[])
    }

    #[test]
    fn each_signal_is_reported_even_if_a_setting_gives_the_value() {
        let configured = session().variable(SERVER_VARIABLE, "fe80::7%eth0").variable(KEY_VARIABLE, "/key");
        for (world, complete) in [(session(), "complete"), (configured, "failed: 08001")] {
            let document = read(&world, Told::default());
            let signals: Vec<&str> =
                document["signals"].as_array().unwrap().iter().map(|it| it["signal"].as_str().unwrap()).collect();
            let of_certificate = [
                "working directory",
                "data directory /var/opt/mssql-extensibility/data",
                "command lines",
                "command lines",
            ];
            assert_eq!(signals[..4], of_certificate);
            assert_eq!(signals[4..], ["established connections", "neighbours", "default routes"]);
            assert_eq!(document["string"], complete);
        }
        // Without a certificate, the signals of the server are reported too.
        let document = read(&Fixture::default().address("eth0", "fe80::2"), Told::default());
        assert!(document["signals"].to_string().contains("default routes"), "{document}");
        assert_eq!((&document["target"], &document["string"]), (&json!("failed: IM003"), &json!("failed: 08001")));
    }

    #[test]
    fn the_connection_s_answers_are_reported() {
        let world = session()
            .answer("SUSER_SNAME", r"CONTOSO\analyst")
            .answer("ProductVersion", "16.0.4185.3")
            .answer("auth_scheme", "Sql")
            .answer("'net_transport'", "Contoso")
            .answer("client_net_address", "fe80::2%3")
            .answer("local_tcp_port", "1433");
        let connection = &read(&world, Told { caller: r"CONTOSO\analyst", official: "" })["connection"];
        assert_eq!(
            *connection,
            json!({
                "login": "the caller's", "version": "16.0.4185.3", "auth scheme": "SQL", "net transport": "<other>",
                "client address": "<link-local IPv6 address 1>", "port": "1433",
                "engine edition": {"failed": ["<other>"]}, "host platform": {"failed": ["<other>"]},
                "physical net transport": {"failed": ["<other>"]}, "protocol type": {"failed": ["<other>"]},
                "encrypt option": {"failed": ["<other>"]},
            })
        );
        let world =
            session().answer("SUSER_SNAME", "sa").answer("local_tcp_port", "1500").answer("client", "<named pipe>");
        let connection = &read(&world, Told { caller: "analyst", official: "" })["connection"];
        assert_eq!(
            ["login", "port", "client address"].map(|name| connection[name].as_str().unwrap()),
            ["<another>", "<other>", "<named pipe>"]
        );
        let world =
            session().refusal("28000", 18456, "[Microsoft][ODBC Driver 18 for SQL Server]Login failed for user 'x'.");
        let connection = &read(&world, Told::default())["connection"];
        assert_eq!(*connection, json!({"failed": ["28000 18456 [Microsoft]"]}));
    }

    #[test]
    fn the_official_string_is_compared() {
        let official = format!(
            "Driver=ODBC Driver 17 for SQL Server;Server=FE80:0::1%eth0;Database=master;ClientCertificate=file:{LAUNCHPAD}/x.pem;\
             Trusted_Connection=no;Encrypt=Yes"
        );
        let expected = json!({
            "Server": "the same", "ClientCertificate": "different", "ClientKey": "only in the library's string",
            "TrustServerCertificate": "only in the library's string", "Trusted_Connection": "the same", "Encrypt": "the same",
        });
        assert_eq!(read(&session(), Told { caller: "", official: &official })["official string"], expected);
        assert_eq!(read(&session(), Told { caller: "", official: "{" })["official string"], "cannot be read");
    }

    #[test]
    fn microsoft_is_found_wherever_its_name_begins() {
        // The name behind no, one and two bytes, broken as in a PEM file.
        for body in [
            "TWljcm9zb2Z0IENv\ncnBvcmF0aW9uAA==",
            "AE1pY3Jvc29mdCBD\nb3Jwb3JhdGlvbgA=",
            "AABNaWNyb3NvZnQg\nQ29ycG9yYXRpb24A",
        ] {
            assert!(names_microsoft(&format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END")), "{body}");
        }
        assert!(!names_microsoft("-----BEGIN CERTIFICATE-----\nTWljcm9zb2Z0\n"));
    }

    /// The example on the page for Windows.
    #[test]
    fn the_page_has_the_document_of_windows() {
        let folder = r"C:\Program Files\Microsoft SQL Server\MSSQL16.SALES\MSSQL";
        let world = Fixture::default()
            .windows()
            .instance("SALES", "MSSQL16.SALES")
            .instance("MSSQLSERVER", "MSSQL16.MSSQLSERVER")
            .own_library(r"C:\Program Files\loopback-odbc\loopbackodbc.dll")
            .section(Profile::Odbcinst, "SQL Server Loopback", &[("Driver", r"C:\x\loopbackodbc.dll")])
            .section(Profile::Odbcinst, USUAL, &[("Driver", r"C:\Windows\System32\msodbcsql18.dll")])
            .section(Profile::Odbc, "Loopback", &[])
            .variable(LIBRARY_VARIABLES[0], &format!(r"{folder}\ExternalLibraries\R\1\2"))
            .working_directory(r"C:\ProgramData\SALES\Temp-R\Appcontainer7\9A1CFF64-7E4B-4B4C-8B0A-3B0A0D1C1B5E")
            .process_path(&format!(r"{folder}\Binn\BxlServer.exe"))
            .command_line(&format!("BxlServer.exe \"sqlSatellitePath={folder}\\Binn\\sqlsatellite.dll\""))
            .account(r"NT Service\MSSQLLaunchpad$SALES")
            .answer("SUSER_SNAME", r"CONTOSO\analyst")
            .answer("ProductVersion", "16.0.4185.3")
            .answer("EngineEdition", "3")
            .answer("host_platform", "Windows")
            .answer("auth_scheme", "NTLM")
            .answer("physical_net_transport", "Shared memory")
            .answer("net_transport", "Shared memory")
            .answer("protocol_type", "TSQL")
            .answer("encrypt_option", "TRUE")
            .answer("client_net_address", "<local machine>")
            .answer("local_tcp_port", "");
        let said = document(&world, Told { caller: r"CONTOSO\analyst", official: "" });
        let said = said.replace(env!("CARGO_PKG_VERSION"), "VERSION").replace(std::env::consts::ARCH, "x86_64");
        let page =
            include_str!("../../docs/confirming.md").split_once("\n## On Windows\n").expect("there is this heading").1;
        let documented = page.split("```").nth(1).unwrap_or_default().trim_start_matches("json\n");
        assert!(documented == said, "docs/confirming.md should have:\n{said}");
    }

    /// A world in which every signal has this name and these addresses in it. The session's folder is other users' or
    /// is trusted.
    fn planted(name: &str, [one, other]: [&str; 2], is_windows: bool, is_trusted: bool) -> Fixture {
        let path = format!("/srv/{name}/{name}");
        let mut world = Fixture::default()
            .working_directory(&path)
            .pair(&path)
            .pair(&format!("/var/opt/mssql-extensibility/data/{name}"))
            .owned(if is_trusted { "/" } else { "/srv" }, 1001, 1002, 0o770)
            .file("/etc/passwd", format!("{name}:x:1000:1000:{name}:/home/{name}:/bin/sh\n"))
            .file("/proc/self/cmdline", format!("{path}\0-x={path}\0password={name}"))
            .file("/proc/self/stat", format!("1 ({name}) S 0"))
            .own_library(&format!("{path}.so"))
            .section(Profile::Odbcinst, name, &[("Driver", &path), ("TargetDriver", name)])
            .section(Profile::Odbcinst, "ODBC Driver 99 for SQL Server", &[("Driver", &path)])
            .section(Profile::Odbc, "Loopback", &[("Server", other), ("PWD", name)])
            .address(name, one)
            .bound_connection(one, other, name)
            .bound_connection(one, "fe80::9", name)
            .of_user(1001)
            .neighbour(name, other, true)
            .process_path(&format!(r"C:\{name}\MSSQL15.{name}\{name}.dll"))
            .command_line(&format!(r"{name}.exe C:\{name}\{name} password={name}"))
            .account(&format!(r"{name}\{name}01"))
            .instance(name, &format!("MSSQL15.{name}"))
            .answer("client_net_address", other)
            .answer("SELECT", name);
        for variable in VARIABLES {
            world = world.variable(variable, &path);
        }
        if is_windows { world.windows() } else { world }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_that_was_planted_is_reported(
            name in "[a-zA-Z0-9äß日._$ -]{4,14}",
            one in any::<[u16; 4]>(),
            other in any::<[u16; 4]>(),
            is_windows in any::<bool>(),
            is_refused in any::<bool>(),
            is_trusted in any::<bool>(),
        ) {
            prop_assume!(name.contains(|it: char| it.is_alphabetic()));
            let address = |[a, b, c, d]: [u16; 4]| format!("fe80::{a:x}:{b:x}:{c:x}:{:x}", d | 0x1000);
            let (one, other) = (address(one), address(other));
            let of = |name: &str, one: &str, other: &str| {
                let world = planted(name, [one, other], is_windows, is_trusted);
                let world = if is_refused { world.refusal(name, 18456, name) } else { world };
                let official = format!("Server={other};UID={name};PWD={name};ClientKey=file:/{name}");
                document(&world, Told { caller: name, official: &official })
            };
            let document = of(&name, &one, &other);
            let without = of("Zürich-4", "fe80::a", "fe80::b");
            let expected = without.matches(&name).count();
            prop_assert_eq!(document.matches(&name).count(), expected, "{:?} is in {}", name, document);
            for address in [&one, &other] {
                prop_assert!(!document.contains(address), "{address} is in {document}");
                prop_assert!(!document.contains(address.rsplit("::").next().unwrap_or_default()), "{document}");
            }
            prop_assert!(document.is_ascii());
            prop_assert!(serde_json::from_str::<Value>(&document).is_ok(), "{}", document);
        }
    }
}
