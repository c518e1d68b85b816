//! The sans-IO core as its users have it: `doorstep::h1` and `doorstep::conn` alone, and the example that serves any stream.
//!
//! In: the public API. Out: single heads and chunks (tests/rfc), the engine's way through a connection (tests/conn). Never:
//! `doorstep::internals`, a socket, a real clock.

mod any_stream;
mod events;
mod field_lines;
mod heads;
mod misuse;
