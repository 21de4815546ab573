//! The tests for any SQL Server: `scripts/test-server` runs them, and puts what they write together to a page.
//!
//! Each does the same things with Microsoft's driver directly and through the library, and compares what can be observed. Nothing is expected
//! of the server: what it cannot do fails both ways, and the page names it. The page has no names of servers, databases or users.

#[allow(dead_code)] // tests/differential uses all of it.
#[path = "../differential/case.rs"]
mod case;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)] // tests/differential uses all of it.
#[path = "../differential/linux.rs"]
mod platform;
mod server;
#[allow(dead_code)] // tests/differential uses all of it.
#[path = "../differential/transcript.rs"]
mod transcript;

use case::{Case, finished};
use common::clients::{CLIENTS, Client, told};
use common::{Ran, bulk_copy, compile, library, part, project};
use server::Server;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use transcript::{Difference, Transcript};

/// The program that makes the server go away, which these tests do with a relay.
const LOST: &str = "connecting: lost";
/// The most direct runs, to see what differs from itself.
const DIRECT_RUNS: usize = 5;
/// The most places that the page shows where direct runs differ.
const SHOWN: usize = 10;
/// The pairs of runs in which the speed is compared.
const PAIRS: &str = "9";

// --- The differential programs ---

/// The names of programs, each with what it wrote in the first of several runs and not in all of them.
type Unsteady = BTreeSet<(String, String)>;

/// The case of tests/differential, with this way to the server.
fn case(server: &Server, section: String) -> Case {
    let driver = part("MSODBCSQL");
    Case {
        target: "sql-server",
        registered: format!("[ODBC Driver 18 for SQL Server]\nDriver={}\n", driver.display()),
        driver,
        section,
        database: server.database.clone(),
        user: server.user.clone(),
        password: server.password.clone(),
    }
}

/// What the programs observe with this file as the driver.
fn observed(server: &Server, driver: &Path) -> Transcript {
    let run = |case: Case, stop: &[String], arguments: &[&str]| {
        let registrations = case.registrations(driver);
        finished(&mut case.command(&registrations, stop, arguments))
    };
    let mut text = run(case(server, server.section()), &[], &["--skip", LOST]);
    if let Some(relay) = server.relay() {
        text += &relay.normal(&run(case(server, relay.section.clone()), &relay.stop, &["--only", LOST]));
    }
    Transcript::parse(&server.normal(&text))
}

/// What differs without a reason, and the programs and calls in which two direct runs differ, where nothing can be compared.
fn compared(server: &Server) -> (Transcript, Vec<Difference>, Unsteady) {
    let case = case(server, server.section());
    let mut direct = vec![observed(server, &case.driver), observed(server, &case.driver)];
    let through = observed(server, &library());
    let register = case.register();
    loop {
        let unsteady: Unsteady = direct[1..]
            .iter()
            .flat_map(|other| direct[0].different_calls(other))
            .flat_map(Difference::lines)
            .map(|it| (it.program, it.direct))
            .collect();
        let mut found = register.unexplained(&direct[0], &through);
        found.retain(|it| !unsteady.contains(&(it.program.clone(), it.direct.clone())));
        // What varies rarely may be the same in two runs.
        if found.is_empty() || direct.len() == DIRECT_RUNS {
            return (direct.swap_remove(0), found, unsteady);
        }
        direct.push(observed(server, &case.driver));
    }
}

#[test]
fn differential() {
    let server = Server::given("1 Differential programs");
    let (direct, found, unsteady) = compared(&server);
    let mut page = format!("{}. Differences: **{}**.\n", direct.size(), found.len());
    if !unsteady.is_empty() {
        let first = unsteady.iter().take(SHOWN).map(|(program, lines)| format!("{program}\n{lines}\n"));
        let count = unsteady.len();
        write!(page, "\n{count} places differ between direct runs, and are not compared. The first {SHOWN}:\n\n")
            .unwrap();
        page += &server.block(&first.collect::<String>());
    }
    if server.relay_address().is_none() {
        writeln!(page, "Not run: `{LOST}`, because a relay needs the server as HOST or HOST,PORT.").unwrap();
    }
    for difference in &found {
        page += "\n";
        page += &server.block(&difference.to_string());
    }
    let expected = case(&server, server.section()).expected();
    // It is the last one.
    let (without_lost, _) = expected.split_once(&format!("{}{LOST}", transcript::PROGRAM)).unwrap();
    let missing = direct.missing(if server.relay_address().is_some() { &expected } else { without_lost });
    if !missing.is_empty() {
        page +=
            "\nThe server or the driver itself does not do all that the programs try. What is missing directly:\n\n";
        missing.iter().for_each(|(program, line)| writeln!(page, "- {program}: `{}`", line.trim()).unwrap());
    }
    let never = direct.never_succeeded();
    if !never.is_empty() {
        writeln!(page, "\nFunctions that never succeed directly: {}.", Vec::from_iter(never).join(", ")).unwrap();
    }
    server.report(&page);
    assert!(found.is_empty(), "{} differences", found.len());
}

// --- The clients ---

/// These take a password on their command line alone, where other users of the machine can read it.
const BY_ARGUMENT: [&str; 2] = ["isql", "iusql"];

fn output(server: &Server, client: &Client, dsn: &str) -> Ran {
    server.execute("DROP TABLE IF EXISTS dbo.Typed");
    let registrations = server.registrations();
    Ran::of(&mut client.command(&registrations, dsn, [&server.user, &server.password]))
}

#[test]
fn clients() {
    let server = Server::given("2 Clients");
    let mut page = "| client | version | through the library | the client alone |\n|-|-|-|-|\n".to_owned();
    let (mut details, mut different) = (String::new(), 0);
    for client in CLIENTS {
        let name = client.name;
        if BY_ARGUMENT.contains(&name) {
            writeln!(page, "| {name} | | not run: it takes a password as an argument alone | |").unwrap();
            continue;
        }
        if client.is_lacking() {
            writeln!(page, "| {name} | | not run: the distribution has no package of it | |").unwrap();
            continue;
        }
        let [direct, through] = ["Direct", "Loopback"].map(|dsn| output(&server, client, dsn));
        let all = |ran: &Ran| server.normal(&format!("status {}\n{}{}", ran.status, ran.stdout, ran.stderr));
        let same = all(&direct) == all(&through);
        let (missing, all_lines) = (client.missing(&direct.stdout), client.expected().lines().count());
        let alone = match missing.first() {
            None => "as expected".to_owned(),
            Some(line) => format!(
                "does not write {} of {all_lines} lines, the first of them `{}`",
                missing.len(),
                line.replace('|', "\\|")
            ),
        };
        let verdict = if same { "the same" } else { "**different**" };
        writeln!(page, "| {name} | {} | {verdict} | {alone} |", told(&direct.stdout, "client: ")).unwrap();
        if !same {
            different += 1;
            writeln!(details, "\n{name}, directly and through the library:\n").unwrap();
            details += &server.block(&all(&direct));
            details += &server.block(&all(&through));
        } else if direct.status != 0 {
            writeln!(details, "\n{name} alone does not get to its end on this server:\n").unwrap();
            details += &server.block(&all(&direct));
        }
    }
    server.execute("DROP TABLE IF EXISTS dbo.Typed");
    server.report(&(page + &details));
    assert_eq!(different, 0, "clients see a difference");
}

// --- Bulk copy ---

#[test]
fn bulk_copies() {
    let server = Server::given("3 Bulk copy");
    let registrations = server.registrations();
    let program = registrations.path("bulk_copy");
    bulk_copy::compile(&program);
    let [direct, through] = ["Direct", "Loopback"].map(|dsn| {
        server.execute("DROP TABLE IF EXISTS dbo.[Läufe], dbo.strict");
        let mut command = registrations.command(&program);
        command.env("MSODBCSQL", part("MSODBCSQL")).env("CONNECTION_STRING", server.string(dsn));
        let ran = Ran::of(&mut command);
        server.normal(&format!("status {}\n{}{}", ran.status, ran.stdout, ran.stderr))
    });
    server.execute("DROP TABLE IF EXISTS dbo.[Läufe], dbo.strict");
    let same = direct == through;
    let verdict = if same { "the same" } else { "**different**" };
    let rows = if direct.contains(&bulk_copy::expected_load()) {
        "all are read back"
    } else {
        "**not** all are read back directly"
    };
    let mut page =
        format!("10,000 rows by `bcp_sendrow`: {rows}. Results and errors through the library: {verdict}.\n");
    if !same {
        page += &format!("\n{}{}", server.block(&direct), server.block(&through));
    }
    server.report(&page);
    assert!(same, "bulk copy is different");
}

// --- Threads and processes ---

#[test]
fn threads_and_forks() {
    let server = Server::given("4 Threads and forks");
    let registrations = server.registrations();
    let threads = registrations.path("threads");
    compile("tests/programs/threads.c", &threads, &["-lodbc", "-lpthread", "-ldl"]);
    let mut page = "| what | directly | through the library |\n|-|-|-|\n".to_owned();
    let (mut details, mut failed) = (String::new(), 0);
    for (what, program, through) in [
        ("8 threads of a C program, 10 connects each", vec![threads, "8".into(), "10".into()], &["real"] as &[_]),
        ("16 children of Python's multiprocessing", vec![part("PYTHON"), project("tests/programs/forks.py")], &[]),
        ("16 children of R's mclapply", vec![part("RSCRIPT"), project("tests/programs/forks.R")], &[]),
    ] {
        let [direct, through] = [&["alone"], through].map(|way| {
            let mut command = registrations.command("timeout");
            command.arg("300").args(&program).args(way);
            let ran = Ran::of(command.env("CLIENT_USER", &server.user).env("CLIENT_PASSWORD", &server.password));
            if ran.status != 0 {
                let said = server.normal(&format!("status {}\n{}{}", ran.status, ran.stdout, ran.stderr));
                writeln!(details, "\n{what}:\n\n{}", server.block(&said)).unwrap();
            }
            ran.status == 0
        });
        let word = |well: bool| if well { "each has its own results" } else { "**failed**" };
        // Where the driver alone fails, the library cannot do better.
        failed += usize::from(direct && !through);
        writeln!(page, "| {what} | {} | {} |", word(direct), word(through)).unwrap();
    }
    server.report(&(page + &details));
    assert_eq!(failed, 0, "threads or children have failed");
}

// --- Speed ---

#[test]
fn speed() {
    let server = Server::given("5 Speed");
    let registrations = server.registrations();
    let mut command = registrations.command(part("PYTHON"));
    command.arg(project("tests/server/speed.py")).arg(PAIRS);
    let ran = Ran::of(command.env("CLIENT_USER", &server.user).env("CLIENT_PASSWORD", &server.password));
    server.execute("DROP TABLE IF EXISTS dbo.Copies");
    let said = server.normal(&format!("{}{}", ran.stdout, ran.stderr));
    if ran.status != 0 {
        server.report(&server.block(&said));
        panic!("{said}");
    }
    let mut page = "| what pyodbc does | time through the library, by that of the driver alone | least | greatest |\n|-|-:|-:|-:|\n".to_owned();
    for line in said.lines() {
        writeln!(page, "| {} |", line.replace('\t', " | ")).unwrap();
    }
    writeln!(
        page,
        "\nMedians of {PAIRS} pairs of runs in turns. Within what one run differs from the next, 1 is the same."
    )
    .unwrap();
    server.report(&page);
    assert_eq!(said.lines().count(), 4, "{said}");
}
