//! Trees of actions, flat: nothing recurses, ten thousand levels work.

use std::collections::{BTreeMap, HashMap};

use accredit_credit::TreeInput;
use accredit_model::{Action, ActionId, ActionType, AgentId, Status, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Inner;
use crate::{Engine, Error};

/// An action with all below it, and how the root's outcome is shared among their steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// The action at the top.
    pub root: ActionId,
    /// All actions, parents before their children.
    pub nodes: Vec<TreeNode>,
    /// The shares summed by agent, the largest first.
    pub agents: Vec<AgentCredit>,
}

/// One action in a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeNode {
    /// The action.
    pub action_id: ActionId,
    /// The action that it is part of.
    pub parent_action_id: Option<ActionId>,
    /// 0 for the root.
    pub depth: u64,
    /// Who acts.
    pub agent_id: AgentId,
    /// What kind of work it is.
    pub action_type: ActionType,
    /// Open or closed.
    pub status: Status,
    /// The verdict that stands.
    pub verdict: Option<Verdict>,
    /// The success score that stands.
    pub success_score: Option<f64>,
    /// Index, among the parent's steps, of the step during which it began; `null` for the root and where the parent
    /// has no step.
    pub parent_step: Option<u64>,
    /// Share of the root's outcome that this action and all below it hold.
    pub credit: f64,
    /// Share of the root's outcome of each of its own steps, after handing down to children. All shares of a tree sum
    /// to 1.
    pub credits: Vec<f64>,
}

/// What one agent holds of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentCredit {
    /// The agent.
    pub agent_id: AgentId,
    /// Share of the root's outcome, over all its steps in the tree.
    pub credit: f64,
}

impl Engine {
    /// The tree below an action. The credit of open actions is what it would be if nothing else came.
    ///
    /// # Errors
    /// When the action is unknown or the tree cannot be read.
    pub fn tree(&self, id: ActionId) -> Result<Tree, Error> {
        self.inner.tree(id)
    }
}

struct Grown {
    action: Action,
    parent: Option<usize>,
    parent_step: Option<usize>,
    depth: u64,
    credits: Vec<f64>,
}

impl Inner {
    fn tree(&self, root: ActionId) -> Result<Tree, Error> {
        let grown = self.grow(self.action(root)?)?;
        let inputs: Vec<TreeInput<'_>> = grown
            .iter()
            .map(|node| TreeInput { parent: node.parent, parent_step: node.parent_step, credits: &node.credits })
            .collect();
        let shares = accredit_credit::tree_credit(&inputs);
        let mut agents: BTreeMap<AgentId, f64> = BTreeMap::new();
        let mut nodes = Vec::with_capacity(grown.len());
        for (node, share) in grown.iter().zip(shares) {
            *agents.entry(node.action.agent_id.clone()).or_default() += share.credits.iter().sum::<f64>();
            nodes.push(TreeNode {
                action_id: node.action.action_id,
                parent_action_id: node.action.parent_action_id,
                depth: node.depth,
                agent_id: node.action.agent_id.clone(),
                action_type: node.action.action_type.clone(),
                status: node.action.status,
                verdict: node.action.verdict,
                success_score: node.action.success_score,
                parent_step: node.parent_step.map(|step| step as u64),
                credit: share.credit,
                credits: share.credits,
            });
        }
        let mut agents: Vec<AgentCredit> =
            agents.into_iter().map(|(agent_id, credit)| AgentCredit { agent_id, credit }).collect();
        agents.sort_by(|a, b| b.credit.total_cmp(&a.credit));
        Ok(Tree { root, nodes, agents })
    }

    /// All actions below, level by level.
    fn grow(&self, root: Action) -> Result<Vec<Grown>, Error> {
        let mut seen: HashMap<ActionId, usize> = HashMap::from([(root.action_id, 0)]);
        let credits = self.own_credits(&root)?;
        let mut grown = vec![Grown { action: root, parent: None, parent_step: None, depth: 0, credits }];
        let mut next = 0;
        while let Some(node) = grown.get(next) {
            let depth = node.depth + 1;
            let children = self.store.children(node.action.action_id)?;
            let steps = self.steps_during(&node.action, &children)?;
            for (child, parent_step) in children.into_iter().zip(steps) {
                if seen.insert(child.action_id, grown.len()).is_none() {
                    let credits = self.own_credits(&child)?;
                    grown.push(Grown { action: child, parent: Some(next), parent_step, depth, credits });
                }
            }
            next += 1;
        }
        Ok(grown)
    }

    fn own_credits(&self, action: &Action) -> Result<Vec<f64>, Error> {
        match action.status {
            _ if action.step_count == 0 => Ok(Vec::new()),
            Status::Open => self.credits_so_far(action, &self.stored_chain(action.action_id)?),
            Status::Closed(_) => Ok(self.attribution(action.action_id, None)?.credits),
        }
    }

    /// The parent's step during which each child began: the last one that the parent had recorded by then. Where the
    /// parent was not open here, the times of the steps tell.
    fn steps_during(&self, parent: &Action, children: &[Action]) -> Result<Vec<Option<usize>>, Error> {
        if parent.step_count == 0 {
            return Ok(vec![None; children.len()]);
        }
        let mut times = None;
        let mut steps = Vec::with_capacity(children.len());
        for child in children {
            let recorded = match child.parent_step_count {
                Some(n) => usize::try_from(n).unwrap_or(usize::MAX),
                None => {
                    if times.is_none() {
                        let entries = self.stored_chain(parent.action_id)?.entries()?;
                        let of_steps = entries.iter().filter(|entry| entry.step().is_some());
                        times = Some(of_steps.map(accredit_model::Entry::time).collect::<Vec<_>>());
                    }
                    let times = times.as_deref().unwrap_or_default();
                    times.iter().take_while(|time| **time <= child.begun_at).count()
                }
            };
            steps.push(Some(recorded.saturating_sub(1)));
        }
        Ok(steps)
    }
}
