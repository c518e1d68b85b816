//! The searches, eight octets at a time in one register (SWAR).
//!
//! In: octets. Out: the length of a prefix. Never: a carry from one octet of a word into the next, which would make an
//! octet look bad because of the one before it.

/// The length of the longest prefix made of octets that a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5).
/// The octet after it, if any, is CR, LF, NUL, DEL or another control.
#[inline]
pub fn field_value_len(octets: &[u8]) -> usize {
    prefix_len(octets, not_in_field_value, field_value_len_plain)
}

/// The length of the longest prefix made of octets that a request target may hold: 0x21 to 0x7E.
#[inline]
pub fn target_len(octets: &[u8]) -> usize {
    prefix_len(octets, not_in_target, target_len_plain)
}

/// [`field_value_len`], octet by octet.
pub fn field_value_len_plain(octets: &[u8]) -> usize {
    let ends = |octet: &u8| !matches!(octet, b'\t' | 0x20..=0x7E | 0x80..=0xFF);
    octets.iter().position(ends).unwrap_or(octets.len())
}

/// [`target_len`], octet by octet.
pub fn target_len_plain(octets: &[u8]) -> usize {
    let ends = |octet: &u8| !matches!(octet, 0x21..=0x7E);
    octets.iter().position(ends).unwrap_or(octets.len())
}

/// Whole words by `marks`, which sets the top bit of every octet that ends the prefix and no other bit; fewer than eight
/// octets at the end by `plain`.
#[inline(always)]
fn prefix_len(octets: &[u8], marks: impl Fn(u64) -> u64, plain: impl Fn(&[u8]) -> usize) -> usize {
    let mut rest = octets;
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        // Little-endian on every machine: the first octet is the lowest, so the lowest mark is the first.
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return octets.len() - rest.len() + marked.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    octets.len() - rest.len() + plain(rest)
}

/// Marks controls but HTAB, and DEL.
#[inline(always)]
fn not_in_field_value(word: u64) -> u64 {
    let low = word & LOW_BITS;
    // 0x20 + 0x60 is 0x80: without its top bit, an octet sets it in this sum from 0x20 on. The greatest sum is 0xDF.
    let from_space = low + every(0x60);
    let delete = low + every(0x01);
    // Zero where the octet is HTAB; 0x7F more sets the top bit of everything else.
    let not_tab = ((word ^ every(b'\t')) & LOW_BITS) + LOW_BITS;
    // An octet with its top bit set is obs-text, whatever the sums say.
    ((!from_space & not_tab) | delete) & !word & TOP_BITS
}

/// Marks controls, SP, DEL and everything from 0x80 on.
#[inline(always)]
fn not_in_target(word: u64) -> u64 {
    let low = word & LOW_BITS;
    // 0x21 + 0x5F is 0x80. The greatest sum is 0xDE.
    let from_exclamation_mark = low + every(0x5F);
    let delete = low + every(0x01);
    (!from_exclamation_mark | delete | word) & TOP_BITS
}

/// Octets of a word.
const WORD: usize = size_of::<u64>();
const TOP_BITS: u64 = every(0x80);
const LOW_BITS: u64 = every(0x7F);

/// A word of eight times the same octet.
const fn every(octet: u8) -> u64 {
    u64::from_le_bytes([octet; WORD])
}
