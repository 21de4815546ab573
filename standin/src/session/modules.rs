//! Creating, dropping and calling procedures and views that clients define.

use rusqlite::types::Value;
use sqlparser::ast::{Expr, Visit};

use super::Session;
use super::procedures::{Called, Names};
use crate::error::{Result, SqlError};
use crate::sql::batch::{Argument, Body, Declared, Module};
use crate::sql::compile;
use crate::sql::convert::declared;
use crate::sql::modules;
use crate::sql::schema::{self, Name, Table};
use crate::sql::types::SqlType;
use crate::wire::rpc::Call;
use crate::wire::tokens::{Command, Reply};

impl Session {
    pub(super) fn create_module(&mut self, module: &Module, reply: &mut Reply<'_>) -> Result<()> {
        let name = &module.name;
        let taken =
            SqlError::new(2714, 16, 3, format!("There is already an object named '{}' in the database.", name.object));
        if name.database.is_some() || name.is_temporary() || !name.in_dbo() {
            return Err(SqlError::unsupported(
                "a procedure or a view that is in another database or schema, or temporary",
            ));
        }
        let database = self.database.clone();
        let before = modules::find(&self.sqlite, &database, &name.object)?;
        let replaces = module.replace && before.is_some_and(|before| before.body.is_view() == module.body.is_view());
        if !replaces
            && (modules::find(&self.sqlite, &database, &name.object)?.is_some()
                || schema::find(&self.sqlite, name, &database)?.is_some())
        {
            return Err(taken);
        }
        // The names in a procedure are resolved when it is called, those in a view now.
        if module.body.is_view() {
            self.compile(|compiler| compile::view(compiler, module, &database))?;
        }
        self.change(reply, |session| modules::keep(&session.sqlite, &database, module))?;
        reply.statement_done(Command::Other, None);
        Ok(())
    }

    pub(super) fn drop_modules(
        &mut self,
        names: Vec<Name>,
        view: bool,
        if_exists: bool,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        for name in names {
            let database = self.database.clone();
            let found = modules::find(&self.sqlite, &database, &name.object)?;
            if found.is_some_and(|found| found.body.is_view() == view) {
                self.change(reply, |session| modules::drop(&session.sqlite, &database, &name.object))?;
            } else if !if_exists {
                let (kind, name) = (if view { "view" } else { "procedure" }, name.object);
                let text = format!(
                    "Cannot drop the {kind} '{name}', because it does not exist or you do not have permission."
                );
                return Err(SqlError::new(3701, 11, 5, text));
            }
        }
        reply.statement_done(Command::Other, None);
        Ok(())
    }

    /// A view as a table, for the catalog; `None` for a procedure, and for a view whose tables no longer exist.
    pub(super) fn view(&self, module: &Module, database: &str) -> Option<Table> {
        let compiled = self.compile(|compiler| compile::view(compiler, module, database)).ok()?;
        let column = |column: crate::wire::tokens::ResultColumn| schema::Column {
            name: column.name,
            ty: column.ty,
            nullable: column.nullable,
            identity: None,
            rowversion: false,
            default: None,
            key: None,
        };
        let columns = compiled.columns.into_iter().map(column).collect();
        Some(Table { database: database.to_owned(), name: module.name.object.clone(), columns })
    }

    /// Calls a procedure that a client has created; `None` if there is none with this name.
    pub(super) fn call_module(&mut self, call: &Call, reply: &mut Reply<'_>) -> Result<Option<Called>> {
        let Some(module) = modules::find(&self.sqlite, &self.database, &call.procedure)? else {
            return Ok(None);
        };
        let Body::Procedure { parameters, block } = &module.body else {
            return Ok(None);
        };
        let no_count = self.options.no_count;
        let outer = std::mem::take(&mut self.variables);
        self.returned = None;
        let outcome = self.take_arguments(call, &module.name.object, parameters).and_then(|declarations| {
            let well = self.run_block(block, reply)?;
            let outputs = self.outputs(&declarations, &call.parameters, 0);
            Ok(Called { well, status: 0, outputs })
        });
        self.variables = outer;
        self.options.no_count = no_count;
        let failed = self.last_error.as_ref().map_or(0, |error| 10 - i32::from(error.severity));
        outcome.map(|called| {
            let status = self.returned.take().unwrap_or(if called.well { 0 } else { failed });
            Some(Called { status, ..called })
        })
    }

    /// Declares a procedure's parameters, by name or by place or with their defaults.
    fn take_arguments(&mut self, call: &Call, name: &str, parameters: &[Declared]) -> Result<Vec<(String, SqlType)>> {
        let given = &call.parameters;
        let unknown = |given: &&crate::wire::rpc::Parameter| {
            !given.name.is_empty() && !parameters.iter().any(|one| one.name.eq_ignore_ascii_case(&given.name))
        };
        if let Some(unknown) = given.iter().find(unknown) {
            let text = format!("{} is not a parameter for procedure {name}.", unknown.name);
            return Err(SqlError::new(8145, 16, 2, text));
        }
        if given.len() > parameters.len() {
            let text = format!("Procedure or function {name} has too many arguments specified.");
            return Err(SqlError::new(8144, 16, 2, text));
        }
        let mut declarations = Vec::new();
        for (at, parameter) in parameters.iter().enumerate() {
            let ty = SqlType::of(&parameter.data_type)?;
            let value = match (call.parameter(&parameter.name, at), &parameter.value) {
                (Some(given), _) => declared(&given.value, given.ty, ty)?,
                (None, Some(default)) => self.evaluate(default, Some(ty))?.1,
                (None, None) => {
                    let text = format!(
                        "Procedure or function '{name}' expects parameter '{}', which was not supplied.",
                        parameter.name
                    );
                    return Err(SqlError::new(201, 16, 4, text));
                }
            };
            declarations.push((parameter.name.to_lowercase(), ty));
            self.variables.declare(&parameter.name, ty, value);
        }
        Ok(declarations)
    }

    /// The parameters that EXEC passes on, with the types that the procedure gives them.
    pub(super) fn parameters_of_call(
        &self,
        procedure: &str,
        arguments: &[Argument],
        names: &mut Names,
        hints: &mut Vec<(String, SqlType)>,
    ) -> Result<()> {
        let module = modules::find(&self.sqlite, &self.database, procedure)?;
        let parameters = match module.map(|module| module.body) {
            Some(Body::Procedure { parameters, .. }) => parameters,
            _ => Vec::new(),
        };
        for (at, Argument { name, value, .. }) in arguments.iter().enumerate() {
            // The visitor never stops early.
            let _ = value.visit(names);
            let named = |one: &&Declared| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&one.name));
            let parameter = parameters.iter().find(named).or_else(|| parameters.get(at).filter(|_| name.is_none()));
            if let (Expr::Identifier(variable), Some(parameter)) = (value, parameter) {
                hints.push((variable.value.to_lowercase(), SqlType::of(&parameter.data_type)?));
            }
        }
        Ok(())
    }

    /// Stores the value of RETURN.
    pub(super) fn set_returned(&mut self, value: Value) {
        if let Value::Integer(value) = value {
            self.returned = Some(value as i32);
        }
    }
}
