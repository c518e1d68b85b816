//! What a program that runs a server needs of its system: signals, addresses, the limit of open files.

pub use crate::sys::addresses::local as local_addresses;
pub use crate::sys::limits::raise_open_files;
pub use crate::sys::signals::{Signal, Signals};
