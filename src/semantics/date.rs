//! HTTP dates (RFC 9110 §5.6.7).

use std::time::SystemTime;

/// An IMF-fixdate: 29 octets, `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HttpDate([u8; 29]);

impl HttpDate {
    /// The date of a time, whole seconds (rounded down). `None` before 1970 or after 9999: such a time has no honest HTTP date here.
    pub fn from_time(time: SystemTime) -> Option<HttpDate> {
        todo!()
    }
    /// The date of seconds since 1970; up to the end of the year 9999.
    pub fn from_unix(seconds: u64) -> Option<HttpDate> {
        todo!()
    }
    /// As it is written.
    pub fn as_str(&self) -> &str {
        todo!()
    }
}

/// Seconds since 1970 of a date in any of the three formats. A day name that does not fit its date is accepted, as the RFC gives it no meaning.
pub fn parse(octets: &[u8], now: SystemTime) -> Option<u64> {
    todo!()
}
