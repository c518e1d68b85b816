//! RFC 9112 §2 to §6: a request's head, line by line, and then what its lines say together.

use super::grammar::{decimal, elements, field_line, has_element, is_tchar, is_token};
use super::reader::{Reader, Refusal, Stop};
use super::target::{Target, is_host_field, is_target_octet, take_apart};
use super::{Limits, Message};

/// The head at the start of `bytes`: a message without its content.
///
/// `request = request-line CRLF *( field-line CRLF ) CRLF` (RFC 9112 §2.1). What its lines say
/// together is judged when it is complete; in the order of the checks below, each of which is right
/// when several of them fail.
pub fn read_head(octets: &[u8], limits: &Limits) -> Result<Message, Stop> {
    let within = &octets[..octets.len().min(limits.head_bytes)];
    let too_long = |status| match octets.len() >= limits.head_bytes {
        // RFC 6585 §5. What would end it comes too late.
        true => Stop::Refused(Refusal {
            status,
            after: limits.head_bytes,
        }),
        false => Stop::Cut,
    };
    let mut reader = Reader::new(within);
    // RFC 9110 §15.5.15, when it is not even the line of the target that ends.
    let line = request_line(&mut reader, limits).map_err(|stop| cut(stop, || too_long(414)))?;
    let fields = field_lines(&mut reader, limits).map_err(|stop| cut(stop, || too_long(431)))?;
    let refused = |status| reader.refused(status);
    let target = take_apart(line.method, line.target).ok_or(refused(400))?;
    let host = host(&target, &values(&fields, "host"), line.minor).ok_or(refused(400))?;
    let codings = values(&fields, "transfer-encoding");
    let lengths = values(&fields, "content-length");
    let length = framing(&codings, &lengths, line.minor).map_err(refused)?;
    let expects = expects(&values(&fields, "expect"), line.minor).ok_or(refused(417))?;
    let options = values(&fields, "connection");
    let says = |option: &str| {
        options
            .iter()
            .any(|list| has_element(list, option.as_bytes()))
    };
    // RFC 9112 §9.3: close ends it, 1.1 lets it live, 1.0 does with keep-alive.
    let keeps_alive = !says("close") && (line.minor == 1 || says("keep-alive"));
    // RFC 9110 §7.8: Upgrade is a list, means nothing unless Connection names it, and is ignored in
    // 1.0.
    let offers = match line.minor == 1 && says("upgrade") {
        true => values(&fields, "upgrade"),
        false => Vec::new(),
    };
    let upgrades = offers.iter().flat_map(|list| elements(list));
    Ok(Message {
        start: 0,
        head_end: reader.at,
        method: line.method.to_vec(),
        target: line.target.to_vec(),
        form: target.form,
        path: target.path.to_vec(),
        query: target.query.map(<[u8]>::to_vec),
        minor: line.minor,
        upgrades: upgrades.map(<[u8]>::to_vec).collect(),
        host,
        keeps_alive,
        expects,
        length,
        content: Vec::new(),
        end: None,
        fields,
    })
}

/// What the bytes come to when they end here.
fn cut(stop: Stop, otherwise: impl Fn() -> Stop) -> Stop {
    match stop {
        Stop::Cut => otherwise(),
        refused => refused,
    }
}

struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    minor: u8,
}

/// RFC 9112 §3: `request-line = method SP request-target SP HTTP-version`, and its CRLF.
fn request_line<'a>(reader: &mut Reader<'a>, limits: &Limits) -> Result<RequestLine<'a>, Stop> {
    // §2.2: "at least one empty line (CRLF) received prior to the request-line" is ignored; here,
    // exactly one.
    if reader.next()? == b'\r' {
        reader.crlf()?;
    }
    // RFC 9110 §9.1: method = token. RFC 9112 §3: 501 for one "longer than any that it implements".
    let method = reader.some(is_tchar, limits.method_bytes, 501)?;
    // STRICTER: exactly one SP.
    reader.one(|octet| octet == b' ')?;
    // The bytes that a target may hold; which form they have is judged with the method. §3: 414 for
    // one that is too long.
    let target = reader.some(is_target_octet, limits.target_bytes, 414)?;
    reader.one(|octet| octet == b' ')?;
    // §2.3: HTTP-version = HTTP-name "/" DIGIT "." DIGIT, where HTTP-name = %s"HTTP".
    for expected in b"HTTP/" {
        reader.one(|octet| octet == *expected)?;
    }
    let major = reader.one(|octet| octet.is_ascii_digit())?;
    reader.one(|octet| octet == b'.')?;
    let minor = reader.one(|octet| octet.is_ascii_digit())?;
    // RFC 9110 §15.6.6: 505, once it is known to be a version.
    reader.one(|octet| octet == b'\r')?;
    if major != b'1' {
        return Err(reader.refused(505));
    }
    reader.one(|octet| octet == b'\n')?;
    // RFC 9110 §2.5: a later minor version is served as the highest that is known.
    let minor = (minor - b'0').min(1);
    Ok(RequestLine {
        method,
        target,
        minor,
    })
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// `*( field-line CRLF ) CRLF`.
fn field_lines(reader: &mut Reader<'_>, limits: &Limits) -> Result<Fields, Stop> {
    let mut fields = Vec::new();
    while reader.next()? != b'\r' {
        // RFC 6585 §5: one line too many is known by the first byte of its name.
        if is_tchar(reader.next()?) && fields.len() >= limits.headers {
            reader.at += 1;
            return Err(reader.refused(431));
        }
        fields.push(field_line(reader)?);
    }
    reader.crlf()?;
    Ok(fields)
}

/// The values of all lines of a field. RFC 9110 §5.1: names have no case.
fn values<'a>(fields: &'a Fields, wanted: &str) -> Vec<&'a [u8]> {
    let of_name = |(name, _): &&(Vec<u8>, Vec<u8>)| name.eq_ignore_ascii_case(wanted.as_bytes());
    fields
        .iter()
        .filter(of_name)
        .map(|(_, value)| &value[..])
        .collect()
}

/// RFC 9112 §3.2: one Host field, which is valid; HTTP/1.0 may have none. §3.2.2: the target's
/// authority is the host, whatever the field says.
fn host(target: &Target<'_>, fields: &[&[u8]], minor: u8) -> Option<Option<Vec<u8>>> {
    let field = match fields {
        [] if minor == 0 => None,
        [value] if is_host_field(value, target.authority.is_none()) => Some(*value),
        _ => return None,
    };
    Some(target.authority.or(field).map(<[u8]>::to_vec))
}

/// RFC 9112 §6.3: the length of the content, none when it is chunked; or the status. Whatever two
/// readers could read otherwise is refused: two lines of one field, both fields, Transfer-Encoding
/// in 1.0.
fn framing(codings: &[&[u8]], lengths: &[&[u8]], minor: u8) -> Result<Option<u64>, u16> {
    match (codings, lengths) {
        ([], []) => Ok(Some(0)),
        ([coding], []) if minor == 1 => transfer_coding(coding).map(|()| None),
        // RFC 9110 §8.6: Content-Length = 1*DIGIT; here, of the 19 digits that a signed 64-bit
        // number has.
        ([], [length]) => match decimal(length, 19) {
            Some(length) if length <= i64::MAX as u128 => Ok(Some(length as u64)),
            _ => Err(400),
        },
        _ => Err(400),
    }
}

/// RFC 9112 §6.1: `Transfer-Encoding = #transfer-coding`: chunked and no other. 501 for others
/// before it that are tokens.
fn transfer_coding(value: &[u8]) -> Result<(), u16> {
    let codings = value
        .split(|&octet| octet == b',')
        .map(super::grammar::trim);
    let codings: Vec<Vec<u8>> = codings.map(<[u8]>::to_ascii_lowercase).collect();
    let is_other =
        |coding: &Vec<u8>| is_token(coding) && coding != b"chunked" && coding != b"identity";
    match &codings[..] {
        [last] if last == b"chunked" => Ok(()),
        [others @ .., last] if last == b"chunked" && others.iter().all(is_other) => Err(501),
        _ => Err(400),
    }
}

/// RFC 9110 §10.1.1: `Expect = #expectation`, each of them `100-continue`; 417 for all others;
/// ignored in 1.0.
fn expects(values: &[&[u8]], minor: u8) -> Option<bool> {
    if minor == 0 {
        return Some(false);
    }
    let expected: Vec<&[u8]> = values.iter().flat_map(|list| elements(list)).collect();
    let is_known = |element: &&[u8]| element.eq_ignore_ascii_case(b"100-continue");
    let are_known = expected.iter().all(is_known);
    are_known.then_some(!expected.is_empty())
}
