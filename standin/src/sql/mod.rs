//! T-SQL on SQLite.
//!
//! [`batch`] parses a batch; [`compile`] translates one statement to SQLite's SQL and determines the types of its
//! columns; [`functions`] adds what T-SQL has and SQLite lacks; [`schema`] knows the tables; [`types`] defines how
//! values are stored.

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
