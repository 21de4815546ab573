//! A session: the state from login to logout, and the execution of its requests.

mod bulk;
mod catalog;
mod catalog_columns;
mod cursor;
mod cursors;
mod description;
mod facts;
mod modules;
mod odbc_types;
mod procedures;
mod run;
mod transaction;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, InterruptHandle};

use crate::database::Databases;
use crate::error::{Result, SqlError};
use crate::sql::compile::{Compiler, Environment};
use crate::sql::functions::SessionParts;
use crate::sql::types::SqlType;
use crate::wire::tokens::{EnvChange, Reply};
use bulk::BulkLoad;
use cursor::Cursor;
use procedures::Waiting;
use transaction::Transaction;

/// Who is logged in, from where.
#[derive(Clone, Default)]
pub struct Identity {
    pub login: String,
    pub host: String,
    pub application: String,
}

/// Lets another thread stop what a session is doing.
#[derive(Default)]
pub struct Cancel {
    requested: AtomicBool,
    interrupt: Mutex<Option<InterruptHandle>>,
}

impl Cancel {
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        if let Some(interrupt) = &*self.interrupt.lock().unwrap_or_else(PoisonError::into_inner) {
            interrupt.interrupt();
        }
    }

    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// The request has been acknowledged.
    pub fn clear(&self) {
        self.requested.store(false, Ordering::SeqCst);
    }

    /// Fails once a stop has been requested.
    fn check(&self) -> Result<()> {
        if self.is_requested() { Err(SqlError::cancelled()) } else { Ok(()) }
    }
}

/// Variables and parameters, by name in lower case.
#[derive(Clone, Default)]
struct Variables {
    types: HashMap<String, SqlType>,
    values: HashMap<String, Value>,
}

impl Variables {
    fn declare(&mut self, name: &str, ty: SqlType, value: Value) {
        let name = name.to_lowercase();
        self.types.insert(name.clone(), ty);
        self.values.insert(name, value);
    }
}

/// The SET options that change what statements do.
#[derive(Default)]
struct Options {
    no_count: bool,
    implicit_transactions: bool,
    abort_transaction: bool,
    /// Describe results without returning rows.
    format_only: bool,
    /// What SET TRANSACTION ISOLATION LEVEL said, as SQL Server's views number it. It has no effect.
    isolation_level: Option<i64>,
    /// The table whose identity values clients may set.
    identity_insert: Option<(String, String)>,
}

/// So high that cursors cannot be confused with prepared statements; SQL Server's have this size.
const FIRST_CURSOR: i64 = 180_150_000;

pub struct Session {
    pub id: u16,
    sqlite: Connection,
    databases: Arc<Databases>,
    identity: Identity,
    /// The current database, and the login's, to which a reset returns.
    database: String,
    home: String,
    cancel: Arc<Cancel>,
    transaction: Transaction,
    options: Options,
    variables: Variables,
    prepared: HashMap<i32, Waiting>,
    cursors: HashMap<i64, Cursor>,
    last_handle: i32,
    /// A bulk load that was announced and waits for its rows.
    bulk_load: Option<BulkLoad>,
    last_cursor: i64,
    row_count: u64,
    /// The error of the last statement, if it failed.
    last_error: Option<SqlError>,
    last_identity: Arc<Mutex<Option<i64>>>,
    /// The value of RETURN in the running procedure.
    returned: Option<i32>,
    /// The errors that CATCH blocks are handling.
    caught: Vec<SqlError>,
    /// The number of TRY blocks around the statement.
    tries: u32,
    /// The number of procedures and dynamic batches around the statement.
    nesting: u32,
}

impl Session {
    /// `database` must exist.
    pub fn open(
        databases: Arc<Databases>,
        id: u16,
        identity: Identity,
        database: &str,
        cancel: Arc<Cancel>,
    ) -> Result<Session> {
        let last_identity = Arc::new(Mutex::new(None));
        let parts = SessionParts {
            session: id,
            identities: Arc::clone(&databases.identities),
            last_identity: Arc::clone(&last_identity),
        };
        let sqlite = databases.connect(parts)?;
        *cancel.interrupt.lock().unwrap_or_else(PoisonError::into_inner) = Some(sqlite.get_interrupt_handle());
        Ok(Session {
            id,
            sqlite,
            databases,
            identity,
            database: database.to_owned(),
            home: database.to_owned(),
            cancel,
            transaction: Transaction::default(),
            options: Options::default(),
            variables: Variables::default(),
            prepared: HashMap::new(),
            cursors: HashMap::new(),
            last_handle: 0,
            bulk_load: None,
            last_cursor: FIRST_CURSOR,
            row_count: 0,
            last_error: None,
            last_identity,
            returned: None,
            caught: Vec::new(),
            tries: 0,
            nesting: 0,
        })
    }

    /// What went wrong last.
    pub fn last_error(&self) -> Option<&SqlError> {
        self.last_error.as_ref()
    }

    /// Returns to the state after login, for a pooled connection: ends the transaction, drops temporary tables, resets
    /// options.
    pub fn reset(&mut self, reply: &mut Reply<'_>) -> Result<()> {
        self.roll_back(reply)?;
        for table in crate::sql::schema::tables(&self.sqlite, "temp")? {
            self.sqlite.execute_batch(&format!("DROP TABLE {}", table.sql()))?;
        }
        self.options = Options::default();
        self.prepared.clear();
        self.cursors.clear();
        let home = self.home.clone();
        self.use_database(&home, reply)?;
        reply.env_change(&EnvChange::ConnectionReset);
        Ok(())
    }

    fn use_database(&mut self, name: &str, reply: &mut Reply<'_>) -> Result<()> {
        let Some(found) = self.databases.find(name) else {
            let text = format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
            return Err(SqlError::new(911, 16, 1, text));
        };
        if found != self.database {
            self.databases.attach_new(&self.sqlite)?;
            reply.env_change(&EnvChange::Database { new: &found, old: &self.database });
            reply.info(&SqlError::new(5701, 0, 2, format!("Changed database context to '{found}'.")));
            self.database = found;
        }
        Ok(())
    }

    /// Compiles something with everything that the session knows.
    fn compile<T>(&self, what: impl FnOnce(&mut Compiler<'_>) -> Result<T>) -> Result<T> {
        let facts = |name: &str| self.fact(name);
        let environment = Environment {
            sqlite: &self.sqlite,
            database: &self.database,
            variables: &self.variables.types,
            undeclared: false,
            session: &facts,
        };
        what(&mut Compiler::new(&environment))
    }
}
