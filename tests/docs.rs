//! Checks the documentation: its links lead somewhere, the quoted messages of driver managers are real, and its scripts
//! run. What can be compared with the code without running anything is in src/documented.rs.

mod common;

use common::{Ran, Registrations, assert_says, library, part, project};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// The pages that readers reach by links.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(project("docs")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "CONTRIBUTING.md", "standin/README.md", "tests/README.md"].map(project);
    let pages: Vec<PathBuf> = docs.chain(others).collect();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The part after `#` in a link to a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for page in pages() {
        let contents = text(&page);
        let targets = contents.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            if !heading.is_empty() {
                let headings: Vec<String> =
                    text(&file).lines().filter(|line| line.starts_with('#')).map(anchor).collect();
                assert!(headings.iter().any(|known| known == heading), "{}: {target}", page.display());
            }
        }
    }
}

#[test]
fn every_page_is_reachable_from_the_readme() {
    let mut reached = BTreeSet::from([project("README.md").canonicalize().unwrap()]);
    loop {
        let links = reached.iter().flat_map(|page| {
            let contents = text(page);
            let targets = contents.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap().to_owned());
            targets.filter_map(|target| page.parent().unwrap().join(target).canonicalize().ok()).collect::<Vec<_>>()
        });
        let found: BTreeSet<PathBuf> = links.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
        let before = reached.len();
        reached.extend(found);
        if reached.len() == before {
            break;
        }
    }
    for page in pages() {
        assert!(reached.contains(&page.canonicalize().unwrap()), "no link leads to {}", page.display());
    }
}

// --- docs/troubleshooting.md ---

/// Checks that a message matches the quotation on the page; `...` in the quotation matches anything.
#[track_caller]
fn is_quoted(message: &str, beginning: &str) {
    let page = text(project("docs/troubleshooting.md"));
    let spans: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|span| span.starts_with(beginning)).collect();
    assert!(!spans.is_empty(), "{beginning:?} is not quoted");
    for span in spans {
        assert_says(message, &span.split("...").collect::<Vec<_>>());
    }
}

#[test]
fn real_unixodbc_messages_are_quoted() {
    let nothing = Registrations::new("", "");
    is_quoted(&nothing.refusal("DSN=Loopback"), "[IM002] [unixODBC]");
    let hidden = Registrations::new("", "[Loopback]\nDriver=/usr/local/lib/libloopbackodbc.so\n");
    is_quoted(&hidden.refusal("DSN=Loopback"), "[01000] [unixODBC]");
    // The data source names a driver that is not registered.
    let unregistered = Registrations::new("", "[Loopback]\nDriver=SQL Server Loopback\n");
    is_quoted(&unregistered.refusal("DSN=Loopback"), "[IM002] [unixODBC]");
    // A section without a driver, a misspelt data source, and a misspelt driver.
    let usual = Registrations::usual("");
    fs::write(usual.path("odbc.ini"), "[Loopback]\nServer=x\n").unwrap();
    for dsn in ["Loopback", "Lopback"] {
        is_quoted(&usual.refusal(&format!("DSN={dsn}")), "[IM002] [unixODBC]");
    }
    let misspelt = usual.refusal("DRIVER={SQL Server Lopback}");
    is_quoted(&misspelt, "[01000] [unixODBC]");
    assert_says(&misspelt, &["'SQL Server Lopback'"]);
}

#[test]
fn messages_about_an_invalid_target_are_quoted() {
    let registrations = Registrations::usual("");
    let refused = |target: &Path| {
        registrations.refusal_with("DSN=Loopback", &[("LOOPBACK_ODBC_TARGET_DRIVER", target.to_str().unwrap())])
    };
    is_quoted(&refused(&library()), "this is loopback-odbc");
    is_quoted(&refused(&part("UNIXODBC_LIB").join("libodbcinst.so.2")), "it does not export");
}

#[test]
fn the_readme_quotes_messages_that_the_page_explains() {
    let readme = text(project("README.md"));
    let section = readme.split("## When it does not work").nth(1).unwrap().split("\n## ").next().unwrap();
    let messages = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let messages: Vec<&str> = messages.map(|line| line.split(" | ").next().unwrap()).collect();
    assert!(messages.len() > 3, "{section}");
    let page = text(project("docs/troubleshooting.md"));
    for message in messages {
        assert_says(
            &page,
            &message.split(['`', ',']).flat_map(|it| it.split("...")).map(str::trim).collect::<Vec<_>>(),
        );
    }
}

/// Connects with ANSI functions and prints the records.
const BY_IODBC: &str = "
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
environment, connection = ctypes.c_void_p(), ctypes.c_void_p()
library.SQLAllocHandle(1, None, ctypes.byref(environment))
library.SQLSetEnvAttr(environment, 200, ctypes.c_void_p(3), 0)
library.SQLAllocHandle(2, environment, ctypes.byref(connection))
assert library.SQLDriverConnect(connection, None, b'DSN=Loopback', -3, None, 0, None, 0) & 0xffff == 0xffff
for number in range(1, 9):
    state, text = ctypes.create_string_buffer(6), ctypes.create_string_buffer(600)
    if library.SQLGetDiagRec(2, connection, number, state, None, text, 600, None):
        break
    print('[%s] %s' % (state.value.decode(), text.value.decode('latin-1')))
";

#[test]
fn the_real_iodbc_message_is_quoted() {
    let hidden = Registrations::new("", "[Loopback]\nDriver=/usr/local/lib/libloopbackodbc.so\n");
    let mut command = hidden.command(part("PYTHON"));
    command.env("ODBCINI", hidden.path("odbc.ini")).env("ODBCINSTINI", hidden.path("odbcinst.ini"));
    let ran = Ran::of(command.arg("-c").arg(BY_IODBC).arg(part("IODBC_LIB").join("libiodbc.so.2"))).ok();
    is_quoted(&ran.stdout, "[IM003] [iODBC]");
}

#[test]
fn the_refusals_that_need_a_driver_manager_are_quoted() {
    let long = format!("DSN=Loopback;APP={}", "x".repeat(32_745));
    let server = Registrations::usual("Server=nowhere.invalid\nUID=u\nPWD=p\n");
    is_quoted(&server.refusal(&long), "[HY090] [loopback-odbc]");
    let registrations = Registrations::usual("");
    fs::write(registrations.path("odbc.ini"), b"[Loopback]\nDriver=SQL Server Loopback\nPWD=geheim\xfc\n").unwrap();
    is_quoted(&registrations.refusal("DSN=Loopback"), "[08001] [loopback-odbc] Section");
}

// --- Scripts ---

/// The scripts in a text's calls of `sp_execute_external_script`, for one language.
fn scripts(source: &str, language: &str) -> Vec<String> {
    let calls = source.split("EXECUTE sp_execute_external_script @language = N'").skip(1);
    let calls = calls.filter_map(|call| call.strip_prefix(language)?.strip_prefix('\''));
    let scripts = calls.map(|call| call.split_once("@script = N'\n").unwrap().1.split_once('\'').unwrap());
    scripts
        .map(|(script, rest)| {
            // A quotation mark in the script would have to be doubled.
            assert!(rest.starts_with([';', ',']), "{script}");
            script.to_owned()
        })
        .collect()
}

const CONFIRM: &str = "examples/confirm.sql";

/// Runs a script in the satellite setting, with these options of `scripts/satellite`.
fn in_a_session(options: &[&str], program: &str, script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    fs::write(&file, script).unwrap();
    let mut command = Command::new(project("scripts/satellite"));
    command.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
    command.arg("--script").arg(file).args(options).args(["--", program, "script"]);
    Ran::of(&mut command).ok().stdout
}

/// The line numbers that a script prints, each with its verdict.
fn verdicts(said: &str) -> Vec<(&str, &str)> {
    said.lines()
        .map(|line| {
            let (head, rest) = line.split_once(" | expected: ").unwrap_or_else(|| panic!("{said}"));
            assert!(rest.contains(" | found: "), "{line}");
            head.split_once(' ').map(|(number, verdict)| (number, verdict.trim())).unwrap()
        })
        .collect()
}

/// The numbers of inferences in a text, each after this mark.
fn numbers(text: &str, mark: &str) -> BTreeSet<String> {
    let after = text.split(mark).skip(1);
    let numbers = after.map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>());
    numbers
        .filter(|number| number.starts_with(['L', 'W', 'M']))
        .filter(|number| number[1..].parse::<u8>().is_ok())
        .collect()
}

#[test]
fn the_script_has_a_line_for_every_inference_and_no_other() {
    let documented = numbers(&text(project("docs/discovery.md")), "\n| ");
    assert!(documented.len() > 20, "{documented:?}");
    let source = text(project(CONFIRM));
    let python = &scripts(&source, "Python")[0];
    let mut asked = numbers(python, "line(\"");
    // One line has two numbers; the edition determines which.
    assert!(python.contains("line(\"M2\" if edition == 8 else \"W9\","));
    asked.insert("W9".to_owned());
    assert_eq!(asked, documented);
    let by_r = numbers(&scripts(&source, "R")[0], "line(\"");
    assert!(by_r.len() > 5 && by_r.is_subset(&documented), "{by_r:?}");
    // Every inference that other pages refer to exists.
    for page in pages() {
        let contents = text(&page);
        let named = contents.split(['(', ',', '|', ' ', ')', '\n']).map(|word| word.trim_matches(['.', ';', ':']));
        let named =
            named.filter(|word| word.len() < 4 && word.starts_with(['L', 'W']) && word[1..].parse::<u8>().is_ok());
        for number in named {
            assert!(documented.contains(number), "{}: {number}", page.display());
        }
    }
}

#[test]
fn the_script_s_python_runs_in_a_session() {
    let script = format!("edition = 3\n{}", scripts(&text(project(CONFIRM)), "Python")[0]);
    let said = in_a_session(&["--env", "LOOPBACK_ODBC_LOG=off"], "/usr/bin/python3", &script);
    let expected = [
        ("L1", "yes"),
        ("L2", "yes"),
        // Nothing names the session in this setting.
        ("L3", "no"),
        ("L4", "yes"),
        ("L5", "yes"),
        ("L6", "yes"),
        ("L7", "yes"),
        ("L8", "yes"),
        ("L9", "yes"),
        ("L10", "yes"),
        ("L11", "yes"),
        // There is no route.
        ("L12", "no"),
        ("L13", "yes"),
        ("L14", "yes"),
        ("L15", "yes"),
        ("L16", "yes"),
        // There is no revoscalepy.
        ("L17", "?"),
        ("L18", "yes"),
        ("L19", "yes"),
    ];
    assert_eq!(verdicts(&said), expected, "{said}");
    assert_says(
        &said,
        &[
            "found: -----BEGIN CERTIFICATE----- 644 10003:10001; -----BEGIN RSA PRIVATE KEY----- 640 10003:10001\n",
            "'organizationName': 'Microsoft Corporation'",
            "found: ['fe80::8012:3df5:0:5db1%eth0'] of 1 connections\n",
            "found: fe80::8012:3df5:0:5db1%eth0 answers on [1433]\n",
        ],
    );
    // It shows names of variables but no values, and only the first line of a key.
    assert!(!said.contains("LOOPBACK_ODBC_LOG=") && said.matches("PRIVATE KEY").count() == 1, "{said}");
}

#[test]
fn the_script_s_python_says_what_is_otherwise() {
    let script = format!("edition = 3\n{}", scripts(&text(project(CONFIRM)), "Python")[0]);
    let prepare =
        "mkdir $DATA_DIR/second && cp -p $LAUNCHPAD_DIR/*.pem $DATA_DIR/second/ && chmod 644 $LAUNCHPAD_DIR/*.pem
        ip -6 route add default via fe80::8012:3df5:0:5db1 dev eth0
        chmod 770 $LAUNCHPAD_DIR && chgrp 10002 $LAUNCHPAD_DIR && chmod o+x $LAUNCHPAD_DIR";
    let said = in_a_session(&["--prepare", prepare, "--ended-channel"], "/usr/bin/python3", &script);
    let verdicts = verdicts(&said);
    let expected = [
        ("L1", "yes"),
        ("L2", "no"),
        ("L4", "no"),
        ("L9", "no"),
        ("L10", "no"),
        ("L11", "yes"),
        ("L12", "yes"),
        ("L16", "?"),
        ("L18", "no"),
        ("L19", "no"),
    ];
    for line in expected {
        assert!(verdicts.contains(&line), "{line:?}: {said}");
    }
}

#[test]
fn the_script_s_r_runs_in_a_session() {
    let said = in_a_session(&[], "/usr/bin/Rscript", &scripts(&text(project(CONFIRM)), "R")[0]);
    assert_eq!(verdicts(&said), [("L1", "yes"), ("L2", "yes"), ("L3", "no"), ("L16", "?")], "{said}");
}

/// Simulates the answers of Windows, for the lines about Windows, which have never run there.
const AS_ON_WINDOWS: &str = r#"
import configparser, ctypes, getpass, glob, ipaddress, os, platform, re, socket, ssl, struct, sys, time, types
folder = "C:\\Program Files\\Microsoft SQL Server\\MSSQL15.SALES\\MSSQL"
values = {r"SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL": [("SALES", "MSSQL15.SALES", 1)],
          r"SOFTWARE\ODBC\ODBCINST.INI\ODBC Drivers": [("SQL Server", "Installed", 1), ("ODBC Driver 11 for SQL Server", "Installed", 1)]}
class Key(str):
    __enter__ = lambda self: self
    __exit__ = lambda self, *_: None
sys.modules["winreg"] = types.SimpleNamespace(
    HKEY_LOCAL_MACHINE=0, OpenKey=lambda _, path: Key(path), QueryInfoKey=lambda key: (0, len(values[key]), 0),
    EnumValue=lambda key, at: values[key][at])
as_written = folder + "\\x.exe \"sqlSatellitePath=" + folder + "\\Binn\\sqlsatellite.dll\""
ctypes.windll = types.SimpleNamespace(kernel32=types.SimpleNamespace(GetCommandLineW=type("F", (), {"__call__": lambda self: as_written})()))
sys.executable = folder + "\\python.exe"
os.environ["MRS_EXTLIB_SHARED_PATH"] = folder
os.getcwd = lambda: folder
getpass.getuser = lambda: "MSSQLLaunchpad$SALES"
sys.modules["pyodbc"] = None
os.name = "nt"
"#;

#[test]
fn the_script_s_lines_for_windows_run_with_stand_ins() {
    let python = &scripts(&text(project(CONFIRM)), "Python")[0];
    let run = |edition: u8| {
        let script = format!("{AS_ON_WINDOWS}\nedition = {edition}\n{python}");
        Ran::of(Command::new(part("PYTHON")).arg("-c").arg(script)).ok().stdout
    };
    let said = run(3);
    let found: Vec<_> = verdicts(&said).into_iter().filter(|(number, _)| *number != "W7").collect();
    let yes = |number| (number, "yes");
    let expected = [yes("W1"), yes("W2"), yes("W3"), yes("W4"), yes("W5"), yes("W6"), ("W8", "?"), yes("W9")];
    assert_eq!(found, expected, "{said}");
    let said = run(8);
    let found = verdicts(&said);
    assert!(found.contains(&yes("M1")) && found.contains(&yes("M2")) && !found.contains(&yes("W9")), "{said}");
}

#[test]
fn the_readme_s_scripts_run_in_a_session() {
    let page = text(project("README.md"));
    // As each language prints a row.
    for (language, interpreter, row) in [
        ("Python", "/usr/bin/python3", "CONTOSO\\analyst master\n"),
        ("R", "/usr/bin/Rscript", "1 CONTOSO\\\\analyst master\n"),
    ] {
        let [script] = &scripts(&page, language)[..] else { panic!("{language}") };
        assert_says(&in_a_session(&[], interpreter, script), &[row]);
    }
}

#[test]
fn the_administrators_calls_of_doctor_run_in_a_session() {
    let page = text(project("docs/administrators-linux.md"));
    let program = part("PROGRAM");
    for (language, interpreter) in [("Python", "/usr/bin/python3"), ("R", "/usr/bin/Rscript")] {
        let [script] = &scripts(&page, language)[..] else { panic!("{language}") };
        assert!(script.contains("\"/usr/bin/loopback-odbc\""), "{script}");
        let script = script.replace("/usr/bin/loopback-odbc", "./loopback-odbc");
        let said = in_a_session(&["--script", program.to_str().unwrap()], interpreter, &script);
        assert_says(&said, &["loopback-odbc ", "Registration\n", "fe80::8012:3df5:0:5db1%eth0", "exit status "]);
    }
}

#[test]
fn the_strings_of_the_administrators_pages_are_what_the_program_prints() {
    for (platform, page) in
        [("windows", "docs/administrators-windows.md"), ("managed-instance", "docs/administrators-managed-instance.md")]
    {
        let command = format!("loopback-odbc string --platform {platform} --database Sales");
        let contents = text(project(page));
        assert!(contents.contains(&command), "{page}");
        let printed = Ran::of(Command::new(part("PROGRAM")).args(command.split(' ').skip(1))).ok().stdout;
        assert!(contents.contains(&format!("\n    {printed}")), "{page}: {printed}");
    }
}

#[test]
fn the_commands_that_install_name_this_version() {
    for page in
        ["README.md", "python/README.md", "docs/administrators-windows.md", "docs/administrators-managed-instance.md"]
    {
        let page = text(project(page));
        let files = page
            .split(['`', ' ', '/', '"', '(', ')', '\n'])
            .filter(|word| word.to_ascii_lowercase().starts_with("loopback"));
        let with_version: Vec<&str> = files.filter(|name| name.contains("-0.") || name.contains("_0.")).collect();
        assert!(!with_version.is_empty());
        for name in with_version {
            assert!(name.contains(env!("CARGO_PKG_VERSION")), "{name}");
        }
    }
}
