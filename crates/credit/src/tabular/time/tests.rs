//! Unit tests.

use super::super::tests::{chance, episode};
use super::*;
use crate::random::Random;
use crate::{Counts, Episode};

fn found(episodes: &[Episode]) -> f64 {
    let mut counts = Counts::new(usize::MAX);
    episodes.iter().for_each(|episode| counts.add(0, episode));
    step_reward(&counts.cells(), &counts.ends())
}

/// Up to twenty steps in state 0, then one in one of these states, and what it pays for the number of steps.
fn ending(n: usize, seed: u64, reward: impl Fn(&mut Random, u64, f64) -> f64) -> Vec<Episode> {
    let mut random = Random::new(seed);
    let run = |_| {
        let n_before = random.below(20);
        let end = 1 + random.below(3) as u64;
        let mut steps = vec![(0, 0); n_before];
        steps.push((end, random.below(2) as u64));
        episode(reward(&mut random, end, n_before as f64), &steps)
    };
    (0..n).map(run).collect()
}

/// The slope over all pairs of episodes with the same end: `Σ (x_i - x_j)(y_i - y_j) / Σ (x_i - x_j)²`, each pair divided by
/// the size of its group.
fn slope_over_pairs(episodes: &[Episode]) -> f64 {
    let end = |episode: &Episode| episode.steps.last().map(|step| (step.state, step.decision));
    let (mut products, mut squares) = (0.0, 0.0);
    for left in episodes {
        let size = episodes.iter().filter(|other| end(other) == end(left)).count() as f64;
        for right in episodes.iter().filter(|other| end(other) == end(left)) {
            let (x, y) = (left.steps.len() as f64 - right.steps.len() as f64, left.reward - right.reward);
            products += x * y / size;
            squares += x * x / size;
        }
    }
    products / squares
}

#[test]
fn the_slope_is_that_of_pairs_with_the_same_end() {
    for seed in 0..10 {
        let noise = |random: &mut Random| random.below(100) as f64 / 1_000.0;
        let episodes = ending(80, seed, |random, end, n| end as f64 - 0.03 * n + noise(random));
        assert!((found(&episodes) - slope_over_pairs(&episodes)).abs() < 1e-9, "seed {seed}");
        assert!((found(&episodes) + 0.03).abs() < 0.01, "seed {seed}");
    }
    let exact = found(&ending(200, 3, |_, end, n| (end as f64) * 0.5 - 0.9 * n / 250.0));
    assert!((exact + 0.9 / 250.0).abs() < 1e-12, "{exact}");
}

#[test]
fn time_costs_nothing_where_rewards_do_not_say_so() {
    for seed in 0..20 {
        let check = |episodes: &[Episode]| assert_eq!(found(episodes), 0.0, "seed {seed}");
        // All of one length, or of one reward, or too few.
        check(&ending(200, seed, |_, _, _| 0.7));
        check(&ending(200, seed, |_, end, _| end as f64));
        check(&(0..99_u32).map(|n| episode(f64::from(n), &[(1, 1), (2, 2)])).collect::<Vec<_>>());
        check(&ending(15, seed, |_, _, n| -n));
        // Luck alone.
        check(&ending(400, seed, |random, _, _| f64::from(u8::from(chance(random, 50)))));
        // Long ones fail twice as often: that says that their tasks are hard.
        check(&ending(400, seed, |random, _, n| f64::from(u8::from(chance(random, if n < 10.0 { 80 } else { 40 })))));
        // Who ends early ends otherwise: the reward goes with the end, and so does the length.
        let mut random = Random::new(seed);
        let early = |_| {
            let is_good = chance(&mut random, 50);
            let mut steps = vec![(0, 0); random.below(5) + if is_good { 0 } else { 10 }];
            steps.push((if is_good { 1 } else { 2 }, 0));
            episode(f64::from(u8::from(is_good)), &steps)
        };
        check(&(0..200).map(early).collect::<Vec<_>>());
        // Who lasts to the end has won: only the last lengths are of both kinds.
        let survivor = |_| {
            let n = (0..8).find(|_| chance(&mut random, 15)).map_or(8, |at| at + 1);
            episode(f64::from(u8::from(n == 8)), &vec![(0, 0); n])
        };
        check(&(0..200).map(survivor).collect::<Vec<_>>());
    }
}
