//! How listings share the processors and the memory: who waits, what is kept and for how long, and
//! what is given up.
//!
//! Times are arguments: each look at the clock may be later than the one before.

use super::answered::{listing_of, site_of};
use crate::tree::Tree;
use doorstep::internals::files::listing::budget::MemoryBudget;
use doorstep::internals::files::listing::kept::Listings;
use doorstep::internals::files::listing::order::Order;
use doorstep::internals::files::resolve::PathRules;
use doorstep::internals::handler::{TestServer, by_server, is_queued};
use doorstep::internals::sys::beneath::Root;
use doorstep::{Method, Now, Request, Response, Status, TestRequest};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// A site whose folders were listed by nobody.
struct Scene {
    tree: Tree,
    listings: Arc<Listings>,
    root: Arc<Root>,
}

impl Scene {
    /// With room for this many threads and bytes.
    fn of(most: usize, bytes: usize) -> Scene {
        let tree = Tree::new();
        Scene {
            root: Arc::new(site_of(&tree)),
            tree,
            listings: Arc::new(Listings::of(most, MemoryBudget::of(bytes))),
        }
    }

    fn send(&self, request: TestRequest) -> Response {
        let (listings, root) = (self.listings.clone(), self.root.clone());
        listing_of(listings, root, PathRules::default(), request)
    }

    fn get_at(&self, ms: u64, target: &str) -> Response {
        self.send(asked(Method::Get, ms, target))
    }

    fn is_kept(&self, ms: u64, order: &str) -> (bool, bool) {
        let now = Duration::from_millis(ms);
        let kept = self.listings.folder(&self.root, b"", now).fresh(now);
        let order = Order::of_query(Some(order));
        let is_sorted = kept.as_ref().is_some_and(|kept| kept.is_sorted(order));
        (kept.is_some(), is_sorted)
    }
}

fn asked(method: Method, ms: u64, target: &str) -> TestRequest {
    Request::test(method, target).at(Now {
        monotonic: Duration::from_millis(ms),
        wall: SystemTime::UNIX_EPOCH,
    })
}

/// A server on whose clock each look is later than the one before.
fn stepping(ms: u64) -> TestServer {
    TestServer {
        clock_step: Duration::from_millis(ms),
        ..TestServer::default()
    }
}

fn text(response: Response) -> String {
    assert_eq!(response.status(), Status::OK);
    String::from_utf8(response.into_content().expect("it can be read")).expect("UTF-8")
}

const PLENTY: usize = 24 << 20;

/// More than a folder of one name reserves while it is read.
const BLOCK: usize = 64 * 1024;

/// A tenth of a second, or eight times as long as it took, but five seconds at most.
#[test]
fn a_listing_is_kept_as_long_as_it_is_worth() {
    // name, milliseconds between two looks at the clock, how long it is kept. There are two looks
    // after the first: one at the client, and one at the end; to sort takes another.
    let rows = [
        ("no time at all", 0, 100),
        ("12 ms", 4, 100),
        ("15 ms", 5, 120),
        ("600 ms", 200, 4_800),
        ("900 ms", 300, 5_000),
    ];
    for (name, step, kept) in rows {
        let scene = Scene::of(1, PLENTY);
        scene.tree.file("old", "");
        let first = by_server(asked(Method::Get, 1_000, "/"), stepping(step));
        assert!(text(scene.send(first)).contains("old"));
        scene.tree.file("new", "");
        let made = 1_000 + 4 * step;
        let within = text(scene.get_at(made + kept - 1, "/"));
        assert!(!within.contains("new"), "{name}: just before its end");
        let after = text(scene.get_at(made + kept, "/"));
        assert!(after.contains("new"), "{name}: at its end");
    }
}

/// One thread reads a folder, for all that ask; and only so many threads read at all.
#[test]
fn who_finds_a_folder_being_read_waits() {
    let scene = Scene::of(2, PLENTY);
    scene
        .tree
        .file("one/a", "")
        .file("two/a", "")
        .file("three/a", "");
    let now = Duration::from_millis(1_000);
    let begin = |path: &[u8]| {
        let folder = scene.listings.folder(&scene.root, path, now);
        scene.listings.begin(&folder, now)
    };
    let one = begin(b"one").expect("there is room");
    assert!(is_queued(&scene.get_at(1_000, "/one/")), "it is being read");
    assert_eq!(scene.get_at(1_000, "/two/").status(), Status::OK);
    let two = begin(b"two").expect("there is room");
    let waits = scene.get_at(1_000, "/three/");
    assert!(is_queued(&waits), "two threads work");
    // RFC 9110 §10.2.3, in case it waits in vain.
    assert_eq!(waits.status(), Status::SERVICE_UNAVAILABLE);
    assert_eq!(waits.header_value("Retry-After"), Some("1"));
    // What is kept takes no work.
    assert_eq!(scene.get_at(1_000, "/two/").status(), Status::OK);
    assert!(
        is_queued(&scene.get_at(1_000, "/two/?sort=size")),
        "to sort it does"
    );
    let head = asked(Method::Head, 1_000, "/two/?sort=size");
    assert_eq!(scene.send(head).status(), Status::OK);
    drop(one);
    assert_eq!(scene.get_at(1_000, "/three/").status(), Status::OK);
    assert_eq!(scene.get_at(1_000, "/one/").status(), Status::OK);
    drop(two);
}

/// A thread that has not looked up for a tenth of a second waits for its disk, and takes no
/// processor from those that read another.
#[test]
fn a_disk_that_hangs_holds_up_no_other() {
    let scene = Scene::of(1, PLENTY);
    scene.tree.file("a/a", "").file("b/b", "");
    let at = Duration::from_millis;
    let folder = scene.listings.folder(&scene.root, b"a", at(1_000));
    let hangs = scene.listings.begin(&folder, at(1_000)).expect("room");
    assert!(is_queued(&scene.get_at(1_099, "/b/")));
    assert_eq!(scene.get_at(1_100, "/b/").status(), Status::OK);
    assert!(is_queued(&scene.get_at(1_100, "/a/")), "it is being read");
    hangs.note(at(1_500));
    assert!(is_queued(&scene.get_at(1_599, "/b/")), "it goes on");
    drop(hangs);
    assert_eq!(scene.get_at(1_599, "/b/").status(), Status::OK);
}

/// Who has come before it was known that the disk hangs is called by the housekeeper.
#[test]
fn who_waits_for_a_disk_that_hangs_is_called() {
    let scene = Scene::of(1, PLENTY);
    let at = Duration::from_millis;
    let begin = |path: &[u8], now| {
        let folder = scene.listings.folder(&scene.root, path, now);
        scene.listings.begin(&folder, now)
    };
    let hangs = begin(b"a", at(1_000)).expect("room");
    let full = begin(b"b", at(1_000)).expect_err("one is inside");
    let called = Arc::new(AtomicBool::new(false));
    let waker = called.clone();
    let waiting = full.wait(None, Box::new(move || waker.store(true, Ordering::SeqCst)));
    assert!(waiting.is_some());
    for (now, expected) in [(1_000, false), (1_099, false), (1_100, true)] {
        assert_eq!(
            scene.listings.tend(at(now)),
            (0, true),
            "there is more to do"
        );
        assert_eq!(called.load(Ordering::SeqCst), expected, "{now}");
    }
    assert!(begin(b"b", at(1_100)).is_ok());
    drop(hangs);
    assert_eq!(scene.listings.tend(at(1_100)), (0, false));
}

/// Though no request comes any more.
#[test]
fn what_is_no_longer_fresh_is_given_up() {
    let scene = Scene::of(1, PLENTY);
    scene.tree.file("a", "");
    assert_eq!(scene.get_at(1_000, "/").status(), Status::OK);
    // What its names did not need of their block was freed as it was read.
    let (freed, is_needed) = scene.listings.tend(Duration::from_millis(1_099));
    assert!(freed < BLOCK && is_needed, "{freed}");
    assert_eq!(scene.listings.tend(Duration::from_millis(1_099)), (0, true));
    let (freed, is_needed) = scene.listings.tend(Duration::from_millis(1_100));
    assert!(freed > 1_000 && !is_needed, "{freed}");
}

/// So that its memory goes back to the system.
#[test]
fn what_the_last_client_frees_is_reported() {
    let scene = Scene::of(1, PLENTY);
    scene.tree.file("a", "");
    let at = Duration::from_millis;
    let response = scene.get_at(1_000, "/");
    // Its client holds it after it is no longer fresh.
    let (freed, is_needed) = scene.listings.tend(at(1_100));
    assert!(freed < BLOCK && is_needed, "{freed}");
    assert_eq!(scene.listings.tend(at(9_000)), (0, true));
    drop(response);
    let (freed, is_needed) = scene.listings.tend(at(9_100));
    assert!(freed > 1_000 && !is_needed, "{freed}");
    assert_eq!(scene.listings.tend(at(9_200)), (0, false));
    // Read and given up between two looks.
    drop(scene.listings.reserve(5_000).expect("room"));
    assert_eq!(scene.listings.tend(at(9_300)), (5_000, false));
}

#[test]
fn head_sorts_nothing_and_has_the_length_of_get() {
    let scene = Scene::of(1, PLENTY);
    scene
        .tree
        .file("b&ampersand", "")
        .file("a", "x")
        .folder("c<d");
    for target in ["/?sort=size", "/?order=desc"] {
        for accept in ["text/html", "application/json"] {
            let of = |method| asked(method, 1_000, target).header("Accept", accept);
            let query = &target[2..];
            let head = scene.send(of(Method::Head));
            if accept == "text/html" {
                assert_eq!(scene.is_kept(1_000, query), (true, false), "{target}");
            }
            let length = head.payload().length();
            let get = text(scene.send(of(Method::Get)));
            assert_eq!(scene.is_kept(1_000, query), (true, true), "{target}");
            assert_eq!(length, Some(get.len() as u64), "{target} {accept}");
        }
    }
}

/// Nobody waits for the rest, and nothing of it is kept.
#[test]
fn reading_ends_soon_after_the_client_has_gone() {
    // names, looks at the client until it has gone, whether the folder is read to its end
    let rows = [
        (600, 0, false),
        (600, 2, false),
        (600, 3, false),
        (600, 4, true),
    ];
    for (names, looks, kept) in rows {
        let scene = Scene::of(1, PLENTY);
        for number in 0..names {
            scene.tree.file(&number.to_string(), "");
        }
        let server = TestServer {
            gone_after: Some(looks),
            ..TestServer::default()
        };
        let response = scene.send(by_server(asked(Method::Get, 1_000, "/"), server));
        // At each 256 names, and before it is sorted.
        let expected = if kept {
            Status::OK
        } else {
            Status::SERVICE_UNAVAILABLE
        };
        assert_eq!(response.status(), expected, "{looks}");
        assert_eq!(scene.is_kept(1_000, "").0, kept, "{looks}");
        assert!(!is_queued(&response));
        assert_eq!(scene.get_at(1_000, "/").status(), Status::OK, "{looks}");
    }
}

/// The memory of listings, of a budget of 1,000 bytes, in the order of their requests.
#[test]
fn listings_share_one_memory_budget() {
    // name, bytes that are taken, bytes of another one, whether there is memory for it
    let rows: [(&str, &[usize], usize, bool); 6] = [
        ("alone", &[], 1_000, true),
        ("alone, and too long", &[], 1_001, false),
        ("one below", &[400], 599, true),
        ("all that is left", &[400], 600, true),
        ("one above", &[400], 601, false),
        ("a number without end", &[400], usize::MAX, false),
    ];
    for (name, before, bytes, fits) in rows {
        let budget = MemoryBudget::of(1_000);
        let taken: Vec<_> = before.iter().map(|bytes| budget.reserve(*bytes)).collect();
        assert!(taken.iter().all(Option::is_some), "{name}");
        assert_eq!(budget.reserve(bytes).is_some(), fits, "{name}");
        // A refused or finished listing takes nothing.
        drop(taken);
        assert!(budget.reserve(1_000).is_some(), "{name}");
    }
    let budget = MemoryBudget::of(1_000);
    let mut growing = budget.reserve(400).expect("there is room");
    assert!(
        !growing.grow(601) && growing.grow(600),
        "while entries come"
    );
    growing.shrink_to(300);
    assert_eq!(budget.reserved(), 300, "the surplus");
    drop(growing);
    assert_eq!(budget.reserved(), 0);
}

/// A listing stays in memory until its client has read it; the next one is told to come again
/// before its folder is read. One that is kept for nobody gives way.
#[test]
fn a_listing_beyond_the_budget_is_503() {
    // While it is read, a listing takes a block for names and one for records: 56 KiB and a little.
    let scene = Scene::of(1, 60_000);
    scene.tree.file("a/a", "").file("b/b", "").file("c/c", "");
    let first = scene.get_at(1_000, "/a/");
    assert_eq!(first.status(), Status::OK);
    let second = scene.get_at(1_000, "/b/");
    assert_eq!(
        second.status(),
        Status::OK,
        "a short one gives back the rest"
    );
    drop(second);
    for _ in 0..100 {
        // Kept for nobody, each gives way to the next.
        assert_eq!(scene.get_at(1_000, "/c/").status(), Status::OK);
        assert_eq!(scene.get_at(1_000, "/b/").status(), Status::OK);
    }
    let sent = [
        first,
        scene.get_at(1_000, "/b/"),
        scene.get_at(1_000, "/c/"),
    ];
    let short = Scene::of(1, 50_000);
    short.tree.file("a", "");
    for (scene, target) in [(&scene, "/"), (&short, "/")] {
        let refused = scene.get_at(1_000, target);
        let got = (
            refused.status().code(),
            refused.header_value("Retry-After"),
            refused.log_reason(),
        );
        let reason = "too many listings are being sent";
        assert_eq!(got, (503, Some("1"), Some(reason)));
        assert!(!is_queued(&refused));
    }
    drop(sent);
    assert_eq!(scene.get_at(1_000, "/").status(), Status::OK);
}
