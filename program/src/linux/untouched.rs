//! Removes files that unixODBC created while the program only read registrations: it creates missing files where the user may write.

use super::registers;
use crate::places::Mode;
use std::fs;
use std::path::PathBuf;

/// Removes, on drop, the empty files that were created during its lifetime.
pub struct Untouched {
    absent: Vec<PathBuf>,
}

impl Untouched {
    /// Notes which files are missing now.
    pub fn now() -> Untouched {
        let files = [Mode::System, Mode::User].into_iter().filter_map(|mode| registers(mode).ok());
        let files = files.flat_map(|(drivers, data_sources)| [drivers.path, data_sources.path]);
        Untouched { absent: files.filter(|path| !path.exists()).collect() }
    }
}

impl Drop for Untouched {
    fn drop(&mut self) {
        for path in &self.absent {
            if fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) {
                // A remaining empty file does no harm.
                let _ = fs::remove_file(path);
            }
        }
    }
}
