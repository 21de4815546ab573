//! Queries.
//!
//! In SQLite's SQL every column of every query gets its own name (`c1`, `c2`, ...), because T-SQL columns may share a
//! name or have none.

use sqlparser::ast::{
    self, Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderBy, OrderByExpr,
    OrderByKind, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableFactor, TableWithJoins, Top, TopQuantity, Value,
};

use super::super::modules;
use super::super::schema::{self, Name, quote};
use super::super::system_views;
use super::super::types::SqlType;
use super::definition;
use super::expression::collated;
use super::{CommonTable, Compiler, Kind, ScopeColumn, ScopeTable, Typed};
use crate::error::{Result, SqlError};
use crate::wire::tokens::ResultColumn;

/// A compiled query.
pub struct Query {
    pub sql: String,
    pub columns: Vec<ResultColumn>,
    /// `SELECT ... INTO` this table.
    pub into: Option<ObjectName>,
    /// `SELECT @a = ..., @b = ...`: the variables, one for each column.
    pub assigned: Vec<String>,
}

/// An item of the select list.
struct Item {
    typed: Typed,
    name: String,
}

impl Item {
    fn column(&self) -> ResultColumn {
        ResultColumn {
            name: self.name.clone(),
            ty: self.typed.ty(),
            nullable: self.typed.nullable,
            identity: self.typed.identity,
        }
    }
}

impl Compiler<'_> {
    pub(super) fn query(&mut self, query: &ast::Query) -> Result<Query> {
        let known = self.common.len();
        let outcome = self.query_with(query);
        self.common.truncate(known);
        outcome
    }

    fn query_with(&mut self, query: &ast::Query) -> Result<Query> {
        if let Some(form) = &query.for_clause {
            return Err(SqlError::unsupported(form));
        }
        let mut with = Vec::new();
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            with.push(self.common_table(&table.alias, &table.query)?);
        }
        let limit = match (&query.limit_clause, &query.fetch) {
            (None, None) => String::new(),
            (Some(LimitClause::LimitOffset { limit: None, offset: Some(offset), .. }), fetch) => {
                let skipped = self.expression(&offset.value)?.sql;
                let quantity = fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref());
                let count = match quantity {
                    Some(count) => self.expression(count)?.sql,
                    None => "-1".to_owned(),
                };
                format!(" LIMIT {count} OFFSET {skipped}")
            }
            _ => return Err(SqlError::syntax("LIMIT")),
        };
        let mut compiled = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, query.order_by.as_ref(), &limit)?,
            body => {
                let mut compiled = self.body(body)?;
                let order = self.order_of_columns(query.order_by.as_ref(), &compiled.columns)?;
                compiled.sql = format!("{}{order}{limit}", compiled.sql);
                compiled
            }
        };
        if !with.is_empty() {
            compiled.sql = format!("WITH RECURSIVE {} {}", with.join(", "), compiled.sql);
        }
        Ok(compiled)
    }

    /// Compiles a common table expression and registers it. One that refers to itself is registered while it is
    /// compiled.
    pub(super) fn common_table(&mut self, alias: &TableAlias, query: &ast::Query) -> Result<String> {
        let renamed = |mut columns: Vec<ResultColumn>| {
            for (column, name) in columns.iter_mut().zip(&alias.columns) {
                column.name.clone_from(&name.name.value);
            }
            CommonTable { name: alias.name.value.clone(), columns }
        };
        let names_itself = query.body.to_string().to_lowercase().contains(&alias.name.value.to_lowercase());
        if names_itself
            && let SetExpr::SetOperation { left, set_quantifier: SetQuantifier::All, .. } = query.body.as_ref()
        {
            let anchor = self.body(left)?;
            self.common.push(renamed(anchor.columns));
        }
        let compiled = self.query(query)?;
        let table = renamed(compiled.columns);
        let names: Vec<String> = (1..=table.columns.len()).map(|at| format!("c{at}")).collect();
        let sql = format!("{}({}) AS ({})", quote(&table.name), names.join(", "), compiled.sql);
        self.common.push(table);
        Ok(sql)
    }

    fn body(&mut self, body: &SetExpr) -> Result<Query> {
        match body {
            SetExpr::Select(select) => self.select(select, None, ""),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => self.values(&values.rows),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let left_nested = !matches!(left.as_ref(), SetExpr::Select(_) | SetExpr::SetOperation { .. });
                let (left, right_query) = (self.branch(left, left_nested)?, self.branch(right, false)?);
                let right_nested = matches!(right.as_ref(), SetExpr::SetOperation { .. } | SetExpr::Query(_));
                let right = if right_nested { nested(right_query) } else { right_query };
                self.set_operation(*op, *set_quantifier, left, right)
            }
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn branch(&mut self, branch: &SetExpr, wrap: bool) -> Result<Query> {
        let has_top = matches!(branch, SetExpr::Select(select) if select.top.is_some());
        let compiled = self.body(branch)?;
        // SQLite supports no LIMIT in a branch.
        Ok(if wrap || has_top { nested(compiled) } else { compiled })
    }

    fn set_operation(
        &mut self,
        op: SetOperator,
        quantifier: SetQuantifier,
        left: Query,
        right: Query,
    ) -> Result<Query> {
        if left.columns.len() != right.columns.len() {
            return Err(SqlError::new(
                205,
                16,
                1,
                "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
            ));
        }
        let columns: Vec<ResultColumn> = left
            .columns
            .iter()
            .zip(&right.columns)
            .map(|(a, b)| ResultColumn { ty: a.ty.unify(b.ty), nullable: a.nullable || b.nullable, ..a.clone() })
            .collect();
        let symbol = match (op, quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, _) => "UNION",
            (SetOperator::Except, _) => "EXCEPT",
            (SetOperator::Intersect, _) => "INTERSECT",
            _ => return Err(SqlError::unsupported(op)),
        };
        if quantifier != SetQuantifier::None && symbol != "UNION ALL" {
            return Err(SqlError::unsupported(format!("{op} {quantifier}")));
        }
        let (left, right) = (self.retyped(left, &columns), self.retyped(right, &columns));
        Ok(Query { sql: format!("{left} {symbol} {right}"), columns, into: None, assigned: Vec::new() })
    }

    /// The query with its columns converted to other types.
    fn retyped(&self, query: Query, columns: &[ResultColumn]) -> String {
        if query.columns.iter().zip(columns).all(|(from, to)| super::super::convert::alike(from.ty, to.ty)) {
            return query.sql;
        }
        let items: Vec<String> = query
            .columns
            .iter()
            .zip(columns)
            .enumerate()
            .map(|(at, (from, to))| {
                let name = format!("c{}", at + 1);
                let column = self.coerce(Typed::new(name.clone(), from.ty, from.nullable), to.ty);
                format!("{} AS {name}", column.sql)
            })
            .collect();
        format!("SELECT {} FROM ({})", items.join(", "), query.sql)
    }

    /// `VALUES (1, 2), (3, 4)` as a query.
    fn values(&mut self, rows: &[Vec<Expr>]) -> Result<Query> {
        let mut compiled: Option<Query> = None;
        for row in rows {
            let items = row
                .iter()
                .map(|one| Ok(Item { typed: self.expression(one)?, name: String::new() }))
                .collect::<Result<Vec<_>>>()?;
            let row = Query {
                sql: format!("SELECT {}", list(&items)),
                columns: items.iter().map(Item::column).collect(),
                into: None,
                assigned: Vec::new(),
            };
            compiled = Some(match compiled {
                None => row,
                Some(before) => self.set_operation(SetOperator::Union, SetQuantifier::All, before, row)?,
            });
        }
        compiled.ok_or_else(|| SqlError::syntax("VALUES"))
    }

    fn select(&mut self, select: &Select, order: Option<&OrderBy>, limit: &str) -> Result<Query> {
        self.scopes.push(Vec::new());
        let outcome = self.select_in_scope(select, order, limit);
        self.scopes.pop();
        outcome
    }

    fn select_in_scope(&mut self, select: &Select, order: Option<&OrderBy>, limit: &str) -> Result<Query> {
        let from = self.from(&select.from)?;
        let mut items = Vec::new();
        let mut assigned = Vec::new();
        for item in &select.projection {
            self.select_item(item, &mut items, &mut assigned)?;
        }
        if !assigned.is_empty() && assigned.len() != items.len() {
            let text = "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.";
            return Err(SqlError::new(141, 15, 1, text));
        }
        let distinct = match &select.distinct {
            None => "",
            Some(Distinct::Distinct) => "DISTINCT ",
            Some(other) => return Err(SqlError::unsupported(other)),
        };
        let row_number = self.row_number.as_deref().filter(|_| self.scopes.len() == 1).unwrap_or_default();
        let mut sql = format!("SELECT {distinct}{}{row_number}{from}", list(&items));
        if let Some(condition) = &select.selection {
            sql += &format!(" WHERE {}", self.predicate(condition)?);
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by
            && !keys.is_empty()
        {
            let keys = keys
                .iter()
                .map(|key| self.expression(key).map(|key| collated(&key.sql, key.ty())))
                .collect::<Result<Vec<_>>>()?;
            sql += &format!(" GROUP BY {}", keys.join(", "));
        }
        if let Some(condition) = &select.having {
            sql += &format!(" HAVING {}", self.predicate(condition)?);
        }
        if let Some(order) = order {
            sql += &self.order_of_items(order, &items)?;
        }
        sql += &match &select.top {
            Some(top) => self.top(top)?,
            None => limit.to_owned(),
        };
        Ok(Query {
            sql,
            columns: items.iter().map(Item::column).collect(),
            into: select.into.as_ref().map(|into| into.name.clone()),
            assigned,
        })
    }

    fn top(&mut self, top: &Top) -> Result<String> {
        if top.percent || top.with_ties {
            return Err(SqlError::unsupported(top));
        }
        Ok(match &top.quantity {
            Some(TopQuantity::Constant(count)) => format!(" LIMIT {count}"),
            Some(TopQuantity::Expr(count)) => {
                let count = self.expression(count)?;
                format!(" LIMIT {}", self.coerce(count, SqlType::BigInt).sql)
            }
            None => String::new(),
        })
    }

    fn select_item(&mut self, item: &SelectItem, items: &mut Vec<Item>, assigned: &mut Vec<String>) -> Result<()> {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                // Where the alias form does not apply, `SELECT @a = 1` is parsed as a comparison with a variable.
                if let Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } = expression
                    && let Expr::Identifier(variable) = left.as_ref()
                {
                    return self.named(right, &variable.value, items, assigned);
                }
                let name = match expression {
                    Expr::Identifier(name) if !name.value.starts_with('@') => name.value.clone(),
                    Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()).unwrap_or_default(),
                    _ => String::new(),
                };
                let typed = self.expression(expression)?;
                // The name as the table spells it.
                let name = self.spelled(&typed, name);
                items.push(Item { typed, name });
            }
            SelectItem::ExprWithAlias { expr, alias } => self.named(expr, &alias.value, items, assigned)?,
            SelectItem::Wildcard(_) => {
                let tables = self.scopes.last().cloned().unwrap_or_default();
                if tables.is_empty() {
                    return Err(SqlError::new(263, 16, 1, "Must specify table to select from."));
                }
                items.extend(tables.iter().flat_map(wildcard));
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = Name::of(name)?;
                let tables = self.scopes.last().cloned().unwrap_or_default();
                let table = tables.iter().find(|table| table.alias.eq_ignore_ascii_case(&name.object));
                let table = table.ok_or_else(|| {
                    let text = format!(
                        "The column prefix '{}' does not match with a table name or alias name used in the query.",
                        name.object
                    );
                    SqlError::new(107, 15, 1, text)
                })?;
                items.extend(wildcard(table));
            }
            other => return Err(SqlError::unsupported(other)),
        }
        Ok(())
    }

    fn named(
        &mut self,
        expression: &Expr,
        name: &str,
        items: &mut Vec<Item>,
        assigned: &mut Vec<String>,
    ) -> Result<()> {
        let mut typed = self.expression(expression)?;
        if name.starts_with('@') {
            let variable = name.to_lowercase();
            let ty =
                *self.env.variables.get(&variable).ok_or_else(|| {
                    SqlError::new(137, 15, 1, format!("Must declare the scalar variable \"{name}\"."))
                })?;
            typed = self.assign(typed, ty);
            assigned.push(variable);
        }
        items.push(Item { typed, name: name.to_owned() });
        Ok(())
    }

    fn spelled(&self, typed: &Typed, name: String) -> String {
        let columns = self.scopes.iter().rev().flatten().flat_map(|table| &table.columns);
        columns.into_iter().find(|column| column.sql == typed.sql).map_or(name, |column| column.name.clone())
    }

    /// A key of ORDER BY in a window.
    pub(super) fn sort_key(&mut self, key: &OrderByExpr) -> Result<String> {
        let typed = self.expression(&key.expr)?;
        Ok(format!("{}{}", collated(&typed.sql, typed.ty()), direction(key)))
    }

    /// ORDER BY of one SELECT: by position, by the name of a column of the result, or by any expression.
    fn order_of_items(&mut self, order: &OrderBy, items: &[Item]) -> Result<String> {
        let OrderByKind::Expressions(keys) = &order.kind else {
            return Err(SqlError::unsupported(order));
        };
        let mut sorted = Vec::new();
        for key in keys {
            let columns = items.iter().map(|item| (item.name.as_str(), item.typed.ty()));
            let by = match place(&key.expr, columns)? {
                Some((at, ty)) => collated(&at.to_string(), ty),
                None => {
                    let typed = self.expression(&key.expr)?;
                    // A constant would count as a position.
                    if matches!(typed.kind, Kind::Null) { "NULL".to_owned() } else { collated(&typed.sql, typed.ty()) }
                }
            };
            sorted.push(format!("{by}{}", direction(key)));
        }
        Ok(format!(" ORDER BY {}", sorted.join(", ")))
    }

    /// ORDER BY of a UNION, which can only use its columns.
    fn order_of_columns(&mut self, order: Option<&OrderBy>, columns: &[ResultColumn]) -> Result<String> {
        let Some(order) = order else {
            return Ok(String::new());
        };
        let OrderByKind::Expressions(keys) = &order.kind else {
            return Err(SqlError::unsupported(order));
        };
        let mut sorted = Vec::new();
        for key in keys {
            let named = columns.iter().map(|column| (column.name.as_str(), column.ty));
            let (at, ty) = place(&key.expr, named)?.ok_or_else(|| {
                SqlError::new(104, 16, 1, "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.")
            })?;
            sorted.push(format!("{}{}", collated(&at.to_string(), ty), direction(key)));
        }
        Ok(format!(" ORDER BY {}", sorted.join(", ")))
    }

    /// FROM, whose tables are registered; empty if there is none.
    pub(super) fn from(&mut self, tables: &[TableWithJoins]) -> Result<String> {
        let mut sql = String::new();
        for (at, table) in tables.iter().enumerate() {
            sql += if at == 0 { " FROM " } else { " CROSS JOIN " };
            sql += &self.joined(table)?;
        }
        Ok(sql)
    }

    fn joined(&mut self, table: &TableWithJoins) -> Result<String> {
        let first = self.known_tables();
        let mut sql = self.factor(&table.relation)?;
        for join in &table.joins {
            let before = self.known_tables();
            let right = self.factor(&join.relation)?;
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) => ("JOIN", on),
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => ("LEFT JOIN", on),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => ("RIGHT JOIN", on),
                JoinOperator::FullOuter(on) => ("FULL JOIN", on),
                JoinOperator::CrossJoin(on) => ("CROSS JOIN", on),
                other => return Err(SqlError::unsupported(format!("{other:?}"))),
            };
            // The side whose rows may be missing.
            let missing = match kind {
                "LEFT JOIN" => before..self.known_tables(),
                "RIGHT JOIN" => first..before,
                "FULL JOIN" => first..self.known_tables(),
                _ => 0..0,
            };
            if let Some(scope) = self.scopes.last_mut() {
                scope[missing]
                    .iter_mut()
                    .flat_map(|table| &mut table.columns)
                    .for_each(|column| column.nullable = true);
            }
            sql += &format!(" {kind} {right}");
            match constraint {
                JoinConstraint::On(condition) => sql += &format!(" ON {}", self.predicate(condition)?),
                JoinConstraint::None => {}
                other => return Err(SqlError::unsupported(format!("{other:?}"))),
            }
        }
        Ok(sql)
    }

    fn known_tables(&self) -> usize {
        self.scopes.last().map_or(0, Vec::len)
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<String> {
        match factor {
            TableFactor::Table { name, alias, args: None, sample: None, .. } => {
                self.table(&Name::of(name)?, alias.as_ref())
            }
            TableFactor::Derived { subquery, alias: Some(alias), .. } => {
                let compiled = self.query(subquery)?;
                self.introduce(&alias.name.value, Some(alias), &compiled.columns);
                Ok(format!("({}) AS {}", compiled.sql, quote(&alias.name.value)))
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                Ok(format!("({})", self.joined(table_with_joins)?))
            }
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn table(&mut self, name: &Name, alias: Option<&TableAlias>) -> Result<String> {
        let shown = alias.map_or(&name.object, |alias| &alias.name.value).clone();
        if name.schema.is_none()
            && let Some(common) =
                self.common.iter().rev().find(|table| table.name.eq_ignore_ascii_case(&name.object)).cloned()
        {
            self.introduce(&shown, alias, &common.columns);
            return Ok(format!("{} AS {}", quote(&common.name), quote(&shown)));
        }
        if let Some(table) = schema::find(self.env.sqlite, name, self.env.database)? {
            self.introduce_table(&shown, &table);
            return Ok(format!("{} AS {}", table.sql(), quote(&shown)));
        }
        if let Some((database, module)) = modules::named(self.env.sqlite, name, self.env.database)? {
            let view = definition::view(self, &module, &database)?;
            self.introduce(&shown, alias, &view.columns);
            return Ok(format!("({}) AS {}", view.sql, quote(&shown)));
        }
        if let Some(view) = system_views::find(name, self.env)? {
            self.introduce(&shown, alias, &view.columns);
            return Ok(format!("({}) AS {}", view.sql(), quote(&shown)));
        }
        let written = [name.database.as_deref(), name.schema.as_deref(), Some(&name.object)];
        Err(SqlError::invalid_object(&written.into_iter().flatten().collect::<Vec<_>>().join(".")))
    }

    /// Registers the columns of a table.
    pub(super) fn introduce_table(&mut self, alias: &str, table: &schema::Table) {
        let columns = table
            .columns
            .iter()
            .map(|column| ScopeColumn {
                name: column.name.clone(),
                sql: format!("{}.{}", quote(alias), quote(&column.name)),
                ty: column.ty,
                nullable: column.nullable,
                identity: column.identity.is_some(),
            })
            .collect();
        self.enter(ScopeTable { alias: alias.to_owned(), columns });
    }

    /// Registers the columns of a query, with the names from its alias, if any.
    fn introduce(&mut self, shown: &str, alias: Option<&TableAlias>, columns: &[ResultColumn]) {
        let renamed = alias.map_or(&[][..], |alias| &alias.columns);
        let columns = columns
            .iter()
            .enumerate()
            .map(|(at, column)| ScopeColumn {
                name: renamed.get(at).map_or(&column.name, |name| &name.name.value).clone(),
                sql: format!("{}.c{}", quote(shown), at + 1),
                ty: column.ty,
                nullable: column.nullable,
                identity: column.identity,
            })
            .collect();
        self.enter(ScopeTable { alias: shown.to_owned(), columns });
    }

    fn enter(&mut self, table: ScopeTable) {
        match self.scopes.last_mut() {
            Some(scope) => scope.push(table),
            None => self.scopes.push(vec![table]),
        }
    }
}

/// Wraps a query into one SELECT, which can be a branch or have a limit.
fn nested(query: Query) -> Query {
    Query { sql: format!("SELECT * FROM ({})", query.sql), ..query }
}

fn list(items: &[Item]) -> String {
    let items: Vec<String> =
        items.iter().enumerate().map(|(at, item)| format!("{} AS c{}", item.typed.sql, at + 1)).collect();
    items.join(", ")
}

fn wildcard(table: &ScopeTable) -> impl Iterator<Item = Item> + '_ {
    table.columns.iter().map(|column| Item {
        typed: Typed {
            sql: column.sql.clone(),
            kind: Kind::Of(column.ty),
            nullable: column.nullable,
            identity: column.identity,
        },
        name: column.name.clone(),
    })
}

/// The position, from 1, that a key of ORDER BY names by number or by the name of a column.
fn place<'c>(
    key: &Expr,
    columns: impl ExactSizeIterator<Item = (&'c str, SqlType)>,
) -> Result<Option<(usize, SqlType)>> {
    let count = columns.len();
    let mut columns = columns.enumerate();
    match key {
        Expr::Value(value) => {
            let Value::Number(digits, _) = &value.value else {
                return Ok(None);
            };
            let at: usize = digits.parse().unwrap_or(0);
            let text = format!(
                "The ORDER BY position number {digits} is out of range of the number of items in the select list."
            );
            if at == 0 || at > count {
                return Err(SqlError::new(108, 16, 1, text));
            }
            Ok(columns.nth(at - 1).map(|(_, (_, ty))| (at, ty)))
        }
        Expr::Identifier(name) => Ok(columns
            .find(|(_, (column, _))| column.eq_ignore_ascii_case(&name.value))
            .map(|(at, (_, ty))| (at + 1, ty))),
        _ => Ok(None),
    }
}

/// NULL sorts first in SQL Server and in SQLite.
fn direction(key: &OrderByExpr) -> &'static str {
    if key.options.asc == Some(false) { " DESC" } else { "" }
}
