//! The report of all checks, with results and fixes: as text for people, as JSON for programs.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

/// The result of a check, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// Not checked: it depends on a failed check, or it can only be checked elsewhere.
    Unchecked,
    /// It works, but something is doubtful.
    Warning,
    /// It makes connections fail.
    Failure,
}

impl Level {
    /// The exit status of a program that found nothing worse.
    pub fn status(self) -> u8 {
        match self {
            Level::Ok => 0,
            Level::Unchecked | Level::Warning => 1,
            Level::Failure => 2,
        }
    }

    fn name(self) -> &'static str {
        ["ok", "unchecked", "warning", "failure"][self as usize]
    }

    fn style(self) -> Style {
        [AnsiColor::Green, AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Red][self as usize].on_default()
    }
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    pub area: Area,
    pub level: Level,
    pub text: String,
    /// Further lines, such as the fix.
    pub details: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Area {
    Registration,
    Library,
    Target,
    Session,
    String,
    Connection,
    Comparison,
}

/// All checks, in order. For people each check is printed at once: if a driver hangs or ends the program, the earlier results are not
/// lost. For programs the report is printed as a whole.
pub struct Report {
    pub checks: Vec<Check>,
    to: Box<dyn Write>,
    json: bool,
    /// Why the report could not be written.
    problem: Option<io::Error>,
}

impl Report {
    pub fn new(to: Box<dyn Write>, json: bool) -> Report {
        let mut report = Report { checks: Vec::new(), to, json, problem: None };
        report.say(|to| writeln!(to, "loopback-odbc {}", env!("CARGO_PKG_VERSION")));
        report
    }

    /// Writes text for people, until the first error.
    fn say(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if !self.json && self.problem.is_none() {
            self.problem = write(&mut self.to).and_then(|()| self.to.flush()).err();
        }
    }

    /// Adds a check. The details of a warning or failure contain the fix.
    pub fn add(&mut self, area: Area, level: Level, text: impl Into<String>, details: Vec<String>) {
        let check = Check { area, level, text: text.into(), details };
        let is_first = self.checks.last().is_none_or(|last| last.area != area);
        self.say(|to| check.write(to, is_first));
        self.checks.push(check);
    }

    pub fn ok(&mut self, area: Area, text: impl Into<String>) {
        self.add(area, Level::Ok, text, Vec::new());
    }

    /// Adds a check that was not made, with the reason and the fix.
    pub fn unchecked(&mut self, area: Area, text: impl Into<String>, details: Vec<String>) {
        self.add(area, Level::Unchecked, text, details);
    }

    pub fn warning(&mut self, area: Area, text: impl Into<String>, remedy: &str) {
        self.add(area, Level::Warning, text, vec![remedy.to_owned()]);
    }

    pub fn failure(&mut self, area: Area, text: impl Into<String>, remedy: &str) {
        self.add(area, Level::Failure, text, vec![remedy.to_owned()]);
    }

    fn count(&self, level: Level) -> usize {
        self.checks.iter().filter(|check| check.level == level).count()
    }

    /// Ends the report and returns the worst level.
    ///
    /// # Errors
    /// The report could not be written.
    pub fn end(mut self) -> io::Result<Level> {
        let level = self.checks.iter().map(|check| check.level).max().unwrap_or(Level::Ok);
        let (warnings, failures) = (self.count(Level::Warning), self.count(Level::Failure));
        let plural = |count| if count == 1 { "" } else { "s" };
        let unchecked = match self.count(Level::Unchecked) {
            0 => String::new(),
            count => format!(", {count} not checked"),
        };
        self.say(|to| {
            writeln!(to, "\n{failures} failure{}, {warnings} warning{}{unchecked}", plural(failures), plural(warnings))
        });
        if self.json {
            let whole = Whole { version: env!("CARGO_PKG_VERSION"), level, checks: &self.checks };
            serde_json::to_writer_pretty(&mut self.to, &whole)?;
            writeln!(self.to)?;
        }
        self.problem.map_or(Ok(level), Err)
    }
}

/// The report for programs.
#[derive(Serialize)]
struct Whole<'r> {
    version: &'static str,
    level: Level,
    checks: &'r [Check],
}

impl Check {
    /// Writes the check for people: the area before its first check, and the level in colour on a terminal.
    fn write(&self, to: &mut dyn Write, is_first: bool) -> io::Result<()> {
        if is_first {
            writeln!(to, "\n{:?}", self.area)?;
        }
        let style = self.level.style();
        writeln!(to, "  {style}{:<9}{style:#} {}", self.level.name(), self.text)?;
        self.details.iter().try_for_each(|detail| writeln!(to, "              {detail}"))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// What was written.
    #[derive(Clone, Default)]
    pub struct Written(Rc<RefCell<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        pub fn text(&self) -> String {
            String::from_utf8(anstream::adapter::strip_bytes(&self.0.borrow()).into_vec()).unwrap()
        }
    }

    /// The text of a report with these checks, for people or for programs, and its worst level.
    fn report(json: bool, more: &[Level]) -> (String, Level) {
        let written = Written::default();
        let mut report = Report::new(Box::new(written.clone()), json);
        report.ok(Area::Library, "it is there");
        report.warning(Area::Target, "old", "install a newer one");
        more.iter().for_each(|&level| report.add(Area::Target, level, "", Vec::new()));
        (report.end().map(|level| (written.text(), level))).unwrap()
    }

    #[test]
    fn the_worst_decides_the_status() {
        assert_eq!(Report::new(Box::new(io::sink()), false).end().unwrap().status(), 0);
        assert_eq!(report(false, &[]).1.status(), 1);
        let mut unchecked = Report::new(Box::new(io::sink()), false);
        unchecked.unchecked(Area::Session, "not here", Vec::new());
        assert_eq!(unchecked.end().unwrap().status(), 1);
        assert!(report(false, &[Level::Unchecked]).0.ends_with("0 failures, 1 warning, 1 not checked\n"));
        assert_eq!(report(false, &[Level::Failure, Level::Ok]).1.status(), 2);
    }

    #[test]
    fn text_and_json_reports_agree() {
        let expected = "\n\nLibrary\n  ok        it is there\n\nTarget\n  warning   old\n              install a newer one\n\n\
            0 failures, 1 warning\n";
        let (text, _) = report(false, &[]);
        assert_eq!(text.split_once(env!("CARGO_PKG_VERSION")).unwrap().1, expected);

        let json: serde_json::Value = serde_json::from_str(&report(true, &[]).0).unwrap();
        assert_eq!(json["level"], "warning");
        assert_eq!(json["checks"][1]["area"], "Target");
        assert_eq!(json["checks"][1]["details"][0], "install a newer one");
    }

    #[test]
    fn people_read_each_check_when_it_is_made() {
        let written = Written::default();
        let mut report = Report::new(Box::new(written.clone()), false);
        report.ok(Area::Library, "it is there");
        assert!(written.text().ends_with("ok        it is there\n"), "{}", written.text());
    }
}
