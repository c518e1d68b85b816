//! However a PROXY header is split into reads, it has one outcome, the one of a naive reading, and
//! nothing behind it matters.
#![no_main]
#[path = "../../tests/invariants/proxy.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
