//! Functions, aggregates and collations that T-SQL has and SQLite lacks, registered with each connection.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};

use super::charset;
use super::convert::{self, Excess, from_moment, guid_text, kept_moment};
use super::datetime::{Moment, TICKS_PER_SECOND};
use super::decimal::Decimal;
use super::schema::ROWVERSION;
use super::types::{Family, SqlType};
use crate::error::{Result, SqlError};

/// The next values of identity columns. As in SQL Server, a rollback does not reset them.
#[derive(Default)]
pub struct Identities(Mutex<HashMap<String, Identity>>);

struct Identity {
    next: i64,
    increment: i64,
}

impl Identities {
    /// Starts the identity of a table, or restarts it, with `seed`.
    pub fn begin(&self, table: &str, seed: i64, increment: i64) {
        self.lock().insert(table.to_lowercase(), Identity { next: seed, increment });
    }

    /// A client set a value: the next one must be greater.
    pub fn at_least(&self, table: &str, value: i64) {
        if let Some(identity) = self.lock().get_mut(&table.to_lowercase())
            && value.saturating_sub(identity.next).saturating_mul(identity.increment.signum()) >= 0
        {
            identity.next = value.saturating_add(identity.increment);
        }
    }

    fn take(&self, table: &str) -> Option<i64> {
        let mut all = self.lock();
        let identity = all.get_mut(&table.to_lowercase())?;
        let value = identity.next;
        identity.next = value.saturating_add(identity.increment);
        Some(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a table's identity: temporary tables belong to their session.
pub fn identity_key(database: &str, table: &str, session: u16) -> String {
    if database == "temp" { format!("{session} {table}") } else { format!("{database}.{table}") }
}

type Outcome = Result<Value>;
type Function = fn(&Context<'_>) -> Outcome;

/// Registers a function that returns SQL Server's errors.
fn register(
    sqlite: &Connection,
    name: &str,
    arguments: i32,
    flags: FunctionFlags,
    function: impl Fn(&Context<'_>) -> Outcome + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static,
) -> rusqlite::Result<()> {
    sqlite.create_scalar_function(name, arguments, flags, move |context| {
        function(context).map_err(|error| rusqlite::Error::UserFunctionError(error.through_sqlite().into()))
    })
}

/// The session's part in the functions.
pub struct SessionParts {
    pub session: u16,
    pub identities: Arc<Identities>,
    /// The value of SCOPE_IDENTITY.
    pub last_identity: Arc<Mutex<Option<i64>>>,
}

/// Registers everything with a connection.
pub fn install(sqlite: &Connection, parts: SessionParts) -> rusqlite::Result<()> {
    sqlite.create_collation("tsql_text", compare_texts)?;
    sqlite.create_collation("tsql_decimal", compare_decimals)?;
    sqlite.create_aggregate_function("tsql_sum", 1, FIXED, Sum)?;
    sqlite.create_aggregate_function("tsql_stdev", 1, FIXED, Deviation)?;

    let SessionParts { session, identities, last_identity } = parts;
    let versions = Arc::clone(&identities);
    register(sqlite, "tsql_rowversion", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        Ok(Value::Blob(versions.take(ROWVERSION).unwrap_or_default().to_be_bytes().into()))
    })?;
    register(sqlite, "tsql_identity", 2, FunctionFlags::SQLITE_UTF8, move |context| {
        let key = identity_key(text(context, 0)?, text(context, 1)?, session);
        let value =
            identities.take(&key).ok_or_else(|| SqlError::unsupported("an identity column of an unknown table"))?;
        *last_identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(Value::Integer(value))
    })?;
    register(sqlite, "tsql_newid", 0, FunctionFlags::SQLITE_UTF8, |_| {
        let mut bytes = random_bytes();
        // Version 4 is in the high byte of the third group.
        bytes[7] = bytes[7] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(Value::Text(guid_text(&bytes)))
    })?;
    // Declared deterministic, so it returns the same time throughout a statement, as in SQL Server.
    register(sqlite, "tsql_now", 1, FIXED, |context| {
        from_moment(Moment::now(), text(context, 0)?.parse()?).map(Value::Text)
    })?;

    for (name, arguments, function) in FUNCTIONS {
        register(sqlite, name, *arguments, FIXED, |context| {
            // If an argument is NULL, the result is NULL, for all of these.
            if (0..context.len()).any(|at| context.get_raw(at) == ValueRef::Null) {
                Ok(Value::Null)
            } else {
                function(context)
            }
        })?;
    }
    Ok(())
}

/// A wrong count must not exhaust the machine's memory.
const LONGEST_REPLICATED: usize = 64 << 20;

/// Always the same result for the same arguments.
const FIXED: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Name, number of arguments, function.
const FUNCTIONS: &[(&str, i32, Function)] = &[
    ("tsql_convert", 5, |context| {
        let excess = if integer(context, 4)? == 1 { Excess::Refuse } else { Excess::Cut };
        let (from, to) = (text(context, 1)?.parse()?, text(context, 2)?.parse()?);
        convert::convert(context.get_raw(0).into(), from, to, integer(context, 3)?, excess)
    }),
    ("tsql_try_convert", 5, |context| {
        let (from, to) = (text(context, 1)?.parse()?, text(context, 2)?.parse()?);
        let converted = convert::convert(context.get_raw(0).into(), from, to, integer(context, 3)?, Excess::Cut);
        Ok(converted.unwrap_or(Value::Null))
    }),
    ("tsql_divide", 2, |context| {
        let (a, b) = (integer(context, 0)?, integer(context, 1)?);
        a.checked_div(b).map(Value::Integer).ok_or_else(divide_by_zero)
    }),
    ("tsql_modulo", 2, |context| {
        let (a, b) = (integer(context, 0)?, integer(context, 1)?);
        if b == 0 { Err(divide_by_zero()) } else { Ok(Value::Integer(a.wrapping_rem(b))) }
    }),
    ("tsql_divide_float", 2, |context| {
        let (a, b) = (float(context, 0)?, float(context, 1)?);
        if b == 0.0 { Err(divide_by_zero()) } else { Ok(Value::Real(a / b)) }
    }),
    ("tsql_arithmetic", 4, arithmetic),
    ("tsql_negate", 1, |context| Ok(Value::Text(decimal(context, 0)?.negate().to_string()))),
    ("tsql_like", 2, |context| Ok(flag(like(text(context, 0)?, text(context, 1)?, None)))),
    ("tsql_like", 3, |context| Ok(flag(like(text(context, 0)?, text(context, 1)?, text(context, 2)?.chars().next())))),
    ("tsql_len", 1, |context| Ok(Value::Integer(units(text(context, 0)?.trim_end_matches(' '))))),
    ("tsql_datalength", 2, data_length),
    ("tsql_upper", 1, |context| Ok(Value::Text(text(context, 0)?.to_uppercase()))),
    ("tsql_lower", 1, |context| Ok(Value::Text(text(context, 0)?.to_lowercase()))),
    ("tsql_ltrim", 1, |context| Ok(Value::Text(text(context, 0)?.trim_start_matches(' ').to_owned()))),
    ("tsql_rtrim", 1, |context| Ok(Value::Text(text(context, 0)?.trim_end_matches(' ').to_owned()))),
    ("tsql_trim", 1, |context| Ok(Value::Text(text(context, 0)?.trim_matches(' ').to_owned()))),
    ("tsql_reverse", 1, |context| Ok(Value::Text(text(context, 0)?.chars().rev().collect()))),
    ("tsql_left", 2, |context| Ok(Value::Text(slice(text(context, 0)?, 1, integer(context, 1)?)))),
    ("tsql_right", 2, |context| {
        let (whole, count) = (text(context, 0)?, integer(context, 1)?);
        Ok(Value::Text(slice(whole, units(whole) - count.max(0) + 1, count.max(0))))
    }),
    ("tsql_substring", 3, substring),
    ("tsql_replicate", 2, |context| {
        let (part, count) = (text(context, 0)?, usize::try_from(integer(context, 1)?).unwrap_or(0));
        if part.len().saturating_mul(count) > LONGEST_REPLICATED {
            return Err(SqlError::unsupported("REPLICATE of more than 64 MiB"));
        }
        Ok(Value::Text(part.repeat(count)))
    }),
    ("tsql_replace", 3, |context| Ok(Value::Text(replace(text(context, 0)?, text(context, 1)?, text(context, 2)?)))),
    ("tsql_charindex", 3, char_index),
    ("tsql_char", 2, |context| {
        let code = integer(context, 0)?;
        let unicode = text(context, 1)?.starts_with('n');
        let c = if unicode {
            u32::try_from(code).ok().and_then(char::from_u32)
        } else {
            u8::try_from(code).ok().map(decode_byte)
        };
        Ok(c.map_or(Value::Null, |c| Value::Text(c.to_string())))
    }),
    ("tsql_abs", 1, |context| {
        number(context, i64::checked_abs, f64::abs, |x| Some(if x.mantissa < 0 { x.negate() } else { x }))
    }),
    ("tsql_sign", 1, |context| {
        number(
            context,
            |x| Some(x.signum()),
            |x| if x == 0.0 { 0.0 } else { x.signum() },
            |x| Decimal { mantissa: x.mantissa.signum(), scale: 0 }.rescale(x.scale),
        )
    }),
    ("tsql_floor", 1, |context| number(context, Some, f64::floor, |x| whole(x, -1))),
    ("tsql_ceiling", 1, |context| number(context, Some, f64::ceil, |x| whole(x, 1))),
    ("tsql_round", 2, round),
    ("tsql_math", 2, math),
    ("tsql_power", 2, |context| finite(float(context, 0)?.powf(float(context, 1)?))),
    ("tsql_isnumeric", 1, |context| Ok(flag(text(context, 0)?.trim().parse::<f64>().is_ok()))),
    ("tsql_dateadd", 4, date_add),
    ("tsql_datediff", 5, date_difference),
    ("tsql_datepart", 3, |context| Ok(Value::Integer(date_part(text(context, 0)?, moment(context, 1, 2)?)))),
    ("tsql_eomonth", 1, |context| {
        let (year, month, _) = kept_moment(text(context, 0)?, SqlType::Date)?.date();
        let last = (28..=31).rev().find_map(|day| Moment::from_parts(year, month, day, 0));
        Ok(last.map_or(Value::Null, |last| Value::Text(last.date_text())))
    }),
    ("tsql_datefromparts", 3, |context| {
        let date = Moment::from_parts(integer(context, 0)?, integer(context, 1)?, integer(context, 2)?, 0);
        let invalid = || {
            SqlError::new(
                289,
                16,
                1,
                "Cannot construct data type date, some of the arguments have values which are not valid.",
            )
        };
        date.map(|date| Value::Text(date.date_text())).ok_or_else(invalid)
    }),
];

// Arguments. The compiler guarantees these types; anything else is a bug in it.

fn mistake(context: &Context<'_>, at: usize) -> SqlError {
    SqlError::unsupported(format!("an argument {at} of type {}", context.get_raw(at).data_type()))
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> Result<&'c str> {
    context.get_raw(at).as_str().map_err(|_| mistake(context, at))
}

fn integer(context: &Context<'_>, at: usize) -> Result<i64> {
    match context.get_raw(at) {
        ValueRef::Integer(value) => Ok(value),
        ValueRef::Real(value) => Ok(value as i64),
        ValueRef::Text(_) => Ok(decimal(context, at)?.truncate() as i64),
        _ => Err(mistake(context, at)),
    }
}

fn float(context: &Context<'_>, at: usize) -> Result<f64> {
    match context.get_raw(at) {
        ValueRef::Integer(value) => Ok(value as f64),
        ValueRef::Real(value) => Ok(value),
        _ => Err(mistake(context, at)),
    }
}

fn decimal(context: &Context<'_>, at: usize) -> Result<Decimal> {
    let value = match context.get_raw(at) {
        ValueRef::Integer(value) => Some(Decimal::of_integer(value)),
        ValueRef::Real(value) => Decimal::of_float(value),
        other => other.as_str().ok().and_then(Decimal::parse),
    };
    value.ok_or_else(|| mistake(context, at))
}

fn moment(context: &Context<'_>, at: usize, ty: usize) -> Result<Moment> {
    kept_moment(text(context, at)?, text(context, ty)?.parse()?)
}

fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

fn finite(value: f64) -> Outcome {
    if value.is_finite() {
        Ok(Value::Real(value))
    } else {
        Err(SqlError::new(3623, 16, 1, "An invalid floating point operation occurred."))
    }
}

fn divide_by_zero() -> SqlError {
    SqlError::new(8134, 16, 1, "Divide by zero error encountered.")
}

// Collations.

/// Ignores case and trailing spaces.
fn compare_texts(a: &str, b: &str) -> Ordering {
    let fold = |text: &str| -> Vec<char> { text.trim_end_matches(' ').chars().flat_map(char::to_lowercase).collect() };
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    fold(a).cmp(&fold(b))
}

fn compare_decimals(a: &str, b: &str) -> Ordering {
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(a), Some(b)) => a.compare(b),
        _ => a.cmp(b),
    }
}

// Numbers.

fn arithmetic(context: &Context<'_>) -> Outcome {
    let (a, b) = (decimal(context, 1)?, decimal(context, 2)?);
    let ty: SqlType = text(context, 3)?.parse()?;
    let (precision, scale) = ty.as_decimal();
    let result = match text(context, 0)? {
        "add" => a.add(b),
        "subtract" => a.add(b.negate()),
        "multiply" => a.multiply(b),
        _ if b.mantissa == 0 => return Err(divide_by_zero()),
        "divide" => a.divide(b, scale),
        _ => a.remainder(b),
    };
    let fitted = result.and_then(|result| result.rescale(scale)).filter(|result| result.fits(precision));
    fitted.map(|fitted| Value::Text(fitted.to_string())).ok_or_else(|| {
        SqlError::new(
            8115,
            16,
            2,
            format!("Arithmetic overflow error converting expression to data type {}.", ty.name()),
        )
    })
}

/// Applies the one of three functions that fits the value's type.
fn number(
    context: &Context<'_>,
    integers: fn(i64) -> Option<i64>,
    floats: fn(f64) -> f64,
    decimals: fn(Decimal) -> Option<Decimal>,
) -> Outcome {
    let overflow =
        || SqlError::new(8115, 16, 2, "Arithmetic overflow error converting expression to data type numeric.");
    match context.get_raw(0) {
        ValueRef::Integer(value) => integers(value).map(Value::Integer).ok_or_else(overflow),
        ValueRef::Real(value) => Ok(Value::Real(floats(value))),
        _ => decimals(decimal(context, 0)?).map(|result| Value::Text(result.to_string())).ok_or_else(overflow),
    }
}

/// The next whole number in a direction, unless the value is one.
fn whole(value: Decimal, direction: i128) -> Option<Decimal> {
    let truncated = Decimal { mantissa: value.truncate(), scale: 0 };
    let beyond = value.compare(truncated) as i128 == direction;
    Some(Decimal { mantissa: truncated.mantissa + if beyond { direction } else { 0 }, scale: 0 })
}

fn round(context: &Context<'_>) -> Outcome {
    let digits = integer(context, 1)?;
    // To tens and hundreds: through an exact number with a negative scale, which is multiplied back.
    let exact = |value: Decimal| -> Option<Decimal> {
        if digits >= 0 {
            return value.rescale(u8::try_from(digits).ok()?.min(value.scale))?.rescale(value.scale);
        }
        let unit = Decimal { mantissa: 10i128.checked_pow(u32::try_from(-digits).ok()?)?, scale: 0 };
        let scaled = value.divide(unit, value.scale.checked_add(u8::try_from(-digits).ok()?)?)?;
        scaled.rescale(0)?.multiply(unit)?.rescale(value.scale)
    };
    let value = decimal(context, 0);
    match context.get_raw(0) {
        // A float that is too large to be exact has no fraction.
        ValueRef::Real(float) => Ok(Value::Real(value.ok().and_then(exact).map_or(float, Decimal::to_float))),
        ValueRef::Integer(integer) => {
            Ok(Value::Integer(exact(value?).map_or(integer, |rounded| rounded.truncate() as i64)))
        }
        _ => {
            let rounded = exact(value?);
            let overflow =
                || SqlError::new(8115, 16, 2, "Arithmetic overflow error converting expression to data type numeric.");
            rounded.map(|rounded| Value::Text(rounded.to_string())).ok_or_else(overflow)
        }
    }
}

fn math(context: &Context<'_>) -> Outcome {
    let x = float(context, 1)?;
    finite(match text(context, 0)? {
        "SQRT" => x.sqrt(),
        "EXP" => x.exp(),
        "LOG" => x.ln(),
        "LOG10" => x.log10(),
        "SIN" => x.sin(),
        "COS" => x.cos(),
        "TAN" => x.tan(),
        _ => x * x,
    })
}

/// SUM of decimals.
struct Sum;

impl Aggregate<Option<Decimal>, Option<String>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Option<Decimal>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Option<Decimal>) -> rusqlite::Result<()> {
        if context.get_raw(0) == ValueRef::Null {
            return Ok(());
        }
        let overflow =
            SqlError::new(8115, 16, 2, "Arithmetic overflow error converting expression to data type numeric.");
        let failed = |error: SqlError| rusqlite::Error::UserFunctionError(error.through_sqlite().into());
        let value = decimal(context, 0).map_err(failed)?;
        *sum = Some(match *sum {
            None => value,
            Some(sum) => sum.add(value).ok_or_else(|| failed(overflow))?,
        });
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Option<Decimal>>) -> rusqlite::Result<Option<String>> {
        Ok(sum.flatten().map(|sum| sum.to_string()))
    }
}

/// STDEV: the deviation of a sample, by Welford's method.
struct Deviation;

#[derive(Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Aggregate<Spread, Option<f64>> for Deviation {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Spread> {
        Ok(Spread::default())
    }

    fn step(&self, context: &mut Context<'_>, spread: &mut Spread) -> rusqlite::Result<()> {
        if let Some(value) = context.get::<Option<f64>>(0)? {
            spread.count += 1.0;
            let before = value - spread.mean;
            spread.mean += before / spread.count;
            spread.squares += before * (value - spread.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, spread: Option<Spread>) -> rusqlite::Result<Option<f64>> {
        Ok(spread.filter(|spread| spread.count > 1.0).map(|spread| (spread.squares / (spread.count - 1.0)).sqrt()))
    }
}

// Texts. Lengths and positions count UTF-16 code units, as nvarchar does.

fn units(text: &str) -> i64 {
    text.encode_utf16().count() as i64
}

/// A number of code units from position `start`, counted from 1; half a character is left out.
fn slice(text: &str, start: i64, length: i64) -> String {
    let end = start.saturating_add(length);
    let mut at = 1;
    text.chars()
        .filter(|c| {
            let begins = at;
            at += c.len_utf16() as i64;
            begins >= start && at <= end
        })
        .collect()
}

fn substring(context: &Context<'_>) -> Outcome {
    let (start, length) = (integer(context, 1)?, integer(context, 2)?);
    if length < 0 {
        return Err(SqlError::new(537, 16, 3, "Invalid length parameter passed to the LEFT or SUBSTRING function."));
    }
    Ok(match context.get_raw(0) {
        ValueRef::Blob(bytes) => {
            let place = |at: i64| usize::try_from(at.max(1) - 1).unwrap_or(0).min(bytes.len());
            Value::Blob(bytes[place(start)..place(start.saturating_add(length)).max(place(start))].to_vec())
        }
        _ => Value::Text(slice(text(context, 0)?, start, length)),
    })
}

fn decode_byte(byte: u8) -> char {
    charset::decode(&[byte]).chars().next().unwrap_or('?')
}

fn data_length(context: &Context<'_>) -> Outcome {
    let ty: SqlType = text(context, 1)?.parse()?;
    let bytes = match (context.get_raw(0), ty.family()) {
        (ValueRef::Text(text), Family::Text) => {
            let text = String::from_utf8_lossy(text);
            if ty.is_unicode() { units(&text) * 2 } else { text.chars().count() as i64 }
        }
        (ValueRef::Blob(bytes), _) => bytes.len() as i64,
        _ => i64::from(ty.bytes()),
    };
    Ok(Value::Integer(bytes))
}

/// Ignores case.
fn replace(whole: &str, part: &str, with: &str) -> String {
    if part.is_empty() {
        return whole.to_owned();
    }
    let (chars, part): (Vec<char>, Vec<char>) = (whole.chars().collect(), part.chars().collect());
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at..].len() >= part.len() && chars[at..at + part.len()].iter().zip(&part).all(|(a, b)| same(*a, *b)) {
            out += with;
            at += part.len();
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

fn same(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

fn char_index(context: &Context<'_>) -> Outcome {
    let (part, whole, start) = (text(context, 0)?, text(context, 1)?, integer(context, 2)?);
    let part: Vec<char> = part.chars().collect();
    let chars: Vec<char> = whole.chars().collect();
    let mut at = 1;
    for begin in 0..chars.len() {
        let fits = chars[begin..].len() >= part.len() && !part.is_empty();
        if at >= start && fits && chars[begin..].iter().zip(&part).all(|(a, b)| same(*a, *b)) {
            return Ok(Value::Integer(at));
        }
        at += chars[begin].len_utf16() as i64;
    }
    Ok(Value::Integer(0))
}

/// LIKE with `%`, `_`, `[a-z]`, `[^a-z]` and an escape character.
pub fn like(text: &str, pattern: &str, escape: Option<char>) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = pattern_parts(pattern, escape);
    // The usual two-pointer match: on a mismatch the last `%` takes one character more.
    let (mut at, mut part) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        match pattern.get(part) {
            Some(Part::Any) => {
                retry = Some((part, at));
                part += 1;
            }
            Some(Part::One(set)) if set.has(text[at]) => {
                at += 1;
                part += 1;
            }
            _ => match retry {
                Some((from, taken)) => {
                    retry = Some((from, taken + 1));
                    at = taken + 1;
                    part = from + 1;
                }
                // Trailing spaces of the text are ignored.
                None => return part == pattern.len() && text[at..].iter().all(|c| *c == ' '),
            },
        }
    }
    pattern[part..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    /// `%`
    Any,
    One(Set),
}

struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn has(&self, c: char) -> bool {
        let fold = |c: char| c.to_lowercase().next().unwrap_or(c);
        let c = fold(c);
        self.ranges.iter().any(|(from, to)| (fold(*from)..=fold(*to)).contains(&c)) != self.negated
    }
}

fn pattern_parts(pattern: &str, escape: Option<char>) -> Vec<Part> {
    let single = |c| Part::One(Set { negated: false, ranges: vec![(c, c)] });
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        parts.push(match c {
            _ if Some(c) == escape => single(chars.next().unwrap_or(c)),
            '%' => Part::Any,
            '_' => Part::One(Set { negated: true, ranges: Vec::new() }),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while let Some(from) = chars.next().filter(|c| *c != ']') {
                    let mut to = from;
                    if chars.peek() == Some(&'-') {
                        chars.next();
                        to = chars.next_if(|c| *c != ']').unwrap_or('-');
                    }
                    ranges.push((from, to));
                }
                Part::One(Set { negated, ranges })
            }
            _ => single(c),
        });
    }
    parts
}

// Dates.

fn date_add(context: &Context<'_>) -> Outcome {
    let part = text(context, 0)?;
    let count = integer(context, 1)?;
    let ty: SqlType = text(context, 3)?.parse()?;
    let moment = kept_moment(text(context, 2)?, ty)?;
    let ticks = |seconds: i64| count.checked_mul(seconds * TICKS_PER_SECOND);
    let moved = match part {
        "YEAR" => moment.plus_months(count.saturating_mul(12)),
        "QUARTER" => moment.plus_months(count.saturating_mul(3)),
        "MONTH" => moment.plus_months(count),
        "WEEK" => ticks(7 * 86_400).and_then(|ticks| moment.plus(ticks)),
        "HOUR" => ticks(3600).and_then(|ticks| moment.plus(ticks)),
        "MINUTE" => ticks(60).and_then(|ticks| moment.plus(ticks)),
        "SECOND" => ticks(1).and_then(|ticks| moment.plus(ticks)),
        "MILLISECOND" => moment.plus(count.saturating_mul(10_000)),
        "MICROSECOND" => moment.plus(count.saturating_mul(10)),
        _ => ticks(86_400).and_then(|ticks| moment.plus(ticks)),
    };
    let overflow =
        || SqlError::new(517, 16, 1, format!("Adding a value to a '{}' column caused an overflow.", ty.name()));
    from_moment(moved.ok_or_else(overflow)?, ty).map(Value::Text)
}

fn date_difference(context: &Context<'_>) -> Outcome {
    let (from, to) = (moment(context, 1, 2)?, moment(context, 3, 4)?);
    let months = |moment: Moment| moment.date().0 * 12 + moment.date().1 - 1;
    // Counts boundaries crossed, not time passed.
    let crossed = |ticks: i64| {
        let borders =
            |moment: Moment| (moment.days - from.days) * (86_400 * TICKS_PER_SECOND / ticks) + moment.ticks / ticks;
        borders(to) - borders(from)
    };
    Ok(Value::Integer(match text(context, 0)? {
        "YEAR" => to.date().0 - from.date().0,
        "QUARTER" => months(to) / 3 - months(from) / 3,
        "MONTH" => months(to) - months(from),
        // Weeks begin on Sundays; day 0 was a Monday.
        "WEEK" => (to.days + 1) / 7 - (from.days + 1) / 7,
        "HOUR" => crossed(3600 * TICKS_PER_SECOND),
        "MINUTE" => crossed(60 * TICKS_PER_SECOND),
        "SECOND" => crossed(TICKS_PER_SECOND),
        "MILLISECOND" => crossed(10_000),
        "MICROSECOND" => crossed(10),
        _ => to.days - from.days,
    }))
}

fn date_part(part: &str, moment: Moment) -> i64 {
    let (year, month, day) = moment.date();
    let (hour, minute, second, ticks) = moment.time();
    let day_of_year = Moment::from_parts(year, 1, 1, 0).map_or(1, |first| moment.days - first.days + 1);
    let weekday = |days: i64| (days + 1) % 7 + 1;
    match part {
        "YEAR" => year,
        "QUARTER" => (month + 2) / 3,
        "MONTH" => month,
        "DAYOFYEAR" => day_of_year,
        "WEEK" => (day_of_year + weekday(moment.days - day_of_year + 1) - 2) / 7 + 1,
        "WEEKDAY" => weekday(moment.days),
        "HOUR" => hour,
        "MINUTE" => minute,
        "SECOND" => second,
        "MILLISECOND" => ticks / 10_000,
        "MICROSECOND" => ticks / 10,
        _ => day,
    }
}

/// Random enough for identifiers of a test tool.
fn random_bytes() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(0).to_le_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half());
    bytes[8..].copy_from_slice(&half());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, escape, matches) in [
            ("Berlin", "ber%", None, true),
            ("Berlin", "%in", None, true),
            ("Berlin", "B_rl%n", None, true),
            ("Berlin", "B[ae]rlin", None, true),
            ("Berlin", "B[^ae]rlin", None, false),
            ("Berlin", "[a-c]erlin", None, true),
            ("50%", "50!%", Some('!'), true),
            ("500", "50!%", Some('!'), false),
            ("a%b", "a[%]b", None, true),
            ("a_b", "a\\_b", Some('\\'), true),
            ("axb", "a\\_b", Some('\\'), false),
            ("a_b", "a[_]b", Some('\\'), true),
            ("aaab", "%ab", None, true),
            ("abc  ", "abc", None, true),
            ("", "%", None, true),
            ("x", "", None, false),
        ] {
            assert_eq!(like(text, pattern, escape), matches, "{text} {pattern}");
        }
    }

    #[test]
    fn texts_compare_as_in_sql_server() {
        assert_eq!(compare_texts("Müller ", "MÜLLER"), Ordering::Equal);
        assert_eq!(compare_texts("a", "B"), Ordering::Less);
        assert_eq!(replace("aXbx", "x", "-"), "a-b-");
        assert_eq!(slice("a😀b", 2, 2), "😀");
        assert_eq!(slice("abc", 0, 2), "a");
    }

    #[test]
    fn identities_do_not_return() {
        let identities = Identities::default();
        identities.begin("Sales.t", 10, 5);
        assert_eq!(identities.take("sales.T"), Some(10));
        identities.at_least("sales.t", 100);
        assert_eq!(identities.take("sales.t"), Some(105));
        identities.at_least("sales.t", 3);
        assert_eq!(identities.take("sales.t"), Some(110));
        assert_eq!(identities.take("other"), None);
    }
}
