//! A path that is resolved names something below the root, and it is resolved as a naive reading of
//! it is.
#![no_main]
#[path = "../../tests/invariants/path.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
