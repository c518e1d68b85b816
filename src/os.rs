//! What a program that runs a server needs of its system: signals, addresses, the limit of open files, whose rights
//! it has.

pub use crate::sys::addresses::local as local_addresses;
pub use crate::sys::limits::{is_root, raise_open_files};
pub use crate::sys::signals::{Signal, Signals};
