//! How many items the documentation hides.

use crate::source::{Source, sources};

/// Items with `#[doc(hidden)]`, not counting the door `internals`: each is a part of the API that
/// its documentation does not own up to.
const HIDDEN_MAX: usize = 6;

fn hidden_items(src: &[Source]) -> Vec<String> {
    let mut hidden = Vec::new();
    for file in src {
        let doors = file.places("# [ doc ( hidden ) ] pub mod internals");
        let lines = file.places("# [ doc ( hidden ) ]").into_iter();
        let lines = lines.filter(|line| !doors.contains(line));
        hidden.extend(lines.map(|line| format!("{}:{line}", file.path)));
    }
    match hidden.len() > HIDDEN_MAX {
        true => vec![format!(
            "{} hidden items, {HIDDEN_MAX} are the wall: {}",
            hidden.len(),
            hidden.join(", ")
        )],
        false => Vec::new(),
    }
}

#[test]
fn few_items_are_hidden() {
    crate::assert_tidy(&hidden_items(sources("src")));
}

#[test]
fn too_many_hidden_items_are_found() {
    let hidden = "#[doc(hidden)]\npub fn f() {}\n";
    let door = "#[doc(hidden)] pub mod internals {}";
    for (count, complaints) in [(6, 0), (7, 1)] {
        let text = format!("{}{door}", hidden.repeat(count));
        let found = hidden_items(&[Source::new("src/lib.rs", &text)]);
        assert_eq!(found.len(), complaints, "{count}");
    }
}
