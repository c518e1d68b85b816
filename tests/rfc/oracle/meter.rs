//! How many bytes a connection looks at, without a counter in it: bytes that a call need not look
//! at are replaced by others, which would change the outcome of whoever looks at them; if it is the
//! same, it does not depend on them.

use doorstep::internals::conn::Connection;
use std::fmt::Debug;
use std::ops::Range;

/// What is put in place of bytes. NUL is valid nowhere but in content; a search for the end of a
/// head finds one in the other.
const POISONS: [&[u8]; 2] = [b"\0", b"\r\n\r\n"];

#[derive(Default)]
pub struct Meter {
    /// Bytes that were looked at, once for each call that did.
    pub scanned: usize,
    /// Bytes at the start of what the next call looks at that an earlier one has looked at.
    pub seen: usize,
}

/// One call of a connection.
pub struct Call<'a, T, F> {
    /// The connection as it was, and as it is.
    pub before: &'a Connection,
    pub after: &'a Connection,
    /// What the call was given, and what it answered.
    pub input: &'a [u8],
    pub result: &'a T,
    /// The bytes that it may look at for the first time.
    pub fresh: Range<usize>,
    /// Those that it may look at again, as it is the last to look at them.
    pub again: Range<usize>,
    /// The same call once more.
    pub repeat: F,
}

impl Meter {
    /// Counts what a call looked at.
    pub fn count<T: Debug, F: Fn(&mut Connection, &[u8]) -> T>(&mut self, call: &Call<'_, T, F>) {
        let outcome = format!("{:?} {:?}", call.result, call.after);
        if call.comes_to(&outcome, [0..0, 0..0]) {
            return;
        }
        let Range { start, end } = call.fresh;
        let (mut few, mut enough, mut again) = (start, end, 0..0);
        if !call.comes_to(&outcome, [start..end, 0..0]) {
            // First at what is new, and then, as that is the end, at what it is the end of.
            again = call.again.clone();
            assert!(
                call.comes_to(&outcome, [start..end, again.clone()]),
                "bytes are looked at again: {:?}",
                call.result
            );
            few = start.max(again.end);
            if few == end || call.comes_to(&outcome, [start..few, again.clone()]) {
                enough = few;
            }
        }
        // Those at the end that it did not look at, either, are another message's.
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            match call.comes_to(&outcome, [start..middle, again.clone()]) {
                true => enough = middle,
                false => few = middle,
            }
        }
        self.scanned += enough - start + again.len();
    }
}

impl<T: Debug, F: Fn(&mut Connection, &[u8]) -> T> Call<'_, T, F> {
    /// Whether it comes to the same without all bytes but these.
    fn comes_to(&self, outcome: &str, but: [Range<usize>; 2]) -> bool {
        POISONS.iter().all(|poison| {
            let mut input = poison.repeat(self.input.len().div_ceil(poison.len()));
            input.truncate(self.input.len());
            for kept in but.clone() {
                input[kept.clone()].copy_from_slice(&self.input[kept]);
            }
            let mut conn = self.before.clone();
            let result = (self.repeat)(&mut conn, &input);
            format!("{result:?} {conn:?}") == outcome
        })
    }
}
