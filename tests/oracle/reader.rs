//! Bytes, from a place on, and the parts that every rule of the grammar is made of.

/// Why there is nothing more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes end here, and more might be fine.
    Cut,
    /// However they go on.
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status that is right.
    pub status: u16,
    /// So many bytes have to be there to know: up to the first that no valid message has at its
    /// place.
    pub after: usize,
}

/// What is left to be read.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    octets: &'a [u8],
    /// Bytes that have been read.
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader { octets, at: 0 }
    }

    /// The next byte, which is left where it is.
    pub fn next(&self) -> Result<u8, Stop> {
        self.octets.get(self.at).copied().ok_or(Stop::Cut)
    }

    /// One byte that is one of these.
    pub fn one(&mut self, is: impl Fn(u8) -> bool) -> Result<u8, Stop> {
        let octet = self.next()?;
        self.at += 1;
        match is(octet) {
            true => Ok(octet),
            false => Err(self.refused(400)),
        }
    }

    /// `1*class`: at least one byte of a class, and else as [`any`](Reader::any).
    pub fn some(
        &mut self,
        is: impl Fn(u8) -> bool,
        most: usize,
        too_many: u16,
    ) -> Result<&'a [u8], Stop> {
        if !is(self.next()?) {
            self.at += 1;
            return Err(self.refused(400));
        }
        self.any(is, most, too_many)
    }

    /// `*class`: as many bytes as are of a class, of which there may be `most`: one more has
    /// another status. What stands after them has to be there.
    pub fn any(
        &mut self,
        is: impl Fn(u8) -> bool,
        most: usize,
        too_many: u16,
    ) -> Result<&'a [u8], Stop> {
        let rest = &self.octets[self.at..];
        let other = rest.iter().position(|&octet| !is(octet));
        let here = other.unwrap_or(rest.len());
        if here > most {
            self.at += most + 1;
            return Err(self.refused(too_many));
        }
        self.at += here;
        match other {
            Some(_) => Ok(&rest[..here]),
            None => Err(Stop::Cut),
        }
    }

    /// `CRLF`, of which this server takes neither half for the whole (RFC 9112 §2.2).
    pub fn crlf(&mut self) -> Result<(), Stop> {
        self.one(|octet| octet == b'\r')?;
        self.one(|octet| octet == b'\n')?;
        Ok(())
    }

    /// So many bytes, whatever they are; fewer when they are not all here.
    pub fn count(&mut self, count: usize) -> &'a [u8] {
        let rest = &self.octets[self.at..];
        let here = &rest[..count.min(rest.len())];
        self.at += here.len();
        here
    }

    /// The byte that was read last has no place there.
    pub fn refused(&self, status: u16) -> Stop {
        Stop::Refused(Refusal {
            status,
            after: self.at,
        })
    }
}
