//! A request target is accepted in the form that the grammar gives it with its method and in no
//! other; its parts lie within it and make it up; an authority, and a Host field, is one exactly
//! when the grammar says so.

// Each fuzz target is a crate of its own.
#[allow(clippy::duplicate_mod)]
#[path = "naive/authority.rs"]
mod naive;

use doorstep::internals::semantics::{Method, Span, Target, TargetForm, host};
use naive::authority;

/// Panics when `bytes`, as a target or as an authority, break the sentence above.
pub fn check(octets: &[u8]) {
    for token in [
        &b"GET"[..],
        b"POST",
        b"OPTIONS",
        b"CONNECT",
        b"options",
        b"M-SEARCH",
    ] {
        let method = Method::from_token(token).expect("these are methods");
        let parsed = Target::parse(octets, method).ok();
        let parts = parsed.map(|parsed| Parts::of(&parsed, octets));
        assert_eq!(parts, read(octets, token), "with {method}");
        if let Some(parts) = parts {
            assert_eq!(parts.joined(octets), octets, "with {method}");
        }
    }
    for may_be_empty in [false, true] {
        let parsed = host::parse(octets, may_be_empty);
        let read = authority(octets, may_be_empty);
        assert_eq!(parsed.map(|parsed| (parsed.host, parsed.port)), read);
        assert_eq!(host::is_valid(octets, may_be_empty), read.is_some());
    }
}

/// A target's parts.
#[derive(Debug, PartialEq)]
struct Parts<'a> {
    form: TargetForm,
    authority: Option<&'a [u8]>,
    path: &'a [u8],
    query: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of(target: &Target, octets: &'a [u8]) -> Parts<'a> {
        let text = |span: Span| {
            let range = span.start as usize..span.end as usize;
            octets.get(range).expect("a part lies within its target")
        };
        Parts {
            form: target.form,
            authority: target.authority.map(text),
            path: text(target.path),
            query: target.query.map(text),
        }
    }

    /// The parts with what stands between them.
    fn joined(&self, octets: &[u8]) -> Vec<u8> {
        let scheme: &[u8] = match self.form {
            TargetForm::Asterisk => b"*",
            TargetForm::Absolute if octets.get(4) == Some(&b':') => &octets[..7],
            TargetForm::Absolute => &octets[..8],
            TargetForm::Origin | TargetForm::Authority => b"",
        };
        let mut joined = [scheme, self.authority.unwrap_or_default(), self.path].concat();
        if let Some(query) = self.query {
            joined.push(b'?');
            joined.extend_from_slice(query);
        }
        joined
    }
}

/// RFC 9112 §3.2: `request-target = origin-form / absolute-form / authority-form / asterisk-form`,
/// each for its methods.
fn read<'a>(target: &'a [u8], method: &[u8]) -> Option<Parts<'a>> {
    let text = std::str::from_utf8(target).ok()?;
    if text.contains(|c| !matches!(c, '!'..='~') || c == '#') {
        return None;
    }
    let parts = |form, authority: Option<&'a str>, rest: &'a str| {
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.as_bytes())),
            None => (rest, None),
        };
        let (authority, path) = (authority.map(str::as_bytes), path.as_bytes());
        Some(Parts {
            form,
            authority,
            path,
            query,
        })
    };
    if method == b"CONNECT" {
        // A port has to be named: `authority-form = uri-host ":" port`.
        let (_, port) = authority(target, false)?;
        port?;
        return parts(TargetForm::Authority, Some(text), "");
    }
    if text.starts_with('/') {
        return parts(TargetForm::Origin, None, text);
    }
    if text == "*" {
        let (form, is_allowed) = (TargetForm::Asterisk, method == b"OPTIONS");
        return is_allowed.then(|| parts(form, None, ""))?;
    }
    let (scheme, behind) = text.split_once("://")?;
    if !["http", "https"].contains(&&*scheme.to_ascii_lowercase()) {
        return None;
    }
    let end = behind.find(['/', '?']).unwrap_or(behind.len());
    let (host, rest) = behind.split_at(end);
    authority(host.as_bytes(), false)?;
    parts(TargetForm::Absolute, Some(host), rest)
}
