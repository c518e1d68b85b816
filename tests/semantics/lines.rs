//! Field lines without a message around them, for the tests of what fields mean.

use doorstep::internals::semantics::fields::FieldLine;
use doorstep::internals::semantics::{FieldName, Headers, Span};

/// Runs `look` on the field lines of a head that has these, however invalid they are.
pub fn with_headers<T>(lines: &[(&str, &str)], look: impl Fn(Headers<'_>) -> T) -> T {
    let mut octets = Vec::new();
    let mut span = |text: &str| {
        let start = octets.len() as u32;
        octets.extend_from_slice(text.as_bytes());
        let end = octets.len() as u32;
        Span { start, end }
    };
    let table: Vec<FieldLine> = lines
        .iter()
        .map(|&(name, value)| FieldLine {
            field: FieldName::of(name.as_bytes()),
            name: span(name),
            value: span(value),
        })
        .collect();
    look(Headers::new(&octets, &table))
}
