//! `accredit list`

use accredit_model::Action;

use crate::cli::ListArgs;
use crate::out::{self, Out};
use crate::page::{ListPage, list_page};
use crate::screen::Screen;
use crate::source::{Page, Source};
use crate::{Error, Exit};

/// Actions asked for at a time.
const PAGE: u64 = 1_000;

pub(super) fn run(
    source: &dyn Source,
    args: &ListArgs,
    json: bool,
    screen: Screen,
    out: &mut Out,
) -> Result<Exit, Error> {
    let filter = args.filter.filter();
    let mut wanted = if args.all { u64::MAX } else { args.limit };
    let mut cursor = args.cursor.clone();
    let mut actions: Vec<Action> = Vec::new();
    while wanted > 0 {
        let limit = usize::try_from(wanted.min(PAGE)).unwrap_or(usize::MAX);
        let Page { actions: some, next_cursor } = source.list(&filter, limit, cursor.as_deref())?;
        wanted = wanted.saturating_sub(some.len() as u64);
        actions.extend(some);
        cursor = next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        out.json(&actions)?;
        if let Some(cursor) = cursor {
            out::note(&format!("there are more: --cursor {cursor}, or --all"));
        }
    } else {
        out.text(&list_page(&ListPage { actions: &actions, next_cursor: cursor.as_deref() }, &screen))?;
    }
    Ok(Exit::Ok)
}
