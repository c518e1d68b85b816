//! `requirements`, the file beside this one: every MUST and MUST NOT of RFC 9112 and RFC 9110, and
//! what shows that it is obeyed.
//!
//! The file says how it is written and counted. Here: no section is missing, each has as many
//! entries as the RFC has words, each entry names rows and tests that there are, or says why it has
//! none.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

const REQUIREMENTS: &str = include_str!("requirements");

/// What is wrong with the file, line by line.
struct Reader {
    complaints: Vec<String>,
    line: usize,
    document: Option<Document>,
    section: Option<Section>,
    entry: Option<Entry>,
    /// The files that rows stand in, as they are read.
    files: HashMap<String, String>,
}

/// One of the two RFCs: its counts as its first line says them, and those that its sections add up
/// to.
struct Document {
    name: String,
    said: [usize; 2],
    found: [usize; 2],
}

struct Section {
    number: String,
    said: usize,
    found: usize,
}

#[derive(Default)]
struct Entry {
    /// Rows and tests that show it.
    shown: usize,
    /// Reasons why it is not ours.
    excused: usize,
    /// Reasons why more is refused.
    stricter: usize,
}

/// What is wrong with this text.
fn gaps(text: &str) -> Vec<String> {
    let mut reader = Reader {
        complaints: Vec::new(),
        line: 0,
        document: None,
        section: None,
        entry: None,
        files: HashMap::new(),
    };
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some((name, counts)) = line.split_once(": ").filter(|_| line.starts_with("RFC ")) {
            reader.end_document();
            names.push(name);
            reader.document(name, counts);
        } else if let Some(section) = line.strip_prefix('§') {
            reader.end_section();
            reader.section(section);
        } else if let Some(quote) = line.strip_prefix("- ") {
            reader.end_entry();
            reader.entry(quote);
        } else if let Some(evidence) = line.strip_prefix("    ") {
            reader.evidence(evidence);
        } else if !line.is_empty() && !line.starts_with('#') {
            reader.complain("neither a section, nor an entry, nor what shows one");
        }
        // Here, so that what is found missing at the start of a line is told of the line before.
        reader.line = index + 1;
    }
    reader.end_document();
    if names != ["RFC 9112", "RFC 9110"] {
        reader.complain("not the two RFCs");
    }
    reader.complaints
}

impl Reader {
    fn complain(&mut self, what: &str) {
        let line = self.line + 1;
        self.complaints.push(format!("line {line}: {what}"));
    }

    /// `87 times MUST in 74 sections`
    fn document(&mut self, name: &str, counts: &str) {
        let words: Vec<&str> = counts.split(' ').collect();
        let said = match words[..] {
            [musts, "times", "MUST", "in", sections, "sections"] => {
                [musts, sections].map(|count| count.parse().ok())
            }
            _ => [None; 2],
        };
        let [Some(musts), Some(sections)] = said else {
            return self.complain("an RFC without its counts");
        };
        self.document = Some(Document {
            name: name.to_owned(),
            said: [musts, sections],
            found: [0; 2],
        });
    }

    /// `2.2 Message Parsing: 7`
    fn section(&mut self, text: &str) {
        let title = text.split_once(' ').and_then(|(number, rest)| {
            let (_, count) = rest.rsplit_once(": ")?;
            Some((number, count.parse().ok()?))
        });
        let Some((number, said)) = title else {
            return self.complain("a section without its title or count");
        };
        let before = self.section.take().map(|section| section.number);
        let is_next = match &before {
            Some(before) => follows(before, number),
            None => number == "1",
        };
        if !is_next {
            self.complain(&format!("§{number} does not follow §{before:?}"));
        }
        self.section = Some(Section {
            number: number.to_owned(),
            said,
            found: 0,
        });
        match &mut self.document {
            Some(document) => document.found[1] += 1,
            None => self.complain("a section of no RFC"),
        }
    }

    fn entry(&mut self, quote: &str) {
        let words = quote.split(|c: char| !c.is_ascii_alphabetic());
        if words.filter(|word| *word == "MUST").count() != 1 {
            self.complain("an entry that does not say MUST once");
        }
        self.entry = Some(Entry::default());
        match &mut self.section {
            Some(section) => section.found += 1,
            None => self.complain("an entry of no section"),
        }
    }

    fn evidence(&mut self, text: &str) {
        let Some(mut entry) = self.entry.take() else {
            return self.complain("a row or a reason of no entry");
        };
        let reason = ["not ours:", "stricter:"]
            .iter()
            .find(|kind| text.starts_with(**kind));
        if let Some(kind) = reason {
            match *kind {
                "not ours:" => entry.excused += 1,
                _ => entry.stricter += 1,
            }
            if text[kind.len()..].trim().is_empty() {
                self.complain("a reason that says nothing");
            }
        } else {
            entry.shown += 1;
            self.look_up(text);
        }
        self.entry = Some(entry);
    }

    /// `rfc/fields.rs "no name"`, or `rfc/fields.rs field_lines`
    fn look_up(&mut self, text: &str) {
        let Some((path, name)) = text
            .split_once(' ')
            .filter(|(path, _)| path.ends_with(".rs"))
        else {
            return self.complain("neither a row, nor a test, nor a reason");
        };
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let file = self.files.entry(path.to_owned()).or_insert_with(|| {
            // A file that is not there has no row.
            fs::read_to_string(tests.join(path)).unwrap_or_default()
        });
        let is_row = name.len() > 2 && name.starts_with('"') && name.ends_with('"');
        let is_there = match is_row {
            true => file.contains(name),
            false => file.contains(&format!("fn {name}(")),
        };
        if !is_there {
            self.complain(&format!("tests/{path} has no {name}"));
        }
    }

    fn end_entry(&mut self) {
        let Some(Entry {
            shown,
            excused,
            stricter,
        }) = self.entry.take()
        else {
            return;
        };
        match (shown, excused, stricter) {
            (0, 0, _) => self.complain_before("an entry without a row or a reason"),
            (0, 1, 0) | (1.., 0, _) => {}
            _ => self.complain_before("an entry that is both ours and not, or not ours twice"),
        }
    }

    fn end_section(&mut self) {
        self.end_entry();
        let Some(section) = &self.section else {
            return;
        };
        let (said, found) = (section.said, section.found);
        if said != found {
            let text = format!("§{}: {found} entries, {said} times MUST", section.number);
            self.complain_before(&text);
        }
        if let Some(document) = &mut self.document {
            document.found[0] += said;
        }
    }

    fn end_document(&mut self) {
        self.end_section();
        self.section = None;
        if let Some(Document { name, said, found }) = self.document.take() {
            if said != found {
                let text = format!("{name}: {said:?} times MUST and sections, found {found:?}");
                self.complain_before(&text);
            }
        }
    }

    /// Of the line before this one, with which something ends.
    fn complain_before(&mut self, what: &str) {
        self.complaints.push(format!("line {}: {what}", self.line));
    }
}

/// Whether a section with the second number may come right after one with the first: `2.2.1`, `2.3`
/// or `3` after `2.2`; `A` after any number without a dot or with.
fn follows(before: &str, number: &str) -> bool {
    let next = |part: &str| match part.parse::<u32>() {
        Ok(count) => (count + 1).to_string(),
        Err(_) => part.chars().map(|c| (c as u8 + 1) as char).collect(),
    };
    let parts: Vec<&str> = before.split('.').collect();
    let siblings = (1..=parts.len()).map(|depth| {
        let (last, parents) = parts[..depth].split_last().expect("at least one");
        let mut sibling = parents.to_vec();
        let next = next(last);
        sibling.push(&next);
        sibling.join(".")
    });
    let first_appendix = number == "A" && parts[0].parse::<u32>().is_ok();
    first_appendix
        || number == format!("{before}.1")
        || siblings.collect::<Vec<_>>().contains(&number.to_owned())
}

#[test]
fn each_is_shown_or_excused() {
    let gaps = gaps(REQUIREMENTS);
    assert!(
        gaps.is_empty(),
        "tests/rfc/requirements:\n{}",
        gaps.join("\n")
    );
}

/// Sections of RFC 9112 that ask nothing of a server which a table could show.
const WITHOUT_A_TABLE: [(&str, &str); 12] = [
    ("2", "a heading"),
    ("7.3", "a registry"),
    ("9", "a heading"),
    ("9.1", "it leaves that to the transport"),
    ("9.2", "a client's"),
    ("9.3.1", "a client's"),
    ("9.4", "a client's"),
    (
        "9.7",
        "TLS is spoken in front of this server, or by the program",
    ),
    ("9.8", "the same"),
    ("11", "a heading"),
    ("11.3", "it names what others do"),
    ("11.4", "the same"),
];

/// The wire's own document, from the message to the connection, and what it says of attacks.
#[test]
fn each_section_has_a_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc");
    let mut tables = String::new();
    for entry in fs::read_dir(folder).expect("this folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("requirements.rs")
        {
            tables += &fs::read_to_string(path).expect("a file");
        }
    }
    let wire = REQUIREMENTS.split("\nRFC 9110: ").next();
    let sections = wire
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix('§'));
    for section in sections {
        let number = section.split(' ').next().unwrap_or_default();
        let chapter = number.split('.').next().unwrap_or_default();
        if !["2", "3", "4", "5", "6", "7", "8", "9", "11"].contains(&chapter) {
            continue;
        }
        let tag = format!("RFC 9112 §{number}");
        let has_table = tables.match_indices(&tag).any(|(at, _)| {
            let behind = &tables.as_bytes()[at + tag.len()..];
            !matches!(behind, [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..])
        });
        let is_excused = WITHOUT_A_TABLE
            .iter()
            .any(|(excused, _)| *excused == number);
        assert_ne!(has_table, is_excused, "{tag}");
    }
}

/// A check that cannot fail would say the same of the file.
#[test]
fn each_kind_of_gap_is_seen() {
    const HOST: &str = "    rfc/host.rs \"RFC 9112 §3.2: none\"\n";
    const ROWS: &str = "    rfc/fields.rs \"RUSTSEC-2020-0031: space before the colon (RFC 9112 §5.1)\"\n    \
        rfc/fields.rs \"tab before the colon\"\n    wire/messages.rs \"space before a colon\"\n";
    const TRAILERS: &str =
        "    not ours: no trailer field is retained: they are checked, bounded and dropped\n";
    const CONTAINER: &str = "- A recipient of \"message/http\" data MUST replace";
    const EXTENSIONS: &str = "- A recipient MUST ignore unrecognized chunk extensions.\n";
    // What is exchanged, for what, what is said of it.
    let rows = [
        (
            "a row's name",
            HOST,
            "    rfc/host.rs \"none at all\"\n",
            "has no \"none at all\"",
        ),
        (
            "a part of a name",
            HOST,
            "    rfc/host.rs \"RFC 9112 §3.2\"\n",
            "has no \"RFC 9112 §3.2\"",
        ),
        (
            "an empty name",
            HOST,
            "    rfc/host.rs \"\"\n",
            "has no \"\"",
        ),
        (
            "a file",
            HOST,
            "    rfc/hosts.rs \"RFC 9112 §3.2: none\"\n",
            "tests/rfc/hosts.rs has no",
        ),
        (
            "a test's name",
            HOST,
            "    rfc/host.rs host\n",
            "has no host",
        ),
        (
            "no name",
            HOST,
            "    rfc/host.rs\n",
            "neither a row, nor a test",
        ),
        ("no row", ROWS, "", "without a row or a reason"),
        (
            "no row, but stricter",
            ROWS,
            "    stricter: more than the RFC asks\n",
            "without a row or a reason",
        ),
        ("no reason", TRAILERS, "", "without a row or a reason"),
        (
            "an empty reason",
            TRAILERS,
            "    not ours:\n",
            "says nothing",
        ),
        (
            "a reason of white space",
            TRAILERS,
            "    not ours:          \n",
            "says nothing",
        ),
        (
            "an empty reason to be stricter",
            HOST,
            "    stricter: \n",
            "says nothing",
        ),
        (
            "two reasons",
            TRAILERS,
            "    not ours: a client's\n    not ours: a proxy's\n",
            "not ours twice",
        ),
        (
            "a row and a reason",
            HOST,
            "    not ours: a client's\n",
            "both ours and not",
        ),
        (
            "an entry without its word",
            CONTAINER,
            "- A recipient of \"message/http\" data must replace",
            "MUST once",
        ),
        (
            "an entry with two words",
            CONTAINER,
            "- A recipient of \"message/http\" data MUST, MUST replace",
            "MUST once",
        ),
        ("an entry less", EXTENSIONS, "", "0 entries, 1 times MUST"),
        (
            "a count",
            "§3.2 Request Target: 4\n",
            "§3.2 Request Target: 5\n",
            "4 entries, 5 times MUST",
        ),
        (
            "no count",
            "§3.2 Request Target: 4\n",
            "§3.2 Request Target\n",
            "without its title or count",
        ),
        (
            "a section less",
            "§6 Message Body: 0\n",
            "",
            "§6.1 does not follow",
        ),
        (
            "a last section less",
            "§12.4 ALPN Protocol ID Registration: 0\n",
            "",
            "found [87, 73]",
        ),
        (
            "all that was said",
            "RFC 9112: 87 times MUST in 74 sections\n",
            "RFC 9112: 86 times MUST in 74 sections\n",
            "found [87, 74]",
        ),
        (
            "nothing said",
            "RFC 9112: 87 times MUST in 74 sections\n",
            "RFC 9112: all\n",
            "without its counts",
        ),
        ("an RFC less", "\nRFC 9110: ", "\n# ", "not the two RFCs"),
        (
            "an entry less, and not its row",
            EXTENSIONS,
            "",
            "of no entry",
        ),
        (
            "a line of no kind",
            EXTENSIONS,
            "A recipient MUST ignore\n",
            "neither a section, nor",
        ),
    ];
    for (name, part, instead, complaint) in rows {
        assert_eq!(REQUIREMENTS.matches(part).count(), 1, "{name}");
        let gaps = gaps(&REQUIREMENTS.replace(part, instead));
        let is_seen = gaps.iter().any(|gap| gap.contains(complaint));
        assert!(is_seen, "{name}: {gaps:?}");
    }
}
