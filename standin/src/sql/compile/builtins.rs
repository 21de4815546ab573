//! T-SQL's functions: their types, and the equivalent SQL for SQLite.

use sqlparser::ast::{DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, WindowType};

use super::super::modules;
use super::super::schema::{self, Name};
use super::super::types::{Family, Length, SqlType, decimal, nvarchar};
use super::expression::{collated, concatenated};
use super::{Compiler, Kind, Typed};
use crate::error::{Result, SqlError};

impl Compiler<'_> {
    pub(super) fn function(&mut self, function: &Function) -> Result<Typed> {
        let name = Name::of(&function.name)?.object.to_ascii_uppercase();
        let (arguments, distinct) = match &function.args {
            FunctionArguments::None => (Vec::new(), false),
            FunctionArguments::List(list) => {
                let arguments = list.args.iter().map(argument).collect::<Result<Vec<_>>>()?;
                (arguments, list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
            }
            FunctionArguments::Subquery(_) => return Err(SqlError::unsupported(function)),
        };
        let over = match &function.over {
            None => String::new(),
            Some(WindowType::WindowSpec(spec)) => {
                let mut parts = Vec::new();
                if !spec.partition_by.is_empty() {
                    let by =
                        spec.partition_by.iter().map(|by| Ok(self.expression(by)?.sql)).collect::<Result<Vec<_>>>()?;
                    parts.push(format!("PARTITION BY {}", by.join(", ")));
                }
                if !spec.order_by.is_empty() {
                    let by = spec.order_by.iter().map(|by| self.sort_key(by)).collect::<Result<Vec<_>>>()?;
                    parts.push(format!("ORDER BY {}", by.join(", ")));
                }
                if spec.window_frame.is_some() {
                    return Err(SqlError::unsupported("a window frame"));
                }
                format!(" OVER ({})", parts.join(" "))
            }
            Some(other) => return Err(SqlError::unsupported(format!("OVER {other}"))),
        };
        if !function.within_group.is_empty() || function.filter.is_some() || function.null_treatment.is_some() {
            return Err(SqlError::unsupported(function));
        }
        if let Some(typed) = self.aggregate(&name, &arguments, distinct, &over)? {
            self.aggregated = true;
            return Ok(typed);
        }
        let arguments: Vec<&Expr> =
            arguments.into_iter().map(|one| one.ok_or_else(|| SqlError::syntax("*"))).collect::<Result<_>>()?;
        self.builtin(&name, &arguments)
    }

    /// Aggregates and window functions. An argument of `None` is the star of `COUNT(*)`.
    fn aggregate(
        &mut self,
        name: &str,
        arguments: &[Option<&Expr>],
        distinct: bool,
        over: &str,
    ) -> Result<Option<Typed>> {
        let distinct = if distinct { "DISTINCT " } else { "" };
        let given = |ty, sql: String, nullable| Ok(Some(Typed::new(format!("{sql}{over}"), ty, nullable)));
        match (name, arguments) {
            ("COUNT", [None]) => return given(SqlType::Int, "count(*)".to_owned(), false),
            ("COUNT_BIG", [None]) => return given(SqlType::BigInt, "count(*)".to_owned(), false),
            ("ROW_NUMBER" | "RANK" | "DENSE_RANK", []) => {
                return given(SqlType::BigInt, format!("{}()", name.to_lowercase()), false);
            }
            _ => {}
        }
        if !matches!(name, "COUNT" | "COUNT_BIG" | "SUM" | "AVG" | "MIN" | "MAX" | "STRING_AGG" | "STDEV") {
            return Ok(None);
        }
        let Some(Some(first)) = arguments.first() else {
            return Err(SqlError::syntax(")"));
        };
        let value = self.expression(first)?;
        let ty = value.ty();
        let sql = &value.sql;
        let total = match ty {
            SqlType::BigInt => SqlType::BigInt,
            SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
            SqlType::Real | SqlType::Float => SqlType::Float,
            SqlType::Money | SqlType::SmallMoney => SqlType::Money,
            SqlType::Decimal { scale, .. } => SqlType::Decimal { precision: 38, scale },
            _ => ty,
        };
        let numeric = matches!(name, "SUM" | "AVG" | "STDEV");
        if numeric && (!ty.is_number() || ty == SqlType::Bit) {
            let text = format!("Operand data type {} is invalid for {} operator.", ty.name(), name.to_lowercase());
            return Err(SqlError::new(8117, 16, 1, text));
        }
        match name {
            "COUNT" => given(SqlType::Int, format!("count({distinct}{sql})"), false),
            "COUNT_BIG" => given(SqlType::BigInt, format!("count({distinct}{sql})"), false),
            "MIN" | "MAX" => given(ty, format!("{}({})", name.to_lowercase(), collated(sql, ty)), true),
            "STDEV" => {
                let value = self.coerce(value, SqlType::Float);
                given(SqlType::Float, format!("tsql_stdev({distinct}{})", value.sql), true)
            }
            "STRING_AGG" => {
                let Some(Some(separator)) = arguments.get(1) else {
                    return Err(SqlError::syntax(")"));
                };
                let separator = self.expression(separator)?;
                given(nvarchar(Length::Max), format!("group_concat({sql}, {})", separator.sql), true)
            }
            "SUM" if ty.family() == Family::Decimal => given(total, format!("tsql_sum({distinct}{sql})"), true),
            "SUM" => given(total, format!("sum({distinct}{sql})"), true),
            _ => match total.family() {
                Family::Decimal => {
                    let scale = total.as_decimal().1.max(6);
                    let average = if total == SqlType::Money { total } else { decimal(38, i32::from(scale)) };
                    let quotient = format!(
                        "tsql_arithmetic('divide', tsql_sum({distinct}{sql}){over}, nullif(count({distinct}{sql}){over}, 0), '{average}')"
                    );
                    Ok(Some(Typed::new(quotient, average, true)))
                }
                Family::Float => given(total, format!("avg({distinct}{sql})"), true),
                _ => Ok(Some(Typed::new(
                    format!("(sum({distinct}{sql}){over} / count({distinct}{sql}){over})"),
                    total,
                    true,
                ))),
            },
        }
    }

    /// A scalar function.
    pub(super) fn builtin(&mut self, name: &str, written: &[&Expr]) -> Result<Typed> {
        match (name, written) {
            ("OBJECT_ID", [object, ..]) => return self.object_id(object),
            ("IIF", [condition, yes, no]) => {
                let condition = self.predicate(condition)?;
                let (yes, no) = (self.expression(yes)?, self.expression(no)?);
                let ty = self.unified([&yes, &no]).unwrap_or(SqlType::Int);
                let (yes, no) = (self.coerce(yes, ty), self.coerce(no, ty));
                let sql = format!("CASE WHEN {condition} THEN {} ELSE {} END", yes.sql, no.sql);
                return Ok(Typed::new(sql, ty, yes.nullable || no.nullable));
            }
            ("DATEADD" | "DATEDIFF" | "DATEPART" | "DATENAME", [part, ..]) => {
                return self.date_function(name, part, &written[1..]);
            }
            (
                "SERVERPROPERTY" | "DATABASEPROPERTYEX" | "CONNECTIONPROPERTY" | "SESSIONPROPERTY" | "DB_NAME"
                | "SUSER_SNAME" | "SCHEMA_NAME" | "USER_NAME" | "IS_SRVROLEMEMBER" | "HAS_DBACCESS",
                _,
            ) => {
                // For a property the name is the key; the other functions ask about the session itself.
                let property = match written {
                    [Expr::Value(value)] if matches!(name, "SERVERPROPERTY" | "CONNECTIONPROPERTY") => {
                        value.value.clone().into_string().unwrap_or_default()
                    }
                    _ => String::new(),
                };
                let key = format!("{name} {}", property.to_ascii_uppercase());
                let key = key.trim_end();
                let (ty, value) =
                    (self.env.session)(key).unwrap_or((nvarchar(Length::Of(128)), rusqlite::types::Value::Null));
                return Ok(Typed::constant(ty, &value));
            }
            (_, []) => {
                if let Some((ty, value)) = (self.env.session)(name) {
                    return Ok(Typed::constant(ty, &value));
                }
            }
            _ => {}
        }
        let arguments = written.iter().map(|one| self.expression(one)).collect::<Result<Vec<_>>>()?;
        self.applied(name, arguments)
    }

    fn applied(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let count = arguments.len();
        let wrong_count = || {
            SqlError::new(
                174,
                15,
                1,
                format!(
                    "The {} function was given {count} argument(s), which is not what it takes.",
                    name.to_lowercase()
                ),
            )
        };
        let nullable = arguments.iter().any(|one| one.nullable);
        let sqls = |arguments: &[Typed]| arguments.iter().map(|one| one.sql.clone()).collect::<Vec<_>>().join(", ");
        // Text functions also accept numbers and dates, as text.
        let as_text = |this: &Self, typed: Typed| {
            if typed.known().is_some_and(SqlType::is_text) {
                typed
            } else {
                this.coerce(typed, SqlType::NVarChar(Length::Of(4000)))
            }
        };
        match name {
            // The clock is UTC.
            "GETDATE" | "GETUTCDATE" | "CURRENT_TIMESTAMP" => {
                return Ok(Typed::new("tsql_now('datetime')", SqlType::DateTime, false));
            }
            "SYSDATETIME" | "SYSUTCDATETIME" => {
                return Ok(Typed::new("tsql_now('datetime2(7)')", SqlType::DateTime2(7), false));
            }
            "SYSDATETIMEOFFSET" => {
                return Ok(Typed::new("tsql_now('datetimeoffset(7)')", SqlType::DateTimeOffset(7), false));
            }
            "NEWID" => return Ok(Typed::new("tsql_newid()", SqlType::UniqueIdentifier, false)),
            "PI" => return Ok(Typed::new("3.141592653589793", SqlType::Float, false)),
            "RAND" => return Ok(Typed::new("abs(random() / 9223372036854775808.0)", SqlType::Float, false)),
            "COALESCE" if count > 0 => {
                let ty = self.unified(&arguments).unwrap_or(SqlType::Int);
                let nullable = arguments.iter().all(|one| one.nullable);
                let arguments: Vec<Typed> = arguments.into_iter().map(|one| self.coerce(one, ty)).collect();
                // SQLite's function needs two arguments.
                return Ok(Typed::new(format!("coalesce({}, NULL)", sqls(&arguments)), ty, nullable));
            }
            "CONCAT" if count > 0 => {
                let ty =
                    arguments.iter().map(Typed::ty).reduce(concatenated).unwrap_or(SqlType::VarChar(Length::Of(1)));
                let ty = if ty.is_text() { ty } else { SqlType::VarChar(Length::Of(8000)) };
                let parts: Vec<String> =
                    arguments.into_iter().map(|one| format!("coalesce({}, '')", as_text(self, one).sql)).collect();
                return Ok(Typed::new(format!("({})", parts.join(" || ")), ty, false));
            }
            _ => {}
        }
        let mut rest = arguments.into_iter();
        let mut next = || rest.next().ok_or_else(wrong_count);
        let first = next()?;
        let typed = match name {
            "ISNULL" => {
                let second = next()?;
                let ty = first.known().or(second.known()).unwrap_or(SqlType::Int);
                let nullable = second.nullable;
                let second = match second.known() {
                    // The type is the first argument's, whose length may be too short for the second.
                    Some(from) if from != ty => self.converted(second, ty, false),
                    _ => self.coerce(second, ty),
                };
                let first = self.coerce(first, ty);
                Typed::new(format!("ifnull({}, {})", first.sql, second.sql), ty, nullable)
            }
            "NULLIF" => {
                let second = next()?;
                let equal = self.comparison(first.clone(), "=", second);
                Typed::new(format!("CASE WHEN {equal} THEN NULL ELSE {} END", first.sql), first.ty(), true)
            }
            "LEN" => Typed::new(format!("tsql_len({})", as_text(self, first).sql), SqlType::Int, nullable),
            "DATALENGTH" => {
                Typed::new(format!("tsql_datalength({}, '{}')", first.sql, first.ty()), SqlType::Int, nullable)
            }
            "UPPER" | "LOWER" | "LTRIM" | "RTRIM" | "TRIM" | "REVERSE" => {
                let first = as_text(self, first);
                let ty = varying(first.ty());
                Typed::new(format!("tsql_{}({})", name.to_lowercase(), first.sql), ty, nullable)
            }
            "LEFT" | "RIGHT" | "REPLICATE" => {
                let (first, second) = (as_text(self, first), next()?);
                let ty = if name == "REPLICATE" { longest_of(first.ty()) } else { varying(first.ty()) };
                let sql = format!("tsql_{}({}, {})", name.to_lowercase(), first.sql, second.sql);
                // A result that has become too long is truncated.
                self.converted(Typed::new(sql, ty, nullable), ty, false)
            }
            "SUBSTRING" => {
                let first = if first.ty().family() == Family::Binary { first } else { as_text(self, first) };
                let (start, length) = (next()?, next()?);
                let ty = varying(first.ty());
                Typed::new(format!("tsql_substring({}, {}, {})", first.sql, start.sql, length.sql), ty, nullable)
            }
            "REPLACE" => {
                let (first, second, third) = (as_text(self, first), next()?, next()?);
                let (ty, second, third) = (longest_of(first.ty()), as_text(self, second), as_text(self, third));
                let sql = format!("tsql_replace({}, {}, {})", first.sql, second.sql, third.sql);
                self.converted(Typed::new(sql, ty, nullable), ty, false)
            }
            "CHARINDEX" => {
                let (second, start) = (next()?, next().map_or("1".to_owned(), |start| start.sql));
                let (first, second) = (as_text(self, first), as_text(self, second));
                return Ok(Typed::new(
                    format!("tsql_charindex({}, {}, {start})", first.sql, second.sql),
                    SqlType::Int,
                    nullable,
                ));
            }
            "CHAR" | "NCHAR" => {
                let ty = if name == "CHAR" { SqlType::Char(1) } else { SqlType::NChar(1) };
                Typed::new(format!("tsql_char({}, '{ty}')", first.sql), ty, true)
            }
            "ASCII" | "UNICODE" => Typed::new(format!("unicode({})", as_text(self, first).sql), SqlType::Int, true),
            "SPACE" => {
                Typed::new(format!("tsql_replicate(' ', {})", first.sql), SqlType::VarChar(Length::Of(8000)), nullable)
            }
            "QUOTENAME" => Typed::new(
                format!("'[' || replace({}, ']', ']]') || ']'", as_text(self, first).sql),
                nvarchar(Length::Of(258)),
                nullable,
            ),
            "ABS" | "SIGN" | "FLOOR" | "CEILING" => {
                let first = if first.ty().is_number() { first } else { self.coerce(first, SqlType::Float) };
                let ty = first.ty();
                let whole = match (name, ty) {
                    ("FLOOR" | "CEILING", SqlType::Decimal { precision, .. }) => {
                        SqlType::Decimal { precision, scale: 0 }
                    }
                    _ => ty,
                };
                Typed::new(format!("tsql_{}({})", name.to_lowercase(), first.sql), whole, nullable)
            }
            "ROUND" => {
                let digits = next()?;
                let first = if first.ty().is_number() { first } else { self.coerce(first, SqlType::Float) };
                let ty = first.ty();
                Typed::new(format!("tsql_round({}, {})", first.sql, digits.sql), ty, nullable)
            }
            "SQRT" | "EXP" | "LOG" | "LOG10" | "SIN" | "COS" | "TAN" | "SQUARE" => {
                let first = self.coerce(first, SqlType::Float);
                Typed::new(format!("tsql_math('{name}', {})", first.sql), SqlType::Float, nullable)
            }
            "POWER" => {
                let (ty, second) = (first.ty(), next()?);
                let (first, second) = (self.coerce(first, SqlType::Float), self.coerce(second, SqlType::Float));
                let raised = Typed::new(format!("tsql_power({}, {})", first.sql, second.sql), SqlType::Float, nullable);
                if ty.is_number() { self.assign(raised, ty) } else { raised }
            }
            "YEAR" | "MONTH" | "DAY" => {
                let first = self.as_moment(first);
                Typed::new(format!("tsql_datepart('{name}', {}, '{}')", first.sql, first.ty()), SqlType::Int, nullable)
            }
            "EOMONTH" => {
                let first = self.coerce(first, SqlType::Date);
                Typed::new(format!("tsql_eomonth({})", first.sql), SqlType::Date, nullable)
            }
            "DATEFROMPARTS" => {
                let (second, third) = (next()?, next()?);
                Typed::new(
                    format!("tsql_datefromparts({}, {}, {})", first.sql, second.sql, third.sql),
                    SqlType::Date,
                    true,
                )
            }
            "ISNUMERIC" => Typed::new(format!("tsql_isnumeric({})", as_text(self, first).sql), SqlType::Int, false),
            _ => {
                let text = format!("'{}' is not a recognized built-in function name.", name.to_lowercase());
                return Err(SqlError::new(195, 15, 10, text));
            }
        };
        if next().is_ok() { Err(wrong_count()) } else { Ok(typed) }
    }

    fn as_moment(&self, typed: Typed) -> Typed {
        match typed.ty().family() {
            Family::Date | Family::Time | Family::DateTime | Family::DateTimeOffset => typed,
            _ => self.coerce(typed, SqlType::DateTime2(7)),
        }
    }

    fn date_function(&mut self, name: &str, part: &Expr, arguments: &[&Expr]) -> Result<Typed> {
        let Expr::Identifier(part) = part else {
            return Err(SqlError::unsupported(part));
        };
        let part = date_part(&part.value).ok_or_else(|| {
            SqlError::new(155, 15, 1, format!("'{}' is not a recognized {} option.", part.value, name.to_lowercase()))
        })?;
        let arguments = arguments.iter().map(|one| self.expression(one)).collect::<Result<Vec<_>>>()?;
        let nullable = arguments.iter().any(|one| one.nullable);
        match (name, <[Typed; 2]>::try_from(arguments)) {
            ("DATEADD", Ok([count, moment])) => {
                let moment =
                    if moment.ty().is_text() { self.coerce(moment, SqlType::DateTime) } else { self.as_moment(moment) };
                let (count, ty) = (self.coerce(count, SqlType::Int), moment.ty());
                Ok(Typed::new(format!("tsql_dateadd('{part}', {}, {}, '{ty}')", count.sql, moment.sql), ty, nullable))
            }
            ("DATEDIFF", Ok([from, to])) => {
                let (from, to) = (self.as_moment(from), self.as_moment(to));
                let sql = format!("tsql_datediff('{part}', {}, '{}', {}, '{}')", from.sql, from.ty(), to.sql, to.ty());
                Ok(Typed::new(sql, SqlType::Int, nullable))
            }
            (_, Err(arguments)) if matches!(name, "DATEPART" | "DATENAME") && arguments.len() == 1 => {
                let moment = arguments.into_iter().next().ok_or_else(|| SqlError::syntax(")"))?;
                let moment = self.as_moment(moment);
                let number = Typed::new(
                    format!("tsql_datepart('{part}', {}, '{}')", moment.sql, moment.ty()),
                    SqlType::Int,
                    nullable,
                );
                Ok(if name == "DATEPART" { number } else { self.coerce(number, nvarchar(Length::Of(30))) })
            }
            _ => Err(SqlError::new(
                174,
                15,
                1,
                format!("The {} function requires another number of arguments.", name.to_lowercase()),
            )),
        }
    }

    /// Resolved while compiling, right before the statement runs.
    fn object_id(&mut self, object: &Expr) -> Result<Typed> {
        let written = match object {
            Expr::Value(value) => value.value.clone().into_string(),
            Expr::Identifier(variable) if variable.value.starts_with('@') => {
                let variable = self.expression(object)?;
                self.hint(&variable, nvarchar(Length::Of(4000)));
                match (self.env.session)(&object.to_string().to_uppercase()) {
                    Some((_, rusqlite::types::Value::Text(text))) => Some(text),
                    _ => None,
                }
            }
            _ => return Err(SqlError::unsupported("OBJECT_ID of anything but a literal or a variable")),
        };
        let name = Name::parse(&written.unwrap_or_default());
        let table = schema::find(self.env.sqlite, &name, self.env.database)?.map(|table| (table.database, table.name));
        let module = || modules::named(self.env.sqlite, &name, self.env.database);
        let found = match table {
            Some(table) => Some(table),
            None => module()?.map(|(database, module)| (database, module.name.object)),
        };
        let id = found.map(|(database, name)| schema::object_id(&database, &name));
        let sql = id.map_or("NULL".to_owned(), |id| id.to_string());
        Ok(Typed { sql, kind: Kind::Of(SqlType::Int), nullable: true, identity: false })
    }
}

fn argument(argument: &FunctionArg) -> Result<Option<&Expr>> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Ok(Some(expression)),
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(None),
        other => Err(SqlError::unsupported(other)),
    }
}

/// The canonical name of a part of a date, which has several names.
fn date_part(written: &str) -> Option<&'static str> {
    Some(match written.to_ascii_lowercase().as_str() {
        "year" | "yy" | "yyyy" => "YEAR",
        "quarter" | "qq" | "q" => "QUARTER",
        "month" | "mm" | "m" => "MONTH",
        "dayofyear" | "dy" | "y" => "DAYOFYEAR",
        "day" | "dd" | "d" => "DAY",
        "week" | "wk" | "ww" => "WEEK",
        "weekday" | "dw" => "WEEKDAY",
        "hour" | "hh" => "HOUR",
        "minute" | "mi" | "n" => "MINUTE",
        "second" | "ss" | "s" => "SECOND",
        "millisecond" | "ms" => "MILLISECOND",
        "microsecond" | "mcs" => "MICROSECOND",
        _ => return None,
    })
}

/// A string type without padding.
fn varying(ty: SqlType) -> SqlType {
    match ty {
        SqlType::Char(n) => SqlType::VarChar(Length::Of(n)),
        SqlType::NChar(n) => SqlType::NVarChar(Length::Of(n)),
        SqlType::Binary(n) => SqlType::VarBinary(Length::Of(n)),
        _ => ty,
    }
}

/// A string type for a result that can grow.
fn longest_of(ty: SqlType) -> SqlType {
    match (ty.is_max(), ty.is_unicode()) {
        (true, _) => ty,
        (_, true) => SqlType::NVarChar(Length::Of(4000)),
        _ => SqlType::VarChar(Length::Of(8000)),
    }
}
