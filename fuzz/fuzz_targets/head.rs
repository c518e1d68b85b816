//! However a head is split into reads, it has one outcome, which does not depend on bytes
//! outside it.
#![no_main]
#[path = "../../tests/invariants/head.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
