//! A date is read in each of the three forms of RFC 9110 §5.6.7, and in no other, as the second
//! that counting days gives; and every second from 1970 to 9999 is read again from the date that it
//! is written as.
#![no_main]
#[path = "../../tests/invariants/date.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
