//! Driver managers: what programs with narrow and wide characters see through each, with and without pooling, compared
//! with what they see when they connect to Microsoft's driver directly.
//!
//! These tests check docs/driver-managers.md.

mod common;

use common::server::Server;
use common::{Ran, Registrations, assert_says, compile, library, part, project};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

/// A driver manager, and how `tests/programs/manager.c` is linked with it.
struct Manager {
    options: Vec<String>,
    /// The encoding of non-ASCII text in its narrow connection strings: the locale's encoding, or Latin-1. The text of
    /// statements is Latin-1 in all of them.
    by_locale: bool,
    /// Where its shared library is searched.
    folder: PathBuf,
}

impl Manager {
    /// Debian's, unpacked by scripts/setup.
    fn unixodbc() -> Manager {
        Manager { options: vec!["-lodbc".into()], by_locale: true, folder: part("UNIXODBC_LIB") }
    }

    /// The one that the crate unix-odbc compiles and odbc-api's feature vendored-unix-odbc links into the program. The
    /// installer library is still Debian's, as it is where such a program runs.
    fn linked_in() -> Manager {
        let test = std::env::current_exe().unwrap();
        let builds = test.parent().unwrap().with_file_name("build");
        // The build of this project's own libodbc.a is empty.
        let paths = fs::read_dir(&builds).unwrap().map(|build| build.unwrap().path()).filter(|path| {
            path.file_name().is_some_and(|name| name.to_str().is_some_and(|name| name.starts_with("unix-odbc-")))
        });
        let paths = paths.map(|build| build.join("out/libodbc.a"));
        let archives: Vec<(Vec<u8>, PathBuf)> = paths.filter_map(|path| Some((fs::read(&path).ok()?, path))).collect();
        let (contents, archive) =
            archives.first().unwrap_or_else(|| panic!("unix-odbc's libodbc.a is not below {}", builds.display()));
        // cargo does not tell which of the compiled versions is in use.
        let same = archives.iter().all(|(other, _)| other == contents);
        assert!(same, "there are different libodbc.a below {}: cargo clean -p unix-odbc", builds.display());
        let options = vec![archive.display().to_string(), "-ldl".into(), "-lpthread".into()];
        Manager { options, by_locale: false, folder: part("UNIXODBC_LIB") }
    }

    /// Debian's iODBC, unpacked by scripts/setup.
    fn iodbc() -> Manager {
        let (includes, folder) = (part("IODBC").join("include/iodbc"), part("IODBC_LIB"));
        let options = vec![format!("-I{}", includes.display()), format!("-L{}", folder.display()), "-liodbc".into()];
        Manager { options, by_locale: true, folder }
    }

    /// The programs for it, with narrow and with wide characters.
    fn programs(&self, folder: &Path) -> [PathBuf; 2] {
        [("narrow", None), ("wide", Some("-DUNICODE"))].map(|(name, definition)| {
            let program = folder.join(name);
            let options = self.options.iter().map(String::as_str).chain(definition);
            compile("tests/programs/manager.c", &program, &options.collect::<Vec<&str>>());
            program
        })
    }
}

/// Programs, and the same server behind two data sources: `Loopback` through the library, `Straight` without it.
struct Setting {
    server: Server,
    registrations: Registrations,
    programs: [PathBuf; 2],
    /// Where the driver manager is searched.
    folder: PathBuf,
}

impl Setting {
    fn new(manager: &Manager, pooling: bool) -> Setting {
        let server = Server::start();
        let odbc = format!(
            "[Loopback]\nDriver=SQL Server Loopback\n{}\n[Straight]\nDriver=ODBC Driver 18 for SQL Server\n{}\n\
             [Bare]\nDriver=SQL Server Loopback\n",
            server.section(),
            server.section_without_login()
        );
        let (yes, pooled) = if pooling { ("Yes", "CPTimeout=600\n") } else { ("No", "") };
        let odbcinst = format!(
            "[ODBC]\nPooling={yes}\n\n[SQL Server Loopback]\nDriver={}\n{pooled}\n\
             [ODBC Driver 18 for SQL Server]\nDriver={}\n{pooled}",
            library().display(),
            part("MSODBCSQL").display()
        );
        let registrations = Registrations::new(&odbcinst, &odbc);
        let programs = manager.programs(&registrations.path(""));
        Setting { server, registrations, programs, folder: manager.folder.clone() }
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Ran {
        let mut command = self.registrations.command(program);
        Ran::of(command.args(arguments).env("LD_LIBRARY_PATH", &self.folder)).ok()
    }

    /// The output of a program for a data source. In the arguments `DSN` is replaced by a connection string for it. In
    /// the output it replaces the returned strings, which the driver completes with what it found.
    fn said(&self, program: &Path, source: &str, arguments: &[&str]) -> String {
        // Microsoft's driver reads no password from odbc.ini.
        let login = if source == "Straight" { ";UID=developer;PWD={se;cr}}et}" } else { "" };
        let string = format!("DSN={source};Database=Sales{login}");
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| argument.strip_prefix("DSN").map_or((*argument).into(), |more| string.clone() + more))
            .map(|argument| argument.replace("SOURCE", source))
            .collect();
        let said = self.run(program, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).stdout;
        let line =
            |line: &str| if line.starts_with("  DSN=") { "  DSN".into() } else { line.replace(source, "SOURCE") };
        said.lines().map(line).collect::<Vec<String>>().join("\n") + "\n"
    }

    /// Checks that both programs print the same with and without the library, and returns their outputs, the narrow one
    /// first.
    #[track_caller]
    fn same(&self, arguments: &[&str]) -> [String; 2] {
        self.programs.each_ref().map(|program| {
            let [through, straight] = ["Loopback", "Straight"].map(|source| self.said(program, source, arguments));
            assert_eq!(through, straight, "{}", program.display());
            through
        })
    }
}

/// What every unixODBC must do.
fn is_no_different_from_the_driver(manager: &Manager) {
    let setting = Setting::new(manager, false);
    let mut arguments = Vec::new();
    for _ in 0..3 {
        arguments.extend(["connect", "DSN", "info", "query", "SELECT COUNT(*) FROM dbo.Orders", "disconnect"]);
    }
    for said in setting.same(&arguments) {
        assert_eq!(said.matches("\"12\"").count(), 3, "{said}");
        assert_eq!(said.matches("\"SOURCE\" of ").count(), 3, "{said}");
        assert_eq!(said.matches("disconnect: 0").count(), 3, "{said}");
    }
    assert_eq!(setting.server.logins().len(), 2 * 2 * 3);

    // Non-ASCII text in the connection string, a query, a value in pieces, and errors.
    let texts = setting.same(&[
        "connect",
        "DSN;APP=Bjørn & Sønner 日本",
        "query",
        "SELECT N'Bjørn & Sønner 日本 😀', N'æ'",
        "query",
        "SELECT * FROM dbo.Missing",
        "query",
        "SELECT 7; RAISERROR(N'Ærgerligt 日本', 16, 1)",
        "disconnect",
    ]);
    for said in &texts {
        assert_says(said, &["[01004] 0 [Microsoft][ODBC Driver 18 for SQL Server]String data, right truncation\n"]);
        assert_says(said, &["[42S02] 208 [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object name"]);
        assert_says(said, &["[42000] 50000 ", "[SQL Server]Ærgerligt 日本", "\"7\""]);
    }
    assert_says(&texts[1], &["  40 \"Bjørn & Sønner \"\n", "\"日本 😀\"\n", "  2 \"æ\"\n"]);
    assert!(!texts[1].contains("not its whole length"), "{}", texts[1]);
    // The driver converts to the locale's encoding, so text that was Latin-1 comes back longer.
    assert_says(&texts[0], &["\"BjÃ¸rn ", "  4 \"Ã¦\"\n"]);
    let misread = |text: &str| format!("{:?}", text.bytes().map(char::from).collect::<String>());
    for (login, narrow) in setting.server.logins()[12..].iter().zip([true, true, false, false]) {
        let name = "Bjørn & Sønner 日本";
        let arrived = if narrow && !manager.by_locale { misread(name) } else { format!("{name:?}") };
        assert_says(login, &[&format!("application={arrived} ")]);
    }

    // Connects that fail: refused by the server, without a server, and refused by the driver manager. The port is the
    // client side of a connection, so it is in use but nobody listens on it.
    let taken = TcpStream::connect(format!("127.0.0.1:{}", setting.server.port)).unwrap();
    let failures = setting.same(&[
        "source",
        "SOURCE",
        "developer",
        "wrong",
        "connect",
        &format!("DSN;Server=127.0.0.1,{}", taken.local_addr().unwrap().port()),
        "connect",
        "dsn=Nowhere",
        "info",
    ]);
    for said in &failures {
        assert_says(said, &["[28000] 18456 ", "Login failed for user 'developer'.\n", "info: not connected"]);
        assert_says(said, &["[08001] 10057 ", "For more information see SQL Server Books Online.\n"]);
        assert_says(said, &["Login timeout expired\n"]);
    }
}

/// Errors from the library are complete, in several records, and the same for both programs.
fn refusals_come_through(manager: &Manager) {
    let setting = Setting::new(manager, false);
    let long = format!("DSN=Bare;TargetDriver={}", "~".repeat(600));
    let arguments = ["connect", "DSN=Bare;Database=Ærø", "source", "Bare", "", "", "connect", &long];
    let [narrow, wide] = setting.programs.each_ref().map(|program| setting.run(program, &arguments).stdout);
    assert_eq!(narrow.replace("[unixODBC]", ""), wide.replace("[unixODBC]", ""));
    for said in [narrow, wide] {
        assert_eq!(said.matches("connect: -1").count(), 3, "{said}");
        assert_eq!(said.matches("  [08001] 0 ").count(), 2 * 4, "{said}");
        assert_says(&said, &["loopback-odbc] No server and no login are configured", "data directory"]);
        // An error that is too long for unixODBC, with the name in it twice, comes in pieces, none of which is missing.
        assert!(said.matches("  [HY024] 0 [loopback-odbc] ").count() > 2, "{said}");
        assert_eq!(said.matches('~').count(), 2 * 600, "{said}");
        assert!(said.ends_with(" data source for it.\n") && !said.contains("not its whole length"), "{said}");
    }
}

/// What a connection pool of unixODBC does.
fn pools_by_the_connection_string(manager: &Manager) {
    let setting = Setting::new(manager, true);
    for (program, name) in setting.programs.iter().zip(["narrow", "wide"]) {
        for source in ["Loopback", "Straight"] {
            let before = setting.server.logins().len();
            let mut arguments = Vec::new();
            for _ in 0..4 {
                arguments.extend(["connect", "DSN", "query", "SELECT COUNT(*) FROM dbo.Orders", "disconnect"]);
            }
            arguments.extend(["connect", "DSN;APP=other", "disconnect", "connect", "DSN;APP=other", "disconnect"]);
            let said = setting.said(program, source, &arguments);
            assert_eq!((said.matches("\"12\"").count(), said.matches("disconnect: 0").count()), (4, 6), "{said}");
            let logins = setting.server.logins().split_off(before);
            let applications: Vec<_> = logins.iter().map(|it| it.contains("application=\"other\"")).collect();
            assert_eq!(applications, [false, true], "{name} {source}");
            // SQLConnect has a pool of its own.
            let before = setting.server.logins().len();
            let source = ["source", "SOURCE", "developer", "se;cr}et", "query", "SELECT 1", "disconnect"];
            setting.said(program, "Loopback", &source.repeat(3));
            assert_eq!(setting.server.logins().len(), before + 1, "{name}");
        }
    }
}

/// After reuse, and after the server has gone, a pooled connection behaves as it does without the library.
fn a_reused_connection_is_no_worse_than_the_driver_s(manager: &Manager) {
    let setting = Setting::new(manager, true);
    let again = ["connect", "DSN", "info", "query", "SELECT * FROM dbo.Missing", "disconnect"];
    for said in setting.same(&again.repeat(3)) {
        // The connection has its own diagnostics, not those of its previous user.
        assert_eq!(said.matches("connect: 1\n  [01000]").count(), 1, "{said}");
        assert_eq!(said.matches("\nconnect: 0\n  DSN\n").count(), 2, "{said}");
        assert_eq!(said.matches("[42S02]").count(), 3, "{said}");
        assert_eq!(said.matches("\"SOURCE\" of ").count(), 1, "{said}");
        assert_eq!(said.matches("\n  \"\" of 0 bytes").count(), 2, "{said}");
    }
    for program in &setting.programs {
        let [through, straight] = ["Loopback", "Straight"].map(|source| {
            let server = Server::start();
            let pid = server.process.id();
            // The server is dead when only a zombie without threads is left.
            let state = format!("$(cat /proc/{pid}/task/*/stat | cut -d ' ' -f 3)");
            let dead = format!("for attempt in $(seq 2000); do [ \"{state}\" != Z ] || exit 0; sleep 0.01; done");
            let kill = format!("kill -9 {pid}; {dead}; exit 1");
            let string = format!("DSN;Server=127.0.0.1,{}", server.port);
            let connect = ["connect", &string, "query", "SELECT 1", "disconnect"];
            let said = setting.said(program, source, &[&connect[..], &["run", &kill], &connect, &connect].concat());
            assert_eq!(server.logins().len(), 1);
            // The system determines whether the connection was reset or closed, and the driver has a text for each.
            let states = said.lines().map(|line| if line.starts_with("  [") { &line[..9] } else { line });
            states.collect::<Vec<&str>>().join("\n")
        });
        assert_eq!(through, straight);
        // It is handed out once more, reports that it is dead, and is not handed out again.
        let end = "run: 0\nconnect: 0\n  DSN\nquery: -1\n  [08S01]\n  [08S01]\nmore: 100\ndisconnect: 0\n\
                   connect: -1\n  [HYT00]\n  [08001]\n  [08001]\nquery: not connected\ndisconnect: not connected";
        assert!(through.ends_with(end), "{through}");
    }
}

/// The version of a unixODBC, from its code.
#[track_caller]
fn version(binary: &Path) -> u32 {
    let contents = fs::read(binary).unwrap();
    let strings = contents.split(|&byte| byte == 0).filter_map(|string| std::str::from_utf8(string).ok());
    let mut versions: Vec<u32> = strings.filter_map(|string| string.strip_prefix("2.3.")?.parse().ok()).collect();
    versions.dedup();
    assert_eq!(versions.len(), 1, "{}: {versions:?}", binary.display());
    println!("{}: unixODBC 2.3.{}", binary.display(), versions[0]);
    versions[0]
}

#[test]
fn unixodbc_is_no_different_from_the_driver() {
    is_no_different_from_the_driver(&Manager::unixodbc());
}

#[test]
fn unixodbc_passes_refusals_on() {
    refusals_come_through(&Manager::unixodbc());
}

#[test]
fn unixodbc_pools_by_the_connection_string() {
    pools_by_the_connection_string(&Manager::unixodbc());
}

#[test]
fn unixodbc_reuses_connections() {
    a_reused_connection_is_no_worse_than_the_driver_s(&Manager::unixodbc());
}

#[test]
fn pyodbc_pools_unasked_from_unixodbc_2_3_12_on() {
    let server = Server::start();
    let odbcinst = format!(
        "[ODBC]\nPooling=No\n\n[SQL Server Loopback]\nDriver={}\nCPTimeout=600\n[ODBC Driver 18 for SQL Server]\nDriver={}\n",
        library().display(),
        part("MSODBCSQL").display()
    );
    let odbc = format!("[Loopback]\nDriver=SQL Server Loopback\n{}\n", server.section());
    let registrations = Registrations::new(&odbcinst, &odbc);
    let logins = |setting: &str| {
        let before = server.logins().len();
        let script = format!("import pyodbc\n{setting}\nfor _ in range(3): pyodbc.connect('DSN=Loopback').close()");
        Ran::of(registrations.command(part("PYTHON")).args(["-c", &script])).ok();
        server.logins().len() - before
    };
    let pools = version(&part("UNIXODBC_LIB").join("libodbc.so.2")) >= 12;
    assert_eq!(logins(""), if pools { 1 } else { 3 });
    assert_eq!(logins("pyodbc.pooling = False"), 3);
}

#[test]
fn a_newer_unixodbc_linked_in_is_at_least_2_3_14() {
    let folder = tempfile::tempdir().unwrap();
    let [program, _] = Manager::linked_in().programs(folder.path());
    assert!(version(&program) >= 14);
}

#[test]
fn a_newer_unixodbc_linked_in_is_no_different_from_the_driver() {
    is_no_different_from_the_driver(&Manager::linked_in());
}

#[test]
fn a_newer_unixodbc_linked_in_passes_refusals_on() {
    refusals_come_through(&Manager::linked_in());
}

#[test]
fn a_newer_unixodbc_linked_in_pools_by_the_connection_string() {
    pools_by_the_connection_string(&Manager::linked_in());
}

#[test]
fn a_newer_unixodbc_linked_in_reuses_connections() {
    a_reused_connection_is_no_worse_than_the_driver_s(&Manager::linked_in());
}

/// Runs a program with iODBC's variables for the registration files; returns the library's log as well.
fn under_iodbc(setting: &Setting, program: &Path, arguments: &[&str]) -> (Ran, String) {
    let path = |name: &str| setting.registrations.path(name);
    let mut command = setting.registrations.command(program);
    command.args(arguments).env("ODBCINI", path("odbc.ini")).env("ODBCINSTINI", path("odbcinst.ini"));
    // Otherwise unixODBC's installer library would be found first.
    let folders = [part("UNIXODBC_LIB"), part("IODBC_LIB")].map(|folder| folder.display().to_string()).join(":");
    command.env("LD_LIBRARY_PATH", folders);
    command.env("LOOPBACK_ODBC_LOG", "info").env("LOOPBACK_ODBC_LOG_FILE", path("log"));
    let ran = Ran::of(&mut command).ok();
    let log = fs::read_to_string(path("log")).unwrap();
    fs::remove_file(path("log")).unwrap();
    (ran, log)
}

/// iODBC 3.52.9 does not ask for the width of the driver's characters, and passes strings with four bytes per
/// character.
#[test]
fn an_iodbc_that_does_not_ask_for_the_character_width_is_refused() {
    let setting = Setting::new(&Manager::iodbc(), false);
    let string = "DSN=Loopback;Database=Sales";
    for program in &setting.programs {
        for (arguments, evidence) in [
            (["connect", string].to_vec(), "ERROR: refused with HY000: The connection string has no keyword"),
            (["connect-counted", string].to_vec(), "ERROR: refused with HY000: The connection string "),
            (
                ["source", "Loopback", "u", "p"].to_vec(),
                "ERROR: refused with IM002: odbc.ini has no section [L] with a Driver.",
            ),
        ] {
            let (ran, log) = under_iodbc(&setting, program, &[&arguments[..], &["info"]].concat());
            ran.says(&["connect: -1\n", "info: not connected\n"]);
            assert_says(&log, &[evidence, "iODBC 3.52.14"]);
        }
    }
    assert_eq!(setting.server.logins(), Vec::<String>::new());
}

#[test]
fn under_iodbc_its_own_installer_library_is_used() {
    let setting = Setting::new(&Manager::iodbc(), false);
    let open = "sed -n 's/.* \\//\\//p' /proc/$PPID/maps | grep inst | sort -u";
    let (ran, log) = under_iodbc(&setting, &setting.programs[0], &["connect", "DSN=Loopback", "run", open]);
    let installer = part("IODBC_LIB").canonicalize().unwrap().join("libiodbcinst.so.2");
    ran.says(&[installer.to_str().unwrap()]);
    // With these variables only iODBC's installer library finds the driver.
    assert_says(&log, &["the target is ODBC Driver 18 for SQL Server ("]);
}

#[test]
fn an_installer_library_that_could_not_be_opened_is_tried_again() {
    let registrations = Registrations::new("", "[Loopback]\nDriver=ours\nServer=s\nUID=u\n");
    let folder = registrations.path("libraries");
    fs::create_dir(&folder).unwrap();
    let mut command = registrations.command(part("PYTHON"));
    command.arg(project("tests/programs/late_installer.py")).arg(library()).arg(part("IODBC_LIB")).arg(&folder);
    command.env("LOOPBACK_ODBC_TARGET_DRIVER", part("RECORDING_TARGET")).env("LD_LIBRARY_PATH", &folder);
    command.env("ODBCINI", registrations.path("odbc.ini"));
    Ran::of(&mut command).ok().says(&["08001 ", "the ODBC installer library cannot be loaded: ", "\nconnected\n"]);
}

#[test]
fn strings_of_32_bit_characters_are_refused_and_the_width_is_reported() {
    let server = Server::start();
    let registrations = Registrations::usual("");
    let string = format!("DSN=Loopback;Server=127.0.0.1,{};UID=developer;PWD={{se;cr}}}}et}}", server.port);
    let string = string + ";TrustServerCertificate=Yes;Database=Sales";
    let run = |target: &Path, strings: &[&str]| {
        let mut command = registrations.command(part("PYTHON"));
        command.arg(project("tests/programs/characters.py")).arg(library()).args(strings);
        Ran::of(command.env("LOOPBACK_ODBC_TARGET_DRIVER", target)).ok().says(&["characters: ok"]);
    };
    run(Path::new("/nonexistent/libtarget.so"), &[]);
    assert_eq!(server.logins().len(), 0);
    run(&part("MSODBCSQL"), &[&string]);
    assert_eq!(server.logins().len(), 2, "the two in UTF-16");
}
