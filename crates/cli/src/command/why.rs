//! `accredit why`

use accredit::Method;
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
    let method = asked_method(args)?;
    let id = pick(source, &args.id)?;
    let mut experience = source.experience(id, args.attribution_version)?;
    let mut stands = None;
    if let Some(method) = method {
        let standing = std::mem::replace(&mut experience.attribution, source.what_if(id, method)?);
        stands = Some(standing.method);
    }
    let explanation = Explanation {
        stands,
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

/// The method of `--method`, with its options.
fn asked_method(args: &WhyArgs) -> Result<Option<Method>, Error> {
    let Some(name) = &args.method else { return Ok(None) };
    if args.attribution_version.is_some() {
        return Err(Error::usage(
            "--method asks what would be given now, to the action as it stands, and --version what was given then",
            "leave one of them out",
        ));
    }
    let options = [("lambda", args.lambda), ("weight", args.weight)];
    let options = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let method = Method::new(name, options);
    method.map(Some).map_err(|error| Error::usage(error.to_string(), "`accredit why --help` lists the methods"))
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
