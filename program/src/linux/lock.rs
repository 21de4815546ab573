//! One lock for all runs of this program that change something, because they read registrations and write them back.
//!
//! It is a lock on the root folder. Every user can lock it without further rights. It is the same folder whatever environment variables
//! set the files' paths. It leaves no file behind, and the kernel releases it when a run ends, however it ends. Because every user can
//! hold it, a run waits only for a limited time.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROOT: &str = "/";
/// Longer than any run.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock, until it is dropped. A dry run changes nothing and takes none.
///
/// # Errors
/// Another process holds it for too long, or the system's reason.
pub fn lock(dry_run: bool) -> Result<Option<File>, String> {
    if dry_run {
        return Ok(None);
    }
    let root = File::open(ROOT).map_err(|error| format!("{ROOT} cannot be opened: {error}"))?;
    let begin = Instant::now();
    loop {
        match flock(&root, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(root)),
            Err(Errno::WOULDBLOCK) if begin.elapsed() < PATIENCE => sleep(PAUSE),
            Err(Errno::WOULDBLOCK) => {
                return Err(format!(
                    "another run of this program has held the lock on {ROOT} for {} seconds. Nothing was changed. Fix: wait \
                     until it ends, or end it (lslocks shows its process ID)",
                    PATIENCE.as_secs()
                ));
            }
            Err(error) => return Err(format!("{ROOT} cannot be locked: {error}. Nothing was changed")),
        }
    }
}
