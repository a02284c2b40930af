//! The command line.

use crate::{Error, Result, Workspace, bench, environments, fixtures, python, steps};

/// Every task with its line of help. The documents are checked against the names.
pub(crate) const TASKS: [(&str, &str); 8] = [
    ("test", "every check and test, in order; with step names, those steps alone"),
    ("ci", "the same as test"),
    ("fixtures", "write the generated files anew; --check only compares them"),
    ("crash", "--rounds N [--seed S]: kill a writer N times and see that nothing acknowledged is lost"),
    ("bench", "ingestion from end to end, then the benchmarks of the pure crates"),
    ("wheel", "build the Python package for this platform, and say how it is built for others"),
    ("environments", "hold the testkit's environments against the packages they are written after"),
    ("help", "this"),
];

/// Rounds of the crash harness where nothing else is said.
const CRASH_ROUNDS: u64 = 100;

/// Runs the task that the arguments name.
///
/// # Errors
/// When the arguments name no task, or the task fails.
pub fn run(args: &[String]) -> Result<()> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some((&task, rest)) = words.split_first() else { return Err(usage().into()) };
    if matches!(task, "help" | "--help" | "-h") {
        println!("{}", usage());
        return Ok(());
    }
    let workspace = Workspace::load()?;
    match (task, rest) {
        ("test" | "ci", names) => steps::test(&workspace, names),
        ("fixtures", []) => fixtures::write(&workspace),
        ("fixtures", ["--check"]) => fixtures::check(&workspace),
        ("crash", options) => {
            let [rounds, seed] = numbers(options, ["--rounds", "--seed"])?;
            bench::crash(&workspace, rounds.unwrap_or(CRASH_ROUNDS), seed.unwrap_or(1))
        }
        ("wheel", []) => python::wheel(&workspace),
        ("wheel", ["--help" | "-h"]) => {
            python::wheel_help();
            Ok(())
        }
        ("bench", []) => bench::bench(&workspace),
        ("environments", []) => environments::compare(&workspace),
        _ => Err(format!("`{}` is no task\n{}", words.join(" "), usage()).into()),
    }
}

fn usage() -> String {
    let tasks: Vec<String> = TASKS.iter().map(|(name, help)| format!("  {name:<12} {help}")).collect();
    format!("usage: cargo xtask <task>\n{}\nsteps of test: {}", tasks.join("\n"), steps::names().join(" "))
}

/// The values of options that take one whole number each.
pub(crate) fn numbers<const N: usize>(words: &[&str], names: [&str; N]) -> Result<[Option<u64>; N]> {
    let mut values = [None; N];
    for pair in words.chunks(2) {
        let position = names.iter().position(|name| pair.first() == Some(name));
        let number = pair.get(1).and_then(|text| text.parse::<u64>().ok());
        match (position, number) {
            (Some(position), Some(number)) => values[position] = Some(number),
            _ => {
                return Err(Error::from(format!(
                    "`{}`: expected {} with whole numbers",
                    pair.join(" "),
                    names.join(", ")
                )));
            }
        }
    }
    Ok(values)
}
