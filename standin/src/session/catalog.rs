//! The procedures behind ODBC's catalog functions: SQLTables, SQLColumns, SQLPrimaryKeys, SQLStatistics,
//! SQLSpecialColumns, SQLGetTypeInfo, SQLProcedures, SQLProcedureColumns.

use rusqlite::types::Value;

use super::Session;
use super::catalog_columns::{
    COLUMN_COLUMNS, FOREIGN_KEY_COLUMNS, KEY_COLUMNS, PROCEDURE_COLUMNS, PROCEDURE_PARAMETERS, SPECIAL_COLUMNS,
    STATISTICS_COLUMNS, TABLE_COLUMNS, TYPE_COLUMNS, VERSION_COLUMNS,
};
use super::odbc_types::odbc_type;
use crate::error::Result;
use crate::sql::batch::{Body, Declared};
use crate::sql::functions::like;
use crate::sql::modules;
use crate::sql::schema::{self, Column, Index, Table};
use crate::sql::system_views::{number, text};
use crate::sql::types::{Family, Length, SqlType};
use crate::wire::rpc::{Call, Parameter};
use crate::wire::tokens::{ResultColumn, SERVER_VERSION};

/// A result that is made here, not by SQLite.
pub(super) struct Listing {
    pub columns: Vec<ResultColumn>,
    pub rows: Vec<Vec<Value>>,
}

impl Listing {
    pub fn new(columns: &[(&str, SqlType)], rows: Vec<Vec<Value>>) -> Listing {
        Listing { columns: ResultColumn::plain(columns), rows }
    }
}

/// What clients ask of xp_msver, which pyodbc's own tests do: the version.
fn version(wanted: &Wanted<'_>) -> Listing {
    let [major, minor] = SERVER_VERSION;
    let product = text(format!("{major}.{minor}.0.0"));
    let mut rows = vec![
        vec![number(1), text("ProductName"), Value::Null, text("loopback-odbc stand-in (not SQL Server)")],
        vec![number(2), text("ProductVersion"), number(i64::from(major) << 16 | i64::from(minor)), product],
    ];
    rows.retain(|row| matches!(&row[1], Value::Text(name) if wanted.has("@optname", 0, name)));
    Listing::new(&VERSION_COLUMNS, rows)
}

fn maybe(number: Option<i64>) -> Value {
    number.map_or(Value::Null, Value::Integer)
}

/// The parameters with the names of tables, and their positions in most procedures.
const TABLE_PARAMETERS: [(&str, usize); 3] = [("@table_name", 0), ("@table_owner", 1), ("@table_qualifier", 2)];

/// The objects that a caller asks for: names, or patterns of them.
struct Wanted<'c> {
    call: &'c Call,
    patterns: bool,
}

impl Wanted<'_> {
    fn text(&self, name: &str, at: usize) -> Option<&str> {
        self.call.parameter(name, at).and_then(Parameter::text)
    }

    /// Whether a name is wanted; without a pattern every name is.
    fn has(&self, parameter: &str, at: usize, name: &str) -> bool {
        match self.text(parameter, at) {
            None => true,
            Some(pattern) if self.patterns => like(name, pattern, Some('\\')),
            Some(wanted) => wanted.eq_ignore_ascii_case(name),
        }
    }
}

impl Session {
    /// The answer of a catalog procedure; `None` if it is not one.
    pub(super) fn catalog(&self, call: &Call) -> Result<Option<Listing>> {
        let patterns = call.parameter("@fUsePattern", usize::MAX).and_then(Parameter::integer) != Some(0);
        let wanted = Wanted { call, patterns };
        Ok(Some(match call.procedure.as_str() {
            "sp_datatype_info" | "sp_datatype_info_90" | "sp_datatype_info_100" => {
                let code = call.parameter("@data_type", 0).and_then(Parameter::integer).unwrap_or(0);
                type_info(code)
            }
            "sp_tables" => self.tables(&wanted)?,
            "sp_columns" | "sp_columns_90" | "sp_columns_100" => self.columns(&wanted)?,
            "sp_pkeys" => self.primary_keys(&wanted)?,
            "sp_statistics" | "sp_statistics_90" | "sp_statistics_100" => self.statistics(&wanted)?,
            "sp_special_columns" | "sp_special_columns_90" | "sp_special_columns_100" => {
                self.special_columns(&wanted)?
            }
            // There are none of these, so the answer is empty.
            "sp_fkeys" => Listing::new(&FOREIGN_KEY_COLUMNS, Vec::new()),
            "sp_stored_procedures" => self.procedures(&wanted)?,
            "sp_sproc_columns" | "sp_sproc_columns_90" | "sp_sproc_columns_100" => self.procedure_columns(&wanted)?,
            "xp_msver" => version(&wanted),
            _ => return Ok(None),
        }))
    }

    /// The tables of the requested database, or of the current one.
    fn found(&self, wanted: &Wanted<'_>, names: [(&str, usize); 3]) -> Result<Vec<Table>> {
        let [table, owner, qualifier] = names;
        let asked = wanted.text(qualifier.0, qualifier.1).filter(|asked| !asked.is_empty() && *asked != "%");
        // A temporary table can be requested by name.
        let temporary =
            wanted.text(table.0, table.1).is_some_and(|name| name.trim_start_matches('\\').starts_with('#'));
        let database = match asked {
            _ if temporary || asked.is_some_and(|asked| asked.eq_ignore_ascii_case("tempdb")) => "temp".to_owned(),
            Some(asked) => match schema::database_named(&self.sqlite, asked)? {
                Some(database) => database,
                None => return Ok(Vec::new()),
            },
            None => self.database.clone(),
        };
        let database = database.as_str();
        let mut tables = schema::tables(&self.sqlite, database)?;
        if database != "temp" {
            let modules = modules::all(&self.sqlite, database)?;
            tables.extend(modules.iter().filter_map(|module| self.view(module, database)));
        }
        tables.retain(|one| wanted.has(table.0, table.1, &one.name) && wanted.has(owner.0, owner.1, "dbo"));
        Ok(tables)
    }

    fn tables(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let said = |name, at| wanted.text(name, at);
        let (table, owner, qualifier) = (said("@table_name", 0), said("@table_owner", 1), said("@table_qualifier", 2));
        let kinds = said("@table_type", 3);
        let nothing = |text: Option<&str>| text.is_none_or(str::is_empty);
        // ODBC's three enumerations.
        let rows = if qualifier == Some("%") && nothing(table) && nothing(owner) {
            let mut names = schema::databases(&self.sqlite)?;
            names.retain(|name| name != "temp");
            names.into_iter().map(|name| vec![text(name), Value::Null, Value::Null, Value::Null, Value::Null]).collect()
        } else if owner == Some("%") && nothing(table) && table.is_some() && nothing(qualifier) {
            vec![vec![Value::Null, text("dbo"), Value::Null, Value::Null, Value::Null]]
        } else if kinds.is_some_and(|kinds| kinds.trim_matches('\'') == "%")
            && nothing(table)
            && nothing(owner)
            && table.is_some()
        {
            ["TABLE", "VIEW"].map(|kind| vec![Value::Null, Value::Null, Value::Null, text(kind), Value::Null]).into()
        } else {
            let wants = |kind: &str| {
                kinds.is_none_or(|kinds| {
                    kinds.is_empty()
                        || kinds == "%"
                        || kinds.to_uppercase().contains(&format!("'{kind}'"))
                        || kinds.eq_ignore_ascii_case(kind)
                })
            };
            let mut rows = Vec::new();
            for table in self.found(wanted, TABLE_PARAMETERS)? {
                let view =
                    table.database != "temp" && modules::find(&self.sqlite, &table.database, &table.name)?.is_some();
                let kind = if view { "VIEW" } else { "TABLE" };
                if wants(kind) {
                    rows.push(vec![
                        text(shown(&table.database)),
                        text("dbo"),
                        text(table.name),
                        text(kind),
                        Value::Null,
                    ]);
                }
            }
            rows
        };
        Ok(Listing::new(&TABLE_COLUMNS, rows))
    }

    fn columns(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let tables = self.found(wanted, TABLE_PARAMETERS)?;
        let mut rows = Vec::new();
        for table in &tables {
            for (column, place) in table.columns.iter().zip(1..) {
                if wanted.has("@column_name", 3, &column.name) {
                    rows.push(column_row(table, column, place));
                }
            }
        }
        Ok(Listing::new(&COLUMN_COLUMNS, rows))
    }

    fn primary_keys(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let exact = Wanted { call: wanted.call, patterns: false };
        let tables = self.found(&exact, TABLE_PARAMETERS)?;
        let mut rows = Vec::new();
        for table in &tables {
            let mut keys: Vec<&Column> = table.columns.iter().filter(|column| column.key.is_some()).collect();
            keys.sort_by_key(|column| column.key);
            for (column, place) in keys.into_iter().zip(1i64..) {
                rows.push(vec![
                    text(shown(&table.database)),
                    text("dbo"),
                    text(&table.name),
                    text(&column.name),
                    number(place),
                    text(format!("PK__{}", table.name)),
                ]);
            }
        }
        Ok(Listing::new(&KEY_COLUMNS, rows))
    }

    fn statistics(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let exact = Wanted { call: wanted.call, patterns: false };
        let tables = self.found(&exact, TABLE_PARAMETERS)?;
        let unique_only = wanted.text("@is_unique", 4) == Some("Y");
        let mut rows = Vec::new();
        for table in &tables {
            let names = |kind: i64| {
                vec![
                    text(shown(&table.database)),
                    text("dbo"),
                    text(&table.name),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                    number(kind),
                ]
            };
            let mut whole = names(0);
            whole.extend(std::iter::repeat_n(Value::Null, 6));
            rows.push(whole);
            for index in schema::indexes(&self.sqlite, table)? {
                if unique_only && !index.unique {
                    continue;
                }
                for (column, place) in index.columns.iter().zip(1i64..) {
                    let mut row = names(if index.primary { 1 } else { 3 });
                    row[3] = number(i64::from(!index.unique));
                    row[4] = text(&table.name);
                    row[5] = text(&index.name);
                    row.extend([number(place), text(column), text("A"), Value::Null, Value::Null, Value::Null]);
                    rows.push(row);
                }
            }
        }
        Ok(Listing::new(&STATISTICS_COLUMNS, rows))
    }

    /// The requested procedures, with the name of their database and their parameters.
    fn found_procedures(&self, wanted: &Wanted<'_>, names: [&str; 3]) -> Result<Vec<(String, String, Vec<Declared>)>> {
        let [procedure, owner, qualifier] = names;
        let asked = wanted.text(qualifier, 2).filter(|asked| !asked.is_empty() && *asked != "%");
        let Some(database) = schema::database_named(&self.sqlite, asked.unwrap_or(&self.database))? else {
            return Ok(Vec::new());
        };
        let modules = modules::all(&self.sqlite, &database)?.into_iter();
        let found = modules.filter_map(|module| match module.body {
            Body::Procedure { parameters, .. }
                if wanted.has(procedure, 0, &module.name.object) && wanted.has(owner, 1, "dbo") =>
            {
                Some((database.clone(), module.name.object, parameters))
            }
            _ => None,
        });
        Ok(found.collect())
    }

    fn procedures(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let found = self.found_procedures(wanted, ["@sp_name", "@sp_owner", "@sp_qualifier"])?;
        let row = |(database, name, _): (String, String, _)| {
            // The numbers of parameters and results are not reported; 2 is a function with a return value.
            let [unknown, function] = [-1, 2].map(Value::Integer);
            let name = text(format!("{name};1"));
            vec![text(database), text("dbo"), name, unknown.clone(), unknown.clone(), unknown, Value::Null, function]
        };
        Ok(Listing::new(&PROCEDURE_COLUMNS, found.into_iter().map(row).collect()))
    }

    fn procedure_columns(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        // SQL_PARAM_INPUT, SQL_PARAM_INPUT_OUTPUT, SQL_RETURN_VALUE
        let [input, both, returned_value] = [1i64, 2, 5];
        let mut rows = Vec::new();
        for (database, name, parameters) in
            self.found_procedures(wanted, ["@procedure_name", "@procedure_owner", "@procedure_qualifier"])?
        {
            let returned = ("@RETURN_VALUE".to_owned(), returned_value, SqlType::Int);
            let mut all = vec![returned];
            for parameter in parameters {
                let kind = if parameter.output { both } else { input };
                all.push((parameter.name, kind, SqlType::of(&parameter.data_type)?));
            }
            for ((column, kind, ty), place) in all.into_iter().zip(0i64..) {
                if wanted.has("@column_name", 3, &column) {
                    let mut row =
                        vec![text(&database), text("dbo"), text(format!("{name};1")), text(&column), number(kind)];
                    let column = Column {
                        name: column,
                        ty,
                        nullable: kind != returned_value,
                        identity: None,
                        rowversion: false,
                        default: None,
                        key: None,
                    };
                    row.extend(described_cells(&column, place));
                    row.extend(std::iter::repeat_n(Value::Null, 8));
                    row.push(number(old_type(ty, column.nullable)));
                    rows.push(row);
                }
            }
        }
        Ok(Listing::new(&PROCEDURE_PARAMETERS, rows))
    }

    /// The columns that identify a row best, from the primary key or a unique index; or those that change with the row.
    fn special_columns(&self, wanted: &Wanted<'_>) -> Result<Listing> {
        let exact = Wanted { call: wanted.call, patterns: false };
        let names = [("@table_name", 0), ("@table_owner", 1), ("@qualifier", 2)];
        let versions = wanted.text("@col_type", 3) == Some("V");
        let mut rows = Vec::new();
        for table in &self.found(&exact, names)? {
            let indexes = schema::indexes(&self.sqlite, table)?;
            let best: Option<&Index> =
                indexes.iter().find(|index| index.primary).or(indexes.iter().find(|index| index.unique));
            let of_best = |column: &&Column| best.is_some_and(|index| index.columns.contains(&column.name));
            for column in
                table.columns.iter().filter(|column| if versions { column.rowversion } else { of_best(column) })
            {
                let scope = if versions { Value::Null } else { number(1) };
                let mut row = vec![scope, text(&column.name)];
                row.extend(type_cells(column));
                row.push(number(1));
                rows.push(row);
            }
        }
        Ok(Listing::new(&SPECIAL_COLUMNS, rows))
    }
}

/// The database's name as SQL Server spells it.
fn shown(database: &str) -> &str {
    if database == "temp" { "tempdb" } else { database }
}

/// DATA_TYPE, TYPE_NAME (with the mark of an identity column), PRECISION, LENGTH and SCALE.
fn type_cells(column: &Column) -> [Value; 5] {
    let odbc = odbc_type(column.ty);
    let identity = if column.identity.is_some() { " identity" } else { "" };
    let name = if column.rowversion { "timestamp" } else { column.ty.name() };
    let name = format!("{name}{identity}");
    [number(odbc.code), text(name), number(odbc.size), number(odbc.bytes), maybe(odbc.scale)]
}

/// The type's number in the oldest protocol, which SS_DATA_TYPE still reports.
fn old_type(ty: SqlType, nullable: bool) -> i64 {
    match ty.family() {
        Family::Text => 39,
        Family::Binary => 37,
        Family::Integer if ty == SqlType::Bit => 50,
        Family::Integer if nullable => 38,
        Family::Float if nullable => 109,
        Family::Decimal if matches!(ty, SqlType::Decimal { .. }) => 106,
        Family::Decimal if nullable => 110,
        Family::Guid => 37,
        Family::DateTime if nullable => 111,
        _ => match ty {
            SqlType::TinyInt => 48,
            SqlType::SmallInt => 52,
            SqlType::Int => 56,
            SqlType::BigInt => 63,
            SqlType::Real => 59,
            SqlType::Float => 62,
            SqlType::Money => 60,
            SqlType::SmallMoney => 122,
            SqlType::SmallDateTime => 58,
            SqlType::DateTime => 61,
            _ => 0,
        },
    }
}

/// The cells that SQLColumns and SQLProcedureColumns share, from DATA_TYPE to IS_NULLABLE.
fn described_cells(column: &Column, place: i64) -> Vec<Value> {
    let odbc = odbc_type(column.ty);
    let default = column.default.as_ref().map_or(Value::Null, |default| text(format!("({default})")));
    let mut cells = type_cells(column).to_vec();
    cells.extend([
        maybe(odbc.radix),
        number(column.nullable),
        Value::Null,
        default,
        number(odbc.verbose),
        maybe(odbc.subcode),
        maybe(odbc.octets),
        number(place),
        text(if column.nullable { "YES" } else { "NO" }),
    ]);
    cells
}

fn column_row(table: &Table, column: &Column, place: i64) -> Vec<Value> {
    let mut row = vec![text(shown(&table.database)), text("dbo"), text(&table.name), text(&column.name)];
    row.extend(described_cells(column, place));
    row.extend([number(0), number(0), number(0), number(column.identity.is_some())]);
    row.extend(std::iter::repeat_n(Value::Null, 6));
    row.push(number(old_type(column.ty, column.nullable)));
    row
}

/// One row for every type, in the order of SQL Server: by the ODBC code.
fn type_info(code: i64) -> Listing {
    let longest = |ty| match ty {
        SqlType::Char(_) => SqlType::Char(8000),
        SqlType::VarChar(_) => SqlType::VarChar(Length::Of(8000)),
        other => other,
    };
    let types: [(SqlType, Option<&str>, &str, &str); 23] = [
        (SqlType::DateTimeOffset(7), Some("scale"), "'", "'"),
        (SqlType::Time(7), Some("scale"), "'", "'"),
        (SqlType::UniqueIdentifier, None, "'", "'"),
        (SqlType::NVarChar(Length::Of(4000)), Some("max length"), "N'", "'"),
        (SqlType::NChar(4000), Some("length"), "N'", "'"),
        (SqlType::Bit, None, "", ""),
        (SqlType::TinyInt, None, "", ""),
        (SqlType::BigInt, None, "", ""),
        (SqlType::VarBinary(Length::Of(8000)), Some("max length"), "0x", ""),
        (SqlType::Binary(8000), Some("length"), "0x", ""),
        (SqlType::Char(1), Some("length"), "'", "'"),
        (SqlType::Decimal { precision: 38, scale: 0 }, Some("precision,scale"), "", ""),
        (SqlType::Money, None, "$", ""),
        (SqlType::SmallMoney, None, "$", ""),
        (SqlType::Int, None, "", ""),
        (SqlType::SmallInt, None, "", ""),
        (SqlType::Float, None, "", ""),
        (SqlType::Real, None, "", ""),
        (SqlType::VarChar(Length::Of(1)), Some("max length"), "'", "'"),
        (SqlType::Date, None, "'", "'"),
        (SqlType::DateTime2(7), Some("scale"), "'", "'"),
        (SqlType::DateTime, None, "'", "'"),
        (SqlType::SmallDateTime, None, "'", "'"),
    ];
    let rows = types
        .into_iter()
        .map(|(ty, parameters, prefix, suffix)| (longest(ty), parameters, prefix, suffix))
        .filter(|(ty, ..)| code == 0 || odbc_type(*ty).code == code)
        .map(|(ty, parameters, prefix, suffix)| {
            let odbc = odbc_type(ty);
            let quoted = |mark: &str| if mark.is_empty() { Value::Null } else { text(mark) };
            let numeric = ty.is_number() && ty != SqlType::Bit;
            let exact = numeric && ty.family() != Family::Float;
            vec![
                text(ty.name()),
                number(odbc.code),
                number(odbc.size),
                quoted(prefix),
                quoted(suffix),
                parameters.map_or(Value::Null, text),
                number(1),
                number(0),
                // Text can only be searched with LIKE; everything else with everything except LIKE.
                number(if ty.is_text() { 3 } else { 2 }),
                if numeric { number(ty == SqlType::TinyInt) } else { Value::Null },
                number(matches!(ty, SqlType::Money | SqlType::SmallMoney)),
                if numeric { number(0) } else { Value::Null },
                text(ty.name()),
                maybe(odbc.scale.map(|scale| {
                    if matches!(
                        ty,
                        SqlType::Decimal { .. } | SqlType::DateTime2(_) | SqlType::Time(_) | SqlType::DateTimeOffset(_)
                    ) {
                        0
                    } else {
                        scale
                    }
                })),
                maybe(odbc.scale.map(|scale| if matches!(ty, SqlType::Decimal { .. }) { 38 } else { scale })),
                number(odbc.verbose),
                maybe(odbc.subcode),
                if exact { number(10) } else { maybe(odbc.radix) },
                Value::Null,
                number(0),
            ]
        })
        .collect();
    Listing::new(&TYPE_COLUMNS, rows)
}
