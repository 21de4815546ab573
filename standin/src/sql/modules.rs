//! Procedures and views. They are stored as the T-SQL that created them, in a table of every database, so they are
//! transactional and shared like tables.

use rusqlite::{Connection, OptionalExtension};

use super::batch::{self, Command, Module};
use super::schema::{self, MODULES, Name, quote};
use crate::error::Result;

/// Creates the table in a new database.
pub fn prepare(sqlite: &Connection, database: &str) -> Result<()> {
    let columns = "(name TEXT PRIMARY KEY COLLATE NOCASE, text TEXT NOT NULL)";
    Ok(sqlite.execute_batch(&format!("CREATE TABLE {} {columns}", place(database)))?)
}

fn place(database: &str) -> String {
    format!("{}.{}", quote(database), quote(MODULES))
}

/// The module with a name, and its database.
pub fn named(sqlite: &Connection, name: &Name, current: &str) -> Result<Option<(String, Module)>> {
    let database = schema::database_of(sqlite, name, current)?.filter(|database| database != "temp");
    let Some(database) = database else {
        return Ok(None);
    };
    Ok(find(sqlite, &database, &name.object)?.map(|module| (database, module)))
}

pub fn find(sqlite: &Connection, database: &str, name: &str) -> Result<Option<Module>> {
    let sql = format!("SELECT text FROM {} WHERE name = ?1", place(database));
    let text: Option<String> = sqlite.query_row(&sql, [name], |row| row.get(0)).optional()?;
    text.map(|text| read(&text)).transpose().map(Option::flatten)
}

/// All modules of a database, by name.
pub fn all(sqlite: &Connection, database: &str) -> Result<Vec<Module>> {
    let mut statement = sqlite.prepare(&format!("SELECT text FROM {} ORDER BY name", place(database)))?;
    let texts = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    texts.iter().filter_map(|text| read(text).transpose()).collect()
}

pub fn keep(sqlite: &Connection, database: &str, module: &Module) -> Result<()> {
    let sql = format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", place(database));
    sqlite.execute(&sql, [&module.name.object, &module.text])?;
    Ok(())
}

pub fn drop(sqlite: &Connection, database: &str, name: &str) -> Result<()> {
    sqlite.execute(&format!("DELETE FROM {} WHERE name = ?1", place(database)), [name])?;
    Ok(())
}

fn read(text: &str) -> Result<Option<Module>> {
    let module = batch::parse(text)?.into_iter().find_map(|one| match one.command {
        Command::Create(module) => Some(*module),
        _ => None,
    });
    Ok(module)
}
