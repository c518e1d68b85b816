//! The next interesting octet, found eight octets at a time.
//!
//! In: searches over a byte slice whose answers the parser's speed depends on, each with a plain twin that it must agree with.
//! Out: what the octets mean. Never: a decision, an allocation.
#![forbid(unsafe_code)]

mod swar;

pub use swar::{field_value_len, field_value_len_plain, letters_len, target_len, target_len_plain};
