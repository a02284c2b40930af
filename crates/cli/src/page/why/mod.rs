//! `accredit why` for people: what was asked, what came out, what the verdict rests on, and which steps earned it.

mod credit;
mod json;
mod verdict;

use accredit_model::{ActionId, ActionType, AgentId, Evidence, Experience, Status, Verdict, Version};
use serde_json::Value;

use super::bars::percent;
use super::chain::{self, StepView};
use super::head::{field, head, label_columns, labelled, section};
use super::table::{Cell, Column, table};
use crate::screen::{Screen, Tone};
use crate::text;

/// Everything that explains one action.
pub(crate) struct Explanation {
    /// The action, its chain, the attribution explained.
    pub(crate) experience: Experience,
    /// The actions begun by it.
    pub(crate) children: Vec<Child>,
    /// The versions, the last few, where there is more than one.
    pub(crate) versions: Vec<VersionLine>,
    /// The method that credited the version that stands, where the attribution is what another one would give.
    pub(crate) stands: Option<String>,
    /// Every step, however many.
    pub(crate) all: bool,
}

/// An action begun by the one explained.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Child {
    pub(crate) action_id: ActionId,
    pub(crate) agent_id: AgentId,
    pub(crate) action_type: ActionType,
    pub(crate) status: Status,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) success_score: Option<f64>,
    /// Index of the step during which it began.
    pub(crate) parent_step: Option<u64>,
    /// Its share of the credit of the action explained.
    pub(crate) credit: f64,
}

/// One version in a line.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct VersionLine {
    pub(crate) version: Version,
    pub(crate) verdict: Verdict,
    pub(crate) success_score: f64,
    pub(crate) reward: Option<f64>,
    pub(crate) reason: Option<String>,
}

/// Children that are listed.
const CHILDREN_MAX: usize = 20;

/// Columns of an attribute that shares a line with others.
const SHORT: usize = 40;

/// Lines of each write's arguments and of each item of an attribute.
const CALL_LINES: usize = 4;

/// Attributes that explain nothing here; `show --json` has them.
const QUIET: [&str; 3] = ["system", "file", "tools"];

impl Explanation {
    /// The same for programs.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        json::explanation(self)
    }

    fn steps(&self) -> Vec<StepView<'_>> {
        chain::steps(&self.experience.chain, &self.experience.attribution)
    }
}

/// The page.
#[must_use]
pub(crate) fn why_page(why: &Explanation, screen: &Screen) -> String {
    let steps = why.steps();
    let Experience { action, attribution, .. } = &why.experience;
    let mut page = head(action, Some(attribution), screen);
    page.push('\n');
    page.push_str(&verdict::lines(why, screen));
    page.push_str(&attributes(why, screen));
    page.push_str(&writes(&steps, screen));
    page.push_str(&credit::credit(&steps, attribution, why.all, screen));
    page.push_str(&credit::forecast(attribution, screen));
    page.push_str(&credit::mattered(&steps, attribution, screen));
    page.push_str(&children(&why.children, screen));
    page
}

/// What the method knew, in words.
pub(super) fn evidence(attribution: &accredit_model::Attribution) -> String {
    match (attribution.evidence, attribution.model_version) {
        (Evidence::None, _) => format!("{}: a prior, which knows nothing of other actions", attribution.method),
        (Evidence::Learned, Some(version)) => {
            format!("{}: learned from other actions, model {version}", attribution.method)
        }
        (Evidence::Learned, None) => format!("{}: learned from other actions", attribution.method),
    }
}

/// What was said of the action when it began: long texts wrapped, lists of objects item by item, the rest on one line.
fn attributes(why: &Explanation, screen: &Screen) -> String {
    let mut page = String::new();
    let mut short: Vec<String> = Vec::new();
    let attributes = &why.experience.action.attributes;
    let columns = screen.width.saturating_sub(label_columns(screen));
    for (name, value) in attributes.iter().filter(|(name, _)| !QUIET.contains(&name.as_str())) {
        let label = text::line(&name.replace('_', " "), 40);
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                page.push_str(&labelled(&label, &calls(items, columns), screen));
            }
            other => {
                let words = crate::import::readable(other);
                if text::width(&words) <= SHORT {
                    short.push(format!("{label}: {words}"));
                } else {
                    page.push_str(&labelled(&label, &text::wrap(&words, columns, CALL_LINES), screen));
                }
            }
        }
    }
    if short.is_empty() { page } else { format!("{}{page}", field("given", &short.join(", "), CALL_LINES, screen)) }
}

fn calls(items: &[Value], columns: usize) -> Vec<String> {
    const ITEMS_MAX: usize = 8;
    let mut lines: Vec<String> = Vec::new();
    for item in items.iter().take(ITEMS_MAX) {
        let item = text::wrap(&call(item), columns.saturating_sub(2), CALL_LINES);
        lines.extend(item.into_iter().enumerate().map(|(at, line)| if at == 0 { line } else { format!("  {line}") }));
    }
    if items.len() > ITEMS_MAX {
        lines.push(format!("… {} more", items.len() - ITEMS_MAX));
    }
    lines
}

/// A value that describes a call (`name` with `kwargs` or `arguments`) as one; any other as JSON.
fn call(value: &Value) -> String {
    let name = value.get("name").and_then(Value::as_str);
    match (name, value.get("kwargs").or_else(|| value.get("arguments"))) {
        (Some(name), Some(arguments)) => format!("{name}({})", crate::import::readable(arguments)),
        _ => crate::import::plain(value),
    }
}

/// The steps that changed the world or tried to, with what they did in full: where a harmful step hides.
fn writes(steps: &[StepView<'_>], screen: &Screen) -> String {
    const SHOWN: usize = 12;
    let notable: Vec<&StepView<'_>> = steps.iter().filter(|step| step.wrote() || step.error().is_some()).collect();
    if notable.is_empty() {
        return String::new();
    }
    let n_wrote = notable.iter().filter(|step| step.wrote()).count();
    let n_failed = notable.len() - n_wrote;
    let note = match (n_wrote, n_failed) {
        (0, _) => "nothing: what was tried went wrong".to_owned(),
        (_, 0) => text::count(n_wrote as u64, "step"),
        _ => format!("{}, and {n_failed} that went wrong", text::count(n_wrote as u64, "step")),
    };
    let mut page = section("changed the world", &note, screen);
    for view in notable.iter().take(SHOWN) {
        let tone = if view.error().is_some() { Tone::Bad } else { Tone::Warn };
        let mark = screen.paint(tone, view.mark());
        let words = format!("{}  {}", view.name(), arguments(view));
        let lines = text::wrap(&words, screen.width.saturating_sub(9), CALL_LINES);
        for (at, line) in lines.iter().enumerate() {
            let start = if at == 0 { format!("{:>4} {mark} ", view.index) } else { " ".repeat(9) };
            page.push_str(&format!("{start}{}\n", text::fit(line, screen.width.saturating_sub(9))));
        }
        if let Some(error) = view.error() {
            let said = chain::data(error, screen.width.saturating_sub(11));
            page.push_str(&format!(
                "{}{} {}\n",
                " ".repeat(7),
                screen.paint(Tone::Bad, "↳"),
                screen.paint(Tone::Bad, &said)
            ));
        }
    }
    if notable.len() > SHOWN {
        page.push_str(&format!("     … {} more\n", notable.len() - SHOWN));
    }
    page
}

/// All arguments of a step's call where the state has them, else its words.
fn arguments(view: &StepView<'_>) -> String {
    let state = view.step.state.as_ref().and_then(|state| state.to_value().ok());
    match state.as_ref().and_then(|state| state.get("arguments")) {
        Some(arguments) => crate::import::readable(arguments),
        None => view.words(400),
    }
}

fn children(children: &[Child], screen: &Screen) -> String {
    if children.is_empty() {
        return String::new();
    }
    let mut page = section(
        "children",
        &text::count(children.len() as u64, "action").replace("actions", "actions begun by it"),
        screen,
    );
    let columns = [
        Column::left("id", 0),
        Column::left("agent", 1).flexible(10),
        Column::left("type", 2).flexible(12),
        Column::left("verdict", 0),
        Column::right("score", 3),
        Column::right("begun in step", 4),
        Column::right("credit", 0),
    ];
    let rows = children.iter().take(CHILDREN_MAX).map(|child| {
        vec![
            Cell::toned(child.action_id.to_string(), Tone::Dim),
            Cell::new(text::line(child.agent_id.as_str(), 64)),
            Cell::new(text::line(child.action_type.as_str(), 64)),
            Cell::toned(child.verdict.map_or(child.status.code(), Verdict::code), Tone::of(child.verdict)),
            Cell::new(child.success_score.map(text::number).unwrap_or_default()),
            Cell::new(child.parent_step.map(|step| step.to_string()).unwrap_or_default()),
            Cell::new(percent(child.credit)),
        ]
    });
    page.push_str(&table(&columns, &rows.collect::<Vec<_>>(), screen));
    if children.len() > CHILDREN_MAX {
        page.push_str(&format!("… {} more\n", children.len() - CHILDREN_MAX));
    }
    page
}
