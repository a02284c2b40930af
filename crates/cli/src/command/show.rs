//! `accredit show`

use serde_json::json;

use crate::cli::ShowArgs;
use crate::out::Out;
use crate::page::{ShowPage, show_page};
use crate::screen::Screen;
use crate::source::{Source, pick};
use crate::{Error, Exit};

pub(super) fn run(
    source: &dyn Source,
    args: &ShowArgs,
    json: bool,
    screen: Screen,
    out: &mut Out,
) -> Result<Exit, Error> {
    let id = pick(source, &args.id)?;
    let action = source.action(id)?;
    if action.status.closing().is_none() && args.attribution_version.is_none() {
        let chain = source.chain(id)?;
        if json {
            out.json(&json!({ "action": action, "chain": chain }))?;
        } else {
            out.text(&show_page(
                &ShowPage { action: &action, attribution: None, chain: &chain, all: args.all },
                &screen,
            ))?;
        }
        return Ok(Exit::Ok);
    }
    let experience = source.experience(id, args.attribution_version)?;
    if json {
        out.json(&experience)?;
    } else {
        let page = ShowPage {
            action: &experience.action,
            attribution: Some(&experience.attribution),
            chain: &experience.chain,
            all: args.all,
        };
        out.text(&show_page(&page, &screen))?;
    }
    Ok(Exit::Ok)
}
