//! The types that a program handles requests with: [`Handler`], [`Request`], [`Response`],
//! [`Body`].
//!
//! A request borrows the bytes that were received. A response owns everything it needs, so that it
//! can be sent after its worker has gone on. Nothing here knows sockets, framing, threads or a
//! clock.
#![forbid(unsafe_code)]

mod body;
pub mod expiry;
pub mod gate;
mod into_response;
mod payload;
mod request;
mod response;
mod test_request;
mod upgraded;
mod writer;

pub use body::{Body, BodyError, BodySource};
pub use into_response::IntoResponse;
pub use payload::Payload;
#[cfg(feature = "files")]
pub(crate) use request::millis;
pub use request::{Now, Request, RequestParts};
pub use response::{Response, ResponseParts, Takeover};
pub use test_request::{TestRequest, TestServer};
pub use upgraded::{Duplex, Speak, Upgraded};
pub use writer::{ContentSink, WriteContent, Writer, run_writer};

use std::sync::Arc;

/// Responds to requests. Handlers run concurrently.
///
/// Closures are handlers:
///
/// ```
/// use doorstep::{Handler, Method, Request};
///
/// let hello = |request: &mut Request<'_>| format!("You asked for {}", request.path());
/// let response = Request::test(Method::Get, "/tea").send(&hello);
/// assert_eq!(response.into_content().unwrap(), b"You asked for /tea");
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Responds to one request.
    ///
    /// An unread body is discarded up to [`Limits::discard_bytes`](crate::Limits::discard_bytes);
    /// beyond that the connection closes after the response. A panic becomes a 500 and closes the
    /// connection.
    fn handle(&self, request: &mut Request<'_>) -> Response;
}

impl<F, R> Handler for F
where
    F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn handle(&self, request: &mut Request<'_>) -> Response {
        self(request).into_response()
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        (**self).handle(request)
    }
}

impl Handler for Box<dyn Handler> {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        (**self).handle(request)
    }
}
