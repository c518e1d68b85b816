//! Every reason to refuse a message: its status, its section, its sentence.
//!
//! The enum, [`Reject::ALL`] and the three accessors are made from one row per reason, so that none
//! can be forgotten. The decision itself stands where the bytes are read. No text of the peer gets
//! in here.

use crate::semantics::Status;
use std::fmt;

macro_rules! rejects {
    ($($variant:ident $status:ident $section:literal $sentence:literal;)+) => {
        /// Why a message was refused. After any of these no further byte of the connection is
        /// parsed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reject {
            $(
                #[doc = concat!($sentence, " (", $section, "): ")]
                #[doc = concat!("[`", stringify!($status), "`](Status::", stringify!($status), ").")]
                $variant,
            )+
        }

        impl Reject {
            /// Every variant, for tests and tables.
            pub const ALL: &'static [Reject] = &[$(Reject::$variant,)+];

            /// The status that the client gets.
            pub const fn status(self) -> Status {
                match self {
                    $(Reject::$variant => Status::$status,)+
                }
            }

            /// The section that decides, such as `RFC 9112 §5.1`.
            pub const fn section(self) -> &'static str {
                match self {
                    $(Reject::$variant => $section,)+
                }
            }

            /// One sentence for a person, without a period: "white space before the colon of a
            /// field line".
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Reject::$variant => $sentence,)+
                }
            }
        }
    };
}

// One row per reason: variant, status, section, sentence.
rejects! {
    // Another protocol on this port.
    TlsHello BAD_REQUEST "RFC 9112 §2.2" "a TLS handshake on a plain HTTP port";
    Http2Preface HTTP_VERSION_NOT_SUPPORTED "RFC 9110 §15.6.6" "HTTP/2 on a plain HTTP/1.1 port";

    // Lines.
    BareLineFeed BAD_REQUEST "RFC 9112 §2.2" "a line feed without a carriage return before it";
    BareCarriageReturn BAD_REQUEST "RFC 9112 §2.2" "a carriage return without a line feed after it";
    EmptyRequestLine BAD_REQUEST "RFC 9112 §2.2" "more than one empty line before the request line";
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "RFC 6585 §5" "a head larger than the limit";

    // The request line.
    RequestLineForm BAD_REQUEST "RFC 9112 §3" "a request line that is not method, target and version with one space between them";
    RequestLineTooLong URI_TOO_LONG "RFC 9112 §3" "a request line longer than the limit of a head";
    InvalidMethod BAD_REQUEST "RFC 9110 §9.1" "a method that is no token";
    MethodTooLong NOT_IMPLEMENTED "RFC 9112 §3" "a method longer than any that is known";
    InvalidTarget BAD_REQUEST "RFC 9112 §3.2" "a request target in none of the forms that its method may have";
    TargetTooLong URI_TOO_LONG "RFC 9110 §15.5.15" "a request target longer than the limit";
    InvalidVersion BAD_REQUEST "RFC 9112 §2.3" "a version that is not HTTP/ and two digits with a dot between them";
    UnsupportedVersion HTTP_VERSION_NOT_SUPPORTED "RFC 9110 §15.6.6" "a major version other than HTTP/1";

    // Field lines.
    SpaceBeforeFirstField BAD_REQUEST "RFC 9112 §2.2" "white space before the first field line";
    ObsoleteFold BAD_REQUEST "RFC 9112 §5.2" "a field value folded over more than one line";
    SpaceBeforeColon BAD_REQUEST "RFC 9112 §5.1" "white space before the colon of a field line";
    MissingColon BAD_REQUEST "RFC 9112 §5" "a field line without a colon";
    EmptyFieldName BAD_REQUEST "RFC 9112 §5" "a field line without a name";
    InvalidFieldName BAD_REQUEST "RFC 9110 §5.1" "a field name that is no token";
    InvalidFieldValue BAD_REQUEST "RFC 9110 §5.5" "a control character in a field value";
    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE "RFC 6585 §5" "more field lines than the limit";

    // Host.
    MissingHost BAD_REQUEST "RFC 9112 §3.2" "an HTTP/1.1 request without a Host field";
    RepeatedHost BAD_REQUEST "RFC 9112 §3.2" "more than one Host field";
    InvalidHost BAD_REQUEST "RFC 9110 §7.2" "a Host field that is no host with an optional port";

    // Framing.
    TransferEncodingInHttp10 BAD_REQUEST "RFC 9112 §6.1" "a Transfer-Encoding field in an HTTP/1.0 request";
    TransferEncodingWithContentLength BAD_REQUEST "RFC 9112 §6.3" "both Transfer-Encoding and Content-Length";
    RepeatedTransferEncoding BAD_REQUEST "RFC 9112 §6.3" "more than one Transfer-Encoding field";
    InvalidTransferEncoding BAD_REQUEST "RFC 9112 §6.3" "a Transfer-Encoding that does not end with chunked";
    UnknownTransferCoding NOT_IMPLEMENTED "RFC 9112 §6.1" "a transfer coding other than chunked";
    RepeatedContentLength BAD_REQUEST "RFC 9112 §6.3" "more than one Content-Length field";
    InvalidContentLength BAD_REQUEST "RFC 9110 §8.6" "a Content-Length that is no decimal number in range";

    // Expect.
    UnknownExpectation EXPECTATION_FAILED "RFC 9110 §10.1.1" "an expectation other than 100-continue";

    // The chunked coding.
    InvalidChunkSize BAD_REQUEST "RFC 9112 §7.1" "a chunk size that is no hexadecimal number in range";
    InvalidChunkExtension BAD_REQUEST "RFC 9112 §7.1.1" "a control character in a chunk extension";
    ChunkLineTooLong BAD_REQUEST "RFC 9112 §7.1.1" "a chunk's size line longer than the limit";
    ChunkOverhead BAD_REQUEST "RFC 9112 §7.1.1" "a chunked body that is mostly framing";
    InvalidChunkEnd BAD_REQUEST "RFC 9112 §7.1" "chunk data that is not followed by CRLF";
    TrailerTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "RFC 9112 §7.1.2" "a trailer section larger than the limit";

    // Found by the owner of the bytes, never by a parser.
    HeadTimeout REQUEST_TIMEOUT "RFC 9110 §15.5.9" "a head that was not complete in time";
    ContentTimeout REQUEST_TIMEOUT "RFC 9110 §15.5.9" "content that did not come in time";
    TruncatedContent BAD_REQUEST "RFC 9112 §8" "a connection closed within the content of its request";
}

impl fmt::Display for Reject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl std::error::Error for Reject {}
