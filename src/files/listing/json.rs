//! A listing as JSON (RFC 8259), piece by piece, one entry a line: the object that
//! [`listing`](super) documents.

use super::entries::{Entries, Entry};
use super::escape::{json_len, push_json, timestamp};
use super::html::slash_of;
use crate::bytes::number::{decimal_len, push_decimal};
use crate::bytes::percent::{encode_segment, encoded_segment_len};

/// The part before the first entry. `path` is decoded, without a slash at either end.
pub(super) fn push_top(path: &[u8], entries: &Entries, out: &mut Vec<u8>) {
    let mut whole = Vec::with_capacity(path.len() + 2);
    whole.push(b'/');
    if !path.is_empty() {
        whole.extend_from_slice(path);
        whole.push(b'/');
    }
    out.extend_from_slice(b"{\"path\":");
    push_json(&whole, out);
    out.extend_from_slice(b",\"truncated\":");
    out.extend_from_slice(entries.is_truncated().to_string().as_bytes());
    out.extend_from_slice(b",\"entries\":[");
}

pub(super) fn push_entry(entry: &Entry<'_>, is_first: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if is_first { b"\n" } else { b",\n" });
    out.extend_from_slice(b"{\"name\":");
    push_json(entry.name, out);
    match entry.size {
        Some(size) => {
            out.extend_from_slice(b",\"type\":\"file\",\"size\":");
            push_decimal(out, size);
        }
        None => out.extend_from_slice(b",\"type\":\"folder\""),
    }
    out.extend_from_slice(b",\"modified\":");
    match entry.modified.and_then(timestamp) {
        Some(stamp) => push_json(&stamp, out),
        None => out.extend_from_slice(b"null"),
    }
    // An encoded name has nothing that JSON escapes.
    out.extend_from_slice(b",\"href\":\"");
    encode_segment(entry.name, out);
    out.extend_from_slice(slash_of(entry));
    out.extend_from_slice(b"\"}");
}

/// The bytes of an entry that depend on its name and its size.
pub(super) fn variable_len(entry: &Entry<'_>) -> usize {
    let size = entry.size.map(decimal_len);
    json_len(entry.name) + encoded_segment_len(entry.name) + size.unwrap_or(0)
}

/// The part after the last entry.
pub(super) fn push_bottom(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n]}\n");
}
