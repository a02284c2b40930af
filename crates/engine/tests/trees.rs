//! Actions below actions, and the root's outcome on every step of them.

use std::collections::BTreeMap;

use accredit::{ActionId, Applied, Begin, Command, Filter, RefusalReason, Status, Step, Timestamp, Tree};
use serde_json::json;

use crate::support::{Rig, assert_close, begin, chosen_id, refusal_of, step};

fn child_of(parent: ActionId, agent: &str) -> Begin {
    Begin { parent_action_id: Some(parent), agent_id: agent.into(), ..begin() }
}

/// Every share is there once: those of the steps, those of the nodes, those of the agents.
fn assert_shared(tree: &Tree) {
    let of_steps = |of: &[f64]| of.iter().sum::<f64>();
    assert_close(tree.nodes.iter().map(|node| of_steps(&node.credits)).sum(), 1.0, 1e-9);
    assert_close(tree.agents.iter().map(|agent| agent.credit).sum(), 1.0, 1e-9);
    assert!(tree.agents.is_sorted_by(|a, b| a.credit >= b.credit), "{:?}", tree.agents);
    let mut agents: BTreeMap<&str, f64> = BTreeMap::new();
    for node in &tree.nodes {
        *agents.entry(node.agent_id.as_str()).or_default() += of_steps(&node.credits);
        let children =
            tree.nodes.iter().filter(|child| child.parent_action_id == Some(node.action_id) && child.depth > 0);
        assert_close(node.credit, of_steps(&node.credits) + children.map(|child| child.credit).sum::<f64>(), 1e-9);
    }
    assert_eq!(agents.len(), tree.agents.len());
    for agent in &tree.agents {
        assert_close(agent.credit, agents[agent.agent_id.as_str()], 1e-9);
    }
}

#[test]
fn the_step_during_which_a_child_began_hands_its_credit_down() {
    let rig = Rig::open();
    let root = rig.begin_with(Begin { agent_id: "lead".into(), ..begin() });
    rig.steps(root, 2);
    let searcher = rig.begin_with(child_of(root, "searcher"));
    rig.steps(searcher, 3);
    rig.steps(root, 1);
    let [writer, reviewer] = ["writer", "reviewer"].map(|agent| rig.begin_with(child_of(root, agent)));
    rig.steps(writer, 1);
    let helper = rig.begin_with(child_of(writer, "searcher"));
    rig.steps(helper, 2);
    rig.steps(reviewer, 1);
    for id in [helper, searcher, writer, reviewer] {
        rig.complete(id, &json!({"success": true}));
    }
    rig.steps(root, 1);
    let credits = rig.complete(root, &json!({"success": true})).credits;

    let tree = rig.engine.tree(root).unwrap();
    assert_shared(&tree);
    let node = |id: ActionId| tree.nodes.iter().find(|node| node.action_id == id).unwrap();
    assert_eq!(tree.nodes.iter().map(|node| node.depth).collect::<Vec<_>>(), [0, 1, 1, 1, 2]);
    assert_eq!([root, searcher, writer, helper].map(|id| node(id).parent_step), [None, Some(1), Some(2), Some(0)]);
    // The second step was the searcher; the third was the writer and the reviewer, in equal parts.
    let own = &node(root).credits;
    assert_eq!((own[0], own[1], own[2], own[3]), (credits[0], 0.0, 0.0, credits[3]));
    assert_close(node(searcher).credit, credits[1], 1e-12);
    assert_close(node(writer).credit, credits[2] / 2.0, 1e-12);
    assert_close(node(reviewer).credits[0], credits[2] / 2.0, 1e-12);
    // The writer's one step was its helper.
    assert_eq!(node(writer).credits, [0.0]);
    assert_close(node(helper).credit, node(writer).credit, 1e-12);
    let searchers = tree.agents.iter().find(|agent| agent.agent_id.as_str() == "searcher").unwrap();
    assert_close(searchers.credit, credits[1] + credits[2] / 2.0, 1e-12);
    // A tree may be asked for from any of its actions.
    let below = rig.engine.tree(writer).unwrap();
    assert_eq!((below.root, below.nodes.len(), below.nodes[0].parent_step), (writer, 2, None));
    assert_shared(&below);
    assert_eq!(rig.reopen().engine.tree(root).unwrap(), tree);
}

#[test]
fn the_credit_of_what_is_open_is_what_it_would_be() {
    let rig = Rig::open();
    let root = rig.begin();
    rig.steps(root, 2);
    let child = rig.begin_with(child_of(root, "searcher"));
    rig.steps(child, 5);
    let open = rig.engine.tree(root).unwrap();
    assert_shared(&open);
    assert!(open.nodes.iter().all(|node| node.status == Status::Open && node.verdict.is_none()));
    rig.complete(child, &json!({}));
    rig.complete(root, &json!({}));
    let closed = rig.engine.tree(root).unwrap();
    let credits = |tree: &Tree| tree.nodes.iter().map(|node| node.credits.clone()).collect::<Vec<_>>();
    assert_eq!(credits(&closed), credits(&open));
}

#[test]
fn actions_without_steps_pass_credit_on() {
    let rig = Rig::open();
    let root = rig.begin();
    let empty = rig.begin_with(child_of(root, "idle"));
    let worker = rig.begin_with(child_of(root, "worker"));
    rig.steps(worker, 4);
    let tree = rig.engine.tree(root).unwrap();
    assert_shared(&tree);
    let of = |id: ActionId| tree.nodes.iter().find(|node| node.action_id == id).unwrap().credit;
    assert_eq!((of(empty), of(worker)), (0.0, 1.0));
}

#[test]
fn a_parent_may_come_after_its_child() {
    let rig = Rig::open();
    let parent = chosen_id(1);
    let child = rig.begin_with(child_of(parent, "searcher"));
    rig.steps(child, 2);
    rig.complete(child, &json!({}));
    assert_eq!(rig.engine.action(child).unwrap().parent_action_id, Some(parent));
    let early = Timestamp::from_seconds(1_600_000_000.0);
    rig.begin_with(Begin { action_id: Some(parent), agent_id: "lead".into(), at: early, ..begin() });
    // The times that the client tells say during which step the child began.
    for seconds in [1_699_999_990.0, 1_699_999_999.0, 1_700_000_001.0] {
        let at = Timestamp::from_seconds(seconds);
        rig.engine.step(parent, Step { at, ..step("s") }).unwrap();
    }
    rig.complete(parent, &json!({}));
    let tree = rig.engine.tree(parent).unwrap();
    assert_shared(&tree);
    assert_eq!(tree.nodes.iter().map(|node| node.action_id).collect::<Vec<_>>(), [parent, child]);
    assert_eq!((tree.nodes[1].parent_step, tree.nodes[0].credits[1]), (Some(1), 0.0));
    assert_eq!(rig.engine.children(parent).unwrap().len(), 1);
    // Without its parent an action is the root of its own tree.
    assert_eq!(rig.engine.tree(child).unwrap().nodes[0].depth, 0);
}

#[test]
fn nobody_is_their_own_ancestor() {
    let rig = Rig::open();
    let begun = |id: u64, parent: u64| {
        let parent_action_id = Some(chosen_id(parent));
        rig.engine.begin(Begin { action_id: Some(chosen_id(id)), parent_action_id, ..begin() })
    };
    assert_eq!(refusal_of(begun(1, 1)), RefusalReason::ParentCycle);
    begun(1, 2).unwrap();
    begun(2, 3).unwrap();
    begun(3, 4).unwrap();
    assert_eq!(refusal_of(begun(4, 1)), RefusalReason::ParentCycle);
    assert_eq!(refusal_of(begun(4, 3)), RefusalReason::ParentCycle);
    begun(4, 5).unwrap();
    let listed = rig.engine.list(&Filter::default(), 10, None).unwrap().actions;
    assert_eq!(listed.len(), 4, "what was refused is not there");
    assert_eq!(rig.engine.tree(chosen_id(4)).unwrap().nodes.len(), 4);
}

#[test]
fn one_step_may_have_many_children() {
    let rig = Rig::open();
    let root = rig.begin();
    rig.steps(root, 1);
    let commands = (0..500).flat_map(|n| {
        let begin = Begin { action_id: Some(chosen_id(n)), ..child_of(root, "worker") };
        [Command::Begin(begin), Command::Step { action_id: chosen_id(n), step: step("s") }]
    });
    assert_eq!(rig.engine.apply(commands.map(Ok).collect()).len(), 1_000);
    let tree = rig.engine.tree(root).unwrap();
    assert_shared(&tree);
    assert!(tree.nodes.iter().skip(1).all(|node| (node.credit - 1.0 / 500.0).abs() < 1e-12));
}

#[test]
fn ten_thousand_levels_work() {
    const LEVELS: u64 = 10_000;
    let rig = Rig::open();
    let commands = (0..LEVELS).flat_map(|n| {
        // The first one's parent has not come yet.
        let parent = chosen_id(n.checked_sub(1).unwrap_or(LEVELS));
        let begin = Begin { action_id: Some(chosen_id(n)), ..child_of(parent, "planner") };
        let steps = ["a", "b"].map(|name| Command::Step { action_id: chosen_id(n), step: step(name) });
        std::iter::once(Command::Begin(begin)).chain(steps)
    });
    let applied = rig.engine.apply(commands.map(Ok).collect());
    assert!(
        applied.iter().all(|done| matches!(done, Applied::Begun(_) | Applied::Entry(_)) && done.reason().is_none())
    );
    rig.complete(chosen_id(0), &json!({"success": true}));
    let tree = rig.engine.tree(chosen_id(0)).unwrap();
    assert_eq!(tree.nodes.len() as u64, LEVELS);
    assert_eq!(tree.nodes.last().map(|node| (node.action_id, node.depth)), Some((chosen_id(LEVELS - 1), LEVELS - 1)));
    assert_close(tree.nodes.iter().flat_map(|node| &node.credits).sum(), 1.0, 1e-9);
    assert_close(tree.agents[0].credit, 1.0, 1e-9);
    // A ring is found however long the way around is.
    let ring = Begin { action_id: Some(chosen_id(LEVELS)), ..child_of(chosen_id(LEVELS - 1), "last") };
    assert_eq!(refusal_of(rig.engine.begin(ring)), RefusalReason::ParentCycle);
}
