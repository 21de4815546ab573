//! The log: what was decided and why, for whoever asks for it with `LOOPBACK_ODBC_LOG`.
//!
//! Nothing is logged per call, and nothing secret at any level: attributes are shown by their `Display`, which hides
//! secrets.

use crate::world::{Machine, World, standard_error};
use log::{LevelFilter, Log, Metadata, Record};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;

/// `off` (also when it is not set), `error`, `warn`, `info`, `debug` or `trace`.
const LEVEL_VARIABLE: &str = "LOOPBACK_ODBC_LOG";
/// The file that lines are added to; standard error without it.
const FILE_VARIABLE: &str = "LOOPBACK_ODBC_LOG_FILE";

struct Logger {
    file: File,
}

impl Log for Logger {
    fn enabled(&self, _metadata: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        let line = format!("loopback-odbc[{}] {}: {}\n", std::process::id(), record.level(), record.args());
        // One write a line, so that lines of several processes do not mix. There is nobody to tell of a failure.
        let _ = (&self.file).write_all(line.as_bytes());
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
        let opened = path.as_ref().map(|path| OpenOptions::new().append(true).create(true).open(path));
        let problem = opened.as_ref().and_then(|opened| opened.as_ref().err().map(ToString::to_string));
        // A logger is never dropped.
        let logger = Logger { file: opened.and_then(Result::ok).unwrap_or_else(standard_error) };
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
