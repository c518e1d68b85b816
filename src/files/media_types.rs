//! Media types by a file's name: never by the system's own table, which differs between machines,
//! nor by the content, where browsers are told not to guess either.
//!
//! The types are the registered ones, or else those in use. The exceptions:
//!
//! - `.avi` and `.wav`: players ask for these types, not for those of RFC 2361.
//! - `.ts` and `.mts`: source code and 3D models to some, but players ask for MPEG's transport
//!   stream by its type.
//! - `.asc`, `.pem` and `.xsl` are registered for less than what they hold.
//! - Source code is `text/plain`, which a browser shows. It saves what it has no name for.
//!
//! Text is declared as UTF-8, because a browser would otherwise guess by the reader's country; so
//! is XML, where the parameter decides unless there is a byte order mark (RFC 7303 §3). JSON is
//! not: RFC 8259 §11 says that "no "charset" parameter is defined". JavaScript is `text/javascript`
//! (RFC 9239 §6).

use crate::semantics::accept_encoding::Coding;
use std::cmp::Ordering;

/// The media type of a file whose path ends in this name, as Content-Type has it (RFC 9110 §8.3):
/// by what follows the last dot of the last segment, ignoring case, or else by the whole name;
/// `application/octet-stream` where both are unknown.
pub fn of(path: &[u8]) -> &'static str {
    let known = extension(path).and_then(type_of_extension);
    known.unwrap_or_else(|| type_of_name(last_segment(path)))
}

/// Every known extension in lower case, in order, with its type.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once(' '))
}

/// The type with a charset, if it is text of which nothing is said. Types other than `text/*` are
/// left alone: JSON has no such parameter, and XML says by itself what it is written in.
pub fn with_charset(media_type: &str) -> String {
    let lower = media_type.to_ascii_lowercase();
    let mut parameters = lower.split(';').skip(1).map(str::trim_start);
    if lower.starts_with("text/") && !parameters.any(|this| this.starts_with("charset=")) {
        return format!("{media_type}; charset=utf-8");
    }
    media_type.to_string()
}

/// The coding of a file whose name says that it is a packed form of its type, and whose readers
/// need Content-Encoding to unpack it. The readers of other packed kinds (`.tgz`, `.svg.gz`,
/// `.emz`, `.wmz`, `.gnumeric`) want them as they are, and a browser would save them unpacked.
pub fn coding_of(path: &[u8]) -> Option<Coding> {
    let extension = extension(path)?;
    let mut packed = PACKED.iter();
    let is_packed = packed.any(|this| extension.eq_ignore_ascii_case(this.as_bytes()));
    is_packed.then_some(Coding::Gzip)
}

/// Kept in gzip: SVG, and the scenes of X3D and VRML, whose players in browsers leave the unpacking
/// to the browser.
const PACKED: [&str; 6] = ["svgz", "wrz", "x3dbz", "x3djz", "x3dvz", "x3dz"];

fn last_segment(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// What follows the last dot, looked for from the end and no further than the longest extension
/// reaches: a path may be long. One with a slash in it, when the dot was in a folder's name, is in
/// no table.
fn extension(path: &[u8]) -> Option<&[u8]> {
    let end = &path[path.len().saturating_sub(EXTENSION_MAX + 1)..];
    let dot = end.iter().rposition(|&byte| byte == b'.')?;
    Some(&end[dot + 1..])
}

/// Binary search in the text itself, which needs neither an index nor pointers to relocate. It runs
/// when a file is loaded, not when it is answered with from memory.
fn type_of_extension(extension: &[u8]) -> Option<&'static str> {
    let wanted = extension.iter().map(u8::to_ascii_lowercase);
    // Both are the start of a line.
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = TABLE[..middle].rfind('\n').map_or(0, |end| end + 1);
        let line = TABLE[start..].lines().next()?;
        let (this, media_type) = line.split_once(' ')?;
        match this.bytes().cmp(wanted.clone()) {
            Ordering::Equal => return Some(media_type),
            Ordering::Less => low = start + line.len() + 1,
            Ordering::Greater => high = start,
        }
    }
    None
}

/// The type by a whole name, in the case in which it is written everywhere. What follows a first
/// word that is such a name says which one it is: `LICENSE-MIT`, `COPYING.LESSER`,
/// `Dockerfile.dev`.
fn type_of_name(name: &[u8]) -> &'static str {
    let end = name.iter().position(|byte| b".-_".contains(byte));
    let word = &name[..end.unwrap_or(name.len())];
    let is = |names: &str, name: &[u8]| names.split(' ').any(|this| this.as_bytes() == name);
    match name {
        b"apple-app-site-association" => "application/json",
        // What clients ask for that look for a proxy by the name `wpad`.
        b"wpad.dat" => "application/x-ns-proxy-autoconfig",
        _ if is(TEXTS, word) || is(WHOLE_TEXTS, name) || name.ends_with(b"SUMS") => PLAIN_TEXT,
        _ => UNKNOWN,
    }
}

/// Files without an extension, or with one of their own, that people and tools read as text.
const TEXTS: &str = "\
    AUTHORS BUGS CHANGELOG CHANGES CODEOWNERS CONTRIBUTING CONTRIBUTORS COPYING COPYRIGHT \
    CREDITS ChangeLog Changelog Dockerfile FAQ GNUmakefile HACKING HISTORY INSTALL Jenkinsfile \
    LICENCE LICENSE License MAINTAINERS Makefile NEWS NOTICE OWNERS PATENTS README Readme \
    SECURITY THANKS TODO UNLICENSE VERSION makefile readme";
/// Those that count only as they stand.
const WHOLE_TEXTS: &str = "\
    BUILD Brewfile CNAME Caddyfile Containerfile DESCRIPTION Earthfile Gemfile InRelease \
    Justfile Kbuild Kconfig METADATA NAMESPACE PKG-INFO PKGBUILD Packages Pipfile Podfile \
    Procfile RECORD Rakefile Release Snakefile Sources Tiltfile Vagrantfile WHEEL WORKSPACE \
    _headers _redirects authors changelog configure control copyright gradlew justfile license \
    mvnw py.typed rust-toolchain sha256sums";

/// A line for each extension, sorted by its bytes: the extension in lower case, a space, the type.
static TABLE: &str = include_str!("media_types.txt");
/// The longest extension in it.
const EXTENSION_MAX: usize = 24;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const UNKNOWN: &str = "application/octet-stream";
