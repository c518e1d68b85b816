//! Rules over many files: what one of them names stands in another.

use crate::assert_tidy;
use crate::source::{SOURCES, Source, files_below, read, sources};
use std::collections::{BTreeMap, BTreeSet};

/// `RFC 9112 §5.1` and the like in `text`, each with the line where it stands first.
fn rfc_tags(text: &str) -> BTreeMap<String, usize> {
    let mut tags = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        for part in line.split("RFC ").skip(1) {
            let Some((rfc, rest)) = part.split_once(" §") else {
                continue;
            };
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            let section = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if rfc.bytes().all(|octet| octet.is_ascii_digit()) {
                let tag = format!("RFC {rfc} §{section}");
                tags.entry(tag).or_insert(number + 1);
            }
        }
    }
    tags
}

fn untested_tags(src: &[Source], tests: &[Source]) -> Vec<String> {
    let tags = |file: &Source| rfc_tags(&file.text);
    // The tags of this file are made up.
    let others = tests
        .iter()
        .filter(|file| file.path != "tests/tidy/lists.rs");
    let tested: BTreeSet<String> = others.flat_map(tags).map(|(tag, _)| tag).collect();
    let mut found = Vec::new();
    for file in src {
        for (tag, line) in tags(file) {
            let text = format!("{}:{line}: {tag} stands in no file under tests/", file.path);
            found.extend((!tested.contains(&tag)).then_some(text));
        }
    }
    found
}

/// `files` are all paths under fuzz/ and tests/.
fn fuzz_targets(files: &[String], manifest: &str, readme: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix("fuzz/fuzz_targets/");
        let Some(name) = name.and_then(|name| name.strip_suffix(".rs")) else {
            continue;
        };
        let invariant = format!("tests/invariants/{name}.rs");
        let (seeds, row) = (format!("fuzz/seeds/{name}/"), format!("| `{name}` |"));
        let entry = format!("name = \"{name}\"");
        let needs = [
            (files.contains(&invariant), invariant.as_str()),
            (files.iter().any(|path| path.starts_with(&seeds)), &seeds),
            (
                readme.lines().any(|line| line.starts_with(&row)),
                "a row in fuzz/README.md",
            ),
            (manifest.contains(&entry), "an entry in fuzz/Cargo.toml"),
        ];
        let lacks = needs.iter().filter(|(has, _)| !has);
        found.extend(lacks.map(|(_, what)| format!("fuzz target {name} lacks {what}")));
    }
    found
}

/// `[dependencies]` is empty forever, and the dev-dependencies are two. Any other table of
/// dependencies (of a target, of the build, of one crate) is one too many.
fn dependencies(manifest: &str) -> Vec<String> {
    let (mut table, mut found, mut dev) = ("", Vec::new(), BTreeSet::new());
    for line in manifest
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
    {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']');
            if let Some(name) = table.strip_prefix("dev-dependencies.") {
                dev.insert(name);
            } else if !["dependencies", "dev-dependencies"].contains(&table) {
                found.extend(table.contains("dependencies").then(|| format!("[{table}]")));
            }
        } else if let Some((name, _)) = line.split_once(['=', '.']) {
            match table {
                "dependencies" => found.push(format!("[dependencies] {line}")),
                "dev-dependencies" => drop(dev.insert(name.trim())),
                _ => {}
            }
        }
    }
    if dev.iter().ne(&["criterion", "proptest"]) {
        found.push(format!(
            "dev-dependencies are criterion and proptest, not {dev:?}"
        ));
    }
    found
}

/// Tests that `cargo test` leaves out stand under "## Ignored tests" of CONTRIBUTING.md, as
/// ``- `name` …``, and no others do.
fn ignored_tests(files: &[Source], contributing: &str) -> Vec<String> {
    let section = contributing
        .split("\n## ")
        .find_map(|part| part.strip_prefix("Ignored tests\n"))
        .unwrap_or_default();
    let listed: BTreeSet<String> = section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("- `")?.split_once('`')?.0.to_string()))
        .collect();
    let mut ignored = BTreeSet::new();
    for file in files {
        for line in file.places("# [ ignore") {
            let behind = file.tokens.iter().skip_while(|token| token.line < line);
            let name = behind.skip_while(|token| token.word != "fn").nth(1);
            ignored.extend(name.map(|token| token.word.clone()));
        }
    }
    let mut found: Vec<String> = listed
        .symmetric_difference(&ignored)
        .map(|name| format!("CONTRIBUTING.md, Ignored tests: {name}"))
        .collect();
    if listed.is_empty() && !section.contains("None yet.") {
        found.push(
            "CONTRIBUTING.md, Ignored tests: must say `None yet.` where there are none".into(),
        );
    }
    found
}

/// Every folder of Rust files below `tests` has a row in CONTRIBUTING.md, or the test of its name
/// has.
fn unlisted_tests(files: &[String], contributing: &str) -> Vec<String> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter(|path| path.ends_with(".rs"))
        .filter_map(|path| Some(path.strip_prefix("tests/")?.split_once('/')?.0))
        .collect();
    let is_listed = |name: &str| contributing.contains(&format!("\n| `tests/{name}"));
    folders
        .into_iter()
        .filter(|name| !is_listed(&format!("{name}/`")) && !is_listed(&format!("{name}.rs`")))
        .map(|name| format!("CONTRIBUTING.md, Every test: no row for tests/{name}/"))
        .collect()
}

#[test]
fn every_rfc_tag_is_tested() {
    assert_tidy(&untested_tags(sources("src"), sources("tests")));
}

#[test]
fn every_fuzz_target_is_complete() {
    let mut files = Vec::new();
    files_below("fuzz", &mut files);
    if files.is_empty() {
        println!("SKIPPED every_fuzz_target_is_complete: the published package leaves fuzz/ out");
        return;
    }
    files_below("tests", &mut files);
    assert_tidy(&fuzz_targets(
        &files,
        &read("fuzz/Cargo.toml"),
        &read("fuzz/README.md"),
    ));
}

#[test]
fn the_crate_depends_on_nothing() {
    assert_tidy(&dependencies(&read("Cargo.toml")));
}

#[test]
fn every_ignored_test_is_listed() {
    assert_tidy(&ignored_tests(&SOURCES, &read("CONTRIBUTING.md")));
}

#[test]
fn every_folder_of_tests_is_listed() {
    let mut files = Vec::new();
    files_below("tests", &mut files);
    assert_tidy(&unlisted_tests(&files, &read("CONTRIBUTING.md")));
}

#[test]
fn every_rule_over_many_files_can_fail() {
    let file = |text: &str| [Source::new("src/h1/head.rs", text)];
    let tagged = file("// RFC 9112 §5.1: \"x\"");
    assert_eq!(
        untested_tags(&tagged, &file("// RFC 9112 §5.11, RFC 9110 §5.1")).len(),
        1
    );
    assert_eq!(
        untested_tags(&tagged, &file("(\"RFC 9112 §5.1\", 400)")).len(),
        0
    );

    let all = [
        "fuzz/fuzz_targets/head.rs",
        "tests/invariants/head.rs",
        "fuzz/seeds/head/get",
    ];
    let files = all.map(String::from);
    assert_eq!(
        fuzz_targets(&files, "name = \"head\"", "| `head` | x |"),
        [""; 0]
    );
    assert_eq!(
        fuzz_targets(&files[..1], "name = \"path\"", "| `path` | x |").len(),
        4
    );

    let dev = "[dev-dependencies]\ncriterion = { version = \"1\" }\nproptest = \"1\"\n";
    assert_eq!(
        dependencies(&format!("[dependencies]\n# none\n\n{dev}")),
        [""; 0]
    );
    assert_eq!(
        dependencies("[dev-dependencies.criterion]\nversion = \"1\"\n[dev-dependencies.proptest]"),
        [""; 0]
    );
    for more in [
        "[dependencies]\nlibc = \"0.2\"\n",
        "[dependencies.libc]\nversion = \"0.2\"\n",
        "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
        "[build-dependencies]\ncc = \"1\"\n",
    ] {
        assert_eq!(dependencies(&format!("{more}{dev}")).len(), 1, "{more}");
    }
    assert_eq!(dependencies(&format!("{dev}tempfile = \"3\"")).len(), 1);
    assert_eq!(dependencies("[dependencies]").len(), 1);

    let ignored = file("#[test]\n#[ignore = \"minutes\"]\nfn soak() {}");
    let plain = file("#[test] fn soak() {}");
    let (none, soak) = (
        "x\n## Ignored tests\nNone yet.\n## More\n",
        "x\n## Ignored tests\n- `soak` does x\n",
    );
    for (files, text, complaints) in [
        (&ignored, soak, 0),
        (&ignored, none, 1),
        (&plain, soak, 1),
        (&plain, none, 0),
        (&plain, "", 1),
    ] {
        assert_eq!(ignored_tests(files, text).len(), complaints, "{text}");
    }

    let files = ["tests/tidy.rs", "tests/tidy/source.rs", "tests/rfc/main.rs"].map(String::from);
    for (text, complaints) in [
        ("\n| `tests/tidy.rs` | x |\n| `tests/rfc/` | x |", 0),
        ("\n| `tests/rfc/` | x |", 1),
        ("see `tests/tidy.rs` and `tests/rfc/`", 2),
    ] {
        assert_eq!(unlisted_tests(&files, text).len(), complaints, "{text}");
    }
}
