//! A listing as a page, piece by piece. It works without its script and without its style, and
//! every link is relative, so that it holds wherever the folder is mounted.

use super::entries::{Entries, Entry};
use super::escape::{push_html, push_size, timestamp};
use super::order::{Key, Order};
use super::style::{SCRIPT, STYLE};
use crate::bytes::number::push_decimal;
use crate::bytes::percent::encode_segment;

/// The part before the first row. `path` is decoded, without a slash at either end.
pub(super) fn push_top(path: &[u8], order: Order, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    out.extend_from_slice(b"<meta name=\"viewport\" content=\"width=device-width\">\n");
    out.extend_from_slice(b"<meta name=\"color-scheme\" content=\"light dark\">\n<title>/");
    if !path.is_empty() {
        push_html(path, out);
        out.push(b'/');
    }
    out.extend_from_slice(b"</title>\n<style>");
    out.extend_from_slice(STYLE.as_bytes());
    out.extend_from_slice(b"</style>\n");
    push_way(path, out);
    out.extend_from_slice(b"<p id=\"filter\" hidden><label>Filter <input type=\"search\" autocomplete=\"off\"></label> <output></output></p>\n");
    out.extend_from_slice(b"<table>\n<thead>\n<tr>");
    for (key, head) in HEADS {
        push_head(key, head, order, out);
    }
    out.extend_from_slice(b"</tr>\n</thead>\n<tbody>\n");
    if !path.is_empty() {
        out.extend_from_slice(
            b"<tr class=\"up\"><td colspan=\"3\"><a href=\"../\">Parent folder</a></td></tr>\n",
        );
    }
}

pub(super) fn push_row(entry: &Entry<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<tr><td><a href=\"");
    // Colons are escaped, so nothing here is taken for a scheme; so are quotes and markup.
    encode_segment(entry.name, out);
    out.extend_from_slice(slash_of(entry));
    // Each name has its own direction, and turns nothing around it.
    out.extend_from_slice(b"\"><bdi>");
    push_html(entry.name, out);
    out.extend_from_slice(b"</bdi>");
    out.extend_from_slice(slash_of(entry));
    out.extend_from_slice(b"</a></td>");
    match entry.size {
        Some(size) => {
            out.extend_from_slice(b"<td title=\"");
            push_decimal(out, size);
            out.extend_from_slice(b" bytes\">");
            push_size(size, out);
            out.extend_from_slice(b"</td><td>");
        }
        None => out.extend_from_slice(b"<td></td><td>"),
    }
    if let Some(stamp) = entry.modified.and_then(timestamp) {
        out.extend_from_slice(b"<time datetime=\"");
        out.extend_from_slice(&stamp);
        out.extend_from_slice(b"\">");
        out.extend_from_slice(&stamp[..DATE_LEN]);
        // Hidden where there is little space.
        out.extend_from_slice(b"<span> ");
        out.extend_from_slice(&stamp[DATE_LEN + 1..MINUTES_END]);
        out.extend_from_slice(b"</span></time>");
    }
    out.extend_from_slice(b"</td></tr>\n");
}

/// The part after the last row.
pub(super) fn push_bottom(entries: &Entries, out: &mut Vec<u8>) {
    out.extend_from_slice(b"</tbody>\n</table>\n");
    if entries.is_truncated() {
        out.extend_from_slice("<p>… and more: only ".as_bytes());
        push_decimal(out, entries.len() as u64);
        out.extend_from_slice(b" of them are listed.</p>\n");
    } else if entries.is_empty() {
        out.extend_from_slice(b"<p>This folder is empty.</p>\n");
    }
    out.extend_from_slice(b"<script>");
    out.extend_from_slice(SCRIPT.as_bytes());
    out.extend_from_slice(b"</script>\n");
}

/// Breadcrumbs from the root to this folder. The links are `..` as often as it takes, so that none
/// needs to know where the root is.
fn push_way(path: &[u8], out: &mut Vec<u8>) {
    let segments = || path.split(|&byte| byte == b'/');
    let depth = if path.is_empty() {
        0
    } else {
        segments().count()
    };
    let steps = std::iter::once(ROOT_NAME).chain(segments().take(depth));
    out.extend_from_slice(b"<nav aria-label=\"Breadcrumb\">\n<h1>");
    for (index, name) in steps.enumerate() {
        out.extend_from_slice(b"<a href=\"");
        match depth - index {
            0 => out.extend_from_slice(b"./\" aria-current=\"page"),
            up => (0..up).for_each(|_| out.extend_from_slice(b"../")),
        }
        out.extend_from_slice(b"\"><bdi>");
        push_html(name, out);
        out.extend_from_slice(b"</bdi></a> /\n");
    }
    out.extend_from_slice(b"</h1>\n</nav>\n");
}

/// A column's head: a link that sorts by it, or that reverses the order if the listing is sorted by
/// it already.
fn push_head(key: Key, head: &Head, order: Order, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<th scope=\"col\"");
    let mut descending = head.descending_first;
    if key == order.key {
        descending = !order.descending;
        out.extend_from_slice(b" aria-sort=\"");
        out.extend_from_slice(if order.descending {
            b"descending"
        } else {
            b"ascending"
        });
        out.push(b'"');
    }
    out.extend_from_slice(b"><a href=\"?sort=");
    out.extend_from_slice(head.value.as_bytes());
    out.extend_from_slice(b"&amp;order=");
    out.extend_from_slice(if descending { b"desc" } else { b"asc" });
    out.extend_from_slice(b"\">");
    out.extend_from_slice(head.title.as_bytes());
    out.extend_from_slice(b"</a></th>");
}

fn slash_of(entry: &Entry<'_>) -> &'static [u8] {
    match entry.size {
        Some(_) => b"",
        None => b"/",
    }
}

/// The head of a column.
struct Head {
    /// Its name in a query.
    value: &'static str,
    /// As HTML.
    title: &'static str,
    /// The first click's order: names from the start, but the largest and the newest first.
    descending_first: bool,
}

const HEADS: [(Key, &Head); 3] = [
    (
        Key::Name,
        &Head {
            value: "name",
            title: "Name",
            descending_first: false,
        },
    ),
    (
        Key::Size,
        &Head {
            value: "size",
            title: "Size",
            descending_first: true,
        },
    ),
    (
        Key::Time,
        &Head {
            value: "time",
            title: "Modified<span> (UTC)</span>",
            descending_first: true,
        },
    ),
];
const ROOT_NAME: &[u8] = b"Home";
/// Bytes of `2026-11-21`.
const DATE_LEN: usize = 10;
/// Bytes of `2026-11-21T20:03`.
const MINUTES_END: usize = 16;
