//! Games whose players stand in a tree.

use super::{Coalition, EXACT_PLAYERS_MAX, PERMUTATIONS_MIN, Sampling, binomial, bits, contributions};
use crate::Moments;
use crate::random::Random;

/// Evaluations that an exact solution takes at most.
const EVALUATIONS_MAX: usize = 1 << 20;

/// What each node of a tree of players is worth, in units of the value function.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelShares {
    /// Per node: of a leaf its own share, of another node the sum of those below it. The root's is
    /// `v(everybody) - v(nobody)`; a node that is not part of the tree has 0.
    pub shares: Vec<f64>,
    /// Per node: the standard error of the share; 0 where it is exact.
    pub std_errors: Vec<f64>,
    /// The players: the leaf that each number in a [`Coalition`] stands for, in increasing order.
    pub players: Vec<usize>,
    /// How many permutations were drawn; 0 where the shares are exact.
    pub n_permutations: usize,
}

/// The levels structure value: the Shapley value of a game whose players belong to unions, which belong to unions
/// themselves, and so on: agents that were begun by agents that were begun by agents.
///
/// `φ_i = Σ_{S_1} … Σ_{S_d} Π_k w(m_k, |S_k|) · (v(Q ∪ {i}) - v(Q))`
///
/// with `w(m, s) = s! (m-s-1)! / m!`, `a_0 … a_d` the path from the root to leaf `i`, `m_k` the children of `a_{k-1}`,
/// `S_k` any set of them without `a_k`, and `Q` the leaves below all `S_k` (Winter, "A value for cooperative games with
/// levels structure of cooperation", 1989). It is the mean contribution over all orders in which the leaves below every
/// node stay together. `v` is any real function of sets of leaves, and `φ` is in units of it. Efficient at each level: the
/// children of a node sum to the node's share, and those of the root have the [`shapley`](super::shapley) values of the game
/// between them. It reduces to [`shapley`](super::shapley) where all leaves are children of the root, and to
/// [`owen`](super::owen) where they are its grandchildren.
///
/// `parents` names each node's parent, which stands before it; the first node is the root, whatever it names. The leaves
/// are the players. Another node without a parent before it is not part of the tree, nor is what is below it. An action
/// that worked itself and began others is an inner node with one more leaf, for its own work.
///
/// Exact while, for each node, its children and the siblings of all nodes on the path to it, its own included, are together
/// at most 15, and no more than 2^20 evaluations of `v` are needed: 2 to the power of that number for each node with
/// several children. Above by antithetic sampling as in [`shapley`](super::shapley), over permutations of the children of
/// every node: one evaluation a leaf each, efficient at each level too. O(nodes) memory and no recursion: 10,000 levels
/// work.
#[must_use]
pub fn winter(parents: &[Option<usize>], value: impl Fn(&Coalition) -> f64, sampling: Sampling) -> LevelShares {
    let tree = Tree::of(parents);
    if tree.players.is_empty() {
        let nothing = vec![0.0; parents.len()];
        return LevelShares { shares: nothing.clone(), std_errors: nothing, players: tree.players, n_permutations: 0 };
    }
    let nobody = value(&Coalition::empty(tree.players.len()));
    let everybody = value(&tree.coalition(&[0]));
    if tree.is_small() {
        let shares = tree.exact(everybody - nobody, &value);
        let std_errors = vec![0.0; parents.len()];
        return LevelShares { shares, std_errors, players: tree.players, n_permutations: 0 };
    }
    tree.sample((nobody, everybody), &value, sampling)
}

/// The tree, and where the leaves of each node are.
struct Tree {
    /// Per node: its parent; `None` for the root and for what is not part of the tree.
    parents: Vec<Option<usize>>,
    /// Per node: its children, in order.
    children: Vec<Vec<usize>>,
    /// The leaves, in order.
    players: Vec<usize>,
    /// Per node: its number among the players, where it is one.
    player: Vec<Option<usize>>,
    /// The players from left to right: those below one node stand together.
    in_order: Vec<usize>,
    /// Per node: which part of `in_order` is below it.
    below: Vec<std::ops::Range<usize>>,
}

impl Tree {
    fn of(given: &[Option<usize>]) -> Self {
        let n = given.len();
        let (mut parents, mut children) = (vec![None; n], vec![Vec::new(); n]);
        let mut is_part = vec![false; n];
        for (node, parent) in given.iter().enumerate() {
            let parent = parent.filter(|parent| node > 0 && *parent < node && is_part[*parent]);
            is_part[node] = node == 0 || parent.is_some();
            if let Some(parent) = parent {
                parents[node] = Some(parent);
                children[parent].push(node);
            }
        }
        let players: Vec<usize> = (0..n).filter(|node| is_part[*node] && children[*node].is_empty()).collect();
        let mut player = vec![None; n];
        players.iter().enumerate().for_each(|(number, node)| player[*node] = Some(number));
        let mut tree = Self { parents, children, players, player, in_order: Vec::new(), below: vec![0..0; n] };
        tree.in_order = tree.leaves_in_order(&tree.children);
        let mut place = vec![0; tree.players.len()];
        tree.in_order.iter().enumerate().for_each(|(at, player)| place[*player] = at);
        // Children stand behind their parents, so what is below a node is known before its parent is reached.
        for node in (0..n).rev().filter(|node| is_part[*node]) {
            tree.below[node] = match (tree.player[node], &tree.children[node][..]) {
                (Some(player), _) => place[player]..place[player] + 1,
                (None, [first, .., last]) => tree.below[*first].start..tree.below[*last].end,
                (None, [only]) => tree.below[*only].clone(),
                (None, []) => 0..0,
            };
        }
        tree
    }

    /// The players from left to right, the children of each node in this order.
    fn leaves_in_order(&self, children: &[Vec<usize>]) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.players.len());
        let mut waiting: Vec<usize> = if children.is_empty() { Vec::new() } else { vec![0] };
        while let Some(node) = waiting.pop() {
            order.extend(self.player[node]);
            waiting.extend(children[node].iter().rev());
        }
        order
    }

    fn coalition(&self, nodes: &[usize]) -> Coalition {
        let mut coalition = Coalition::empty(self.players.len());
        nodes.iter().for_each(|node| self.insert(&mut coalition, *node));
        coalition
    }

    fn insert(&self, coalition: &mut Coalition, node: usize) {
        self.in_order[self.below[node].clone()].iter().for_each(|player| coalition.insert(*player));
    }

    /// Whether an exact solution is within its bounds.
    fn is_small(&self) -> bool {
        let mut beside = vec![0_usize; self.parents.len()];
        let mut n_evaluations = 0_usize;
        for (node, children) in self.children.iter().enumerate().filter(|(_, children)| !children.is_empty()) {
            children.iter().for_each(|child| beside[*child] = beside[node] + children.len() - 1);
            let free = beside[node] + children.len();
            if children.len() > 1 {
                if free > EXACT_PLAYERS_MAX {
                    return false;
                }
                n_evaluations += 1 << free;
            }
        }
        n_evaluations <= EVALUATIONS_MAX
    }

    /// The share of each node: of the children of one node at a time, whatever of the others has arrived before.
    fn exact(&self, total: f64, value: &impl Fn(&Coalition) -> f64) -> Vec<f64> {
        let mut shares = vec![0.0; self.parents.len()];
        shares[0] = total;
        for (node, children) in self.children.iter().enumerate() {
            match &children[..] {
                [] => {}
                [only] => shares[*only] = shares[node],
                several => {
                    for (child, share) in several.iter().zip(self.among(node, several, value)) {
                        shares[*child] = share;
                    }
                }
            }
        }
        shares
    }

    /// The shares of the children of a node.
    fn among(&self, node: usize, children: &[usize], value: &impl Fn(&Coalition) -> f64) -> Vec<f64> {
        let others = self.beside_path(node);
        let n_others: usize = others.iter().map(Vec::len).sum();
        let others: Vec<(usize, usize)> =
            others.iter().enumerate().flat_map(|(level, nodes)| nodes.iter().map(move |node| (level, *node))).collect();
        let n_of_level = |level: usize| others.iter().filter(|(of, _)| *of == level).count() + 1;
        let levels: Vec<usize> = (0..others.last().map_or(0, |(level, _)| level + 1)).map(n_of_level).collect();
        let weights: Vec<f64> = (0..children.len()).map(|n_before| weight(children.len(), n_before)).collect();
        let mut shares = vec![0.0; children.len()];
        let mut values = vec![0.0; 1 << children.len()];
        for arrived in 0..1_usize << n_others {
            let mut before = Coalition::empty(self.players.len());
            let mut n_before = vec![0; levels.len()];
            for (level, other) in bits(arrived).map(|at| others[at]) {
                self.insert(&mut before, other);
                n_before[level] += 1;
            }
            let chance: f64 = levels.iter().zip(&n_before).map(|(n, n_before)| weight(*n, *n_before)).product();
            for (mask, slot) in values.iter_mut().enumerate() {
                let mut coalition = before.clone();
                bits(mask).for_each(|at| self.insert(&mut coalition, children[at]));
                *slot = value(&coalition);
            }
            for mask in 0..values.len() {
                let weight = chance * weights.get(mask.count_ones() as usize).copied().unwrap_or(0.0);
                for at in (0..children.len()).filter(|at| mask >> at & 1 == 0) {
                    shares[at] += weight * (values[mask | 1 << at] - values[mask]);
                }
            }
        }
        shares
    }

    /// The siblings of the nodes on the path to this one, its own included, level by level.
    fn beside_path(&self, node: usize) -> Vec<Vec<usize>> {
        let mut levels = Vec::new();
        let mut here = node;
        while let Some(parent) = self.parents[here] {
            let siblings: Vec<usize> = self.children[parent].iter().copied().filter(|child| *child != here).collect();
            if !siblings.is_empty() {
                levels.push(siblings);
            }
            here = parent;
        }
        levels
    }

    /// Antithetic sampling of orders in which what is below a node stays together.
    fn sample(self, ends: (f64, f64), value: &impl Fn(&Coalition) -> f64, sampling: Sampling) -> LevelShares {
        let n_pairs = sampling.n_permutations.max(PERMUTATIONS_MIN).div_ceil(2);
        let mut random = Random::new(sampling.seed);
        let mut shuffled = self.children.clone();
        let mut moments = vec![Moments::default(); self.parents.len()];
        for _ in 0..n_pairs {
            shuffled.iter_mut().for_each(|children| random.shuffle(children));
            let mut order = self.leaves_in_order(&shuffled);
            let mut pair = vec![0.0; self.players.len()];
            for _ in 0..2 {
                contributions(&order, ends, value, &mut pair);
                order.reverse();
            }
            let mut of_node = vec![0.0; self.parents.len()];
            self.players.iter().zip(pair).for_each(|(node, sum)| of_node[*node] = sum / 2.0);
            for node in (0..of_node.len()).rev() {
                if let Some(parent) = self.parents[node] {
                    of_node[parent] += of_node[node];
                }
                moments[node].add(of_node[node]);
            }
        }
        LevelShares {
            shares: moments.iter().map(|moments| moments.mean).collect(),
            std_errors: moments.iter().map(|moments| (moments.variance() / n_pairs as f64).sqrt()).collect(),
            players: self.players,
            n_permutations: 2 * n_pairs,
        }
    }
}

/// `w(m, s) = s! (m-s-1)! / m!`: how likely just these `s` of the others come before one of `m`.
fn weight(m: usize, s: usize) -> f64 {
    1.0 / (binomial(m - 1, s) * m as f64)
}

#[cfg(test)]
mod tests;
