//! Where a request's content ends (RFC 9112 §6): Transfer-Encoding against Content-Length.
//!
//! Fields that two servers in a chain could read differently are refused. The chunked coding itself
//! is in `chunked`.

use super::Reject;
use crate::bytes::{class, number};
use crate::semantics::{FieldName, Headers, Version};

/// How a request's content is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No content: neither field, or `Content-Length: 0`.
    None,
    /// Content-Length, in bytes: at least 1 and at most `i64::MAX`.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// The longest Content-Length and chunk that are accepted. Whoever counts in signed 64 bits would
/// see a larger one wrap.
pub(super) const LENGTH_MAX: u64 = i64::MAX as u64;
const LENGTH_DIGITS: usize = 19;

/// The ladder of RFC 9112 §6.3 for a request.
///
/// # Errors
///
/// The [`Reject`] of the first step that the fields fail; the connection cannot be used after it,
/// as the start of the next request is unknown.
pub fn request_framing(version: Version, headers: Headers<'_>) -> Result<Framing, Reject> {
    let coding = headers.known(FieldName::TransferEncoding);
    let length = headers.known(FieldName::ContentLength);
    // Before the ladder. RFC 9112 §6.1: "A server or client that receives an HTTP/1.0 message
    // containing a Transfer-Encoding header field MUST treat the message as if the framing is
    // faulty, even if a Content-Length is present".
    if coding.is_some() && version == Version::Http10 {
        return Err(Reject::TransferEncodingInHttp10);
    }
    // 1 (no content) and 2 (CONNECT) are about responses.
    match (coding, length) {
        // 3. "If a message is received with both a Transfer-Encoding and a Content-Length header
        // field, the Transfer-Encoding overrides the Content-Length. Such a message might indicate
        // an attempt to perform request smuggling … or response splitting … and ought to be handled
        // as an error."
        // STRICTER: it is handled as an error.
        (Some(_), Some(_)) => Err(Reject::TransferEncodingWithContentLength),
        // 4. "If a Transfer-Encoding header field is present in a request and the chunked transfer
        // coding is not the final encoding, the message body length cannot be determined reliably;
        // the server MUST respond with the 400 (Bad Request) status code and then close the
        // connection."
        (Some(value), None) => {
            if headers.known_all(FieldName::TransferEncoding).count() > 1 {
                // STRICTER: several lines are one list to the RFC, but servers have used the first
                // or the last alone.
                return Err(Reject::RepeatedTransferEncoding);
            }
            transfer_encoding(value)
        }
        // 5. "If a message is received without Transfer-Encoding and with an invalid Content-Length
        // header field, then the message framing is invalid and the recipient MUST treat it as an
        // unrecoverable error, unless …"
        // STRICTER: the exception, a list of equal values, is refused too, in one line or in
        // several.
        // 6. "If a valid Content-Length header field is present without Transfer-Encoding, its
        // decimal value defines the expected message body length in octets."
        (None, Some(value)) => {
            if headers.known_all(FieldName::ContentLength).count() > 1 {
                return Err(Reject::RepeatedContentLength);
            }
            content_length(value)
        }
        // 7. "If this is a request message and none of the above are true, then the message body
        // length is zero".
        (None, None) => Ok(Framing::None),
        // 8 is about responses.
    }
}

fn transfer_encoding(value: &[u8]) -> Result<Framing, Reject> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    // RFC 9112 §7: "All transfer-coding names are case-insensitive".
    if is_chunked(value) {
        return Ok(Framing::Chunked);
    }
    // A list of other codings with chunked at the end is well framed, only not understood.
    // RFC 9112 §6.1: "A server that receives a request message with a transfer coding it does not
    // understand SHOULD respond with 501 (Not Implemented)."
    // STRICTER: empty elements, parameters and a second chunked are no such list, nor is the
    // retired `identity`.
    let mut codings = value.rsplit(|&byte| byte == b',').map(class::trim_ows);
    let ends_chunked = codings.next().is_some_and(is_chunked);
    let others_known = codings.all(|coding| {
        !coding.is_empty()
            && class::token_len(coding) == coding.len()
            && !is_chunked(coding)
            && !coding.eq_ignore_ascii_case(b"identity")
    });
    if ends_chunked && others_known {
        Err(Reject::UnknownTransferCoding)
    } else {
        Err(Reject::InvalidTransferEncoding)
    }
}

fn content_length(value: &[u8]) -> Result<Framing, Reject> {
    // RFC 9110 §8.6: "Any Content-Length field value greater than or equal to zero is valid. … a
    // recipient MUST anticipate potentially large decimal numerals and prevent parsing errors due
    // to integer conversion overflows".
    // STRICTER: nothing above `LENGTH_MAX`, not even leading zeros beyond its digits.
    match number::decimal(value) {
        Some(0) if value.len() <= LENGTH_DIGITS => Ok(Framing::None),
        Some(length) if value.len() <= LENGTH_DIGITS && length <= LENGTH_MAX => {
            Ok(Framing::Length(length))
        }
        _ => Err(Reject::InvalidContentLength),
    }
}
