//! The four forms of a request target (RFC 9112 §3.2, RFC 3986).
//!
//! A target is taken apart where it lies: nothing is decoded, normalised or copied. Whether a
//! path's escapes are valid, and where it leads, is decided elsewhere.

use super::{Method, Span, host};
use crate::bytes::class;

/// Which of the four forms (RFC 9112 §3.2.1 to §3.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query` (RFC 9112 §3.2.1).
    Origin,
    /// `http://host/path?query` (RFC 9112 §3.2.2).
    Absolute,
    /// `host:port`, CONNECT only (RFC 9112 §3.2.3).
    Authority,
    /// `*`, OPTIONS only (RFC 9112 §3.2.4).
    Asterisk,
}

/// A target taken apart. Spans are relative to the target's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its form.
    pub form: TargetForm,
    /// The path as received: starts with `/` in the origin form, and in the absolute form unless it
    /// is empty, which stands for `/` (RFC 9110 §4.2.3), or with OPTIONS and no query for the
    /// server as a whole (RFC 9112 §3.2.4). Empty in the other two forms.
    pub path: Span,
    /// The text after the first `?`. `Some` of an empty span for `/?`.
    pub query: Option<Span>,
    /// The authority of an absolute or authority target: a host and, perhaps, a port.
    pub authority: Option<Span>,
}

impl Target {
    /// The path of `target`, which this is taken apart from: `/` when an absolute target has none,
    /// `*` in the asterisk form, and empty in the authority form.
    pub fn path_of<'a>(&self, target: &'a str) -> &'a str {
        let Span { start, end } = self.path;
        let path = target.get(start as usize..end as usize);
        match (self.form, path.unwrap_or_default()) {
            (TargetForm::Absolute, "") => "/",
            (TargetForm::Asterisk, _) => "*",
            (_, path) => path,
        }
    }

    /// The query of `target`, which this is taken apart from, without its `?`.
    pub fn query_of<'a>(&self, target: &'a str) -> Option<&'a str> {
        let Span { start, end } = self.query?;
        let query = target.get(start as usize..end as usize);
        Some(query.unwrap_or_default())
    }
}

/// The target is not in a form that its method may have, or holds a byte that no target may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTarget;

impl Target {
    /// Takes a target apart. A fragment (`#`) is refused: RFC 9112 §3.2 has none in any form.
    /// Escapes are not validated: the decoder does that.
    ///
    /// # Errors
    /// `InvalidTarget` for anything else.
    pub fn parse(bytes: &[u8], method: Method) -> Result<Target, InvalidTarget> {
        // LENIENT: RFC 3986 §3.3 and §3.4 want `"`, `<`, `>`, `[`, `\`, `]`, `^`, `` ` ``, `{`, `|`
        // and `}` escaped, but the WHATWG URL Standard (§1.3, the percent-encode sets of paths and
        // queries) leaves some of them in and every browser sends them raw: `/search?q=a|b` is an
        // everyday request. None of them ends a target, so two servers in a chain cannot disagree
        // on where it ends. `\` is an ordinary byte here; the path resolver refuses it.
        let path = class::path_end(bytes, 0);
        // Spans hold 32 bits.
        if u32::try_from(bytes.len()).is_err() || class::target_end(bytes, path) < bytes.len() {
            return Err(InvalidTarget);
        }
        let query = (path < bytes.len()).then_some(path);
        // RFC 9112 §3.2.3: "The "authority-form" of request-target is only used for CONNECT
        // requests", and CONNECT has no other: a path would be no place to make a tunnel to.
        if method == Method::Connect {
            return authority_form(bytes);
        }
        if let Some(target) = Target::origin_form(bytes, query) {
            return Ok(target);
        }
        match bytes {
            // RFC 9112 §3.2.4: "The "asterisk-form" of request-target is only used for a
            // server-wide OPTIONS request".
            b"*" if method == Method::Options => Ok(asterisk_form()),
            _ => absolute_form(bytes, query),
        }
    }

    /// An origin form whose bytes are known to be those that a target may hold, with the first `?`
    /// among them. `None` for any other form.
    #[inline(always)]
    pub(crate) fn origin_form(bytes: &[u8], query: Option<usize>) -> Option<Target> {
        if bytes.first() != Some(&b'/') {
            return None;
        }
        Some(Target {
            form: TargetForm::Origin,
            path: Span::new(0, query.unwrap_or(bytes.len())),
            query: query.map(|mark| Span::new(mark + 1, bytes.len())),
            authority: None,
        })
    }
}

fn asterisk_form() -> Target {
    Target {
        form: TargetForm::Asterisk,
        path: Span::default(),
        query: None,
        authority: None,
    }
}

/// RFC 9110 §4.2.1: "http-URI = "http" "://" authority path-abempty [ "?" query ]", and the same
/// for https.
fn absolute_form(bytes: &[u8], query: Option<usize>) -> Result<Target, InvalidTarget> {
    let start = scheme_len(bytes).ok_or(InvalidTarget)?;
    let after = &bytes[start..];
    let len = after
        .iter()
        .position(|&byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(after.len());
    // RFC 9110 §4.2.1 on an empty host: "A recipient that processes such a URI reference MUST
    // reject it as invalid." RFC 9110 §4.2.4 on userinfo: "treat its presence as an error; it is
    // likely being used to obscure the authority".
    host::parse(&after[..len], false).ok_or(InvalidTarget)?;
    let path = start + len;
    Ok(Target {
        form: TargetForm::Absolute,
        path: Span::new(path, query.unwrap_or(bytes.len())),
        query: query.map(|mark| Span::new(mark + 1, bytes.len())),
        authority: Some(Span::new(start, path)),
    })
}

/// RFC 9112 §3.2.3: "authority-form = uri-host ":" port".
fn authority_form(bytes: &[u8]) -> Result<Target, InvalidTarget> {
    let authority = host::parse(bytes, false).ok_or(InvalidTarget)?;
    // RFC 9110 §9.3.6: "There is no default port; a client MUST send the port number even if the
    // CONNECT request is based on a URI reference that contains an authority component with an
    // elided port".
    if authority.port.is_none() {
        return Err(InvalidTarget);
    }
    let whole = Span::new(0, bytes.len());
    Ok(Target {
        form: TargetForm::Authority,
        path: Span::default(),
        query: None,
        authority: Some(whole),
    })
}

/// The length of `http://` or `https://` at the start. RFC 3986 §3.1: "schemes are
/// case-insensitive".
fn scheme_len(bytes: &[u8]) -> Option<usize> {
    let starts_with = |scheme: &[u8]| {
        bytes
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| starts_with(scheme))
        .map(<[u8]>::len)
}
