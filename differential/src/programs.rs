//! The programs, by topic.

mod attributes;
mod catalog;
mod connecting;
mod cursors;
mod descriptors;
mod errors;
mod fetching;
mod info;
mod parameters;
mod transactions;
mod types;
mod waiting;

use crate::session::Setting;

pub type Program = (&'static str, fn(&Setting));

/// All programs. The last ones stop the server.
pub const PROGRAMS: &[Program] = &[
    ("types: fetch as every C type", types::fetch),
    ("types: describe", types::describe),
    ("types: parameters of every type", types::parameters),
    ("parameters: arrays by column", parameters::arrays_by_column),
    ("parameters: arrays by row", parameters::arrays_by_row),
    ("parameters: data at execution", parameters::data_at_execution),
    ("parameters: long data", parameters::long_data),
    ("parameters: output", parameters::output),
    ("parameters: described", parameters::described),
    ("fetching: arrays by column", fetching::arrays_by_column),
    ("fetching: arrays by row", fetching::arrays_by_row),
    ("fetching: SQLExtendedFetch", fetching::extended),
    ("fetching: one by one", fetching::one_by_one),
    ("fetching: limits", fetching::limits),
    ("fetching: warnings", fetching::warnings),
    ("fetching: pieces", fetching::pieces),
    ("fetching: several results", fetching::several_results),
    ("fetching: names of columns", fetching::names),
    ("cursors: scroll", cursors::scroll),
    ("cursors: positioned changes", cursors::positioned),
    ("cursors: bookmarks and bulk operations", cursors::bookmarks),
    ("cursors: names", cursors::names),
    ("cursors: SQLSetScrollOptions", cursors::scroll_options),
    ("descriptors: of a statement", descriptors::of_a_statement),
    ("descriptors: bound by fields", descriptors::bound_by_fields),
    ("descriptors: explicit", descriptors::explicit),
    ("catalog: names and patterns", catalog::names),
    ("catalog: lists", catalog::lists),
    ("catalog: types", catalog::types),
    ("info: SQLGetInfo", info::info),
    ("info: SQLGetFunctions", info::functions),
    ("info: SQLNativeSql", info::native),
    ("attributes: environment", attributes::environment),
    ("attributes: connection", attributes::connection),
    ("attributes: current catalog", attributes::catalog),
    ("attributes: options", attributes::options),
    ("attributes: access token", attributes::access_token),
    ("attributes: statement", attributes::statement),
    ("transactions: ends", transactions::ends),
    ("transactions: several connections", transactions::environment_with_several),
    ("waiting: cancelled", waiting::cancelled),
    ("waiting: timed out", waiting::timed_out),
    ("waiting: asynchronous", waiting::asynchronous),
    ("errors: statements", errors::statements),
    ("errors: out of sequence", errors::sequence),
    ("errors: arguments", errors::arguments),
    ("errors: records", errors::records),
    ("connecting: SQLDriverConnect", connecting::driver_connect),
    ("connecting: a negative buffer length", connecting::negative_buffer_length),
    ("connecting: SQLConnect", connecting::connect),
    ("connecting: SQLBrowseConnect", connecting::browse_connect),
    ("connecting: refused", connecting::refused),
    ("connecting: lost", connecting::lost),
];
