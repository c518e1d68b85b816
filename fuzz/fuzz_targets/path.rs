//! A path resolves to clean segments below the root or to a refusal, whatever its octets.
#![no_main]
#[path = "../../tests/invariants/path.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
