//! The table of the resolver, and what holds for every path.

use crate::path_invariant::{RULES, check};
#[cfg(unix)]
use crate::tree::Tree;
use doorstep::internals::bytes::percent::encode_segment;
use doorstep::internals::files::resolve::{
    Names, PathError, PathRules, check_segment, resolve, without_dots,
};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

const UNIX: PathRules = PathRules {
    names: Names::Unix,
    hidden: false,
};
const ON_WINDOWS: PathRules = PathRules {
    names: Names::Windows,
    hidden: false,
};

/// (path, segments joined, slash)
const CLEAN: &[(&str, &[u8], bool)] = &[
    ("/", b"", true),
    ("/a", b"a", false),
    ("/a/", b"a", true),
    ("/a/b/c.html", b"a/b/c.html", false),
    ("/a..b", b"a..b", false),
    ("/a.", b"a.", false),
    ("/a..", b"a..", false),
    ("/~", b"~", false),
    ("/a;v=1/b", b"a;v=1/b", false),
    ("/%61/%62/", b"a/b", true),
    ("/%20", b" ", false),
    ("/+", b"+", false),
    ("/a%2Eb", b"a.b", false),
    // RFC 3986 §2.4: decoded once.
    ("/%252e%252e", b"%2e%2e", false),
    ("/%252e%252e/%252fetc", b"%2e%2e/%2fetc", false),
    ("/%25", b"%", false),
    // Overlong UTF-8 is neither a dot nor a slash (CVE-2006-5050 and similar).
    ("/%c0%ae%c0%ae", b"\xC0\xAE\xC0\xAE", false),
    ("/%c0%af", b"\xC0\xAF", false),
    ("/%e0%80%ae", b"\xE0\x80\xAE", false),
    ("/%ff", b"\xFF", false),
    // Full-width dots and the like are letters.
    ("/%ef%bc%8e%ef%bc%8e", b"\xEF\xBC\x8E\xEF\xBC\x8E", false),
    ("/%e2%80%8ca", b"\xE2\x80\x8Ca", false),
    // Any byte that a name may have.
    ("/%0a", b"\n", false),
    ("/a%0d%0ab/%7F", b"a\r\nb/\x7F", false),
    ("/%01%1f/", b"\x01\x1F", true),
    ("/\x1b[2J", b"\x1B[2J", false),
    ("/%09%2e", b"\t.", false),
    ("/.well-known", b".well-known", false),
    ("/%2Ewell-known/x", b".well-known/x", false),
];

const REFUSED: &[(&str, PathError)] = &[
    ("", PathError::NoLeadingSlash),
    ("*", PathError::NoLeadingSlash),
    ("a", PathError::NoLeadingSlash),
    ("%2fa", PathError::NoLeadingSlash),
    ("\\a", PathError::NoLeadingSlash),
    ("/%", PathError::InvalidEscape),
    ("/%4", PathError::InvalidEscape),
    ("/a%4g", PathError::InvalidEscape),
    ("/a%/41", PathError::InvalidEscape),
    ("/%+1", PathError::InvalidEscape),
    ("/%%41", PathError::InvalidEscape),
    ("/%u002e", PathError::InvalidEscape),
    ("/\0", PathError::Nul),
    ("/%00", PathError::Nul),
    // CVE-2016-10703
    ("/a.html%00.png", PathError::Nul),
    ("/..%00/", PathError::Nul),
    ("/a%2fb", PathError::EncodedSlash),
    ("/..%2f", PathError::EncodedSlash),
    ("/..%2F..%2Fetc/passwd", PathError::EncodedSlash),
    ("/%2f", PathError::EncodedSlash),
    ("/a\\b", PathError::Backslash),
    ("/..\\", PathError::Backslash),
    ("/..%5c", PathError::Backslash),
    ("/..%5C..%5cx", PathError::Backslash),
    ("/\\evil.example/..", PathError::Backslash),
    ("/%5c%5cevil.example/..", PathError::Backslash),
    // RFC 3986 §3.3 allows them; we do not.
    ("//", PathError::EmptySegment),
    ("///", PathError::EmptySegment),
    ("//a", PathError::EmptySegment),
    ("/a//b", PathError::EmptySegment),
    ("/a//", PathError::EmptySegment),
    ("//evil.example/%2e%2e", PathError::EmptySegment),
    ("//.git/config", PathError::EmptySegment),
    ("/.", PathError::Dot),
    ("/./", PathError::Dot),
    ("/%2e", PathError::Dot),
    ("/./.git/config", PathError::Dot),
    ("/%2e/.git/config", PathError::Dot),
    ("/a/.", PathError::Dot),
    ("/..", PathError::DotDot),
    ("/../", PathError::DotDot),
    ("/../etc/passwd", PathError::DotDot),
    ("/a/../b", PathError::DotDot),
    ("/%2e%2e", PathError::DotDot),
    ("/%2E%2e/", PathError::DotDot),
    ("/.%2e", PathError::DotDot),
    ("/%2e.", PathError::DotDot),
    ("/....//", PathError::Hidden),
    ("/..;/", PathError::Hidden),
    ("/.../", PathError::Hidden),
    ("/.%20/", PathError::Hidden),
    ("/.git", PathError::Hidden),
    ("/.GIT/config", PathError::Hidden),
    ("/%2egit/config", PathError::Hidden),
    ("/a/.git/", PathError::Hidden),
    ("/a/.well-known/x", PathError::Hidden),
    ("/.well-knownx", PathError::Hidden),
    // CVE-2014-9390: HFS+ ignores U+200C, U+202E, U+206A, U+FEFF.
    ("/%e2%80%8c.git", PathError::Hidden),
    ("/%e2%80%ae.git", PathError::Hidden),
    ("/%e2%81%aa%ef%bb%bf.git", PathError::Hidden),
    ("/a/%ef%bb%bf..", PathError::Hidden),
];

/// Where names that begin with a dot are served: (path, segments joined).
const SHOWN: &[(&str, &[u8])] = &[
    ("/.git/config", b".git/config"),
    ("/%2egit/config", b".git/config"),
    ("/a/.well-known/x", b"a/.well-known/x"),
    ("/.GIT", b".GIT"),
    ("/..a", b"..a"),
    ("/...", b"..."),
    ("/..;/x", b"..;/x"),
    ("/.%20/x", b". /x"),
    ("/%e2%80%8c.git", b"\xE2\x80\x8C.git"),
];

/// Refused on Windows alone; RUSTSEC-2022-0069, GO-2026-5595.
#[rustfmt::skip]
const WINDOWS: &[&str] = &[
    "/c:", "/c:/windows/win.ini", "/a/c:/x", "/x::$DATA", "/x%3a$DATA",
    "/CON", "/con", "/a/Con.txt", "/NUL.tar.gz", "/aux%20.txt", "/prn", "/CONIN$", "/conout$.x", "/clock$",
    "/COM1", "/com0.txt", "/lpt9", "/LPT%C2%B9", "/com%c2%b3.x",
    "/x.", "/x..", "/x%20", "/x.%20.", "/GIT~1/config", "/PROGRA~1",
    "/a*", "/a%3f", "/a%3cb", "/a%3eb", "/a|b", "/a%22", "/%ff", "/%ed%a0%80", "/.well-known/CON", "/.well-known/x.",
    "/x%20.txt%20", "/nul%20%20.txt", "/COM%C2%B2", "/LPT%C2%B3.txt", "/AUX.", "/PRN.a.b", "/a/clock$.txt", "/LONGNA~1.HTM",
];

/// Names that no file has on Windows.
const CONTROL: &[&str] = &[
    "/%0a",
    "/%0d%0aSet-Cookie:x",
    "/\x1b[2J",
    "/%7f",
    "/%1f",
    "/%01",
    "/a/b%09",
    "/CON%09",
    "/.%0d",
];

/// Similar names that are fine everywhere.
#[rustfmt::skip]
const NOT_WINDOWS: &[&str] = &[
    "/CONS", "/xcon", "/com", "/COM10", "/comx", "/lpt", "/console.log", "/a~", "/~a", "/a~b", "/x.y", "/%20x",
    "/.well-known/x", "/gr%C3%BC%C3%9Fe", "/COM%C2%B4", "/CLOCK", "/abc1",
];

#[test]
fn clean_paths_come_out_as_segments() {
    for &(path, segments, slash) in CLEAN {
        let resolved = resolve(path.as_bytes(), UNIX).expect(path);
        let got = (&*resolved.path, resolved.slash);
        assert_eq!(got, (segments, slash), "{path}");
        let borrowed = matches!(resolved.path, Cow::Borrowed(_));
        assert_eq!(borrowed, !path.contains('%'), "{path}: copied or not");
        check(path.as_bytes());
    }
}

#[test]
fn all_others_are_refused() {
    for &(path, error) in REFUSED {
        for rules in RULES {
            if rules.hidden && error == PathError::Hidden {
                continue;
            }
            let outcome = resolve(path.as_bytes(), rules);
            assert_eq!(outcome, Err(error), "{path:?} {rules:?}");
        }
        check(path.as_bytes());
        if error == PathError::NoLeadingSlash {
            continue;
        }
        // No better after a clean segment, or after the one that may begin with a dot.
        for before in ["/a", "/.well-known"] {
            let behind = format!("{before}{path}");
            let outcome = resolve(behind.as_bytes(), UNIX);
            assert_eq!(outcome, Err(error), "{behind:?}");
        }
    }
}

/// RFC 3986 §6.2.2.3. A path that is not clean without them leads nowhere.
#[test]
fn segments_of_one_dot_are_left_out() {
    for (path, clean) in [
        ("/./a", Some("/a")),
        ("/a/./b", Some("/a/b")),
        ("/a/././b/./", Some("/a/b/")),
        ("/./", Some("/")),
        ("/./.well-known/a", Some("/.well-known/a")),
        ("/./a%20b", Some("/a%20b")),
        ("/.", None),
        ("/a/.", None),
        ("/%2e/a", None),
        ("/./%2e/a", None),
        ("/./.git/config", None),
        ("/./../a", None),
        ("/.//a", None),
        ("/././/evil.example", None),
        ("/./\\evil.example", None),
        ("/./%", None),
    ] {
        let got = without_dots(path, PathRules::default());
        assert_eq!(got.as_deref(), clean, "{path}");
    }
}

#[test]
fn hidden_names_are_found_where_they_are_served() {
    let shown = PathRules {
        hidden: true,
        ..UNIX
    };
    for &(path, segments) in SHOWN {
        assert_eq!(resolve(path.as_bytes(), UNIX), Err(PathError::Hidden));
        let resolved = resolve(path.as_bytes(), shown).expect(path);
        assert_eq!(&*resolved.path, segments, "{path}");
        check(path.as_bytes());
    }
}

/// A listing may show exactly the names that a path may ask for.
#[test]
fn a_segment_is_checked_by_itself() {
    let rows: &[(&[u8], bool, Result<(), PathError>)] = &[
        (b"a", true, Ok(())),
        (b"a\nb", false, Ok(())),
        (b"\xFF", false, Ok(())),
        (b"%2e%2e", false, Ok(())),
        (b".well-known", true, Ok(())),
        (b".well-known", false, Err(PathError::Hidden)),
        (b".git", true, Err(PathError::Hidden)),
        (b"", true, Err(PathError::EmptySegment)),
        (b".", true, Err(PathError::Dot)),
        (b"..", false, Err(PathError::DotDot)),
        (b"a\\b", false, Err(PathError::Backslash)),
        (b"a/b", false, Err(PathError::EncodedSlash)),
        (b"a\0", false, Err(PathError::Nul)),
    ];
    for &(name, first, expected) in rows {
        let name_shown = name.escape_ascii();
        assert_eq!(check_segment(name, first, UNIX), expected, "{name_shown}");
    }
    assert_eq!(
        check_segment(b"CON", true, ON_WINDOWS),
        Err(PathError::WindowsName)
    );
}

#[test]
fn windows_names_are_refused_on_windows() {
    for &path in WINDOWS {
        assert!(resolve(path.as_bytes(), UNIX).is_ok(), "{path}");
        let outcome = resolve(path.as_bytes(), ON_WINDOWS);
        assert_eq!(outcome, Err(PathError::WindowsName), "{path}");
        check(path.as_bytes());
    }
    for &path in CONTROL {
        let outcome = resolve(path.as_bytes(), ON_WINDOWS);
        assert_eq!(outcome, Err(PathError::Control), "{path:?}");
        check(path.as_bytes());
    }
    for &path in NOT_WINDOWS {
        assert!(resolve(path.as_bytes(), ON_WINDOWS).is_ok(), "{path}");
        check(path.as_bytes());
    }
    // A separator is refused before anything else of a name is checked.
    let separated = resolve(b"/a%5c..%5cx", ON_WINDOWS);
    assert_eq!(separated, Err(PathError::Backslash));
}

/// Windows' names are refused on Windows, whatever was chosen; names that begin with a dot are on
/// all systems.
#[test]
fn the_rules_of_the_system_hold_unless_others_are_chosen() {
    let rules = PathRules::default();
    assert_eq!(rules.names, Names::HERE);
    assert_eq!(rules.names == Names::Windows, cfg!(windows));
    assert!(!rules.hidden);
}

/// 400 where the path is not a path of bytes, otherwise 404, and no two reasons are alike.
#[test]
fn a_path_error_has_a_status_and_a_reason() {
    let mut refusals = BTreeMap::new();
    for &(path, error) in REFUSED {
        let expected = match error {
            PathError::NoLeadingSlash | PathError::InvalidEscape | PathError::Nul => 400,
            _ => 404,
        };
        assert_eq!(error.status().code(), expected, "{path:?}");
        let same = refusals.insert(error.reason(), error);
        assert!(same.is_none_or(|same| same == error), "{error:?}");
    }
    assert_eq!(
        refusals.len(),
        9,
        "all but the two of Windows: {refusals:?}"
    );
}

/// RUSTSEC-2017-0002, CVE-2026-66753: a name may hold a line end, but nothing made of its path
/// does.
#[cfg(unix)]
#[test]
fn a_line_end_in_a_name_stays_escaped() {
    let tree = Tree::new();
    let folder = tree.path("a\r\nX: y");
    if let Err(error) = std::fs::create_dir(&folder) {
        let why = format!("the disk takes no such name: {error}");
        return crate::support::skipped("a_line_end_in_a_name_stays_escaped", &why);
    }
    tree.file("a\r\nX: y/b\n\x7Fc.txt", "found")
        .file("\t/\n/index.html", "index");
    for (target, status, expected) in [
        ("/a%0d%0aX:%20y/b%0A%7fc.txt", 200, "found"),
        ("/%09/%0a/", 200, "index"),
        ("/a%0d%0aX:%20y", 308, "/a%0d%0aX:%20y/"),
        ("/%09/%0A", 308, "/%09/%0A/"),
        ("/%09?%0a", 308, "/%09/?%0a"),
    ] {
        let answer = tree.get(target);
        let got = match status {
            308 => answer.header_value("Location").to_string(),
            _ => answer.text(),
        };
        assert_eq!((answer.status, &*got), (status, expected), "{target}");
    }
    let text = tree.get("/a%0d%0aX:%20y/b%0a%7fc.txt");
    assert_eq!(
        text.header_value("Content-Type"),
        "text/plain; charset=utf-8"
    );
    let missing = tree.get("/missing%0d%0aX:%20y");
    assert!(!missing.text().contains("X: y"), "{missing:?}");
}

/// A path made of pieces known from attacks, and a few harmless ones. Most segments are one piece,
/// so that many paths get as far as their last segment.
fn path() -> impl Strategy<Value = Vec<u8>> {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "/", ".", "..", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%00", "\0", "%25", "%", "%2", "~1", ":", " ", "%20", ".well-known",
        ".git", "con", "lpt%C2%B3", "%c0%ae", "%e2%80%8c", "%ef%bb%bf", ";", "?", "#", "\r\n", "%09", "%7f", "",
    ];
    let bytes = |piece: &str| piece.as_bytes().to_vec();
    let segment = prop_oneof![
        6 => prop::sample::select(&["a", "b.html", "%61"][..]).prop_map(bytes),
        3 => prop::sample::select(PIECES).prop_map(bytes),
        2 => prop::collection::vec(prop::sample::select(PIECES), 2..4)
            .prop_map(|pieces| pieces.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(segment, 0..6)
        .prop_map(|segments| [b"/".to_vec(), segments.join(&b'/')].concat())
}

proptest! {
    #[test]
    fn a_resolved_path_never_leaves_the_root(path in path()) {
        check(&path);
        check(&path[1..]);
    }

    #[test]
    fn no_bytes_confuse_the_resolver(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        check(&bytes);
    }

    /// Most of the paths above are refused; these never are.
    #[test]
    fn any_name_without_forbidden_bytes_is_found(
        segments in prop::collection::vec("[a-z0-9_ %+&'\"<>é]{1,8}", 1..6),
        slash: bool,
    ) {
        let mut path = Vec::new();
        for segment in &segments {
            path.push(b'/');
            encode_segment(segment.as_bytes(), &mut path);
        }
        if slash {
            path.push(b'/');
        }
        let resolved = resolve(&path, UNIX).expect("clean");
        let joined = segments.join("/");
        prop_assert_eq!((&*resolved.path, resolved.slash), (joined.as_bytes(), slash));
    }
}
