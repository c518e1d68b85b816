//! The cache of files: how long it answers without a look at the file, what it does not keep, and
//! what it counts.
//!
//! Times are arguments. Every row changes a file behind the server's back without changing its
//! length, and asks again.

use crate::tree::Tree;
use std::fs;
use std::time::{Duration, SystemTime};

const KIB: usize = 1024;

/// Serves `before` at 1,000 ms, rewrites the file with `after`, and returns what is served at `ms`.
fn rewritten(tree: &Tree, before: &[u8], after: &[u8], ms: u64) -> Vec<u8> {
    tree.file("a.txt", before);
    assert_eq!(tree.get_at(1_000, "/a.txt").content, before);
    tree.file("a.txt", after);
    tree.get_at(ms, "/a.txt").content
}

#[test]
fn a_change_is_served_within_a_tenth_of_a_second() {
    // name, milliseconds after the first response, content
    let rows: [(&str, u64, &[u8]); 5] = [
        ("at once: from memory", 0, b"old"),
        ("one below", 99, b"old"),
        ("at a tenth of a second: looked at", 100, b"new"),
        ("one above", 101, b"new"),
        ("much later", 1_000_000, b"new"),
    ];
    for (name, ms, expected) in rows {
        let tree = Tree::new();
        assert_eq!(
            rewritten(&tree, b"old", b"new", 1_000 + ms),
            expected,
            "{name}"
        );
    }
}

#[test]
fn the_largest_cached_file() {
    // name, length, whether a rewritten file is still served from memory 50 ms later
    let rows = [
        ("empty", 0, false),
        ("one octet", 1, true),
        ("one below the limit", 64 * KIB - 1, true),
        ("the limit", 64 * KIB, true),
        ("one above the limit", 64 * KIB + 1, false),
    ];
    for (name, length, kept) in rows {
        let tree = Tree::new();
        let (old, new) = (vec![b'o'; length], vec![b'n'; length]);
        let served = rewritten(&tree, &old, &new, 1_050);
        assert_eq!(served, if kept { old } else { new }, "{name}");
    }
}

#[test]
fn a_file_that_has_just_changed_is_not_cached() {
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    // name, the wall clock since the change, whether it is cached
    let rows = [
        ("at the change", Duration::ZERO, false),
        (
            "one below two seconds",
            Duration::from_nanos(1_999_999_999),
            false,
        ),
        ("two seconds", Duration::from_secs(2), true),
    ];
    for (name, since, kept) in rows {
        let mut tree = Tree::new();
        tree.set_wall(changed + since);
        tree.file("a.txt", "old");
        set_modified(&tree, changed);
        assert_eq!(tree.get_at(0, "/a.txt").content, b"old");
        tree.file("a.txt", "new");
        let expected: &[u8] = if kept { b"old" } else { b"new" };
        assert_eq!(tree.get_at(50, "/a.txt").content, expected, "{name}");
    }
}

#[test]
fn a_file_from_the_future_is_not_cached() {
    let mut tree = Tree::new();
    tree.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(rewritten(&tree, b"old", b"new", 1_000), b"new");
}

/// Before the time of a file's last change, which may come a second time.
#[test]
fn a_clock_that_is_set_back_makes_nothing_fresh() {
    let mut tree = Tree::new();
    tree.file("a.txt", "old");
    assert_eq!(tree.get_at(0, "/a.txt").content, b"old");
    tree.file("a.txt", "new");
    assert_eq!(tree.get_at(50, "/a.txt").content, b"old");
    tree.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(tree.get_at(50, "/a.txt").content, b"new");
}

#[cfg(unix)]
#[test]
fn a_modification_time_that_was_set_back_does_not_hide_a_change() {
    let tree = Tree::new();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    tree.file("a.txt", "old");
    set_modified(&tree, time);
    assert_eq!(tree.get_at(0, "/a.txt").content, b"old");
    tree.file("a.txt", "new");
    set_modified(&tree, time);
    assert_eq!(tree.get_at(100, "/a.txt").content, b"new");
}

#[test]
fn a_deleted_file_is_gone_within_a_tenth_of_a_second() {
    let tree = Tree::new();
    tree.file("a.txt", "here");
    assert_eq!(tree.get_at(0, "/a.txt").status, 200);
    fs::remove_file(tree.path("a.txt")).expect("it can be removed");
    assert_eq!(tree.get_at(99, "/a.txt").status, 200);
    assert_eq!(tree.get_at(100, "/a.txt").status, 404);
}

#[test]
fn a_folder_and_a_file_of_one_path_are_not_mixed_up() {
    let tree = Tree::new();
    tree.file("d/index.html", "index");
    assert_eq!(tree.get_at(0, "/d/").content, b"index");
    assert_eq!(tree.get_at(0, "/d").status, 308);
    tree.file("f", "file");
    assert_eq!(tree.get_at(0, "/f").content, b"file");
    assert_eq!(tree.get_at(0, "/f/").status, 404);
}

#[test]
fn a_response_from_memory_equals_the_first_one() {
    let tree = Tree::new();
    tree.file("a.css", "body{}");
    let first = tree.get_at(0, "/a.css");
    for ms in [1, 100, 200] {
        let again = tree.get_at(ms, "/a.css");
        assert_eq!(
            (again.status, &again.fields, &again.content),
            (200, &first.fields, &first.content),
            "{ms}"
        );
    }
}

#[test]
fn more_files_than_the_cache_holds_are_all_served() {
    let tree = Tree::new();
    // 300 files of 64 KiB are a little more than the 16 MiB of the cache.
    let content = |number: u32| {
        let mut content = vec![b'.'; 64 * KIB];
        content[..4].copy_from_slice(&number.to_le_bytes());
        content
    };
    for number in 0..300 {
        tree.file(&format!("{number}.bin"), content(number));
    }
    for number in (0..300).chain((0..300).step_by(50)) {
        let answer = tree.get_at(0, &format!("/{number}.bin"));
        assert!(answer.content == content(number), "{number}");
    }
}

/// A file's metadata is read before and after its content: content that was written meanwhile is
/// neither cached nor sent under the tag of the content before.
#[cfg(target_os = "linux")]
#[test]
fn content_belongs_to_its_tag() {
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicBool, Ordering};
    const ROUNDS: usize = 60;
    // Longer than two ticks of any kernel, so that no two states of the file have the same times.
    const TICKS: Duration = Duration::from_millis(25);
    let tree = Tree::new();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let (old, new) = (vec![b'o'; 64 * KIB], vec![b'n'; 64 * KIB]);
    tree.file("a.txt", &old).modified("a.txt", long_ago);
    let tag = tree.get("/a.txt").header_value("ETag").to_string();
    let file = fs::File::options().write(true).open(tree.path("a.txt"));
    let file = file.expect("it can be opened");
    let write = |content: &[u8]| file.write_all_at(content, 0).expect("it can be written");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                write(&old);
                file.set_modified(long_ago).expect("its time can be set");
                // About as long as a request takes: the change shall meet it between metadata and
                // content.
                (0..round * 50).for_each(|_| std::hint::spin_loop());
                write(&new);
                std::thread::sleep(TICKS);
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            let answer = tree.get("/a.txt");
            let is_true = answer.header_value("ETag") != tag || answer.content == old;
            if !is_true {
                // Otherwise the other thread would go on beside a test that has failed.
                while !done.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                panic!("what was written meanwhile has the tag of what was there");
            }
        }
    });
}

/// Larger files are kept open. The metadata of one that is written to in place is checked before
/// each response, so the new content is not sent under the old tag.
#[test]
fn a_large_file_is_served_new_at_once() {
    let tree = Tree::new();
    let content = |byte: u8| vec![byte; 100 * KIB];
    tree.file("a.txt", content(b'o'));
    let first = tree.get_at(0, "/a.txt");
    assert_eq!(
        tree.get_at(1, "/a.txt").header_value("ETag"),
        first.header_value("ETag")
    );
    let before = tree.stats();
    tree.file("a.txt", content(b'n'));
    let second = tree.get_at(2, "/a.txt");
    assert!(second.content == content(b'n'));
    assert_ne!(second.header_value("ETag"), first.header_value("ETag"));
    assert_eq!(tree.stats().misses, before.misses + 1);
}

/// A large file that was replaced by renaming is another file of the same name.
#[cfg(unix)]
#[test]
fn a_large_file_that_is_replaced_is_served_new_within_a_tenth_of_a_second() {
    let tree = Tree::new();
    tree.file("a.txt", vec![b'o'; 100 * KIB]);
    assert_eq!(tree.get_at(0, "/a.txt").content[0], b'o');
    tree.file("b.txt", vec![b'n'; 100 * KIB]);
    fs::rename(tree.path("b.txt"), tree.path("a.txt")).expect("it can be renamed");
    assert_eq!(tree.get_at(100, "/a.txt").content[0], b'n');
}

#[test]
fn a_new_file_is_served_within_a_tenth_of_a_second() {
    let tree = Tree::new();
    assert_eq!(tree.get_at(0, "/a.txt").status, 404);
    tree.file("a.txt", "here");
    assert_eq!(tree.get_at(99, "/a.txt").status, 404);
    assert_eq!(tree.get_at(100, "/a.txt").status, 200);
}

/// (case, milliseconds, target, hits and misses in all)
const COUNTS: [(&str, u64, &str, (u64, u64)); 11] = [
    ("a file for the first time", 0, "/a.txt", (0, 1)),
    ("again", 0, "/a.txt", (1, 1)),
    ("just fresh", 99, "/a.txt", (2, 1)),
    ("no longer fresh", 100, "/a.txt", (2, 2)),
    ("fresh from then on", 199, "/a.txt", (3, 2)),
    ("nothing for the first time", 199, "/missing", (3, 3)),
    ("nothing again", 200, "/missing", (4, 3)),
    ("nothing, no longer fresh", 299, "/missing", (4, 4)),
    ("a large file for the first time", 299, "/large", (4, 5)),
    ("a large file again", 300, "/large", (5, 5)),
    ("a redirect is not kept", 300, "/folder", (5, 6)),
];

#[test]
fn hits_and_misses_are_counted() {
    let tree = Tree::new();
    tree.file("a.txt", "a")
        .file("large", vec![0; 100 * KIB])
        .folder("folder");
    for (name, ms, target, expected) in COUNTS {
        tree.get_at(ms, target);
        let stats = tree.stats();
        assert_eq!((stats.hits, stats.misses), expected, "{name}");
    }
    assert_eq!(tree.stats().evictions, 0);
}

/// `a.txt` is asked for all the time and stays; the others are evicted for each other.
#[test]
fn a_file_in_use_survives_evictions() {
    let tree = Tree::with(|files| files.file_cache(64 * KIB));
    tree.file("a.txt", vec![b'a'; 10 * KIB]);
    for number in 0..100 {
        tree.file(&format!("{number}.bin"), vec![b'.'; 10 * KIB]);
    }
    tree.get_at(0, "/a.txt");
    for number in 0..100 {
        let before = tree.stats();
        tree.get_at(0, &format!("/{number}.bin"));
        tree.get_at(0, "/a.txt");
        let after = tree.stats();
        assert_eq!(
            (after.hits, after.misses),
            (before.hits + 1, before.misses + 1),
            "{number}"
        );
    }
    let evictions = tree.stats().evictions;
    assert!((90..100).contains(&evictions), "{evictions}");
}

#[test]
fn a_file_that_does_not_fit_is_served_and_not_cached() {
    // name, bytes of the cache, whether a file of 10 KiB is cached
    let rows = [("too few", 10 * KIB, false), ("enough", 12 * KIB, true)];
    for (name, bytes, kept) in rows {
        let tree = Tree::with(|files| files.file_cache(bytes));
        let (old, new) = (vec![b'o'; 10 * KIB], vec![b'n'; 10 * KIB]);
        let served = rewritten(&tree, &old, &new, 1_050);
        assert!(served == if kept { old } else { new }, "{name}");
    }
}

#[test]
fn without_a_cache_every_request_asks_the_file_system() {
    let tree = Tree::with(|files| files.file_cache(0));
    assert_eq!(rewritten(&tree, b"old", b"new", 1_000), b"new");
    tree.file("large", vec![b'o'; 100 * KIB]);
    assert_eq!(tree.get_at(0, "/large").content[0], b'o');
    tree.file("b.txt", vec![b'n'; 100 * KIB]);
    fs::rename(tree.path("b.txt"), tree.path("large")).expect("it can be renamed");
    assert_eq!(tree.get_at(0, "/large").content[0], b'n');
    assert_eq!(tree.get_at(0, "/missing").status, 404);
    tree.file("missing", "here");
    assert_eq!(tree.get_at(0, "/missing").status, 200);
    assert_eq!(tree.stats().hits, 0);
}

/// More large files than open descriptors: each is served whole, and those that were open longest
/// are asked for again.
#[test]
fn more_large_files_than_descriptors_are_all_served() {
    let tree = Tree::new();
    let name = |number: u32| format!("{number}.bin");
    for number in 0..300_u32 {
        let file = fs::File::create(tree.path(&name(number))).expect("it can be made");
        file.set_len(65_537 + u64::from(number))
            .expect("it can be made long");
    }
    for number in 0..300_u32 {
        let answer = tree.get_at(0, &format!("/{}", name(number)));
        assert_eq!(answer.length, 65_537 + u64::from(number));
    }
    let stats = tree.stats();
    assert_eq!((stats.hits, stats.misses), (0, 300));
    assert!((44..300).contains(&stats.evictions), "{stats:?}");
}

/// 1,024 missing paths are known, or one for each 16 KiB of a smaller cache; after one more, the
/// map starts again.
#[test]
fn a_thousand_missing_paths_are_known() {
    const MIB: usize = 1024 * KIB;
    // memory for small files, the missing paths that are known
    for (bytes, known) in [
        (64 * KIB - 1, 3),
        (64 * KIB, 4),
        (64 * KIB + 1, 4),
        (16 * MIB - 1, 1_023),
        (16 * MIB, 1_024),
        (64 * MIB, 1_024),
    ] {
        for (others, hits) in [(known - 2, 1), (known - 1, 1), (known, 0)] {
            let tree = Tree::with(|files| files.file_cache(bytes));
            // The two missing error pages of the root are known as well.
            tree.file("404.html", "nothing");
            tree.get_at(0, "/first");
            for number in 0..others {
                tree.get_at(0, &format!("/missing-{number}"));
            }
            assert_eq!(tree.stats().hits, 0, "{bytes} {others}");
            tree.get_at(0, "/first");
            assert_eq!(tree.stats().hits, hits, "{bytes} {others}");
        }
    }
}

/// A path of 1,024 bytes is cached, and a longer one is looked for each time.
#[test]
fn the_longest_cached_path() {
    for (name, length, hits) in [("below", 1_023, 1), ("at", 1_024, 1), ("above", 1_025, 0)] {
        let tree = Tree::new();
        // Segments of nine bytes, none of them empty.
        let byte = |at: usize| {
            if at % 10 == 9 && at + 1 < length {
                '/'
            } else {
                'x'
            }
        };
        let target: String = std::iter::once('/').chain((0..length).map(byte)).collect();
        tree.get_at(0, &target);
        tree.get_at(0, &target);
        assert_eq!(tree.stats().hits, hits, "{name}: nothing there");
        if cfg!(target_vendor = "apple") {
            crate::support::skipped("the_longest_cached_path", "no file has so long a path here");
            continue;
        }
        // A little later, so that it is looked for again.
        tree.file(&target[1..], "here");
        assert_eq!(tree.get_at(1_000, &target).status, 200);
        tree.get_at(1_000, &target);
        assert_eq!(tree.stats().hits, 2 * hits, "{name}: a file");
    }
}

/// A large file that is closed gives back what it took, its name included.
#[test]
fn a_closed_file_takes_no_memory() {
    let tree = Tree::with(|files| files.file_cache(8 * KIB));
    let folder = ["x".repeat(200).as_str(); 4].join("/");
    let target = format!("/{folder}/large");
    tree.file(&target[1..], vec![0; 100 * KIB])
        .file("a.txt", "a");
    for round in 0..50 {
        let ms = round * 30_000;
        assert_eq!(tree.get_at(ms, &target).status, 200);
        assert_eq!(tree.get_at(ms + 20_000, "/a.txt").status, 200);
    }
    assert_eq!(tree.stats().evictions, 0);
}

/// A file that is looked at again and again is counted once.
#[test]
fn another_look_takes_no_more_memory() {
    let tree = Tree::with(|files| files.file_cache(64 * KIB));
    tree.file("a.txt", vec![b'a'; 10 * KIB]).file("b.txt", "b");
    for ms in (0..10_000).step_by(100) {
        tree.get_at(ms, "/a.txt");
    }
    assert_eq!(tree.stats().evictions, 0);
}

fn set_modified(tree: &Tree, time: SystemTime) {
    tree.modified("a.txt", time);
}
