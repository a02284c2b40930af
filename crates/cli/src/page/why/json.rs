//! `accredit why --json`.

use accredit_model::Experience;
use serde_json::{Value, json};

use super::Explanation;

/// Steps named in `for` and `against`.
const MATTERED: usize = 5;

pub(super) fn explanation(why: &Explanation) -> Value {
    let Experience { action, attribution, .. } = &why.experience;
    let steps = why.steps();
    let rows: Vec<Value> = steps
        .iter()
        .map(|view| {
            json!({
                "index": view.index,
                "seq": view.entry.seq,
                "key": view.step.key,
                "description": view.step.description,
                "decision": view.step.decision,
                "confidence": view.step.confidence,
                "effect": view.step.effect,
                "error": view.error().is_some(),
                "credit": view.credit,
                "advantage": view.advantage,
                "judged": view.judged,
            })
        })
        .collect();
    // Under a prior there is no evidence for or against: the largest shares are named as what matters.
    let has_advantages = super::credit::has_advantages(attribution);
    let weight =
        |index: usize| if has_advantages { steps[index].advantage } else { steps[index].credit }.unwrap_or_default();
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)));
    let raised: Vec<usize> = order.iter().copied().filter(|index| weight(*index) > 0.0).take(MATTERED).collect();
    let lowered: Vec<usize> = order.iter().rev().copied().filter(|index| weight(*index) < 0.0).take(MATTERED).collect();
    json!({
        "action": action,
        "attribution": attribution,
        "evidence_note": super::evidence(attribution),
        "steps": rows,
        "for": raised,
        "against": lowered,
        "versions": why.versions,
        "children": why.children,
    })
}
