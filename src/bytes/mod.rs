//! Bytes: character classes, strict numbers, percent-decoding.
//!
//! In: pure functions over byte slices. Out: meaning. Never: IO, clocks, lenience.
#![forbid(unsafe_code)]

pub mod class;
pub mod number;
pub mod percent;
