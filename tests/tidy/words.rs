//! Retired names, and the width of comments.

use crate::source::Source;
use crate::{Complaints, complain_if};

/// Names that the code had once. Each had another meaning than a reader guessed, and has a better
/// name today.
const RETIRED: [&str; 32] = [
    "Chosen",
    "Crew",
    "DateLine",
    "Delivery",
    "Desk",
    "Ended",
    "Fate",
    "Gather",
    "Gathered",
    "Guest",
    "HeldRoot",
    "Kept",
    "Outlet",
    "Pace",
    "Patience",
    "Presence",
    "Pull",
    "Running",
    "Seat",
    "Seats",
    "Standing",
    "Station",
    "Subject",
    "Surroundings",
    "Tail",
    "Trouble",
    "and_bind",
    "enroll",
    "least_rate",
    "relieve",
    "turn_away",
    "write_off",
];
const COMMENT_COLUMNS_MAX: usize = 100;

pub fn retired_names(source: &Source) -> Complaints {
    let found = source.tokens.iter();
    found
        .filter(|token| RETIRED.contains(&token.word.as_str()))
        .map(|token| (token.line, format!("`{}` has another name now", token.word)))
        .collect()
}

/// A row of a Markdown table cannot wrap.
pub fn comment_width(source: &Source) -> Complaints {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let comment = line.trim_start();
        let is_row = comment.trim_start_matches(['/', '!', ' ']).starts_with('|');
        let columns = line.chars().count();
        let is_wide = comment.starts_with("//") && !is_row && columns > COMMENT_COLUMNS_MAX;
        let text = format!("a comment of {columns} columns, {COMMENT_COLUMNS_MAX} are the wall");
        found.extend(complain_if(is_wide, index + 1, text));
    }
    found
}
