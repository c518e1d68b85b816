//! Pure functions over bytes: character classes, strict numbers, percent-encoding.
#![forbid(unsafe_code)]

pub mod class;
pub mod number;
pub mod percent;
