//! Cooperative games whose Shapley value is known without playing out their coalitions.
//!
//! A coalition is a bit set: player `i` is in it where bit `i` is 1. The empty coalition is worth 0 in every game.

/// The most players whose coalitions [`shapley_by_subsets`] goes through: 2^20 values.
pub const N_PLAYERS_MAX: usize = 20;

/// The most players whose orders [`shapley_by_orderings`] goes through: 9! = 362,880.
pub const N_ORDERED_PLAYERS_MAX: usize = 9;

/// A cooperative game with transferable utility.
pub trait Game {
    /// How many players there are, at most [`N_PLAYERS_MAX`].
    fn players(&self) -> usize;

    /// `v(S)`: what the coalition's players earn together.
    fn value(&self, coalition: u32) -> f64;
}

/// A game that knows its Shapley value by a way that never asks for the value of a coalition.
pub trait KnownGame: Game {
    /// What the game is called.
    fn name(&self) -> &'static str;

    /// The Shapley value of every player, from the closed form that the game's documentation states.
    fn known_shapley(&self) -> Vec<f64>;
}

/// The games that a Shapley method must solve: airport, UN Security Council, glove, EU-15 voting.
#[must_use]
pub fn known_games() -> Vec<Box<dyn KnownGame>> {
    vec![
        Box::new(Airport { costs: vec![8.0, 11.0, 13.0, 18.0, 18.0, 30.0, 30.5, 44.0] }),
        Box::new(SecurityCouncil),
        Box::new(Glove { n_left: 1, n_right: 2 }),
        Box::new(Glove { n_left: 5, n_right: 3 }),
        Box::new(WeightedVoting::eu_15()),
    ]
}

/// The airport game (Littlechild and Owen: "A simple expression for the Shapley value in a special case", 1973).
///
/// A runway costs what its largest aircraft needs: `v(S) = max of the costs in S`. With costs in rising order, each
/// stretch of runway is shared evenly by those that need it: `φ_i = Σ_{k ≤ i} (c_k − c_{k−1}) / (n − k + 1)`.
#[derive(Clone, Debug)]
pub struct Airport {
    /// What each player's runway would cost alone, in any order; none is negative.
    pub costs: Vec<f64>,
}

impl Game for Airport {
    fn players(&self) -> usize {
        self.costs.len()
    }

    fn value(&self, coalition: u32) -> f64 {
        members(coalition, self.players()).map(|player| self.costs[player]).fold(0.0, f64::max)
    }
}

impl KnownGame for Airport {
    fn name(&self) -> &'static str {
        "airport"
    }

    fn known_shapley(&self) -> Vec<f64> {
        let n = self.players();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| self.costs[a].total_cmp(&self.costs[b]));
        let mut shapley = vec![0.0; n];
        let (mut share, mut paid) = (0.0, 0.0);
        for (position, player) in order.into_iter().enumerate() {
            share += (self.costs[player] - paid) / (n - position) as f64;
            paid = self.costs[player];
            shapley[player] = share;
        }
        shapley
    }
}

/// The United Nations Security Council since 1965 (Shapley and Shubik: "A method for evaluating the distribution of
/// power in a committee system", 1954, for the rule; 15 seats of today).
///
/// Players 0…4 are the permanent members, each with a veto; a resolution also needs four of the ten others. Another
/// member is pivotal only behind all five permanent and exactly three of the nine remaining, eight in all:
/// `φ = C(9, 3) · 8! · 6! / 15! = 0.001865`; the permanent share the rest, `(1 − 10 φ) / 5 = 0.196270` each.
#[derive(Clone, Copy, Debug)]
pub struct SecurityCouncil;

impl Game for SecurityCouncil {
    fn players(&self) -> usize {
        15
    }

    fn value(&self, coalition: u32) -> f64 {
        let permanent = coalition & 0b1_1111;
        let others = (coalition >> 5) & 0b11_1111_1111;
        f64::from(u8::from(permanent == 0b1_1111 && others.count_ones() >= 4))
    }
}

impl KnownGame for SecurityCouncil {
    fn name(&self) -> &'static str {
        "un_security_council"
    }

    fn known_shapley(&self) -> Vec<f64> {
        // 8! 6! / 15! = 1 / (15 C(14, 8)).
        let other = choose(9, 3) / (15.0 * choose(14, 8));
        let permanent = (1.0 - 10.0 * other) / 5.0;
        (0..15).map(|player| if player < 5 { permanent } else { other }).collect()
    }
}

/// The glove game (Shapley and Shubik: "Pure competition, coalitional power, and fair division", 1969).
///
/// The first players hold a left glove each, the others a right one; a pair is worth 1: `v(S) = min(left, right)`. With
/// `r ≥ l`, where `l` counts the scarcer kind, its owners get
/// `1/2 + (r − l) / (2 l) · Σ_{k=1}^{l} r! l! / ((r + k)! (l − k)!)` each, and the others
/// `1/2 − (r − l) / (2 r) · Σ_{k=0}^{l} r! l! / ((r + k)! (l − k)!)`.
#[derive(Clone, Copy, Debug)]
pub struct Glove {
    /// Owners of a left glove: players 0…n_left-1.
    pub n_left: usize,
    /// Owners of a right glove: the players after them.
    pub n_right: usize,
}

impl Game for Glove {
    fn players(&self) -> usize {
        self.n_left + self.n_right
    }

    fn value(&self, coalition: u32) -> f64 {
        let n_left = members(coalition, self.players()).filter(|&player| player < self.n_left).count();
        let n_right = members(coalition, self.players()).count() - n_left;
        n_left.min(n_right) as f64
    }
}

impl KnownGame for Glove {
    fn name(&self) -> &'static str {
        "glove"
    }

    fn known_shapley(&self) -> Vec<f64> {
        let (scarce, plenty) = (self.n_left.min(self.n_right), self.n_left.max(self.n_right));
        // term = r! l! / ((r + k)! (l − k)!), from k = 0 upwards.
        let mut term = 1.0;
        let mut sum_from_1 = 0.0;
        for k in 1..=scarce {
            term *= (scarce - k + 1) as f64 / (plenty + k) as f64;
            sum_from_1 += term;
        }
        let gap = (plenty - scarce) as f64;
        let of_scarce = 0.5 + gap / (2.0 * scarce.max(1) as f64) * sum_from_1;
        let of_plenty = 0.5 - gap / (2.0 * plenty.max(1) as f64) * (1.0 + sum_from_1);
        let (left, right) = if self.n_left <= self.n_right { (of_scarce, of_plenty) } else { (of_plenty, of_scarce) };
        (0..self.players()).map(|player| if player < self.n_left { left } else { right }).collect()
    }
}

/// A weighted majority game: a coalition wins, and is worth 1, with at least `quota` votes.
///
/// Its Shapley value counts, for every player, the coalitions of the others by size and votes (Mann and Shapley:
/// "Values of large games, VI", 1962): with `c(s, w)` coalitions of `s` others and `w` votes,
/// `φ_i = Σ_s s! (n − s − 1)! / n! · Σ_{w = quota − w_i}^{quota − 1} c(s, w)`. The counts are whole numbers, so nothing
/// is rounded before the last sum. `O(n³ · quota)`.
#[derive(Clone, Debug)]
pub struct WeightedVoting {
    /// What the game is called.
    pub name: &'static str,
    /// Votes of each player.
    pub votes: Vec<usize>,
    /// Votes that win, at least 1.
    pub quota: usize,
}

impl WeightedVoting {
    /// The Council of the European Union with fifteen members, 1995 to 2004: 62 of 87 votes. In order Germany, France,
    /// Italy, United Kingdom (10 each); Spain (8); Belgium, Greece, Netherlands, Portugal (5); Austria, Sweden (4);
    /// Denmark, Finland, Ireland (3); Luxembourg (2).
    #[must_use]
    pub fn eu_15() -> Self {
        Self { name: "eu_15", votes: vec![10, 10, 10, 10, 8, 5, 5, 5, 5, 4, 4, 3, 3, 3, 2], quota: 62 }
    }

    /// `c(s, w)` for the coalitions without `left_out`, `w` below the quota.
    fn losing_counts(&self, left_out: usize) -> Vec<Vec<u64>> {
        let n = self.votes.len();
        let mut counts = vec![vec![0_u64; self.quota]; n];
        if let Some(empty) = counts.first_mut().and_then(|row| row.first_mut()) {
            *empty = 1;
        }
        for (_, &votes) in self.votes.iter().enumerate().filter(|&(player, _)| player != left_out) {
            // Sizes and votes from above, so that no player enters a coalition twice.
            for size in (1..n).rev() {
                for sum in (votes..self.quota).rev() {
                    counts[size][sum] += counts[size - 1][sum - votes];
                }
            }
        }
        counts
    }
}

impl Game for WeightedVoting {
    fn players(&self) -> usize {
        self.votes.len()
    }

    fn value(&self, coalition: u32) -> f64 {
        let votes: usize = members(coalition, self.players()).map(|player| self.votes[player]).sum();
        f64::from(u8::from(votes >= self.quota))
    }
}

impl KnownGame for WeightedVoting {
    fn name(&self) -> &'static str {
        self.name
    }

    fn known_shapley(&self) -> Vec<f64> {
        let n = self.players();
        let pivotal = |player: usize| {
            let first = self.quota.saturating_sub(self.votes[player]);
            self.losing_counts(player).into_iter().enumerate().fold(0.0, |sum, (size, row)| {
                sum + row[first..].iter().sum::<u64>() as f64 / (n as f64 * choose(n - 1, size))
            })
        };
        (0..n).map(pivotal).collect()
    }
}

/// The Shapley value by its definition over coalitions (Shapley: "A value for n-person games", 1953):
/// `φ_i = Σ_{S without i} |S|! (n − |S| − 1)! / n! · (v(S + i) − v(S))`. A slow oracle: `O(2^n · n)`, and `None` above
/// [`N_PLAYERS_MAX`] players.
#[must_use]
pub fn shapley_by_subsets(game: &dyn Game) -> Option<Vec<f64>> {
    let n = game.players();
    if n > N_PLAYERS_MAX {
        return None;
    }
    let values: Vec<f64> = (0..1_u32 << n).map(|coalition| game.value(coalition)).collect();
    let mut shapley = vec![0.0; n];
    for (coalition, value) in values.iter().enumerate() {
        let size = coalition.count_ones() as usize;
        for (player, share) in shapley.iter_mut().enumerate() {
            if coalition & (1 << player) == 0 {
                *share += (values[coalition | (1 << player)] - value) / (n as f64 * choose(n - 1, size));
            }
        }
    }
    Some(shapley)
}

/// The Shapley value as the mean of what a player adds on arrival, over every order of arrival. A slow oracle that
/// shares nothing with [`shapley_by_subsets`]: `O(n! · n)`, and `None` above [`N_ORDERED_PLAYERS_MAX`] players.
#[must_use]
pub fn shapley_by_orderings(game: &dyn Game) -> Option<Vec<f64>> {
    fn arrive(game: &dyn Game, present: u32, added: &mut [f64]) -> f64 {
        let mut n_orders = 0.0;
        for player in (0..added.len()).filter(|player| present & (1 << player) == 0) {
            let together = present | (1 << player);
            let orders = arrive(game, together, added);
            added[player] += orders * (game.value(together) - game.value(present));
            n_orders += orders;
        }
        // The last arrival leaves one way to go on: none.
        f64::max(n_orders, 1.0)
    }
    let n = game.players();
    if n > N_ORDERED_PLAYERS_MAX {
        return None;
    }
    let mut added = vec![0.0; n];
    let n_orders = arrive(game, 0, &mut added);
    added.iter_mut().for_each(|sum| *sum /= n_orders);
    Some(added)
}

/// The players of a coalition.
fn members(coalition: u32, n_players: usize) -> impl Iterator<Item = usize> {
    (0..n_players).filter(move |player| coalition & (1 << player) != 0)
}

/// `n` over `k`, exact as long as it and its factors stay below 2^53.
fn choose(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64)
}

#[cfg(test)]
mod tests;
