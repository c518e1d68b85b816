//! However a PROXY header is split into reads, it has one outcome, the one of a naive reading, and
//! nothing after it matters.

use crate::support::bytes::pieces;
use doorstep::internals::conn::proxy::{Header, Refusal, Resume, parse};
use doorstep::internals::h1::Parsed;
use doorstep::internals::limits::PROXY_HEADER_BYTES;
use std::net::{IpAddr, SocketAddr};

/// What became of the bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Done { header: Header, used: usize },
    Refused(Refusal),
    More,
}

/// Panics when `bytes`, as the first of a connection, break the sentence above.
pub fn check(octets: &[u8]) {
    let len = octets.len();
    let whole = feed(octets, [len]);
    assert_eq!(feed(octets, pieces(octets)), whole, "in pieces");
    // The longest header is a little shorter.
    let most = len.min(PROXY_HEADER_BYTES + 16);
    assert_eq!(feed(octets, 0..=most), whole, "byte by byte");
    match whole {
        Outcome::Done { header, used } => {
            let bound = if octets.starts_with(b"P") {
                LINE_BYTES
            } else {
                PROXY_HEADER_BYTES
            };
            assert!(used <= len.min(bound));
            assert_eq!(feed(octets, [used]), whole, "without what is behind it");
            assert_eq!(feed(octets, [used - 1]), Outcome::More, "one byte short");
            if let Header::Relayed {
                source,
                destination,
            } = header
            {
                assert_eq!(source.is_ipv4(), destination.is_ipv4());
            }
        }
        Outcome::Refused(_) => {
            let longer = [octets, b"\r\n\r\n"].concat();
            assert_eq!(feed(&longer, [longer.len()]), whole, "with bytes after");
        }
        Outcome::More => assert!(len < PROXY_HEADER_BYTES),
    }
    let seen = match whole {
        Outcome::Done { header, used } => Naive::Done(header, used),
        Outcome::Refused(_) => Naive::Refused,
        Outcome::More => Naive::More,
    };
    assert_eq!(seen, naive(octets), "read naively");
}

/// The outcome when `bytes` come in pieces that end there.
pub fn feed(octets: &[u8], ends: impl IntoIterator<Item = usize>) -> Outcome {
    let mut resume = Resume::default();
    for end in ends {
        match parse(&octets[..end], resume) {
            Ok(Parsed::Done { value, used }) => {
                return Outcome::Done {
                    header: value,
                    used,
                };
            }
            Ok(Parsed::More { resume: next }) => resume = next,
            Err(refusal) => return Outcome::Refused(refusal),
        }
    }
    Outcome::More
}

/// What a naive reading finds, which has the bytes as a whole and does not say what is wrong with
/// them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Naive {
    Done(Header, usize),
    Refused,
    More,
}

const LINE_BYTES: usize = 107;
const SIGNATURE: [u8; 12] = [
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
];

fn naive(octets: &[u8]) -> Naive {
    let starts: [&[u8]; 2] = [b"PROXY ", &SIGNATURE];
    if starts.iter().any(|start| start.starts_with(octets)) {
        Naive::More
    } else if octets.starts_with(starts[0]) {
        naive_line(octets)
    } else if octets.starts_with(starts[1]) {
        naive_binary(octets)
    } else {
        Naive::Refused
    }
}

fn naive_line(octets: &[u8]) -> Naive {
    let window = &octets[..octets.len().min(LINE_BYTES)];
    let end = window.windows(2).position(|pair| pair == b"\r\n");
    // Without the CRLF, and a CR that may become one.
    let line = match end {
        Some(end) => &window[..end],
        None => window.strip_suffix(b"\r").unwrap_or(window),
    };
    if line.contains(&b'\r') || line.contains(&b'\n') {
        return Naive::Refused;
    }
    match end {
        Some(end) => match naive_words(&String::from_utf8_lossy(line)) {
            Some(header) => Naive::Done(header, end + 2),
            None => Naive::Refused,
        },
        None if window.len() < LINE_BYTES => Naive::More,
        None => Naive::Refused,
    }
}

fn naive_words(line: &str) -> Option<Header> {
    let words: Vec<&str> = line.split(' ').collect();
    if words[1] == "UNKNOWN" {
        return Some(Header::Unknown);
    }
    let address = |word: &str| -> Option<IpAddr> {
        match words[1] {
            "TCP4" => Some(naive_ipv4(word)?.into()),
            "TCP6" => Some(naive_ipv6(word)?.into()),
            _ => None,
        }
    };
    let port = |word: &str| -> Option<u16> {
        // What is written back as it was read has no sign and no zero in front.
        let port: u16 = word.parse().ok()?;
        (port.to_string() == word).then_some(port)
    };
    if words.len() != 6 {
        return None;
    }
    Some(Header::Relayed {
        source: SocketAddr::new(address(words[2])?, port(words[4])?),
        destination: SocketAddr::new(address(words[3])?, port(words[5])?),
    })
}

fn naive_ipv4(word: &str) -> Option<[u8; 4]> {
    let numbers: Option<Vec<u8>> = word
        .split('.')
        .map(|part| (0..=255_u8).find(|number| number.to_string() == part))
        .collect();
    numbers?.try_into().ok()
}

fn naive_ipv6(word: &str) -> Option<[u8; 16]> {
    let (front, behind) = match word.split_once("::") {
        Some((front, behind)) => (front, Some(behind)),
        None => (word, None),
    };
    // An IPv4 address may be the end of an IPv6 address.
    let mut octets = naive_groups(front, behind.is_none())?;
    if let Some(behind) = behind {
        let behind = naive_groups(behind, true)?;
        // At least one group of zeros.
        let zeros = 16_usize.checked_sub(octets.len() + behind.len())?;
        if zeros < 2 {
            return None;
        }
        octets.extend(vec![0; zeros]);
        octets.extend(behind);
    }
    octets.try_into().ok()
}

fn naive_groups(text: &str, is_end: bool) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    if text.is_empty() {
        return Some(octets);
    }
    let parts: Vec<&str> = text.split(':').collect();
    for (at, part) in parts.iter().enumerate() {
        if part.contains('.') && is_end && at + 1 == parts.len() {
            octets.extend(naive_ipv4(part)?);
        } else if (1..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_hexdigit()) {
            octets.extend(u16::from_str_radix(part, 16).ok()?.to_be_bytes());
        } else {
            return None;
        }
    }
    Some(octets)
}

fn naive_binary(octets: &[u8]) -> Naive {
    let is_local = octets[12] == 0x20;
    if !is_local && octets[12] != 0x21 {
        return Naive::Refused;
    }
    let Some(family) = octets.get(13) else {
        return Naive::More;
    };
    let known = [
        0x00, 0x01, 0x02, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x30, 0x31, 0x32,
    ];
    if !is_local && !known.contains(family) {
        return Naive::Refused;
    }
    let Some(len) = octets.get(14..16) else {
        return Naive::More;
    };
    let whole = 16 + usize::from(len[0]) * 256 + usize::from(len[1]);
    let addresses = match family {
        _ if is_local => 0,
        0x11 | 0x12 => 12,
        0x21 | 0x22 => 36,
        0x31 | 0x32 => 216,
        _ => 0,
    };
    if whole > PROXY_HEADER_BYTES || whole < 16 + addresses {
        return Naive::Refused;
    }
    if octets.len() < whole {
        return Naive::More;
    }
    let header = octets[..whole].to_vec();
    if addresses > 0 && !naive_extensions(&header, 16 + addresses) {
        return Naive::Refused;
    }
    let port = |at: usize| u16::from(header[at]) << 8 | u16::from(header[at + 1]);
    let value = match addresses {
        0 if is_local => Header::Local,
        12 => Header::Relayed {
            source: ([header[16], header[17], header[18], header[19]], port(24)).into(),
            destination: ([header[20], header[21], header[22], header[23]], port(26)).into(),
        },
        36 => {
            let ip = |at: usize| <[u8; 16]>::try_from(&header[at..at + 16]).unwrap();
            Header::Relayed {
                source: (ip(16), port(48)).into(),
                destination: (ip(32), port(50)).into(),
            }
        }
        _ => Header::Unknown,
    };
    Naive::Done(value, whole)
}

/// Whether what is behind the addresses is extensions, one checksum at most among them, which is
/// right.
fn naive_extensions(header: &[u8], mut at: usize) -> bool {
    let mut sums = Vec::new();
    while at != header.len() {
        if at + 3 > header.len() {
            return false;
        }
        let len = usize::from(header[at + 1]) * 256 + usize::from(header[at + 2]);
        if header[at] == 3 {
            sums.push((at + 3, len));
        }
        at += 3 + len;
        if at > header.len() {
            return false;
        }
    }
    match sums[..] {
        [] => true,
        [(at, 4)] => {
            let mut zeroed = header.to_vec();
            zeroed[at..at + 4].fill(0);
            header[at..at + 4] == naive_crc32c(&zeroed).to_be_bytes()
        }
        _ => false,
    }
}

/// CRC32C as a division of polynomials, the bytes' lowest bits first.
pub fn naive_crc32c(octets: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for octet in octets {
        for bit in 0..8 {
            let one = octet >> bit & 1 == 1;
            let carried = rest >> 31 == 1;
            rest <<= 1;
            if one != carried {
                rest ^= 0x1EDC_6F41;
            }
        }
    }
    !rest.reverse_bits()
}
