//! The benchmarks.

use crate::process::run;
use crate::tools::cargo;
use crate::{Result, Workspace};

/// Crates without IO: what their benchmarks measure is computation alone.
const PURE: [&str; 3] = ["accredit-model", "accredit-guard", "accredit-credit"];

/// Ingestion from end to end, then every benchmark of the pure crates.
pub(crate) fn bench(workspace: &Workspace) -> Result<()> {
    run(cargo(workspace).args(["run", "--release", "--", "bench", "ingest"]))?;
    for package in workspace.packages().iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for target in package.targets.iter().filter(|target| target.is_bench()) {
            run(cargo(workspace).args(["bench", "-p", package.name.as_str(), "--bench", &target.name]))?;
        }
    }
    Ok(())
}

/// The crash harness: `rounds` times, a writer is killed at a random moment and its store opened again.
pub(crate) fn crash(workspace: &Workspace, rounds: u64, seed: u64) -> Result<()> {
    let (rounds, seed) = (rounds.to_string(), seed.to_string());
    let harness = ["run", "--release", "-p", "accredit-testkit", "--bin", "crash", "--"];
    run(cargo(workspace).args(harness).args(["--rounds", &rounds, "--seed", &seed]))
}
