//! What a big file costs in memory.

use crate::harness::{alone, on_each_backend};
use crate::support::client::{Client, get};
use crate::support::skipped;
use crate::support::temporary::Temporary;
use doorstep::{Request, Response, Status};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

const MARKED: u64 = 1 << 20;
/// Peak memory may grow by so much, the client's own included.
const GROWTH_MOST: u64 = 4 << 20;

/// The bytes at the start of each mebibyte of the file; the others are zero.
fn marker(number: u64) -> [u8; 16] {
    let mut octets = *b"MiB number \0\0\0\0\0";
    octets[11..].copy_from_slice(&number.to_be_bytes()[3..]);
    octets
}

#[test]
fn a_file_of_2_gib_adds_at_most_4_mib_to_peak_memory() {
    const NAME: &str = "memory::a_file_of_2_gib_adds_at_most_4_mib_to_peak_memory";
    const LENGTH: u64 = 2 << 30;
    alone(NAME, None, || {
        if peak().is_none() {
            return skipped(NAME, "this system does not tell a process's peak memory");
        }
        let scratch = Temporary::path();
        if let Err(error) = write_marked(&scratch, LENGTH) {
            return skipped(NAME, &format!("no sparse file of 2 GiB: {error}"));
        }
        on_each_backend(|stage| {
            let path = scratch.to_path_buf();
            let handler = move |request: &mut Request<'_>| {
                let file = File::open(&path).expect("the scratch file");
                let length = if request.path() == "/whole" {
                    LENGTH
                } else {
                    MARKED
                };
                Response::new(Status::OK).file(file, 0, length)
            };
            let server = stage.server().workers(1).spawn(handler).unwrap();
            let mut client = Client::connect(server.addr());
            // Everything that one request needs is there from here on.
            client.send(get("/start"));
            check(&mut client, MARKED);
            let before = peak().expect("the peak");
            client.send(get("/whole"));
            check(&mut client, LENGTH);
            let grown = peak().expect("the peak") - before;
            assert!(grown <= GROWTH_MOST, "{grown} bytes more");
        });
    });
}

/// A file of that length in which each mebibyte begins with its number; the rest is a hole.
fn write_marked(path: &Path, length: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(length)?;
    for number in 0..length / MARKED {
        file.seek(SeekFrom::Start(number * MARKED))?;
        file.write_all(&marker(number))?;
    }
    Ok(())
}

/// Reads an answer of that length, and compares each byte.
fn check(client: &mut Client, length: u64) {
    let zeros = [0; 16 * 1024];
    assert_eq!(client.head().length, Some(length));
    let mut place = 0;
    while place < length {
        let octets = match client.some() {
            Ok(octets) if !octets.is_empty() => octets,
            other => panic!("{:?} at {place}", other.map(<[u8]>::len)),
        };
        let mut left = octets;
        while !left.is_empty() {
            let (number, within) = (place / MARKED, (place % MARKED) as usize);
            let marker = marker(number);
            let expected = marker.get(within..).filter(|rest| !rest.is_empty());
            let expected = expected.unwrap_or(&zeros[..zeros.len().min(MARKED as usize - within)]);
            let count = expected.len().min(left.len());
            assert!(
                left[..count] == expected[..count],
                "another byte after {place}"
            );
            left = &left[count..];
            place += count as u64;
        }
    }
    assert_eq!(place, length);
}

/// The most memory that this process has had, in bytes; `None` where the system does not tell.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The reader of this file knows a wrong byte when it sees one.
#[test]
#[should_panic(expected = "another byte")]
fn a_wrong_byte_is_seen() {
    on_each_backend(|stage| {
        let wrong = |_: &mut Request<'_>| {
            let mut content = vec![0; MARKED as usize];
            content[..16].copy_from_slice(&marker(0));
            content[500_000] = 1;
            Response::new(Status::OK).body(content)
        };
        let server = stage.server().spawn(wrong).unwrap();
        let mut client = Client::connect(server.addr());
        client.send(get("/"));
        check(&mut client, MARKED);
    });
}
