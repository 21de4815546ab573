//! The log: what was decided and why, for whoever asks for it with `LOOPBACK_ODBC_LOG`.
//!
//! It goes where [`LogFile`] says, which does nothing to the program. Nothing is logged per call, and nothing secret at any
//! level: attributes are shown by their `Display`, which hides secrets.

use crate::world::{LogFile, Machine, World};
use log::{LevelFilter, Log, Metadata, Record};
use std::fmt::Write;
use std::path::Path;
use std::sync::OnceLock;

/// `off` (also when it is not set), `error`, `warn`, `info`, `debug` or `trace`.
const LEVEL_VARIABLE: &str = "LOOPBACK_ODBC_LOG";
/// The file that lines are added to; standard error without it.
const FILE_VARIABLE: &str = "LOOPBACK_ODBC_LOG_FILE";

/// A line's bytes at most, its end among them: what a pipe takes whole or not at all (PIPE_BUF of Linux).
const LONGEST_LINE: usize = 4096;
/// The end of a line that would have been longer.
const CUT: &str = "...";

struct Logger {
    file: LogFile,
}

impl Log for Logger {
    fn enabled(&self, _metadata: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        // One write a line, so that lines of several processes do not mix.
        self.file.add(line(record).as_bytes());
    }

    fn flush(&self) {}
}

/// Starts logging, the first time it is called; under the load lock (see [`crate::fork`]).
pub fn start() {
    static LOGGER: OnceLock<Option<Logger>> = OnceLock::new();
    let level = || Machine.variable(LEVEL_VARIABLE)?.to_str()?.trim().parse::<LevelFilter>().ok();
    let logger = LOGGER.get_or_init(|| {
        let level = level().filter(|&level| level != LevelFilter::Off)?;
        log::set_max_level(level);
        let path = Machine.variable(FILE_VARIABLE);
        let opened = path.as_ref().map(|path| LogFile::open(Path::new(path)));
        let problem = opened.as_ref().and_then(|opened| opened.as_ref().err().map(ToString::to_string));
        // A logger is never dropped.
        let logger = Logger { file: opened.and_then(Result::ok).unwrap_or_else(LogFile::standard_error) };
        if let (Some(problem), Some(path)) = (problem, path) {
            let text = format!("{FILE_VARIABLE}={} cannot be opened: {problem}", path.display());
            logger.log(&Record::builder().level(log::Level::Error).args(format_args!("{text}")).build());
        }
        Some(logger)
    });
    if let Some(logger) = logger {
        // Refused when it is set already, by an earlier call here.
        let _ = log::set_logger(logger);
    }
}

/// A record as one line, whatever is in it.
fn line(record: &Record) -> String {
    let text = format!("loopback-odbc[{}] {}: {}", std::process::id(), record.level(), record.args());
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // A value must not look like a line of ours, nor give a terminal orders.
        if character.is_control() || ['\u{2028}', '\u{2029}'].contains(&character) {
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
    if line.len() >= LONGEST_LINE {
        let room = LONGEST_LINE - 1 - CUT.len();
        let end = (0..=room).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
        line.truncate(end);
        line.push_str(CUT);
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(text: &str) -> String {
        line(&Record::builder().level(log::Level::Info).args(format_args!("{text}")).build())
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let start = logged("");
        let start = start.trim_end_matches('\n');
        for character in (0..0x3000).filter_map(char::from_u32) {
            let line = logged(&format!("a{character}b"));
            let shown = line.strip_prefix(start).and_then(|it| it.strip_suffix('\n')).unwrap();
            let is_plain = !character.is_control() && !"\u{2028}\u{2029}".contains(character);
            assert_eq!(shown == format!("a{character}b"), is_plain, "{shown}");
            assert!(!shown.contains(|it: char| it.is_control()), "{character:?}");
        }
        assert!(logged("x\nloopback-odbc[1] INFO: forged\r\n").contains(r"x\nloopback-odbc[1] INFO: forged\r\n"));
    }

    #[test]
    fn a_line_has_an_end() {
        let room = LONGEST_LINE - logged("").len();
        for (text, whole) in [("x".repeat(room), true), ("x".repeat(room + 1), false), ("\u{20ac}".repeat(room), false)]
        {
            let line = logged(&text);
            assert!(line.len() <= LONGEST_LINE && line.len() > LONGEST_LINE - 4, "{}", line.len());
            assert_eq!((line.contains(&text), line.ends_with("...\n")), (whole, !whole));
        }
    }
}
