//! The request target's four forms (RFC 9112 §3.2, RFC 3986).

use super::{Method, Span};

/// Which of the four forms (RFC 9112 §3.2.1 to §3.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /** `/path?query` */
    Origin,
    /** `http://host/path?query` */
    Absolute,
    /** `host:port`, CONNECT only */
    Authority,
    /** `*`, OPTIONS only */
    Asterisk,
}

/// A target taken apart. Spans are relative to the target's first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its form.
    pub form: TargetForm,
    /// The path as it came, never empty in the origin and absolute forms (an absolute target without a path has the span of nothing and stands for "/").
    pub path: Span,
    /// What follows the first `?`, without it.
    pub query: Option<Span>,
    /// The authority of an absolute or authority target.
    pub authority: Option<Span>,
}

/// The target is none of the forms that its method may have, or holds an octet that RFC 3986 does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTarget;

impl Target {
    /// Takes a target apart. A fragment (`#`) is refused: RFC 9112 has none in any form.
    pub fn parse(octets: &[u8], method: Method) -> Result<Target, InvalidTarget> {
        todo!()
    }
}
