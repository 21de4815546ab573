//! A server cursor: its rows, and the selection of rows that it fetches.
//!
//! A cursor over one table stores the numbers of its rows and reads each row again when it is fetched. Any other cursor
//! is a copy of its result, static and read-only, whatever was requested.

use rusqlite::types::{Value, ValueRef};
use sqlparser::ast::Query;

use super::run::bind;
use super::{Session, Variables};
use crate::error::{Result, SqlError};
use crate::sql::compile::{self, Keyset};
use crate::sql::schema;
use crate::sql::types::{Family, SqlType};
use crate::wire::tokens::{Reply, ResultColumn};

// The values of `scrollopt`, in requests and answers.
pub(super) const KEYSET: i64 = 0x01;
const DYNAMIC: i64 = 0x02;
const FORWARD_ONLY: i64 = 0x04;
pub(super) const STATIC: i64 = 0x08;
const FAST_FORWARD: i64 = 0x10;
pub(super) const KINDS: i64 = KEYSET | DYNAMIC | FORWARD_ONLY | STATIC | FAST_FORWARD;
// The values of `ccopt`, in requests and answers.
pub(super) const READ_ONLY: i64 = 0x01;
pub(super) const OPTIMISTIC: i64 = 0x04 | 0x08;
pub(super) const CONCURRENCIES: i64 = READ_ONLY | 0x02 | OPTIMISTIC;

type Row = Vec<Value>;

pub(super) struct Cursor {
    pub kind: i64,
    pub concurrency: i64,
    /// The last one reports the fetch status of a row.
    pub columns: Vec<ResultColumn>,
    pub rows: Rows,
    /// The variables at the opening of the query.
    pub variables: Variables,
    pub name: String,
    /// The first fetched row: 0 is before the first row; the number of rows plus one is after the last.
    pub first: i64,
    pub buffer: Vec<Fetched>,
    /// The fetched row to which WHERE CURRENT OF refers.
    pub current: usize,
}

pub(super) enum Rows {
    Copied(Vec<Row>),
    Found { keyset: Keyset, keys: Vec<i64> },
}

/// A row as it was fetched; `None` if it no longer existed.
pub(super) struct Fetched {
    pub key: i64,
    pub row: Option<Row>,
}

impl Cursor {
    pub(super) fn count(&self) -> i64 {
        match &self.rows {
            Rows::Copied(rows) => rows.len() as i64,
            Rows::Found { keys, .. } => keys.len() as i64,
        }
    }

    /// The start of a fetch by ODBC's rules for SQLFetchScroll, and whether it was corrected.
    fn start(&self, orientation: i64, row: i64, size: i64) -> (i64, bool) {
        let last = self.count();
        let near_start = |start: i64, distance: i64| match start {
            ..1 if self.first > 1 && distance <= size => (1, true),
            _ => (start.max(0), false),
        };
        match orientation {
            // Fetching nothing means standing before the first row.
            0x01 => (size.min(1), false),
            0x02 if self.first == 0 => (1, false),
            0x02 => (self.first + self.buffer.len() as i64, false),
            0x04 => near_start(self.first - size, size),
            0x08 => ((last - size + 1).max(1), false),
            0x10 if row < 0 && last + row < 0 => (i64::from(-row <= size), -row <= size),
            0x10 if row < 0 => (last + row + 1, false),
            0x10 => (row, false),
            0x20 => near_start(self.first + row, -row),
            _ => (self.first, false),
        }
    }

    /// The index among the fetched rows of a row that is counted from 1.
    pub(super) fn place(&self, row: i64) -> Result<usize> {
        (1..=self.buffer.len() as i64).contains(&row).then_some(row as usize - 1).ok_or_else(outside)
    }
}

pub(super) fn outside() -> SqlError {
    SqlError::new(16930, 16, 1, "The requested row is not in the fetch buffer.")
}

impl Session {
    /// `None` for a query that a client cannot get.
    pub(super) fn cursor(&mut self, query: &Query, asked: i64, concurrency: i64) -> Result<Option<Cursor>> {
        let compiled = self.compile(|compiler| compiler.result(query))?;
        if compiled.into.is_some() || !compiled.assigned.is_empty() {
            return Ok(None);
        }
        let keyset = match asked & KINDS {
            STATIC | FAST_FORWARD => None,
            kind => self.compile(|compiler| compile::keyset(compiler, query))?.filter(|keyset| {
                // As in SQL Server, which has no other way to find the rows of a keyset.
                let unique = || schema::indexes(&self.sqlite, &keyset.table).is_ok_and(|indexes| !indexes.is_empty());
                kind != KEYSET || unique()
            }),
        };
        let variables = self.variables.clone();
        let (kind, concurrency, rows) = match keyset {
            Some(keyset) => {
                let keys = self.keys(&keyset, &variables)?;
                (asked & KINDS, concurrency & CONCURRENCIES, Rows::Found { keyset, keys })
            }
            None => {
                let kind = if asked & (FAST_FORWARD | FORWARD_ONLY) == 0 { STATIC } else { asked & KINDS };
                (kind, READ_ONLY, Rows::Copied(self.rows(&compiled.sql, &variables)?))
            }
        };
        let mut columns = compiled.columns;
        columns.push(ResultColumn { name: "ROWSTAT".to_owned(), ty: SqlType::Int, nullable: false, identity: false });
        Ok(Some(Cursor {
            kind,
            concurrency,
            columns,
            rows,
            variables,
            name: String::new(),
            first: 0,
            buffer: Vec::new(),
            current: 0,
        }))
    }

    fn rows(&self, sql: &str, variables: &Variables) -> Result<Vec<Row>> {
        let mut statement = self.sqlite.prepare(sql)?;
        bind(&mut statement, variables)?;
        let width = statement.column_count();
        let mut rows = statement.raw_query();
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            self.cancel.check()?;
            all.push((0..width).map(|at| row.get(at)).collect::<rusqlite::Result<Row>>()?);
        }
        Ok(all)
    }

    fn keys(&self, keyset: &Keyset, variables: &Variables) -> Result<Vec<i64>> {
        let rows = self.rows(&keyset.all, variables)?;
        let key = |row: Row| if let Some(Value::Integer(key)) = row.last() { Some(*key) } else { None };
        Ok(rows.into_iter().filter_map(key).collect())
    }

    pub(super) fn describe(&self, cursor: &Cursor, reply: &mut Reply<'_>) {
        reply.columns(&cursor.columns);
        match &cursor.rows {
            Rows::Found { keyset, .. } => {
                let table = [keyset.table.database.as_str(), "dbo", &keyset.table.name];
                reply.cursor_columns(&cursor.columns, Some(&table), &keyset.sources);
            }
            Rows::Copied(_) => reply.cursor_columns(&cursor.columns, None, &[]),
        }
    }

    /// Sends rows. Returns whether their position was corrected.
    pub(super) fn fetch(
        &mut self,
        cursor: &mut Cursor,
        orientation: i64,
        row: i64,
        size: i64,
        reply: &mut Reply<'_>,
    ) -> Result<bool> {
        if cursor.kind == DYNAMIC {
            self.follow(cursor)?;
        }
        let size = if orientation == 0x80 { cursor.buffer.len() as i64 } else { size };
        let (start, adjusted) = cursor.start(orientation, row, size);
        let last = cursor.count();
        cursor.first = start.clamp(0, last + 1);
        cursor.current = 0;
        cursor.buffer.clear();
        if start > 0 {
            for at in start..(start + size).min(last + 1) {
                let fetched = self.read(cursor, at)?;
                cursor.buffer.push(fetched);
            }
        }
        for fetched in &cursor.buffer {
            send(cursor, fetched, reply)?;
        }
        Ok(adjusted)
    }

    /// A dynamic cursor sees the rows that exist now.
    fn follow(&mut self, cursor: &mut Cursor) -> Result<()> {
        let Rows::Found { keyset, keys } = &mut cursor.rows else {
            return Ok(());
        };
        let before = std::mem::replace(keys, self.keys(keyset, &cursor.variables)?);
        let place = |key: &i64| keys.iter().position(|now| now == key).map(|at| at as i64 + 1);
        cursor.buffer.retain(|fetched| place(&fetched.key).is_some());
        // It stands on its first row that still exists, or else after the last existing row before it.
        let stood = usize::try_from(cursor.first - 1).unwrap_or(0).min(before.len());
        let earlier = || before[..stood].iter().rev().find_map(place).map_or(1, |at| at + 1);
        if cursor.first > 0 {
            cursor.first = cursor.buffer.first().and_then(|fetched| place(&fetched.key)).unwrap_or_else(earlier);
        }
        Ok(())
    }

    fn read(&self, cursor: &Cursor, at: i64) -> Result<Fetched> {
        let at = at as usize - 1;
        match &cursor.rows {
            Rows::Copied(rows) => Ok(Fetched { key: 0, row: rows.get(at).cloned() }),
            Rows::Found { keyset, keys } => self.read_again(keyset, keys[at], &cursor.variables),
        }
    }

    pub(super) fn read_again(&self, keyset: &Keyset, key: i64, variables: &Variables) -> Result<Fetched> {
        let row = self.rows(&format!("{}{key}", keyset.one), variables)?.pop();
        let row = row.map(|mut row| {
            row.pop();
            row
        });
        Ok(Fetched { key, row })
    }

    /// The row on which the cursor with this name stands, for WHERE CURRENT OF.
    pub(super) fn current_of(&self, name: &str) -> Option<i64> {
        let cursor = self.cursors.values().find(|cursor| cursor.name.eq_ignore_ascii_case(name))?;
        cursor.buffer.get(cursor.current).map(|fetched| fetched.key)
    }
}

pub(super) fn send(cursor: &Cursor, fetched: &Fetched, reply: &mut Reply<'_>) -> Result<()> {
    let shown = &cursor.columns[..cursor.columns.len() - 1];
    let mut values: Row = match &fetched.row {
        Some(row) => row.clone(),
        None => shown.iter().map(blank).collect(),
    };
    values.push(Value::Integer(if fetched.row.is_some() { 1 } else { 2 }));
    reply.row(&cursor.columns, values.iter().map(ValueRef::from))?;
    reply.relieve().map_err(|_| SqlError::cancelled())
}

/// The value for a column of a row that no longer exists.
fn blank(column: &ResultColumn) -> Value {
    match column.ty.family() {
        _ if column.nullable => Value::Null,
        Family::Integer => Value::Integer(0),
        Family::Float => Value::Real(0.0),
        Family::Decimal => Value::Text("0".to_owned()),
        Family::DateTime => Value::Text("1900-01-01 00:00:00.0000000".to_owned()),
        _ => Value::Null,
    }
}
