//! Bytes for tests to send.

/// Bytes that repeat only after 251, so that no block is like the one before it.
pub fn pattern(length: usize) -> Vec<u8> {
    let period: Vec<u8> = (0..=250).collect();
    // No more than that is allocated, because the server counts what it keeps.
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let rest = period.len().min(length - bytes.len());
        bytes.extend_from_slice(&period[..rest]);
    }
    bytes
}

/// Ends of pieces whose lengths come from the bytes themselves, so that a fuzzer can choose them.
pub fn pieces(bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        end += 1 + usize::from(byte % 23);
        ends.push(end.min(bytes.len()));
    }
    ends
}
