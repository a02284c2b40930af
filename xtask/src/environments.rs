//! The testkit's environments beside the packages that they are written after: a check of its own, no step of `test`.

use std::process::Command;

use crate::process::{output_within, run_within};
use crate::tools::{cargo, python_environment, python_in};
use crate::{Result, Workspace};

/// How long our environments may take to be built and told, and the comparison to run.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1_800);

/// Installs the packages, tells what our environments do, and fails where the packages do something else.
pub(crate) fn compare(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target().join("environments");
    let requirements = workspace.root().join("crates/testkit/python/requirements.txt");
    // Without dependencies: the list is whole, and leaves out what the packages draw and plot with.
    let python = python_environment(&folder.join("venv"), &requirements, &["--no-deps"])?;
    let mut ours = cargo(workspace);
    ours.args(["run", "--quiet", "-p", "accredit-testkit", "--bin", "environments"]);
    let told = output_within(&mut ours, TIMEOUT)?;
    if !told.status.success() {
        return Err(format!("our environments were not told: {}", String::from_utf8_lossy(&told.stderr)).into());
    }
    let path = folder.join("ours.json");
    std::fs::write(&path, told.stdout)?;
    let script = workspace.root().join("crates/testkit/python/compare_environments.py");
    run_within(Command::new(python_in(&python)).arg(script).arg(path), TIMEOUT)
}
