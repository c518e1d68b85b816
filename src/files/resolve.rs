//! From a request's path to clean segments that may be opened below the root, or an error.
//!
//! The path is cut at its slashes, and each segment is decoded once and then checked; a slash at
//! the end asks for a folder. An unclean path is refused, not cleaned: apart from escapes, which
//! RFC 3986 makes equivalent, a file has one path only, so that no second spelling gets around a
//! rule made for the first. A browser removes `.` and `..` itself before it asks; a client that
//! leaves a `.` is redirected to the path without it.
//!
//! Whether the file exists, and where its symlinks lead, is decided by `sys::beneath`, which trusts
//! nothing that is decided here. `std::path` has no place here: it folds `//` and `/./` silently.

use crate::bytes::percent;
use crate::semantics::Status;
use std::borrow::Cow;

/// A path that may be opened below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The decoded segments joined by `/`, no slash at either end; empty for the root itself.
    /// Borrowed when nothing was escaped.
    pub path: Cow<'a, [u8]>,
    /// Bytes of `path` that lead to the root: 0, unless it is mounted below another one.
    root: usize,
    /// Whether the path ended in a slash, and so asks for a folder. The root's always does.
    pub slash: bool,
}

impl<'a> Resolved<'a> {
    /// A page of the site's own, by its path below the root.
    pub fn page(path: &'a [u8]) -> Resolved<'a> {
        let (path, root, slash) = (Cow::Borrowed(path), 0, false);
        Resolved { path, root, slash }
    }

    /// The path below the root.
    pub fn below_root(&self) -> &[u8] {
        &self.path[self.root..]
    }

    /// Goes on to a root that is mounted at the first `length` bytes below this one. The rest of
    /// the path was checked by the rules of the other root.
    ///
    /// # Errors
    /// The rules of the mounted root refuse one of the names.
    pub fn enter(&mut self, length: usize, rules: PathRules) -> Result<(), PathError> {
        self.root += length;
        let below = self.below_root();
        if below.is_empty() {
            // The root itself has no name.
            return Ok(());
        }
        let mut names = below.split(|&byte| byte == b'/').enumerate();
        names.try_for_each(|(index, name)| check_segment(name, index == 0, rules))
    }
}

/// Which system's rules for names apply. Either can be chosen on any system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Any bytes but `/` and NUL.
    Unix,
    /// Some names stand for something other than the file of that name: a device, a stream, another
    /// file. What is left is a valid name on Unix as well.
    Windows,
}

impl Names {
    /// The rules of the system that this program was built for.
    pub const HERE: Names = if cfg!(windows) {
        Names::Windows
    } else {
        Names::Unix
    };
}

/// Which names may be asked for. Names that lead out of a folder never may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathRules {
    /// [`Names::HERE`], or [`Names::Windows`] for a folder that is served alike everywhere.
    pub names: Names,
    /// Whether names that begin with a dot are served; `.` and `..` never are.
    pub hidden: bool,
}

impl Default for PathRules {
    /// The names of this system, except those that begin with a dot.
    fn default() -> PathRules {
        PathRules {
            names: Names::HERE,
            hidden: false,
        }
    }
}

/// Why a path may not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with a slash.
    NoLeadingSlash,
    /// A `%` that two hexadecimal digits do not follow.
    InvalidEscape,
    /// A NUL, where the system would end the name.
    Nul,
    /// Another control character, which no name on Windows has.
    Control,
    /// A slash written `%2f`.
    EncodedSlash,
    /// A backslash, in any spelling.
    Backslash,
    /// Two slashes in a row.
    EmptySegment,
    /// A segment `.`, in any spelling.
    Dot,
    /// A segment `..`, in any spelling.
    DotDot,
    /// A name that begins with a dot.
    Hidden,
    /// A name that means something else on Windows.
    WindowsName,
}

impl PathError {
    /// 400 where the path is not a path of bytes at all, else 404: a refused path must look like a
    /// missing one.
    pub const fn status(self) -> Status {
        match self {
            PathError::NoLeadingSlash | PathError::InvalidEscape | PathError::Nul => {
                Status::BAD_REQUEST
            }
            _ => Status::NOT_FOUND,
        }
    }

    /// One sentence for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            PathError::NoLeadingSlash => "the path does not begin with a slash",
            PathError::InvalidEscape => "% without two hexadecimal digits in the path",
            PathError::Nul => "NUL in the path",
            PathError::Control => "control character in the path",
            PathError::EncodedSlash => "encoded slash in the path",
            PathError::Backslash => "backslash in the path",
            PathError::EmptySegment => "double slash in the path",
            PathError::Dot => "segment . in the path",
            PathError::DotDot => "segment .. in the path",
            PathError::Hidden => "hidden file",
            PathError::WindowsName => "a name with another meaning on Windows",
        }
    }
}

/// Resolves a request's path. Takes linear time; allocates only when something is escaped, and no
/// more than the path is long.
///
/// # Errors
/// The first [`PathError`] from the left.
pub fn resolve(path: &[u8], rules: PathRules) -> Result<Resolved<'_>, PathError> {
    let (raw, slash) = match path {
        b"/" => return Ok(ROOT),
        [b'/', raw @ .., b'/'] => (raw, true),
        [b'/', raw @ ..] => (raw, false),
        _ => return Err(PathError::NoLeadingSlash),
    };
    let path = if raw.contains(&b'%') {
        Cow::Owned(decoded(raw, rules)?)
    } else {
        for (index, segment) in raw.split(|&byte| byte == b'/').enumerate() {
            check_segment(segment, index == 0, rules)?;
        }
        Cow::Borrowed(raw)
    };
    let root = 0;
    Ok(Resolved { path, root, slash })
}

const ROOT: Resolved<'static> = Resolved {
    path: Cow::Borrowed(b""),
    root: 0,
    slash: true,
};

fn decoded(raw: &[u8], rules: PathRules) -> Result<Vec<u8>, PathError> {
    let mut path = Vec::with_capacity(raw.len());
    for (index, segment) in raw.split(|&byte| byte == b'/').enumerate() {
        if index > 0 {
            path.push(b'/');
        }
        let start = path.len();
        // RFC 3986 §2.4: "Implementations must not percent-encode or decode the same string more
        // than once".
        percent::decode(segment, &mut path).map_err(|_| PathError::InvalidEscape)?;
        // Checked after decoding: `%2e%2e` has to be seen for what it is. Cut at slashes before it:
        // `%2f` cuts nothing.
        check_segment(&path[start..], index == 0, rules)?;
    }
    Ok(path)
}

/// The path without its segments `.`, if that is clean: the target of a redirect, because `.` is
/// another spelling, and a file has one path only.
///
/// RFC 3986 §6.2.2.3: "some deployed implementations incorrectly assume that reference resolution
/// is not necessary when the reference is already a URI and thus fail to remove dot-segments".
/// apt-get is one of them: it asks for `/debian/./Packages`. Nobody means well by an escaped dot,
/// and one at the end asks for nothing.
pub fn without_dots(path: &str, rules: PathRules) -> Option<String> {
    if path.ends_with("/.") {
        return None;
    }
    let segments: Vec<&str> = path.split('/').filter(|&segment| segment != ".").collect();
    let clean = segments.join("/");
    resolve(clean.as_bytes(), rules).is_ok().then_some(clean)
}

/// Whether a path may have this decoded segment. `first` means directly below the root.
///
/// # Errors
/// The reason. A name on disk that is refused cannot be asked for, so it is not listed either.
pub fn check_segment(name: &[u8], first: bool, rules: PathRules) -> Result<(), PathError> {
    let on_windows = matches!(rules.names, Names::Windows);
    for byte in name {
        match byte {
            0 => return Err(PathError::Nul),
            // Elsewhere a name may hold any of them, even a newline. Whatever is written from a
            // path (log, Location, listing) keeps it percent-encoded.
            0x01..=0x1F | 0x7F if on_windows => return Err(PathError::Control),
            // STRICTER: as data, `%2f` is part of a name, but no name on disk can hold it, and two
            // servers in a chain disagree on whether it separates (`/..%2f`).
            b'/' => return Err(PathError::EncodedSlash),
            // STRICTER: an ordinary byte in a URI and in a name on Unix, but a separator on Windows
            // and, after a first slash, in browsers: `/\host` is `//host` to them.
            b'\\' => return Err(PathError::Backslash),
            _ => {}
        }
    }
    match name {
        // STRICTER: RFC 3986 §3.3 allows empty segments, and §5.2.4 of the same removes `.` and
        // `..`. A system reads `a//b` and `a/./b` as `a/b`, so that a rule about `/b` could be
        // passed by `//b`; and a redirect made from a path that begins with `//` leads to another
        // host (CVE-2021-28861).
        b"" => Err(PathError::EmptySegment),
        b"." => Err(PathError::Dot),
        b".." => Err(PathError::DotDot),
        // RFC 8615 §3: "whose path component begins with the characters "/.well-known/"". It is
        // meant to be asked for: certificates are issued by means of a file below it.
        b".well-known" if first => Ok(()),
        [b'.', ..] if !rules.hidden => Err(PathError::Hidden),
        [0xE2 | 0xEF, ..] if !rules.hidden && begins_with_ignored_dot(name) => {
            Err(PathError::Hidden)
        }
        _ if on_windows && is_special_on_windows(name) => Err(PathError::WindowsName),
        _ => Ok(()),
    }
}

/// Whether the name begins with a dot for a file system that ignores what stands before it.
fn begins_with_ignored_dot(segment: &[u8]) -> bool {
    let mut rest = segment;
    // HFS+ compares names without these format characters (CVE-2014-9390: `.g` U+200C `it` is
    // `.git` there): U+200C to U+200F, U+202A to U+202E, U+206A to U+206F, U+FEFF.
    while let [0xE2, 0x80, 0x8C..=0x8F | 0xAA..=0xAE, after @ ..]
    | [0xE2, 0x81, 0xAA..=0xAF, after @ ..]
    | [0xEF, 0xBB, 0xBF, after @ ..] = rest
    {
        rest = after;
    }
    rest.first() == Some(&b'.')
}

/// Whether Windows would open anything but a file of exactly this name.
fn is_special_on_windows(segment: &[u8]) -> bool {
    // `c:` is a drive and `x::$DATA` a stream of `x`; the others are wildcards or redirections.
    let special = |byte: &u8| matches!(byte, b':' | b'"' | b'*' | b'<' | b'>' | b'?' | b'|');
    // `GIT~1` is the short name of `.git`.
    let short = |pair: &[u8]| pair[0] == b'~' && pair[1].is_ascii_digit();
    // Names are UTF-16 there: bytes that are not UTF-8 have no name.
    std::str::from_utf8(segment).is_err()
        || segment.iter().any(special)
        || segment.windows(2).any(short)
        // `x.` and `x ` open `x`.
        || matches!(segment.last(), Some(b'.' | b' '))
        || is_device_on_windows(segment)
}

/// `CON`, and also `con.txt` and `con .txt`, are the console in every folder.
fn is_device_on_windows(segment: &[u8]) -> bool {
    let stem = segment.split(|&byte| byte == b'.').next();
    let stem = stem.unwrap_or_default().trim_ascii_end();
    let is_stem = |device: &&[u8]| stem.eq_ignore_ascii_case(device);
    if WINDOWS_DEVICES.iter().any(is_stem) {
        return true;
    }
    // Superscript digits count as digits: U+00B9, U+00B2, U+00B3.
    let numbered = matches!(
        stem,
        [_, _, _, b'0'..=b'9'] | [_, _, _, 0xC2, 0xB9 | 0xB2 | 0xB3]
    );
    numbered && (stem[..3].eq_ignore_ascii_case(b"COM") || stem[..3].eq_ignore_ascii_case(b"LPT"))
}

const WINDOWS_DEVICES: [&[u8]; 7] = [
    b"CON", b"PRN", b"AUX", b"NUL", b"CONIN$", b"CONOUT$", b"CLOCK$",
];
