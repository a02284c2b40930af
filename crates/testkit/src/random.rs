//! A small seeded generator, so that a failing test can say how to repeat it.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// A number in [0, 1): a multiple of 2^-53, each equally likely.
    pub const fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A fair coin: the highest of the next 64 bits.
    pub const fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// An index with the probability that its weight names. The weights sum to 1; what rounding leaves over goes to the
    /// last positive one. No weight that is 0 is ever chosen; without a positive weight the answer is 0.
    pub fn weighted(&mut self, weights: impl IntoIterator<Item = f64>) -> usize {
        let mut left = self.unit();
        let mut chosen = 0;
        for (index, weight) in weights.into_iter().enumerate() {
            if weight > 0.0 {
                chosen = index;
                if left < weight {
                    break;
                }
                left -= weight;
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests;
