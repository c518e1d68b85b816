//! Text for people: makes text safe to print, and finds the word that a typo stands for.

use std::borrow::Cow;
use std::path::Path;

/// `text` with every character escaped that could move the cursor, colour the terminal, start a new
/// line or change the reading direction: strangers choose file names and request targets.
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

/// A path as [`escaped`] text; bytes that are not UTF-8 show as U+FFFD.
pub fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// The candidate nearest to `word`, with at most two letters wrong, ignoring case. Of several, the
/// first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        // Every two-letter word is within two letters of any other.
        .filter(|&(wrong, candidate)| wrong <= 2 && wrong < candidate.chars().count())
        .min_by_key(|&(wrong, _)| wrong)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words.
/// Words longer than [`LONGEST`] are infinitely far apart.
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

/// Longer words are not compared: an argument of a megabyte must cost nothing.
const LONGEST: usize = 64;

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}'      // zero width, and direction marks
            | '\u{2028}'..='\u{202e}'    // line and paragraph separators, embeddings, overrides
            | '\u{2060}'..='\u{2069}'    // joiners and isolates
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_control_characters() {
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
    fn finds_the_nearest_word() {
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
