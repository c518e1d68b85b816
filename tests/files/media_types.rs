//! The table of media types, and how a name is looked up in it.

use doorstep::internals::files::media_types::{all, of};

#[test]
fn a_name_has_the_type_of_its_extension() {
    let rows = [
        ("index.html", "text/html; charset=utf-8"),
        ("INDEX.HTML", "text/html; charset=utf-8"),
        ("a/b.c/style.Css", "text/css; charset=utf-8"),
        // RFC 9239 §6
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("app.min.js", "text/javascript; charset=utf-8"),
        // RFC 8259 §11
        ("data.json", "application/json"),
        ("site.webmanifest", "application/manifest+json"),
        ("feed.xml", "application/xml; charset=utf-8"),
        ("door.svg", "image/svg+xml; charset=utf-8"),
        ("notes.md", "text/markdown; charset=utf-8"),
        ("notes.txt", "text/plain; charset=utf-8"),
        ("main.rs", "text/plain; charset=utf-8"),
        ("street.png", "image/png"),
        ("a.jpeg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("favicon.ico", "image/x-icon"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.pdf", "application/pdf"),
        ("a.mp4", "video/mp4"),
        ("a.mp3", "audio/mpeg"),
        ("a.tar.gz", "application/gzip"),
        ("a.zip", "application/zip"),
        (".html", "text/html; charset=utf-8"),
        ("", UNKNOWN),
        ("Makefile", UNKNOWN),
        ("html", UNKNOWN),
        ("a.", UNKNOWN),
        ("a.html.", UNKNOWN),
        ("a.html/", UNKNOWN),
        ("a.html/b", UNKNOWN),
        ("a.nosuchtype", UNKNOWN),
        ("a.htmlhtmlhtmlhtmlhtml", UNKNOWN),
        ("a. html", UNKNOWN),
    ];
    for (name, expected) in rows {
        assert_eq!(of(name.as_bytes()), expected, "{name}");
    }
    assert_eq!(of(b"\xFF.\xFF"), UNKNOWN);
    assert_eq!(of(b"a.html\0"), UNKNOWN);
    assert_eq!(of(&[b'.'; 9000]), UNKNOWN);
}

#[test]
fn the_table_can_be_searched() {
    let table = all();
    assert!(table.len() >= 150, "{}", table.len());
    for pair in table.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
    }
    for (extension, media_type) in table {
        assert_eq!(*extension, extension.to_ascii_lowercase());
        for name in [
            format!("x.{extension}"),
            format!("X.{}", extension.to_ascii_uppercase()),
        ] {
            assert_eq!(of(name.as_bytes()), *media_type, "{name}");
        }
    }
}

/// RFC 9110 §8.3: a type and a subtype, and at most the one parameter that we set.
#[test]
fn each_type_is_one_and_text_has_a_charset() {
    const KINDS: [&str; 8] = [
        "application",
        "audio",
        "font",
        "image",
        "message",
        "model",
        "text",
        "video",
    ];
    for (extension, media_type) in all() {
        let (bare, charset) = match media_type.strip_suffix("; charset=utf-8") {
            Some(bare) => (bare, true),
            None => (*media_type, false),
        };
        let (kind, subtype) = bare.split_once('/').expect("a slash");
        assert!(KINDS.contains(&kind), "{extension}: {media_type}");
        let fine = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
        let token = !subtype.is_empty() && subtype.bytes().all(fine);
        assert!(token, "{extension}: {media_type}");
        let xml = subtype.starts_with("xml") || subtype.ends_with("+xml");
        assert_eq!(charset, kind == "text" || xml, "{extension}: {media_type}");
    }
}

const UNKNOWN: &str = "application/octet-stream";
