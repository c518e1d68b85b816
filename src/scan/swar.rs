//! Blocks judged by words of eight bytes, in registers that every machine has (SWAR).
//!
//! A judgement sets bit n for each byte n of the block that ends the search. No carry runs from one
//! byte into the next: each is judged by itself.

use super::{BLOCK, end, plain};

searches!();

const WORD: usize = size_of::<u64>();

/// Controls except HTAB, and DEL.
#[inline(always)]
pub(super) fn not_field_value(block: &[u8; BLOCK]) -> u32 {
    bits(block, |word| {
        (below(word, 0x20) & !equal(word, b'\t')) | equal(word, 0x7F)
    })
}

/// All but 0x21 to 0x7E, and `#`.
#[inline(always)]
pub(super) fn not_target(block: &[u8; BLOCK]) -> u32 {
    bits(block, outside_target)
}

/// Bytes that no target holds, and `?`.
#[inline(always)]
pub(super) fn not_path(block: &[u8; BLOCK]) -> u32 {
    bits(block, |word| outside_target(word) | equal(word, b'?'))
}

/// All but letters and `-`.
#[inline(always)]
pub(super) fn not_letters(block: &[u8; BLOCK]) -> u32 {
    bits(block, |word| !(letters(word) | equal(word, b'-')))
}

/// All but letters, digits, `-` and `.`.
#[inline(always)]
pub(super) fn not_host_name(block: &[u8; BLOCK]) -> u32 {
    // From `-` to `9` there is nothing else but `/`.
    let others = |word| below(word, b'9' + 1) & !below(word, b'-') & !equal(word, b'/');
    bits(block, |word| !(letters(word) | others(word)))
}

/// One bit for each top bit that `marks` sets in the block's two words.
#[inline(always)]
fn bits(block: &[u8; BLOCK], marks: impl Fn(u64) -> u64) -> u32 {
    let half = |start: usize| {
        let mut word = [0; WORD];
        word.copy_from_slice(&block[start..start + WORD]);
        // The lowest byte is the first. The product brings the top bit of byte n to bit 56 + n, and
        // no two of its terms meet.
        let marked = (marks(u64::from_le_bytes(word)) & TOP_BITS) >> 7;
        (marked.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    };
    half(0) | half(WORD) << WORD
}

#[inline(always)]
const fn outside_target(word: u64) -> u64 {
    below(word, 0x21) | equal(word, b'#') | equal(word, 0x7F) | (word & TOP_BITS)
}

/// Marks bytes below `bound`, which is at most 0x80.
#[inline(always)]
const fn below(word: u64, bound: u8) -> u64 {
    // 0x7F and 0x80 - 1 make 0xFF at most.
    let from_bound = (word & LOW_BITS) + every(0x80 - bound);
    !(from_bound | word) & TOP_BITS
}

/// Marks bytes that are `byte`, which is below 0x80.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ every(byte), 1)
}

#[inline(always)]
const fn letters(word: u64) -> u64 {
    // Bit 5 makes letters lower case, and no other byte a letter.
    let lower = word | every(0x20);
    below(lower, b'z' + 1) & !below(lower, b'a')
}

const TOP_BITS: u64 = every(0x80);
const LOW_BITS: u64 = every(0x7F);

/// A word of eight times the same byte.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}
