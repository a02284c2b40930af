//! The shares of the steps as bars, and the steps that mattered most.

use accredit_model::{Attribution, Evidence};

use crate::page::bars::{bar, percent};
use crate::page::chain::{FAILED, JUDGED, StepView, WROTE};
use crate::page::head::section;
use crate::screen::{Screen, Tone};
use crate::text;

/// Bars drawn where not all are asked for.
const BARS_MAX: usize = 30;

/// Steps that mattered.
const MATTERED: usize = 5;

/// Columns of a bar, least and most.
const BAR: std::ops::RangeInclusive<usize> = 10..=32;

/// Narrower than this, words beside a bar say nothing.
const WORDS_LEAST: usize = 16;

/// Whether the advantages say something: a prior has none but those of steps that were judged.
pub(super) fn has_advantages(attribution: &Attribution) -> bool {
    attribution.evidence == Evidence::Learned || !attribution.judged.is_empty()
}

/// One bar a step.
pub(super) fn credit(steps: &[StepView<'_>], attribution: &Attribution, all: bool, screen: &Screen) -> String {
    if steps.is_empty() {
        return section("credit", "no steps, no credit", screen);
    }
    let judged = if attribution.judged.is_empty() { String::new() } else { format!("   {JUDGED} judged") };
    let n_steps = text::count(steps.len() as u64, "step");
    let note = format!("{n_steps}   {WROTE} changed the world   {FAILED} went wrong{judged}");
    let mut page = section("credit", &note, screen);
    let layout = Layout::of(steps, attribution, screen);
    let shown = shown(steps, all);
    let mut left_out = Vec::new();
    for (view, shown) in steps.iter().zip(shown) {
        if shown {
            page.push_str(&layout.left_out(&mut left_out));
            page.push_str(&layout.line(view));
        } else {
            left_out.push(view);
        }
    }
    page.push_str(&layout.left_out(&mut left_out));
    page
}

/// Which steps get a bar: all, or those with the largest shares and those that changed the world or went wrong.
fn shown(steps: &[StepView<'_>], all: bool) -> Vec<bool> {
    if all || steps.len() <= BARS_MAX {
        return vec![true; steps.len()];
    }
    let notable = |view: &StepView<'_>| view.wrote() || view.error().is_some();
    let mut order: Vec<usize> = (0..steps.len()).collect();
    // Notable ones first, then by share; the sort is stable, so equal shares keep their order.
    order.sort_by(|a, b| {
        let key = |index: usize| (notable(&steps[index]), steps[index].credit.unwrap_or_default());
        let ((a_notable, a_credit), (b_notable, b_credit)) = (key(*a), key(*b));
        b_notable.cmp(&a_notable).then(b_credit.total_cmp(&a_credit))
    });
    let mut shown = vec![false; steps.len()];
    for index in order.into_iter().take(BARS_MAX) {
        shown[index] = true;
    }
    shown
}

/// The columns of the bars.
struct Layout<'a> {
    name: usize,
    bar: usize,
    words: usize,
    /// The share that fills a bar.
    most: f64,
    advantages: bool,
    /// Whether any step was judged: then there is a column for the mark.
    judged: bool,
    screen: &'a Screen,
}

impl<'a> Layout<'a> {
    fn of(steps: &[StepView<'_>], attribution: &Attribution, screen: &'a Screen) -> Self {
        let advantages = has_advantages(attribution);
        let judged = !attribution.judged.is_empty();
        let widest = steps.iter().map(|view| text::width(view.name())).max().unwrap_or_default();
        // Index, mark and blanks take 8 columns, the percentage 7, an advantage 9, the mark of a judged step 2.
        let fixed = 8 + 7 + if advantages { 9 } else { 0 } + if judged { 2 } else { 0 };
        let room = screen.width.saturating_sub(fixed);
        let name = widest.min(28).min((room / 2).max(12));
        let bar = ((room - name) / 3).clamp(*BAR.start(), *BAR.end()).min(room - name);
        let words = room.saturating_sub(name + 1 + bar + 2);
        let words = if words >= WORDS_LEAST { words } else { 0 };
        let bar = if words == 0 { room.saturating_sub(name + 1).min(*BAR.end()) } else { bar };
        let most = steps.iter().filter_map(|view| view.credit).fold(0.0, f64::max);
        Self { name, bar, words, most, advantages, judged, screen }
    }

    fn line(&self, view: &StepView<'_>) -> String {
        let screen = self.screen;
        let share = view.credit.unwrap_or_default();
        let bar = bar(if self.most > 0.0 { share / self.most } else { 0.0 }, self.bar);
        let tone = if view.error().is_some() { Tone::Bad } else { Tone::Warn };
        let name = text::left(&text::fit(&text::line(view.name(), self.name), self.name), self.name);
        let name = if view.wrote() { screen.paint(Tone::Strong, &name) } else { name };
        let mut line = format!("{:>4} {} {name} ", view.index, screen.paint(tone, view.mark()));
        line.push_str(&screen.paint(Tone::Accent, &text::left(&bar, self.bar)));
        line.push_str(&format!(" {}", percent(share)));
        if self.advantages {
            line.push_str(&format!(" {:>+8.3}", view.advantage.unwrap_or_default()));
        }
        if self.judged {
            line.push_str(&format!(" {}", screen.paint(Tone::Strong, if view.judged { JUDGED } else { " " })));
        }
        if self.words > 0 {
            line.push_str(&format!("  {}", screen.paint(Tone::Dim, &view.words(self.words))));
        }
        format!("{}\n", line.trim_end())
    }

    /// A line for the steps left out since the last one shown.
    fn left_out(&self, views: &mut Vec<&StepView<'_>>) -> String {
        let views = std::mem::take(views);
        let shares: f64 = views.iter().filter_map(|view| view.credit).sum();
        let line = match views.as_slice() {
            [] => return String::new(),
            [view] => return self.line(view),
            several => {
                let steps = text::count(several.len() as u64, "step");
                format!("     … {steps}, {} together (--all)", percent(shares).trim())
            }
        };
        format!("{}\n", self.screen.paint(Tone::Dim, &line))
    }
}

/// The expected reward after each step, as a curve on one line; nothing where a prior knows of none.
pub(super) fn forecast(attribution: &Attribution, screen: &Screen) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (Some(first), Some(last)) = (attribution.forecast.first(), attribution.forecast.last()) else {
        return String::new();
    };
    let outcome = attribution.reward.unwrap_or(attribution.success_score);
    let curve: Vec<f64> = std::iter::once(attribution.baseline).chain(attribution.forecast.iter().copied()).collect();
    let ends = curve.iter().copied().filter(|value| value.is_finite());
    let (least, most) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
    let columns = curve.len().min(screen.width.saturating_sub(24)).max(1);
    let level = |column: usize| {
        // The last of the steps that share a column: a curve ends where it ends.
        let value = curve.get(((column + 1) * curve.len()).div_ceil(columns) - 1).copied().unwrap_or(*last);
        let share = if most > least { (value - least) / (most - least) } else { 0.0 };
        LEVELS.get((share * 7.0).round() as usize).copied().unwrap_or(' ')
    };
    let line: String = (0..columns).map(level).collect();
    let note = format!(
        "expected reward: {} before the first step, {} after it; the outcome was {}, {} of it beyond what the steps explain",
        text::number(attribution.baseline),
        text::number(*first),
        text::number(outcome),
        text::number(attribution.residual)
    );
    let mut page = section("forecast", &note, screen);
    let (from, to) = (text::number(attribution.baseline), text::number(*last));
    page.push_str(&format!("     {from} {} {to}\n", screen.paint(Tone::Accent, &line)));
    page
}

/// The five steps that mattered most; with learned advantages for and against.
pub(super) fn mattered(steps: &[StepView<'_>], attribution: &Attribution, screen: &Screen) -> String {
    if !has_advantages(attribution) {
        if steps.len() <= MATTERED {
            return String::new();
        }
        let mut most: Vec<&StepView<'_>> = steps.iter().collect();
        most.sort_by(|a, b| b.credit.unwrap_or_default().total_cmp(&a.credit.unwrap_or_default()));
        let note = "by the prior: it knows places and confidence, not what a step did";
        let mut page = section("most credit", note, screen);
        for view in most.into_iter().take(MATTERED) {
            page.push_str(&line(view, &percent(view.credit.unwrap_or_default()), screen));
        }
        return page;
    }
    let advantage = |view: &&StepView<'_>| view.advantage.unwrap_or_default();
    let mut order: Vec<&StepView<'_>> = steps.iter().collect();
    order.sort_by(|a, b| advantage(b).total_cmp(&advantage(a)));
    let mut page = String::new();
    let raised: Vec<_> = order.iter().filter(|view| advantage(view) > 0.0).take(MATTERED).collect();
    let lowered: Vec<_> = order.iter().rev().filter(|view| advantage(view) < 0.0).take(MATTERED).collect();
    let note = format!("expected reward before the first step: {}", text::number(attribution.baseline));
    for (title, views) in [("for", raised), ("against", lowered)] {
        if !views.is_empty() {
            page.push_str(&section(
                title,
                if title == "for" { &note } else { "these lowered the expected reward" },
                screen,
            ));
        }
        for view in views {
            page.push_str(&line(view, &format!("{:+.3}", view.advantage.unwrap_or_default()), screen));
        }
    }
    page
}

fn line(view: &StepView<'_>, value: &str, screen: &Screen) -> String {
    let tone = if view.error().is_some() { Tone::Bad } else { Tone::Warn };
    let room = screen.width.saturating_sub(8 + 8);
    let name = text::line(view.name(), room);
    let words = view.words(room.saturating_sub(text::width(&name) + 2));
    let mark = screen.paint(tone, view.mark());
    let judged = if view.judged { JUDGED } else { " " };
    let line = format!("{:>4} {mark} {value:>7}{judged} {}  {words}", view.index, screen.paint(Tone::Strong, &name));
    format!("{}\n", line.trim_end())
}
