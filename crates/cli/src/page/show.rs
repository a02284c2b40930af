//! `accredit show` for people: the action, then its chain in order.

use accredit_model::{Action, Attribution, Entry, Observation, Timestamp};

use super::bars::percent;
use super::chain::{self, Block, FAILED, StepView, WROTE};
use super::head::{field, head, section};
use crate::import::is_error;
use crate::screen::{Screen, Tone};
use crate::text;

/// What to show.
pub(crate) struct ShowPage<'a> {
    /// The action.
    pub(crate) action: &'a Action,
    /// Its attribution, where it is closed.
    pub(crate) attribution: Option<&'a Attribution>,
    /// Its entries.
    pub(crate) chain: &'a [Entry],
    /// All of them, however many.
    pub(crate) all: bool,
}

/// Blocks shown at the beginning and at the end of a long chain.
const ENDS: usize = 20;

/// Observations shown under one step.
const GROUNDS_MAX: usize = 5;

/// Columns of the time.
const TIME: usize = 8;

/// The page.
#[must_use]
pub(crate) fn show_page(show: &ShowPage<'_>, screen: &Screen) -> String {
    let action = show.action;
    let mut page = head(action, show.attribution, screen);
    page.push_str(&field("begun", &begun(action, screen), 2, screen));
    if let Some(parent) = action.parent_action_id {
        let when = action.parent_step_count.map(|n| format!(", after {}", text::count(n, "step"))).unwrap_or_default();
        page.push_str(&field("part of", &format!("{parent}{when}"), 2, screen));
    }
    if !action.truncated.is_empty() {
        page.push_str(&field("cut", &format!("{:?}", action.truncated), 1, screen));
    }
    let blocks = chain::blocks(show.chain, show.attribution);
    let counts =
        format!("{}, {}", text::count(action.step_count, "step"), text::count(action.observation_count, "observation"));
    page.push_str(&section("chain", &format!("{counts}   {WROTE} changed the world   {FAILED} went wrong"), screen));
    let hidden = if show.all { 0 } else { blocks.len().saturating_sub(2 * ENDS + 1) };
    let hidden = if hidden == 0 { 0..0 } else { ENDS..blocks.len() - ENDS };
    let lines = Lines { begun_at: action.begun_at, closed: show.attribution.is_some(), screen };
    for (index, block) in blocks.iter().enumerate() {
        if index == hidden.start && !hidden.is_empty() {
            page.push_str(&screen.paint(Tone::Dim, &format!("  … {} more (--all)", hidden.len())));
            page.push('\n');
        }
        if !hidden.contains(&index) {
            lines.block(block, &mut page);
        }
    }
    page
}

fn begun(action: &Action, screen: &Screen) -> String {
    let mut text = format!("{} ({})", text::time(action.begun_at), text::ago(action.begun_at, screen.now));
    match (action.status.closing(), action.duration_seconds) {
        (Some(closing), Some(seconds)) => {
            let closing = closing.code().replace('_', " ");
            text.push_str(&format!(", {closing} after {}, version {}", text::seconds(seconds), action.version));
        }
        _ => text.push_str(&format!(", last heard of {}", text::ago(action.last_activity_at, screen.now))),
    }
    text
}

struct Lines<'a> {
    begun_at: Timestamp,
    closed: bool,
    screen: &'a Screen,
}

impl Lines<'_> {
    fn block(&self, block: &Block<'_>, page: &mut String) {
        match block {
            Block::Step(view) => {
                self.step(view, page);
                for (entry, observation) in view.grounds.iter().take(GROUNDS_MAX) {
                    self.observation(entry, observation, Some(view), page);
                }
                if let Some(more) = view.grounds.len().checked_sub(GROUNDS_MAX).filter(|more| *more > 0) {
                    page.push_str(&format!("{}… {more} more observations\n", " ".repeat(TIME + 9)));
                }
            }
            Block::Observation(entry, observation) => self.observation(entry, observation, None, page),
        }
    }

    /// `  12 ●    +1.2s  book_reservation  origin=JFK…   0.80  12.3%`
    fn step(&self, view: &StepView<'_>, page: &mut String) {
        let Self { screen, closed, .. } = self;
        let mut tail = view.step.confidence.map(|confidence| format!("  conf {confidence:.2}")).unwrap_or_default();
        if *closed {
            tail.push_str(&format!("  {}", view.credit.map_or_else(|| "     ".to_owned(), percent)));
        }
        let tone = if view.error().is_some() { Tone::Bad } else { Tone::Warn };
        let mark = screen.paint(tone, view.mark());
        let start = format!("{:>4} ", view.index);
        let room = screen.width.saturating_sub(5 + 1 + TIME + 2 + 2 + text::width(&tail));
        let name = text::fit(view.name(), room);
        let gap = if name.is_empty() { "" } else { "  " };
        let words = view.words(room.saturating_sub(text::width(&name) + gap.len()));
        let filled = text::left(&format!("{name}{gap}{words}"), room);
        // The name is painted after measuring: escape sequences have no width on the screen but have one here.
        let body = match filled.strip_prefix(name.as_str()) {
            Some(rest) => format!("{}{rest}", screen.paint(Tone::Strong, &name)),
            None => filled,
        };
        let line = format!("{start}{mark}{}  {body}{tail}", self.time(view.entry.time()));
        page.push_str(line.trim_end());
        page.push('\n');
        if let Some(decision) = view.step.decision.as_deref().filter(|decision| self.is_news(view, decision)) {
            let decision = text::line(decision, screen.width.saturating_sub(TIME + 12));
            page.push_str(&format!("{}→ {decision}\n", " ".repeat(TIME + 8)));
        }
    }

    /// Whether the decision says more than key and description do.
    fn is_news(&self, view: &StepView<'_>, decision: &str) -> bool {
        let name = view.name();
        decision != name
            && !view.step.description.contains(decision)
            && (name.is_empty() || !decision.starts_with(name))
    }

    fn observation(&self, entry: &Entry, observation: &Observation, of: Option<&StepView<'_>>, page: &mut String) {
        let screen = self.screen;
        let (indent, bullet) = if of.is_some() { (TIME + 8, "↳ ") } else { (6, "") };
        let mut name = text::line(&observation.observation_type, 40);
        // Under its own step a tool's name says nothing new.
        let source = observation.source.as_deref().filter(|source| of.is_none_or(|view| view.name() != *source));
        if let Some(source) = source.filter(|source| !name.starts_with(*source)) {
            name.push_str(&format!(" ({})", text::line(source, 40)));
        }
        let late = if entry.late { " late" } else { "" };
        let score = observation.score.map(|score| format!(" score {}", text::number(score))).unwrap_or_default();
        let sure = observation.confidence.map(|it| format!(" conf {it:.2}")).unwrap_or_default();
        let name = format!("{name}{late}{score}{sure}");
        let time = if of.is_some() { String::new() } else { format!("{}  ", self.time(entry.time())) };
        let used = indent + text::width(bullet) + text::width(&time) + text::width(&name) + 2;
        let data = chain::data(observation, screen.width.saturating_sub(used));
        let tone = if is_error(observation) { Tone::Bad } else { Tone::Dim };
        let line = format!("{}{time}{bullet}{}  {data}", " ".repeat(indent), screen.paint(tone, &name));
        page.push_str(line.trim_end());
        page.push('\n');
    }

    /// The time since the beginning.
    fn time(&self, time: Timestamp) -> String {
        text::right(&format!("+{}", text::span(time.micros_since(self.begun_at))), TIME).replace("+-", "-")
    }
}
