//! The tables. The only source is SQLite's own catalog, so the schema is transactional and shared.
//!
//! The type from T-SQL is stored in SQLite's declared type, after the word `blob`, which keeps SQLite from converting
//! values (`decimal` alone would make it convert `1.10` to a floating-point number).

use rusqlite::Connection;
use sqlparser::ast::{ObjectName, ObjectNamePart};

use super::types::SqlType;
use crate::error::{Result, SqlError};

/// The word before a declared type.
pub const DECLARED: &str = "blob ";

/// The type of a rowversion column, which is a binary(8) except for its contents.
pub const ROWVERSION: &str = "rowversion";

/// The table of procedures and views, with a name that no client gives to a table.
pub const MODULES: &str = "standin modules";

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub ty: SqlType,
    pub nullable: bool,
    /// Seed and increment.
    pub identity: Option<(i64, i64)>,
    /// Whether every change of the row sets a new value.
    pub rowversion: bool,
    /// The default, as text for SQLite.
    pub default: Option<String>,
    /// The position in the primary key, from 1.
    pub key: Option<u16>,
}

#[derive(Clone, Debug)]
pub struct Table {
    /// SQLite's schema: the name of the database, or `temp`.
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The name for T-SQL.
    pub fn written(&self) -> String {
        match self.database.as_str() {
            "temp" => bracketed(&self.name),
            database => format!("{}.dbo.{}", bracketed(database), bracketed(&self.name)),
        }
    }

    /// The name for SQLite's SQL.
    pub fn sql(&self) -> String {
        format!("{}.{}", quote(&self.database), quote(&self.name))
    }
}

/// An identifier for SQLite.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An identifier for T-SQL.
pub fn bracketed(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text for SQLite.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name of up to four parts, the last three of which matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub database: Option<String>,
    pub schema: Option<String>,
    pub object: String,
}

impl Name {
    pub fn of(written: &ObjectName) -> Result<Name> {
        let parts: Vec<&str> = written
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(ident) => Ok(ident.value.as_str()),
                ObjectNamePart::Function(_) => Err(SqlError::unsupported(written)),
            })
            .collect::<Result<_>>()?;
        Ok(Name::of_parts(&parts))
    }

    /// From text, as OBJECT_ID takes it.
    pub fn parse(text: &str) -> Name {
        let parts: Vec<&str> = text.split('.').map(|part| part.trim_matches(['[', ']', '"', ' '])).collect();
        Name::of_parts(&parts)
    }

    fn of_parts(parts: &[&str]) -> Name {
        let mut last = parts.iter().rev().map(|part| (*part).to_owned());
        let object = last.next().unwrap_or_default();
        let schema = last.next().filter(|part| !part.is_empty());
        let database = last.next().filter(|part| !part.is_empty());
        Name { database, schema, object }
    }

    pub fn is_temporary(&self) -> bool {
        self.object.starts_with('#')
    }

    /// Whether the schema is the one of user tables.
    pub fn in_dbo(&self) -> bool {
        self.schema.as_deref().is_none_or(|schema| schema.eq_ignore_ascii_case("dbo"))
    }
}

/// Finds a table. `current` is the database for names without one.
pub fn find(sqlite: &Connection, name: &Name, current: &str) -> Result<Option<Table>> {
    match database_of(sqlite, name, current)? {
        Some(database) => read(sqlite, &database, &name.object),
        None => Ok(None),
    }
}

fn read(sqlite: &Connection, database: &str, table: &str) -> Result<Option<Table>> {
    let mut statement =
        sqlite.prepare_cached("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1, ?2)")?;
    let mut rows = statement.query([table, database])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let declared: String = row.get(1)?;
        let declared = declared.strip_prefix(DECLARED).unwrap_or(&declared);
        let (ty, identity) = declared.split_once(" identity").unwrap_or((declared, ""));
        let identity = identity.trim_matches(['(', ')']).split_once(',');
        let (ty, rowversion) = if ty == ROWVERSION { ("binary(8)", true) } else { (ty, false) };
        columns.push(Column {
            name: row.get(0)?,
            ty: ty.parse()?,
            nullable: !row.get::<_, bool>(2)?,
            rowversion,
            identity: identity.and_then(|(seed, increment)| Some((seed.parse().ok()?, increment.parse().ok()?))),
            default: row.get(3)?,
            key: Some(row.get(4)?).filter(|place| *place > 0),
        });
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let own = format!("SELECT name FROM {}.sqlite_master WHERE lower(name) = lower(?1)", quote(database));
    let name = sqlite.query_row(&own, [table], |row| row.get(0))?;
    Ok(Some(Table { database: database.to_owned(), name, columns }))
}

/// The database of a name, in its own spelling; `None` if there is none, or the name is not in dbo.
pub fn database_of(sqlite: &Connection, name: &Name, current: &str) -> Result<Option<String>> {
    if !name.in_dbo() {
        return Ok(None);
    }
    let wanted = if name.is_temporary() { "temp" } else { name.database.as_deref().unwrap_or(current) };
    database_named(sqlite, wanted)
}

/// The database with this name, in its own spelling, of those that the session sees.
pub fn database_named(sqlite: &Connection, wanted: &str) -> Result<Option<String>> {
    Ok(databases(sqlite)?.into_iter().find(|one| one.eq_ignore_ascii_case(wanted)))
}

/// The databases that the session sees, in the order of creation, including `temp` for temporary tables.
pub fn databases(sqlite: &Connection) -> Result<Vec<String>> {
    let mut statement = sqlite.prepare_cached("SELECT name FROM pragma_database_list")?;
    let names = statement.query_map([], |row| row.get(0))?;
    let mut names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    names.retain(|name| name != "main" && name != "temp");
    names.push("temp".to_owned());
    Ok(names)
}

/// All user tables of a database, by name.
pub fn tables(sqlite: &Connection, database: &str) -> Result<Vec<Table>> {
    let names = format!(
        "SELECT name FROM {}.sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' AND name <> {} \
         ORDER BY name",
        quote(database),
        literal(MODULES)
    );
    let names: Vec<String> =
        sqlite.prepare(&names)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut tables = Vec::new();
    for name in names {
        tables.extend(read(sqlite, database, &name)?);
    }
    Ok(tables)
}

/// A number for OBJECT_ID. SQLite has no permanent one, so it is computed from the name.
pub fn object_id(database: &str, name: &str) -> i32 {
    let text = format!("{database}.{name}").to_lowercase();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Positive, like those of user tables.
    (hash & 0x3fff_ffff) as i32 + 1000
}

/// A unique index or the primary key.
pub struct Index {
    pub name: String,
    pub unique: bool,
    pub primary: bool,
    pub columns: Vec<String>,
}

pub fn indexes(sqlite: &Connection, table: &Table) -> Result<Vec<Index>> {
    let mut statement = sqlite.prepare("SELECT name, \"unique\", origin FROM pragma_index_list(?1, ?2)")?;
    let mut rows = statement.query([&table.name, &table.database])?;
    let mut indexes = Vec::new();
    while let Some(row) = rows.next()? {
        let own: String = row.get(0)?;
        let mut columns = sqlite.prepare("SELECT name FROM pragma_index_info(?1, ?2) ORDER BY seqno")?;
        let columns = columns.query_map([&own, &table.database], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let origin: String = row.get(2)?;
        let name = match origin.as_str() {
            "pk" => format!("PK__{}", table.name),
            "u" => format!("UQ__{}", own.trim_start_matches("sqlite_autoindex_")),
            _ => own,
        };
        indexes.push(Index { name, unique: row.get(1)?, primary: origin == "pk", columns });
    }
    Ok(indexes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = Name::parse("tempdb..[#t]");
        assert_eq!(
            (name.database.as_deref(), name.schema.as_deref(), name.object.as_str()),
            (Some("tempdb"), None, "#t")
        );
        assert!(name.is_temporary() && name.in_dbo());
        assert!(!Name::parse("sys.tables").in_dbo());
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
