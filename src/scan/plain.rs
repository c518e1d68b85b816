//! The searches byte by byte, with which the fast ones have to agree.

/// HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5).
#[inline(always)]
pub(super) const fn is_field_value(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7E | 0x80..=0xFF)
}

/// VCHAR without `#`, which begins a fragment; RFC 9112 §3.2 has none in any form.
#[inline(always)]
pub(super) const fn is_target(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E) && byte != b'#'
}

#[inline(always)]
pub(super) const fn is_path(byte: u8) -> bool {
    is_target(byte) && byte != b'?'
}

#[inline(always)]
pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'-'
}

#[inline(always)]
pub(super) const fn is_host_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

/// [`field_value_end`](super::field_value_end), byte by byte.
pub fn field_value_end(bytes: &[u8], start: usize) -> usize {
    end(bytes, start, is_field_value)
}

/// [`target_end`](super::target_end), byte by byte.
pub fn target_end(bytes: &[u8], start: usize) -> usize {
    end(bytes, start, is_target)
}

/// [`path_end`](super::path_end), byte by byte.
pub fn path_end(bytes: &[u8], start: usize) -> usize {
    end(bytes, start, is_path)
}

/// [`letters_end`](super::letters_end), byte by byte.
pub fn letters_end(bytes: &[u8], start: usize) -> usize {
    end(bytes, start, is_letter)
}

/// [`host_name_end`](super::host_name_end), byte by byte.
pub fn host_name_end(bytes: &[u8], start: usize) -> usize {
    end(bytes, start, is_host_name)
}

pub(super) fn end(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let from = bytes.get(start..).unwrap_or_default();
    start + from.iter().take_while(|&&byte| belongs(byte)).count()
}
