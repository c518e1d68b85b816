//! Request methods.

use doorstep::Method;
use doorstep::internals::limits::METHOD_BYTES;

/// Section, method, token, whether it is safe.
type Row = (&'static str, Method, &'static str, bool);

const NINE: &[Row] = &[
    ("RFC 9110 §9.3.1", Method::Get, "GET", true),
    ("RFC 9110 §9.3.2", Method::Head, "HEAD", true),
    ("RFC 9110 §9.3.3", Method::Post, "POST", false),
    ("RFC 9110 §9.3.4", Method::Put, "PUT", false),
    ("RFC 9110 §9.3.5", Method::Delete, "DELETE", false),
    ("RFC 9110 §9.3.6", Method::Connect, "CONNECT", false),
    ("RFC 9110 §9.3.7", Method::Options, "OPTIONS", true),
    ("RFC 9110 §9.3.8", Method::Trace, "TRACE", true),
    ("RFC 5789 §2", Method::Patch, "PATCH", false),
];

// RFC 9110 §9, RFC 9110 §9.2.1
#[test]
fn the_nine_are_known_and_written_as_they_are_read() {
    for &(section, method, token, safe) in NINE {
        assert_eq!(
            Method::from_token(token.as_bytes()),
            Some(method),
            "{section}"
        );
        assert_eq!(method.as_str(), token, "{section}");
        assert_eq!(method.is_safe(), safe, "{section}: is {token} safe?");
    }
}

// RFC 9110 §9.1
#[test]
fn other_tokens_are_kept_as_they_came() {
    let longest = "M".repeat(METHOD_BYTES);
    let rows = [
        ("lower case is another method", "get"),
        ("mixed case is another method", "Get"),
        ("the beginning of a known one", "GE"),
        ("more than a known one", "GETS"),
        ("registered elsewhere", "UPDATEREDIRECTREF"),
        ("with a hyphen", "M-SEARCH"),
        ("every kind of tchar", "!#$%&'*+-.^_`|~09"),
        ("the longest", &longest),
    ];
    for (name, token) in rows {
        let method = Method::from_token(token.as_bytes()).expect(name);
        assert!(matches!(method, Method::Other(_)), "{name}");
        assert_eq!(method.as_str(), token, "{name}");
        assert!(!method.is_safe(), "{name}: nobody has said that it is safe");
    }
}

// RFC 9110 §9.1, RFC 9110 §5.6.2
#[test]
fn what_is_no_token_is_no_method() {
    let rows: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("one byte too long", &[b'M'; METHOD_BYTES + 1]),
        ("1 KB", &[b'M'; 1024]),
        ("a space", b"GET "),
        ("a slash", b"GET/"),
        ("a colon", b"GET:"),
        ("NUL", b"GET\0"),
        ("a control", b"\x16\x03\x01"),
        ("non-ASCII", b"G\xC3\x89T"),
        ("quotes", b"\"GET\""),
    ];
    for &(name, token) in rows {
        assert_eq!(Method::from_token(token), None, "{name}");
    }
}

#[test]
fn equal_means_the_same_token() {
    let method = |token: &str| Method::from_token(token.as_bytes()).expect("a token");
    assert_eq!(method("PURGE"), method("PURGE"));
    assert_ne!(method("PURGE"), method("PURG"));
    assert_ne!(method("PURGE"), method("purge"));
}

#[test]
fn methods_print_as_written() {
    let purge = Method::from_token(b"PURGE").expect("a token");
    assert_eq!(
        format!("{} {:?} {purge} {purge:?}", Method::Get, Method::Get),
        "GET GET PURGE PURGE"
    );
    assert_eq!(format!("[{:<8}]", Method::Get), "[GET     ]");
    let Method::Other(token) = purge else {
        panic!("{purge} is none of the nine");
    };
    assert_eq!(format!("{token:?}"), "PURGE");
}
