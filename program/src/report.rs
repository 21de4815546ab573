//! What was checked, how it stands, and what to do: for people, and as JSON for programs.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

/// How something stands, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// It was not checked: it depends on something that failed, or it can only be checked elsewhere.
    Unchecked,
    /// It works, but it is not as it should be.
    Warning,
    /// A connection fails because of it.
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

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    pub area: Area,
    pub level: Level,
    pub text: String,
    /// What there is to know besides, one line each.
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

/// All that was checked, in its order. People read each check as soon as it is made, so that what was found before is not
/// lost should a driver hang or end the program; programs read the whole.
pub struct Report {
    pub checks: Vec<Check>,
    to: Box<dyn Write>,
    json: bool,
    /// Why not all could be written.
    problem: Option<io::Error>,
}

impl Report {
    pub fn new(to: Box<dyn Write>, json: bool) -> Report {
        let mut report = Report { checks: Vec::new(), to, json, problem: None };
        report.say(|to| writeln!(to, "loopback-odbc {}", env!("CARGO_PKG_VERSION")));
        report
    }

    /// Writes for people, until something cannot be written.
    fn say(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if !self.json && self.problem.is_none() {
            self.problem = write(&mut self.to).and_then(|()| self.to.flush()).err();
        }
    }

    /// A check, of which a warning or a failure says in a detail what to do.
    pub fn add(&mut self, area: Area, level: Level, text: impl Into<String>, details: Vec<String>) {
        let check = Check { area, level, text: text.into(), details };
        let is_first = self.checks.last().is_none_or(|last| last.area != area);
        self.say(|to| check.write(to, is_first));
        self.checks.push(check);
    }

    pub fn ok(&mut self, area: Area, text: impl Into<String>) {
        self.add(area, Level::Ok, text, Vec::new());
    }

    /// Something that was not checked, with the reason and what to do.
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

    /// Ends the report; gives how the worst of it stands.
    ///
    /// # Errors
    /// Why not all could be written.
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
    /// Writes the check for people, with its area if it is the first there; the level in colour where there is any.
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

    /// What a report of these checks has for people or for programs, and how the worst stands.
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
    fn people_and_programs_read_the_same() {
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
