//! The procedures that drivers call: running SQL with parameters, preparing it, and describing it.

use rusqlite::types::{Value, ValueRef};
use sqlparser::ast::{Expr, Statement, Visit, Visitor};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::catalog::Listing;
use super::description::described;
use super::odbc_types::{max_length, tds_type, type_id};
use super::{Session, Variables};
use crate::error::{Result, SqlError};
use crate::sql::batch::{self, Block, Command as Code};
use crate::sql::compile::{self, Compiler, Environment};
use crate::sql::convert::declared;
use crate::sql::types::{Length, SYSNAME, SqlType};
use crate::wire::rpc::{Call, Parameter, procedure_name};
use crate::wire::tokens::{Command, Reply, ResultColumn};

/// What waits for its parameters.
pub(super) enum Waiting {
    Statement(Prepared),
    /// A procedure, by its name.
    Procedure(String),
}

/// The result of a call.
#[derive(Default)]
pub(super) struct Called {
    pub well: bool,
    /// What the procedure returned.
    pub status: i32,
    pub outputs: Vec<Output>,
}

impl Called {
    fn done(well: bool) -> Called {
        Called { well, ..Called::default() }
    }
}

/// The value of a parameter that the caller wants back.
pub(super) struct Output {
    /// Its place among the parameters.
    pub at: usize,
    pub ty: SqlType,
    pub value: Value,
}

pub(super) struct Prepared {
    pub(super) block: Block,
    declarations: Vec<(String, SqlType)>,
}

impl Session {
    /// Runs a client's call: the procedure, its status, its output parameters and its end. `Err` if it was cancelled.
    pub fn run_call(&mut self, call: &Call, reply: &mut Reply<'_>) -> Result<()> {
        reply.in_procedure = true;
        let outcome = self.outermost_call(call, reply);
        reply.in_procedure = false;
        match outcome {
            Ok(well) => reply.procedure_done(!well),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                reply.error(&error.at(1));
                reply.procedure_done(true);
            }
        }
        Ok(())
    }

    fn outermost_call(&mut self, call: &Call, reply: &mut Reply<'_>) -> Result<bool> {
        self.variables = Variables::default();
        match call.procedure.as_str() {
            "sp_prepexec" => {
                let [handle, declarations, sql, values @ ..] = call.parameters.as_slice() else {
                    return Err(missing(&call.procedure));
                };
                let prepared = prepare(declarations, sql)?;
                // An incoming handle belongs to the statement that this one replaces.
                if let Some(old) = handle.integer() {
                    self.prepared.remove(&(old as i32));
                }
                let called = self.run_prepared(&prepared, values, 3, reply)?;
                let handle = self.keep(Waiting::Statement(prepared));
                reply.return_status(0);
                reply.return_integer(0, i64::from(handle))?;
                return_outputs(&called, call, reply)
            }
            "sp_prepexecrpc" => {
                let [_, procedure, values @ ..] = call.parameters.as_slice() else {
                    return Err(missing(&call.procedure));
                };
                let procedure = procedure_name(procedure.text().unwrap_or_default());
                let called = self.call_with(&procedure, values, 2, reply)?;
                let handle = self.keep(Waiting::Procedure(procedure));
                reply.return_status(called.status);
                reply.return_integer(0, i64::from(handle))?;
                return_outputs(&called, call, reply)
            }
            "sp_prepare" => {
                let [_, declarations, sql, ..] = call.parameters.as_slice() else {
                    return Err(missing(&call.procedure));
                };
                let prepared = prepare(declarations, sql)?;
                // Columns that are unknown without running it, such as those of a table that it creates first, are not
                // reported.
                if let Ok(Some(columns)) = self.first_result(&prepared) {
                    reply.columns(&columns);
                    reply.statement_done(Command::Select, None);
                }
                let handle = self.keep(Waiting::Statement(prepared));
                reply.return_status(0);
                reply.return_integer(0, i64::from(handle))?;
                Ok(true)
            }
            "sp_execute" => {
                let [handle, values @ ..] = call.parameters.as_slice() else {
                    return Err(missing(&call.procedure));
                };
                let handle = handle.integer().unwrap_or(0) as i32;
                let unknown =
                    || SqlError::new(8179, 16, 2, format!("Could not find prepared statement with handle {handle}."));
                let waiting = self.prepared.remove(&handle).ok_or_else(unknown)?;
                let outcome = match &waiting {
                    Waiting::Statement(prepared) => self.run_prepared(prepared, values, 1, reply),
                    Waiting::Procedure(name) => self.call_with(name, values, 1, reply),
                };
                self.prepared.insert(handle, waiting);
                let called = outcome?;
                reply.return_status(called.status);
                return_outputs(&called, call, reply)
            }
            "sp_unprepare" => {
                let handle = call.parameters.first().and_then(Parameter::integer).unwrap_or(0);
                self.prepared.remove(&(handle as i32));
                reply.return_status(0);
                Ok(true)
            }
            name if name.starts_with("sp_cursor") => self.cursor_call(call, reply),
            _ => {
                let called = self.call(call, reply)?;
                reply.return_status(called.status);
                return_outputs(&called, call, reply)
            }
        }
    }

    /// Calls a procedure whose parameters begin at a position among those of another call.
    fn call_with(
        &mut self,
        procedure: &str,
        values: &[Parameter],
        first: usize,
        reply: &mut Reply<'_>,
    ) -> Result<Called> {
        let call = Call { procedure: procedure.to_owned(), parameters: values.to_vec() };
        let mut called = self.call(&call, reply)?;
        called.outputs.iter_mut().for_each(|output| output.at += first);
        Ok(called)
    }

    /// A call from a client or from a batch.
    pub(super) fn call(&mut self, call: &Call, reply: &mut Reply<'_>) -> Result<Called> {
        match call.procedure.as_str() {
            "sp_executesql" => {
                let sql = call.parameter("@stmt", 0).ok_or_else(|| missing(&call.procedure))?;
                let none = Parameter { name: String::new(), output: false, ty: SYSNAME, value: Value::Null };
                let declarations = call.parameter("@params", 1).unwrap_or(&none);
                let prepared = prepare(declarations, sql)?;
                let outer = std::mem::take(&mut self.variables);
                let outcome = self.run_prepared(&prepared, call.parameters.get(2..).unwrap_or_default(), 2, reply);
                self.variables = outer;
                outcome
            }
            "sp_describe_undeclared_parameters" => {
                let sql = call.parameter("@tsql", 0).and_then(Parameter::text).unwrap_or_default();
                let known = call.parameter("@params", 1).and_then(Parameter::text).unwrap_or_default();
                let listing = self.undeclared_parameters(sql, known)?;
                self.list(&listing, reply)
            }
            "sp_describe_first_result_set" => {
                let text = |name, at| call.parameter(name, at).cloned();
                let sql = text("@tsql", 0).ok_or_else(|| missing(&call.procedure))?;
                let none = Parameter { name: String::new(), output: false, ty: SYSNAME, value: Value::Null };
                let prepared = prepare(&text("@params", 1).unwrap_or(none), &sql)?;
                let columns = self.first_result(&prepared)?.unwrap_or_default();
                self.list(&described(&columns), reply)
            }
            // Settings of drivers that have no effect here.
            "sp_reset_connection" | "sp_oledb_ro_usrname" => Ok(Called::done(true)),
            _ => {
                if let Some(listing) = self.catalog(call)? {
                    return self.list(&listing, reply);
                }
                let text = format!("Could not find stored procedure '{}'.", call.procedure);
                self.call_module(call, reply)?.ok_or_else(|| SqlError::new(2812, 16, 62, text))
            }
        }
    }

    fn list(&mut self, listing: &Listing, reply: &mut Reply<'_>) -> Result<Called> {
        reply.columns(&listing.columns);
        if !self.options.format_only {
            for row in &listing.rows {
                reply.row(&listing.columns, row.iter().map(ValueRef::from))?;
            }
        }
        self.row_count = listing.rows.len() as u64;
        reply.statement_done(Command::Select, Some(self.row_count));
        Ok(Called::done(true))
    }

    fn keep(&mut self, waiting: Waiting) -> i32 {
        let handle = self.next_handle();
        self.prepared.insert(handle, waiting);
        handle
    }

    pub(super) fn next_handle(&mut self) -> i32 {
        self.last_handle += 1;
        self.last_handle
    }

    /// Runs a statement with values for its parameters, by name or by position. `first` is the position of the first
    /// value among the parameters of the call.
    fn run_prepared(
        &mut self,
        prepared: &Prepared,
        values: &[Parameter],
        first: usize,
        reply: &mut Reply<'_>,
    ) -> Result<Called> {
        self.take_parameters(prepared, values)?;
        let well = self.run_block(&prepared.block, reply)?;
        Ok(Called { outputs: self.outputs(&prepared.declarations, values, first), ..Called::done(well) })
    }

    /// Only declares the parameters of a statement.
    pub(super) fn take_parameters(&mut self, prepared: &Prepared, values: &[Parameter]) -> Result<()> {
        self.variables = Variables::default();
        for (at, (name, ty)) in prepared.declarations.iter().enumerate() {
            let named = values.iter().find(|value| value.name.eq_ignore_ascii_case(name));
            let given = named.or_else(|| values.get(at).filter(|value| value.name.is_empty()));
            let Some(given) = given else {
                let text = format!("The parameterized query expects the parameter '{name}', which was not supplied.");
                return Err(SqlError::new(8178, 16, 1, text));
            };
            self.variables.declare(name, *ty, declared(&given.value, given.ty, *ty)?);
        }
        Ok(())
    }

    /// The current values of the parameters that the caller wants back.
    pub(super) fn outputs(
        &self,
        declarations: &[(String, SqlType)],
        values: &[Parameter],
        first: usize,
    ) -> Vec<Output> {
        let wanted = values.iter().enumerate().filter(|(_, parameter)| parameter.output);
        let output = |(at, parameter): (usize, &Parameter)| {
            let named = declarations.iter().find(|(name, _)| name.eq_ignore_ascii_case(&parameter.name));
            let (name, ty) = named.or_else(|| declarations.get(at))?;
            let value = self.variables.values.get(name).cloned().unwrap_or(Value::Null);
            Some(Output { at: first + at, ty: *ty, value })
        };
        wanted.filter_map(output).collect()
    }

    /// The columns of a statement's first result; `None` if it returns none.
    ///
    /// Columns that are unknown without running it, such as those of a table that it creates first, count as none.
    pub(super) fn first_result(&mut self, prepared: &Prepared) -> Result<Option<Vec<ResultColumn>>> {
        self.variables = Variables::default();
        for (name, ty) in &prepared.declarations {
            self.variables.declare(name, *ty, Value::Null);
        }
        for located in &prepared.block {
            if let Code::Sql(statement) = &located.command
                && let Statement::Query(query) = statement.as_ref()
            {
                let compiled = self.compile(|compiler| compiler.result(query))?;
                if compiled.into.is_none() && compiled.assigned.is_empty() {
                    return Ok(Some(compiled.columns));
                }
            }
        }
        Ok(None)
    }

    /// The answer of `sp_describe_undeclared_parameters`: a parameter gets its type from its context in the statement.
    fn undeclared_parameters(&mut self, sql: &str, known: &str) -> Result<Listing> {
        let block = batch::parse(sql)?;
        let known: Vec<String> = declarations(known)?.into_iter().map(|(name, _)| name).collect();
        let nothing = Variables::default();
        let facts = |name: &str| self.fact(name);
        let environment = Environment {
            sqlite: &self.sqlite,
            database: &self.database,
            variables: &nothing.types,
            undeclared: true,
            session: &facts,
        };
        let mut names = Names(Vec::new());
        let mut hints = Vec::new();
        for located in &block {
            if let Code::Execute { returned, procedure, arguments } = &located.command {
                for variable in returned.iter().map(|variable| variable.to_lowercase()) {
                    names.0.push(variable.clone());
                    hints.push((variable, SqlType::Int));
                }
                self.parameters_of_call(procedure, arguments, &mut names, &mut hints)?;
            }
            let Code::Sql(statement) = &located.command else {
                continue;
            };
            // The visitor never stops early.
            let _ = statement.visit(&mut names);
            let mut compiler = Compiler::new(&environment);
            match statement.as_ref() {
                Statement::Query(query) => drop(compiler.result(query)?),
                Statement::Insert(insert) => drop(compile::insert(&mut compiler, insert, |_| false)?),
                Statement::Update { table, assignments, from, selection, .. } => {
                    drop(compile::update(&mut compiler, table, assignments, from.as_ref(), selection.as_ref())?);
                }
                Statement::Delete(delete) => drop(compile::delete(&mut compiler, delete)?),
                _ => {}
            }
            hints.extend(compiler.hints());
        }
        names.0.retain(|name| !known.contains(name));
        let rows = names.0.iter().zip(1..).map(|(name, at)| {
            let hint = hints.iter().find(|(hinted, _)| hinted == name);
            parameter_row(at, name, hint.map_or(SqlType::NVarChar(Length::Of(4000)), |(_, ty)| *ty))
        });
        Ok(Listing::new(&PARAMETER_COLUMNS, rows.collect()))
    }
}

/// The variables of a statement in the order they appear.
pub(super) struct Names(Vec<String>);

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> std::ops::ControlFlow<()> {
        if let Expr::Identifier(name) = expression
            && name.value.starts_with('@')
            && !name.value.starts_with("@@")
            && !self.0.contains(&name.value.to_lowercase())
        {
            self.0.push(name.value.to_lowercase());
        }
        std::ops::ControlFlow::Continue(())
    }
}

/// Sends the values that a client wants back. Returns whether the call succeeded.
fn return_outputs(called: &Called, call: &Call, reply: &mut Reply<'_>) -> Result<bool> {
    for Output { at, ty, value } in &called.outputs {
        let name = call.parameters.get(*at).map_or("", |parameter| &parameter.name);
        reply.return_value(name, *at as u16, *ty, ValueRef::from(value))?;
    }
    Ok(called.well)
}

pub(super) fn missing(procedure: &str) -> SqlError {
    SqlError::new(
        201,
        16,
        4,
        format!("Procedure or function '{procedure}' expects a parameter which was not supplied."),
    )
}

pub(super) fn prepare(declared: &Parameter, sql: &Parameter) -> Result<Prepared> {
    let block = batch::parse(sql.text().unwrap_or_default())?;
    Ok(Prepared { block, declarations: declarations(declared.text().unwrap_or_default())? })
}

/// `@P1 int,@P2 nvarchar(10) OUTPUT`
fn declarations(text: &str) -> Result<Vec<(String, SqlType)>> {
    let dialect = MsSqlDialect {};
    let syntax = |error: sqlparser::parser::ParserError| SqlError::syntax(&error.to_string());
    let mut parser = Parser::new(&dialect).try_with_sql(text).map_err(syntax)?;
    let mut all = Vec::new();
    while parser.peek_token_ref().token != Token::EOF {
        let name = parser.parse_identifier().map_err(syntax)?.value.to_lowercase();
        let ty = SqlType::of(&parser.parse_data_type().map_err(syntax)?)?;
        if matches!(&parser.peek_token_ref().token, Token::Word(word) if matches!(word.value.to_ascii_uppercase().as_str(), "OUTPUT" | "OUT"))
        {
            parser.next_token();
        }
        all.push((name, ty));
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    if parser.peek_token_ref().token == Token::EOF {
        Ok(all)
    } else {
        Err(SqlError::syntax(&parser.peek_token_ref().to_string()))
    }
}

const BIT: SqlType = SqlType::Bit;
const INT: SqlType = SqlType::Int;
const SMALLINT: SqlType = SqlType::SmallInt;
const TINYINT: SqlType = SqlType::TinyInt;
const TYPE_NAME: SqlType = SqlType::NVarChar(Length::Of(256));
const CLASS_NAME: SqlType = SqlType::NVarChar(Length::Of(4000));

const PARAMETER_COLUMNS: [(&str, SqlType); 24] = [
    ("parameter_ordinal", INT),
    ("name", SYSNAME),
    ("suggested_system_type_id", INT),
    ("suggested_system_type_name", TYPE_NAME),
    ("suggested_max_length", SMALLINT),
    ("suggested_precision", TINYINT),
    ("suggested_scale", TINYINT),
    ("suggested_user_type_id", INT),
    ("suggested_user_type_database", SYSNAME),
    ("suggested_user_type_schema", SYSNAME),
    ("suggested_user_type_name", SYSNAME),
    ("suggested_assembly_qualified_type_name", CLASS_NAME),
    ("suggested_xml_collection_id", INT),
    ("suggested_xml_collection_database", SYSNAME),
    ("suggested_xml_collection_schema", SYSNAME),
    ("suggested_xml_collection_name", SYSNAME),
    ("suggested_is_xml_document", BIT),
    ("suggested_is_case_sensitive", BIT),
    ("suggested_is_fixed_length_clr_type", BIT),
    ("suggested_is_input", BIT),
    ("suggested_is_output", BIT),
    ("formal_parameter_name", SYSNAME),
    ("suggested_tds_type_id", INT),
    ("suggested_tds_length", INT),
];

fn parameter_row(at: i64, name: &str, ty: SqlType) -> Vec<Value> {
    let text = |text: String| Value::Text(text);
    let number = |number: i64| Value::Integer(number);
    let (precision, scale) = super::odbc_types::precision_and_scale(ty);
    let (tds, tds_length) = tds_type(ty);
    let mut row = vec![
        number(at),
        text(name.to_owned()),
        number(type_id(ty)),
        text(ty.to_string()),
        number(max_length(ty)),
        number(precision),
        number(scale),
    ];
    row.extend(std::iter::repeat_n(Value::Null, 9));
    row.extend([number(0), number(0), number(0), number(1), number(0), Value::Null, number(tds), number(tds_length)]);
    row
}
