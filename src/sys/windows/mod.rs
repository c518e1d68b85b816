//! Windows: declarations of the system's functions, and safe wrappers of one call each. Raw handles
//! appear in signatures of the declarations only.

pub mod addresses;
#[cfg(feature = "files")]
pub mod file_identity;
pub mod folder;
pub mod limits;
pub mod poll;
pub mod read_dir;
pub mod signals;
pub mod socket;
pub mod thread_time;
