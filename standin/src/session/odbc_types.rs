//! Types as ODBC's catalog functions and SQL Server's describing procedures number them.

use crate::sql::types::{Family, Length, SqlType};

/// The values of `sp_columns` and `sp_datatype_info` for a type.
pub(super) struct OdbcType {
    /// SQL_INTEGER and so on; SQL Server has numbers of its own for time and datetimeoffset.
    pub code: i64,
    /// The verbose code, which dates share, and its subcode.
    pub verbose: i64,
    pub subcode: Option<i64>,
    /// The column size: digits, or characters.
    pub size: i64,
    /// The transfer length in bytes.
    pub bytes: i64,
    pub scale: Option<i64>,
    pub radix: Option<i64>,
    pub octets: Option<i64>,
}

/// What ODBC calls unlimited: the column size of max types.
const UNLIMITED: i64 = 0;

pub(super) fn odbc_type(ty: SqlType) -> OdbcType {
    let plain = |code, size, bytes| OdbcType {
        code,
        verbose: code,
        subcode: None,
        size,
        bytes,
        scale: None,
        radix: None,
        octets: None,
    };
    let number = |code, size, bytes, scale| OdbcType { scale, radix: Some(10), ..plain(code, size, bytes) };
    let string = |code, width: i64| {
        let size = ty.length().map_or(UNLIMITED, i64::from);
        OdbcType { octets: Some(size * width), ..plain(code, size, size * width) }
    };
    // 20 characters for the date, the time and the point, plus the fraction.
    let time = |code, verbose, subcode, whole: i64, bytes, scale: u8| OdbcType {
        verbose,
        subcode,
        scale: Some(i64::from(scale)),
        ..plain(code, whole + if scale > 0 { 1 + i64::from(scale) } else { 0 }, bytes)
    };
    match ty {
        SqlType::Bit => plain(-7, 1, 1),
        SqlType::TinyInt => number(-6, 3, 1, Some(0)),
        SqlType::SmallInt => number(5, 5, 2, Some(0)),
        SqlType::Int => number(4, 10, 4, Some(0)),
        SqlType::BigInt => number(-5, 19, 8, Some(0)),
        SqlType::Real => OdbcType { radix: Some(2), ..plain(7, 24, 4) },
        SqlType::Float => OdbcType { radix: Some(2), ..plain(6, 53, 8) },
        SqlType::Decimal { precision, scale } => {
            number(3, i64::from(precision), i64::from(precision) + 2, Some(i64::from(scale)))
        }
        SqlType::SmallMoney => number(3, 10, 12, Some(4)),
        SqlType::Money => number(3, 19, 21, Some(4)),
        SqlType::Char(_) => string(1, 1),
        SqlType::VarChar(_) => string(12, 1),
        SqlType::NChar(_) => string(-8, 2),
        SqlType::NVarChar(_) => string(-9, 2),
        SqlType::Binary(_) => string(-2, 1),
        SqlType::VarBinary(_) => string(-3, 1),
        SqlType::Date => OdbcType { verbose: 9, subcode: Some(1), ..plain(91, 10, 6) },
        SqlType::Time(n) => time(-154, -154, None, 8, 12, n),
        SqlType::SmallDateTime => time(93, 9, Some(3), 16, 16, 0),
        SqlType::DateTime => time(93, 9, Some(3), 19, 16, 3),
        SqlType::DateTime2(n) => time(93, 9, Some(3), 19, 16, n),
        SqlType::DateTimeOffset(n) => time(-155, -155, None, 26, 20, n),
        SqlType::UniqueIdentifier => plain(-11, 36, 16),
    }
}

/// `system_type_id`.
pub(super) fn type_id(ty: SqlType) -> i64 {
    match ty {
        SqlType::Bit => 104,
        SqlType::TinyInt => 48,
        SqlType::SmallInt => 52,
        SqlType::Int => 56,
        SqlType::BigInt => 127,
        SqlType::Real => 59,
        SqlType::Float => 62,
        SqlType::Decimal { .. } => 106,
        SqlType::SmallMoney => 122,
        SqlType::Money => 60,
        SqlType::Char(_) => 175,
        SqlType::VarChar(_) => 167,
        SqlType::NChar(_) => 239,
        SqlType::NVarChar(_) => 231,
        SqlType::Binary(_) => 173,
        SqlType::VarBinary(_) => 165,
        SqlType::Date => 40,
        SqlType::Time(_) => 41,
        SqlType::SmallDateTime => 58,
        SqlType::DateTime => 61,
        SqlType::DateTime2(_) => 42,
        SqlType::DateTimeOffset(_) => 43,
        SqlType::UniqueIdentifier => 36,
    }
}

/// The type's token in TDS and its length there.
pub(super) fn tds_type(ty: SqlType) -> (i64, i64) {
    let mut info = Vec::new();
    crate::wire::values::write_type_info(&mut info, ty);
    let token = info.first().copied().map_or(0, i64::from);
    let length = match ty.family() {
        Family::Text | Family::Binary if ty.is_max() => 65535,
        Family::Text | Family::Binary => max_length(ty),
        Family::Date => 3,
        Family::Time | Family::DateTime | Family::DateTimeOffset => max_length(ty),
        _ => info.get(1).copied().map_or(0, i64::from),
    };
    (token, length)
}

/// `max_length`: bytes, and -1 for max.
pub(super) fn max_length(ty: SqlType) -> i64 {
    match ty {
        _ if ty.is_max() => -1,
        SqlType::NChar(n) | SqlType::NVarChar(Length::Of(n)) => i64::from(n) * 2,
        _ => ty.length().map_or(i64::from(ty.bytes()), i64::from),
    }
}

/// As the describing procedures report them: strings have none.
pub(super) fn precision_and_scale(ty: SqlType) -> (i64, i64) {
    let odbc = odbc_type(ty);
    match ty.family() {
        Family::Text | Family::Binary | Family::Guid => (0, 0),
        _ => (odbc.size, odbc.scale.unwrap_or(0)),
    }
}
