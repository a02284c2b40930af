//! `accredit dead-letters`

use serde_json::json;

use crate::cli::{DeadLettersArgs, DeadLettersCommand, Global};
use crate::out::Out;
use crate::page::{Cell, Column, table};
use crate::screen::{Screen, Tone};
use crate::source::{self, Use};
use crate::text;
use crate::{Error, Exit};

pub(super) fn run(global: &Global, args: &DeadLettersArgs, screen: Screen, out: &mut Out) -> Result<Exit, Error> {
    if let Some(DeadLettersCommand::Replay { sink }) = &args.command {
        let source = source::open(global, Use::Write)?;
        let replayed = source.replay_dead_letters(sink.as_deref())?;
        if global.json {
            out.json(&json!({ "replayed": replayed }))?;
        } else {
            out.text(&format!(
                "{} will be tried again\n",
                text::count(replayed, "delivery").replace("deliverys", "deliveries")
            ))?;
        }
        return Ok(Exit::Ok);
    }
    let source = source::open(global, Use::Read)?;
    let letters = source.dead_letters()?;
    if global.json {
        out.json(&letters)?;
        return Ok(Exit::Ok);
    }
    if letters.is_empty() {
        out.text("no dead letters\n")?;
        return Ok(Exit::Ok);
    }
    let columns = [
        Column::left("sink", 1).flexible(8),
        Column::left("action", 0),
        Column::right("version", 3),
        Column::right("attempts", 2),
        Column::left("given up", 2),
        Column::left("error", 1).flexible(16),
    ];
    let rows = letters.iter().map(|letter| {
        vec![
            Cell::new(text::line(&letter.sink, 40)),
            Cell::new(letter.action_id.to_string()),
            Cell::new(letter.version.to_string()),
            Cell::new(letter.attempts.to_string()),
            Cell::new(text::ago(letter.failed_at, screen.now)),
            Cell::toned(text::line(&letter.error, 200), Tone::Bad),
        ]
    });
    out.text(&table(&columns, &rows.collect::<Vec<_>>(), &screen))?;
    out.text(&format!(
        "{}; `accredit dead-letters replay` tries them again\n",
        text::count(letters.len() as u64, "dead letter")
    ))?;
    Ok(Exit::Ok)
}
