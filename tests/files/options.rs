//! The settings of a site, each by its effect.

use crate::tree::Tree;
use doorstep::{CacheControl, FieldError, Files, Method};
use std::time::{Duration, SystemTime};

#[test]
fn a_clean_url_finds_its_page() {
    let tree = Tree::new();
    tree.file("about.html", "about")
        .file("both", "file")
        .file("both.html", "page")
        .file("guide.html", "guide")
        .file("guide/part.html", "part")
        .file("sub/page.html", "page")
        .file("v1.2.html", "version")
        .file("only.htm", "htm")
        .file("page.html.html", "twice")
        .folder("folder.html")
        .folder("empty");
    // target, status, content or Location
    for (target, status, expected) in [
        ("/about", 200, "about"),
        ("/about?q=1", 200, "about"),
        ("/about.html", 200, "about"),
        ("/%61bout", 200, "about"),
        ("/both", 200, "file"),
        ("/guide", 200, "guide"),
        ("/guide/part", 200, "part"),
        ("/sub/page", 200, "page"),
        ("/v1.2", 200, "version"),
        ("/only", 404, ""),
        ("/page.html", 404, ""),
        ("/folder", 404, ""),
        ("/empty", 308, "/empty/"),
        ("/about/", 404, ""),
        ("/About", 404, ""),
    ] {
        if target == "/About" && !cfg!(target_os = "linux") {
            // Names that differ in case alone are one name there.
            continue;
        }
        let answer = tree.get(target);
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        match status {
            200 => {
                assert_eq!(answer.text(), expected, "{target}");
                let media_type = if target == "/both" {
                    "application/octet-stream"
                } else {
                    "text/html; charset=utf-8"
                };
                assert_eq!(answer.header_value("Content-Type"), media_type, "{target}");
            }
            308 => assert_eq!(answer.header_value("Location"), expected, "{target}"),
            _ => {}
        }
    }
}

#[test]
fn clean_urls_can_be_switched_off() {
    let tree = Tree::with(|files| files.clean_urls(false));
    tree.file("about.html", "about")
        .file("guide.html", "guide")
        .folder("guide");
    assert_eq!(tree.get("/about").status, 404);
    assert_eq!(tree.get("/guide").status, 308);
    assert_eq!(tree.get("/about.html").status, 200);
}

#[test]
fn listings_can_be_switched_off() {
    let tree = Tree::with(|files| files.listing(false));
    tree.file("folder/a.txt", "a").file("404.html", "nothing");
    let answer = tree.get("/folder/");
    let got = (answer.status, answer.reason.as_str(), answer.text());
    assert_eq!(
        got,
        (404, "no index file in the folder", "nothing".to_string())
    );
    assert_eq!(tree.get("/folder").status, 308);
    assert_eq!(tree.get("/folder/a.txt").status, 200);
}

#[test]
fn a_single_page_application_gets_its_page() {
    let tree = Tree::with(|files| files.spa("index.html"));
    tree.file("index.html", "app")
        .file("app.js", "script")
        .file("404.html", "nothing")
        .file("docs/index.html", "docs");
    let page = Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    // case, target, Accept, status, content
    for (name, target, accept, status, expected) in [
        ("a path of the application", "/users/7", page, 200, "app"),
        ("with a slash", "/users/", page, 200, "app"),
        ("any type is taken", "/users/7", Some("*/*"), 200, "app"),
        ("no Accept", "/users/7", None, 200, "app"),
        ("a dot in a folder's name", "/v1.2/users", page, 200, "app"),
        ("a script that is gone", "/old.js", page, 404, "nothing"),
        (
            "a picture that is gone",
            "/users/7.png",
            page,
            404,
            "nothing",
        ),
        (
            "data is wanted",
            "/api/users",
            Some("application/json"),
            404,
            "nothing",
        ),
        (
            "HTML is excluded",
            "/users/7",
            Some("text/html;q=0, */*"),
            404,
            "nothing",
        ),
        ("a file that is there", "/app.js", page, 200, "script"),
        ("a folder that is there", "/docs/", page, 200, "docs"),
        (
            "what is refused is no path of the application",
            "/..%2fusers",
            page,
            404,
            "nothing",
        ),
        ("hidden files neither", "/.env", page, 404, "nothing"),
    ] {
        let lines: Vec<(&str, &str)> = accept.map(|value| ("Accept", value)).into_iter().collect();
        let answer = tree.get_with(target, &lines);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, expected),
            "{name}"
        );
        let head = tree.send_with(Method::Head, target, &lines);
        assert_eq!(
            (head.status, head.fields),
            (answer.status, answer.fields),
            "{name}: HEAD"
        );
    }
    let answer = tree.get("/users/7");
    let tag = answer.header_value("ETag");
    assert_eq!(
        tree.get_with("/users/8", &[("If-None-Match", tag)]).status,
        304
    );
    assert_eq!(tree.send(Method::Post, "/users/7").status, 405);
}

#[test]
fn a_missing_application_page_is_404() {
    let tree = Tree::with(|files| files.spa("app.html"));
    assert_eq!(tree.get("/users/7").status, 404);
}

/// As [`Files::hidden`] says: the system follows a link without a word of its target's name.
#[cfg(unix)]
#[test]
fn a_symlink_is_judged_by_its_own_name() {
    let tree = Tree::new();
    tree.file(".secret", "secret")
        .file("plain", "plain")
        .link("public.txt", ".secret")
        .link(".link", "plain");
    assert_eq!(tree.get("/public.txt").text(), "secret");
    assert_eq!(tree.get("/.link").status, 404);
}

#[test]
fn hidden_files_can_be_served() {
    let tree = Tree::with(|files| files.hidden(true));
    tree.file(".env", "env")
        .file(".git/config", "git")
        .outside("secret", "SECRET");
    assert_eq!(tree.get("/.env").text(), "env");
    assert_eq!(tree.get("/.git/config").text(), "git");
    for target in ["/../secret", "/%2e/.env", "/%2e%2e/secret", "/.git/../.env"] {
        assert_eq!(tree.get(target).status, 404, "{target}");
    }
}

#[test]
fn index_files_can_be_chosen() {
    let tree = Tree::with(|files| files.index(["home.txt", "index.html"]));
    tree.file("home.txt", "home")
        .file("index.html", "index")
        .file("sub/index.html", "sub");
    assert_eq!(tree.get("/").text(), "home");
    assert_eq!(
        tree.get("/").header_value("Content-Type"),
        "text/plain; charset=utf-8"
    );
    assert_eq!(tree.get("/sub/").text(), "sub");
}

/// Cache-Control by setting and name (RFC 9111 §5.2.2; RFC 8246 §2 and RFC 2616 §14.21 for
/// immutable files).
#[test]
fn cache_control_follows_the_settings() {
    type Choose = fn(Files) -> Files;
    // setting, for a file, for one with a hash in its name
    let choices: [(&str, Choose, &str, &str); 5] = [
        ("nothing", |files| files, "no-cache", "no-cache"),
        (
            "an age",
            |files| files.cache_control(CacheControl::MaxAge(60)),
            "max-age=60",
            "max-age=60",
        ),
        (
            "no store",
            |files| files.cache_control(CacheControl::NoStore),
            "no-store",
            "no-store",
        ),
        (
            "immutable",
            |files| files.immutable(true),
            "no-cache",
            "max-age=31536000, immutable",
        ),
        (
            "immutable and an age",
            |files| {
                files
                    .immutable(true)
                    .cache_control(CacheControl::MaxAge(60))
            },
            "max-age=60",
            "max-age=31536000, immutable",
        ),
    ];
    for (name, choose, plain, hashed) in choices {
        let tree = Tree::with(choose);
        tree.file("app.js", "a")
            .file("app.3f2a9c1b.js", "a")
            .file("app.3f2a9c1b.js.br", "a");
        assert_eq!(
            tree.get("/app.js").header_value("Cache-Control"),
            plain,
            "{name}"
        );
        for lines in [&[][..], &[("Accept-Encoding", "br")]] {
            let answer = tree.get_with("/app.3f2a9c1b.js", lines);
            assert_eq!(answer.header_value("Cache-Control"), hashed, "{name}");
        }
        // A listing may change at once.
        let listing = if plain == "no-store" {
            plain
        } else {
            "no-cache"
        };
        assert_eq!(
            tree.get("/").header_value("Cache-Control"),
            listing,
            "{name}"
        );
        let tag = tree.get("/app.js").header_value("ETag").to_string();
        let again = tree.get_with("/app.js", &[("If-None-Match", &tag)]);
        assert_eq!(
            (again.status, again.header_value("Cache-Control")),
            (304, plain),
            "{name}"
        );
        let part = tree.get_with("/app.js", &[("Range", "bytes=0-0")]);
        assert_eq!(
            (part.status, part.header_value("Cache-Control")),
            (206, plain),
            "{name}"
        );
    }
}

/// Half of a file that is being copied must not be kept for a year as the whole file.
#[test]
fn a_file_that_may_still_change_is_not_immutable() {
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let immutable = "max-age=31536000, immutable";
    for (name, since, expected) in [
        ("at the change", 0, "no-cache"),
        ("one below two seconds", 1_999_999_999, "no-cache"),
        ("two seconds", 2_000_000_000, immutable),
    ] {
        for length in [1, 100_000] {
            let mut tree = Tree::with(|files| files.immutable(true));
            tree.set_wall(changed + Duration::from_nanos(since));
            let path = "app.3f2a9c1b.js";
            tree.file(path, vec![b'a'; length]).modified(path, changed);
            let answer = tree.get("/app.3f2a9c1b.js");
            assert_eq!(
                answer.header_value("Cache-Control"),
                expected,
                "{name}: {length}"
            );
        }
    }
}

/// `mime_guess#75`: also by a whole name.
#[test]
fn a_media_type_can_be_chosen() {
    // what it is for, type
    let chosen = [
        ("foo", "text/x-foo"),
        (".JS", "text/x-old"),
        ("js", "text/x-js"),
        (".go", "text/x-go"),
        ("LICENSE", "text/html"),
        ("gz", "application/x-gz"),
        ("tar.gz", "application/x-tar-gz"),
        ("gz", "application/x-gzip"),
        ("wpad.dat", "TEXT/x-pac"),
        ("page.html", "text/html; q=1; Charset=ISO-8859-1"),
        ("json", "application/json; x=1"),
        ("svg", "image/svg+xml"),
        ("mjs", "application/javascript"),
        ("xml", "application/xml"),
        ("svgz", "application/x-own"),
    ];
    let choose = |files: Files| {
        chosen.into_iter().fold(files, |files, (name, media_type)| {
            files.media_type(name, media_type).expect("it is valid")
        })
    };
    let tree = Tree::with(choose);
    for (name, expected) in [
        ("a.foo", "text/x-foo; charset=utf-8"),
        ("a.FOO", "text/x-foo; charset=utf-8"),
        ("foo", "text/x-foo; charset=utf-8"),
        ("FOO", "application/octet-stream"),
        ("afoo", "application/octet-stream"),
        ("a.js", "text/x-js; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.go", "text/x-go; charset=utf-8"),
        ("go", "application/octet-stream"),
        ("LICENSE", "text/html; charset=utf-8"),
        ("license", "text/plain; charset=utf-8"),
        ("LICENSE-MIT", "text/plain; charset=utf-8"),
        ("a.gz", "application/x-gzip"),
        ("a.tar.gz", "application/x-tar-gz"),
        ("tar.gz", "application/x-tar-gz"),
        ("a.Tar.GZ", "application/x-tar-gz"),
        ("wpad.dat", "TEXT/x-pac; charset=utf-8"),
        ("b.dat", "application/octet-stream"),
        ("d.LICENSE/x", "application/octet-stream"),
        ("page.html", "text/html; q=1; Charset=ISO-8859-1"),
        ("json/a.json", "application/json; x=1"),
        ("a.svg", "image/svg+xml"),
        ("a.mjs", "application/javascript"),
        ("a.xml", "application/xml"),
        ("a.svgz", "application/x-own"),
    ] {
        let answer = tree.file(name, "").get(&format!("/{name}"));
        assert_eq!(answer.header_value("Content-Type"), expected, "{name}");
        let guessed = answer.header_value("X-Content-Type-Options");
        assert_eq!(guessed, "nosniff", "{name}");
        let coding = answer.header_value("Content-Encoding");
        assert_eq!(coding == "gzip", name == "a.svgz", "{name}: {coding}");
    }
    for wrong in ["", "text/x\r\nSet-Cookie: a", "text/\0x"] {
        let files = Files::new(".").expect("the current folder can be opened");
        let refused = files.media_type("x", wrong).err();
        assert_eq!(refused, Some(FieldError::Value), "{wrong:?}");
    }
}

#[test]
fn portable_names_are_those_that_every_system_has() {
    let (here, portable) = (Tree::new(), Tree::with(|files| files.portable_names(true)));
    for name in ["CON", "x.", "x ", "aux.txt", "com1", "a:b", "a~1", "x\u{7}"] {
        let target = format!("/{}", name.replace(' ', "%20").replace('\u{7}', "%07"));
        if cfg!(unix) {
            here.file(name, "here");
            portable.file(name, "portable");
            assert_eq!(here.get(&target).status, 200, "{name:?}");
        }
        assert_eq!(portable.get(&target).status, 404, "{name:?}");
    }
    portable.file("a.txt", "a");
    assert_eq!(portable.get("/a.txt").status, 200);
}

#[cfg(unix)]
#[test]
fn symlinks_are_followed_as_chosen() {
    use doorstep::Symlinks;
    // target, status for links inside, none, all
    let rows = [
        ("/a.txt", [200, 200, 200]),
        ("/inside", [200, 404, 200]),
        ("/folder/a.txt", [200, 404, 200]),
        ("/outside", [404, 404, 200]),
        ("/absolute", [404, 404, 200]),
        ("/loop", [404, 404, 404]),
    ];
    for (index, policy) in [Symlinks::Inside, Symlinks::None, Symlinks::All]
        .into_iter()
        .enumerate()
    {
        let tree = Tree::with(|files| files.symlinks(policy));
        tree.file("a.txt", "a")
            .file("sub/a.txt", "a")
            .outside("secret", "out");
        tree.link("inside", "a.txt")
            .link("folder", "sub")
            .link("outside", "../secret");
        tree.link("absolute", tree.path("a.txt"))
            .link("loop", "loop");
        for (target, statuses) in rows {
            assert_eq!(
                tree.get(target).status,
                statuses[index],
                "{target} with {policy:?}"
            );
        }
    }
}
