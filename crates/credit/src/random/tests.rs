//! Unit tests.

use super::*;

/// The generator as its authors publish it in C, statement for statement.
fn published(state: &mut [u64; 4]) -> u64 {
    let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
    let t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = state[3].rotate_left(45);
    result
}

#[test]
fn numbers_are_those_of_the_published_generator() {
    // The first outputs of splitmix64 from 0 and of xoshiro256++ from (1, 2, 3, 4) are well known.
    assert_eq!(Random::new(0).state[0], 0xe220_a839_7b1d_cdaf);
    let mut known = Random { state: [1, 2, 3, 4] };
    assert_eq!([known.next(), known.next()], [41_943_041, 58_720_359]);
    let mut random = Random::new(7);
    let mut state = random.state;
    for _ in 0..1_000 {
        assert_eq!(random.next(), published(&mut state));
    }
}

#[test]
fn shuffles_are_uniform() {
    let mut random = Random::new(1);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let mut items = [0, 1, 2, 3];
        random.shuffle(&mut items);
        *counts.entry(items).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    // Expected 1,000 each with a standard deviation of 31.
    assert!(counts.values().all(|n| (850..1_150).contains(n)), "{counts:?}");
    assert_eq!((random.below(0), random.below(1)), (0, 0));
}
