//! The PROXY header, both versions: a row for each byte class of fault and each bound, whole, in
//! pieces and with a request after it; and the same invariant as the fuzz target, on headers that
//! were made up and on broken ones.

#[path = "../invariants/proxy.rs"]
mod invariant;

use doorstep::internals::conn::proxy::{Header, Refusal};
use doorstep::internals::limits::PROXY_HEADER_BYTES;
use invariant::{Outcome, check, feed, naive_crc32c};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What is odd about it, the bytes, and what becomes of them; `Ok(None)` when more are needed.
type Row = (&'static str, Vec<u8>, Result<Option<Header>, Refusal>);

fn row(name: &'static str, octets: &[u8], expected: Result<Header, Refusal>) -> Row {
    (name, octets.to_vec(), expected.map(Some))
}

fn more(name: &'static str, octets: &[u8]) -> Row {
    (name, octets.to_vec(), Ok(None))
}

fn relayed(source: &str, destination: &str) -> Result<Header, Refusal> {
    Ok(Header::Relayed {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    })
}

const BEHIND: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Each row whole, in two pieces cut anywhere, byte by byte, and with a request after it.
fn run(rows: &[Row]) {
    let mut names = HashSet::new();
    for (name, octets, expected) in rows {
        println!("{name}");
        assert!(names.insert(name), "two rows named {name}");
        let len = octets.len();
        let whole = feed(octets, [len]);
        let seen = match whole {
            Outcome::Done { header, used } => {
                assert_eq!(used, len, "{name}");
                Ok(Some(header))
            }
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::More => Ok(None),
        };
        assert_eq!(seen, *expected, "{name}");
        for cut in 0..=len {
            assert_eq!(feed(octets, [cut, len]), whole, "{name}: cut at {cut}");
        }
        check(octets);
        if whole != Outcome::More {
            let glued = [octets, BEHIND].concat();
            assert_eq!(feed(&glued, [glued.len()]), whole, "{name}: with more");
            check(&glued);
        }
    }
}

fn lines() -> Vec<Row> {
    use Refusal::*;
    let (v4, v6) = ("192.0.2.1:56324", "[2001:db8::1]:56324");
    let four = || relayed(v4, "198.51.100.2:443");
    let mut rows = vec![
        row("TCP4", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", four()),
        row("TCP6", b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", relayed(v6, "[2001:db8::2]:443")),
        row("no abbreviation, upper case", b"PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 2001:DB8:0:0:0:0:0:2 56324 443\r\n", relayed(v6, "[2001:db8::2]:443")),
        row("nothing but a double colon", b"PROXY TCP6 :: ::1 1 2\r\n", relayed("[::]:1", "[::1]:2")),
        row("a double colon for one group", b"PROXY TCP6 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1 2\r\n", relayed("[1:2:3:4:5:6:7:0]:1", "[0:2:3:4:5:6:7:8]:2")),
        row("RFC 4291 §2.2: IPv4 within IPv6", b"PROXY TCP6 ::ffff:192.0.2.1 64:ff9b::198.51.100.2 1 2\r\n", relayed("[::ffff:c000:201]:1", "[64:ff9b::c633:6402]:2")),
        row("least of everything", b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", relayed("0.0.0.0:0", "0.0.0.0:0")),
        row("most of everything", b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", relayed("255.255.255.255:65535", "255.255.255.255:65535")),
        row("the longest TCP6", b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            relayed("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")),
        row("UNKNOWN", b"PROXY UNKNOWN\r\n", Ok(Header::Unknown)),
        row("UNKNOWN and a space", b"PROXY UNKNOWN \r\n", Ok(Header::Unknown)),
        row("UNKNOWN and addresses", b"PROXY UNKNOWN 192.0.2.1 198.51.100.2 56324 443\r\n", Ok(Header::Unknown)),
        row("UNKNOWN and noise", b"PROXY UNKNOWN \0\xFF\t  GET / HTTP/1.1\r\n", Ok(Header::Unknown)),
        row("the longest line", b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", Ok(Header::Unknown)),
        // What is no header.
        more("nothing yet", b""),
        row("a request", b"GET / HTTP/1.1\r\n\r\n", Err(NoHeader)),
        row("another method with a P", b"PUT / HTTP/1.1\r\n\r\n", Err(NoHeader)),
        row("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Err(NoHeader)),
        row("a TLS hello", b"\x16\x03\x01\x02\x00\x01", Err(NoHeader)),
        row("lower case", b"proxy TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(NoHeader)),
        row("a space in front", b" PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(NoHeader)),
        row("a line feed in front", b"\nPROXY UNKNOWN\r\n", Err(NoHeader)),
        row("CRLF in front", b"\r\nPROXY UNKNOWN\r\n", Err(NoHeader)),
        row("no space after PROXY", b"PROXYTCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(NoHeader)),
        row("a tab after PROXY", b"PROXY\tTCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(NoHeader)),
        row("PROXY alone", b"PROXY\r\n", Err(NoHeader)),
        // The protocol.
        row("no protocol", b"PROXY \r\n", Err(UnknownProtocol)),
        row("two spaces after PROXY", b"PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        row("UDP4", b"PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        row("TCP5", b"PROXY TCP5 192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        row("TCP", b"PROXY TCP 192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        row("TCP4 in lower case", b"PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        row("UNKNOWN in lower case", b"PROXY unknown\r\n", Err(UnknownProtocol)),
        row("UNKNOWN and a letter", b"PROXY UNKNOWNS\r\n", Err(UnknownProtocol)),
        row("a tab after TCP4", b"PROXY TCP4\t192.0.2.1 198.51.100.2 56324 443\r\n", Err(UnknownProtocol)),
        // The form.
        row("nothing after TCP4", b"PROXY TCP4\r\n", Err(LineForm)),
        row("one address", b"PROXY TCP4 192.0.2.1\r\n", Err(LineForm)),
        row("no ports", b"PROXY TCP4 192.0.2.1 198.51.100.2\r\n", Err(LineForm)),
        row("one port", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", Err(LineForm)),
        row("three ports", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 80\r\n", Err(LineForm)),
        row("a space at the end", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n", Err(LineForm)),
        row("two spaces after TCP4", b"PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n", Err(LineForm)),
        row("two spaces between addresses", b"PROXY TCP4 192.0.2.1  198.51.100.2 56324 443\r\n", Err(LineForm)),
        row("two spaces before the ports", b"PROXY TCP4 192.0.2.1 198.51.100.2  56324 443\r\n", Err(LineForm)),
        row("two spaces between ports", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324  443\r\n", Err(LineForm)),
        row("a tab between addresses", b"PROXY TCP4 192.0.2.1\t198.51.100.2 56324 443\r\n", Err(LineForm)),
        row("an empty part", b"PROXY TCP4  198.51.100.2 56324 443\r\n", Err(InvalidAddress)),
        // The line's end.
        row("a line feed alone", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", Err(BareLineEnd)),
        row("a carriage return alone", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\rG", Err(BareLineEnd)),
        row("two carriage returns", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\r\n", Err(BareLineEnd)),
        row("a line feed within UNKNOWN", b"PROXY UNKNOWN a\nb\r\n", Err(BareLineEnd)),
        row("a carriage return within UNKNOWN", b"PROXY UNKNOWN a\rb\r\n", Err(BareLineEnd)),
        row("a line feed after PROXY", b"PROXY \nTCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Err(BareLineEnd)),
        more("no line end", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"),
        more("half a line end", b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r"),
    ];
    rows.extend(odd_addresses());
    rows.extend(odd_ports());
    rows
}

/// Lines in which one address is none of its family; each in both places.
fn odd_addresses() -> Vec<Row> {
    let four: [&str; 23] = [
        "",
        "1",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.",
        ".1.2.3",
        "1.2.3.4.5",
        "1..2.3",
        "256.0.0.1",
        "1.2.3.999",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.00",
        "+1.2.3.4",
        "-1.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4x",
        "1.2.3.4\0",
        "1.2.3.4:5",
        "1,2,3,4",
        "1.2.3.\u{664}",
        "::1",
        "localhost",
    ];
    let six: [&str; 25] = [
        "",
        ":",
        ":::",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "1:2:3:4::5:6:7:8",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        ":1::2",
        "1::2:",
        "00001::",
        "12345::",
        "g::1",
        "+1::2",
        "-1::2",
        "0x1::2",
        "[::1]",
        "::1%1",
        "fe80::1%eth0",
        "::1.2.3",
        "::1.2.3.04",
        "1.2.3.4::",
        "192.0.2.1",
    ];
    let line = |family: &str, source: &str, destination: &str| {
        let line = format!("PROXY TCP{family} {source} {destination} 1 2\r\n");
        let name: &'static str = line.clone().leak();
        row(name, line.as_bytes(), Err(Refusal::InvalidAddress))
    };
    let four = four
        .iter()
        .flat_map(|odd| [line("4", odd, "192.0.2.1"), line("4", "192.0.2.1", odd)]);
    let six = six
        .iter()
        .flat_map(|odd| [line("6", odd, "::1"), line("6", "::1", odd)]);
    four.chain(six).collect()
}

fn odd_ports() -> Vec<Row> {
    let ports: [&str; 14] = [
        "",
        "65536",
        "99999",
        "100000",
        "18446744073709551617",
        "00",
        "01",
        "080",
        "+80",
        "-80",
        "-0",
        "8_0",
        "0x50",
        "80.",
    ];
    let line = |source: &str, destination: &str| {
        let line = format!("PROXY TCP4 192.0.2.1 192.0.2.2 {source} {destination}\r\n");
        let name: &'static str = line.clone().leak();
        row(name, line.as_bytes(), Err(Refusal::InvalidPort))
    };
    ports
        .iter()
        .flat_map(|odd| [line(odd, "443"), line("443", odd)])
        .collect()
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const INET: &[u8] = b"\xC0\0\x02\x01\xC6\x33\x64\x02\xDC\x04\x01\xBB";

/// A binary header with what is behind its length.
fn binary(command: u8, family: u8, parts: &[&[u8]]) -> Vec<u8> {
    let block = parts.concat();
    let len = u16::try_from(block.len()).unwrap();
    [SIGNATURE, &[command, family], &len.to_be_bytes(), &block].concat()
}

fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap();
    [&[kind], &len.to_be_bytes()[..], value].concat()
}

/// With the right checksum in the place that `binary` left for it.
fn summed(mut header: Vec<u8>, at: usize) -> Vec<u8> {
    let sum = naive_crc32c(&header).to_be_bytes();
    header[at..at + 4].copy_from_slice(&sum);
    header
}

fn binaries() -> Vec<Row> {
    use Refusal::*;
    let four = || relayed("192.0.2.1:56324", "198.51.100.2:443");
    let six = [
        &b"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"[..],
        b"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02\xDC\x04\x01\xBB",
    ]
    .concat();
    let unix = [0; 216];
    let b = binary;
    vec![
        row("TCP over IPv4", &b(PROXY, 0x11, &[INET]), four()),
        row("UDP over IPv4", &b(PROXY, 0x12, &[INET]), four()),
        row("TCP over IPv6", &b(PROXY, 0x21, &[&six]), relayed("[2001:db8::1]:56324", "[2001:db8::2]:443")),
        row("UDP over IPv6", &b(PROXY, 0x22, &[&six]), relayed("[2001:db8::1]:56324", "[2001:db8::2]:443")),
        row("UNIX stream", &b(PROXY, 0x31, &[&unix]), Ok(Header::Unknown)),
        row("UNIX datagram", &b(PROXY, 0x32, &[&unix]), Ok(Header::Unknown)),
        row("UNSPEC", &b(PROXY, 0x00, &[]), Ok(Header::Unknown)),
        row("UNSPEC with something after it", &b(PROXY, 0x00, &[b"\x03\0"]), Ok(Header::Unknown)),
        row("a stream of no family", &b(PROXY, 0x01, &[]), Ok(Header::Unknown)),
        row("a datagram of no family", &b(PROXY, 0x02, &[]), Ok(Header::Unknown)),
        row("IPv4 over nothing known", &b(PROXY, 0x10, &[INET]), Ok(Header::Unknown)),
        row("IPv6 over nothing known", &b(PROXY, 0x20, &[]), Ok(Header::Unknown)),
        row("UNIX over nothing known", &b(PROXY, 0x30, &[]), Ok(Header::Unknown)),
        row("LOCAL", &b(LOCAL, 0x00, &[]), Ok(Header::Local)),
        row("LOCAL with addresses", &b(LOCAL, 0x11, &[INET]), Ok(Header::Local)),
        row("LOCAL with half an address", &b(LOCAL, 0x11, &[&INET[..5]]), Ok(Header::Local)),
        row("LOCAL of no family that is defined", &b(LOCAL, 0xFF, &[]), Ok(Header::Local)),
        row("LOCAL with a checksum that nobody looks at", &b(LOCAL, 0x11, &[INET, &extension(3, b"none")]), Ok(Header::Local)),
        // The fixed part.
        row("a signature with another last byte", b"\r\n\r\n\0\r\nQUIT\r", Err(NoHeader)),
        row("two empty lines and a request", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", Err(NoHeader)),
        row("version 0", &[SIGNATURE, &[0x01]].concat(), Err(UnsupportedVersion)),
        row("version 1", &[SIGNATURE, &[0x11]].concat(), Err(UnsupportedVersion)),
        row("version 3", &[SIGNATURE, &[0x31]].concat(), Err(UnsupportedVersion)),
        row("version 2 in the wrong half", &[SIGNATURE, &[0x02]].concat(), Err(UnsupportedVersion)),
        row("command 2", &[SIGNATURE, &[0x22]].concat(), Err(UnknownCommand)),
        row("command 15", &[SIGNATURE, &[0x2F]].concat(), Err(UnknownCommand)),
        row("family 4", &[SIGNATURE, &[PROXY, 0x41]].concat(), Err(UnknownFamily)),
        row("family 15", &[SIGNATURE, &[PROXY, 0xF0]].concat(), Err(UnknownFamily)),
        row("transport 3", &[SIGNATURE, &[PROXY, 0x13]].concat(), Err(UnknownFamily)),
        row("transport 3 of no family", &[SIGNATURE, &[PROXY, 0x03]].concat(), Err(UnknownFamily)),
        row("transport 15", &[SIGNATURE, &[PROXY, 0x2F]].concat(), Err(UnknownFamily)),
        more("up to the signature", SIGNATURE),
        more("up to the command", &[SIGNATURE, &[PROXY]].concat()),
        more("up to the family", &[SIGNATURE, &[PROXY, 0x11]].concat()),
        more("up to half a length", &[SIGNATURE, &[PROXY, 0x11, 0]].concat()),
        more("up to the length", &b(PROXY, 0x11, &[INET])[..16]),
        more("one byte short", &b(PROXY, 0x11, &[INET])[..27]),
        // The length against the addresses.
        row("IPv4, one byte too short", &b(PROXY, 0x11, &[&INET[..11]]), Err(MissingAddresses)),
        row("IPv4 without addresses", &b(PROXY, 0x11, &[]), Err(MissingAddresses)),
        row("IPv6, one byte too short", &b(PROXY, 0x21, &[&six[..35]]), Err(MissingAddresses)),
        row("IPv6 with IPv4's addresses", &b(PROXY, 0x22, &[INET]), Err(MissingAddresses)),
        row("UNIX, one byte too short", &b(PROXY, 0x31, &[&unix[..215]]), Err(MissingAddresses)),
        // Extensions.
        row("two extensions", &b(PROXY, 0x11, &[INET, &extension(1, b"h2"), &extension(2, b"example.com")]), four()),
        row("an empty extension", &b(PROXY, 0x11, &[INET, &extension(4, b"")]), four()),
        row("a type that nobody has defined", &b(PROXY, 0x11, &[INET, &extension(0xEE, b"\0\xFF")]), four()),
        row("extensions of IPv6", &b(PROXY, 0x21, &[&six, &extension(1, b"h2")]), relayed("[2001:db8::1]:56324", "[2001:db8::2]:443")),
        row("one byte of an extension", &b(PROXY, 0x11, &[INET, &[4]]), Err(InvalidExtension)),
        row("two bytes of an extension", &b(PROXY, 0x11, &[INET, &[4, 0]]), Err(InvalidExtension)),
        row("an extension one byte too long", &b(PROXY, 0x11, &[INET, &[4, 0, 2, 0]]), Err(InvalidExtension)),
        row("the second extension too long", &b(PROXY, 0x11, &[INET, &extension(4, b"ab"), &[4, 0xFF, 0xFF]]), Err(InvalidExtension)),
        row("an extension of UNIX too long", &b(PROXY, 0x31, &[&unix, &[4, 0, 1]]), Err(InvalidExtension)),
        row("a byte after the last extension", &b(PROXY, 0x11, &[INET, &extension(4, b"ab"), &[0]]), Err(InvalidExtension)),
        // The checksum.
        row("a checksum", &summed(b(PROXY, 0x11, &[INET, &extension(3, &[0; 4])]), 31), four()),
        row("a checksum between others", &summed(b(PROXY, 0x11, &[INET, &extension(4, b"\0\0"), &extension(3, &[0; 4]), &extension(2, b"localhost")]), 36), four()),
        row("a checksum of UNIX", &summed(b(PROXY, 0x31, &[&unix, &extension(3, &[0; 4])]), 235), Ok(Header::Unknown)),
        row("a checksum that was computed elsewhere", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xC0\0\x02\x01\xC6\x33\x64\x02\xDC\xEA\0\x50\x03\0\x04\xC1\xCC\xE3\x30",
            relayed("192.0.2.1:56554", "198.51.100.2:80")),
        row("the same, its bytes the other way round", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xC0\0\x02\x01\xC6\x33\x64\x02\xDC\xEA\0\x50\x03\0\x04\x30\xE3\xCC\xC1", Err(WrongChecksum)),
        row("a checksum of zeros", &b(PROXY, 0x11, &[INET, &extension(3, &[0; 4])]), Err(WrongChecksum)),
        row("a wrong checksum of UNIX", &b(PROXY, 0x31, &[&unix, &extension(3, &[0; 4])]), Err(WrongChecksum)),
        row("a checksum of three bytes", &b(PROXY, 0x11, &[INET, &extension(3, &[0; 3])]), Err(InvalidExtension)),
        row("a checksum of five bytes", &b(PROXY, 0x11, &[INET, &extension(3, &[0; 5])]), Err(InvalidExtension)),
        row("an empty checksum", &b(PROXY, 0x11, &[INET, &extension(3, &[])]), Err(InvalidExtension)),
        row("two checksums", &summed(b(PROXY, 0x11, &[INET, &extension(3, &[0; 4]), &extension(3, &[0; 4])]), 31), Err(InvalidExtension)),
    ]
}

/// One byte below, at and above each bound, with no end or length in reach.
fn bounds() -> Vec<Row> {
    let line = |len: usize| {
        let mut line = b"PROXY UNKNOWN ".to_vec();
        line.resize(len, b'x');
        line
    };
    let ended = |len: usize| [&line(len - 2)[..], b"\r\n"].concat();
    let filled = |command, family, addresses: &[u8], len: usize| {
        let padding = extension(4, &vec![b'x'; len - 16 - addresses.len() - 3]);
        binary(command, family, &[addresses, &padding])
    };
    let most = PROXY_HEADER_BYTES;
    let four = relayed("192.0.2.1:56324", "198.51.100.2:443");
    vec![
        row("a line of 106 bytes", &ended(106), Ok(Header::Unknown)),
        row("a line of 107 bytes", &ended(107), Ok(Header::Unknown)),
        row(
            "a line of 108 bytes",
            &ended(108),
            Err(Refusal::LineTooLong),
        ),
        more("106 bytes of a line", &line(106)),
        row("107 bytes of a line", &line(107), Err(Refusal::LineTooLong)),
        more(
            "106 bytes and half a line end",
            &[&line(105)[..], b"\r"].concat(),
        ),
        row(
            "107 bytes and half a line end",
            &[&line(106)[..], b"\r"].concat(),
            Err(Refusal::LineTooLong),
        ),
        row(
            "one less than the largest",
            &filled(PROXY, 0x11, INET, most - 1),
            four,
        ),
        row("the largest", &filled(PROXY, 0x11, INET, most), four),
        row(
            "one more than the largest",
            &filled(PROXY, 0x11, INET, most + 1),
            Err(Refusal::HeaderTooLarge),
        ),
        row(
            "the fixed part of one too large",
            &filled(PROXY, 0x11, INET, most + 1)[..16],
            Err(Refusal::HeaderTooLarge),
        ),
        row(
            "the largest length",
            &[SIGNATURE, &[PROXY, 0x00, 0xFF, 0xFF]].concat(),
            Err(Refusal::HeaderTooLarge),
        ),
        row(
            "the largest LOCAL",
            &filled(LOCAL, 0x00, &[], most),
            Ok(Header::Local),
        ),
        row(
            "a LOCAL too large",
            &filled(LOCAL, 0x00, &[], most + 1),
            Err(Refusal::HeaderTooLarge),
        ),
    ]
}

#[test]
fn version_1() {
    run(&lines());
}

#[test]
fn version_2() {
    run(&binaries());
}

#[test]
fn each_bound() {
    run(&bounds());
}

#[test]
fn each_refusal_is_brought_about_by_a_row_and_says_what_it_is() {
    let rows = [lines(), binaries(), bounds()].concat();
    let found: HashSet<Refusal> = rows.iter().filter_map(|row| row.2.err()).collect();
    let mut sentences = HashSet::new();
    for refusal in Refusal::ALL {
        assert!(found.contains(refusal), "{refusal:?}");
        assert!(
            refusal.section().starts_with("PROXY protocol §2."),
            "{refusal:?}"
        );
        let sentence = refusal.sentence();
        assert!(!sentence.ends_with('.'), "{refusal:?}: {sentence}");
        assert!(sentences.insert(sentence), "{refusal:?}: {sentence}");
        assert_eq!(refusal.to_string(), sentence);
    }
}

fn addresses() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let four =
        any::<(u32, u16)>().prop_map(|(ip, port)| SocketAddrV4::new(Ipv4Addr::from(ip), port));
    // Zeros in places, so that there is something to abbreviate.
    let six = (any::<(u128, u8, u16)>()).prop_map(|(ip, mask, port)| {
        let groups = Ipv6Addr::from(ip).segments();
        let kept: Vec<u16> = (0..8)
            .map(|at| groups[at] * u16::from(mask >> at & 1))
            .collect();
        let kept: [u16; 8] = kept.try_into().unwrap();
        SocketAddrV6::new(Ipv6Addr::from(kept), port, 0, 0)
    });
    prop_oneof![
        (four.clone(), four).prop_map(|(a, b)| (a.into(), b.into())),
        (six.clone(), six).prop_map(|(a, b)| (a.into(), b.into())),
    ]
}

fn line_of(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let family = if source.is_ipv4() { '4' } else { '6' };
    let (from, to) = (source.ip(), destination.ip());
    let ports = (source.port(), destination.port());
    format!("PROXY TCP{family} {from} {to} {} {}\r\n", ports.0, ports.1).into_bytes()
}

fn binary_of(
    source: SocketAddr,
    destination: SocketAddr,
    extensions: &[(u8, Vec<u8>)],
    is_summed: bool,
) -> Vec<u8> {
    let mut block = Vec::new();
    for address in [source, destination] {
        match address {
            SocketAddr::V4(address) => block.extend(address.ip().octets()),
            SocketAddr::V6(address) => block.extend(address.ip().octets()),
        }
    }
    block.extend(source.port().to_be_bytes());
    block.extend(destination.port().to_be_bytes());
    for (kind, value) in extensions {
        // The checksum is added below.
        block.extend(extension(if *kind == 3 { 4 } else { *kind }, value));
    }
    let at = 16 + block.len() + 3;
    if is_summed {
        block.extend(extension(3, &[0; 4]));
    }
    let header = binary(PROXY, if source.is_ipv4() { 0x11 } else { 0x21 }, &[&block]);
    if is_summed {
        summed(header, at)
    } else {
        header
    }
}

/// A header of either version, as a proxy writes it, and what it says.
fn headers() -> impl Strategy<Value = (Vec<u8>, Header)> {
    let extensions = vec((any::<u8>(), vec(any::<u8>(), 0..40)), 0..4);
    let written = (addresses(), any::<(bool, bool)>(), extensions);
    written.prop_map(
        |((source, destination), (is_line, is_summed), extensions)| {
            let octets = if is_line {
                line_of(source, destination)
            } else {
                binary_of(source, destination, &extensions, is_summed)
            };
            (
                octets,
                Header::Relayed {
                    source,
                    destination,
                },
            )
        },
    )
}

/// One byte changed, put in, or taken away.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    // Bytes that mean something in one version or the other, as often as any.
    let octet = || {
        prop_oneof![
            any::<u8>(),
            proptest::sample::select(&b"\r\n .:0159afFP\0\x03\x11\x20\x21"[..])
        ]
    };
    let change = prop_oneof![
        (any::<Index>(), octet()).prop_map(|(at, octet)| Change::Set(at, octet)),
        (any::<Index>(), octet()).prop_map(|(at, octet)| Change::Insert(at, octet)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Cut),
    ];
    vec(change, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a proxy writes is read as it was meant, and not a byte more.
    #[test]
    fn what_is_written_is_read((octets, header) in headers(), behind in vec(any::<u8>(), 0..20)) {
        let used = octets.len();
        let all = [octets, behind].concat();
        prop_assert_eq!(feed(&all, [all.len()]), Outcome::Done { header, used });
        check(&all);
    }

    /// Headers that are almost right: one outcome however they are split, and that of the naive
    /// reading.
    #[test]
    fn what_is_changed_is_read_alike((mut octets, _) in headers(), changes in changes()) {
        for change in changes {
            match change {
                _ if octets.is_empty() => {}
                Change::Set(at, octet) => { let at = at.index(octets.len()); octets[at] = octet; }
                Change::Insert(at, octet) => octets.insert(at.index(octets.len()), octet),
                Change::Remove(at) => drop(octets.remove(at.index(octets.len()))),
                Change::Cut(at) => octets.truncate(at.index(octets.len())),
            }
        }
        check(&octets);
    }

    /// Any bytes after the beginning of a header.
    #[test]
    fn any_bytes_are_read_alike(
        start in proptest::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN", SIGNATURE, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"]),
        rest in vec(any::<u8>(), 0..200),
    ) {
        check(&[start, &rest].concat());
    }

    /// Anything that looks like an address, where one belongs.
    #[test]
    fn any_address_is_read_alike(family in "[46]", source in "[0-9a-f.:]{0,20}", destination in "([0-9a-f]{0,5}[.:]{0,2}){0,9}", ports in "[0-9 ]{0,12}") {
        check(format!("PROXY TCP{family} {source} ::1 1 2\r\n").as_bytes());
        check(format!("PROXY TCP{family} {source} {destination} {ports}\r\n").as_bytes());
    }
}
