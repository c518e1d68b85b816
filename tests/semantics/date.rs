//! HTTP dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorstep::internals::semantics::date::{HttpDate, parse};
use proptest::collection::vec;
use proptest::prelude::*;

/// 1994-11-06 08:49:37, the example of RFC 9110 §5.6.7.
const EXAMPLE: u64 = 784_111_777;
/// 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;

// RFC 9110 §5.6.7
#[test]
fn dates_are_written_as_imf_fixdate() {
    let rows = [
        (0, Some("Thu, 01 Jan 1970 00:00:00 GMT")),
        (EXAMPLE, Some("Sun, 06 Nov 1994 08:49:37 GMT")),
        (951_782_400, Some("Tue, 29 Feb 2000 00:00:00 GMT")),
        (951_868_799, Some("Tue, 29 Feb 2000 23:59:59 GMT")),
        (951_868_800, Some("Wed, 01 Mar 2000 00:00:00 GMT")),
        (4_107_542_399, Some("Sun, 28 Feb 2100 23:59:59 GMT")),
        (4_107_542_400, Some("Mon, 01 Mar 2100 00:00:00 GMT")),
        (9_999_999_999, Some("Sat, 20 Nov 2286 17:46:39 GMT")),
        (LAST, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
        (LAST + 1, None),
        (u64::MAX, None),
    ];
    for (seconds, expected) in rows {
        let written = HttpDate::from_unix(seconds);
        assert_eq!(
            written.as_ref().map(HttpDate::as_str),
            expected,
            "{seconds}"
        );
        assert_eq!(
            written.map(|date| format!("{date}")).as_deref(),
            expected,
            "{seconds}"
        );
        assert_eq!(
            written.map(|date| format!("{date:?}")).as_deref(),
            expected,
            "{seconds}"
        );
    }
}

#[test]
fn times_are_rounded_down_to_seconds() {
    let rows = [
        ("the epoch", Some(UNIX_EPOCH), Some(0)),
        (
            "a nanosecond before 1970",
            UNIX_EPOCH.checked_sub(Duration::from_nanos(1)),
            None,
        ),
        (
            "long before 1970",
            UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 40)),
            None,
        ),
        (
            "just before a second",
            UNIX_EPOCH.checked_add(Duration::from_millis(1999)),
            Some(1),
        ),
        (
            "the last",
            UNIX_EPOCH.checked_add(Duration::new(LAST, 999_999_999)),
            Some(LAST),
        ),
        (
            "the year 10000",
            UNIX_EPOCH.checked_add(Duration::from_secs(LAST + 1)),
            None,
        ),
    ];
    for (name, time, expected) in rows {
        // Windows has no time before 1601: no row where the time cannot be made.
        let Some(time) = time else { continue };
        assert_eq!(
            HttpDate::from_time(time),
            expected.and_then(HttpDate::from_unix),
            "{name}"
        );
    }
}

/// Every day from 1970 to 9999, counted by hand.
#[test]
fn the_calendar_agrees_with_counting() {
    let mut days = 0;
    for year in 1970..=9999 {
        let leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        let february = if leap { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, length) in MONTHS.into_iter().zip(lengths) {
            for day in [1, 2, length - 1, length] {
                let seconds = (days + day - 1) * DAY;
                let name = NAMES[((days + day - 1) % 7) as usize];
                let expected = format!("{name}, {day:02} {month} {year} 00:00:00 GMT");
                let written = HttpDate::from_unix(seconds).expect("before the year 10000");
                assert_eq!(written.as_str(), expected);
                assert_eq!(parse_now(expected.as_bytes()), Some(seconds), "{expected}");
            }
            let beyond = format!("Mon, {:02} {month} {year} 00:00:00 GMT", length + 1);
            assert_eq!(parse_now(beyond.as_bytes()), None, "{beyond}");
            days += length;
        }
    }
    assert_eq!(days * DAY, LAST + 1);
}

// RFC 9110 §5.6.7
#[test]
fn three_formats_are_read() {
    let rows: &[(&str, &str, Option<u64>)] = &[
        (
            "IMF-fixdate",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            Some(EXAMPLE),
        ),
        ("RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", Some(EXAMPLE)),
        ("asctime", "Sun Nov  6 08:49:37 1994", Some(EXAMPLE)),
        (
            "asctime with two digits of a day",
            "Wed Nov 16 08:49:37 1994",
            Some(EXAMPLE + 10 * DAY),
        ),
        (
            "asctime with a zero",
            "Sun Nov 06 08:49:37 1994",
            Some(EXAMPLE),
        ),
        (
            "another day name",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            Some(EXAMPLE),
        ),
        ("the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        (
            "the last second",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            Some(LAST),
        ),
        (
            "a leap second",
            "Sat, 31 Dec 2016 23:59:60 GMT",
            Some(1_483_228_800),
        ),
        (
            "the last leap second would be in the year 10000",
            "Fri, 31 Dec 9999 23:59:60 GMT",
            None,
        ),
        (
            "a second 60 that cannot be",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            None,
        ),
        ("second 61", "Sun, 06 Nov 1994 23:59:61 GMT", None),
        ("minute 60", "Sun, 06 Nov 1994 08:60:37 GMT", None),
        ("hour 24", "Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("day 0", "Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("day 0 in asctime", "Sun Nov  0 08:49:37 1994", None),
        (
            "day 31 of a month with 30",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            None,
        ),
        (
            "29 February of a common year",
            "Sun, 29 Feb 1995 08:49:37 GMT",
            None,
        ),
        ("29 February of 2100", "Sun, 29 Feb 2100 08:49:37 GMT", None),
        ("1969", "Wed, 31 Dec 1969 23:59:59 GMT", None),
        ("the year 0", "Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("the year 10000", "Sat, 01 Jan 10000 00:00:00 GMT", None),
        (
            "the year 10000 in asctime",
            "Sat Jan  1 00:00:00 10000",
            None,
        ),
        ("CVE-2015-9242: a number", "9999999999", None),
        ("CVE-2020-25691: nothing", "", None),
        (
            "case of the day name",
            "sun, 06 Nov 1994 08:49:37 GMT",
            None,
        ),
        ("case of the month", "Sun, 06 nov 1994 08:49:37 GMT", None),
        ("case of GMT", "Sun, 06 Nov 1994 08:49:37 gmt", None),
        ("no such day name", "Xyz, 06 Nov 1994 08:49:37 GMT", None),
        ("no such month", "Sun, 06 Xyz 1994 08:49:37 GMT", None),
        ("another zone", "Sun, 06 Nov 1994 08:49:37 EST", None),
        ("an offset", "Sun, 06 Nov 1994 08:49:37 +0000", None),
        ("no zone", "Sun, 06 Nov 1994 08:49:37", None),
        ("one digit of a day", "Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("a space for a digit", "Sun,  6 Nov 1994 08:49:37 GMT", None),
        ("a sign for a digit", "Sun, +6 Nov 1994 08:49:37 GMT", None),
        ("a sign in the year", "Sun, 06 Nov +994 08:49:37 GMT", None),
        (
            "white space in front",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            None,
        ),
        ("white space after", "Sun, 06 Nov 1994 08:49:37 GMT ", None),
        ("tabs", "Sun,\t06 Nov 1994 08:49:37 GMT", None),
        ("dots for colons", "Sun, 06 Nov 1994 08.49.37 GMT", None),
        (
            "a length after it",
            "Sun, 06 Nov 1994 08:49:37 GMT; length=1",
            None,
        ),
        (
            "RFC 850 with a short day name",
            "Sun, 06-Nov-94 08:49:37 GMT",
            None,
        ),
        (
            "RFC 850 with four digits of a year",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            None,
        ),
        (
            "RFC 850 with spaces",
            "Sunday, 06 Nov 94 08:49:37 GMT",
            None,
        ),
        (
            "IMF-fixdate with a long day name",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            None,
        ),
        ("asctime with a zone", "Sun Nov  6 08:49:37 1994 GMT", None),
        ("asctime with one space", "Sun Nov 6 08:49:37 1994", None),
        (
            "asctime with a long day name",
            "Sunday Nov  6 08:49:37 1994",
            None,
        ),
        ("ISO 8601", "1994-11-06T08:49:37Z", None),
        ("a comma alone", ",", None),
        ("a day name and a comma", "Sunday,", None),
    ];
    for &(name, date, expected) in rows {
        assert_eq!(parse_now(date.as_bytes()), expected, "{name}");
    }
    for octet in [b',', b' ', b'0', b'S', 0, 0xFF] {
        assert_eq!(parse_now(&[octet; 8192]), None, "8 KB of {octet:#04x}");
    }
}

// RFC 9110 §5.6.7: two digits of a year, up to 50 years after now.
#[test]
fn the_century_follows_from_now() {
    let rows = [
        (
            "this century",
            "Mon, 01 Jun 2026 12:00:00 GMT",
            "Friday, 01-Jun-07",
            2007,
        ),
        (
            "the past",
            "Mon, 01 Jun 2026 12:00:00 GMT",
            "Sunday, 06-Nov-94",
            1994,
        ),
        (
            "50 years from now, to the second",
            "Mon, 01 Jun 2026 12:00:00 GMT",
            "Monday, 01-Jun-76",
            2076,
        ),
        (
            "a second more",
            "Mon, 01 Jun 2026 11:59:59 GMT",
            "Monday, 01-Jun-76",
            1976,
        ),
        (
            "a day more",
            "Sun, 31 May 2026 12:00:00 GMT",
            "Monday, 01-Jun-76",
            1976,
        ),
        (
            "the next year",
            "Mon, 01 Jun 2026 12:00:00 GMT",
            "Monday, 01-Jun-77",
            1977,
        ),
        (
            "the next century",
            "Thu, 01 Jan 2099 00:00:00 GMT",
            "Monday, 01-Jun-01",
            2101,
        ),
        (
            "29 February of a century without one",
            "Thu, 01 Jan 2099 00:00:00 GMT",
            "Monday, 29-Feb-00",
            0,
        ),
        (
            "before 1970",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Monday, 01-Jun-69",
            0,
        ),
        (
            "the end of time",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Monday, 01-Jun-99",
            9999,
        ),
        (
            "past the end of time",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Monday, 01-Jun-00",
            0,
        ),
    ];
    for (name, now, date, year) in rows {
        let now = at(parse_now(now.as_bytes()).expect(name));
        let parsed = parse(format!("{date} 12:00:00 GMT").as_bytes(), now);
        let written = parsed
            .and_then(HttpDate::from_unix)
            .map(|date| date.to_string());
        let read_year = written.map_or(0, |date| date[12..16].parse().expect("digits"));
        assert_eq!(read_year, year, "{name}");
    }
    let long_ago = UNIX_EPOCH
        .checked_sub(Duration::from_secs(1))
        .expect("after 1601");
    assert_eq!(
        parse(b"Sunday, 06-Nov-94 08:49:37 GMT", long_ago),
        Some(EXAMPLE),
        "a clock before 1970"
    );
}

proptest! {
    #[test]
    fn dates_round_trip_in_all_formats(seconds in 0..=LAST) {
        let written = HttpDate::from_unix(seconds).expect("in range");
        let text = written.as_str();
        prop_assert_eq!(text.len(), 29);
        prop_assert_eq!(parse_now(text.as_bytes()), Some(seconds));
        let (day, month, year, time) = (&text[5..7], &text[8..11], &text[12..16], &text[17..25]);
        let asctime = format!("Mon {month} {day} {time} {year}");
        prop_assert_eq!(parse_now(asctime.as_bytes()), Some(seconds));
        // Read at the time itself, a year of two digits is this century's.
        let rfc850 = format!("Monday, {day}-{month}-{} {time} GMT", &year[2..]);
        prop_assert_eq!(parse(rfc850.as_bytes(), at(seconds)), Some(seconds));
    }

    #[test]
    fn any_bytes_can_be_read(octets in vec(any::<u8>(), 0..40), now: u32) {
        prop_assert_eq!(parse(&octets, at(u64::from(now))), None);
    }

    /// One byte of a valid date exchanged: never a panic, and never a time that cannot be written.
    #[test]
    fn a_damaged_date_is_a_date_or_nothing(format in 0..3_usize, place in 0..29_usize, octet: u8) {
        let dates = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        let mut date = dates[format].as_bytes().to_vec();
        let undamaged = std::mem::replace(&mut date[place % dates[format].len()], octet);
        if let Some(seconds) = parse_now(&date) {
            prop_assert!(HttpDate::from_unix(seconds).is_some());
            // Digits and names may stand for others; a separator stands for nothing but itself.
            prop_assert!(octet == undamaged || octet.is_ascii_alphanumeric() || octet == b' ');
        }
    }
}

/// The days of a week that begins as 1970 did.
const NAMES: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// As it is read in the year 2026.
fn parse_now(octets: &[u8]) -> Option<u64> {
    parse(octets, at(1_780_000_000))
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
