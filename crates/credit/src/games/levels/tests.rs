//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::games::tests::{SAMPLING, near, orders, random_game};
use crate::{owen, shapley};

/// Per node the players below it, found by walking up from each: another way than that of the code.
fn below(parents: &[Option<usize>], players: &[usize]) -> Vec<Vec<usize>> {
    let mut below = vec![Vec::new(); parents.len()];
    for (player, leaf) in players.iter().enumerate() {
        let mut node = *leaf;
        loop {
            below[node].push(player);
            match parents[node] {
                Some(parent) if node > 0 => node = parent,
                _ => break,
            }
        }
    }
    below
}

/// The mean contribution over all orders of the players in which those below every node stand together.
fn oracle(parents: &[Option<usize>], players: &[usize], game: &impl Fn(&Coalition) -> f64) -> Vec<f64> {
    let below = below(parents, players);
    let together = |order: &Vec<usize>| {
        below.iter().filter(|players| !players.is_empty()).all(|players| {
            let places: Vec<usize> = (0..order.len()).filter(|at| players.contains(&order[*at])).collect();
            places[places.len() - 1] - places[0] + 1 == places.len()
        })
    };
    let kept: Vec<Vec<usize>> = orders(&(0..players.len()).collect::<Vec<_>>()).into_iter().filter(together).collect();
    let mut sums = vec![0.0; players.len()];
    for order in &kept {
        let mut coalition = Coalition::empty(players.len());
        for player in order {
            let before = game(&coalition);
            coalition.insert(*player);
            sums[*player] += game(&coalition) - before;
        }
    }
    let shares: Vec<f64> = sums.iter().map(|sum| sum / kept.len() as f64).collect();
    below.iter().map(|players| players.iter().map(|player| shares[*player]).sum()).collect()
}

#[test]
fn three_levels_by_hand() {
    // The root has the leaf 1 and the node 2; that one the leaf 3 and the node 4, which has the leaves 5 and 6.
    let parents = [None, Some(0), Some(0), Some(2), Some(2), Some(4), Some(4)];
    // Worth 1 where leaf 1 and one of 5 and 6 are there. Node 4 gets the half of node 2 alone, its leaves half of that.
    let game = |c: &Coalition| f64::from(u8::from(c.contains(0) && (c.contains(2) || c.contains(3))));
    let found = winter(&parents, game, SAMPLING);
    near(&found.shares, &[1.0, 0.5, 0.5, 0.0, 0.5, 0.25, 0.25], 1e-15);
    assert_eq!((found.players, found.n_permutations), (vec![1, 3, 5, 6], 0));
    // Without the tree leaf 1 is worth two thirds.
    near(&shapley(4, game, SAMPLING).shares, &[2.0 / 3.0, 0.0, 1.0 / 6.0, 1.0 / 6.0], 1e-15);
}

#[test]
fn trees_of_all_shapes() {
    let one = |c: &Coalition| 3.0 + 2.0 * c.len() as f64;
    let check = |parents: &[Option<usize>], shares: &[f64], players: &[usize]| {
        let found = winter(parents, one, SAMPLING);
        near(&found.shares, shares, 1e-12);
        assert_eq!(found.players, players);
        assert_eq!(found.std_errors, vec![0.0; parents.len()]);
    };
    check(&[], &[], &[]);
    check(&[None], &[2.0], &[0]);
    check(&[Some(7), Some(0), Some(1)], &[2.0, 2.0, 2.0], &[2]);
    // Nodes 2 and 3 have no parent before them, and node 4 hangs on one of those.
    check(&[None, Some(0), None, Some(9), Some(2), Some(0)], &[4.0, 2.0, 0.0, 0.0, 0.0, 2.0], &[1, 5]);
}

#[test]
fn ten_thousand_levels() {
    let n = 10_000;
    // A chain, and one with a leaf at each node, which is sampled.
    let chain: Vec<Option<usize>> = (0..n).map(|node: usize| node.checked_sub(1)).collect();
    let found = winter(&chain, |c| c.len() as f64, SAMPLING);
    assert_eq!((found.shares, found.n_permutations), (vec![1.0; n], 0));
    let comb: Vec<Option<usize>> =
        (0..n).map(|node: usize| node.checked_sub(if node % 2 == 1 { 1 } else { 2 })).collect();
    let found = winter(&comb, |c| f64::from(u8::from(c.contains(0))), Sampling { n_permutations: 4, seed: 1 });
    assert_eq!((found.n_permutations, found.shares[0], found.shares[1]), (4, 1.0, 1.0));
}

#[test]
fn large_trees_are_sampled() {
    // Three nodes with three nodes with three leaves: 27 players. Siblings on the path and children: 2 + 2 + 3.
    let mut parents = vec![None];
    for level in [0..1, 1..4, 4..13] {
        parents.extend(level.flat_map(|node| [Some(node); 3]));
    }
    let weight = |c: &Coalition| c.players().filter(|player| *player < 27).sum::<usize>();
    let game = |c: &Coalition| f64::from(u8::from(weight(c) >= 180));
    let exact = winter(&parents, game, SAMPLING);
    assert_eq!(exact.n_permutations, 0);
    // Thirteen more children of the root, which change no value, are too many.
    let many: Vec<Option<usize>> = parents.iter().copied().chain([Some(0); 13]).collect();
    let sampled = winter(&many, game, SAMPLING);
    assert_eq!((sampled.n_permutations, sampled.players.len()), (SAMPLING.n_permutations, 40));
    near(&[sampled.shares[0]], &[1.0], 1e-9);
    for node in 0..parents.len() {
        let (share, expected, error) = (sampled.shares[node], exact.shares[node], sampled.std_errors[node]);
        assert!((share - expected).abs() <= 4.5 * error + 1e-9, "{node}: {share} {expected} {error}");
    }
    for (node, share) in sampled.shares.iter().enumerate() {
        let children = (1..many.len()).filter(|child| many[*child] == Some(node));
        let held: f64 = children.clone().map(|child| sampled.shares[child]).sum();
        assert!(children.count() == 0 || (held - share).abs() < 1e-9, "{node}: {held} {share}");
    }
    assert_eq!(winter(&many, game, SAMPLING), sampled);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn small_trees_are_those_of_all_orders(draws in prop::collection::vec(any::<prop::sample::Index>(), 0..9), seed: u64) {
        let parents: Vec<Option<usize>> = std::iter::once(None)
            .chain(draws.iter().enumerate().map(|(before, draw)| Some(draw.index(before + 1))))
            .collect();
        let game = random_game(seed);
        let found = winter(&parents, &game, SAMPLING);
        prop_assert_eq!(found.n_permutations, 0);
        // More than 7 players have too many orders.
        if found.players.len() <= 7 {
            near(&found.shares, &oracle(&parents, &found.players, &game), 1e-12);
        }
        let n = found.players.len();
        let total = game(&Coalition::of(n, &(0..n).collect::<Vec<_>>())) - game(&Coalition::empty(n));
        near(&[found.shares[0]], &[total], 1e-12);
        for (node, share) in found.shares.iter().enumerate() {
            let children = (1..parents.len()).filter(|child| parents[*child] == Some(node));
            let held: f64 = children.clone().map(|child| found.shares[child]).sum();
            prop_assert!(children.count() == 0 || (held - share).abs() < 1e-12);
        }
        // The children of the root play for it.
        let below = below(&parents, &found.players);
        let top: Vec<usize> = (1..parents.len()).filter(|node| parents[*node] == Some(0)).collect();
        let between = |c: &Coalition| {
            game(&Coalition::of(n, &c.players().flat_map(|at| below[top[at]].clone()).collect::<Vec<_>>()))
        };
        for (node, share) in top.iter().zip(shapley(top.len(), between, SAMPLING).shares) {
            prop_assert!((found.shares[*node] - share).abs() < 1e-12);
        }
    }

    #[test]
    fn one_level_is_shapley_and_two_are_owen(unions in prop::collection::vec(0..3_usize, 1..7), seed: u64) {
        let game = random_game(seed);
        let n = unions.len();
        let flat: Vec<Option<usize>> = std::iter::once(None).chain(vec![Some(0); n]).collect();
        near(&winter(&flat, &game, SAMPLING).shares[1..], &shapley(n, &game, SAMPLING).shares, 1e-12);
        // Three unions, of which some may have nobody: such a one would be a leaf, so it is left out.
        let names: Vec<usize> = (0..3).filter(|union| unions.contains(union)).collect();
        let node = |union: usize| 1 + names.iter().position(|name| *name == union).unwrap();
        let parents: Vec<Option<usize>> = std::iter::once(None)
            .chain(names.iter().map(|_| Some(0)))
            .chain(unions.iter().map(|union| Some(node(*union))))
            .collect();
        let found = winter(&parents, &game, SAMPLING);
        near(&found.shares[1 + names.len()..], &owen(&unions, &game, SAMPLING).shares, 1e-12);
    }
}
