//! Windows: declarations of the system's functions, and safe wrappers of one call each.
//!
//! In: borrowed sockets and handles. Out: `io::Error` and Rust types. Never: a raw handle in a
//! signature outside the declarations.

pub mod addresses;
#[cfg(feature = "files")]
pub mod file_identity;
pub mod folder;
pub mod limits;
pub mod poll;
pub mod read_dir;
pub mod signals;
pub mod socket;
