//! Looking at registrations leaves no trace: unixODBC makes the files that it does not find when it only reads them, where the
//! user may write.

use super::registers;
use crate::places::Mode;
use std::fs;
use std::path::PathBuf;

/// Takes back what was made while it lives.
pub struct Untouched {
    absent: Vec<PathBuf>,
}

impl Untouched {
    /// From now on.
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
                // One that stays does no harm.
                let _ = fs::remove_file(path);
            }
        }
    }
}
