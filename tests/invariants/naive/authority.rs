//! `uri-host [ ":" port ]` of RFC 9110 §7.2, read straight from the grammar of RFC 3986 §3.2.

/// Host, in its brackets if it has any, and port. `None` when it is none, or one that is not
/// served: IPvFuture, userinfo, a comma.
pub fn authority(octets: &[u8], may_be_empty: bool) -> Option<(&str, Option<u16>)> {
    let text = std::str::from_utf8(octets).ok()?;
    let (host, port) = match text.strip_prefix('[') {
        Some(literal) => {
            let (address, behind) = literal.split_once(']')?;
            is_ipv6(address).then_some(())?;
            let host = &text[..address.len() + 2];
            match behind.strip_prefix(':') {
                Some(port) => (host, port),
                None if behind.is_empty() => (host, ""),
                None => return None,
            }
        }
        None => {
            let (name, port) = text.split_once(':').unwrap_or((text, ""));
            let is_empty = name.is_empty() && !may_be_empty;
            (!is_empty && is_reg_name(name)).then_some((name, port))?
        }
    };
    // RFC 3986 §3.2.3: `port = *DIGIT`; 20 digits are as many as a number here may have.
    if port.len() > 20 || !port.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    if port.is_empty() {
        return Some((host, None));
    }
    Some((host, Some(port.parse().ok()?)))
}

/// RFC 3986 §3.2.2: `reg-name = *( unreserved / pct-encoded / sub-delims )`, which also spells
/// every IPv4 address.
fn is_reg_name(name: &str) -> bool {
    let mut parts = name.split('%');
    let is_plain = |part: &str| {
        let mut octets = part.bytes();
        octets.all(|octet| octet.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&octet))
    };
    parts.next().is_some_and(is_plain)
        && parts.all(|part| {
            let digits = part.as_bytes().get(..2);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) && is_plain(part)
        })
}

/// RFC 3986 §3.2.2: `IPv6address`: eight groups, of which `::` stands for one at least; the last
/// two may be an IPv4 address.
fn is_ipv6(address: &str) -> bool {
    let groups = |text: &str, is_end: bool| -> Option<usize> {
        if text.is_empty() {
            return Some(0);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let mut count = 0;
        for (index, part) in parts.iter().enumerate() {
            let is_group = (1..=4).contains(&part.len())
                && part.bytes().all(|octet| octet.is_ascii_hexdigit());
            count += match is_group {
                true => 1,
                false if is_end && index + 1 == parts.len() && is_ipv4(part) => 2,
                false => return None,
            };
        }
        Some(count)
    };
    match address.split_once("::") {
        Some((before, behind)) => match (groups(before, false), groups(behind, true)) {
            (Some(before), Some(behind)) => before + behind <= 7,
            _ => false,
        },
        None => groups(address, true) == Some(8),
    }
}

/// RFC 3986 §3.2.2: `IPv4address`: four `dec-byte`s, which have no zeros in front.
fn is_ipv4(address: &str) -> bool {
    let is_dec_octet = |part: &str| (0..=255_u8).any(|number| number.to_string() == part);
    address.split('.').count() == 4 && address.split('.').all(is_dec_octet)
}
