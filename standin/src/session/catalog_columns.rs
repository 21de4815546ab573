//! The columns of the catalog procedures' results, with SQL Server's names and types.

use crate::sql::types::{Length, SYSNAME, SqlType};

const SMALLINT: SqlType = SqlType::SmallInt;
const INT: SqlType = SqlType::Int;
const REMARKS: SqlType = SqlType::VarChar(Length::Of(254));

pub(super) const TABLE_COLUMNS: [(&str, SqlType); 5] = [
    ("TABLE_QUALIFIER", SYSNAME),
    ("TABLE_OWNER", SYSNAME),
    ("TABLE_NAME", SYSNAME),
    ("TABLE_TYPE", SqlType::VarChar(Length::Of(32))),
    ("REMARKS", REMARKS),
];

pub(super) const COLUMN_COLUMNS: [(&str, SqlType); 29] = [
    ("TABLE_QUALIFIER", SYSNAME),
    ("TABLE_OWNER", SYSNAME),
    ("TABLE_NAME", SYSNAME),
    ("COLUMN_NAME", SYSNAME),
    ("DATA_TYPE", SMALLINT),
    ("TYPE_NAME", SYSNAME),
    ("PRECISION", INT),
    ("LENGTH", INT),
    ("SCALE", SMALLINT),
    ("RADIX", SMALLINT),
    ("NULLABLE", SMALLINT),
    ("REMARKS", REMARKS),
    ("COLUMN_DEF", SqlType::NVarChar(Length::Of(4000))),
    ("SQL_DATA_TYPE", SMALLINT),
    ("SQL_DATETIME_SUB", SMALLINT),
    ("CHAR_OCTET_LENGTH", INT),
    ("ORDINAL_POSITION", INT),
    ("IS_NULLABLE", REMARKS),
    ("SS_IS_SPARSE", SMALLINT),
    ("SS_IS_COLUMN_SET", SMALLINT),
    ("SS_IS_COMPUTED", SMALLINT),
    ("SS_IS_IDENTITY", SMALLINT),
    ("SS_UDT_CATALOG_NAME", SYSNAME),
    ("SS_UDT_SCHEMA_NAME", SYSNAME),
    ("SS_UDT_ASSEMBLY_TYPE_NAME", SqlType::NVarChar(Length::Of(4000))),
    ("SS_XML_SCHEMACOLLECTION_CATALOG_NAME", SYSNAME),
    ("SS_XML_SCHEMACOLLECTION_SCHEMA_NAME", SYSNAME),
    ("SS_XML_SCHEMACOLLECTION_NAME", SYSNAME),
    ("SS_DATA_TYPE", SqlType::TinyInt),
];

pub(super) const KEY_COLUMNS: [(&str, SqlType); 6] = [
    ("TABLE_QUALIFIER", SYSNAME),
    ("TABLE_OWNER", SYSNAME),
    ("TABLE_NAME", SYSNAME),
    ("COLUMN_NAME", SYSNAME),
    ("KEY_SEQ", SMALLINT),
    ("PK_NAME", SYSNAME),
];

pub(super) const STATISTICS_COLUMNS: [(&str, SqlType); 13] = [
    ("TABLE_QUALIFIER", SYSNAME),
    ("TABLE_OWNER", SYSNAME),
    ("TABLE_NAME", SYSNAME),
    ("NON_UNIQUE", SMALLINT),
    ("INDEX_QUALIFIER", SYSNAME),
    ("INDEX_NAME", SYSNAME),
    ("TYPE", SMALLINT),
    ("SEQ_IN_INDEX", SMALLINT),
    ("COLUMN_NAME", SYSNAME),
    ("COLLATION", SqlType::Char(1)),
    ("CARDINALITY", INT),
    ("PAGES", INT),
    ("FILTER_CONDITION", SqlType::VarChar(Length::Of(128))),
];

pub(super) const SPECIAL_COLUMNS: [(&str, SqlType); 8] = [
    ("SCOPE", SMALLINT),
    ("COLUMN_NAME", SYSNAME),
    ("DATA_TYPE", SMALLINT),
    ("TYPE_NAME", SYSNAME),
    ("PRECISION", INT),
    ("LENGTH", INT),
    ("SCALE", SMALLINT),
    ("PSEUDO_COLUMN", SMALLINT),
];

pub(super) const FOREIGN_KEY_COLUMNS: [(&str, SqlType); 14] = [
    ("PKTABLE_QUALIFIER", SYSNAME),
    ("PKTABLE_OWNER", SYSNAME),
    ("PKTABLE_NAME", SYSNAME),
    ("PKCOLUMN_NAME", SYSNAME),
    ("FKTABLE_QUALIFIER", SYSNAME),
    ("FKTABLE_OWNER", SYSNAME),
    ("FKTABLE_NAME", SYSNAME),
    ("FKCOLUMN_NAME", SYSNAME),
    ("KEY_SEQ", SMALLINT),
    ("UPDATE_RULE", SMALLINT),
    ("DELETE_RULE", SMALLINT),
    ("FK_NAME", SYSNAME),
    ("PK_NAME", SYSNAME),
    ("DEFERRABILITY", SMALLINT),
];

pub(super) const PROCEDURE_COLUMNS: [(&str, SqlType); 8] = [
    ("PROCEDURE_QUALIFIER", SYSNAME),
    ("PROCEDURE_OWNER", SYSNAME),
    ("PROCEDURE_NAME", SYSNAME),
    ("NUM_INPUT_PARAMS", INT),
    ("NUM_OUTPUT_PARAMS", INT),
    ("NUM_RESULT_SETS", INT),
    ("REMARKS", REMARKS),
    ("PROCEDURE_TYPE", SMALLINT),
];

pub(super) const TYPE_COLUMNS: [(&str, SqlType); 20] = [
    ("TYPE_NAME", SYSNAME),
    ("DATA_TYPE", SMALLINT),
    ("PRECISION", INT),
    ("LITERAL_PREFIX", SqlType::VarChar(Length::Of(32))),
    ("LITERAL_SUFFIX", SqlType::VarChar(Length::Of(32))),
    ("CREATE_PARAMS", SqlType::VarChar(Length::Of(32))),
    ("NULLABLE", SMALLINT),
    ("CASE_SENSITIVE", SMALLINT),
    ("SEARCHABLE", SMALLINT),
    ("UNSIGNED_ATTRIBUTE", SMALLINT),
    ("MONEY", SMALLINT),
    ("AUTO_INCREMENT", SMALLINT),
    ("LOCAL_TYPE_NAME", SYSNAME),
    ("MINIMUM_SCALE", SMALLINT),
    ("MAXIMUM_SCALE", SMALLINT),
    ("SQL_DATA_TYPE", SMALLINT),
    ("SQL_DATETIME_SUB", SMALLINT),
    ("NUM_PREC_RADIX", INT),
    ("INTERVAL_PRECISION", SMALLINT),
    ("USERTYPE", SMALLINT),
];

pub(super) const PROCEDURE_PARAMETERS: [(&str, SqlType); 28] = [
    ("PROCEDURE_QUALIFIER", SYSNAME),
    ("PROCEDURE_OWNER", SYSNAME),
    ("PROCEDURE_NAME", SYSNAME),
    ("COLUMN_NAME", SYSNAME),
    ("COLUMN_TYPE", SMALLINT),
    ("DATA_TYPE", SMALLINT),
    ("TYPE_NAME", SYSNAME),
    ("PRECISION", INT),
    ("LENGTH", INT),
    ("SCALE", SMALLINT),
    ("RADIX", SMALLINT),
    ("NULLABLE", SMALLINT),
    ("REMARKS", REMARKS),
    ("COLUMN_DEF", SqlType::NVarChar(Length::Of(4000))),
    ("SQL_DATA_TYPE", SMALLINT),
    ("SQL_DATETIME_SUB", SMALLINT),
    ("CHAR_OCTET_LENGTH", INT),
    ("ORDINAL_POSITION", INT),
    ("IS_NULLABLE", REMARKS),
    ("SS_TYPE_CATALOG_NAME", SYSNAME),
    ("SS_TYPE_SCHEMA_NAME", SYSNAME),
    ("SS_UDT_CATALOG_NAME", SYSNAME),
    ("SS_UDT_SCHEMA_NAME", SYSNAME),
    ("SS_UDT_ASSEMBLY_TYPE_NAME", SqlType::NVarChar(Length::Of(4000))),
    ("SS_XML_SCHEMACOLLECTION_CATALOG_NAME", SYSNAME),
    ("SS_XML_SCHEMACOLLECTION_SCHEMA_NAME", SYSNAME),
    ("SS_XML_SCHEMACOLLECTION_NAME", SYSNAME),
    ("SS_DATA_TYPE", SqlType::TinyInt),
];

pub(super) const VERSION_COLUMNS: [(&str, SqlType); 4] = [
    ("Index", SMALLINT),
    ("Name", SYSNAME),
    ("Internal_Value", INT),
    ("Character_Value", SqlType::NVarChar(Length::Of(512))),
];
