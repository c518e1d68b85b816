//! Strict numbers: digits and nothing else. The only place where a number from the wire is parsed.
//!
//! std's `parse` and `from_str_radix` accept a sign ("+5"), which two servers in a chain read
//! differently. A value that does not fit is refused, never wrapped.

/// The digits of `u64::MAX` in base 10. A longer run is refused, zeros in front or not, so that the
/// work is bounded.
pub const DECIMAL_DIGITS_MAX: usize = 20;
/// The digits of `u64::MAX` in base 16. A longer run is refused, zeros in front or not.
pub const HEXADECIMAL_DIGITS_MAX: usize = 16;

/// `1*DIGIT` that fits a `u64`. `None` for anything else, and for more than `DECIMAL_DIGITS_MAX`
/// digits.
pub fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > DECIMAL_DIGITS_MAX {
        return None;
    }
    // Of 20 digits only the last can lead beyond 64 bits.
    let (most, last) = bytes.split_at(bytes.len().min(DECIMAL_DIGITS_MAX - 1));
    let mut value: u64 = 0;
    for &byte in most {
        value = value * 10 + u64::from(decimal_digit(byte)?);
    }
    match last {
        [byte] => value
            .checked_mul(10)?
            .checked_add(u64::from(decimal_digit(*byte)?)),
        _ => Some(value),
    }
}

/// `1*DIGIT` of any length; `u64::MAX` stands for all larger numbers. `None` for anything else.
///
/// Only for positions, where all places past every end may count as one: a length other than the
/// one written would be request smuggling.
pub fn decimal_or_max(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |value, &byte| {
        let digit = u64::from(decimal_digit(byte)?);
        Some(value.saturating_mul(10).saturating_add(digit))
    })
}

/// Whether all of these bytes are DIGITs.
#[inline(always)]
pub fn are_digits(bytes: &[u8]) -> bool {
    match bytes.first_chunk() {
        // As many as most ports have, at once: above 9, six more lead to another high half.
        Some(digits) if bytes.len() == 4 => {
            const HIGH: u32 = u32::from_le_bytes([0xF0; 4]);
            const ZEROS: u32 = u32::from_le_bytes([b'0'; 4]);
            let word = u32::from_le_bytes(*digits);
            let beyond = word.wrapping_add(u32::from_le_bytes([6; 4]));
            word & HIGH == ZEROS && beyond & HIGH == ZEROS
        }
        _ => bytes.iter().all(u8::is_ascii_digit),
    }
}

#[inline(always)]
const fn decimal_digit(byte: u8) -> Option<u8> {
    // Bytes below "0" wrap to large values and are refused with the ones above "9".
    match byte.wrapping_sub(b'0') {
        digit @ 0..=9 => Some(digit),
        _ => None,
    }
}

/// `1*HEXDIG` that fits a `u64`, in either case. `None` for anything else, and for more than
/// `HEXADECIMAL_DIGITS_MAX` digits: RFC 9112 §7.1: "recipients MUST anticipate potentially large
/// hexadecimal numerals and prevent parsing errors due to integer conversion overflows".
pub fn hexadecimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > HEXADECIMAL_DIGITS_MAX {
        return None;
    }
    let mut value: u64 = 0;
    for &byte in bytes {
        // Sixteen digits of four bits fill the 64 bits exactly: nothing overflows.
        value = value * 16 + u64::from(hex_digit(byte)?);
    }
    Some(value)
}

/// The value of one HEXDIG, in either case.
#[inline]
pub const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// How many decimal digits `value` has.
pub fn decimal_len(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends the decimal digits of `value`.
pub fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; DECIMAL_DIGITS_MAX];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends the hexadecimal digits of `value`, upper case, no leading zeros (a chunk-size).
pub fn push_hexadecimal(out: &mut Vec<u8>, value: u64) {
    push_hexadecimal_wide(out, u128::from(value));
}

/// Appends the hexadecimal digits of a number of up to 128 bits, upper case, no leading zeros.
pub fn push_hexadecimal_wide(out: &mut Vec<u8>, value: u128) {
    let bits = (u128::BITS - value.leading_zeros()).max(1);
    let digits = bits.div_ceil(4);
    for position in (0..digits).rev() {
        let digit = (value >> (4 * position)) as usize & 0xF;
        out.push(UPPER_HEX_DIGITS[digit]);
    }
}

/// HEXDIG by value, in the case that RFC 3986 §2.1 asks of producers.
pub(super) const UPPER_HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";
