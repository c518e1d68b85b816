//! Handlers without a socket: requests made up with `Request::test`, and what becomes an answer.

mod body;
mod gate;
mod request;
mod response;
#[path = "../support/mod.rs"]
mod support;
mod writer;
