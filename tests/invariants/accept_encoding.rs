//! A client accepts each of our codings that it names, or means by `*`, with a quality above 0, and
//! the plain representation unless it refuses that; the greater quality first, then in the server's
//! order. An invalid member changes nothing, and neither does the way in which members are spread
//! over lines.

// Each fuzz target is a crate of its own.
#[allow(clippy::duplicate_mod)]
#[path = "naive/lines.rs"]
mod lines;

use doorstep::internals::semantics::accept_encoding::{Coding, ranking};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// In the server's order; `x-gzip` is another name.
const CHOICES: [&str; 4] = ["br", "zstd", "gzip", "identity"];

/// Panics when the lines of `bytes`, each as the value of an Accept-Encoding field, break the
/// sentence above.
pub fn check(bytes: &[u8]) {
    let values: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let found = ranked(&values);
    let members: Vec<(String, u16)> = values
        .iter()
        .flat_map(|value| split(value))
        .filter_map(read)
        .collect();
    assert_eq!(found, expected(&members));
    assert_eq!(ranked(&[]), ["identity"], "no field");
    // RFC 9110 §5.3: lines of one name are as good as one line, except for quotes that do not end.
    if !bytes.contains(&b'"') {
        assert_eq!(ranked(&[&values.join(&b", "[..])]), found, "on one line");
    }
    // RFC 9110 §8.4.1: "All content codings are case-insensitive".
    let upper: Vec<Vec<u8>> = values
        .iter()
        .map(|value| value.to_ascii_uppercase())
        .collect();
    let upper: Vec<&[u8]> = upper.iter().map(Vec::as_slice).collect();
    assert_eq!(ranked(&upper), found, "in upper case");
}

fn ranked(values: &[&[u8]]) -> Vec<&'static str> {
    let ranking = lines::with_lines("Accept-Encoding", values, ranking);
    let name = |coding: Option<Coding>| coding.map_or("identity", Coding::name);
    ranking.iter().map(name).collect()
}

/// The acceptable choices, the best of the remaining ones each time.
fn expected(members: &[(String, u16)]) -> Vec<&'static str> {
    let said = |name: &str| {
        members
            .iter()
            .find(|member| member.0 == name)
            .map(|member| member.1)
    };
    let quality = |choice: &str| match (choice, said(choice), said("*")) {
        (_, Some(quality), _) => quality,
        ("identity", None, Some(0)) => 0,
        // After whatever is acceptable, which has a thousandth at least.
        ("identity", None, _) => 1,
        (_, None, any) => any.unwrap_or(0),
    };
    let mut left = CHOICES.to_vec();
    let mut order = Vec::new();
    while let Some(best) = left
        .iter()
        .map(|choice| quality(choice))
        .max()
        .filter(|&best| best > 0)
    {
        let index = left
            .iter()
            .position(|choice| quality(choice) == best)
            .expect("one has the greatest");
        order.push(left.remove(index));
    }
    order
}

/// `codings [ weight ]`: the coding in lower case, and its thousandths. `None` for anything else.
fn read(member: Vec<u8>) -> Option<(String, u16)> {
    let text = String::from_utf8(member).ok()?.to_ascii_lowercase();
    let (name, quality) = match text.split_once(';') {
        None => (text.as_str(), 1000),
        Some((name, weight)) => {
            let value = weight.trim_matches([' ', '\t']).strip_prefix("q=")?;
            (name.trim_matches([' ', '\t']), *spellings().get(value)?)
        }
    };
    let name = if name == "x-gzip" { "gzip" } else { name };
    Some((name.to_owned(), quality))
}

/// RFC 9110 §12.4.2: every way in which a `qvalue` can be written, and its thousandths.
fn spellings() -> &'static BTreeMap<String, u16> {
    static SPELLINGS: OnceLock<BTreeMap<String, u16>> = OnceLock::new();
    SPELLINGS.get_or_init(|| {
        let mut spellings = BTreeMap::new();
        for thousandths in 0..=1000 {
            let mut text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
            spellings.insert(text.clone(), thousandths);
            while text.ends_with('0') && text.contains('.') {
                text.pop();
                spellings.insert(text.clone(), thousandths);
            }
            if let Some(whole) = text.strip_suffix('.') {
                spellings.insert(whole.to_owned(), thousandths);
            }
        }
        spellings
    })
}

/// The members of a list. Commas within quotes do not count; a backslash there hides the byte after
/// it.
fn split(value: &[u8]) -> Vec<Vec<u8>> {
    let mut members = vec![Vec::new()];
    let (mut quoted, mut hidden) = (false, false);
    for &byte in value {
        if byte == b',' && !quoted {
            members.push(Vec::new());
            continue;
        }
        members.last_mut().expect("never empty").push(byte);
        match byte {
            _ if hidden => hidden = false,
            b'\\' if quoted => hidden = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    let trimmed = members.into_iter().map(|member| {
        let is_white = |byte: &u8| matches!(byte, b' ' | b'\t');
        let start = member.iter().take_while(|byte| is_white(byte)).count();
        let end = member
            .iter()
            .rev()
            .take_while(|byte| is_white(byte))
            .count();
        member[start.min(member.len() - end)..member.len() - end].to_vec()
    });
    trimmed.filter(|member| !member.is_empty()).collect()
}
