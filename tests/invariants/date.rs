//! A date is read in each of the three forms of RFC 9110 §5.6.7, and in no other, as the second
//! that counting days gives; and every second from 1970 to 9999 is read again from the date that it
//! is written as.

use doorstep::internals::semantics::date::{HttpDate, parse};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;
/// Days of any 400 years.
const CYCLE: u64 = 303 * 365 + 97 * 366;
const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Panics when `bytes`, as a date or as a number of seconds, break the sentence above.
pub fn check(octets: &[u8]) {
    let mut number = [0; 8];
    for (place, octet) in number.iter_mut().zip(octets) {
        *place = *octet;
    }
    let chosen = u64::from_le_bytes(number);
    written(chosen % (LAST + 1));
    written(LAST - chosen % 3);
    assert_eq!(HttpDate::from_unix(LAST + 1 + chosen / 2), None);
    // The ends of time, of a century, of its half, and 2026; a clock before 1970 counts as 1970.
    let nows = [
        0,
        946_684_799,
        946_684_800,
        2_524_608_000,
        1_790_000_000,
        LAST,
        chosen % LAST,
    ];
    for now in nows {
        let read = read(octets, now);
        assert_eq!(parse(octets, at(now)), read, "read in second {now}");
        if let Some(seconds) = read {
            written(seconds);
        }
    }
    if let Some(early) = UNIX_EPOCH.checked_sub(Duration::from_secs(1 + chosen % DAY)) {
        assert_eq!(parse(octets, early), read(octets, 0), "read before 1970");
        assert_eq!(HttpDate::from_time(early), None);
    }
}

/// A second is written as its date, and read again in all three forms.
fn written(seconds: u64) {
    let (year, month, day) = civil(seconds / DAY);
    let name = DAYS[(seconds / DAY % 7) as usize];
    let of_day = seconds % DAY;
    let time = format!(
        "{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    );
    let month = MONTHS[month];
    let expected = format!("{}, {day:02} {month} {year} {time} GMT", &name[..3]);
    let date = HttpDate::from_time(at(seconds) + Duration::from_nanos(999_999_999));
    let date = date.expect("there is a date before the year 10000");
    assert_eq!(date.as_str(), expected);
    let obsolete = [
        format!("{name}, {day:02}-{month}-{:02} {time} GMT", year % 100),
        format!("{} {month} {day:2} {time} {year}", &name[..3]),
    ];
    for text in obsolete.iter().chain([&expected]) {
        assert_eq!(parse(text.as_bytes(), at(seconds)), Some(seconds), "{text}");
    }
}

/// Year, month from 0 and day, counted year by year and month by month.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let mut year = 1970 + days / CYCLE * 400;
    days %= CYCLE;
    while days >= 365 + leap_days(year) {
        days -= 365 + leap_days(year);
        year += 1;
    }
    let mut month = 0;
    while days >= lengths(year)[month] {
        days -= lengths(year)[month];
        month += 1;
    }
    (year, month, days + 1)
}

/// The days of each month.
fn lengths(year: u64) -> [u64; 12] {
    let february = 28 + leap_days(year);
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// One in a leap year.
fn leap_days(year: u64) -> u64 {
    u64::from((year % 4 == 0 && year % 100 != 0) || year % 400 == 0)
}

/// RFC 9110 §5.6.7: `HTTP-date = IMF-fixdate / obs-date`.
fn read(octets: &[u8], now: u64) -> Option<u64> {
    let text = std::str::from_utf8(octets).ok()?;
    let parts: Vec<&str> = text.split(' ').collect();
    match parts[..] {
        [name, day, month, year, time, "GMT"] => {
            short(name.strip_suffix(',')?)?;
            seconds(digits(year, 4)?, month, digits(day, 2)?, time)
        }
        [name, date, time, "GMT"] => {
            let name = name.strip_suffix(',')?;
            DAYS.contains(&name).then_some(())?;
            let parts: Vec<&str> = date.split('-').collect();
            let [day, month, year] = parts[..] else {
                return None;
            };
            let (day, year) = (digits(day, 2)?, digits(year, 2)?);
            of_century(year, month, day, time, now)
        }
        // `date3 = month SP ( 2DIGIT / ( SP 1DIGIT ))`
        [name, month, "", day, time, year] => {
            short(name)?;
            seconds(digits(year, 4)?, month, digits(day, 1)?, time)
        }
        [name, month, day, time, year] => {
            short(name)?;
            seconds(digits(year, 4)?, month, digits(day, 2)?, time)
        }
        _ => None,
    }
}

/// Two digits of a year stand for the last one that is not more than 50 years from now.
fn of_century(year: u64, month: &str, day: u64, time: &str, now: u64) -> Option<u64> {
    let (this, this_month, this_day) = civil(now / DAY);
    let latest = (this + 50, this_month, this_day, now % DAY);
    let number = MONTHS.iter().position(|name| *name == month)?;
    let of_day = second_of_day(time)?;
    let is_near = |year: &u64| (*year, number, day, of_day) <= latest;
    let mut centuries = (0..=100).map(|century| 100 * century + year).rev();
    seconds(centuries.find(is_near)?, month, day, time)
}

fn seconds(year: u64, month: &str, day: u64, time: &str) -> Option<u64> {
    let month = MONTHS.iter().position(|name| *name == month)?;
    let of_day = second_of_day(time)?;
    if year < 1970 || day == 0 || day > lengths(year)[month] {
        return None;
    }
    let cycles = (year - 1970) / 400;
    let years = (1970 + cycles * 400..year).map(|year| 365 + leap_days(year));
    let before = cycles * CYCLE + years.sum::<u64>();
    let days = before + lengths(year)[..month].iter().sum::<u64>() + day - 1;
    Some(days * DAY + of_day).filter(|seconds| *seconds <= LAST)
}

/// `time-of-day = hour ":" minute ":" second`, the last of a day being the leap second.
fn second_of_day(time: &str) -> Option<u64> {
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return None;
    };
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    (is_time || time == "23:59:60").then_some((hour * 60 + minute) * 60 + second)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    let is_number = text.len() == count && text.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn short(name: &str) -> Option<()> {
    DAYS.iter().any(|day| &day[..3] == name).then_some(())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
