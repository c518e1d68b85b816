//! Whatever the names in a folder, and its own: its page has the tags and attributes of its
//! template and no others, a row for each entry, a link in each that decodes to exactly the name,
//! and no control character that is obeyed instead of shown. The same listing as JSON is valid
//! JSON, and says the same. Each has the length that it announced.
//!
//! An input is a query, a path, and entries, each followed by a NUL; an entry is its size (`/` for
//! a folder), its time and its name, with a space after each of the first two.

#[path = "listing/json.rs"]
mod json;
#[path = "listing/markup.rs"]
mod markup;

use doorstep::internals::bytes::{number, percent};
use doorstep::internals::files::listing::budget::MemoryBudget;
use doorstep::internals::files::listing::entries::Entry;
use doorstep::internals::files::listing::order::{Key, Order};
use doorstep::internals::files::listing::reader::ListingReader;
use doorstep::internals::files::listing::snapshot::{Form, Snapshot};
use doorstep::internals::files::listing::style::{SCRIPT, STYLE};
use json::Value;
use markup::Token;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Panics when the sentence above does not hold for this input.
pub fn check(bytes: &[u8]) {
    let mut parts = bytes.split(|&byte| byte == 0);
    let query = std::str::from_utf8(parts.next().unwrap_or_default()).ok();
    let path = segments(parts.next().unwrap_or_default()).join(&b'/');
    let entries: Vec<Entry<'_>> = parts.filter_map(entry).collect();
    let order = Order::of_query(query);

    let in_page = page_rows(&made(Form::Html, &path, &entries, order), &path, order);
    let in_json = json_rows(&made(Form::Json, &path, &entries, order), &path);
    let in_order = assert_ordered(&in_page, &entries, order);
    assert_eq!(in_page.len(), entries.len(), "a row for each entry");
    assert_eq!(in_json.len(), entries.len(), "an element for each entry");
    for ((entry, row), element) in in_order.iter().zip(&in_page).zip(&in_json) {
        assert_eq!(row.text, shown(entry.name), "as it is shown");
        assert_eq!(element.text, String::from_utf8_lossy(entry.name));
        assert_eq!(element.size, entry.size, "{row:?}");
        for this in [row, element] {
            assert_eq!(this.href, row.href, "{this:?}");
            assert_eq!(this.size, entry.size, "{this:?}");
            let is_known = entry.modified.is_some_and(|time| time <= LAST_SECOND);
            assert_eq!(this.time.is_some(), is_known, "{this:?}");
            assert_eq!(this.time, row.time, "{this:?}");
        }
    }
}

/// What a listing says about one entry.
#[derive(Debug)]
struct Row {
    href: String,
    text: String,
    size: Option<u64>,
    time: Option<String>,
}

/// 9999-12-31 23:59:59.
const LAST_SECOND: u64 = 253_402_300_799;

/// The segments that can be names.
fn segments(bytes: &[u8]) -> Vec<&[u8]> {
    let names = bytes.split(|&byte| byte == b'/');
    names.filter(|name| is_name(name)).collect()
}

fn is_name(bytes: &[u8]) -> bool {
    !matches!(bytes, b"" | b"." | b"..") && bytes.len() < 4096
}

fn entry(bytes: &[u8]) -> Option<Entry<'_>> {
    let mut parts = bytes.splitn(3, |&byte| byte == b' ');
    let (size, time, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_one = is_name(name) && !name.contains(&b'/');
    is_one.then_some(Entry {
        name,
        size: (size != b"/").then(|| number::decimal(size).unwrap_or(0) >> 1),
        modified: number::decimal(time).map(|time| time >> 1),
    })
}

/// The listing, read as a whole, which equals it in small pieces, and has the length that it
/// announced.
fn made(form: Form, path: &[u8], entries: &[Entry<'_>], order: Order) -> String {
    let memory = || MemoryBudget::default().reserve(0).expect("nothing");
    let mut all = Snapshot::new(path, memory());
    for entry in entries {
        assert_eq!(all.push(entry), ControlFlow::Continue(()));
    }
    // Before it is sorted: the order is not asked for the length.
    let length = all.length(form, order);
    assert!(all.sort(order, memory(), &mut || true));
    let all = Arc::new(all);
    let content = || ListingReader::new(all.clone(), form, order);
    let mut whole = Vec::new();
    content().read_to_end(&mut whole).expect("it is in memory");
    assert_eq!(whole.len() as u64, length, "as long as it said");
    let (mut pieces, mut reader) = (Vec::new(), content());
    let mut piece = [0; 1021];
    loop {
        match reader.read(&mut piece).expect("it is in memory") {
            0 => break,
            count => pieces.extend_from_slice(&piece[..count]),
        }
    }
    assert!(pieces == whole, "the same in pieces");
    String::from_utf8(whole).expect("it is UTF-8")
}

/// The rows of a page, whose every token is one of the template's.
fn page_rows(page: &str, path: &[u8], order: Order) -> Vec<Row> {
    let obeyed = |c: char| (c.is_control() && c != '\n') || turns(c);
    assert!(!page.contains(obeyed), "a character that is obeyed");
    let tokens = markup::tokens(page, &[("style", STYLE), ("script", SCRIPT)]);
    markup::assert_template(&tokens);
    let title = markup::inner_text(&tokens, "title");
    assert_eq!(title, [shown(&between_slashes(path))]);
    assert_way(&tokens, path);
    assert_heads(&tokens, order);
    let mut rows = Vec::new();
    for part in tokens
        .split(|token| *token == Token::Open("tr", Vec::new()))
        .skip(2)
    {
        let text = markup::inner_text(part, "bdi").concat();
        let href = part.iter().find_map(|token| token.attribute("a", "href"));
        let href = href.expect("a row has a link").to_string();
        let bytes = part.iter().find_map(|token| token.attribute("td", "title"));
        let bytes = bytes.map(|title| title.strip_suffix(" bytes").expect("so many bytes"));
        let time = part
            .iter()
            .find_map(|token| token.attribute("time", "datetime"));
        rows.push(Row {
            href,
            text,
            size: bytes.map(|bytes| number::decimal(bytes.as_bytes()).expect("a number")),
            time: time.map(str::to_string),
        });
    }
    rows
}

/// Each step from the root is there, and leads up as far as it has to.
fn assert_way(tokens: &[Token<'_>], path: &[u8]) {
    let end = tokens.iter().position(|token| *token == Token::Close("h1"));
    let tokens = &tokens[..end.expect("a heading")];
    let names = segments(path);
    let mut texts = vec!["Home".to_string()];
    texts.extend(names.iter().map(|name| shown(name)));
    assert_eq!(markup::inner_text(tokens, "bdi"), texts);
    let hrefs: Vec<&str> = tokens
        .iter()
        .filter_map(|token| token.attribute("a", "href"))
        .collect();
    let ups = (0..=names.len()).rev().map(|up| match up {
        0 => "./".to_string(),
        up => "../".repeat(up),
    });
    assert_eq!(hrefs, ups.collect::<Vec<_>>());
}

/// Exactly one column is sorted by.
fn assert_heads(tokens: &[Token<'_>], order: Order) {
    let sorts: Vec<Option<&str>> = tokens
        .iter()
        .filter(|token| matches!(token, Token::Open("th", _)))
        .map(|token| token.attribute("th", "aria-sort"))
        .collect();
    let direction = Some(if order.descending {
        "descending"
    } else {
        "ascending"
    });
    let keys = [Key::Name, Key::Size, Key::Time];
    assert_eq!(
        sorts,
        keys.map(|key| direction.filter(|_| key == order.key))
    );
}

fn json_rows(text: &str, path: &[u8]) -> Vec<Row> {
    let Value::Object(members) = json::parse(text) else {
        panic!("no object: {text}");
    };
    let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["path", "truncated", "entries"]);
    let lossy = String::from_utf8_lossy(&between_slashes(path)).into_owned();
    assert_eq!(members[0].1, Value::Text(lossy));
    assert_eq!(members[1].1, Value::False);
    let Value::Array(entries) = &members[2].1 else {
        panic!("no array: {text}");
    };
    entries.iter().map(json_row).collect()
}

fn json_row(value: &Value) -> Row {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("no string: {other:?}"),
    };
    let Value::Object(members) = value else {
        panic!("no object: {value:?}");
    };
    let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    let (name, kind) = (text(&members[0].1), text(&members[1].1));
    let (size, rest) = match kind.as_str() {
        "file" => {
            assert_eq!(keys, ["name", "type", "size", "modified", "href"]);
            let Value::Number(digits) = &members[2].1 else {
                panic!("no number: {value:?}");
            };
            let size = number::decimal(digits.as_bytes());
            (Some(size.expect("a whole number")), &members[3..])
        }
        "folder" => {
            assert_eq!(keys, ["name", "type", "modified", "href"]);
            (None, &members[2..])
        }
        other => panic!("neither a file nor a folder: {other}"),
    };
    let time = match &rest[0].1 {
        Value::Null => None,
        time => Some(text(time)),
    };
    Row {
        href: text(&rest[1].1),
        text: name,
        size,
        time,
    }
}

/// The entries in the order of their links, which name each of them once for each time it is there.
/// Folders come first, and the key goes up or down.
fn assert_ordered<'a>(rows: &[Row], entries: &[Entry<'a>], order: Order) -> Vec<Entry<'a>> {
    let mut left = entries.to_vec();
    let mut ordered: Vec<Entry<'a>> = Vec::new();
    for row in rows {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/".contains(c);
        assert!(row.href.chars().all(plain), "not encoded: {row:?}");
        let (href, is_folder) = match row.href.strip_suffix('/') {
            Some(href) => (href, true),
            None => (row.href.as_str(), false),
        };
        let mut name = Vec::new();
        percent::decode(href.as_bytes(), &mut name).expect("escapes are whole");
        let is_this = |entry: &Entry<'_>| {
            let times = (stamped(entry.modified), row.time.as_deref());
            entry.name == name
                && entry.size == row.size
                && is_folder == entry.size.is_none()
                && times.0.as_deref() == times.1
        };
        let place = left.iter().position(is_this);
        let found = left.swap_remove(place.expect("the link names an entry"));
        if let Some(before) = ordered.last() {
            assert!(before.size.is_none() || found.size.is_some(), "{row:?}");
            let (one, other) = match order.descending {
                false => (before, &found),
                true => (&found, before),
            };
            match order.key {
                _ if before.size.is_none() && found.size.is_some() => {}
                Key::Name => {}
                Key::Size => assert!(one.size <= other.size, "{row:?}"),
                // Times before and after all dates are not shown, and so not distinguished here.
                Key::Time
                    if [one, other]
                        .iter()
                        .all(|entry| stamped(entry.modified).is_some()) =>
                {
                    assert!(one.modified <= other.modified, "{row:?}");
                }
                Key::Time => {}
            }
        }
        ordered.push(found);
    }
    ordered
}

/// RFC 3339, by counting days.
fn stamped(seconds: Option<u64>) -> Option<String> {
    let seconds = seconds.filter(|&seconds| seconds <= LAST_SECOND)?;
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    // 400 years have 146,097 days.
    let (mut year, mut days) = (1970, seconds / 86_400);
    year += days / 146_097 * 400;
    days %= 146_097;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (day, second) = (days + 1, seconds % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

fn between_slashes(path: &[u8]) -> Vec<u8> {
    match path {
        b"" => b"/".to_vec(),
        path => [b"/", path, b"/"].concat(),
    }
}

/// As a page shows it.
fn shown(name: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(name).chars() {
        match c {
            '\0'..='\x1F' => text.push(char::from_u32(0x2400 + c as u32).expect("a picture")),
            '\x7F' => text.push('\u{2421}'),
            _ if c.is_control() => text.push('\u{FFFD}'),
            _ if turns(c) => text.push_str(&format!("[U+{:04X}]", c as u32)),
            _ => text.push(c),
        }
    }
    text
}

/// Bidi_Control of the Unicode Character Database.
fn turns(c: char) -> bool {
    "\u{61C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c)
}
