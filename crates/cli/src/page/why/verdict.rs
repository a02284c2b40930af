//! What decided: expectation, criteria, outcome, and whose word it was.

use accredit_model::{CriterionVerdict, Experience, Grounding, Source};
use serde_json::Value;

use super::Explanation;
use crate::page::head::{field, label_columns, labelled};
use crate::screen::{Screen, Tone};
use crate::text;

/// Expected keys and criteria that are shown, each.
const ITEMS_MAX: usize = 20;

/// The lines between the head and the credit.
pub(super) fn lines(why: &Explanation, screen: &Screen) -> String {
    let Experience { action, attribution, .. } = &why.experience;
    let mut page = String::new();
    let closing = attribution.closing.code().replace('_', " ");
    let took = action.duration_seconds.map(text::seconds).unwrap_or_default();
    page.push_str(&field("begun", &text::time(action.begun_at), 1, screen));
    let version = match action.version {
        0 | 1 => String::new(),
        latest => format!(", version {} of {latest}", attribution.version),
    };
    page.push_str(&field("closed", &format!("{closing} after {took}{version}"), 2, screen));
    for version in &why.versions {
        let reward = version.reward.map(|reward| format!(", reward {}", text::number(reward))).unwrap_or_default();
        let reason = version.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let score = text::number(version.success_score);
        let line = format!("{}, score {score}{reward}{reason}", version.verdict.code());
        page.push_str(&field(&format!("  version {}", version.version), &line, 2, screen));
    }
    page.push_str(&field("rests on", grounding(why), 2, screen));
    page.push_str(&field("credit by", &super::evidence(attribution), 2, screen));
    if !attribution.judged.is_empty() {
        let steps = text::count(attribution.judged.len() as u64, "step");
        page.push_str(&field(
            "judged",
            &format!("{steps} by people or judges, whose word outranks every estimate"),
            2,
            screen,
        ));
    }
    if let Some(stands) = &why.stands {
        let what =
            format!("computed now and stored nowhere; version {}, which stands, is by {stands}", attribution.version);
        page.push_str(&field("what if", &what, 2, screen));
    }
    if let Some(reason) = &attribution.selection_reason {
        page.push_str(&field("because", reason, 3, screen));
    }
    let mut items: Vec<String> = Vec::new();
    for item in &attribution.expectation {
        let expected = action.expected_outcome.get(&item.key).map(matcher).unwrap_or_default();
        let words = format!("{} {expected}", item.key);
        items.push(marked(if item.matched { Mark::Met } else { Mark::Missed }, &words, item.source, screen));
    }
    page.push_str(&some("expected", items, screen));
    let items = attribution.criteria.iter().map(|item| {
        let mark = match item.result {
            CriterionVerdict::Pass => Mark::Met,
            CriterionVerdict::Fail => Mark::Missed,
            CriterionVerdict::Unevaluable => Mark::Open,
        };
        marked(mark, &item.criterion, item.source, screen)
    });
    page.push_str(&some("criteria", items.collect(), screen));
    if !attribution.outcome.is_empty() {
        let pairs = attribution.outcome.iter().map(|(key, value)| format!("{key}={}", crate::import::plain(value)));
        page.push_str(&field("outcome", &pairs.collect::<Vec<_>>().join(", "), 3, screen));
    }
    page
}

fn some(label: &str, mut items: Vec<String>, screen: &Screen) -> String {
    if items.len() > ITEMS_MAX {
        let more = items.len() - ITEMS_MAX;
        items.truncate(ITEMS_MAX);
        items.push(format!("… {more} more"));
    }
    labelled(label, &items, screen)
}

const fn grounding(why: &Explanation) -> &'static str {
    if !why.experience.attribution.evaluated {
        return "nothing: there was nothing to judge by";
    }
    match why.experience.attribution.grounding {
        Grounding::Claimed => "claimed: only the agent's own word",
        Grounding::Observed => "observed: an observation supplied a deciding value",
        Grounding::Judged => "judged: a person or a judge decided",
    }
}

enum Mark {
    Met,
    Missed,
    Open,
}

/// `✓ reward ≥ 1        observed`, the source flush right where there is room.
fn marked(mark: Mark, words: &str, source: Source, screen: &Screen) -> String {
    let (mark, tone) = match mark {
        Mark::Met => ("✓", Tone::Good),
        Mark::Missed => ("✗", Tone::Bad),
        Mark::Open => ("?", Tone::Warn),
    };
    let source = match source {
        Source::Missing => "no value",
        Source::Claimed => "claimed",
        Source::Observed => "observed",
        Source::Judged => "judged",
    };
    let room = screen.width.saturating_sub(label_columns(screen) + 2 + 2 + source.len());
    let words = text::line(words, room);
    format!("{} {words}  {}", screen.paint(tone, mark), screen.paint(Tone::Dim, source))
}

/// An expected value or matcher, as one reads it: `≥ 0.93`, `≈ 0.9`, `= true`.
fn matcher(expected: &Value) -> String {
    let Some(object) = expected.as_object() else { return format!("= {}", crate::import::plain(expected)) };
    let operator = |name: &str| {
        Some(match name {
            "$gte" => "≥",
            "$gt" => ">",
            "$lte" => "≤",
            "$lt" => "<",
            "$eq" => "=",
            "$ne" => "≠",
            "$in" => "in",
            "$regex" => "matches",
            "$near" => "≈",
            _ => return None,
        })
    };
    let parts = object.iter().map(|(name, value)| {
        let value = crate::import::plain(value);
        operator(name).map_or_else(|| format!("{name} {value}"), |sign| format!("{sign} {value}"))
    });
    let parts: Vec<String> = parts.collect();
    if object.keys().any(|name| name.starts_with('$')) { parts.join(", ") } else { format!("= {expected}") }
}
