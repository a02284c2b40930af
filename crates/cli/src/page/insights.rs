//! What the decisions of an action type are worth.

use accredit::{DecisionInsight, Insights, ModelSummary};
use accredit_model::ActionId;

use super::head::section;
use super::table::{Cell, Column, table_in_parts};
use crate::screen::{Screen, Tone};
use crate::text;

/// Probability from which on an advantage is taken for chance.
const Q_MAX: f64 = 0.05;

/// Characters of an id's end, by which an action is found: the beginnings of ids made at one time are all alike.
const ENDING: usize = 8;

const COLUMNS: [Column; 7] = [
    Column::left("DECISION", 0).flexible(12),
    Column::left("SITUATION", 1).flexible(12),
    Column::right("ADVANTAGE", 0),
    Column::right("95 % INTERVAL", 3),
    Column::right("ACTIONS", 4),
    Column::right("CHANCE", 5),
    Column::left("SHOWN BY", 2),
];

/// The table, the most certain and largest first.
pub(crate) fn insights_page(insights: &Insights, limit: usize, screen: &Screen) -> String {
    let mut page = format!(
        "{}   {} learned from\n",
        screen.paint(Tone::Strong, &text::line(insights.action_type.as_str(), screen.width.saturating_sub(30))),
        text::count(insights.n_actions, "action")
    );
    page.push_str(&match &insights.model {
        Some(model) => why_this_method(model, screen),
        None => screen.paint(Tone::Dim, "no model yet: complete actions of this type, then `accredit learn`") + "\n",
    });
    let told = told(&insights.decisions);
    if told.is_empty() {
        return page;
    }
    let shown = told.get(..limit.min(told.len())).unwrap_or_default();
    let rows = |kind: Kind| -> Vec<Vec<Cell>> {
        shown.iter().filter(|insight| Kind::of(insight) == kind).map(|insight| row(insight, kind)).collect()
    };
    let (sure, chance, unknown) = (rows(Kind::Sure), rows(Kind::Chance), rows(Kind::Unknown));
    page.push('\n');
    page.push_str(&table_in_parts(
        &COLUMNS,
        &[
            ("", &sure),
            ("these may be chance:", &chance),
            ("of these nobody can know: nothing else was ever done there", &unknown),
        ],
        screen,
    ));
    if told.len() > shown.len() {
        let more = format!("… {} more: --limit N", told.len() - shown.len());
        page.push_str(&format!("{}\n", screen.paint(Tone::Dim, &more)));
    }
    match shown.first().filter(|insight| Kind::of(insight) == Kind::Sure) {
        Some(first) => page.push_str(&in_words(first, screen)),
        None => page.push_str(&format!("\n`accredit why` with the end of an id under {} shows it\n", "SHOWN BY")),
    }
    page
}

/// How much is known of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sure,
    Chance,
    Unknown,
}

impl Kind {
    fn of(insight: &DecisionInsight) -> Self {
        match insight {
            insight if !insight.identifiable => Self::Unknown,
            insight if insight.q > Q_MAX => Self::Chance,
            _ => Self::Sure,
        }
    }
}

/// The rows for people: of a decision that was made in one situation alone, the one row says what both do.
fn told(decisions: &[DecisionInsight]) -> Vec<&DecisionInsight> {
    let is_said = |all: &DecisionInsight| {
        decisions.iter().any(|one| one.state.is_some() && one.decision == all.decision && one.n == all.n)
    };
    decisions.iter().filter(|insight| insight.state.is_some() || !is_said(insight)).collect()
}

fn row(insight: &DecisionInsight, kind: Kind) -> Vec<Cell> {
    let tone = match kind {
        Kind::Sure if insight.advantage < 0.0 => Tone::Bad,
        Kind::Sure => Tone::Good,
        Kind::Chance | Kind::Unknown => Tone::Dim,
    };
    let (advantage, interval, chance) = match kind {
        Kind::Unknown => ("?".to_owned(), String::new(), String::new()),
        _ => (
            format!("{:+.3}", insight.advantage),
            format!("[{:+.2}, {:+.2}]", insight.low, insight.high),
            probability(insight.q),
        ),
    };
    let examples: Vec<String> = insight.examples.iter().map(ending).collect();
    vec![
        Cell::new(text::line(&insight.decision, 60)),
        Cell::new(insight.state.as_deref().map_or_else(|| "any".to_owned(), |state| text::line(state, 60))),
        Cell::toned(advantage, tone),
        Cell::toned(interval, tone),
        Cell::new(text::grouped(insight.n)),
        Cell::new(chance),
        Cell::toned(examples.join(" "), Tone::Dim),
    ]
}

/// The first row as a sentence, and how to see the actions that show it.
fn in_words(insight: &DecisionInsight, screen: &Screen) -> String {
    let DecisionInsight { low, high, n, .. } = *insight;
    let (verb, least, most) = if insight.advantage < 0.0 { ("lowers", -high, -low) } else { ("raises", low, high) };
    let state = insight.state.as_ref().map_or_else(String::new, |state| format!(" in `{}`", text::line(state, 40)));
    let words = format!(
        "`{}`{state} {verb} the expected reward by {:.2} [{least:.2}, {most:.2}], n = {n}",
        text::line(&insight.decision, 40),
        insight.advantage.abs(),
    );
    let examples: Vec<String> = insight.examples.iter().map(|id| format!("`accredit why {}`", ending(id))).collect();
    let see = if examples.is_empty() { String::new() } else { format!("see {}", examples.join(" and ")) };
    // The commands stand on a line of their own: a wrapped one cannot be copied.
    let lines = [words, see].map(|words| text::wrap(&words, screen.width, usize::MAX).join("\n"));
    format!("\n{}\n", lines.join("\n").trim_end())
}

/// The end of an id.
fn ending(id: &ActionId) -> String {
    let id = id.to_string();
    id.get(id.len().saturating_sub(ENDING)..).unwrap_or(&id).to_owned()
}

/// A probability, cut at its small end.
fn probability(q: f64) -> String {
    if q < 0.001 { "<0.001".to_owned() } else { format!("{q:.3}") }
}

/// One model, and why its method was chosen.
pub(crate) fn why_this_method(model: &ModelSummary, screen: &Screen) -> String {
    let title = format!("model {}: {}", model.version, model.method);
    let mut page = section(&title, &format!("fitted on {}", text::count(model.n_actions, "action")), screen);
    for line in text::wrap(&model.reason, screen.width.saturating_sub(2), 6) {
        page.push_str(&format!("  {line}\n"));
    }
    page
}
