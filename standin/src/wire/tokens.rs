//! The tokens of a response ([MS-TDS] 2.2.7).

use std::io::{self, Write};

use rusqlite::types::ValueRef;

use super::packet::PacketWriter;
use super::values::{COLLATION, write_column_type, write_column_value, write_type_info, write_value};
use crate::error::SqlError;
use crate::sql::types::SqlType;

/// The stand-in's version number: drivers choose their catalog procedures by it.
pub const SERVER_VERSION: [u8; 2] = [16, 0];
pub const SERVER_NAME: &str = "STANDIN";
/// TDS 7.4, as LOGIN7 writes it.
pub const TDS_7_4: u32 = 0x7400_0004;

pub const COLMETADATA: u8 = 0x81;
const TABNAME: u8 = 0xa4;
const COLINFO: u8 = 0xa5;
const RETURNSTATUS: u8 = 0x79;
const RETURNVALUE: u8 = 0xac;
const ERROR: u8 = 0xaa;
const INFO: u8 = 0xab;
const LOGINACK: u8 = 0xad;
const FEATUREEXTACK: u8 = 0xae;
pub const ROW: u8 = 0xd1;
const ENVCHANGE: u8 = 0xe3;

const DONE_MORE: u16 = 0x01;
const DONE_ERROR: u16 = 0x02;
const DONE_COUNT: u16 = 0x10;
const DONE_ATTENTION: u16 = 0x20;

/// The status of a column in COLINFO.
const EXPRESSION: u8 = 0x04;
const HIDDEN: u8 = 0x10;
const DIFFERENT_NAME: u8 = 0x20;

/// Which of the three DONE tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DoneKind {
    Batch = 0xfd,
    Procedure = 0xfe,
    InProcedure = 0xff,
}

/// The kind of statement that is done, for clients that use it.
#[derive(Clone, Copy, Default)]
pub enum Command {
    #[default]
    Other = 0x00,
    Select = 0xc1,
    Insert = 0xc3,
    Delete = 0xc4,
    Update = 0xc5,
}

struct Done {
    kind: DoneKind,
    flags: u16,
    command: Command,
    rows: u64,
}

/// A change of the session's environment that the client must know.
pub enum EnvChange<'a> {
    Database {
        new: &'a str,
        old: &'a str,
    },
    PacketSize {
        new: usize,
        old: usize,
    },
    Collation,
    Language,
    TransactionBegun(u64),
    TransactionCommitted(u64),
    TransactionRolledBack(u64),
    /// The answer to a request for a new session state.
    ConnectionReset,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultColumn {
    pub name: String,
    pub ty: SqlType,
    pub nullable: bool,
    pub identity: bool,
}

impl ResultColumn {
    /// Columns with only names and types.
    pub fn plain(columns: &[(&str, SqlType)]) -> Vec<ResultColumn> {
        let column = |(name, ty): &(&str, SqlType)| ResultColumn {
            name: (*name).to_owned(),
            ty: *ty,
            nullable: true,
            identity: false,
        };
        columns.iter().map(column).collect()
    }
}

/// One response, which is sent while it is being made.
pub struct Response<W: Write> {
    out: PacketWriter<W>,
    tokens: Vec<u8>,
    /// Held back until it is known whether more follows, because its flags must tell.
    done: Option<Done>,
    /// The token for the end of a statement: DONE in a batch, DONEINPROC in a procedure.
    pub in_procedure: bool,
}

/// A response to a client, or one that is discarded.
pub type Reply<'a> = Response<Box<dyn Write + 'a>>;

/// Enough for a few packets.
const SEND_FROM: usize = 16 << 10;

impl<W: Write> Response<W> {
    pub fn new(out: PacketWriter<W>) -> Self {
        Response { out, tokens: Vec::new(), done: None, in_procedure: false }
    }

    pub fn set_packet_size(&mut self, size: usize) {
        self.out.set_size(size);
    }

    /// A new token begins, so the previous DONE was not the last.
    fn token(&mut self, token: u8) -> &mut Vec<u8> {
        if let Some(done) = self.done.take() {
            self.write_done(&done, DONE_MORE);
        }
        self.tokens.push(token);
        &mut self.tokens
    }

    fn write_done(&mut self, done: &Done, more: u16) {
        self.tokens.push(done.kind as u8);
        self.tokens.extend((done.flags | more).to_le_bytes());
        self.tokens.extend((done.command as u16).to_le_bytes());
        self.tokens.extend(done.rows.to_le_bytes());
    }

    fn push_done(&mut self, kind: DoneKind, flags: u16, command: Command, rows: u64) {
        if let Some(done) = self.done.take() {
            self.write_done(&done, DONE_MORE);
        }
        self.done = Some(Done { kind, flags, command, rows });
    }

    /// A statement has ended, with a count of rows or without one.
    pub fn statement_done(&mut self, command: Command, rows: Option<u64>) {
        let kind = if self.in_procedure { DoneKind::InProcedure } else { DoneKind::Batch };
        let flags = if rows.is_some() { DONE_COUNT } else { 0 };
        self.push_done(kind, flags, command, rows.unwrap_or(0));
    }

    pub fn statement_failed(&mut self) {
        let kind = if self.in_procedure { DoneKind::InProcedure } else { DoneKind::Batch };
        self.push_done(kind, DONE_ERROR, Command::Other, 0);
    }

    /// Additional data about a cursor's columns: the table that can be changed, if any, and which of its columns each
    /// of them shows.
    pub fn cursor_columns(&mut self, columns: &[ResultColumn], table: Option<&[&str]>, sources: &[Option<String>]) {
        let mut body = Vec::new();
        if let Some(parts) = table {
            body.push(parts.len() as u8);
            for part in parts {
                long_text(&mut body, part);
            }
            sized(self.token(TABNAME), &body);
            body.clear();
        }
        for (at, column) in columns.iter().enumerate() {
            let source = sources.get(at).and_then(Option::as_deref);
            let renamed = source.filter(|source| *source != column.name);
            let status = match source {
                None => EXPRESSION,
                Some(_) if renamed.is_some() => DIFFERENT_NAME,
                Some(_) => 0,
            } | if at + 1 == columns.len() { HIDDEN } else { 0 };
            body.extend([(at + 1) as u8, u8::from(source.is_some()), status]);
            if let Some(source) = renamed {
                short_text(&mut body, source);
            }
        }
        sized(self.token(COLINFO), &body);
    }

    /// The return status of a procedure; its output parameters and its end follow.
    pub fn return_status(&mut self, status: i32) {
        self.token(RETURNSTATUS).extend(status.to_le_bytes());
    }

    /// A procedure has ended.
    pub fn procedure_done(&mut self, failed: bool) {
        self.push_done(DoneKind::Procedure, if failed { DONE_ERROR } else { 0 }, Command::Other, 0);
    }

    /// Sends the rest. A response without a DONE gets one, because a client waits for it.
    pub fn finish(&mut self) -> io::Result<()> {
        let done =
            self.done.take().unwrap_or(Done { kind: DoneKind::Batch, flags: 0, command: Command::Other, rows: 0 });
        self.write_done(&done, 0);
        self.flush_tokens()?;
        self.out.finish()
    }

    /// Ends the current token, if any, and acknowledges an attention.
    pub fn acknowledge_attention(&mut self) -> io::Result<()> {
        self.push_done(DoneKind::Batch, DONE_ATTENTION, Command::Other, 0);
        self.finish()
    }

    pub fn columns(&mut self, columns: &[ResultColumn]) {
        let tokens = self.token(COLMETADATA);
        tokens.extend((columns.len() as u16).to_le_bytes());
        for column in columns {
            // The user type is always that of the plain type.
            tokens.extend(0u32.to_le_bytes());
            let flags = u16::from(column.nullable) | 0x08 | u16::from(column.identity) << 4;
            tokens.extend(flags.to_le_bytes());
            write_column_type(tokens, column.ty, column.nullable);
            short_text(tokens, &column.name);
        }
    }

    /// A row; an error leaves no trace of it in the response.
    pub fn row<'v>(
        &mut self,
        columns: &[ResultColumn],
        values: impl IntoIterator<Item = ValueRef<'v>>,
    ) -> Result<(), SqlError> {
        let start = self.tokens.len();
        let tokens = self.token(ROW);
        for (column, value) in columns.iter().zip(values) {
            if let Err(error) = write_column_value(tokens, column.ty, column.nullable, value) {
                tokens.truncate(start);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends the accumulated data. Called between rows.
    pub fn relieve(&mut self) -> io::Result<()> {
        if self.tokens.len() >= SEND_FROM { self.flush_tokens() } else { Ok(()) }
    }

    fn flush_tokens(&mut self) -> io::Result<()> {
        self.out.write_all(&self.tokens)?;
        self.tokens.clear();
        Ok(())
    }

    pub fn error(&mut self, error: &SqlError) {
        self.message(ERROR, error);
    }

    /// A message that is not an error, such as PRINT's.
    pub fn info(&mut self, info: &SqlError) {
        self.message(INFO, info);
    }

    fn message(&mut self, token: u8, message: &SqlError) {
        let mut body = Vec::new();
        body.extend(message.number.to_le_bytes());
        body.extend([message.state, message.severity]);
        long_text(&mut body, &message.message);
        short_text(&mut body, SERVER_NAME);
        short_text(&mut body, "");
        body.extend(message.line.to_le_bytes());
        sized(self.token(token), &body);
    }

    pub fn env_change(&mut self, change: &EnvChange<'_>) {
        let mut body = Vec::new();
        let texts = |body: &mut Vec<u8>, kind: u8, new: &str, old: &str| {
            body.push(kind);
            short_text(body, new);
            short_text(body, old);
        };
        match *change {
            EnvChange::Database { new, old } => texts(&mut body, 1, new, old),
            EnvChange::Language => texts(&mut body, 2, "us_english", ""),
            EnvChange::PacketSize { new, old } => texts(&mut body, 4, &new.to_string(), &old.to_string()),
            EnvChange::Collation => {
                body.extend([7, COLLATION.len() as u8]);
                body.extend(COLLATION);
                body.push(0);
            }
            EnvChange::TransactionBegun(id) => {
                body.extend([8, 8]);
                body.extend(id.to_le_bytes());
                body.push(0);
            }
            EnvChange::TransactionCommitted(id) | EnvChange::TransactionRolledBack(id) => {
                body.extend([if matches!(change, EnvChange::TransactionCommitted(_)) { 9 } else { 10 }, 0, 8]);
                body.extend(id.to_le_bytes());
            }
            EnvChange::ConnectionReset => body.extend([18, 0, 0]),
        }
        sized(self.token(ENVCHANGE), &body);
    }

    pub fn login_ack(&mut self, asked: u32) {
        let mut body = vec![1];
        body.extend(asked.min(TDS_7_4).to_be_bytes());
        // The value of SQL_DBMS_NAME. RODBC maps its types by this name, so it cannot be the stand-in's own.
        short_text(&mut body, "Microsoft SQL Server");
        body.extend(SERVER_VERSION);
        body.extend([0, 0]);
        sized(self.token(LOGINACK), &body);
    }

    /// None of the features that a client may ask for is supported.
    pub fn no_features(&mut self) {
        self.token(FEATUREEXTACK).push(0xff);
    }

    /// An output parameter of a procedure that is a number without a name.
    pub fn return_integer(&mut self, ordinal: u16, value: i64) -> Result<(), SqlError> {
        self.return_value("", ordinal, SqlType::Int, ValueRef::Integer(value))
    }

    /// An output parameter of a procedure.
    pub fn return_value(&mut self, name: &str, ordinal: u16, ty: SqlType, value: ValueRef<'_>) -> Result<(), SqlError> {
        let tokens = self.token(RETURNVALUE);
        tokens.extend(ordinal.to_le_bytes());
        short_text(tokens, name);
        // An output parameter; user type and flags are 0.
        tokens.push(1);
        tokens.extend([0; 6]);
        write_type_info(tokens, ty);
        write_value(tokens, ty, value)
    }
}

/// A body after its 16-bit length.
fn sized(out: &mut Vec<u8>, body: &[u8]) {
    let body = &body[..body.len().min(usize::from(u16::MAX))];
    out.extend((body.len() as u16).to_le_bytes());
    out.extend_from_slice(body);
}

/// UTF-16 after an 8-bit count of its code units.
fn short_text(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    out.push(units.len() as u8);
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// UTF-16 after a 16-bit count of its code units; messages are at most 2047 long.
fn long_text(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(2047).collect();
    out.extend((units.len() as u16).to_le_bytes());
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::super::packet::{TABULAR_RESULT, read_message};
    use super::*;

    fn sent(make: impl FnOnce(&mut Response<&mut Vec<u8>>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut response = Response::new(PacketWriter::new(&mut bytes, TABULAR_RESULT, 4096, 51));
        make(&mut response);
        response.finish().unwrap();
        read_message(&mut bytes.as_slice()).unwrap().unwrap().payload
    }

    #[test]
    fn only_the_last_done_is_marked_final() {
        let tokens = sent(|response| {
            response.statement_done(Command::Insert, Some(2));
            response.statement_done(Command::Other, None);
        });
        assert_eq!(tokens.len(), 2 * 13);
        assert_eq!(tokens[..5], [0xfd, 0x11, 0, 0xc3, 0]);
        assert_eq!(tokens[13..18], [0xfd, 0, 0, 0, 0]);
    }

    #[test]
    fn a_response_always_ends_with_a_done() {
        assert_eq!(sent(|_| ()).len(), 13);
    }

    #[test]
    fn a_row_that_fails_leaves_no_trace() {
        let columns = [ResultColumn { name: "n".to_owned(), ty: SqlType::TinyInt, nullable: true, identity: false }];
        let with = sent(|response| {
            response.columns(&columns);
            assert!(response.row(&columns, [ValueRef::Integer(256)]).is_err());
        });
        assert_eq!(with, sent(|response| response.columns(&columns)));
    }
}
