//! Whatever a Range field asks for, what is sent is the ranges of a naive reading that are there,
//! those that overlap or nearly touch as one, each where the first of them stands in the field, and
//! no byte twice; what is not valid, or asks for too much, is ignored.
#![no_main]
#[path = "../../tests/invariants/range.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
