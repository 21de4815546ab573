//! Discovery where SQL Server's surroundings are not as docs/discovery.md infers: every combination of the switches of
//! `scripts/satellite`, through doctor and through a connect. The tables of the page are made here.

mod common;

use common::satellite::Satellite;
use common::{Ran, assert_says, part, project};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

/// The switches, and what the first record of a refusal says if one of them is the cause.
const SWITCHES: [(&str, &str); 8] = [
    ("elsewhere", "the working directory"),
    ("unlistable", "cannot be listed: Permission denied"),
    ("two-launchpads", "there are 2 sessions' certificates"),
    ("no-netlink", "no netlink"),
    ("no-proc", "/proc/net/tcp6: No such file"),
    ("foreign-channel", "ignoring other users' connections"),
    ("ended-channel", "established connections: none with a link-local address"),
    ("no-channel", "established connections: none with a link-local address"),
];

/// Run in each combination. The program is in a folder that every user can enter, whatever the session's folder is.
const INSTALL: &str = "mv $SESSION_DIR/loopback-odbc /tmp/";
const TRY_OUT: &str = "
echo \"combination: $SWITCHES\"
/tmp/loopback-odbc doctor
echo \"doctor: $?\"
echo 'SELECT 1' | isql -b -v Loopback 2>&1
echo \"connect: $?\"";

/// The switches that are on.
type Combination<'s> = BTreeSet<&'s str>;

/// Outcomes by what stands in the columns of the table before them.
type Rows = BTreeMap<Vec<String>, String>;

#[test]
fn every_combination_connects_or_says_why_not() {
    let satellite = Satellite::new().flag("--every-combination").script(part("PROGRAM").to_str().unwrap());
    let ran = satellite.prepare(INSTALL).run(&["sh", "-c", TRY_OUT]);
    let said = ran.ran.stdout.split("combination: ").skip(1).map(|said| said.split_once('\n').unwrap());
    let records: BTreeMap<Combination, Option<String>> =
        said.map(|(switches, said)| (switches.split_whitespace().collect(), refusal(said))).collect();
    assert_eq!(records.len(), 2 * 2 * 2 * 2 * 2 * 4);
    ran.by_certificate(records.values().filter(|record| record.is_none()).count());

    for (combination, record) in &records {
        let Some(record) = record else { continue };
        let connects_without = |name: &str| {
            let others = combination.iter().copied().filter(|other| *other != name).collect::<Combination>();
            records[&others].is_none()
        };
        let causes: Vec<&str> =
            on(combination).filter(|(name, _)| connects_without(name)).map(|(_, says)| says).collect();
        assert_says(record, &causes);
        assert!(on(combination).any(|(_, says)| record.contains(says)), "{combination:?}: {record}");
    }

    let outcomes: Rows = records.iter().map(|(on, record)| (columns(on), outcome(on, record.as_deref()))).collect();
    let rows = folded(&outcomes);
    for (columns, outcome) in &outcomes {
        let fits = |cell: &String, value: &String| cell == "-" || cell.split(", ").any(|it| it == value);
        let found: Vec<_> =
            rows.iter().filter(|row| row.0.iter().zip(columns).all(|(one, two)| fits(one, two))).collect();
        assert!(found.len() == 1 && found[0].1 == *outcome, "{columns:?}: {found:?}");
    }
    assert_documented(&tables(&rows));
}

/// The switches that are on, and what a refusal says because of each.
fn on(combination: &Combination) -> impl Iterator<Item = (&'static str, &'static str)> {
    SWITCHES.into_iter().filter(|(name, _)| combination.contains(name))
}

/// The first record of the refused connect: SQLSTATE and text. None if it connects. Doctor must come to the same
/// conclusion.
#[track_caller]
fn refusal(said: &str) -> Option<String> {
    let Some(record) = said.lines().find(|line| line.starts_with('[') && !line.starts_with("[01000]")) else {
        assert_says(said, &["\n0 failures, 0 warnings\ndoctor: 0\n", "\nconnect: 0\n"]);
        return None;
    };
    let (state, text) = record.split_once("[unixODBC][loopback-odbc] ").unwrap_or_else(|| panic!("{said}"));
    let beginning = text.strip_suffix(" ...").unwrap_or(text);
    assert_says(said, &[&format!("  failure   {beginning}"), "\n1 failure, 0 warnings\ndoctor: 2\n", "\nconnect: 1\n"]);
    Some(format!("{state} {text}"))
}

/// The columns of the table, which are the switches. Those of the channel, of which only one can be on, are one column.
fn columns(combination: &Combination) -> Vec<String> {
    let channel = combination.iter().find_map(|name| name.strip_suffix("-channel")).unwrap_or("own");
    let others = SWITCHES.iter().filter(|(name, _)| !name.ends_with("-channel"));
    let cells = others.map(|(name, _)| if combination.contains(name) { "yes" } else { "no" });
    cells.chain([channel]).map(str::to_owned).collect()
}

/// The outcome in the table: the beginning of the record, and what it says of the switches.
fn outcome(combination: &Combination, record: Option<&str>) -> String {
    let Some(record) = record else { return "connects".to_owned() };
    let beginning = record.split(['.', ':']).next().unwrap();
    let parts = on(combination).filter(|(_, says)| record.contains(says)).map(|(_, says)| format!("`{says}`"));
    format!("`{beginning}`: {}", parts.collect::<Vec<_>>().join(", "))
}

/// The same outcomes in fewer rows. A cell has all values with which the rest is the same; `-` if these are all values.
fn folded(outcomes: &Rows) -> Vec<(Vec<String>, String)> {
    let (first, outcome) = outcomes.first_key_value().unwrap();
    if outcomes.values().all(|other| other == outcome) {
        return vec![(vec!["-".to_owned(); first.len()], outcome.clone())];
    }
    let mut by_value: BTreeMap<&str, Rows> = BTreeMap::new();
    for (columns, outcome) in outcomes {
        by_value.entry(&columns[0]).or_default().insert(columns[1..].to_vec(), outcome.clone());
    }
    let mut groups: Vec<(Vec<&str>, Rows)> = Vec::new();
    for (value, rest) in by_value {
        match groups.iter_mut().find(|group| group.1 == rest) {
            Some(group) => group.0.push(value),
            None => groups.push((vec![value], rest)),
        }
    }
    let matters = groups.len() > 1;
    let rows = groups.into_iter().flat_map(|(values, rest)| {
        let cell = if matters { values.join(", ") } else { "-".to_owned() };
        folded(&rest).into_iter().map(move |(later, outcome)| ([vec![cell.clone()], later].concat(), outcome))
    });
    rows.collect()
}

/// The switches, as `scripts/satellite` describes them, and the outcomes.
fn tables(rows: &[(Vec<String>, String)]) -> String {
    let help = Ran::of(Command::new(project("scripts/satellite")).arg("--help")).ok().stdout;
    let list = help.split_once("\nSwitches ").unwrap().1.split("\n\n").nth(1).unwrap();
    let described = list.lines().map(|line| line.trim().trim_start_matches("--").split_once(' ').unwrap());
    let described: Vec<(&str, &str)> = described.take_while(|(name, _)| *name != "every-combination").collect();
    assert!(described.iter().map(|it| it.0).eq(SWITCHES.iter().map(|it| it.0)), "{help}");

    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut tables = "| switch | what it does |\n|-|-|\n".to_owned();
    for (name, does) in described {
        tables += &line(&[format!("`{name}`"), does.trim().to_owned()]);
    }
    let others = SWITCHES.iter().map(|(name, _)| *name).filter(|name| !name.ends_with("-channel"));
    let heads: Vec<String> = others.chain(["channel", "outcome"]).map(str::to_owned).collect();
    tables += &format!("\n{}|{}\n", line(&heads), "-|".repeat(heads.len()));
    for (cells, outcome) in rows {
        tables += &line(&[&cells[..], std::slice::from_ref(outcome)].concat());
    }
    tables
}

#[track_caller]
fn assert_documented(tables: &str) {
    let page = fs::read_to_string(project("docs/discovery.md")).unwrap();
    let differs = || {
        let path = project("build").join("discovery, tables.txt");
        fs::write(&path, tables).unwrap();
        format!("docs/discovery.md: its tables of switches are now what is in {}", path.display())
    };
    assert!(page.contains(&format!("\n\n{tables}\n")), "{}", differs());
}
