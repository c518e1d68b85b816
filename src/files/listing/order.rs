//! The order of a listing: folders first, then by name, size or time. The same on every system and
//! for every locale; no two entries are equal.

use super::entries::Entry;
use std::char::ToLowercase;
use std::cmp::Ordering;

/// What entries are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Key {
    /// By name, in natural order.
    #[default]
    Name,
    /// By size. Folders have none, and are sorted by name.
    Size,
    /// By modification time, those without a time first.
    Time,
}

/// The order of a listing: by name, ascending, unless asked otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What entries are sorted by.
    pub key: Key,
    /// Whether the last one comes first.
    pub descending: bool,
}

impl Order {
    /// The order that a query asks for: `sort=name`, `size` or `time`, and `order=asc` or `desc`;
    /// the first of each counts. Anything else is ignored.
    pub fn of_query(query: Option<&str>) -> Order {
        let key = match parameter(query, "sort") {
            Some("size") => Key::Size,
            Some("time") => Key::Time,
            _ => Key::Name,
        };
        let descending = parameter(query, "order") == Some("desc");
        Order { key, descending }
    }

    /// Which of two entries comes first: folders, in either direction; entries that are equal
    /// otherwise are in natural order.
    pub fn compare(self, left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
        let by_name = || natural(left.name, right.name);
        let by_key = match self.key {
            Key::Name => by_name(),
            // `None`, of folders, is equal to `None`.
            Key::Size => left.size.cmp(&right.size),
            Key::Time => left.modified.cmp(&right.modified),
        };
        let by_key = if self.descending {
            by_key.reverse()
        } else {
            by_key
        };
        let folders_first = left.size.is_some().cmp(&right.size.is_some());
        folders_first.then(by_key).then_with(by_name)
    }
}

/// The value of the first parameter with this name. Nothing is decoded: the known values need no
/// escapes.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(this, _)| *this == name)?;
    Some(value)
}

/// Natural order, as people sort names: runs of digits as numbers (`file2` before `file10`),
/// ignoring case; names that are equal in that, by their bytes.
///
/// A name is read as a sequence of `Sign`s, and sequences are compared sign by sign. Signs have a
/// total order, so names have one as well: it is never circular, whatever the names.
pub fn natural(left: &[u8], right: &[u8]) -> Ordering {
    let same = same_signs_len(left, right);
    Signs::of(&left[same..])
        .cmp(Signs::of(&right[same..]))
        .then_with(|| left.cmp(right))
}

/// The length of the common start, in bytes that are the same signs in both: names in one folder
/// often begin alike.
fn same_signs_len(left: &[u8], right: &[u8]) -> usize {
    let blocks = left.chunks_exact(BLOCK).zip(right.chunks_exact(BLOCK));
    let mut same = BLOCK * blocks.take_while(|(left, right)| left == right).count();
    let rest = left[same..].iter().zip(&right[same..]);
    same += rest.take_while(|(left, right)| left == right).count();
    // A number may go on after the last equal byte.
    while same > 0 && left[same - 1].is_ascii_digit() {
        same -= 1;
    }
    // So may a character: one of four bytes begins up to three bytes before.
    let begins = |back: &usize| left[same - back] >= FIRST_OF_SEVERAL;
    same - (1..=same.min(3)).find(begins).unwrap_or(0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign<'a> {
    /// A run of digits, without leading zeros.
    Number(&'a [u8]),
    /// A character in lower case, never a digit; or, after all of them, a byte of invalid UTF-8.
    Character(u32),
}

impl Ord for Sign<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Without leading zeros, the longer number is the larger one.
            (Sign::Number(left), Sign::Number(right)) => {
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            }
            (Sign::Character(left), Sign::Character(right)) => left.cmp(right),
            // A number is in the place of its digits.
            (Sign::Number(_), Sign::Character(character)) => u32::from(b'0').cmp(character),
            (Sign::Character(character), Sign::Number(_)) => character.cmp(&u32::from(b'0')),
        }
    }
}

impl PartialOrd for Sign<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Signs<'a> {
    rest: &'a [u8],
    /// The rest of a character whose lower case is several characters.
    lower: Option<ToLowercase>,
}

impl<'a> Signs<'a> {
    fn of(rest: &'a [u8]) -> Signs<'a> {
        let lower = None;
        Signs { rest, lower }
    }

    fn number(&mut self) -> Sign<'a> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let (run, rest) = self.rest.split_at(digits.count());
        self.rest = rest;
        let zeros = run.iter().take_while(|&&byte| byte == b'0').count();
        Sign::Number(&run[zeros..])
    }
}

impl<'a> Iterator for Signs<'a> {
    type Item = Sign<'a>;

    fn next(&mut self) -> Option<Sign<'a>> {
        if let Some(character) = self.lower.as_mut().and_then(Iterator::next) {
            return Some(Sign::Character(u32::from(character)));
        }
        match *self.rest.first()? {
            byte if byte.is_ascii_digit() => Some(self.number()),
            byte if byte.is_ascii() => {
                self.rest = &self.rest[1..];
                Some(Sign::Character(u32::from(byte.to_ascii_lowercase())))
            }
            byte => match first_character(self.rest) {
                Some(character) => {
                    self.rest = &self.rest[character.len_utf8()..];
                    let mut lower = character.to_lowercase();
                    let first = lower.next().unwrap_or(character);
                    self.lower = Some(lower);
                    Some(Sign::Character(u32::from(first)))
                }
                None => {
                    self.rest = &self.rest[1..];
                    Some(Sign::Character(u32::from(char::MAX) + u32::from(byte)))
                }
            },
        }
    }
}

/// The character beyond ASCII that these bytes begin with, if they do.
fn first_character(bytes: &[u8]) -> Option<char> {
    let len = match bytes.first()? {
        0xF0.. => 4,
        0xE0.. => 3,
        FIRST_OF_SEVERAL.. => 2,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..len)?).ok()?.chars().next()
}

/// RFC 3629 §3: the first byte of a longer character begins with two bits that are set, the others
/// with one.
const FIRST_OF_SEVERAL: u8 = 0xC0;
/// Bytes that are compared at a time.
const BLOCK: usize = 16;
