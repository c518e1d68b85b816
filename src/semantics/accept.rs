//! How much a client prefers a media type (RFC 9110 §12.5.1). No type is guessed from a User-Agent.

use super::{FieldName, Headers, list, quality};
use crate::bytes::class;

/// How much a client prefers a media type: more is greater, and of two that are equal the one that
/// it names more precisely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// The quality value times 1000; 0: not acceptable.
    pub thousandths: u16,
    /// The precision of the media range that decided: 2 for the type itself, 1 for `type/*`, 0 for
    /// `*/*` or no range.
    pub precision: u8,
}

/// How much the Accept fields of a request prefer the media type `essence`, such as `text/html`.
///
/// A member that is not valid is ignored; of several that are equally precise, the first decides.
pub fn weight(headers: Headers<'_>, essence: &str) -> Weight {
    let mut decided: Option<Weight> = None;
    let mut says_nothing = true;
    for value in headers.known_all(FieldName::Accept) {
        for range in list::elements(value).filter_map(MediaRange::parse) {
            says_nothing = false;
            // RFC 9110 §12.5.1: "If more than one media range applies to a given type, the most
            // specific reference has precedence."
            let precision = range
                .precision(essence.as_bytes())
                .filter(|&precision| decided.is_none_or(|weight| precision > weight.precision));
            if let Some(precision) = precision {
                decided = Some(Weight {
                    thousandths: range.thousandths,
                    precision,
                });
            }
        }
    }
    decided.unwrap_or(Weight {
        // RFC 9110 §12.4.1: "a request that does not contain the field implies that the sender has
        // no preference on that dimension of negotiation." Nor has one whose field has no member.
        // RFC 9110 §12.4.3: else "values that are not explicitly mentioned in the field are
        // considered unacceptable."
        thousandths: if says_nothing { quality::MOST } else { 0 },
        precision: 0,
    })
}

/// One member of the field: `media-range [ weight ]`.
struct MediaRange<'a> {
    /// `*/*`, `type/*` or `type/subtype`.
    types: (&'a [u8], &'a [u8]),
    /// Whether there is a parameter that is no weight.
    has_parameters: bool,
    thousandths: u16,
}

impl<'a> MediaRange<'a> {
    fn parse(member: &'a [u8]) -> Option<MediaRange<'a>> {
        let end = member.iter().position(|&byte| byte == b';');
        let (types, parameters) = member.split_at(end.unwrap_or(member.len()));
        let types = class::trim_ows(types);
        let slash = types.iter().position(|&byte| byte == b'/')?;
        let (main, sub) = (&types[..slash], &types[slash + 1..]);
        let is_token = |part: &[u8]| !part.is_empty() && class::token_len(part) == part.len();
        if !is_token(main) || !is_token(sub) || (main == b"*" && sub != b"*") {
            return None;
        }
        let (mut has_parameters, mut weight) = (false, None);
        for parameter in list::parameters(parameters) {
            // RFC 9110 §12.5.1: "Recipients SHOULD process any parameter named "q" as weight,
            // regardless of parameter ordering."
            if !quality::is_weight(parameter) {
                has_parameters = true;
            } else if weight.replace(quality::read(parameter)?).is_some() {
                return None;
            }
        }
        Some(MediaRange {
            types: (main, sub),
            has_parameters,
            thousandths: weight.unwrap_or(quality::MOST),
        })
    }

    /// How precisely the range says this type; `None` when it does not apply to it.
    fn precision(&self, essence: &[u8]) -> Option<u8> {
        // RFC 9110 §12.5.1 tells "text/plain;format=flowed" from "text/plain": a range with
        // parameters is for types that have them.
        if self.has_parameters {
            return None;
        }
        let (main, sub) = self.types;
        if main == b"*" {
            return Some(0);
        }
        let slash = essence.iter().position(|&byte| byte == b'/')?;
        // RFC 9110 §8.3.1: "The type and subtype tokens are case-insensitive."
        if !main.eq_ignore_ascii_case(&essence[..slash]) {
            return None;
        }
        match sub {
            b"*" => Some(1),
            sub => sub.eq_ignore_ascii_case(&essence[slash + 1..]).then_some(2),
        }
    }
}
