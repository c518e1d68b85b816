//! Sites that are mounted below a path of another site.

use crate::tree::Tree;
use doorstep::{Files, Method, Request, Status};

fn other(page: &str) -> Tree {
    let tree = Tree::new();
    tree.file("page", page).file(".env", page);
    // On Windows that is the console.
    if !cfg!(windows) {
        tree.file("CON", page);
    }
    tree
}

fn served(tree: &Tree) -> Files {
    Files::new(tree.path("")).expect("it is there")
}

/// A path, its status, and how its content or Location begins. `/docs` has the pages `docs`,
/// `/docs/api` the pages `api`, and `/docs/old`, which is mounted in a folder that is mounted
/// itself, the pages `old`.
#[rustfmt::skip]
const ROWS: &[(&str, u16, &str)] = &[
    ("/page", 200, "root"),
    ("/docs/page", 200, "docs"),
    ("/%64ocs/page", 200, "docs"),
    ("/docs/api/page", 200, "api"),
    ("/docs/old/page", 200, "old"),
    ("/a%20%c3%a9/page", 200, "api"),
    ("/docs/apis/page", 404, ""),
    ("/docs", 308, "/docs/"),
    ("/%64ocs?x", 308, "/%64ocs/?x"),
    ("/docs/api", 308, "/docs/api/"),
    ("/docs/old", 308, "/docs/old/"),
    ("/docs/page/", 404, ""),
    // CVE-2018-19052, CVE-2025-58751: a path ends where a name does.
    ("/docsX", 404, ""),
    ("/docsX/page", 404, ""),
    ("/docs../page", 404, ""),
    ("/docs..%2fpage", 404, ""),
    ("/docs%2fpage", 404, ""),
    ("/docs%5cpage", 404, ""),
    ("/docs%00/page", 400, ""),
    ("/docs/../page", 404, ""),
    ("/docs/%2e%2e/page", 404, ""),
    ("/docs//page", 404, ""),
    ("//docs/page", 404, ""),
    ("/doc", 404, ""),
    ("/Docs/page", 404, ""),
];

#[test]
fn the_longest_mount_wins() {
    let (docs, api, old) = (other("docs"), other("api"), other("old"));
    let tree = Tree::with(|files| {
        files
            .mount("/docs", served(&docs).mount("old", served(&old)))
            .mount("/docs/api/", served(&api))
            .mount("/a \u{e9}", served(&api))
    });
    // Found only by a path that is cut within a name, or by none.
    docs.file("X/page", "never").file(".html", "never");
    // Files that a mount hides are not served.
    tree.file("page", "root").file("docs/hidden", "never");
    for (path, status, expected) in ROWS {
        let answer = tree.get(path);
        assert_eq!(answer.status, *status, "{path}: {answer:?}");
        let said = match status {
            308 => answer.header_value("Location").to_string(),
            200 => answer.text().to_string(),
            _ => String::new(),
        };
        assert_eq!(said, *expected, "{path}");
    }
    assert_eq!(tree.get("/docs/hidden").status, 404);
}

/// Whether the outer and the inner folder serve hidden and all names, and the status of either.
#[test]
fn names_pass_the_rules_of_both_folders() {
    for (outer, inner, status) in [
        (false, false, 404),
        (true, false, 404),
        (false, true, 404),
        (true, true, 200),
    ] {
        let docs = other("docs");
        let choose = |files: Files, free: bool| files.hidden(free).portable_names(!free);
        let mounted = choose(served(&docs), inner);
        let tree = Tree::with(|files| choose(files, outer).mount("/docs", mounted));
        for path in ["/docs/.env", "/docs/CON"] {
            if !(cfg!(windows) && path.ends_with("CON")) {
                assert_eq!(tree.get(path).status, status, "{outer} {inner} {path}");
            }
        }
        assert_eq!(tree.get("/docs/page").status, 200);
    }
}

/// The breadcrumbs of a mounted folder lead where they say, whatever the spelling.
#[test]
fn a_listing_shows_the_requested_path() {
    let docs = Tree::new();
    docs.file("a b/x", "");
    let tree = Tree::with(|files| files.mount("/docs/old", served(&docs)));
    for (path, shown) in [
        ("/docs/old/", "/docs/old/"),
        ("/docs/old/a%20b/", "/docs/old/a b/"),
        ("/%64ocs/old/a%20%62/", "/docs/old/a b/"),
    ] {
        let page = tree.get(path).text();
        assert!(page.contains(&format!("<title>{shown}</title>")), "{page}");
        let (way, _) = page.split_once("</nav>").expect("it has a way");
        // The root, and each name.
        let steps = way.matches("<bdi>").count();
        assert_eq!(steps, shown.matches('/').count(), "{path}: {page}");
        assert!(page.contains("<a href=\"../\">Parent folder</a>"), "{path}");
        let json = tree
            .get_with(path, &[("Accept", "application/json")])
            .text();
        assert!(json.contains(&format!("\"path\":\"{shown}\"")), "{json}");
    }
}

/// A folder that is mounted at the root takes every path but those of other mounts.
#[test]
fn a_mount_at_the_root_takes_the_rest() {
    for path in ["/", ""] {
        let (site, docs) = (other("site"), other("docs"));
        let tree = Tree::with(|files| {
            files
                .mount(path, served(&site))
                .mount("/docs", served(&docs))
        });
        tree.file("page", "root").file("own/page", "root");
        for (target, status, start) in [
            ("/page", 200, "site"),
            ("/docs/page", 200, "docs"),
            ("/docs", 308, ""),
            ("/own/page", 404, ""),
            ("/.env", 404, ""),
        ] {
            let answer = tree.get(target);
            assert_eq!(answer.status, status, "{path:?}: {target}");
            assert!(answer.content.starts_with(start.as_bytes()), "{target}");
        }
        let listing = String::from_utf8(tree.get("/").content).expect("UTF-8");
        assert!(listing.contains("page") && !listing.contains("own"));
    }
}

/// RFC 8615 §3: `/.well-known/` is at the beginning of a path, or hidden like others. A listing
/// shows what can be asked for.
#[test]
fn a_well_known_folder_is_known_at_the_root_alone() {
    let docs = Tree::new();
    docs.file(".well-known/x", "x").file("page", "docs");
    let tree = Tree::with(|files| files.mount("/docs", served(&docs)));
    tree.file(".well-known/x", "x");
    for (folder, status) in [("/", 200), ("/docs/", 404)] {
        let is_listed = tree.get(folder).text().contains(".well-known");
        assert_eq!(is_listed, status == 200, "{folder}");
        let target = format!("{folder}.well-known/x");
        assert_eq!(tree.get(&target).status, status, "{target}");
    }
}

#[test]
fn stats_include_mounted_sites() {
    let below = other("below");
    let tree = Tree::with(|files| files.mount("/docs", served(&below)));
    tree.file("page", "root");
    for target in ["/page", "/page", "/docs/page", "/docs/page", "/docs/page"] {
        assert_eq!(tree.get_at(0, target).status, 200);
    }
    let stats = tree.stats();
    assert_eq!((stats.hits, stats.misses), (3, 2));
}

/// A mount adds no memory for small files: each folder takes its part, before and after.
#[test]
fn the_sites_divide_the_memory_for_small_files() {
    const PAGE: usize = 10 * 1024;
    // The name counts as well, and what the server knows of the file.
    const ENTRY: usize = PAGE + 1024;
    // bytes, folders that are mounted side by side in each other, whether each folder keeps a file
    let rows = [
        (ENTRY, [0, 0], true),
        (2 * PAGE, [1, 0], false),
        (2 * ENTRY, [1, 0], true),
        (6 * PAGE, [1, 4], false),
        (6 * ENTRY, [1, 4], true),
    ];
    for (bytes, [side, inside], is_kept) in rows {
        let site = || {
            let tree = other("");
            tree.file("page", vec![b'x'; PAGE]);
            tree
        };
        let trees: Vec<Tree> = (0..side + inside).map(|_| site()).collect();
        let cached = |tree| served(tree).file_cache(bytes);
        let mut inner = trees[side..].iter().map(cached);
        let outer = |files: Files| {
            let mounted: Vec<Files> = trees[..side].iter().map(cached).collect();
            let mut files = files.file_cache(if inside > 0 { bytes } else { 0 });
            for mut site in mounted {
                for (number, below) in inner.by_ref().enumerate() {
                    site = site.mount(&number.to_string(), below);
                }
                files = files.mount("side", site);
            }
            // Before the mounts, or after them.
            if inside > 0 {
                files
            } else {
                files.file_cache(bytes)
            }
        };
        let tree = Tree::with(outer);
        tree.file("page", vec![b'x'; PAGE]);
        let mut targets = vec!["/page".to_string()];
        targets.extend((0..side).map(|_| "/side/page".to_string()));
        targets.extend((0..inside).map(|number| format!("/side/{number}/page")));
        for target in targets.iter().cycle().take(2 * targets.len()) {
            assert_eq!(tree.get_at(0, target).status, 200, "{target}");
        }
        let expected = if is_kept { targets.len() } else { 0 };
        assert_eq!(
            tree.stats().hits,
            expected as u64,
            "{bytes} {side} {inside}"
        );
    }
}

/// One gate and one memory for the listings of all: seen from the outside, as nothing tells more.
#[test]
fn the_listings_of_all_mounts_share_one_budget() {
    let (inner, below) = (Tree::new(), Tree::new());
    inner.file("a", "a");
    let files = served(&below).mount("/docs", served(&inner));
    let files = served(&Tree::new()).mount("/outer", files);
    let unused = || format!("{files:?}").matches("reserved: 0,").count();
    assert_eq!(unused(), 3, "one for each site");
    let response = Request::test(Method::Get, "/outer/docs/").send(&files);
    assert_eq!(response.status(), Status::OK);
    assert_eq!(unused(), 0);
}
