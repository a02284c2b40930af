//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::random::Random;

pub(super) const SAMPLING: Sampling = Sampling { n_permutations: 10_000, seed: 7 };

pub(super) fn near(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= within), "{found:?}\n{expected:?}");
}

/// Every order of these players.
pub(super) fn orders(players: &[usize]) -> Vec<Vec<usize>> {
    if players.is_empty() {
        return vec![vec![]];
    }
    let mut all = vec![];
    for (index, first) in players.iter().enumerate() {
        let mut rest = players.to_vec();
        rest.remove(index);
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

/// The definition: contributions averaged over the given orders.
fn average(n: usize, orders: &[Vec<usize>], value: impl Fn(&Coalition) -> f64) -> Vec<f64> {
    let mut shares = vec![0.0; n];
    for order in orders {
        for (index, player) in order.iter().enumerate() {
            let gain = value(&Coalition::of(n, &order[..=index])) - value(&Coalition::of(n, &order[..index]));
            shares[*player] += gain / orders.len() as f64;
        }
    }
    shares
}

/// A game of random values, the same one for a seed; `v(∅)` is not 0.
pub(super) fn random_game(seed: u64) -> impl Fn(&Coalition) -> f64 {
    move |coalition| {
        let mask: u64 = coalition.players().map(|player| 1 << player).sum();
        Random::new(seed ^ (mask << 8)).below(1_000) as f64 / 1_000.0
    }
}

fn weighted(weights: &[usize], quota: usize) -> impl Fn(&Coalition) -> f64 {
    move |coalition| {
        let weight: usize = coalition.players().map(|player| weights[player]).sum();
        if weight >= quota { 1.0 } else { 0.0 }
    }
}

/// Shapley and Shubik's index by counting coalitions of each size and weight with whole numbers: no game is enumerated.
fn voting_oracle(weights: &[usize], quota: usize) -> Vec<f64> {
    let n = weights.len();
    let factorial = |n: usize| (1..=n as u128).product::<u128>();
    let share = |player: usize| {
        let mut counts = vec![vec![0_u128; quota]; n];
        counts[0][0] = 1;
        for (_, weight) in weights.iter().enumerate().filter(|(other, _)| *other != player) {
            for size in (1..n).rev() {
                for total in (*weight..quota).rev() {
                    counts[size][total] += counts[size - 1][total - weight];
                }
            }
        }
        let orders: u128 = (0..n)
            .map(|size| {
                let swings: u128 = counts[size][quota.saturating_sub(weights[player])..].iter().sum();
                swings * factorial(size) * factorial(n - 1 - size)
            })
            .sum();
        orders as f64 / factorial(n) as f64
    };
    (0..n).map(share).collect()
}

const EU_15: [usize; 15] = [10, 10, 10, 10, 8, 5, 5, 5, 5, 4, 4, 3, 3, 3, 2];

/// Five permanent members of weight 7 and ten others of weight 1: 39 needs all five and four more.
fn security_council() -> Vec<usize> {
    [vec![7; 5], vec![1; 10]].concat()
}

#[test]
fn games_with_closed_forms() {
    // Airport: a runway's piece is shared by those who need it (Littlechild & Owen 1973).
    let costs = [1.0, 2.0, 4.0, 4.5, 9.0, 13.0, 13.0, 20.0];
    let airport = |coalition: &Coalition| coalition.players().map(|player| costs[player]).fold(0.0, f64::max);
    let mut expected = vec![];
    let (mut share, mut last) = (0.0, 0.0);
    for (index, cost) in costs.iter().enumerate() {
        share += (cost - last) / (costs.len() - index) as f64;
        last = *cost;
        expected.push(share);
    }
    near(&shapley(costs.len(), airport, SAMPLING).shares, &expected, 1e-12);
    // Gloves: one left, two right.
    let glove = |c: &Coalition| f64::from(u8::from(c.contains(0) && (c.contains(1) || c.contains(2))));
    near(&shapley(3, glove, SAMPLING).shares, &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0], 1e-15);
    let council = shapley(15, weighted(&security_council(), 39), SAMPLING);
    near(&council.shares, &[vec![421.0 / 2145.0; 5], vec![4.0 / 2145.0; 10]].concat(), 1e-12);
    near(&council.shares[4..6], &[0.196_270, 0.001_865], 5e-7);
    let union = shapley(15, weighted(&EU_15, 62), SAMPLING);
    near(&union.shares, &voting_oracle(&EU_15, 62), 1e-12);
    assert_eq!((union.n_permutations, union.std_errors), (0, vec![0.0; 15]));
    // Nobody, and one alone.
    assert!(shapley(0, |_| 3.0, SAMPLING).shares.is_empty());
    near(&shapley(1, |c| c.len() as f64 * 2.0 + 1.0, SAMPLING).shares, &[2.0], 0.0);
}

#[test]
fn ten_thousand_permutations_are_within_a_hundredth() {
    let check = |weights: &[usize], quota: usize| {
        // Players without weight change nothing but that the game is no longer solved exactly.
        let weights = [weights, &[0]].concat();
        let found = shapley(weights.len(), weighted(&weights, quota), SAMPLING);
        let expected = voting_oracle(&weights, quota);
        assert_eq!(found.n_permutations, 10_000);
        near(&found.shares, &expected, 0.01);
        near(&[found.shares.iter().sum()], &[1.0], 1e-9);
        for ((share, error), expected) in found.shares.iter().zip(&found.std_errors).zip(expected) {
            assert!((share - expected).abs() <= 4.5 * error, "{share} {expected} {error}");
        }
        assert_eq!(found, shapley(weights.len(), weighted(&weights, quota), SAMPLING));
    };
    check(&EU_15, 62);
    check(&security_council(), 39);
    let twenty: Vec<usize> = (1..=20).collect();
    check(&twenty, 106);
}

#[test]
fn owen_closed_forms() {
    // Owen's gloves: the two right hands together bargain as one.
    let glove = |c: &Coalition| f64::from(u8::from(c.contains(0) && (c.contains(1) || c.contains(2))));
    near(&owen(&[0, 1, 1], glove, SAMPLING).shares, &[0.5, 0.25, 0.25], 1e-15);
    // More than fifteen players in small unions are still exact; an additive game pays each what it brings.
    let unions: Vec<usize> = (0..36).map(|player| player / 6).collect();
    let additive = |c: &Coalition| c.players().map(|player| player as f64).sum();
    let found = owen(&unions, additive, SAMPLING);
    near(&found.shares, &(0..36).map(f64::from).collect::<Vec<_>>(), 1e-9);
    assert_eq!(found.n_permutations, 0);
}

#[test]
fn owen_samples_large_unions() {
    let unions: Vec<usize> = (0..40).map(|player| player % 2).collect();
    let weights: Vec<usize> = (1..=40).collect();
    let found = owen(&unions, weighted(&weights, 421), SAMPLING);
    assert_eq!(found.n_permutations, 10_000);
    near(&[found.shares.iter().sum()], &[1.0], 1e-9);
    // Each union alone weighs less than the quota and both together more: half each.
    let first: f64 = found.shares.iter().step_by(2).sum();
    near(&[first], &[0.5], 0.01);
}

#[test]
fn observed_coalitions_that_say_nothing_are_said_to() {
    let seen = |players: &[usize], outcome: f64| ObservedCoalition { coalition: Coalition::of(3, players), outcome };
    // Players 0 and 1 always come together.
    let records = [seen(&[], 0.0), seen(&[0, 1], 2.0), seen(&[2], 1.0), seen(&[0, 1, 2], 3.0), seen(&[2], 1.0)];
    let found = shapley_from_observations(3, &records).unwrap();
    assert_eq!(found.identifiable, [false, false, true]);
    near(&found.shares, &[1.0, 1.0, 1.0], 1e-5);
    assert_eq!(found.std_errors[0], f64::INFINITY);
    assert!(found.std_errors[2] < 1e-4, "{found:?}");
    // One coalition only: all of it may be the constant.
    let alone = shapley_from_observations(3, &[seen(&[0, 1, 2], 5.0)]).unwrap();
    assert_eq!(alone.identifiable, [false; 3]);
    near(&alone.shares, &[0.0; 3], 1e-5);
    assert!(shapley_from_observations(3, &[]).is_none());
    assert!(shapley_from_observations(3, &[seen(&[0], f64::NAN)]).is_none());
    assert!(shapley_from_observations(OBSERVED_PLAYERS_MAX + 1, &[seen(&[0], 1.0)]).is_none());
    assert_eq!(shapley_from_observations(0, &[]), None);
}

#[test]
fn standard_errors_of_observed_shares_cover() {
    let additive = |c: &Coalition| c.players().map(|player| player as f64).sum::<f64>();
    let mut random = Random::new(5);
    let mut n_covered = 0;
    for _ in 0..200 {
        let records: Vec<ObservedCoalition> = (0..60)
            .map(|_| {
                let players: Vec<usize> = (0..4).filter(|_| random.below(2) == 1).collect();
                let coalition = Coalition::of(4, &players);
                let noise = (0..12).map(|_| random.below(1_000) as f64 / 1_000.0).sum::<f64>() - 6.0;
                ObservedCoalition { outcome: additive(&coalition) + noise, coalition }
            })
            .collect();
        let found = shapley_from_observations(4, &records).unwrap();
        n_covered += usize::from((found.shares[3] - 3.0).abs() < 1.96 * found.std_errors[3]);
    }
    assert!((180..=198).contains(&n_covered), "{n_covered}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn small_games_are_those_of_all_orderings(n in 1..7_usize, seed: u64) {
        let game = random_game(seed);
        let all: Vec<usize> = (0..n).collect();
        let expected = average(n, &orders(&all), &game);
        near(&shapley(n, &game, SAMPLING).shares, &expected, 1e-12);
        // Every player a union, or all of them one.
        near(&owen(&all, &game, SAMPLING).shares, &expected, 1e-12);
        near(&owen(&vec![3; n], &game, SAMPLING).shares, &expected, 1e-12);
    }

    #[test]
    fn owen_is_the_average_over_orders_that_keep_unions_together(
        unions in prop::collection::vec(0..3_usize, 1..7), seed: u64,
    ) {
        let n = unions.len();
        let game = random_game(seed);
        let together = |order: &Vec<usize>| {
            let mut names: Vec<usize> = order.iter().map(|player| unions[*player]).collect();
            names.dedup();
            let n_runs = names.len();
            names.sort_unstable();
            names.dedup();
            names.len() == n_runs
        };
        let kept: Vec<Vec<usize>> = orders(&(0..n).collect::<Vec<_>>()).into_iter().filter(together).collect();
        let found = owen(&unions, &game, SAMPLING).shares;
        near(&found, &average(n, &kept, &game), 1e-12);
        // Efficient at each level: a union holds its Shapley value of the game between unions.
        let mut names = unions.clone();
        names.sort_unstable();
        names.dedup();
        let between = |c: &Coalition| {
            let players: Vec<usize> = (0..n)
                .filter(|player| c.players().any(|union| names[union] == unions[*player]))
                .collect();
            game(&Coalition::of(n, &players))
        };
        for (name, share) in names.iter().zip(shapley(names.len(), between, SAMPLING).shares) {
            let held: f64 = (0..n).filter(|player| unions[*player] == *name).map(|player| found[player]).sum();
            prop_assert!((held - share).abs() < 1e-12);
        }
    }

    #[test]
    fn two_additive_games_are_recovered(n in 1..7_usize, weights in prop::collection::vec(-1.0..1.0_f64, 64)) {
        let game = |c: &Coalition| {
            let players: Vec<usize> = c.players().collect();
            let pairs = players.iter().flat_map(|a| players.iter().filter(move |b| a < *b).map(move |b| a * 8 + b));
            players.iter().map(|player| weights[player * 9]).sum::<f64>() + pairs.map(|at| weights[at]).sum::<f64>()
        };
        let records: Vec<ObservedCoalition> = (0..1_usize << n)
            .map(|mask| Coalition::of(n, &bits(mask).collect::<Vec<_>>()))
            .map(|coalition| ObservedCoalition { outcome: 0.25 + game(&coalition), coalition })
            .collect();
        let found = shapley_from_observations(n, &records).unwrap();
        near(&found.shares, &shapley(n, game, SAMPLING).shares, 1e-9);
        prop_assert_eq!(found.identifiable, vec![true; n]);
        prop_assert!((found.intercept - 0.25).abs() < 1e-9);
    }
}
