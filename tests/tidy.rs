//! The rules of the house, checked on the text of the source.
//!
//! A rule looks at one file, or at a list of them, and answers with complaints. The checks are
//! textual: they know words, signs and paths (`crate::`, `super::`, groups, globs), and nothing
//! about types. So that a rule which cannot fail is seen, each is also run on made-up texts that
//! break it: `tidy/broken.txt`; what none may complain of stands in `tidy/fine.txt`.

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/size.rs"]
mod size;
#[path = "tidy/source.rs"]
mod source;

use source::{Source, end_of_function, files_below, is_word, read, sources};
use std::collections::{BTreeMap, BTreeSet};

/// What each room may use besides itself, `limits` and the standard library.
const ROOMS: [(&str, &[&str]); 10] = [
    ("limits", &[]),
    ("scan", &[]),
    ("bytes", &["scan"]),
    ("semantics", &["bytes"]),
    ("h1", &["scan", "bytes", "semantics"]),
    ("conn", &["bytes", "semantics", "h1"]),
    ("handler", &["bytes", "semantics"]),
    ("sys", &[]),
    (
        "server",
        &["bytes", "semantics", "h1", "conn", "handler", "sys"],
    ),
    ("files", &["bytes", "semantics", "handler", "sys"]),
];
/// The crate's root and the two doors besides the API see every room.
const DOORS: [&str; 3] = ["lib", "os", "internals"];
/// No sockets, threads, files or clock here.
const PURE: [&str; 7] = [
    "limits",
    "scan",
    "bytes",
    "semantics",
    "h1",
    "conn",
    "handler",
];
const NUMBERS: [&str; 2] = ["src/bytes/number.rs", "src/semantics/host.rs"];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

type Complaints = Vec<(usize, String)>;
type Rule = fn(&Source) -> Complaints;
const RULES: [(&str, Rule); 7] = [
    ("file length", file_length),
    ("function length", function_length),
    ("opening line", opening_line),
    ("rooms", rooms),
    ("forbid unsafe", forbid_unsafe),
    ("pure", pure),
    ("oracle", oracle),
];

type RuleOverFiles = fn(&[Source]) -> Vec<String>;
const RULES_OVER_FILES: [(&str, RuleOverFiles); 2] =
    [("circles", imports::circles), ("layers", imports::layers)];

type Where = fn(&Source) -> bool;
/// A rule's name, the words and signs that must not stand one after the other, where, and why.
const NEVER: [(&str, &[&str], Where, &str); 6] = [
    (
        "no way around",
        &["# [ path", "include ! (", "extern crate self"],
        |_| true,
        "another room's file, or the crate by another name, goes around the table of rooms",
    ),
    (
        "public API",
        &["internals"],
        |source| source.room() == "bin",
        "the program uses what every user of the crate can use",
    ),
    (
        "unsafe",
        &["unsafe"],
        |source| !["sys", "scan"].contains(&source.room()),
        "unsafe code belongs to sys and scan",
    ),
    (
        "open file",
        &["File ::"],
        |source| source.room() == "handler",
        "an answer may hold a file, and never opens one",
    ),
    (
        "clock",
        &[":: now", ". elapsed"],
        |source| PURE.contains(&source.room()) || source.room() == "files",
        "time is an argument below the server",
    ),
    (
        "numbers",
        &["from_str_radix", ". parse (", ". parse ::", ":: from_str ("],
        |source| source.room() != "bin" && !NUMBERS.contains(&source.path.as_str()),
        "std reads `+5` as a number, which in a Content-Length is request smuggling",
    ),
];

/// What all rules say of one file: the rule, the line, the complaint.
fn complaints(source: &Source) -> Vec<(&'static str, usize, String)> {
    let mut found = Vec::new();
    for (name, rule) in RULES {
        found.extend(
            rule(source)
                .into_iter()
                .map(|(line, text)| (name, line, text)),
        );
    }
    for (name, phrases, applies, why) in NEVER {
        for phrase in phrases.iter().filter(|_| applies(source)) {
            let lines = source.places(phrase).into_iter();
            found.extend(lines.map(|line| (name, line, format!("`{phrase}`: {why}"))));
        }
    }
    found
}

fn file_length(source: &Source) -> Complaints {
    let lines = source.text.lines().count();
    let text = format!("{lines} lines, {FILE_LINES_MAX} are the wall");
    complain_if(lines > FILE_LINES_MAX, 1, text)
}

fn function_length(source: &Source) -> Complaints {
    let mut found = Vec::new();
    for (at, pair) in source.tokens.windows(2).enumerate() {
        if pair[0].word == "fn" && is_word(&pair[1].word) {
            let lines = end_of_function(&source.tokens[at..]) - pair[0].line + 1;
            let text = format!(
                "{} has {lines} lines, {FUNCTION_LINES_MAX} are the wall",
                pair[1].word
            );
            found.extend(complain_if(lines > FUNCTION_LINES_MAX, pair[0].line, text));
        }
    }
    found
}

fn opening_line(source: &Source) -> Complaints {
    let opens = source.text.starts_with("//! ");
    complain_if(
        !opens,
        1,
        "the first line must be `//! ` and the module's job".into(),
    )
}

fn rooms(source: &Source) -> Complaints {
    let room = source.room();
    if room == "bin" || DOORS.contains(&room) || is_oracle(source) {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![(1, format!("`{room}` is not in the table of rooms"))];
    };
    let mut found = Vec::new();
    for (line, path) in source.paths(&["crate", "super", "self", "doorstep"]) {
        let second = path.get(1).map_or("", String::as_str);
        let known = second == room || second == "limits" || allowed.contains(&second);
        let fine = known && path[0] == "crate";
        let text = format!(
            "`{room}` names `{}`; it may use {allowed:?} and `limits`",
            path.join("::")
        );
        found.extend(complain_if(!fine, line, text));
    }
    found
}

fn forbid_unsafe(source: &Source) -> Complaints {
    let door = source.path == format!("src/{}/mod.rs", source.room());
    let must = door && !["sys", "scan"].contains(&source.room());
    let says = !source.places("# ! [ forbid ( unsafe_code ) ]").is_empty();
    complain_if(
        must && !says,
        1,
        "the room's door must say #![forbid(unsafe_code)]".into(),
    )
}

/// No sockets, threads or files where a test must need none; no `std::path` where a request's path
/// is judged, because it folds `//` and `/./` silently.
fn pure(source: &Source) -> Complaints {
    let names: &[&str] = match source.path.as_str() {
        "src/files/resolve.rs" => &["path"],
        _ if PURE.contains(&source.room()) => &["net", "thread", "fs"],
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for (line, path) in source.paths(&["std"]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let whole = ["*", "self"].contains(path.get(1).unwrap_or(&"*"));
        let named = path.iter().any(|name| names.contains(name));
        let type_of_an_answer = source.room() == "handler" && path == ["std", "fs", "File"];
        let text = format!("`{}` has no place here", path.join("::"));
        found.extend(complain_if(
            (whole || named) && !type_of_an_answer,
            line,
            text,
        ));
    }
    found
}

/// What a reading of octets is compared with shares nothing with it: it names nothing of the crate, nor of the tests around it.
fn oracle(source: &Source) -> Complaints {
    if !is_oracle(source) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for name in ["doorstep", "internals", "extern"] {
        let text = format!("`{name}`: what errs with the crate finds none of its errors");
        found.extend(
            source
                .places(name)
                .into_iter()
                .map(|line| (line, text.clone())),
        );
    }
    for (line, path) in source.paths(&["crate", "super", "self"]) {
        let is_inside = path.get(1).is_some_and(|second| second == "oracle");
        let text = format!("`{}` lies outside of the oracle", path.join("::"));
        found.extend(complain_if(!is_inside, line, text));
    }
    found
}

fn is_oracle(source: &Source) -> bool {
    source.path.starts_with("tests/oracle/")
}

fn complain_if(condition: bool, line: usize, text: String) -> Complaints {
    if condition {
        vec![(line, text)]
    } else {
        Vec::new()
    }
}

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
    let tested: BTreeSet<String> = tests.iter().flat_map(tags).map(|(tag, _)| tag).collect();
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

/// `[dependencies]` is empty for ever, and the dev-dependencies are two. Any other table of
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

/// Every folder of Rust files below `tests` has a row in CONTRIBUTING.md, or the test of its name has.
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

#[track_caller]
fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn every_file_obeys_every_rule() {
    let (src, oracle) = (sources("src"), sources("tests/oracle"));
    for path in ["src/lib.rs", "tests/oracle/mod.rs"] {
        let mut files = src.iter().chain(&oracle);
        assert!(files.any(|file| file.path == path), "{path} was not found");
    }
    let mut found = Vec::new();
    for file in src.iter().chain(&oracle) {
        for (name, line, text) in complaints(file) {
            found.push(format!("{}:{line}: {name}: {text}", file.path));
        }
    }
    assert_tidy(&found);
}

#[test]
fn imports_have_an_order() {
    for (name, rule) in RULES_OVER_FILES {
        println!("{name}");
        assert_tidy(&rule(&sources("src")));
    }
}

#[test]
fn every_rfc_tag_is_tested() {
    // The tags of this file are made up.
    let mut tests = sources("tests");
    tests.retain(|file| file.path != "tests/tidy.rs");
    assert_tidy(&untested_tags(&sources("src"), &tests));
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
    let mut files = sources("tests");
    files.extend(sources("src"));
    assert_tidy(&ignored_tests(&files, &read("CONTRIBUTING.md")));
}

#[test]
fn every_folder_of_tests_is_listed() {
    let mut files = Vec::new();
    files_below("tests", &mut files);
    assert_tidy(&unlisted_tests(&files, &read("CONTRIBUTING.md")));
}

/// The rows of a table as `count` cells, `\n` for a line's end.
fn rows(table: &str, count: usize) -> Vec<Vec<String>> {
    let lines = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cell = |text: &str| text.trim().replace("\\n", "\n");
    let rows: Vec<Vec<String>> = lines
        .map(|line| line.splitn(count, " | ").map(cell).collect())
        .collect();
    assert!(
        rows.iter().all(|row| row.len() == count),
        "a row has {count} cells"
    );
    rows
}

#[test]
fn every_rule_can_fail() {
    let mut rows = rows(include_str!("tidy/broken.txt"), 3);
    let long = format!("fn long(x: [u8; 4]) {{\n{}}}", "step();\n".repeat(69));
    rows.push(vec![
        "function length".into(),
        "src/h1/head.rs".into(),
        long,
    ]);
    rows.push(vec![
        "file length".into(),
        "src/h1/head.rs".into(),
        "\n".repeat(501),
    ]);
    let names = RULES
        .map(|rule| rule.0)
        .into_iter()
        .chain(NEVER.map(|rule| rule.0))
        .chain(RULES_OVER_FILES.map(|rule| rule.0));
    let seen: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(seen, names.collect(), "each rule must be seen to fail");
    for row in &rows {
        // Several files in one row are separated by ` + `.
        let files = row[1].split(" + ").zip(row[2].split(" + "));
        let files: Vec<Source> = files.map(|(path, text)| Source::new(path, text)).collect();
        let found = files.iter().flat_map(complaints);
        let over_files = RULES_OVER_FILES
            .iter()
            .flat_map(|(name, rule)| rule(&files).into_iter().map(move |_| *name));
        let mut names = found.map(|(name, ..)| name).chain(over_files);
        let fails = names.any(|name| name == row[0]);
        assert!(fails, "{:?} lets {} say {:?}", row[0], row[1], row[2]);
    }
}

#[test]
fn good_code_passes() {
    let mut rows = rows(include_str!("tidy/fine.txt"), 2);
    let long = format!(
        "fn long() {{\n{}}}\ntrait T {{ fn g(x: [u8; 4]); }}",
        "step();\n".repeat(68)
    );
    rows.push(vec!["src/h1/head.rs".into(), long]);
    rows.push(vec!["src/h1/head.rs".into(), "\n".repeat(499)]);
    for row in rows {
        let source = Source::new(&row[0], &format!("//! x\n{}", row[1]));
        assert_eq!(complaints(&source), [], "{row:?}");
    }
}

#[test]
fn a_reexport_is_no_import() {
    let file = Source::new;
    let room = [
        file(
            "src/h1/mod.rs",
            "mod a; pub use a::A; pub fn b() {} use std::fmt;",
        ),
        file(
            "src/h1/a.rs",
            "use super::b; use crate::h1::A; use crate::scan::c;",
        ),
        file("src/scan/mod.rs", "use super::h1::a;"),
        file("src/server/worker/mod.rs", "use crate::server::base::lock;"),
        file("src/server/base/lock.rs", "use crate::h1::b;"),
    ];
    assert_tidy(&imports::circles(&room));
    assert_tidy(&imports::layers(&room));
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
