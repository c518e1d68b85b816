//! Which entries a listing of a real folder has, where its links lead, and the headers of the
//! response.

use crate::tree::Tree;
use doorstep::internals::files::disk::Disk;
use doorstep::internals::files::error::FileError;
use doorstep::internals::files::listing;
use doorstep::internals::files::listing::entries::LISTING_ENTRIES;
#[cfg(unix)]
use doorstep::internals::files::listing::escape::timestamp;
use doorstep::internals::files::listing::kept::Listings;
use doorstep::internals::files::listing::read_dir::OpenFolder;
use doorstep::internals::files::listing::style::POLICY;
use doorstep::internals::files::resolve::{PathRules, check_segment, resolve};
use doorstep::internals::files::respond::error_page;
use doorstep::internals::sys::beneath::Root;
use doorstep::{Method, Request, Response, Status, TestRequest};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The listing of the requested folder by these rules, or an error page.
fn listing_by(rules: PathRules, tree: &Tree, request: TestRequest) -> Response {
    listing_below(site_of(tree), rules, request)
}

pub fn site_of(tree: &Tree) -> Root {
    Root::open(&tree.path("")).expect("the site can be opened")
}

fn listing_below(root: Root, rules: PathRules, request: TestRequest) -> Response {
    listing_of(Arc::new(Listings::default()), root, rules, request)
}

/// The same with these listings.
pub fn listing_of(
    listings: Arc<Listings>,
    root: impl Into<Arc<Root>>,
    rules: PathRules,
    request: TestRequest,
) -> Response {
    let root = root.into();
    request.send(&move |request: &mut Request<'_>| {
        let path = resolve(request.path().as_bytes(), rules).expect("a clean path");
        let gate = Arc::default();
        let disk = Disk::of(&gate, 1);
        let folder = match disk.open(&root, path.below_root()) {
            Ok(opened) => opened.file,
            Err(FileError::Denied) => return Response::new(Status::FORBIDDEN),
            Err(error) => panic!("{}: {error:?}", request.path()),
        };
        let pass = disk.enter().expect("it is inside");
        let open = OpenFolder {
            root: &root,
            path: &path,
            folder: &folder,
            rules,
        };
        let listed = listing::respond(&listings, pass, &open, request, "no-cache");
        listed.unwrap_or_else(error_page)
    })
}

fn page(tree: &Tree, target: &str) -> String {
    let response = listing_by(
        PathRules::default(),
        tree,
        Request::test(Method::Get, target),
    );
    assert_eq!(response.status(), Status::OK, "{target}");
    let content = response.into_content().expect("it can be read");
    String::from_utf8(content).expect("UTF-8")
}

/// Every link of a page, as it is followed: entities replaced.
fn links(page: &str) -> Vec<String> {
    let values = page.split(" href=\"").skip(1);
    let values = values.filter_map(|rest| Some(rest.split_once('"')?.0));
    values.map(|value| value.replace("&amp;", "&")).collect()
}

/// The links of the entries, in order.
fn entries(page: &str) -> Vec<String> {
    let rows = page.split("<tr><td>").skip(1);
    rows.flat_map(links).collect()
}

/// The target of a relative link (RFC 3986 §5.2).
fn followed(base: &str, link: &str) -> String {
    let path = base.split('?').next().unwrap_or_default();
    if link.starts_with('?') {
        return format!("{path}{link}");
    }
    assert!(!link.starts_with('/') && !link.split('/').next().unwrap().contains(':'));
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in link.split('/') {
        // Like a browser, which knows them escaped, too.
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." => {}
            ".." => assert!(
                segments.pop().is_some_and(|name| !name.is_empty()),
                "above the root"
            ),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

/// Names that a browser or a system might misread.
const NAMES: &[&[u8]] = &[
    b"<img src=x onerror=alert(1)>",
    b"\"><script>alert(1)<",
    b"' onmouseover='alert(1)",
    b"a&b",
    b"&lt;",
    b"100%",
    b"%41",
    b"%2e%2e%2fa",
    b"a?b=c",
    b"a#b",
    b"a b+c",
    b"  a  ",
    b"two\nlines",
    b"\x1B[31mred\x7F",
    b"caf\xE9",
    b"\xFF\xFE",
    b"javascript:alert(1)",
    b"http:",
    b"c:",
    b"~user",
    b"a;b=c,d@e!$*()[]{}|^`",
    b"-rf",
    "x\u{202E}fdp.exe".as_bytes(),
    "gr\u{FC}n \u{1F600}".as_bytes(),
    "\u{2028}".as_bytes(),
];

#[cfg(unix)]
fn on_disk(tree: &Tree, path: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    tree.path("").join(std::ffi::OsStr::from_bytes(path))
}

#[cfg(not(unix))]
fn on_disk(tree: &Tree, path: &[u8]) -> std::path::PathBuf {
    tree.path(&String::from_utf8_lossy(path))
}

/// GHSA-rwfq-v4hq-h7fg: a name is text, wherever it is shown, and its link leads to it.
#[test]
fn links_lead_to_what_they_name() {
    let tree = Tree::new();
    // A folder of each name, and in it a file and a folder of that name.
    let mut made = Vec::new();
    // Windows has few of these names.
    let names = NAMES
        .iter()
        .filter(|name| check_segment(name, true, PathRules::default()).is_ok());
    for name in names {
        let folder = [name, &b"/"[..], name].concat();
        let inner = on_disk(&tree, &[&folder, &b"/d"[..]].concat());
        // Some file systems accept only UTF-8.
        if let Err(error) = fs::create_dir_all(inner) {
            crate::support::skipped(
                &format!("links_lead_to_what_they_name: {}", name.escape_ascii()),
                &error.to_string(),
            );
            continue;
        }
        fs::write(on_disk(&tree, &[&folder, &b"/d/"[..], name].concat()), name).expect("a file");
        fs::write(on_disk(&tree, &[name, &b"/f"[..], name].concat()), name).expect("a file");
        made.push(name);
    }
    let top = page(&tree, "/");
    assert_harmless(&top);
    assert_eq!(entries(&top).len(), made.len(), "{top}");
    for link in entries(&top) {
        let folder = followed("/", &link);
        let within = page(&tree, &folder);
        assert_harmless(&within);
        let links = entries(&within);
        let [inner, file] = &links[..] else {
            panic!("{folder}: {links:?}");
        };
        let answer = tree.get(&followed(&folder, file));
        assert_eq!(answer.status, 200, "{folder} {file}: {answer:?}");
        let name = made.iter().find(|name| ***name == answer.content);
        let name = name.expect("the content is the name");
        let deep = followed(&followed(&folder, inner), "d/");
        let deepest = page(&tree, &deep);
        assert_harmless(&deepest);
        let answer = tree.get(&followed(&deep, &entries(&deepest)[0]));
        assert_eq!(answer.content, **name, "{deep}");
        // The links at the top of the page lead up, one folder each, and back to the page in other
        // orders.
        let up: Vec<String> = links_above(&deepest)
            .iter()
            .map(|link| followed(&deep, link))
            .collect();
        let inner = followed(&folder, inner);
        assert_eq!(up[..4], ["/", &folder, &inner, &deep], "{deepest}");
        for order in &up[4..7] {
            assert!(order.starts_with(&deep), "{order}");
            assert_eq!(entries(&page(&tree, order)).len(), 1);
        }
        assert_eq!(up[7..], [inner], "the parent");
    }
}

/// The links before the first entry.
fn links_above(page: &str) -> Vec<String> {
    links(page.split("<tr><td>").next().unwrap_or_default())
}

/// Nothing of a name becomes a tag, and control characters are shown.
fn assert_harmless(page: &str) {
    for piece in [
        "<img",
        "<script>alert",
        "onmouseover='",
        "\x1B",
        "\u{202E}",
        "two\nlines",
    ] {
        assert!(!page.contains(piece), "{piece:?}: {page}");
    }
}

#[test]
fn names_that_cannot_be_asked_for_are_not_listed() {
    let tree = Tree::new();
    tree.file("a.txt", "a")
        .folder("sub")
        .file(".hidden", "SECRET")
        .file(".git/config", "SECRET")
        .file(".well-known/token", "t")
        .file("sub/.well-known/token", "SECRET")
        .file("sub/b", "b");
    #[cfg(unix)]
    tree.file("back\\slash", "SECRET");
    assert_eq!(
        entries(&page(&tree, "/")),
        [".well-known/", "sub/", "a.txt"]
    );
    assert_eq!(entries(&page(&tree, "/sub/")), ["b"]);
    let rules = PathRules {
        hidden: true,
        ..PathRules::default()
    };
    let all = listing_by(rules, &tree, Request::test(Method::Get, "/"));
    let all = String::from_utf8(all.into_content().unwrap()).unwrap();
    assert_eq!(
        entries(&all),
        [".git/", ".well-known/", "sub/", ".hidden", "a.txt"]
    );
}

#[cfg(unix)]
#[test]
fn a_symlink_is_listed_as_its_target() {
    let tree = Tree::new();
    tree.file("real/file", "twelve bytes")
        .outside("site-secret/key", "SECRET")
        .link("to-file", "real/file")
        .link("to-folder", "real")
        .link("to-link", "to-file")
        .link("up-and-down", "real/../real/file")
        .link("out", "../site-secret/key")
        .link("out-folder", "../site-secret")
        .link("absolute", tree.path("real"))
        .link("dangling", "nothing")
        .link("loop", "loop");
    let page = page(&tree, "/");
    assert_eq!(
        entries(&page),
        ["real/", "to-folder/", "to-file", "to-link", "up-and-down"]
    );
    let row = |link: &str| {
        let start = page.find(&format!("<a href=\"{link}\">")).expect(link);
        page[start..].split("</tr>").next().unwrap()
    };
    for link in ["to-file", "to-link", "up-and-down"] {
        assert!(row(link).contains("12 bytes"), "{}", row(link));
    }
    let modified = fs::metadata(tree.path("real/file"))
        .unwrap()
        .modified()
        .unwrap();
    let seconds = modified
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let stamp = timestamp(seconds).unwrap();
    let stamp = std::str::from_utf8(&stamp).unwrap();
    assert!(row("to-link").contains(stamp), "{}", row("to-link"));
}

#[cfg(unix)]
#[test]
fn symlinks_are_listed_where_they_are_followed() {
    use doorstep::internals::sys::beneath::Symlinks;
    let tree = Tree::new();
    tree.file("file", "x")
        .link("inside", "file")
        .outside("beside", "x")
        .link("out", "../beside");
    let rows = [
        (Symlinks::Inside, &["file", "inside"][..]),
        (Symlinks::None, &["file"]),
        (Symlinks::All, &["file", "inside", "out"]),
    ];
    for (symlinks, expected) in rows {
        let root = site_of(&tree).symlinks(symlinks);
        let request = Request::test(Method::Get, "/");
        let page = listing_below(root, PathRules::default(), request);
        let page = String::from_utf8(page.into_content().unwrap()).unwrap();
        assert_eq!(entries(&page), expected, "{symlinks:?}");
    }
}

/// Opening one would block, or do what it is there for.
#[cfg(unix)]
#[test]
fn pipes_and_sockets_are_neither_listed_nor_opened() {
    let tree = Tree::new();
    tree.file("a", "a")
        .link("to-pipe", "pipe")
        .link("null", "/dev/null");
    let made = std::process::Command::new("mkfifo")
        .arg(tree.path("pipe"))
        .status();
    if !made.is_ok_and(|status| status.success()) {
        crate::support::skipped("a pipe", "no mkfifo(1)");
    }
    let socket = std::os::unix::net::UnixListener::bind(tree.path("socket"));
    if let Err(error) = &socket {
        crate::support::skipped("a socket", &error.to_string());
    }
    assert_eq!(entries(&page(&tree, "/")), ["a"]);
}

#[test]
fn an_empty_folder_has_no_entry() {
    let tree = Tree::new();
    tree.folder("empty");
    let page = page(&tree, "/empty/");
    assert_eq!(entries(&page), [""; 0]);
    assert!(page.contains("This folder is empty."));
}

/// RFC 9110 §12.5.1: (Accept, whether that is JSON).
const ACCEPTS: &[(Option<&str>, bool)] = &[
    (None, false),
    (Some(""), false),
    (Some("*/*"), false),
    (Some("text/html"), false),
    (Some("application/json"), true),
    (Some("APPLICATION/JSON"), true),
    (Some("application/*"), true),
    // Browsers.
    (
        Some("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
        false,
    ),
    // Of equal weights, the more precise name wins.
    (Some("application/json, */*"), true),
    (Some("application/json, text/plain, */*"), true),
    (Some("text/html, */*"), false),
    (Some("application/json, text/html"), false),
    (Some("text/html;q=0.9, application/json"), true),
    (Some("text/html, application/json;q=0.9"), false),
    (Some("text/html;q=0.5, */*"), true),
    (Some("application/json;q=0.5, */*"), false),
    (Some("text/html;q=0.899, application/json;q=0.9"), true),
    // Neither: the page, whichever of them is refused more precisely.
    (Some("image/png"), false),
    (Some("application/json;q=0"), false),
    (Some("text/html;q=0"), false),
    (Some("text/html;q=0, application/json;q=0"), false),
    (Some("text/html;q=0, application/json;q=0.001"), true),
];

#[test]
fn accept_decides_between_the_page_and_json() {
    let tree = Tree::new();
    tree.file("a", "a");
    for &(accept, is_json) in ACCEPTS {
        let mut request = Request::test(Method::Get, "/");
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let response = listing_by(PathRules::default(), &tree, request);
        let expected = match is_json {
            true => "application/json",
            false => "text/html; charset=utf-8",
        };
        assert_eq!(
            response.header_value("Content-Type"),
            Some(expected),
            "{accept:?}"
        );
        let content = response.into_content().unwrap();
        let begins = if is_json { &b"{"[..] } else { b"<" };
        assert!(content.starts_with(begins), "{accept:?}");
    }
}

/// RFC 9110 §9.3.2, and Vary of RFC 9110 §12.5.5.
#[test]
fn head_and_get_have_the_same_headers() {
    let tree = Tree::new();
    tree.file("a", "a");
    let rows = [
        ("text/html", "text/html; charset=utf-8", Some(POLICY)),
        ("application/json", "application/json", None),
    ];
    for (accept, media_type, policy) in rows {
        let fields = [
            ("Content-Type", Some(media_type)),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", Some("nosniff")),
            ("Cache-Control", Some("no-cache")),
            ("Vary", Some("Accept")),
        ];
        let [get, head] = [Method::Get, Method::Head].map(|method| {
            let request = Request::test(method, "/").header("Accept", accept);
            listing_by(PathRules::default(), &tree, request)
        });
        for response in [&get, &head] {
            for (name, value) in fields {
                assert_eq!(response.header_value(name), value, "{accept} {name}");
            }
        }
        let lengths = [&get, &head].map(|response| response.payload().length());
        let content = get.into_content().unwrap();
        assert_eq!(lengths, [Some(content.len() as u64); 2], "{accept}");
    }
}

#[test]
fn json_is_in_the_requested_order() {
    let tree = Tree::new();
    tree.file("big", "aaa").file("small", "a").folder("folder");
    let request = Request::test(Method::Get, "/?sort=size").header("Accept", "application/json");
    let json = listing_by(PathRules::default(), &tree, request);
    let json = String::from_utf8(json.into_content().unwrap()).unwrap();
    let place = |href: &str| json.find(&format!("\"href\":\"{href}\"")).expect(href);
    assert!(place("folder/") < place("small") && place("small") < place("big"));
    assert!(
        json.contains("{\"name\":\"big\",\"type\":\"file\",\"size\":3,"),
        "{json}"
    );
}

#[test]
#[ignore = "makes 100,001 files: ten seconds in a release build"]
fn a_hundred_thousand_files_are_listed_and_no_more() {
    let tree = Tree::new();
    for number in 0..LISTING_ENTRIES {
        fs::File::create(tree.path(&number.to_string())).expect("a file");
    }
    let all = page(&tree, "/?order=desc");
    let links = entries(&all);
    let numbers: Vec<String> = (0..LISTING_ENTRIES)
        .rev()
        .map(|number| number.to_string())
        .collect();
    assert!(links == numbers, "not all, or not in order");
    assert!(!all.contains("and more"), "these are all");
    tree.file("one more", "x");
    let page = page(&tree, "/");
    assert_eq!(entries(&page).len(), LISTING_ENTRIES);
    assert!(page.contains("<p>… and more: only 100000 of them are listed.</p>"));
    let request = Request::test(Method::Get, "/").header("Accept", "application/json");
    let json = listing_by(PathRules::default(), &tree, request);
    let json = String::from_utf8(json.into_content().unwrap()).unwrap();
    assert!(json.starts_with("{\"path\":\"/\",\"truncated\":true,"));
    assert_eq!(json.matches("\"href\":").count(), LISTING_ENTRIES);
}

/// Nobody can say which of them are there when they are looked at: but those that stay are, and
/// nothing fails.
#[test]
fn entries_that_come_and_go_fail_nothing() {
    let tree = Tree::new();
    tree.file("stays", "x");
    let coming: Vec<_> = (0..20)
        .map(|number| tree.path(&format!("goes{number}")))
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                // Where a file cannot be removed while it is looked at, it stays for once.
                for path in &coming {
                    let _ = fs::write(path, "x");
                }
                for path in &coming {
                    let _ = fs::remove_file(path);
                }
            }
        });
        for _ in 0..50 {
            let links = std::panic::catch_unwind(|| entries(&page(&tree, "/")));
            let fine = links.is_ok_and(|links| links.contains(&"stays".to_string()));
            if !fine {
                done.store(true, Relaxed);
                panic!("it is not there");
            }
        }
        done.store(true, Relaxed);
    });
}

/// With `x` and without `r`, files in a folder can be asked for by name; the other way round not
/// even that.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_not_listed() {
    use std::os::unix::fs::PermissionsExt;
    if doorstep::os::is_root() {
        crate::support::skipped(
            "a_folder_that_may_not_be_read_is_not_listed",
            "root reads every folder",
        );
        return;
    }
    for (mode, known) in [(0o311, 200), (0o444, 403)] {
        let tree = Tree::new();
        tree.file("closed/known", "x");
        let set = |mode| {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(tree.path("closed"), permissions).unwrap();
        };
        set(mode);
        let request = Request::test(Method::Get, "/closed/");
        let listing = listing_by(PathRules::default(), &tree, request);
        let found = tree.get("/closed/known");
        set(0o755);
        assert_eq!(
            (listing.status().code(), found.status),
            (403, known),
            "{mode:o}"
        );
    }
}
