//! Decodes Base64 as used for credentials (RFC 4648 §4).
//!
//! Each byte string has exactly one accepted spelling.

/// Decodes `text` into the front of `buffer`. `None` when it is not strict Base64 (padded, only
/// characters of the alphabet, unused bits zero: RFC 4648 §3.5), or when `buffer` is too small.
pub fn decode<'buffer>(text: &[u8], buffer: &'buffer mut [u8]) -> Option<&'buffer [u8]> {
    let padding = match text {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    if text.len() % 4 != 0 {
        return None;
    }
    let (signs, _) = text.split_at(text.len() - padding);
    let length = text.len() / 4 * 3 - padding;
    let bytes = buffer.get_mut(..length)?;
    let groups = signs.chunks(4).zip(bytes.chunks_mut(3));
    for (signs, bytes) in groups {
        let mut bits = 0_u32;
        for sign in signs {
            bits = bits << 6 | sextet(*sign)?;
        }
        // Treat the padding as zero bits.
        bits <<= 6 * (4 - signs.len());
        let [_, group @ ..] = bits.to_be_bytes();
        let (kept, unused) = group.split_at(bytes.len());
        // RFC 4648 §3.5: "decoders MAY choose to reject an encoding if the pad bits have not been
        // set to zero".
        if unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.copy_from_slice(kept);
    }
    Some(bytes)
}

/// RFC 4648 §4, table 1.
fn sextet(sign: u8) -> Option<u32> {
    let value = match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, and a text with the whole alphabet.
    #[test]
    fn decodes_the_examples_of_the_rfc() {
        let every = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let ordered: Vec<u8> = (0..16_u32)
            .flat_map(|group| {
                let bits = (0..4).fold(0, |bits, sign| bits << 6 | (4 * group + sign));
                let [_, bytes @ ..] = bits.to_be_bytes();
                bytes
            })
            .collect();
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmE=", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("////", &[0xff; 3]),
            (every, &ordered),
        ] {
            assert_eq!(decode(text.as_bytes(), &mut [0; 64]), Some(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_every_other_spelling() {
        for text in [
            "Z", "Zg", "Zg=", "Zm8", "Zm9vY", "=", "==", "====", "Z===", "=Zg=", "Zg==Zm9v",
            "Zg=a", "Zm9v=", "Zm9v====", "Zh==", "Zm9=", "Zm-v", "Zm_v", "Zm9 ", " Zm9", "Zm\n9",
            "Zm9\0",
        ]
        .into_iter()
        .chain(["Zm9\u{e9}"])
        {
            assert_eq!(decode(text.as_bytes(), &mut [0; 64]), None, "{text:?}");
        }
    }

    #[test]
    fn stays_within_the_buffer() {
        for (text, length) in [("Zm9v", 3), ("Zm8=", 2), ("Zg==", 1)] {
            assert!(decode(text.as_bytes(), &mut [0; 3][..length]).is_some());
            assert!(decode(text.as_bytes(), &mut [0; 3][..length - 1]).is_none());
        }
        assert_eq!(decode(&[b'A'; 1 << 20], &mut [0; 512]), None);
    }
}
