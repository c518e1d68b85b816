//! The lines of a head are the names and values that a naive split finds, and a request with them
//! is accepted exactly when a naive reading of them all lets it be: one host, one framing, one
//! expectation. Lists, names and options are what the grammar says.
#![no_main]
#[path = "../../tests/invariants/fields.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
