//! Credit down a tree of actions.

/// One action of a tree, in a slice in which every parent stands before its children.
#[derive(Clone, Copy, Debug, Default)]
pub struct TreeInput<'a> {
    /// Where its parent stands in the slice: before this action. The first action is the root, whatever stands here;
    /// another one without a parent before it is not part of the tree and holds no share.
    pub parent: Option<usize>,
    /// Index, among the parent's steps, of the step during which it was begun. Not known means the first; beyond the
    /// end means the last.
    pub parent_step: Option<usize>,
    /// Its own credits: non-negative and summing to 1, or none where it has no steps.
    pub credits: &'a [f64],
}

/// What one action of a tree holds of the root's outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeShare {
    /// The share of the action and everything below it.
    pub credit: f64,
    /// The share of each of its own steps, after what was handed down.
    pub credits: Vec<f64>,
}

/// Splits the root's outcome over every step of every action below it.
///
/// `share(child) = credit(parent step) * share(parent) / n_children(parent step)`
///
/// A step during which children were begun is what they did: it hands them its whole credit, in equal parts, and keeps
/// nothing. An action without steps of its own hands all it has to its children, in equal parts. A child below which
/// there is no step at all takes no part. So the shares of all steps sum to 1 (within 1e-9) wherever there is a step.
///
/// Reduces to the root's own credits where no action has children. O(actions + steps), no recursion: 10,000 levels and
/// 100,000 children of one step both work.
#[must_use]
pub fn tree_credit(nodes: &[TreeInput<'_>]) -> Vec<TreeShare> {
    let has_steps = has_steps(nodes);
    let slots = Slots::of(nodes);
    let mut n_children = vec![0_u32; slots.len];
    let mut slot_of_parent = vec![None; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        if let Some(parent) = parent_of(index, node).filter(|_| has_steps[index]) {
            let slot = slots.slot(parent, nodes[parent].credits.len(), node.parent_step);
            n_children[slot] += 1;
            slot_of_parent[index] = Some(slot);
        }
    }
    // What each child of a slot is handed; filled before any child of it is reached.
    let mut handed = vec![0.0; slots.len];
    let mut shares = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let credit = match slot_of_parent[index] {
            Some(slot) => handed[slot],
            None if index == 0 && has_steps[0] => 1.0,
            None => 0.0,
        };
        let first = slots.first[index];
        if node.credits.is_empty() && n_children[first] > 0 {
            handed[first] = credit / f64::from(n_children[first]);
        }
        let mut credits: Vec<f64> = node.credits.iter().map(|own| own * credit).collect();
        for (step, credit) in credits.iter_mut().enumerate() {
            let n_children = n_children[first + step];
            if n_children > 0 {
                handed[first + step] = *credit / f64::from(n_children);
                *credit = 0.0;
            }
        }
        shares.push(TreeShare { credit, credits });
    }
    shares
}

/// The parent of a node that is part of the tree and not its root.
fn parent_of(index: usize, node: &TreeInput<'_>) -> Option<usize> {
    node.parent.filter(|&parent| parent < index)
}

/// Whether there is a step at or below each node.
fn has_steps(nodes: &[TreeInput<'_>]) -> Vec<bool> {
    let mut has_steps: Vec<bool> = nodes.iter().map(|node| !node.credits.is_empty()).collect();
    for (index, node) in nodes.iter().enumerate().rev() {
        if let Some(parent) = parent_of(index, node) {
            has_steps[parent] |= has_steps[index];
        }
    }
    has_steps
}

/// One place for each step of each node, and one for each node without steps.
struct Slots {
    first: Vec<usize>,
    len: usize,
}

impl Slots {
    fn of(nodes: &[TreeInput<'_>]) -> Self {
        let mut slots = Self { first: Vec::with_capacity(nodes.len()), len: 0 };
        for node in nodes {
            slots.first.push(slots.len);
            slots.len += node.credits.len().max(1);
        }
        slots
    }

    fn slot(&self, node: usize, n_steps: usize, step: Option<usize>) -> usize {
        self.first[node] + step.unwrap_or(0).min(n_steps.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
