//! The values that a handler may return in place of a [`Response`].

use super::Response;
use super::response::TEXT;
use crate::semantics::Status;
use std::io;
use std::sync::Arc;

const OCTETS: &str = "application/octet-stream";

/// A value that a handler may return.
pub trait IntoResponse {
    /// The response for this value.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// Plain text.
impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::new(Status::OK).media_type(TEXT).body(self)
    }
}

/// Plain text.
impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

/// Bytes, `application/octet-stream`.
impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::new(Status::OK).media_type(OCTETS).body(self)
    }
}

/// Bytes, `application/octet-stream`.
impl IntoResponse for &'static [u8] {
    fn into_response(self) -> Response {
        Response::new(Status::OK).media_type(OCTETS).body(self)
    }
}

/// Bytes, `application/octet-stream`.
impl IntoResponse for Arc<[u8]> {
    fn into_response(self) -> Response {
        Response::new(Status::OK).media_type(OCTETS).body(self)
    }
}

/// A small page that says the status; empty where the status allows no body.
impl IntoResponse for Status {
    fn into_response(self) -> Response {
        if self.allows_content() {
            Response::status_page(self)
        } else {
            Response::new(self)
        }
    }
}

/// The same response with another status.
impl<T: IntoResponse> IntoResponse for (Status, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.status = self.0;
        response
    }
}

/// The response of whichever it is.
impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// 500; the error's text does not reach the client.
impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        Response::status_page(Status::INTERNAL_SERVER_ERROR)
            .with_log_reason("the handler returned an input/output error")
    }
}
