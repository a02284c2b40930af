//! `accredit bench`

use std::path::Path;

use crate::bench::{CreditBench, Plan, Report, credit, ingest};
use crate::cli::{BenchArgs, BenchCommand, BenchCreditArgs, BenchIngestArgs};
use crate::out::{self, Out};
use crate::{Error, Exit};

pub(super) fn run(args: &BenchArgs, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let args = match &args.command {
        BenchCommand::Ingest(args) => args,
        BenchCommand::Credit(args) => return run_credit(args, json, out),
    };
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

fn run_credit(args: &BenchCreditArgs, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let BenchCreditArgs { seed, quick, speed, memory, data } = args;
    let bench = CreditBench { seed: *seed, quick: *quick, speed: *speed, memory: *memory, data: data.clone() };
    let report = credit(&bench, &mut |what| out::note(&format!("measured: {what}")))?;
    if json {
        out.json(&report)?;
    } else {
        out.text(&format!("seed {}\n\n{}", report.seed, report.table()))?;
    }
    Ok(Exit::Ok)
}

fn measure(args: &BenchIngestArgs, folder: &Path) -> Result<Report, Error> {
    let BenchIngestArgs { steps, secs, open_actions, .. } = *args;
    let plan = Plan { folder: folder.to_owned(), bulk_steps: steps, secs, open_actions, only: args.only.clone() };
    Ok(Report::of(ingest(&plan, &mut |what| out::note(&format!("measuring: {what}")))?))
}
