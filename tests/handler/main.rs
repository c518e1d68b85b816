//! Handlers without a socket: requests made up with `Request::test`, and what becomes an answer.

mod body;
mod request;
mod response;
mod writer;
