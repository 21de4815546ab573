//! SQL Server's types, and how their values are kept in SQLite.
//!
//! | type | kept as |
//! |-|-|
//! | bit, tinyint, smallint, int, bigint | INTEGER |
//! | real, float | REAL |
//! | decimal, numeric, money, smallmoney | TEXT, in plain digits, with exactly the digits of the scale: nothing is lost |
//! | character strings | TEXT; char and nchar are padded |
//! | binary strings | BLOB; binary is padded |
//! | date | TEXT, `2026-11-22` |
//! | time | TEXT, `20:15:00.0000000` |
//! | datetime, smalldatetime, datetime2 | TEXT, `2026-11-22 20:15:00.0000000` |
//! | datetimeoffset | TEXT, the time in UTC and then the offset: `2026-11-22 19:15:00.0000000 +01:00` |
//! | uniqueidentifier | TEXT, in capitals |
//!
//! The fixed shapes make times compare and sort as text. Decimals and character strings need collations for that,
//! see [`SqlType::collation`].

use std::fmt;
use std::str::FromStr;

use sqlparser::ast::DataType;

use crate::error::{Result, SqlError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Characters, UTF-16 code units or bytes.
    Of(u16),
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Real,
    Float,
    Decimal { precision: u8, scale: u8 },
    SmallMoney,
    Money,
    Char(u16),
    VarChar(Length),
    NChar(u16),
    NVarChar(Length),
    Binary(u16),
    VarBinary(Length),
    Date,
    Time(u8),
    SmallDateTime,
    DateTime,
    DateTime2(u8),
    DateTimeOffset(u8),
    UniqueIdentifier,
}

/// The groups of types that matter for conversions; all types of a family have the same stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Integer,
    Float,
    Decimal,
    Text,
    Binary,
    Date,
    Time,
    DateTime,
    DateTimeOffset,
    Guid,
}

pub const SYSNAME: SqlType = SqlType::NVarChar(Length::Of(128));

impl SqlType {
    pub fn family(self) -> Family {
        match self {
            SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => Family::Integer,
            SqlType::Real | SqlType::Float => Family::Float,
            SqlType::Decimal { .. } | SqlType::SmallMoney | SqlType::Money => Family::Decimal,
            SqlType::Char(_) | SqlType::VarChar(_) | SqlType::NChar(_) | SqlType::NVarChar(_) => Family::Text,
            SqlType::Binary(_) | SqlType::VarBinary(_) => Family::Binary,
            SqlType::Date => Family::Date,
            SqlType::Time(_) => Family::Time,
            SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => Family::DateTime,
            SqlType::DateTimeOffset(_) => Family::DateTimeOffset,
            SqlType::UniqueIdentifier => Family::Guid,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self.family(), Family::Integer | Family::Float | Family::Decimal)
    }

    pub fn is_text(self) -> bool {
        self.family() == Family::Text
    }

    pub fn is_unicode(self) -> bool {
        matches!(self, SqlType::NChar(_) | SqlType::NVarChar(_))
    }

    pub fn is_max(self) -> bool {
        matches!(self, SqlType::VarChar(Length::Max) | SqlType::NVarChar(Length::Max) | SqlType::VarBinary(Length::Max))
    }

    /// The collation with which SQLite compares and sorts the stored values as SQL Server does.
    pub fn collation(self) -> Option<&'static str> {
        match self.family() {
            Family::Text => Some("tsql_text"),
            Family::Decimal => Some("tsql_decimal"),
            _ => None,
        }
    }

    /// Precision and scale as a decimal, for arithmetic with different number types.
    pub fn as_decimal(self) -> (u8, u8) {
        match self {
            SqlType::Bit => (1, 0),
            SqlType::TinyInt => (3, 0),
            SqlType::SmallInt => (5, 0),
            SqlType::BigInt => (19, 0),
            SqlType::Decimal { precision, scale } => (precision, scale),
            SqlType::SmallMoney => (10, 4),
            SqlType::Money => (19, 4),
            _ => (10, 0),
        }
    }

    /// The number of characters, code units or bytes; `None` for max and for types without a length.
    pub fn length(self) -> Option<u16> {
        match self {
            SqlType::Char(n) | SqlType::NChar(n) | SqlType::Binary(n) => Some(n),
            SqlType::VarChar(Length::Of(n)) | SqlType::NVarChar(Length::Of(n)) | SqlType::VarBinary(Length::Of(n)) => {
                Some(n)
            }
            _ => None,
        }
    }

    /// The size in bytes of a type without a length, as SQL Server counts it; 0 for the others.
    pub fn bytes(self) -> u8 {
        let time = |scale| match scale {
            0..=2 => 3,
            3..=4 => 4,
            _ => 5,
        };
        match self {
            SqlType::Bit | SqlType::TinyInt => 1,
            SqlType::SmallInt => 2,
            SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime => 4,
            SqlType::BigInt | SqlType::Float | SqlType::Money | SqlType::DateTime => 8,
            SqlType::Decimal { precision, .. } => match precision {
                0..=9 => 5,
                10..=19 => 9,
                20..=28 => 13,
                _ => 17,
            },
            SqlType::Date => 3,
            SqlType::Time(scale) => time(scale),
            SqlType::DateTime2(scale) => time(scale) + 3,
            SqlType::DateTimeOffset(scale) => time(scale) + 5,
            SqlType::UniqueIdentifier => 16,
            _ => 0,
        }
    }

    /// The longest text into which a value of this type converts.
    pub fn display_length(self) -> Length {
        match self {
            SqlType::Bit => Length::Of(1),
            SqlType::TinyInt => Length::Of(3),
            SqlType::SmallInt => Length::Of(6),
            SqlType::Int => Length::Of(11),
            SqlType::BigInt => Length::Of(20),
            SqlType::Decimal { .. } | SqlType::SmallMoney | SqlType::Money => Length::Of(41),
            SqlType::UniqueIdentifier => Length::Of(36),
            SqlType::VarChar(n) | SqlType::NVarChar(n) | SqlType::VarBinary(n) => n,
            SqlType::Char(n) | SqlType::NChar(n) | SqlType::Binary(n) => Length::Of(n),
            _ => Length::Of(34),
        }
    }

    /// SQL Server's data type precedence: of two types the higher one wins.
    fn precedence(self) -> u8 {
        match self {
            SqlType::Binary(_) => 0,
            SqlType::VarBinary(_) => 1,
            SqlType::Char(_) => 2,
            SqlType::VarChar(_) => 3,
            SqlType::NChar(_) => 4,
            SqlType::NVarChar(_) => 5,
            SqlType::UniqueIdentifier => 6,
            SqlType::Bit => 7,
            SqlType::TinyInt => 8,
            SqlType::SmallInt => 9,
            SqlType::Int => 10,
            SqlType::BigInt => 11,
            SqlType::SmallMoney => 12,
            SqlType::Money => 13,
            SqlType::Decimal { .. } => 14,
            SqlType::Real => 15,
            SqlType::Float => 16,
            SqlType::Time(_) => 17,
            SqlType::Date => 18,
            SqlType::SmallDateTime => 19,
            SqlType::DateTime => 20,
            SqlType::DateTime2(_) => 21,
            SqlType::DateTimeOffset(_) => 22,
        }
    }

    /// The common type of two: for the branches of CASE, and the sides of a comparison or of UNION.
    pub fn unify(self, other: SqlType) -> SqlType {
        let (winner, loser) = if self.precedence() >= other.precedence() { (self, other) } else { (other, self) };
        match winner {
            SqlType::Decimal { .. } => {
                let ((p1, s1), (p2, s2)) = (winner.as_decimal(), loser.as_decimal());
                if !loser.is_number() {
                    return winner;
                }
                let scale = s1.max(s2);
                decimal(i32::from((p1 - s1).max(p2 - s2)) + i32::from(scale), i32::from(scale))
            }
            SqlType::Char(_) | SqlType::VarChar(_) | SqlType::NChar(_) | SqlType::NVarChar(_) => {
                if !loser.is_text() {
                    return winner;
                }
                if self == other {
                    return self;
                }
                let length = longest(winner.display_length(), loser.display_length());
                if winner.is_unicode() { nvarchar(length) } else { SqlType::VarChar(length) }
            }
            SqlType::Binary(_) | SqlType::VarBinary(_) if self != other => {
                SqlType::VarBinary(longest(winner.display_length(), loser.display_length()))
            }
            SqlType::Time(a) => match loser {
                SqlType::Time(b) => SqlType::Time(a.max(b)),
                _ => winner,
            },
            SqlType::DateTime2(a) => match loser {
                SqlType::DateTime2(b) => SqlType::DateTime2(a.max(b)),
                _ => winner,
            },
            _ => winner,
        }
    }

    /// SQL Server's name, without length or precision.
    pub fn name(self) -> &'static str {
        match self {
            SqlType::Bit => "bit",
            SqlType::TinyInt => "tinyint",
            SqlType::SmallInt => "smallint",
            SqlType::Int => "int",
            SqlType::BigInt => "bigint",
            SqlType::Real => "real",
            SqlType::Float => "float",
            SqlType::Decimal { .. } => "decimal",
            SqlType::SmallMoney => "smallmoney",
            SqlType::Money => "money",
            SqlType::Char(_) => "char",
            SqlType::VarChar(_) => "varchar",
            SqlType::NChar(_) => "nchar",
            SqlType::NVarChar(_) => "nvarchar",
            SqlType::Binary(_) => "binary",
            SqlType::VarBinary(_) => "varbinary",
            SqlType::Date => "date",
            SqlType::Time(_) => "time",
            SqlType::SmallDateTime => "smalldatetime",
            SqlType::DateTime => "datetime",
            SqlType::DateTime2(_) => "datetime2",
            SqlType::DateTimeOffset(_) => "datetimeoffset",
            SqlType::UniqueIdentifier => "uniqueidentifier",
        }
    }

    /// The type that a statement names.
    pub fn of(written: &DataType) -> Result<SqlType> {
        written.to_string().parse()
    }

    /// The type in CAST, where a string without a length has 30 characters instead of 1.
    pub fn of_cast(written: &DataType) -> Result<SqlType> {
        let text = written.to_string();
        let target: SqlType = text.parse()?;
        Ok(match target {
            _ if text.contains('(') => target,
            SqlType::Char(_) => SqlType::Char(30),
            SqlType::VarChar(Length::Of(1)) => SqlType::VarChar(Length::Of(30)),
            SqlType::NChar(_) => SqlType::NChar(30),
            SqlType::NVarChar(Length::Of(1)) => SqlType::NVarChar(Length::Of(30)),
            SqlType::Binary(_) => SqlType::Binary(30),
            SqlType::VarBinary(Length::Of(1)) => SqlType::VarBinary(Length::Of(30)),
            _ => target,
        })
    }
}

pub fn longest(a: Length, b: Length) -> Length {
    match (a, b) {
        (Length::Of(a), Length::Of(b)) => Length::Of(a.max(b)),
        _ => Length::Max,
    }
}

/// nvarchar with a length that may exceed its maximum.
pub fn nvarchar(length: Length) -> SqlType {
    match length {
        Length::Of(n) if n <= 4000 => SqlType::NVarChar(Length::Of(n.max(1))),
        Length::Of(_) => SqlType::NVarChar(Length::Of(4000)),
        Length::Max => SqlType::NVarChar(Length::Max),
    }
}

/// A decimal type within the limits: beyond precision 38 the digits of the scale are reduced, but never the last six.
pub fn decimal(precision: i32, scale: i32) -> SqlType {
    let over = (precision - 38).max(0);
    let scale = if over > 0 { (scale - over).max(scale.min(6)) } else { scale };
    SqlType::Decimal { precision: precision.min(38) as u8, scale: scale as u8 }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match *self {
            SqlType::Decimal { precision, scale } => write!(f, "{name}({precision},{scale})"),
            SqlType::Time(n) | SqlType::DateTime2(n) | SqlType::DateTimeOffset(n) => write!(f, "{name}({n})"),
            _ if self.is_max() => write!(f, "{name}(max)"),
            _ => match self.length() {
                Some(n) => write!(f, "{name}({n})"),
                None => f.write_str(name),
            },
        }
    }
}

impl FromStr for SqlType {
    type Err = SqlError;

    fn from_str(text: &str) -> Result<SqlType> {
        let unknown = || SqlError::new(2715, 16, 6, format!("Cannot find data type {text}."));
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(unknown)?),
            None => (text, ""),
        };
        let name = name.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let max = arguments.trim().eq_ignore_ascii_case("max");
        let numbers = arguments
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty() && !max)
            .map(|part| part.parse::<u16>().map_err(|_| unknown()))
            .collect::<Result<Vec<u16>>>()?;
        let length = |limit: u16| match numbers.first() {
            None if max => Ok(Length::Max),
            None => Ok(Length::Of(1)),
            Some(n) if (1..=limit).contains(n) => Ok(Length::Of(*n)),
            Some(n) => Err(SqlError::new(
                131,
                15,
                2,
                format!("The size ({n}) given to the type '{name}' exceeds the maximum allowed ({limit})."),
            )),
        };
        let fixed = |limit: u16| match length(limit)? {
            Length::Of(n) => Ok(n),
            Length::Max => Err(unknown()),
        };
        let digits = || match numbers.first() {
            None => Ok(7),
            Some(n @ 0..=7) => Ok(*n as u8),
            Some(n) => Err(SqlError::new(1002, 15, 1, format!("Line 1: Specified scale {n} is invalid."))),
        };
        Ok(match name.as_str() {
            "bit" => SqlType::Bit,
            "tinyint" => SqlType::TinyInt,
            "smallint" => SqlType::SmallInt,
            "int" | "integer" => SqlType::Int,
            "bigint" => SqlType::BigInt,
            "real" => SqlType::Real,
            "float" if numbers.first().is_some_and(|n| *n <= 24) => SqlType::Real,
            "float" | "double precision" => SqlType::Float,
            "decimal" | "numeric" | "dec" => {
                let precision = numbers.first().copied().unwrap_or(18);
                let scale = numbers.get(1).copied().unwrap_or(0);
                if precision == 0 || precision > 38 || scale > precision {
                    return Err(SqlError::new(
                        2750,
                        16,
                        1,
                        format!(
                            "Column or parameter: Specified column precision {precision} or scale {scale} is not possible."
                        ),
                    ));
                }
                SqlType::Decimal { precision: precision as u8, scale: scale as u8 }
            }
            "smallmoney" => SqlType::SmallMoney,
            "money" => SqlType::Money,
            "char" | "character" => SqlType::Char(fixed(8000)?),
            "varchar" | "character varying" | "char varying" => SqlType::VarChar(length(8000)?),
            "nchar" | "national character" => SqlType::NChar(fixed(4000)?),
            "nvarchar" | "national character varying" => SqlType::NVarChar(length(4000)?),
            "sysname" => SYSNAME,
            "text" => SqlType::VarChar(Length::Max),
            "ntext" | "xml" => SqlType::NVarChar(Length::Max),
            "binary" => SqlType::Binary(fixed(8000)?),
            "varbinary" => SqlType::VarBinary(length(8000)?),
            "image" => SqlType::VarBinary(Length::Max),
            "date" => SqlType::Date,
            "time" => SqlType::Time(digits()?),
            "smalldatetime" => SqlType::SmallDateTime,
            "datetime" => SqlType::DateTime,
            "datetime2" => SqlType::DateTime2(digits()?),
            "datetimeoffset" => SqlType::DateTimeOffset(digits()?),
            "uniqueidentifier" => SqlType::UniqueIdentifier,
            _ => return Err(unknown()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_and_written() {
        for text in [
            "bit",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "real",
            "float",
            "decimal(10,2)",
            "money",
            "char(3)",
            "varchar(max)",
            "nvarchar(4000)",
            "varbinary(8000)",
            "binary(16)",
            "date",
            "time(3)",
            "datetime",
            "datetime2(7)",
            "datetimeoffset(0)",
            "uniqueidentifier",
        ] {
            assert_eq!(text.parse::<SqlType>().unwrap().to_string(), text);
        }
        assert_eq!("NUMERIC".parse(), Ok(SqlType::Decimal { precision: 18, scale: 0 }));
        assert_eq!("[int]".parse(), Ok(SqlType::Int));
        assert_eq!("geometry".parse::<SqlType>().unwrap_err().number, 2715);
        assert_eq!("nvarchar(5000)".parse::<SqlType>().unwrap_err().number, 131);
        assert_eq!("decimal(39,0)".parse::<SqlType>().unwrap_err().number, 2750);
    }

    #[test]
    fn types_of_combined_operands() {
        for (a, b, together) in [
            ("int", "bigint", "bigint"),
            ("int", "nvarchar(5)", "int"),
            ("decimal(5,2)", "int", "decimal(12,2)"),
            ("decimal(5,2)", "decimal(6,4)", "decimal(7,4)"),
            ("decimal(38,10)", "decimal(38,0)", "decimal(38,6)"),
            ("float", "decimal(5,2)", "float"),
            ("varchar(10)", "nvarchar(5)", "nvarchar(10)"),
            ("varchar(max)", "nchar(5)", "nvarchar(max)"),
            ("date", "datetime2(3)", "datetime2(3)"),
            ("varchar(10)", "datetime", "datetime"),
        ] {
            let (a, b): (SqlType, SqlType) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(a.unify(b).to_string(), together);
            assert_eq!(b.unify(a).to_string(), together);
        }
    }
}
