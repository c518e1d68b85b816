//! Field lines without a message around them, for the invariants of what one field means.

use doorstep::internals::semantics::fields::FieldLine;
use doorstep::internals::semantics::{FieldName, Headers, Span};

/// Runs `look` on the field lines that have this name, and between them these values, however
/// invalid they are.
pub fn with_lines<T>(name: &str, values: &[&[u8]], look: impl Fn(Headers<'_>) -> T) -> T {
    let mut octets = name.as_bytes().to_vec();
    let name_at = span(0, octets.len());
    let mut lines = Vec::new();
    for value in values {
        let start = octets.len();
        octets.extend_from_slice(value);
        lines.push(FieldLine {
            field: FieldName::of(name.as_bytes()),
            name: name_at,
            value: span(start, octets.len()),
        });
    }
    look(Headers::new(&octets, &lines))
}

fn span(start: usize, end: usize) -> Span {
    Span {
        start: start as u32,
        end: end as u32,
    }
}
