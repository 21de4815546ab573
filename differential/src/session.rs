//! Shared by the programs: how to reach the target, and environments, connections and statements that free themselves.

use crate::buffer::{Buffer, Text};
use crate::diagnostics;
use crate::note;
use crate::odbc::*;
use crate::targets::Target;
use std::ptr::null_mut;

/// The settings of a run.
pub struct Setting {
    pub target: &'static Target,
    pub data_source: String,
    /// The connection string by driver, without a login.
    pub by_driver: String,
    /// The name of the database.
    pub catalog: String,
    pub user: String,
    pub password: String,
    /// A program with its arguments that stops the server.
    pub stop_server: Vec<String>,
}

impl Setting {
    /// The connection string by data source, with these values replacing its own, or appended; an empty value removes the keyword.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut string = vec![("DSN", &*self.data_source), ("UID", &*self.user), ("PWD", &*self.password)];
        for (keyword, value) in changes {
            match string.iter_mut().find(|(it, _)| it == keyword) {
                Some((_, own)) => *own = value,
                None => string.push((keyword, value)),
            }
        }
        let given = string.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(keyword, value)| format!("{keyword}={};", quoted(value))).collect()
    }

    /// The connection string by driver, with the login.
    pub fn by_driver(&self) -> String {
        format!("{};UID={};PWD={}", self.by_driver, quoted(&self.user), quoted(&self.password))
    }

    /// Connects as most programs do.
    pub fn connect(&self) -> Connection {
        let connection = Connection::new(3);
        connection.connect(&self.with(&[]));
        connection
    }
}

/// A value as it must be written in a connection string.
fn quoted(value: &str) -> String {
    if value.contains([';', '{', '}']) || value.trim() != value {
        format!("{{{}}}", value.replace('}', "}}"))
    } else {
        value.to_owned()
    }
}

/// Allocates a handle; the null handle if that fails.
pub fn allocate(kind: i16, parent: Handle) -> Handle {
    let mut handle = null_mut();
    SQLAllocHandle(kind, parent, &mut handle);
    handle
}

/// An environment with one connection.
pub struct Connection {
    pub environment: Handle,
    pub handle: Handle,
}

impl Connection {
    /// A connection that is not open yet. `version` is 2, 3 or 380.
    pub fn new(version: usize) -> Connection {
        let environment = allocate(SQL_HANDLE_ENV, null_mut());
        SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, number(version), 0);
        Connection { environment, handle: allocate(SQL_HANDLE_DBC, environment) }
    }

    pub fn connect(&self, string: &str) -> Return {
        let mut length = 0;
        let (mut string, mut buffer) = (Text::of(string), Text::new(1024));
        SQLDriverConnectW(self.handle, null_mut(), string.p(), SQL_NTS, buffer.p(), buffer.capacity(), &mut length, 0)
    }

    pub fn statement(&self) -> Statement {
        Statement { handle: allocate(SQL_HANDLE_STMT, self.handle) }
    }

    /// Executes statements without looking at their results.
    pub fn execute(&self, statements: &[&str]) {
        let statement = self.statement();
        for sql in statements {
            statement.direct(sql);
            statement.close();
        }
    }

    pub fn set(&self, attribute: i32, value: usize) -> Return {
        SQLSetConnectAttrW(self.handle, attribute, number(value), SQL_IS_UINTEGER)
    }

    /// Whether the connection is lost.
    pub fn is_dead(&self) -> bool {
        let mut dead = 0u32;
        SQLGetConnectAttrW(self.handle, SQL_ATTR_CONNECTION_DEAD, (&raw mut dead).cast(), 4, null_mut());
        dead != 0
    }

    /// Reads an attribute, as a number.
    pub fn get(&self, attribute: i32) -> Return {
        let (mut value, mut length) = (Buffer::new(8), 0);
        let code = SQLGetConnectAttrW(self.handle, attribute, value.p(), value.len() as i32, &mut length);
        note!("  {}", value.shown());
        code
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        SQLDisconnect(self.handle);
        SQLFreeHandle(SQL_HANDLE_DBC, self.handle);
        SQLFreeHandle(SQL_HANDLE_ENV, self.environment);
    }
}

pub struct Statement {
    pub handle: Handle,
}

impl Statement {
    pub fn direct(&self, sql: &str) -> Return {
        SQLExecDirectW(self.handle, Text::of(sql).p(), SQL_NTS.into())
    }

    pub fn prepare(&self, sql: &str) -> Return {
        SQLPrepareW(self.handle, Text::of(sql).p(), SQL_NTS.into())
    }

    pub fn close(&self) {
        SQLFreeStmt(self.handle, SQL_CLOSE);
    }

    pub fn set(&self, attribute: i32, value: usize) -> Return {
        SQLSetStmtAttrW(self.handle, attribute, number(value), 0)
    }

    /// Sets an attribute that is an address.
    pub fn point<T>(&self, attribute: i32, value: *mut T) -> Return {
        SQLSetStmtAttrW(self.handle, attribute, value.cast(), 0)
    }

    /// Reads an attribute, as a number.
    pub fn get(&self, attribute: i32) -> Return {
        let (mut value, mut length) = (Buffer::new(8), 0);
        let code = SQLGetStmtAttrW(self.handle, attribute, value.p(), value.len() as i32, &mut length);
        note!("  {}", value.shown());
        code
    }

    /// One of the statement's descriptors.
    pub fn descriptor(&self, attribute: i32) -> Handle {
        let mut descriptor: Handle = null_mut();
        SQLGetStmtAttrW(self.handle, attribute, (&raw mut descriptor).cast(), 0, null_mut());
        descriptor
    }

    /// Binds a parameter for input; the buffer must live until it is used.
    pub fn parameter(&self, number: u16, c_type: i16, sql_type: i16, size: usize, digits: i16, value: &mut Buffer) {
        let (pointer, capacity) = (value.p(), value.len());
        let indicator = &raw mut value.length;
        let (handle, input) = (self.handle, SQL_PARAM_INPUT);
        SQLBindParameter(handle, number, input, c_type, sql_type, size, digits, pointer, capacity, indicator);
    }

    /// Reads one column of the current row.
    pub fn data(&self, column: u16, c_type: i16, capacity: usize) -> Return {
        let mut buffer = Buffer::new(capacity);
        let length = &raw mut buffer.length;
        let code = SQLGetData(self.handle, column, c_type, buffer.p(), buffer.len(), length);
        note!("  {}", buffer.shown());
        code
    }

    pub fn columns(&self) -> u16 {
        let mut count = 0;
        SQLNumResultCols(self.handle, &mut count);
        count.max(0) as u16
    }

    pub fn describe(&self, column: u16) {
        self.describe_within(column, 130);
    }

    /// With room for a name of `capacity` characters.
    pub fn describe_within(&self, column: u16, capacity: i16) {
        let mut name = Text::new(130);
        let (mut length, mut sql_type, mut size, mut digits, mut nullable) = (0, 0, 0, 0, 0);
        let handle = self.handle;
        SQLDescribeColW(
            handle,
            column,
            name.p(),
            capacity,
            &mut length,
            &mut sql_type,
            &mut size,
            &mut digits,
            &mut nullable,
        );
    }

    pub fn row_count(&self) {
        let mut count = -77;
        SQLRowCount(self.handle, &mut count);
    }

    /// Everything that the last call returned: each result's columns, rows and count. At most `most` rows of each.
    pub fn results(&self, most: usize) {
        for _ in 0..20 {
            let columns = self.columns();
            (1..=columns).for_each(|column| self.describe(column));
            if columns > 0 {
                self.rows(columns, most);
            }
            self.row_count();
            if !succeeded(SQLMoreResults(self.handle)) {
                break;
            }
        }
        self.close();
    }

    /// The rows of the current result, each value as text.
    pub fn rows(&self, columns: u16, most: usize) {
        for _ in 0..most {
            if !succeeded(SQLFetch(self.handle)) {
                break;
            }
            let mut row = Vec::new();
            for column in 1..=columns {
                let (mut text, mut length) = (Text::new(300), -77);
                let (handle, bytes) = (self.handle, text.bytes() as isize);
                let get = || SQLGetData(handle, column, SQL_C_WCHAR, text.pointer(), bytes, &mut length);
                let code = crate::transcript::unwritten(get);
                if code != SQL_SUCCESS {
                    diagnostics::write(SQL_HANDLE_STMT, handle);
                }
                row.push(if code == 0 && length == SQL_NULL_DATA {
                    "NULL".to_owned()
                } else {
                    format!("{code} {length} {}", text.shown())
                });
            }
            note!("  row: {}", row.join(" | "));
        }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        SQLFreeHandle(SQL_HANDLE_STMT, self.handle);
    }
}

/// A number where the specification has a pointer.
pub fn number(value: usize) -> Pointer {
    std::ptr::without_provenance_mut(value)
}
