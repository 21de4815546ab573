//! Compares the tables of docs/settings.md and the messages of docs/troubleshooting.md with the code, in both
//! directions. What only a driver manager or a driver can show is tested in tests/docs.rs.

use crate::loopback::choice::Target;
use crate::loopback::connection_string::{Attribute, parse, words};
use crate::loopback::decision::{Decision, Login};
use crate::loopback::driver::{Kind, USUAL, rank};
use crate::loopback::failure::{Failure, PREFIX, Sqlstate};
use crate::loopback::hints::{TargetRecord, hint};
use crate::loopback::question::Question;
use crate::loopback::search::Search;
use crate::loopback::sources::Sources;
use crate::loopback::{self, Rewritten, Wanted, preset, utf16};
use crate::surface::connect::Request;
use crate::target::loading;
use crate::world::Profile::{Odbc, Odbcinst};
use crate::world::fixture::{Fixture, whole};
use crate::world::{Platform, World};
use std::collections::BTreeSet;
use std::path::Path;

const SETTINGS: &str = include_str!("../docs/settings.md");
const TROUBLESHOOTING: &str = include_str!("../docs/troubleshooting.md");

const TARGET: &str = "ODBC Driver 17 for SQL Server";
const DATA: &str = "/var/opt/mssql-extensibility/data";

/// The cells of the table below a heading, without the table's header.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = SETTINGS.split_once(&format!("\n{heading}\n")).expect("there is such a heading");
    let table = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &'static str| line[1..line.len() - 1].split('|').map(str::trim).collect::<Vec<_>>();
    let rows: Vec<_> = table.skip(2).map(cells).collect();
    assert!(rows.len() > 3 || heading.contains("odbcinst"), "{heading}: {rows:?}");
    rows
}

/// The text between backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The text between quotation marks.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// The environment of a script that SQL Server on Linux runs, and a second pair that a setting can name.
fn satellite() -> Fixture {
    let launchpad = format!("{DATA}/launchpad-1");
    Fixture::default()
        .working_directory(&format!("{launchpad}/session"))
        .pair(&launchpad)
        .pair("/given")
        .address("eth0", "fe80::2")
        .connection("fe80::2", "fe80::1")
        .section(Odbc, "Loopback", &[])
}

fn rewrite(world: &Fixture, kind: &Kind, string: &str) -> Result<Rewritten, Failure> {
    let target = &Target::registered_as(TARGET);
    let wanted =
        Wanted { target, kind, platform: world.platform(), preset: Vec::new(), files_unseen: false, ends_open: false };
    let mut search = Search::default();
    let rewritten = loopback::rewrite(world, &wanted, &parse(&utf16(string)).attributes, &mut search);
    rewritten.map_err(|failure| search.explain(failure))
}

/// The string for the target.
fn given(world: &Fixture, string: &str) -> Result<String, Failure> {
    let rewritten = rewrite(world, &Kind::new(TARGET, "17.10.0006"), string)?;
    Ok(String::from_utf16(&rewritten.target_string()).unwrap())
}

// --- docs/settings.md ---

#[test]
fn documented_variables_match_the_code() {
    fn collect(folder: &Path, defined: &mut BTreeSet<(String, String)>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                collect(&path, defined);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module =
                    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap();
                for line in text.lines().filter(|line| line.contains("&str = \"LOOPBACK_ODBC_")) {
                    defined.insert((quoted(line)[0].to_owned(), module.clone()));
                }
            }
        }
    }
    let mut defined = BTreeSet::new();
    for folder in ["src", "program/src"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut defined);
    }
    let of_row = |row: Vec<&str>| (code(row[0])[0].to_owned(), code(row[3])[0].to_owned());
    let documented: BTreeSet<_> = rows("## Environment variables").into_iter().map(of_row).collect();
    assert_eq!(documented, defined);
    let data_dir = rows("## Environment variables").into_iter().find(|row| row[0].contains("_DATA_DIR")).unwrap();
    assert_eq!(code(data_dir[2]), [DATA]);
}

#[test]
fn documented_keywords_match_the_code() {
    let source = include_str!("loopback.rs").lines().filter(|line| line.contains(": Slot = &["));
    let known: BTreeSet<&str> = source.flat_map(quoted).chain([loopback::official::STRING_VARIABLE]).collect();
    assert!(known.len() > 15, "{known:?}");
    let documented: BTreeSet<&str> = rows("## Keywords").into_iter().flat_map(|row| code(row[0])).collect();
    assert_eq!(documented, known);
}

/// A keyword in one of its two places: in the connection string, or in the DSN section.
fn placed(in_section: bool, keyword: &str, value: &str) -> Result<String, Failure> {
    let mut attributes = vec![(keyword, value)];
    match keyword {
        "ClientKey" => attributes.push(("ClientCertificate", "file:/given/sqlsatellitecert.pem")),
        "PWD" => attributes.extend([("Server", "h"), ("UID", "u")]),
        "Server" | "Address" | "Addr" | loopback::official::STRING_VARIABLE => {}
        _ => attributes.push(("Server", "h")),
    }
    if in_section {
        return given(&satellite().section(Odbc, "Own", &attributes), "DSN=Own");
    }
    let written: Vec<String> = attributes.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect();
    given(&satellite().section(Odbc, "Own", &[]), &format!("DSN=Own;{}", written.join(";")))
}

#[test]
fn each_keyword_behaves_as_documented_in_string_and_section() {
    for row in rows("## Keywords") {
        for keyword in code(row[0]) {
            let value = match keyword {
                "ClientCertificate" => "file:/given/sqlsatellitecert.pem",
                "ClientKey" => "file:/given/sqlsatellitekey.pem",
                "TargetDriver" => TARGET,
                loopback::official::STRING_VARIABLE => "Server=theirs",
                _ => "theirs",
            };
            for (in_section, says) in [(false, row[1]), (true, row[2])] {
                let string = placed(in_section, keyword, value);
                let case = format!("{keyword}, in the section: {in_section}: {string:?}");
                let written = string.as_ref().unwrap().contains(&format!("{keyword}={value}"));
                match says {
                    "passed on" => assert!(written, "{case}"),
                    "the driver reads it" => {
                        let driver_does = string.as_ref().unwrap().starts_with("DSN=Own") && !written;
                        assert!(driver_does && !string.unwrap().contains("theirs"), "{case}");
                    }
                    "ignored" => assert!(string.unwrap().contains("Server=fe80::1%eth0"), "{case}"),
                    "not passed on" => assert!(!written && !string.unwrap().contains("theirs"), "{case}"),
                    "must name the loaded target" => {
                        let refused = placed(in_section, keyword, "Other").unwrap_err().state;
                        assert!(!written && refused == Sqlstate::INVALID_VALUE, "{case}");
                    }
                    "names the section" => {
                        let world = satellite().section(Odbc, "theirs", &[("UID", "of the section")]);
                        assert!(given(&world, "DSN=theirs").unwrap().contains("UID=of the section"));
                    }
                    _ if says.starts_with("read as in the environment") => {
                        assert!(string.unwrap().contains("Server=theirs"), "{keyword}");
                    }
                    _ => panic!("{keyword}: {says:?}"),
                }
            }
        }
    }
}

#[test]
fn each_keyword_has_the_variable_and_the_default_that_the_table_says() {
    let plain = given(&satellite(), "DSN=Loopback").unwrap();
    let mut variables = BTreeSet::new();
    for row in rows("## Keywords") {
        let keyword = code(row[0])[0];
        for variable in code(row[3]) {
            let (value, expected) = match keyword {
                "ClientCertificate" | "ClientKey" => {
                    let paths = [("ClientCertificate", "sqlsatellitecert"), ("ClientKey", "sqlsatellitekey")];
                    let file = paths.iter().find(|(other, _)| *other == keyword).unwrap().1;
                    (format!("/given/{file}.pem"), format!("{keyword}=file:/given/{file}.pem"))
                }
                "Server" => ("theirs".to_owned(), "Server=theirs".to_owned()),
                "LOOPBACK_ODBC_CONNECTION_STRING" => ("Server=theirs".to_owned(), "Server=theirs".to_owned()),
                "TargetDriver" => {
                    let world = Fixture::default().variable(variable, whole!("/opt/theirs.so"));
                    assert_eq!(Target::first(&world).unwrap().to_string(), whole!("/opt/theirs.so"));
                    variables.insert(variable);
                    continue;
                }
                _ => panic!("{keyword}"),
            };
            // A certificate and its key belong together.
            let world = satellite()
                .variable(loopback::CERTIFICATE_VARIABLE, "/given/sqlsatellitecert.pem")
                .variable(loopback::KEY_VARIABLE, "/given/sqlsatellitekey.pem")
                .variable(variable, &value);
            assert!(given(&world, "DSN=Loopback").unwrap().contains(&expected), "{variable}");
            variables.insert(variable);
        }
        if let Some(default) = row.get(4).filter(|cell| cell.starts_with('`')).map(|cell| code(cell)[0]) {
            assert!(format!("{plain};").contains(&format!(";{keyword}={default};")), "{keyword}: {plain}");
        }
    }
    let of_table = rows("## Environment variables").into_iter().map(|row| code(row[0])[0]);
    let of_values = of_table.filter(|name| !name.contains("_LOG") && !name.ends_with("_DATA_DIR"));
    assert_eq!(variables, of_values.collect());
}

#[test]
fn the_login_is_chosen_as_documented() {
    let rows = rows("### Who logs in");
    assert!(rows.len() > 12, "{rows:?}");
    for row in rows {
        let [string, section] = [row[0], row[1]].map(|cell| code(cell).first().map_or(Vec::new(), |text| words(text)));
        let own = section.iter().map(|it| (String::from_utf16(&it.keyword).unwrap(), it.text().reveal().to_owned()));
        let own: Vec<(String, String)> = own.collect();
        let own: Vec<(&str, &str)> = own.iter().map(|(keyword, value)| (keyword.as_str(), value.as_str())).collect();
        for (world, expected) in [(Fixture::default(), row[2]), (Fixture::default().windows(), row[3])] {
            let world = world.section(Odbc, "Own", &own);
            let application = words("DSN=Own").into_iter().chain(string.clone()).collect();
            let sources = Sources::gather(&world, &Kind::new(USUAL, ""), application, Vec::new()).unwrap();
            let decided = match Decision::of(&sources, world.platform()).unwrap().login {
                Login::Session => "the session",
                Login::Certificate { .. } => "the certificate",
                Login::Name | Login::Token => "the user",
                Login::Account => "the account",
            };
            assert_eq!(decided, expected, "{row:?}");
        }
    }
}

#[test]
fn the_driver_s_section_has_the_keyword_of_the_table() {
    let keywords: Vec<&str> =
        rows("## In the driver's section of odbcinst.ini").into_iter().flat_map(|row| code(row[0])).collect();
    assert_eq!(keywords, ["TargetDriver"]);
    let own = "/usr/lib/libloopbackodbc.so";
    let world = Fixture::default().own_library(own).section(
        Odbcinst,
        "Ours",
        &[("Driver", own), ("TargetDriver", whole!("/x.so"))],
    );
    assert_eq!(Target::first(&world).unwrap().to_string(), whole!("/x.so"));
}

#[test]
fn each_driver_is_sent_what_the_table_says() {
    let documented = rows("## What each driver is sent");
    let names: Vec<&str> = documented.iter().map(|row| code(row[0])[0]).collect();
    let (other, microsoft_s) = names.split_last().unwrap();
    assert_eq!(rank(other, Platform::Windows), None);
    let ranks: Vec<u32> = microsoft_s.iter().map(|name| rank(name, Platform::Windows).unwrap()).collect();
    assert!(ranks.is_sorted_by(|one, other| one > other), "{names:?}");
    let heading = SETTINGS.lines().find(|line| line.starts_with("| driver | `")).unwrap();
    let columns: Vec<Vec<&str>> = heading.split('|').skip(1).map(code).collect();
    for row in documented {
        let kind = Kind::new(code(row[0])[0], "");
        for (keywords, says) in columns.iter().zip(&row).skip(1) {
            for keyword in keywords {
                let slot: &'static [&'static str] = Box::leak(Box::new([*keyword]));
                assert_eq!(kind.knows(slot), *says != "no", "{row:?}: {keyword}");
            }
        }
        let is_enough = |version| Kind::new(code(row[0])[0], version).must_know_certificates().is_ok();
        match row[1] {
            "yes" => assert!(is_enough("18.00.0000"), "{row:?}"),
            "no" => assert!(!is_enough("99.00.0000"), "{row:?}"),
            "from 17.4.1.1" => assert!(is_enough("17.04.0001") && !is_enough("17.04.0000"), "{row:?}"),
            other => panic!("{other}"),
        }
        assert_eq!(kind.encrypts_by_default(), row[4] == "yes", "{row:?}");
    }
}

#[test]
fn documented_attributes_match_the_code() {
    let documented: Vec<(i32, &str)> = rows("## Attributes of the connection")
        .into_iter()
        .map(|row| (row[0].split(' ').next().unwrap().parse().unwrap(), code(row[1])[0]))
        .collect();
    let known = (0..10_000).filter_map(|number| Some((number, preset::keyword(number, true)?.keyword.into_owned())));
    let known: Vec<(i32, String)> =
        known.map(|(number, keyword)| (number, String::from_utf16(&keyword).unwrap())).collect();
    let known: Vec<(i32, &str)> = known.iter().map(|(number, keyword)| (*number, keyword.as_str())).collect();
    assert_eq!(documented, known);
}

// --- docs/troubleshooting.md ---

/// The refusals that tests/docs.rs checks, because they need a driver manager.
const SHOWN_BY_A_DRIVER_MANAGER: [&str; 2] = [
    "[HY090] [loopback-odbc] The connection string for the target",
    "[08001] [loopback-odbc] Section [...] of odbc.ini",
];

/// Whether a message fits a documented one: the parts between the `...` must follow one another, from the start.
fn fits(documented: &str, message: &str) -> bool {
    let mut parts = documented.split("...");
    let Some(mut rest) = message.strip_prefix(parts.next().unwrap()) else { return false };
    parts.all(|part| match rest.find(part) {
        Some(found) => {
            rest = &rest[found + part.len()..];
            true
        }
        None => false,
    })
}

/// The messages of this library that the documentation quotes.
fn quotations() -> Vec<&'static str> {
    let ours = |span: &&str| {
        span.starts_with('[') && span.contains(PREFIX.trim_end()) && span.len() > "[HY000] ".len() + PREFIX.len()
    };
    code(TROUBLESHOOTING).into_iter().filter(ours).collect()
}

/// A machine that has a data source and nothing else.
fn nowhere() -> Fixture {
    Fixture::default().section(Odbc, "Loopback", &[])
}

/// One of each refusal, as the code makes it.
fn refusals() -> Vec<Failure> {
    let mut refusals = Vec::new();
    let mut refused = |world: Fixture, string: &str| refusals.push(given(&world, string).expect_err(string));
    let folder = |number| format!("{DATA}/launchpad-{number}");
    let file = |name: &str| format!("{}/sqlsatellite{name}.pem", folder(1));
    let session = || nowhere().working_directory(&folder(1)).pair(&folder(1));
    let elsewhere = || nowhere().working_directory("/").pair(&folder(1)).pair(&folder(2));
    refused(nowhere(), "DSN=Loopback");
    refused(nowhere().unlisted(), "DSN=Loopback");
    for name in ["Nope", "N\u{fc}rnberg"] {
        refused(nowhere(), &format!("DSN={name}"));
    }
    for words in ["Trusted_Connection=True", "Server=h", "UID=u", "Sever=h", "Server =h"] {
        refused(nowhere(), &format!("DSN=Loopback;{words}"));
    }
    refused(elsewhere(), "DSN=Loopback");
    let arguments = [folder(1), folder(2)].join("\0");
    refused(elsewhere().unlisted().file("/proc/self/cmdline", &arguments), "DSN=Loopback");
    refused(nowhere().working_directory(&folder(1)).file(&file("cert"), "x"), "DSN=Loopback");
    for name in ["cert", "key"] {
        refused(session().unreadable(&file(name)), "DSN=Loopback");
        refused(session().file(&file(name), ""), "DSN=Loopback");
        refused(session().file(&file(name), "x"), "DSN=Loopback");
        refused(session().file(&file(name), "x".repeat(1 << 20)), "DSN=Loopback");
    }
    refused(session().owned(DATA, 0, 0, 0o777), "DSN=Loopback");
    refused(session(), "DSN=Loopback;ClientKey=file:/k");
    refused(session().variable(loopback::CERTIFICATE_VARIABLE, "/c"), "DSN=Loopback");
    let wrong_path = session().variable(loopback::CERTIFICATE_VARIABLE, "/c").variable(loopback::KEY_VARIABLE, "/k");
    refused(wrong_path, "DSN=Loopback");
    refused(session(), "DSN=Loopback");
    refused(satellite().connection("fe80::2", "fe80::9"), "DSN=Loopback");
    let half = "Server={x";
    refused(session().variable(loopback::official::STRING_VARIABLE, half), "DSN=Loopback");
    let entry = [(loopback::official::STRING_VARIABLE, half)];
    refused(session().section(Odbc, "Own", &entry), "DSN=Own");
    refused(session().variable(loopback::official::STRING_VARIABLE, "'Server=x;UID=u'"), "DSN=Loopback");
    refused(session().section(Odbc, "Long", &[("UID", "u"), ("PWD", &"x".repeat(1000))]), "DSN=Long");
    refused(session(), "DSN=Loopback;TargetDriver=Other");
    let old = Kind::new("libmsodbcsql-13.1.so.9.2", "13.01.0009");
    refusals.push(rewrite(&session(), &old, "DSN=Loopback").unwrap_err());

    let own = "/usr/lib/libloopbackodbc.so";
    let ours = |target: &str| {
        Fixture::default().own_library(own).section(Odbcinst, "Ours", &[("Driver", own), ("TargetDriver", target)])
    };
    for world in [
        Fixture::default(),
        Fixture::default().variable("LOOPBACK_ODBC_TARGET_DRIVER", "Other"),
        Fixture::default().variable(loopback::official::STRING_VARIABLE, "Driver=Other"),
        ours("Other"),
        ours("Other").section(Odbcinst, "Second", &[("Driver", own), ("TargetDriver", "Another")]),
        Fixture::default().section(Odbcinst, USUAL, &[("Driver", whole!("/nowhere.so"))]),
        Fixture::default().section(Odbcinst, USUAL, &[("Driver", whole!("/closed/nowhere.so"))]).owned(
            whole!("/closed"),
            0,
            0,
            0o700,
        ),
    ] {
        refusals.push(loading::examine(&world).err().unwrap());
    }
    let question = Question { driver: "PostgreSQL Unicode", ..Question::default() };
    refusals.push(question.answer(&satellite(), &mut Search::default()).unwrap_err());
    let question = Question { driver: TARGET, values: &[("ClientCertificate", "file:/c")], ..Question::default() };
    refusals.push(question.answer(&satellite(), &mut Search::default()).unwrap_err());

    refusals.push(Request::parse(&utf16("D")).unwrap_err());
    refusals.push(Request::parse(&utf16("D\0S\0N\0=")).unwrap_err());
    refusals.push(given(&satellite(), "DSN=L").unwrap_err());
    refusals.push(Request::of_arguments(&[("DSN", utf16("L\0o"))]).unwrap_err());
    refusals.push(Failure::defect());
    refusals
}

/// One of each hint.
fn hints() -> Vec<String> {
    let linux = [("Server", "fe80::1%eth0"), ("ClientCertificate", "file:/c")];
    let windows = [("Server", "."), ("Trusted_Connection", "Yes")];
    [
        (linux, b"28000", 18456, "Login failed for user 'Microsoft Corporation'."),
        (linux, b"28000", 18456, "Login failed for user 'u'."),
        (linux, b"08001", -1, "invalid null pkcs12 pointer"),
        (linux, b"08001", -1, "DECODER routines::unsupported"),
        (linux, b"08001", -1, "certificate verify failed"),
        (linux, b"HYT00", 0, "Login timeout expired"),
        (windows, b"28000", 18456, r"Login failed for user 'NT Service\MSSQLLaunchpad'."),
        (windows, b"HYT00", 0, "Login timeout expired"),
    ]
    .map(|(string, state, native_error, text)| {
        let string: Vec<_> = string.iter().map(|(keyword, value)| Attribute::new(keyword, &utf16(value))).collect();
        assert!(TROUBLESHOOTING.contains(text.trim_end_matches('.')) || text.contains("'u'"), "{text}");
        let records = [TargetRecord { state: *state, native_error, text: text.to_owned() }];
        let on_windows = string[0].text().reveal() == ".";
        let world = if on_windows { satellite().windows() } else { satellite() };
        let mut given = rewrite(&world, &Kind::new(TARGET, ""), "DSN=Loopback").unwrap();
        given.target = string;
        hint(&given, &records).unwrap().1
    })
    .into_iter()
    .chain([windows_form_on_linux()])
    .collect()
}

fn windows_form_on_linux() -> String {
    let given = rewrite(&satellite(), &Kind::new(TARGET, ""), "DSN=Loopback;Server=.;Trusted_Connection=Yes").unwrap();
    let record = TargetRecord { state: *b"HY000", native_error: 0, text: "No credentials were supplied".to_owned() };
    hint(&given, &[record]).unwrap().1
}

#[test]
fn the_documentation_quotes_every_message_and_no_other() {
    let refused = refusals().into_iter().map(|it| format!("[{}] {PREFIX}{}", it.state.text(), it.text));
    // A hint has no SQLSTATE of its own.
    let hinted = hints().into_iter().map(|hint| format!("{PREFIX}{hint}"));
    let messages: Vec<String> = refused.chain(hinted).collect();
    let quotations = quotations();
    for quotation in &quotations {
        let is_shown = SHOWN_BY_A_DRIVER_MANAGER.iter().any(|beginning| quotation.starts_with(beginning));
        assert!(is_shown || messages.iter().any(|message| fits(quotation, message)), "no such message: {quotation}");
    }
    // Errors about a file are quoted for either the certificate or the key, not for both.
    let same_for_both = |message: &str| message.replace("client key", "client certificate");
    for message in &messages {
        let is_it = |quotation: &&&str| fits(&same_for_both(quotation), &same_for_both(message));
        assert!(quotations.iter().any(|quotation| is_it(&quotation)), "not quoted: {message}");
    }
}

#[test]
fn the_quoted_warning_matches_the_code() {
    let quotation = code(TROUBLESHOOTING).into_iter().find(|span| span.contains("can be read by every user")).unwrap();
    let world = satellite().open(&format!("{DATA}/launchpad-1/sqlsatellitekey.pem"));
    let target = &Target::registered_as(TARGET);
    let kind = &Kind::new(TARGET, "");
    let wanted =
        Wanted { target, kind, platform: world.platform(), preset: Vec::new(), files_unseen: false, ends_open: false };
    let mut search = Search::default();
    loopback::rewrite(&world, &wanted, &[], &mut search).unwrap();
    assert!(fits(quotation, &search.warnings[0]), "{:?}", search.warnings);
}

// --- docs/one-connect.md ---

#[test]
fn each_function_of_the_walkthrough_is_in_its_file() {
    let page = include_str!("../docs/one-connect.md");
    let rows: Vec<Vec<&str>> = page.lines().filter(|line| line.starts_with("| `")).map(code).collect();
    assert!(rows.len() > 15, "{rows:?}");
    for row in rows {
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(row[0])).unwrap();
        let is_there = ["(", "<"].iter().any(|next| source.contains(&format!("fn {}{next}", row[1])));
        assert!(is_there, "{row:?}");
    }
}
