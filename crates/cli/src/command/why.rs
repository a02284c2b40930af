//! `accredit why`

use accredit_model::{ActionId, Attribution, Version};

use crate::cli::WhyArgs;
use crate::out::Out;
use crate::page::{Child, Explanation, VersionLine, why_page};
use crate::screen::Screen;
use crate::source::{Source, pick};
use crate::{Error, Exit};

/// Earlier versions that are shown.
const VERSIONS_MAX: usize = 5;

pub(super) fn run(
    source: &dyn Source,
    args: &WhyArgs,
    json: bool,
    screen: Screen,
    out: &mut Out,
) -> Result<Exit, Error> {
    let id = pick(source, &args.id)?;
    let experience = source.experience(id, args.attribution_version)?;
    let explanation = Explanation {
        children: children(source, id)?,
        versions: versions(source, id, experience.action.version)?,
        experience,
        all: args.all,
    };
    if json {
        out.json(&explanation.to_json())?;
    } else {
        out.text(&why_page(&explanation, &screen))?;
    }
    Ok(Exit::Ok)
}

fn children(source: &dyn Source, id: ActionId) -> Result<Vec<Child>, Error> {
    let nodes = source.tree(id)?;
    let children = nodes.into_iter().filter(|node| node.parent_action_id == Some(id)).map(|node| Child {
        action_id: node.action_id,
        agent_id: node.agent_id,
        action_type: node.action_type,
        status: node.status,
        verdict: node.verdict,
        success_score: node.success_score,
        parent_step: node.parent_step,
        credit: node.credit,
    });
    Ok(children.collect())
}

/// The last few versions where there is more than one.
fn versions(source: &dyn Source, id: ActionId, latest: Version) -> Result<Vec<VersionLine>, Error> {
    if latest < 2 {
        return Ok(Vec::new());
    }
    let all = source.attributions(id)?;
    let shown = all.into_iter().rev().take(VERSIONS_MAX).rev();
    let line = |attribution: Attribution| VersionLine {
        version: attribution.version,
        verdict: attribution.verdict,
        success_score: attribution.success_score,
        reward: attribution.reward,
        reason: attribution.reason,
    };
    Ok(shown.map(line).collect())
}
