//! `accredit bench`

use std::path::Path;

use crate::bench::{Plan, Report, ingest};
use crate::cli::{BenchArgs, BenchCommand, BenchIngestArgs};
use crate::out::{self, Out};
use crate::{Error, Exit};

pub(super) fn run(args: &BenchArgs, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let BenchCommand::Ingest(args) = &args.command;
    let folder = args.folder.join(format!("accredit-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
    let report = measure(args, &folder);
    // What was measured stands, even where the folder cannot be deleted; then it is told.
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        out::note(&format!("could not delete {}: {error}", folder.display()));
    }
    let report = report?;
    if json {
        out.json(&report)?;
    } else {
        out.text(&format!("{}\n\n{}", report.machine, report.table()))?;
    }
    Ok(Exit::Ok)
}

fn measure(args: &BenchIngestArgs, folder: &Path) -> Result<Report, Error> {
    let BenchIngestArgs { steps, secs, open_actions, .. } = *args;
    let plan = Plan { folder: folder.to_owned(), bulk_steps: steps, secs, open_actions, only: args.only.clone() };
    Ok(Report::of(ingest(&plan, &mut |what| out::note(&format!("measuring: {what}")))?))
}
