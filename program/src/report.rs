//! What was checked, how it stands, and what to do: for people, and as JSON for programs.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

/// How something stands, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// It works, and is not as it should be.
    Warning,
    Failure,
}

impl Level {
    /// The exit status of a program that found nothing worse.
    pub fn status(self) -> u8 {
        self as u8
    }

    fn name(self) -> &'static str {
        ["ok", "warning", "failure"][self as usize]
    }

    fn style(self) -> Style {
        [AnsiColor::Green, AnsiColor::Yellow, AnsiColor::Red][self as usize].on_default()
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

/// All that was checked, in its order.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    pub fn add(&mut self, area: Area, level: Level, text: impl Into<String>, details: Vec<String>) {
        self.checks.push(Check { area, level, text: text.into(), details });
    }

    pub fn ok(&mut self, area: Area, text: impl Into<String>) {
        self.add(area, Level::Ok, text, Vec::new());
    }

    pub fn warning(&mut self, area: Area, text: impl Into<String>) {
        self.add(area, Level::Warning, text, Vec::new());
    }

    pub fn failure(&mut self, area: Area, text: impl Into<String>) {
        self.add(area, Level::Failure, text, Vec::new());
    }

    /// How the worst of it stands.
    pub fn level(&self) -> Level {
        self.checks.iter().map(|check| check.level).max().unwrap_or(Level::Ok)
    }

    fn count(&self, level: Level) -> usize {
        self.checks.iter().filter(|check| check.level == level).count()
    }

    /// Writes the report for people: the levels in colour where there is any.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "loopback-odbc {}", env!("CARGO_PKG_VERSION"))?;
        let mut area = None;
        for check in &self.checks {
            if area.replace(check.area) != Some(check.area) {
                writeln!(to, "\n{:?}", check.area)?;
            }
            let style = check.level.style();
            writeln!(to, "  {style}{:<8}{style:#} {}", check.level.name(), check.text)?;
            for detail in &check.details {
                writeln!(to, "             {detail}")?;
            }
        }
        let (warnings, failures) = (self.count(Level::Warning), self.count(Level::Failure));
        let plural = |count| if count == 1 { "" } else { "s" };
        writeln!(to, "\n{failures} failure{}, {warnings} warning{}", plural(failures), plural(warnings))
    }

    /// Writes the report for programs: one JSON object.
    pub fn write_json(&self, to: &mut impl Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Whole<'r> {
            version: &'static str,
            level: Level,
            #[serde(flatten)]
            report: &'r Report,
        }
        let whole = Whole { version: env!("CARGO_PKG_VERSION"), level: self.level(), report: self };
        serde_json::to_writer_pretty(&mut *to, &whole)?;
        writeln!(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.ok(Area::Library, "it is there");
        report.add(Area::Target, Level::Warning, "old", vec!["very".to_owned()]);
        report
    }

    #[test]
    fn the_worst_decides_the_status() {
        assert_eq!(Report::default().level().status(), 0);
        let mut report = report();
        assert_eq!(report.level().status(), 1);
        report.failure(Area::Session, "none");
        report.ok(Area::String, "x");
        assert_eq!(report.level().status(), 2);
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let mut text = anstream::StripStream::new(Vec::new());
        report().write(&mut text).unwrap();
        let text = String::from_utf8(text.into_inner()).unwrap();
        let expected = "\n\nLibrary\n  ok       it is there\n\nTarget\n  warning  old\n             very\n\n0 failures, 1 warning\n";
        assert_eq!(text.split_once(env!("CARGO_PKG_VERSION")).unwrap().1, expected);

        let mut json = Vec::new();
        report().write_json(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["level"], "warning");
        assert_eq!(json["checks"][1]["area"], "Target");
        assert_eq!(json["checks"][1]["details"][0], "very");
    }
}
