//! Parts of the operating system for programs that run a server: signals, the machine's addresses,
//! the limit of open files, and whether the process has root's rights.

pub use crate::sys::addresses::local as local_addresses;
pub use crate::sys::limits::{is_root, raise_open_files};
pub use crate::sys::signals::{Signal, Signals};
