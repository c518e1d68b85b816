//! What a page and a JSON object contain, and the policy for the page's style and script.

use super::{file, folder};
use doorstep::internals::bytes::percent::{encode_segment, encoded_segment_len};
use doorstep::internals::files::listing::budget::MemoryBudget;
use doorstep::internals::files::listing::entries::Entry;
use doorstep::internals::files::listing::escape::{
    has_timestamp, html_len, json_len, push_html, push_json, push_size, size_len, timestamp,
};
use doorstep::internals::files::listing::order::Order;
use doorstep::internals::files::listing::reader::ListingReader;
use doorstep::internals::files::listing::snapshot::{Form, Snapshot};
use doorstep::internals::files::listing::style::{POLICY, SCRIPT, STYLE};
use proptest::prelude::*;
use std::io::Read;
use std::sync::Arc;

fn made(form: Form, path: &str, entries: &[Entry<'_>], truncated: bool, query: &str) -> String {
    let memory = || MemoryBudget::default().reserve(0).expect("nothing");
    let mut all = Snapshot::new(path.as_bytes(), memory());
    for entry in entries {
        assert!(all.push(entry).is_continue());
    }
    if truncated {
        all.truncate();
    }
    let order = Order::of_query(Some(query));
    let length = all.length(form, order);
    assert!(all.sort(order, memory(), &mut || true));
    let mut content = ListingReader::new(Arc::new(all), form, order);
    let mut text = String::new();
    content.read_to_string(&mut text).expect("UTF-8");
    assert_eq!(length, text.len() as u64);
    text
}

#[test]
fn a_page_has_the_entries_of_its_folder() {
    let entries = [file(b"a & b.txt", 14_213, 1_795_291_387), folder(b"old", 0)];
    let page = made(Form::Html, "docs/it's", &entries, false, "");
    for line in [
        "<!doctype html>",
        "<html lang=\"en\">",
        "<title>/docs/it&#39;s/</title>",
        "<h1><a href=\"../../\"><bdi>Home</bdi></a> /",
        "<a href=\"../\"><bdi>docs</bdi></a> /",
        "<a href=\"./\" aria-current=\"page\"><bdi>it&#39;s</bdi></a> /",
        "<tr class=\"up\"><td colspan=\"3\"><a href=\"../\">Parent folder</a></td></tr>",
        "<tr><td><a href=\"old/\"><bdi>old</bdi>/</a></td><td></td><td>\
         <time datetime=\"1970-01-01T00:00:00Z\">1970-01-01<span> 00:00</span></time></td></tr>",
        "<tr><td><a href=\"a%20%26%20b.txt\"><bdi>a &amp; b.txt</bdi></a></td><td title=\"14213 bytes\">14.2 kB</td><td>\
         <time datetime=\"2026-11-21T20:03:07Z\">2026-11-21<span> 20:03</span></time></td></tr>",
    ] {
        assert!(page.lines().any(|this| this == line), "{line}\n{page}");
    }
    assert!(page.find("old/") < page.find("a%20"), "folders first");
    assert!(!page.contains("and more") && !page.contains("empty"));
}

#[test]
fn the_root_has_no_parent() {
    let page = made(Form::Html, "", &[file(b"a", 1, 1)], false, "");
    assert!(!page.contains("../"), "{page}");
    assert!(page.contains("<title>/</title>"), "{page}");
    assert!(
        page.contains("<h1><a href=\"./\" aria-current=\"page\"><bdi>Home</bdi></a> /"),
        "{page}"
    );
}

#[test]
fn an_empty_folder_says_so() {
    let page = made(Form::Html, "a", &[], false, "");
    assert!(page.contains("<p>This folder is empty.</p>"), "{page}");
}

#[test]
fn a_truncated_listing_says_so() {
    let entries = [file(b"a", 1, 1), file(b"b", 1, 1)];
    let page = made(Form::Html, "", &entries, true, "");
    assert!(
        page.contains("<p>… and more: only 2 of them are listed.</p>"),
        "{page}"
    );
    let json = made(Form::Json, "", &entries, true, "");
    assert!(json.contains("\"truncated\":true"), "{json}");
}

/// (query, what the heads of the columns are)
const HEADS: &[(&str, [&str; 3])] = &[
    (
        "",
        [
            "<th scope=\"col\" aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name</a></th>",
            "<th scope=\"col\"><a href=\"?sort=size&amp;order=desc\">Size</a></th>",
            "<th scope=\"col\"><a href=\"?sort=time&amp;order=desc\">Modified<span> (UTC)</span></a></th>",
        ],
    ),
    (
        "sort=size&order=desc",
        [
            "<th scope=\"col\"><a href=\"?sort=name&amp;order=asc\">Name</a></th>",
            "<th scope=\"col\" aria-sort=\"descending\"><a href=\"?sort=size&amp;order=asc\">Size</a></th>",
            "<th scope=\"col\"><a href=\"?sort=time&amp;order=desc\">Modified<span> (UTC)</span></a></th>",
        ],
    ),
    (
        "sort=time",
        [
            "<th scope=\"col\"><a href=\"?sort=name&amp;order=asc\">Name</a></th>",
            "<th scope=\"col\"><a href=\"?sort=size&amp;order=desc\">Size</a></th>",
            "<th scope=\"col\" aria-sort=\"ascending\"><a href=\"?sort=time&amp;order=desc\">Modified<span> (UTC)</span></a></th>",
        ],
    ),
];

#[test]
fn a_click_on_a_head_sorts_by_it_or_reverses_the_order() {
    for (query, heads) in HEADS {
        let page = made(Form::Html, "", &[], false, query);
        assert!(page.contains(&heads.concat()), "{query}\n{page}");
    }
}

#[test]
fn json_is_as_documented() {
    let entries = [
        folder(b"old", 1_795_291_387),
        Entry {
            modified: None,
            ..file(b"a b\xFF\".txt", 14_213, 0)
        },
    ];
    assert_eq!(
        made(Form::Json, "docs", &entries, false, ""),
        "{\"path\":\"/docs/\",\"truncated\":false,\"entries\":[\n\
         {\"name\":\"old\",\"type\":\"folder\",\"modified\":\"2026-11-21T20:03:07Z\",\"href\":\"old/\"},\n\
         {\"name\":\"a b\u{FFFD}\\\".txt\",\"type\":\"file\",\"size\":14213,\"modified\":null,\"href\":\"a%20b%FF%22.txt\"}\n\
         ]}\n"
    );
    assert_eq!(
        made(Form::Json, "", &[], false, ""),
        "{\"path\":\"/\",\"truncated\":false,\"entries\":[\n]}\n"
    );
}

/// (bytes, in HTML, in JSON: RFC 8259 §7)
const TEXTS: &[(&[u8], &str, &str)] = &[
    (b"a.txt", "a.txt", "a.txt"),
    (
        b"<b a='\"&amp;\">",
        "&lt;b a=&#39;&quot;&amp;amp;&quot;&gt;",
        "<b a='\\\"&amp;\\\">",
    ),
    (b"\\/", "\\/", "\\\\/"),
    (
        b"\0\x01\n\x1B\x1F\x7F",
        "␀␁␊␛␟␡",
        "\\u0000\\u0001\\u000A\\u001B\\u001F\u{7F}",
    ),
    (
        "\u{80}\u{9F}\u{A0}".as_bytes(),
        "\u{FFFD}\u{FFFD}\u{A0}",
        "\u{80}\u{9F}\u{A0}",
    ),
    (b"a\xFFb\xC3", "a\u{FFFD}b\u{FFFD}", "a\u{FFFD}b\u{FFFD}"),
    (
        b"\xED\xA0\x80",
        "\u{FFFD}\u{FFFD}\u{FFFD}",
        "\u{FFFD}\u{FFFD}\u{FFFD}",
    ),
    (
        "x\u{202E}fdp.exe".as_bytes(),
        "x[U+202E]fdp.exe",
        "x\u{202E}fdp.exe",
    ),
    (
        "\u{61C}\u{200F}\u{2069}".as_bytes(),
        "[U+061C][U+200F][U+2069]",
        "\u{61C}\u{200F}\u{2069}",
    ),
    ("grün 😀".as_bytes(), "grün 😀", "grün 😀"),
];

#[test]
fn text_is_shown_and_never_obeyed() {
    for (bytes, html, json) in TEXTS {
        let (mut in_html, mut in_json) = (Vec::new(), Vec::new());
        push_html(bytes, &mut in_html);
        push_json(bytes, &mut in_json);
        let texts = [in_html, in_json].map(|text| String::from_utf8(text).unwrap());
        assert_eq!(texts, [html.to_string(), format!("\"{json}\"")]);
    }
}

const SIZES: &[(u64, &str)] = &[
    (0, "0 B"),
    (999, "999 B"),
    (1_000, "1.0 kB"),
    (14_213, "14.2 kB"),
    (999_999, "999.9 kB"),
    (1_000_000, "1.0 MB"),
    (1_999_999_999, "1.9 GB"),
    (2_000_000_000_000, "2.0 TB"),
    (u64::MAX, "18446744.0 TB"),
];

#[test]
fn sizes_are_for_people() {
    for &(size, expected) in SIZES {
        let mut text = Vec::new();
        push_size(size, &mut text);
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}

/// RFC 3339 §5.6.
const TIMES: &[(u64, Option<&str>)] = &[
    (0, Some("1970-01-01T00:00:00Z")),
    (951_868_799, Some("2000-02-29T23:59:59Z")),
    (1_795_291_387, Some("2026-11-21T20:03:07Z")),
    (4_107_542_400, Some("2100-03-01T00:00:00Z")),
    (253_402_300_799, Some("9999-12-31T23:59:59Z")),
    (253_402_300_800, None),
    (u64::MAX, None),
];

#[test]
fn times_are_in_utc() {
    for &(seconds, expected) in TIMES {
        let stamp = timestamp(seconds);
        let stamp = stamp
            .as_ref()
            .map(|stamp| std::str::from_utf8(stamp).unwrap());
        assert_eq!(stamp, expected);
    }
    for month in 1..=12 {
        // In the middle of each month of 2026.
        let stamp = timestamp(1_768_435_200 + (month - 1) * 2_629_800).unwrap();
        let expected = format!("2026-{month:02}-1");
        assert!(stamp.starts_with(expected.as_bytes()), "{stamp:?}");
    }
}

#[test]
fn the_policy_allows_this_style_and_this_script_only() {
    let [style, script] = [STYLE, SCRIPT].map(|text| base64(&sha256(text.as_bytes())));
    assert_eq!(
        POLICY,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
    );
    // A browser takes CR LF for LF before it hashes, and an end tag ends them wherever it stands.
    for text in [STYLE, SCRIPT] {
        assert!(!text.contains(['\r', '\0']) && !text.contains("</") && text.is_ascii());
    }
    let page = made(Form::Html, "", &[], false, "");
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
    assert!(!page.contains(" style=") && !page.contains(" on"));
}

/// FIPS 180-4 §6.2.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    // §4.2.2 and §5.3.3: the first 32 bits of the fractions of the cube and the square roots of the
    // first primes.
    let is_prime = |number: &u128| (2..*number).all(|divisor| number % divisor != 0);
    let primes: Vec<u128> = (2..).filter(is_prime).take(64).collect();
    // The largest number whose power is not above `number` times 2 to the 32 times `power`, by its
    // lowest 32 bits.
    let fraction = |number: u128, power: u32| {
        let bits = (0..36).rev();
        bits.fold(0_u128, |root, bit| {
            let more = root | 1 << bit;
            // For cubes: 2 to the 96 times a number below 2 to the 9 is still less than 2 to the
            // 128.
            let fits = more
                .checked_pow(power)
                .is_some_and(|value| value <= number << (32 * power));
            if fits { more } else { root }
        }) as u32
    };
    let constants: Vec<u32> = primes.iter().map(|&prime| fraction(prime, 3)).collect();
    let mut state: Vec<u32> = primes[..8]
        .iter()
        .map(|&prime| fraction(prime, 2))
        .collect();
    let mut message = bytes.to_vec();
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64), 0);
    if message.len() - bytes.len() < 9 {
        message.resize(message.len() + 64, 0);
    }
    let end = message.len() - 8;
    message[end..].copy_from_slice(&(8 * bytes.len() as u64).to_be_bytes());
    for block in message.chunks_exact(64) {
        let words = block.chunks_exact(4);
        let mut schedule: Vec<u32> = words
            .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
            .collect();
        for at in 16..64 {
            let (a, b) = (schedule[at - 15], schedule[at - 2]);
            let low = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let high = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            let sum = schedule[at - 16].wrapping_add(low);
            schedule.push(sum.wrapping_add(schedule[at - 7]).wrapping_add(high));
        }
        let mut working = state.clone();
        for (word, constant) in schedule.iter().zip(&constants) {
            let [a, b, c, d, e, f, g, h] = working[..].try_into().unwrap();
            let (a, b, c, d, e, f, g, h): (u32, u32, u32, u32, u32, u32, u32, u32) =
                (a, b, c, d, e, f, g, h);
            let one = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h
                .wrapping_add(one)
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(*constant)
                .wrapping_add(*word);
            let zero = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = zero.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            working = vec![
                first.wrapping_add(second),
                a,
                b,
                c,
                d.wrapping_add(first),
                e,
                f,
                g,
            ];
        }
        for (sum, this) in state.iter_mut().zip(working) {
            *sum = sum.wrapping_add(this);
        }
    }
    let mut hash = [0; 32];
    for (place, word) in hash.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * at) & 0x3F) as usize];
            text.push(if at > three.len() {
                '='
            } else {
                char::from(sign)
            });
        }
    }
    text
}

#[test]
fn the_hash_is_sha_256() {
    // FIPS 180-4's examples, one of which takes two blocks.
    let rows: [(&[u8], &str); 3] = [
        (b"", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        (b"abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=",
        ),
    ];
    for (bytes, expected) in rows {
        assert_eq!(base64(&sha256(bytes)), expected);
    }
}

/// Bytes that are long in one form or another.
fn odd_bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = "<>&\"'\\/\0\x01\x1F \x7F\u{80}\u{9F}\u{61C}\u{202E}\u{2066}\u{FFFD}é😀%a~";
    let odd: Vec<Vec<u8>> = odd.chars().map(|c| c.to_string().into_bytes()).collect();
    let piece = prop_oneof![
        prop::sample::select(odd),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn pushed(push: impl FnOnce(&mut Vec<u8>)) -> usize {
    let mut out = Vec::new();
    push(&mut out);
    out.len()
}

proptest! {
    /// The length that is announced is the sum of these.
    #[test]
    fn a_text_is_as_long_as_it_is_said_to_be(name in odd_bytes(), number: u64, shift in 0..64) {
        prop_assert_eq!(html_len(&name), pushed(|out| push_html(&name, out)));
        prop_assert_eq!(json_len(&name), pushed(|out| push_json(&name, out)));
        prop_assert_eq!(encoded_segment_len(&name), pushed(|out| encode_segment(&name, out)));
        let number = number >> shift;
        prop_assert_eq!(size_len(number), pushed(|out| push_size(number, out)));
        prop_assert_eq!(has_timestamp(number), timestamp(number).is_some());
    }

    /// In each form and order, sorted or not.
    #[test]
    fn a_listing_is_as_long_as_it_is_said_to_be(
        names in prop::collection::vec((odd_bytes(), any::<Option<u64>>(), any::<Option<u64>>()), 0..8),
        truncated: bool,
    ) {
        let entries: Vec<Entry<'_>> = names
            .iter()
            .map(|(name, size, modified)| Entry { name, size: size.map(|size| size >> 1), modified: *modified })
            .collect();
        for query in ["", "sort=time&order=desc"] {
            made(Form::Html, "a<b/c", &entries, truncated, query);
            made(Form::Json, "", &entries, truncated, query);
        }
    }
}
