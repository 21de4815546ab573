//! The log: decisions and their reasons, if `LOOPBACK_ODBC_LOG` asks for them.
//!
//! [`LogFile`] decides where it goes, without affecting the program. No call is logged as such. No level logs secrets:
//! attributes are written with their `Display`, which hides secrets.

use crate::world::{LogFile, Machine, World};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::fmt::{Display, Write};
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::OnceLock;

/// `off` (the default), `error`, `warn`, `info`, `debug` or `trace`.
pub const LEVEL_VARIABLE: &str = "LOOPBACK_ODBC_LOG";
/// The file to append lines to; the default is standard error.
pub const FILE_VARIABLE: &str = "LOOPBACK_ODBC_LOG_FILE";

/// The most bytes of a line, including its end: up to this length a write to a pipe is atomic (PIPE_BUF on Linux).
const LONGEST_LINE: usize = 4096;
/// The end of a truncated line.
const CUT: &str = "...";

struct Logger {
    file: LogFile,
}

impl Log for Logger {
    fn enabled(&self, _metadata: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        // One write per line, so lines of several processes do not mix.
        self.file.add(line(record.level(), record.args()).as_bytes());
    }

    fn flush(&self) {}
}

/// Starts logging, the first time it is called. Called under the load lock, because of processes that fork.
pub fn start() {
    static LOGGER: OnceLock<Option<Logger>> = OnceLock::new();
    let logger = LOGGER.get_or_init(|| {
        panic::set_hook(Box::new(|panic| LogFile::standard_error().add(defect(panic).as_bytes())));
        let wanted = Machine.variable(LEVEL_VARIABLE)?;
        let known = wanted.to_str().and_then(|wanted| wanted.trim().parse().ok());
        // An unknown level enables the log, with a line there that lists the levels.
        let level = known.unwrap_or(LevelFilter::Warn);
        if level == LevelFilter::Off {
            return None;
        }
        log::set_max_level(level);
        let path = Machine.variable(FILE_VARIABLE);
        let opened = path.as_ref().map(|path| LogFile::open(Path::new(path)));
        let problem = opened.as_ref().and_then(|opened| opened.as_ref().err().map(ToString::to_string));
        // A logger is never dropped.
        let logger = Logger { file: opened.and_then(Result::ok).unwrap_or_else(LogFile::standard_error) };
        if let (Some(problem), Some(path)) = (problem, path) {
            let text = format!("{FILE_VARIABLE}={} cannot be opened: {problem}", path.display());
            logger.file.add(line(Level::Error, &text).as_bytes());
        }
        if known.is_none() {
            let text = format!(
                "{LEVEL_VARIABLE}={} is not a level, so the level is warn. Use off, error, warn, info, debug or trace",
                wanted.display()
            );
            logger.file.add(line(Level::Warn, &text).as_bytes());
        }
        Some(logger)
    });
    if let Some(logger) = logger {
        // Fails if an earlier call has set it already.
        let _ = log::set_logger(logger);
    }
}

/// The location of a panic, for a bug report. Without its message, which may contain a value.
fn defect(panic: &PanicHookInfo) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    line(Level::Error, format_args!("a bug in loopback-odbc at {place}"))
}

/// A record as one line, whatever it contains.
fn line(level: Level, text: impl Display) -> String {
    let text = format!("loopback-odbc[{}] {level}: {text}", std::process::id());
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // A value must not look like another log line, nor send commands to a terminal.
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
    use std::sync::Mutex;

    fn logged(text: &str) -> String {
        line(Level::Info, text)
    }

    #[test]
    fn a_panic_is_logged_with_only_its_location() {
        static SAID: Mutex<String> = Mutex::new(String::new());
        let before = panic::take_hook();
        // Other tests may panic in the meantime; their panics go to the previous hook.
        let this = std::thread::current().id();
        panic::set_hook(Box::new(move |panic| match std::thread::current().id() == this {
            true => SAID.lock().unwrap().push_str(&defect(panic)),
            false => before(panic),
        }));
        let outcome = panic::catch_unwind(|| "PWD=gehe\u{ef}m"[5..9].len());
        let _ = panic::take_hook();
        assert!(outcome.is_err());
        let said = SAID.lock().unwrap();
        assert!(said.contains(concat!("a bug in loopback-odbc at ", file!())), "{said}");
        assert!(!said.contains("PWD") && said.lines().count() == 1, "{said}");
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
    fn a_long_line_is_truncated() {
        let room = LONGEST_LINE - logged("").len();
        for (text, whole) in [("x".repeat(room), true), ("x".repeat(room + 1), false), ("\u{20ac}".repeat(room), false)]
        {
            let line = logged(&text);
            assert!(line.len() <= LONGEST_LINE && line.len() > LONGEST_LINE - 4, "{}", line.len());
            assert_eq!((line.contains(&text), line.ends_with("...\n")), (whole, !whole));
        }
    }
}
