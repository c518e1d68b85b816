//! Declarations of the libc functions and constants that this room uses.
//!
//! std links libc on every Unix, so declaring its functions is enough. The numbers are those of
//! each system's headers; a system whose numbers are missing does not compile.
#![allow(missing_docs)]

use std::ffi::{c_char, c_int, c_void};

#[cfg(not(any(target_os = "linux", target_vendor = "apple", target_os = "freebsd")))]
compile_error!(
    "doorstep knows Linux, macOS, FreeBSD and Windows; this system's constants are missing"
);

#[cfg(all(
    target_os = "linux",
    not(any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "loongarch64",
        target_arch = "s390x",
        target_arch = "powerpc64"
    ))
))]
compile_error!("the open(2) flags and error numbers of Linux on this architecture are missing");

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PollDescriptor {
    pub fd: c_int,
    pub events: i16,
    pub revents: i16,
}

/// `struct sockaddr_storage`: as large and as aligned as any socket address.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct SocketAddress {
    pub bytes: [u8; 128],
}

/// The head of `struct ifaddrs`, which is the same on all three systems; only ever seen by pointer.
#[repr(C)]
pub struct InterfaceAddress {
    pub next: *mut InterfaceAddress,
    pub name: *mut c_char,
    pub flags: u32,
    pub address: *mut c_void,
}

/// `struct rlimit` with 64-bit numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ResourceLimit {
    pub soft: u64,
    pub hard: u64,
}

/// `struct timespec`, whose fraction is in nanoseconds, and `struct timeval`, in microseconds.
#[cfg(not(target_vendor = "apple"))]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    pub seconds: std::ffi::c_long,
    pub fraction: std::ffi::c_long,
}

/// `struct rusage`: user and system time, and fourteen counts, of which the thirteenth is
/// `ru_nvcsw`. musl has 16 more.
#[cfg(not(target_vendor = "apple"))]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceUsage {
    pub times: [Time; 2],
    pub counts: [std::ffi::c_long; 30],
}

#[cfg(target_os = "linux")]
type Length = usize;
#[cfg(target_os = "linux")]
type ControlLength = usize;
#[cfg(target_os = "freebsd")]
type Length = c_int;
#[cfg(target_os = "freebsd")]
type ControlLength = u32;

/// `struct msghdr`. The kernel of Linux takes both lengths as `size_t`, whatever libc declares.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
#[repr(C)]
pub struct Message {
    pub name: *mut c_void,
    pub name_length: u32,
    pub pieces: *mut c_void,
    pub pieces_length: Length,
    pub control: *mut c_void,
    pub control_length: ControlLength,
    pub flags: c_int,
}

#[cfg(target_os = "linux")]
pub type PollCount = std::ffi::c_ulong;
#[cfg(not(target_os = "linux"))]
pub type PollCount = std::ffi::c_uint;

/// `sigset_t`, with room for the largest of them: 1,024 bits in glibc and musl.
#[derive(Default)]
#[repr(C)]
pub struct SignalSet([u64; 16]);

unsafe extern "C" {
    pub fn poll(entries: *mut PollDescriptor, count: PollCount, timeout_ms: c_int) -> c_int;
    pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    pub fn bind(fd: c_int, address: *const c_void, length: u32) -> c_int;
    pub fn listen(fd: c_int, backlog: c_int) -> c_int;
    pub fn setsockopt(
        fd: c_int,
        level: c_int,
        name: c_int,
        value: *const c_void,
        length: u32,
    ) -> c_int;
    #[cfg(target_os = "linux")]
    pub fn getsockopt(
        fd: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        length: *mut u32,
    ) -> c_int;
    pub fn openat(folder: c_int, path: *const c_char, flags: c_int, ...) -> c_int;
    pub fn readlinkat(folder: c_int, path: *const c_char, to: *mut c_char, size: usize) -> isize;
    #[cfg_attr(
        all(target_vendor = "apple", target_arch = "x86_64"),
        link_name = "fdopendir$INODE64"
    )]
    pub fn fdopendir(fd: c_int) -> *mut c_void;
    // glibc's plain `readdir` has 32-bit inodes on 32-bit systems, and fails where one does not
    // fit; musl's never has. macOS on x86-64 kept the old name for the old entry. FreeBSD's plain
    // name is the newest version of it.
    #[cfg_attr(all(target_os = "linux", target_env = "gnu"), link_name = "readdir64")]
    #[cfg_attr(
        all(target_vendor = "apple", target_arch = "x86_64"),
        link_name = "readdir$INODE64"
    )]
    pub fn readdir(stream: *mut c_void) -> *const u8;
    pub fn closedir(stream: *mut c_void) -> c_int;
    pub fn write(fd: c_int, bytes: *const c_void, length: usize) -> isize;
    pub fn signal(number: c_int, handler: usize) -> usize;
    pub fn sigemptyset(set: *mut SignalSet) -> c_int;
    pub fn sigaddset(set: *mut SignalSet, number: c_int) -> c_int;
    pub fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    pub fn getifaddrs(list: *mut *mut InterfaceAddress) -> c_int;
    pub fn freeifaddrs(list: *mut InterfaceAddress);
    pub fn geteuid() -> u32;
    // A `pthread_t` is a number or a pointer of that size.
    pub fn pthread_self() -> usize;
    #[cfg(not(target_vendor = "apple"))]
    pub fn pthread_getcpuclockid(thread: usize, clock: *mut c_int) -> c_int;
    #[cfg(not(target_vendor = "apple"))]
    pub fn clock_gettime(clock: c_int, time: *mut Time) -> c_int;
    #[cfg(all(not(target_vendor = "apple"), target_pointer_width = "64"))]
    pub fn getrusage(whose: c_int, usage: *mut ResourceUsage) -> c_int;
    #[cfg(target_vendor = "apple")]
    pub fn pthread_mach_thread_np(thread: usize) -> u32;
    #[cfg(target_vendor = "apple")]
    pub fn thread_info(thread: u32, kind: u32, info: *mut i32, length: *mut u32) -> c_int;
    #[cfg_attr(
        all(target_os = "linux", target_env = "gnu"),
        link_name = "getrlimit64"
    )]
    pub fn getrlimit(resource: c_int, limit: *mut ResourceLimit) -> c_int;
    #[cfg_attr(
        all(target_os = "linux", target_env = "gnu"),
        link_name = "setrlimit64"
    )]
    pub fn setrlimit(resource: c_int, limit: *const ResourceLimit) -> c_int;
    #[cfg_attr(target_os = "linux", link_name = "__errno_location")]
    #[cfg_attr(not(target_os = "linux"), link_name = "__error")]
    pub fn errno_location() -> *mut c_int;
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    pub fn sendmsg(fd: c_int, message: *const Message, flags: c_int) -> isize;
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    pub fn accept4(fd: c_int, address: *mut c_void, length: *mut u32, flags: c_int) -> c_int;
    #[cfg(target_vendor = "apple")]
    pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    #[cfg(target_vendor = "apple")]
    pub fn sysctlbyname(
        name: *const c_char,
        old: *mut c_void,
        old_length: *mut usize,
        new: *mut c_void,
        new_length: usize,
    ) -> c_int;
}

pub const POLLIN: i16 = 0x1;
pub const POLLOUT: i16 = 0x4;
pub const POLLERR: i16 = 0x08;
pub const POLLHUP: i16 = 0x10;
pub const POLLNVAL: i16 = 0x20;

pub const AF_INET: u8 = 2;
pub const SOCK_STREAM: c_int = 1;
pub const IPPROTO_TCP: c_int = 6;
pub const IPPROTO_IPV6: c_int = 41;
pub const TCP_NODELAY: c_int = 1;
pub const SIGHUP: c_int = 1;
pub const SIGINT: c_int = 2;
pub const SIGTERM: c_int = 15;
/// The handler that ignores a signal.
pub const SIG_IGN: usize = 1;
/// The result of `signal(3)` after a failure.
pub const SIG_ERR: usize = usize::MAX;
pub const IFF_UP: u32 = 0x1;
pub const O_RDONLY: c_int = 0;

// `ENTRY_KIND` and `ENTRY_NAME`: where in a `struct dirent` with 64-bit inodes `d_type` and
// `d_name` stand.
pub use system::*;

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::c_int;

    pub const ENTRY_KIND: usize = 18;
    pub const ENTRY_NAME: usize = 19;
    pub const AF_INET6: u8 = 10;
    pub const SOCK_CLOEXEC: c_int = 0o2_000_000;
    pub const SOCK_NONBLOCK: c_int = 0o4_000;
    pub const SIG_UNBLOCK: c_int = 1;
    pub const SOL_SOCKET: c_int = 1;
    pub const SO_REUSEADDR: c_int = 2;
    pub const IPV6_V6ONLY: c_int = 26;
    pub const MSG_NOSIGNAL: c_int = 0x4000;
    pub const TCP_NOTSENT_LOWAT: c_int = 25;
    pub const RLIMIT_NOFILE: c_int = 7;
    pub const O_NOCTTY: c_int = 0o400;
    pub const O_NONBLOCK: c_int = 0o4_000;
    pub const O_CLOEXEC: c_int = 0o2_000_000;

    // These three differ by architecture: arm and powerpc have numbers of their own.
    const ARM_OR_POWER: bool = cfg!(any(
        target_arch = "arm",
        target_arch = "aarch64",
        target_arch = "powerpc64"
    ));
    pub const O_DIRECTORY: c_int = if ARM_OR_POWER { 0o40_000 } else { 0o200_000 };
    pub const O_NOFOLLOW: c_int = if ARM_OR_POWER { 0o100_000 } else { 0o400_000 };
    // Where a file offset has 32 bits by default, a file over 2 GiB opens only with this.
    #[cfg(target_arch = "arm")]
    pub const O_LARGEFILE: c_int = 0o400_000;
    #[cfg(target_arch = "x86")]
    pub const O_LARGEFILE: c_int = 0o100_000;
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    pub const O_LARGEFILE: c_int = 0;

    /// Opens a folder only to look names up in it: needs search permission alone, as the kernel's
    /// own path walk does.
    pub const O_SEARCH: c_int = 0o10_000_000; // O_PATH
}

#[cfg(target_os = "freebsd")]
mod system {
    use std::ffi::c_int;

    pub const ENTRY_KIND: usize = 18;
    pub const ENTRY_NAME: usize = 24;
    pub const AF_INET6: u8 = 28;
    pub const SOCK_CLOEXEC: c_int = 0x1000_0000;
    pub const SOCK_NONBLOCK: c_int = 0x2000_0000;
    pub const SIG_UNBLOCK: c_int = 2;
    pub const SOL_SOCKET: c_int = 0xffff;
    pub const SO_REUSEADDR: c_int = 4;
    pub const IPV6_V6ONLY: c_int = 27;
    pub const MSG_NOSIGNAL: c_int = 0x2_0000;
    pub const RLIMIT_NOFILE: c_int = 8;
    pub const O_NONBLOCK: c_int = 0x4;
    pub const O_NOFOLLOW: c_int = 0x100;
    pub const O_NOCTTY: c_int = 0x8000;
    pub const O_DIRECTORY: c_int = 0x2_0000;
    pub const O_CLOEXEC: c_int = 0x10_0000;
    pub const O_LARGEFILE: c_int = 0;
    /// Opens a folder with search permission alone.
    pub const O_SEARCH: c_int = 0x4_0000;
}

#[cfg(target_vendor = "apple")]
mod system {
    use std::ffi::c_int;

    pub const ENTRY_KIND: usize = 20;
    pub const ENTRY_NAME: usize = 21;
    pub const AF_INET6: u8 = 30;
    pub const SIG_UNBLOCK: c_int = 2;
    pub const SOL_SOCKET: c_int = 0xffff;
    pub const SO_REUSEADDR: c_int = 4;
    pub const SO_NOSIGPIPE: c_int = 0x1022;
    pub const IPV6_V6ONLY: c_int = 27;
    pub const RLIMIT_NOFILE: c_int = 8;
    pub const F_SETFD: c_int = 2;
    pub const FD_CLOEXEC: c_int = 1;
    pub const O_NONBLOCK: c_int = 0x4;
    pub const O_NOFOLLOW: c_int = 0x100;
    pub const O_NOCTTY: c_int = 0x2_0000;
    pub const O_DIRECTORY: c_int = 0x10_0000;
    pub const O_CLOEXEC: c_int = 0x100_0000;
    pub const O_LARGEFILE: c_int = 0;
    /// Older systems have no flag for search permission alone: a folder must be readable there.
    pub const O_SEARCH: c_int = 0;
}
