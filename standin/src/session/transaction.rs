//! SQL Server's transactions, implemented with SQLite's.
//!
//! SQLite's transaction begins with the first change. Until then every statement reads what is committed when it
//! starts, which is what READ COMMITTED promises. A writer holds the write lock and so always has the newest state. So
//! no snapshot can cause a conflict.

use super::Session;
use crate::error::{Result, SqlError};
use crate::sql::schema::quote;
use crate::wire::rpc::TransactionRequest;
use crate::wire::tokens::{EnvChange, Reply};

#[derive(Default)]
pub(super) struct Transaction {
    /// `@@TRANCOUNT`.
    pub count: u32,
    /// The transaction's descriptor in the protocol.
    id: u64,
    /// SQLite is in a transaction, and this session has the write lock.
    writing: bool,
}

impl Session {
    pub(super) fn begin(&mut self, reply: &mut Reply<'_>) {
        self.transaction.count += 1;
        if self.transaction.count == 1 {
            self.transaction.id += 1;
            reply.env_change(&EnvChange::TransactionBegun(self.descriptor()));
        }
    }

    /// Unique among all sessions, and never 0, which means none.
    fn descriptor(&self) -> u64 {
        u64::from(self.id) << 32 | self.transaction.id
    }

    /// The effect of IMPLICIT_TRANSACTIONS before a statement that accesses a table.
    pub(super) fn begin_implicitly(&mut self, reply: &mut Reply<'_>) {
        if self.options.implicit_transactions && self.transaction.count == 0 {
            self.begin(reply);
        }
    }

    pub(super) fn commit(&mut self, reply: &mut Reply<'_>) -> Result<()> {
        match self.transaction.count {
            0 => {
                let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                return Err(SqlError::new(3902, 16, 1, text));
            }
            1 => {
                self.end_writing("COMMIT")?;
                reply.env_change(&EnvChange::TransactionCommitted(self.descriptor()));
            }
            _ => {}
        }
        self.transaction.count -= 1;
        Ok(())
    }

    /// Rolls back the transaction, if there is one.
    pub(super) fn roll_back(&mut self, reply: &mut Reply<'_>) -> Result<()> {
        self.end_writing("ROLLBACK")?;
        if self.transaction.count > 0 {
            self.transaction.count = 0;
            reply.env_change(&EnvChange::TransactionRolledBack(self.descriptor()));
        }
        Ok(())
    }

    /// The ROLLBACK statement, which needs a transaction.
    pub(super) fn roll_back_to(&mut self, savepoint: Option<&str>, reply: &mut Reply<'_>) -> Result<()> {
        if self.transaction.count == 0 {
            let text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(SqlError::new(3903, 16, 1, text));
        }
        match savepoint {
            // A name that is not a savepoint's is the transaction's own.
            Some(name) if self.transaction.writing => {
                let to_savepoint = self.sqlite.execute_batch(&format!("ROLLBACK TO {}", quote(name)));
                if to_savepoint.is_err() { self.roll_back(reply) } else { Ok(()) }
            }
            _ => self.roll_back(reply),
        }
    }

    pub(super) fn save(&mut self, savepoint: &str) -> Result<()> {
        if self.transaction.count == 0 {
            return Err(SqlError::new(
                628,
                16,
                0,
                "Cannot issue SAVE TRANSACTION when there is no active transaction.",
            ));
        }
        self.start_writing()?;
        Ok(self.sqlite.execute_batch(&format!("SAVEPOINT {}", quote(savepoint)))?)
    }

    fn start_writing(&mut self) -> Result<()> {
        if self.transaction.writing {
            return Ok(());
        }
        self.databases.write_lock.take(|| self.cancel.is_requested())?;
        self.transaction.writing = true;
        self.sqlite.execute_batch("BEGIN IMMEDIATE").inspect_err(|_| {
            self.transaction.writing = false;
            self.databases.write_lock.free();
        })?;
        Ok(())
    }

    fn end_writing(&mut self, how: &str) -> Result<()> {
        if !self.transaction.writing {
            return Ok(());
        }
        // SQLite has already rolled back an interrupted change, with the whole transaction.
        let outcome = if self.sqlite.is_autocommit() { Ok(()) } else { self.sqlite.execute_batch(how) };
        self.transaction.writing = false;
        self.databases.write_lock.free();
        Ok(outcome?)
    }

    /// Runs a change in the open transaction, or in one of its own.
    pub(super) fn change<T>(
        &mut self,
        reply: &mut Reply<'_>,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.begin_implicitly(reply);
        self.start_writing()?;
        let outcome = change(self);
        if self.sqlite.is_autocommit() {
            self.roll_back(reply)?;
        } else if self.transaction.count == 0 {
            let how = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
            // The client gets the first error.
            let ended = self.end_writing(how);
            return outcome.and_then(|value| ended.map(|()| value));
        }
        outcome
    }

    /// A transaction manager request: drivers send these for their own commit and rollback.
    pub fn transaction_request(&mut self, request: &TransactionRequest, reply: &mut Reply<'_>) -> Result<()> {
        match request {
            TransactionRequest::Begin => self.begin(reply),
            TransactionRequest::Commit { begin } => {
                self.commit(reply)?;
                if *begin {
                    self.begin(reply);
                }
            }
            TransactionRequest::Rollback { begin, name } => {
                self.roll_back_to(Some(name.as_str()).filter(|name| !name.is_empty()), reply)?;
                if *begin {
                    self.begin(reply);
                }
            }
            TransactionRequest::Save(name) => self.save(name)?,
            TransactionRequest::Other(kind) => {
                return Err(SqlError::unsupported(format!("a transaction manager request of type {kind}")));
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    /// If a client goes away, its transaction is rolled back.
    fn drop(&mut self) {
        let _ = self.end_writing("ROLLBACK");
    }
}
