//! The searches, eight octets at a time in one register (SWAR), and 32 at a time where a run is long.
//!
//! In: octets. Out: the length of a prefix. Never: a mark before the first octet that ends the prefix. Marks behind it may
//! be wrong, as a subtraction borrows from the next octet, and nobody looks at them.

/// The length of the longest prefix made of octets that a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5).
/// The octet after it, if any, is CR, LF, NUL, DEL or another control.
#[inline]
pub fn field_value_len(octets: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let rest = octets.get(len..).unwrap_or_default();
        len += prefix_len(rest, not_printed, is_printed);
        // The one control that a value may hold is rare: it is stepped over here, which spares a comparison in each word.
        match octets.get(len) {
            Some(b'\t') => len += 1,
            _ => return len,
        }
    }
}

/// The length of the longest prefix made of octets that a request target may hold: 0x21 to 0x7E.
#[inline]
pub fn target_len(octets: &[u8]) -> usize {
    prefix_len(octets, not_in_target, is_in_target)
}

/// The length of the longest prefix made of letters and hyphens, at most; most field names are nothing else. What it stops
/// at may be a letter when fewer than eight octets are left, so whoever calls it goes on from there.
#[inline]
pub fn letters_len(octets: &[u8]) -> usize {
    let mut rest = octets;
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        let marked = not_letters(u64::from_le_bytes(*word));
        if marked != 0 {
            return octets.len() - rest.len() + first(marked);
        }
        rest = behind;
    }
    octets.len() - rest.len()
}

/// [`field_value_len`], octet by octet.
pub fn field_value_len_plain(octets: &[u8]) -> usize {
    let ends = |octet: &u8| !matches!(octet, b'\t' | 0x20..=0x7E | 0x80..=0xFF);
    octets.iter().position(ends).unwrap_or(octets.len())
}

/// [`target_len`], octet by octet.
pub fn target_len_plain(octets: &[u8]) -> usize {
    let ends = |octet: &u8| !is_in_target(*octet);
    octets.iter().position(ends).unwrap_or(octets.len())
}

/// Whole words by `marks`, which sets the top bit of the first octet that ends the prefix and of none before it; longer runs by
/// blocks, and fewer than eight octets at the end octet by octet, by `belongs`.
#[inline(always)]
fn prefix_len(octets: &[u8], marks: impl Fn(u64) -> u64, belongs: impl Fn(u8) -> bool) -> usize {
    let mut rest = octets;
    let mut words = 0;
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        // Little-endian on every machine: the first octet is the lowest, so the lowest mark is the first.
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return octets.len() - rest.len() + first(marked);
        }
        rest = behind;
        words += 1;
        // Once, after a block's worth of words: most runs have ended by then, and trying again would cost each of them.
        if words == BLOCK / WORD {
            rest = behind_blocks(rest, &belongs);
        }
    }
    let tail = rest.iter().position(|&octet| !belongs(octet));
    octets.len() - rest.len() + tail.unwrap_or(rest.len())
}

/// Without the blocks at the start all of whose octets belong. No early end within a block, so that the compiler may judge
/// many octets with one instruction.
#[inline(always)]
fn behind_blocks(mut rest: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    while let Some((block, behind)) = rest.split_first_chunk::<BLOCK>() {
        if !block.iter().fold(true, |all, &octet| all & belongs(octet)) {
            break;
        }
        rest = behind;
    }
    rest
}

/// SP, VCHAR and obs-text.
#[inline(always)]
fn is_printed(octet: u8) -> bool {
    octet >= 0x20 && octet != 0x7F
}

#[inline(always)]
fn is_in_target(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7E)
}

/// Marks controls, HTAB among them, and DEL.
#[inline(always)]
fn not_printed(word: u64) -> u64 {
    // Below zero, which sets the top bit, is what is below 0x20, and in the second line what was DEL. An octet whose top
    // bit was set before is obs-text.
    let below_space = word.wrapping_sub(every(0x20));
    let delete = (word ^ every(0x7F)).wrapping_sub(every(0x01));
    (below_space | delete) & !word & TOP_BITS
}

/// Marks controls, SP, DEL and everything from 0x80 on.
#[inline(always)]
fn not_in_target(word: u64) -> u64 {
    let below_exclamation_mark = word.wrapping_sub(every(0x21));
    let delete = (word ^ every(0x7F)).wrapping_sub(every(0x01));
    (below_exclamation_mark | delete | word) & TOP_BITS
}

/// Marks all but letters and hyphens, each octet for itself: the sums stay below 0x100, so nothing is carried.
#[inline(always)]
fn not_letters(word: u64) -> u64 {
    // Bit 5 makes letters lower case, and no other octet a letter; the top bit is judged at the end.
    let lower = (word | every(0x20)) & LOW_BITS;
    // 0x61 + 0x1F is 0x80, and so is 0x7B + 0x05.
    let from_a = lower + every(0x1F);
    let behind_z = lower + every(0x05);
    let not_hyphen = ((word ^ every(b'-')) & LOW_BITS) + LOW_BITS;
    ((!from_a | behind_z) & not_hyphen | word) & TOP_BITS
}

/// The place of the first octet with a mark.
#[inline(always)]
fn first(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

/// Octets of a word.
const WORD: usize = size_of::<u64>();
/// Octets of a block: two or one of the registers that compilers use for many octets at once.
const BLOCK: usize = 32;
const TOP_BITS: u64 = every(0x80);
const LOW_BITS: u64 = every(0x7F);

/// A word of eight times the same octet.
const fn every(octet: u8) -> u64 {
    u64::from_le_bytes([octet; WORD])
}
