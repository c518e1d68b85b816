//! System calls of Linux alone: epoll, `openat2(2)`, `sendfile(2)`, `TCP_INFO`.

pub mod epoll;
mod epoll_sys;
#[cfg(target_env = "gnu")]
pub mod malloc_trim;
pub mod openat2;
pub mod sendfile;
pub mod tcp_info;
