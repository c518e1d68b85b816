//! Every split of a head gives the same verdict, no octets cause a panic, and what is accepted means one thing.
#![no_main]
#[path = "../../tests/invariants/head.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
