//! The lines of a head are the names and values that a naive split finds, and a request with them
//! is accepted exactly when a naive reading of them all lets it be: one host, one framing, one
//! expectation. Lists, names and options are what the grammar says.

// Each fuzz target is a crate of its own.
#[allow(clippy::duplicate_mod)]
#[path = "naive/authority.rs"]
mod naive;

use doorstep::Limits;
use doorstep::internals::h1::framing::request_framing;
use doorstep::internals::h1::{Expect, Framing, Head, Parsed, Reject, Resume, parse_head};
use doorstep::internals::semantics::{FieldName, FieldTable, Headers, Version, list, upgrade};

/// Options, codings and protocols that are looked for in lists.
const TOKENS: [&str; 5] = ["close", "keep-alive", "upgrade", "websocket", "chunked"];

/// Panics when `bytes`, as the field lines of a request, break the sentence above.
pub fn check(octets: &[u8]) {
    for name in octets.split(|octet| b":\n".contains(octet)) {
        assert_eq!(FieldName::of(name), known(name), "{}", name.escape_ascii());
    }
    let limits = Limits::default();
    for version in [Version::Http10, Version::Http11] {
        let line = format!("POST /x {version}\r\n");
        let head = [line.as_bytes(), octets, b"\r\n\r\n"].concat();
        let mut table = FieldTable::default();
        let outcome = match parse_head(&head, Resume::default(), &limits, &mut table) {
            Ok(Parsed::Done { value, used }) => Ok((value, used)),
            Ok(Parsed::More { .. }) => panic!("there is no more"),
            Err(reject) => Err(reject),
        };
        let Some(section) = read_section(&head[line.len()..]) else {
            let reject = outcome.expect_err("a section that cannot be read");
            assert!(matches!(reject.status().code(), 400 | 431), "{reject}");
            continue;
        };
        let end = line.len() + section.end;
        if section.lines.len() > limits.headers || end > limits.head_bytes {
            let reject = outcome.expect_err("too much");
            assert_eq!(reject.status().code(), 431, "{reject}");
            continue;
        }
        let lines = &section.lines;
        same_outcome(outcome, end, version, lines, &head);
        if let Ok((parsed, _)) = outcome {
            same_lines(Headers::new(&head, table.lines()), version, &parsed, lines);
        }
    }
}

/// One line: a name and a value.
type Line<'a> = (&'a [u8], &'a [u8]);

struct Section<'a> {
    lines: Vec<Line<'a>>,
    /// With its empty line.
    end: usize,
}

/// RFC 9112 §5: `*( field-line CRLF ) CRLF`. `None` when there is anything else before the end.
fn read_section(octets: &[u8]) -> Option<Section<'_>> {
    let mut lines = Vec::new();
    let mut begin = 0;
    loop {
        let rest = &octets[begin..];
        let len = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &rest[..len];
        begin += len + 2;
        if line.is_empty() {
            return Some(Section { lines, end: begin });
        }
        lines.push(read_line(line)?);
    }
}

/// `field-line = field-name ":" OWS field-value OWS`.
fn read_line(line: &[u8]) -> Option<Line<'_>> {
    let mut parts = line.splitn(2, |&octet| octet == b':');
    let (name, value) = (parts.next()?, parts.next()?);
    let is_value = |octet: &u8| *octet == b'\t' || (*octet >= b' ' && *octet != 0x7f);
    (is_token(name) && value.iter().all(is_value)).then_some((name, trimmed(value)))
}

fn is_token(octets: &[u8]) -> bool {
    let is_tchar = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !octets.is_empty() && octets.iter().all(is_tchar)
}

/// Without `OWS` around it.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_else = |octet: &u8| !b" \t".contains(octet);
    let begin = value.iter().position(is_else).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(is_else)
        .map_or(begin, |last| last + 1);
    &value[begin..end]
}

fn values<'a>(lines: &[Line<'a>], name: &str) -> Vec<&'a [u8]> {
    let named = lines
        .iter()
        .filter(|(this, _)| this.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| *value).collect()
}

/// RFC 9110 §5.1: "Field names are case-insensitive".
fn known(name: &[u8]) -> FieldName {
    let is_it = |field: &&FieldName| name.eq_ignore_ascii_case(field.as_str().as_bytes());
    FieldName::ALL
        .iter()
        .find(is_it)
        .copied()
        .unwrap_or(FieldName::Other)
}

/// What becomes of the head is what the naive reading of its lines says, in the order Host,
/// framing, expectation.
fn same_outcome(
    outcome: Result<(Head, usize), Reject>,
    end: usize,
    version: Version,
    lines: &[Line<'_>],
    head: &[u8],
) {
    let expected = read_host(version, lines).and_then(|host| {
        let framing = read_framing(version, lines)?;
        Ok((host, framing, read_expectation(version, lines)?))
    });
    match (outcome, expected) {
        (Ok((parsed, used)), Ok((host, framing, expect))) => {
            assert_eq!(used, end, "the end");
            assert_eq!(parsed.host.map(|host| host.of(head)), host, "the host");
            assert_eq!(parsed.framing, framing);
            assert_eq!(parsed.expect, expect);
            assert_eq!(parsed.version, version);
            assert_eq!(parsed.keep_alive, read_persistence(version, lines));
        }
        (Err(reject), Err(status)) => assert_eq!(reject.status().code(), status, "{reject}"),
        (outcome, expected) => panic!("{outcome:?}, read naively {expected:?}"),
    }
}

/// RFC 9112 §3.2: one valid Host field in 1.1, at most one in 1.0.
fn read_host<'a>(version: Version, lines: &[Line<'a>]) -> Result<Option<&'a [u8]>, u16> {
    match values(lines, "host")[..] {
        [] if version == Version::Http10 => Ok(None),
        [host] if naive::authority(host, true).is_some() => Ok(Some(host)),
        _ => Err(400),
    }
}

/// RFC 9112 §6.3, of which only what everybody understands alike is accepted.
fn read_framing(version: Version, lines: &[Line<'_>]) -> Result<Framing, u16> {
    let codings = values(lines, "transfer-encoding");
    let lengths = values(lines, "content-length");
    match (&codings[..], &lengths[..]) {
        ([], []) => Ok(Framing::None),
        ([], [length]) => match read_length(length).ok_or(400_u16)? {
            0 => Ok(Framing::None),
            length => Ok(Framing::Length(length)),
        },
        ([coding], []) if version == Version::Http11 => {
            let coding = coding.to_ascii_lowercase();
            if coding == b"chunked" {
                return Ok(Framing::Chunked);
            }
            let mut codings: Vec<&[u8]> =
                coding.split(|&octet| octet == b',').map(trimmed).collect();
            let is_last = codings.pop() == Some(b"chunked");
            let is_known = |coding: &&[u8]| {
                is_token(coding) && *coding != b"chunked" && *coding != b"identity"
            };
            Err(if is_last && codings.iter().all(is_known) {
                501
            } else {
                400
            })
        }
        _ => Err(400),
    }
}

/// `1*DIGIT`, of at most as many digits as the largest that is accepted has.
fn read_length(value: &[u8]) -> Option<u64> {
    let is_number = (1..=19).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    text.parse::<i64>().ok().map(|length| length as u64)
}

/// RFC 9110 §10.1.1: `Expect = #expectation`.
fn read_expectation(version: Version, lines: &[Line<'_>]) -> Result<Expect, u16> {
    let expectations = listed(lines, "expect");
    if version == Version::Http10 || expectations.is_empty() {
        return Ok(Expect::Nothing);
    }
    let is_known = |expectation: &Vec<u8>| expectation == b"100-continue";
    match expectations.iter().all(is_known) {
        true => Ok(Expect::Continue),
        false => Err(417),
    }
}

/// RFC 9112 §9.3.
fn read_persistence(version: Version, lines: &[Line<'_>]) -> bool {
    let options: Vec<Vec<u8>> = listed(lines, "connection");
    let has = |option: &[u8]| options.iter().any(|this| this == option);
    !has(b"close") && (version == Version::Http11 || has(b"keep-alive"))
}

/// The elements of all lines of a name, in lower case.
fn listed(lines: &[Line<'_>], name: &str) -> Vec<Vec<u8>> {
    let values = values(lines, name);
    let elements = values.iter().flat_map(|value| read_list(value));
    elements
        .map(|element| element.to_ascii_lowercase())
        .collect()
}

/// RFC 9110 §5.6.1: the elements between commas that no quotes hold, without those that are empty.
fn read_list(value: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at <= value.len() {
        match value.get(at) {
            None | Some(b',') => {
                elements.push(trimmed(&value[begin..at]));
                begin = at + 1;
                at += 1;
            }
            Some(b'"') => at = behind_quotes(value, at + 1),
            Some(_) => at += 1,
        }
    }
    elements.retain(|element| !element.is_empty());
    elements
}

/// RFC 9110 §5.6.4: `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`, from after its first
/// quote.
fn behind_quotes(value: &[u8], mut at: usize) -> usize {
    while at < value.len() {
        match value[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    value.len()
}

/// The head's lines are these, whatever is asked of them.
fn same_lines(headers: Headers<'_>, version: Version, head: &Head, lines: &[Line<'_>]) {
    let found: Vec<Line<'_>> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value))
        .collect();
    assert_eq!(found, lines);
    assert_eq!(request_framing(version, headers), Ok(head.framing));
    for (name, value) in lines {
        let field = known(name);
        let name = std::str::from_utf8(name).expect("a token is ASCII");
        let all = values(lines, name);
        assert!(headers.get_all(name).eq(all.iter().copied()), "{name}");
        assert_eq!(
            headers.get(&name.to_ascii_uppercase()),
            all.first().copied()
        );
        if field != FieldName::Other {
            assert!(headers.known_all(field).eq(all), "{name}");
        }
        let elements = read_list(value);
        assert!(
            list::elements(value).eq(elements.iter().copied()),
            "the list of {name}"
        );
        for token in TOKENS {
            let is_there = elements
                .iter()
                .any(|element| element.eq_ignore_ascii_case(token.as_bytes()));
            assert_eq!(
                list::contains_token(value, token),
                is_there,
                "{token} in {name}"
            );
        }
    }
    let has = |name, token: &[u8]| listed(lines, name).iter().any(|this| this == token);
    let offered =
        version == Version::Http11 && has("connection", b"upgrade") && has("upgrade", b"websocket");
    assert_eq!(upgrade::offers(version, headers, "WebSocket"), offered);
}
