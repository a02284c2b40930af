//! Finding the action that a person means: a whole id, the beginning or the end of one, or `last`.

use accredit::Filter;
use accredit_model::ActionId;

use super::Source;
use crate::{Error, Exit};

/// Actions that a part of an id is compared with, the newest first. Whoever means an older one has its whole id.
const LOOKED_AT_MAX: usize = 20_000;

/// Actions asked for at a time.
const PAGE: usize = 1_000;

/// Shortest part: anything shorter is a slip of the finger.
const PART_MIN: usize = 4;

/// The id that `name` stands for.
pub(crate) fn pick(source: &dyn Source, name: &str) -> Result<ActionId, Error> {
    if let Ok(id) = name.parse() {
        return match source.action(id) {
            Err(error) if error.exit() == Exit::NotFound => Err(Error::NotFound {
                what: format!("there is no action {id} in {}", source.place()),
                help: "`accredit list` shows which actions there are".to_owned(),
            }),
            other => other.map(|_| id),
        };
    }
    if name == "last" {
        let newest = source.list(&Filter::default(), 1, None)?.actions;
        return newest.first().map(|action| action.action_id).ok_or_else(|| Error::NotFound {
            what: format!("there are no actions in {}", source.place()),
            help: "`accredit import FILE` brings some in".to_owned(),
        });
    }
    let part = name.to_ascii_lowercase();
    if part.len() < PART_MIN || !part.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(Error::usage(
            format!("`{}` is no action id", crate::text::line(name, 64)),
            format!("give a whole id, its first or last {PART_MIN} or more characters, or `last`"),
        ));
    }
    by_part(source, &part)
}

fn by_part(source: &dyn Source, part: &str) -> Result<ActionId, Error> {
    let mut found: Vec<ActionId> = Vec::new();
    let mut looked_at = 0;
    let mut cursor: Option<String> = None;
    loop {
        let page = source.list(&Filter::default(), PAGE, cursor.as_deref())?;
        looked_at += page.actions.len();
        found.extend(page.actions.iter().map(|action| action.action_id).filter(|id| {
            let id = id.to_string();
            id.starts_with(part) || id.ends_with(part)
        }));
        cursor = page.next_cursor;
        if cursor.is_none() || looked_at >= LOOKED_AT_MAX || found.len() > 1 {
            break;
        }
    }
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Error::NotFound {
            what: format!("no action's id begins or ends with {part}"),
            help: if cursor.is_some() {
                format!("only the newest {looked_at} were looked at: give the whole id")
            } else {
                "`accredit list` shows which actions there are".to_owned()
            },
        }),
        several => {
            let some: Vec<String> = several.iter().take(3).map(ToString::to_string).collect();
            Err(Error::usage(
                format!("{} and more begin or end with {part}", some.join(", ")),
                "give more characters of the id",
            ))
        }
    }
}
