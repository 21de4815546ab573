//! CREATE TABLE and DROP TABLE, and the queries of views.

use std::collections::HashMap;

use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, DataType, Expr, IdentityPropertyFormatKind, IdentityPropertyKind,
    IndexColumn, ObjectName, TableConstraint, UnaryOperator,
};

use super::super::batch::{Body, Module};
use super::super::modules;
use super::super::schema::{self, DECLARED, Name, ROWVERSION, Table, quote};
use super::super::types::SqlType;
use super::expression::known_collation;
use super::{Compiler, Environment, Query};
use crate::error::{Result, SqlError};
use crate::wire::tokens::ResultColumn;

/// The greatest nesting of views.
const DEEPEST_VIEW: u32 = 32;

/// SQLite's CREATE TABLE, and the new table's database and name.
pub struct Definition {
    pub sql: String,
    pub database: String,
    pub table: String,
}

/// The place for a new table, if its name is free.
fn place(compiler: &Compiler<'_>, name: &Name) -> Result<(String, String)> {
    if !name.in_dbo() {
        let schema = name.schema.as_deref().unwrap_or_default();
        let text = format!(
            "The specified schema name \"{schema}\" either does not exist or you do not have permission to use it."
        );
        return Err(SqlError::new(2760, 16, 1, text));
    }
    if schema::find(compiler.env.sqlite, name, compiler.env.database)?.is_some()
        || modules::named(compiler.env.sqlite, name, compiler.env.database)?.is_some()
    {
        return Err(SqlError::new(
            2714,
            16,
            6,
            format!("There is already an object named '{}' in the database.", name.object),
        ));
    }
    let database = match &name.database {
        _ if name.is_temporary() => "temp",
        Some(database) => database,
        None => compiler.env.database,
    };
    Ok((database.to_owned(), name.object.clone()))
}

pub fn create_table(compiler: &mut Compiler<'_>, create: &CreateTable) -> Result<Definition> {
    let (database, table) = place(compiler, &Name::of(&create.name)?)?;
    let keys: Vec<&str> = create
        .constraints
        .iter()
        .filter_map(|constraint| match constraint {
            TableConstraint::PrimaryKey { columns, .. } => Some(columns),
            _ => None,
        })
        .flatten()
        .filter_map(column_name)
        .collect();
    let mut parts = Vec::new();
    for column in &create.columns {
        parts.push(column_definition(compiler, column, &keys)?);
    }
    for constraint in &create.constraints {
        let (kind, columns) = match constraint {
            TableConstraint::PrimaryKey { columns, .. } => ("PRIMARY KEY", columns),
            TableConstraint::Unique { columns, .. } => ("UNIQUE", columns),
            // Foreign keys are not enforced.
            TableConstraint::ForeignKey { .. } => continue,
            other => return Err(SqlError::unsupported(other)),
        };
        let columns: Vec<String> = columns.iter().filter_map(column_name).map(quote).collect();
        parts.push(format!("{kind} ({})", columns.join(", ")));
    }
    Ok(Definition { sql: definition(&database, &table, &parts), database, table })
}

/// The table that SELECT INTO creates.
pub fn new_table(compiler: &Compiler<'_>, name: &ObjectName, columns: &[ResultColumn]) -> Result<Definition> {
    let (database, table) = place(compiler, &Name::of(name)?)?;
    if let Some(at) = columns.iter().position(|column| column.name.is_empty()) {
        let text = format!("An object or column name is missing or empty, for column {}.", at + 1);
        return Err(SqlError::new(1038, 15, 5, text));
    }
    let parts: Vec<String> =
        columns.iter().map(|column| declaration(&column.name, column.ty, None, !column.nullable)).collect();
    Ok(Definition { sql: definition(&database, &table, &parts), database, table })
}

fn definition(database: &str, table: &str, parts: &[String]) -> String {
    format!("CREATE TABLE {}.{} ({})", quote(database), quote(table), parts.join(", "))
}

fn column_name(column: &IndexColumn) -> Option<&str> {
    match &column.column.expr {
        Expr::Identifier(name) => Some(&name.value),
        _ => None,
    }
}

/// The names that rowversion has.
fn is_rowversion(data_type: &DataType) -> bool {
    matches!(data_type.to_string().to_ascii_lowercase().as_str(), "rowversion" | "timestamp")
}

fn declaration(name: &str, ty: SqlType, identity: Option<(i64, i64)>, not_null: bool) -> String {
    let identity = identity.map_or(String::new(), |(seed, increment)| format!(" identity({seed},{increment})"));
    let mut sql = format!("{} {}", quote(name), quote(&format!("{DECLARED}{ty}{identity}")));
    if not_null {
        sql += " NOT NULL";
    }
    if let Some(collation) = ty.collation() {
        sql += &format!(" COLLATE {collation}");
    }
    sql
}

fn column_definition(compiler: &mut Compiler<'_>, column: &ColumnDef, keys: &[&str]) -> Result<String> {
    if is_rowversion(&column.data_type) {
        return Ok(format!("{} {} NOT NULL", quote(&column.name.value), quote(&format!("{DECLARED}{ROWVERSION}"))));
    }
    let ty = SqlType::of(&column.data_type)?;
    let mut not_null = keys.iter().any(|key| key.eq_ignore_ascii_case(&column.name.value));
    let mut identity = None;
    let mut rest = String::new();
    for option in &column.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::Collation(name) => known_collation(name)?,
            ColumnOption::NotNull => not_null = true,
            ColumnOption::Unique { is_primary: true, .. } => {
                not_null = true;
                rest += " PRIMARY KEY";
            }
            ColumnOption::Unique { .. } => rest += " UNIQUE",
            ColumnOption::Identity(IdentityPropertyKind::Identity(property)) => {
                not_null = true;
                identity = Some(match &property.parameters {
                    None => (1, 1),
                    Some(
                        IdentityPropertyFormatKind::FunctionCall(given)
                        | IdentityPropertyFormatKind::StartAndIncrement(given),
                    ) => (integer(&given.seed)?, integer(&given.increment)?),
                });
            }
            ColumnOption::Default(value) => {
                let value = compiler.expression(value)?;
                rest += &format!(" DEFAULT ({})", compiler.assign(value, ty).sql);
            }
            // Not enforced, like a table's foreign keys.
            ColumnOption::ForeignKey { .. } => {}
            other => return Err(SqlError::unsupported(other)),
        }
    }
    Ok(declaration(&column.name.value, ty, identity, not_null) + &rest)
}

fn integer(expression: &Expr) -> Result<i64> {
    match expression {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(-integer(expr)?),
        other => other.to_string().parse().map_err(|_| SqlError::syntax(&other.to_string())),
    }
}

/// DROP TABLE of one table; `None` if it does not exist and that is allowed.
pub fn drop_table(compiler: &Compiler<'_>, name: &ObjectName, if_exists: bool) -> Result<Option<(String, Table)>> {
    let name = Name::of(name)?;
    match schema::find(compiler.env.sqlite, &name, compiler.env.database)? {
        Some(table) => Ok(Some((format!("DROP TABLE {}", table.sql()), table))),
        None if if_exists => Ok(None),
        None => {
            let text = format!(
                "Cannot drop the table '{}', because it does not exist or you do not have permission.",
                name.object
            );
            Err(SqlError::new(3701, 11, 5, text))
        }
    }
}

/// A view's query, with the names of its columns.
pub fn view(compiler: &Compiler<'_>, module: &Module, database: &str) -> Result<Query> {
    let Body::View { columns, query } = &module.body else {
        return Err(SqlError::invalid_object(&module.name.object));
    };
    if compiler.views >= DEEPEST_VIEW {
        let text = "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).";
        return Err(SqlError::new(217, 16, 1, text));
    }
    // It sees neither the variables nor the tables of the query that uses it.
    let variables = HashMap::new();
    let environment = Environment { database, variables: &variables, undeclared: false, ..*compiler.env };
    let mut inner = Compiler::new(&environment);
    inner.views = compiler.views + 1;
    let mut compiled = inner.query(query)?;
    for (column, name) in compiled.columns.iter_mut().zip(columns) {
        column.name.clone_from(name);
    }
    match compiled.columns.iter().position(|column| column.name.is_empty()) {
        None => Ok(compiled),
        Some(at) => {
            let text =
                format!("Create View or Function failed because no column name was specified for column {}.", at + 1);
            Err(SqlError::new(4511, 16, 1, text))
        }
    }
}
