//! A request target is accepted in the form that the grammar gives it with its method and in no
//! other; its parts lie within it and make it up; an authority, and a Host field, is one exactly
//! when the grammar says so.
#![no_main]
#[path = "../../tests/invariants/target.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
