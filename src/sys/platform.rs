//! The modules of the system that this build is for, under one name.

#[cfg(unix)]
pub(super) use super::unix::*;
#[cfg(windows)]
pub(super) use super::windows::*;
