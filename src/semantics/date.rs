//! HTTP dates (RFC 9110 §5.6.7): writes IMF-fixdate, reads the three formats that a recipient must
//! accept.
//!
//! Years from 1970 to 9999, without a clock and without time zones.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bytes::number;

/// An IMF-fixdate: 29 bytes, `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HttpDate(pub(crate) [u8; IMF_FIXDATE_LEN]);

impl HttpDate {
    /// The date of a time, whole seconds (rounded down). `None` before 1970 or after 9999: such a
    /// time has no HTTP date here.
    pub fn from_time(time: SystemTime) -> Option<HttpDate> {
        HttpDate::from_unix(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }

    /// The date of seconds since 1970. `None` after the end of the year 9999.
    pub fn from_unix(seconds: u64) -> Option<HttpDate> {
        if seconds > UNIX_MAX {
            return None;
        }
        let (days, second_of_day) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil_from_days(days);
        let mut bytes = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        // 1970-01-01, day 0, was a Thursday.
        bytes[..3].copy_from_slice(&DAY_NAMES[((days + 4) % 7) as usize].as_bytes()[..3]);
        put_two_digits(&mut bytes[5..7], day);
        bytes[8..11].copy_from_slice(MONTH_NAMES[month as usize - 1].as_bytes());
        put_two_digits(&mut bytes[12..14], year / 100);
        put_two_digits(&mut bytes[14..16], year % 100);
        put_two_digits(&mut bytes[17..19], second_of_day / 3600);
        put_two_digits(&mut bytes[20..22], second_of_day / 60 % 60);
        put_two_digits(&mut bytes[23..25], second_of_day % 60);
        Some(HttpDate(bytes))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        // All of it is ASCII, so this is never the default.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Seconds since 1970 of a date in any of the three formats. `None` for anything else, and for a
/// date before 1970 or after
/// 9999. A day name that does not fit its date is accepted, as the RFC gives it no meaning. `now`
///       decides the century of a year of two digits.
pub fn parse(bytes: &[u8], now: SystemTime) -> Option<u64> {
    // RFC 9110 §5.6.7: "A recipient that parses a timestamp value in an HTTP field MUST accept all
    // three HTTP-date formats"; "HTTP-date is case sensitive". The first comma, or none, tells them
    // apart.
    match bytes.iter().position(|&byte| byte == b',') {
        Some(3) => imf_fixdate(bytes),
        Some(_) => rfc850_date(bytes, now),
        None => asctime_date(bytes),
    }
}

/// `IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT`, as in
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(bytes: &[u8]) -> Option<u64> {
    let bytes: &[u8; IMF_FIXDATE_LEN] = bytes.try_into().ok()?;
    let separators = [
        (3, b','),
        (4, b' '),
        (7, b' '),
        (11, b' '),
        (16, b' '),
        (25, b' '),
    ];
    if !separators
        .iter()
        .all(|&(position, byte)| bytes[position] == byte)
        || &bytes[26..] != b"GMT"
    {
        return None;
    }
    short_day_name(&bytes[..3])?;
    let date = Date {
        year: digits(&bytes[12..16])?,
        month: month(&bytes[8..11])?,
        day: digits(&bytes[5..7])?,
        second_of_day: time_of_day(&bytes[17..25])?,
    };
    date.to_unix()
}

/// `rfc850-date = day-name-l "," SP date2 SP time-of-day SP GMT`, as in
/// `Sunday, 06-Nov-94 08:49:37 GMT`.
fn rfc850_date(bytes: &[u8], now: SystemTime) -> Option<u64> {
    let comma = bytes.iter().position(|&byte| byte == b',')?;
    DAY_NAMES
        .iter()
        .find(|name| name.as_bytes() == &bytes[..comma])?;
    let bytes: &[u8; 24] = bytes[comma..].try_into().ok()?;
    let separators = [(1, b' '), (4, b'-'), (8, b'-'), (11, b' '), (20, b' ')];
    if !separators
        .iter()
        .all(|&(position, byte)| bytes[position] == byte)
        || &bytes[21..] != b"GMT"
    {
        return None;
    }
    let date = Date {
        year: digits(&bytes[9..11])?,
        month: month(&bytes[5..8])?,
        day: digits(&bytes[2..4])?,
        second_of_day: time_of_day(&bytes[12..20])?,
    };
    date.in_century_by(now).to_unix()
}

/// `asctime-date = day-name SP date3 SP time-of-day SP year`, as in `Sun Nov  6 08:49:37 1994`.
fn asctime_date(bytes: &[u8]) -> Option<u64> {
    let bytes: &[u8; 24] = bytes.try_into().ok()?;
    let separators = [(3, b' '), (7, b' '), (10, b' '), (19, b' ')];
    if !separators
        .iter()
        .all(|&(position, byte)| bytes[position] == byte)
    {
        return None;
    }
    short_day_name(&bytes[..3])?;
    // RFC 9110 §5.6.7: "date3 = month SP ( 2DIGIT / ( SP 1DIGIT ))".
    let day = if bytes[8] == b' ' {
        &bytes[9..10]
    } else {
        &bytes[8..10]
    };
    let date = Date {
        year: digits(&bytes[20..24])?,
        month: month(&bytes[4..7])?,
        day: digits(day)?,
        second_of_day: time_of_day(&bytes[11..19])?,
    };
    date.to_unix()
}

/// A date and time of day as they were read. Ordered as they are in time, field by field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Date {
    year: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31; whether the month has that day, [`Date::to_unix`] asks.
    day: u64,
    /// Up to 86,400, which is a leap second at the end of the day.
    second_of_day: u64,
}

impl Date {
    fn from_unix(seconds: u64) -> Date {
        let (year, month, day) = civil_from_days(seconds / DAY);
        Date {
            year,
            month,
            day,
            second_of_day: seconds % DAY,
        }
    }

    /// `None` when the month has no such day, before 1970 and after 9999.
    fn to_unix(self) -> Option<u64> {
        if self.year < 1970 || self.day < 1 || self.day > days_in_month(self.year, self.month) {
            return None;
        }
        let seconds = days_from_civil(self.year, self.month, self.day) * DAY + self.second_of_day;
        (seconds <= UNIX_MAX).then_some(seconds)
    }

    /// The date with two digits of its year, in the latest century that does not put it more than
    /// 50 years after `now`.
    fn in_century_by(self, now: SystemTime) -> Date {
        // RFC 9110 §5.6.7: "Recipients of a timestamp value in rfc850-date format, which uses a
        // two-digit year, MUST interpret a timestamp that appears to be more than 50 years in the
        // future as representing the most recent year in the past that had the same last two
        // digits."
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let now = Date::from_unix(since.as_secs().min(UNIX_MAX));
        let latest = Date {
            year: now.year + 50,
            ..now
        };
        // `latest.year` is 2020 at least, so neither subtraction goes below zero.
        let year = latest.year - (latest.year - self.year) % 100;
        let candidate = Date { year, ..self };
        if candidate > latest {
            Date {
                year: year - 100,
                ..self
            }
        } else {
            candidate
        }
    }
}

/// `time-of-day = hour ":" minute ":" second`, in seconds.
fn time_of_day(bytes: &[u8]) -> Option<u64> {
    let &[_, _, b':', _, _, b':', _, _] = bytes else {
        return None;
    };
    let (hour, minute, second) = (
        digits(&bytes[..2])?,
        digits(&bytes[3..5])?,
        digits(&bytes[6..])?,
    );
    // RFC 9110 §5.6.7: "00:00:00 - 23:59:60 (leap second)"; the leap second counts as the second
    // after 59.
    let leap = (hour, minute, second) == (23, 59, 60);
    let valid = hour <= 23 && minute <= 59 && (second <= 59 || leap);
    valid.then_some(hour * 3600 + minute * 60 + second)
}

fn digits(bytes: &[u8]) -> Option<u64> {
    number::decimal(bytes)
}

fn short_day_name(bytes: &[u8]) -> Option<()> {
    DAY_NAMES
        .iter()
        .any(|name| &name.as_bytes()[..3] == bytes)
        .then_some(())
}

/// 1 to 12.
fn month(bytes: &[u8]) -> Option<u64> {
    let index = MONTH_NAMES
        .iter()
        .position(|name| name.as_bytes() == bytes)?;
    Some(index as u64 + 1)
}

/// `value` is below 100 and `bytes` two long.
fn put_two_digits(bytes: &mut [u8], value: u64) {
    bytes[0] = b'0' + (value / 10) as u8;
    bytes[1] = b'0' + (value % 10) as u8;
}

/// Year, month and day of the Gregorian calendar, of days since 1970-01-01.
///
/// A year begins in March here, so that the leap day is its last; 400 such years are always 146,097
/// days.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    // Takes off the leap days: one after each 4 years, less one after each century, and the one
    // that ends the era.
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, months have 31, 30, 31, 30, 31 days, again and again: 153 in five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970-01-01 of a date from 1970 on; the way back of [`civil_from_days`].
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const IMF_FIXDATE_LEN: usize = 29;
const DAY: u64 = 86_400;
/// 9999-12-31 23:59:59: the last second whose year has four digits.
pub const UNIX_MAX: u64 = 253_402_300_799;
/// Days of 400 years.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
/// As an rfc850-date spells them; the other two formats have the first three letters.
const DAY_NAMES: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTH_NAMES: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
