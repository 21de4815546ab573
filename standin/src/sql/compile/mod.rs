//! Compiles one T-SQL statement to one of SQLite, with the types of its columns.
//!
//! The compiler walks the parsed statement and writes SQLite's SQL while it infers types, because each needs the other:
//! `a / b` is a different function for two integers than for two decimals, and comparing a date with a string converts
//! the string first. Because the types are known, the values need not be inspected.

mod builtins;
mod definition;
mod expression;
mod keyset;
mod modification;
mod query;

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::Value;

pub use definition::{create_table, drop_table, new_table, view};
pub use keyset::{Keyset, keyset};
pub use modification::{Modification, delete, insert, insert_row, update};
pub use query::Query;

use super::convert::hex;
use super::schema::literal;
use super::types::{Length, SqlType, nvarchar};
use crate::error::Result;
use crate::wire::tokens::ResultColumn;

/// What a statement can refer to in addition to tables.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    pub sqlite: &'a Connection,
    /// The database for names without one.
    pub database: &'a str,
    /// The types of variables and parameters, by name in lower case.
    pub variables: &'a HashMap<String, SqlType>,
    /// Whether undeclared variables count as parameters whose types must be found.
    pub undeclared: bool,
    /// Values from the session: `@@ROWCOUNT`, `SUSER_SNAME()` and so on, by name in capitals.
    pub session: &'a dyn Fn(&str) -> Option<(SqlType, Value)>,
}

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Of(SqlType),
    /// A bare NULL, which fits every type.
    Null,
    /// An undeclared parameter, by its name: its type follows from the context.
    Undeclared(String),
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Typed {
    pub sql: String,
    pub kind: Kind,
    pub nullable: bool,
    pub identity: bool,
}

impl Typed {
    fn new(sql: impl Into<String>, ty: SqlType, nullable: bool) -> Typed {
        Typed { sql: sql.into(), kind: Kind::Of(ty), nullable, identity: false }
    }

    /// A known value.
    fn constant(ty: SqlType, value: &Value) -> Typed {
        Typed::new(value_literal(value), ty, *value == Value::Null)
    }

    /// The type, when one must be chosen: a bare NULL is an int, as in SQL Server.
    pub fn ty(&self) -> SqlType {
        match &self.kind {
            Kind::Of(ty) => *ty,
            Kind::Null => SqlType::Int,
            Kind::Undeclared(_) => nvarchar(Length::Of(4000)),
        }
    }

    fn known(&self) -> Option<SqlType> {
        match self.kind {
            Kind::Of(ty) => Some(ty),
            _ => None,
        }
    }
}

/// A value as a literal in SQLite's SQL.
pub fn value_literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        // Seventeen digits identify a double exactly.
        Value::Real(value) => format!("{value:.16e}"),
        Value::Text(text) => literal(text),
        Value::Blob(bytes) => format!("x'{}'", hex(bytes)),
    }
}

/// A column that expressions can name.
#[derive(Clone, Debug)]
struct ScopeColumn {
    name: String,
    /// How SQLite names it.
    sql: String,
    ty: SqlType,
    nullable: bool,
    identity: bool,
}

/// A table, a derived table or a common table expression in FROM.
#[derive(Clone, Debug)]
struct ScopeTable {
    alias: String,
    columns: Vec<ScopeColumn>,
}

/// A common table expression, by its name.
#[derive(Clone)]
struct CommonTable {
    name: String,
    columns: Vec<ResultColumn>,
}

/// The state of compiling one statement.
pub struct Compiler<'a> {
    env: &'a Environment<'a>,
    /// The tables in FROM; inner queries come last and see the outer ones.
    scopes: Vec<Vec<ScopeTable>>,
    common: Vec<CommonTable>,
    /// The types found for undeclared parameters.
    hints: RefCell<Vec<(String, SqlType)>>,
    /// The last item of the outermost select list, for a cursor.
    row_number: Option<String>,
    /// The number of views around the query.
    views: u32,
    /// Whether rows were counted, summed or numbered.
    aggregated: bool,
}

impl<'a> Compiler<'a> {
    pub fn new(env: &'a Environment<'a>) -> Self {
        Compiler {
            env,
            scopes: Vec::new(),
            common: Vec::new(),
            hints: RefCell::default(),
            row_number: None,
            views: 0,
            aggregated: false,
        }
    }

    /// The types found for undeclared parameters, in the order in which they were found.
    pub fn hints(&self) -> Vec<(String, SqlType)> {
        self.hints.take()
    }

    fn hint(&self, expression: &Typed, ty: SqlType) {
        if let Kind::Undeclared(name) = &expression.kind {
            self.hints.borrow_mut().push((name.clone(), ty));
        }
    }

    /// Converts an expression to another type, in SQLite's SQL. Nothing is written if the stored forms are alike.
    fn coerce(&self, expression: Typed, to: SqlType) -> Typed {
        self.hint(&expression, to);
        match expression.known() {
            Some(from) if !super::convert::alike(from, to) => self.converted(expression, to, false),
            _ => Typed { kind: Kind::Of(to), ..expression },
        }
    }

    /// Like [`Compiler::coerce`], and also fits the value to the type: for columns and variables.
    fn assign(&self, expression: Typed, to: SqlType) -> Typed {
        self.hint(&expression, to);
        match expression.known() {
            Some(from) if from != to => self.converted(expression, to, true),
            _ => Typed { kind: Kind::Of(to), ..expression },
        }
    }

    fn converted(&self, expression: Typed, to: SqlType, strict: bool) -> Typed {
        let from = expression.ty();
        let sql = format!("tsql_convert({}, '{from}', '{to}', 0, {})", expression.sql, u8::from(strict));
        Typed { sql, kind: Kind::Of(to), ..expression }
    }

    /// The common type of several expressions. If none of them has a type, it is int.
    fn unified<'e>(&self, expressions: impl IntoIterator<Item = &'e Typed>) -> Option<SqlType> {
        expressions.into_iter().filter_map(Typed::known).reduce(SqlType::unify)
    }

    /// A query whose result a statement returns.
    pub fn result(&mut self, query: &sqlparser::ast::Query) -> Result<Query> {
        self.query(query)
    }

    /// A common table expression that the next compiled statement may use.
    pub fn common(&mut self, table: &sqlparser::ast::Cte) -> Result<String> {
        self.common_table(&table.alias, &table.query)
    }

    /// A separate expression, as SQLite's SELECT of one value.
    pub fn scalar(&mut self, expression: &sqlparser::ast::Expr, to: Option<SqlType>) -> Result<(String, SqlType)> {
        let typed = self.expression(expression)?;
        let typed = match to {
            Some(to) => self.assign(typed, to),
            None => typed,
        };
        Ok((format!("SELECT {}", typed.sql), typed.ty()))
    }

    /// A separate condition, as SQLite's SELECT of 1 or something else.
    pub fn condition(&mut self, condition: &sqlparser::ast::Expr) -> Result<String> {
        Ok(format!("SELECT {}", self.predicate(condition)?))
    }
}

#[cfg(test)]
mod tests;
