//! The searches octet by octet, with which the fast ones have to agree.
//!
//! In: one octet after the other. Out: speed. Never: a trick.

/// HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5).
#[inline(always)]
pub(super) const fn is_field_value(octet: u8) -> bool {
    matches!(octet, b'\t' | 0x20..=0x7E | 0x80..=0xFF)
}

/// VCHAR without `#`, which begins a fragment; RFC 9112 §3.2 has none in any form.
#[inline(always)]
pub(super) const fn is_target(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7E) && octet != b'#'
}

#[inline(always)]
pub(super) const fn is_path(octet: u8) -> bool {
    is_target(octet) && octet != b'?'
}

#[inline(always)]
pub(super) const fn is_letter(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || octet == b'-'
}

#[inline(always)]
pub(super) const fn is_host_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.')
}

/// [`field_value_end`](super::field_value_end), octet by octet.
pub fn field_value_end(octets: &[u8], start: usize) -> usize {
    end(octets, start, is_field_value)
}

/// [`target_end`](super::target_end), octet by octet.
pub fn target_end(octets: &[u8], start: usize) -> usize {
    end(octets, start, is_target)
}

/// [`path_end`](super::path_end), octet by octet.
pub fn path_end(octets: &[u8], start: usize) -> usize {
    end(octets, start, is_path)
}

/// [`letters_end`](super::letters_end), octet by octet.
pub fn letters_end(octets: &[u8], start: usize) -> usize {
    end(octets, start, is_letter)
}

/// [`host_name_end`](super::host_name_end), octet by octet.
pub fn host_name_end(octets: &[u8], start: usize) -> usize {
    end(octets, start, is_host_name)
}

pub(super) fn end(octets: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let from = octets.get(start..).unwrap_or_default();
    start + from.iter().take_while(|&&octet| belongs(octet)).count()
}
