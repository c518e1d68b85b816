//! Status codes.

use doorstep::Status;

/// Section, constant, code, reason phrase.
type Row = (&'static str, Status, u16, &'static str);

const REGISTERED: &[Row] = &[
    ("RFC 9110 §15.2.1", Status::CONTINUE, 100, "Continue"),
    (
        "RFC 9110 §15.2.2",
        Status::SWITCHING_PROTOCOLS,
        101,
        "Switching Protocols",
    ),
    ("RFC 8297 §2", Status::EARLY_HINTS, 103, "Early Hints"),
    ("RFC 9110 §15.3.1", Status::OK, 200, "OK"),
    ("RFC 9110 §15.3.2", Status::CREATED, 201, "Created"),
    ("RFC 9110 §15.3.3", Status::ACCEPTED, 202, "Accepted"),
    (
        "RFC 9110 §15.3.4",
        Status::NON_AUTHORITATIVE_INFORMATION,
        203,
        "Non-Authoritative Information",
    ),
    ("RFC 9110 §15.3.5", Status::NO_CONTENT, 204, "No Content"),
    (
        "RFC 9110 §15.3.6",
        Status::RESET_CONTENT,
        205,
        "Reset Content",
    ),
    (
        "RFC 9110 §15.3.7",
        Status::PARTIAL_CONTENT,
        206,
        "Partial Content",
    ),
    (
        "RFC 9110 §15.4.1",
        Status::MULTIPLE_CHOICES,
        300,
        "Multiple Choices",
    ),
    (
        "RFC 9110 §15.4.2",
        Status::MOVED_PERMANENTLY,
        301,
        "Moved Permanently",
    ),
    ("RFC 9110 §15.4.3", Status::FOUND, 302, "Found"),
    ("RFC 9110 §15.4.4", Status::SEE_OTHER, 303, "See Other"),
    (
        "RFC 9110 §15.4.5",
        Status::NOT_MODIFIED,
        304,
        "Not Modified",
    ),
    ("RFC 9110 §15.4.6", Status::USE_PROXY, 305, "Use Proxy"),
    (
        "RFC 9110 §15.4.8",
        Status::TEMPORARY_REDIRECT,
        307,
        "Temporary Redirect",
    ),
    (
        "RFC 9110 §15.4.9",
        Status::PERMANENT_REDIRECT,
        308,
        "Permanent Redirect",
    ),
    ("RFC 9110 §15.5.1", Status::BAD_REQUEST, 400, "Bad Request"),
    (
        "RFC 9110 §15.5.2",
        Status::UNAUTHORIZED,
        401,
        "Unauthorized",
    ),
    (
        "RFC 9110 §15.5.3",
        Status::PAYMENT_REQUIRED,
        402,
        "Payment Required",
    ),
    ("RFC 9110 §15.5.4", Status::FORBIDDEN, 403, "Forbidden"),
    ("RFC 9110 §15.5.5", Status::NOT_FOUND, 404, "Not Found"),
    (
        "RFC 9110 §15.5.6",
        Status::METHOD_NOT_ALLOWED,
        405,
        "Method Not Allowed",
    ),
    (
        "RFC 9110 §15.5.7",
        Status::NOT_ACCEPTABLE,
        406,
        "Not Acceptable",
    ),
    (
        "RFC 9110 §15.5.8",
        Status::PROXY_AUTHENTICATION_REQUIRED,
        407,
        "Proxy Authentication Required",
    ),
    (
        "RFC 9110 §15.5.9",
        Status::REQUEST_TIMEOUT,
        408,
        "Request Timeout",
    ),
    ("RFC 9110 §15.5.10", Status::CONFLICT, 409, "Conflict"),
    ("RFC 9110 §15.5.11", Status::GONE, 410, "Gone"),
    (
        "RFC 9110 §15.5.12",
        Status::LENGTH_REQUIRED,
        411,
        "Length Required",
    ),
    (
        "RFC 9110 §15.5.13",
        Status::PRECONDITION_FAILED,
        412,
        "Precondition Failed",
    ),
    (
        "RFC 9110 §15.5.14",
        Status::CONTENT_TOO_LARGE,
        413,
        "Content Too Large",
    ),
    (
        "RFC 9110 §15.5.15",
        Status::URI_TOO_LONG,
        414,
        "URI Too Long",
    ),
    (
        "RFC 9110 §15.5.16",
        Status::UNSUPPORTED_MEDIA_TYPE,
        415,
        "Unsupported Media Type",
    ),
    (
        "RFC 9110 §15.5.17",
        Status::RANGE_NOT_SATISFIABLE,
        416,
        "Range Not Satisfiable",
    ),
    (
        "RFC 9110 §15.5.18",
        Status::EXPECTATION_FAILED,
        417,
        "Expectation Failed",
    ),
    (
        "RFC 9110 §15.5.20",
        Status::MISDIRECTED_REQUEST,
        421,
        "Misdirected Request",
    ),
    (
        "RFC 9110 §15.5.21",
        Status::UNPROCESSABLE_CONTENT,
        422,
        "Unprocessable Content",
    ),
    ("RFC 8470 §5.2", Status::TOO_EARLY, 425, "Too Early"),
    (
        "RFC 9110 §15.5.22",
        Status::UPGRADE_REQUIRED,
        426,
        "Upgrade Required",
    ),
    (
        "RFC 6585 §3",
        Status::PRECONDITION_REQUIRED,
        428,
        "Precondition Required",
    ),
    (
        "RFC 6585 §4",
        Status::TOO_MANY_REQUESTS,
        429,
        "Too Many Requests",
    ),
    (
        "RFC 6585 §5",
        Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
        431,
        "Request Header Fields Too Large",
    ),
    (
        "RFC 7725 §3",
        Status::UNAVAILABLE_FOR_LEGAL_REASONS,
        451,
        "Unavailable For Legal Reasons",
    ),
    (
        "RFC 9110 §15.6.1",
        Status::INTERNAL_SERVER_ERROR,
        500,
        "Internal Server Error",
    ),
    (
        "RFC 9110 §15.6.2",
        Status::NOT_IMPLEMENTED,
        501,
        "Not Implemented",
    ),
    ("RFC 9110 §15.6.3", Status::BAD_GATEWAY, 502, "Bad Gateway"),
    (
        "RFC 9110 §15.6.4",
        Status::SERVICE_UNAVAILABLE,
        503,
        "Service Unavailable",
    ),
    (
        "RFC 9110 §15.6.5",
        Status::GATEWAY_TIMEOUT,
        504,
        "Gateway Timeout",
    ),
    (
        "RFC 9110 §15.6.6",
        Status::HTTP_VERSION_NOT_SUPPORTED,
        505,
        "HTTP Version Not Supported",
    ),
    (
        "RFC 4918 §11.5",
        Status::INSUFFICIENT_STORAGE,
        507,
        "Insufficient Storage",
    ),
    ("RFC 5842 §7.2", Status::LOOP_DETECTED, 508, "Loop Detected"),
    (
        "RFC 6585 §6",
        Status::NETWORK_AUTHENTICATION_REQUIRED,
        511,
        "Network Authentication Required",
    ),
];

// RFC 9110 §15
#[test]
fn each_registered_status_has_its_code_and_phrase() {
    for &(section, status, code, reason) in REGISTERED {
        assert_eq!(status.code(), code, "{section}");
        assert_eq!(status.reason(), reason, "{section}");
        assert_eq!(Status::from_code(code), Some(status), "{section}");
        assert_eq!(
            format!("{status} {status:?}"),
            format!("{code} {reason} {code} {reason}")
        );
    }
}

#[test]
fn the_list_of_all_is_this_table() {
    let table: Vec<Status> = REGISTERED.iter().map(|row| row.1).collect();
    assert_eq!(Status::ALL, table);
    assert!(Status::ALL.is_sorted());
}

// RFC 9112 §4: status-code = 3DIGIT
#[test]
fn codes_have_three_digits() {
    let rows = [
        (0, false),
        (99, false),
        (100, true),
        (999, true),
        (1000, false),
        (u16::MAX, false),
    ];
    for (code, valid) in rows {
        assert_eq!(
            Status::from_code(code).map(Status::code),
            valid.then_some(code),
            "{code}"
        );
    }
}

#[test]
fn an_unregistered_code_has_no_phrase() {
    for code in [299, 306, 418, 599, 999] {
        let status = Status::from_code(code).expect("three digits");
        assert_eq!(status.reason(), "", "{code}");
        assert_eq!(
            status.to_string(),
            code.to_string(),
            "no space after the number"
        );
    }
}

// RFC 9110 §6.4.1, RFC 9110 §15.2, RFC 9110 §15.3
#[test]
fn classes_and_content_go_by_the_code() {
    for code in 100..=999 {
        let status = Status::from_code(code).expect("three digits");
        let informational = (100..=199).contains(&code);
        assert_eq!(status.is_informational(), informational, "{code}");
        assert_eq!(
            status.is_successful(),
            (200..=299).contains(&code),
            "{code}"
        );
        let empty = informational || code == 204 || code == 304;
        assert_eq!(status.allows_content(), !empty, "{code}");
    }
}
