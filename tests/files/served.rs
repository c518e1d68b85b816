//! Which files are served, and with which headers.

use crate::tree::Tree;
use doorstep::Method;

fn site() -> Tree {
    let tree = Tree::new();
    tree.file("index.html", "home")
        .file("404.html", "nothing here")
        .file("empty.txt", "")
        .file("docs/index.html", "docs")
        .file("docs/index.htm", "second choice")
        .file("old/index.htm", "old")
        .file("app/index.html/decoy", "index.html is a folder here")
        .file("app/index.htm", "app")
        .file("plain/a.txt", "a")
        .file(".well-known/acme-challenge/token", "token")
        .file(".well-known/.secret", "SECRET")
        .file(".git/config", "SECRET")
        .file("a b+c.txt", "space and plus")
        .file("100%.txt", "percent")
        .file("%41.txt", "an escape in the name")
        .file("grüße.html", "umlaut")
        .file("a;b=c,d.txt", "delimiters")
        .file("...x", "SECRET");
    tree
}

/// (case, target, status, content or Location)
#[rustfmt::skip]
const ROWS: &[(&str, &str, u16, &str)] = &[
    ("the root's index", "/", 200, "home"),
    ("the index by its name", "/index.html", 200, "home"),
    ("with a query", "/index.html?v=2&/../x", 200, "home"),
    ("a folder's index", "/docs/", 200, "docs"),
    ("index.html before index.htm", "/docs/index.htm", 200, "second choice"),
    ("index.htm where there is no other", "/old/", 200, "old"),
    ("an index that is a folder is none", "/app/", 200, "app"),
    ("a file in a folder", "/plain/a.txt", 200, "a"),
    ("an empty file", "/empty.txt", 200, ""),
    ("absolute form", "http://localhost/plain/a.txt", 200, "a"),
    ("absolute form without a path", "http://localhost", 200, "home"),
    ("escaped letters", "/%70l%61in/%61%2Etxt", 200, "a"),
    ("an escaped slash", "/plain%2Fa.txt", 404, "nothing here"),
    ("space and plus", "/a%20b+c.txt", 200, "space and plus"),
    ("plus is no space", "/a+b+c.txt", 404, "nothing here"),
    ("percent", "/100%25.txt", 200, "percent"),
    ("decoded once", "/%2541.txt", 200, "an escape in the name"),
    ("UTF-8", "/gr%C3%BC%C3%9Fe.html", 200, "umlaut"),
    ("delimiters", "/a;b=c,d.txt", 200, "delimiters"),
    // RFC 8615 §3: meant to be asked for.
    ("well-known", "/.well-known/acme-challenge/token", 200, "token"),
    ("hidden below well-known", "/.well-known/.secret", 404, "nothing here"),
    ("well-known elsewhere", "/docs/.well-known/x", 404, "nothing here"),
    ("well-known in capitals", "/.WELL-KNOWN/acme-challenge/token", 404, "nothing here"),
    ("hidden", "/.git/config", 404, "nothing here"),
    ("three dots", "/...x", 404, "nothing here"),
    ("a folder without its slash", "/docs", 308, "/docs/"),
    ("a folder with a query", "/docs?a=1&b=/%2f?", 308, "/docs/?a=1&b=/%2f?"),
    ("a folder with an empty query", "/docs?", 308, "/docs/?"),
    ("an escaped folder", "/%64ocs", 308, "/%64ocs/"),
    ("a folder in absolute form", "http://localhost/docs?q", 308, "/docs/?q"),
    ("a folder without an index, no slash", "/plain", 308, "/plain/"),
    ("a file with a slash", "/plain/a.txt/", 404, "nothing here"),
    ("below a file", "/plain/a.txt/b", 404, "nothing here"),
    ("missing", "/missing", 404, "nothing here"),
    ("a missing folder", "/missing/", 404, "nothing here"),
];

#[test]
fn a_path_leads_to_its_file() {
    let tree = site();
    for (name, target, status, expected) in ROWS {
        let answer = tree.get(target);
        assert_eq!(answer.status, *status, "{name}: {target}: {answer:?}");
        let got = match status {
            308 => answer.header_value("Location").to_string(),
            _ => answer.text(),
        };
        assert_eq!(got, *expected, "{name}: {target}");
    }
}

#[test]
fn a_file_has_its_headers() {
    let answer = site().get("/index.html");
    assert_eq!(
        answer.header_value("Content-Type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(answer.header_value("X-Content-Type-Options"), "nosniff");
    assert_eq!(answer.header_value("Cache-Control"), "no-cache");
    let tag = answer.header_value("ETag");
    let quoted = tag.len() > 4 && tag.starts_with('"') && tag.ends_with('"');
    assert!(quoted, "{tag}");
    assert_eq!(answer.header_value("Last-Modified").len(), 29, "{answer:?}");
    assert_eq!(answer.length, 4);
    // The server writes it.
    assert_eq!(answer.header_value("Content-Length"), "");
}

/// RFC 9110 §8.8: a validator tells one content of a file from another.
#[test]
fn another_content_has_another_tag() {
    let tree = site();
    let tag = |content: &str| {
        tree.file("changing.txt", content);
        tree.get("/changing.txt").header_value("ETag").to_string()
    };
    let (first, second) = (tag("one"), tag("three"));
    assert_ne!(first, second);
    let again = tree.get("/changing.txt");
    assert_eq!(second, again.header_value("ETag"), "nothing has changed");
}

/// RFC 9110 §9.3.2: HEAD's headers are those of GET.
#[test]
fn head_has_the_headers_of_get() {
    let tree = site();
    for (name, target, ..) in ROWS {
        let (get, head) = (tree.get(target), tree.send(Method::Head, target));
        assert_eq!(
            (get.status, get.fields, get.length, get.reason),
            (head.status, head.fields, head.length, head.reason),
            "{name}"
        );
    }
}

/// RFC 9110 §15.4.9: a browser keeps it forever unless told otherwise.
#[test]
fn a_redirect_is_revalidated() {
    let answer = site().get("/docs");
    assert_eq!(answer.header_value("Cache-Control"), "no-cache");
    assert_eq!(answer.length, 0);
}

#[test]
fn a_large_file_is_sent_whole() {
    let tree = site();
    let large: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    tree.file("large.bin", &large);
    let answer = tree.get("/large.bin");
    assert_eq!((answer.length, answer.content == large), (300_000, true));
    assert_eq!(
        answer.header_value("Content-Type"),
        "application/octet-stream"
    );
}

#[cfg(unix)]
#[test]
fn a_name_may_be_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let tree = site();
    #[rustfmt::skip]
    let rows: &[(&[u8], &str)] = &[
        (b"\xFF\xFE.txt", "/%FF%fe.txt"),
        (b"<img src=x onerror=alert(1)>", "/%3Cimg%20src=x%20onerror=alert(1)%3E"),
        (b"\">&'", "/%22%3E&'"),
        (b"raw\"<>|^`{}", "/raw\"<>|^`{}"),
        (b"what?#", "/what%3F%23"),
        (b"c:", "/c:"),
        (b"CON", "/CON"),
        (b"x.", "/x."),
        (b" ", "/%20"),
        (b"~", "/~"),
        (b"\xC0\xAE\xC0\xAE", "/%c0%ae%c0%ae"),
    ];
    for (name, target) in rows {
        let path = tree.path("").join(OsStr::from_bytes(name));
        if let Err(error) = std::fs::write(path, "found") {
            let why = format!("the disk does not take {target}: {error}");
            crate::support::skipped("a_name_may_be_any_bytes", &why);
            continue;
        }
        let answer = tree.get(target);
        let got = (answer.status, answer.text());
        assert_eq!(got, (200, "found".into()), "{target}");
    }
}

#[test]
fn the_type_is_that_of_the_file_that_answers() {
    let tree = site();
    tree.file("folder.css/index.html", "x");
    let (html, unknown) = ("text/html; charset=utf-8", "application/octet-stream");
    for (target, expected) in [
        ("/folder.css/", html),
        ("/old/", html),
        ("/plain/a.txt", "text/plain; charset=utf-8"),
        ("/.well-known/acme-challenge/token", unknown),
    ] {
        assert_eq!(
            tree.get(target).header_value("Content-Type"),
            expected,
            "{target}"
        );
    }
}
