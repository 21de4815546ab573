//! Dates and times: parsing text, and the fixed forms in which values are stored.

/// 100-nanosecond units.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// Days from 0001-01-01 to 1900-01-01, where datetime begins to count.
pub const DAYS_TO_1900: i64 = 693_595;
/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_162;
/// 9999-12-31.
const LAST_DAY: i64 = 3_652_058;

/// A point in time, with the given offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// From 0001-01-01.
    pub days: i64,
    /// Since midnight.
    pub ticks: i64,
    /// Minutes east of UTC; `days` and `ticks` are local to it.
    pub offset: i64,
}

impl Moment {
    pub fn now() -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let days = (since.as_secs() / 86_400) as i64 + DAYS_TO_1970;
        let ticks = (since.as_secs() % 86_400) as i64 * TICKS_PER_SECOND + i64::from(since.subsec_nanos()) / 100;
        Moment { days, ticks, offset: 0 }
    }

    pub fn from_parts(year: i64, month: i64, day: i64, ticks: i64) -> Option<Moment> {
        let length = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=length[month as usize - 1]).contains(&day)
            && (0..TICKS_PER_DAY).contains(&ticks);
        valid.then(|| Moment { days: days_of(year, month, day), ticks, offset: 0 })
    }

    /// Year, month, day.
    pub fn date(self) -> (i64, i64, i64) {
        // Howard Hinnant's civil_from_days, counted from 0000-03-01.
        let shifted = self.days + 306;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// Hour, minute, second, ticks within the second.
    pub fn time(self) -> (i64, i64, i64, i64) {
        let seconds = self.ticks / TICKS_PER_SECOND;
        (seconds / 3600, seconds / 60 % 60, seconds % 60, self.ticks % TICKS_PER_SECOND)
    }

    /// Adds ticks; `None` outside the calendar.
    pub fn plus(self, ticks: i64) -> Option<Moment> {
        let total = self.ticks.checked_add(ticks)?;
        let days = self.days + total.div_euclid(TICKS_PER_DAY);
        (0..=LAST_DAY).contains(&days).then_some(Moment { days, ticks: total.rem_euclid(TICKS_PER_DAY), ..self })
    }

    pub fn plus_months(self, months: i64) -> Option<Moment> {
        let (year, month, day) = self.date();
        let total = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        // The 31st becomes the last day of a shorter month.
        let moved = (day - 3..=day).rev().find_map(|day| Moment::from_parts(year, month, day, self.ticks))?;
        Some(Moment { offset: self.offset, ..moved })
    }

    /// Rounds half up to this many fractional digits; `None` beyond the end of the calendar.
    pub fn rounded(self, digits: u8) -> Option<Moment> {
        let unit = 10i64.pow(u32::from(7 - digits.min(7)));
        self.plus((self.ticks + unit / 2) / unit * unit - self.ticks)
    }

    /// Rounds to the ticks of datetime, of which there are 300 per second.
    pub fn rounded_to_datetime(self) -> Option<Moment> {
        let ticks = (self.ticks * 3 + 50_000) / 100_000;
        // Shown in milliseconds: .000, .003, .007.
        self.plus((ticks * 10 + 1) / 3 * 10_000 - self.ticks)
    }

    pub fn date_text(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// With `digits` of a fraction; without a point if there are none.
    pub fn time_text(self, digits: u8) -> String {
        let (hour, minute, second, ticks) = self.time();
        let fraction = format!("{ticks:07}");
        let point = if digits > 0 { "." } else { "" };
        format!("{hour:02}:{minute:02}:{second:02}{point}{}", &fraction[..usize::from(digits.min(7))])
    }

    pub fn offset_text(self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", self.offset.abs() / 60, self.offset.abs() % 60)
    }

    pub fn datetime_text(self, digits: u8) -> String {
        format!("{} {}", self.date_text(), self.time_text(digits))
    }

    /// The same moment in UTC, or local to an offset again.
    pub fn utc(self) -> Option<Moment> {
        self.plus(-self.offset * TICKS_PER_MINUTE)
    }

    pub fn local(self) -> Option<Moment> {
        self.plus(self.offset * TICKS_PER_MINUTE)
    }

    /// Parses ISO 8601 and similar forms: a date, a time, or both, with or without an offset. A date without a time is
    /// midnight; a time without a date is on 1900-01-01.
    pub fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        let (date, rest) = match text.find(['T', ' ']) {
            Some(at) => (&text[..at], text[at + 1..].trim()),
            None if text.contains(':') => ("", text),
            None => (text, ""),
        };
        let (date, rest) = if date.contains(':') { ("", text) } else { (date, rest) };
        let mut moment = parse_date(date)?;
        if rest.is_empty() {
            return Some(moment);
        }
        let split = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
        let (time, offset) = rest.split_at(split);
        moment.ticks = parse_time(time.trim())?;
        moment.offset = parse_offset(offset)?;
        Some(moment)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let shifted_month = (month + 9) % 12;
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * shifted_month + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + day_of_era - 306
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn parse_date(text: &str) -> Option<Moment> {
    if text.is_empty() {
        return Moment::from_parts(1900, 1, 1, 0);
    }
    if text.len() == 8
        && let Some(packed) = number(text)
    {
        return Moment::from_parts(packed / 10_000, packed / 100 % 100, packed % 100, 0);
    }
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    if first.len() == 4 {
        Moment::from_parts(number(first)?, number(second)?, number(third)?, 0)
    } else {
        // American English, SQL Server's default language: month first.
        Moment::from_parts(number(third)?, number(first)?, number(second)?, 0)
    }
}

fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let (second, fraction) = match parts.next() {
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "0")),
        None => ("0", "0"),
    };
    let second = number(second)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    // Nanoseconds; 100 of them are one tick.
    let nanoseconds = number(&format!("{fraction:0<9}"))?;
    Some((hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND + (nanoseconds + 50) / 100)
}

fn parse_offset(text: &str) -> Option<i64> {
    match text {
        "" | "Z" | "z" => Some(0),
        _ => {
            let (hour, minute) = text[1..].split_once(':')?;
            let minutes = number(hour)? * 60 + number(minute)?;
            (minutes <= 14 * 60).then_some(if text.starts_with('-') { -minutes } else { minutes })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar() {
        for (text, days) in
            [("0001-01-01", 0), ("1900-01-01", DAYS_TO_1900), ("1970-01-01", DAYS_TO_1970), ("9999-12-31", LAST_DAY)]
        {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.days, days);
            assert_eq!(moment.date_text(), text);
        }
        for days in (0..LAST_DAY).step_by(97) {
            let moment = Moment { days, ticks: 0, offset: 0 };
            assert_eq!(Moment::parse(&moment.date_text()), Some(moment));
        }
        for text in ["2025-02-29", "2026-13-01", "2026-00-01", "nonsense", "2026-01", "25:00", "10:61"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, shape) in [
            ("2026-11-22T20:15:00.1234567", "2026-11-22 20:15:00.1234567"),
            ("20261122 20:15", "2026-11-22 20:15:00.0000000"),
            ("11/22/2026", "2026-11-22 00:00:00.0000000"),
            ("20:15:00.5", "1900-01-01 20:15:00.5000000"),
        ] {
            assert_eq!(Moment::parse(text).unwrap().datetime_text(7), shape);
        }
        let moment = Moment::parse("2026-11-22 00:30:00 +01:00").unwrap();
        assert_eq!(moment.utc().unwrap().datetime_text(0), "2026-11-21 23:30:00");
        assert_eq!(moment.offset_text(), "+01:00");
    }

    #[test]
    fn rounding() {
        let rounded = |text, digits| Moment::parse(text).unwrap().rounded(digits).unwrap().datetime_text(7);
        assert_eq!(rounded("2026-12-31 23:59:59.9999999", 3), "2027-01-01 00:00:00.0000000");
        assert_eq!(rounded("2026-12-31 23:59:59.1239999", 3), "2026-12-31 23:59:59.1240000");
        for (fraction, shown) in
            [("000", "000"), ("001", "000"), ("002", "003"), ("005", "007"), ("997", "997"), ("996", "997")]
        {
            let text = format!("2026-01-01 00:00:00.{fraction}");
            let moment = Moment::parse(&text).unwrap().rounded_to_datetime().unwrap();
            assert_eq!(moment.time_text(3), format!("00:00:00.{shown}"), "{fraction}");
        }
        assert_eq!(Moment::parse("2024-01-31").unwrap().plus_months(1).unwrap().date_text(), "2024-02-29");
    }
}
