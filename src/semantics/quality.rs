//! Quality values (RFC 9110 §12.4.2), in thousandths. For [`accept`](super::accept) and
//! [`accept_encoding`](super::accept_encoding).

use crate::bytes::number;

/// The weight without a `q` parameter, in thousandths. RFC 9110 §12.4.2: "If no "q" parameter is
/// present, the default weight is 1."
pub(super) const MOST: u16 = 1000;
/// The lowest acceptable weight, in thousandths. RFC 9110 §12.4.2: "0.001 is the least preferred".
pub(super) const LEAST: u16 = 1;

/// Whether a parameter is a weight, valid or not. RFC 9110 §12.4.2: "a common parameter, named "q"
/// (case-insensitive)".
pub(super) fn is_weight(parameter: &[u8]) -> bool {
    matches!(parameter, [b'q' | b'Q', b'=', ..])
}

/// The thousandths that `q=` says, from 0, "not acceptable", to [`MOST`]. `None` for another
/// parameter, and for an invalid value.
pub(super) fn read(parameter: &[u8]) -> Option<u16> {
    let value = parameter.get(2..).filter(|_| is_weight(parameter))?;
    // `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
    let (whole, decimals) = match value {
        [whole] => (*whole, &b""[..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (*whole, decimals),
        _ => return None,
    };
    let mut thousandths = [whole, b'0', b'0', b'0'];
    thousandths[1..][..decimals.len()].copy_from_slice(decimals);
    let thousandths = u16::try_from(number::decimal(&thousandths)?).ok()?;
    (thousandths <= MOST).then_some(thousandths)
}
