//! The effect of each option about files, as a client sees it.

use crate::folder::Folder;
use crate::program::{TIMEOUT, doorstep};
use crate::support::client::Answer;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// A request's path and headers, and the expected response.
struct Ask(&'static str, &'static str, Expected);

enum Expected {
    Status(u16),
    Content(&'static str),
    Content404(&'static str),
    Field(&'static str, &'static str),
}

use Expected::{Content, Content404, Field, Status};

const PAGE: &str = "Accept: text/html,*/*;q=0.8\r\n";
const IMAGE: &str = "Accept: image/png\r\n";

/// Arguments, environment, requests.
struct Row(
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    &'static [Ask],
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row(&[], &[], &[
        Ask("/", "", Content("index")),
        Ask("/sub/", "", Content("sub index")),
        Ask("/about", "", Content("about")),
        Ask("/about.html", "", Content("about")),
        Ask("/.secret", "", Status(404)),
        Ask("/plain/", "", Status(200)),
        Ask("/deep/path", PAGE, Status(404)),
        Ask("/page", "", Field("Cache-Control", "no-cache")),
        Ask("/app.3f2a9c1b.js", "", Field("Cache-Control", "no-cache")),
        Ask("/tea.zzz", "", Field("Content-Type", "application/octet-stream")),
    ]),
    Row(&["--index", "home.html"], &[], &[
        Ask("/", "", Content("home")),
        Ask("/sub/", "", Status(200)),
        Ask("/index.html", "", Content("index")),
    ]),
    Row(&["--index=missing.html", "--index=home.html", "--index=index.html"], &[], &[
        Ask("/", "", Content("home")),
        Ask("/sub/", "", Content("sub index")),
    ]),
    Row(&[], &[("DOORSTEP_INDEX", "missing.html home.html")], &[Ask("/", "", Content("home"))]),
    Row(&["--index", "index.html"], &[("DOORSTEP_INDEX", "home.html")], &[Ask("/", "", Content("index"))]),
    Row(&["--spa"], &[], &[
        Ask("/deep/path", PAGE, Content("index")),
        Ask("/deep/path?x=.js", PAGE, Content("index")),
        Ask("/deep/path", IMAGE, Status(404)),
        Ask("/deep/app.js", PAGE, Status(404)),
        Ask("/page", PAGE, Content("tea")),
    ]),
    Row(&["--spa=about.html"], &[], &[Ask("/deep/path", PAGE, Content("about"))]),
    Row(&["--spa=/sub/index.html"], &[], &[Ask("/deep/path", PAGE, Content("sub index"))]),
    Row(&["--single"], &[], &[Ask("/deep/path", PAGE, Content("index"))]),
    Row(&["-s", "--index=home.html"], &[], &[Ask("/deep/path", PAGE, Content("home"))]),
    Row(&[], &[("DOORSTEP_SPA", "1")], &[Ask("/deep/path", PAGE, Content("index"))]),
    Row(&[], &[("DOORSTEP_SPA", "about.html")], &[Ask("/deep/path", PAGE, Content("about"))]),
    Row(&[], &[("DOORSTEP_SPA", "0")], &[Ask("/deep/path", PAGE, Status(404))]),
    Row(&["--hidden"], &[], &[Ask("/.secret", "", Content("secret"))]),
    Row(&[], &[("DOORSTEP_HIDDEN", "1")], &[Ask("/.secret", "", Content("secret"))]),
    Row(&["--no-listing"], &[], &[Ask("/plain/", "", Status(404)), Ask("/plain/a.txt", "", Content("a"))]),
    Row(&["--no-clean-urls"], &[], &[Ask("/about", "", Status(404)), Ask("/about.html", "", Content("about"))]),
    // RFC 9111 §1.2.2: seconds.
    Row(&["--cache", "60"], &[], &[Ask("/page", "", Field("Cache-Control", "max-age=60"))]),
    Row(&["--cache=0"], &[], &[Ask("/page", "", Field("Cache-Control", "max-age=0"))]),
    Row(&["--no-store"], &[], &[Ask("/page", "", Field("Cache-Control", "no-store"))]),
    Row(&["--no-store"], &[("DOORSTEP_CACHE", "60")], &[Ask("/page", "", Field("Cache-Control", "no-store"))]),
    Row(&["--immutable", "--cache", "60"], &[], &[
        Ask("/page", "", Field("Cache-Control", "max-age=60")),
        Ask("/app.3f2a9c1b.js", "", Field("Cache-Control", "max-age=31536000, immutable")),
    ]),
    Row(&["--mime", "zzz=text/x-tea", "--mime=.html=text/x-page", "--mime", "home.html=application/x-home"], &[], &[
        Ask("/tea.zzz", "", Field("Content-Type", "text/x-tea; charset=utf-8")),
        Ask("/about.html", "", Field("Content-Type", "text/x-page; charset=utf-8")),
        Ask("/home.html", "", Field("Content-Type", "application/x-home")),
    ]),
    Row(&[], &[("DOORSTEP_MIME", "zzz=text/x-tea html=text/x-page")], &[
        Ask("/tea.zzz", "", Field("Content-Type", "text/x-tea; charset=utf-8")),
        Ask("/about.html", "", Field("Content-Type", "text/x-page; charset=utf-8")),
    ]),
];

fn site() -> Folder {
    let folder = Folder::with_page();
    folder.folder("plain");
    folder.folder("sub");
    for (name, content) in [
        ("index.html", "index"),
        ("home.html", "home"),
        ("about.html", "about"),
        ("tea.zzz", "tea"),
        (".secret", "secret"),
        ("app.3f2a9c1b.js", "app"),
        ("plain/a.txt", "a"),
        ("sub/index.html", "sub index"),
    ] {
        // Unchanged for a long time, as `immutable` requires.
        let file = File::options().write(true).open(folder.file(name, content));
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        file.and_then(|file| file.set_modified(long_ago)).unwrap();
    }
    folder
}

fn assert_response(response: &Answer, expected: &Expected, what: &str) {
    match expected {
        Status(status) => assert_eq!(response.status, *status, "{what}"),
        Field(name, value) => assert_eq!(response.header_value(name), Some(*value), "{what}"),
        Content(content) | Content404(content) => {
            let is_found = matches!(expected, Content(_));
            assert_eq!(response.status, if is_found { 200 } else { 404 }, "{what}");
            let text = String::from_utf8_lossy(&response.content);
            assert_eq!(text, *content, "{what}");
        }
    }
}

fn assert_rows(folder: &Folder, rows: &[Row]) {
    assert_rows_in(folder.path(), rows);
}

fn assert_rows_in(folder: &Path, rows: &[Row]) {
    for Row(arguments, environment, asks) in rows {
        let mut setup = doorstep(folder, arguments.iter().chain(&["-p0"]));
        for (name, value) in *environment {
            setup = setup.with(name, value);
        }
        let program = setup.serve();
        for Ask(path, fields, expected) in *asks {
            let response = program.ask(&format!("GET {path}"), fields);
            let what = format!("{arguments:?} {environment:?} {path}");
            assert_response(&response, expected, &what);
        }
    }
}

#[test]
fn options_take_effect() {
    assert_rows(&site(), ROWS);
}

/// A symlink inside the folder, one out of it, and one with an absolute target.
#[cfg(unix)]
#[rustfmt::skip]
const SYMLINKS: &[Row] = &[
    Row(&[], &[], &[
        Ask("/inside", "", Content("tea")), Ask("/outside", "", Status(404)), Ask("/absolute", "", Status(404)),
    ]),
    Row(&["--symlinks", "inside"], &[], &[
        Ask("/inside", "", Content("tea")), Ask("/outside", "", Status(404)), Ask("/absolute", "", Status(404)),
    ]),
    Row(&["--symlinks=none"], &[], &[
        Ask("/inside", "", Status(404)), Ask("/outside", "", Status(404)), Ask("/absolute", "", Status(404)),
    ]),
    Row(&["--symlinks=all"], &[], &[
        Ask("/inside", "", Content("tea")), Ask("/outside", "", Content("outer")), Ask("/absolute", "", Content("outer")),
    ]),
    Row(&[], &[("DOORSTEP_SYMLINKS", "all")], &[Ask("/outside", "", Content("outer"))]),
];

#[cfg(unix)]
#[test]
fn symlinks_are_followed_as_chosen() {
    use std::os::unix::fs::symlink;
    let (folder, other) = (site(), Folder::new());
    let outer = other.file("outer", "outer");
    let up = std::path::Path::new("..");
    let other_name = other.path().file_name().unwrap();
    symlink("page", folder.path().join("inside")).unwrap();
    symlink(
        up.join(other_name).join("outer"),
        folder.path().join("outside"),
    )
    .unwrap();
    symlink(outer, folder.path().join("absolute")).unwrap();
    assert_rows(&folder, SYMLINKS);
}

/// Windows cannot create such a file.
#[cfg(unix)]
#[test]
fn names_can_be_portable() {
    let folder = Folder::new();
    folder.file("aux.txt", "tea");
    let rows = [
        Row(&[], &[], &[Ask("/aux.txt", "", Content("tea"))]),
        Row(
            &["--portable-names"],
            &[],
            &[Ask("/aux.txt", "", Status(404))],
        ),
    ];
    assert_rows(&folder, &rows);
}

/// Each change is visible at once, although the files look unchanged for a long time.
#[test]
fn without_a_cache_changes_show_at_once() {
    let folder = Folder::new();
    for size in ["--file-cache=0", "--file-cache=0M"] {
        let program = doorstep(folder.path(), ["-p0", size]).serve();
        for round in 10..30 {
            let page = folder.file("page", round.to_string());
            let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + round);
            let page = File::options().write(true).open(page).unwrap();
            page.set_modified(long_ago).unwrap();
            assert_eq!(program.get("/page").content, round.to_string().as_bytes());
        }
    }
}

#[test]
fn one_file_is_served_for_every_path() {
    let folder = site();
    folder.file("a b.html", "one");
    for argument in ["a b.html", "./a b.html", "sub/../a b.html"] {
        let program = doorstep(folder.path(), [argument, "0"]).serve();
        let root = format!(" root={} pid=", folder.path().join("a b.html").display());
        assert!(program.line().contains(&root), "{}", program.line());
        for path in [
            "/",
            "/page",
            "/sub/",
            "/missing/x.js",
            "/..%2f",
            "/%00",
            "//",
            "/?x=y",
        ] {
            let response = program.get(path);
            assert_response(&response, &Content("one"), path);
            assert_response(
                &response,
                &Field("Content-Type", "text/html; charset=utf-8"),
                path,
            );
        }
        let part = program.ask("GET /x", "Range: bytes=1-\r\n");
        assert_eq!((part.status, part.content.as_slice()), (206, &b"ne"[..]));
        let tag = program.get("/x").header_value("ETag").unwrap().to_string();
        let again = program.ask("GET /y", &format!("If-None-Match: {tag}\r\n"));
        assert_eq!(again.status, 304);
        assert_eq!(program.ask("POST /x", "").status, 405);
    }
    for name in ["404.html", "sub/404.html", ".secret.html"] {
        folder.file(name, "never");
    }
    for (file, content) in [(".secret", "secret"), ("sub/index.html", "sub index")] {
        let program = doorstep(folder.path(), [file, "0"]).serve();
        assert_response(&program.get("/x"), &Content(content), file);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        // The cache follows within 100 ms.
        let end = Instant::now() + TIMEOUT;
        while program.get("/x").status != 404 {
            assert!(Instant::now() < end, "{file} is gone");
        }
        // No other file of the folder is served instead.
        for _ in 0..2 {
            assert!(!program.get("/x").content.starts_with(b"never"), "{file}");
            assert_eq!(program.get("/404.html").status, 404, "{file}");
            folder.folder(file);
        }
    }
}

#[cfg(unix)]
#[test]
fn one_file_may_be_a_symlink() {
    let (folder, other) = (Folder::new(), site());
    std::os::unix::fs::symlink(other.path().join("page"), folder.path().join("link")).unwrap();
    let program = doorstep(folder.path(), ["link", "0"]).serve();
    assert_response(&program.get("/x"), &Content("tea"), "link");
}

/// Folders mounted at `/docs`, `/docs/api` and `/a b`.
#[rustfmt::skip]
const MOUNTS: &[Row] = &[
    Row(&["--mount", "/docs=../manual", "--mount=/docs/api/=../reference", "--mount", "/a b=../reference"], &[], &[
        Ask("/docs/", "", Content("manual")),
        Ask("/docs/page", "", Content("manual page")),
        Ask("/docs/about", "", Content("manual about")),
        Ask("/docs/page?x=/docs/api/", "", Content("manual page")),
        Ask("/docs/missing", "", Content404("manual 404")),
        Ask("/missing", "", Content404("root 404")),
        Ask("/docs/api/", "", Content("reference")),
        Ask("/docs/api/page", "", Content("reference page")),
        Ask("/docs/apis", "", Content("manual apis")),
        Ask("/a%20b/page", "", Content("reference page")),
        Ask("/page", "", Content("tea")),
        Ask("/", "", Content("index")),
        Ask("/docs", "", Status(308)),
        Ask("/docs", "", Field("Location", "/docs/")),
        Ask("/docs?x=y&z", "", Field("Location", "/docs/?x=y&z")),
        Ask("/docs/api?", "", Field("Location", "/docs/api/?")),
        Ask("/docs/sub", "", Field("Location", "/docs/sub/")),
        Ask("/%64ocs/page", "", Content("manual page")),
        Ask("/%64ocs", "", Field("Location", "/%64ocs/")),
        Ask("/docs/%61pi/page", "", Content("reference page")),
        // CVE-2018-19052, CVE-2025-58751: a path that only starts like the mount belongs to the
        // root.
        Ask("/docs../", "", Content404("root 404")),
        Ask("/docs../reference/page", "", Content404("root 404")),
        Ask("/docs..%2freference/page", "", Content404("root 404")),
        Ask("/docsX", "", Content404("root 404")),
        Ask("/docsX/page", "", Content404("root 404")),
        Ask("/docs%2fpage", "", Content404("root 404")),
        Ask("/docs%5cpage", "", Content404("root 404")),
        Ask("/DOCS/page", "", Content404("root 404")),
        Ask("//docs/page", "", Content404("root 404")),
        Ask("/docs//page", "", Content404("root 404")),
        Ask("/docs/../page", "", Content404("root 404")),
        Ask("/docs/%2e%2e/page", "", Content404("root 404")),
        Ask("/docs/.secret", "", Content404("root 404")),
    ]),
    Row(&[], &[("DOORSTEP_MOUNT", "/docs=../manual")], &[Ask("/docs/page", "", Content("manual page"))]),
    Row(&["page", "--mount=/docs=../manual"], &[], &[
        Ask("/docs/page", "", Content("manual page")),
        Ask("/docs/missing", "", Content404("manual 404")),
        Ask("/docsX", "", Content("tea")),
        Ask("/docs/../x", "", Content("tea")),
    ]),
];

/// Runs [`MOUNTS`]; the root is `site`.
#[test]
fn mounts_are_served_below_their_paths() {
    let folder = Folder::new();
    for (name, content) in [
        ("site/page", "tea"),
        ("site/index.html", "index"),
        ("site/404.html", "root 404"),
        ("site/docs/hidden behind the mount", "never"),
        ("manual/index.html", "manual"),
        ("manual/page", "manual page"),
        ("manual/about.html", "manual about"),
        ("manual/apis", "manual apis"),
        ("manual/404.html", "manual 404"),
        ("manual/.secret", "never"),
        ("manual/sub/page", "never"),
        ("manual/api/page", "never"),
        ("reference/index.html", "reference"),
        ("reference/page", "reference page"),
        ("manual../reference/page", "never"),
    ] {
        let (parent, _) = name.rsplit_once('/').unwrap();
        folder.folder(parent);
        folder.file(name, content);
    }
    assert_rows_in(&folder.path().join("site"), MOUNTS);

    let outcome = |argument| doorstep(folder.path(), ["site", "0", "--mount", argument]).run();
    let missing = outcome("/x=manul");
    let here = folder.path().display();
    assert_eq!(
        (missing.status, missing.err),
        (
            Some(1),
            format!(
                "doorstep: cannot serve 'manul': no such folder (looked in {here})\n  hint: did you mean 'manual'?\n"
            )
        )
    );
    let page = outcome("/x=site/page");
    assert_eq!(
        (page.status, page.err.as_str()),
        (
            Some(1),
            "doorstep: cannot serve 'site/page': not a folder\n"
        )
    );
    folder.file("manual/server.key", "");
    let program = doorstep(folder.path(), ["site", "0", "--mount=/x=manual"]).serve();
    assert!(
        program.kill().err.contains(
            "doorstep: warning: /x: the folder holds server.key: is it the one to share?\n"
        )
    );
}

#[test]
fn warns_of_missing_pages() {
    let folder = site();
    for (arguments, expected) in [
        (&["--index", "home.html", "--spa"][..], ""),
        (&["--index=x.html", "--index=home.html"], ""),
        (&["--spa=sub/index.html"], ""),
        (
            &["--index=x.html"],
            "doorstep: warning: the folder has no x.html (--index)\n",
        ),
        (
            &["--index=x.html", "-s"],
            "doorstep: warning: the folder has no x.html (--index)\ndoorstep: warning: the folder has no x.html (--spa)\n",
        ),
        (
            &["--spa=sub"],
            "doorstep: warning: the folder has no sub (--spa)\n",
        ),
    ] {
        let program = doorstep(folder.path(), arguments.iter().chain(&["-p0"])).serve();
        let err = program.kill().err;
        let lines = err.split_inclusive('\n');
        let warnings: String = lines.filter(|line| line.contains("has no")).collect();
        assert_eq!(warnings, expected, "{arguments:?}");
    }
}
