//! `accredit learn`

use accredit::{ActionType, Engine, ModelSummary};
use serde::Serialize;

use crate::cli::LearnArgs;
use crate::out::Out;
use crate::page::why_this_method;
use crate::screen::{Screen, Tone};
use crate::source::{Source, pick};
use crate::text;
use crate::{Error, Exit};

/// What was done.
#[derive(Default, Serialize)]
struct Learned {
    /// Action types that were taken over from other stores.
    merged: usize,
    /// Actions that were forgotten.
    forgotten: usize,
    /// The models that stand, of every type that was learned or of the one that was named.
    models: Vec<ModelSummary>,
    /// Attributions that were made anew.
    reattributed: u64,
}

pub(super) fn run(
    source: &dyn Source,
    args: &LearnArgs,
    json: bool,
    screen: Screen,
    out: &mut Out,
) -> Result<Exit, Error> {
    let engine = source.engine("learn")?;
    let mut learned = Learned::default();
    for path in &args.merge {
        learned.merged += engine.merge_learned(path)?;
    }
    for id in &args.forget {
        learned.forgotten += usize::from(engine.forget(pick(source, id)?)?);
    }
    engine.learn_now()?;
    let only = args.action_type.as_deref().map(ActionType::from);
    learned.models = standing(engine, only.as_ref())?;
    if args.reattribute {
        learned.reattributed = engine.reattribute(only.as_ref())?;
    }
    if json {
        out.json(&learned)?;
    } else {
        out.text(&page(&learned, args, &screen))?;
    }
    Ok(Exit::Ok)
}

/// The newest model of each type; one that was named is fitted anew.
fn standing(engine: &Engine, only: Option<&ActionType>) -> Result<Vec<ModelSummary>, Error> {
    if let Some(action_type) = only {
        engine.refit(action_type)?;
    }
    let types = match only {
        Some(action_type) => vec![action_type.clone()],
        None => engine.learned_types()?,
    };
    let mut models = Vec::new();
    for action_type in &types {
        models.extend(engine.newest_model(action_type)?);
    }
    Ok(models)
}

fn page(learned: &Learned, args: &LearnArgs, screen: &Screen) -> String {
    let mut page = String::new();
    if !args.merge.is_empty() {
        page.push_str(&format!("took over {}\n", text::count(learned.merged as u64, "action type")));
    }
    if !args.forget.is_empty() {
        page.push_str(&format!("forgot {}\n", text::count(learned.forgotten as u64, "action")));
    }
    if learned.models.is_empty() {
        page.push_str("nothing to learn from yet: complete some actions with a reward or something to judge them by\n");
    }
    for model in &learned.models {
        page.push_str(&screen.paint(Tone::Strong, &text::line(model.action_type.as_str(), screen.width)));
        page.push_str(&why_this_method(model, screen));
    }
    if args.reattribute {
        page.push_str(&format!("credited anew: {}\n", text::count(learned.reattributed, "action")));
    }
    page
}
