//! Status codes from 100 to 999, and their reason phrases (RFC 9110 §15).

use std::fmt;

/// A status code from 100 to 999.
///
/// The constants are the codes of RFC 9110 §15 that are in use, and those of later documents that a
/// server of files and small programs meets. Any other comes from [`Status::from_code`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// The status with this code. `None` outside 100 to 999: a status line has room for three
    /// digits (RFC 9112 §4).
    pub const fn from_code(code: u16) -> Option<Status> {
        match code {
            100..=999 => Some(Status(code)),
            _ => None,
        }
    }

    /// The number, from 100 to 999.
    #[inline]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// 1xx: an interim response, another one follows (RFC 9110 §15.2).
    pub const fn is_informational(self) -> bool {
        self.0 / 100 == 1
    }

    /// 2xx: the request was received, understood and accepted (RFC 9110 §15.3).
    pub const fn is_successful(self) -> bool {
        self.0 / 100 == 2
    }

    /// Whether a response with this status can have content.
    pub const fn allows_content(self) -> bool {
        // RFC 9110 §6.4.1: "All 1xx (Informational), 204 (No Content), and 304 (Not Modified)
        // responses do not include content."
        !matches!(self.0, 100..=199 | 204 | 304)
    }
}

impl fmt::Display for Status {
    /// `404 Not Found`; the number alone where there is no phrase.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => write!(formatter, "{}", self.0),
            reason => write!(formatter, "{} {reason}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    /// As [`Display`](fmt::Display) writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One row a code; constants, phrases and the list of all come from the same rows.
macro_rules! registered {
    ($($(#[$documentation:meta])* $code:literal $name:ident $reason:literal;)*) => {
        impl Status {
            $($(#[$documentation])* pub const $name: Status = Status($code);)*

            /// Every status that has a constant here, in ascending order.
            pub const ALL: &'static [Status] = &[$(Status::$name),*];

            /// The registered reason phrase, or "" for a code that has no constant here.
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }
    };
}

registered! {
    /// 100 (RFC 9110 §15.2.1): the client may go on and send its content.
    100 CONTINUE "Continue";
    /// 101 (RFC 9110 §15.2.2): the connection goes on in another protocol.
    101 SWITCHING_PROTOCOLS "Switching Protocols";
    /// 103 (RFC 8297 §2): fields that the final response will probably have.
    103 EARLY_HINTS "Early Hints";
    /// 200 (RFC 9110 §15.3.1): the request has succeeded.
    200 OK "OK";
    /// 201 (RFC 9110 §15.3.2): a resource was made.
    201 CREATED "Created";
    /// 202 (RFC 9110 §15.3.3): taken on, not done yet.
    202 ACCEPTED "Accepted";
    /// 203 (RFC 9110 §15.3.4): changed by a proxy on the way.
    203 NON_AUTHORITATIVE_INFORMATION "Non-Authoritative Information";
    /// 204 (RFC 9110 §15.3.5): done, and there is nothing to send.
    204 NO_CONTENT "No Content";
    /// 205 (RFC 9110 §15.3.6): done; the user agent is to reset its document view.
    205 RESET_CONTENT "Reset Content";
    /// 206 (RFC 9110 §15.3.7): the ranges that were asked for.
    206 PARTIAL_CONTENT "Partial Content";
    /// 300 (RFC 9110 §15.4.1): several representations to choose from.
    300 MULTIPLE_CHOICES "Multiple Choices";
    /// 301 (RFC 9110 §15.4.2): the target has a new address for good.
    301 MOVED_PERMANENTLY "Moved Permanently";
    /// 302 (RFC 9110 §15.4.3): the target is elsewhere for now.
    302 FOUND "Found";
    /// 303 (RFC 9110 §15.4.4): the response is to be fetched elsewhere with GET.
    303 SEE_OTHER "See Other";
    /// 304 (RFC 9110 §15.4.5): the client's copy is still valid.
    304 NOT_MODIFIED "Not Modified";
    /// 305 (RFC 9110 §15.4.6): deprecated.
    305 USE_PROXY "Use Proxy";
    /// 307 (RFC 9110 §15.4.8): elsewhere for now, to be asked with the same method.
    307 TEMPORARY_REDIRECT "Temporary Redirect";
    /// 308 (RFC 9110 §15.4.9): a new address for good, to be asked with the same method.
    308 PERMANENT_REDIRECT "Permanent Redirect";
    /// 400 (RFC 9110 §15.5.1): the request is malformed.
    400 BAD_REQUEST "Bad Request";
    /// 401 (RFC 9110 §15.5.2): valid credentials are missing.
    401 UNAUTHORIZED "Unauthorized";
    /// 402 (RFC 9110 §15.5.3): reserved for future use.
    402 PAYMENT_REQUIRED "Payment Required";
    /// 403 (RFC 9110 §15.5.4): understood and refused.
    403 FORBIDDEN "Forbidden";
    /// 404 (RFC 9110 §15.5.5): there is no such resource, or the server does not tell.
    404 NOT_FOUND "Not Found";
    /// 405 (RFC 9110 §15.5.6): a known method that the target does not support.
    405 METHOD_NOT_ALLOWED "Method Not Allowed";
    /// 406 (RFC 9110 §15.5.7): no representation that the client accepts.
    406 NOT_ACCEPTABLE "Not Acceptable";
    /// 407 (RFC 9110 §15.5.8): credentials for a proxy are missing.
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required";
    /// 408 (RFC 9110 §15.5.9): the request did not come in full in time.
    408 REQUEST_TIMEOUT "Request Timeout";
    /// 409 (RFC 9110 §15.5.10): at odds with the target's present state.
    409 CONFLICT "Conflict";
    /// 410 (RFC 9110 §15.5.11): the target was there and will not come back.
    410 GONE "Gone";
    /// 411 (RFC 9110 §15.5.12): refused without a Content-Length.
    411 LENGTH_REQUIRED "Length Required";
    /// 412 (RFC 9110 §15.5.13): a condition in the request's fields is false.
    412 PRECONDITION_FAILED "Precondition Failed";
    /// 413 (RFC 9110 §15.5.14): more content than the server takes.
    413 CONTENT_TOO_LARGE "Content Too Large";
    /// 414 (RFC 9110 §15.5.15): a longer target than the server takes.
    414 URI_TOO_LONG "URI Too Long";
    /// 415 (RFC 9110 §15.5.16): content in a format that the target does not take.
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type";
    /// 416 (RFC 9110 §15.5.17): none of the ranges lies within the representation.
    416 RANGE_NOT_SATISFIABLE "Range Not Satisfiable";
    /// 417 (RFC 9110 §15.5.18): an Expect field that cannot be met.
    417 EXPECTATION_FAILED "Expectation Failed";
    /// 421 (RFC 9110 §15.5.20): this server does not answer for the target's authority.
    421 MISDIRECTED_REQUEST "Misdirected Request";
    /// 422 (RFC 9110 §15.5.21): well-formed content with instructions that cannot be followed.
    422 UNPROCESSABLE_CONTENT "Unprocessable Content";
    /// 425 (RFC 8470 §5.2): might be a replay of early data.
    425 TOO_EARLY "Too Early";
    /// 426 (RFC 9110 §15.5.22): refused in this protocol.
    426 UPGRADE_REQUIRED "Upgrade Required";
    /// 428 (RFC 6585 §3): only taken with a condition.
    428 PRECONDITION_REQUIRED "Precondition Required";
    /// 429 (RFC 6585 §4): the client asks too often.
    429 TOO_MANY_REQUESTS "Too Many Requests";
    /// 431 (RFC 6585 §5): longer or more fields than the server takes.
    431 REQUEST_HEADER_FIELDS_TOO_LARGE "Request Header Fields Too Large";
    /// 451 (RFC 7725 §3): withheld because of a legal demand.
    451 UNAVAILABLE_FOR_LEGAL_REASONS "Unavailable For Legal Reasons";
    /// 500 (RFC 9110 §15.6.1): something unexpected went wrong in the server.
    500 INTERNAL_SERVER_ERROR "Internal Server Error";
    /// 501 (RFC 9110 §15.6.2): a method or coding that the server does not know.
    501 NOT_IMPLEMENTED "Not Implemented";
    /// 502 (RFC 9110 §15.6.3): an invalid response from the upstream server.
    502 BAD_GATEWAY "Bad Gateway";
    /// 503 (RFC 9110 §15.6.4): too busy, or going down.
    503 SERVICE_UNAVAILABLE "Service Unavailable";
    /// 504 (RFC 9110 §15.6.5): no response in time from the upstream server.
    504 GATEWAY_TIMEOUT "Gateway Timeout";
    /// 505 (RFC 9110 §15.6.6): a major version that the server does not speak.
    505 HTTP_VERSION_NOT_SUPPORTED "HTTP Version Not Supported";
    /// 507 (RFC 4918 §11.5): no space to store what the request needs stored.
    507 INSUFFICIENT_STORAGE "Insufficient Storage";
    /// 508 (RFC 5842 §7.2): the request ran in a circle.
    508 LOOP_DETECTED "Loop Detected";
    /// 511 (RFC 6585 §6): the client must log in to the network first.
    511 NETWORK_AUTHENTICATION_REQUIRED "Network Authentication Required";
}
