//! SQL Server's errors. Drivers interpret the number and the severity.

use std::fmt;

pub type Result<T> = std::result::Result<T, SqlError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    pub number: i32,
    pub severity: u8,
    pub state: u8,
    pub message: String,
    /// The line in the batch, from 1; 0 while it is not known.
    pub line: u32,
}

impl SqlError {
    pub fn new(number: i32, severity: u8, state: u8, message: impl Into<String>) -> Self {
        SqlError { number, severity, state, message: message.into(), line: 0 }
    }

    pub fn at(mut self, line: u32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self
    }

    pub fn syntax(near: &str) -> Self {
        Self::new(102, 15, 1, format!("Incorrect syntax near '{near}'."))
    }

    pub fn invalid_object(name: &str) -> Self {
        Self::new(208, 16, 1, format!("Invalid object name '{name}'."))
    }

    pub fn invalid_column(name: &str) -> Self {
        Self::new(207, 16, 1, format!("Invalid column name '{name}'."))
    }

    /// For features that SQL Server has and this stand-in does not. The number is the first one for user-defined
    /// errors.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(50000, 16, 1, format!("The stand-in for SQL Server does not support this: {what}"))
    }

    pub fn login_failed(user: &str) -> Self {
        Self::new(18456, 14, 1, format!("Login failed for user '{user}'."))
    }

    pub fn lock_timeout() -> Self {
        Self::new(1222, 16, 51, "Lock request time out period exceeded.")
    }

    /// Whether the batch continues with its next statement after this error; otherwise it ends.
    pub fn batch_goes_on(&self) -> bool {
        matches!(self.number, 220 | 515 | 547 | 2601 | 2627 | 2628 | 3701 | 3902 | 3903 | 8115 | 8134)
            || self.number >= 50000
    }

    /// The client asked to stop. It gets an acknowledgement, not an error.
    pub fn cancelled() -> Self {
        Self::new(CANCELLED, 11, 0, "The request was cancelled.")
    }

    pub fn is_cancelled(&self) -> bool {
        self.number == CANCELLED
    }
}

/// How an error in one of this program's functions passes through SQLite, which only knows texts.
const MARK: &str = "tsql\u{1f}";

impl SqlError {
    /// The text that [`SqlError::from`] reads back.
    pub fn through_sqlite(&self) -> String {
        let SqlError { number, severity, state, message, .. } = self;
        format!("{MARK}{number}\u{1f}{severity}\u{1f}{state}\u{1f}{message}")
    }

    fn back_from_sqlite(text: &str) -> Option<SqlError> {
        let mut parts = text.strip_prefix(MARK)?.splitn(4, '\u{1f}');
        let (number, severity, state) = (parts.next()?, parts.next()?, parts.next()?);
        Some(SqlError::new(number.parse().ok()?, severity.parse().ok()?, state.parse().ok()?, parts.next()?))
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        use rusqlite::ffi::{SQLITE_CONSTRAINT_NOTNULL, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

        let rusqlite::Error::SqliteFailure(failure, text) = &error else {
            return SqlError::unsupported(error);
        };
        let text = text.as_deref().unwrap_or_default();
        if let Some(own) = SqlError::back_from_sqlite(text) {
            return own;
        }
        // "UNIQUE constraint failed: t.a, t.b"
        let named = text.rsplit(": ").next().unwrap_or(text);
        let (table, column) = named.split_once('.').unwrap_or((named, ""));
        match (failure.code, failure.extended_code) {
            (ErrorCode::OperationInterrupted, _) => SqlError::cancelled(),
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => SqlError::lock_timeout(),
            (_, SQLITE_CONSTRAINT_PRIMARYKEY) => SqlError::new(
                2627,
                14,
                1,
                format!(
                    "Violation of PRIMARY KEY constraint 'PK__{table}'. Cannot insert duplicate key in object 'dbo.{table}'."
                ),
            ),
            (_, SQLITE_CONSTRAINT_UNIQUE) => SqlError::new(
                2627,
                14,
                1,
                format!(
                    "Violation of UNIQUE KEY constraint 'UQ__{table}'. Cannot insert duplicate key in object 'dbo.{table}'."
                ),
            ),
            (_, SQLITE_CONSTRAINT_NOTNULL) => SqlError::new(
                515,
                16,
                2,
                format!(
                    "Cannot insert the value NULL into column '{column}', table 'dbo.{table}'; column does not allow nulls. The statement fails."
                ),
            ),
            _ if text == "integer overflow" => {
                SqlError::new(8115, 16, 2, "Arithmetic overflow error converting expression to data type int.")
            }
            _ => SqlError::unsupported(text),
        }
    }
}

/// Not one of SQL Server's numbers: it never reaches a client.
const CANCELLED: i32 = -1;

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Msg {}, Level {}, State {}, Line {}: {}",
            self.number, self.severity, self.state, self.line, self.message
        )
    }
}

impl std::error::Error for SqlError {}
