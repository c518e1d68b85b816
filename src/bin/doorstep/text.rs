//! Text for people: what may be printed as it is, and which word was meant.
//!
//! In: strings. Out: strings and distances. Never: a decision about an option or a path.

use std::borrow::Cow;
use std::path::Path;

/// `text` with everything escaped that could move the cursor, colour the terminal, begin a new line or turn the reading
/// direction: names of files and request targets are chosen by strangers.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unprintable(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// A path as [`escaped`] text; octets that are not UTF-8 show as U+FFFD.
pub fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// The candidate that `word` most likely stands for: at most two letters wrong, case aside. The first of several.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        // A word of two letters is two letters away from every other one.
        .filter(|&(wrong, candidate)| wrong <= 2 && wrong < candidate.chars().count())
        .min_by_key(|&(wrong, _)| wrong)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. More than
/// [`LONGEST`] letters are beyond a typing mistake: such words are as far apart as can be.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(LONGEST + 1).collect();
    let other: Vec<char> = other.chars().take(LONGEST + 1).collect();
    if one.len() > LONGEST || other.len() > LONGEST {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, &left) in one.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, &right) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(left != right);
            let mut best = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let swapped =
                row > 0 && column > 0 && left == other[column - 1] && one[row - 1] == right;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            this.push(best);
        }
        before = std::mem::replace(&mut last, this);
    }
    last[other.len()]
}

/// Longer words are not compared, so that an argument of a megabyte costs nothing.
const LONGEST: usize = 64;

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}'      // zero width, and marks that turn the direction
            | '\u{2028}'..='\u{202e}'    // line and paragraph separators, embeddings, overrides
            | '\u{2060}'..='\u{2069}'    // joiners and isolates
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_obeys() {
        for (text, expected) in [
            ("/plain/path?x=1", "/plain/path?x=1"),
            ("grüße.html", "grüße.html"),
            ("a\nb", "a\\nb"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{7f}", "a\\u{7f}"),
            ("exe\u{202e}txt", "exe\\u{202e}txt"),
            ("\u{2028}", "\\u{2028}"),
        ] {
            assert_eq!(escaped(text), expected, "{text:?}");
        }
    }

    #[test]
    fn finds_the_word_that_was_meant() {
        let words = ["port", "bind", "lan", "threads", "help", "quiet"];
        for (word, expected) in [
            ("prot", Some("port")),
            ("por", Some("port")),
            ("PORT", Some("port")),
            ("thread", Some("threads")),
            ("htreasd", Some("threads")),
            ("quite", Some("quiet")),
            ("wan", Some("lan")),
            ("daemonize", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words), expected, "{word:?}");
        }
        assert_eq!(nearest(&"p".repeat(1 << 20), words), None);
    }
}
