//! Checks the documentation: its links lead somewhere, the quoted messages of driver managers are real, and its scripts
//! run. What can be compared with the code without running anything is in src/documented.rs.

mod common;

use common::{Ran, Registrations, assert_says, library, part, project};
use serde_json::Value;
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

// --- examples/confirm.sql and docs/confirming.md ---

const PYTHON: &str = "/usr/bin/python3";
const RSCRIPT: &str = "/usr/bin/Rscript";

/// Puts library and driver into folders that the document knows.
const IN_KNOWN_FOLDERS: &str = "cp -p $LIBRARY /opt/mssql-extensibility/
    mkdir -p /opt/microsoft/msodbcsql18/lib64 /opt/microsoft/msodbcsql18/share
    folder=$(dirname $MSODBCSQL)
    mount --bind $folder /opt/microsoft/msodbcsql18/lib64
    mount --bind $folder/../share /opt/microsoft/msodbcsql18/share
    sed -i -e s,$(dirname $LIBRARY),/opt/mssql-extensibility, -e s,$folder,/opt/microsoft/msodbcsql18/lib64, $ODBCSYSINI/odbcinst.ini";

/// What `examples/confirm.sql` prints in a session, by its call for a language, for this caller.
fn document(language: &str, options: &[&str], caller: &str) -> String {
    let source = text(project("examples/confirm.sql"));
    let [script] = &scripts(&source, language)[..] else { panic!("{source}") };
    assert!(script.contains("/usr/lib/*/odbc/"), "{script}");
    // SQL Server passes the variable.
    let script = format!("caller = {caller:?}\n{}", script.replace("/usr/lib/*/odbc/", "/opt/mssql-extensibility/"));
    let options = [&["--prepare", IN_KNOWN_FOLDERS][..], options].concat();
    in_a_session(&options, if language == "R" { RSCRIPT } else { PYTHON }, &script)
}

/// The value in the document.
fn value(said: &str) -> Value {
    serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The findings of a signal.
fn findings(document: &Value, signal: &str) -> String {
    let all = document["signals"].as_array().unwrap();
    let texts = all.iter().filter(|it| it["signal"].as_str().unwrap().starts_with(signal));
    texts.map(|it| format!("{} {}\n", it["shows one"], it["text"].as_str().unwrap())).collect()
}

#[test]
fn the_page_has_the_document_of_a_session() {
    let said = document("Python", &[], r"CONTOSO\analyst");
    // The line of the process that the test starts, which has the test's folders.
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains("\"/tmp/")).collect();
    let said = lines.join("\n").replace("],\n  ],", "]\n  ],") + "\n";
    let said = said.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let said = said
        .replace("/opt/mssql-extensibility/libloopbackodbc.so", "/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so");
    let page = text(project("docs/confirming.md"));
    let documented =
        page.split_once("\n## On Linux\n").unwrap().1.split("```").nth(1).unwrap().trim_start_matches("json\n");
    if documented != said {
        let path = project("build").join("confirming.json");
        fs::write(&path, &said).unwrap();
        panic!("docs/confirming.md: the document is now what is in {}", path.display());
    }
    value(&said);
}

#[test]
fn python_r_and_the_program_make_the_same_document() {
    let caller = r"CONTOSO\analyst";
    let by_python = value(&document("Python", &[], caller));
    let by_r = value(&document("R", &[], caller));
    let program = part("PROGRAM");
    let options = ["--prepare", IN_KNOWN_FOLDERS, "--script", program.to_str().unwrap()];
    let report = "import os; os.execv('./loopback-odbc', ['loopback-odbc', 'doctor', '--report'])";
    let mut by_program = value(&in_a_session(&options, PYTHON, report));
    by_program["connection"]["login"] = by_python["connection"]["login"].clone();
    let of_process = ["command lines"];
    let without = |document: &Value| {
        let mut fields = document.as_object().unwrap().clone();
        fields.retain(|name, _| !of_process.contains(&name.as_str()));
        fields
    };
    assert_eq!(without(&by_python), without(&by_r));
    assert_eq!(without(&by_python), without(&by_program));
}

#[test]
fn the_document_shows_what_is_otherwise() {
    let prepare = "mkdir $DATA_DIR/second && cp -p $LAUNCHPAD_DIR/*.pem $DATA_DIR/second/
        chmod 770 $LAUNCHPAD_DIR && chgrp 10002 $LAUNCHPAD_DIR && chmod o+x $LAUNCHPAD_DIR
        ip -6 route add default via fe80::8012:3df5:0:5db1 dev eth0
        echo mssql_satellite:x:$SATELLITE_UID:$SATELLITE_UID::/:/bin/sh >passwd && mount --bind passwd /etc/passwd
        echo Database=Missing >>$ODBCSYSINI/odbc.ini";
    let options = ["--prepare", prepare, "--ended-channel", "--env", "LOOPBACK_ODBC_LOG=off"];
    let document = value(&document("Python", &options, "analyst"));
    let own = "/var/opt/mssql-extensibility/data/<uuid 1>";
    let ignored =
        format!("{own}/sqlsatellitecert.pem is ignored, because group <group 1> may write to {own} (mode 771)");
    assert_says(&findings(&document, "working directory"), &[&format!("false ignored: {ignored}\n")]);
    let second = "true found /var/opt/mssql-extensibility/data/<name ";
    assert_says(&findings(&document, "data directory"), &[second, ">/sqlsatellitecert.pem\n"]);
    assert_says(&findings(&document, "established connections"), &["false none with a link-local address in socket"]);
    assert_says(&findings(&document, "neighbours"), &["true found <link-local IPv6 address 2>%eth0 on eth0\n"]);
    assert_says(
        &findings(&document, "default routes"),
        &["true found <link-local IPv6 address 2>%eth0 in /proc/net/ipv6_route\n"],
    );
    assert_eq!(document["account"], "mssql_satellite");
    assert_says(&document["variables"].to_string(), &["\"LOOPBACK_ODBC_LOG\""]);
    assert_eq!(document["connection"]["failed"][0], "42000 4060 [Microsoft]");
}

#[test]
fn the_document_compares_the_official_string() {
    let prepare = "cat >revoscalepy.py <<END
def rx_get_sql_loopback_connection_string(odbc_driver, name_of_database):
    return (\"Driver=\" + odbc_driver + \";Server=fe80:0::8012:3df5:0:5db1%eth0;Database=\" + name_of_database +
        \";ClientCertificate=file:$LAUNCHPAD_DIR/sqlsatellitecert.pem;ClientKey=file:/other.pem\" +
        \";TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes\")
END";
    let document = value(&document("Python", &["--prepare", prepare], ""));
    let expected = serde_json::json!({
        "Server": "the same", "ClientCertificate": "the same", "ClientKey": "different",
        "TrustServerCertificate": "the same", "Trusted_Connection": "the same", "Encrypt": "the same",
    });
    assert_eq!(document["official string"], expected);
}

#[test]
fn without_a_connection_or_a_driver_there_is_a_document_too() {
    let document = |prepare| value(&document("Python", &["--prepare", prepare], ""));
    let unknown = document("rm $ODBCSYSINI/odbc.ini");
    assert_eq!(
        (&unknown["data source"], &unknown["connection"]["failed"][0]),
        (&false.into(), &"IM002 0 [unixODBC]".into())
    );
    let without_driver = document("sed -i '/ODBC Driver/,$ d' $ODBCSYSINI/odbcinst.ini");
    assert_eq!(without_driver["target"], "failed: IM003");
    assert_eq!(without_driver["connection"]["failed"][0], "IM003 0 [loopback-odbc]");
    assert_says(&findings(&without_driver, "established connections"), &["true found"]);
}

#[test]
fn nothing_in_the_document_names_the_session() {
    let hidden = document("Python", &[], r"CONTOSO\analyst");
    let folder = in_a_session(&[], PYTHON, "import os; print(os.getcwd())");
    assert!(folder.starts_with("/var/opt/mssql-extensibility/data/"), "{folder}");
    for name in ["CONTOSO", "analyst", "fe80", "5db1", "10001", "master", "Sales"] {
        assert!(!hidden.contains(name), "{name}: {hidden}");
    }
    let uuids = hidden.split(|it: char| !it.is_ascii_hexdigit() && it != '-').filter(|word| word.len() == 36).count();
    assert_eq!(uuids, 0, "{hidden}");
}

#[test]
fn every_inference_has_a_field_of_the_document() {
    let numbers = |cell: &str| cell.split(", ").map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let discovery = text(project("docs/discovery.md"));
    let inferred = discovery.split_once("\n### What is inferred\n").unwrap().1.split("\n## ").next().unwrap();
    let inferred: BTreeSet<String> = inferred
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .map(|row| row.split('|').nth(1).unwrap().trim().to_owned())
        .collect();
    assert!(inferred.len() > 20, "{inferred:?}");
    let page = text(project("docs/confirming.md"));
    let (_, table) = page.split_once("\n## The fields\n").unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|line| line.starts_with("| `")).map(|row| row.split('|').collect()).collect();
    let mut shown: BTreeSet<String> = rows.iter().flat_map(|row| -> Vec<String> { numbers(row[3]) }).collect();
    // The page says that nothing shows it.
    assert!(table.contains("\nW7, that"));
    shown.insert("W7".to_owned());
    assert_eq!(shown, inferred);
    // The fields are those of the two documents.
    let fields: BTreeSet<&str> = rows.iter().flat_map(|row| row[1].split('`').skip(1).step_by(2)).collect();
    let examples = page.split("```json\n").skip(1).map(|rest| value(rest.split("```").next().unwrap()));
    let made: Vec<String> =
        examples.flat_map(|it| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect();
    assert_eq!(fields, made.iter().map(String::as_str).collect());
    // Every inference that other pages refer to exists.
    for page in pages() {
        let contents = text(&page);
        let named = contents.split(['(', ',', '|', ' ', ')', '\n']).map(|word| word.trim_matches(['.', ';', ':']));
        let named =
            named.filter(|word| word.len() < 4 && word.starts_with(['L', 'W']) && word[1..].parse::<u8>().is_ok());
        for number in named {
            assert!(inferred.contains(number), "{}: {number}", page.display());
        }
    }
}

/// Python with the packages that only the tests of texts need.
fn reader() -> Command {
    let mut command = Command::new(part("PYTHON"));
    command.env("PYTHONPATH", part("STAGE").join("texts"));
    command
}

#[test]
fn the_t_sql_of_examples_and_pages_can_be_parsed() {
    let examples = fs::read_dir(project("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut sources: Vec<(PathBuf, String)> = examples
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| (path.clone(), text(&path)))
        .collect();
    for page in pages().into_iter().chain([project("python/README.md")]) {
        let contents = text(&page);
        let blocks = contents.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        // A call in one line, as doctor prints it.
        let calls =
            contents.lines().filter_map(|line| line.split_once("run in SQL Server: ")).map(|(_, call)| call.to_owned());
        sources.extend(blocks.chain(calls).map(|sql| (page.clone(), sql)));
    }
    assert!(sources.len() > 8, "{sources:?}");
    let folder = tempfile::tempdir().unwrap();
    let parse = |path: &str| {
        let mut command = reader();
        command.args(["-m", "sqlfluff", "parse", "--dialect", "tsql", "--nocolor", path]).current_dir(folder.path());
        Ran::of(&mut command)
    };
    for (number, (page, sql)) in sources.iter().enumerate() {
        let name = format!("{number} {}", page.file_name().unwrap().display());
        fs::write(folder.path().join(&name).with_extension("sql"), sql.trim_end().to_owned() + "\n").unwrap();
    }
    let ran = parse(".");
    let unread: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("unparsable")).collect();
    assert_eq!(ran.status, 0, "{unread:#?}{}", ran.stderr);
    fs::write(folder.path().join("wrong.sql"), "DECLARE @caller nvarchar(128) = ;\n").unwrap();
    let wrong = parse("wrong.sql");
    assert!(wrong.status == 1 && wrong.stdout.contains("unparsable"), "{wrong:?}");
}

#[test]
fn the_issue_forms_are_what_github_reads() {
    let mut forms = 0;
    for path in fs::read_dir(project(".github/ISSUE_TEMPLATE")).unwrap().map(|entry| entry.unwrap().path()) {
        let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
        let form = value(&Ran::of(reader().arg("-c").arg(read).arg(&path)).ok().stdout);
        let words = |it: &Value| it.as_str().is_some_and(|words| !words.is_empty());
        assert!(words(&form["name"]) && words(&form["description"]), "{form}");
        let mut ids = BTreeSet::new();
        for element in form["body"].as_array().unwrap() {
            let attributes = &element["attributes"];
            let allowed: &[&str] = match element["type"].as_str().unwrap() {
                "markdown" => &["value"],
                "textarea" => &["label", "description", "render", "placeholder", "value"],
                "input" => &["label", "description", "placeholder", "value"],
                "dropdown" => &["label", "description", "options"],
                other => panic!("{other}"),
            };
            let known = |(name, value): (&String, &Value)| {
                allowed.contains(&name.as_str()) && (name == "options" || words(value))
            };
            assert!(attributes.as_object().unwrap().iter().all(known), "{element}");
            if element["type"] == "markdown" {
                continue;
            }
            assert!(words(&attributes["label"]) && ids.insert(element["id"].as_str().unwrap().to_owned()), "{element}");
            if element["type"] == "dropdown" {
                assert!(attributes["options"].as_array().unwrap().iter().all(words), "{element}");
            }
        }
        assert!(!ids.is_empty(), "{form}");
        forms += 1;
        // Its links lead to pages of this project.
        for link in text(&path).split("/blob/main/").skip(1) {
            assert!(project(link.split(')').next().unwrap()).is_file(), "{link}");
        }
    }
    assert!(forms > 2);
}

// --- Scripts of other pages ---

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
