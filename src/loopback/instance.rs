//! Which instance of SQL Server a script on Windows belongs to.
//!
//! On Windows a script connects back over shared memory or a named pipe on its own machine, as the account that runs
//! it: `Server=.` is the default instance, `Server=.\NAME` a named one. Nothing gives the name directly, but it is part
//! of paths and accounts. The order is: the variables for external libraries, the working directory, the paths of the
//! process and its modules, the command line, the account, the only instance in the registry, and finally the default
//! instance.
//!
//! Never `tcp:` or a port: a script in an AppContainer must not open network connections.

use crate::loopback::search::{OTHERWISE, Search};
use crate::loopback::sentence::{Sentence, sentence};
use crate::world::World;
use std::path::Path;

/// The name of the default instance.
const DEFAULT: &str = "MSSQLSERVER";

/// SQL Server sets them for the libraries of R and Python. Both lead into the instance's folder.
pub const LIBRARY_VARIABLES: [&str; 2] = ["MRS_EXTLIB_SHARED_PATH", "MRS_EXTLIB_USER_PATH"];

/// What a path or an account shows about an instance.
#[derive(Debug, PartialEq, Eq)]
enum Trace {
    /// Its id, such as MSSQL15.MSSQLSERVER, for which the registry has the name.
    Id(String),
    Name(String),
    /// A user whose name consists of an instance's name and a number, if the registry has that instance.
    Worker(String),
}

/// The name of the value in findings.
const VALUE: &str = "Server";

/// Finds the value for `Server`, and adds the result of each signal to `search`.
pub fn find_instance(world: &dyn World, search: &mut Search) -> String {
    let instances = world.instances();
    let mut answer = None;
    for (signal, seen) in signals(world) {
        if !search.goes_on(&answer) {
            break;
        }
        match seen {
            Err(reason) => search.nothing(VALUE, signal, reason),
            Ok(texts) => match texts.iter().find_map(|(text, trace)| Some((text, resolve(trace, &instances)?))) {
                Some((text, name)) => {
                    let text = sentence!(Sentence::Instance(name.clone()), ", from ", text.clone());
                    search.found(VALUE, signal, &server(&name), text);
                    answer.get_or_insert(name);
                }
                None => search.nothing(VALUE, signal, "no instance"),
            },
        }
    }
    if search.goes_on(&answer) {
        match instances.as_deref() {
            Ok([(name, _)]) => {
                let text = sentence!(Sentence::Instance(name.clone()), " is the only instance");
                search.found(VALUE, "registry", &server(name), text);
                answer.get_or_insert_with(|| name.clone());
            }
            Ok(several) => search.nothing(VALUE, "registry", sentence!(several.len(), " instances")),
            Err(reason) => search.nothing(VALUE, "registry", Sentence::Foreign(reason.clone())),
        }
    }
    let name = answer.unwrap_or_else(|| {
        search.found(VALUE, OTHERWISE, ".", "the default instance; nothing indicates another".into());
        DEFAULT.to_owned()
    });
    server(&name)
}

fn server(name: &str) -> String {
    if name.eq_ignore_ascii_case(DEFAULT) { ".".to_owned() } else { format!(".\\{name}") }
}

/// The traces that a signal shows, each with the text that contains it; or why the signal is not available.
type Seen = Result<Vec<(Sentence, Trace)>, Sentence>;

fn signals(world: &dyn World) -> Vec<(&'static str, Seen)> {
    let in_path = |path: String| in_path(&path).map(|trace| (Path::new(&path).into(), trace));
    let variables = LIBRARY_VARIABLES.iter().filter_map(|name| world.variable(name));
    let variables =
        variables.flat_map(|value| value.to_string_lossy().split(';').map(str::to_owned).collect::<Vec<_>>());
    let directory = world.working_directory().map_err(|error| sentence!("cannot be determined: ", error));
    vec![
        ("MRS_EXTLIB_SHARED_PATH and MRS_EXTLIB_USER_PATH", Ok(variables.filter_map(in_path).collect())),
        ("working directory", directory.map(|path| in_path(path.display().to_string()).into_iter().collect())),
        (
            "paths of the process",
            world
                .process_paths()
                .map(|paths| paths.into_iter().filter_map(in_path).collect())
                .map_err(Sentence::Foreign),
        ),
        (
            "command line",
            world
                .command_line()
                .map(|line| line.split(['"', '=', ' ']).map(str::to_owned).filter_map(in_path).collect())
                .map_err(Sentence::Foreign),
        ),
        (
            "account",
            world
                .account()
                .map(|account| in_account(&account).map(|trace| (Sentence::Account(account), trace)))
                .map(|found| found.into_iter().collect())
                .map_err(Sentence::Foreign),
        ),
    ]
}

/// The name of the instance that a trace belongs to.
fn resolve(trace: &Trace, instances: &Result<Vec<(String, String)>, String>) -> Option<String> {
    let known = instances.as_deref().unwrap_or_default();
    let found = match trace {
        Trace::Id(id) => known.iter().find(|(_, known)| known.eq_ignore_ascii_case(id)),
        Trace::Name(wanted) => known.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)),
        // A name may itself end in digits: SQL201901 is a worker of SQL2019, even if there is also an instance SQL.
        Trace::Worker(user) => {
            known.iter().filter(|(name, _)| is_worker(user, name)).max_by_key(|(name, _)| name.len())
        }
    };
    match (found, trace) {
        (Some((name, _)), _) => Some(name.clone()),
        // If the registry cannot be read, it contradicts nothing. An id ends in the name that the instance was
        // installed with.
        (None, Trace::Id(id)) if instances.is_err() => id.split_once('.').map(|(_, name)| name.to_owned()),
        (None, Trace::Name(name)) if instances.is_err() => Some(name.clone()),
        _ => None,
    }
}

/// Whether a user has the name of an instance's worker: the instance's name and a number of two digits or more.
fn is_worker(user: &str, instance: &str) -> bool {
    let (name, number) = match user.split_at_checked(instance.len()) {
        Some(parts) => parts,
        None => return false,
    };
    name.eq_ignore_ascii_case(instance) && number.len() >= 2 && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The trace in a path, from the folders in which SQL Server keeps an instance's files:
/// `...\MSSQL15.ID\MSSQL\...`, `C:\SQL-NAME-ExtensibilityData-PY\...` and `C:\ProgramData\NAME\Temp-PY\...`.
fn in_path(path: &str) -> Option<Trace> {
    let folders: Vec<&str> = path.split(['\\', '/']).collect();
    folders.iter().enumerate().find_map(|(index, folder)| {
        let upper = folder.to_ascii_uppercase();
        if let Some((version, _)) = upper.strip_prefix("MSSQL").and_then(|rest| rest.split_once('.'))
            && !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Some(Trace::Id((*folder).to_owned()));
        }
        if let Some(end) = upper.find("-EXTENSIBILITYDATA").filter(|&end| end > 4 && upper.starts_with("SQL-")) {
            return Some(Trace::Name(folder[4..end].to_owned()));
        }
        let next = folders.get(index + 1)?;
        let is_temporary = ["TEMP-PY", "TEMP-R"].contains(&next.to_ascii_uppercase().as_str());
        let below_program_data = index > 0 && folders[index - 1].eq_ignore_ascii_case("ProgramData");
        (is_temporary && below_program_data).then(|| Trace::Name((*folder).to_owned()))
    })
}

/// The trace in an account. The launchpad's account is `NT Service\MSSQLLaunchpad` or `...$NAME`; its workers are
/// `NAME01` and so on.
fn in_account(account: &str) -> Option<Trace> {
    let user = account.rsplit('\\').next()?;
    let upper = user.to_ascii_uppercase();
    match upper.strip_prefix("MSSQLLAUNCHPAD") {
        Some("") => return Some(Trace::Name(DEFAULT.to_owned())),
        Some(rest) if rest.len() > 1 && rest.starts_with('$') => {
            return Some(Trace::Name(user["MSSQLLaunchpad$".len()..].to_owned()));
        }
        _ => {}
    }
    let name = user.trim_end_matches(|character: char| character.is_ascii_digit());
    (!name.is_empty() && user.len() >= name.len() + 2).then(|| Trace::Worker(user.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::Fixture;

    fn find(world: &Fixture) -> (String, Vec<String>) {
        let mut search = Search::default();
        (find_instance(world, &mut search), search.lines())
    }

    /// A Windows machine with the default instance and a named one whose id differs from its name.
    fn windows() -> Fixture {
        Fixture::default().windows().instance("MSSQLSERVER", "MSSQL15.MSSQLSERVER").instance("SALES", "MSSQL15.SALES_1")
    }

    const SALES_PATHS: [&str; 6] = [
        r"C:\Program Files\Microsoft SQL Server\MSSQL15.SALES_1\MSSQL\ExternalLibraries\R\1\2",
        r"\\?\D:\Data\mssql15.sales_1\MSSQL\ExtensibilityData\SALES01\9A1C",
        r"C:/Program Files/Microsoft SQL Server/MSSQL15.SALES_1/PYTHON_SERVICES",
        r"C:\ProgramData\SALES\Temp-PY\Appcontainer1\9A1CFF64-7E4B-4B4C-8B0A-3B0A0D1C1B5E",
        r"c:\programdata\Sales\temp-r\Appcontainer12\9A1C",
        r"C:\SQL-SALES-ExtensibilityData-PY\SALES01\9A1C",
    ];

    #[test]
    fn each_signal_alone_shows_the_instance() {
        for path in SALES_PATHS {
            for world in [
                windows().variable("MRS_EXTLIB_SHARED_PATH", path),
                windows().variable("MRS_EXTLIB_USER_PATH", &format!(r"C:\nothing;{path}")),
                windows().working_directory(path),
                windows()
                    .process_path(r"C:\Windows\System32\kernel32.dll")
                    .process_path(&format!(r"{path}\sqlsatellite.dll")),
                windows().command_line(&format!("BxlServer.exe \"sessionDirectory={path}\" -x")),
            ] {
                let (server, findings) = find(&world);
                assert_eq!(server, r".\SALES", "{path}: {findings:?}");
            }
        }
        for account in
            [r"NT Service\MSSQLLaunchpad$SALES", r"nt service\mssqllaunchpad$sales", r"HOST\SALES01", "SALES20"]
        {
            assert_eq!(find(&windows().account(account)).0, r".\SALES", "{account}");
        }
        let numbered = windows().instance("SQL", "MSSQL15.SQL").instance("SQL2019", "MSSQL15.SQL2019");
        assert_eq!(find(&numbered.account(r"HOST\SQL201901")).0, r".\SQL2019");
        let only = Fixture::default().windows().instance("SALES", "MSSQL15.SALES_1");
        assert_eq!(find(&only).0, r".\SALES");
    }

    #[test]
    fn the_default_instance_is_a_dot() {
        for world in [
            windows(),
            windows().working_directory(r"C:\SQL-MSSQLSERVER-ExtensibilityData-PY\MSSQLSERVER01\9A1C"),
            windows().account(r"NT Service\MSSQLLaunchpad"),
            windows().account("MSSQLSERVER07"),
            Fixture::default().windows().instance("MSSQLSERVER", "MSSQL16.MSSQLSERVER"),
            Fixture::default().windows(),
        ] {
            assert_eq!(find(&world).0, ".");
        }
    }

    #[test]
    fn the_first_signal_wins_and_the_others_are_reported() {
        let world = windows()
            .variable("MRS_EXTLIB_SHARED_PATH", r"C:\x\MSSQL15.MSSQLSERVER\MSSQL")
            .working_directory(SALES_PATHS[0])
            .account("SALES01");
        let (server, findings) = find(&world);
        assert_eq!(server, ".");
        assert!(findings[0].contains("MSSQLSERVER, from C:\\x"), "{findings:?}");
        let (_, findings) = find(&windows());
        for signal in
            ["MRS_EXTLIB", "working directory", "paths of the process", "command line", "account", "registry: 2"]
        {
            assert!(findings.iter().any(|finding| finding.contains(signal)), "{signal}: {findings:?}");
        }
    }

    #[test]
    fn names_not_in_the_registry_are_not_instances() {
        for world in [
            windows().working_directory(r"C:\ProgramData\Other\Temp-PY\x"),
            windows().working_directory(r"C:\Program Files\MSSQL15.GONE\MSSQL"),
            windows().account(r"HOST\build07"),
        ] {
            assert_eq!(find(&world).0, ".");
        }
        let without = || Fixture::default().windows().no_registry();
        assert_eq!(find(&without().working_directory(r"C:\x\MSSQL15.SALES\MSSQL")).0, r".\SALES");
        assert_eq!(find(&without().working_directory(SALES_PATHS[3])).0, r".\SALES");
        // A user's name does not show an instance unless the registry confirms it.
        assert_eq!(find(&without().account(r"HOST\build07")).0, ".");
    }

    #[test]
    fn other_paths_and_accounts_show_nothing() {
        for path in [
            r"C:\Users\me\MSSQL.txt",
            r"C:\MSSQL15",
            r"C:\SQL--ExtensibilityData",
            r"C:\NAME\Temp-PY",
            "",
            r"C:\MSSQLx.y\z",
        ] {
            assert_eq!(in_path(path), None, "{path}");
        }
        for account in ["", "me", r"HOST\me1", "01", "MSSQLLaunchpadX", "MSSQLLaunchpad$"] {
            assert_eq!(in_account(account), None, "{account}");
        }
    }
}
