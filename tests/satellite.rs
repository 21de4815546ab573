//! In the environment of a script that SQL Server on Linux runs: unmodified programs, unixODBC, the release build of
//! the library, Microsoft's driver, an IPv6 link-local address, the session's certificate.
//!
//! Each test creates its own environment with `scripts/satellite`, in which everything runs as an unprivileged user.

mod common;

use common::satellite::{CONNECT, PYTHON, RSCRIPT, SERVER, Satellite};
use common::{CONNECT_AND_FAIL, assert_says, bulk_copy, part, project};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

// --- The main job ---

#[test]
fn the_python_example_reads_and_writes() {
    let outcome = Satellite::new().seeded().script("examples/loopback.py").run(&[PYTHON, "loopback.py"]);
    assert_says(
        &outcome.ran.stdout,
        &[
            "    1  2026-07-03  Île-de-France  Boulangerie Noël  1200.00\n",
            "   10  2026-09-25  大阪  None  99.90\n",
            "   11  2026-09-29  København  Æbleskiver A/S  None\n",
            "Forecast, as it was written and read back:\n",
            "  大阪: 8273.95 expected, from 3 orders\n",
        ],
    );
    outcome.by_certificate_to("Sales", 1);
}

#[test]
fn the_r_example_reads_and_writes() {
    let outcome = Satellite::new().seeded().script("examples/loopback.R").run(&[RSCRIPT, "loopback.R"]);
    assert_says(
        &outcome.ran.stdout,
        &["København", "山田商店", "<NA>", "as it was written and read back", "大阪 15759.9"],
    );
    // The script's data source has no database; it executes USE.
    outcome.by_certificate_to("", 1);
}

#[test]
fn isql_connects_by_sqlconnect() {
    let outcome = Satellite::new().seeded().prepare("echo Database=Sales >>$ODBCSYSINI/odbc.ini").run(&[
        "sh",
        "-c",
        "echo 'SELECT COUNT(*) AS orders FROM dbo.Orders' | isql -b -v Loopback",
    ]);
    assert_says(&outcome.ran.stdout, &["orders", "| 12 "]);
    outcome.by_certificate_to("Sales", 1);
}

#[test]
fn bulk_copy_loads_rows() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bulk_copy");
    bulk_copy::compile(&program);
    // The driver's path inside the satellite.
    let driver =
        Path::new("/opt/mssql-extensibility/stage").join(part("MSODBCSQL").strip_prefix(part("STAGE")).unwrap());
    let outcome = Satellite::new()
        .option("--script", program.to_str().unwrap())
        .option("--env", &format!("MSODBCSQL={}", driver.display()))
        .run(&["./bulk_copy", "DSN=Loopback;Database=Sales"]);
    let load = bulk_copy::expected_load();
    assert_eq!(outcome.ran.stdout.get(..load.len()), Some(load.as_str()));
    outcome.by_certificate_to("Sales", 1);
}

#[test]
fn the_target_is_given_the_documented_string() {
    let string = Satellite::new().target_string("DRIVER={SQL Server Loopback};Database=Sales");
    // Only the session's own parts differ from Microsoft's example.
    let launchpad = string.split("file:").nth(1).unwrap().strip_suffix("/sqlsatellitecert.pem;ClientKey=").unwrap();
    let data = "/var/opt/mssql-extensibility/data/";
    assert_eq!(launchpad.strip_prefix(data).map(str::len), Some("baeaac72-60b3-4fae-acfd-c50eff5d34a2".len()));
    assert_eq!(
        string,
        format!(
            "Driver=ODBC Driver 18 for SQL Server;Server={SERVER};Database=Sales;\
             ClientCertificate=file:{launchpad}/sqlsatellitecert.pem;ClientKey=file:{launchpad}/sqlsatellitekey.pem;\
             TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"
        )
    );
}

#[test]
fn a_data_source_is_named_to_the_target_which_reads_its_section_itself() {
    let plain = Satellite::new().target_string("DSN=Loopback;Database=Sales");
    let without_session = |string: &str| {
        let parts: Vec<&str> = string.split(';').filter(|part| !part.starts_with("Client")).collect();
        parts.join(";")
    };
    let by_driver = Satellite::new().target_string("DRIVER={SQL Server Loopback};DATABASE=Sales");
    let expected = without_session(&plain).replace("DSN=Loopback", "Driver=ODBC Driver 18 for SQL Server");
    assert_eq!(without_session(&by_driver).replace("DATABASE", "Database"), expected);
    let section = "printf '[Monthly]\\nDriver=SQL Server Loopback\\nDatabase=Sales\\nAPP=x\\n' >>$ODBCSYSINI/odbc.ini";
    let by_name = Satellite::new().prepare(section).target_string("DSN=Monthly");
    let expected = without_session(&plain).replace("DSN=Loopback", "DSN=Monthly").replace("Database=Sales;", "");
    assert_eq!(without_session(&by_name), expected);
    let outcome = Satellite::new().prepare(section).run(&[PYTHON, "-c", CONNECT, "DSN=Monthly"]);
    outcome.by_certificate_to("Sales", 1);
}

#[test]
fn the_application_s_values_win_and_its_keywords_go_through() {
    let outcome = Satellite::new().option("--env", "LOOPBACK_ODBC_LOG=info").run(&[
        PYTHON,
        "-c",
        CONNECT,
        "DSN=Loopback;APP={nightly; run};Encrypt=Mandatory;Database=Sales;ApplicationIntent=ReadOnly",
    ]);
    outcome.by_certificate(1);
    assert!(outcome.logins[0].contains("application=\"nightly; run\""), "{:?}", outcome.logins);
    assert_says(&outcome.ran.stderr, &["Encrypt=Mandatory;APP={nightly; run};ApplicationIntent=ReadOnly\n"]);
}

#[test]
fn a_target_given_by_path_is_not_named_in_the_string() {
    let string = Satellite::new()
        .prepare("sed -i \"2a TargetDriver=$MSODBCSQL\" $ODBCSYSINI/odbcinst.ini")
        .target_string("DSN=Loopback");
    assert!(string.starts_with(&format!("DSN=Loopback;Server={SERVER};ClientCertificate=")), "{string}");
}

#[test]
fn two_settings_run_at_once() {
    let run = || {
        let outcome =
            Satellite::new().run(&["sh", "-c", "sleep 1; exec \"$@\"", "sh", PYTHON, "-c", CONNECT, "DSN=Loopback"]);
        outcome.by_certificate(1);
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(run)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_killed_setting_leaves_nothing_behind() {
    let mut satellite = Satellite::new();
    // All processes started for this call have the path of the server's log in their command lines.
    let mark = satellite.folder.path().display().to_string();
    let alive = || {
        let processes =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path().join("cmdline")));
        processes.filter(|path| std::fs::read(path).is_ok_and(|line| contains(&line, mark.as_bytes()))).count()
    };
    satellite.command.args(["--", "sh", "-c", "echo running; exec sleep 600"]).stdout(Stdio::piped());
    let mut process = satellite.command.spawn().unwrap();
    let mut line = [0; 8];
    process.stdout.take().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"running\n");
    assert!(alive() >= 4, "only {} processes", alive());
    process.kill().unwrap();
    process.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while alive() > 0 {
        assert!(Instant::now() < deadline, "{} processes are left", alive());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains("mssql-extensibility"));
}

/// What a script sees, one fact a line.
const SURROUNDINGS: &str = "
echo user: $(id -un) $(id -Gn)
echo home: ~
echo capabilities: $(sed -n 's/^Cap.*:\t0*//p; s/^NoNewPrivs:\t//p' /proc/self/status)
echo processes: $(ls /proc | grep -c '^[0-9]*$')
echo namespaces: $(readlink /proc/self/ns/*)
echo addresses: $(ip -o address show dev eth0 | awk '{ print $3, $4 }')
echo routes: $(ip route; ip -6 route show default)
echo folders: / $(ls /) : /usr $(ls /usr) : /var $(ls /var /var/opt) : /opt $(ls /opt) : /home $(ls /home)
for folder in / /etc /usr/bin /var/lib /opt /opt/mssql-extensibility/* /home /var/opt /dev; do
    (: >$folder/x) 2>/dev/null && echo written: $folder
done
(: >/tmp/x) && (: >~/x) && (: >x) && echo can write where it may";

#[test]
fn the_setting_is_as_strict_as_documented() {
    let said = Satellite::new().run(&["sh", "-c", SURROUNDINGS]).ran.stdout;
    assert_says(
        &said,
        &[
            "user: mssql_satellite mssql_satellite\nhome: /home/mssql_satellite\ncapabilities: 1\n",
            "addresses: inet6 fe80::8012:3df5:0:5db2/64\nroutes:\n",
            " : /var /var: lib opt /var/opt: mssql-extensibility : ",
            " : /home mssql_satellite\ncan write where it may\n",
        ],
    );
    let line = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap().split_whitespace();
    assert!(line("processes: ").next().unwrap().parse::<u32>().unwrap() < 10, "{said}");
    for kind in ["pid", "ipc", "mnt", "net"] {
        let outside = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        assert!(!line("namespaces: ").any(|namespace| outside.to_str() == Some(namespace)), "{kind}: {said}");
    }
    let shown = ["bin", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "proc", "sbin", "tmp", "usr", "var"];
    let root: Vec<&str> = line("folders: / ").take_while(|name| *name != ":").collect();
    assert!(root.iter().all(|name| shown.contains(name)) && root.len() > 9, "{root:?}");
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

// --- The returned string ---

#[test]
fn the_completed_string_works_again_and_shows_no_session() {
    let outcome = Satellite::new()
        .script("tests/programs/odbc.py")
        .script("tests/programs/completed_string.py")
        .prepare("printf '[Reports]\\nDriver=SQL Server Loopback\\nDatabase=Sales\\n' >>$ODBCSYSINI/odbc.ini")
        .run(&[PYTHON, "completed_string.py"]);
    let plain = "DSN=Loopback;Database=Sales;APP=back again";
    // Like the driver's, it ends in a semicolon, after which programs append more.
    let completed = format!("{plain};");
    let length = completed.len();
    let mut expected = Vec::new();
    for kind in ["connect", "browse"] {
        // The 01000 records are the server's: the initial database and language of the connection.
        let whole = format!("code=1 states=[01000,01000] length={length} name=[Loopback] string=[{completed}]");
        let cut = format!("code=1 states=[01004,01000,01000] length={length} name=[Loopback] string=[DSN=Loopback]");
        let no_buffer = format!("code=1 states=[01000,01000] length={length} name=[Loopback] string=[None]");
        let no_length = format!("code=1 states=[01000,01000] length=-7 name=[Loopback] string=[{completed}]");
        for (title, rest) in [
            ("whole", &whole),
            ("again", &whole),
            ("cut", &cut),
            ("exact", &whole),
            ("without buffer", &no_buffer),
            ("without length", &no_length),
        ] {
            expected.push(format!("{kind} {title}: {rest}"));
        }
    }
    expected.extend(
        [
            "driver: code=1 states=[01000,01000] length=44 name=[] string=[DRIVER={SQL Server Loopback};Database=Sales;]",
            "section: code=1 states=[01000,01000] length=12 name=[Reports] string=[DSN=Reports;]",
            "stopped: code=1 states=[01S00,01000,01000] length=30 name=[Loopback] string=[DSN=Loopback;Database={Sales};]",
            "unknown: code=1 states=[01000,01000] length=24 name=[Loopback] string=[DSN=Loopback;Nonsense=1;]",
            "done",
        ]
        .map(str::to_owned),
    );
    for (said, expected) in outcome.ran.stdout.lines().zip(&expected) {
        assert_eq!(said, expected);
    }
    assert_eq!(outcome.ran.stdout.lines().count(), expected.len());
    outcome.by_certificate(expected.len() - 1);
}

#[test]
fn rodbc_reconnects_and_prints_no_session_paths() {
    let script = "
        library(RODBC)
        channel <- odbcDriverConnect('DSN=Loopback;Database=Sales')
        print(channel)
        odbcClose(channel)
        channel <- odbcReConnect(channel)
        print(sqlQuery(channel, 'SELECT DB_NAME() AS name'))
        print(channel)
    ";
    let outcome = Satellite::new().run(&[RSCRIPT, "-e", script]);
    outcome.by_certificate_to("Sales", 2);
    let said = outcome.ran.says(&["DSN=Loopback", "Database=Sales", "Sales"]);
    for secret in ["sqlsatellite", "/var/opt", "fe80", "ClientKey"] {
        assert!(!said.contains(secret), "{said}");
    }
}

// --- Discovery ---

#[test]
fn the_neighbour_is_used_without_a_data_channel() {
    let string = Satellite::new().flag("--ended-channel").target_string("DSN=Loopback");
    assert_says(&string, &[&format!("Server={SERVER};")]);
}

#[test]
fn it_works_with_a_deleted_working_directory_and_a_data_directory_link() {
    let satellite = Satellite::new().prepare("ln -s $LAUNCHPAD_DIR $DATA_DIR/link");
    let deleted = "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"";
    satellite.run(&["sh", "-c", deleted, "sh", PYTHON, "-c", CONNECT, "DSN=Loopback"]).by_certificate(1);
}

#[test]
fn a_world_readable_key_is_used_with_a_warning() {
    let satellite = Satellite::new().prepare("chmod 644 $LAUNCHPAD_DIR/sqlsatellitekey.pem");
    let outcome = satellite.option("--env", "LOOPBACK_ODBC_LOG=warn").run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]);
    outcome.by_certificate(1);
    assert_says(
        &outcome.ran.stderr,
        &["WARN: The client key /var/opt/mssql-extensibility/data/", "chmod o-r /var/opt/"],
    );
}

#[test]
fn a_missing_server_address_is_reported_with_each_signal() {
    let satellite = Satellite::new().flag("--no-channel");
    let outcome = satellite.run(&["sh", "-c", "isql -v Loopback; echo $?"]);
    outcome.ran.says(&[
        "[08001][unixODBC][loopback-odbc] The address of SQL Server was not found.",
        "LOOPBACK_ODBC_SERVER",
        "section [Loopback] of odbc.ini",
        "established connections: none with a link-local address in socket diagnostics",
        "neighbours: none with a link-local address on eth0",
    ]);
    assert_eq!(outcome.logins, [""; 0]);
}

#[test]
fn two_peers_are_refused_unless_the_variable_chooses() {
    let text = Satellite::new().option("--second-peer", "fe80::1234").refused("DSN=Loopback");
    assert_says(&text, &["[08001]", "not certain", SERVER, "fe80::1234%eth0", "LOOPBACK_ODBC_SERVER"]);
    let string = Satellite::new()
        .option("--second-peer", "fe80::1234")
        .option("--env", "LOOPBACK_ODBC_SERVER=fe80::1234%eth0")
        .target_string("DSN=Loopback");
    assert_says(&string, &["Server=fe80::1234%eth0;"]);
}

/// Connects, makes a connection to a second link-local address, which is the satellite's own other one, and connects
/// again: in this process, in a child of it, and in a new process.
const SECOND_PEER_COMES_LATER: &str = "
import os, pyodbc, socket, subprocess, sys
pyodbc.pooling = False
pyodbc.connect('DSN=Loopback').close()
on_eth0 = (0, 0, socket.if_nametoindex('eth0'))
listener = socket.create_server(('fe80::1234', *on_eth0), family=socket.AF_INET6)
peer = socket.socket(socket.AF_INET6)
peer.bind(('fe80::8012:3df5:0:5db2', *on_eth0))
peer.connect(listener.getsockname())
# With its address the other end is no longer this machine's.
subprocess.run(['ip', 'address', 'del', 'fe80::1234/64', 'dev', 'eth0'], check=True)
pyodbc.connect('DSN=Loopback').close()
child = os.fork()
if child == 0:
    pyodbc.connect('DSN=Loopback').close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1], 'DSN=Loopback']).returncode)
";

#[test]
fn a_later_second_peer_does_not_affect_a_connected_process() {
    let outcome = Satellite::new()
        .prepare("ip address add fe80::1234/64 dev eth0 nodad")
        .flag("--root")
        .option("--env", "LOOPBACK_ODBC_LOG=info")
        .run(&[PYTHON, "-c", SECOND_PEER_COMES_LATER, CONNECT_AND_FAIL]);
    let found = |how: &str| outcome.ran.stderr.matches(&format!("found {SERVER} {how}")).count();
    assert_eq!(found("in socket diagnostics"), 1, "{}", outcome.ran.stderr);
    assert_eq!(found("in a connection remembered from an earlier connect"), 2, "{}", outcome.ran.stderr);
    assert_says(&outcome.ran.stdout, &["[08001]", "not certain", SERVER, "fe80::1234%eth0"]);
    outcome.by_certificate(3);
}

const SECOND_PAIR: &str = "mkdir $DATA_DIR/second && cp -p $LAUNCHPAD_DIR/*.pem $DATA_DIR/second/";

#[test]
fn several_pairs_are_refused_unless_the_variables_choose() {
    let elsewhere = ["sh", "-c", "cd / && exec \"$@\"", "sh", PYTHON, "-c"];
    let refused = [&elsewhere[..], &[CONNECT_AND_FAIL, "DSN=Loopback"]].concat();
    let outcome = Satellite::new().prepare(SECOND_PAIR).run(&refused);
    assert_says(
        &outcome.ran.stdout,
        &[
            "[08001]",
            "2 sessions' certificates",
            "data/second/sqlsatellitecert.pem",
            "LOOPBACK_ODBC_CLIENT_CERTIFICATE",
        ],
    );
    assert_eq!(outcome.ran.stdout.matches("/sqlsatellitecert.pem").count(), 2, "{}", outcome.ran.stdout);
    assert_eq!(outcome.logins, [""; 0]);
    let data = "/var/opt/mssql-extensibility/data";
    Satellite::new()
        .prepare(SECOND_PAIR)
        .option("--env", &format!("LOOPBACK_ODBC_CLIENT_CERTIFICATE={data}/second/sqlsatellitecert.pem"))
        .option("--env", &format!("LOOPBACK_ODBC_CLIENT_KEY=file:{data}/second/sqlsatellitekey.pem"))
        .run(&[&elsewhere[..], &[CONNECT, "DSN=Loopback"]].concat())
        .by_certificate(1);
    // Below its own launchpad's folder there is no ambiguity.
    Satellite::new().prepare(SECOND_PAIR).run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]).by_certificate(1);
}

#[test]
fn an_official_string_identifies_the_session() {
    // There are two pairs, and the working directory is below neither: only the string identifies the session.
    let start = "cd / && pair=$(dirname $(ls /var/opt/mssql-extensibility/data/*-*/sqlsatellitecert.pem)) && \
        export LOOPBACK_ODBC_CONNECTION_STRING=\"Driver=ODBC Driver 18 for SQL Server;Server=$0;Database=master;\
ClientCertificate=file:$pair/sqlsatellitecert.pem;ClientKey=file:$pair/sqlsatellitekey.pem;\
TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes\" && exec \"$@\"";
    for (string, database) in [("DSN=Loopback", "master"), ("DSN=Loopback;Database=Sales", "Sales")] {
        let outcome =
            Satellite::new().prepare(SECOND_PAIR).run(&["sh", "-c", start, SERVER, PYTHON, "-c", CONNECT, string]);
        outcome.by_certificate_to(database, 1);
    }
}

#[test]
fn a_command_line_leads_to_a_pair_that_cannot_be_listed() {
    // The connecting process has the session's folder in its own command line only.
    let outcome = Satellite::new().flag("--unlistable").run(&[
        "sh",
        "-c",
        "session=$(pwd) && cd / && exec \"$@\" $session",
        "sh",
        PYTHON,
        "-c",
        CONNECT,
        "DSN=Loopback",
    ]);
    outcome.by_certificate(1);
}

#[test]
fn the_gateway_is_used_without_a_connection_or_neighbour() {
    let route = "ip -6 route add default via fe80::8012:3df5:0:5db1 dev eth0";
    let string = Satellite::new().flag("--no-channel").prepare(route).target_string("DSN=Loopback");
    assert_says(&string, &[&format!("Server={SERVER};")]);
}

#[test]
fn a_trusted_connection_uses_the_session_login() {
    let outcome = Satellite::new().run(&[PYTHON, "-c", CONNECT, "DSN=Loopback;Trusted_Connection=Yes"]);
    outcome.by_certificate(1);
}

#[test]
fn an_unusable_pair_is_reported_with_path_and_reason() {
    let certificate = "$LAUNCHPAD_DIR/sqlsatellitecert.pem";
    let key = "$LAUNCHPAD_DIR/sqlsatellitekey.pem";
    for (snippet, parts) in [
        (format!("rm {key}"), ["/sqlsatellitecert.pem", "there is no sqlsatellitekey.pem"]),
        (format!("rm {certificate}"), ["/sqlsatellitekey.pem", "there is no sqlsatellitecert.pem"]),
        (format!("chmod 600 {key}"), ["/sqlsatellitekey.pem", "Permission denied"]),
        (format!("chmod 000 {certificate}"), ["/sqlsatellitecert.pem", "Permission denied"]),
        (format!(": >{certificate}"), ["/sqlsatellitecert.pem", "is empty"]),
        (format!(": >{key}"), ["/sqlsatellitekey.pem", "is empty"]),
        (format!("echo nonsense >{certificate}"), ["/sqlsatellitecert.pem", "is not a PEM file"]),
        (format!("echo nonsense >{key}"), ["/sqlsatellitekey.pem", "is not a PEM file"]),
    ] {
        let text = Satellite::new().prepare(&snippet).refused("DSN=Loopback");
        assert_says(&text, &["[08001] [loopback-odbc]", "/var/opt/mssql-extensibility/data/"]);
        assert_says(&text, &parts);
    }
}

const ANOTHER_CERTIFICATE: &str = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj '/O=Microsoft Corporation' \
        -keyout key -out $LAUNCHPAD_DIR/sqlsatellitecert.pem 2>/dev/null
        openssl rsa -traditional -in key -out $LAUNCHPAD_DIR/sqlsatellitekey.pem 2>/dev/null
        rm key";

#[test]
fn another_session_s_certificate_is_refused_by_the_server() {
    let outcome = Satellite::new().prepare(ANOTHER_CERTIFICATE).run(&[PYTHON, "-c", CONNECT_AND_FAIL, "DSN=Loopback"]);
    assert_says(
        &outcome.ran.stdout,
        &["[28000] [Microsoft]", "Login failed for user 'Microsoft Corporation'", "18456"],
    );
    for login in &outcome.logins {
        assert_says(login, &["result=refused", "error=18456", "client_certificate=other"]);
    }
    assert!(!outcome.logins.is_empty());
}

#[test]
fn a_hint_follows_the_driver_message_of_a_refused_connection() {
    let pair = "file:$LAUNCHPAD_DIR/sqlsatellitecert.pem";
    let without_key = format!("sed -i \"$ a ClientCertificate={pair}\" $ODBCSYSINI/odbc.ini");
    let key_of_another_name = format!(
        "install -m 444 $LAUNCHPAD_DIR/sqlsatellitekey.pem key && {without_key} && \
         sed -i \"$ a ClientKey=file:$PWD/key\" $ODBCSYSINI/odbc.ini"
    );
    let no_trust = "sed -i '$ a TrustServerCertificate=No' $ODBCSYSINI/odbc.ini";
    let other_port = format!("LOOPBACK_ODBC_SERVER={SERVER},9");
    for (prepare, variable, parts) in [
        (ANOTHER_CERTIFICATE, "A=", ["28000 ", "'Microsoft Corporation'", "session has ended"]),
        (&without_key, "A=", ["08001 ", "invalid null pkcs12 pointer", "without ClientKey"]),
        (&key_of_another_name, "A=", ["08001 ", "DECODER", "ends in .pem"]),
        (no_trust, "A=", ["08001 ", "certificate verify failed", "TrustServerCertificate=Yes accepts"]),
        ("true", &other_port, ["HYT00 ", "Login timeout expired", &format!("at Server={SERVER},9")]),
    ] {
        let [state, words, hint] = parts;
        // Users look up the message by these words.
        let page = std::fs::read_to_string(project("docs/troubleshooting.md")).unwrap();
        assert_says(&page, &[words]);
        let run = |script: &str, command: &[&str]| {
            let satellite = Satellite::new().script("tests/programs/odbc.py").script(script);
            satellite.prepare(prepare).option("--env", variable).run(command).ran.ok().stdout
        };
        let said = run("tests/programs/records.py", &[PYTHON, "records.py", "DSN=Loopback"]);
        // One record has the driver's text followed by the hint, and no other record has a text of this library.
        let record =
            said.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words:?} is not in\n{said}"));
        let (driver, ours) = record.split_once(" [loopback-odbc] ").unwrap_or_else(|| panic!("no hint in\n{said}"));
        assert!(driver.starts_with(state) && driver.contains(words) && ours.contains(hint), "{record}");
        assert_eq!(said.matches("[loopback-odbc]").count(), 1, "{said}");
        // So it also reaches users who see only the first record.
        for (script, command) in [
            ("tests/programs/refusal_measured.py", [PYTHON, "refusal_measured.py", "DSN=Loopback;LoginTimeout=1"]),
            ("tests/programs/first_record.R", ["/usr/bin/Rscript", "first_record.R", "DSN=Loopback"]),
        ] {
            assert_says(&run(script, &command), &[words, "[loopback-odbc] ", hint]);
        }
    }
}

#[test]
fn the_library_is_recognized_through_a_symbolic_link() {
    // The identity of the file counts, not the name that odbcinst.ini has for it.
    let string = Satellite::new()
        .prepare("ln -s $LIBRARY ${LIBRARY%/*}/link.so && sed -i \"s|^Driver=$LIBRARY|Driver=${LIBRARY%/*}/link.so|\" $ODBCSYSINI/odbcinst.ini")
        .prepare("sed -i '2a TargetDriver=ODBC Driver 18 for SQL Server' $ODBCSYSINI/odbcinst.ini")
        .target_string("DRIVER={SQL Server Loopback}");
    assert_says(&string, &["Driver=ODBC Driver 18 for SQL Server;"]);
}
