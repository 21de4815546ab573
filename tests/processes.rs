//! Threads, forks, loading and unloading, and the ends of processes: natively, and under memcheck.
//!
//! Of the two numbers passed to [`times`], `make test` uses the first and `make soak` the second.

mod common;

use common::memcheck::Report;
use common::server::Server;
use common::{Ran, Registrations, assert_says, compile, library, link, part, project};
use std::path::{Path, PathBuf};

/// A number for `make test`, and one for `make soak`, which sets `LOOPBACK_ODBC_SOAK`.
fn times(usual: u32, soak: u32) -> String {
    if std::env::var_os("LOOPBACK_ODBC_SOAK").is_some() { soak } else { usual }.to_string()
}

/// The line of a data source that names the database.
const SALES: &str = "Database=Sales\n";

/// What a program is linked with.
#[derive(Clone, Copy)]
enum Through {
    DriverManager,
    Library,
}
use Through::{DriverManager, Library};

/// A folder with registrations, and the programs and targets that the test compiles there.
struct Setting {
    registrations: Registrations,
    target: Option<PathBuf>,
}

impl Setting {
    fn new(section: &str, target: Option<PathBuf>) -> Setting {
        let registrations = Registrations::usual(section);
        // Also in the user's file. unixODBC searches that file first and then the system's, using a setting that all
        // threads share, and takes no lock when a connection is used a second time. Of ten thousand connects from 32
        // threads, one finds the data source in neither file, with any driver (2.3.11).
        std::fs::copy(registrations.path("odbc.ini"), registrations.path("user.ini")).unwrap();
        Setting { registrations, target }
    }

    /// `DSN=Loopback` leads to this target.
    fn with_target(target: PathBuf) -> Setting {
        Setting::new("Server=s\nUID=u\nPWD=p\n", Some(target))
    }

    fn recording() -> Setting {
        Setting::with_target(part("RECORDING_TARGET"))
    }

    /// `DSN=Loopback` leads to Microsoft's driver and this server.
    fn real(server: &Server) -> Setting {
        Setting::new(&server.section(), None)
    }

    /// Compiles a program in tests/programs.
    #[track_caller]
    fn program(&self, name: &str, through: Through) -> PathBuf {
        let program = self.registrations.path(name);
        let source = format!("tests/programs/{name}.c");
        match through {
            DriverManager => compile(&source, &program, &["-rdynamic", "-lodbc"]),
            Library => link(&source, &program, &library()),
        }
        program
    }

    fn variables(&self) -> Vec<(&'static str, &Path)> {
        self.target.iter().map(|target| ("LOOPBACK_ODBC_TARGET_DRIVER", target.as_path())).collect()
    }

    #[track_caller]
    fn run(&self, program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.registrations.command(program);
        Ran::of(command.args(arguments).envs(self.variables()).envs(variables.iter().copied()))
    }

    #[track_caller]
    fn memcheck(&self, program: &Path, arguments: &[&str]) -> Ran {
        Report::of(&self.registrations, program, arguments, &self.variables()).nothing_of_ours()
    }
}

#[test]
fn threads_connect_query_fail_and_disconnect_side_by_side() {
    let setting = Setting::recording();
    for through in [DriverManager, Library] {
        let program = setting.program("threads", through);
        let ran = setting.run(&program, &["32", &times(100, 1000), part("RECORDING_TARGET").to_str().unwrap()], &[]);
        ran.ok().says(&[&format!("{} connections", times(3200, 32_000))]);
    }
}

#[test]
fn memcheck_is_clean_for_threads_through_the_driver_manager() {
    let setting = Setting::recording();
    let program = setting.program("threads", DriverManager);
    let ran = setting.memcheck(&program, &["32", &times(8, 100), part("RECORDING_TARGET").to_str().unwrap()]);
    ran.says(&["connections"]);
}

#[test]
fn memcheck_is_clean_for_threads_that_call_the_library() {
    let setting = Setting::recording();
    let program = setting.program("threads", Library);
    let ran = setting.memcheck(&program, &["32", &times(8, 100), part("RECORDING_TARGET").to_str().unwrap()]);
    ran.says(&["connections"]);
}

#[test]
fn threads_on_microsoft_s_driver_each_get_their_own_results() {
    let server = Server::start();
    let setting = Setting::real(&server);
    let program = setting.program("threads", DriverManager);
    setting.run(&program, &["8", &times(20, 500), "real"], &[]).ok().says(&[&format!("{} conn", times(160, 4000))]);
    assert_eq!(server.logins().len().to_string(), times(160, 4000));
}

#[test]
fn memcheck_is_clean_for_threads_on_the_microsoft_driver() {
    let server = Server::start();
    let setting = Setting::real(&server);
    let program = setting.program("threads", DriverManager);
    setting.memcheck(&program, &["8", &times(2, 20), "real"]).says(&["connections"]);
}

#[test]
fn memcheck_errors_would_be_detected() {
    let registrations = Registrations::new("", "");
    let (leaky, program) = (registrations.path("libloopbackodbc.so"), registrations.path("once"));
    compile("tests/programs/leaky.c", &leaky, &["-shared", "-fPIC"]);
    link("tests/programs/once.c", &program, &leaky);
    let report = Report::of(&registrations, &program, &[], &[]);
    assert_eq!((report.ran.status, report.processes, report.kept), (0, 2, 0), "{:?}", report.ran);
    let mut ours = report.ours;
    ours.sort();
    assert_eq!(ours.len(), 3, "{ours:?}");
    assert_says(&ours[0], &["InvalidWrite: ", "SQLDriverConnectW"]);
    assert_says(&ours[1], &["InvalidWrite: ", "SQLDriverConnectW"]);
    assert_says(&ours[2], &["Leak_DefinitelyLost: 100 bytes in 1 blocks", "SQLDriverConnectW"]);
}

/// The output of flat.c.
#[derive(Debug)]
struct Cost {
    kibibytes: i64,
    /// Nanoseconds.
    first: i64,
    last: i64,
    /// Whether it ran to its end.
    whole: bool,
}

impl Cost {
    /// How much slower the last connects are than the first.
    fn slower(&self) -> f64 {
        self.last as f64 / self.first as f64
    }

    /// Whether the cost is as flat as without the library. That is not quite flat, because other programs on the
    /// machine share its caches. Without flat costs, connects took three times as long after a few thousand.
    fn is_flat(&self, direct: &Cost) -> bool {
        self.whole && self.kibibytes <= direct.kibibytes + 300 && self.slower() <= 2.0 * direct.slower().max(1.0)
    }
}

/// Connects 100,000 times through the library to a target that does nothing, with and without the driver manager, and
/// as often directly to the target for comparison. Both data sources have `section`.
#[track_caller]
fn connects_stay_as_they_are(section: &str, rest: &str, variables: &[(&str, &str)]) {
    let mut setting = Setting::new(section, None);
    let target = setting.registrations.path("msodbcsql18.so");
    compile("benches/target.c", &target, &["-O2", "-shared", "-fPIC", "-Wno-unused-parameter"]);
    let user = setting.registrations.path("user.ini");
    let direct = format!("[Direct]\nDriver={}\n{section}\n", target.display());
    let sections = std::fs::read_to_string(&user).unwrap() + &direct;
    std::fs::write(user, sections).unwrap();
    let drivers = setting.registrations.path("odbcinst.ini");
    let registered = std::fs::read_to_string(&drivers).unwrap() + &format!("[Mine]\nDriver={}\n", target.display());
    std::fs::write(drivers, registered).unwrap();
    setting.target = Some(target.clone());
    let manager = setting.program("flat", DriverManager);
    let (with_library, with_target) =
        (setting.registrations.path("with library"), setting.registrations.path("direct"));
    link("tests/programs/flat.c", &with_library, &library());
    link("tests/programs/flat.c", &with_target, &target);
    let mut costs = Vec::new();
    for (program, name, thousands) in [
        (&manager, "Direct", 20),
        (&manager, "Loopback", 100),
        (&with_target, "Direct", 20),
        (&with_library, "Loopback", 100),
    ] {
        let ran = setting.run(program, &[&thousands.to_string(), &format!("DSN={name};{rest}")], variables).ok();
        let numbers: Vec<i64> = ran.stdout.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [kibibytes, first, last, done] = numbers[..] else { panic!("{ran:?}") };
        costs.push((program, name, Cost { kibibytes, first, last, whole: done == thousands }));
    }
    let flat = costs.chunks(2).all(|pair| pair[1].2.is_flat(&pair[0].2));
    assert!(flat, "{costs:#?}");
}

#[test]
fn connects_with_values_in_the_section_stay_as_they_are() {
    connects_stay_as_they_are("Server=s\nUID=u\nPWD=p\nDatabase=Sales\nMARS_Connection=Yes\n", "", &[]);
}

#[test]
fn connects_with_nothing_in_the_section_stay_as_they_are() {
    connects_stay_as_they_are("", "Server=s;UID=u;PWD=p", &[]);
}

#[test]
fn connects_that_name_their_target_stay_as_they_are() {
    connects_stay_as_they_are("TargetDriver=Mine\n", "Server=s;UID=u;PWD=p", &[]);
}

#[test]
fn loopback_connects_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, what) in [("cert.pem", "CERTIFICATE"), ("key.pem", "PRIVATE KEY")] {
        std::fs::write(path(name), format!("-----BEGIN {what}-----\n")).unwrap();
    }
    let variables = [
        ("LOOPBACK_ODBC_SERVER", "fe80::1%lo"),
        ("LOOPBACK_ODBC_CLIENT_CERTIFICATE", &path("cert.pem")),
        ("LOOPBACK_ODBC_CLIENT_KEY", &path("key.pem")),
    ];
    connects_stay_as_they_are("", "", &variables);
}

/// Runs cancelled.c in a mode, with the log enabled as well.
#[track_caller]
fn cancelled(mode: &str) {
    let setting = Setting::with_target(PathBuf::new());
    let (target, program) = (setting.registrations.path("msodbcsql18.so"), setting.program("cancelled", Library));
    compile("tests/programs/slow_target.c", &target, &["-O2", "-shared", "-fPIC", "-Wno-unused-parameter"]);
    let setting = Setting { target: Some(target.clone()), ..setting };
    for kind in ["deferred", "asynchronous"] {
        // A thread may only be cancelled anywhere while it calls nothing that keeps resources.
        if kind == "asynchronous" && !["connect", "execute"].contains(&mode) {
            continue;
        }
        let log = [("LOOPBACK_ODBC_LOG", "trace")];
        setting.run(&program, &[mode, target.to_str().unwrap(), kind], &log).ok().says(&["cancelled"]);
    }
}

#[test]
fn a_thread_that_is_cancelled_in_the_target_s_connect_ends() {
    cancelled("connect");
}

#[test]
fn a_thread_that_is_cancelled_in_a_statement_ends() {
    cancelled("execute");
}

#[test]
fn a_thread_that_is_cancelled_while_the_target_is_loaded_ends() {
    cancelled("loading");
}

#[test]
fn a_thread_that_is_cancelled_while_we_look_for_server_and_certificate_ends() {
    cancelled("discovery");
}

#[test]
fn a_thread_that_is_cancelled_while_a_connect_is_refused_ends() {
    cancelled("refused");
}

/// The settings of forks.c: its keyword for each, and the target.
fn forks() -> [(&'static str, Setting); 3] {
    let plain = |sources: &[&str]| {
        let mut setting = Setting::with_target(PathBuf::new());
        let target = setting.registrations.path("msodbcsql18.so");
        let options = [&["-shared", "-fPIC", "-Wno-unused-parameter"], sources].concat();
        compile("benches/target.c", &target, &options);
        setting.target = Some(target);
        setting
    };
    let slow = project("tests/programs/slow_load.c");
    [
        ("target", plain(&[])),
        ("absent", Setting::with_target("/nonexistent.so".into())),
        ("loading", plain(&[slow.to_str().unwrap()])),
    ]
}

fn children(word: &str, usual: u32, soak: u32) -> String {
    if word == "loading" { "1".to_owned() } else { times(usual, soak) }
}

#[test]
fn a_forked_child_finds_our_locks_free() {
    for (word, setting) in forks() {
        let program = setting.program("forks", Library);
        let children = children(word, 300, 10_000);
        setting.run(&program, &[&children, "60", word], &[]).ok().says(&[&format!("{children} children")]);
    }
}

#[test]
fn a_forked_child_can_log_while_parent_threads_do() {
    // The log goes to a pipe: its writer waits for the reader, so a fork mostly happens in the middle of a write.
    let [(word, setting), ..] = forks();
    let program = setting.program("forks", Library);
    let ran = setting.run(&program, &[&times(100, 2000), "60", word], &[("LOOPBACK_ODBC_LOG", "trace")]).ok();
    let processes: std::collections::BTreeSet<&str> =
        ran.stderr.lines().filter_map(|line| line.strip_prefix("loopback-odbc[")?.split(']').next()).collect();
    assert_eq!(processes.len().to_string(), times(101, 2001), "the parent and its children");
}

#[test]
fn without_atfork_handlers_a_child_hangs() {
    for (word, setting) in forks() {
        let program = setting.program("forks", Library);
        let preloaded = setting.registrations.path("no_atfork.so");
        compile("tests/programs/no_atfork.c", &preloaded, &["-shared", "-fPIC"]);
        // Sooner or later a fork happens while a lock is held.
        let variables = [("LD_PRELOAD", preloaded.to_str().unwrap())];
        let ran = setting.run(&program, &[&children(word, 100_000, 100_000), "2", word], &variables);
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.says(&["hangs"]);
    }
}

#[test]
fn memcheck_is_clean_for_a_process_that_forks() {
    let [(word, setting), ..] = forks();
    let program = setting.program("forks", Library);
    let report = Report::of(&setting.registrations, &program, &[&times(10, 300), "60", word], &setting.variables());
    assert_eq!(report.processes.to_string(), times(11, 301), "the parent and its children");
    report.nothing_of_ours().says(&["children"]);
}

#[test]
fn python_multiprocessing_children_make_their_own_connections() {
    let server = Server::start();
    let setting = Setting::new(&format!("{}{SALES}", server.section()), None);
    let (python, script) = (part("PYTHON"), project("tests/programs/forks.py"));
    // A pool whose child has crashed waits forever.
    let words = ["60", python.to_str().unwrap(), script.to_str().unwrap()];
    for _ in 0..times(1, 30).parse().unwrap() {
        setting.run(Path::new("/usr/bin/timeout"), &words, &[]).ok().says(&["children, 16 answers"]);
    }
}

#[test]
fn r_mclapply_children_make_their_own_connections() {
    let server = Server::start();
    let setting = Setting::new(&format!("{}{SALES}", server.section()), None);
    let script = project("tests/programs/forks.R");
    for _ in 0..times(1, 30).parse().unwrap() {
        let ran = setting.run(&part("RSCRIPT"), &[script.to_str().unwrap()], &[]);
        ran.ok().says(&["16 children, 16 answers"]);
    }
}

#[test]
fn loading_and_unloading_leaves_nothing_behind() {
    let setting = Setting::recording();
    let program = setting.program("reload", DriverManager);
    let library = library();
    let library = library.to_str().unwrap();
    // A thousand rounds that lose 132 bytes each would lose more than 128 KiB.
    let ran = setting.run(&program, &[library, &times(1000, 20_000), "128"], &[]).ok();
    assert_says(&ran.stdout, &[&format!("loaded and unloaded: {} times", times(1000, 20_000)), "connected: "]);
    // Memcheck's own memory grows, and memcheck itself reports leaks.
    setting.memcheck(&program, &[library, &times(50, 1000), "100000"]);
}

#[test]
fn a_process_may_end_while_its_threads_connect_or_with_handles_left() {
    for through in [Library, DriverManager] {
        let setting = Setting::recording();
        let program = setting.program("exits", through);
        for _ in 0..times(40, 500).parse().unwrap() {
            for way in ["return", "exit", "unfreed"] {
                let ran = setting.run(&program, &[way], &[]);
                assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{way}");
            }
        }
        setting.memcheck(&program, &["unfreed"]);
    }
}

#[test]
fn a_process_may_end_with_connections_of_microsoft_s_driver_left() {
    let server = Server::start();
    let setting = Setting::real(&server);
    let program = setting.program("exits", DriverManager);
    for _ in 0..times(5, 100).parse().unwrap() {
        let ran = setting.run(&program, &["unfreed"], &[]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    }
}
