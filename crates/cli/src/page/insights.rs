//! What the decisions of an action type are worth.

use accredit::{Insights, ModelSummary};

use super::head::section;
use super::table::{Cell, Column, table};
use crate::screen::{Screen, Tone};
use crate::text;

/// Probability from which on an advantage is taken for chance.
const Q_MAX: f64 = 0.05;

/// The table, the most certain and largest first.
pub(crate) fn insights_page(insights: &Insights, limit: usize, screen: &Screen) -> String {
    let mut page = format!(
        "{}   {} learned from\n",
        screen.paint(Tone::Strong, &text::line(insights.action_type.as_str(), 60)),
        text::count(insights.n_actions, "action")
    );
    page.push_str(&match &insights.model {
        Some(model) => why_this_method(model, screen),
        None => screen.paint(Tone::Dim, "no model yet: complete actions of this type, then `accredit learn`") + "\n",
    });
    if insights.decisions.is_empty() {
        return page;
    }
    let columns = [
        Column::left("DECISION", 0).flexible(12),
        Column::left("SITUATION", 1).flexible(12),
        Column::right("ADVANTAGE", 0),
        Column::right("95 % INTERVAL", 2),
        Column::right("ACTIONS", 3),
        Column::right("CHANCE", 4),
    ];
    let rows: Vec<Vec<Cell>> = insights
        .decisions
        .iter()
        .take(limit)
        .map(|insight| {
            let tone = match insight {
                insight if !insight.identifiable || insight.q > Q_MAX => Tone::Dim,
                insight if insight.advantage < 0.0 => Tone::Bad,
                _ => Tone::Good,
            };
            let (advantage, interval) = if insight.identifiable {
                (format!("{:+.3}", insight.advantage), format!("[{:+.2}, {:+.2}]", insight.low, insight.high))
            } else {
                ("?".to_owned(), "never varied".to_owned())
            };
            vec![
                Cell::new(text::line(&insight.decision, 60)),
                Cell::new(insight.state.as_deref().map_or_else(|| "any".to_owned(), |state| text::line(state, 60))),
                Cell::toned(advantage, tone),
                Cell::toned(interval, tone),
                Cell::new(text::grouped(insight.n)),
                Cell::new(chance(insight.q)),
            ]
        })
        .collect();
    page.push('\n');
    page.push_str(&table(&columns, &rows, screen));
    let n_left = insights.decisions.len().saturating_sub(limit);
    if n_left > 0 {
        page.push_str(&format!("{}\n", screen.paint(Tone::Dim, &format!("… {n_left} more: --limit N"))));
    }
    if let Some(first) = insights.decisions.first().filter(|insight| insight.identifiable && insight.q <= Q_MAX) {
        let verb = if first.advantage < 0.0 { "lowers" } else { "raises" };
        let state = first.state.as_ref().map_or_else(String::new, |state| format!(" in `{}`", text::line(state, 40)));
        page.push_str(&format!(
            "\n`{}`{state} {verb} the expected reward by {:.2} [{:.2}, {:.2}], n = {}",
            text::line(&first.decision, 40),
            first.advantage.abs(),
            first.low.abs().min(first.high.abs()),
            first.low.abs().max(first.high.abs()),
            first.n
        ));
        if let Some(example) = first.examples.first() {
            page.push_str(&format!("; see `accredit why {example}`"));
        }
        page.push('\n');
    }
    page
}

/// A probability, cut at its small end.
fn chance(q: f64) -> String {
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
