//! Running a batch, statement by statement.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Statement as Prepared;
use rusqlite::types::{Value, ValueRef};
use sqlparser::ast::{ColumnOption, Expr, ObjectType, Statement};

use super::procedures::Output;
use super::{Session, Variables};
use crate::error::{Result, SqlError};
use crate::sql::batch::{self, Argument, Block, Command as Code, Declared, Located};
use crate::sql::compile::{self, Modification, Query};
use crate::sql::convert::declared;
use crate::sql::datetime::{Moment, TICKS_PER_SECOND};
use crate::sql::functions::identity_key;
use crate::sql::schema::{Name, Table};
use crate::sql::types::{Length, SqlType};
use crate::wire::tokens::{Command, Reply};

/// Where execution continues.
enum Flow {
    Next,
    Return,
    Break,
    Continue,
}

/// Why a batch ends early.
enum Stop {
    /// A CATCH block may handle it.
    Failed(SqlError),
    /// The error has been sent to the client.
    Told,
    Cancelled,
}

type Step<T> = std::result::Result<T, Stop>;

/// SQL Server's limit for nested procedure calls.
const DEEPEST: u32 = 32;

impl Session {
    /// Runs a client's batch. `Err` if it was cancelled.
    pub fn run_batch(&mut self, sql: &str, reply: &mut Reply<'_>) -> Result<bool> {
        self.variables = Variables::default();
        match batch::parse(sql) {
            Ok(block) => self.run_block(&block, reply),
            Err(error) => {
                self.tell(&error, reply);
                Ok(false)
            }
        }
    }

    /// Runs a parsed block with the current variables. Returns whether all of it succeeded.
    pub(super) fn run_block(&mut self, block: &Block, reply: &mut Reply<'_>) -> Result<bool> {
        if self.nesting >= DEEPEST {
            let text = "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).";
            self.tell(&SqlError::new(217, 16, 1, text), reply);
            return Ok(false);
        }
        // A TRY block of the caller handles the errors of this batch only after the batch has ended.
        let tries = std::mem::take(&mut self.tries);
        self.nesting += 1;
        let outcome = self.block(block, reply);
        self.nesting -= 1;
        self.tries = tries;
        match outcome {
            Ok(_) => Ok(true),
            Err(Stop::Cancelled) => Err(SqlError::cancelled()),
            Err(Stop::Told) => Ok(false),
            Err(Stop::Failed(error)) => {
                self.tell(&error, reply);
                Ok(false)
            }
        }
    }

    pub(super) fn tell(&mut self, error: &SqlError, reply: &mut Reply<'_>) {
        self.last_error = Some(error.clone());
        reply.error(error);
        reply.statement_failed();
    }

    fn block(&mut self, block: &Block, reply: &mut Reply<'_>) -> Step<Flow> {
        for Located { line, command } in block {
            self.cancel.check().map_err(|_| Stop::Cancelled)?;
            let error = match self.command(command, reply) {
                Ok(Flow::Next) => continue,
                Ok(flow) => return Ok(flow),
                Err(Stop::Failed(error)) if error.is_cancelled() => return Err(Stop::Cancelled),
                Err(Stop::Failed(error)) => error.at(*line),
                Err(stop) => return Err(stop),
            };
            if self.tries > 0 {
                return Err(Stop::Failed(error));
            }
            self.tell(&error, reply);
            let thrown = matches!(command, Code::Throw(_));
            if self.options.abort_transaction {
                self.roll_back(reply).map_err(Stop::Failed)?;
            }
            if thrown || self.options.abort_transaction || !error.batch_goes_on() {
                return Err(Stop::Told);
            }
        }
        Ok(Flow::Next)
    }

    fn command(&mut self, command: &Code, reply: &mut Reply<'_>) -> Step<Flow> {
        let outcome = match command {
            Code::If { condition, then, otherwise } => {
                let holds = self.holds(condition).map_err(Stop::Failed)?;
                return self.block(if holds { then } else { otherwise }, reply);
            }
            Code::While { condition, body } => return self.repeat(condition, body, reply),
            Code::Try { body, handler } => return self.try_block(body, handler, reply),
            Code::Return(value) => {
                if let Some(value) = value {
                    let (_, value) = self.evaluate(value, Some(SqlType::Int)).map_err(Stop::Failed)?;
                    self.set_returned(value);
                }
                return Ok(Flow::Return);
            }
            Code::Break => return Ok(Flow::Break),
            Code::Continue => return Ok(Flow::Continue),
            Code::Execute { returned, procedure, arguments } => {
                let outcome = self.execute(returned.as_deref(), procedure, arguments, reply).map_err(Stop::Failed)?;
                return if outcome { Ok(Flow::Next) } else { Err(Stop::Told) };
            }
            Code::Sql(statement) => self.sql(statement, reply),
            Code::InsertBulk(announcement) => self.announce(announcement),
            Code::Declare(declarations) => {
                declarations.iter().try_for_each(|Declared { name, data_type, value, .. }| {
                    let ty = SqlType::of(data_type)?;
                    self.variables.declare(name, ty, Value::Null);
                    value.as_ref().map_or(Ok(()), |value| self.set_variable(name, value))
                })
            }
            Code::Create(module) => self.create_module(module, reply),
            Code::Assign(name, value) => self.set_variable(name, value),
            Code::SetOption { words, on } => self.set_option(words, *on),
            Code::Print(text) => self.print(text, reply),
            Code::RaisError(arguments) => self.raise(arguments, reply),
            Code::Throw(arguments) => self.throw(arguments.as_deref()),
            Code::Begin => {
                self.begin(reply);
                Ok(())
            }
            Code::Commit => self.commit(reply),
            Code::Rollback(savepoint) => self.roll_back_to(savepoint.as_deref(), reply),
            Code::Save(savepoint) => self.save(savepoint),
            Code::Use(name) => self.use_database(name, reply),
            Code::WaitFor(delay) => self.wait(delay),
        };
        outcome.map_err(Stop::Failed)?;
        if !matches!(command, Code::Sql(_) | Code::Create(_)) {
            reply.statement_done(Command::Other, None);
        }
        self.last_error = None;
        Ok(Flow::Next)
    }

    fn repeat(&mut self, condition: &Expr, body: &Block, reply: &mut Reply<'_>) -> Step<Flow> {
        while self.holds(condition).map_err(Stop::Failed)? {
            self.cancel.check().map_err(|_| Stop::Cancelled)?;
            match self.block(body, reply)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                Flow::Return => return Ok(Flow::Return),
            }
        }
        Ok(Flow::Next)
    }

    fn try_block(&mut self, body: &Block, handler: &Block, reply: &mut Reply<'_>) -> Step<Flow> {
        self.tries += 1;
        let outcome = self.block(body, reply);
        self.tries -= 1;
        match outcome {
            Err(Stop::Failed(error)) => {
                self.caught.push(error);
                let outcome = self.block(handler, reply);
                self.caught.pop();
                outcome
            }
            other => other,
        }
    }

    // Single values.

    /// The value of an expression in its stored form.
    pub(super) fn evaluate(&mut self, expression: &Expr, to: Option<SqlType>) -> Result<(SqlType, Value)> {
        let (sql, ty) = self.compile(|compiler| compiler.scalar(expression, to))?;
        let mut statement = self.sqlite.prepare(&sql)?;
        bind(&mut statement, &self.variables)?;
        let mut rows = statement.raw_query();
        let value = match rows.next()? {
            Some(row) => row.get(0)?,
            None => Value::Null,
        };
        Ok((ty, value))
    }

    fn holds(&mut self, condition: &Expr) -> Result<bool> {
        let sql = self.compile(|compiler| compiler.condition(condition))?;
        let mut statement = self.sqlite.prepare(&sql)?;
        bind(&mut statement, &self.variables)?;
        let mut rows = statement.raw_query();
        // NULL is not true.
        Ok(rows.next()?.map(|row| row.get::<_, Option<bool>>(0)).transpose()?.flatten() == Some(true))
    }

    fn text(&mut self, expression: &Expr) -> Result<String> {
        match self.evaluate(expression, Some(SqlType::NVarChar(Length::Max)))?.1 {
            Value::Text(text) => Ok(text),
            _ => Ok(String::new()),
        }
    }

    fn set_variable(&mut self, name: &str, value: &Expr) -> Result<()> {
        let (_, value) = self.evaluate(value, Some(self.variable_type(name)?))?;
        self.variables.declare(name, self.variable_type(name)?, value);
        Ok(())
    }

    fn variable_type(&self, name: &str) -> Result<SqlType> {
        let must_declare = || SqlError::new(137, 15, 1, format!("Must declare the scalar variable \"{name}\"."));
        self.variables.types.get(&name.to_lowercase()).copied().ok_or_else(must_declare)
    }

    /// Sets a variable to a value that has a type of its own.
    fn give_variable(&mut self, name: &str, ty: SqlType, value: &Value) -> Result<()> {
        let to = self.variable_type(name)?;
        self.variables.declare(name, to, declared(value, ty, to)?);
        Ok(())
    }

    // Statements that are not SQL.

    fn set_option(&mut self, words: &[String], on: bool) -> Result<()> {
        if let [word, table] = words
            && word == "IDENTITY_INSERT"
        {
            let name = Name::parse(table);
            let found = crate::sql::schema::find(&self.sqlite, &name, &self.database)?;
            let table = found.ok_or_else(|| SqlError::invalid_object(&name.object))?;
            self.options.identity_insert = on.then_some((table.database, table.name));
            return Ok(());
        }
        if let [word, level] = words
            && word == "ISOLATION LEVEL"
        {
            let levels = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT"];
            let known = (1..).zip(levels).find(|(_, known)| level == known);
            self.options.isolation_level = Some(known.ok_or_else(|| SqlError::syntax(level))?.0);
            return Ok(());
        }
        for word in words {
            match word.as_str() {
                "NOCOUNT" => self.options.no_count = on,
                "IMPLICIT_TRANSACTIONS" => self.options.implicit_transactions = on,
                "XACT_ABORT" => self.options.abort_transaction = on,
                "FMTONLY" => self.options.format_only = on,
                // Options that drivers and tools set, and that are always on here or have no effect.
                "ANSI_DEFAULTS"
                | "ANSI_NULLS"
                | "ANSI_PADDING"
                | "ANSI_WARNINGS"
                | "ARITHABORT"
                | "CONCAT_NULL_YIELDS_NULL"
                | "QUOTED_IDENTIFIER"
                    if on => {}
                "ANSI_NULL_DFLT_ON"
                | "CURSOR_CLOSE_ON_COMMIT"
                | "DATEFIRST"
                | "DEADLOCK_PRIORITY"
                | "LOCK_TIMEOUT"
                | "NUMERIC_ROUNDABORT"
                | "TEXTSIZE" => {}
                "FORCEPLAN" | "NOEXEC" | "PARSEONLY" | "SHOWPLAN_ALL" | "SHOWPLAN_TEXT" | "SHOWPLAN_XML" if !on => {}
                other => {
                    let value = if on { "ON, or to a value" } else { "OFF" };
                    return Err(SqlError::unsupported(format!("SET {other} {value}")));
                }
            }
        }
        Ok(())
    }

    fn print(&mut self, text: &Expr, reply: &mut Reply<'_>) -> Result<()> {
        let text = self.text(text)?;
        reply.info(&SqlError::new(0, 0, 1, text).at(1));
        Ok(())
    }

    fn raise(&mut self, arguments: &[Expr], reply: &mut Reply<'_>) -> Result<()> {
        let [message, severity, state, values @ ..] = arguments else {
            return Err(SqlError::syntax(")"));
        };
        let (ty, message) = self.evaluate(message, None)?;
        let mut values = values.iter().map(|value| self.text(value)).collect::<Result<Vec<_>>>()?.into_iter();
        let (number, message) = match message {
            Value::Integer(number) => (number as i32, format!("Error {number} was raised.")),
            Value::Text(text) => (50000, filled(&text, &mut values)),
            _ => return Err(SqlError::unsupported(format!("RAISERROR with a {ty}"))),
        };
        let small = |value| match value {
            (_, Value::Integer(value)) => u8::try_from(value).unwrap_or(0),
            _ => 0,
        };
        let severity = small(self.evaluate(severity, Some(SqlType::Int))?);
        let state = small(self.evaluate(state, Some(SqlType::Int))?);
        let error = SqlError::new(number, severity, state, message);
        if severity > 10 {
            return Err(error);
        }
        reply.info(&error);
        Ok(())
    }

    fn throw(&mut self, arguments: Option<&[Expr; 3]>) -> Result<()> {
        let Some([number, message, state]) = arguments else {
            let nothing = || {
                SqlError::new(10704, 15, 1, "To rethrow an error, a THROW statement must be used inside a CATCH block.")
            };
            return Err(self.caught.last().cloned().unwrap_or_else(nothing));
        };
        let message = self.text(message)?;
        let (_, number) = self.evaluate(number, Some(SqlType::Int))?;
        let (_, state) = self.evaluate(state, Some(SqlType::Int))?;
        let integer = |value: Value| if let Value::Integer(value) = value { value } else { 0 };
        Err(SqlError::new(integer(number) as i32, 16, integer(state) as u8, message))
    }

    fn wait(&mut self, delay: &Expr) -> Result<()> {
        let text = self.text(delay)?;
        let incorrect =
            || SqlError::new(148, 15, 1, format!("Incorrect time syntax in time string '{text}' used with WAITFOR."));
        let ticks = Moment::parse(&text).ok_or_else(incorrect)?.ticks;
        let deadline = Instant::now() + Duration::from_millis((ticks / (TICKS_PER_SECOND / 1000)) as u64);
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            self.cancel.check()?;
            std::thread::sleep(left.min(Duration::from_millis(10)));
        }
        Ok(())
    }

    /// EXEC of a procedure, or of a batch in a string. Returns whether it succeeded.
    fn execute(
        &mut self,
        returned: Option<&str>,
        procedure: &str,
        arguments: &[Argument],
        reply: &mut Reply<'_>,
    ) -> Result<bool> {
        let mut parameters = Vec::new();
        for Argument { name, value, output } in arguments {
            let (ty, value) = match value {
                // A bare word is a text here.
                Expr::Identifier(word) if !word.value.starts_with('@') => {
                    (SqlType::NVarChar(Length::Of(4000)), Value::Text(word.value.clone()))
                }
                value => self.evaluate(value, None)?,
            };
            parameters.push(crate::wire::rpc::Parameter {
                name: name.clone().unwrap_or_default(),
                output: *output,
                ty,
                value,
            });
        }
        let call = crate::wire::rpc::Call { procedure: procedure.to_owned(), parameters };
        let called = self.call(&call, reply)?;
        for Output { at, ty, value } in called.outputs {
            if let Some(Argument { value: Expr::Identifier(variable), .. }) = arguments.get(at) {
                self.give_variable(&variable.value, ty, &value)?;
            }
        }
        if let Some(variable) = returned {
            self.give_variable(variable, SqlType::Int, &Value::Integer(i64::from(called.status)))?;
        }
        Ok(called.well)
    }

    // SQL.

    fn sql(&mut self, statement: &Statement, reply: &mut Reply<'_>) -> Result<()> {
        match statement {
            Statement::Query(query) => {
                if let sqlparser::ast::SetExpr::Insert(inner)
                | sqlparser::ast::SetExpr::Update(inner)
                | sqlparser::ast::SetExpr::Delete(inner) = query.body.as_ref()
                {
                    return self.modify(inner, Some(query), reply);
                }
                let compiled = self.compile(|compiler| compiler.result(query))?;
                self.query(&compiled, reply)
            }
            Statement::Insert(_) | Statement::Update { .. } | Statement::Delete(_) => {
                self.modify(statement, None, reply)
            }
            Statement::CreateTable(create) => self.create_table(create, reply),
            Statement::CreateDatabase { db_name, .. } => {
                self.databases.add(&Name::of(db_name)?.object)?;
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            Statement::Drop { object_type: ObjectType::Database, if_exists, names, .. } => {
                for name in names {
                    self.drop_database(&Name::of(name)?.object, *if_exists)?;
                }
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            Statement::CreateIndex(index) if index.unique => Err(SqlError::unsupported("CREATE UNIQUE INDEX")),
            Statement::CreateIndex(_) => {
                // Any other index only affects speed, which does not matter here.
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            Statement::Drop { object_type: ObjectType::Table, if_exists, names, .. } => {
                for name in names {
                    let Some((sql, table)) =
                        self.compile(|compiler| compile::drop_table(compiler, name, *if_exists))?
                    else {
                        continue;
                    };
                    self.define(&table, &sql, reply)?;
                }
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            Statement::Drop { object_type: ObjectType::View, if_exists, names, .. } => {
                let names = names.iter().map(Name::of).collect::<Result<_>>()?;
                self.drop_modules(names, true, *if_exists, reply)
            }
            Statement::DropProcedure { if_exists, proc_desc, .. } => {
                let names = proc_desc.iter().map(|one| Name::of(&one.name)).collect::<Result<_>>()?;
                self.drop_modules(names, false, *if_exists, reply)
            }
            Statement::Drop { object_type: ObjectType::Index, .. } => {
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            Statement::Truncate { table_names, .. } => {
                for target in table_names {
                    let name = Name::of(&target.name)?;
                    let found = crate::sql::schema::find(&self.sqlite, &name, &self.database)?;
                    let table = found.ok_or_else(|| SqlError::invalid_object(&name.object))?;
                    self.change(reply, |session| {
                        Ok(session.sqlite.execute_batch(&format!("DELETE FROM {}", table.sql()))?)
                    })?;
                    self.begin_identities(&table);
                }
                reply.statement_done(Command::Other, None);
                Ok(())
            }
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn drop_database(&self, name: &str, if_exists: bool) -> Result<()> {
        if self.database.eq_ignore_ascii_case(name) {
            let text = format!("Cannot drop database \"{name}\" because it is currently in use.");
            return Err(SqlError::new(3702, 16, 3, text));
        }
        if !self.databases.remove(name) && !if_exists {
            let text = "because it does not exist or you do not have permission.";
            return Err(SqlError::new(3701, 11, 1, format!("Cannot drop the database '{name}', {text}")));
        }
        Ok(())
    }

    /// Runs a query: its rows go to the client, into a new table, or into variables.
    pub(super) fn query(&mut self, query: &Query, reply: &mut Reply<'_>) -> Result<()> {
        if let Some(into) = &query.into {
            return self.select_into(into, query, reply);
        }
        if query.sql.contains(" FROM ") {
            self.begin_implicitly(reply);
        }
        let mut statement = self.sqlite.prepare(&query.sql)?;
        bind(&mut statement, &self.variables)?;
        if !query.assigned.is_empty() {
            // The variables keep the last row.
            let mut last = None;
            let mut rows = statement.raw_query();
            let mut count = 0;
            while let Some(row) = rows.next()? {
                self.cancel.check()?;
                last = Some((0..query.assigned.len()).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()?);
                count += 1;
            }
            for (name, value) in query.assigned.iter().zip(last.into_iter().flatten()) {
                self.variables.values.insert(name.clone(), value);
            }
            self.row_count = count;
            reply.statement_done(Command::Select, None);
            return Ok(());
        }
        reply.columns(&query.columns);
        let mut count = 0;
        if !self.options.format_only {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                self.cancel.check()?;
                let values = (0..query.columns.len())
                    .map(|at| row.get_ref(at))
                    .collect::<rusqlite::Result<Vec<ValueRef<'_>>>>()?;
                reply.row(&query.columns, values)?;
                // A client that has gone is noticed at the end of the reply; nothing more is computed for it.
                reply.relieve().map_err(|_| SqlError::cancelled())?;
                count += 1;
            }
        }
        self.row_count = count;
        reply.statement_done(Command::Select, Some(count).filter(|_| !self.options.no_count));
        Ok(())
    }

    fn select_into(&mut self, into: &sqlparser::ast::ObjectName, query: &Query, reply: &mut Reply<'_>) -> Result<()> {
        let definition = self.compile(|compiler| compile::new_table(compiler, into, &query.columns))?;
        let place = format!(
            "{}.{}",
            crate::sql::schema::quote(&definition.database),
            crate::sql::schema::quote(&definition.table)
        );
        let count = self.change(reply, |session| {
            session.sqlite.execute_batch(&definition.sql)?;
            let mut statement = session.sqlite.prepare(&format!("INSERT INTO {place} {}", query.sql))?;
            bind(&mut statement, &session.variables)?;
            Ok(statement.raw_execute()? as u64)
        })?;
        self.counted(Command::Select, count, reply);
        Ok(())
    }

    /// `with` is the query whose common table expressions the statement may use.
    fn modify(
        &mut self,
        statement: &Statement,
        with: Option<&sqlparser::ast::Query>,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let given = self.options.identity_insert.clone();
        let explicit = |table: &Table| {
            given.as_ref().is_some_and(|(database, name)| *database == table.database && *name == table.name)
        };
        let (with, Modification { sql, table }) = self.compile(|compiler| {
            let mut tables = Vec::new();
            for one in with.iter().filter_map(|query| query.with.as_ref()).flat_map(|with| &with.cte_tables) {
                tables.push(compiler.common(one)?);
            }
            let with = if tables.is_empty() { String::new() } else { format!("WITH RECURSIVE {} ", tables.join(", ")) };
            let modification = match statement {
                Statement::Insert(insert) => compile::insert(compiler, insert, explicit)?,
                Statement::Update { table, assignments, from, selection, .. } => {
                    compile::update(compiler, table, assignments, from.as_ref(), selection.as_ref())?
                }
                Statement::Delete(delete) => compile::delete(compiler, delete)?,
                other => return Err(SqlError::unsupported(other)),
            };
            Ok((with, modification))
        })?;
        if self.options.format_only {
            return Ok(());
        }
        let count = self.change(reply, |session| {
            let mut statement = session.sqlite.prepare_cached(&format!("{with}{sql}"))?;
            bind(&mut statement, &session.variables)?;
            Ok(statement.raw_execute()? as u64)
        })?;
        if explicit(&table) {
            self.pass_identities(&table)?;
        }
        let command = match statement {
            Statement::Insert(_) => Command::Insert,
            Statement::Update { .. } => Command::Update,
            _ => Command::Delete,
        };
        self.counted(command, count, reply);
        Ok(())
    }

    pub(super) fn counted(&mut self, command: Command, count: u64, reply: &mut Reply<'_>) {
        self.row_count = count;
        reply.statement_done(command, Some(count).filter(|_| !self.options.no_count));
    }

    fn create_table(&mut self, create: &sqlparser::ast::CreateTable, reply: &mut Reply<'_>) -> Result<()> {
        // A computed column would keep its value from when the row was written.
        if create
            .columns
            .iter()
            .any(|column| column.options.iter().any(|option| matches!(option.option, ColumnOption::Generated { .. })))
        {
            return Err(SqlError::unsupported("a computed column"));
        }
        let definition = self.compile(|compiler| compile::create_table(compiler, create))?;
        self.change(reply, |session| Ok(session.sqlite.execute_batch(&definition.sql)?))?;
        let name = Name { database: Some(definition.database), schema: None, object: definition.table };
        if let Some(table) = crate::sql::schema::find(&self.sqlite, &name, &self.database)? {
            self.begin_identities(&table);
        }
        reply.statement_done(Command::Other, None);
        Ok(())
    }

    fn define(&mut self, table: &Table, sql: &str, reply: &mut Reply<'_>) -> Result<()> {
        let dropped = self.change(reply, |session| Ok(session.sqlite.execute_batch(sql)?));
        if self
            .options
            .identity_insert
            .as_ref()
            .is_some_and(|(database, name)| *database == table.database && *name == table.name)
        {
            self.options.identity_insert = None;
        }
        dropped
    }

    fn begin_identities(&self, table: &Table) {
        let key = identity_key(&table.database, &table.name, self.id);
        if let Some((seed, increment)) = table.columns.iter().find_map(|column| column.identity) {
            self.databases.identities.begin(&key, seed, increment);
        }
    }

    /// Later identity values skip the given ones.
    pub(super) fn pass_identities(&self, table: &Table) -> Result<()> {
        let key = identity_key(&table.database, &table.name, self.id);
        let Some(column) = table.columns.iter().find(|column| column.identity.is_some()) else {
            return Ok(());
        };
        let function = if column.identity.is_some_and(|(_, increment)| increment < 0) { "min" } else { "max" };
        let sql = format!("SELECT {function}({}) FROM {}", crate::sql::schema::quote(&column.name), table.sql());
        if let Some(value) = self.sqlite.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))? {
            self.databases.identities.at_least(&key, value);
            *Arc::clone(&self.last_identity).lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        }
        Ok(())
    }
}

/// Binds the variables that a statement names.
pub(super) fn bind(statement: &mut Prepared<'_>, variables: &Variables) -> Result<()> {
    for at in 1..=statement.parameter_count() {
        let value =
            statement.parameter_name(at).and_then(|name| variables.values.get(name)).cloned().unwrap_or(Value::Null);
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(())
}

/// A message of RAISERROR with its `%s` and `%d` filled in.
fn filled(message: &str, values: &mut impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    let mut chars = message.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('s' | 'd' | 'i' | 'u') => out += &values.next().unwrap_or_else(|| "(null)".to_owned()),
                Some(other) => out.push(other),
                None => out.push('%'),
            },
            _ => out.push(c),
        }
    }
    out
}
