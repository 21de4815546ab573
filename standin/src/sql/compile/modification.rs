//! INSERT, UPDATE and DELETE.

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, SetExpr, TableFactor, TableObject, TableWithJoins,
    UpdateTableFromKind,
};

use super::super::modules;
use super::super::schema::{self, Column, Name, Table, literal, quote};
use super::{Compiler, Typed};
use crate::error::{Result, SqlError};

const NEXT_VERSION: &str = "tsql_rowversion()";
const EXPLICIT_VERSION: &str = "Cannot insert an explicit value into a timestamp column. Use INSERT with a column list to exclude the timestamp column, or insert a DEFAULT into the timestamp column.";

/// A compiled statement that changes rows.
pub struct Modification {
    pub sql: String,
    pub table: Table,
}

fn target(compiler: &Compiler<'_>, name: &Name) -> Result<Table> {
    match schema::find(compiler.env.sqlite, name, compiler.env.database)? {
        Some(table) => Ok(table),
        None if modules::named(compiler.env.sqlite, name, compiler.env.database)?.is_some() => {
            Err(SqlError::unsupported("changing rows through a view"))
        }
        None => Err(SqlError::invalid_object(&name.object)),
    }
}

/// `explicit_identity`: the table has IDENTITY_INSERT on.
pub fn insert(
    compiler: &mut Compiler<'_>,
    insert: &Insert,
    explicit_identity: impl Fn(&Table) -> bool,
) -> Result<Modification> {
    let TableObject::TableName(name) = &insert.table else {
        return Err(SqlError::unsupported(&insert.table));
    };
    let table = target(compiler, &Name::of(name)?)?;
    let mut columns = Vec::new();
    for name in &insert.columns {
        columns.push(table.column(&name.value).ok_or_else(|| SqlError::invalid_column(&name.value))?);
    }
    let explicit = explicit_identity(&table);
    // DEFAULT VALUES names no columns.
    if insert.columns.is_empty() && insert.source.is_some() {
        columns.extend(table.columns.iter().filter(|column| explicit || column.identity.is_none()));
    }
    if !explicit && columns.iter().any(|column| column.identity.is_some()) {
        let text = format!(
            "Cannot insert explicit value for identity column in table '{}' when IDENTITY_INSERT is set to OFF.",
            table.name
        );
        return Err(SqlError::new(544, 16, 1, text));
    }
    let mut names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
    let mut generated = Vec::new();
    for column in table.columns.iter().filter(|column| !columns.contains(column)) {
        if let Some(value) = next_value(&table, column).filter(|_| column.identity.is_none() || !explicit) {
            names.push(quote(&column.name));
            generated.push(value);
        }
    }
    let source = source(compiler, insert, &columns, &generated)?;
    let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    Ok(Modification { sql: format!("INSERT INTO {}{list} {source}", table.sql()), table })
}

/// An INSERT of one row of a bulk load into these columns, with its values as parameters.
pub fn insert_row(table: &Table, columns: &[&Column], keep_nulls: bool) -> String {
    let value = |(column, at): (&&Column, usize)| match &column.default {
        Some(default) if !keep_nulls => format!("coalesce(?{at}, ({default}))"),
        _ => format!("?{at}"),
    };
    let mut values: Vec<String> = columns.iter().zip(1..).map(value).collect();
    let mut names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
    for column in table.columns.iter().filter(|column| !columns.contains(column)) {
        if let Some(value) = next_value(table, column) {
            names.push(quote(&column.name));
            values.push(value);
        }
    }
    format!("INSERT INTO {} ({}) VALUES ({})", table.sql(), names.join(", "), values.join(", "))
}

/// The generated value of a column: the next identity, or the next version.
fn next_value(table: &Table, column: &Column) -> Option<String> {
    let identity = || format!("tsql_identity({}, {})", literal(&table.database), literal(&table.name));
    column.identity.as_ref().map(|_| identity()).or_else(|| column.rowversion.then(|| NEXT_VERSION.to_owned()))
}

/// The rows of an INSERT, with the generated values at the end.
fn source(compiler: &mut Compiler<'_>, insert: &Insert, columns: &[&Column], generated: &[String]) -> Result<String> {
    let wrong_count = |more: bool| {
        let (number, which) = if more { (110, "fewer") } else { (109, "more") };
        let text =
            format!("There are {which} columns in the INSERT statement than values specified in the VALUES clause.");
        SqlError::new(number, 15, 1, text)
    };
    let Some(query) = &insert.source else {
        let some = !generated.is_empty();
        return Ok(if some { format!("VALUES ({})", generated.join(", ")) } else { "DEFAULT VALUES".to_owned() });
    };
    if let SetExpr::Values(values) = query.body.as_ref() {
        let mut rows = Vec::new();
        for row in &values.rows {
            if row.len() != columns.len() {
                return Err(wrong_count(row.len() > columns.len()));
            }
            let mut cells = Vec::new();
            for (value, column) in row.iter().zip(columns) {
                cells.push(cell(compiler, value, column)?);
            }
            cells.extend_from_slice(generated);
            rows.push(format!("({})", cells.join(", ")));
        }
        return Ok(format!("VALUES {}", rows.join(", ")));
    }
    let compiled = compiler.query(query)?;
    if compiled.columns.len() != columns.len() {
        let more = compiled.columns.len() > columns.len();
        let (number, which) = if more { (121, "more") } else { (120, "fewer") };
        let text = format!("The select list for the INSERT statement contains {which} items than the insert list.");
        return Err(SqlError::new(number, 15, 1, text));
    }
    let mut cells = Vec::new();
    for (at, (from, column)) in compiled.columns.iter().zip(columns).enumerate() {
        if column.rowversion {
            return Err(SqlError::new(273, 16, 1, EXPLICIT_VERSION));
        }
        let value = Typed::new(format!("c{}", at + 1), from.ty, from.nullable);
        cells.push(compiler.assign(value, column.ty).sql);
    }
    cells.extend_from_slice(generated);
    // WHERE keeps SQLite from parsing the text after FROM as an upsert.
    Ok(format!("SELECT {} FROM ({}) WHERE true", cells.join(", "), compiled.sql))
}

/// A value for a column, which may be DEFAULT.
fn cell(compiler: &mut Compiler<'_>, value: &Expr, column: &Column) -> Result<String> {
    if let Expr::Identifier(word) = value
        && word.quote_style.is_none()
        && word.value.eq_ignore_ascii_case("DEFAULT")
    {
        if column.rowversion {
            return Ok(NEXT_VERSION.to_owned());
        }
        return Ok(column.default.as_ref().map_or("NULL".to_owned(), |default| format!("({default})")));
    }
    let value = compiler.expression(value)?;
    if column.rowversion && value.known().is_some() {
        return Err(SqlError::new(273, 16, 1, EXPLICIT_VERSION));
    }
    Ok(if column.rowversion { NEXT_VERSION.to_owned() } else { compiler.assign(value, column.ty).sql })
}

/// The table of UPDATE and DELETE, which may be given by its alias in FROM.
fn named_table(compiler: &Compiler<'_>, written: &Name, from: &[TableWithJoins]) -> Result<(Table, String)> {
    for table in
        from.iter().flat_map(|one| std::iter::once(&one.relation).chain(one.joins.iter().map(|join| &join.relation)))
    {
        if let TableFactor::Table { name, alias: Some(alias), .. } = table
            && alias.name.value.eq_ignore_ascii_case(&written.object)
        {
            return Ok((target(compiler, &Name::of(name)?)?, alias.name.value.clone()));
        }
    }
    let table = target(compiler, written)?;
    let alias = table.name.clone();
    Ok((table, alias))
}

/// The condition that selects the rows. With FROM it uses the row's number in a query over the joined tables.
fn rows(compiler: &mut Compiler<'_>, alias: &str, from: &[TableWithJoins], selection: Option<&Expr>) -> Result<String> {
    if from.is_empty() {
        return Ok(match selection {
            Some(condition) => format!(" WHERE {}", compiler.predicate(condition)?),
            None => String::new(),
        });
    }
    compiler.scopes.push(Vec::new());
    let joined = compiler.from(from)?;
    let condition = selection.map(|condition| compiler.predicate(condition)).transpose()?;
    compiler.scopes.pop();
    let condition = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
    Ok(format!(" WHERE rowid IN (SELECT {}.rowid{joined}{condition})", quote(alias)))
}

pub fn update(
    compiler: &mut Compiler<'_>,
    table: &TableWithJoins,
    assignments: &[Assignment],
    from: Option<&UpdateTableFromKind>,
    selection: Option<&Expr>,
) -> Result<Modification> {
    let TableFactor::Table { name, .. } = &table.relation else {
        return Err(SqlError::unsupported(&table.relation));
    };
    let from = match from {
        Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from.as_slice(),
        None => &[],
    };
    let (table, alias) = named_table(compiler, &Name::of(name)?, from)?;
    compiler.scopes.push(Vec::new());
    if from.is_empty() {
        compiler.introduce_table(&alias, &table);
    }
    // With FROM, SQLite joins the other tables to the updated one by its row number.
    let joined = compiler.from(from)?;
    let mut set = Vec::new();
    for Assignment { target, value } in assignments {
        let AssignmentTarget::ColumnName(target) = target else {
            return Err(SqlError::unsupported(target));
        };
        let target = Name::of(target)?.object;
        let column = table.column(&target).ok_or_else(|| SqlError::invalid_column(&target))?;
        if column.identity.is_some() {
            return Err(SqlError::new(8102, 16, 1, format!("Cannot update identity column '{target}'.")));
        }
        if column.rowversion {
            return Err(SqlError::new(272, 16, 1, "Cannot update a timestamp column."));
        }
        set.push((quote(&column.name), cell(compiler, value, column)?));
    }
    let versions = table.columns.iter().filter(|column| column.rowversion);
    set.extend(versions.map(|column| (quote(&column.name), NEXT_VERSION.to_owned())));
    let sql = if from.is_empty() {
        let set: Vec<String> = set.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let rows = rows(compiler, &alias, &[], selection)?;
        format!("UPDATE {} AS {} SET {}{rows}", table.sql(), quote(&alias), set.join(", "))
    } else {
        let condition = selection.map(|condition| compiler.predicate(condition)).transpose()?;
        let condition = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
        let values: Vec<String> = set.iter().enumerate().map(|(at, (_, value))| format!("{value} AS v{at}")).collect();
        let set: Vec<String> = set.iter().enumerate().map(|(at, (name, _))| format!("{name} = joined.v{at}")).collect();
        format!(
            "UPDATE {0} AS updated SET {1} FROM (SELECT {2}.rowid AS row, {3}{joined}{condition}) AS joined WHERE updated.rowid = joined.row",
            table.sql(),
            set.join(", "),
            quote(&alias),
            values.join(", ")
        )
    };
    compiler.scopes.pop();
    Ok(Modification { sql, table })
}

pub fn delete(compiler: &mut Compiler<'_>, delete: &Delete) -> Result<Modification> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let written = match (delete.tables.first(), from.first()) {
        (Some(name), _) => Name::of(name)?,
        (None, Some(TableWithJoins { relation: TableFactor::Table { name, .. }, .. })) => Name::of(name)?,
        _ => return Err(SqlError::unsupported(delete)),
    };
    let joined = if delete.tables.is_empty() { &[][..] } else { from.as_slice() };
    let (table, alias) = named_table(compiler, &written, joined)?;
    compiler.scopes.push(Vec::new());
    if joined.is_empty() {
        compiler.introduce_table(&alias, &table);
    }
    let rows = rows(compiler, &alias, joined, delete.selection.as_ref())?;
    compiler.scopes.pop();
    Ok(Modification { sql: format!("DELETE FROM {} AS {}{rows}", table.sql(), quote(&alias)), table })
}
