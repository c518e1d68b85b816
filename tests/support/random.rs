//! Numbers decided by a seed (splitmix64).

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From `least` to `most`, both possible.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.between(1, count) == 1
    }

    /// How much of `whole` moves at once: all of it, a few bytes, or anything between.
    pub fn part(&mut self, whole: usize) -> usize {
        match self.between(0, 3) {
            0 => self.between(1, whole.min(4)),
            1 => self.between(1, whole),
            _ => whole,
        }
    }
}
