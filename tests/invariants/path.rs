//! A path that is resolved names something below the root: no segment of it is empty, `.`, `..`, hidden, or holds a NUL, a
//! control character, a slash or a backslash; the same path always resolves alike, and what comes out, encoded again, resolves
//! to itself.

use doorstep::internals::bytes::percent::encode_segment;
use doorstep::internals::files::resolve::{Names, Refusal, Resolved, resolve};

/// Panics when the sentence above does not hold for this path.
pub fn check(octets: &[u8]) {
    let anywhere = resolve(octets, Names::Unix);
    let on_windows = resolve(octets, Names::Windows);
    for (names, outcome) in [(Names::Unix, &anywhere), (Names::Windows, &on_windows)] {
        assert_eq!(&resolve(octets, names), outcome, "a second answer");
        match outcome {
            Ok(resolved) => {
                assert_safe(resolved);
                assert_eq!(
                    resolve(&encoded(resolved), names).as_ref(),
                    Ok(resolved),
                    "encoded again"
                );
            }
            Err(refusal) => assert!(
                matches!(refusal.status().code(), 400 | 404) && !refusal.reason().is_empty()
            ),
        }
    }
    // Windows only refuses more.
    match &on_windows {
        Err(Refusal::WindowsName) => {}
        other if anywhere.is_ok() => assert_eq!(other, &anywhere),
        _ => assert!(on_windows.is_err(), "Windows takes what nobody takes"),
    }
}

fn assert_safe(resolved: &Resolved<'_>) {
    let path: &[u8] = &resolved.path;
    if path.is_empty() {
        assert!(resolved.slash, "the root is a folder");
        return;
    }
    // How far below the root each prefix leads, if `.` and `..` were what a system takes them for.
    let mut depth = 0_i64;
    for (index, segment) in path.split(|&octet| octet == b'/').enumerate() {
        depth += match segment {
            b"" | b"." => 0,
            b".." => -1,
            _ => 1,
        };
        assert!(depth == index as i64 + 1, "leaves its folder: {path:?}");
        let hidden = segment[0] == b'.' && (index > 0 || segment != b".well-known");
        assert!(!hidden, "hidden: {path:?}");
        let bad = |octet: &u8| *octet < 0x20 || matches!(octet, b'\\' | 0x7F);
        assert!(!segment.iter().any(bad), "a forbidden octet: {path:?}");
    }
}

fn encoded(resolved: &Resolved<'_>) -> Vec<u8> {
    let mut path = Vec::new();
    if !resolved.path.is_empty() {
        for segment in resolved.path.split(|&octet| octet == b'/') {
            path.push(b'/');
            encode_segment(segment, &mut path);
        }
    }
    if resolved.slash {
        path.push(b'/');
    }
    path
}
