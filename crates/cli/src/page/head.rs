//! The lines with which every page about one action begins, and lines of a label and a value.

use accredit_model::{Action, Attribution, Status};

use crate::screen::{Screen, Tone};
use crate::text;

/// Columns of a label: more where there is room.
pub(super) const fn label_columns(screen: &Screen) -> usize {
    if screen.width < 90 { 13 } else { 18 }
}

/// Agent, type and goal; the id; how it stands.
pub(super) fn head(action: &Action, attribution: Option<&Attribution>, screen: &Screen) -> String {
    let mut names = vec![action.agent_id.as_str(), action.action_type.as_str()];
    names.extend(action.goal_id.as_ref().map(|goal| goal.as_str()));
    let names = text::line(&names.join(" · "), screen.width);
    let verdict = attribution.map(|it| it.verdict).or(action.verdict);
    let word = match (action.status, verdict) {
        (Status::Open, _) | (_, None) => action.status.code(),
        (_, Some(verdict)) => verdict.code(),
    };
    let mut line = screen.paint(Tone::of(verdict), word);
    if let Some(attribution) = attribution {
        let score = if attribution.evaluated { text::number(attribution.success_score) } else { "none".to_owned() };
        line.push_str(&format!("  score {score}"));
        if let Some(reward) = attribution.reward {
            line.push_str(&format!("  reward {}", text::number(reward)));
        }
    }
    format!(
        "{}\n{}\n{line}\n",
        screen.paint(Tone::Strong, &names),
        screen.paint(Tone::Dim, &action.action_id.to_string())
    )
}

/// A label and a value of at most `lines_max` lines beside it.
pub(super) fn field(label: &str, value: &str, lines_max: usize, screen: &Screen) -> String {
    let columns = screen.width.saturating_sub(label_columns(screen));
    let lines = text::wrap(value, columns, lines_max);
    labelled(label, &lines, screen)
}

/// A label and finished lines beside it.
pub(super) fn labelled(label: &str, lines: &[String], screen: &Screen) -> String {
    let mut page = String::new();
    let columns = label_columns(screen);
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let label = screen.paint(Tone::Dim, &text::left(&text::fit(label, columns - 1), columns));
        page.push_str(format!("{label}{line}").trim_end());
        page.push('\n');
    }
    page
}

/// The heading of a section.
pub(super) fn section(title: &str, note: &str, screen: &Screen) -> String {
    let note = text::fit(note, screen.width.saturating_sub(text::width(title) + 3));
    let line = format!("{}   {}", screen.paint(Tone::Strong, title), screen.paint(Tone::Dim, &note));
    format!("\n{}\n", line.trim_end())
}
