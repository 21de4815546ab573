//! The program `loopback-odbc`, run by administrators and scripts: the exact output of `string`, and `doctor` in the
//! places that it is for. These tests compare its output with docs/doctor.md.

mod common;

use common::server::Server;
use common::{Ran, Registrations, assert_says, library, part, project};
use std::fs;
use std::process::Command;

/// The program in a folder with its own registrations.
fn loopback_odbc(registrations: &Registrations, arguments: &[&str]) -> Ran {
    // The project may be in a closed home, which is not root's under sudo. What is in the caller's own home is for no other user.
    Ran::of(registrations.command(part("PROGRAM")).args(arguments).env("HOME", project("")))
}

/// The program in the satellite setting as `./loopback-odbc`, started by another program or directly.
fn in_a_session(options: &[&str], command: &[&str]) -> Ran {
    let mut satellite = Command::new(project("scripts/satellite"));
    satellite.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
    satellite.arg("--script").arg(part("PROGRAM")).args(options).arg("--").args(command);
    Ran::of(&mut satellite)
}

/// Checks the exit status, and that the output has these parts and no secret.
#[track_caller]
fn assert_doctor(ran: &Ran, status: i32, parts: &[&str]) {
    assert_eq!(ran.status, status, "{ran:?}");
    assert_says(&ran.stdout, parts);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"), "{ran:?}");
}

// --- string ---

const DATA: &str = "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2";

/// Source: Microsoft, "Loopback connection to SQL Server from a Python or R script", for its three platforms.
#[test]
fn the_strings_are_the_documented_ones_to_the_byte() {
    let (certificate, key) = (format!("{DATA}/sqlsatellitecert.pem"), format!("{DATA}/sqlsatellitekey.pem"));
    let on_linux = format!(
        "Driver=ODBC Driver 17 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=nameOfDatabase;\
         ClientCertificate=file:{certificate};ClientKey=file:{key};TrustServerCertificate=Yes;Trusted_Connection=no;\
         Encrypt=Yes\n"
    );
    let on_windows = "Driver=SQL Server;Server=.;Database=nameOfDatabase;Trusted_Connection=Yes;\n";
    let on_an_instance = "Driver=ODBC Driver 11 for SQL Server;Server=.;Database=DBName;Trusted_Connection=Yes;\n";
    // Neither the driver nor the files exist.
    let nothing = Registrations::new("", "");
    let server = ["--server", "fe80::8012:3df5:0:5db1%eth0", "--database", "nameOfDatabase"];
    let driver_17 = ["--platform", "linux", "--driver", "ODBC Driver 17 for SQL Server"];
    for (certificate, key) in [(&certificate, &key), (&format!("file:{certificate}"), &format!("file:{key}"))] {
        let files = ["--client-certificate", certificate.as_str(), "--client-key", key.as_str()];
        let arguments = [&["string"][..], &driver_17, &server, &files].concat();
        assert_eq!(loopback_odbc(&nothing, &arguments).ok().stdout, on_linux);
    }
    for (arguments, expected) in [
        (&["--platform", "windows", "--driver", "SQL Server", "--database", "nameOfDatabase"][..], on_windows),
        (&["--platform", "windows", "--database", "nameOfDatabase"], on_windows),
        (
            &["--platform", "managed-instance", "--driver", "ODBC Driver 11 for SQL Server", "--database", "DBName"],
            on_an_instance,
        ),
        (&["--platform", "managed-instance", "--database", "DBName"], on_an_instance),
    ] {
        let arguments = [&["string"], arguments].concat();
        assert_eq!(loopback_odbc(&nothing, &arguments).ok().stdout, expected);
    }
}

#[test]
fn in_a_session_the_string_is_discovered() {
    let ran = in_a_session(&[], &["./loopback-odbc", "string", "--database", "Sales;x"]).ok();
    assert_says(
        &ran.stdout,
        &[
            "Driver=ODBC Driver 18 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database={Sales;x};\
             ClientCertificate=file:/var/opt/mssql-extensibility/data/",
            ";TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes\n",
        ],
    );
}

#[test]
fn an_unavailable_string_is_an_error_on_standard_error() {
    let ran = loopback_odbc(&Registrations::usual(""), &["string"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    let outside = "loopback-odbc: 08001: This is not a script that SQL Server runs";
    assert_says(&ran.stderr, &[outside, "--server, --client-certificate and --client-key"]);
    let ran = loopback_odbc(&Registrations::usual(""), &["string", "--server", "dev", "--client-certificate", "/c"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert_says(&ran.stderr, &["08001: A certificate is configured (ClientCertificate=file:/c) without its key."]);
    let ran = loopback_odbc(&Registrations::usual(""), &["string", "--server", "dev"]);
    assert_says(&ran.stderr, &[outside, "--client-certificate"]);
    let ran = loopback_odbc(&Registrations::usual(""), &["string", "--driver", "PostgreSQL Unicode"]);
    assert_eq!(ran.status, 2);
    assert_says(&ran.stderr, &["HY024: PostgreSQL Unicode"]);
}

#[test]
fn the_string_s_driver_is_the_one_that_the_library_would_load() {
    let odbcinst = |target: &str| {
        format!(
            "[SQL Server Loopback]\nDriver={}\n{target}[ODBC Driver 18 for SQL Server]\nDriver={}\n\
             [ODBC Driver 17 for SQL Server]\nDriver={}\n",
            library().display(),
            part("MSODBCSQL").display(),
            part("RECORDING_TARGET").display()
        )
    };
    for (target, driver) in [
        ("", "ODBC Driver 18 for SQL Server".to_owned()),
        ("TargetDriver=ODBC Driver 17 for SQL Server\n", "ODBC Driver 17 for SQL Server".to_owned()),
        (&format!("TargetDriver={}\n", part("MSODBCSQL").display()), part("MSODBCSQL").display().to_string()),
    ] {
        let registrations = Registrations::new(&odbcinst(target), "");
        let arguments = ["string", "--server", "x", "--client-certificate", "/c", "--client-key", "/k"];
        let string = loopback_odbc(&registrations, &arguments).ok().stdout;
        assert!(string.starts_with(&format!("Driver={driver};Server=x;")), "{string}");
    }
}

#[test]
fn a_failed_write_to_standard_output_is_an_error() {
    let usual = Registrations::usual("Server=x\nUID=y\n");
    for arguments in
        [&["string", "--platform", "windows"][..], &["doctor"], &["doctor", "--json"], &["completions", "bash"]]
    {
        let mut command = usual.command(part("PROGRAM"));
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = command.args(arguments).stdout(full).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        assert_says(&String::from_utf8_lossy(&ran.stderr), &["loopback-odbc: standard output: No space left"]);
    }
}

// --- doctor, in the four places that docs/doctor.md shows ---

#[test]
fn doctor_on_a_bare_machine() {
    let nothing = Registrations::new("", "");
    let ran = loopback_odbc(&nothing, &["doctor"]);
    assert_doctor(&ran, 2, &["2 failures, 0 warnings, 1 not checked\n"]);
    assert_documented("On a bare machine", &ran, &nothing);
}

#[test]
fn doctor_in_a_session() {
    let ran = in_a_session(&["--database", "Sales"], &["./loopback-odbc", "doctor", "--connect"]);
    assert_doctor(&ran, 0, &["Connected as CONTOSO\\analyst to ", "0 failures, 0 warnings\n"]);
    assert_documented("In a script that SQL Server runs", &ran, &Registrations::new("", ""));
}

#[test]
fn doctor_of_a_broken_installation() {
    let broken = Registrations::new(
        "[SQL Server Loopback]\nDriver=/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so\nTargetDriver=ODBC Driver 17 for SQL \
         Server\n[ODBC Driver 17 for SQL Server]\nDriver=/opt/microsoft/msodbcsql17/lib64/libmsodbcsql-17.10.so.6.1\n",
        "[Loopback]\nDriver=SQL Server Loopback\nServer=dev.example.com\nUID=developer\nPWD=hunter2\n",
    );
    let ran = loopback_odbc(&broken, &["doctor"]);
    assert_doctor(&ran, 2, &["2 failures, 0 warnings\n", "PWD=***"]);
    assert_documented("With a broken installation", &ran, &broken);
}

#[test]
fn doctor_on_a_laptop_with_a_development_server() {
    let server = Server::start_with("127.0.0.1:0", &["developer:hunter2"]);
    let laptop =
        Registrations::usual(&(server.section_without_login() + "Database=Sales\nUID=developer\nPWD=hunter2\n"));
    let ran = loopback_odbc(&laptop, &["doctor", "--connect"]);
    assert_doctor(&ran, 0, &["Connected as developer to Sales, in ", "0 failures, 0 warnings\n"]);
    assert_eq!(server.logins().len(), 1);
    let ran = Ran { stdout: ran.stdout.replace(&format!("127.0.0.1,{}", server.port), "dev.example.com"), ..ran };
    assert_documented("On a laptop with a development server", &ran, &laptop);
}

/// Compares what the page has below a heading with the doctor's output, except what differs between machines.
#[track_caller]
fn assert_documented(heading: &str, ran: &Ran, registrations: &Registrations) {
    let said = in_general(&ran.stdout, registrations);
    let page = fs::read_to_string(project("docs/doctor.md")).unwrap();
    let below = page.split_once(&format!("## {heading}\n")).expect(heading).1;
    let documented = below.split("```").nth(1).unwrap().trim_start_matches("text\n");
    let differs = || {
        let path = project("build").join(format!("doctor, {heading}.txt"));
        fs::write(&path, &said).unwrap();
        format!("docs/doctor.md, {heading:?}: it says now what is in {}", path.display())
    };
    assert!(documented == said, "{}", differs());
}

/// An output with typical paths, dates and times in place of the real ones.
fn in_general(said: &str, registrations: &Registrations) -> String {
    let stage = part("STAGE");
    let driver = part("MSODBCSQL");
    let driver_in_session =
        std::path::Path::new("/opt/mssql-extensibility/stage").join(driver.strip_prefix(&stage).unwrap());
    // Only the tests set this variable, which the fixes repeat.
    let mut said = said.replace(&with_registrations(registrations), "");
    for (path, usual) in [
        (library(), "/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so"),
        ("/opt/mssql-extensibility/lib/libloopbackodbc.so".into(), "/usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so"),
        (driver, "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1"),
        (driver_in_session, "/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1"),
        ("/opt/mssql-extensibility/odbc/".into(), "/etc/"),
        (registrations.path("user.ini"), "/home/developer/.odbc.ini"),
        (registrations.path("odbc.ini"), "/etc/odbc.ini"),
        (registrations.path("odbcinst.ini"), "/etc/odbcinst.ini"),
        (registrations.path("").components().as_path().to_owned(), "/home/developer"),
    ] {
        said = said.replace(path.to_str().unwrap(), usual);
    }
    let mut generalised = String::new();
    for line in said.lines() {
        let mut line = line.to_owned();
        for (before, after, usual) in [
            ("/var/opt/mssql-extensibility/data/", "/", "baeaac72-60b3-4fae-acfd-c50eff5d34a2"),
            ("CN=", ",", "baeaac72-60b3-4fae-acfd-c50eff5d34a2"),
            (" valid from ", " ", "2026-07-01T08:00:00Z"),
            ("Z until ", "Z", "2026-07-31T08:00:00"),
            (", in ", " ms", "12"),
            ("on the command lines of ", " processes", "3"),
        ] {
            line = replaced_between(&line, before, after, usual);
        }
        generalised += &(line.replace(env!("CARGO_PKG_VERSION"), "VERSION") + "\n");
    }
    generalised
}

/// What a fix that needs sudo has before the program's name: sudo drops the variable that leads to the files.
fn with_registrations(registrations: &Registrations) -> String {
    format!("ODBCSYSINI={} ", registrations.path("").components().as_path().display())
}

/// Replaces everything that stands between two texts.
fn replaced_between(text: &str, before: &str, after: &str, by: &str) -> String {
    let mut pieces = text.split(before);
    let mut replaced = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let rest = piece.find(after).map_or(piece.to_owned(), |end| by.to_owned() + &piece[end..]);
        replaced += &(before.to_owned() + &rest);
    }
    replaced
}

// --- doctor, otherwise ---

#[test]
fn doctor_is_called_from_python_and_r_in_a_session() {
    let python = "import subprocess; print(subprocess.run(['./loopback-odbc', 'doctor'], capture_output=True, text=True).stdout)";
    let r = "cat(system2('./loopback-odbc', 'doctor', stdout = TRUE), sep = '\\n')";
    for command in [["/usr/bin/python3", "-c", python], ["/usr/bin/Rscript", "-e", r]] {
        let ran = in_a_session(&[], &command).ok();
        assert_says(
            &ran.stdout,
            &["Server: fe80::8012:3df5:0:5db1%eth0", "The key belongs to the certificate", "0 failures, 0 warnings"],
        );
        // The output is not a terminal.
        assert!(!ran.stdout.contains('\x1b'), "{}", ran.stdout);
    }
}

#[test]
fn doctor_reports_an_unusable_odbc_installer_library() {
    let nothing = Registrations::new("", "");
    // It is found first, but is not a library.
    for name in ["libodbcinst.so.2", "libiodbcinst.so.2"] {
        fs::write(nothing.path(name), "x").unwrap();
    }
    let mut command = nothing.command(part("PROGRAM"));
    let ran = Ran::of(command.arg("doctor").env("LD_LIBRARY_PATH", nothing.path("")));
    assert_doctor(
        &ran,
        2,
        &[
            "the ODBC installer library cannot be loaded: ",
            "libodbcinst.so.2",
            "Fix: install unixODBC",
            "1 failure, 0 warnings, 2 not checked",
        ],
    );
}

#[test]
fn doctor_reports_registrations_the_user_cannot_read() {
    for (file, rest) in [
        (
            "odbcinst.ini",
            [
                "Target\n  unchecked Not checked: this depends on the registrations",
                "1 failure, 0 warnings, 2 not checked",
            ],
        ),
        (
            "odbc.ini",
            [
                "Session\n  unchecked Not checked: this depends on the data source",
                "1 failure, 0 warnings, 1 not checked",
            ],
        ),
    ] {
        let hide = format!("chmod 600 $ODBCSYSINI/{file}");
        let ran = in_a_session(&["--prepare", &hide], &["./loopback-odbc", "doctor"]);
        let path = format!("/{file} cannot be read: Permission denied");
        assert_doctor(&ran, 2, &[&path, "Fix: sudo chmod a+r '/", rest[0], rest[1]]);
    }
}

#[test]
fn doctor_checks_only_an_installation_from_any_shell() {
    // Nobody has configured a server, and this is no session.
    let installed = Registrations::usual("");
    let ran = loopback_odbc(&installed, &["doctor", "--installation"]);
    assert_doctor(&ran, 0, &["0 failures, 0 warnings\n"]);
    assert!(!ran.stdout.contains("Session"), "{ran:?}");
    let ran = loopback_odbc(&installed, &["doctor"]);
    assert_doctor(
        &ran,
        1,
        &["no development server is configured", "EXECUTE sp_execute_external_script", "1 not checked\n"],
    );
    // A development machine is judged as one.
    assert_doctor(
        &loopback_odbc(&Registrations::usual("Server=x\nUID=y\n"), &["doctor"]),
        0,
        &["a server and a login are configured"],
    );
    for (section, parts) in [
        ("Server=x\n", ["A server is configured (Server=x), and no login.", "1 failure, 0 warnings\n"]),
        (
            "Sever=x\nUID=y\n",
            [
                "The driver does not know the keyword \"Sever\" in section [Loopback]: did you mean Server?",
                "1 failure, 1 warning\n",
            ],
        ),
    ] {
        assert_doctor(&loopback_odbc(&Registrations::usual(section), &["doctor"]), 2, &parts);
    }
}

#[test]
fn doctor_lists_the_data_sources_if_one_is_missing() {
    let installed = Registrations::usual("");
    let ran = loopback_odbc(&installed, &["doctor", "--dsn", "Nope"]);
    let parts = [
        "There is no data source [Nope] in ",
        "The data sources of this library are [Loopback]",
        "install --dsn 'Nope'",
    ];
    assert_doctor(&ran, 2, &parts);
    let ran = loopback_odbc(&installed, &["doctor", "--dsn", ""]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert_says(&ran.stderr, &["a value is required for '--dsn <NAME>'"]);
}

#[test]
fn doctor_says_that_iodbc_is_not_unixodbc() {
    let folder = tempfile::tempdir().unwrap();
    // The other name is found first.
    fs::write(folder.path().join("libodbcinst.so.2"), "x").unwrap();
    let usual = Registrations::usual("Server=x\nUID=y\n");
    let path = format!("{}:{}", folder.path().display(), part("IODBC_LIB").display());
    let mut command = usual.command(part("PROGRAM"));
    command.args(["doctor", "--connect"]).env("LD_LIBRARY_PATH", path).env("ODBCINSTINI", usual.path("odbcinst.ini"));
    let ran = Ran::of(command.env("ODBCINI", usual.path("odbc.ini")));
    assert_doctor(
        &ran,
        ran.status,
        &["odbc.ini, section [Loopback]: Driver=", "the driver manager on this machine is not unixODBC"],
    );
}

#[test]
fn doctor_reports_a_wrong_key_its_mode_and_an_uncertain_server() {
    let other = "openssl genrsa -traditional -out $LAUNCHPAD_DIR/sqlsatellitekey.pem 2048 2>/dev/null; \
        chmod 644 $LAUNCHPAD_DIR/sqlsatellitekey.pem";
    for (snippet, status, parts) in [
        (other, 2, &["The key does not belong to the certificate", "can be read by every user of this machine"][..]),
        ("chmod 644 $LAUNCHPAD_DIR/sqlsatellitekey.pem", 1, &["chmod o-r /var/opt/mssql-extensibility/data/"]),
    ] {
        let ran = in_a_session(&["--prepare", snippet], &["./loopback-odbc", "doctor"]);
        assert_doctor(&ran, status, parts);
    }
    let ran = in_a_session(&["--second-peer", "fe80::9"], &["./loopback-odbc", "doctor"]);
    assert_doctor(&ran, 2, &["The address of SQL Server is not certain", "fe80::9%eth0"]);
}

#[test]
fn doctor_warns_where_the_signals_do_not_agree() {
    let route = "ip -6 route add default via fe80::77 dev eth0";
    let ran = in_a_session(&["--prepare", route], &["./loopback-odbc", "doctor"]);
    assert_doctor(&ran, 1, &["default routes: found fe80::77%eth0", "The signals disagree"]);
}

#[test]
fn doctor_shows_all_records_of_a_failed_connection() {
    let laptop = Registrations::usual("Server=127.0.0.1,1\nUID=developer\nPWD=hunter2\nLoginTimeout=1\n");
    let ran = loopback_odbc(&laptop, &["doctor", "--connect"]);
    assert_doctor(&ran, 2, &["The connection failed after ", "08001: [Microsoft][ODBC Driver 18"]);
}

#[test]
fn doctor_prints_its_findings_before_a_driver_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (source, driver) = (folder.path().join("ends.c"), folder.path().join("ends.so"));
    fs::write(&source, "#include <unistd.h>\n__attribute__((constructor)) static void end(void) { _exit(77); }\n")
        .unwrap();
    common::compile(source.to_str().unwrap(), &driver, &["-shared", "-fPIC"]);
    let ends = Registrations::usual("Server=x\nUID=y\n");
    let mut command = ends.command(part("PROGRAM"));
    let ran = Ran::of(command.arg("doctor").env("LOOPBACK_ODBC_TARGET_DRIVER", driver));
    assert_doctor(&ran, 77, &["is loopback-odbc "]);
}

#[test]
fn doctor_refuses_a_driver_manager_as_the_target() {
    let usual = Registrations::usual("Server=x\nUID=y\n");
    let mut command = usual.command(part("PROGRAM"));
    let manager = part("UNIXODBC_LIB").join("libodbc.so.2");
    let ran = Ran::of(command.arg("doctor").env("LOOPBACK_ODBC_TARGET_DRIVER", manager));
    assert_doctor(&ran, 2, &["this is a driver manager; the target must be a driver"]);
}

#[test]
fn doctor_looks_at_files_that_the_section_names() {
    for (section, status, said) in [
        ("ClientCertificate=file:/missing.pfx\n", 2, "/missing.pfx cannot be read: No such file"),
        ("ClientCertificate=file:/etc/passwd\n", 0, "its contents were not checked"),
    ] {
        let registrations = Registrations::usual(&format!("Server=x\n{section}"));
        assert_doctor(&loopback_odbc(&registrations, &["doctor"]), status, &[said]);
    }
}

#[test]
fn doctor_looks_at_the_library_that_is_registered() {
    // Microsoft's driver is registered under this driver's name.
    let other = Registrations::new(
        &format!("[SQL Server Loopback]\nDriver={}\n", part("MSODBCSQL").display()),
        "[Loopback]\nDriver=SQL Server Loopback\n[Direct]\nDriver=/nonexistent/driver.so\n[Wrong]\nDriver=Elsewhere\n",
    );
    let ran = loopback_odbc(&other, &["doctor"]);
    assert_doctor(&ran, 2, &["libmsodbcsql-18.6.so.2.1 is not the library of loopback-odbc"]);
    let ran = loopback_odbc(&other, &["doctor", "--dsn", "Direct"]);
    assert_doctor(&ran, 2, &["/nonexistent/driver.so cannot be loaded: "]);
    let ran = loopback_odbc(&other, &["doctor", "--dsn", "Wrong"]);
    assert_doctor(
        &ran,
        2,
        &[
            "There is no driver [Elsewhere] in /",
            "/odbcinst.ini\n",
            &format!(
                "Fix: sudo {}loopback-odbc install --driver-name 'Elsewhere' --dsn 'Wrong'",
                with_registrations(&other)
            ),
        ],
    );
    // A value that is no name and no path is not shown whole.
    let secret = Registrations::new(
        &format!("[SQL Server Loopback]\nDriver={}\n", library().display()),
        "[Loopback]\nDriver=SQL Server Loopback;UID=dev2;PWD=hunter2\n[Path]\nDriver=/a/b.so;PWD=hunter2\n",
    );
    let place = secret.path("odbc.ini");
    let line = |dsn: &str| format!("Fix: write Driver=SQL Server Loopback in section [{dsn}] of {}\n", place.display());
    let ran = loopback_odbc(&secret, &["doctor"]);
    let parts =
        ["There is no driver [SQL Server Loopback;UID=dev2;PWD=***]", "Driver takes the name alone", &line("Loopback")];
    assert_doctor(&ran, 2, &parts);
    let ran = loopback_odbc(&secret, &["doctor", "--dsn", "Path"]);
    assert_doctor(&ran, 2, &["Driver=/a/b.so;PWD=***", &line("Path")]);
}

#[test]
fn doctor_names_what_is_wrong_in_the_files() {
    let ours = format!("Driver={}\n", library().display());
    let driver = format!("[SQL Server Loopback]\n{ours}");
    let usual = "[Loopback]\nDriver=SQL Server Loopback\n";
    for (odbcinst, odbc, user, parts) in [
        (
            &*driver,
            "[Loopback]\nDrvier=x\n",
            "",
            &["Section [Loopback] of ", "has no Driver line", "instead of Drvier?"][..],
        ),
        (
            &driver,
            "",
            "[Loopback]\nUID=x\n",
            &["/user.ini has no Driver line\n", "Fix: loopback-odbc install --user\n"],
        ),
        (
            &driver,
            "[Lopback]\nDriver=x\n",
            "",
            &["no data source [Loopback]", "Did you mean [Lopback] of ", "write [Loopback] instead"],
        ),
        (
            &driver,
            "\u{feff}[Loopback]\nDriver=SQL Server Loopback\n",
            "",
            &["/odbc.ini begins with a UTF-8 byte order mark"],
        ),
        (&driver, "Trace=no\n[Loopback]\nDriver=x\n", "", &["/odbc.ini begins with text before the first section"]),
        (
            &format!("\u{feff}{driver}"),
            usual,
            "",
            &["/odbcinst.ini begins with a UTF-8 byte order mark", "Fix: sudo sed "],
        ),
        ("[SQL Server Loopback]\nDrvier=x\n", usual, "", &["Section [SQL Server Loopback] of ", "instead of Drvier?"]),
        (
            &format!("[SQL Sever Loopback]\n{ours}"),
            usual,
            "",
            &["Fix: write [SQL Server Loopback] instead of [SQL Sever Loopback] in "],
        ),
        (
            &driver,
            "[Loopback]\nDriver={SQL Server Loopback}\n",
            "",
            &["Driver takes the name alone", "Fix: write Driver=SQL Server Loopback in section [Loopback] of "],
        ),
        (
            &driver,
            "[Loopback]\nDriver=SQL Server Lopback\n",
            "",
            &["no driver [SQL Server Lopback]", "Fix: write Driver=SQL Server Loopback in "],
        ),
        (
            "",
            "[Loopback]\nDriver=SQL Server Lopback\n",
            "",
            &["Fix: write Driver=SQL Server Loopback in ", ", then: sudo ODBCSYSINI="],
        ),
        (
            "",
            "",
            "[Loopback]\nDriver=/nowhere/libloopbackodbc.so\n",
            &["cannot be loaded", "Fix: loopback-odbc install --user\n"],
        ),
        (
            "",
            "",
            "[Loopback]\nDriver=/nowhere/other.so\n",
            &["Fix: write Driver=", "/user.ini, then: loopback-odbc install --user\n"],
        ),
        (
            "[SQL Server Loopback]\nDriver=/nowhere/other.so\n",
            usual,
            "",
            &["libloopbackodbc.so in section [SQL Server Loopback] of "],
        ),
    ] {
        let registrations = Registrations::new(odbcinst, odbc);
        fs::write(registrations.path("user.ini"), user).unwrap();
        assert_doctor(&loopback_odbc(&registrations, &["doctor", "--installation"]), 2, parts);
    }
}

#[test]
fn doctor_takes_the_name_of_a_data_source_and_nothing_else() {
    let usual = Registrations::usual("");
    for dsn in ["DSN=Loopback", "Loopback]", "DSN=x;PWD=hunter2"] {
        let ran = loopback_odbc(&usual, &["doctor", "--dsn", dsn]);
        assert_doctor(&ran, 2, &[]);
        assert_says(&ran.stderr, &["is not the name of a data source. Fix: give the name only"]);
    }
}

#[test]
fn doctor_hides_passwords_in_addresses_and_reports_invalid_section_values() {
    let url = Registrations::usual("Server=mssql://dev2:hunter2@host\n");
    assert_doctor(&loopback_odbc(&url, &["doctor"]), 2, &["A server is configured (Server=mssql://dev2:***)"]);
    let answer = Registrations::usual("Server=host\nTrusted_Connection=True\n");
    assert_doctor(&loopback_odbc(&answer, &["doctor"]), 2, &["write Trusted_Connection=yes. A server is configured"]);
    // Latin-1.
    let latin = Registrations::usual("");
    fs::write(latin.path("odbc.ini"), b"[Loopback]\nDriver=SQL Server Loopback\nUID=u\nPWD=hunter2\xfc\n").unwrap();
    assert_doctor(
        &loopback_odbc(&latin, &["doctor"]),
        2,
        &["the value of PWD: it is not UTF-8. Save the file in UTF-8."],
    );
}

#[test]
fn doctor_compares_no_string_with_a_development_server() {
    let laptop = Registrations::usual("Server=x\nUID=y\nPWD=hunter2\n");
    let ran = loopback_odbc(&laptop, &["doctor", "--compare", "Server=z"]);
    assert_doctor(&ran, 1, &["A server and a login are configured, so this is not a loopback string"]);
}

#[test]
fn doctor_warns_of_a_better_target_that_cannot_be_loaded() {
    let odbcinst = format!(
        "[SQL Server Loopback]\nDriver={}\n[ODBC Driver 18 for SQL Server]\nDriver=/nonexistent.so\n\
         [ODBC Driver 17 for SQL Server]\nDriver={}\n",
        library().display(),
        part("RECORDING_TARGET").display()
    );
    let registrations =
        Registrations::new(&odbcinst, "[Loopback]\nDriver=SQL Server Loopback\nServer=x\nUID=y\nPWD=hunter2\n");
    let ran = loopback_odbc(&registrations, &["doctor"]);
    assert_doctor(&ran, 1, &["A newer driver is registered but cannot be loaded: ODBC Driver 18", "/nonexistent.so"]);
}

#[test]
fn doctor_says_that_a_line_with_an_unregistered_target_can_be_deleted() {
    let usual = Registrations::usual("");
    let odbcinst = fs::read_to_string(usual.path("odbcinst.ini")).unwrap();
    let line = "[SQL Server Loopback]\nTargetDriver=ODBC Driver 17 for SQL Server\n";
    fs::write(usual.path("odbcinst.ini"), odbcinst.replace("[SQL Server Loopback]\n", line)).unwrap();
    let says = "ODBC Driver 17 for SQL Server: no such section in odbcinst.ini. It is set by TargetDriver in section [SQL Server \
                Loopback] of odbcinst.ini. Install it, or delete that line, which is enough to use ODBC Driver 18 for SQL Server.\n";
    assert_doctor(&loopback_odbc(&usual, &["doctor", "--installation"]), 2, &[says]);
}

#[test]
fn doctor_names_misspelt_keywords_of_the_section() {
    let section = "Server=x\nUID=y\nDatabse=Sales\nTrustServerCertifcate=Yes\nMARS_Connection=yes\nOwnWord=1\n";
    for arguments in [&["doctor"][..], &["doctor", "--installation"]] {
        let ran = loopback_odbc(&Registrations::usual(section), arguments);
        let says = |keyword: &str, meant: &str| {
            format!("The driver does not know the keyword \"{keyword}\" in section [Loopback]: did you mean {meant}?\n")
        };
        let both = [says("Databse", "Database"), says("TrustServerCertifcate", "TrustServerCertificate")];
        assert_doctor(&ran, 1, &[&both[0], &both[1], "0 failures, 2 warnings\n"]);
    }
}

#[test]
fn doctor_leaves_a_driver_for_another_server_alone() {
    let registrations = Registrations::new(
        &format!(
            "[SQL Server Loopback]\nDriver={}\nTargetDriver={}\n",
            library().display(),
            part("PSQLODBC").display()
        ),
        "[Loopback]\nDriver=SQL Server Loopback\nServername=x\n",
    );
    let ran = loopback_odbc(&registrations, &["doctor"]);
    assert_doctor(&ran, 0, &["is not a Microsoft ODBC driver: nothing is discovered"]);
}

#[test]
fn doctor_compares_an_official_string_key_by_key() {
    let official = "Driver=ODBC Driver 17 for SQL Server;Server=FE80::8012:3df5:0:5db1%eth0;Database=Sales;\
        ClientCertificate=file:/elsewhere/sqlsatellitecert.pem;PWD=hunter2;Encrypt=yes";
    let ran = in_a_session(&[], &["./loopback-odbc", "doctor", "--compare", official]);
    assert_doctor(
        &ran,
        1,
        &[
            "warning   The official string has Driver=ODBC Driver 17 for SQL Server, the library's has Driver=ODBC Driver 18 for SQL Server\n",
            "ok        The same in both: Server, Database, Encrypt\n",
            "warning   The official string has ClientCertificate=file:/elsewhere/sqlsatellitecert.pem, the library's has ClientCertificate=file:/var",
            "warning   The official string has PWD=***, the library's has no PWD\n",
            "warning   The library's string has Trusted_Connection=no, the official string has no Trusted_Connection\n",
        ],
    );
    // A complete string, made by the program itself, has the same value for every keyword.
    let own = "./loopback-odbc doctor --compare \"$(./loopback-odbc string --database Sales)\"";
    let ran = in_a_session(&[], &["sh", "-c", own]);
    let all =
        "Driver, Server, Database, ClientCertificate, ClientKey, TrustServerCertificate, Trusted_Connection, Encrypt";
    assert_doctor(&ran, 0, &[&format!("The same in both: {all}\n"), "0 failures, 0 warnings"]);
    for (official, part) in [
        ("nonsense", "can only be read up to character 0: a keyword without '='"),
        ("Driver={abc;PWD=hunter2;Server=x", "an opening brace is not closed"),
        ("Server=x;PWD=hun;ter2=hunter2;x=y", "The official string has ***"),
    ] {
        let ran = in_a_session(&[], &["./loopback-odbc", "doctor", "--compare", official]);
        assert!(ran.status > 0);
        assert_doctor(&ran, ran.status, &[part]);
    }
}

#[test]
fn a_password_inside_an_open_brace_is_not_logged() {
    let usual = Registrations::usual("");
    let string = "DSN=Loopback;Server=127.0.0.1,1;LoginTimeout=1;UID={dom;PWD=hunter2;APP=x";
    let mut command = usual.command(part("PYTHON"));
    command.env("LOOPBACK_ODBC_LOG", "trace").args(["-c", common::CONNECT_AND_FAIL, string]);
    let ran = Ran::of(&mut command).ok();
    assert_says(&ran.stderr, &["connecting with: ", "UID={dom;PWD=***"]);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn doctor_json_has_level_version_and_checks() {
    let registrations = Registrations::usual("Server=x\nUID=y\nPWD=hunter2\n");
    let ran = loopback_odbc(&registrations, &["doctor", "--json"]);
    assert_doctor(&ran, 0, &[]);
    let read =
        "import json, sys; whole = json.load(sys.stdin); print(whole['level'], whole['version'], *whole['checks'][0])";
    let path = registrations.path("report.json");
    fs::write(&path, &ran.stdout).unwrap();
    let python = Command::new(part("PYTHON")).args(["-c", read]).stdin(fs::File::open(path).unwrap()).output().unwrap();
    let expected = format!("ok {} area level text details\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&python.stdout), expected);
}

// --- The program itself ---

#[test]
fn the_manual_page_and_the_completions_have_every_command() {
    let nothing = Registrations::new("", "");
    let all = ["string", "doctor", "database", "compare"];
    for (arguments, parts) in [
        (&["man"][..], &all[..2]),
        (&["man", "string"], &["loopback\\-odbc\\-string", "database", "managed\\-instance"]),
        (&["man", "doctor"], &["loopback\\-odbc\\-doctor", "compare", "EXIT STATUS"]),
        (&["completions", "bash"], &all),
        (&["completions", "zsh"], &all),
        (&["completions", "fish"], &all),
    ] {
        assert_says(&loopback_odbc(&nothing, arguments).ok().stdout, parts);
    }
}

#[test]
fn an_invalid_command_line_shows_the_usage() {
    let nothing = Registrations::new("", "");
    for arguments in [&[][..], &["string", "--platform", "mars"], &["docter"]] {
        let ran = loopback_odbc(&nothing, arguments);
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert!(ran.stderr.contains("Usage: loopback-odbc") || ran.stderr.contains("--help"), "{}", ran.stderr);
    }
}

#[test]
fn the_program_needs_no_driver_manager_to_start() {
    let needed = Ran::of(Command::new("readelf").arg("-d").arg(part("PROGRAM"))).ok().stdout;
    let needed: Vec<&str> = needed.lines().filter(|line| line.contains("(NEEDED)")).collect();
    for line in &needed {
        let of_the_system = ["libc.so.6", "libgcc_s.so.1", "ld-linux", "libm.so.6"].iter().any(|it| line.contains(it));
        assert!(of_the_system, "{line}");
    }
    assert!(!needed.is_empty());
}
