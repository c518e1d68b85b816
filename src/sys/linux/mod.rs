//! System calls of Linux alone, or faster there: the clock, epoll, `openat2(2)`, `sendfile(2)`,
//! `TCP_INFO`.

pub mod epoll;
mod epoll_sys;
#[cfg(target_env = "gnu")]
pub mod malloc_trim;
#[cfg(target_pointer_width = "64")]
pub mod monotonic;
pub mod openat2;
pub mod sendfile;
pub mod tcp_info;
