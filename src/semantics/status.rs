//! Status codes (RFC 9110 §15).

/// A status code from 100 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// 200 (RFC 9110 §15.3.1).
    pub const OK: Status = Status(200);
    // every registered one
    /** . */
    pub const CREATED: Status = Status(201);
    /** . */
    pub const NO_CONTENT: Status = Status(204);
    /** . */
    pub const BAD_REQUEST: Status = Status(400);
    /** . */
    pub const CONTENT_TOO_LARGE: Status = Status(413);
    /** . */
    pub const INTERNAL_SERVER_ERROR: Status = Status(500);

    /// The status with this code, from 100 to 999.
    pub const fn from_code(code: u16) -> Option<Status> {
        todo!()
    }
    /// The number.
    pub const fn code(self) -> u16 {
        todo!()
    }
    /// The registered reason phrase, or "" for a code that has none.
    pub const fn reason(self) -> &'static str {
        todo!()
    }
    /// 1xx.
    pub const fn is_informational(self) -> bool {
        todo!()
    }
    /// 2xx.
    pub const fn is_successful(self) -> bool {
        todo!()
    }
    /// Whether an answer with this status can have content: not 1xx, 204, 304 (RFC 9110 §6.4.1).
    pub const fn allows_content(self) -> bool {
        todo!()
    }
}
// Display "404 Not Found", Debug
