//! Searches for the next interesting byte, sixteen bytes at a time.
//!
//! The parser's speed depends on these. They use vector instructions where there are some and words
//! elsewhere; `plain` searches byte by byte, and all of them agree. Nothing reads outside the
//! slice.
#![allow(unsafe_code)]

/// The searches, by the judgements on a block that stand where this is written.
macro_rules! searches {
    () => {
        /// Where the bytes that a field value may hold, from `start` on, end: HTAB, SP, VCHAR,
        /// obs-text (RFC 9110 §5.5). The byte there, if any, is CR, LF, NUL, DEL or another
        /// control.
        #[inline(always)]
        pub fn field_value_end(bytes: &[u8], start: usize) -> usize {
            end(bytes, start, not_field_value, plain::is_field_value)
        }

        /// Where the bytes that a request target may hold, from `start` on, end: 0x21 to 0x7E
        /// without `#`.
        #[inline(always)]
        pub fn target_end(bytes: &[u8], start: usize) -> usize {
            end(bytes, start, not_target, plain::is_target)
        }

        /// The same, or the first `?`.
        #[inline(always)]
        pub fn path_end(bytes: &[u8], start: usize) -> usize {
            end(bytes, start, not_path, plain::is_path)
        }

        /// Where the letters and hyphens from `start` on end; most field names are nothing else.
        #[inline(always)]
        pub fn letters_end(bytes: &[u8], start: usize) -> usize {
            end(bytes, start, not_letters, plain::is_letter)
        }

        /// Where the letters, digits, `-` and `.` from `start` on end, which most hosts consist of.
        #[inline(always)]
        pub fn host_name_end(bytes: &[u8], start: usize) -> usize {
            end(bytes, start, not_host_name, plain::is_host_name)
        }
    };
}

pub mod plain;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod sse2;
pub mod swar;

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub use sse2::{field_value_end, host_name_end, letters_end, path_end, target_end};
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
pub use swar::{field_value_end, host_name_end, letters_end, path_end, target_end};

/// Bytes of a block, which is searched at once.
const BLOCK: usize = 16;

/// The first byte from `start` on that does not belong; the number of bytes when all do, and
/// `start` when that is beyond them. `block` sets bit n for each byte n of a block that does not
/// belong.
#[inline(always)]
fn end(
    bytes: &[u8],
    start: usize,
    block: impl Fn(&[u8; BLOCK]) -> u32,
    belongs: impl Fn(u8) -> bool,
) -> usize {
    let Some(last) = bytes.last_chunk() else {
        return plain::end(bytes, start, belongs);
    };
    let last_start = bytes.len() - BLOCK;
    let mut next = start;
    while next <= last_start {
        // SAFETY: `bytes` has a block at its end, which begins at `last_start`; this one begins
        // there or before.
        let bytes = unsafe { &*bytes.as_ptr().add(next).cast() };
        let ends = block(bytes);
        if ends != 0 {
            return next + ends.trailing_zeros() as usize;
        }
        next += BLOCK;
    }
    // Fewer bytes than a block are left, at the end of the last block; the bytes before them do not
    // count.
    let before = next - last_start;
    if before >= BLOCK {
        return next;
    }
    match block(last) >> before {
        0 => bytes.len(),
        ends => next + ends.trailing_zeros() as usize,
    }
}
