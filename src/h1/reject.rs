//! Every reason to refuse a message: its status, its section, its sentence.

use crate::semantics::Status;

/// Why a message was refused. After any of these no further octet of the connection is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reject {}

impl Reject {
    /// Every variant, for tests and tables.
    pub const ALL: &'static [Reject] = &[];
    /// The status that the client gets.
    pub const fn status(self) -> Status {
        todo!()
    }
    /// The section that decides, such as `RFC 9112 §5.1`.
    pub const fn section(self) -> &'static str {
        todo!()
    }
    /// One sentence for a person, without a period: "white space before the colon of a field line".
    pub const fn sentence(self) -> &'static str {
        todo!()
    }
}
