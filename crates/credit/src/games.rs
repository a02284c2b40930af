//! Cooperative games: what each player is worth.

mod coalition;
mod levels;
mod observed;

pub use coalition::Coalition;
pub use levels::{LevelShares, winter};
pub use observed::{OBSERVED_PLAYERS_MAX, ObservedCoalition, ObservedShares, shapley_from_observations};

use crate::random::Random;

/// Up to this many players (for [`owen`]: other unions plus members of the largest) a game is solved exactly.
pub const EXACT_PLAYERS_MAX: usize = 15;

/// The fewest permutations that are drawn: two antithetic pairs, so that there is a standard error.
const PERMUTATIONS_MIN: usize = 4;

/// How a game is sampled that is too large to be solved exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// How many permutations of the players are drawn; rounded up to pairs, at least 4. Each costs one evaluation of the
    /// value function per player.
    pub n_permutations: usize,
    /// The same seed draws the same permutations.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { n_permutations: 1_000, seed: 0 }
    }
}

/// What each player of a game is worth, in units of the value function.
#[derive(Clone, Debug, PartialEq)]
pub struct GameShares {
    /// Per player; they sum to `v(everybody) - v(nobody)`.
    pub shares: Vec<f64>,
    /// Per player: the standard error of the share; 0 where it is exact.
    pub std_errors: Vec<f64>,
    /// How many permutations were drawn; 0 where the shares are exact.
    pub n_permutations: usize,
}

/// The Shapley value: a player's marginal contribution, averaged over all orders in which the players may arrive.
///
/// `φ_i = Σ_{S ⊆ N∖{i}} |S|! (n-|S|-1)! / n! · (v(S ∪ {i}) - v(S))`
///
/// with `N` the `n` players, `v` any real function of coalitions (`v(∅)` need not be 0) and `φ` in units of `v`
/// (Shapley, "A Value for n-Person Games", 1953). It is [`owen`] where every player is a union, or all are one.
///
/// Up to 15 players exactly: `2^n` evaluations, `n·2^n` additions; the sums over coalitions of one size are formed
/// before they are divided, so games with whole values come out correctly to the last digits. Above by sampling
/// permutations (Castro, Gómez & Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009), each
/// with its reverse (Mitchell, Cooper, Frank & Holmes, "Sampling Permutations for Shapley Value Estimation", 2022):
/// `n` evaluations each; the standard error is that of the means of pairs, and each permutation's contributions add up
/// to `v(N) - v(∅)`, so the estimate is efficient too. It assumes that `v` answers the same each time. A value that is
/// not finite makes shares that are not.
#[must_use]
pub fn shapley(n_players: usize, value: impl Fn(&Coalition) -> f64, sampling: Sampling) -> GameShares {
    if n_players <= EXACT_PLAYERS_MAX {
        let members: Vec<usize> = (0..n_players).collect();
        return exact(n_players, member_shares(n_players, &members, &[], &value));
    }
    let mut players: Vec<usize> = (0..n_players).collect();
    let mut random = Random::new(sampling.seed);
    sample(n_players, &value, sampling, || {
        random.shuffle(&mut players);
        players.clone()
    })
}

/// The Owen value: the Shapley value of a game whose players belong to unions that act as one.
///
/// `φ_i = Σ_{H ⊆ M∖{k}} Σ_{T ⊆ B_k∖{i}} w(m, |H|) · w(b, |T|) · (v(Q ∪ T ∪ {i}) - v(Q ∪ T))`
///
/// with `w(n, s) = s! (n-s-1)! / n!`, `M` the `m` unions, `B_k` player `i`'s union with `b` members and `Q` the players of
/// the unions `H` (Owen, "Values of Games with a Priori Unions", 1977). `unions` holds one name of a union per player;
/// equal numbers are one union. Efficient at each level: all shares sum to `v(N) - v(∅)`, and those of a union to the
/// [`shapley`] value of the union in the game between unions. It reduces to [`shapley`] where every union has one
/// member and where there is one union.
///
/// Exact while the other unions and the members of a union are together at most 15 (`2^(m-1+b)` evaluations per union);
/// beyond that antithetic sampling as in [`shapley`], over the orders in which unions stay together: the reverse of
/// such an order is one too.
#[must_use]
pub fn owen(unions: &[usize], value: impl Fn(&Coalition) -> f64, sampling: Sampling) -> GameShares {
    let n_players = unions.len();
    let mut by_name = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (player, union) in unions.iter().enumerate() {
        by_name.entry(*union).or_default().push(player);
    }
    let mut groups: Vec<Vec<usize>> = by_name.into_values().collect();
    let largest = groups.iter().map(Vec::len).max().unwrap_or(0);
    if groups.len() + largest <= EXACT_PLAYERS_MAX + 1 {
        let mut shares = vec![0.0; n_players];
        for (index, members) in groups.iter().enumerate() {
            let others: Vec<&[usize]> =
                groups.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, group)| &group[..]).collect();
            for (player, share) in members.iter().zip(member_shares(n_players, members, &others, &value)) {
                shares[*player] = share;
            }
        }
        return exact(n_players, shares);
    }
    let mut random = Random::new(sampling.seed);
    sample(n_players, &value, sampling, || {
        random.shuffle(&mut groups);
        groups.iter_mut().for_each(|group| random.shuffle(group));
        groups.concat()
    })
}

fn exact(n_players: usize, shares: Vec<f64>) -> GameShares {
    GameShares { shares, std_errors: vec![0.0; n_players], n_permutations: 0 }
}

/// The shares of the members of one union, beside which the others arrive as a whole or not at all.
fn member_shares(
    n_players: usize,
    members: &[usize],
    others: &[&[usize]],
    value: &impl Fn(&Coalition) -> f64,
) -> Vec<f64> {
    let n_members = members.len();
    let n_others = others.len();
    // Sums of contributions, per member, number of other unions and number of other members that came before.
    let mut sums = vec![0.0; n_members * (n_others + 1) * n_members];
    let mut values = vec![0.0; 1 << n_members];
    for others_mask in 0..1_usize << n_others {
        let mut before = Coalition::empty(n_players);
        for other in bits(others_mask) {
            others[other].iter().for_each(|player| before.insert(*player));
        }
        for (mask, slot) in values.iter_mut().enumerate() {
            let mut coalition = before.clone();
            bits(mask).for_each(|member| coalition.insert(members[member]));
            *slot = value(&coalition);
        }
        let n_before = others_mask.count_ones() as usize;
        for mask in 0..values.len() {
            let n_in = mask.count_ones() as usize;
            for member in (0..n_members).filter(|member| mask >> member & 1 == 0) {
                let at = (member * (n_others + 1) + n_before) * n_members + n_in;
                sums[at] += values[mask | 1 << member] - values[mask];
            }
        }
    }
    let orders = |n: usize, s: usize| binomial(n - 1, s) * n as f64;
    let share = |member: usize| {
        let sums = &sums[member * (n_others + 1) * n_members..][..(n_others + 1) * n_members];
        sums.iter()
            .enumerate()
            .map(|(at, sum)| sum / (orders(n_others + 1, at / n_members) * orders(n_members, at % n_members)))
            .sum()
    };
    (0..n_members).map(share).collect()
}

fn bits(mask: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS as usize).filter(move |bit| mask >> bit & 1 == 1)
}

/// `n` over `k`; exact for the sizes of exact games.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64)
}

fn sample(
    n_players: usize,
    value: &impl Fn(&Coalition) -> f64,
    sampling: Sampling,
    mut draw: impl FnMut() -> Vec<usize>,
) -> GameShares {
    let n_pairs = sampling.n_permutations.max(PERMUTATIONS_MIN).div_ceil(2);
    let nobody = value(&Coalition::empty(n_players));
    let everybody = value(&Coalition::of(n_players, &(0..n_players).collect::<Vec<_>>()));
    let mut means = vec![0.0; n_players];
    let mut squares = vec![0.0; n_players];
    let mut pair = vec![0.0; n_players];
    for drawn in 1..=n_pairs {
        pair.fill(0.0);
        let mut order = draw();
        for _ in 0..2 {
            contributions(&order, (nobody, everybody), value, &mut pair);
            order.reverse();
        }
        // Welford's update of the mean over pairs.
        for ((mean, square), pair) in means.iter_mut().zip(&mut squares).zip(&pair) {
            let change = pair / 2.0 - *mean;
            *mean += change / drawn as f64;
            *square += change * (pair / 2.0 - *mean);
        }
    }
    let n = n_pairs as f64;
    let std_errors = squares.iter().map(|square| (square / (n - 1.0) / n).sqrt()).collect();
    GameShares { shares: means, std_errors, n_permutations: 2 * n_pairs }
}

/// Adds what each player contributes on arriving in this order.
fn contributions(
    order: &[usize],
    (nobody, everybody): (f64, f64),
    value: &impl Fn(&Coalition) -> f64,
    sums: &mut [f64],
) {
    let mut coalition = Coalition::empty(order.len());
    let mut before = nobody;
    for (index, player) in order.iter().enumerate() {
        coalition.insert(*player);
        let after = if index + 1 == order.len() { everybody } else { value(&coalition) };
        sums[*player] += after - before;
        before = after;
    }
}

#[cfg(test)]
mod tests;
