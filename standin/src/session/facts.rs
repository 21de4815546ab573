//! Values that the session knows itself: `@@ROWCOUNT`, `SUSER_SNAME()`, `SERVERPROPERTY('Edition')`.

use std::sync::PoisonError;

use rusqlite::types::Value;

use super::Session;
use crate::sql::batch::CURRENT_OF;
use crate::sql::types::{Length, SYSNAME, SqlType};
use crate::wire::tokens::{SERVER_NAME, SERVER_VERSION};
use crate::wire::values::COLLATION_NAME;

/// Begins with the statement that this is not SQL Server.
const VERSION: &str = concat!(
    "loopback-odbc stand-in for SQL Server (not SQL Server), version ",
    env!("CARGO_PKG_VERSION"),
    ". For tests and demonstrations."
);

/// The isolation level of a new session, as SQL Server's views number it.
const READ_COMMITTED: i64 = 2;

impl Session {
    /// The value with this name in capitals; `None` if there is none.
    pub(super) fn fact(&self, name: &str) -> Option<(SqlType, Value)> {
        let text = |text: &str| Some((SYSNAME, Value::Text(text.to_owned())));
        let int = |value: i64| Some((SqlType::Int, Value::Integer(value)));
        let caught = self.caught.last();
        let caught_int = |value: Option<i64>| Some((SqlType::Int, value.map_or(Value::Null, Value::Integer)));
        match name {
            "@@VERSION" => Some((SqlType::NVarChar(Length::Of(300)), Value::Text(VERSION.to_owned()))),
            "@@SPID" => Some((SqlType::SmallInt, Value::Integer(i64::from(self.id)))),
            "@@ROWCOUNT" => int(self.row_count as i64),
            "ROWCOUNT_BIG" => Some((SqlType::BigInt, Value::Integer(self.row_count as i64))),
            "@@TRANCOUNT" => int(i64::from(self.transaction.count)),
            "XACT_STATE" => Some((SqlType::SmallInt, Value::Integer(i64::from(self.transaction.count > 0)))),
            "@@ERROR" => int(self.last_error.as_ref().map_or(0, |error| i64::from(error.number))),
            "@@NESTLEVEL" => int(i64::from(self.nesting)),
            "@@LANGUAGE" => text("us_english"),
            "@@MAX_PRECISION" => Some((SqlType::TinyInt, Value::Integer(38))),
            "@@SERVERNAME" | "SERVERPROPERTY SERVERNAME" | "SERVERPROPERTY MACHINENAME" => text(SERVER_NAME),
            "SERVERPROPERTY PRODUCTVERSION" => {
                let [major, minor] = SERVER_VERSION;
                text(&format!("{major}.{minor}.0.0"))
            }
            "SERVERPROPERTY PRODUCTLEVEL" => text("RTM"),
            "SERVERPROPERTY EDITION" => text("loopback-odbc stand-in (not SQL Server)"),
            // 3 is Enterprise, which has every feature that a client may ask for.
            "SERVERPROPERTY ENGINEEDITION" => int(3),
            "SERVERPROPERTY COLLATION" | "DATABASEPROPERTYEX" => text(COLLATION_NAME),
            "CONNECTIONPROPERTY NET_TRANSPORT" | "CONNECTIONPROPERTY PHYSICAL_NET_TRANSPORT" => text("TCP"),
            "CONNECTIONPROPERTY PROTOCOL_TYPE" => text("TSQL"),
            "CONNECTIONPROPERTY AUTH_SCHEME" => text("SQL"),
            "@@IDENTITY" | "SCOPE_IDENTITY" => {
                let last = *self.last_identity.lock().unwrap_or_else(PoisonError::into_inner);
                let value = last.map_or(Value::Null, |last| Value::Text(last.to_string()));
                Some((SqlType::Decimal { precision: 38, scale: 0 }, value))
            }
            "ISOLATION LEVEL" => {
                Some((SqlType::SmallInt, Value::Integer(self.options.isolation_level.unwrap_or(READ_COMMITTED))))
            }
            "DB_NAME" => text(&self.database),
            "SUSER_SNAME" | "SUSER_NAME" | "SYSTEM_USER" | "ORIGINAL_LOGIN" => text(&self.identity.login),
            "USER_NAME" | "USER" | "CURRENT_USER" | "SESSION_USER" | "SCHEMA_NAME" => text("dbo"),
            "HOST_NAME" => text(&self.identity.host),
            "APP_NAME" | "PROGRAM_NAME" => text(&self.identity.application),
            "ERROR_NUMBER" => caught_int(caught.map(|error| i64::from(error.number))),
            "ERROR_SEVERITY" => caught_int(caught.map(|error| i64::from(error.severity))),
            "ERROR_STATE" => caught_int(caught.map(|error| i64::from(error.state))),
            "ERROR_LINE" => caught_int(caught.map(|error| i64::from(error.line))),
            "ERROR_MESSAGE" => {
                let message = caught.map_or(Value::Null, |error| Value::Text(error.message.clone()));
                Some((SqlType::NVarChar(Length::Of(4000)), message))
            }
            // A variable, for what depends on its value while compiling.
            _ if name.starts_with('@') && !name.starts_with("@@") => {
                let name = name.to_lowercase();
                Some((*self.variables.types.get(&name)?, self.variables.values.get(&name)?.clone()))
            }
            _ => {
                let cursor = name.strip_prefix(CURRENT_OF)?.trim_start();
                self.current_of(cursor).map(|row| (SqlType::BigInt, Value::Integer(row)))
            }
        }
    }
}
