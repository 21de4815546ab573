//! A query whose rows a cursor can find again: it uses one table, and each of its rows at most once.

use sqlparser::ast::{Expr, GroupByExpr, Query, SelectItem, SetExpr, TableFactor};

use super::super::schema::{self, Name, Table, quote};
use super::Compiler;
use crate::error::Result;

pub struct Keyset {
    pub table: Table,
    /// The query, with the number of the table's row after the columns.
    pub all: String,
    /// The same for one row, whose number must be appended. The row may no longer meet the query's condition.
    pub one: String,
    /// The table's column that a column of the result shows; none for another expression.
    pub sources: Vec<Option<String>>,
}

/// `None` for any other query.
pub fn keyset(compiler: &mut Compiler<'_>, query: &Query) -> Result<Option<Keyset>> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return Ok(None);
    };
    let plain = query.with.is_none() && select.distinct.is_none() && select.having.is_none();
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let [from] = select.from.as_slice() else {
        return Ok(None);
    };
    let TableFactor::Table { name, alias, args: None, .. } = &from.relation else {
        return Ok(None);
    };
    if !plain || grouped || !from.joins.is_empty() {
        return Ok(None);
    }
    let name = Name::of(name)?;
    let Some(table) = schema::find(compiler.env.sqlite, &name, compiler.env.database)? else {
        return Ok(None);
    };
    let shown = alias.as_ref().map_or(&name.object, |alias| &alias.name.value);
    compiler.row_number = Some(format!(", {}.rowid AS row", quote(shown)));
    compiler.aggregated = false;
    let all = compiler.query(query)?.sql;
    let mut any_row = query.clone();
    (any_row.order_by, any_row.limit_clause, any_row.fetch) = (None, None, None);
    if let SetExpr::Select(select) = any_row.body.as_mut() {
        (select.selection, select.top) = (None, None);
    }
    let one = format!("SELECT * FROM ({}) WHERE row = ", compiler.query(&any_row)?.sql);
    compiler.row_number = None;
    if compiler.aggregated {
        return Ok(None);
    }
    let named = |name: &str| vec![table.column(name).map(|column| column.name.clone())];
    let sources = select.projection.iter().flat_map(|item| match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            table.columns.iter().map(|column| Some(column.name.clone())).collect()
        }
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => match expression {
            Expr::Identifier(name) => named(&name.value),
            Expr::CompoundIdentifier(parts) => parts.last().map_or_else(|| vec![None], |name| named(&name.value)),
            _ => vec![None],
        },
    });
    let sources = sources.collect();
    Ok(Some(Keyset { table, all, one, sources }))
}
