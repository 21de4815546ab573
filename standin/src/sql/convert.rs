//! Converts a stored value of one type into another type, for CAST, CONVERT, assignments and comparisons.
//!
//! [`super::types`] describes the stored forms.

use rusqlite::types::Value;

use super::charset;
use super::datetime::{Moment, TICKS_PER_DAY};
use super::decimal::Decimal;
use super::types::{Family, Length, SqlType};
use crate::error::{Result, SqlError};

/// What happens to a string that is too long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// CAST truncates it.
    Cut,
    /// A column refuses it.
    Refuse,
}

/// Converts `value` from its stored form as `from` into `to`. `style` is CONVERT's third argument.
pub fn convert(value: Value, from: SqlType, to: SqlType, style: i64, excess: Excess) -> Result<Value> {
    if value == Value::Null {
        return Ok(value);
    }
    match to.family() {
        Family::Integer => to_integer(&value, from, to).map(Value::Integer),
        Family::Float => to_float(&value, from, to).map(Value::Real),
        Family::Decimal => to_decimal(&value, from, to).map(|decimal| Value::Text(decimal.to_string())),
        Family::Text => fit_text(to_text(value, from, to, style)?, to, excess).map(Value::Text),
        Family::Binary => fit_binary(to_binary(value, from, style)?, to, excess).map(Value::Blob),
        Family::Date | Family::Time | Family::DateTime | Family::DateTimeOffset => {
            from_moment(to_moment(&value, from, to)?, to).map(Value::Text)
        }
        Family::Guid => to_guid(value, from).map(Value::Text),
    }
}

/// A value with a type of its own, as the declared type.
pub fn declared(value: &Value, from: SqlType, to: SqlType) -> Result<Value> {
    convert(value.clone(), from, to, 0, Excess::Cut)
}

/// Whether a stored value of one type is also one of the other type, for comparisons, in which lengths do not matter.
pub fn alike(from: SqlType, to: SqlType) -> bool {
    let numeric = |family| matches!(family, Family::Integer | Family::Float);
    let (from, to) = (from.family(), to.family());
    from == to || (numeric(from) && numeric(to))
}

fn overflow(value: &str, from: SqlType, to: SqlType) -> SqlError {
    match to {
        SqlType::TinyInt | SqlType::SmallInt if !from.is_text() => SqlError::new(
            220,
            16,
            2,
            format!("Arithmetic overflow error for data type {}, value = {value}.", to.name()),
        ),
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int if from.is_text() => SqlError::new(
            248,
            16,
            1,
            format!("The conversion of the {} value '{value}' overflowed an {} column.", from.name(), to.name()),
        ),
        SqlType::Int | SqlType::BigInt => SqlError::new(
            8115,
            16,
            2,
            format!("Arithmetic overflow error converting expression to data type {}.", to.name()),
        ),
        _ => SqlError::new(
            8115,
            16,
            8,
            format!("Arithmetic overflow error converting {} to data type {}.", from.name(), to.name()),
        ),
    }
}

/// SQL Server's error for a text that is not a number.
fn not_a_number(text: &str, from: SqlType, to: SqlType) -> SqlError {
    match to.family() {
        Family::Integer => SqlError::new(
            245,
            16,
            1,
            format!("Conversion failed when converting the {} value '{text}' to data type {}.", from.name(), to.name()),
        ),
        _ => SqlError::new(8114, 16, 5, format!("Error converting data type {} to {}.", from.name(), to.name())),
    }
}

fn not_allowed(from: SqlType, to: SqlType) -> SqlError {
    SqlError::new(
        529,
        16,
        2,
        format!("Explicit conversion from data type {} to {} is not allowed.", from.name(), to.name()),
    )
}

fn to_integer(value: &Value, from: SqlType, to: SqlType) -> Result<i64> {
    let wide: i128 = match value {
        Value::Integer(value) => i128::from(*value),
        Value::Real(value) => {
            if value.is_nan() || value.abs() >= 1e38 {
                return Err(overflow(&value.to_string(), from, to));
            }
            value.trunc() as i128
        }
        Value::Text(text) if from.family() == Family::Decimal => Decimal::parse(text).map_or(0, Decimal::truncate),
        Value::Text(text) if from.is_text() => match text.trim() {
            "" => 0,
            word if to == SqlType::Bit && word.eq_ignore_ascii_case("true") => 1,
            word if to == SqlType::Bit && word.eq_ignore_ascii_case("false") => 0,
            digits => digits.parse().map_err(|_| not_a_number(text, from, to))?,
        },
        Value::Blob(bytes) => bytes.iter().rev().take(8).rev().fold(0, |sum, byte| sum << 8 | i128::from(*byte)),
        _ => return Err(not_allowed(from, to)),
    };
    let range = match to {
        SqlType::Bit => return Ok(i64::from(wide != 0)),
        SqlType::TinyInt => 0..=255,
        SqlType::SmallInt => i128::from(i16::MIN)..=i128::from(i16::MAX),
        SqlType::Int => i128::from(i32::MIN)..=i128::from(i32::MAX),
        _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
    };
    match i64::try_from(wide) {
        Ok(narrow) if range.contains(&wide) => Ok(narrow),
        _ => Err(overflow(&wide.to_string(), from, to)),
    }
}

fn to_float(value: &Value, from: SqlType, to: SqlType) -> Result<f64> {
    let wide = match value {
        Value::Integer(value) => *value as f64,
        Value::Real(value) => *value,
        Value::Text(text) if from.family() == Family::Decimal => {
            Decimal::parse(text).map_or(f64::NAN, Decimal::to_float)
        }
        Value::Text(text) if from.is_text() => match text.trim() {
            "" => 0.0,
            // Rust accepts "inf" and "nan", but SQL Server does not.
            digits if digits.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => {
                return Err(not_a_number(text, from, to));
            }
            digits => digits.parse().map_err(|_| not_a_number(text, from, to))?,
        },
        _ => return Err(not_allowed(from, to)),
    };
    let narrow = if to == SqlType::Real { f64::from(wide as f32) } else { wide };
    if narrow.is_finite() { Ok(narrow) } else { Err(overflow(&wide.to_string(), from, to)) }
}

/// A decimal with exactly the digits of `to`'s scale.
pub fn to_decimal(value: &Value, from: SqlType, to: SqlType) -> Result<Decimal> {
    let exact = match value {
        Value::Integer(value) => Some(Decimal::of_integer(*value)),
        Value::Real(value) => Decimal::of_float(*value),
        Value::Text(text) if from.family() == Family::Decimal => Decimal::parse(text),
        Value::Text(text) if from.is_text() => {
            let plain = text.trim_matches(|c: char| c.is_whitespace() || (c == '$' && to.as_decimal() == (19, 4)));
            Some(Decimal::parse(plain).ok_or_else(|| not_a_number(text, from, to))?)
        }
        _ => return Err(not_allowed(from, to)),
    };
    let (precision, scale) = to.as_decimal();
    exact.and_then(|exact| exact.rescale(scale)).filter(|rounded| rounded.fits(precision)).ok_or_else(|| match value {
        Value::Text(text) => overflow(text, from, to),
        _ => overflow("", from, to),
    })
}

fn to_text(value: Value, from: SqlType, to: SqlType, style: i64) -> Result<String> {
    Ok(match value {
        Value::Text(text) => match from.family() {
            Family::Text | Family::Decimal | Family::Guid => text,
            _ => moment_text(kept_moment(&text, from)?, from, style),
        },
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => float_text(value, style),
        Value::Blob(bytes) => match style {
            1 => format!("0x{}", hex(&bytes)),
            2 => hex(&bytes),
            _ if to.is_unicode() => crate::wire::cursor::utf16(&bytes),
            _ => charset::decode(&bytes),
        },
        Value::Null => String::new(),
    })
}

/// Six significant digits, as SQL Server writes floats; seventeen with style 3.
fn float_text(value: f64, style: i64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if style == 3 {
        return format!("{value:.16e}");
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..6).contains(&exponent) {
        let fixed = format!("{value:.*}", (5 - exponent).max(0) as usize);
        let short = if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.') } else { &fixed };
        short.to_owned()
    } else {
        let mantissa =
            if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        format!("{mantissa}e{}{:03}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The most common styles of CONVERT.
fn moment_text(moment: Moment, from: SqlType, style: i64) -> String {
    let (year, month, day) = moment.date();
    let (hour, minute, _, _) = moment.time();
    let digits = match from {
        SqlType::Time(n) | SqlType::DateTime2(n) | SqlType::DateTimeOffset(n) => n,
        SqlType::DateTime => 3,
        _ => 0,
    };
    let date = match style {
        101 => format!("{month:02}/{day:02}/{year:04}"),
        103 => format!("{day:02}/{month:02}/{year:04}"),
        104 => format!("{day:02}.{month:02}.{year:04}"),
        112 => format!("{year:04}{month:02}{day:02}"),
        _ => moment.date_text(),
    };
    match from.family() {
        Family::Date => date,
        Family::Time => moment.time_text(if style == 108 { 0 } else { digits }),
        _ => match style {
            23 | 101 | 103 | 104 | 112 => date,
            108 => moment.time_text(0),
            20 | 120 => moment.datetime_text(0),
            126 => format!("{date}T{}", moment.time_text(digits)),
            0 | 100 if matches!(from, SqlType::DateTime | SqlType::SmallDateTime) => {
                let half = if hour < 12 { "AM" } else { "PM" };
                let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
                format!("{} {day:>2} {year:04} {hour:>2}:{minute:02}{half}", MONTHS[month as usize - 1])
            }
            _ if from.family() == Family::DateTimeOffset => {
                format!("{} {}", moment.datetime_text(digits), moment.offset_text())
            }
            _ => moment.datetime_text(digits),
        },
    }
}

/// Truncates or refuses a text that is too long, pads fixed lengths, and replaces characters that varchar's code page
/// lacks.
fn fit_text(mut text: String, to: SqlType, excess: Excess) -> Result<String> {
    if !to.is_unicode() && !text.is_ascii() {
        text = charset::decode(&charset::encode(&text));
    }
    let Some(limit) = to.length().map(usize::from) else {
        return Ok(text);
    };
    let width = |c: char| if to.is_unicode() { c.len_utf16() } else { 1 };
    let mut units = 0;
    let cut = text.char_indices().find(|(_, c)| {
        units += width(*c);
        units > limit
    });
    if let Some((cut, _)) = cut {
        // Losing trailing spaces is allowed.
        if excess == Excess::Refuse && !text[cut..].trim_end_matches(' ').is_empty() {
            return Err(truncated());
        }
        text.truncate(cut);
    }
    if matches!(to, SqlType::Char(_) | SqlType::NChar(_)) {
        let units: usize = text.chars().map(width).sum();
        text.extend(std::iter::repeat_n(' ', limit.saturating_sub(units)));
    }
    Ok(text)
}

fn truncated() -> SqlError {
    SqlError::new(2628, 16, 1, "String or binary data would be truncated.")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// An even number of hexadecimal digits.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

fn to_binary(value: Value, from: SqlType, style: i64) -> Result<Vec<u8>> {
    match value {
        Value::Blob(bytes) => Ok(bytes),
        Value::Integer(value) => Ok(value.to_be_bytes()[8 - usize::from(from.bytes().min(8))..].to_vec()),
        Value::Text(text) if from.is_text() => match style {
            1 | 2 => {
                let digits =
                    if style == 1 { text.strip_prefix("0x").or(text.strip_prefix("0X")) } else { Some(text.as_str()) };
                digits.and_then(unhex).ok_or_else(|| not_a_number(&text, from, SqlType::VarBinary(Length::Max)))
            }
            _ if from.is_unicode() => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            _ => Ok(charset::encode(&text)),
        },
        Value::Text(text) if from == SqlType::UniqueIdentifier => Ok(guid_bytes(&text).unwrap_or_default().to_vec()),
        _ => Err(not_allowed(from, SqlType::VarBinary(Length::Max))),
    }
}

fn fit_binary(mut bytes: Vec<u8>, to: SqlType, excess: Excess) -> Result<Vec<u8>> {
    if let Some(limit) = to.length().map(usize::from) {
        if bytes.len() > limit {
            if excess == Excess::Refuse {
                return Err(truncated());
            }
            bytes.truncate(limit);
        }
        if matches!(to, SqlType::Binary(_)) {
            bytes.resize(limit, 0);
        }
    }
    Ok(bytes)
}

fn no_date() -> SqlError {
    SqlError::new(241, 16, 1, "Conversion failed when converting date and/or time from character string.")
}

/// The moment in a stored date or time.
pub fn kept_moment(text: &str, from: SqlType) -> Result<Moment> {
    let moment = Moment::parse(text).ok_or_else(no_date)?;
    if from.family() == Family::DateTimeOffset {
        // Stored in UTC, see `types`.
        return moment.local().ok_or_else(no_date);
    }
    Ok(moment)
}

fn to_moment(value: &Value, from: SqlType, to: SqlType) -> Result<Moment> {
    match value {
        Value::Text(text) => match from.family() {
            Family::Text => Moment::parse(text).ok_or_else(no_date),
            Family::Date | Family::Time | Family::DateTime | Family::DateTimeOffset => kept_moment(text, from),
            _ => Err(not_allowed(from, to)),
        },
        // Days since 1900, which only datetime accepts.
        Value::Integer(_) | Value::Real(_) if matches!(to, SqlType::DateTime | SqlType::SmallDateTime) => {
            let days = match value {
                Value::Integer(days) => *days as f64,
                Value::Real(days) => *days,
                _ => 0.0,
            };
            let origin = Moment::parse("1900-01-01").ok_or_else(no_date)?;
            origin.plus((days * TICKS_PER_DAY as f64) as i64).ok_or_else(no_date)
        }
        _ => Err(not_allowed(from, to)),
    }
}

/// The stored form of a moment as `to`.
pub fn from_moment(moment: Moment, to: SqlType) -> Result<String> {
    let out_of_range = || {
        SqlError::new(
            242,
            16,
            3,
            format!("The conversion to a {} data type resulted in an out-of-range value.", to.name()),
        )
    };
    let shape = match to {
        SqlType::Date => Some(moment.date_text()),
        // Rounding up at midnight starts the same day again.
        SqlType::Time(n) => {
            let anyday = Moment { days: 1, ..moment };
            anyday.rounded(n).map(|rounded| rounded.time_text(7))
        }
        SqlType::DateTime => moment
            .rounded_to_datetime()
            .filter(|rounded| rounded.date().0 >= 1753)
            .map(|rounded| rounded.datetime_text(7)),
        SqlType::SmallDateTime => {
            let minute = super::datetime::TICKS_PER_MINUTE;
            let rounded = moment.plus((moment.ticks + minute / 2) / minute * minute - moment.ticks);
            rounded.filter(|rounded| (1900..=2079).contains(&rounded.date().0)).map(|rounded| rounded.datetime_text(7))
        }
        SqlType::DateTime2(n) => moment.rounded(n).map(|rounded| rounded.datetime_text(7)),
        SqlType::DateTimeOffset(n) => moment
            .rounded(n)
            .and_then(Moment::utc)
            .map(|utc| format!("{} {}", utc.datetime_text(7), moment.offset_text())),
        _ => None,
    };
    shape.ok_or_else(out_of_range)
}

fn to_guid(value: Value, from: SqlType) -> Result<String> {
    let failed =
        || SqlError::new(8169, 16, 2, "Conversion failed when converting from a character string to uniqueidentifier.");
    match value {
        Value::Text(text) if from == SqlType::UniqueIdentifier => Ok(text),
        Value::Text(text) if from.is_text() => {
            let bytes = guid_bytes(text.trim().trim_start_matches('{').trim_end_matches('}')).ok_or_else(failed)?;
            Ok(guid_text(&bytes))
        }
        Value::Blob(bytes) => bytes.first_chunk().map(guid_text).ok_or_else(failed),
        _ => Err(not_allowed(from, SqlType::UniqueIdentifier)),
    }
}

/// The sixteen bytes in SQL Server's order: the first three groups are little-endian.
const GUID_ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

pub fn guid_bytes(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return None;
    }
    let read = unhex(&text.replace('-', ""))?;
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(GUID_ORDER) {
        *byte = *read.get(from)?;
    }
    Some(bytes)
}

pub fn guid_text(bytes: &[u8; 16]) -> String {
    let digits = hex(&GUID_ORDER.map(|at| bytes[at]));
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(value: Value, from: &str, to: &str) -> Result<Value> {
        convert(value, from.parse().unwrap(), to.parse().unwrap(), 0, Excess::Cut)
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn conversions_that_succeed() {
        for (value, from, to, expected) in [
            (text(" 42 "), "varchar(10)", "int", Value::Integer(42)),
            (Value::Real(-1.9), "float", "int", Value::Integer(-1)),
            (text("1.50"), "decimal(5,2)", "int", Value::Integer(1)),
            (text("true"), "varchar(5)", "bit", Value::Integer(1)),
            (Value::Integer(7), "int", "decimal(5,2)", text("7.00")),
            (Value::Real(0.1), "float", "decimal(5,2)", text("0.10")),
            (text("12.345"), "nvarchar(10)", "decimal(5,2)", text("12.35")),
            (text("-0.5"), "decimal(3,1)", "float", Value::Real(-0.5)),
            (Value::Integer(42), "int", "char(5)", text("42   ")),
            (text("abcdef"), "varchar(10)", "varchar(3)", text("abc")),
            (text("a😀b"), "nvarchar(10)", "nvarchar(3)", text("a😀")),
            (text("a😀b"), "nvarchar(10)", "varchar(10)", text("a?b")),
            (Value::Real(1234567.0), "float", "varchar(20)", text("1.23457e+006")),
            (Value::Real(0.5), "float", "varchar(20)", text("0.5")),
            (Value::Blob(vec![1]), "varbinary(1)", "binary(2)", Value::Blob(vec![1, 0])),
            (Value::Integer(258), "int", "varbinary(4)", Value::Blob(vec![0, 0, 1, 2])),
            (text("2026-11-22 20:15"), "varchar(30)", "date", text("2026-11-22")),
            (text("2026-11-22"), "date", "datetime", text("2026-11-22 00:00:00.0000000")),
            (text("2026-11-22 20:15:00.0000000"), "datetime", "varchar(30)", text("Nov 22 2026  8:15PM")),
            (
                text("2026-11-22 20:15 +01:00"),
                "varchar(30)",
                "datetimeoffset(0)",
                text("2026-11-22 19:15:00.0000000 +01:00"),
            ),
        ] {
            assert_eq!(cast(value.clone(), from, to), Ok(expected), "{value:?} {from} {to}");
        }
        assert_eq!(cast(Value::Null, "int", "date"), Ok(Value::Null));
    }

    #[test]
    fn conversions_that_fail() {
        for (value, from, to, number) in [
            (text("x"), "varchar(10)", "int", 245),
            (text("x"), "varchar(10)", "float", 8114),
            (text("nan"), "varchar(10)", "float", 8114),
            (text("x"), "varchar(10)", "decimal(5,2)", 8114),
            (Value::Integer(256), "int", "tinyint", 220),
            (Value::Integer(1 << 40), "bigint", "int", 8115),
            (text("99999999999"), "varchar(20)", "int", 248),
            (text("1000"), "decimal(5,0)", "decimal(3,0)", 8115),
            (text("no date"), "varchar(10)", "date", 241),
            (text("0001-01-01"), "date", "datetime", 242),
            (text("no guid"), "varchar(10)", "uniqueidentifier", 8169),
            (Value::Integer(1), "int", "date", 529),
        ] {
            assert_eq!(cast(value.clone(), from, to).unwrap_err().number, number, "{value:?} {from} {to}");
        }
        let long = convert(text("abc"), "char(3)".parse().unwrap(), "char(2)".parse().unwrap(), 0, Excess::Refuse);
        assert_eq!(long.unwrap_err().number, 2628);
    }

    #[test]
    fn guids() {
        let shape = "6F9619FF-8B86-D011-B42D-00C04FC964FF";
        let bytes = guid_bytes(shape).unwrap();
        assert_eq!(bytes[..4], [0xff, 0x19, 0x96, 0x6f]);
        assert_eq!(guid_text(&bytes), shape);
    }
}
