//! A path that is resolved names something below the root, and the same path always resolves alike.
#![no_main]
#[path = "../../tests/invariants/path.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
