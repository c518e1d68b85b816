//! Windows: declarations of the system's functions, and safe wrappers of one call each.
//!
//! In: borrowed sockets and handles. Out: `io::Error` and Rust types. Never: a raw handle in a
//! signature outside the declarations.

pub mod addresses;
pub mod entries;
#[cfg(feature = "files")]
pub mod file;
pub mod folder;
pub mod limits;
pub mod poll;
pub mod signals;
pub mod socket;
