//! The answer of `sp_describe_first_result_set`. Microsoft's driver asks it for the columns of a table before a bulk
//! copy, and reads the answer's columns by position.

use rusqlite::types::Value;

use super::catalog::Listing;
use super::odbc_types::{max_length, precision_and_scale, tds_type, type_id};
use crate::sql::system_views::{number, text};
use crate::sql::types::{Length, SYSNAME, SqlType};
use crate::wire::tokens::ResultColumn;
use crate::wire::values::{COLLATION, COLLATION_NAME};

const BIT: SqlType = SqlType::Bit;
const INT: SqlType = SqlType::Int;
const SMALLINT: SqlType = SqlType::SmallInt;
const TINYINT: SqlType = SqlType::TinyInt;

const RESULT_COLUMNS: [(&str, SqlType); 39] = [
    ("is_hidden", BIT),
    ("column_ordinal", INT),
    ("name", SYSNAME),
    ("is_nullable", BIT),
    ("system_type_id", INT),
    ("system_type_name", SqlType::NVarChar(Length::Of(256))),
    ("max_length", SMALLINT),
    ("precision", TINYINT),
    ("scale", TINYINT),
    ("collation_name", SYSNAME),
    ("user_type_id", INT),
    ("user_type_database", SYSNAME),
    ("user_type_schema", SYSNAME),
    ("user_type_name", SYSNAME),
    ("assembly_qualified_type_name", SqlType::NVarChar(Length::Of(4000))),
    ("xml_collection_id", INT),
    ("xml_collection_database", SYSNAME),
    ("xml_collection_schema", SYSNAME),
    ("xml_collection_name", SYSNAME),
    ("is_xml_document", BIT),
    ("is_case_sensitive", BIT),
    ("is_fixed_length_clr_type", BIT),
    ("source_server", SYSNAME),
    ("source_database", SYSNAME),
    ("source_schema", SYSNAME),
    ("source_table", SYSNAME),
    ("source_column", SYSNAME),
    ("is_identity_column", BIT),
    ("is_part_of_unique_key", BIT),
    ("is_updateable", BIT),
    ("is_computed_column", BIT),
    ("is_sparse_column_set", BIT),
    ("ordinal_in_order_by_list", SMALLINT),
    ("order_by_list_length", SMALLINT),
    ("order_by_is_descending", SMALLINT),
    ("tds_type_id", INT),
    ("tds_length", INT),
    ("tds_collation_id", INT),
    ("tds_collation_sort_id", TINYINT),
];

pub(super) fn described(columns: &[ResultColumn]) -> Listing {
    let rows = columns.iter().zip(1..).map(|(column, at)| row(column, at)).collect();
    Listing::new(&RESULT_COLUMNS, rows)
}

fn row(column: &ResultColumn, at: i64) -> Vec<Value> {
    let ty = column.ty;
    let (precision, scale) = precision_and_scale(ty);
    let (tds, tds_length) = tds_type(ty);
    let collated = |value: Value| if ty.is_text() { value } else { Value::Null };
    let [a, b, c, d, sort] = COLLATION;
    let name = if column.name.is_empty() { Value::Null } else { text(&column.name) };
    let mut row =
        vec![number(false), number(at), name, number(column.nullable), number(type_id(ty)), text(ty.to_string())];
    row.extend([max_length(ty), precision, scale].map(number));
    row.push(collated(text(COLLATION_NAME)));
    // User types and CLR types, which do not exist here.
    row.extend(std::iter::repeat_n(Value::Null, 9));
    row.extend([number(false), number(false), number(false)]);
    // The source of the column, which is only reported in browse mode.
    row.extend(std::iter::repeat_n(Value::Null, 5));
    row.extend([number(column.identity), Value::Null, number(!column.identity), number(false), number(false)]);
    row.extend(std::iter::repeat_n(Value::Null, 3));
    row.extend([number(tds), number(tds_length)]);
    row.extend([collated(number(i32::from_le_bytes([a, b, c, d]))), collated(number(sort))]);
    row
}
