//! Whether a file's name carries a hash of its content, as build tools write it.
//!
//! In doubt it does not: a file that is wrongly declared immutable stays wrong in browsers for a
//! year, and a missed hash costs a 304.

/// Whether this file name (without folders) carries a hash: `NAME-HASH.EXTENSION`, where the dash
/// may be a dot, `.chunk` or the like may follow the hash, and `.map` may follow everything.
///
/// A hash has one of two forms:
///
/// - Hexadecimal digits in lower case, of a length that tools write, also after an underscore:
///   webpack, Parcel, rustdoc and Propshaft (8), gulp-rev (10), Django (12), Angular and Next.js
///   (16), webpack and Gatsby (20), Phoenix and Ember (32), SHA-1 (40), Sprockets and Hugo (64).
/// - Eight characters of base64url with a digit and, after the first character, a capital: Rollup
///   and Vite, Astro, VitePress (`BkH3x9aQ`), esbuild and Angular (`K3QXYZAB`).
///
/// Neither may read like words and numbers (`facade01`, `DSC00012`, `16-Light`). A name that is all
/// hash does not count: cameras, databases and hashes of e-mail addresses make such names, and
/// their files change. Nor does a UUID.
pub fn carries_hash(name: &[u8]) -> bool {
    stem(name).is_some_and(|stem| ends_in_hexadecimal(stem) || ends_in_base64url(stem))
}

/// The name without its extensions, if a page may load such a file as a part of itself.
fn stem(name: &[u8]) -> Option<&[u8]> {
    let (stem, extension) = cut_at_last_dot(name.strip_suffix(b".map").unwrap_or(name))?;
    if !EXTENSIONS.contains(&extension) {
        return None;
    }
    Some(match cut_at_last_dot(stem) {
        Some((before, b"bundle" | b"chunk" | b"lean" | b"min")) => before,
        _ => stem,
    })
}

fn cut_at_last_dot(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some((&name[..dot], &name[dot + 1..]))
}

fn ends_in_hexadecimal(stem: &[u8]) -> bool {
    let separator = stem.iter().rposition(|byte| b".-_".contains(byte));
    let Some(separator @ 1..) = separator else {
        return false;
    };
    let hash = &stem[separator + 1..];
    HEXADECIMAL_LENGTHS.contains(&hash.len())
        && hash.iter().all(is_lower_hexadecimal)
        && class_changes(hash) >= 2
        && !ends_in_uuid(stem)
}

/// `3f2a9c1b-5d6e-4f70-8a91-b2c3d4e5f607` identifies a thing, not its content.
fn ends_in_uuid(stem: &[u8]) -> bool {
    let Some((_, uuid)) = stem.split_last_chunk::<UUID_LEN>() else {
        return false;
    };
    let groups = uuid.split(|&byte| byte == b'-');
    let is_part = |byte: &u8| *byte == b'-' || is_lower_hexadecimal(byte);
    uuid.iter().all(is_part) && groups.map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}

fn ends_in_base64url(stem: &[u8]) -> bool {
    let Some(([_, .., b'-' | b'.'], hash)) = stem.split_last_chunk::<BASE64URL_LEN>() else {
        return false;
    };
    let parted = hash.iter().any(|byte| b"-_".contains(byte));
    // All capitals only as esbuild writes them, in base32.
    let base32 = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    hash.iter().all(is_base64url)
        && hash.iter().any(u8::is_ascii_digit)
        && hash[1..].iter().any(u8::is_ascii_uppercase)
        && (hash.iter().any(u8::is_ascii_lowercase) || hash.iter().all(base32))
        && class_changes(hash) >= if parted { 3 } else { 2 }
        && !holds_word(hash)
}

fn is_base64url(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_lower_hexadecimal(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// How often two neighbours differ in class (digit, small letter, capital), not counting a capital
/// before a small letter. A word and a number have one change, `v2-Top10` has two.
fn class_changes(hash: &[u8]) -> usize {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let changes = |pair: &&[u8]| match (class(pair[0]), class(pair[1])) {
        (Some(2), Some(1)) => false,
        (Some(left), Some(right)) => left != right,
        _ => false,
    };
    hash.windows(2).filter(changes).count()
}

/// Four letters in a row, the last three small: `Run2Left`, `SonyA7R3`.
fn holds_word(hash: &[u8]) -> bool {
    hash.windows(4)
        .any(|run| run[0].is_ascii_alphabetic() && run[1..].iter().all(u8::is_ascii_lowercase))
}

const BASE64URL_LEN: usize = 8;
const UUID_LEN: usize = 36;

/// Without 24, which no tool writes and some databases use for identifiers.
const HEXADECIMAL_LENGTHS: [usize; 8] = [8, 10, 12, 16, 20, 32, 40, 64];

/// Parts of a page. Files that are asked for by themselves (pages, documents, archives, data) keep
/// their names.
#[rustfmt::skip]
const EXTENSIONS: [&[u8]; 24] = [
    b"avif", b"css", b"eot", b"flac", b"gif", b"ico", b"jpeg", b"jpg", b"js", b"jxl", b"m4a", b"mjs", b"mp3", b"mp4", b"ogg",
    b"otf", b"png", b"svg", b"ttf", b"wasm", b"webm", b"webp", b"woff", b"woff2",
];
