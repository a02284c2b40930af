//! `accredit top`

use std::thread;
use std::time::{Duration, Instant};

use accredit::Filter;
use accredit_model::{Action, Stats, Status};
use serde_json::json;

use crate::cli::{Global, TopArgs};
use crate::out::Out;
use crate::page::{TopPage, top_page};
use crate::screen::{Screen, wall_clock};
use crate::source::{self, Source, Use};
use crate::{Error, Exit};

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Actions among which the recently closed ones are looked for, the newest begun first.
const LOOKED_AT: usize = 200;

/// Rows of each table where nothing limits them.
const ROWS: usize = 10;

/// Lines of a terminal that does not say how many it has.
const LINES_UNKNOWN: usize = 24;

/// Open actions that are asked for: sorted by their last sign of life, the first rows are shown.
const OPEN_LOOKED_AT: usize = 500;

/// One look.
struct Look {
    at: Instant,
    stats: Stats,
    open: Vec<Action>,
    closed: Vec<Action>,
}

pub(super) fn run(global: &Global, args: &TopArgs, screen: Screen, out: &mut Out) -> Result<Exit, Error> {
    let source = source::open(global, Use::Read)?;
    let first = look(&*source)?;
    if global.json {
        out.json(&json!({ "stats": first.stats, "open": first.open, "closed": first.closed }))?;
        return Ok(Exit::Ok);
    }
    if args.once || !out.is_terminal() {
        out.text(&page(&*source, &first, None, ROWS, &screen))?;
        return Ok(Exit::Ok);
    }
    let mut before: Option<Look> = None;
    let mut now = first;
    loop {
        // The size may change between two looks.
        let screen = Screen::of_process(wall_clock());
        let rows = console::Term::stdout().size_checked().map(|(rows, _)| usize::from(rows));
        let rows = rows.filter(|rows| *rows > 0).unwrap_or(LINES_UNKNOWN);
        let page = page(&*source, &now, before.as_ref(), rows.saturating_sub(13).max(4) / 2, &screen);
        let page: Vec<&str> = page.lines().take(rows.saturating_sub(1)).collect();
        // Home, then each line with what stood behind it erased, then the rest of the screen: no flicker.
        out.text(&format!("\x1b[H{}\x1b[K\n\x1b[J", page.join("\x1b[K\n")))?;
        out.flush()?;
        thread::sleep(INTERVAL);
        before = Some(std::mem::replace(&mut now, look(&*source)?));
    }
}

fn look(source: &dyn Source) -> Result<Look, Error> {
    let open_only = Filter { status: Some(Status::Open), ..Filter::default() };
    let mut open = source.list(&open_only, OPEN_LOOKED_AT, None)?.actions;
    open.sort_by_key(|action| std::cmp::Reverse(action.last_activity_at));
    let mut closed = source.list(&Filter::default(), LOOKED_AT, None)?.actions;
    closed.retain(|action| action.status != Status::Open);
    closed.sort_by_key(|action| std::cmp::Reverse(action.closed_at));
    Ok(Look { at: Instant::now(), stats: source.stats()?, open, closed })
}

fn page(source: &dyn Source, look: &Look, before: Option<&Look>, rows: usize, screen: &Screen) -> String {
    let seconds = |before: &Look| look.at.duration_since(before.at).as_secs_f64();
    let page = TopPage {
        place: &source.place(),
        stats: &look.stats,
        before: before.map(|before| (&before.stats, seconds(before))),
        open: look.open.get(..rows).unwrap_or(&look.open),
        closed: look.closed.get(..rows).unwrap_or(&look.closed),
    };
    top_page(&page, screen)
}
