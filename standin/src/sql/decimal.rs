//! Exact decimal numbers as SQL Server has them: up to 38 digits, which fit an `i128`.

use std::cmp::Ordering;
use std::fmt;

#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    pub mantissa: i128,
    pub scale: u8,
}

/// The smallest number with 39 digits.
const LIMIT: u128 = 10u128.pow(38);

impl Decimal {
    /// Parses `-12.50`, `+3`, `.5`, `1e3`; `None` for anything else, and for too many digits.
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit))?;
        }
        let mut scale = i32::try_from(fraction.len()).ok()? - exponent;
        while scale < 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        Decimal { mantissa: if negative { -mantissa } else { mantissa }, scale: u8::try_from(scale).ok()? }.checked()
    }

    pub fn of_integer(value: i64) -> Decimal {
        Decimal { mantissa: i128::from(value), scale: 0 }
    }

    /// The nearest decimal with 17 significant digits: as exact as a double is.
    pub fn of_float(value: f64) -> Option<Decimal> {
        if value.is_finite() { Decimal::parse(&format!("{value:e}")) } else { None }
    }

    pub fn to_float(self) -> f64 {
        // Through text, which rounds once; dividing by a power of ten would round twice.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Converts to another scale, rounding half away from zero.
    pub fn rescale(self, scale: u8) -> Option<Decimal> {
        let mantissa = match scale.cmp(&self.scale) {
            Ordering::Equal => self.mantissa,
            Ordering::Greater => self.mantissa.checked_mul(power(scale - self.scale)?)?,
            Ordering::Less => match power(self.scale - scale) {
                Some(divisor) => {
                    let (quotient, rest) = (self.mantissa / divisor, self.mantissa % divisor);
                    if rest.abs() >= divisor - rest.abs() { quotient + self.mantissa.signum() } else { quotient }
                }
                None => 0,
            },
        };
        Decimal { mantissa, scale }.checked()
    }

    /// The integer part.
    pub fn truncate(self) -> i128 {
        power(self.scale).map_or(0, |divisor| self.mantissa / divisor)
    }

    /// Whether it fits a decimal of this precision.
    pub fn fits(self, precision: u8) -> bool {
        power(precision).is_none_or(|limit| self.mantissa.abs() < limit)
    }

    pub fn add(self, other: Decimal) -> Option<Decimal> {
        let (a, b) = self.aligned(other)?;
        Decimal { mantissa: a.mantissa.checked_add(b.mantissa)?, scale: a.scale }.checked()
    }

    pub fn negate(self) -> Decimal {
        Decimal { mantissa: -self.mantissa, scale: self.scale }
    }

    pub fn multiply(self, other: Decimal) -> Option<Decimal> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Decimal { mantissa, scale: self.scale.checked_add(other.scale)? }.checked()
    }

    /// Divides to `scale` digits and truncates the rest, as SQL Server does. `None` also for a zero divisor.
    pub fn divide(self, other: Decimal, scale: u8) -> Option<Decimal> {
        let shift = i32::from(scale) + i32::from(other.scale) - i32::from(self.scale);
        let mantissa = if shift >= 0 {
            // Digit by digit: the dividend with all its digits may not fit, although the quotient does.
            let mut rest = self.mantissa.checked_rem(other.mantissa)?;
            let mut quotient = self.mantissa.checked_div(other.mantissa)?;
            for _ in 0..shift {
                rest = rest.checked_mul(10)?;
                quotient = quotient.checked_mul(10)?.checked_add(rest / other.mantissa)?;
                rest %= other.mantissa;
            }
            quotient
        } else {
            let divisor = power(u8::try_from(-shift).ok()?)?.checked_mul(other.mantissa)?;
            self.mantissa.checked_div(divisor)?
        };
        Decimal { mantissa, scale }.checked()
    }

    pub fn remainder(self, other: Decimal) -> Option<Decimal> {
        let (a, b) = self.aligned(other)?;
        Some(Decimal { mantissa: a.mantissa.checked_rem(b.mantissa)?, scale: a.scale })
    }

    fn aligned(self, other: Decimal) -> Option<(Decimal, Decimal)> {
        let scale = self.scale.max(other.scale);
        let up = |x: Decimal| Some(Decimal { mantissa: x.mantissa.checked_mul(power(scale - x.scale)?)?, scale });
        Some((up(self)?, up(other)?))
    }

    fn checked(self) -> Option<Decimal> {
        (self.mantissa.unsigned_abs() < LIMIT).then_some(self)
    }

    pub fn compare(self, other: Decimal) -> Ordering {
        match self.aligned(other) {
            Some((a, b)) => a.mantissa.cmp(&b.mantissa),
            // Too far apart for a common scale: doubles are exact enough to compare them.
            None => self.to_float().total_cmp(&other.to_float()),
        }
    }
}

fn power(exponent: u8) -> Option<i128> {
    10i128.checked_pow(u32::from(exponent))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>1$}", self.mantissa.unsigned_abs(), scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn text_and_back() {
        for text in ["0", "-0.50", "12.340", "99999999999999999999999999999999999999", "-0.0001"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("1.5e3").to_string(), "1500");
        assert_eq!(decimal("1.5e-3").to_string(), "0.0015");
        for text in ["", "-", ".", "1x", "1e", "999999999999999999999999999999999999999"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (from, scale, to) in [("2.345", 2, "2.35"), ("-2.345", 2, "-2.35"), ("2.344", 2, "2.34"), ("7", 3, "7.000")]
        {
            assert_eq!(decimal(from).rescale(scale).unwrap().to_string(), to);
        }
    }

    #[test]
    fn arithmetic() {
        assert_eq!(decimal("0.1").add(decimal("0.20")).unwrap().to_string(), "0.30");
        assert_eq!(decimal("1.5").multiply(decimal("-2.25")).unwrap().to_string(), "-3.375");
        assert_eq!(decimal("1").divide(decimal("3"), 6).unwrap().to_string(), "0.333333");
        assert_eq!(decimal("-1.00").divide(decimal("3"), 0).unwrap().to_string(), "0");
        assert!(decimal("1").divide(decimal("0.00"), 6).is_none());
        assert_eq!(decimal("5.5").remainder(decimal("2")).unwrap().to_string(), "1.5");
        assert_eq!(decimal("1.50").compare(decimal("1.5")), Ordering::Equal);
        assert_eq!(decimal("-10").compare(decimal("9.99")), Ordering::Less);
    }
}
