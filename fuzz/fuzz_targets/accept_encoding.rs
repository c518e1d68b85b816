//! What a client accepts is each of our codings that it names, or means by `*`, with a quality
//! above 0, and the representation as it is unless it refuses that; the greater quality first, then
//! as the server prefers. A member that the grammar does not have changes nothing, and how the
//! members are spread over lines means nothing.
#![no_main]
#[path = "../../tests/invariants/accept_encoding.rs"]
mod invariant;
libfuzzer_sys::fuzz_target!(|octets: &[u8]| invariant::check(octets));
