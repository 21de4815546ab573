//! The few views of `sys` and `INFORMATION_SCHEMA` that people use, made from [`super::schema`].

use rusqlite::types::Value;

use super::compile::{Environment, value_literal};
use super::schema::{self, Name, Table};
use super::types::{Length, SYSNAME, SqlType};
use crate::error::Result;
use crate::wire::tokens::ResultColumn;

/// A table of constants.
pub struct View {
    pub columns: Vec<ResultColumn>,
    rows: Vec<Vec<Value>>,
}

impl View {
    /// As SQLite's SELECT, with columns called `c1`, `c2`, ...
    pub fn sql(&self) -> String {
        let row = |values: &mut dyn Iterator<Item = String>| {
            values.enumerate().map(|(at, value)| format!("{value} AS c{}", at + 1)).collect::<Vec<_>>().join(", ")
        };
        // The first row contains NULLs and is never returned: it gives an empty view its columns.
        let mut sql = format!("SELECT {} WHERE false", row(&mut self.columns.iter().map(|_| "NULL".to_owned())));
        for values in &self.rows {
            sql += &format!(" UNION ALL SELECT {}", row(&mut values.iter().map(value_literal)));
        }
        sql
    }
}

/// A row of a view, for a table or database.
type Row = Vec<Value>;

pub fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

pub fn number(number: impl Into<i64>) -> Value {
    Value::Integer(number.into())
}

/// The view with this name, if there is one.
pub fn find(name: &Name, env: &Environment<'_>) -> Result<Option<View>> {
    let sqlite = env.sqlite;
    let database = name.database.as_deref().unwrap_or(env.database);
    let full = format!("{}.{}", name.schema.as_deref().unwrap_or_default(), name.object).to_lowercase();
    let tables = || schema::tables(sqlite, database);
    let view = match full.as_str() {
        "information_schema.tables" => made(
            &[
                ("TABLE_CATALOG", SYSNAME),
                ("TABLE_SCHEMA", SYSNAME),
                ("TABLE_NAME", SYSNAME),
                ("TABLE_TYPE", SqlType::VarChar(Length::Of(10))),
            ],
            tables()?
                .iter()
                .map(|table| vec![text(&table.database), text("dbo"), text(&table.name), text("BASE TABLE")])
                .collect(),
        ),
        "information_schema.columns" => {
            made(&INFORMATION_COLUMNS, tables()?.iter().flat_map(information_columns).collect())
        }
        "sys.tables" | "sys.objects" => made(
            &[
                ("name", SYSNAME),
                ("object_id", SqlType::Int),
                ("schema_id", SqlType::Int),
                ("type", SqlType::Char(2)),
                ("type_desc", SYSNAME),
            ],
            tables()?
                .iter()
                .map(|table| {
                    vec![
                        text(&table.name),
                        number(schema::object_id(&table.database, &table.name)),
                        number(1),
                        text("U "),
                        text("USER_TABLE"),
                    ]
                })
                .collect(),
        ),
        "sys.columns" => made(
            &[
                ("object_id", SqlType::Int),
                ("name", SYSNAME),
                ("column_id", SqlType::Int),
                ("is_nullable", SqlType::Bit),
                ("is_identity", SqlType::Bit),
            ],
            tables()?.iter().flat_map(system_columns).collect(),
        ),
        "sys.schemas" => made(&[("name", SYSNAME), ("schema_id", SqlType::Int)], vec![vec![text("dbo"), number(1)]]),
        "sys.databases" => {
            let mut names = schema::databases(sqlite)?;
            names.retain(|name| name != "temp");
            let rows = names.into_iter().zip(1..).map(|(name, id)| vec![text(name), number(id)]).collect();
            made(&[("name", SYSNAME), ("database_id", SqlType::Int)], rows)
        }
        // The session that asks.
        "sys.dm_exec_sessions" => {
            let value = |fact| (env.session)(fact).map_or(Value::Null, |(_, value)| value);
            made(
                &[("session_id", SqlType::SmallInt), ("transaction_isolation_level", SqlType::SmallInt)],
                vec![vec![value("@@SPID"), value("ISOLATION LEVEL")]],
            )
        }
        "sys.dm_os_host_info" => made(&[("host_platform", SYSNAME)], vec![vec![text("Linux")]]),
        // Where clients look whether there is a view that some versions lack.
        "sys.system_views" => made(&[("name", SYSNAME)], vec![vec![text("dm_exec_sessions")]]),
        "information_schema.sequences" => {
            made(&[("SEQUENCE_CATALOG", SYSNAME), ("SEQUENCE_SCHEMA", SYSNAME), ("SEQUENCE_NAME", SYSNAME)], Vec::new())
        }
        _ => return Ok(None),
    };
    Ok(Some(view))
}

fn made(columns: &[(&str, SqlType)], rows: Vec<Row>) -> View {
    View { columns: ResultColumn::plain(columns), rows }
}

const INFORMATION_COLUMNS: [(&str, SqlType); 10] = [
    ("TABLE_CATALOG", SYSNAME),
    ("TABLE_SCHEMA", SYSNAME),
    ("TABLE_NAME", SYSNAME),
    ("COLUMN_NAME", SYSNAME),
    ("ORDINAL_POSITION", SqlType::Int),
    ("IS_NULLABLE", SqlType::VarChar(Length::Of(3))),
    ("DATA_TYPE", SYSNAME),
    ("CHARACTER_MAXIMUM_LENGTH", SqlType::Int),
    ("NUMERIC_PRECISION", SqlType::TinyInt),
    ("NUMERIC_SCALE", SqlType::Int),
];

fn information_columns(table: &Table) -> Vec<Row> {
    let row = |(column, place): (&schema::Column, i64)| {
        let length = column.ty.length().map(i64::from).or(column.ty.is_max().then_some(-1));
        let (precision, scale) = column.ty.as_decimal();
        let exact = column.ty.is_number() && !matches!(column.ty, SqlType::Real | SqlType::Float | SqlType::Bit);
        vec![
            text(&table.database),
            text("dbo"),
            text(&table.name),
            text(&column.name),
            number(place),
            text(if column.nullable { "YES" } else { "NO" }),
            text(column.ty.name()),
            length.map_or(Value::Null, Value::Integer),
            if exact { number(precision) } else { Value::Null },
            if exact { number(scale) } else { Value::Null },
        ]
    };
    table.columns.iter().zip(1..).map(row).collect()
}

fn system_columns(table: &Table) -> Vec<Row> {
    let id = schema::object_id(&table.database, &table.name);
    let row = |(column, place): (&schema::Column, i64)| {
        vec![number(id), text(&column.name), number(place), number(column.nullable), number(column.identity.is_some())]
    };
    table.columns.iter().zip(1..).map(row).collect()
}
