//! The source as the rules see it: words, signs and paths, without comments and literals.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// What running the fuzzers leaves behind.
const BUILT: [&str; 4] = [
    "fuzz/target",
    "fuzz/corpus",
    "fuzz/artifacts",
    "fuzz/coverage",
];

#[derive(Clone)]
pub struct Token {
    pub word: String,
    pub line: usize,
}

pub struct Source {
    /// From the crate's root, with `/`.
    pub path: String,
    pub text: String,
    /// Words, `::` and single signs, without comments and without what stands in literals.
    pub tokens: Vec<Token>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let (mut rest, mut line, mut tokens) = (text, 1, Vec::new());
        while let Some(first) = rest.chars().next() {
            let hidden = comment_or_literal(rest);
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let word = word.unwrap_or(rest.len()).max(first.len_utf8());
            let length = match hidden {
                0 if rest.starts_with("::") => 2,
                0 => word,
                hidden => hidden,
            };
            if hidden == 0 && !first.is_whitespace() {
                let word = rest[..length].to_string();
                tokens.push(Token { word, line });
            }
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
        }
        let (path, text) = (path.to_string(), text.to_string());
        Source { path, text, tokens }
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.word)
    }

    /// `src/h1/head.rs` and `src/h1.rs` are in `h1`.
    pub fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
    }

    /// The lines where these words and signs stand one after the other.
    pub fn places(&self, words: &str) -> Vec<usize> {
        let words: Vec<&str> = words.split(' ').collect();
        let runs = self.tokens.windows(words.len());
        runs.filter(|run| run.iter().map(|token| &token.word).eq(&words))
            .map(|run| run[0].line)
            .collect()
    }

    /// Every path that starts with one of `starts`, in full: groups are spread out, and `self` and
    /// `super` are replaced by the module that they mean.
    pub fn paths(&self, starts: &[&str]) -> Vec<(usize, Vec<String>)> {
        let file = self
            .path
            .trim_start_matches("src")
            .trim_start_matches("tests");
        let file = file.trim_end_matches(".rs");
        let file = file.trim_end_matches("/mod").trim_end_matches("/lib");
        let mut module: Vec<String> = format!("crate{file}")
            .split('/')
            .map(String::from)
            .collect();
        let (mut found, mut at, mut depth, mut inline) = (Vec::new(), 0, 0, Vec::new());
        let word = |at| self.word(at);
        while at < self.tokens.len() {
            match word(at) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if inline.last() == Some(&depth) {
                        inline.pop();
                        module.pop();
                    }
                }
                "mod" if word(at + 2) == "{" => {
                    inline.push(depth);
                    module.push(word(at + 1).to_string());
                }
                start if starts.contains(&start) && ["::", "as"].contains(&word(at + 1)) => {
                    at = self.spread(at, Vec::new(), &module, &mut found);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Follows one path from token `at`, below `path`; answers with the token behind it.
    fn spread(
        &self,
        mut at: usize,
        mut path: Vec<String>,
        module: &[String],
        found: &mut Vec<(usize, Vec<String>)>,
    ) -> usize {
        let word = |at| self.word(at);
        loop {
            match word(at) {
                "{" => {
                    at += 1;
                    while at < self.tokens.len() && word(at) != "}" {
                        at = self.spread(at, path.clone(), module, found);
                        while !["", ",", "}"].contains(&word(at)) {
                            at += 1; // `as name`
                        }
                        at += usize::from(word(at) == ",");
                    }
                    return at + 1;
                }
                "self" if path.is_empty() => path = module.to_vec(),
                "super" => {
                    if path.is_empty() {
                        path = module.to_vec();
                    }
                    path.pop();
                }
                name => path.push(name.to_string()),
            }
            let next = word(at + 2);
            if word(at + 1) != "::" || !(is_word(next) || ["{", "*"].contains(&next)) {
                found.push((self.tokens[at].line, path));
                return at + 1;
            }
            at += 2;
        }
    }
}

pub fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The line on which the function at the start of `tokens` ends: its closing brace, or the
/// semicolon of one without a body.
pub fn end_of_function(tokens: &[Token]) -> usize {
    let (mut braces, mut others) = (0, 0);
    for token in tokens {
        match token.word.as_str() {
            "(" | "[" => others += 1,
            ")" | "]" => others -= 1,
            "{" => braces += 1,
            "}" if braces == 1 => return token.line,
            "}" => braces -= 1,
            ";" if braces == 0 && others == 0 => return token.line,
            _ => {}
        }
    }
    tokens.last().map_or(0, |token| token.line)
}

/// The length of the comment or literal at the start of `text`, or 0.
fn comment_or_literal(text: &str) -> usize {
    let end_of = |mark: &str, from: usize| {
        let end = text.get(from..).and_then(|rest| rest.find(mark));
        end.map_or(text.len(), |at| from + at + mark.len())
    };
    let mut signs = text.char_indices();
    let mut next = || signs.next().unwrap_or((text.len(), ' '));
    match (next().1, next().1, next()) {
        ('/', '/', _) => return text.find('\n').unwrap_or(text.len()),
        ('/', '*', _) => {
            let (mut at, mut depth) = (2, 1);
            while depth > 0 && at < text.len() {
                let step = text.as_bytes()[at..].get(..2);
                depth += i32::from(step == Some(b"/*")) - i32::from(step == Some(b"*/"));
                at += if matches!(step, Some(b"/*" | b"*/")) {
                    2
                } else {
                    1
                };
            }
            return at;
        }
        ('"', ..) => {
            let mut escaped = false;
            let closes = |c| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            };
            return text[1..].find(closes).map_or(text.len(), |at| at + 2);
        }
        ('\'', '\\', _) => return end_of("'", 3),
        ('\'', _, (at, '\'')) => return at + 1,
        ('\'', ..) => return 0, // a lifetime
        _ => {}
    }
    let raw = text
        .trim_start_matches(['b', 'c'])
        .strip_prefix('r')
        .unwrap_or_default();
    let inside = raw.trim_start_matches('#');
    if !inside.starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(raw.len() - inside.len()));
    end_of(&close, text.len() - inside.len() + 1)
}

/// The files below `folder` of the crate, by path; nothing where there is no such folder.
pub fn files_below(folder: &str, found: &mut Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("the folder can be read");
        let name = entry
            .file_name()
            .into_string()
            .expect("source has UTF-8 names");
        let path = format!("{folder}/{name}");
        match entry.file_type().expect("the entry can be read").is_dir() {
            true if BUILT.contains(&path.as_str()) => {}
            true => files_below(&path, found),
            false => found.push(path),
        }
    }
}

pub fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The Rust files of the crate and its tests, by path. They are read once.
pub static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut files = Vec::new();
    files_below("src", &mut files);
    files_below("tests", &mut files);
    files.retain(|path| path.ends_with(".rs"));
    files.sort();
    let source = |path: &String| Source::new(path, &read(path));
    files.iter().map(source).collect()
});

/// The Rust files below `folder`, which is `src`, `tests` or a folder in them.
pub fn sources(folder: &str) -> &'static [Source] {
    let below = format!("{folder}/");
    let is_below = |source: &Source| source.path.starts_with(&below);
    let first = SOURCES.iter().position(is_below).unwrap_or_default();
    let count = SOURCES.iter().filter(|source| is_below(source)).count();
    &SOURCES[first..first + count]
}
