//! `loopback-odbc install` and `uninstall`, run by an administrator and by a user.
//!
//! They change a private copy of /etc and /usr: each test has a mount namespace in which every write there goes to
//! memory. The machine's own files are visible in it but never written.

mod common;

use common::root::{CONNECT, DATA_SOURCES, DRIVERS, Holder, OTHERS, assert_same, listing};
use common::server::Server;
use common::{Ran, assert_says, compile, library, part, project};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The driver manager's libraries, pyodbc and this project's files, in the private root.
const UNIXODBC: &str = "/usr/share/unixodbc-of-the-tests";
/// Microsoft's driver, where both its packages and the tests put it: in a folder that scripts of SQL Server can see.
const TARGET_FOLDER: &str = "/usr/lib/msodbcsql-of-the-tests";

/// A private root with its own /etc and /usr, which exists as long as this value. Microsoft's driver is registered, and
/// both files contain comments.
struct Root {
    holder: Holder,
    folder: tempfile::TempDir,
}

/// Mounts the folders and waits for the end of standard input. That comes when the test ends, however it ends.
const HOLD: &str = r#"
mkdir "$1"
mount -t tmpfs -o mode=755 tmpfs "$1"
for folder in /etc /usr; do
    mkdir -p "$1/upper$folder" "$1/work$folder"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$1/upper$folder,workdir=$1/work$folder" "$folder"
done
mkdir "$2"
mount --bind "$3" "$2"
echo ready
read -r _ || true
"#;

impl Root {
    fn new() -> Root {
        let root = Root::bare();
        root.holder.prepare(&target());
        root
    }

    /// Without registration files.
    fn bare() -> Root {
        let folder = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        // Including the folders next to it, where the driver looks for its message files.
        let driver = part("MSODBCSQL").parent().unwrap().parent().unwrap().to_owned();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "bash", "-euc", HOLD, "hold"])
            .arg(folder.path().join("memory"))
            .arg(TARGET_FOLDER)
            .arg(driver);
        let root = Root { holder: Holder::of(&mut command), folder };
        for path in [DRIVERS, DATA_SOURCES] {
            let _ = fs::remove_file(root.path(path));
        }
        // In a place that every user can read: the project may be inside a home folder that others cannot enter.
        fs::create_dir(root.path(UNIXODBC)).unwrap();
        for entry in fs::read_dir(part("UNIXODBC_LIB")).unwrap().map(Result::unwrap) {
            // Some links lead to libraries that were not unpacked.
            if entry.path().to_string_lossy().contains(".so") && entry.path().exists() {
                fs::copy(entry.path(), root.path(UNIXODBC).join(entry.file_name())).unwrap();
            }
        }
        let is_pyodbc =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pyodbc.cpython"));
        let packages = fs::read_dir(part("PYTHONPATH")).unwrap().map(|entry| entry.unwrap().path());
        for ours in packages.filter(is_pyodbc).chain([part("PROGRAM"), library()]) {
            fs::copy(&ours, root.path(UNIXODBC).join(ours.file_name().unwrap())).unwrap();
        }
        root
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.holder.path(path)
    }

    fn read(&self, path: &str) -> String {
        self.holder.read(path)
    }

    fn write(&self, path: &str, contents: &str) {
        self.holder.write(path, contents);
    }

    /// A program in the private root, with none of this project's variables in its environment, and the user's odbc.ini
    /// in a folder of the test: unixODBC creates one if there is none.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.holder.enter();
        command.arg(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOOPBACK_ODBC_") || name.to_string_lossy().starts_with("ODBC") {
                command.env_remove(name);
            }
        }
        command.env("LD_LIBRARY_PATH", UNIXODBC).env("PYTHONPATH", UNIXODBC);
        command.env("ODBCINI", self.folder.path().join("user.ini")).env("LANG", "C.UTF-8").env_remove("LC_ALL");
        command
    }

    /// A copy of `loopback-odbc` that every user can execute, with the library next to it.
    fn program(&self) -> PathBuf {
        Path::new(UNIXODBC).join(part("PROGRAM").file_name().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(part("PROGRAM")).args(arguments))
    }

    /// The output of Python code that has pyodbc and takes a connection string as its argument.
    #[track_caller]
    fn python(&self, code: &str, string: &str) -> String {
        Ran::of(self.command(part("PYTHON")).args(["-c", code, string])).ok().stdout
    }

    /// Checks that every file and folder is unchanged.
    #[track_caller]
    fn is_as(&self, before: &str) {
        assert_same(before, &self.everything());
    }

    /// Every file and folder of /etc and of the folders of /usr that an installation changes: kind, mode, owner, and
    /// contents.
    fn everything(&self) -> String {
        const FILES: &str =
            "find /etc /usr/bin /usr/lib /usr/share/man /usr/share/zsh /usr/share/fish /usr/share/bash-completion \
             -xdev \\( -type d -printf '%p %y %m %U:%G\\n' -o -printf '%p %y %m %U:%G %s %l\\n' \\) 2>/dev/null | sort
             find /etc/odbc* /usr/lib/*/odbc -type f -exec sha256sum {} + 2>/dev/null | sort";
        listing(self.command("bash").args(["-c", FILES]))
    }
}

/// Microsoft's driver in the private root.
fn target() -> String {
    format!("{TARGET_FOLDER}/lib/{}", part("MSODBCSQL").file_name().unwrap().to_str().unwrap())
}

/// Where the library is installed on this system.
fn installed() -> String {
    let debian = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folder = if Path::new(&debian).is_dir() { debian + "/odbc" } else { "/usr/lib64".to_owned() };
    folder + "/libloopbackodbc.so"
}

/// A string that uses this data source, and has the server's settings itself.
fn string(dsn: &str, server: &Server) -> String {
    format!("DSN={dsn};{}", server.section().replace("se;cr}et", "{se;cr}}et}").replace('\n', ";"))
}

/// Prints the error for each data source; it names the loaded target.
const TARGETS: &str = "
import pyodbc, sys
for name in sys.argv[1].split(','):
    try:
        pyodbc.connect(f'DSN={name};TargetDriver=neither')
    except pyodbc.Error as error:
        print(error.args[1])
";

#[test]
fn an_administrator_installs_connects_and_uninstalls_without_a_trace() {
    let (root, server) = (Root::new(), Server::start());
    let before = root.everything();
    let said = root.run(&["install"]).ok();
    assert_eq!(said.stderr, "");
    let lines: Vec<&str> = said.stdout.lines().collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines[0],
        format!(
            "{}: the library, version {version}, from {}",
            installed(),
            library().canonicalize().unwrap().display()
        )
    );
    assert_eq!(lines[1], format!("/usr/lib/loopback-odbc/bin/loopback-odbc: this program, version {version}"));
    assert_eq!(lines[2], "/usr/bin/loopback-odbc: a link to /usr/lib/loopback-odbc/bin/loopback-odbc");
    assert_says(lines[3], &["/etc/odbcinst.ini: [SQL Server Loopback] added: Driver=/usr/lib", "libloopbackodbc.so"]);
    assert_eq!(lines[4], "/etc/odbc.ini: [Loopback] added: Driver=SQL Server Loopback");
    assert_says(
        lines[5],
        &["Done. ", "DSN=Loopback", "[Loopback] of the developer's ~/.odbc.ini", "loopback-odbc doctor --installation"],
    );
    assert_eq!(lines.len(), 6);
    // The program can be called from now on.
    let installed_program = Ran::of(root.command("/usr/bin/loopback-odbc").args(["doctor", "--installation"])).ok();
    installed_program.says(&["0 failures, 0 warnings\n"]);
    assert_eq!(fs::metadata(root.path(installed())).unwrap().mode() & 0o7777, 0o755);
    assert_says(&root.read(DRIVERS), &["[ODBC Driver 18 for SQL Server]", "[SQL Server Loopback]"]);
    assert_eq!(root.read(DRIVERS).matches("UsageCount=1").count(), 2);
    assert_eq!(root.read(DATA_SOURCES), format!("{OTHERS}\n[Loopback]\nDriver=SQL Server Loopback\n"));

    let said = root.python(CONNECT, &string("Loopback", &server));
    assert_eq!(said, format!("connected: 12\nloaded: {}\n", installed()));
    assert_says(&server.logins()[0], &["result=ok", "user=\"developer\""]);

    let said = root.run(&["uninstall"]).ok();
    assert_eq!(said.stderr, "");
    said.says(&["/etc/odbc.ini: [Loopback] removed\n", "/etc/odbcinst.ini: [SQL Server Loopback] removed\n"]);
    assert_eq!(root.read(DATA_SOURCES), OTHERS);
    root.is_as(&before);
}

#[test]
fn a_script_that_sql_server_runs_sees_what_was_installed() {
    let root = Root::new();
    root.run(&["install"]).ok();
    let mut command = root.command(project("scripts/satellite"));
    command.env("LOOPBACK_ODBC_LIBRARY", library()).env("STANDIN", part("STANDIN"));
    let seed = format!("Sales={}", project("examples/sales.sql").display());
    command
        .args(["--seed", &seed, "--env", "ODBCSYSINI=/etc", "--env"])
        .arg(format!("LD_LIBRARY_PATH={}", installed_unixodbc()));
    let said =
        Ran::of(command.args(["--", "/usr/bin/python3", "-c", CONNECT, "DSN=Loopback;Database=Sales"])).ok().stdout;
    assert_eq!(said, format!("connected: 12\nloaded: {}\n", installed()));
}

/// unixODBC where `scripts/satellite` shows it.
fn installed_unixodbc() -> String {
    format!("/opt/mssql-extensibility/stage/unixodbc/usr/lib/{}-linux-gnu", std::env::consts::ARCH)
}

#[test]
fn missing_files_are_created_world_readable_and_removed_again() {
    let root = Root::bare();
    let before = root.everything();
    // Even with an umask that gives others no access.
    let mut command = root.command("bash");
    let ran = Ran::of(command.args(["-c", "umask 077; exec \"$0\" install"]).arg(part("PROGRAM")));
    assert_eq!(ran.status, 1, "{ran:?}");
    ran.says(&[
        "warning: no Microsoft ODBC driver for SQL Server is registered. Connections fail until",
        "Done, but connections fail until ODBC Driver 18 for SQL Server is installed. Check it with",
    ]);
    for path in [DRIVERS, DATA_SOURCES] {
        assert_eq!(fs::metadata(root.path(path)).unwrap().mode() & 0o777, 0o644, "{path}");
    }
    assert_eq!(fs::metadata(root.path(installed()).parent().unwrap()).unwrap().mode() & 0o777, 0o755);
    root.run(&["uninstall"]).ok();
    root.is_as(&before);
}

#[test]
fn a_dry_run_says_what_the_real_one_does_and_changes_nothing_without_root() {
    let root = Root::new();
    for verb in ["install", "uninstall"] {
        let before = root.everything();
        let mut command = root.command("setpriv");
        command.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).arg(root.program());
        let dry = Ran::of(command.args([verb, "--dry-run"])).ok();
        root.is_as(&before);
        let real = Ran::of(root.command(root.program()).arg(verb)).ok();
        let heading = "Dry run: nothing is changed. A real run would print and do this:\n";
        assert_eq!(dry.stdout, format!("{heading}{}", real.stdout));
        assert_ne!(root.everything(), before);
    }
    // Not even files that unixODBC creates when it looks for them.
    let bare = Root::bare();
    let before = bare.everything();
    assert_eq!(bare.run(&["install", "--dry-run"]).status, 1);
    bare.run(&["uninstall", "--dry-run"]).ok();
    bare.is_as(&before);
}

#[test]
fn without_write_permission_the_path_is_named_and_nothing_changed() {
    let root = Root::new();
    let run = |verb: &str| {
        let before = root.everything();
        let mut command = root.command("setpriv");
        command.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).arg(root.program()).arg(verb);
        let ran = Ran::of(&mut command);
        root.is_as(&before);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
        ran.stderr
    };
    assert_says(
        &run("install"),
        &["/usr/lib", " cannot be written (Permission denied", "Nothing was changed", "--user"],
    );
    root.run(&["install"]).ok();
    assert_says(&run("uninstall"), &["/etc/odbc.ini cannot be written (Permission denied", "Nothing was changed"]);
}

#[test]
fn a_reinstallation_changes_nothing_and_keeps_an_added_login() {
    let root = Root::new();
    root.run(&["install"]).ok();
    let own = "Server=dev\nUID=me\nPWD=p\n";
    root.write(DATA_SOURCES, &(root.read(DATA_SOURCES).trim_end().to_owned() + "\n" + own));
    let before = root.everything();
    let said = root.run(&["install"]).ok().stdout;
    assert_says(
        &said,
        &["libloopbackodbc.so: up to date", "[SQL Server Loopback] is up to date", "[Loopback] is up to date"],
    );
    root.is_as(&before);
    // Another value in the driver's section changes; the other values and the usage count stay.
    let with_timeout = root.read(DRIVERS).replace("Description=", "CPTimeout=60\nDescription=");
    root.write(DRIVERS, &with_timeout);
    let said = root.run(&["install", "--target-driver", "ODBC Driver 18 for SQL Server"]).ok();
    said.says(&["[SQL Server Loopback] changed: TargetDriver=ODBC"]);
    let drivers = root.read(DRIVERS);
    assert_says(&drivers, &["# Drivers\n", "CPTimeout=60", "TargetDriver=ODBC Driver 18 for SQL Server"]);
    assert_eq!(drivers.matches("UsageCount=1").count(), 2, "{drivers}");
    assert_says(&root.read(DATA_SOURCES), &[own]);
    // A discovered target stays in use without being named again.
    root.run(&["install"]).ok().says(&["[SQL Server Loopback] is up to date"]);
}

#[test]
fn an_upgrade_leaves_running_programs_the_library_that_they_have() {
    let (root, server) = (Root::new(), Server::start());
    root.run(&["install"]).ok();
    const RUN: &str = "
import pyodbc, sys
connection = pyodbc.connect(sys.argv[1])
print('connected', flush=True)
sys.stdin.readline()
connection.execute('SELECT 1').fetchone()
pyodbc.connect(sys.argv[1]).execute('SELECT 1').fetchone()
print('still there')
";
    let mut running = root.command(part("PYTHON"));
    running.args(["-c", RUN, &string("Loopback", &server)]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = running.spawn().unwrap();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "connected\n");

    let file = root.path(installed());
    let old = fs::metadata(&file).unwrap().ino();
    // The same version with data after its end, which no loader reads.
    let newer = root.folder.path().join("newer.so");
    let contents = [fs::read(library()).unwrap(), b"newer".to_vec()].concat();
    fs::write(&newer, &contents).unwrap();
    let said = root.run(&["install", "--library", newer.to_str().unwrap()]).ok();
    said.says(&["libloopbackodbc.so: replaced by the library, version"]);
    assert_ne!(fs::metadata(&file).unwrap().ino(), old);
    assert_eq!(fs::read(&file).unwrap(), contents);

    running.stdin.take().unwrap().write_all(b"\n").unwrap();
    line.clear();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "still there\n");
    assert!(running.wait().unwrap().success());
    let names: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the library and the folder's mark: {names:?}");
}

#[test]
fn a_second_registration_is_a_second_copy_with_a_target_of_its_own() {
    let root = Root::new();
    let before = root.everything();
    let recorder = part("RECORDING_TARGET");
    let second = ["--driver-name", "Loopback by another", "--dsn", "Second"];
    root.run(&["install"]).ok();
    let with_target = [&["install", "--target-driver", recorder.to_str().unwrap()], &second[..]].concat();
    let ran = root.run(&with_target);
    assert_eq!(ran.status, 1, "{ran:?}");
    ran.says(&[
        "libloopbackodbc-loopback-by-another.so: the library",
        "the target driver's library, ",
        "scripts that SQL Server runs cannot see",
    ]);

    let said = root.python(TARGETS, "Loopback,Second");
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &["HY024", "ODBC Driver 18 for SQL Server (", &target()]);
    assert_says(lines[1], &["HY024", recorder.to_str().unwrap()]);

    // In any order. What remains is listed, and the last uninstall leaves nothing.
    let said = root.run(&["uninstall"]).ok();
    said.says(&["[Loopback by another] stays (uninstall --driver-name 'Loopback by another' --dsn 'Second')"]);
    assert_says(&root.python(TARGETS, "Second"), &["HY024", recorder.to_str().unwrap()]);
    root.run(&[&["uninstall"], &second[..]].concat()).ok();
    root.is_as(&before);
}

#[test]
fn sections_of_others_are_refused() {
    let root = Root::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        let before = root.everything();
        let ran = root.run(arguments);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_says(&ran.stderr, parts);
        root.is_as(&before);
    };
    refused(&["install", "--dsn", "Warehouse"], &["[Warehouse] of /etc/odbc.ini has another driver (Other)", "--dsn"]);
    let theirs = "ODBC Driver 18 for SQL Server";
    refused(&["install", "--driver-name", theirs], &["is another driver", &target(), "--driver-name"]);
    refused(&["uninstall", "--driver-name", theirs], &["is another driver", &target(), "Nothing was changed"]);
    root.run(&["install"]).ok();
    // Two registrations need two data sources.
    refused(&["install", "--driver-name", "Second"], &["[Loopback] of /etc/odbc.ini has another driver", "--dsn"]);
    // Names that would give the same file.
    root.run(&["install", "--driver-name", "A b", "--dsn", "Ab"]).ok();
    refused(
        &["install", "--driver-name", "A-b", "--dsn", "A-b"],
        &["[A b]", "libloopbackodbc-a-b.so", "--driver-name"],
    );
    refused(&["install", "--dsn", "a]b"], &["--dsn \"a]b\"", "is not a valid name"]);
    refused(&["install", "--target-driver", "SQL Server Loopback"], &["is this library itself"]);
    // If the data source belongs to another driver, uninstall reports that it stays.
    let ran = root.run(&["uninstall", "--dry-run", "--dsn", "Warehouse"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    ran.says(&[
        "[Warehouse] stays: its driver is Other",
        "[Loopback] uses the driver. Fix: to remove that one, loopback-odbc uninstall\n",
    ]);
}

#[test]
fn a_driver_that_a_data_source_uses_is_not_removed() {
    let root = Root::new();
    let before = root.everything();
    root.run(&["install"]).ok();
    let installed_alone = root.everything();
    // A name that does not exist.
    for arguments in [&["uninstall", "--dry-run", "--dsn", "Lopback"][..], &["uninstall", "--dsn", "Lopback"]] {
        let ran = root.run(arguments);
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.says(&[
            "/etc/odbc.ini: there is no [Lopback]\n",
            "[SQL Server Loopback] stays\n",
            "libloopbackodbc.so: stays\n",
            "warning: nothing was removed: [Lopback] of /etc/odbc.ini is no data source of loopback-odbc, and [Loopback] uses",
            "loopback-odbc uninstall\n",
        ]);
        assert!(!ran.stdout.contains("Done."), "{ran:?}");
        root.is_as(&installed_alone);
    }
    // Two data sources: the driver goes with the last one.
    root.run(&["install", "--dsn", "Second"]).ok();
    root.run(&["uninstall"]).ok().says(&[
        "[Loopback] removed\n",
        "[Second] stays (uninstall --dsn 'Second')",
        "libloopbackodbc.so: stays\n",
        "Done.\n",
    ]);
    let again = root.run(&["uninstall"]);
    assert_eq!(again.status, 1, "{again:?}");
    again.says(&["[Second] uses the driver. Fix: to remove that one, loopback-odbc uninstall --dsn 'Second'\n"]);
    root.run(&["uninstall", "--dsn", "Second"]).ok();
    root.is_as(&before);
    root.run(&["uninstall", "--dsn", "Second"]).ok();
}

/// Does what a line of the doctor says: writes a line into a section, runs a command, or both.
#[track_caller]
fn follow(root: &Root, home: &Path, fix: &str) {
    if let Some((right, wrong)) = fix.strip_prefix("write [").and_then(|rest| rest.split_once(" instead of ")) {
        let (wrong, file) = wrong.split_once(" in ").unwrap();
        let text = root.read(file);
        return root.write(file, &text.replace(wrong, &format!("[{right}")));
    }
    let (write, command) = match fix.split_once(", then: ") {
        Some((write, command)) => (Some(write), Some(command)),
        None if fix.starts_with("write ") => (Some(fix), None),
        None => (None, Some(fix)),
    };
    if let Some((line, place)) = write.map(|write| write["write ".len()..].split_once(" in section [").unwrap()) {
        let (section, file) = place.split_once("] of ").unwrap();
        let path = if Path::new(file).starts_with("/etc") { root.path(file) } else { file.into() };
        let keyword = format!("{}=", line.split('=').next().unwrap());
        let mut is_in = false;
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|old| {
            is_in = if old.starts_with('[') { old == format!("[{section}]") } else { is_in };
            if is_in && old.starts_with(&keyword) { line } else { old }
        });
        fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    }
    if let Some(command) = command {
        let command =
            command.trim_start_matches("sudo ").replace("loopback-odbc ", &format!("{} ", part("PROGRAM").display()));
        let ran = Ran::of(root.command("sh").args(["-c", &command]).env("HOME", home).env_remove("XDG_DATA_HOME"));
        assert!(ran.status < 2, "{fix}: {ran:?}");
    }
}

#[test]
fn the_fix_from_doctor_repairs_a_wrong_file() {
    let root = Root::new();
    root.run(&["install"]).ok();
    let (drivers, sources) = (root.read(DRIVERS), root.read(DATA_SOURCES));
    let without_ours = drivers.split("\n[SQL Server Loopback]").next().unwrap().to_owned() + "\n";
    let library = format!("Driver={}", installed());
    let named = "Driver=SQL Server Loopback\n";
    let of_drivers = |line: &str| (drivers.replace(&library, line), sources.clone(), String::new());
    let of_sources = |line: &str| (drivers.clone(), sources.replace(named, line), String::new());
    let of_user = |text: &str| (drivers.clone(), OTHERS.to_owned(), text.to_owned());
    let of_user_alone = |text: &str| (without_ours.clone(), OTHERS.to_owned(), text.to_owned());
    for (drivers, sources, user) in [
        of_drivers("Driver=/nowhere/other.so"),
        of_drivers("Driver=/nowhere/libloopbackodbc.so"),
        of_drivers("Driver=/usr/lib"),
        of_drivers("Driver64=/nowhere/other.so"),
        of_drivers(&format!("Drvier={}", installed())),
        (drivers.replace("[SQL Server Loopback]", "[SQL Sever Loopback]"), sources.clone(), String::new()),
        (without_ours.clone(), sources.clone(), String::new()),
        of_sources("Driver={SQL Server Loopback}\n"),
        of_sources("Driver=\"SQL Server Loopback\"\n"),
        of_sources("Driver=SQL Sever Lopback\n"),
        of_sources("Driver=Something\n"),
        of_sources("Driver=SQL Server Loopback;UID=dev2;PWD=hunter2\n"),
        of_sources("Driver=/nowhere/other.so\n"),
        of_sources("Driver=/usr/lib\n"),
        of_sources("Driver=ODBC Driver 18 for SQL Server\n"),
        of_sources("Drvier=SQL Server Loopback\n"),
        of_sources(""),
        (without_ours.clone(), sources.replace(named, "Driver=SQL Sever Lopback\n"), String::new()),
        (drivers.clone(), format!("\u{feff}[Loopback]\n{named}"), String::new()),
        (format!("\u{feff}{drivers}"), sources.clone(), String::new()),
        of_user("[Loopback]\nUID=x\n"),
        of_user("[Loopback]\nDriver=SQL Sever Loopback\n"),
        of_user_alone("[Loopback]\nUID=x\n"),
        of_user_alone("[Loopback]\nDriver=/nowhere/libloopbackodbc.so\n"),
        of_user_alone("[Loopback]\nDriver=/nowhere/other.so\n"),
        of_user_alone("\u{feff}[Loopback]\nDriver=/nowhere/libloopbackodbc.so\n"),
    ] {
        let home = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        root.write(DRIVERS, &drivers);
        root.write(DATA_SOURCES, &sources);
        let of_user = root.folder.path().join("user.ini");
        fs::write(&of_user, &user).unwrap();
        let doctor = || {
            let mut command = root.command(part("PROGRAM"));
            let ran = Ran::of(command.args(["doctor", "--installation"]).env("HOME", home.path()));
            assert!(!ran.stdout.contains("hunter2"), "{ran:?}");
            ran
        };
        let mut reports = vec![doctor()];
        // Three wrong lines are the most.
        while reports.last().unwrap().status == 2 && reports.len() < 4 {
            let said = &reports.last().unwrap().stdout;
            let fix =
                said.lines().find_map(|line| line.trim().strip_prefix("Fix: ")).unwrap_or_else(|| panic!("{said}"));
            follow(&root, home.path(), fix);
            reports.push(doctor());
        }
        let last = reports.last().unwrap();
        // A misspelt line does no harm beside the right one, and stays.
        let is_well = last.status == 0 || last.status == 1 && last.stdout.contains("the keyword \"Drvier\" in section");
        assert!(reports.len() > 1 && is_well, "{drivers}\n{sources}\n{user}\n{reports:#?}");
        fs::remove_file(of_user).unwrap();
    }
}

#[test]
fn doctor_says_how_to_make_a_driver_readable() {
    let root = Root::new();
    fs::create_dir(root.path("/usr/lib/closed")).unwrap();
    let file = "/usr/lib/closed/libmsodbcsql.so";
    root.write(file, "");
    root.write(DRIVERS, &format!("[ODBC Driver 18 for SQL Server]\nDriver={file}\n"));
    let mode = |path: &str, mode| {
        fs::set_permissions(root.path(path), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap()
    };
    for (folder, driver, command) in [
        (0o700, 0o644, "sudo chmod a+x '/usr/lib/closed'"),
        (0o755, 0o600, "sudo chmod a+r '/usr/lib/closed/libmsodbcsql.so'"),
    ] {
        mode("/usr/lib/closed", folder);
        mode(file, driver);
        let mut doctor = root.command("setpriv");
        doctor.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).arg(root.program());
        let ran = Ran::of(doctor.args(["doctor", "--installation"]));
        ran.says(&[&format!("Permission denied. Let every user read it: {command}\n")]);
        assert!(!ran.stdout.contains("Install it again"), "{ran:?}");
    }
}

/// Sets the mode of a file or folder in the private root.
fn set_mode(root: &Root, path: &str, mode: u32) {
    fs::set_permissions(root.path(path), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// Root reads everything, so that the files load although scripts of SQL Server cannot read them.
#[test]
fn doctor_tells_root_what_the_user_of_scripts_cannot_read() {
    let root = Root::new();
    root.run(&["install"]).ok().says(&["first add a server and a login to [Loopback] of the developer's ~/.odbc.ini"]);
    let library = installed();
    // Its message files are in the folder beside its own.
    let copied = target().replace(TARGET_FOLDER, "/usr/lib/closed/a driver");
    let copy = "mkdir /usr/lib/closed && cp -r \"$1\" '/usr/lib/closed/a driver'";
    Ran::of(root.command("sh").args(["-c", copy, "sh", TARGET_FOLDER])).ok();
    root.write(DRIVERS, &root.read(DRIVERS).replace(&target(), &copied));
    let folder = Path::new(&library).parent().unwrap().to_str().unwrap();
    let ask = |options: &[&str]| root.run(&[&["doctor"], options].concat());
    ask(&["--installation"]).ok();
    for (closed, mode, right, file) in [
        (library.as_str(), 0o600, "a+r", library.as_str()),
        (folder, 0o750, "a+x", library.as_str()),
        (copied.as_str(), 0o600, "a+r", copied.as_str()),
        ("/usr/lib/closed", 0o700, "a+x", copied.as_str()),
        (DRIVERS, 0o640, "a+r", DRIVERS),
        (DATA_SOURCES, 0o600, "a+r", DATA_SOURCES),
    ] {
        set_mode(&root, closed, mode);
        for options in [&["--installation"][..], &[]] {
            let ran = ask(options);
            assert_eq!(ran.status, 2, "{closed}: {ran:?}");
            let says = format!("  failure   {file} cannot be read by the user that SQL Server runs scripts as\n");
            ran.says(&[&says, &format!("Fix: sudo chmod {right} '{closed}'\n")]);
            assert_eq!(ran.stdout.matches("failure   ").count(), 1, "{ran:?}");
        }
        let ran = ask(&["--installation"]);
        let fix = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("Fix: sudo ")).unwrap();
        Ran::of(root.command("sh").args(["-c", fix])).ok();
        ask(&["--installation"]).ok();
    }
}

#[test]
fn a_package_s_library_that_is_closed_or_missing_is_not_in_place() {
    let root = Root::new();
    root.run(&["install"]).ok();
    fs::create_dir_all(root.path("/usr/lib/loopback-odbc")).unwrap();
    root.write("/usr/lib/loopback-odbc/package", &(installed() + "\n"));
    root.run(&["install"]).ok().says(&[&format!("{}: in place, from its package", installed())]);
    let both = |fix: &str| {
        for arguments in [&["install"][..], &["doctor", "--installation"]] {
            let ran = root.run(arguments);
            assert_eq!(ran.status, 2, "{ran:?}");
            ran.says(&[&installed(), &format!("Fix: {fix}")]);
            assert!(!format!("{ran:?}").contains("in place"), "{ran:?}");
            assert!(!format!("{ran:?}").contains("loopback-odbc install"), "{ran:?}");
        }
    };
    set_mode(&root, &installed(), 0o600);
    both(&format!("sudo chmod a+r '{}'", installed()));
    fs::remove_file(root.path(installed())).unwrap();
    both("install the package again: sudo apt install --reinstall ./loopback-odbc_");
}

#[test]
fn a_fix_keeps_the_variable_that_leads_to_the_files() {
    let root = Root::new();
    let folder = tempfile::Builder::new().prefix("it's a test").tempdir().unwrap();
    let mut command = root.command(part("PROGRAM"));
    let ran = Ran::of(command.args(["doctor", "--installation"]).env("ODBCSYSINI", folder.path()));
    let fix = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("Fix: sudo ")).unwrap();
    assert!(fix.starts_with("ODBCSYSINI='"), "{fix}");
    follow(&root, folder.path(), fix);
    assert_says(&fs::read_to_string(folder.path().join("odbc.ini")).unwrap(), &["[Loopback]\n"]);
    assert_eq!(root.read(DATA_SOURCES), OTHERS);
}

#[test]
fn uninstall_removes_only_our_sections_after_changes_by_others() {
    let root = Root::new();
    let drivers = root.read(DRIVERS);
    root.run(&["install"]).ok();
    let (of_sources, of_drivers) = ("; added\n[Added]\nDriver=Other\n", "[Other]\nDriver=/other.so");
    for (path, added) in [(DATA_SOURCES, of_sources), (DRIVERS, of_drivers)] {
        root.write(path, &(root.read(path) + added));
    }
    let dry = root.run(&["uninstall", "--dry-run"]).ok();
    assert_eq!(dry.stdout.matches("] removed\n").count(), 2, "{dry:?}");
    root.run(&["uninstall"]).ok();
    assert_eq!(root.read(DATA_SOURCES), OTHERS.to_owned() + of_sources);
    assert_eq!(root.read(DRIVERS), drivers + of_drivers);
    let left = root.everything();
    let ours: Vec<&str> = left.lines().filter(|line| line.contains("loopback")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    // The second time there is nothing to do.
    root.run(&["uninstall"]).ok().says(&[
        "there is no [Loopback]",
        "there is no [SQL Server Loopback]",
        "does not exist",
    ]);
}

#[test]
fn foreign_file_contents_stay_unchanged_to_the_byte() {
    let long = format!("[Long]\nDriver=Other\nOptions={}\n", "x".repeat(5000));
    let contents: [&[u8]; 8] = [
        b"",
        b"\n\n",
        long.as_bytes(),
        b"# comment\r\n[A]\r\nDriver = Other\r\n\r\n",
        b"[A]\nDriver=Other",
        b"# M\xfcller\n[M\xfcller]\nDriver=Other\n[A]\n[A]\nDriver=Other\n",
        b"[A]\nDriver=Other\n[B\xef\xbb\xbf]\nDriver",
        b"[A]\n\tPWD = se;cr}et # not a comment \n\n\n",
    ];
    let root = Root::new();
    let drivers = root.read(DRIVERS).into_bytes();
    for others in contents {
        fs::write(root.path(DATA_SOURCES), others).unwrap();
        fs::write(root.path(DRIVERS), [others, b"\n", &drivers].concat()).unwrap();
        root.run(&["install"]).ok();
        let now = fs::read(root.path(DATA_SOURCES)).unwrap();
        assert!(now.starts_with(others), "{}", String::from_utf8_lossy(&now));
        // The driver manager can read what was written.
        assert_says(&root.python(TARGETS, "Loopback"), &["HY024", &target()]);
        root.run(&["uninstall"]).ok();
        assert_eq!(fs::read(root.path(DATA_SOURCES)).unwrap(), others);
        assert_eq!(fs::read(root.path(DRIVERS)).unwrap(), [others, b"\n", &drivers].concat());
    }
}

#[test]
fn names_and_paths_beyond_ascii_are_written_as_they_are() {
    let root = Root::new();
    let before = root.everything();
    let names = ["--dsn", "Bjørn", "--driver-name", "für"];
    let ran = root.run(&[&["install", "--target-driver", "/opt/für.so"], &names[..]].concat());
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_says(&root.read(DRIVERS), &["[für]\nDriver=/usr/lib", "TargetDriver=/opt/für.so\n"]);
    assert_says(&root.read(DATA_SOURCES), &["[Bjørn]\nDriver=für\n"]);
    root.run(&[&["uninstall"], &names[..]].concat()).ok();
    root.is_as(&before);
}

#[test]
fn values_that_unixodbc_would_misread_are_not_written() {
    let root = Root::new();
    let ran = root.run(&["install", "--target-driver", &format!("/{}", "x".repeat(1200))]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_says(
        &ran.stderr,
        &["/etc/odbcinst.ini was not changed: unixODBC would read TargetDriver", "Stopped part-way"],
    );
    assert!(!root.read(DRIVERS).contains("Loopback"));
    root.run(&["uninstall"]).ok().says(&["libloopbackodbc.so: removed"]);
}

#[test]
fn a_foreign_duplicate_of_our_section_is_left_alone() {
    let root = Root::new();
    let others = "[Loopback]\nDriver=Other\nServer=w\n";
    for (ours, left) in [
        ("[Loopback]\nDriver=SQL Server Loopback\n\n", others.to_owned()),
        // All copies of an own section are removed.
        (
            "[Loopback]\nDriver=SQL Server Loopback\n[A]\n[loopback]\nDriver=SQL Server Loopback\n",
            format!("[A]\n{others}"),
        ),
    ] {
        root.write(DATA_SOURCES, &format!("{ours}{others}"));
        root.run(&["install"]).ok().says(&["/etc/odbc.ini: [Loopback] is up to date"]);
        root.run(&["uninstall"]).ok();
        assert_eq!(root.read(DATA_SOURCES), left);
    }
}

#[test]
fn a_file_that_unixodbc_cannot_read_is_left_alone() {
    let root = Root::new();
    // The program refuses the whole file if it has a byte order mark, 16-bit text, or a value before the first section.
    for others in [&b"\xef\xbb\xbf[A]\nDriver=Other\n"[..], b"\xff\xfe[\0A\0]\0", b"Trace=no\n[A]\nDriver=Other\n"] {
        fs::write(root.path(DATA_SOURCES), others).unwrap();
        let ran = root.run(&["install"]);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_says(&ran.stderr, &["/etc/odbc.ini was not changed: unixODBC would read Driver of [Loopback] as \"\""]);
        root.run(&["uninstall"]).ok();
        assert_eq!(fs::read(root.path(DATA_SOURCES)).unwrap(), others);
    }
}

#[test]
fn odbcsearch_does_not_redirect_the_installation() {
    let root = Root::new();
    let before = root.everything();
    for verb in ["install", "uninstall"] {
        let ran = Ran::of(root.command(part("PROGRAM")).arg(verb).env("ODBCSEARCH", "ODBC_USER_DSN")).ok();
        ran.says(&["/etc/odbc.ini: [Loopback]"]);
    }
    root.is_as(&before);
}

#[test]
fn an_installation_by_hand_is_taken_over_and_removed() {
    let root = Root::bare();
    let before = root.everything();
    let old = "/usr/lib/libloopbackodbc.so";
    fs::copy(library(), root.path(old)).unwrap();
    root.write(DRIVERS, &format!("[SQL Server Loopback]\nDriver={old}\nTargetDriver={}\n", target()));
    root.write(DATA_SOURCES, "[Loopback]\nDriver=SQL Server Loopback\n");
    let said = root.run(&["install"]).ok();
    said.says(&[
        &format!("[SQL Server Loopback] changed: Driver={}\n", installed()),
        "odbc.ini: [Loopback] is up to date",
    ]);
    assert_says(&root.python(TARGETS, "Loopback"), &["HY024", &target()]);
    let nothing_else = "removed, and the file, which contains nothing else\n";
    root.run(&["uninstall"])
        .ok()
        .says(&[&format!("[Loopback] {nothing_else}"), &format!("[SQL Server Loopback] {nothing_else}")]);
    fs::remove_file(root.path(old)).unwrap();
    root.is_as(&before);
    // A file that a link leads to is kept, or the link would lead nowhere.
    let file = "/etc/odbc-of-the-machine.ini";
    root.write(file, "[Loopback]\nDriver=SQL Server Loopback\n");
    std::os::unix::fs::symlink(file, root.path(DATA_SOURCES)).unwrap();
    root.run(&["uninstall"]).ok().says(&["[Loopback] removed\n"]);
    assert_eq!(root.read(file), "");
}

#[test]
fn a_login_added_to_our_section_survives_uninstall_and_is_reused() {
    let root = Root::new();
    root.run(&["install"]).ok();
    let own = "# mine\nServer=dev\nUID=me\n";
    root.write(DATA_SOURCES, &(root.read(DATA_SOURCES) + own));
    let installed = root.read(DATA_SOURCES);
    let said = root.run(&["uninstall"]).ok();
    said.says(&["[Loopback] Driver removed; the other keywords stay: Server, UID\n"]);
    assert_eq!(root.read(DATA_SOURCES), format!("{OTHERS}\n[Loopback]\n{own}"));
    root.run(&["uninstall"]).ok().says(&["[Loopback] stays: it has no driver"]);
    root.run(&["install"]).ok().says(&["[Loopback] changed: Driver=SQL Server Loopback"]);
    let mut lines = [root.read(DATA_SOURCES), installed].map(|text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    let [now, before] = &mut lines;
    assert_eq!(now, before);
}

#[test]
fn a_driver_with_a_usage_count_stays_until_the_last_uninstall() {
    let root = Root::new();
    root.run(&["install"]).ok();
    // Another product's installation does this: the installer library increments the usage count.
    const COUNT: &str = "
import ctypes
installer = ctypes.CDLL('libodbcinst.so.2')
path, length, count = ctypes.create_string_buffer(300), ctypes.c_ushort(), ctypes.c_uint()
import sys
driver = b'SQL Server Loopback\\0Driver=' + sys.argv[1].encode() + b'\\0\\0'
assert installer.SQLInstallDriverEx(driver, None, path, 300, ctypes.byref(length), 2, ctypes.byref(count))
print(count.value)
";
    assert_eq!(root.python(COUNT, &installed()), "2\n");
    let said = root.run(&["install"]).ok();
    said.says(&["[SQL Server Loopback] is up to date"]);
    let ran = root.run(&["uninstall"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    ran.says(&["[SQL Server Loopback] changed: UsageCount=1", "libloopbackodbc.so: stays", "other installations use"]);
    assert_says(&root.read(DRIVERS), &["[SQL Server Loopback]"]);
    assert!(root.path(installed()).exists());
    root.run(&["uninstall"]).ok().says(&["[SQL Server Loopback] removed", "libloopbackodbc.so: removed"]);
    assert!(!root.read(DRIVERS).contains("Loopback") && !root.path(installed()).exists());
}

#[test]
fn a_user_installs_without_root() {
    let (root, server) = (Root::new(), Server::start());
    let before = root.everything();
    let home = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
    std::os::unix::fs::chown(home.path(), Some(10001), Some(10001)).unwrap();
    let in_home = |name: &str| home.path().join(name);
    let as_user = |program: PathBuf| {
        let mut command = root.command("setpriv");
        command.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).arg(program);
        command.env("HOME", home.path()).env("ODBCINI", in_home(".odbc.ini")).env_remove("XDG_DATA_HOME");
        command
    };
    let said = Ran::of(as_user(root.program()).args(["install", "--user"])).ok();
    assert_eq!(said.stderr, "");
    let library = in_home(".local/share/loopback-odbc/libloopbackodbc.so");
    assert_eq!(
        fs::read_to_string(in_home(".odbc.ini")).unwrap(),
        format!("[Loopback]\nDriver={}\n", library.display())
    );
    let names: BTreeSet<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [".local", ".odbc.ini"].map(Into::into).into(), "nothing else was made");
    assert_eq!(fs::metadata(in_home(".odbc.ini")).unwrap().mode() & 0o777, 0o600);
    let connected = Ran::of(as_user(part("PYTHON")).args(["-c", CONNECT, &string("Loopback", &server)])).ok();
    assert_eq!(connected.stdout, format!("connected: 12\nloaded: {}\n", library.display()));

    // The library stays while another data source needs it.
    Ran::of(as_user(root.program()).args(["install", "--user", "--dsn", "Second"])).ok();
    let said = Ran::of(as_user(root.program()).args(["uninstall", "--user"])).ok();
    said.says(&["libloopbackodbc.so: stays", "[Second] stays (uninstall --dsn 'Second' --user)"]);
    Ran::of(as_user(root.program()).args(["uninstall", "--user", "--dsn", "Second"])).ok();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    root.is_as(&before);
}

#[test]
fn a_user_s_installation_makes_no_file_but_its_own() {
    let root = Root::bare();
    let before = root.everything();
    for user in ["0", "10001"] {
        let home = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
        std::os::unix::fs::chown(home.path(), Some(user.parse().unwrap()), None).unwrap();
        let run = |verb: &str| {
            let mut command = root.command("setpriv");
            command
                .args(["--reuid", user, "--regid", user, "--clear-groups"])
                .arg(root.program())
                .args([verb, "--user"]);
            command.env("HOME", home.path()).env("ODBCINI", home.path().join("my.ini")).env_remove("XDG_DATA_HOME");
            assert!(Ran::of(&mut command).status < 2);
            let entries = fs::read_dir(home.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            root.is_as(&before);
            names
        };
        assert_eq!(run("install"), [".local", "my.ini"]);
        assert_eq!(run("uninstall"), [""; 0]);
    }
}

#[test]
fn impossible_user_installations_are_refused() {
    let root = Root::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        let ran = root.run(arguments);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_says(&ran.stderr, parts);
    };
    refused(&["install", "--user", "--target-driver", "x"], &["--target-driver", "LOOPBACK_ODBC_TARGET_DRIVER"]);
    refused(&["install", "--user", "--driver-name", "x"], &["--driver-name", "odbcinst.ini"]);
    // A home folder that the user may not write.
    let mut command = root.command("setpriv");
    command.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).arg(root.program());
    command.args(["install", "--user"]).env("HOME", "/usr").env_remove("XDG_DATA_HOME");
    let ran = Ran::of(&mut command);
    assert_eq!(ran.status, 2, "{ran:?}");
    ran.says(&[
        "/usr/.local/share/loopback-odbc cannot be written (Permission denied",
        "Fix: make /usr writable for this user",
    ]);
    assert!(!ran.stderr.contains("--user"), "{ran:?}");
}

#[test]
fn a_file_that_is_not_the_library_of_this_version_is_refused() {
    let root = Root::new();
    let before = root.everything();
    let refused = |library: &Path, parts: &[&str]| {
        let ran = root.run(&["install", "--library", library.to_str().unwrap()]);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_says(&ran.stderr, parts);
    };
    refused(&part("RECORDING_TARGET"), &["is not the library of loopback-odbc", "loopback_odbc_version"]);
    refused(Path::new("/etc/passwd"), &["/etc/passwd cannot be loaded: ", "invalid ELF header"]);
    refused(Path::new("/nonexistent.so"), &["--library /nonexistent.so: No such file"]);
    let (source, other) = (root.folder.path().join("other.c"), root.folder.path().join("other.so"));
    fs::write(&source, "const char *loopback_odbc_version(void) { return \"9.8.7\"; }\n").unwrap();
    compile(source.to_str().unwrap(), &other, &["-shared", "-fPIC"]);
    refused(&other, &["is version 9.8.7, but this program is version", env!("CARGO_PKG_VERSION")]);
    root.is_as(&before);
}

#[test]
fn files_hidden_from_sql_server_scripts_cause_warnings() {
    let root = Root::new();
    let drivers = format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", part("MSODBCSQL").display());
    let elsewhere = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
    fs::write(elsewhere.path().join("odbcinst.ini"), drivers).unwrap();
    let run = |verb: &str| {
        let mut command = root.command(part("PROGRAM"));
        // The project may be in a closed home, which is not root's under sudo.
        Ran::of(command.arg(verb).env("ODBCSYSINI", elsewhere.path()).env("HOME", project("")))
    };
    let ran = run("install");
    assert_eq!(ran.status, 1, "{ran:?}");
    let warnings: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let what = ["odbcinst.ini", "odbc.ini", "the target driver's library, "];
    for (warning, what) in warnings.iter().zip(what) {
        assert_says(warning, &["warning: ", what, "scripts that SQL Server runs cannot see", "datadirectories"]);
    }
    assert!(!ran.stderr.contains('\u{1b}'), "colour without a terminal: {}", ran.stderr);
    // A file that only root can read is useless to a script.
    root.write(DRIVERS, &format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", target()));
    fs::set_permissions(root.path(DRIVERS), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let private = root.run(&["install", "--dry-run"]);
    assert_eq!(private.status, 1);
    private.says(&["warning: /etc/odbcinst.ini cannot be read by the user that SQL Server runs scripts as"]);
    // Names of targets that do not exist.
    let named = root.run(&["install", "--dry-run", "--target-driver", "None such"]);
    named.says(&[
        "warning: the target driver, None such, is not in odbcinst.ini",
        "fail until None such is registered.",
    ]);
    root.run(&["install", "--dry-run", "--target-driver", "/none.so"]).says(&[
        "the target driver's library, /none.so, does not exist",
        "Done, but connections fail until /none.so exists.",
    ]);
    let relative = root.run(&["install", "--dry-run", "--target-driver", "a/none.so"]);
    assert_eq!(relative.status, 2, "{relative:?}");
    relative.says(&["--target-driver a/none.so is a relative path", "Fix: --target-driver '/"]);
    // The library's mode is that after the installation.
    fs::set_permissions(root.path(DRIVERS), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    fs::set_permissions(root.path(installed()), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    root.run(&["install"]).ok().says(&["libloopbackodbc.so: replaced by the library"]);

    run("uninstall").ok();
    assert!(!elsewhere.path().join("odbc.ini").exists());
}

#[test]
fn a_library_that_another_registration_has_too_stays() {
    let root = Root::new();
    root.run(&["install"]).ok();
    let drivers = root.read(DRIVERS);
    root.write(DRIVERS, &format!("{drivers}\n[By hand]\nDriver={}\n", installed()));
    let ran = root.run(&["uninstall"]).ok();
    assert_says(&ran.stdout, &["[By hand] uses the same file", &format!("{}: stays", installed())]);
    assert!(root.path(installed()).exists());
    // Two names that give the same file name.
    root.run(&["install", "--driver-name", "A B", "--dsn", "AB"]).ok();
    let ran = root.run(&["uninstall", "--driver-name", "A-B", "--dsn", "ABx"]);
    ran.says(&["[A B] uses the same file", "[A B] stays (uninstall --driver-name 'A B' --dsn 'AB')"]);
    assert!(root.path(installed().replace(".so", "-a-b.so")).exists());
}

#[test]
fn the_installation_completes_even_if_its_output_fails() {
    let root = Root::new();
    let mut command = root.command(part("PROGRAM"));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = command.arg("install").stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert_says(&String::from_utf8_lossy(&ran.stderr), &["standard output: No space left", "All changes were made"]);
    assert_says(
        &root.run(&["install"]).ok().stdout,
        &["up to date", "[SQL Server Loopback] is up to date", "[Loopback] is up to date"],
    );
}

#[test]
fn an_installation_that_cannot_finish_is_not_started() {
    let root = Root::new();
    let before = root.everything();
    let refused = |arguments: &[&str], parts: &[&str]| {
        let ran = root.run(arguments);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert_says(&ran.stderr, parts);
        root.is_as(&before);
    };
    refused(&["install", "--target-driver", "x\n[Evil]\nDriver=y"], &["contains control characters"]);
    fs::remove_file(root.path(DATA_SOURCES)).unwrap();
    std::os::unix::fs::symlink("/nonexistent/odbc.ini", root.path(DATA_SOURCES)).unwrap();
    let ran = root.run(&["install"]);
    assert_eq!(ran.status, 2);
    assert_says(&ran.stderr, &["/etc/odbc.ini is a symbolic link to a file that does not exist. Nothing was changed"]);
    assert!(!root.path(installed()).exists());
}

#[test]
fn an_upgrade_warns_of_older_copies() {
    let root = Root::new();
    root.run(&["install", "--driver-name", "Second", "--dsn", "Second"]).ok();
    let second = installed().replace(".so", "-second.so");
    let mut older = fs::read(root.path(&second)).unwrap();
    older.push(0);
    fs::write(root.path(&second), older).unwrap();
    let ran = root.run(&["install"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_says(
        &ran.stderr,
        &[&second, "[Second], is another version. Fix: loopback-odbc install --driver-name 'Second'"],
    );
}

#[test]
fn make_uninstall_refuses_while_others_exist_and_failed_install_is_undone() {
    let root = Root::new();
    let make = |verb: &str| {
        let mut command = root.command(project("scripts/install"));
        Ran::of(command.arg(verb).env("CARGO_TARGET_DIR", library().parent().unwrap().parent().unwrap()))
    };
    let before = root.everything();
    make("install").ok();
    root.run(&["install", "--driver-name", "Second", "--dsn", "Second"]).ok();
    let ran = make("uninstall");
    assert_eq!(ran.status, 2);
    assert_says(&ran.stderr, &["other installations", "uninstall --driver-name 'Second' --dsn 'Second'"]);
    root.run(&["uninstall", "--driver-name", "Second", "--dsn", "Second"]).ok();
    make("uninstall").ok();
    root.is_as(&before);
    // Without unixODBC's installer library.
    let broken = root.folder.path().join("libodbcinst.so.2");
    fs::write(&broken, "x").unwrap();
    let mut command = root.command(project("scripts/install"));
    command.arg("install").env("CARGO_TARGET_DIR", library().parent().unwrap().parent().unwrap());
    let ran = Ran::of(command.env("LD_LIBRARY_PATH", root.folder.path()));
    assert_eq!(ran.status, 2, "{ran:?}");
    root.is_as(&before);
}

#[test]
fn read_only_commands_create_no_files() {
    let root = Root::bare();
    let before = root.everything();
    for arguments in [&["doctor"][..], &["doctor", "--connect"], &["string"], &["install", "--dry-run"]] {
        root.run(arguments);
        root.is_as(&before);
        assert!(!root.folder.path().join("user.ini").exists(), "{arguments:?}");
    }
}

#[test]
fn doctor_warns_of_a_library_hidden_from_sql_server_scripts() {
    let root = Root::bare();
    root.write(
        DRIVERS,
        &format!(
            "[SQL Server Loopback]\nDriver={}\n[ODBC Driver 18 for SQL Server]\nDriver={}\n",
            library().display(),
            target()
        ),
    );
    root.write(DATA_SOURCES, "[Loopback]\nDriver=SQL Server Loopback\nServer=x\nUID=y\n");
    // The project may be in a closed home, which is not root's under sudo.
    let doctor = || Ran::of(root.command(part("PROGRAM")).arg("doctor").env("HOME", project("")));
    assert_eq!(doctor().status, 0);
    let server = "mount -t tmpfs tmpfs /opt && mkdir -p /opt/mssql/bin && touch /opt/mssql/bin/sqlservr";
    Ran::of(root.command("sh").args(["-c", server])).ok();
    let warned = doctor();
    assert_eq!(warned.status, 1, "{warned:?}");
    warned.says(&[&format!("Scripts that SQL Server runs cannot see {}", library().display()), "datadirectories"]);
    // What is installed causes no warning.
    root.write(DATA_SOURCES, "");
    root.write(DRIVERS, &format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", target()));
    root.run(&["install"]).ok();
    let found = doctor();
    assert!(!found.stdout.contains("cannot see"), "{found:?}");
}

#[test]
fn make_install_and_uninstall_handle_program_manual_and_completions() {
    let root = Root::new();
    let before = root.everything();
    let make = |verb: &str| {
        let mut command = root.command("make");
        Ran::of(command.arg("--no-print-directory").arg("-C").arg(project(".")).arg(verb)).ok()
    };
    make("install").says(&["/usr/bin/loopback-odbc\n", "[Loopback] added"]);
    let installed_program = Ran::of(root.command("/usr/bin/loopback-odbc").arg("--version")).ok();
    assert_eq!(installed_program.stdout, format!("loopback-odbc {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["string", "doctor", "install", "uninstall"] {
        assert_says(&root.read(&format!("/usr/share/man/man1/loopback-odbc-{command}.1")), &[".SH OPTIONS"]);
        assert_says(&root.read("/usr/share/man/man1/loopback-odbc.1"), &[&format!("loopback\\-odbc\\-{command}(1)")]);
    }
    let zsh = if Path::new("/etc/debian_version").exists() { "vendor-completions" } else { "site-functions" };
    for path in [
        "/usr/share/bash-completion/completions/loopback-odbc",
        "/usr/share/fish/vendor_completions.d/loopback-odbc.fish",
        &format!("/usr/share/zsh/{zsh}/_loopback-odbc"),
    ] {
        assert_says(&root.read(path), &["target-driver", "uninstall"]);
    }
    // The installed program finds the library for another copy by itself.
    let second = ["--driver-name", "Second", "--dsn", "Second"];
    let run = |verb: &str| Ran::of(root.command("/usr/bin/loopback-odbc").arg(verb).args(second)).ok();
    run("install")
        .says(&["libloopbackodbc-second.so: the library, version", "from /usr/lib/loopback-odbc/libloopbackodbc.so"]);
    run("uninstall");
    make("install").says(&["libloopbackodbc.so: up to date"]);
    make("uninstall").says(&["/usr/bin/loopback-odbc: removed"]);
    root.is_as(&before);
}

/// A file, folder or link: mode, owner, and contents.
#[derive(PartialEq, Eq)]
struct Seen {
    mode: u32,
    owner: (u32, u32),
    contents: Vec<u8>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let (Seen { mode, owner, contents }, length) = (self, self.contents.len());
        let begin = String::from_utf8_lossy(&contents[..length.min(200)]);
        write!(formatter, "mode {mode:o}, owner {owner:?}, {length} bytes: {begin:?}")
    }
}

type State = BTreeMap<PathBuf, Seen>;

/// Represents the contents of a folder.
const FOLDER: &[u8] = b"a folder";

/// The name of a file that does not have its final name yet.
const NEW: &str = ".new-by-loopback-odbc";

impl Root {
    /// Everything below these folders whose name begins in this way.
    fn seen(&self, places: &[(&Path, &str)]) -> State {
        let mut state = State::new();
        for (folder, begin) in places {
            self.see(folder, begin, &mut state);
        }
        state
    }

    fn see(&self, folder: &Path, begin: &str, state: &mut State) {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return };
        for entry in entries.map(Result::unwrap).filter(|entry| entry.file_name().to_string_lossy().starts_with(begin))
        {
            let (path, metadata) = (folder.join(entry.file_name()), entry.metadata().unwrap());
            let contents = match metadata.file_type() {
                kind if kind.is_symlink() => fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes(),
                kind if kind.is_dir() => {
                    self.see(&path, "", state);
                    FOLDER.to_vec()
                }
                _ => fs::read(entry.path()).unwrap(),
            };
            let owner = (metadata.uid(), metadata.gid());
            state.insert(path, Seen { mode: metadata.mode(), owner, contents });
        }
    }

    /// The program that runs another one up to a system call.
    fn at_call(&self) -> PathBuf {
        let path = self.folder.path().join("at_call");
        if !path.exists() {
            compile("tests/programs/at_call.c", &path, &[]);
            fs::set_permissions(self.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        path
    }
}

/// A command that is killed at each of its system calls, on its way from one state to another.
struct Killed<'k> {
    root: &'k Root,
    /// The states: without any of this project's files, and fully installed.
    clean: State,
    installed: State,
    see: &'k dyn Fn() -> State,
    /// Runs a program with arguments, as the user who installs.
    run: &'k dyn Fn(&[&str]) -> Ran,
}

impl Killed<'_> {
    /// `arrange` turns a clean state into the state from which the command starts.
    fn at_each_call(&self, arrange: &dyn Fn(), command: &[&str], install: &[&str], uninstall: &[&str]) {
        let (program, at_call) = (self.root.program(), self.root.at_call());
        let (program, at_call) = (program.to_str().unwrap(), at_call.to_str().unwrap());
        let run = |arguments: &[&str]| {
            let ran = (self.run)(&[&[program], arguments].concat());
            assert!(ran.status < 2, "{ran:?}");
        };
        arrange();
        let before = (self.see)();
        run(command);
        let after = (self.see)();
        assert_ne!(before, after);
        run(uninstall);
        assert_eq!((self.see)(), self.clean);
        for call in 1.. {
            arrange();
            assert_eq!((self.see)(), before);
            let number = call.to_string();
            let killed = (self.run)(&[&[at_call, &number, "kill -9 $PID", program], command].concat());
            if killed.status == 255 {
                assert!(call > 15, "only {call} calls may change something");
                break;
            }
            assert_eq!(killed.status, 137, "{killed:?}");
            let now = (self.see)();
            let was: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).chain(now.keys()).collect();
            for path in was {
                let (is, text) = (now.get(path), path.to_str().unwrap());
                // A folder may exist already, with its marker.
                if path.ends_with(".made-by-loopback-odbc") || is.is_some_and(|seen| seen.contents == FOLDER) {
                    continue;
                }
                match text.split_once(NEW) {
                    None => assert!(
                        is == before.get(path) || is == after.get(path),
                        "{text}, killed at {call} of {command:?}: {is:#?}"
                    ),
                    // The file may contain passwords.
                    Some((old, "")) if old.ends_with(".ini") => {
                        let (is, old) = (is.unwrap(), Path::new(old));
                        let was = before.get(old).or(after.get(old)).unwrap();
                        let like = (is.mode, is.owner) == (was.mode, was.owner);
                        assert!(like || is.contents.is_empty(), "{text}, killed at {call} of {command:?}: {is:#?}");
                        assert_eq!(is.mode & !was.mode & 0o077, 0, "{text}: {is:#?}");
                    }
                    Some(_) => {}
                }
            }
            if call % 2 == 0 {
                run(install);
                assert_eq!((self.see)(), self.installed, "install after a kill at {call} of {command:?}");
            }
            run(uninstall);
            assert_eq!((self.see)(), self.clean, "uninstall after a kill at {call} of {command:?}");
        }
    }
}

#[test]
fn a_kill_at_any_call_leaves_old_or_new_and_the_next_run_recovers() {
    let root = Root::new();
    // A file that a link leads to, readable by a group, with a password and with everything that unixODBC would lose.
    let (file, long) = ("/etc/odbc-of-the-machine.ini", "x".repeat(1100));
    root.write(
        file,
        &format!("# ours\r\n[Theirs]\r\nDriver = Other\r\nPWD=secret\r\nOptions={long}\r\n[Last]\r\nDriver=Other"),
    );
    fs::set_permissions(root.path(file), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(root.path(file), Some(0), Some(1234)).unwrap();
    fs::remove_file(root.path(DATA_SOURCES)).unwrap();
    std::os::unix::fs::symlink(file, root.path(DATA_SOURCES)).unwrap();

    let library = PathBuf::from(installed());
    let folder = library.parent().unwrap().parent().unwrap();
    let see = || root.seen(&[(Path::new("/etc"), "odbc"), (folder, "odbc"), (folder, "libloopbackodbc")]);
    let run = |arguments: &[&str]| Ran::of(root.command(arguments[0]).args(&arguments[1..]));
    let (clean, everything) = (see(), root.everything());
    let (install, uninstall) = (["install", "--target-driver", "ODBC Driver 18 for SQL Server"], ["uninstall"]);
    // The status is 1 because of a warning about the file's mode.
    let put = || assert_eq!(root.run(&install).status, 1);
    put();
    let killed = Killed { root: &root, clean, installed: see(), see: &see, run: &run };
    root.run(&uninstall).ok();

    killed.at_each_call(&|| (), &install, &install, &uninstall);
    let old = || {
        put();
        let mut older = fs::read(root.path(&library)).unwrap();
        older.push(0);
        fs::write(root.path(&library), older).unwrap();
        root.write(DRIVERS, &root.read(DRIVERS).replace("TargetDriver=ODBC Driver 18", "TargetDriver=ODBC Driver 17"));
        root.write(
            file,
            &root.read(file).replace("Driver=SQL Server Loopback", &format!("Driver={}", library.display())),
        );
    };
    killed.at_each_call(&old, &install, &install, &uninstall);
    killed.at_each_call(&put, &uninstall, &install, &uninstall);
    root.is_as(&everything);
}

#[test]
fn a_killed_user_installation_leaves_nothing_behind() {
    let root = Root::bare();
    let home = tempfile::Builder::new().prefix("loopback-odbc-test").tempdir().unwrap();
    std::os::unix::fs::chown(home.path(), Some(10001), Some(10001)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = root.command("setpriv");
        command.args(["--reuid", "10001", "--regid", "10001", "--clear-groups"]).args(arguments);
        command.env("HOME", home.path()).env("ODBCINI", home.path().join(".odbc.ini")).env_remove("XDG_DATA_HOME");
        Ran::of(&mut command)
    };
    let see = || root.seen(&[(home.path(), "")]);
    let (install, uninstall) = (["install", "--user"], ["uninstall", "--user"]);
    let program = root.program();
    let put = || drop(run(&[&[program.to_str().unwrap()], &install[..]].concat()));
    put();
    let killed = Killed { root: &root, clean: State::new(), installed: see(), see: &see, run: &run };
    run(&[&[program.to_str().unwrap()], &uninstall[..]].concat()).ok();
    killed.at_each_call(&|| (), &install, &install, &uninstall);
    killed.at_each_call(&put, &uninstall, &install, &uninstall);
}

#[test]
fn concurrent_changes_by_another_program_are_never_lost() {
    let root = Root::new();
    let originals = [DRIVERS, DATA_SOURCES].map(|path| (path, root.read(path)));
    let write = format!("for file in {DRIVERS} {DATA_SOURCES}; do printf '[Foreign]\\nDriver=f\\n' >>$file; done");
    let (at_call, program) = (root.at_call(), part("PROGRAM"));
    let mut noticed = 0;
    for verb in ["install", "uninstall"] {
        for call in 1.. {
            root.run(&["install"]).ok();
            if verb == "install" {
                root.run(&["uninstall"]).ok();
            }
            let ran = Ran::of(root.command(&at_call).args([&call.to_string(), &write]).arg(&program).arg(verb));
            if ran.status == 255 {
                assert!(call > 15, "only {call} calls may change something");
                break;
            }
            for (path, original) in &originals {
                assert!(root.read(path).contains("[Foreign]"), "{path}, at {call} of {verb}: {ran:?}");
                assert!(root.read(path).starts_with(original), "{path}, at {call} of {verb}: {ran:?}");
            }
            if ran.status != 0 {
                assert_says(
                    &ran.stderr,
                    &["was changed by another program at the same time", "run this command again"],
                );
                noticed += 1;
            }
            root.run(&[verb]).ok();
            root.run(&["uninstall"]).ok();
            for (path, original) in &originals {
                assert_eq!(root.read(path), format!("{original}[Foreign]\nDriver=f\n"), "at {call} of {verb}");
                root.write(path, original);
            }
        }
    }
    assert!(noticed > 10, "{noticed}");
}

#[test]
fn concurrent_changes_by_unixodbc_tools_are_never_lost() {
    // Like `odbcinst -i`: it reads the file and overwrites it.
    const ADD: &str = "
import ctypes
installer = ctypes.CDLL('libodbcinst.so.2')
assert installer.SQLInstallDriverEx(b'Foreign\\0Driver=/f.so\\0\\0', None, ctypes.create_string_buffer(300), 300,
    ctypes.byref(ctypes.c_ushort()), 2, ctypes.byref(ctypes.c_uint()))
";
    let root = Root::new();
    let original = root.read(DRIVERS);
    let add = format!("{} -c \"{ADD}\"", part("PYTHON").display());
    let (at_call, program) = (root.at_call(), part("PROGRAM"));
    let mut interfered = 0;
    for call in (1..).step_by(2) {
        let ran = Ran::of(root.command(&at_call).args([&call.to_string(), &add]).arg(&program).arg("install"));
        if ran.status == 255 {
            break;
        }
        interfered += 1;
        let drivers = root.read(DRIVERS);
        assert_says(&drivers, &["[ODBC Driver 18 for SQL Server]\n", "[Foreign]\nDriver", "/f.so"]);
        assert!(matches!(ran.status, 0 | 2), "{ran:?}");
        assert_eq!(drivers.contains("[SQL Server Loopback]"), ran.status == 0, "at {call}: {ran:?}");
        root.run(&["install"]).ok();
        root.run(&["uninstall"]).ok();
        let drivers = root.read(DRIVERS);
        assert_says(&drivers, &["[ODBC Driver 18 for SQL Server]\n", "[Foreign]\n"]);
        assert!(!drivers.contains("Loopback"), "{drivers}");
        root.write(DRIVERS, &original);
    }
    assert!(interfered > 7, "{interfered}");
}

#[test]
fn a_full_disk_leaves_the_old_or_the_new() {
    let root = Root::bare();
    let others = format!("# ours\n[Theirs]\nPWD=secret\nOptions={}\n", "x".repeat(9000));
    const FOLDER: &str = "/usr/lib/full-disk-of-the-tests";
    fs::create_dir(root.path(FOLDER)).unwrap();
    let (file, library) = (format!("{FOLDER}/odbc.ini"), format!("{FOLDER}/data/loopback-odbc/libloopbackodbc.so"));
    let whole = fs::read(common::library()).unwrap();
    let mut statuses = BTreeSet::new();
    // File system sizes in pages, from one without room for anything to one with room for everything.
    let program = fs::metadata(part("PROGRAM")).unwrap().len();
    let all = (whole.len() as u64 + program) / 4096 + 30;
    for pages in (4..10).chain([20, all - 16]).chain(all - 14..all) {
        let mount = format!("size={}k,mode=755", pages * 4);
        Ran::of(root.command("mount").args(["-t", "tmpfs", "-o", &mount, "tmpfs", FOLDER])).ok();
        root.write(&file, &others);
        let run = |verb: &str| {
            let mut command = root.command(part("PROGRAM"));
            command.args([verb, "--user"]).env("ODBCINI", &file).env("XDG_DATA_HOME", format!("{FOLDER}/data"));
            Ran::of(&mut command)
        };
        let ran = run("install");
        statuses.insert(ran.status);
        let there = fs::read(root.path(&library)).ok();
        match ran.status {
            2 => {
                assert_says(&ran.stderr, &["No space left on device"]);
                assert_eq!(root.read(&file), others);
                assert!(there.is_none_or(|there| there == whole));
            }
            _ => {
                assert_eq!(root.read(&file), format!("{others}\n[Loopback]\nDriver={library}\n"));
                assert!(there.unwrap() == whole);
            }
        }
        let state = root.seen(&[(Path::new(FOLDER), "")]);
        assert!(state.keys().all(|path| !path.to_str().unwrap().ends_with(NEW)), "{:?}", state.keys());
        // Even on the full file system.
        run("uninstall").ok();
        let state = root.seen(&[(Path::new(FOLDER), "")]);
        assert_eq!(state.keys().collect::<Vec<_>>(), [Path::new(&file)]);
        assert_eq!(root.read(&file), others);
        Ran::of(root.command("umount").arg(FOLDER)).ok();
    }
    assert_eq!(statuses, [1, 2].into(), "both outcomes were to be seen");
}

#[test]
fn files_that_cannot_be_replaced_prevent_the_installation() {
    let root = Root::new();
    let refused = |parts: &[&str]| {
        let before = root.everything();
        let ran = root.run(&["install"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert_says(&ran.stderr, parts);
        root.is_as(&before);
    };
    let mount = |arguments: &[&str]| drop(Ran::of(root.command("mount").args(arguments)).ok());
    // A file that is a mount point itself, as in a container.
    mount(&["--bind", DATA_SOURCES, DATA_SOURCES]);
    refused(&["/etc/odbc.ini is a mount point", "Nothing was changed"]);
    Ran::of(root.command("umount").arg(DATA_SOURCES)).ok();
    // A link to a file in a folder that cannot be written.
    const FOLDER: &str = "/usr/share/read-only-of-the-tests";
    fs::create_dir(root.path(FOLDER)).unwrap();
    let file = format!("{FOLDER}/odbc.ini");
    root.write(&file, OTHERS);
    fs::remove_file(root.path(DATA_SOURCES)).unwrap();
    std::os::unix::fs::symlink(&file, root.path(DATA_SOURCES)).unwrap();
    mount(&["--bind", FOLDER, FOLDER]);
    mount(&["-o", "remount,bind,ro", FOLDER]);
    refused(&[" cannot be written (Read-only file system", "Nothing was changed"]);
}

#[test]
fn a_file_that_is_not_regular_is_left_alone() {
    for (make, kind) in [("mknod", "c 1 3"), ("mknod", "p"), ("mkdir", "")] {
        let root = Root::new();
        let other = "/usr/share/other-of-the-tests";
        Ran::of(root.command(make).arg(other).args(kind.split_whitespace())).ok();
        fs::remove_file(root.path(DATA_SOURCES)).unwrap();
        std::os::unix::fs::symlink(other, root.path(DATA_SOURCES)).unwrap();
        for action in ["install", "uninstall"] {
            let ran = root.run(&[action]);
            assert_eq!(ran.status, 2, "{ran:?}");
            assert_says(&ran.stderr, &["/etc/odbc.ini is not a regular file"]);
        }
        let left = fs::symlink_metadata(root.path(other)).unwrap();
        assert!(!left.is_file(), "{make} {kind}");
    }
}

#[test]
fn concurrent_runs_do_not_lose_changes() {
    let root = Root::new();
    let before = root.everything();
    let (files, names) = ((root.read(DRIVERS), root.read(DATA_SOURCES)), ["One", "Two", "Three", "Four"]);
    let all = |verb: &str| {
        let run = |name: &&str| {
            let mut command = root.command(part("PROGRAM"));
            command.args([verb, "--driver-name", name, "--dsn", name]).stdout(Stdio::null()).spawn().unwrap()
        };
        let running: Vec<Child> = names.iter().map(run).collect();
        for mut running in running {
            assert_eq!(running.wait().unwrap().code(), Some(0), "{verb}");
        }
    };
    for _ in 0..5 {
        all("install");
        let (drivers, data_sources) = (root.read(DRIVERS), root.read(DATA_SOURCES));
        for name in names {
            assert_says(&drivers, &[&format!("\n[{name}]\nDriver=/usr/lib")]);
            assert_says(&data_sources, &[&format!("\n[{name}]\nDriver={name}\n")]);
        }
        all("uninstall");
        assert_eq!((root.read(DRIVERS), root.read(DATA_SOURCES)), files);
    }
    // The same one four times counts once.
    let same = || {
        let mut command = root.command(part("PROGRAM"));
        command.arg("install").stdout(Stdio::null()).spawn().unwrap()
    };
    for mut running in [same(), same(), same(), same()] {
        assert_eq!(running.wait().unwrap().code(), Some(0));
    }
    root.run(&["uninstall"]).ok();
    root.is_as(&before);
}

#[test]
fn a_run_waits_for_another_unless_it_changes_nothing() {
    let root = Root::new();
    let mut holder = root.command("flock");
    holder.args(["/", "sh", "-c", "echo held; read -r _"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    let before = root.read(DRIVERS);
    root.run(&["install", "--dry-run"]).ok();
    root.run(&["doctor"]);
    let mut waiting = root.command(part("PROGRAM"));
    let mut waiting = waiting.arg("install").stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(waiting.try_wait().unwrap(), None);
    assert_eq!(root.read(DRIVERS), before);
    drop(holder.stdin.take());
    assert!(waiting.wait().unwrap().success());
    assert_says(&root.read(DRIVERS), &["[SQL Server Loopback]"]);
    let _ = holder.wait();
}
