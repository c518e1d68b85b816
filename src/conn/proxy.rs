//! The PROXY protocol, versions 1 and 2: the header in which a proxy says whose connection it
//! passes on.
//!
//! This parses one header at the start of a connection, by sections 2.1 (a line of text) and 2.2
//! (binary) of HAProxy's `proxy-protocol.txt`. The caller decides which proxies to trust and how
//! long to wait for a header. Nothing here guesses whether there is one, and a malformed one gets
//! no response: the specification asks to abort the connection, and no HTTP has been spoken on it.
//!
//! Of the extensions (TLVs) of a binary header, those after the addresses are verified, form and
//! checksum (sections 2.2 and 2.2.3); the values of the others are skipped.
//!
//! The parser has the shape of those in [`h1`](crate::h1). A line is searched once for its end and
//! read when that is here. The fixed part of a binary header says how long the whole is; the header
//! is read when all of it is here.

use crate::bytes::number;
use crate::h1::Parsed;
use crate::semantics::host;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::fmt;

/// What a PROXY header says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The proxy's own connection, such as a health check (command LOCAL): the addresses are those
    /// of the connection itself.
    Local,
    /// A connection on behalf of a client whose address is not told (UNKNOWN, AF_UNSPEC), or is not
    /// one of the internet (AF_UNIX): the addresses are those of the connection itself.
    Unknown,
    /// A connection on behalf of a client. A binary header may say that it came over datagrams
    /// (UDP), which is ignored.
    Relayed {
        /// The client.
        source: SocketAddr,
        /// The address that the client had connected to.
        destination: SocketAddr,
    },
}

/// Where parsing goes on when more bytes have come. `Resume::default()` is the start of a
/// connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The byte of a line at which the search for its end goes on.
    offset: u8,
}

macro_rules! refusals {
    ($($variant:ident $section:literal $sentence:literal;)+) => {
        /// Why a PROXY header was refused. The connection is closed without a response, and nothing
        /// more of it is parsed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $(#[doc = concat!($sentence, " (section ", $section, ").")] $variant,)+
        }

        impl Refusal {
            /// Every variant, for tests and tables.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant,)+];

            /// The section of the specification that decides, such as `PROXY protocol §2.1`.
            pub const fn section(self) -> &'static str {
                match self {
                    $(Refusal::$variant => concat!("PROXY protocol §", $section),)+
                }
            }

            /// One sentence for a person, without a period.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Refusal::$variant => $sentence,)+
                }
            }
        }
    };
}

// One row per reason: variant, section, sentence.
refusals! {
    NoHeader "2.2" "octets that begin no PROXY header";

    // Version 1.
    LineTooLong "2.1" "a line that does not end within 107 octets";
    BareLineEnd "2.1" "a carriage return or a line feed without the other";
    UnknownProtocol "2.1" "a protocol other than TCP4, TCP6 and UNKNOWN";
    LineForm "2.1" "a line that is not two addresses and two ports with one space between them";
    InvalidAddress "2.1" "an address that is none of the family named";
    InvalidPort "2.1" "a port that is no decimal number in range, or has zeros in front";

    // Version 2.
    UnsupportedVersion "2.2" "a version other than 2 in a binary header";
    UnknownCommand "2.2" "a command other than LOCAL and PROXY";
    UnknownFamily "2.2" "an address family or a transport that is not defined";
    HeaderTooLarge "2.2" "a binary header larger than 4 KiB";
    MissingAddresses "2.2" "a binary header too short for the addresses of its family";
    InvalidExtension "2.2" "an extension that goes beyond its header, or a checksum that is not one of four octets";
    WrongChecksum "2.2.3" "a checksum that is not the one of its header";
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl std::error::Error for Refusal {}

const LINE_START: &[u8] = b"PROXY ";
/// Bytes of the longest line, CRLF included: "PROXY UNKNOWN" with two IPv6 addresses and two ports,
/// none of them abbreviated.
const LINE_BYTES: usize = 107;
/// The start of a binary header. Five bytes of it end any protocol that reads lines.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a binary header up to its addresses: signature, version and command, family and
/// transport, length.
const FIXED_BYTES: usize = 16;
/// The type of the extension that holds a checksum of the whole header.
const CRC32C: u8 = 3;

/// Parses the header at the start of `input`, of either version: the first byte tells which.
///
/// The outcome does not depend on how the bytes were split into calls. Each byte is read twice at
/// most, those that tell the version, 6 of a line and 16 of a binary header, once a call. No header
/// is longer than 4 KiB, so neither need the caller's buffer be. A call with a `resume` of another
/// call has to bring that call's bytes, and may bring more after them.
///
/// The caller knows that the peer is a proxy which sends a header, and closes the connection when
/// it does not: "The receiver MUST be configured to only receive the protocol described in this
/// specification and MUST not try to guess whether the protocol header is present or not" (section
/// 2).
///
/// # Errors
///
/// A [`Refusal`]: of a line when its end is here or cannot come any more, of a binary header for
/// the first byte that is invalid at its place, or for what the whole says. When a stream ends
/// within a header, the caller closes it.
///
/// # Examples
///
/// ```
/// use doorstep::conn::proxy::{self, Header, Resume};
/// use doorstep::h1::Parsed;
///
/// let bytes = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 80\r\nGET / HTTP/1.1\r\n\r\n";
/// let parsed = proxy::parse(&bytes[..20], Resume::default());
/// let Ok(Parsed::More { resume }) = parsed else { panic!() };
/// let Ok(Parsed::Done { value, used }) = proxy::parse(bytes, resume) else { panic!() };
/// let Header::Relayed { source, .. } = value else { panic!() };
/// assert_eq!(source.to_string(), "192.0.2.1:56324");
/// assert!(bytes[used..].starts_with(b"GET "));
/// ```
pub fn parse(input: &[u8], resume: Resume) -> Result<Parsed<Header, Resume>, Refusal> {
    match input.first() {
        None => Ok(Parsed::More { resume }),
        Some(b'P') => parse_line(input, resume),
        Some(b'\r') => parse_binary(input),
        Some(_) => Err(Refusal::NoHeader),
    }
}

/// Refuses an input that does not begin with `expected`, as far as it is here.
fn begins(input: &[u8], expected: &[u8]) -> Result<(), Refusal> {
    let same = input.iter().zip(expected).all(|(here, due)| here == due);
    if same { Ok(()) } else { Err(Refusal::NoHeader) }
}

/// Version 1: "PROXY ", then everything up to CRLF.
fn parse_line(input: &[u8], resume: Resume) -> Result<Parsed<Header, Resume>, Refusal> {
    let window = input.get(..LINE_BYTES).unwrap_or(input);
    begins(window, LINE_START)?;
    let mut at = usize::from(resume.offset).max(LINE_START.len());
    // Section 2.1: "The receiver must not tolerate a single CR or LF character to end the line when
    // a complete CRLF sequence is expected."
    // STRICTER: neither does one stand within a line, where another receiver may see its end.
    while let Some(byte) = window.get(at) {
        match (byte, window.get(at + 1)) {
            (b'\r', Some(b'\n')) => {
                let line = window.get(LINE_START.len()..at).unwrap_or_default();
                let value = read_line(line)?;
                return Ok(Parsed::Done {
                    value,
                    used: at + 2,
                });
            }
            (b'\r', None) => break,
            (b'\r' | b'\n', _) => return Err(Refusal::BareLineEnd),
            _ => at += 1,
        }
    }
    if window.len() == LINE_BYTES {
        return Err(Refusal::LineTooLong);
    }
    const { assert!(LINE_BYTES <= u8::MAX as usize) };
    Ok(Parsed::More {
        resume: Resume { offset: at as u8 },
    })
}

/// A whole line between "PROXY " and CRLF.
fn read_line(line: &[u8]) -> Result<Header, Refusal> {
    let mut parts = line.split(|&byte| byte == b' ');
    let address: fn(&[u8]) -> Option<IpAddr> = match parts.next() {
        Some(b"TCP4") => |bytes| host::ipv4_address(bytes).map(IpAddr::V4),
        Some(b"TCP6") => |bytes| host::ipv6_address(bytes).map(IpAddr::V6),
        // Section 2.1: "the receiver must ignore anything presented before the CRLF is found."
        Some(b"UNKNOWN") => return Ok(Header::Unknown),
        _ => return Err(Refusal::UnknownProtocol),
    };
    let mut part = || parts.next();
    let (Some(source), Some(destination), Some(source_port), Some(destination_port), None) =
        (part(), part(), part(), part(), part())
    else {
        return Err(Refusal::LineForm);
    };
    let (Some(source), Some(destination)) = (address(source), address(destination)) else {
        return Err(Refusal::InvalidAddress);
    };
    let (Some(source_port), Some(destination_port)) = (port(source_port), port(destination_port))
    else {
        return Err(Refusal::InvalidPort);
    };
    Ok(Header::Relayed {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

/// Section 2.1: "a decimal integer in the range [0..65535] inclusive. Heading zeroes are not
/// permitted".
fn port(digits: &[u8]) -> Option<u16> {
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    u16::try_from(number::decimal(digits)?).ok()
}

/// Which addresses a binary header has.
#[derive(Clone, Copy)]
enum Family {
    /// No addresses that count: everything after the fixed part is skipped.
    Unspecified,
    Inet,
    Inet6,
    Unix,
}

impl Family {
    /// Section 2.2: for UNSPEC, as a family or as a transport, "The receiver should ignore address
    /// information"; other values "must be rejected as invalid by receivers".
    fn of(byte: u8) -> Result<Family, Refusal> {
        match (byte >> 4, byte & 0xF) {
            (0, 0..=2) | (1..=3, 0) => Ok(Family::Unspecified),
            (1, 1 | 2) => Ok(Family::Inet),
            (2, 1 | 2) => Ok(Family::Inet6),
            (3, 1 | 2) => Ok(Family::Unix),
            _ => Err(Refusal::UnknownFamily),
        }
    }

    const fn address_bytes(self) -> usize {
        match self {
            Family::Unspecified => 0,
            Family::Inet => 2 * (4 + 2),
            Family::Inet6 => 2 * (16 + 2),
            Family::Unix => 2 * 108,
        }
    }
}

/// Bytes of a binary PROXY header. Addresses take 216 at most; the extensions after them are names,
/// and perhaps the client's certificate of 1 or 2 KiB. The format allows for 64 KiB, for which no
/// buffer here has room.
pub const PROXY_HEADER_BYTES: usize = 4 * 1024;

/// Version 2: signature, fixed part, addresses, extensions.
fn parse_binary(input: &[u8]) -> Result<Parsed<Header, Resume>, Refusal> {
    const MORE: Parsed<Header, Resume> = Parsed::More {
        resume: Resume { offset: 0 },
    };
    begins(input, SIGNATURE)?;
    let Some(&version_and_command) = input.get(SIGNATURE.len()) else {
        return Ok(MORE);
    };
    if version_and_command >> 4 != 2 {
        return Err(Refusal::UnsupportedVersion);
    }
    let is_local = match version_and_command & 0xF {
        0 => true,
        1 => false,
        _ => return Err(Refusal::UnknownCommand),
    };
    let Some(&family) = input.get(SIGNATURE.len() + 1) else {
        return Ok(MORE);
    };
    // Section 2.2 on LOCAL: "discard the protocol block including the family which is ignored".
    let family = if is_local {
        Family::Unspecified
    } else {
        Family::of(family)?
    };
    let Some(&[high, low]) = input.get(SIGNATURE.len() + 2..FIXED_BYTES) else {
        return Ok(MORE);
    };
    let len = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if len > PROXY_HEADER_BYTES {
        return Err(Refusal::HeaderTooLarge);
    }
    let extensions = FIXED_BYTES + family.address_bytes();
    if len < extensions {
        return Err(Refusal::MissingAddresses);
    }
    let Some(header) = input.get(..len) else {
        return Ok(MORE);
    };
    let addresses = header.get(FIXED_BYTES..extensions).unwrap_or_default();
    let value = match family {
        Family::Unspecified if is_local => Header::Local,
        Family::Unspecified | Family::Unix => Header::Unknown,
        Family::Inet => relayed(addresses, |ip: [u8; 4]| Ipv4Addr::from(ip).into())?,
        Family::Inet6 => relayed(addresses, |ip: [u8; 16]| Ipv6Addr::from(ip).into())?,
    };
    // Even without addresses that count, the following bytes may be addresses.
    if !matches!(family, Family::Unspecified) {
        check_extensions(header, extensions)?;
    }
    Ok(Parsed::Done { value, used: len })
}

/// Both addresses, then both ports, in network byte order.
fn relayed<const N: usize>(addresses: &[u8], ip: fn([u8; N]) -> IpAddr) -> Result<Header, Refusal> {
    let taken = || {
        let (source, rest) = addresses.split_first_chunk::<N>()?;
        let (destination, rest) = rest.split_first_chunk::<N>()?;
        let (source_port, rest) = rest.split_first_chunk::<2>()?;
        let (destination_port, _) = rest.split_first_chunk::<2>()?;
        Some(Header::Relayed {
            source: SocketAddr::new(ip(*source), u16::from_be_bytes(*source_port)),
            destination: SocketAddr::new(ip(*destination), u16::from_be_bytes(*destination_port)),
        })
    };
    taken().ok_or(Refusal::MissingAddresses)
}

/// The extensions of a header, from `at` on: each is a type, a length of two bytes, and that many
/// bytes. They are skipped, except for the checksum.
///
/// Section 2.2.3: "If the checksum is provided as part of the PROXY header and the checksum
/// functionality is supported by the receiver, the receiver MUST … verify that the calculated
/// CRC32c checksum is the same as the received CRC32c checksum."
fn check_extensions(header: &[u8], mut at: usize) -> Result<(), Refusal> {
    let mut checksum = None;
    while let Some(rest) = header.get(at..).filter(|rest| !rest.is_empty()) {
        let &[kind, high, low, ref rest @ ..] = rest else {
            return Err(Refusal::InvalidExtension);
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        let Some(value) = rest.get(..len) else {
            return Err(Refusal::InvalidExtension);
        };
        let start = at + 3;
        at = start + len;
        if kind == CRC32C {
            // STRICTER: there may be one checksum; of two, another receiver may verify the other.
            let Ok(value) = <[u8; 4]>::try_from(value) else {
                return Err(Refusal::InvalidExtension);
            };
            if checksum.replace((start, value)).is_some() {
                return Err(Refusal::InvalidExtension);
            }
        }
    }
    if let Some((start, value)) = checksum {
        // "replace the 32 bits of the checksum field in the received PROXY header with all '0's"
        let before = header.get(..start).unwrap_or_default();
        let after = header.get(start + 4..).unwrap_or_default();
        if crc32c(&[before, &[0; 4], after]) != u32::from_be_bytes(value) {
            return Err(Refusal::WrongChecksum);
        }
    }
    Ok(())
}

/// The checksum of RFC 4960, appendix B, over all parts as one. Bit by bit: few headers have one,
/// and all are short.
fn crc32c(parts: &[&[u8]]) -> u32 {
    // The polynomial 0x1EDC6F41, its bits in reverse.
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    let mut crc = u32::MAX;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let odd = crc & 1;
            crc = (crc >> 1) ^ (odd * POLYNOMIAL);
        }
    }
    !crc
}
