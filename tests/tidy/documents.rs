//! What the documents name exists: paths, links, and functions or tests "in" a file.

use crate::source::read;
use std::path::Path;

const DOCUMENTS: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "benches/README.md",
    "fuzz/README.md",
    "tests/README.md",
    "tests/peers/README.md",
];

/// A word that begins with one of these is a path from the crate's root.
const FOLDERS: [&str; 7] = [
    ".ci/",
    "benches/",
    "examples/",
    "fuzz/",
    "html/",
    "src/",
    "tests/",
];

/// The published package leaves these out.
const UNPUBLISHED: [&str; 3] = [".ci/", "fuzz/", "benches/peers/"];

/// Running the fuzzers makes these.
const MADE: [&str; 2] = ["fuzz/corpus/", "fuzz/artifacts/"];

/// The names in `text`, a document in `folder`, that are wrong. `content` gives the text of a file,
/// an empty one for a folder, and nothing when the path does not exist.
fn wrong_names(folder: &str, text: &str, content: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let paths = paths(line).chain(links(folder, line));
        found.extend(
            paths
                .filter(|path| content(path).is_none())
                .map(|path| format!("{}: {path} does not exist", index + 1)),
        );
        for (name, path) in names_in_files(line) {
            let is_there = content(path).is_some_and(|text| text.contains(name));
            let text = format!("{}: {path} has no {name}", index + 1);
            found.extend((!is_there).then_some(text));
        }
    }
    found
}

fn paths(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| c.is_whitespace() || "`()[]|,;:\"'=".contains(c))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| !word.contains(['*', '$', '{', '<', '…']))
        .map(|word| word.trim_end_matches('.').to_string())
}

/// The relative links, as paths from the crate's root.
fn links(folder: &str, line: &str) -> impl Iterator<Item = String> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.split('#').next().unwrap_or(link))
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .map(move |link| match link.strip_prefix("../") {
            Some(above) => above.to_string(),
            None => format!("{folder}{link}"),
        })
}

/// The pairs of "`name` in `path`", and of "`one`, `other` in `path`".
fn names_in_files(line: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = line.split('`').collect();
    let mut found = Vec::new();
    // Odd parts stand between back quotes.
    for at in (3..parts.len()).step_by(2) {
        if parts[at - 1].trim() != "in" || !parts[at].ends_with(".rs") {
            continue;
        }
        let mut name = at - 2;
        found.push((parts[name], parts[at]));
        while name >= 3 && [",", "and"].contains(&parts[name - 1].trim()) {
            name -= 2;
            found.push((parts[name], parts[at]));
        }
    }
    found
        .into_iter()
        .map(|(name, path)| (name.rsplit("::").next().unwrap_or(name), path))
        .filter(|(name, _)| !name.contains('/'))
        .collect()
}

fn content(path: &str) -> Option<String> {
    let starts_with = |folder: &&&str| path.starts_with(**folder);
    let unpublished = UNPUBLISHED.iter().find(starts_with);
    if MADE.iter().any(|folder| path.starts_with(folder))
        || unpublished.is_some_and(|folder| !Path::new(folder).exists())
    {
        return Some(String::new());
    }
    let metadata = Path::new(path).metadata().ok()?;
    Some(match metadata.is_file() {
        true => std::fs::read_to_string(path).unwrap_or_default(),
        false => String::new(),
    })
}

#[test]
fn every_name_in_the_documents_exists() {
    let mut found = Vec::new();
    for document in DOCUMENTS {
        if document.starts_with("fuzz/") && !Path::new("fuzz").exists() {
            continue;
        }
        let folder = document.rfind('/').map_or("", |end| &document[..=end]);
        let wrong = wrong_names(folder, &read(document), content);
        found.extend(wrong.into_iter().map(|text| format!("{document}:{text}")));
    }
    crate::assert_tidy(&found);
}

#[test]
fn wrong_names_in_documents_are_found() {
    let content = |path: &str| match path {
        "src/a.rs" | "tests/x.rs" => Some("fn some_name() {} fn other() {}".to_string()),
        "src/room" | "src/room/" | "tests/README.md" | "fuzz/x" => Some(String::new()),
        _ => None,
    };
    for (folder, text, count) in [
        ("", "see `src/a.rs`, `src/room/` and src/room.", 0),
        ("", "see `src/b.rs`, then src/gone/: and tests/*.rs", 2),
        ("", "text/html, `html` and https://x.y/src/b.rs", 0),
        ("", "[a](tests/README.md), [b](https://x.y), [c](#top)", 0),
        ("", "[a](tests/MISSING.md)", 2),
        ("tests/", "[a](README.md#top), [b](../fuzz/x)", 0),
        ("tests/", "[a](GONE.md), [b](../fuzz/y)", 2),
        (
            "",
            "`some_name` in `src/a.rs`, `A::other` in `tests/x.rs`",
            0,
        ),
        ("", "`some_name`, `other` in `src/a.rs`", 0),
        ("", "`gone`, `other` and `lost` in `src/a.rs`", 2),
        ("", "`gone` and `src/a.rs`", 0),
    ] {
        let found = wrong_names(folder, text, content);
        assert_eq!(found.len(), count, "{text}: {found:?}");
    }
}
