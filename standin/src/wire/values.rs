//! TYPE_INFO and values, in both directions ([MS-TDS] 2.2.5.4 to 2.2.5.6).

use rusqlite::types::{Value, ValueRef};

use super::cursor::{Cursor, Malformed, utf16};
use crate::error::SqlError;
use crate::sql::charset;
use crate::sql::convert::{from_moment, guid_bytes, guid_text, kept_moment};
use crate::sql::datetime::{DAYS_TO_1900, Moment, TICKS_PER_MINUTE};
use crate::sql::decimal::Decimal;
use crate::sql::types::{Family, Length, SqlType};

/// SQL Server's default.
pub const COLLATION_NAME: &str = "SQL_Latin1_General_CP1_CI_AS";
/// The same, as TDS writes it.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];

const GUID: u8 = 0x24;
const INTN: u8 = 0x26;
const DATEN: u8 = 0x28;
const TIMEN: u8 = 0x29;
const DATETIME2N: u8 = 0x2a;
const DATETIMEOFFSETN: u8 = 0x2b;
const BITN: u8 = 0x68;
const DECIMALN: u8 = 0x6a;
const NUMERICN: u8 = 0x6c;
const FLTN: u8 = 0x6d;
const MONEYN: u8 = 0x6e;
const DATETIMN: u8 = 0x6f;
const BIGVARBINARY: u8 = 0xa5;
const BIGVARCHAR: u8 = 0xa7;
const BIGBINARY: u8 = 0xad;
const BIGCHAR: u8 = 0xaf;
const NVARCHAR: u8 = 0xe7;
const NCHAR: u8 = 0xef;

/// The length that means max, and NULL for types with a 16-bit byte count.
const MAX: u16 = 0xffff;
const PLP_NULL: u64 = u64::MAX;
const PLP_UNKNOWN_LENGTH: u64 = u64::MAX - 1;
/// PLP values are sent in chunks of this many bytes.
const PLP_CHUNK: usize = 1 << 16;

/// The token of a type whose values always have the same length, for a column that is never NULL. Drivers use the token
/// to decide whether such a column can be NULL, whatever its flags are.
fn fixed_token(ty: SqlType) -> Option<u8> {
    Some(match ty {
        SqlType::TinyInt => 0x30,
        SqlType::Bit => 0x32,
        SqlType::SmallInt => 0x34,
        SqlType::Int => 0x38,
        SqlType::SmallDateTime => 0x3a,
        SqlType::Real => 0x3b,
        SqlType::Money => 0x3c,
        SqlType::DateTime => 0x3d,
        SqlType::Float => 0x3e,
        SqlType::SmallMoney => 0x7a,
        SqlType::BigInt => 0x7f,
        _ => return None,
    })
}

/// Writes the TYPE_INFO of a result column.
pub fn write_column_type(out: &mut Vec<u8>, ty: SqlType, nullable: bool) {
    match fixed_token(ty) {
        Some(token) if !nullable => out.push(token),
        _ => write_type_info(out, ty),
    }
}

/// Writes the value of a result column.
pub fn write_column_value(out: &mut Vec<u8>, ty: SqlType, nullable: bool, value: ValueRef<'_>) -> Result<(), SqlError> {
    if nullable || fixed_token(ty).is_none() {
        return write_value(out, ty, value);
    }
    if value == ValueRef::Null {
        return Err(SqlError::unsupported("a NULL where the types promise that there is none"));
    }
    let counted = out.len();
    write_value(out, ty, value)?;
    // The same without the count before it.
    out.remove(counted);
    Ok(())
}

/// Writes the TYPE_INFO of a value that can be NULL.
pub fn write_type_info(out: &mut Vec<u8>, ty: SqlType) {
    let sized = |out: &mut Vec<u8>, token: u8, length: Length, unit: u16, collated: bool| {
        out.push(token);
        let bytes = match length {
            Length::Of(n) => n.saturating_mul(unit),
            Length::Max => MAX,
        };
        out.extend_from_slice(&bytes.to_le_bytes());
        if collated {
            out.extend_from_slice(&COLLATION);
        }
    };
    match ty {
        SqlType::Bit => out.extend([BITN, 1]),
        SqlType::TinyInt => out.extend([INTN, 1]),
        SqlType::SmallInt => out.extend([INTN, 2]),
        SqlType::Int => out.extend([INTN, 4]),
        SqlType::BigInt => out.extend([INTN, 8]),
        SqlType::Real => out.extend([FLTN, 4]),
        SqlType::Float => out.extend([FLTN, 8]),
        SqlType::SmallMoney => out.extend([MONEYN, 4]),
        SqlType::Money => out.extend([MONEYN, 8]),
        SqlType::Decimal { precision, scale } => out.extend([DECIMALN, ty.bytes(), precision, scale]),
        SqlType::Char(n) => sized(out, BIGCHAR, Length::Of(n), 1, true),
        SqlType::VarChar(n) => sized(out, BIGVARCHAR, n, 1, true),
        SqlType::NChar(n) => sized(out, NCHAR, Length::Of(n), 2, true),
        SqlType::NVarChar(n) => sized(out, NVARCHAR, n, 2, true),
        SqlType::Binary(n) => sized(out, BIGBINARY, Length::Of(n), 1, false),
        SqlType::VarBinary(n) => sized(out, BIGVARBINARY, n, 1, false),
        SqlType::Date => out.push(DATEN),
        SqlType::Time(n) => out.extend([TIMEN, n]),
        SqlType::SmallDateTime => out.extend([DATETIMN, 4]),
        SqlType::DateTime => out.extend([DATETIMN, 8]),
        SqlType::DateTime2(n) => out.extend([DATETIME2N, n]),
        SqlType::DateTimeOffset(n) => out.extend([DATETIMEOFFSETN, n]),
        SqlType::UniqueIdentifier => out.extend([GUID, 16]),
    }
}

/// Writes a stored value in the form of its type.
///
/// A value that its type cannot hold is an error of the statement: an integer sum may be larger than its type.
pub fn write_value(out: &mut Vec<u8>, ty: SqlType, value: ValueRef<'_>) -> Result<(), SqlError> {
    if value == ValueRef::Null {
        match ty {
            _ if ty.is_max() => out.extend(PLP_NULL.to_le_bytes()),
            _ if matches!(ty.family(), Family::Text | Family::Binary) => out.extend(MAX.to_le_bytes()),
            _ => out.push(0),
        }
        return Ok(());
    }
    let mismatch = || {
        SqlError::new(
            8115,
            16,
            2,
            format!("Arithmetic overflow error converting expression to data type {}.", ty.name()),
        )
    };
    match ty.family() {
        Family::Integer => {
            let value = value.as_i64().map_err(|_| mismatch())?;
            match ty {
                SqlType::Bit => out.extend([1, u8::from(value != 0)]),
                SqlType::TinyInt => out.extend([1, u8::try_from(value).map_err(|_| mismatch())?]),
                SqlType::SmallInt => counted(out, &i16::try_from(value).map_err(|_| mismatch())?.to_le_bytes()),
                SqlType::Int => counted(out, &i32::try_from(value).map_err(|_| mismatch())?.to_le_bytes()),
                _ => counted(out, &value.to_le_bytes()),
            }
        }
        Family::Float => {
            let value = match value {
                ValueRef::Integer(value) => value as f64,
                ValueRef::Real(value) => value,
                _ => return Err(mismatch()),
            };
            if ty == SqlType::Real {
                counted(out, &(value as f32).to_le_bytes())
            } else {
                counted(out, &value.to_le_bytes())
            }
        }
        Family::Decimal => {
            let (precision, scale) = ty.as_decimal();
            let exact = match value {
                ValueRef::Integer(value) => Some(Decimal::of_integer(value)),
                _ => value.as_str().ok().and_then(Decimal::parse),
            };
            let exact = exact
                .and_then(|exact| exact.rescale(scale))
                .filter(|exact| exact.fits(precision))
                .ok_or_else(mismatch)?;
            write_decimal(out, ty, exact).ok_or_else(mismatch)?;
        }
        Family::Text => {
            let text = value.as_str().map_err(|_| mismatch())?;
            let bytes = if ty.is_unicode() {
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            } else {
                charset::encode(text)
            };
            write_bytes(out, ty, &bytes).ok_or_else(mismatch)?;
        }
        Family::Binary => write_bytes(out, ty, value.as_blob().map_err(|_| mismatch())?).ok_or_else(mismatch)?,
        Family::Guid => counted(out, &value.as_str().ok().and_then(guid_bytes).ok_or_else(mismatch)?),
        Family::Date | Family::Time | Family::DateTime | Family::DateTimeOffset => {
            write_moment(out, ty, kept_moment(value.as_str().map_err(|_| mismatch())?, ty)?);
        }
    }
    Ok(())
}

fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(bytes.len() as u8);
    out.extend_from_slice(bytes);
}

fn write_decimal(out: &mut Vec<u8>, ty: SqlType, value: Decimal) -> Option<()> {
    match ty {
        SqlType::SmallMoney => counted(out, &i32::try_from(value.mantissa).ok()?.to_le_bytes()),
        SqlType::Money => {
            let units = i64::try_from(value.mantissa).ok()?;
            out.push(8);
            // The high half comes first.
            out.extend(((units >> 32) as i32).to_le_bytes());
            out.extend((units as u32).to_le_bytes());
        }
        _ => {
            let width = usize::from(ty.bytes());
            out.push(width as u8);
            out.push(u8::from(value.mantissa >= 0));
            out.extend_from_slice(&value.mantissa.unsigned_abs().to_le_bytes()[..width - 1]);
        }
    }
    Some(())
}

fn write_bytes(out: &mut Vec<u8>, ty: SqlType, bytes: &[u8]) -> Option<()> {
    if ty.is_max() {
        out.extend((bytes.len() as u64).to_le_bytes());
        for chunk in bytes.chunks(PLP_CHUNK) {
            out.extend((chunk.len() as u32).to_le_bytes());
            out.extend_from_slice(chunk);
        }
        out.extend(0u32.to_le_bytes());
    } else {
        out.extend(u16::try_from(bytes.len()).ok().filter(|length| *length < MAX)?.to_le_bytes());
        out.extend_from_slice(bytes);
    }
    Some(())
}

fn write_moment(out: &mut Vec<u8>, ty: SqlType, moment: Moment) {
    let date = |moment: Moment| (moment.days as u32).to_le_bytes()[..3].to_vec();
    let time = |moment: Moment, scale: u8| {
        let units = moment.ticks / 10i64.pow(u32::from(7 - scale));
        units.to_le_bytes()[..usize::from(SqlType::Time(scale).bytes())].to_vec()
    };
    match ty {
        SqlType::Date => counted(out, &date(moment)),
        SqlType::Time(scale) => counted(out, &time(moment, scale)),
        SqlType::DateTime2(scale) => counted(out, &[time(moment, scale), date(moment)].concat()),
        SqlType::DateTimeOffset(scale) => {
            let utc = moment.utc().unwrap_or(moment);
            counted(out, &[time(utc, scale), date(utc), (moment.offset as i16).to_le_bytes().to_vec()].concat());
        }
        SqlType::SmallDateTime => {
            out.push(4);
            out.extend(((moment.days - DAYS_TO_1900) as u16).to_le_bytes());
            out.extend(((moment.ticks / TICKS_PER_MINUTE) as u16).to_le_bytes());
        }
        _ => {
            out.push(8);
            out.extend(((moment.days - DAYS_TO_1900) as i32).to_le_bytes());
            // 300 to the second.
            out.extend((((moment.ticks * 3 + 50_000) / 100_000) as u32).to_le_bytes());
        }
    }
}

/// A TYPE_INFO from a client: the type, and the framing of its values.
#[derive(Clone, Copy, Debug)]
pub struct ClientType {
    pub ty: SqlType,
    framing: Framing,
}

impl ClientType {
    /// Whether the value follows a pointer in a row.
    pub fn has_text_pointer(self) -> bool {
        matches!(self.framing, Framing::Huge)
    }
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    /// Always this many bytes.
    Fixed(usize),
    /// An 8-bit count, 0 for NULL.
    Short,
    /// A 16-bit count, 0xFFFF for NULL.
    Long,
    /// A 64-bit count and chunks.
    Chunks,
    /// A 32-bit count, 0xFFFFFFFF for NULL, after a text pointer in columns but not in parameters.
    Huge,
}

/// Reads the TYPE_INFO of a parameter, or of a column of a bulk load.
pub fn read_type_info(from: &mut Cursor<'_>) -> Result<ClientType, Malformed> {
    let token = from.u8()?;
    let client = |ty, framing| Ok(ClientType { ty, framing });
    match token {
        0x1f => client(SqlType::Int, Framing::Fixed(0)),
        0x30 => client(SqlType::TinyInt, Framing::Fixed(1)),
        0x32 => client(SqlType::Bit, Framing::Fixed(1)),
        0x34 => client(SqlType::SmallInt, Framing::Fixed(2)),
        0x38 => client(SqlType::Int, Framing::Fixed(4)),
        0x3a => client(SqlType::SmallDateTime, Framing::Fixed(4)),
        0x3b => client(SqlType::Real, Framing::Fixed(4)),
        0x3c => client(SqlType::Money, Framing::Fixed(8)),
        0x3d => client(SqlType::DateTime, Framing::Fixed(8)),
        0x3e => client(SqlType::Float, Framing::Fixed(8)),
        0x7a => client(SqlType::SmallMoney, Framing::Fixed(4)),
        0x7f => client(SqlType::BigInt, Framing::Fixed(8)),
        DATEN => client(SqlType::Date, Framing::Short),
        GUID | INTN | BITN | FLTN | MONEYN | DATETIMN => {
            let ty = match (token, from.u8()?) {
                (GUID, _) => SqlType::UniqueIdentifier,
                (BITN, _) => SqlType::Bit,
                (INTN, 1) => SqlType::TinyInt,
                (INTN, 2) => SqlType::SmallInt,
                (INTN, 4) => SqlType::Int,
                (INTN, _) => SqlType::BigInt,
                (FLTN, 4) => SqlType::Real,
                (FLTN, _) => SqlType::Float,
                (MONEYN, 4) => SqlType::SmallMoney,
                (MONEYN, _) => SqlType::Money,
                (_, 4) => SqlType::SmallDateTime,
                _ => SqlType::DateTime,
            };
            client(ty, Framing::Short)
        }
        TIMEN | DATETIME2N | DATETIMEOFFSETN => {
            let scale = from.u8()?;
            if scale > 7 {
                return Err(Malformed("a time with more than seven digits of a fraction"));
            }
            let ty = match token {
                TIMEN => SqlType::Time(scale),
                DATETIME2N => SqlType::DateTime2(scale),
                _ => SqlType::DateTimeOffset(scale),
            };
            client(ty, Framing::Short)
        }
        DECIMALN | NUMERICN => {
            let [_, precision, scale] = [from.u8()?, from.u8()?, from.u8()?];
            if precision == 0 || precision > 38 || scale > precision {
                return Err(Malformed("a decimal of an impossible precision or scale"));
            }
            client(SqlType::Decimal { precision, scale }, Framing::Short)
        }
        BIGVARBINARY | BIGBINARY => {
            let length = from.u16()?;
            match (length, token) {
                (MAX, _) => client(SqlType::VarBinary(Length::Max), Framing::Chunks),
                (n, BIGBINARY) => client(SqlType::Binary(n), Framing::Long),
                (n, _) => client(SqlType::VarBinary(Length::Of(n)), Framing::Long),
            }
        }
        BIGVARCHAR | BIGCHAR | NVARCHAR | NCHAR => {
            let length = from.u16()?;
            from.bytes(5)?;
            match (length, token) {
                (MAX, BIGVARCHAR | BIGCHAR) => client(SqlType::VarChar(Length::Max), Framing::Chunks),
                (MAX, _) => client(SqlType::NVarChar(Length::Max), Framing::Chunks),
                (n, BIGVARCHAR) => client(SqlType::VarChar(Length::Of(n)), Framing::Long),
                (n, BIGCHAR) => client(SqlType::Char(n), Framing::Long),
                (n, NVARCHAR) => client(SqlType::NVarChar(Length::Of(n / 2)), Framing::Long),
                (n, _) => client(SqlType::NChar(n / 2), Framing::Long),
            }
        }
        // text, ntext, image
        0x23 | 0x63 | 0x22 => {
            from.u32()?;
            if token != 0x22 {
                from.bytes(5)?;
            }
            let ty = match token {
                0x23 => SqlType::VarChar(Length::Max),
                0x63 => SqlType::NVarChar(Length::Max),
                _ => SqlType::VarBinary(Length::Max),
            };
            client(ty, Framing::Huge)
        }
        _ => Err(Malformed("a parameter of a type that the stand-in does not know")),
    }
}

/// Reads a value into the stored form.
pub fn read_value(from: &mut Cursor<'_>, client: ClientType) -> Result<Value, Malformed> {
    let chunks;
    let bytes = match client.framing {
        Framing::Fixed(0) => return Ok(Value::Null),
        Framing::Fixed(count) => from.bytes(count)?,
        Framing::Short => match from.u8()? {
            0 => return Ok(Value::Null),
            count => from.bytes(usize::from(count))?,
        },
        Framing::Long => match from.u16()? {
            MAX => return Ok(Value::Null),
            count => from.bytes(usize::from(count))?,
        },
        Framing::Huge => match from.u32()? {
            u32::MAX => return Ok(Value::Null),
            count => from.bytes(count as usize)?,
        },
        Framing::Chunks => match from.u64()? {
            PLP_NULL => return Ok(Value::Null),
            length => {
                chunks = read_chunks(from)?;
                if length != PLP_UNKNOWN_LENGTH && length != chunks.len() as u64 {
                    return Err(Malformed("chunks that do not add up to their length"));
                }
                &chunks
            }
        },
    };
    decode(bytes, client.ty)
}

fn read_chunks(from: &mut Cursor<'_>) -> Result<Vec<u8>, Malformed> {
    let mut whole = Vec::new();
    loop {
        match from.u32()? {
            0 => return Ok(whole),
            count => whole.extend_from_slice(from.bytes(count as usize)?),
        }
    }
}

fn decode(bytes: &[u8], ty: SqlType) -> Result<Value, Malformed> {
    let wrong = || Malformed("a value of a length that its type does not have");
    let little = |bytes: &[u8]| {
        let mut wide = [0; 8];
        wide.get_mut(..bytes.len())
            .map(|low| low.copy_from_slice(bytes))
            .map(|()| i64::from_le_bytes(wide))
            .ok_or_else(wrong)
    };
    Ok(match ty.family() {
        Family::Integer => Value::Integer(match *bytes {
            [byte] => i64::from(byte),
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            _ => i64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?),
        }),
        Family::Float => Value::Real(match *bytes {
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            _ => f64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?),
        }),
        Family::Decimal => Value::Text(match ty {
            SqlType::SmallMoney | SqlType::Money => {
                let units = match *bytes {
                    [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
                    [a, b, c, d, e, f, g, h] => {
                        i64::from(i32::from_le_bytes([a, b, c, d])) << 32 | i64::from(u32::from_le_bytes([e, f, g, h]))
                    }
                    _ => return Err(wrong()),
                };
                Decimal { mantissa: i128::from(units), scale: 4 }.to_string()
            }
            _ => {
                let (sign, digits) = bytes.split_first().ok_or_else(wrong)?;
                let mut wide = [0; 16];
                wide.get_mut(..digits.len()).ok_or_else(wrong)?.copy_from_slice(digits);
                let magnitude = i128::try_from(u128::from_le_bytes(wide)).map_err(|_| wrong())?;
                let mantissa = if *sign == 0 { -magnitude } else { magnitude };
                Decimal { mantissa, scale: ty.as_decimal().1 }.to_string()
            }
        }),
        Family::Text if ty.is_unicode() => Value::Text(utf16(bytes)),
        Family::Text => Value::Text(charset::decode(bytes)),
        Family::Binary => Value::Blob(bytes.to_vec()),
        Family::Guid => Value::Text(guid_text(bytes.try_into().map_err(|_| wrong())?)),
        Family::Date | Family::Time | Family::DateTime | Family::DateTimeOffset => {
            let ticks = |bytes: &[u8], scale: u8| {
                little(bytes).map(|units| units.saturating_mul(10i64.pow(u32::from(7 - scale))))
            };
            let (days, ticks, offset) = match ty {
                SqlType::Date => (little(bytes)?, 0, 0),
                SqlType::Time(scale) => (0, ticks(bytes, scale)?, 0),
                SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => {
                    let (time, rest) =
                        bytes.split_at_checked(usize::from(SqlType::Time(scale).bytes())).ok_or_else(wrong)?;
                    let (date, offset) = rest.split_at_checked(3).ok_or_else(wrong)?;
                    let offset = match *offset {
                        [a, b] => i64::from(i16::from_le_bytes([a, b])),
                        _ => 0,
                    };
                    (little(date)?, ticks(time, scale)?, offset)
                }
                _ => match *bytes {
                    [a, b, c, d] => (
                        DAYS_TO_1900 + i64::from(u16::from_le_bytes([a, b])),
                        i64::from(u16::from_le_bytes([c, d])) * TICKS_PER_MINUTE,
                        0,
                    ),
                    [a, b, c, d, e, f, g, h] => {
                        let units = i64::from(u32::from_le_bytes([e, f, g, h]));
                        (DAYS_TO_1900 + i64::from(i32::from_le_bytes([a, b, c, d])), (units * 10 + 1) / 3 * 10_000, 0)
                    }
                    _ => return Err(wrong()),
                },
            };
            // Adding nothing normalises it to the calendar, or refuses it.
            let moment =
                Moment { days, ticks: 0, offset: 0 }.plus(ticks).ok_or(Malformed("a time outside the calendar"))?;
            let moment = Moment { offset, ..moment };
            let local = if ty.family() == Family::DateTimeOffset { moment.local() } else { Some(moment) };
            let local = local.ok_or(Malformed("a time outside the calendar"))?;
            Value::Text(from_moment(local, ty).map_err(|_| Malformed("a time outside its type"))?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writing a type and a value and reading both back gives the same.
    #[test]
    fn every_type_survives() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (ty, value) in [
            ("bit", Value::Integer(1)),
            ("tinyint", Value::Integer(255)),
            ("smallint", Value::Integer(-32768)),
            ("int", Value::Integer(i64::from(i32::MIN))),
            ("bigint", Value::Integer(i64::MAX)),
            ("real", Value::Real(0.5)),
            ("float", Value::Real(-1.0e300)),
            ("decimal(38,10)", text("-1234567890123456789012345678.0123456789")),
            ("decimal(5,0)", text("0")),
            ("smallmoney", text("-214748.3648")),
            ("money", text("922337203685477.5807")),
            ("char(5)", text("ab€  ")),
            ("varchar(10)", text("")),
            ("varchar(max)", text(&"x".repeat(70_000))),
            ("nchar(2)", text("😀")),
            ("nvarchar(10)", text("grün 😀")),
            ("nvarchar(max)", text(&"😀".repeat(50_000))),
            ("binary(2)", Value::Blob(vec![0, 255])),
            ("varbinary(10)", Value::Blob(vec![])),
            ("varbinary(max)", Value::Blob(vec![7; 200_000])),
            ("date", text("0001-01-01")),
            ("date", text("9999-12-31")),
            ("time(7)", text("23:59:59.9999999")),
            ("time(0)", text("23:59:59.0000000")),
            ("time(3)", text("01:02:03.1230000")),
            ("smalldatetime", text("2079-06-06 23:59:00.0000000")),
            ("datetime", text("1753-01-01 00:00:00.0030000")),
            ("datetime", text("9999-12-31 23:59:59.9970000")),
            ("datetime2(7)", text("9999-12-31 23:59:59.9999999")),
            ("datetime2(0)", text("0001-01-01 00:00:00.0000000")),
            ("datetimeoffset(7)", text("2026-11-22 19:15:00.1234567 -03:30")),
            ("uniqueidentifier", text("6F9619FF-8B86-D011-B42D-00C04FC964FF")),
        ] {
            for value in [value, Value::Null] {
                let ty: SqlType = ty.parse().unwrap();
                let mut sent = Vec::new();
                write_type_info(&mut sent, ty);
                write_value(&mut sent, ty, ValueRef::from(&value)).unwrap();
                let mut cursor = Cursor::new(&sent);
                let client = read_type_info(&mut cursor).unwrap();
                assert_eq!(client.ty, ty);
                assert_eq!(read_value(&mut cursor, client).unwrap(), value, "{ty}");
                assert!(cursor.is_empty());
                for cut in 0..sent.len().min(100) {
                    let mut cursor = Cursor::new(&sent[..cut]);
                    let outcome = read_type_info(&mut cursor).and_then(|client| read_value(&mut cursor, client));
                    assert!(outcome.is_err(), "{ty} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_overflow() {
        let mut out = Vec::new();
        assert_eq!(write_value(&mut out, SqlType::Int, ValueRef::Integer(1 << 40)).unwrap_err().number, 8115);
        assert_eq!(write_value(&mut out, SqlType::Date, ValueRef::Text(b"rubbish")).unwrap_err().number, 241);
    }
}
