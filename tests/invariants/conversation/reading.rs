//! A naive reading of what a client sent, with all of it at hand: the grammar of RFC 9112 in the order in which it stands there, as
//! strict as this server says that it is. It shares nothing with the crate, so that it errs otherwise where it errs.

use std::io::BufRead;
use std::net::Ipv6Addr;

/// What a client's octets say.
#[derive(Debug)]
pub struct Reading {
    /// The messages, of which only the last may be without the end of its content.
    pub messages: Vec<Message>,
    /// What follows them is no head and will never be one.
    pub is_bad: bool,
}

/// One request.
#[derive(Debug)]
pub struct Message {
    /// Where it begins, an empty line before it included.
    pub start: usize,
    /// Where its head ends.
    pub head_end: usize,
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    /// 0 or 1: a later minor version is served as 1.
    pub minor: u8,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub host: Option<Vec<u8>>,
    /// The connection may live on behind it, as far as the client is concerned.
    pub keeps_alive: bool,
    /// The client waits for 100 Continue.
    pub expects: bool,
    /// It offers to go on in the protocol `echo`.
    pub offers_echo: bool,
    /// The length of its content, if it is not chunked.
    pub length: Option<u64>,
    /// Its content, as far as it was sent and can be read.
    pub content: Vec<u8>,
    pub end: End,
    /// The longest size line of its chunks.
    pub chunk_line: usize,
    /// The length of its trailer section, the empty line included.
    pub trailer: usize,
}

impl Message {
    /// What it is, for a person.
    pub fn shown(&self) -> String {
        let (method, target) = (self.method.escape_ascii(), self.target.escape_ascii());
        format!(
            "{method} {target}, {} octets, {:?}",
            self.content.len(),
            self.end
        )
    }
}

/// How a message's content ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should, here.
    At(usize),
    /// It was not sent to its end.
    Cut,
    /// It is malformed.
    Bad,
}

pub fn read(octets: &[u8]) -> Reading {
    let (mut messages, mut at) = (Vec::new(), 0);
    let mut is_bad = false;
    while at < octets.len() {
        // RFC 9112 §2.2: at least one empty line in front of a request line is skipped; here, exactly one.
        let skipped = if octets[at..].starts_with(b"\r\n") {
            2
        } else {
            0
        };
        let behind = &octets[at + skipped..];
        let Some(length) = find(behind, b"\r\n\r\n") else {
            break;
        };
        let Some(mut message) = head(&behind[..length]) else {
            is_bad = true;
            break;
        };
        message.start = at;
        message.head_end = at + skipped + length + 4;
        content(&octets[message.head_end..], &mut message);
        let (end, keeps_alive) = (message.end, message.keeps_alive);
        // RFC 9110 §9.3.6: what follows a CONNECT that succeeds is no message.
        let is_last = !keeps_alive || message.method == b"CONNECT";
        messages.push(message);
        match end {
            End::At(end) if !is_last => at = end,
            _ => break,
        }
    }
    Reading { messages, is_bad }
}

/// Where these octets, the last of which is a line feed, stand first.
pub fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        // The search of std, which costs a fuzzer nothing.
        let mut rest = &octets[end..];
        end += rest.skip_until(b'\n').ok()?;
        if octets[..end].ends_with(what) {
            return Some(end - what.len());
        }
        if end == octets.len() {
            return None;
        }
    }
}

/// A head, without the two CRLF at its end.
fn head(octets: &[u8]) -> Option<Message> {
    let mut lines = lines(octets).into_iter();
    let parts: Vec<&[u8]> = lines.next()?.split(|&octet| octet == b' ').collect();
    let [method, target, version] = parts[..] else {
        return None;
    };
    let minor = match version {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit() => minor - b'0',
        _ => return None,
    };
    let minor = minor.min(1);
    if !is_token(method) {
        return None;
    }
    let (authority, path, query) = take_apart(method, target)?;
    let fields: Option<Vec<_>> = lines.map(field_line).collect();
    let fields = fields?;
    let values = |name: &str| -> Vec<&[u8]> {
        let of_name = fields
            .iter()
            .filter(|(this, _)| this.eq_ignore_ascii_case(name.as_bytes()));
        of_name.map(|(_, value)| &value[..]).collect()
    };
    let host = host(authority, &values("host"), minor)?;
    let length = framing(
        &values("transfer-encoding"),
        &values("content-length"),
        minor,
    )?;
    let options = values("connection");
    let says = |option: &str| options.iter().any(|list| has_element(list, option));
    let keeps_alive = !says("close") && (minor == 1 || says("keep-alive"));
    let expects = match (minor, &values("expect")[..]) {
        (0, _) | (1, []) => false,
        (_, [value]) if value.eq_ignore_ascii_case(b"100-continue") => true,
        _ => return None,
    };
    let offers = |list: &&[u8]| has_element(list, "echo");
    let offers_echo = minor == 1 && says("upgrade") && values("upgrade").iter().any(offers);
    Some(Message {
        start: 0,
        head_end: 0,
        method: method.to_vec(),
        target: target.to_vec(),
        path,
        query,
        minor,
        host,
        keeps_alive,
        expects,
        offers_echo,
        length,
        content: Vec::new(),
        end: End::Cut,
        chunk_line: 0,
        trailer: 0,
        fields,
    })
}

fn lines(octets: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut rest) = (Vec::new(), octets);
    while let Some(length) = find(rest, b"\r\n") {
        lines.push(&rest[..length]);
        rest = &rest[length + 2..];
    }
    lines.push(rest);
    lines
}

/// RFC 9112 §5: `field-line = field-name ":" OWS field-value OWS`.
fn field_line(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let colon = line.iter().position(|&octet| octet == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_fine = is_token(name) && value.iter().all(is_field_octet);
    is_fine.then(|| (name.to_vec(), trim(value).to_vec()))
}

/// The host that a request is for, if it is valid.
fn host(authority: Option<&[u8]>, fields: &[&[u8]], minor: u8) -> Option<Option<Vec<u8>>> {
    let field = match (fields, minor) {
        ([], 0) => None,
        ([value], _) => Some(*value),
        _ => return None,
    };
    if let Some(value) = field {
        let is_empty = value.is_empty() || value.starts_with(b":");
        if !is_host(value) || is_empty && authority.is_some() {
            return None;
        }
    }
    Some(authority.or(field).map(<[u8]>::to_vec))
}

/// The length of content, or `Some(None)` when it is chunked (RFC 9112 §6.3, and nothing that two readers could read otherwise).
fn framing(codings: &[&[u8]], lengths: &[&[u8]], minor: u8) -> Option<Option<u64>> {
    match (codings, lengths) {
        ([], []) => Some(Some(0)),
        ([coding], []) if minor == 1 && coding.eq_ignore_ascii_case(b"chunked") => Some(None),
        ([], [length]) if length.len() <= 19 => {
            let length = digits(length)?;
            (length <= i64::MAX as u64).then_some(Some(length))
        }
        _ => None,
    }
}

type Parts<'a> = (Option<&'a [u8]>, Vec<u8>, Option<Vec<u8>>);

/// A target's authority, path and query (RFC 9112 §3.2).
fn take_apart<'a>(method: &[u8], target: &'a [u8]) -> Option<Parts<'a>> {
    let allowed = |octet: &u8| (0x21..=0x7E).contains(octet) && *octet != b'#';
    if target.is_empty() || !target.iter().all(allowed) {
        return None;
    }
    if method == b"CONNECT" {
        // A host, and a port that must be there.
        let colon = target.iter().rposition(|&octet| octet == b':')?;
        let has_port = colon > 0 && colon + 1 < target.len() && !target.ends_with(b"]");
        return (has_port && is_host(target)).then(|| (Some(target), Vec::new(), None));
    }
    if method == b"OPTIONS" && target == b"*" {
        return Some((None, b"*".to_vec(), None));
    }
    let mut authority = None;
    let mut rest = target;
    if target[0] != b'/' {
        let lower = target.to_ascii_lowercase();
        let scheme = ["http://", "https://"]
            .iter()
            .find(|scheme| lower.starts_with(scheme.as_bytes()))?;
        rest = &target[scheme.len()..];
        let end = rest.iter().position(|octet| b"/?".contains(octet));
        let (before, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if before.is_empty() || before.starts_with(b":") || !is_host(before) {
            return None;
        }
        authority = Some(before);
        rest = behind;
    }
    let mark = rest.iter().position(|&octet| octet == b'?');
    let path = match &rest[..mark.unwrap_or(rest.len())] {
        b"" => b"/".to_vec(),
        path => path.to_vec(),
    };
    Some((authority, path, mark.map(|mark| rest[mark + 1..].to_vec())))
}

/// RFC 9110 §7.2: `Host = uri-host [ ":" port ]`, which may be empty.
fn is_host(octets: &[u8]) -> bool {
    let behind = if let Some(literal) = octets.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|&octet| octet == b']') else {
            return false;
        };
        let address = std::str::from_utf8(&literal[..end]).ok();
        if address
            .and_then(|text| text.parse::<Ipv6Addr>().ok())
            .is_none()
        {
            return false;
        }
        &literal[end + 1..]
    } else {
        let end = octets.iter().position(|&octet| octet == b':');
        let (name, behind) = octets.split_at(end.unwrap_or(octets.len()));
        if !is_name(name) {
            return false;
        }
        behind
    };
    match behind {
        [] | [b':'] => true,
        [b':', port @ ..] => {
            port.len() <= 20 && digits(port).is_some_and(|port| port <= u64::from(u16::MAX))
        }
        _ => false,
    }
}

/// RFC 3986 §3.2.2: `reg-name = *( unreserved / pct-encoded / sub-delims )`; here, without a comma.
fn is_name(mut octets: &[u8]) -> bool {
    while let [octet, rest @ ..] = octets {
        octets = match rest {
            [one, two, rest @ ..] if *octet == b'%' => {
                if !one.is_ascii_hexdigit() || !two.is_ascii_hexdigit() {
                    return false;
                }
                rest
            }
            _ if octet.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(octet) => rest,
            _ => return false,
        };
    }
    true
}

fn content(octets: &[u8], message: &mut Message) {
    let from = message.head_end;
    let Some(length) = message.length else {
        let (end, used) = chunked(octets, message);
        message.end = end.unwrap_or(End::At(from + used));
        return;
    };
    let here = usize::try_from(length).map_or(octets.len(), |length| length.min(octets.len()));
    message.content = octets[..here].to_vec();
    if here as u64 == length {
        message.end = End::At(from + here);
    }
}

/// RFC 9112 §7.1. How the content ends too early, and the octets that it took.
fn chunked(octets: &[u8], message: &mut Message) -> (Option<End>, usize) {
    let mut at = 0;
    let bad = (Some(End::Bad), 0);
    let cut = (Some(End::Cut), 0);
    loop {
        let Some(length) = find(&octets[at..], b"\r\n") else {
            return cut;
        };
        let line = &octets[at..at + length];
        at += length + 2;
        message.chunk_line = message.chunk_line.max(length);
        let Some(size) = chunk_size(line) else {
            return bad;
        };
        if size == 0 {
            break;
        }
        let here = size.min((octets.len() - at) as u64) as usize;
        message.content.extend_from_slice(&octets[at..at + here]);
        at += here;
        match octets.get(at..at + 2) {
            _ if (here as u64) < size => return cut,
            None => return cut,
            Some(b"\r\n") => at += 2,
            Some(_) => return bad,
        }
    }
    let trailer = at;
    loop {
        let Some(length) = find(&octets[at..], b"\r\n") else {
            return cut;
        };
        let line = &octets[at..at + length];
        at += length + 2;
        message.trailer = at - trailer;
        if line.is_empty() {
            return (None, at);
        }
        if field_line(line).is_none() {
            return bad;
        }
    }
}

/// RFC 9112 §7.1: `chunk-size [ chunk-ext ]`, the extensions of which nobody reads.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let count = line.iter().take_while(|octet| octet.is_ascii_hexdigit());
    let (number, extension) = line.split_at(count.count());
    let is_fine = match extension {
        [] => true,
        [b';', rest @ ..] => rest.iter().all(is_field_octet),
        _ => false,
    };
    if number.is_empty() || number.len() > 16 || !is_fine {
        return None;
    }
    let text = std::str::from_utf8(number).ok()?;
    let size = u64::from_str_radix(text, 16).ok()?;
    (size <= i64::MAX as u64).then_some(size)
}

fn digits(octets: &[u8]) -> Option<u64> {
    let all = octets.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(octets).ok()?;
    if all { text.parse().ok() } else { None }
}

fn is_token(octets: &[u8]) -> bool {
    let is_tchar = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !octets.is_empty() && octets.iter().all(is_tchar)
}

fn is_field_octet(octet: &u8) -> bool {
    matches!(octet, b'\t' | b' '..=b'~' | 0x80..)
}

fn trim(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = octets {
        octets = rest;
    }
    octets
}

/// RFC 9110 §5.6.1: a list, in which commas between quotes are none.
fn has_element(list: &[u8], wanted: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |octet: &u8| {
        let ends = *octet == b',' && !quoted;
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        ends
    };
    let mut elements = list.split(ends);
    elements.any(|element| trim(element).eq_ignore_ascii_case(wanted.as_bytes()))
}
