//! Expressions and conditions.

use rusqlite::types::Value as Kept;
use sqlparser::ast::{BinaryOperator, CaseWhen, CastKind, Expr, Function, Ident, ObjectName, UnaryOperator, Value};

use super::super::batch::CURRENT_OF;
use super::super::convert::unhex;
use super::super::types::{Family, Length, SqlType, decimal, longest, nvarchar};
use super::{Compiler, Kind, ScopeColumn, Typed};
use crate::error::{Result, SqlError};

impl Compiler<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<Typed> {
        match expression {
            Expr::Value(value) => literal(&value.value),
            Expr::Nested(inner) => {
                let inner = self.expression(inner)?;
                Ok(Typed { sql: format!("({})", inner.sql), ..inner })
            }
            Expr::Identifier(name) => self.identifier(name),
            Expr::CompoundIdentifier(parts) => self.column(parts),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                self.binary(left, op, right)
            }
            Expr::Cast { kind, expr, data_type, .. } => {
                let to = SqlType::of_cast(data_type)?;
                self.cast(expr, to, &[], matches!(kind, CastKind::TryCast | CastKind::SafeCast))
            }
            Expr::Convert { is_try, expr, data_type: Some(data_type), styles, .. } => {
                let to = SqlType::of_cast(data_type)?;
                self.cast(expr, to, styles, *is_try)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Subquery(query) => {
                let query = self.query(query)?;
                let [column] = query.columns.as_slice() else {
                    return Err(SqlError::new(
                        116,
                        16,
                        1,
                        "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
                    ));
                };
                Ok(Typed::new(format!("({})", query.sql), column.ty, true))
            }
            Expr::Collate { expr, collation } => {
                known_collation(collation)?;
                self.expression(expr)
            }
            Expr::Function(function) => self.function(function),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let arguments = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
                let arguments: Vec<&Expr> = arguments.into_iter().flatten().map(AsRef::as_ref).collect();
                self.builtin("SUBSTRING", &arguments)
            }
            Expr::Trim { expr, trim_where: None, trim_what: None, .. } => self.builtin("TRIM", &[expr]),
            Expr::Ceil { expr, .. } => self.builtin("CEILING", &[expr]),
            Expr::Floor { expr, .. } => self.builtin("FLOOR", &[expr]),
            other => Err(SqlError::unsupported(other)),
        }
    }

    /// A variable, or a column of the innermost query that has it.
    fn identifier(&mut self, name: &Ident) -> Result<Typed> {
        if name.quote_style.is_none() {
            if name.value.starts_with("@@") {
                let known = (self.env.session)(&name.value.to_ascii_uppercase());
                let (ty, value) = known.ok_or_else(|| must_declare(&name.value))?;
                return Ok(Typed::constant(ty, &value));
            }
            if name.value.starts_with('@') {
                return self.variable(&name.value);
            }
            // Functions that are written without parentheses.
            let word = name.value.to_ascii_uppercase();
            if matches!(word.as_str(), "SYSTEM_USER" | "SESSION_USER" | "CURRENT_USER" | "USER" | "CURRENT_TIMESTAMP") {
                return self.builtin(&word, &[]);
            }
        }
        self.column(std::slice::from_ref(name))
    }

    fn variable(&mut self, name: &str) -> Result<Typed> {
        let name = name.to_lowercase();
        match self.env.variables.get(&name) {
            Some(ty) => Ok(Typed::new(name, *ty, true)),
            None if self.env.undeclared => {
                Ok(Typed { sql: name.clone(), kind: Kind::Undeclared(name), nullable: true, identity: false })
            }
            None => Err(must_declare(&name)),
        }
    }

    /// `column`, `table.column`, `dbo.table.column`.
    fn column(&self, parts: &[Ident]) -> Result<Typed> {
        let (column, qualifier) = match parts {
            [.., qualifier, column] => (column, Some(qualifier)),
            [column] => (column, None),
            [] => return Err(SqlError::syntax("")),
        };
        for scope in self.scopes.iter().rev() {
            let tables =
                scope.iter().filter(|table| qualifier.is_none_or(|name| table.alias.eq_ignore_ascii_case(&name.value)));
            let mut found =
                tables.flat_map(|table| &table.columns).filter(|one| one.name.eq_ignore_ascii_case(&column.value));
            match (found.next(), found.next()) {
                (Some(one), None) => return Ok(one.typed()),
                (Some(_), Some(_)) => {
                    return Err(SqlError::new(209, 16, 1, format!("Ambiguous column name '{}'.", column.value)));
                }
                (None, _) => {}
            }
        }
        let known_table =
            |name: &Ident| self.scopes.iter().flatten().any(|table| table.alias.eq_ignore_ascii_case(&name.value));
        match qualifier {
            Some(name) if !known_table(name) => {
                let whole: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                let text = format!("The multi-part identifier \"{}\" could not be bound.", whole.join("."));
                Err(SqlError::new(4104, 16, 1, text))
            }
            _ => Err(SqlError::invalid_column(&column.value)),
        }
    }

    fn unary(&mut self, op: UnaryOperator, operand: &Expr) -> Result<Typed> {
        // Not the negation of a literal but a negative literal: -2147483648 is an int.
        if op == UnaryOperator::Minus
            && let Expr::Value(value) = operand
            && let Value::Number(digits, _) = &value.value
        {
            return number(&format!("-{digits}"));
        }
        let operand = self.expression(operand)?;
        match op {
            UnaryOperator::Plus => Ok(operand),
            UnaryOperator::Minus if operand.ty().family() == Family::Decimal => {
                Ok(Typed { sql: format!("tsql_negate({})", operand.sql), ..operand })
            }
            UnaryOperator::Minus => Ok(Typed { sql: format!("(- {})", operand.sql), identity: false, ..operand }),
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn binary(&mut self, left: Typed, op: &BinaryOperator, right: Typed) -> Result<Typed> {
        // An undeclared parameter or NULL gets the type of the other side.
        let (left, right) = match (left.known(), right.known()) {
            (Some(ty), None) => {
                let right = self.coerce(right, ty);
                (left, right)
            }
            (None, Some(ty)) => (self.coerce(left, ty), right),
            _ => (left, right),
        };
        let (a, b) = (left.ty(), right.ty());
        let nullable = left.nullable || right.nullable;
        let plain = |symbol: &str, ty: SqlType, left: &Typed, right: &Typed| {
            Typed::new(format!("({} {symbol} {})", left.sql, right.sql), ty, nullable)
        };
        let call = |function: &str, ty: SqlType, left: &Typed, right: &Typed| {
            Typed::new(format!("{function}({}, {})", left.sql, right.sql), ty, true)
        };
        let both = a.unify(b);
        if *op == BinaryOperator::Plus && (both.is_text() || both.family() == Family::Binary) {
            let ty = concatenated(a, b);
            let joined = plain("||", ty, &left, &right);
            return Ok(if ty.is_text() {
                joined
            } else {
                Typed { sql: format!("CAST({} AS BLOB)", joined.sql), ..joined }
            });
        }
        // The newer types do not support this.
        let counts_days = matches!(both, SqlType::DateTime | SqlType::SmallDateTime) && b.is_number();
        if counts_days && matches!(op, BinaryOperator::Plus | BinaryOperator::Minus) {
            let sign = if *op == BinaryOperator::Plus { "" } else { "-" };
            return Ok(Typed::new(
                format!("tsql_dateadd('DAY', {sign}{}, {}, '{both}')", right.sql, left.sql),
                both,
                nullable,
            ));
        }
        if !both.is_number() {
            let text = format!("Operand data type {} is invalid for {op} operator.", both.name());
            return Err(SqlError::new(8117, 16, 1, text));
        }
        let (left, right) = if both.family() == Family::Integer || both.family() == Family::Float {
            (self.coerce(left, both), self.coerce(right, both))
        } else {
            let side =
                |this: &Self, typed: Typed| if typed.ty().is_number() { typed } else { this.coerce(typed, both) };
            (side(self, left), side(self, right))
        };
        match both.family() {
            Family::Integer => {
                let ty = if both == SqlType::Bit { SqlType::Int } else { both };
                Ok(match op {
                    BinaryOperator::Plus => plain("+", ty, &left, &right),
                    BinaryOperator::Minus => plain("-", ty, &left, &right),
                    BinaryOperator::Multiply => plain("*", ty, &left, &right),
                    BinaryOperator::Divide => call("tsql_divide", ty, &left, &right),
                    BinaryOperator::Modulo => call("tsql_modulo", ty, &left, &right),
                    BinaryOperator::BitwiseAnd => plain("&", both, &left, &right),
                    BinaryOperator::BitwiseOr => plain("|", both, &left, &right),
                    BinaryOperator::BitwiseXor => {
                        Typed::new(format!("(({0} | {1}) - ({0} & {1}))", left.sql, right.sql), both, nullable)
                    }
                    other => return Err(SqlError::unsupported(other)),
                })
            }
            Family::Float => Ok(match op {
                BinaryOperator::Plus => plain("+", both, &left, &right),
                BinaryOperator::Minus => plain("-", both, &left, &right),
                BinaryOperator::Multiply => plain("*", both, &left, &right),
                BinaryOperator::Divide => call("tsql_divide_float", both, &left, &right),
                other => return Err(SqlError::unsupported(other)),
            }),
            _ => {
                let (ty, name) = exact_arithmetic(left.ty(), op, right.ty())?;
                Ok(Typed::new(format!("tsql_arithmetic('{name}', {}, {}, '{ty}')", left.sql, right.sql), ty, true))
            }
        }
    }

    fn cast(&mut self, expression: &Expr, to: SqlType, styles: &[Expr], try_it: bool) -> Result<Typed> {
        let typed = self.expression(expression)?;
        self.hint(&typed, to);
        let Some(from) = typed.known() else {
            return Ok(Typed { kind: Kind::Of(to), ..typed });
        };
        let style = match styles {
            [] => "0".to_owned(),
            [style, ..] => self.expression(style)?.sql,
        };
        let function = if try_it { "tsql_try_convert" } else { "tsql_convert" };
        Ok(Typed::new(format!("{function}({}, '{from}', '{to}', {style}, 0)", typed.sql), to, typed.nullable || try_it))
    }

    fn case(&mut self, operand: Option<&Expr>, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> Result<Typed> {
        let operand = operand.map(|operand| self.expression(operand)).transpose()?;
        let mut branches = Vec::new();
        for CaseWhen { condition, result } in conditions {
            let condition = match &operand {
                Some(operand) => {
                    let value = self.expression(condition)?;
                    self.comparison(operand.clone(), "=", value)
                }
                None => self.predicate(condition)?,
            };
            branches.push((condition, self.expression(result)?));
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.expression(otherwise)?,
            None => null(),
        };
        let ty = self.unified(branches.iter().map(|(_, result)| result).chain([&otherwise])).unwrap_or(SqlType::Int);
        let mut nullable = otherwise.nullable;
        let mut sql = "CASE".to_owned();
        for (condition, result) in branches {
            nullable |= result.nullable;
            sql += &format!(" WHEN {condition} THEN {}", self.coerce(result, ty).sql);
        }
        let otherwise = self.coerce(otherwise, ty);
        Ok(Typed::new(format!("{sql} ELSE {} END", otherwise.sql), ty, nullable))
    }

    /// `CURRENT OF` a cursor by its name, or the row with a number: the table's own row number identifies it.
    fn current_row(&mut self, function: &Function) -> Result<String> {
        let written = function.args.to_string();
        let asked = written.trim_matches(['(', ')', '\'']);
        if asked.parse::<i64>().is_ok() {
            return Ok(format!("rowid = {asked}"));
        }
        match (self.env.session)(&format!("{CURRENT_OF} {asked}")) {
            Some((_, Kept::Integer(row))) => Ok(format!("rowid = {row}")),
            _ => Err(SqlError::new(16916, 16, 1, format!("A cursor with the name '{asked}' does not exist."))),
        }
    }

    /// A condition in WHERE, ON, HAVING, CASE or IF.
    pub(super) fn predicate(&mut self, condition: &Expr) -> Result<String> {
        match condition {
            Expr::Nested(inner) => Ok(format!("({})", self.predicate(inner)?)),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(format!("(NOT {})", self.predicate(expr)?)),
            Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                Ok(format!("({} {op} {})", self.predicate(left)?, self.predicate(right)?))
            }
            Expr::BinaryOp { left, op, right } => {
                let symbol = match op {
                    BinaryOperator::Eq => "=",
                    BinaryOperator::NotEq => "<>",
                    BinaryOperator::Lt => "<",
                    BinaryOperator::LtEq => "<=",
                    BinaryOperator::Gt => ">",
                    BinaryOperator::GtEq => ">=",
                    _ => return Err(no_condition(condition)),
                };
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                Ok(self.comparison(left, symbol, right))
            }
            Expr::IsNull(inner) => Ok(format!("({} IS NULL)", self.expression(inner)?.sql)),
            Expr::IsNotNull(inner) => Ok(format!("({} IS NOT NULL)", self.expression(inner)?.sql)),
            Expr::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.expression(expr)?, self.expression(low)?, self.expression(high)?);
                let from = self.comparison(value.clone(), ">=", low);
                let to = self.comparison(value, "<=", high);
                Ok(format!("({}({from} AND {to}))", if *negated { "NOT " } else { "" }))
            }
            Expr::InList { expr, list, negated } => {
                let value = self.expression(expr)?;
                let mut any = Vec::new();
                for one in list {
                    let one = self.expression(one)?;
                    any.push(self.comparison(value.clone(), "=", one));
                }
                Ok(format!("({}({}))", if *negated { "NOT " } else { "" }, any.join(" OR ")))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let value = self.expression(expr)?;
                let query = self.query(subquery)?;
                let ty = query.columns.first().map_or(SqlType::Int, |column| column.ty);
                let value = self.coerce(value, ty);
                Ok(format!("({} {}IN ({}))", collated(&value.sql, ty), if *negated { "NOT " } else { "" }, query.sql))
            }
            Expr::Function(function) if function.name.to_string() == CURRENT_OF => self.current_row(function),
            Expr::Exists { subquery, negated } => {
                Ok(format!("({}EXISTS ({}))", if *negated { "NOT " } else { "" }, self.query(subquery)?.sql))
            }
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                let (value, pattern) = (self.expression(expr)?, self.expression(pattern)?);
                let text = |this: &Self, typed: Typed| {
                    let ty = if typed.ty().is_text() { typed.ty() } else { nvarchar(Length::Of(4000)) };
                    this.coerce(typed, ty).sql
                };
                let (value, pattern) = (text(self, value), text(self, pattern));
                let escape = match escape_char {
                    Some(Value::SingleQuotedString(escape) | Value::NationalStringLiteral(escape)) => {
                        format!(", {}", super::super::schema::literal(escape))
                    }
                    Some(other) => return Err(SqlError::unsupported(other)),
                    None => String::new(),
                };
                Ok(format!("({}tsql_like({value}, {pattern}{escape}))", if *negated { "NOT " } else { "" }))
            }
            _ => Err(no_condition(condition)),
        }
    }

    /// A comparison, after both sides were converted to one type.
    pub(super) fn comparison(&mut self, left: Typed, symbol: &str, right: Typed) -> String {
        let ty = self.unified([&left, &right]);
        let (left, right) = match ty {
            Some(ty) => (self.coerce(left, ty), self.coerce(right, ty)),
            None => (left, right),
        };
        let collated = ty.map_or(left.sql.clone(), |ty| collated(&left.sql, ty));
        format!("({collated} {symbol} {})", right.sql)
    }
}

impl ScopeColumn {
    fn typed(&self) -> Typed {
        Typed { sql: self.sql.clone(), kind: Kind::Of(self.ty), nullable: self.nullable, identity: self.identity }
    }
}

/// Adds the collation with which the type compares and sorts.
pub(super) fn collated(sql: &str, ty: SqlType) -> String {
    match ty.collation() {
        Some(collation) => format!("{sql} COLLATE {collation}"),
        None => sql.to_owned(),
    }
}

/// There is only one way to compare texts; any name for it is accepted.
pub(super) fn known_collation(name: &ObjectName) -> Result<()> {
    let name = name.to_string().to_ascii_uppercase();
    if name.ends_with("_CI_AS") || name == "DATABASE_DEFAULT" {
        Ok(())
    } else {
        Err(SqlError::unsupported(format!("the collation {name}")))
    }
}

pub(super) fn null() -> Typed {
    Typed { sql: "NULL".to_owned(), kind: Kind::Null, nullable: true, identity: false }
}

fn must_declare(name: &str) -> SqlError {
    SqlError::new(137, 15, 2, format!("Must declare the scalar variable \"{name}\"."))
}

fn no_condition(expression: &Expr) -> SqlError {
    let text = format!(
        "An expression of non-boolean type specified in a context where a condition is expected, near '{expression}'."
    );
    SqlError::new(4145, 15, 1, text)
}

/// The type of two concatenated strings; a value that is not a string counts with the length of its text.
pub(super) fn concatenated(a: SqlType, b: SqlType) -> SqlType {
    let length = match (a.display_length(), b.display_length()) {
        (Length::Of(a), Length::Of(b)) => Length::Of(a.saturating_add(b).min(8000)),
        _ => longest(Length::Max, Length::Max),
    };
    let both = a.unify(b);
    match both.family() {
        Family::Binary => SqlType::VarBinary(length),
        _ if both.is_unicode() => nvarchar(length),
        _ => SqlType::VarChar(length),
    }
}

/// The type of exact arithmetic, by SQL Server's rules for precision and scale.
fn exact_arithmetic(a: SqlType, op: &BinaryOperator, b: SqlType) -> Result<(SqlType, &'static str)> {
    let wide = |ty: SqlType| {
        let (precision, scale) = ty.as_decimal();
        (i32::from(precision), i32::from(scale))
    };
    let ((p1, s1), (p2, s2)) = (wide(a), wide(b));
    let scale = s1.max(s2);
    let (ty, name) = match op {
        BinaryOperator::Plus => (decimal((p1 - s1).max(p2 - s2) + scale + 1, scale), "add"),
        BinaryOperator::Minus => (decimal((p1 - s1).max(p2 - s2) + scale + 1, scale), "subtract"),
        BinaryOperator::Multiply => (decimal(p1 + p2 + 1, s1 + s2), "multiply"),
        BinaryOperator::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (decimal(p1 - s1 + s2 + scale, scale), "divide")
        }
        BinaryOperator::Modulo => (decimal((p1 - s1).min(p2 - s2) + scale, scale), "modulo"),
        other => return Err(SqlError::unsupported(other)),
    };
    let money = |ty| matches!(ty, SqlType::Money | SqlType::SmallMoney);
    let stays_money =
        (money(a) && !matches!(b, SqlType::Decimal { .. })) || (money(b) && !matches!(a, SqlType::Decimal { .. }));
    Ok((if stays_money { SqlType::Money } else { ty }, name))
}

fn literal(value: &Value) -> Result<Typed> {
    let units = |text: &str| text.encode_utf16().count().clamp(1, usize::from(u16::MAX)) as u16;
    match value {
        Value::Number(digits, _) => number(digits),
        Value::SingleQuotedString(text) => {
            let length = if units(text) > 8000 { Length::Max } else { Length::Of(units(text)) };
            Ok(Typed::constant(SqlType::VarChar(length), &Kept::Text(text.clone())))
        }
        Value::NationalStringLiteral(text) => {
            let length = if units(text) > 4000 { Length::Max } else { Length::Of(units(text)) };
            Ok(Typed::constant(SqlType::NVarChar(length), &Kept::Text(text.clone())))
        }
        Value::HexStringLiteral(digits) => {
            let odd = if digits.len() % 2 == 1 { "0" } else { "" };
            let bytes = unhex(&format!("{odd}{digits}")).ok_or_else(|| SqlError::syntax(digits))?;
            let length = if bytes.len() > 8000 { Length::Max } else { Length::Of(bytes.len().max(1) as u16) };
            Ok(Typed::constant(SqlType::VarBinary(length), &Kept::Blob(bytes)))
        }
        Value::Null => Ok(null()),
        other => Err(SqlError::unsupported(other)),
    }
}

/// `1` is an int, `1.5` a numeric(2,1), `1e0` a float, as in SQL Server.
fn number(digits: &str) -> Result<Typed> {
    let syntax = || SqlError::syntax(digits);
    if digits.contains(['e', 'E']) {
        let value = digits.parse().map_err(|_| syntax())?;
        return Ok(Typed::constant(SqlType::Float, &Kept::Real(value)));
    }
    if let Ok(value) = digits.parse::<i32>() {
        return Ok(Typed::constant(SqlType::Int, &Kept::Integer(i64::from(value))));
    }
    let value = super::super::decimal::Decimal::parse(digits).ok_or_else(|| {
        SqlError::new(
            1007,
            15,
            1,
            format!("The number '{digits}' is out of the range for numeric representation (maximum precision 38)."),
        )
    })?;
    let precision = value.mantissa.unsigned_abs().to_string().len().max(usize::from(value.scale)).max(1) as u8;
    Ok(Typed::constant(SqlType::Decimal { precision, scale: value.scale }, &Kept::Text(value.to_string())))
}
