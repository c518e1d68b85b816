//! Whatever its pieces, a chunked body has one outcome, the one that a naive reading of its grammar
//! finds: the same content and the same end, behind which nothing is used. What was encoded is
//! decoded. Framing costs no more than its bounds.
#![no_main]
#[path = "../../tests/invariants/chunked.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
