//! Server cursors: the procedures that a driver calls when an application scrolls, or changes rows at the current
//! position.

use rusqlite::types::Value;
use sqlparser::ast::{Query, SetExpr, Statement};

use super::cursor::{CONCURRENCIES, Cursor, KEYSET, KINDS, OPTIMISTIC, READ_ONLY, Rows, STATIC, outside, send};
use super::procedures::{Prepared, Waiting, missing, prepare};
use super::{Session, Variables};
use crate::error::{Result, SqlError};
use crate::sql::batch::{self, Command as Code, Located};
use crate::sql::schema::bracketed;
use crate::sql::types::SYSNAME;
use crate::wire::rpc::{Call, Parameter};
use crate::wire::tokens::{Command, Reply};

// The operations of `sp_cursor`.
const UPDATE: i64 = 0x01;
const DELETE: i64 = 0x02;
const INSERT: i64 = 0x04;
const REFRESH: i64 = 0x08;
const SET_POSITION: i64 = 0x20;
/// The row is counted in the keyset, not among the fetched rows.
const OF_KEYSET: i64 = 0x40;

/// The result of `sp_cursorfetch` if it began with the first row because there were too few rows before.
const ADJUSTED: i32 = 2;
/// The code of `sp_cursoroption` that gives a cursor its name.
const CURSOR_NAME: i64 = 2;

fn integer(call: &Call, at: usize, otherwise: i64) -> i64 {
    let given = call.parameters.get(at).and_then(Parameter::integer).unwrap_or(otherwise);
    // The type that the procedures declare; sums of a few do not overflow.
    given.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
}

/// The query, if a statement is only a query.
fn only_query(prepared: &Prepared) -> Option<&Query> {
    let [Located { command: Code::Sql(statement), .. }] = prepared.block.as_slice() else {
        return None;
    };
    match statement.as_ref() {
        Statement::Query(query)
            if !matches!(query.body.as_ref(), SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_)) =>
        {
            Some(query)
        }
        _ => None,
    }
}

impl Session {
    /// Calls a cursor procedure. Returns whether it succeeded.
    pub(super) fn cursor_call(&mut self, call: &Call, reply: &mut Reply<'_>) -> Result<bool> {
        let parameters = call.parameters.as_slice();
        match (call.procedure.as_str(), parameters) {
            ("sp_cursoropen", [_, sql, ..]) => {
                let nothing = Parameter { name: String::new(), output: false, ty: SYSNAME, value: Value::Null };
                let prepared = prepare(parameters.get(5).unwrap_or(&nothing), sql)?;
                self.open_cursor(&prepared, call, [0, 2], 6, None, reply)
            }
            ("sp_cursorprepexec", [old, _, declarations, sql, ..]) => {
                let prepared = prepare(declarations, sql)?;
                self.prepared.remove(&(old.integer().unwrap_or(0) as i32));
                let handle = self.next_handle();
                let outcome = self.open_cursor(&prepared, call, [1, 4], 7, Some(handle), reply);
                self.prepared.insert(handle, Waiting::Statement(prepared));
                outcome
            }
            ("sp_cursorprepare", [_, declarations, sql, ..]) => {
                let prepared = prepare(declarations, sql)?;
                if let Some(columns) = self.first_result(&prepared)? {
                    reply.columns(&columns);
                    reply.statement_done(Command::Select, None);
                }
                let handle = self.next_handle();
                self.prepared.insert(handle, Waiting::Statement(prepared));
                reply.return_status(0);
                reply.return_integer(0, i64::from(handle))?;
                reply.return_integer(4, integer(call, 4, STATIC) & KINDS)?;
                reply.return_integer(5, integer(call, 5, READ_ONLY) & CONCURRENCIES)?;
                Ok(true)
            }
            ("sp_cursorexecute", [handle, ..]) => {
                let handle = handle.integer().unwrap_or(0) as i32;
                let Some(Waiting::Statement(prepared)) = self.prepared.remove(&handle) else {
                    let text = format!("Could not find prepared statement with handle {handle}.");
                    return Err(SqlError::new(8179, 16, 2, text));
                };
                let outcome = self.open_cursor(&prepared, call, [1, 2], 5, None, reply);
                self.prepared.insert(handle, Waiting::Statement(prepared));
                outcome
            }
            ("sp_cursorunprepare", [handle]) => {
                self.prepared.remove(&(handle.integer().unwrap_or(0) as i32));
                reply.return_status(0);
                Ok(true)
            }
            ("sp_cursorclose", [handle]) => {
                match handle.integer() {
                    Some(-1) => self.cursors.clear(),
                    handle => drop(self.cursors.remove(&handle.unwrap_or(0))),
                }
                reply.return_status(0);
                Ok(true)
            }
            ("sp_cursorfetch" | "sp_cursor" | "sp_cursoroption", [handle, ..]) => {
                let handle = handle.integer().unwrap_or(0);
                let unknown = || SqlError::new(16909, 16, 1, "The cursor identifier value provided is not valid.");
                let mut cursor = self.cursors.remove(&handle).ok_or_else(unknown)?;
                let outcome = match call.procedure.as_str() {
                    "sp_cursorfetch" => self.fetch_call(&mut cursor, call, reply),
                    "sp_cursor" => self.change_cursor(&mut cursor, call, reply),
                    _ => {
                        if integer(call, 1, 0) == CURSOR_NAME {
                            cursor.name = parameters.get(2).and_then(Parameter::text).unwrap_or_default().to_owned();
                        }
                        reply.return_status(0);
                        Ok(true)
                    }
                };
                self.cursors.insert(handle, cursor);
                outcome
            }
            _ => Err(missing(&call.procedure)),
        }
    }

    /// Opens a cursor, or executes a statement that is not a query, and returns the result. The positions are those of
    /// the cursor, of its options, which are followed by concurrency and the number of rows, and of the first value.
    fn open_cursor(
        &mut self,
        prepared: &Prepared,
        call: &Call,
        [cursor_at, options_at]: [usize; 2],
        values_at: usize,
        handle: Option<i32>,
        reply: &mut Reply<'_>,
    ) -> Result<bool> {
        self.take_parameters(prepared, call.parameters.get(values_at..).unwrap_or_default())?;
        let asked = integer(call, options_at, KEYSET);
        let concurrency = integer(call, options_at + 1, OPTIMISTIC);
        let opened = only_query(prepared).map(|query| self.cursor(query, asked, concurrency)).transpose()?.flatten();
        let mut well = true;
        let mut became = [0, asked & KINDS, concurrency & CONCURRENCIES, 0];
        match opened {
            Some(cursor) => {
                self.begin_implicitly(reply);
                self.describe(&cursor, reply);
                // For the other kinds the number is unknown. AUTO_FETCH is not returned, so the driver fetches by
                // itself.
                let rows = if matches!(cursor.kind, STATIC | KEYSET) { cursor.count() } else { -1 };
                reply.statement_done(Command::Select, None);
                self.last_cursor += 1;
                became = [self.last_cursor, cursor.kind, cursor.concurrency, rows];
                self.cursors.insert(self.last_cursor, cursor);
            }
            None => {
                reply.info(&SqlError::new(16954, 10, 1, "Executing SQL directly; no cursor.").at(1));
                well = self.run_block(&prepared.block, reply)?;
            }
        }
        reply.return_status(0);
        if let Some(handle) = handle {
            reply.return_integer(0, i64::from(handle))?;
        }
        let places = [cursor_at, options_at, options_at + 1, options_at + 2];
        for (at, value) in places.into_iter().zip(became) {
            reply.return_integer(at as u16, value)?;
        }
        Ok(well)
    }

    fn fetch_call(&mut self, cursor: &mut Cursor, call: &Call, reply: &mut Reply<'_>) -> Result<bool> {
        // The bit 0x400 is about timestamps, which do not exist here.
        let orientation = integer(call, 1, 0x02) & !0x400;
        let (row, size) = (integer(call, 2, 0), integer(call, 3, 20));
        if orientation == 0x100 {
            reply.return_status(0);
            let position = if cursor.first > cursor.count() { -1 } else { cursor.first };
            reply.return_integer(2, position)?;
            reply.return_integer(3, cursor.count())?;
            return Ok(true);
        }
        // Fetching nothing only moves the cursor; the driver does this before it fetches, in one request.
        if size > 0 {
            self.describe(cursor, reply);
        }
        let adjusted = self.fetch(cursor, orientation, row, size, reply)?;
        if size > 0 {
            reply.statement_done(Command::Select, Some(cursor.buffer.len() as u64));
        }
        reply.return_status(if adjusted { ADJUSTED } else { 0 });
        Ok(true)
    }

    /// `sp_cursor`: changes fetched rows, adds rows, or reads them again.
    fn change_cursor(&mut self, cursor: &mut Cursor, call: &Call, reply: &mut Reply<'_>) -> Result<bool> {
        let (operation, row) = (integer(call, 1, 0), integer(call, 2, 0));
        let chosen: Vec<i64> = if row == 0 { (1..=cursor.buffer.len() as i64).collect() } else { vec![row] };
        if operation & SET_POSITION != 0 {
            cursor.current = usize::try_from(row - 1).unwrap_or(0);
        }
        if operation & REFRESH != 0 {
            self.describe(cursor, reply);
            for &at in &chosen {
                let at = cursor.place(at)?;
                if let Rows::Found { keyset, .. } = &cursor.rows {
                    cursor.buffer[at] = self.read_again(keyset, cursor.buffer[at].key, &cursor.variables)?;
                }
                send(cursor, &cursor.buffer[at], reply)?;
            }
            reply.statement_done(Command::Select, None);
        }
        let values = call.parameters.get(4..).unwrap_or_default();
        let mut well = true;
        let rows = match operation & (INSERT | UPDATE | DELETE) {
            0 => Vec::new(),
            INSERT => vec![0],
            _ => chosen,
        };
        for row in rows {
            self.variables = Variables::default();
            for (at, value) in values.iter().enumerate() {
                self.variables.declare(&format!("@v{at}"), value.ty, value.value.clone());
            }
            let statement = self.change_of(cursor, operation, row, values).and_then(|sql| batch::parse(&sql));
            well &= match statement {
                Ok(block) => self.run_block(&block, reply)?,
                Err(error) => {
                    self.tell(&error.at(1), reply);
                    false
                }
            };
        }
        // The cursor's own changes are not changes by others.
        if let Rows::Found { keyset, .. } = &cursor.rows {
            for fetched in cursor.buffer.iter_mut().filter(|_| operation & (UPDATE | DELETE) != 0) {
                *fetched = self.read_again(keyset, fetched.key, &cursor.variables)?;
            }
        }
        reply.return_status(i32::from(!well));
        Ok(well)
    }

    /// The statement that adds, changes or deletes a row, as a client would write it, with the values as `@v0` and so
    /// on.
    fn change_of(&self, cursor: &Cursor, operation: i64, row: i64, values: &[Parameter]) -> Result<String> {
        let read_only = || SqlError::new(16929, 16, 1, "The cursor is READ ONLY.");
        let Rows::Found { keyset, keys } = &cursor.rows else {
            return Err(read_only());
        };
        if cursor.concurrency == READ_ONLY {
            return Err(read_only());
        }
        let table = keyset.table.written();
        let names = values.iter().map(|value| bracketed(value.name.trim_start_matches('@')));
        if operation & INSERT != 0 {
            let variables: Vec<String> = (0..values.len()).map(|at| format!("@v{at}")).collect();
            let names: Vec<String> = names.collect();
            return Ok(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), variables.join(", ")));
        }
        let fetched = match operation & OF_KEYSET {
            0 => Some(&cursor.buffer[cursor.place(row)?]),
            _ => None,
        };
        let numbered = || keys.get(usize::try_from(row - 1).ok()?).copied();
        let key = fetched.map(|fetched| fetched.key).or_else(numbered).ok_or_else(outside)?;
        let now = self.read_again(keyset, key, &cursor.variables)?;
        let as_fetched = fetched.is_none_or(|fetched| fetched.row == now.row);
        if now.row.is_none() || (cursor.concurrency & OPTIMISTIC != 0 && !as_fetched) {
            let text = "Optimistic concurrency check failed. The row was modified outside of this cursor.";
            return Err(SqlError::new(16934, 16, 1, text));
        }
        if operation & DELETE != 0 {
            return Ok(format!("DELETE FROM {table} WHERE CURRENT_OF({key})"));
        }
        let set: Vec<String> = names.enumerate().map(|(at, name)| format!("{name} = @v{at}")).collect();
        Ok(format!("UPDATE {table} SET {} WHERE CURRENT_OF({key})", set.join(", ")))
    }
}
