//! The databases: one SQLite file each, in a folder that is removed when the program ends.
//!
//! They are files because SQLite's write-ahead log, which lets readers continue while a session writes, needs files. A
//! session has all of them attached, so `USE` and three-part names only need name resolution. A session that writes
//! holds the single [`WriteLock`] until its transaction ends, so no two sessions can wait for each other.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{Result, SqlError};
use crate::sql::functions::{Identities, SessionParts, install};
use crate::sql::modules;
use crate::sql::schema::{self, ROWVERSION, literal, quote};

/// The most databases that SQLite attaches to one connection.
pub const MOST_DATABASES: usize = 10;

pub struct Databases {
    folder: PathBuf,
    /// The names, each with the number of its file.
    known: Mutex<Vec<(String, usize)>>,
    files: AtomicUsize,
    pub identities: Arc<Identities>,
    pub write_lock: WriteLock,
}

impl Databases {
    /// Creates empty databases with these names in an empty folder.
    pub fn create(folder: &Path, names: Vec<String>) -> Result<Databases> {
        let databases = Databases {
            folder: folder.to_owned(),
            known: Mutex::default(),
            files: AtomicUsize::new(0),
            identities: Arc::default(),
            write_lock: WriteLock::default(),
        };
        for name in names {
            databases.add(&name)?;
        }
        databases.identities.begin(ROWVERSION, 1, 1);
        Ok(databases)
    }

    /// Creates an empty database, which sessions see from then on.
    pub fn add(&self, name: &str) -> Result<()> {
        let mut known = self.known();
        if known.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            let text = format!("Database '{name}' already exists. Choose a different database name.");
            return Err(SqlError::new(1801, 16, 3, text));
        }
        if known.len() >= MOST_DATABASES {
            return Err(SqlError::unsupported(format!("more than {} databases besides master", MOST_DATABASES - 1)));
        }
        let at = self.files.fetch_add(1, Ordering::Relaxed);
        let file = Connection::open(self.path(at))?;
        file.pragma_update(None, "journal_mode", "wal")?;
        modules::prepare(&file, "main")?;
        known.push((name.to_owned(), at));
        Ok(())
    }

    /// Forgets a database, if there is one with this name. A session that has it open keeps it.
    pub fn remove(&self, name: &str) -> bool {
        let mut known = self.known();
        let before = known.len();
        known.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        known.len() < before
    }

    fn known(&self) -> MutexGuard<'_, Vec<(String, usize)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, at: usize) -> PathBuf {
        self.folder.join(format!("{at}.db"))
    }

    /// The name as it was given, for a database named in any case.
    pub fn find(&self, name: &str) -> Option<String> {
        self.known().iter().map(|(known, _)| known).find(|known| known.eq_ignore_ascii_case(name)).cloned()
    }

    /// Opens a session's connection to all databases.
    pub fn connect(&self, parts: SessionParts) -> Result<Connection> {
        let sqlite = Connection::open_in_memory()?;
        install(&sqlite, parts)?;
        sqlite.pragma_update(None, "temp_store", "memory")?;
        self.attach_new(&sqlite)?;
        // Readers meet a lock only while the log is being reset.
        sqlite.busy_timeout(Duration::from_secs(10))?;
        Ok(sqlite)
    }

    /// Attaches the databases that were created since the session's connection was opened.
    pub fn attach_new(&self, sqlite: &Connection) -> Result<()> {
        let attached = schema::databases(sqlite)?;
        for (name, at) in self.known().iter().filter(|(name, _)| !attached.contains(name)) {
            let path = self.path(*at);
            sqlite.execute_batch(&format!("ATTACH {} AS {}", literal(&path.to_string_lossy()), quote(name)))?;
            // No data outlives the program, so nothing needs to wait for the disk.
            sqlite.pragma_update(Some(name.as_str()), "synchronous", "off")?;
        }
        Ok(())
    }
}

/// Who may write. Held by a session from its first change to the end of the transaction.
#[derive(Default)]
pub struct WriteLock {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// SQL Server would wait for ever; a test should report what it waits for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon a cancelled wait ends.
const GLANCE: Duration = Duration::from_millis(20);

impl WriteLock {
    /// Waits for the lock, at most for [`PATIENCE`] and until `cancelled`.
    pub fn take(&self, cancelled: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            if cancelled() {
                return Err(SqlError::cancelled());
            }
            if Instant::now() >= deadline {
                return Err(SqlError::lock_timeout());
            }
            taken = self.freed.wait_timeout(taken, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        Ok(())
    }

    pub fn free(&self) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.freed.notify_one();
    }
}
