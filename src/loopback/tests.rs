//! Tests of [`rewrite`]: which source wins, what is added, what is left out.

use super::*;
use crate::loopback::connection_string::parse;
use crate::loopback::failure::Sqlstate;
use crate::world::Profile;
use crate::world::fixture::{CERTIFICATE_PEM, Fixture, KEY_PEM, NOT_UTF_8};

const LAUNCHPAD: &str = "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2";
const OWN: &str = "fe80::2";
const SERVER_ADDRESS: &str = "fe80::8012:3df5:0:5db1";
/// The last part of the certificate form.
const CONSTANTS: &str = "TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes";

/// The environment of a script that SQL Server on Linux runs.
fn satellite() -> Fixture {
    Fixture::default()
        .working_directory(&format!("{LAUNCHPAD}/session"))
        .pair(LAUNCHPAD)
        .address("eth0", OWN)
        .connection(OWN, SERVER_ADDRESS)
        .section(Profile::Odbc, "Loopback", &[("Driver", "SQL Server Loopback")])
}

/// A development machine whose section sets a server and a login.
fn laptop(section: &[(&str, &str)]) -> Fixture {
    Fixture::default().working_directory("/home/me").section(Profile::Odbc, "Loopback", section)
}

fn try_rewrite(world: &Fixture, string: &str) -> Result<Rewritten, Failure> {
    let driver = Kind::new("libmsodbcsql-17.10.so.6.1", "17.10.0006");
    rewrite_for(&driver, world, string)
}

fn rewrite_for(kind: &Kind, world: &Fixture, string: &str) -> Result<Rewritten, Failure> {
    rewrite_units(kind, world, &utf16(string))
}

fn rewrite_units(kind: &Kind, world: &Fixture, string: &[u16]) -> Result<Rewritten, Failure> {
    rewrite_with(kind, world, string, &[])
}

/// With connection attributes set before: the number of each, and whether its value is something.
fn rewrite_with(
    kind: &Kind,
    world: &Fixture,
    string: &[u16],
    attributes: &[(i32, bool)],
) -> Result<Rewritten, Failure> {
    let mut search = Search::default();
    let rewritten = search_with(kind, world, string, attributes, &mut search);
    rewritten.map_err(|failure| search.explain(failure))
}

fn search_with(
    kind: &Kind,
    world: &Fixture,
    string: &[u16],
    attributes: &[(i32, bool)],
    search: &mut Search,
) -> Result<Rewritten, Failure> {
    let preset = attributes.iter().map(|&(attribute, is_something)| preset::keyword(attribute, is_something).unwrap());
    let target = &Target::registered_as("ODBC Driver 17 for SQL Server");
    let wanted = Wanted {
        target,
        kind,
        platform: world.platform(),
        preset: preset.collect(),
        files_unseen: false,
        ends_open: string.last() == Some(&u16::from(b'=')),
    };
    rewrite(world, &wanted, &parse(string).attributes, search)
}

/// What a search that asks every signal checked.
fn thorough(world: &Fixture, string: &str) -> Search {
    let mut search = Search::thorough();
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    search_with(&kind, world, &utf16(string), &[], &mut search).unwrap();
    search
}

/// The string for the target, and the string that the application gets back.
#[track_caller]
fn strings(world: &Fixture, string: &str) -> (String, String) {
    let rewritten = try_rewrite(world, string).unwrap();
    let text = |units: Vec<u16>| String::from_utf16(&units).unwrap();
    (text(rewritten.target_string()), text(rewritten.returned_string()))
}

/// The string for the target after the data source's name.
#[track_caller]
fn given(world: &Fixture, string: &str) -> String {
    let (target, _) = strings(world, string);
    let (name, rest) = target.split_once(';').unwrap_or((&target, ""));
    assert!(string.starts_with(name) && name.starts_with("DSN="), "{string}: {target}");
    rest.to_owned()
}

fn session_files() -> String {
    format!("ClientCertificate=file:{LAUNCHPAD}/sqlsatellitecert.pem;ClientKey=file:{LAUNCHPAD}/sqlsatellitekey.pem")
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn the_plain_case_is_the_documented_string() {
    // Microsoft, "Loopback connection to SQL Server from a Python or R script", connection string on Linux.
    let documented = "Driver=ODBC Driver 17 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;\
        Database=nameOfDatabase;\
        ClientCertificate=file:/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2/sqlsatellitecert.pem;\
        ClientKey=file:/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2/sqlsatellitekey.pem;\
        TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes";
    let (target, returned) = strings(&satellite(), "DRIVER={SQL Server Loopback};Database=nameOfDatabase");
    assert_eq!(target, documented);
    assert_eq!(returned, "DRIVER={SQL Server Loopback};Database=nameOfDatabase;");
    // With a data source the string has its name, by which the driver finds the section.
    let (target, returned) = strings(&satellite(), "DSN=Loopback;Database=nameOfDatabase");
    assert_eq!(target, documented.replace("Driver=ODBC Driver 17 for SQL Server", "DSN=Loopback"));
    assert_eq!(returned, "DSN=Loopback;Database=nameOfDatabase;");
}

#[test]
fn no_database_leaves_the_choice_to_the_server() {
    let (target, returned) = strings(&satellite(), "DSN=Loopback");
    assert!(!target.contains("Database"), "{target}");
    assert_eq!(returned, "DSN=Loopback;");
}

#[test]
fn the_first_of_driver_and_data_source_wins() {
    let by_driver = strings(&satellite(), "DRIVER={SQL Server Loopback};Database=Sales").0;
    assert!(by_driver.starts_with("Driver=ODBC Driver 17 for SQL Server;Server="), "{by_driver}");
    let both = "Database=Sales;DRIVER={SQL Server Loopback};DSN=Loopback";
    assert_eq!(strings(&satellite(), both).0, by_driver);
    let both = "Database=Sales;DSN=Loopback;DRIVER={SQL Server Loopback}";
    assert_eq!(strings(&satellite(), both).0, strings(&satellite(), "DSN=Loopback;Database=Sales").0);
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn the_driver_reads_its_section_itself() {
    let entries =
        [("Database", "Sales"), ("App", "x"), ("KeepAlive", "30"), ("Port", "1"), ("Description", "d"), ("UID", "")];
    let world = satellite().section(Profile::Odbc, "Sales reports", &entries);
    let (target, returned) = strings(&world, "DSN={Sales reports};APP=nightly");
    let session = format!("Server={SERVER_ADDRESS}%eth0;{};{CONSTANTS}", session_files());
    assert_eq!(target, format!("DSN={{Sales reports}};{session};APP=nightly"));
    assert_eq!(returned, "DSN={Sales reports};APP=nightly;");
}

#[test]
fn a_section_that_is_not_there_is_not_an_empty_one() {
    for string in ["DSN=Nope", "DSN=Nope;Server=dev;UID=u;PWD=p", "DSN=N"] {
        let failure = try_rewrite(&satellite(), string).unwrap_err();
        assert_eq!(failure.state, Sqlstate::DATA_SOURCE_NOT_FOUND);
        assert!(failure.text.contains("no section [N"), "{}", failure.text);
        // unixODBC takes the driver from this section if a name has no section.
        assert!(try_rewrite(&satellite().section(Profile::Odbc, "DEFAULT", &[]), string).is_ok());
    }
    assert!(try_rewrite(&satellite(), "DRIVER=x;DSN=Nope").is_ok());
    // Windows finds a section by any name.
    for (world, is_told) in [(satellite(), true), (satellite().windows(), false)] {
        let text = try_rewrite(&world, "DSN=N\u{fc}rnberg").unwrap_err().text;
        assert_eq!(text.contains("only if its name is ASCII"), is_told, "{text}");
        assert_eq!(text.contains("Add the data source"), !is_told, "{text}");
    }
}

#[test]
fn an_overview_of_the_section_changes_nothing() {
    let entries = [("uid", "u"), ("PWD", "p"), ("SERVER", "dev"), ("Trusted_Connection", "no")];
    let world = || satellite().section(Profile::Odbc, "Own", &entries);
    assert_eq!(strings(&world(), "DSN=Own"), strings(&world().overview(), "DSN=Own"));
    assert_eq!(try_rewrite(&world().overview(), "DSN=Nope").unwrap_err().state, Sqlstate::DATA_SOURCE_NOT_FOUND);
}

#[test]
fn only_a_value_that_is_needed_must_be_readable() {
    let with = |keyword| satellite().section(Profile::Odbc, "Own", &[(keyword, NOT_UTF_8)]);
    for keyword in ["Database", "APP", "Description", "Note", "Encrypt", "HostNameInCertificate"] {
        assert!(try_rewrite(&with(keyword), "DSN=Own").is_ok(), "{keyword}");
    }
    // A server is set, whatever its name is.
    assert!(!given(&with("Server"), "DSN=Own").contains("Server="));
    for keyword in ["UID", "PWD", "ClientKey", "TargetDriver", STRING_VARIABLE] {
        let failure = try_rewrite(&with(keyword), "DSN=Own").unwrap_err();
        assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
        assert!(failure.text.contains(&format!("the value of {keyword}: it is not UTF-8")), "{}", failure.text);
    }
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn other_keywords_go_through_verbatim_and_in_order() {
    let others = "Description=d;Trace=x;APP={a;b};MARS_Connection=yes;ApplicationIntent=ReadOnly;x y= z ;APP=again";
    assert_eq!(
        given(&satellite(), &format!("DSN=Loopback;{others}")),
        format!("Server={SERVER_ADDRESS}%eth0;{};{CONSTANTS};{others}", session_files())
    );
}

#[test]
fn keywords_for_the_driver_manager_or_us_are_not_passed_on() {
    let ours = "FILEDSN=/f.dsn;SAVEFILE=/s.dsn;TargetDriver=ODBC Driver 17 for SQL Server;DSN=Other";
    let (target, returned) = strings(&satellite(), &format!("DSN=Loopback;{ours};driver=x"));
    assert_eq!(target, strings(&satellite(), "DSN=Loopback").0);
    let kept = "FILEDSN=/f.dsn;TargetDriver=ODBC Driver 17 for SQL Server;DSN=Other";
    assert_eq!(returned, format!("DSN=Loopback;{kept};driver=x;"));
}

#[test]
fn every_value_has_its_precedence() {
    let variables = |world: Fixture| {
        world
            .variable(SERVER_VARIABLE, "env")
            .variable(CERTIFICATE_VARIABLE, "/env/cert.pem")
            .variable(KEY_VARIABLE, "file:/env/key.pem")
            .file("/env/cert.pem", crate::world::fixture::CERTIFICATE_PEM)
            .file("/env/key.pem", crate::world::fixture::KEY_PEM)
    };
    let section = |world: Fixture| {
        let entries = [
            ("Server", "section"),
            ("Database", "section"),
            ("ClientCertificate", "file:/section/cert.pem"),
            ("ClientKey", "file:/section/key.pem"),
            ("Encrypt", "no"),
        ];
        world.section(Profile::Odbc, "Own", &entries)
    };
    let application = "Server=app;Database=app;ClientCertificate=file:/app/cert.pem;ClientKey=file:/app/key.pem";
    let files = |of: &str| format!("ClientCertificate=file:/{of}/cert.pem;ClientKey=file:/{of}/key.pem");
    let trust = "TrustServerCertificate=Yes;Trusted_Connection=no";

    // The files from the application and the section may be DER, which is not text.
    let satellite = || {
        let files = ["/app/cert.pem", "/app/key.pem", "/section/cert.pem", "/section/key.pem"];
        files.iter().fold(satellite(), |world, path| world.file(path, "DER"))
    };
    let all = section(variables(satellite()));
    assert_eq!(
        given(&all, &format!("DSN=Own;{application};Encrypt=no")),
        format!("Server=app;Database=app;{};{trust};Encrypt=no", files("app"))
    );
    // The driver reads the other keywords in its section itself.
    assert_eq!(given(&all, "DSN=Own"), format!("Server=env;{};{trust}", files("env")));
    assert_eq!(given(&section(satellite()), "DSN=Own"), format!("ClientKey=file:/section/key.pem;{trust}"));
    assert_eq!(
        given(&variables(satellite()), "DSN=Loopback"),
        format!("Server=env;{};{trust};Encrypt=Yes", files("env"))
    );
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn with_a_given_server_the_certificate_is_discovered() {
    let string = given(&satellite(), "DSN=Loopback;Server=fe80::1%eth0,1500");
    assert_eq!(string, format!("Server=fe80::1%eth0,1500;{};{CONSTANTS}", session_files()));
}

#[test]
fn with_a_given_login_the_server_is_discovered() {
    let string = given(&satellite(), "DSN=Loopback;UID=sa;PWD=x");
    assert_eq!(string, format!("Server={SERVER_ADDRESS}%eth0;TrustServerCertificate=Yes;Encrypt=Yes;UID=sa;PWD=x"));
}

#[test]
fn a_given_login_is_not_offered_to_a_neighbour_outside_a_session() {
    let world = Fixture::default()
        .working_directory("/home/me")
        .address("wlan0", OWN)
        .neighbour("wlan0", "fe80::1", true)
        .connection(OWN, "fe80::1")
        .section(Profile::Odbc, "Loopback", &[]);
    let failure = try_rewrite(&world, "DSN=Loopback;UID=sa;PWD=x").unwrap_err();
    assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
    assert!(failure.text.contains("A login is configured"), "{}", failure.text);
}

#[test]
fn with_server_and_login_nothing_is_looked_for_and_nothing_added() {
    for login in ["UID=sa;PWD=x", "Trusted_Connection=yes", "Authentication=ActiveDirectoryMsi"] {
        let string = format!("DSN=Loopback;Server=dev;{login}");
        assert_eq!(thorough(&laptop(&[]), &string).findings, []);
        assert_eq!(given(&laptop(&[]), &string), format!("Server=dev;{login}"));
    }
    let section = laptop(&[("Server", "dev,1433"), ("UID", "me"), ("PWD", "s;x"), ("TrustServerCertificate", "Yes")]);
    assert_eq!(given(&section, "DSN=Loopback"), "UID=me;PWD={s;x}");
}

#[test]
fn a_login_by_name_may_come_from_several_sources() {
    let world = laptop(&[("Server", "dev"), ("UID", "section"), ("PWD", "section")]);
    assert_eq!(given(&world, "DSN=Loopback"), "UID=section;PWD=section");
    assert_eq!(given(&world, "DSN=Loopback;UID=app;PWD=p"), "UID=app;PWD=p");
    assert_eq!(given(&world, "DSN=Loopback;PWD=p"), "PWD=p;UID=section");
    let world = laptop(&[("Server", "dev"), ("Authentication", "ActiveDirectoryPassword")]);
    assert_eq!(given(&world, "DSN=Loopback;UID=u;PWD=p"), "UID=u;PWD=p");
}

#[test]
fn a_certificate_takes_precedence_over_a_user() {
    let world = laptop(&[("Server", "dev"), ("UID", "section"), ("PWD", "section")]);
    let certificate = "ClientCertificate=file:/a.pfx";
    assert_eq!(given(&world, &format!("DSN=Loopback;{certificate}")), format!("{certificate};{CONSTANTS}"));
    assert_eq!(given(&world, &format!("DSN=Loopback;UID=x;{certificate}")), format!("{certificate};{CONSTANTS};UID=x"));
    let section = [("Server", "dev"), ("ClientCertificate", "file:/c"), ("ClientKey", "file:/k")];
    let world = laptop(&section).file("/c", "DER").file("/k", "DER");
    assert_eq!(given(&world, "DSN=Loopback;UID=app"), format!("ClientKey=file:/k;{CONSTANTS};UID=app"));
    // An empty value from the application means that there is none.
    assert_eq!(given(&world, "DSN=Loopback;ClientCertificate=;UID=app"), "ClientCertificate=;UID=app");
    // A PKCS #12 file must not get another certificate's key.
    assert_eq!(given(&world, &format!("DSN=Loopback;{certificate}")), format!("{certificate};{CONSTANTS}"));
}

#[test]
fn an_environment_certificate_ranks_between_application_and_section() {
    let section = [("Server", "dev"), ("UID", "u"), ("PWD", "p"), ("Trusted_Connection", "yes")];
    let world = laptop(&section)
        .variable(CERTIFICATE_VARIABLE, "/c")
        .variable(KEY_VARIABLE, "/k")
        .file("/c", CERTIFICATE_PEM)
        .file("/k", KEY_PEM);
    let certificate = "ClientCertificate=file:/c;ClientKey=file:/k";
    assert_eq!(given(&world, "DSN=Loopback"), format!("{certificate};{CONSTANTS}"));
    assert_eq!(given(&world, "DSN=Loopback;Trusted_Connection=no;UID=x"), "Trusted_Connection=no;UID=x;PWD=p");
    assert_eq!(given(&world, "DSN=Loopback;Trusted_Connection=yes"), "Trusted_Connection=yes");
}

#[test]
fn the_trusted_attribute_is_reset_if_the_session_replaces_it() {
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let resets = |world: &Fixture, string: &str, trusted| {
        rewrite_with(&kind, world, &utf16(string), &[(1203, trusted)]).unwrap().resets_trusted
    };
    // To the driver the attribute is stronger than the string.
    assert!(resets(&satellite(), "DSN=Loopback;UID=x;Trusted_Connection=no", true));
    assert!(!resets(&satellite(), "DSN=Loopback;Trusted_Connection=yes", false));
    assert!(!resets(&satellite(), "DSN=Loopback;Server=dev", true));
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn trusted_takes_precedence_over_a_user_from_any_source() {
    let session = format!("Server={SERVER_ADDRESS}%eth0;{};{CONSTANTS}", session_files());
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let (user, trusted) = (("UID", "dom\\x"), ("Trusted_Connection", "yes"));
    for (string, section, attributes) in [
        (vec![user, trusted], vec![], vec![]),
        (vec![user], vec![trusted], vec![]),
        (vec![trusted], vec![user], vec![]),
        (vec![], vec![user, trusted], vec![]),
        (vec![user], vec![], vec![(1203, true)]),
        (vec![], vec![user], vec![(1203, true)]),
    ] {
        let written: String = string.iter().map(|(keyword, value)| format!(";{keyword}={value}")).collect();
        let given = |section: Vec<(&str, &str)>| {
            let world = satellite().section(Profile::Odbc, "Own", &section);
            let string = utf16(&format!("DSN=Own{written}"));
            let rewritten = rewrite_with(&kind, &world, &string, &attributes).unwrap();
            String::from_utf16(&rewritten.target_string()).unwrap()
        };
        // In a session it means the session's login.
        assert_eq!(given(section.clone()), format!("DSN=Own;{session}"), "{string:?} {section:?}");
        // With a server the application's keywords are passed on, and nothing is added.
        assert_eq!(given([section, vec![("Server", "dev")]].concat()), format!("DSN=Own{}", in_form_order(&written)));
    }
    // A "no" overrides the "yes" of a weaker source.
    let world = satellite().section(Profile::Odbc, "Own", &[trusted, user, ("PWD", "p")]);
    let string = given(&world, "DSN=Own;Trusted_Connection=no");
    assert!(string.ends_with("Trusted_Connection=no;Encrypt=Yes;UID=dom\\x;PWD=p"), "{string}");
}

/// Trusted_Connection is a keyword of the form, so it stands before the other keywords.
fn in_form_order(written: &str) -> String {
    match written.split_once(";Trusted_Connection=yes") {
        Some((before, after)) => format!(";Trusted_Connection=yes{before}{after}"),
        None => written.to_owned(),
    }
}

#[test]
fn an_invalid_trusted_connection_value_is_named() {
    for value in ["True", "1", "SSPI", "Yes "] {
        for world in [laptop(&[]), laptop(&[("Server", "dev")])] {
            let failure = try_rewrite(&world, &format!("DSN=Loopback;Trusted_Connection={value}")).unwrap_err();
            assert!(
                failure.text.starts_with(&format!("The driver does not know the value in Trusted_Connection={value}:")),
                "{}",
                failure.text
            );
        }
    }
    for word in ["Trusted_Connection=", "Trusted_Connection=No", "APP=x"] {
        let failure = try_rewrite(&laptop(&[]), &format!("DSN=Loopback;{word}")).unwrap_err();
        assert!(failure.text.starts_with("No server and no login"), "{}", failure.text);
    }
}

#[test]
fn requested_certificate_verification_is_kept() {
    let strict = ("Encrypt", "Strict");
    for (keyword, value) in
        [("HostNameInCertificate", "sql.example.com"), ("ServerCertificate", "/etc/sql.pem"), strict]
    {
        let in_section = || satellite().section(Profile::Odbc, "Own", &[(keyword, value)]);
        for (world, string) in [
            (satellite(), format!("DSN=Loopback;{keyword}={value}")),
            (in_section(), "DSN=Own".to_owned()),
            (in_section().windows(), "DSN=Own".to_owned()),
        ] {
            let search = thorough(&world, &string);
            assert!(!given_to_18(&world, &string).contains("TrustServerCertificate"), "{keyword}");
            assert!(search.warnings.iter().any(|it| it.starts_with(&format!("{keyword}={value} asks"))), "{search:?}");
        }
        // If a source sets both, both are passed on.
        let own = format!("DSN=Loopback;{keyword}={value};TrustServerCertificate=Yes");
        assert!(given_to_18(&satellite(), &own).contains("TrustServerCertificate=Yes"));
        assert_eq!(thorough(&satellite(), &own).warnings, [""; 0]);
        // On a development machine nothing is added, so there is no warning.
        assert_eq!(
            thorough(&laptop(&[("Server", "dev"), ("UID", "u"), (keyword, value)]), "DSN=Loopback").warnings,
            [""; 0]
        );
    }
    let world = satellite().section(Profile::Odbc, "Own", &[("HostNameInCertificate", "")]);
    assert!(given_to_18(&world, "DSN=Own").contains("TrustServerCertificate=Yes"));
}

fn given_to_18(world: &Fixture, string: &str) -> String {
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    String::from_utf16(&rewrite_for(&kind, world, string).unwrap().target_string()).unwrap()
}

#[test]
fn a_section_value_is_used_only_if_the_driver_accepts_it() {
    let constants = |section: &[(&str, &str)]| {
        let string = given_to_18(&satellite().section(Profile::Odbc, "Own", section), "DSN=Own");
        string
            .split(';')
            .filter(|it| CONSTANTS.split(';').any(|constant| constant.split('=').next() == it.split('=').next()))
            .collect::<Vec<_>>()
            .join(";")
    };
    for wrong in ["", "True", "1", "abc"] {
        for keyword in ["TrustServerCertificate", "Trusted_Connection", "Encrypt"] {
            assert_eq!(constants(&[(keyword, wrong)]), CONSTANTS, "{keyword}={wrong}");
        }
    }
    assert_eq!(constants(&[("TrustServerCertificate", "no")]), "Trusted_Connection=no;Encrypt=Yes");
    assert_eq!(constants(&[("Encrypt", "Optional")]), "TrustServerCertificate=Yes;Trusted_Connection=no");
}

#[test]
fn the_windows_form_is_recognized_on_linux() {
    let is = |world: &Fixture, string: &str| try_rewrite(world, string).unwrap().is_of_other_system;
    for server in [".", "(local)", "LOCALHOST"] {
        assert!(is(&laptop(&[]), &format!("DSN=Loopback;Server={server};Trusted_Connection=Yes")));
        assert!(is(&laptop(&[("Server", server), ("Trusted_Connection", "yes")]), "DSN=Loopback"));
        assert!(!is(&laptop(&[]).windows(), &format!("DSN=Loopback;Server={server};Trusted_Connection=Yes")));
        assert!(!is(&laptop(&[]), &format!("DSN=Loopback;Server={server};UID=u")));
    }
    assert!(!is(&laptop(&[]), "DSN=Loopback;Server=dev;Trusted_Connection=Yes"));
}

#[test]
fn empty_application_values_are_passed_on_and_decide_nothing() {
    let plain = given(&satellite(), "DSN=Loopback");
    let empty = given(&satellite(), "DSN=Loopback;UID=;PWD=;APP=x");
    assert_eq!(empty, format!("{plain};UID=;PWD=;APP=x"));
    // They override the section, as they do for the driver.
    let world = laptop(&[("Server", "dev"), ("UID", "u"), ("PWD", "p"), ("Trusted_Connection", "no")]);
    assert_eq!(given(&world, "DSN=Loopback;PWD=;"), "PWD=;UID=u");
    // The server and the certificate are different: programs write them empty if they mean none. The first one counts.
    for empty in ["Server=", "Server=;Server=x", "Addr=;Address=x", "ClientCertificate=;ClientKey=", "ClientKey="] {
        assert_eq!(
            given(&satellite(), &format!("DSN=Loopback;{empty};Database=x")),
            given(&satellite(), "DSN=Loopback;Database=x")
        );
    }
    // `Address` takes precedence over `Server`.
    let by_address = given(&laptop(&[("Server", "other"), ("UID", "u")]), "DSN=Loopback;Server=;Address=dev");
    assert_eq!(by_address, "Address=dev;UID=u");
    assert_eq!(given(&satellite(), "DSN=Loopback;Server=;Database=x"), given(&satellite(), "DSN=Loopback;Database=x"));
    // The first one counts, and nothing is added besides.
    let string = given(&satellite(), "DSN=Loopback;TrustServerCertificate=;Encrypt=;UID=;UID=x");
    assert!(string.contains(";TrustServerCertificate=;Trusted_Connection=no;Encrypt=;UID=;UID=x"), "{string}");
    assert_eq!(given(&satellite().variable(SERVER_VARIABLE, ""), "DSN=Loopback"), plain);
}

#[test]
fn no_value_can_add_an_attribute() {
    let world = satellite()
        .section(Profile::Odbc, "Own", &[("UID", "x;Server=evil"), ("PWD", "{};Database=other")])
        .variable(SERVER_VARIABLE, "fe80::1%eth0;UID=sa");
    let rewritten = try_rewrite(&world, "DSN=Own").unwrap();
    let string = rewritten.target_string();
    let parsed = parse(&string);
    assert_eq!(parsed.stopped, None);
    assert_eq!(parsed.attributes, rewritten.target);
    let keywords: Vec<String> = parsed.attributes.iter().map(|it| String::from_utf16_lossy(&it.keyword)).collect();
    assert_eq!(keywords, ["DSN", "Server", "UID", "PWD"].map(str::to_owned), "{rewritten:?}");
    let values: Vec<String> = parsed.attributes.iter().map(|it| it.text().reveal().to_owned()).collect();
    assert_eq!(values[1..], ["fe80::1%eth0;UID=sa", "x;Server=evil", "{};Database=other"]);
}

#[test]
fn invalid_utf16_is_passed_on() {
    let mut string = utf16("DSN=Loopback;APP=");
    string.extend([0xd800, 0x20, 0xdc00]);
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let rewritten = rewrite_units(&kind, &satellite(), &string).unwrap().target_string();
    assert!(rewritten.ends_with(&[0xd800, 0x20, 0xdc00]));
}

#[test]
fn certificate_and_key_belong_together() {
    for (world, string, part) in [
        (satellite().variable(CERTIFICATE_VARIABLE, "/c.pem"), "DSN=Loopback", "without its key"),
        (satellite().variable(KEY_VARIABLE, "/k.pem"), "DSN=Loopback", "without its certificate"),
        (satellite(), "DSN=Loopback;ClientKey=file:/k.pem", "without its certificate"),
    ] {
        let failure = try_rewrite(&world, string).unwrap_err();
        assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
        assert!(failure.text.contains(part), "{}", failure.text);
    }
}

#[test]
fn files_that_the_environment_names_are_looked_at() {
    let world =
        || satellite().variable(CERTIFICATE_VARIABLE, "/c.pem").variable(KEY_VARIABLE, "FILE:/k.pem").pair("/other");
    let failure = try_rewrite(&world(), "DSN=Loopback").unwrap_err();
    assert!(failure.text.contains("/c.pem cannot be read"), "{}", failure.text);
    let world = world().file("/c.pem", crate::world::fixture::CERTIFICATE_PEM).file("/k.pem", "");
    let failure = try_rewrite(&world, "DSN=Loopback").unwrap_err();
    assert!(failure.text.contains("/k.pem is empty"), "{}", failure.text);
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn a_world_readable_key_is_used_with_a_warning() {
    let key = format!("{LAUNCHPAD}/sqlsatellitekey.pem");
    assert_eq!(thorough(&satellite(), "DSN=Loopback").warnings, [""; 0]);
    let world = || satellite().open(&key).open("/k").file("/c", CERTIFICATE_PEM).file("/k", KEY_PEM);
    for (world, string, warned_of) in [
        (world(), "DSN=Loopback", key.as_str()),
        (world().variable(CERTIFICATE_VARIABLE, "/c").variable(KEY_VARIABLE, "/k"), "DSN=Loopback", "/k"),
        (world(), "DSN=Loopback;ClientCertificate=file:/c;ClientKey=file:/k,password:x", "/k"),
    ] {
        let warnings = thorough(&world, string).warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(&format!("chmod o-r {warned_of}")), "{warnings:?}");
    }
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn a_thorough_search_says_what_each_signal_shows_and_decides_as_any_other() {
    let other = "/var/opt/mssql-extensibility/data/other";
    let world = satellite()
        .pair(other)
        .neighbour("eth0", "fe80::9", true)
        .file("/proc/self/cmdline", "python3")
        .file("/proc/self/stat", "7 (python3) S 0 7 7 0");
    let search = thorough(&world, "DSN=Loopback");
    let found: Vec<Option<&str>> = search.findings.iter().map(|finding| finding.found.as_deref()).collect();
    let certificate = format!("{LAUNCHPAD}/sqlsatellitecert.pem");
    let server = format!("{SERVER_ADDRESS}%eth0");
    assert_eq!(
        found,
        [Some(certificate.as_str()), None, None, Some(server.as_str()), Some("fe80::9%eth0"), None],
        "{:?}",
        search.findings
    );
    assert_eq!(
        search.lines()[1],
        format!(
            "Certificate and key, data directory /var/opt/mssql-extensibility/data: 2 pairs: {certificate}, \
             {other}/sqlsatellitecert.pem"
        )
    );
    // The first signal decides.
    assert!(
        given(&world, "DSN=Loopback").starts_with(&format!("Server={server};ClientCertificate=file:{certificate};"))
    );
}

#[test]
fn files_named_by_driver_keywords_must_exist() {
    for string in
        ["ClientCertificate=file:/c;ClientKey=File:/k,password:x", "ClientKey={file:/k};ClientCertificate=file:/c"]
    {
        let world = laptop(&[("Server", "dev")]).file("/c", "DER");
        let failure = try_rewrite(&world, &format!("DSN=Loopback;{string}")).unwrap_err();
        assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
        assert!(failure.text.contains("client key /k cannot be read"), "{}", failure.text);
        assert!(try_rewrite(&world.file("/k", "DER"), &format!("DSN=Loopback;{string}")).is_ok());
    }
    // In the Windows certificate store, or in a PKCS #12 file for the driver.
    for string in ["ClientCertificate=subject:x;ClientKey=y", "ClientCertificate=file:/a.pfx"] {
        assert!(try_rewrite(&laptop(&[("Server", "dev")]), &format!("DSN=Loopback;{string}")).is_ok());
    }
}

#[test]
fn a_data_directory_that_cannot_be_listed_may_hide_the_session() {
    let hidden = || laptop(&[]).unlisted();
    for (string, beginning, is_no_session) in [
        ("DSN=Loopback", "The session's certificate was not found: ", false),
        // What is configured shows what was meant.
        ("DSN=Loopback;UID=u", "A login is configured (UID=u), and no server.", true),
    ] {
        let mut search = Search::default();
        let failure = search_with(
            &Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002"),
            &hidden(),
            &utf16(string),
            &[],
            &mut search,
        )
        .unwrap_err();
        assert!(failure.text.starts_with(beginning), "{}", failure.text);
        assert!(failure.text.contains("a command line, and /var/opt/mssql-extensibility/data cannot be listed: "));
        assert_eq!((search.is_no_session, search.is_unconfigured), (is_no_session, false));
    }
}

#[test]
fn advice_without_a_data_source_points_to_the_connection_string() {
    let world = laptop(&[("Server", "dev"), ("UID", "me")]);
    let failure = try_rewrite(&world, "DRIVER={SQL Server Loopback}").unwrap_err();
    assert!(failure.text.contains("Trusted_Connection=yes, to the connection string."), "{}", failure.text);
}

#[test]
fn target_driver_must_be_the_loaded_one() {
    assert!(try_rewrite(&satellite(), "DSN=Loopback;TargetDriver={odbc driver 17 FOR sql server}").is_ok());
    for world in [satellite(), laptop(&[])] {
        // Before anything is discovered: the second world contains nothing to discover.
        let failure = try_rewrite(&world, "DSN=Loopback;TargetDriver=PostgreSQL").unwrap_err();
        assert_eq!(failure.state, Sqlstate::INVALID_VALUE);
        for part in ["PostgreSQL", "ODBC Driver 17 for SQL Server", "register a copy"] {
            assert!(failure.text.contains(part), "{}", failure.text);
        }
    }
    let section = satellite().section(Profile::Odbc, "Own", &[("TargetDriver", "PostgreSQL")]);
    assert_eq!(try_rewrite(&section, "DSN=Own").unwrap_err().state, Sqlstate::INVALID_VALUE);
}

#[test]
fn target_driver_may_be_another_name_of_the_same_file() {
    let world = satellite().file("/usr/lib/target.so", "").section(
        Profile::Odbcinst,
        "The same",
        &[("Driver", "/usr/lib/target.so")],
    );
    assert!(try_rewrite(&world, "DSN=Loopback;TargetDriver=The same").is_ok());
    assert!(try_rewrite(&world, "DSN=Loopback;TargetDriver=/usr/lib/target.so").is_ok());
    assert!(try_rewrite(&world, "DSN=Loopback;TargetDriver=/usr/lib/other.so").is_err());
}

#[test]
fn a_driver_for_another_server_is_sent_what_was_given_and_nothing_else() {
    let driver = Kind::new("psqlodbcw.so", "13.02.0000");
    let section = [("Servername", "/run/postgresql"), ("Username", ""), ("Database", "sales"), ("Description", "x")];
    let world = satellite()
        .section(Profile::Odbc, "Reports", &section)
        .variable(SERVER_VARIABLE, "fe80::9%eth0")
        .variable(CERTIFICATE_VARIABLE, "/missing.pem");
    let rewritten = rewrite_for(&driver, &world, "DSN=Reports;sslmode=require;Username=me").unwrap();
    assert_eq!(String::from_utf16(&rewritten.target_string()).unwrap(), "DSN=Reports;sslmode=require;Username=me");
    assert!(!rewritten.is_loopback);
    let rewritten = rewrite_for(&driver, &world, "DRIVER=x;Servername=pg").unwrap();
    let string = String::from_utf16(&rewritten.target_string()).unwrap();
    assert_eq!(string, "Driver=ODBC Driver 17 for SQL Server;Servername=pg");
}

#[test]
fn a_driver_without_certificates_is_refused_where_one_is_needed() {
    let driver = Kind::new("libmsodbcsql-17.3.so.1.1", "17.03.0001");
    let failure = rewrite_for(&driver, &satellite(), "DSN=Loopback").unwrap_err();
    assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
    assert!(failure.text.contains("17.4.1.1 or later") && failure.text.contains("17.03.0001"), "{}", failure.text);
    // It is not needed for a login by name.
    assert!(rewrite_for(&driver, &satellite(), "DSN=Loopback;UID=u;PWD=p").is_ok());
}

#[test]
fn a_driver_is_sent_the_constants_that_it_knows() {
    let driver = Kind::new("SQLSRV32.DLL", "10.00.17763.01");
    let rewritten = rewrite_for(&driver, &satellite(), "DSN=Loopback;UID=u;PWD=p").unwrap();
    assert_eq!(
        String::from_utf16(&rewritten.target_string()).unwrap(),
        "DSN=Loopback;Server=fe80::8012:3df5:0:5db1%eth0;UID=u;PWD=p"
    );
}

/// What SQL Server's own function prints on Linux.
const OFFICIAL: &str = "Driver=ODBC Driver 17 for SQL Server;Server=fe80::77%eth0,1500;Database=Printed;\
    ClientCertificate=file:/official/cert.pem;ClientKey=file:/official/key.pem;TrustServerCertificate=Yes;\
    Trusted_Connection=no;Encrypt=Yes";

#[test]
fn an_official_string_supplies_the_session_values() {
    let files = |world: Fixture| world.file("/official/cert.pem", CERTIFICATE_PEM).file("/official/key.pem", KEY_PEM);
    let in_environment = || files(satellite().variable(STRING_VARIABLE, OFFICIAL));
    let in_section = files(satellite().section(Profile::Odbc, "Started", &[(STRING_VARIABLE, OFFICIAL)]));
    let expected = "Server=fe80::77%eth0,1500;Database=Printed;ClientCertificate=file:/official/cert.pem;\
        ClientKey=file:/official/key.pem;TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes";
    assert_eq!(given(&in_environment(), "DSN=Loopback"), expected);
    assert_eq!(given(&in_section, "DSN=Started"), expected);
    // For the rest, precedence decides.
    let with_own = expected.replace("Printed", "Sales").replace("Encrypt=Yes", "Encrypt=strict;APP=x");
    assert_eq!(given(&in_environment(), "DSN=Loopback;Database=Sales;Encrypt=strict;APP=x"), with_own);
    let with_variable = in_environment().variable(SERVER_VARIABLE, "fe80::1%eth0");
    assert_eq!(given(&with_variable, "DSN=Loopback"), expected.replace("fe80::77%eth0,1500", "fe80::1%eth0"));
    // It is a unit: for another server and login none of it counts, least of all its trust in the certificate.
    let own = "Server=dev;UID=u;PWD=p";
    assert_eq!(given(&in_environment(), &format!("DSN=Loopback;{own}")), own);
    assert_eq!(given(&in_section, &format!("DSN=Started;{own}")), own);
    let section = [("Server", "dev"), ("TrustServerCertificate", "No"), ("Database", "Sales")];
    let world = files(laptop(&section).variable(STRING_VARIABLE, OFFICIAL));
    assert_eq!(given(&world, "DSN=Loopback;Server=dev;UID=u"), "Server=dev;UID=u");
    let on_windows = "Driver=ODBC Driver 17 for SQL Server;Server=.;Database=Printed;Trusted_Connection=Yes;";
    let world = laptop(&[]).windows().variable(STRING_VARIABLE, on_windows);
    assert_eq!(given(&world, "DSN=Loopback"), "Server=.;Database=Printed;Trusted_Connection=Yes;");
}

#[test]
fn an_official_string_with_quotation_marks_kept_is_refused() {
    for string in ["'Server=fe80::1%eth0;UID=u'", "Server = fe80::1%eth0", "\u{feff}Server=x", "\"Driver=x;Server=y\""]
    {
        let failure = try_rewrite(&satellite().variable(STRING_VARIABLE, string), "DSN=Loopback").unwrap_err();
        assert!(failure.text.contains("quotation marks or spaces"), "{}", failure.text);
    }
    let world = satellite().variable(SERVER_VARIABLE, " fe80::1%eth0\n");
    assert!(given(&world, "DSN=Loopback").starts_with("Server=fe80::1%eth0;"));
    assert_eq!(given(&satellite().variable(SERVER_VARIABLE, " "), "DSN=Loopback"), given(&satellite(), "DSN=Loopback"));
}

#[test]
fn a_value_that_may_have_been_cut_is_refused() {
    for (keyword, length, is_cut) in [("PWD", 994, false), ("PWD", 995, true), (STRING_VARIABLE, 967, true)] {
        let world = satellite().section(Profile::Odbc, "Own", &[("UID", "u"), (keyword, &"x".repeat(length))]);
        let text = try_rewrite(&world, "DSN=Own").map_or_else(|failure| failure.text, |_| String::new());
        assert_eq!(text.contains("longer than"), is_cut, "{keyword} {length}: {text}");
    }
}

#[test]
fn a_keyword_without_a_value_at_the_very_end_stays_there() {
    let world = || laptop(&[("Server", "dev"), ("TrustServerCertificate", "Yes"), ("Database", "Sales")]);
    for keyword in ["TrustServerCertificate", "Database", "Encrypt", "Trusted_Connection", "MARS_Connection", "UID"] {
        let (target, returned) = strings(&world(), &format!("DSN=Loopback;UID=u;PWD=p;{keyword}="));
        assert_eq!(target, format!("DSN=Loopback;UID=u;PWD=p;{keyword}="));
        // Reading it again gives the same.
        assert_eq!(returned, format!("DSN=Loopback;UID=u;PWD=p;{keyword}=;"));
    }
    // In a session nothing is added besides, and the keyword still means that there is no value.
    let string = given(&satellite(), "DSN=Loopback;TrustServerCertificate=");
    assert!(string.ends_with(";Trusted_Connection=no;Encrypt=Yes;TrustServerCertificate="), "{string}");
    assert_eq!(given(&satellite(), "DSN=Loopback;Server="), given(&satellite(), "DSN=Loopback"));
    assert!(given(&satellite(), "DSN=Loopback;Trusted_Connection=").ends_with(";Encrypt=Yes;Trusted_Connection="));
}

#[test]
fn a_section_certificate_is_ignored_with_another_login() {
    let section = [("Server", "dev"), ("ClientCertificate", "file:/c"), ("ClientKey", "file:/k")];
    let world = laptop(&section).file("/c", "DER").file("/k", "DER");
    assert_eq!(given(&world, "DSN=Loopback;Trusted_Connection=Yes"), "ClientCertificate=;Trusted_Connection=Yes");
    let world = world
        .variable(CERTIFICATE_VARIABLE, "/e")
        .variable(KEY_VARIABLE, "/f")
        .file("/e", CERTIFICATE_PEM)
        .file("/f", KEY_PEM);
    assert_eq!(given(&world, "DSN=Loopback;UID=u;PWD=p"), "ClientCertificate=;UID=u;PWD=p");
    // If the driver logs in by other means, a key still needs its certificate.
    let string = "DSN=Loopback;ClientCertificate=file:/c;ClientKey=file:/k;Trusted_Connection=Yes";
    assert!(given(&laptop(&[("Server", "dev")]), string).contains("Trusted_Connection=Yes"));
}

#[test]
fn an_authentication_value_the_driver_ignores_is_not_a_login() {
    let world = |value| satellite().section(Profile::Odbc, "Own", &[("Authentication", value)]);
    assert_eq!(given(&world("wrong"), "DSN=Own"), given(&satellite(), "DSN=Loopback"));
    assert!(!given(&world("activedirectorymsi"), "DSN=Own").contains("ClientCertificate"));
}

#[test]
fn an_invalid_official_string_is_refused() {
    let world = satellite().variable(STRING_VARIABLE, "Driver={ODBC Driver 17");
    let failure = try_rewrite(&world, "DSN=Loopback").unwrap_err();
    assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
    assert!(failure.text.contains(STRING_VARIABLE) && failure.text.contains("rxGetSqlLoopback"), "{}", failure.text);
    // The loaded driver is another one.
    let other = [(STRING_VARIABLE, "Driver=ODBC Driver 11 for SQL Server;Server=.")];
    let world = satellite().section(Profile::Odbc, "Other", &other);
    assert_eq!(try_rewrite(&world, "DSN=Other").unwrap_err().state, Sqlstate::INVALID_VALUE);
}

#[test]
fn on_windows_the_plain_case_is_the_documented_string() {
    let world = Fixture::default().windows().section(Profile::Odbc, "Loopback", &[]);
    for (driver, version, constants) in [
        ("SQLSRV32.DLL", "10.00.17763.01", ""),
        ("msodbcsql11.dll", "12.00.5543", ""),
        ("msodbcsql17.dll", "17.10.0006", ""),
        ("msodbcsql18.dll", "18.06.0002", "TrustServerCertificate=Yes;"),
    ] {
        // Source: Microsoft, "Loopback connection to SQL Server from a Python or R script", connection string on
        // Windows.
        let expected = format!("Server=.;Database=nameOfDatabase;{constants}Trusted_Connection=Yes;");
        let kind = Kind::new(driver, version);
        let rewritten = rewrite_for(&kind, &world, "DRIVER=x;Database=nameOfDatabase").unwrap();
        let string = String::from_utf16(&rewritten.target_string()).unwrap();
        assert_eq!(string, format!("Driver=ODBC Driver 17 for SQL Server;{expected}"), "{driver}");
        let rewritten = rewrite_for(&kind, &world, "DSN=Loopback;Database=nameOfDatabase").unwrap();
        assert_eq!(String::from_utf16(&rewritten.target_string()).unwrap(), format!("DSN=Loopback;{expected}"));
    }
}

#[test]
fn on_windows_a_given_server_or_login_is_left_alone() {
    let world = Fixture::default().windows().instance("SALES", "MSSQL16.SALES").section(Profile::Odbc, "Loopback", &[]);
    let kind = Kind::new("msodbcsql18.dll", "18.06.0002");
    for (given, expected) in [
        ("Server=tcp:dev,1433;UID=u;PWD=p", "Server=tcp:dev,1433;UID=u;PWD=p"),
        ("Server=dev", "Server=dev;Trusted_Connection=Yes"),
        ("UID=u;PWD=p", "Server=.\\SALES;TrustServerCertificate=Yes;UID=u;PWD=p"),
    ] {
        let rewritten = rewrite_for(&kind, &world, &format!("DSN=Loopback;{given}")).unwrap();
        let string = String::from_utf16(&rewritten.target_string()).unwrap();
        assert_eq!(string, format!("DSN=Loopback;{expected};"), "{given}");
    }
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn added_values_do_not_override_connection_attributes() {
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let world = || satellite().file("/official/cert.pem", CERTIFICATE_PEM).file("/official/key.pem", KEY_PEM);
    let strings = |world: &Fixture, attributes: &[(i32, bool)], given: &str| {
        let string = utf16(&format!("DSN=Loopback{given}"));
        let rewritten = rewrite_with(&kind, world, &string, attributes).unwrap();
        String::from_utf16(&rewritten.target_string()).unwrap()
    };
    let plain = strings(&world(), &[], "");
    assert_eq!(strings(&world(), &[(1203, false)], ""), plain.replace(";Trusted_Connection=no", ""));
    assert_eq!(strings(&world(), &[(109, true)], ";Database=Own"), strings(&world(), &[], ";Database=Own"));
    let official = world().variable(STRING_VARIABLE, OFFICIAL);
    let plain = strings(&official, &[], "");
    assert!(plain.contains(";Database=Printed;"), "{plain}");
    assert_eq!(strings(&official, &[(109, true)], ""), plain.replace(";Database=Printed", ""));
    // These attributes are stronger than the string in the driver.
    for passed_on in [101, 1223, 1224, 1228] {
        assert_eq!(preset::keyword(passed_on, true), None);
    }
}

#[test]
fn an_access_token_is_a_way_to_log_in() {
    let kind = Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let string = |world: &Fixture, attributes: &[(i32, bool)]| {
        let rewritten = rewrite_with(&kind, world, &utf16("DSN=Loopback"), attributes)?;
        Ok::<_, Failure>(String::from_utf16(&rewritten.target_string()).unwrap())
    };
    let world = laptop(&[("Server", "dev"), ("UID", "u"), ("PWD", "p")]);
    assert_eq!(string(&laptop(&[("Server", "dev")]), &[(1256, true)]).unwrap(), "DSN=Loopback");
    // With a user from the section the driver would refuse the token.
    assert_eq!(string(&world, &[(1256, true)]).unwrap(), "DSN=Loopback");
    // A token that was reset does not count.
    assert_eq!(string(&world, &[(1256, false)]).unwrap(), "DSN=Loopback;UID=u;PWD=p");
    assert!(string(&laptop(&[("Server", "dev")]), &[(1256, false)]).is_err());
}

#[test]
#[cfg_attr(windows, ignore = "it shows paths of Linux, which are joined with a backslash there")]
fn a_trusted_connection_without_a_server_is_the_session_s() {
    let session = format!("Server=fe80::8012:3df5:0:5db1%eth0;{};{CONSTANTS}", session_files());
    assert_eq!(given(&satellite(), "DSN=Loopback;Trusted_Connection=Yes"), session);
    let section = satellite().section(Profile::Odbc, "Trusted", &[("Trusted_Connection", "yes")]);
    assert_eq!(given(&section, "DSN=Trusted"), session);
    assert_eq!(given(&satellite(), "DSN=Loopback;Server=s;Trusted_Connection=yes"), "Server=s;Trusted_Connection=yes");
    // Values for the session from the environment count.
    let files = |world: Fixture| world.file("/official/cert.pem", CERTIFICATE_PEM).file("/official/key.pem", KEY_PEM);
    let with_server = satellite().variable(SERVER_VARIABLE, "fe80::1%eth0");
    let trusted = "DSN=Loopback;Trusted_Connection=Yes";
    assert_eq!(given(&with_server, trusted), session.replace("fe80::8012:3df5:0:5db1%eth0", "fe80::1%eth0"));
    let with_pair = files(satellite())
        .variable(CERTIFICATE_VARIABLE, "/official/cert.pem")
        .variable(KEY_VARIABLE, "/official/key.pem");
    assert!(given(&with_pair, trusted).contains("ClientCertificate=file:/official/cert.pem;"));
    let with_string = files(satellite()).variable(STRING_VARIABLE, OFFICIAL);
    assert!(given(&with_string, trusted).contains("Server=fe80::77%eth0,1500;Database=Printed;ClientCertificate="));
    // A development server with Kerberos.
    let section = [("Server", "dev")];
    assert_eq!(given(&laptop(&section), trusted), "Trusted_Connection=Yes");
    // Outside a session it means nothing.
    let failure = try_rewrite(&laptop(&[]), "DSN=Loopback;Trusted_Connection=Yes").unwrap_err();
    assert!(failure.text.contains("A login is configured"), "{}", failure.text);
}

#[test]
fn a_non_ascii_application_keyword_is_not_added_from_another_source() {
    let world = satellite().variable(STRING_VARIABLE, "Server=fe80::5%eth0;Gr\u{f6}\u{df}e=environment;Other=o");
    let string = given(&world, "DSN=Loopback;GR\u{f6}\u{df}E=own");
    assert!(string.ends_with(";GR\u{f6}\u{df}E=own;Other=o"), "{string}");
}
