//! The error numbers that this room distinguishes, for each system.
//!
//! `io::ErrorKind` has no stable name for most of them.

/// The process may not do that: a seccomp filter, an immutable file.
pub const EPERM: i32 = 1;
/// No such file.
pub const ENOENT: i32 = 2;
/// The file is a device that does not exist, or a socket.
pub const ENXIO: i32 = 6;
/// No memory.
pub const ENOMEM: i32 = 12;
/// A permission is missing.
pub const EACCES: i32 = 13;
/// The file is a device without a driver.
pub const ENODEV: i32 = 19;
/// A component of the path is not a folder.
pub const ENOTDIR: i32 = 20;
/// The call does not fit the object.
pub const EINVAL: i32 = 22;
/// The system has no descriptor left.
pub const ENFILE: i32 = 23;
/// The process has no descriptor left.
pub const EMFILE: i32 = 24;
/// Too many links; on FreeBSD also: `O_NOFOLLOW` met a symlink.
pub const EMLINK: i32 = 31;

pub use numbers::*;

#[cfg(target_os = "linux")]
mod numbers {
    /// Not now.
    pub const EAGAIN: i32 = 11;
    /// The path leaves the folder that it must stay in (`openat2(2)`).
    pub const EXDEV: i32 = 18;
    /// A name is too long.
    pub const ENAMETOOLONG: i32 = 36;
    /// The kernel has no such call.
    pub const ENOSYS: i32 = 38;
    /// Too many symlinks, or `O_NOFOLLOW` met one.
    pub const ELOOP: i32 = 40;
    /// No buffer space.
    pub const ENOBUFS: i32 = 105;
}

#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
mod numbers {
    /// A name is too long.
    pub const ENAMETOOLONG: i32 = 63;
    /// Too many symlinks, or `O_NOFOLLOW` met one.
    pub const ELOOP: i32 = 62;
    /// No buffer space.
    pub const ENOBUFS: i32 = 55;
}
