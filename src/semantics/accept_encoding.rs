//! The content codings that a client accepts, in order of preference (RFC 9110 §12.5.3): only those
//! that it has named, or meant by `*`.

use super::{FieldName, Headers, list, quality};
use crate::bytes::class;
use std::cmp::Reverse;

/// A content coding that a file may be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878).
    Zstd,
    /// `gzip` (RFC 9110 §8.4.1.3).
    Gzip,
}

impl Coding {
    /// All of them, in the order in which the server prefers them: by what they usually save.
    pub const ALL: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

    /// As the Content-Encoding field has it.
    pub const fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// Its place in [`ALL`](Coding::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The codings that a client accepts, in the order in which it prefers them. Empty when it accepts
/// none of ours, nor a representation without one: 406.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranking {
    order: [Option<Coding>; CHOICES.len()],
    acceptable: usize,
}

impl Ranking {
    /// From the one that it prefers on; `None` is "identity", the representation without a content
    /// coding.
    pub fn iter(&self) -> impl Iterator<Item = Option<Coding>> {
        self.order.into_iter().take(self.acceptable)
    }
}

/// The ranking without the field, which most programs do not send.
const NOTHING_SAID: Ranking = Ranking {
    order: [None; CHOICES.len()],
    acceptable: 1,
};

/// The choices, in the server's order, which counts where the client has no preference.
const CHOICES: [Option<Coding>; 4] = [
    Some(Coding::Brotli),
    Some(Coding::Zstd),
    Some(Coding::Gzip),
    None,
];

/// The codings that the Accept-Encoding fields of a request accept.
///
/// A member that is not valid is ignored, and so is one for a coding that another before it was
/// for.
pub fn ranking(headers: Headers<'_>) -> Ranking {
    let mut said = Said::default();
    let mut values = headers.known_all(FieldName::AcceptEncoding).peekable();
    if values.peek().is_none() {
        return NOTHING_SAID;
    }
    for value in values {
        for member in list::elements(value) {
            said.take(member);
        }
    }
    let mut order = CHOICES;
    // Stable: choices that are equal to the client stay in the server's order.
    order.sort_by_key(|&choice| Reverse(said.quality(choice)));
    let is_acceptable = |&&choice: &&Option<Coding>| said.quality(choice) > 0;
    Ranking {
        order,
        acceptable: order.iter().filter(is_acceptable).count(),
    }
}

#[derive(Default)]
struct Said {
    codings: [Option<u16>; Coding::ALL.len()],
    identity: Option<u16>,
    others: Option<u16>,
}

impl Said {
    /// `codings [ weight ]`, where `weight = OWS ";" OWS "q=" qvalue`.
    fn take(&mut self, member: &[u8]) {
        let semicolon = member.iter().position(|&byte| byte == b';');
        let (coding, quality) = match semicolon {
            None => (member, Some(quality::MOST)),
            Some(end) => (
                class::trim_ows(&member[..end]),
                quality::read(class::trim_ows(&member[end + 1..])),
            ),
        };
        let (Some(said), Some(quality)) = (self.place(coding), quality) else {
            return;
        };
        said.get_or_insert(quality);
    }

    /// RFC 9110 §8.4.1: "All content codings are case-insensitive".
    fn place(&mut self, coding: &[u8]) -> Option<&mut Option<u16>> {
        let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
        if is("*") {
            return Some(&mut self.others);
        }
        if is("identity") {
            return Some(&mut self.identity);
        }
        let known = Coding::ALL.into_iter().find(|known| is(known.name()));
        // RFC 9110 §8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
        let known = known.or_else(|| is("x-gzip").then_some(Coding::Gzip))?;
        self.codings.get_mut(known.index())
    }

    /// How much the client prefers a choice, in thousandths; 0 when it does not accept it.
    fn quality(&self, choice: Option<Coding>) -> u16 {
        match choice {
            // RFC 9110 §12.5.3: "The asterisk "*" symbol in an Accept-Encoding field matches any
            // available content coding not explicitly listed in the field." RFC 9110 §12.4.3: "If
            // no wildcard is present, values that are not explicitly mentioned in the field are
            // considered unacceptable." Without the field, any coding would be acceptable; but a
            // client that does not say what it can decode is served as one that says nothing is.
            Some(coding) => self.codings[coding.index()].or(self.others).unwrap_or(0),
            // RFC 9110 §12.5.3: "If the representation has no content coding, then it is acceptable
            // by default unless specifically excluded by the Accept-Encoding header field stating
            // either "identity;q=0" or "*;q=0" without a more specific entry for "identity"." By
            // default it comes last: who names codings prefers them.
            None => match (self.identity, self.others) {
                (Some(quality), _) => quality,
                (None, Some(0)) => 0,
                (None, _) => quality::LEAST,
            },
        }
    }
}
