//! Something of the site is swapped for a symlink that leads out, again and again, while requests
//! run: no response has a byte from outside, and each is one that the site gives without the
//! swapping.
#![cfg(unix)]

use crate::tree::Tree;
use doorstep::internals::handler::is_queued;
use doorstep::{Files, Method, Now, Request, Response};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// (what is swapped, the symlink's target, the request's target, its header)
type Row = (&'static str, &'static str, &'static str, [&'static str; 2]);

const PLAIN: [&str; 2] = ["Accept", "*/*"];
const GZIP: [&str; 2] = ["Accept-Encoding", "gzip"];
const JSON: [&str; 2] = ["Accept", "application/json"];

const ROWS: &[Row] = &[
    ("file.txt", "../secret", "/file.txt", PLAIN),
    ("folder", "../outside", "/folder/file.txt", PLAIN),
    ("folder", "../outside", "/folder/below/file.txt", PLAIN),
    ("folder", "../outside", "/folder/", PLAIN),
    ("folder", "../outside", "/folder", PLAIN),
    (
        "folder/below",
        "../../outside/below",
        "/folder/below/file.txt",
        PLAIN,
    ),
    ("indexed/index.html", "../../secret", "/indexed/", PLAIN),
    ("indexed/index.html", "../../secret", "/indexed/", GZIP),
    ("404.html", "../secret", "/missing", PLAIN),
    ("script.js", "../secret", "/script.js", GZIP),
    ("script.js.gz", "../secret", "/script.js", GZIP),
    ("script.js.gz", "../secret", "/script.js", PLAIN),
    ("listed", "../outside", "/listed/", PLAIN),
    ("listed", "../outside", "/listed/", JSON),
    ("listed/file.txt", "../../secret", "/listed/", PLAIN),
    ("listed/below", "../../outside", "/listed/", JSON),
];

/// Requests of each thread at least; more of them, up to a bound, until everything was seen.
const LEAST: usize = 300;
const MOST: usize = 300_000;
const ASKING: usize = 2;

fn site() -> Tree {
    let tree = Tree::new();
    tree.file("file.txt", "public")
        .file("folder/index.html", "public index")
        .file("folder/file.txt", "public file")
        .file("folder/below/file.txt", "public file below")
        .file("indexed/index.html", "public page")
        .file("404.html", "public error page")
        .file("script.js", "public script")
        .file("script.js.gz", "public octets of gzip")
        .file("listed/file.txt", "public")
        .file("listed/below/file.txt", "public")
        .outside("secret", "SECRET")
        .outside("outside/index.html", "SECRET")
        .outside("outside/file.txt", "SECRET")
        .outside("outside/SECRET.txt", "SECRET")
        .outside("outside/below/file.txt", "SECRET");
    tree
}

/// A response, without what depends on a file's times.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    content: Vec<u8>,
    fields: Vec<Option<String>>,
    reason: String,
}

/// Asks, and again for as long as others make listings, as a server does.
fn ask(files: &Files, target: &str, field: [&str; 2]) -> Answer {
    let response = loop {
        let response = respond(files, target, field);
        match is_queued(&response) {
            true => std::thread::yield_now(),
            false => break response,
        }
    };
    Answer {
        status: response.status().code(),
        fields: [
            "Location",
            "Content-Type",
            "Content-Encoding",
            "Vary",
            "Allow",
        ]
        .map(|name| response.header_value(name).map(str::to_owned))
        .to_vec(),
        reason: response.log_reason().unwrap_or_default().to_string(),
        content: response.into_content().expect("the content can be read"),
    }
}

/// Asks at a time at which nothing may come from memory without a look at its file.
fn respond(files: &Files, target: &str, field: [&str; 2]) -> Response {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    let now = Now {
        monotonic: Duration::from_secs(SECONDS.fetch_add(1, Ordering::Relaxed)),
        // The year 2500: later than any file that a test writes.
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(16_725_225_600),
    };
    let request = Request::test(Method::Get, target).header(field[0], field[1]);
    request.at(now).send(files)
}

/// Puts the thing, then nothing, then the symlink in one place, by renaming.
struct Swap {
    place: std::path::PathBuf,
    link: std::path::PathBuf,
    spare: std::path::PathBuf,
}

impl Swap {
    fn new(tree: &Tree, place: &str, target: &str) -> Swap {
        tree.link(".link", target);
        Swap {
            place: tree.path(place),
            link: tree.path(".link"),
            spare: tree.path(".spare"),
        }
    }

    /// Calls with each of the three in place, and puts the thing back.
    fn round(&self, mut call: impl FnMut()) {
        let rename = |from, to| fs::rename(from, to).expect("one may rename what is one's own");
        call();
        rename(&self.place, &self.spare);
        call();
        rename(&self.link, &self.place);
        call();
        rename(&self.place, &self.link);
        rename(&self.spare, &self.place);
    }
}

/// Sets the flag when it is dropped, in a panic too, so that no thread goes on forever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn race(row: &Row) {
    let (place, link, target, field) = row;
    let tree = site();
    let files = Files::new(tree.path("")).expect("a site");
    let swap = Swap::new(&tree, place, link);
    // Without swapping: the response for each of the three.
    let mut calm = Vec::new();
    swap.round(|| calm.push(ask(&files, target, *field)));
    for answer in &calm {
        assert!(!shows_secret(answer), "{row:?}: {answer:?}");
    }
    let seen: Vec<AtomicUsize> = calm.iter().map(|_| AtomicUsize::new(0)).collect();
    // Two of the three may give one response, so responses are counted, not places.
    let at = |answer: &Answer| calm.iter().position(|known| known == answer);
    let all_seen = || {
        let count = |known| at(known).map_or(0, |at| seen[at].load(Ordering::SeqCst));
        calm.iter().all(|known| count(known) > 0)
    };
    let strange = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _over = Over(&is_over);
            while !is_over.load(Ordering::SeqCst) {
                swap.round(std::thread::yield_now);
            }
        });
        let asking: Vec<_> = (0..ASKING)
            .map(|_| {
                scope.spawn(|| {
                    let mut tries = 0;
                    while tries < LEAST || !all_seen() && tries < MOST {
                        if is_over.load(Ordering::SeqCst) {
                            return;
                        }
                        let answer = ask(&files, target, *field);
                        if shows_secret(&answer) {
                            is_over.store(true, Ordering::SeqCst);
                            panic!("{row:?}: {answer:?}");
                        }
                        match at(&answer) {
                            Some(at) => _ = seen[at].fetch_add(1, Ordering::SeqCst),
                            None => strange.lock().expect("no panic").push(answer),
                        }
                        tries += 1;
                    }
                })
            })
            .collect();
        let ended: Vec<_> = asking.into_iter().map(|asking| asking.join()).collect();
        is_over.store(true, Ordering::SeqCst);
        for end in ended {
            assert!(end.is_ok(), "{row:?}: a request showed what is outside");
        }
    });
    assert!(all_seen(), "{row:?}: no race: {seen:?}");
    println!(
        "{row:?}: {seen:?}, {} others",
        strange.lock().expect("no panic").len()
    );
    for answer in strange.lock().expect("no panic").iter() {
        // A lookup in several steps may meet one thing in this step and another in the next.
        assert!(
            matches!(answer.status, 200 | 308 | 404),
            "{row:?}: {answer:?}"
        );
    }
}

fn shows_secret(answer: &Answer) -> bool {
    format!("{:?} {}", answer.fields, answer.reason).contains("SECRET")
        || answer.content.windows(6).any(|bytes| bytes == b"SECRET")
}

#[test]
fn a_swap_for_a_symlink_never_shows_the_outside() {
    for row in ROWS {
        race(row);
    }
}
