//! The rules of the house, checked on the text of the source.
//!
//! A rule looks at one file, or at a list of them, and answers with complaints. The checks are
//! textual: they know words, signs and paths (`crate::`, `super::`, groups, globs), and nothing
//! about types. So that a rule which cannot fail is seen, each is also run on made-up texts that
//! break it: `tidy/broken.txt`; what none may complain of stands in `tidy/fine.txt`.

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/hidden.rs"]
mod hidden;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/lists.rs"]
mod lists;
#[path = "tidy/size.rs"]
mod size;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use source::{Source, end_of_function, is_word, sources};
use std::collections::BTreeSet;
use words::{comment_width, retired_names};

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
const RULES: [(&str, Rule); 9] = [
    ("file length", file_length),
    ("function length", function_length),
    ("opening line", opening_line),
    ("rooms", rooms),
    ("forbid unsafe", forbid_unsafe),
    ("pure", pure),
    ("oracle", oracle),
    ("comment width", comment_width),
    ("retired names", retired_names),
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

/// An oracle that shares code shares its bugs: it names nothing of the crate, nor of the tests
/// around it.
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

#[track_caller]
fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn every_file_obeys_every_rule() {
    let (src, oracle) = (sources("src"), sources("tests/oracle"));
    for path in ["src/lib.rs", "tests/oracle/mod.rs"] {
        let mut files = src.iter().chain(oracle);
        assert!(files.any(|file| file.path == path), "{path} was not found");
    }
    let mut found = Vec::new();
    for file in src.iter().chain(oracle) {
        for (name, line, text) in complaints(file) {
            found.push(format!("{}:{line}: {name}: {text}", file.path));
        }
    }
    for file in sources("tests") {
        let complaints = [retired_names(file), comment_width(file)].concat();
        for (line, text) in complaints {
            found.push(format!("{}:{line}: {text}", file.path));
        }
    }
    assert_tidy(&found);
}

#[test]
fn imports_have_an_order() {
    for (name, rule) in RULES_OVER_FILES {
        println!("{name}");
        assert_tidy(&rule(sources("src")));
    }
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
