//! Whatever a program puts into an answer, what goes out is exactly the lines that it asked for
//! behind those that the server writes, each once, and its content, framed in one way; or, when any
//! of it cannot be written, a 500 with nothing of it. Behind an answer stands the next one or
//! nothing.
#![no_main]
#[path = "../../tests/invariants/response.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
