//! Bulk load: INSERT BULK announces the columns, and the client's next request contains the rows.

use super::Session;
use crate::error::{Result, SqlError};
use crate::sql::compile::insert_row;
use crate::sql::convert::{Excess, convert};
use crate::sql::insert_bulk::InsertBulk;
use crate::sql::schema::{self, Column, Name, Table};
use crate::sql::types::SqlType;
use crate::wire::bulk::BulkRows;
use crate::wire::cursor::Malformed;
use crate::wire::tokens::{Command, Reply};

/// Hints without effect here: about locks, triggers and constraints that do not exist, and sizes and orders for speed.
const IGNORED_HINTS: [&str; 6] =
    ["TABLOCK", "FIRE_TRIGGERS", "CHECK_CONSTRAINTS", "ROWS_PER_BATCH", "KILOBYTES_PER_BATCH", "ORDER"];
const KEEP_NULLS: &str = "KEEP_NULLS";

/// A bulk load whose rows have not arrived yet.
pub struct BulkLoad {
    table: Table,
    /// SQLite's INSERT of one row, and the types of the columns that its parameters set.
    insert: String,
    types: Vec<SqlType>,
    /// Whether the rows contain identity values.
    keeps_identities: bool,
}

impl Session {
    /// INSERT BULK.
    pub(super) fn announce(&mut self, announcement: &InsertBulk) -> Result<()> {
        let known = |hint: &&String| *hint == KEEP_NULLS || IGNORED_HINTS.contains(&hint.as_str());
        if let Some(hint) = announcement.hints.iter().find(|hint| !known(hint)) {
            return Err(SqlError::unsupported(format!("INSERT BULK with the hint {hint}")));
        }
        let name = Name::of(&announcement.table)?;
        let table = schema::find(&self.sqlite, &name, &self.database)?;
        let table = table.ok_or_else(|| SqlError::invalid_object(&name.object))?;
        let column = |name: &String| table.column(name).ok_or_else(|| SqlError::invalid_column(name));
        let columns: Vec<&Column> = announcement.columns.iter().map(column).collect::<Result<_>>()?;
        self.bulk_load = Some(BulkLoad {
            insert: insert_row(&table, &columns, announcement.hints.iter().any(|hint| hint == KEEP_NULLS)),
            types: columns.iter().map(|column| column.ty).collect(),
            keeps_identities: columns.iter().any(|column| column.identity.is_some()),
            table,
        });
        Ok(())
    }

    /// What the last request announced, if anything.
    pub fn take_bulk_load(&mut self) -> Option<BulkLoad> {
        self.bulk_load.take()
    }

    /// Stores all rows of the message, or none. `Err` if it was cancelled.
    pub fn run_bulk_load(&mut self, load: &BulkLoad, message: &[u8], reply: &mut Reply<'_>) -> Result<()> {
        let loaded = self.change(reply, |session| {
            session.sqlite.execute_batch("SAVEPOINT bulk_load")?;
            let loaded = session.insert_rows(load, message);
            let end = if loaded.is_ok() { "RELEASE bulk_load" } else { "ROLLBACK TO bulk_load; RELEASE bulk_load" };
            // An interruption during a row has rolled back the whole transaction.
            if !session.sqlite.is_autocommit() {
                session.sqlite.execute_batch(end)?;
            }
            loaded
        });
        match loaded {
            Ok(count) => {
                self.last_error = None;
                self.counted(Command::Insert, count, reply);
            }
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                self.tell(&error.at(1), reply);
                if self.options.abort_transaction {
                    self.roll_back(reply)?;
                }
            }
        }
        Ok(())
    }

    fn insert_rows(&mut self, load: &BulkLoad, message: &[u8]) -> Result<u64> {
        let mut rows = BulkRows::begin(message).map_err(unreadable)?;
        if rows.columns.len() != load.types.len() {
            return Err(unreadable(Malformed("other columns than INSERT BULK has announced")));
        }
        let mut statement = self.sqlite.prepare(&load.insert)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(unreadable)? {
            self.cancel.check()?;
            for (at, ((value, from), to)) in row.into_iter().zip(&rows.columns).zip(&load.types).enumerate() {
                statement.raw_bind_parameter(at + 1, convert(value, from.ty, *to, 0, Excess::Refuse)?)?;
            }
            statement.raw_execute()?;
            count += 1;
        }
        drop(statement);
        if load.keeps_identities {
            self.pass_identities(&load.table)?;
        }
        Ok(count)
    }
}

/// The message is complete, so the connection can continue whatever it contains.
fn unreadable(error: Malformed) -> SqlError {
    SqlError::new(4804, 16, 1, format!("While reading current row from host: {error}"))
}
