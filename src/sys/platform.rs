//! The system that this build is for, by one name.

#[cfg(unix)]
pub(super) use super::unix::*;
#[cfg(windows)]
pub(super) use super::windows::*;
