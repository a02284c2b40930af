//! `cargo xtask test`: every check and test, in order, stopping at the first that fails.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{output_within, run, run_keeping};
use crate::tools::{self, cargo};
use crate::{Error, Result, Workspace, checks, fixtures, python, schemathesis};

/// One step: what it is called on the command line, what it does in words, and its code, which may return summary
/// lines that are shown again at the end.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Result<Vec<String>>,
}

const STEPS: [Step; 12] = [
    Step { name: "tools", what: "install what is missing", run: install },
    Step { name: "format", what: "formatting", run: format },
    Step { name: "clippy", what: "lints, all targets", run: clippy },
    Step { name: "fixtures", what: "generated files are up to date", run: generated },
    Step { name: "nextest", what: "tests", run: nextest },
    Step { name: "doctest", what: "examples in the documentation", run: doctest },
    Step { name: "rustdoc", what: "the documentation builds without a warning", run: rustdoc },
    Step { name: "deny", what: "licences, sources, banned and vulnerable dependencies", run: deny },
    Step { name: "tree", what: "crate arrows, documents, sources", run: tree },
    Step { name: "crash", what: "the crash harness, a short run", run: crash },
    Step { name: "python", what: "the Python package: its wheel, types and tests", run: python::check },
    Step { name: "schemathesis", what: "requests made from the OpenAPI description", run: api },
];

/// Rounds and seed of the short run of the crash harness.
const CRASH_ARGS: [&str; 4] = ["--rounds", "10", "--seed", "1"];
/// How long the advisory database may take to arrive.
const FETCH_TIMEOUT: Duration = Duration::from_secs(90);

/// The names of the steps, in order.
pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs all steps, or those that are named.
pub(crate) fn test(workspace: &Workspace, wanted: &[&str]) -> Result<()> {
    if let Some(unknown) = wanted.iter().find(|name| !names().contains(name)) {
        return Err(format!("`{unknown}` is no step of test; the steps are {}", names().join(" ")).into());
    }
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| wanted.is_empty() || wanted.contains(&step.name)).collect();
    let mut summaries = Vec::new();
    for (n_passed, step) in chosen.iter().enumerate() {
        println!("==> {}: {}", step.name, step.what);
        let started = Instant::now();
        let result = (step.run)(workspace);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(lines) => {
                println!("<== {}: passed in {seconds:.1} s", step.name);
                summaries.extend(lines);
            }
            Err(error) => {
                println!("<== {}: failed after {seconds:.1} s: {error}", step.name);
                let not_run: Vec<&str> = chosen[n_passed + 1..].iter().map(|step| step.name).collect();
                if !not_run.is_empty() {
                    println!("not run: {}", not_run.join(" "));
                }
                println!("to run it again: cargo xtask test {}", step.name);
                println!("{n_passed} passed, 1 failed");
                return Err(format!("step `{}` failed", step.name).into());
            }
        }
    }
    summaries.iter().for_each(|line| println!("{line}"));
    println!("{} passed, 0 failed", chosen.len());
    Ok(())
}

fn done(result: Result<()>) -> Result<Vec<String>> {
    result.map(|()| Vec::new())
}

fn install(workspace: &Workspace) -> Result<Vec<String>> {
    tools::NEXTEST.binary(workspace)?;
    tools::DENY.binary(workspace)?;
    tools::python_tools(workspace)?;
    python::environment(workspace)?;
    Ok(Vec::new())
}

fn format(workspace: &Workspace) -> Result<Vec<String>> {
    done(run(cargo(workspace).args(["fmt", "--all", "--check"])))
}

fn clippy(workspace: &Workspace) -> Result<Vec<String>> {
    done(run(cargo(workspace).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))
}

fn generated(workspace: &Workspace) -> Result<Vec<String>> {
    done(fixtures::check(workspace))
}

fn nextest(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = Command::new(tools::NEXTEST.binary(workspace)?);
    command.current_dir(workspace.root()).args(["nextest", "run", "--workspace"]);
    summary(run_keeping(&mut command, |line| line.contains("Summary [")))
}

fn doctest(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = cargo(workspace);
    command.args(["test", "--doc", "--workspace"]);
    summary(run_keeping(&mut command, |line| line.starts_with("test result: ") && !line.contains("ok. 0 passed")))
}

/// The kept lines where the run passed; where it failed, they have just been on the screen.
fn summary(kept: Result<(Vec<String>, Result<()>)>) -> Result<Vec<String>> {
    let (lines, result) = kept?;
    result.map(|()| lines.iter().map(|line| line.trim().to_owned()).collect())
}

fn rustdoc(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = cargo(workspace);
    // Libraries alone: the binary `accredit` would be written over the library of that name.
    command.args(["doc", "--workspace", "--no-deps", "--lib"]).env("RUSTDOCFLAGS", "-D warnings");
    done(run(&mut command))
}

fn deny(workspace: &Workspace) -> Result<Vec<String>> {
    let binary = tools::DENY.binary(workspace)?;
    let deny = |args: &[&str]| {
        let mut command = Command::new(&binary);
        command.current_dir(workspace.root()).args(args);
        command
    };
    run(&mut deny(&["check", "bans", "licenses", "sources"]))?;
    let fetched = output_within(&mut deny(&["fetch", "db"]), FETCH_TIMEOUT);
    if !fetched.is_ok_and(|output| output.status.success()) {
        println!("advisories were not checked: their database could not be reached");
        return Ok(vec!["advisories were not checked: their database could not be reached".to_owned()]);
    }
    done(run(&mut deny(&["check", "advisories"])))
}

fn tree(workspace: &Workspace) -> Result<Vec<String>> {
    done(checks::report(&checks::check_tree(workspace)?).map_err(Error::from))
}

/// The same build as the tests', so that nothing is compiled twice.
fn build_binaries(workspace: &Workspace) -> Result<()> {
    run(cargo(workspace).args(["build", "--workspace", "--tests", "--bins"]))
}

fn crash(workspace: &Workspace) -> Result<Vec<String>> {
    build_binaries(workspace)?;
    done(run(Command::new(workspace.debug_binary("crash")).current_dir(workspace.root()).args(CRASH_ARGS)))
}

fn api(workspace: &Workspace) -> Result<Vec<String>> {
    build_binaries(workspace)?;
    done(schemathesis::check(workspace))
}
