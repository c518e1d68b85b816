//! The rules that more than one part of a message is made of.

use super::reader::{Reader, Stop};

/// RFC 9110 §5.6.2: `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_"
/// / "`" / "|" / "~" / DIGIT / ALPHA`.
pub fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// RFC 9110 §5.6.2: `token = 1*tchar`.
pub fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|&octet| is_tchar(octet))
}

/// RFC 9110 §5.5: `field-vchar = VCHAR / obs-text`, and between them `SP / HTAB`.
pub fn is_field_octet(octet: u8) -> bool {
    is_vchar(octet) || octet >= 0x80 || is_white_space(octet)
}

/// RFC 5234 §B.1: `VCHAR = %x21-7E`.
pub fn is_vchar(octet: u8) -> bool {
    (0x21..=0x7E).contains(&octet)
}

fn is_white_space(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// RFC 9110 §5.6.3: without the `OWS = *( SP / HTAB )` at both ends.
pub fn trim(octets: &[u8]) -> &[u8] {
    let is_other = |octet: &u8| !is_white_space(*octet);
    match (
        octets.iter().position(is_other),
        octets.iter().rposition(is_other),
    ) {
        (Some(first), Some(last)) => &octets[first..=last],
        _ => b"",
    }
}

/// RFC 9112 §5: `field-line = field-name ":" OWS field-value OWS`, and its CRLF. Field-name is a
/// token (RFC 9110 §5.1).
pub fn field_line(reader: &mut Reader<'_>) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    let name = reader.some(is_tchar, usize::MAX, 0)?;
    reader.one(|octet| octet == b':')?;
    let value = reader.any(is_field_octet, usize::MAX, 0)?;
    reader.crlf()?;
    Ok((name.to_vec(), trim(value).to_vec()))
}

/// RFC 9110 §5.6.1: the elements of a list, `element *( OWS "," OWS element )`, without the empty
/// ones. A comma within `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE` (§5.6.4) is none
/// of the list's.
pub fn elements(list: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let mut length = 0;
        while length < rest.len() && rest[length] != b',' {
            length += match rest[length] {
                b'"' => quoted_string(&rest[length..]),
                _ => 1,
            };
        }
        elements.push(trim(&rest[..length]));
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    elements.retain(|element| !element.is_empty());
    elements
}

/// The length of the quoted-string at the start; of all that is left when it does not end.
fn quoted_string(octets: &[u8]) -> usize {
    let mut length = 1;
    while length < octets.len() {
        match octets[length] {
            b'"' => return length + 1,
            b'\\' => length += 2,
            _ => length += 1,
        }
    }
    octets.len()
}

/// Whether a list has this element. RFC 9110 §7.6.1: options have no case.
pub fn has_element(list: &[u8], wanted: &[u8]) -> bool {
    elements(list)
        .iter()
        .any(|element| element.eq_ignore_ascii_case(wanted))
}

/// `1*DIGIT`, of which there may be so many, as a number.
pub fn decimal(octets: &[u8], digits: usize) -> Option<u128> {
    if octets.is_empty() || octets.len() > digits {
        return None;
    }
    octets
        .iter()
        .try_fold(0, |number: u128, octet| match octet {
            b'0'..=b'9' => Some(number * 10 + u128::from(octet - b'0')),
            _ => None,
        })
}

/// The value of a `HEXDIG` in either case.
pub fn hexdig(octet: u8) -> Option<u8> {
    let digits = b"0123456789abcdef";
    let place = digits
        .iter()
        .position(|&digit| digit == octet.to_ascii_lowercase())?;
    Some(place as u8)
}
