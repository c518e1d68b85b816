//! How large the source may be, and what stands at the top of the repository.

use crate::source::{Source, sources};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const SRC_LINES_MAX: usize = 31_800;
/// Lines of the tests, data rows apart, for ten lines of the source.
const TEST_LINES_MAX: usize = 16;

/// Every name at the top of the repository.
const TOP_LEVEL: [&str; 19] = [
    ".ci",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "benches",
    "examples",
    "fuzz",
    "html",
    "rustfmt.toml",
    "src",
    "tests",
];
/// Cargo puts these beside the source.
const CARGOS: [&str; 2] = ["target", "Cargo.toml.orig"];

fn lines(files: &[Source]) -> usize {
    files.iter().map(|file| file.text.lines().count()).sum()
}

/// The lines that begin inside of square brackets which an earlier line opened: the rows of a
/// table, an array or a `vec!`, and the comments between them. What is not Rust, such as
/// `tests/rfc/requirements`, is data as well, and not counted among the lines at all.
fn data_rows(source: &Source) -> usize {
    let (mut rows, mut depth, mut begins_at) = (0, 0, 1);
    for token in &source.tokens {
        match token.word.as_str() {
            "[" => {
                if depth == 0 {
                    begins_at = token.line;
                }
                depth += 1;
            }
            "]" => {
                depth -= 1;
                // Neither the line that opens them nor the one that closes them is a row.
                if depth == 0 {
                    rows += token.line.saturating_sub(begins_at + 1);
                }
            }
            _ => {}
        }
    }
    rows
}

/// The numbers, as a line to print, and what is wrong with them.
fn sizes(src: &[Source], tests: &[Source]) -> (String, Vec<String>) {
    let (src, tests, rows) = (
        lines(src),
        lines(tests),
        tests.iter().map(data_rows).sum::<usize>(),
    );
    let code = tests - rows;
    let ratio = code as f64 / src as f64;
    let shown = format!(
        "src: {src} lines; tests: {code} lines and {rows} data rows; {ratio:.2} lines of tests for one of src"
    );
    let mut found = Vec::new();
    if src > SRC_LINES_MAX {
        found.push(format!("src has {src} lines, {SRC_LINES_MAX} are the wall"));
    }
    if code * 10 > src * TEST_LINES_MAX {
        let most = src * TEST_LINES_MAX / 10;
        found.push(format!(
            "tests has {code} lines without data rows, {most} are the wall"
        ));
    }
    (shown, found)
}

/// The names at the top that git tracks. Nothing where there is no git, or where it tracks none of
/// these files, as in a package that is being verified.
fn tracked() -> Option<BTreeSet<String>> {
    let git = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    let paths = String::from_utf8(git.stdout).ok()?;
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_string();
    let names: BTreeSet<String> = paths.split_terminator('\0').map(first).collect();
    (git.status.success() && names.contains("Cargo.toml")).then_some(names)
}

/// The names at the top that are there, apart from hidden ones and Cargo's.
fn present() -> BTreeSet<String> {
    let entries = Path::new(env!("CARGO_MANIFEST_DIR")).read_dir();
    let entries = entries.expect("the folder can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !CARGOS.contains(&name.as_str()))
        .collect()
}

fn strangers(names: &BTreeSet<String>) -> Vec<String> {
    let strangers = names
        .iter()
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()));
    strangers
        .map(|name| format!("{name} at the top is not in the list of tests/tidy/size.rs"))
        .collect()
}

/// `cargo test --test tidy size -- --nocapture` shows the numbers.
#[test]
fn the_size_is_within_bounds() {
    let (shown, found) = sizes(sources("src"), sources("tests"));
    println!("{shown}");
    crate::assert_tidy(&found);
}

#[test]
fn every_name_at_the_top_is_listed() {
    let names = tracked().unwrap_or_else(present);
    crate::assert_tidy(&strangers(&names));
}

#[test]
fn too_much_is_found() {
    let file = |text: &str| [Source::new("src/h1/head.rs", text)];
    for (text, rows) in [
        ("const A: [u8; 2] = [1, 2];", 0),
        ("#[test]\nfn f() {\n    g([\n        1,\n    ]);\n}", 1),
        (
            "let x = vec![\n\n    // y\n    (\n        2,\n    ),\n];\nf();",
            5,
        ),
        ("let x = [[\n1,\n],\n[\n2]];", 3),
        ("let x = \"[\n\n\n]\";", 0),
    ] {
        assert_eq!(data_rows(&file(text)[0]), rows, "{text}");
    }

    let src = file(&"\n".repeat(100));
    let long = file(&"\n".repeat(SRC_LINES_MAX + 1));
    let rows = format!("let x = [\n{}];\n", "1,\n".repeat(1000));
    for (src, tests, count) in [
        (&src, file(&"\n".repeat(160)), 0),
        (&src, file(&"\n".repeat(161)), 1),
        (&src, file(&rows), 0),
        (&long, file(""), 1),
    ] {
        let (shown, found) = sizes(src, &tests);
        assert_eq!(found.len(), count, "{shown}");
    }

    let names = ["src", "Cargo.toml", "notes.md"].map(String::from);
    assert_eq!(strangers(&names.into()).len(), 1);
}
