//! `accredit top` for people.

use accredit_model::{Action, Stats};

use super::head::section;
use super::list::{ids, verdict};
use super::table::{Cell, Column, table};
use crate::screen::{Screen, Tone};
use crate::text;

/// One look at a store.
pub(crate) struct TopPage<'a> {
    /// What is looked at.
    pub(crate) place: &'a str,
    /// The counters.
    pub(crate) stats: &'a Stats,
    /// The counters of an earlier look, and how long ago it was in seconds.
    pub(crate) before: Option<(&'a Stats, f64)>,
    /// Open actions, the last heard of first.
    pub(crate) open: &'a [Action],
    /// Closed actions, the last closed first.
    pub(crate) closed: &'a [Action],
}

/// The page.
pub(crate) fn top_page(top: &TopPage<'_>, screen: &Screen) -> String {
    let Stats { begun, open, completed, timed_out, evicted, cancelled, .. } = top.stats;
    let time = text::time(screen.now);
    let mut page = format!("{}  {}\n", screen.paint(Tone::Strong, top.place), screen.paint(Tone::Dim, &time));
    let actions = [
        ("begun", *begun),
        ("open", *open),
        ("completed", *completed),
        ("timed out", *timed_out),
        ("evicted", *evicted),
        ("cancelled", *cancelled),
    ];
    page.push_str(&counters("actions", &actions, screen));
    let entries = [
        ("received", top.stats.received),
        ("steps", top.stats.steps),
        ("observations", top.stats.observations),
        ("repeated", top.stats.repeated),
        ("refused", top.stats.refused_total),
    ];
    page.push_str(&counters("entries", &entries, screen));
    let deliveries = [
        ("owed", top.stats.experiences),
        ("delivered", top.stats.delivered),
        ("pending", top.stats.pending),
        ("dead", top.stats.dead),
    ];
    page.push_str(&counters("deliveries", &deliveries, screen));
    if let Some((before, seconds)) = top.before.filter(|(_, seconds)| *seconds > 0.0) {
        let rate = |now: u64, then: u64| text::number(precise(now.saturating_sub(then)) / seconds);
        let line = format!(
            "{} begun, {} steps, {} observations",
            rate(*begun, before.begun),
            rate(top.stats.steps, before.steps),
            rate(top.stats.observations, before.observations)
        );
        page.push_str(&super::head::field("per second", &line, 1, screen));
    }
    if !top.stats.refused.is_empty() {
        let reasons = top.stats.refused.iter().map(|(reason, n)| format!("{reason} {}", text::grouped(*n)));
        page.push_str(&super::head::field("refused", &reasons.collect::<Vec<_>>().join(", "), 2, screen));
    }
    page.push_str(&open_actions(top.open, screen));
    page.push_str(&closed_actions(top.closed, screen));
    page
}

#[expect(clippy::cast_precision_loss, reason = "counters of this world stay below 2^53")]
const fn precise(n: u64) -> f64 {
    n as f64
}

/// `actions      12 begun, 3 open, 9 completed`: zeros are left out but for the first two.
fn counters(label: &str, counters: &[(&str, u64)], screen: &Screen) -> String {
    let shown = counters.iter().enumerate().filter(|(at, (_, n))| *at < 2 || *n > 0);
    let shown: Vec<String> = shown.map(|(_, (name, n))| format!("{} {name}", text::grouped(*n))).collect();
    super::head::field(label, &shown.join(", "), 2, screen)
}

fn open_actions(open: &[Action], screen: &Screen) -> String {
    if open.is_empty() {
        return section("open", "none", screen);
    }
    let mut page = section("open", "the last heard of first", screen);
    let columns = [
        Column::left("id", 0),
        Column::left("agent", 1).flexible(10),
        Column::left("type", 2).flexible(12),
        Column::left("goal", 4).flexible(8),
        Column::right("age", 0),
        Column::right("idle", 0),
        Column::right("steps", 1),
        Column::right("obs", 5),
        Column::right("steps/min", 3),
    ];
    let rows = open.iter().zip(ids(open, false)).map(|(action, id)| {
        let age = screen.now.micros_since(action.begun_at);
        let minutes = precise(age.max(0).unsigned_abs()) / 60e6;
        let rate = if minutes > 0.0 { text::number(precise(action.step_count) / minutes) } else { String::new() };
        vec![
            Cell::toned(id, Tone::Dim),
            Cell::new(text::line(action.agent_id.as_str(), 64)),
            Cell::new(text::line(action.action_type.as_str(), 64)),
            Cell::new(text::line(action.goal_id.as_ref().map_or("", |goal| goal.as_str()), 64)),
            Cell::new(text::span(age)),
            Cell::new(text::span(screen.now.micros_since(action.last_activity_at))),
            Cell::new(text::grouped(action.step_count)),
            Cell::new(text::grouped(action.observation_count)),
            Cell::new(rate),
        ]
    });
    page.push_str(&table(&columns, &rows.collect::<Vec<_>>(), screen));
    page
}

fn closed_actions(closed: &[Action], screen: &Screen) -> String {
    if closed.is_empty() {
        return section("closed", "none", screen);
    }
    let mut page = section("closed", "the last first", screen);
    let columns = [
        Column::left("id", 0),
        Column::left("closed", 0),
        Column::left("agent", 1).flexible(10),
        Column::left("type", 2).flexible(12),
        Column::left("goal", 4).flexible(8),
        Column::left("verdict", 0),
        Column::right("score", 5),
        Column::right("steps", 3),
        Column::right("took", 6),
    ];
    let rows = closed.iter().zip(ids(closed, false)).map(|(action, id)| {
        vec![
            Cell::toned(id, Tone::Dim),
            Cell::new(action.closed_at.map(|at| text::ago(at, screen.now)).unwrap_or_default()),
            Cell::new(text::line(action.agent_id.as_str(), 64)),
            Cell::new(text::line(action.action_type.as_str(), 64)),
            Cell::new(text::line(action.goal_id.as_ref().map_or("", |goal| goal.as_str()), 64)),
            verdict(action),
            Cell::new(action.success_score.map(text::number).unwrap_or_default()),
            Cell::new(text::grouped(action.step_count)),
            Cell::new(action.duration_seconds.map(text::seconds).unwrap_or_default()),
        ]
    });
    page.push_str(&table(&columns, &rows.collect::<Vec<_>>(), screen));
    page
}
