//! `accredit list` for people.

use accredit_model::{Action, Status};

use super::table::{Cell, Column, table};
use crate::screen::{Screen, Tone};
use crate::text;

/// Actions to list.
pub(crate) struct ListPage<'a> {
    /// Newest first.
    pub(crate) actions: &'a [Action],
    /// How to go on, where there are more.
    pub(crate) next_cursor: Option<&'a str>,
}

/// From this width on ids are shown whole.
const WHOLE_IDS_FROM: usize = 132;

/// Shortest id that is shown.
const ID_LEAST: usize = 8;

/// The table, and how to go on.
#[must_use]
pub(crate) fn list_page(list: &ListPage<'_>, screen: &Screen) -> String {
    if list.actions.is_empty() {
        return "no actions\n".to_owned();
    }
    let ids = ids(list.actions, screen.width >= WHOLE_IDS_FROM);
    let columns = [
        Column::left("id", 0),
        Column::left("begun", 3),
        Column::left("agent", 1).flexible(10),
        Column::left("type", 2).flexible(12),
        Column::left("goal", 1).flexible(8),
        Column::left("verdict", 0),
        Column::right("score", 5),
        Column::right("reward", 4),
        Column::right("steps", 2),
        Column::right("obs", 6),
        Column::right("took", 7),
    ];
    let rows = list.actions.iter().zip(ids).map(|(action, id)| {
        let number = |value: Option<f64>| value.map(text::number).unwrap_or_default();
        vec![
            Cell::toned(id, Tone::Dim),
            Cell::new(text::ago(action.begun_at, screen.now)),
            Cell::new(text::line(action.agent_id.as_str(), 64)),
            Cell::new(text::line(action.action_type.as_str(), 64)),
            Cell::new(text::line(action.goal_id.as_ref().map_or("", |goal| goal.as_str()), 64)),
            verdict(action),
            Cell::new(number(action.success_score)),
            Cell::new(number(action.reward)),
            Cell::new(text::grouped(action.step_count)),
            Cell::new(text::grouped(action.observation_count)),
            Cell::new(action.duration_seconds.map(text::seconds).unwrap_or_default()),
        ]
    });
    let mut page = table(&columns, &rows.collect::<Vec<_>>(), screen);
    if let Some(cursor) = list.next_cursor {
        page.push_str(&format!("there are more: --cursor {cursor}, or --all\n"));
    }
    page
}

/// The verdict in one word; where the engine closed it, how; `open` while it is.
pub(super) fn verdict(action: &Action) -> Cell {
    let word = match (action.status, action.verdict) {
        (Status::Closed(accredit_model::Closing::Completed), Some(verdict)) => verdict.code(),
        (status, _) => status.code(),
    };
    let tone = if action.status == Status::Open { Tone::Accent } else { Tone::of(action.verdict) };
    Cell::toned(word, tone)
}

/// Ids, as short as they can be without two of them looking alike.
pub(super) fn ids(actions: &[Action], whole: bool) -> Vec<String> {
    let mut ids: Vec<String> = actions.iter().map(|action| action.action_id.to_string()).collect();
    if whole {
        return ids;
    }
    let mut sorted: Vec<&str> = ids.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let alike = |pair: &[&str]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count();
    let longest = sorted.windows(2).map(alike).max().unwrap_or_default();
    let length = (longest + 1).max(ID_LEAST);
    for id in &mut ids {
        id.truncate(length);
    }
    ids
}
