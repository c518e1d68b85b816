//! Both ways of opening below a root give one answer, and never a file outside of it.
#![no_main]
#[path = "../../tests/invariants/beneath.rs"]
mod invariant;
#[path = "../../tests/support/mod.rs"]
mod support;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
