//! A listing as a page, piece by piece. It works without its script and without its style, and
//! every link is relative, so that it holds wherever the folder is mounted.

use super::entries::{Entries, Entry};
use super::escape::{html_len, push_html, push_size, size_len, timestamp};
use super::order::{Key, Order};
use super::style::{SCRIPT, STYLE};
use crate::bytes::number::{decimal_len, push_decimal};
use crate::bytes::percent::{encode_segment, encoded_segment_len};

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
    for head in &HEADS {
        push_head(head, order, out);
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

/// The bytes of a row that depend on its name and its size.
pub(super) fn variable_len(entry: &Entry<'_>) -> usize {
    let size = entry.size.map(|size| decimal_len(size) + size_len(size));
    encoded_segment_len(entry.name) + html_len(entry.name) + size.unwrap_or(0)
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
    let depth = segments().count() - usize::from(path.is_empty());
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
fn push_head(head: &Head, order: Order, out: &mut Vec<u8>) {
    let Head(key, value, title, descending_first) = head;
    let (sorted, descending) = match (order.key == *key, order.descending) {
        (true, true) => (" aria-sort=\"descending\"", false),
        (true, false) => (" aria-sort=\"ascending\"", true),
        (false, _) => ("", *descending_first),
    };
    let order = if descending { "desc" } else { "asc" };
    let link = format!("<a href=\"?sort={value}&amp;order={order}\">{title}</a>");
    out.extend_from_slice(format!("<th scope=\"col\"{sorted}>{link}</th>").as_bytes());
}

pub(super) fn slash_of(entry: &Entry<'_>) -> &'static [u8] {
    match entry.size {
        Some(_) => b"",
        None => b"/",
    }
}

/// The head of a column: its name in a query, its title as HTML, and whether the first click sorts
/// in descending order. Names go from the start, but the largest and the newest come first.
struct Head(Key, &'static str, &'static str, bool);

const HEADS: [Head; 3] = [
    Head(Key::Name, "name", "Name", false),
    Head(Key::Size, "size", "Size", true),
    Head(Key::Time, "time", "Modified<span> (UTC)</span>", true),
];
const ROOT_NAME: &[u8] = b"Home";
/// Bytes of `2026-11-21`.
const DATE_LEN: usize = 10;
/// Bytes of `2026-11-21T20:03`.
const MINUTES_END: usize = 16;
