//! Blocks judged by SSE2, which every x86-64 has under an operating system; kernels and firmware
//! are built without it.
//!
//! A judgement sets bit n for each byte n of the block that ends the search.

use super::{BLOCK, end, plain};
use core::arch::x86_64::{
    _mm_adds_epu8, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8,
    _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_sub_epi8,
};

searches!();

/// The same byte sixteen times.
macro_rules! every {
    ($byte:expr) => {
        _mm_set1_epi8($byte as i8)
    };
}

/// The top bits of the bytes that are this one.
macro_rules! equal {
    ($bytes:expr, $byte:expr) => {
        _mm_cmpeq_epi8($bytes, every!($byte))
    };
}

/// The top bits of the bytes below `$from` or above `$to`.
macro_rules! outside {
    ($bytes:expr, $from:expr, $to:expr) => {
        // Bytes below `$from` become large. Above the difference of both, the sum reaches the top
        // bit, and stays there.
        _mm_adds_epu8(
            _mm_sub_epi8($bytes, every!($from)),
            every!(0x7F - ($to - $from)),
        )
    };
}

/// Without those of the second set.
macro_rules! without {
    ($bytes:expr, $taken:expr) => {
        _mm_andnot_si128($taken, $bytes)
    };
}

/// The top bits of all but letters: bit 5 makes them lower case, and no other byte a letter.
macro_rules! no_letters {
    ($bytes:expr) => {
        outside!(_mm_or_si128($bytes, every!(0x20)), b'a', b'z')
    };
}

/// A search: its name, and the bytes that end it, by their top bits.
macro_rules! search {
    ($(#[$documentation:meta])* $name:ident: |$bytes:ident| $ends:expr) => {
        $(#[$documentation])*
        #[inline(always)]
        pub(super) fn $name(block: &[u8; BLOCK]) -> u32 {
            // SAFETY: the load reads the sixteen bytes of `block`, at any alignment. All else works
            // on registers, by instructions of SSE2, which the target has: otherwise this file is
            // no part of the crate.
            let ends = unsafe {
                let $bytes = _mm_loadu_si128(block.as_ptr().cast());
                _mm_movemask_epi8($ends)
            };
            // Sixteen bits, of which none is a sign.
            ends as u32
        }
    };
}

search! {
    /// Controls except HTAB, and DEL.
    not_field_value: |bytes| _mm_or_si128(
        // Unsigned: at most 0x1F is what the lesser of both does not change.
        without!(
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, every!(0x1F)), bytes),
            equal!(bytes, b'\t')
        ),
        equal!(bytes, 0x7F)
    )
}

search! {
    /// All but 0x21 to 0x7E, and `#`.
    not_target: |bytes| _mm_or_si128(outside!(bytes, 0x21, 0x7E), equal!(bytes, b'#'))
}

search! {
    /// Bytes that no target holds, and `?`.
    not_path: |bytes| _mm_or_si128(
        outside!(bytes, 0x21, 0x7E),
        _mm_or_si128(equal!(bytes, b'#'), equal!(bytes, b'?'))
    )
}

search! {
    /// All but letters and `-`.
    not_letters: |bytes| without!(no_letters!(bytes), equal!(bytes, b'-'))
}

search! {
    /// All but letters, digits, `-` and `.`.
    not_host_name: |bytes| _mm_and_si128(
        no_letters!(bytes),
        // From `-` to `9` there is nothing else but `/`.
        _mm_or_si128(outside!(bytes, b'-', b'9'), equal!(bytes, b'/'))
    )
}
