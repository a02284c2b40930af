//! Tables over keys that are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// Takes a 64-bit key that mixes well for its own hash.
///
/// All keys here are xxh3's. Who chose texts so that their keys collide in a table would slow it down and change no
/// number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixed(u64);

pub(crate) type BuildMixed = BuildHasherDefault<Mixed>;

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        // A table takes the place from the lower bits and a tag from the upper ones; features of one path share those.
        self.0 = key ^ key.rotate_left(25);
    }
}
