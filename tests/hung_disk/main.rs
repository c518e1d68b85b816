//! A disk that hangs, beside one that works: the program serves a folder of a FUSE file system that
//! does not answer, and a plain one. The first costs workers that wait for it, a share of them, and
//! the second nothing.
//!
//! A process cannot always be reaped while it hangs: a thread that waits for an answer to a request
//! that the FUSE daemon has taken, or for that of a close(2), is not ended by any signal ("Either
//! request is already in userspace, or it was forced. Wait it out.", `request_wait_answer` in
//! fs/fuse/dev.c), and wait(2) reports a process when its last thread has ended. So the end of the
//! program is here that of its main thread.

#[cfg(target_os = "linux")]
mod fuse;
#[cfg(target_os = "linux")]
mod rows;
#[path = "../support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "only a part is used here")]
#[path = "../cli/program.rs"]
mod program;

#[cfg(not(target_os = "linux"))]
#[test]
fn a_disk_that_hangs_costs_the_others_nothing() {
    support::skipped(
        "a_disk_that_hangs_costs_the_others_nothing",
        "FUSE is Linux's",
    );
}
