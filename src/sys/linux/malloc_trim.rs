//! `malloc_trim(3)` of glibc.

use std::ffi::c_int;

unsafe extern "C" {
    fn malloc_trim(pad: usize) -> c_int;
}

/// Gives freed pages back to the system. free(3) does so only at the end of an arena, and one small
/// block that is in use there keeps all the others.
pub fn trim() {
    // SAFETY: it takes a number, and the man page says: "Attributes: Thread safety MT-Safe".
    unsafe { malloc_trim(0) };
}
