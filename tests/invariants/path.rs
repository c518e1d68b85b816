//! A resolved path names something below the root: no segment of it is empty, `.` or `..`, is
//! hidden unless that was allowed, or holds a NUL, a slash or a backslash. A path is resolved
//! exactly when a naive reading of it finds nothing wrong, to the same segments, always alike; the
//! result, encoded again, resolves to itself; and a name is checked as a path is.

use doorstep::internals::bytes::percent::encode_segment;
use doorstep::internals::files::resolve::{
    Names, PathError, PathRules, Resolved, check_segment, resolve,
};

/// Every set of rules.
pub const RULES: [PathRules; 4] = [
    rules(Names::Unix, false),
    rules(Names::Unix, true),
    rules(Names::Windows, false),
    rules(Names::Windows, true),
];

const fn rules(names: Names, hidden: bool) -> PathRules {
    PathRules { names, hidden }
}

/// Panics when the sentence above does not hold for this path, or for a name of these bytes.
pub fn check(bytes: &[u8]) {
    for rules in RULES {
        let outcome = resolve(bytes, rules);
        assert_eq!(resolve(bytes, rules), outcome, "{rules:?}: a second time");
        let found = outcome.as_ref().ok();
        let found = found.map(|resolved| (resolved.path.to_vec(), resolved.slash));
        assert_eq!(found, naive(bytes, rules), "{rules:?}: a naive reading");
        match &outcome {
            Ok(resolved) => {
                assert_safe(resolved, rules);
                let again = encoded(resolved);
                let again = resolve(&again, rules);
                assert_eq!(again.as_ref(), Ok(resolved), "{rules:?}: encoded again");
            }
            Err(error) => assert_apt(*error, rules),
        }
        check_name(bytes, rules);
    }
    assert_fewer_are_refused(bytes);
}

fn assert_safe(resolved: &Resolved<'_>, rules: PathRules) {
    let path: &[u8] = &resolved.path;
    if path.is_empty() {
        assert!(resolved.slash, "the root is a folder");
        return;
    }
    // How far below the root each prefix leads, if a system read `.` and `..` in it.
    let mut depth = 0_i64;
    for (index, segment) in path.split(|&byte| byte == b'/').enumerate() {
        depth += match segment {
            b"" | b"." => 0,
            b".." => -1,
            _ => 1,
        };
        assert!(depth == index as i64 + 1, "leaves its folder: {path:?}");
        let hidden = segment[0] == b'.' && (index > 0 || segment != b".well-known");
        assert!(!hidden || rules.hidden, "hidden: {path:?}");
        let bad = |byte: &u8| matches!(byte, 0 | b'\\');
        assert!(!segment.iter().any(bad), "a forbidden byte: {path:?}");
    }
}

/// An error has a status and a reason, and is one of these rules.
fn assert_apt(error: PathError, rules: PathRules) {
    assert!(matches!(error.status().code(), 400 | 404) && !error.reason().is_empty());
    let apt = match error {
        PathError::Hidden => !rules.hidden,
        PathError::Control | PathError::WindowsName => rules.names == Names::Windows,
        _ => true,
    };
    assert!(apt, "{rules:?}: {error:?}");
}

/// The bytes as a name on disk: checked like a path that asks for it.
fn check_name(name: &[u8], rules: PathRules) {
    for first in [false, true] {
        let judged = check_segment(name, first, rules);
        assert_eq!(judged.is_ok(), is_fine(name, first, rules), "{rules:?}");
        let mut path = if first {
            b"/".to_vec()
        } else {
            b"/a/".to_vec()
        };
        encode_segment(name, &mut path);
        // With no name at all these are paths of folders.
        if !name.is_empty() {
            assert_eq!(resolve(&path, rules).err(), judged.err(), "{rules:?}");
        }
    }
}

/// Less strict rules change nothing but what the stricter ones refused.
fn assert_fewer_are_refused(bytes: &[u8]) {
    for hidden in [false, true] {
        let unix = resolve(bytes, rules(Names::Unix, hidden));
        let windows = resolve(bytes, rules(Names::Windows, hidden));
        let by_name = matches!(windows, Err(PathError::WindowsName | PathError::Control));
        assert!(by_name || windows == unix, "{windows:?} and {unix:?}");
    }
    for names in [Names::Unix, Names::Windows] {
        let (without, with) = (rules(names, false), rules(names, true));
        let (without, with) = (resolve(bytes, without), resolve(bytes, with));
        let by_dot = without == Err(PathError::Hidden);
        assert!(by_dot || without == with, "{without:?} and {with:?}");
    }
}

fn encoded(resolved: &Resolved<'_>) -> Vec<u8> {
    let mut path = Vec::new();
    if !resolved.path.is_empty() {
        for segment in resolved.path.split(|&byte| byte == b'/') {
            path.push(b'/');
            encode_segment(segment, &mut path);
        }
    }
    if resolved.slash {
        path.push(b'/');
    }
    path
}

/// The segments joined, and whether a folder is asked for: the whole path is decoded, then cut,
/// then checked.
fn naive(bytes: &[u8], rules: PathRules) -> Option<(Vec<u8>, bool)> {
    let decoded = decode(bytes)?;
    let slashes = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'/').count();
    if decoded.first() != Some(&b'/') || slashes(&decoded) != slashes(bytes) {
        return None;
    }
    if decoded == b"/" {
        return Some((Vec::new(), true));
    }
    let slash = decoded.ends_with(b"/");
    let inner = &decoded[1..decoded.len() - usize::from(slash)];
    let mut names = inner.split(|&byte| byte == b'/').enumerate();
    let fine = names.all(|(index, name)| is_fine(name, index == 0, rules));
    fine.then(|| (inner.to_vec(), slash))
}

fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
        let digit = |digit: char| digit.to_digit(16);
        let mut digits = digits.chars().map(digit);
        decoded.push((digits.next()?? * 16 + digits.next()??) as u8);
        at += 3;
    }
    Some(decoded)
}

fn is_fine(name: &[u8], first: bool, rules: PathRules) -> bool {
    let leads_elsewhere = name.is_empty() || name == b"." || name == b"..";
    if leads_elsewhere || name.iter().any(|byte| b"\0/\\".contains(byte)) {
        return false;
    }
    // Characters that HFS+ ignores in a name.
    let unseen = |letter: char| matches!(letter, '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}');
    let text = String::from_utf8_lossy(name);
    let hidden = text.trim_start_matches(unseen).starts_with('.');
    if hidden && !rules.hidden && !(first && name == b".well-known") {
        return false;
    }
    rules.names == Names::Unix || std::str::from_utf8(name).is_ok_and(is_fine_on_windows)
}

fn is_fine_on_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ');
    let device = DEVICES
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device));
    let digit = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_digit());
    let short = name.split('~').skip(1).any(digit);
    let odd = |letter: char| letter.is_ascii_control() || "\"*:<>?|".contains(letter);
    !short && !name.contains(odd) && !name.ends_with(['.', ' ']) && !device
}

#[rustfmt::skip]
const DEVICES: [&str; 33] = [
    "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$",
    "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM\u{B9}", "COM\u{B2}", "COM\u{B3}",
    "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT\u{B9}", "LPT\u{B2}", "LPT\u{B3}",
];
