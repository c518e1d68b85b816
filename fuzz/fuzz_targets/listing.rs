//! Whatever the names in a folder, and its own: a page of them has the tags and attributes of its
//! template and no others, a row for each entry, a link in each that decodes to exactly the name,
//! and no character that is obeyed instead of shown. The same listing as JSON is JSON, and says the
//! same. Each is as long as it said.
#![no_main]
#[path = "../../tests/invariants/listing.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
