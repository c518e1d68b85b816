//! Comma-separated lists.

use doorstep::internals::semantics::list::{contains_token, elements};
use proptest::prelude::*;

// RFC 9110 §5.6.1, RFC 9110 §5.6.1.2, RFC 9110 §5.6.4
#[test]
fn elements_are_split_at_commas_outside_quotes() {
    let rows: &[(&str, &str, &[&str])] = &[
        ("nothing", "", &[]),
        ("one", "close", &["close"]),
        ("two", "close, upgrade", &["close", "upgrade"]),
        ("no white space", "a,b,c", &["a", "b", "c"]),
        ("white space of both kinds", " \ta\t , \t b ", &["a", "b"]),
        ("white space inside stays", "a b,c\td", &["a b", "c\td"]),
        (
            "RFC 9110 §5.6.1.2: its example",
            "foo , ,bar,charlie",
            &["foo", "bar", "charlie"],
        ),
        ("only commas", ",,,", &[]),
        ("commas and white space", " , \t, ", &[]),
        ("empty elements at both ends", ",a,", &["a"]),
        (
            "a comma within quotes",
            r#"a="x,y", b"#,
            &[r#"a="x,y""#, "b"],
        ),
        ("an escaped quote", r#""x\",y", b"#, &[r#""x\",y""#, "b"]),
        ("an escaped backslash", r#""x\\",y"#, &[r#""x\\""#, "y"]),
        (
            "a backslash outside quotes is a byte",
            r#"a\,b"#,
            &[r"a\", "b"],
        ),
        (
            "a backslash before a quote outside",
            r#"\"a,b""#,
            &[r#"\"a,b""#],
        ),
        ("quotes that do not end", r#"a, "b, c"#, &["a", r#""b, c"#]),
        (
            "a backslash at the end of quotes that do not",
            r#""b,\"#,
            &[r#""b,\"#],
        ),
        ("empty quotes are not empty", r#""","#, &[r#""""#]),
        (
            "quotes twice in one element",
            r#"a",""b,",c"#,
            &[r#"a",""b,""#, "c"],
        ),
    ];
    for &(name, value, expected) in rows {
        assert_eq!(split(value.as_bytes()), expected, "{name}");
    }
}

// RFC 9110 §7.6.1
#[test]
fn tokens_are_found_without_regard_to_case() {
    let rows = [
        ("alone", "close", true),
        ("upper case", "CLOSE", true),
        ("last of several", "keep-alive, x , Close", true),
        ("among empty elements", ",,close,,", true),
        ("part of a token", "closed", false),
        ("two words", "close now", false),
        ("with a parameter", "close;q=1", false),
        ("quoted", "\"close\"", false),
        ("within quotes", "\"a, close, b\"", false),
        ("no-break space is not white space", "\u{A0}close", false),
        ("nothing", "", false),
    ];
    for (name, value, expected) in rows {
        assert_eq!(
            contains_token(value.as_bytes(), "close"),
            expected,
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn splitting_agrees_with_a_naive_reader(value in r#"[,"\\ \tab]{0,24}"#) {
        prop_assert_eq!(split(value.as_bytes()), split_naively(&value));
    }

    #[test]
    fn any_bytes_can_be_split(value in proptest::collection::vec(any::<u8>(), 0..60)) {
        for element in elements(&value) {
            prop_assert!(!element.is_empty());
        }
    }
}

/// Says of each byte whether a quoted-string holds it, then cuts at the commas that none holds.
fn split_naively(value: &str) -> Vec<String> {
    let mut cut = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in value.chars() {
        if c == ',' && !quoted {
            cut.push(String::new());
            continue;
        }
        cut.last_mut().expect("never empty").push(c);
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
    }
    let trimmed = cut
        .iter()
        .map(|element| element.trim_matches([' ', '\t']).to_string());
    trimmed.filter(|element| !element.is_empty()).collect()
}

fn split(value: &[u8]) -> Vec<String> {
    elements(value)
        .map(|element| String::from_utf8_lossy(element).into_owned())
        .collect()
}
