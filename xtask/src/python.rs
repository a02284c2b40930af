//! The Python package: its wheel, and the checks and tests of what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{output_within, run, run_keeping, shown};
use crate::tools::{VENV_TIMEOUT, python_environment, python_in};
use crate::{Error, Result, Workspace};

/// How wheels of other platforms are made; maturin is the same everywhere.
const OTHERS: &str = "\
One wheel serves CPython 3.9 and all later versions (abi3); one is needed for each platform.

  glibc Linux    docker run --rm -v $PWD:/io ghcr.io/pyo3/maturin build --release -m python/Cargo.toml -o target/wheels
                 (the image is manylinux2014; add --target aarch64-unknown-linux-gnu for ARM)
  musl Linux     the same image with --target x86_64-unknown-linux-musl --compatibility musllinux_1_2
  any Linux      maturin build --release -m python/Cargo.toml -o target/wheels --zig, with `pip install ziglang`, needs no Docker
  macOS          maturin build --release -m python/Cargo.toml -o target/wheels --target universal2-apple-darwin
  Windows        maturin build --release -m python/Cargo.toml -o target/wheels
  source         maturin sdist -m python/Cargo.toml -o target/wheels";

/// Builds the release wheel of this platform and says how the others are made.
pub(crate) fn wheel(workspace: &Workspace) -> Result<()> {
    let tools = environment(workspace)?;
    let wheel = build(workspace, &tools, "release", &[])?;
    println!("{}\n\n{OTHERS}", wheel.display());
    Ok(())
}

/// The help of the wheel task.
pub(crate) fn wheel_help() {
    println!("usage: cargo xtask wheel\n\nBuilds the release wheel of this platform into target/wheels.\n{OTHERS}");
}

/// Builds the wheel, uses it where nothing else is installed, and checks types and behaviour.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let tools = environment(workspace)?;
    // Nobody else gets this one: it need not run on older systems.
    let wheel = build(workspace, &tools, "dev", &["--compatibility", "linux"])?;
    alone(workspace, &wheel)?;
    run(pip(&tools).args(["--force-reinstall", "--no-deps"]).arg(&wheel))?;
    let package = workspace.root().join("python");
    let mut pytest = Command::new(tools.join("pytest"));
    // A folder of its own: runs of other trees clear the common one.
    pytest.current_dir(&package).arg("--basetemp").arg(workspace.target().join("python/tmp"));
    let (lines, passed) = run_keeping(&mut pytest, is_summary)?;
    passed?;
    Ok(lines.last().map(|line| format!("pytest: {}", line.trim_matches(['=', ' ']))).into_iter().collect())
}

/// Pytest's last line, such as `12 passed, 1 skipped in 3.21s`.
pub(crate) fn is_summary(line: &str) -> bool {
    let line = line.trim_matches(['=', ' ', '\n']);
    line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" in ") && line.contains(" passed")
}

/// Where the tools for Python are, the package beside them once it is installed.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root().join("python/requirements-dev.txt");
    python_environment(&workspace.target().join("python/venv"), &requirements, &[])
}

fn pip(tools: &Path) -> Command {
    let mut pip = Command::new(python_in(tools));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]);
    pip
}

/// Builds the wheel and answers its path. The build folder is the workspace's: what other steps compiled is used again.
fn build(workspace: &Workspace, tools: &Path, profile: &str, more: &[&str]) -> Result<PathBuf> {
    let wheels = workspace.target().join("wheels").join(profile);
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)?;
    }
    let mut maturin = Command::new(tools.join("maturin"));
    maturin.current_dir(workspace.root()).args(["build", "--profile", profile, "--manifest-path", "python/Cargo.toml"]);
    maturin.arg("--interpreter").arg(python_in(tools)).arg("--out").arg(&wheels).args(more);
    run(maturin.env("CARGO_TARGET_DIR", workspace.target()))?;
    let found = std::fs::read_dir(&wheels)?.filter_map(std::result::Result::ok).map(|entry| entry.path());
    let mut found = found.filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
    found.next().ok_or_else(|| Error::from(format!("`{}` made no wheel", shown(&maturin))))
}

/// The package works in an environment that has nothing else, and its first example does what it says.
fn alone(workspace: &Workspace, wheel: &Path) -> Result<()> {
    let venv = workspace.target().join("python/alone");
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&venv);
    let created = output_within(&mut create, VENV_TIMEOUT)?;
    if !created.status.success() {
        return Err(format!("`{}` failed: {}", shown(&create), String::from_utf8_lossy(&created.stderr)).into());
    }
    let tools = venv.join("bin");
    run(pip(&tools).arg(wheel))?;
    let example = "import doctest, sys, accredit; sys.exit(doctest.testmod(accredit).failed)";
    run(Command::new(python_in(&tools)).current_dir(&venv).args(["-c", example]))
}
