//! One lock for all runs of this program that change something: they read registrations, and write what they have made of them.
//!
//! It is on the root folder. That is there for every user, who needs no right to lock it; it is the same one whatever
//! environment variables make of the files' places; nothing has to be made for it that would stay; and the kernel gives it back
//! when a run ends, however it ends. As every user can have it, none waits for it for ever.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROOT: &str = "/";
/// More than any run takes.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, until it is dropped; none for a dry run, which changes nothing.
///
/// # Errors
/// Somebody else has it for too long, or the system's reason.
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
                    "another run of this program has not ended for {} seconds, and nothing was changed: it has locked {ROOT} \
                     (lslocks tells its number)",
                    PATIENCE.as_secs()
                ));
            }
            Err(error) => return Err(format!("{ROOT} cannot be locked, and nothing was changed: {error}")),
        }
    }
}
