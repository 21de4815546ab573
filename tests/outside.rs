//! Outside SQL Server: on a machine that is not a satellite, through unixODBC, with the real driver.

mod common;

use common::server::Server;
use common::{Ran, Registrations, assert_says, compile, library, part, project};
use std::fs;
use std::process::Command;

/// All diagnostic records that isql shows for a connect that must fail.
#[track_caller]
fn isql_records(registrations: &Registrations) -> Vec<String> {
    let ran = Ran::of(registrations.command(part("ISQL")).args(["-v", "Loopback"]));
    assert_ne!(ran.status, 0, "{}", ran.stdout);
    ran.says(&["Could not SQLConnect"]).lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect()
}

/// odbcinst.ini with this library, more lines for its section, and more sections.
fn registered(own: &str, others: &str) -> Registrations {
    let odbcinst = format!("[SQL Server Loopback]\nDriver={}\n{own}\n{others}\n", library().display());
    Registrations::new(&odbcinst, "[Loopback]\nDriver=SQL Server Loopback\n")
}

#[test]
fn without_session_and_server_the_first_record_says_what_to_do() {
    let text = Registrations::usual("").refusal("DSN=Loopback");
    assert_says(
        &text,
        &[
            "[08001] [loopback-odbc] No server and no login are configured. Add Server=, and UID= with PWD=",
            "/var/opt/mssql-extensibility/data",
            "section [Loopback] of odbc.ini",
            "Server=",
        ],
    );
}

#[test]
fn the_further_records_list_each_place_searched() {
    let registrations = Registrations::usual("");
    let records = isql_records(&registrations);
    assert_eq!(records.len(), 5, "{records:?}");
    assert!(
        records.iter().take(4).all(|record| record.starts_with("[08001][unixODBC][loopback-odbc] ")),
        "{records:?}"
    );
    assert_says(
        &records[1],
        &["working directory", registrations.path("").display().to_string().trim_end_matches('/')],
    );
    assert_says(&records[2], &["data directory /var/opt/mssql-extensibility/data"]);
    assert_says(&records[3], &["command lines: no certificate and key on the command lines of ", " processes"]);
}

#[test]
fn the_example_scripts_give_the_same_first_error() {
    let registrations = Registrations::usual("");
    let python = Ran::of(registrations.command(part("PYTHON")).arg(project("examples/loopback.py")));
    let r = Ran::of(registrations.command(part("RSCRIPT")).arg(project("examples/loopback.R")));
    for ran in [python, r] {
        assert!(ran.status > 0, "{ran:?}");
        ran.says(&["08001", "[loopback-odbc] No server and no login are configured"]);
    }
}

#[test]
fn with_a_development_server_in_the_section_the_same_scripts_run() {
    let server = Server::start();
    let registrations = Registrations::usual(&server.section());
    let log = registrations.path("odbc.log");
    for (program, script, read) in
        [("PYTHON", "examples/loopback.py", "Bjørn & Sønner"), ("RSCRIPT", "examples/loopback.R", "Bjørn & Sønner")]
    {
        let mut command = registrations.command(part(program));
        command.arg(project(script)).env("LOOPBACK_ODBC_LOG", "trace").env("LOOPBACK_ODBC_LOG_FILE", &log);
        Ran::of(&mut command).ok().says(&["Orders:", read, "written and read back"]);
    }
    let logins = server.logins();
    assert_eq!(logins.len(), 2, "{logins:?}");
    assert_says(&logins[0], &["result=ok", "client_certificate=none", "user=\"developer\"", "database=\"Sales\""]);
    // Nothing was discovered, nothing was added, and the password is not in the log.
    let log = fs::read_to_string(log).unwrap();
    for given in ["DSN=Loopback;Database=Sales;UID=developer;PWD=***\n", "DSN=Loopback;UID=developer;PWD=***\n"] {
        assert_says(&log, &[&format!("connecting with: {given}")]);
    }
    assert!(!log.contains("cr}et") && !log.contains("Certificate and key") && !log.contains("Server, "), "{log}");
}

#[test]
fn sqlconnect_arguments_log_in_and_a_wrong_password_is_refused() {
    let server = Server::start();
    let registrations = Registrations::usual(&server.section_without_login());
    let query = registrations.path("query.sql");
    fs::write(&query, "SELECT COUNT(*) FROM Sales.dbo.Orders\n").unwrap();
    let isql = |password: &str| {
        let mut command = registrations.command("sh");
        command.args(["-c", "exec \"$0\" -b -v Loopback developer \"$1\" < query.sql"]).arg(part("ISQL")).arg(password);
        // Where isql writes its history.
        Ran::of(command.env("HOME", registrations.path("")))
    };
    isql("se;cr}et").ok().says(&["| 12 "]);
    let refused = isql("wrong");
    refused.says(&["Login failed for user 'developer'"]);
    assert!(!refused.stdout.contains("loopback-odbc"), "{refused:?}");
}

#[test]
fn without_a_target_the_record_says_which_driver_to_install() {
    let text = registered("", "").refusal("DSN=Loopback");
    assert_says(&text, &["[IM003] [loopback-odbc] No Microsoft ODBC driver", "Install ODBC Driver 18 for SQL Server"]);
    assert_says(&text, &["TargetDriver", "LOOPBACK_ODBC_TARGET_DRIVER"]);
}

#[test]
fn a_target_that_is_this_library_is_refused() {
    let registrations = registered("TargetDriver=SQL Server Loopback\n", "");
    assert_says(&registrations.refusal("DSN=Loopback"), &["[IM003]", "this is loopback-odbc itself"]);
    // The same for a copy of it.
    let copy = registrations.path("copy.so");
    fs::copy(library(), &copy).unwrap();
    let text = registrations.refusal_with("DSN=Loopback", &[("LOOPBACK_ODBC_TARGET_DRIVER", copy.to_str().unwrap())]);
    assert_says(&text, &["[IM003]", "copy.so: this is loopback-odbc itself"]);
}

#[test]
fn two_registrations_of_one_file_with_different_targets_are_refused() {
    let odbcinst = format!("TargetDriver=A\n[Second]\nDriver={}\nTargetDriver=B\n", library().display());
    let text = registered(&odbcinst, "").refusal("DSN=Loopback");
    assert_says(&text, &["[IM003]", "[SQL Server Loopback] has TargetDriver=A", "[Second] has TargetDriver=B"]);
}

#[test]
fn another_target_driver_in_the_string_is_refused_before_anything_is_discovered() {
    let text = Registrations::usual("").refusal("DSN=Loopback;TargetDriver=ODBC Driver 17 for SQL Server");
    assert_says(&text, &["[HY024] [loopback-odbc]", "TargetDriver=ODBC Driver 17 for SQL Server", "register a copy"]);
    assert_says(&text, &["ODBC Driver 18 for SQL Server (", part("MSODBCSQL").to_str().unwrap()]);
}

#[test]
fn a_second_copy_has_a_target_of_its_own() {
    let registrations = Registrations::usual("");
    let copy = registrations.path("second.so");
    fs::copy(library(), &copy).unwrap();
    let odbcinst = fs::read_to_string(registrations.path("odbcinst.ini")).unwrap()
        + &format!("[Second]\nDriver={}\nTargetDriver=nowhere\n", copy.display());
    fs::write(registrations.path("odbcinst.ini"), odbcinst).unwrap();
    assert_says(&registrations.refusal("DSN=Loopback"), &["[08001]"]);
    assert_says(&registrations.refusal("DRIVER={Second}"), &["[IM003]", "section [Second]", "nowhere"]);
}

#[test]
fn a_string_too_long_for_the_api_is_refused() {
    // Short enough for pyodbc and the driver manager, but too long with the additions.
    let filler = "x".repeat(32_745);
    let text =
        Registrations::usual("Server=nowhere.invalid\nUID=u\nPWD=p\n").refusal(&format!("DSN=Loopback;APP={filler}"));
    assert_says(&text, &["[HY090] [loopback-odbc]", "32767"]);
    let length =
        text.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse::<usize>().ok().filter(|&n| n > 32_767));
    assert!(length.is_some(), "{text}");
}

#[test]
fn the_checks_come_in_their_order() {
    let variables = [("LOOPBACK_ODBC_TARGET_DRIVER", "nowhere")];
    let filler = "x".repeat(32_745);
    let string = format!("DSN=Loopback;TargetDriver=other;APP={filler}");
    let registrations = Registrations::usual("");
    assert_says(&registrations.refusal_with(&string, &variables), &["[IM003]"]);
    assert_says(&registrations.refusal(&string), &["[HY024]"]);
    assert_says(&registrations.refusal(&format!("DSN=Loopback;APP={filler}")), &["[08001]"]);
}

#[test]
fn a_section_that_is_not_utf8_is_named() {
    let registrations = Registrations::usual("");
    fs::write(registrations.path("odbc.ini"), b"[Loopback]\nDriver=SQL Server Loopback\nPWD=geheim\xfc\n").unwrap();
    assert_says(
        &registrations.refusal("DSN=Loopback"),
        &["[08001]", "Section [Loopback] of odbc.ini", "value of PWD", "not UTF-8"],
    );
}

#[test]
fn an_unwritable_log_file_is_reported() {
    let registrations = Registrations::usual("");
    let mut command = registrations.command(part("PYTHON"));
    command.env("LOOPBACK_ODBC_LOG", "error").env("LOOPBACK_ODBC_LOG_FILE", "/nonexistent/log");
    let ran = Ran::of(command.arg("-c").arg(common::CONNECT_AND_FAIL).arg("DSN=Loopback")).ok();
    assert_says(
        &ran.stderr,
        &["LOOPBACK_ODBC_LOG_FILE=/nonexistent/log cannot be opened", "ERROR: refused with 08001"],
    );
}

#[test]
fn direct_calls_survive_a_late_target_and_threads() {
    let registrations = Registrations::usual("");
    let mut command = registrations.command(part("PYTHON"));
    command.arg(project("tests/programs/direct.py")).arg(library()).env("MSODBCSQL", part("MSODBCSQL"));
    let said = Ran::of(&mut command).ok().stdout;
    let observations: Vec<&str> = said.lines().collect();
    assert_eq!(
        observations,
        ["absent handles: ok", "a living absent handle keeps the absent target: ok", "threads: ok", "records: ok",]
    );
}

#[test]
fn no_handle_of_the_absent_target_reaches_one_that_comes_later() {
    let registrations = Registrations::usual("");
    let (race, built) = (registrations.path("race"), part("RECORDING_TARGET"));
    compile("tests/programs/race.c", &race, &["-ldl", "-lpthread"]);
    // Without the lock that this tests, four out of ten processes failed.
    for attempt in 0..60 {
        let (ready, target) = (registrations.path("ready.so"), registrations.path(&format!("target{attempt}.so")));
        fs::copy(&built, &ready).unwrap();
        let mut command = registrations.command(&race);
        command.arg(library()).arg(&ready).arg(&target).env("LOOPBACK_ODBC_TARGET_DRIVER", &target);
        Ran::of(&mut command).ok();
    }
}

#[test]
fn the_second_best_target_serves_when_the_best_cannot_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("seventeen.so");
    fs::copy(part("RECORDING_TARGET"), &target).unwrap();
    let drivers = format!(
        "[ODBC Driver 18 for SQL Server]\nDriver=/nonexistent.so\n[ODBC Driver 17 for SQL Server]\nDriver={}\n",
        target.display()
    );
    let text = registered("", &drivers).refusal("DSN=Loopback;TargetDriver=x");
    assert_says(&text, &["[HY024]", "ODBC Driver 17 for SQL Server (", "seventeen.so"]);
}

#[test]
fn other_sections_of_odbcinst_ini_may_be_in_any_encoding() {
    let registrations = Registrations::usual("");
    let mut odbcinst = fs::read(registrations.path("odbcinst.ini")).unwrap();
    odbcinst.extend(b"[Other]\nDescription=Treiber f\xfcr anderes\nDriver=/opt/\xe4.so\n");
    fs::write(registrations.path("odbcinst.ini"), odbcinst).unwrap();
    assert_says(&registrations.refusal("DSN=Loopback"), &["[08001]", "this does not look like one"]);
}

#[test]
fn a_registration_by_bare_file_name_is_recognized_as_ours() {
    let odbcinst = "[SQL Server Loopback]\nDriver=libloopbackodbc.so\nTargetDriver=nowhere\n";
    let registrations = Registrations::new(odbcinst, "[Loopback]\nDriver=SQL Server Loopback\n");
    fs::copy(library(), registrations.path("libloopbackodbc.so")).unwrap();
    let path = format!("{}:{}", registrations.path("").display(), part("UNIXODBC_LIB").display());
    let text = registrations.refusal_with("DSN=Loopback", &[("LD_LIBRARY_PATH", &path)]);
    assert_says(&text, &["[IM003]", "section [SQL Server Loopback]", "nowhere"]);
}

#[test]
fn a_certificate_that_is_a_pipe_does_not_block_the_connect() {
    let registrations = Registrations::usual("");
    let pipe = registrations.path("pipe");
    Ran::of(Command::new("mkfifo").arg(&pipe)).ok();
    let variables =
        [("LOOPBACK_ODBC_CLIENT_CERTIFICATE", pipe.to_str().unwrap()), ("LOOPBACK_ODBC_CLIENT_KEY", "/nonexistent")];
    let text = registrations.refusal_with("DSN=Loopback", &variables);
    assert_says(&text, &["[08001]", "/pipe cannot be read: it is not a file"]);
}

#[test]
fn passwords_of_keys_are_not_shown() {
    let registrations = Registrations::usual("");
    let text = registrations.refusal("DSN=Loopback;ClientKey=file:/k.pem,password:hunter2");
    assert_says(&text, &["[08001]", "/k.pem,***"]);
    let variables = [
        ("LOOPBACK_ODBC_CLIENT_CERTIFICATE", "/c.pem,password:hunter2"),
        ("LOOPBACK_ODBC_CLIENT_KEY", "file:/k.pem,password:hunter2"),
    ];
    let text = registrations.refusal_with("DSN=Loopback", &variables);
    assert_says(&text, &["[08001]", "client certificate /c.pem cannot be read"]);
    assert!(!text.contains("hunter2"), "{text}");
    // A key in the string with a certificate in the environment: only the file in the variable is checked.
    let text = registrations.refusal_with("DSN=Loopback;ClientKey=x", &variables);
    assert_says(&text, &["[08001]", "client certificate /c.pem cannot be read"]);
}
