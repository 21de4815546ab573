//! Transcripts, and the list of differences that have a reason.

use similar::{Algorithm, capture_diff_slices};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The start of the line with a program's name.
pub const PROGRAM: &str = "## ";
/// The start of a line with a call, and of one with a diagnostic record.
pub const CALL: &str = "SQL";
const RECORD: &str = "  record ";
/// The section that counts the calls of each function.
pub const CALLS: &str = "calls";

/// The observations of one run: programs, each with its lines.
#[derive(Clone)]
pub struct Transcript {
    programs: Vec<(String, Vec<String>)>,
}

impl Transcript {
    pub fn parse(text: &str) -> Transcript {
        let mut programs: Vec<(String, Vec<String>)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix(PROGRAM) {
                Some(name) => programs.push((name.to_owned(), Vec::new())),
                None => programs.last_mut().expect("a program's name comes first").1.push(line.to_owned()),
            }
        }
        assert!(programs.len() > 1, "no program has run");
        assert!(programs.last().is_some_and(|(name, _)| name == CALLS), "the last program did not end");
        Transcript { programs }
    }

    fn observed(&self) -> impl Iterator<Item = &(String, Vec<String>)> {
        self.programs.iter().filter(|(name, _)| name != CALLS)
    }

    fn lines_with(&self, beginning: &str) -> usize {
        self.observed().flat_map(|(_, lines)| lines).filter(|line| line.starts_with(beginning)).count()
    }

    pub fn calls(&self) -> usize {
        self.lines_with(CALL)
    }

    pub fn size(&self) -> String {
        let (programs, lines) = (self.observed().count(), self.lines_with(""));
        format!("{programs} programs, {} calls, {} records, {lines} lines", self.calls(), self.lines_with(RECORD))
    }

    /// The functions of the library's table, each with the number of calls and of successes. What is in the transcript
    /// is counted twice.
    fn counts(&self) -> BTreeMap<&str, (usize, usize)> {
        let lines = self.programs.iter().filter(|(name, _)| name == CALLS).flat_map(|(_, lines)| lines);
        let mut counts = BTreeMap::new();
        for line in lines {
            let [name, calls, successes] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("these are not a function's counts: {line:?}")
            };
            let count: &mut (usize, usize) = counts.entry(name).or_default();
            count.0 += calls.parse::<usize>().unwrap();
            count.1 += successes.parse::<usize>().unwrap();
        }
        // A program that crashed has only lines, no counts.
        for line in self.observed().flat_map(|(_, lines)| lines).filter(|line| line.starts_with(CALL)) {
            let count = counts.entry(line.split('(').next().unwrap_or_default()).or_default();
            count.0 += 1;
            count.1 += usize::from(line.ends_with(") = 0") || line.ends_with(") = 1"));
        }
        // The programs know all functions, but one is not exported on Windows.
        let exported = loopbackodbc::entry_point_names();
        assert!(exported.iter().all(|name| counts.contains_key(name)));
        counts.retain(|name, _| exported.contains(name));
        counts
    }

    /// The functions that no program called.
    pub fn never_called(&self) -> BTreeSet<&str> {
        self.counts().into_iter().filter(|(_, (calls, _))| *calls == 0).map(|(name, _)| name).collect()
    }

    /// The functions that no program called successfully.
    pub fn never_succeeded(&self) -> BTreeSet<&str> {
        self.counts().into_iter().filter(|(_, (_, successes))| *successes == 0).map(|(name, _)| name).collect()
    }

    /// The calls that are different in another run of the same programs.
    pub fn different_calls(&self, other: &Transcript) -> Vec<Difference> {
        let names = |transcript: &Transcript| transcript.observed().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(self), names(other), "not the same programs have run");
        let programs = self.observed().zip(other.observed());
        let pairs = programs.flat_map(|((program, direct), (_, through))| {
            let found = different_calls(direct, through).into_iter();
            found.map(|(direct, through)| Difference { program: program.clone(), direct, through })
        });
        pairs.collect()
    }

    /// The expected observations that do not occur, each with its program. Patterns stand below the names of programs, and their lines must
    /// come in this order. A line that begins with `# ` is a comment; `on Linux: ` marks a pattern for Linux only.
    pub fn missing(&self, expected: &str) -> Vec<(String, String)> {
        let (mut program, mut lines) = ("", [].iter());
        let (mut missing, mut patterns) = (Vec::new(), 0);
        let here = |line| {
            if let Some(line) = str::strip_prefix(line, "on Linux: ") { cfg!(unix).then_some(line) } else { Some(line) }
        };
        for pattern in expected.lines().filter_map(here).filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            if let Some(name) = pattern.strip_prefix(PROGRAM) {
                let own = self.observed().find(|(it, _)| it == name).map(|(_, lines)| lines);
                (program, lines) = (name, own.unwrap_or_else(|| panic!("no program {name:?} has run")).iter());
                continue;
            }
            patterns += 1;
            let mut rest = lines.clone();
            if rest.any(|line| like(line, pattern)) {
                lines = rest;
            } else {
                missing.push((program.to_owned(), pattern.to_owned()));
            }
        }
        assert!(patterns > 0, "nothing is expected");
        missing
    }
}

/// What one program wrote in one run, and in its place in another.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference {
    pub program: String,
    pub direct: String,
    pub through: String,
}

impl Difference {
    /// The lines that differ, if the two runs wrote the same number of them; otherwise all of it.
    pub fn lines(self) -> Vec<Difference> {
        let (direct, through) = (self.direct.lines(), self.through.lines());
        if direct.clone().count() != through.clone().count() {
            return vec![self];
        }
        let line = |(direct, through): (&str, &str)| Difference {
            program: self.program.clone(),
            direct: direct.to_owned(),
            through: through.to_owned(),
        };
        direct.zip(through).filter(|(direct, through)| direct != through).map(line).collect()
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\ndirect:\n{}\nlibrary:\n{}", self.program, self.direct, self.through)
    }
}

/// A difference that has a reason, as patterns.
struct Entry {
    title: String,
    program: String,
    direct: String,
    through: String,
    /// The difference is not there with every version of driver and driver manager.
    some_versions: bool,
    used: AtomicBool,
}

/// The list of differences: docs/differences.md. Its indented lines are the patterns, below a heading and a reason.
pub struct Register {
    entries: Vec<Entry>,
    /// On Windows: the programs that call the driver's own functions, and those that crash.
    #[cfg_attr(unix, allow(dead_code))]
    pub without_manager: BTreeSet<String>,
    #[cfg_attr(unix, allow(dead_code))]
    pub crashes: BTreeSet<String>,
}

impl Register {
    /// The entries for a target.
    pub fn read(path: &Path, target: &str) -> Register {
        Register::parse(&std::fs::read_to_string(path).unwrap(), target)
    }

    pub fn parse(text: &str, target: &str) -> Register {
        let mut entries: Vec<Entry> = Vec::new();
        let (mut without_manager, mut crashes) = (BTreeSet::new(), BTreeSet::new());
        let (mut title, mut reason, mut applies) = ("", false, true);
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                (title, reason, applies) = (heading, false, true);
                continue;
            }
            let Some(pattern) = line.strip_prefix("    ") else {
                reason |= !line.trim().is_empty();
                continue;
            };
            assert!(reason, "no reason is given for {title:?}");
            let (what, pattern) = pattern.split_once(' ').unwrap_or((pattern, ""));
            let pattern = pattern.to_owned();
            match what {
                "target" => applies = like(target, &pattern),
                _ if !applies => {}
                "without-manager" => _ = without_manager.insert(pattern),
                "crashes" => _ = crashes.insert(pattern),
                "program" => entries.push(Entry {
                    title: title.to_owned(),
                    program: pattern,
                    direct: String::new(),
                    through: String::new(),
                    some_versions: false,
                    used: AtomicBool::new(false),
                }),
                "some-versions" => {
                    entries.last_mut().expect("an entry begins with its program").some_versions = true;
                }
                "direct" | "library" => {
                    let entry = entries.last_mut().expect("an entry begins with its program");
                    let side = if what == "direct" { &mut entry.direct } else { &mut entry.through };
                    *side = pattern;
                }
                _ => panic!("{title}: what is {what:?}?"),
            }
        }
        Register { entries, without_manager, crashes }
    }

    /// The differences without a reason, and the reasons without a difference.
    pub fn judge(&self, direct: &Transcript, through: &Transcript) -> Vec<String> {
        let mut found: Vec<String> = self.unexplained(direct, through).iter().map(ToString::to_string).collect();
        let stale = self.entries.iter().filter(|entry| !entry.some_versions && !entry.used.load(Relaxed));
        found.extend(stale.map(|entry| format!("{}: nothing differs in this way any more", entry.title)));
        found
    }

    /// The differences without a reason: the entries are for all of a call, or for lines of it.
    pub fn unexplained(&self, direct: &Transcript, through: &Transcript) -> Vec<Difference> {
        let calls = direct.different_calls(through).into_iter().filter(|call| !self.explains(call));
        calls.flat_map(Difference::lines).filter(|line| !self.explains(line)).collect()
    }

    fn explains(&self, difference: &Difference) -> bool {
        let entry = self.entries.iter().find(|entry| entry.matches(difference));
        entry.inspect(|entry| entry.used.store(true, Relaxed)).is_some()
    }
}

impl Entry {
    fn matches(&self, difference: &Difference) -> bool {
        let Difference { program, direct, through } = difference;
        like(program, &self.program) && like(direct, &self.direct) && like(through, &self.through)
    }
}

/// The pairs of calls that differ, with all their lines. A call without a counterpart is paired with nothing.
fn different_calls(direct: &[String], through: &[String]) -> Vec<(String, String)> {
    let (direct, through) = (calls(direct), calls(through));
    let names = [&direct, &through].map(|calls| calls.iter().map(|lines| name(lines)).collect::<Vec<_>>());
    let mut pairs = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &names[0], &names[1]) {
        let (direct, through) = (&direct[operation.old_range()], &through[operation.new_range()]);
        let text = |calls: &[&[String]], index: usize| calls.get(index).map_or(String::new(), |lines| lines.join("\n"));
        let both = (0..direct.len().max(through.len())).map(|index| (text(direct, index), text(through, index)));
        pairs.extend(both.filter(|(direct, through)| direct != through));
    }
    pairs
}

/// Splits a program into calls, each followed by its observations.
fn calls(lines: &[String]) -> Vec<&[String]> {
    lines.chunk_by(|_, next| next.starts_with("  ")).collect()
}

/// The part of a call by which it is identified.
fn name(lines: &[String]) -> &str {
    lines[0].split('(').next().unwrap_or_default()
}

/// Whether a text matches a pattern, in which `*` matches anything within a line, and `**` anything.
fn like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let (rest, end) = match rest.strip_prefix('*') {
        Some(rest) => (rest, text.len()),
        None => (rest, text.find('\n').unwrap_or(text.len())),
    };
    (0..=end).filter(|&place| text.is_char_boundary(place)).any(|place| like(&text[place..], rest))
}

#[test]
fn a_difference_fails_and_so_does_a_stale_reason() {
    let transcript = |lines: &str| Transcript::parse(&format!("## one\n{lines}\n## calls\n"));
    let direct = transcript("SQLFetch() = 0\nvalue 1\nSQLFetch() = 100");
    let register = |patterns: &str| Register::parse(&format!("## Title\nReason.\n\n{patterns}\n"), "any");
    let judge = |patterns: &str, through: &str| register(patterns).judge(&direct, &transcript(through)).len();
    let same = "SQLFetch() = 0\nvalue 1\nSQLFetch() = 100";
    let (other, less, more) = (same.replace("value 1", "value 2"), same.replace("value 1\n", ""), format!("{same}\nx"));
    assert_eq!([same, &other, &less, &more].map(|through| judge("", through)), [0, 1, 1, 1]);
    let allowed = "    program one\n    direct value *\n    library value 2";
    assert_eq!([same, &other, &less, &more].map(|through| judge(allowed, through)), [1, 0, 2, 2]);
    assert_eq!(judge(&format!("    target other\n{allowed}"), &other), 1);
    // An entry for all of a call is as good if the number of lines happens to be the same.
    let records =
        ["SQLFetch() = 1\n  record 1", "SQLFetch() = -1\n  record 2", "SQLFetch() = -1\n  record 2\n  record 3"];
    let [direct, same_number, another] = records.map(transcript);
    let allowed =
        register("    program one\n    direct SQLFetch() = 1**record 1\n    library SQLFetch() = -1**record 2**");
    assert_eq!([&same_number, &another].map(|through| allowed.judge(&direct, through).len()), [0, 0]);
}

#[test]
fn a_single_asterisk_matches_within_one_line() {
    assert!(
        ["SQLFetch() = 0", "*() = *", "**", "*SQL*Fetch() = 0*"].iter().all(|pattern| like("SQLFetch() = 0", pattern))
    );
    assert!(["SQLFetch", "*() = ", "S*Q"].iter().all(|pattern| !like("SQLFetch() = 0", pattern)));
    let two = "SQLFetch() = 1\n  record 1";
    assert!(["SQLFetch() = 1*", "*", "*record 1"].iter().all(|pattern| !like(two, pattern)));
    assert!(["SQLFetch() = 1**", "**", "*1**record *"].iter().all(|pattern| like(two, pattern)));
}

#[test]
fn expected_lines_out_of_order_are_missing() {
    let transcript = Transcript::parse("## one\nSQLFetch() = 0\n  row: 1\n## two\nSQLFetch() = 100\n## calls\n");
    let missing = |expected: &str| transcript.missing(expected).len();
    assert_eq!(missing("# A comment.\n## one\nSQLFetch() = 0\n  row: *\n\n## two\nSQLFetch() = 100"), 0);
    assert_eq!(missing("## one\n  row: 1\nSQLFetch() = 0"), 1);
    assert_eq!(missing("## one\nSQLFetch() = 100\n## two\n  row: 1"), 2);
}
