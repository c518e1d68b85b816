//! Whatever a client sends, what comes back is whole answers in order, one at most to each request,
//! and every connection ends.
#![no_main]
#[path = "../../tests/invariants/conversation.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|input: &[u8]| invariant::check(input));
