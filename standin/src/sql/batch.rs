//! Parses a batch: T-SQL's control of flow here, everything that is SQL with `sqlparser`.
//!
//! T-SQL needs no semicolons between statements, so the parser is asked for one statement at a time. As in SQL Server,
//! a batch with a syntax error anywhere is not executed at all.

use sqlparser::ast::{DataType, Expr, Ident, Query, Statement};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{IsOptional, Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::insert_bulk::{self, InsertBulk};
use super::schema::Name;
use crate::error::{Result, SqlError};

/// A statement and its position.
#[derive(Clone, Debug)]
pub struct Located {
    pub line: u32,
    pub command: Command,
}

pub type Block = Vec<Located>;

#[derive(Clone, Debug)]
pub enum Command {
    /// A statement that SQLite takes part in.
    Sql(Box<Statement>),
    InsertBulk(InsertBulk),
    If {
        condition: Expr,
        then: Block,
        otherwise: Block,
    },
    While {
        condition: Expr,
        body: Block,
    },
    Try {
        body: Block,
        handler: Block,
    },
    Declare(Vec<Declared>),
    /// `SET @variable = value`
    Assign(String, Expr),
    /// `SET NOCOUNT, XACT_ABORT ON`, `SET IDENTITY_INSERT t ON`
    SetOption {
        words: Vec<String>,
        on: bool,
    },
    Print(Expr),
    RaisError(Vec<Expr>),
    /// Without arguments it throws the error that a CATCH has caught again.
    Throw(Option<Box<[Expr; 3]>>),
    Begin,
    Commit,
    /// To a savepoint, or of the whole transaction.
    Rollback(Option<String>),
    Save(String),
    Use(String),
    WaitFor(Expr),
    Execute {
        /// The variable for the return value of the procedure.
        returned: Option<String>,
        procedure: String,
        arguments: Vec<Argument>,
    },
    Create(Box<Module>),
    Return(Option<Box<Expr>>),
    Break,
    Continue,
}

/// A variable, or a parameter of a procedure.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: String,
    pub data_type: DataType,
    /// Its initial value.
    pub value: Option<Expr>,
    /// Whether the caller gets its value.
    pub output: bool,
}

/// An argument of EXEC.
#[derive(Clone, Debug)]
pub struct Argument {
    pub name: Option<String>,
    pub value: Expr,
    pub output: bool,
}

/// A procedure or a view.
#[derive(Clone, Debug)]
pub struct Module {
    pub name: Name,
    /// CREATE OR ALTER, or ALTER.
    pub replace: bool,
    pub body: Body,
    /// The batch that creates it, which is stored.
    pub text: String,
}

#[derive(Clone, Debug)]
pub enum Body {
    View { columns: Vec<String>, query: Box<Query> },
    Procedure { parameters: Vec<Declared>, block: Block },
}

impl Body {
    pub fn is_view(&self) -> bool {
        matches!(self, Body::View { .. })
    }
}

/// Parses a whole batch.
pub fn parse(sql: &str) -> Result<Block> {
    let dialect = MsSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        let text = if error.message.contains("nterminated") { "Unclosed quotation mark" } else { "Incorrect syntax" };
        SqlError::new(105, 15, 1, format!("{text} after the character string ''.")).at(error.location.line as u32)
    })?;
    check_depth(&tokens)?;
    let mut reader =
        Reader { nesting: 0, text: sql, parser: Parser::new(&dialect).with_tokens_with_locations(understood(tokens)) };
    let mut block = Block::new();
    while !reader.at_end() {
        reader.statement(&mut block)?;
    }
    Ok(block)
}

/// The greatest depth of a statement's tree. SQLite accepts expressions of 1000 levels, with a few tokens each.
const DEEPEST_TREE: usize = 10_000;
/// The greatest nesting of blocks, IFs and WHILEs.
const MOST_NESTED: usize = 50;
/// The greatest nesting of calls. The parser reads an argument twice, and so the innermost one 2^n times.
const MOST_CALLS: usize = 14;

fn too_deep() -> SqlError {
    let text =
        "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.";
    SqlError::new(191, 15, 1, text)
}

/// Refuses a statement whose tree would be too deep for the functions that walk it. In `1 + 1 + 1` each operator makes
/// a level, so this counts the tokens since the last comma or semicolon, and those before each open parenthesis.
fn check_depth(tokens: &[TokenWithSpan]) -> Result<()> {
    let (mut depth, mut calls, mut after_word) = (0, 0, false);
    let mut outer = Vec::new();
    for token in tokens {
        match token.token {
            Token::Whitespace(_) => continue,
            Token::LParen => {
                outer.push((depth, calls));
                calls += usize::from(after_word);
            }
            Token::RParen => {
                (depth, calls) = outer.pop().unwrap_or_default();
                depth += 1;
            }
            Token::Comma | Token::SemiColon => depth = outer.last().map_or(0, |(depth, _)| *depth),
            _ => depth += 1,
        }
        if depth > DEEPEST_TREE || calls > MOST_CALLS {
            return Err(too_deep().at(token.span.start.line as u32));
        }
        after_word = matches!(token.token, Token::Word(_));
    }
    Ok(())
}

/// `CURRENT OF name` is parsed as a call of this function with the name as a text.
pub const CURRENT_OF: &str = "CURRENT_OF";

/// Rewrites four forms that the parser does not know: `DELETE t` for `DELETE FROM t`, `DROP PROC`, `PRIMARY KEY
/// CLUSTERED` of a column, where the last word means nothing to SQLite, and `CURRENT OF` a cursor.
fn understood(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let before = out.last();
        let of_a_key = before.is_some_and(|before| is(before, Keyword::KEY) || is(before, Keyword::UNIQUE));
        if of_a_key && (is_word(token, "CLUSTERED") || is_word(token, "NONCLUSTERED")) {
            continue;
        }
        let instead = |other: Token| TokenWithSpan { token: other, span: token.span };
        if let [of, TokenWithSpan { token: Token::Word(name), .. }, beyond @ ..] = after
            && is_word(token, "CURRENT")
            && is_word(of, "OF")
        {
            let name = Token::SingleQuotedString(name.value.clone());
            out.extend([Token::make_word(CURRENT_OF, None), Token::LParen, name, Token::RParen].map(instead));
            rest = beyond;
            continue;
        }
        if is_word(token, "PROC") && before.is_some_and(|before| is(before, Keyword::DROP)) {
            out.push(instead(Token::make_keyword("PROCEDURE")));
            continue;
        }
        // After ON it is the action of a foreign key.
        let statement = is(token, Keyword::DELETE) && !before.is_some_and(|before| is(before, Keyword::ON));
        out.push(token.clone());
        if statement && lacks_from(after) {
            out.push(instead(Token::make_keyword("FROM")));
        }
    }
    out
}

/// Whether DELETE is followed by a name without a FROM after it.
fn lacks_from(after: &[TokenWithSpan]) -> bool {
    let mut after = after.iter().peekable();
    if !after.peek().is_some_and(|next| matches!(next.token, Token::Word(_)) && !is(next, Keyword::FROM)) {
        return false;
    }
    let in_name = |token: &&TokenWithSpan| {
        matches!(token.token, Token::Period | Token::Word(_)) && !is(token, Keyword::FROM) && !is(token, Keyword::WHERE)
    };
    !after.find(|token| !in_name(token)).is_some_and(|next| is(next, Keyword::FROM))
}

fn is(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.keyword == keyword)
}

fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

struct Reader<'a> {
    parser: Parser<'a>,
    /// The number of statements around the next one.
    nesting: usize,
    text: &'a str,
}

impl Reader<'_> {
    fn at_end(&self) -> bool {
        self.parser.peek_token_ref().token == Token::EOF
    }

    /// The next token as a plain word in capitals.
    fn peek_word(&self, ahead: usize) -> String {
        match &self.parser.peek_nth_token_ref(ahead).token {
            Token::Word(Word { value, quote_style: None, .. }) => value.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.peek_word(0) == word;
        if found {
            self.parser.next_token();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn line(&self) -> u32 {
        self.parser.peek_token_ref().span.start.line as u32
    }

    fn unexpected(&self) -> SqlError {
        let token = self.parser.peek_token_ref();
        let near = if token.token == Token::EOF { self.parser.get_current_token() } else { token };
        SqlError::syntax(&shown(&near.token)).at(near.span.start.line as u32)
    }

    /// Runs one of the parser's functions, for example for an expression.
    fn read<T>(&mut self, read: impl FnOnce(&mut Parser<'_>) -> std::result::Result<T, ParserError>) -> Result<T> {
        let line = self.line();
        read(&mut self.parser).map_err(|error| syntax_error(&error).at(line))
    }

    fn expr(&mut self) -> Result<Expr> {
        self.read(|parser| parser.parse_expr())
    }

    fn name(&mut self) -> Result<String> {
        self.read(|parser| parser.parse_identifier()).map(|Ident { value, .. }| value)
    }

    /// An optional name of a transaction. A keyword begins the next statement.
    fn optional_name(&mut self) -> Result<Option<String>> {
        match &self.parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::NoKeyword && !is_control(&word.value) => {
                self.name().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A statement, or the statements between BEGIN and END.
    fn block(&mut self) -> Result<Block> {
        let mut block = Block::new();
        self.statement(&mut block)?;
        let _ = self.parser.consume_token(&Token::SemiColon);
        Ok(block)
    }

    /// The statements up to and including END.
    fn until_end(&mut self) -> Result<Block> {
        let mut block = Block::new();
        while !self.accept("END") {
            if self.at_end() {
                return Err(self.unexpected());
            }
            self.statement(&mut block)?;
        }
        Ok(block)
    }

    fn statement(&mut self, block: &mut Block) -> Result<()> {
        if self.parser.consume_token(&Token::SemiColon) {
            return Ok(());
        }
        if self.nesting == MOST_NESTED {
            return Err(too_deep().at(self.line()));
        }
        self.nesting += 1;
        let read = self.nested_statement(block);
        self.nesting -= 1;
        read
    }

    fn nested_statement(&mut self, block: &mut Block) -> Result<()> {
        let line = self.line();
        let first = self.peek_word(0);
        let command = match first.as_str() {
            "BEGIN" if !matches!(self.peek_word(1).as_str(), "TRAN" | "TRANSACTION" | "TRY" | "CATCH") => {
                self.parser.next_token();
                block.extend(self.until_end()?);
                return Ok(());
            }
            "INSERT" if self.peek_word(1) == "BULK" => Command::InsertBulk(self.read(insert_bulk::read)?),
            "CREATE" | "ALTER" if self.begins_module() => self.module()?,
            "IF" | "WHILE" | "BEGIN" if first != "BEGIN" || self.peek_word(1) == "TRY" => {
                self.parser.next_token();
                self.compound(&first)?
            }
            _ if is_control(&first) => {
                self.parser.next_token();
                self.control(&first)?
            }
            _ => self.sql()?,
        };
        block.push(Located { line, command });
        Ok(())
    }

    /// A statement that the parser reads. Here and below, the stack frames of recursive functions are kept small.
    fn sql(&mut self) -> Result<Command> {
        let at = self.parser.index();
        let statement = self.read(|parser| parser.parse_statement())?;
        if self.parser.index() == at {
            return Err(self.unexpected());
        }
        Ok(Command::Sql(Box::new(statement)))
    }

    /// A statement that contains others, after its first word.
    fn compound(&mut self, first: &str) -> Result<Command> {
        Ok(match first {
            "IF" => {
                let condition = self.expr()?;
                let then = self.block()?;
                let otherwise = if self.accept("ELSE") { self.block()? } else { Block::new() };
                Command::If { condition, then, otherwise }
            }
            "WHILE" => Command::While { condition: self.expr()?, body: self.block()? },
            _ => {
                self.expect("TRY")?;
                let body = self.until_end()?;
                self.expect("TRY")?;
                self.expect("BEGIN")?;
                self.expect("CATCH")?;
                let handler = self.until_end()?;
                self.expect("CATCH")?;
                Command::Try { body, handler }
            }
        })
    }

    /// Any other statement of the control of flow, after its first word.
    fn control(&mut self, first: &str) -> Result<Command> {
        Ok(match first {
            "BEGIN" => {
                self.parser.next_token();
                self.optional_name()?;
                Command::Begin
            }
            "COMMIT" => {
                let _ = self.accept("TRAN") || self.accept("TRANSACTION") || self.accept("WORK");
                self.optional_name()?;
                Command::Commit
            }
            "ROLLBACK" => {
                let _ = self.accept("TRAN") || self.accept("TRANSACTION") || self.accept("WORK");
                Command::Rollback(self.optional_name()?)
            }
            "SAVE" => {
                let _ = self.accept("TRAN") || self.accept("TRANSACTION");
                Command::Save(self.name()?)
            }
            "DECLARE" => self.declare()?,
            "SET" => self.set()?,
            "PRINT" => Command::Print(self.expr()?),
            "RAISERROR" => {
                let arguments = self.read(|parser| {
                    parser.expect_token(&Token::LParen)?;
                    let arguments = parser.parse_comma_separated(Parser::parse_expr)?;
                    parser.expect_token(&Token::RParen)?;
                    Ok(arguments)
                })?;
                if self.accept("WITH") {
                    self.read(|parser| parser.parse_comma_separated(Parser::parse_identifier))?;
                }
                Command::RaisError(arguments)
            }
            "THROW" => {
                if matches!(self.parser.peek_token_ref().token, Token::SemiColon | Token::EOF)
                    || !self.peek_word(0).is_empty() && !self.peek_word(0).starts_with('@')
                {
                    return Ok(Command::Throw(None));
                }
                let arguments = self.read(|parser| parser.parse_comma_separated(Parser::parse_expr))?;
                let arguments: [Expr; 3] = arguments.try_into().map_err(|_| self.unexpected())?;
                Command::Throw(Some(Box::new(arguments)))
            }
            "USE" => Command::Use(self.name()?),
            "WAITFOR" => {
                self.expect("DELAY")?;
                Command::WaitFor(self.expr()?)
            }
            "EXEC" | "EXECUTE" => self.execute()?,
            "RETURN" => self.returned()?,
            "BREAK" => Command::Break,
            _ => Command::Continue,
        })
    }

    /// The value of RETURN, if there is one.
    fn returned(&mut self) -> Result<Command> {
        let next = &self.parser.peek_token_ref().token;
        let value = matches!(next, Token::Number(..) | Token::Minus | Token::Plus | Token::LParen);
        let value = value || self.peek_word(0).starts_with('@');
        Ok(Command::Return(if value { Some(Box::new(self.expr()?)) } else { None }))
    }

    fn declare(&mut self) -> Result<Command> {
        Ok(Command::Declare(self.declarations()?))
    }

    /// `@a int = 1, @b nvarchar(10) OUTPUT`
    fn declarations(&mut self) -> Result<Vec<Declared>> {
        let mut declarations = Vec::new();
        loop {
            let name = self.name()?;
            let _ = self.accept("AS");
            let data_type = self.read(|parser| parser.parse_data_type())?;
            let value = if self.parser.consume_token(&Token::Eq) { Some(self.expr()?) } else { None };
            let output = self.accept("OUTPUT") || self.accept("OUT");
            declarations.push(Declared { name, data_type, value, output });
            if !self.parser.consume_token(&Token::Comma) {
                return Ok(declarations);
            }
        }
    }

    /// Whether CREATE or ALTER is for a procedure or a view.
    fn begins_module(&self) -> bool {
        let at = if self.peek_word(1) == "OR" { 3 } else { 1 };
        matches!(self.peek_word(at).as_str(), "PROC" | "PROCEDURE" | "VIEW")
    }

    /// CREATE or ALTER of a procedure or a view, which must be a batch of its own.
    fn module(&mut self) -> Result<Command> {
        if self.parser.index() > 0 {
            let text = "'CREATE/ALTER' of a procedure or a view must be the first statement in a query batch.";
            return Err(SqlError::new(111, 15, 1, text).at(self.line()));
        }
        let mut replace = self.accept("ALTER");
        if self.accept("CREATE") && self.accept("OR") {
            self.expect("ALTER")?;
            replace = true;
        }
        let view = self.accept("VIEW") || !(self.accept("PROCEDURE") || self.accept("PROC"));
        let name = Name::of(&self.read(|parser| parser.parse_object_name(false))?)?;
        let body = if view {
            let columns = if self.parser.peek_token_ref().token == Token::LParen {
                self.read(|parser| parser.parse_parenthesized_column_list(IsOptional::Mandatory, false))?
            } else {
                Vec::new()
            };
            self.expect("AS")?;
            let query = self.read(|parser| parser.parse_query())?;
            let _ = self.parser.consume_token(&Token::SemiColon);
            if !self.at_end() {
                return Err(self.unexpected());
            }
            Body::View { columns: columns.into_iter().map(|column| column.value).collect(), query }
        } else {
            let parenthesis = self.parser.consume_token(&Token::LParen);
            let parameters = if self.peek_word(0).starts_with('@') { self.declarations()? } else { Vec::new() };
            if parenthesis && !self.parser.consume_token(&Token::RParen) {
                return Err(self.unexpected());
            }
            self.expect("AS")?;
            let mut block = Block::new();
            while !self.at_end() {
                self.statement(&mut block)?;
            }
            Body::Procedure { parameters, block }
        };
        Ok(Command::Create(Box::new(Module { name, replace, body, text: self.text.to_owned() })))
    }

    fn set(&mut self) -> Result<Command> {
        if self.peek_word(0).starts_with('@') {
            let name = self.name()?;
            if !self.parser.consume_token(&Token::Eq) {
                return Err(self.unexpected());
            }
            return Ok(Command::Assign(name, self.expr()?));
        }
        let mut words = Vec::new();
        if self.accept("TRANSACTION") {
            self.expect("ISOLATION")?;
            self.expect("LEVEL")?;
            words.push("ISOLATION LEVEL".to_owned());
            let mut level = self.name()?.to_ascii_uppercase();
            if matches!(level.as_str(), "READ" | "REPEATABLE") {
                level = format!("{level} {}", self.name()?.to_ascii_uppercase());
            }
            words.push(level);
            return Ok(Command::SetOption { words, on: true });
        }
        loop {
            let word = self.name()?;
            words.push(word.to_ascii_uppercase());
            if words[0] == "STATISTICS" || words[0] == "OFFSETS" || words[0] == "IDENTITY_INSERT" {
                words.push(self.read(|parser| parser.parse_object_name(false))?.to_string());
            }
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        if self.accept("OFF") {
            return Ok(Command::SetOption { words, on: false });
        }
        if !self.accept("ON") {
            // SET TEXTSIZE 4096, SET LOCK_TIMEOUT 1000
            self.expr()?;
        }
        Ok(Command::SetOption { words, on: true })
    }

    fn execute(&mut self) -> Result<Command> {
        if self.parser.consume_token(&Token::LParen) {
            let sql = self.expr()?;
            if !self.parser.consume_token(&Token::RParen) {
                return Err(self.unexpected());
            }
            let arguments = vec![Argument { name: None, value: sql, output: false }];
            return Ok(Command::Execute { returned: None, procedure: "sp_executesql".to_owned(), arguments });
        }
        let mut returned = None;
        if self.peek_word(0).starts_with('@') {
            returned = Some(self.name()?);
            if !self.parser.consume_token(&Token::Eq) {
                return Err(self.unexpected());
            }
        }
        let procedure = self.read(|parser| parser.parse_object_name(false))?.to_string();
        let mut arguments = Vec::new();
        loop {
            let next = &self.parser.peek_token_ref().token;
            let word = self.peek_word(0);
            if matches!(next, Token::SemiColon | Token::EOF) || (arguments.is_empty() && begins_statement(&word)) {
                break;
            }
            let name = if word.starts_with('@') && self.parser.peek_nth_token_ref(1).token == Token::Eq {
                let name = self.name()?;
                self.parser.next_token();
                Some(name)
            } else {
                None
            };
            let value = self.expr()?;
            let output = self.accept("OUTPUT") || self.accept("OUT");
            arguments.push(Argument { name, value, output });
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        Ok(Command::Execute { returned, procedure: crate::wire::rpc::procedure_name(&procedure), arguments })
    }
}

fn is_control(word: &str) -> bool {
    matches!(
        word.to_ascii_uppercase().as_str(),
        "IF" | "WHILE"
            | "BEGIN"
            | "COMMIT"
            | "ROLLBACK"
            | "SAVE"
            | "DECLARE"
            | "SET"
            | "PRINT"
            | "RAISERROR"
            | "THROW"
            | "USE"
            | "WAITFOR"
            | "EXEC"
            | "EXECUTE"
            | "RETURN"
            | "BREAK"
            | "CONTINUE"
    )
}

fn begins_statement(word: &str) -> bool {
    is_control(word)
        || matches!(
            word,
            "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "CREATE" | "DROP" | "WITH" | "TRUNCATE" | "END" | "ELSE"
        )
}

/// A token as SQL Server shows it in messages.
fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(text) | Token::NationalStringLiteral(text) => text.clone(),
        Token::EOF => String::new(),
        other => other.to_string(),
    }
}

/// The parser says "Expected: an expression, found: FROM at Line: 1, Column: 8".
fn syntax_error(error: &ParserError) -> SqlError {
    let (ParserError::ParserError(message) | ParserError::TokenizerError(message)) = error else {
        return too_deep();
    };
    let (before, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let near = before.split_once("found: ").map_or(before, |(_, near)| near);
    let near = if near == "EOF" { "" } else { near };
    let line = place.split(',').next().and_then(|line| line.parse().ok()).unwrap_or(0);
    SqlError::syntax(near).at(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<String> {
        parse(sql)
            .unwrap()
            .into_iter()
            .map(|one| format!("{:?}", one.command).split([' ', '(']).next().unwrap_or("").to_owned())
            .collect()
    }

    #[test]
    fn statements_need_no_semicolons() {
        assert_eq!(kinds("SET NOCOUNT ON SELECT 1 SELECT 2; PRINT 'x'"), ["SetOption", "Sql", "Sql", "Print"]);
        assert_eq!(kinds("BEGIN TRAN INSERT INTO t VALUES (1) COMMIT TRAN"), ["Begin", "Sql", "Commit"]);
        assert_eq!(kinds("IF OBJECT_ID('t') IS NOT NULL DROP TABLE t; SELECT 1"), ["If", "Sql"]);
        assert_eq!(kinds("IF 1 = 1 BEGIN SELECT 1 SELECT 2 END ELSE SELECT 3 SELECT 4"), ["If", "Sql"]);
        assert_eq!(
            kinds("DECLARE @a int = 1, @b nvarchar(10) SET @b = N'x' SELECT @a, @b"),
            ["Declare", "Assign", "Sql"]
        );
        assert_eq!(kinds("BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW; END CATCH"), ["Try"]);
        assert_eq!(kinds("EXEC sp_tables @table_name = N't' SELECT 1"), ["Execute", "Sql"]);
        assert_eq!(
            kinds("SET TRANSACTION ISOLATION LEVEL READ COMMITTED SET TEXTSIZE 100"),
            ["SetOption", "SetOption"]
        );
        assert_eq!(kinds("DELETE t WHERE a = 1 DELETE FROM dbo.t"), ["Sql", "Sql"]);
        assert_eq!(kinds("DELETE t WHERE CURRENT OF c UPDATE t SET a = 1 WHERE CURRENT OF c"), ["Sql", "Sql"]);
        assert_eq!(kinds("CREATE TABLE t (a int PRIMARY KEY CLUSTERED, b int UNIQUE NONCLUSTERED)"), ["Sql"]);
        assert_eq!(kinds("WAITFOR DELAY '00:00:10'; USE [Sales]; ; "), ["WaitFor", "Use"]);
    }

    #[test]
    fn mistakes_say_where() {
        for (sql, near, line) in [
            ("SELECT 1\nSELECT FROM", "FROM", 2),
            ("SELEC 1", "SELEC", 1),
            ("SELECT (1", "", 1),
            ("BEGIN SELECT 1", "1", 1),
        ] {
            let error = parse(sql).unwrap_err();
            assert_eq!((error.number, error.severity, error.line), (102, 15, line), "{sql}: {error}");
            assert_eq!(error.message, format!("Incorrect syntax near '{near}'."), "{sql}");
        }
        assert_eq!(parse("SELECT 'x").unwrap_err().number, 105);
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let around = |before: &str, after: &str, times| format!("{}1=1 {}", before.repeat(times), after.repeat(times));
        for sql in [
            format!("SELECT 1{}", "+1".repeat(10_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(10_000)),
            "IF 1=1 ".repeat(200) + "SELECT 1",
            format!("{}SELECT 1 {}", "BEGIN; ".repeat(200), "END; ".repeat(200)),
            format!("SELECT 1 WHERE {}", around("(", ")", 200)),
            format!("SELECT 1 WHERE {}", around("NOT EXISTS (SELECT 1 WHERE ", ")", 20)),
            format!("SELECT {}1{}", "ABS(".repeat(40), ")".repeat(40)),
        ] {
            assert_eq!(parse(&sql).unwrap_err().number, 191, "{}", &sql[..100]);
        }
        let rows = vec!["(ABS(-1), 'x')"; 10_000].join(", ");
        assert_eq!(kinds(&format!("INSERT INTO t VALUES {rows}")), ["Sql"]);
        assert_eq!(kinds(&format!("SELECT {}1{}", "ABS(".repeat(10), ")".repeat(10))), ["Sql"]);
    }
}
