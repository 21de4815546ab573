//! T-SQL on SQLite.
//!
//! [`batch`] reads a batch; [`compile`] turns one statement into SQLite's SQL and says what types its columns have;
//! [`functions`] gives SQLite what T-SQL has and it has not; [`schema`] knows the tables; [`types`] says how values
//! are kept.

pub mod batch;
pub mod charset;
pub mod compile;
pub mod convert;
pub mod datetime;
pub mod decimal;
pub mod functions;
pub mod insert_bulk;
pub mod modules;
pub mod schema;
pub mod system_views;
pub mod types;
