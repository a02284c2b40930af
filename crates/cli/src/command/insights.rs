//! `accredit insights`

use crate::cli::InsightsArgs;
use crate::out::Out;
use crate::page::insights_page;
use crate::screen::Screen;
use crate::source::Source;
use crate::{Error, Exit};

pub(super) fn run(
    source: &dyn Source,
    args: &InsightsArgs,
    json: bool,
    screen: Screen,
    out: &mut Out,
) -> Result<Exit, Error> {
    let insights = source.insights(&args.action_type.as_str().into())?;
    if json {
        out.json(&insights)?;
    } else {
        out.text(&insights_page(&insights, args.limit, &screen))?;
    }
    Ok(Exit::Ok)
}
