//! Arguments, versions, and what is kept of a program's output.

use std::process::Command;
use std::time::Duration;

use crate::command::numbers;
use crate::process::{output_within, run, run_keeping};
use crate::python::is_summary;
use crate::tools::version_in;

#[test]
fn versions() {
    let check = |said: &str, at_least: &str, expected: bool| {
        assert_eq!(version_in(said) >= version_in(at_least), expected, "{said}");
    };
    check("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143", "0.9.143", true);
    check("cargo-deny 0.20.1", "0.20.2", false);
    check("cargo-deny 1.0.0", "0.20.2", true);
    check("no version", "0.20.2", false);
}

#[test]
fn options_with_numbers() {
    let check = |words: &[&str], expected: Option<[Option<u64>; 2]>| {
        assert_eq!(numbers(words, ["--rounds", "--seed"]).ok(), expected, "{words:?}");
    };
    check(&[], Some([None, None]));
    check(&["--seed", "7"], Some([None, Some(7)]));
    check(&["--seed", "7", "--rounds", "3"], Some([Some(3), Some(7)]));
    check(&["--seed"], None);
    check(&["--rounds", "many"], None);
    check(&["--round", "3"], None);
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn programs_that_fail_or_hang_are_errors() {
    assert!(run(&mut shell("true")).is_ok());
    assert_eq!(run(&mut shell("exit 3")).unwrap_err().to_string(), "`sh -c exit 3` failed: exit status: 3");
    let missing = run(&mut Command::new("no-such-program-anywhere")).unwrap_err().to_string();
    assert!(missing.starts_with("`no-such-program-anywhere` did not start: "), "{missing}");
    let slow = output_within(&mut shell("exec sleep 60"), Duration::from_millis(100)).unwrap_err().to_string();
    assert!(slow.ends_with("was ended"), "{slow}");
}

#[test]
fn picked_lines_are_kept_even_of_a_failed_program() {
    let mut command = shell("echo Summary 1; echo other; echo Summary 2 >&2; exit 1");
    let (mut lines, result) = run_keeping(&mut command, |line| line.contains("Summary")).unwrap();
    lines.sort();
    assert_eq!((lines, result.is_err()), (vec!["Summary 1".to_owned(), "Summary 2".to_owned()], true));
}

#[test]
fn summaries_of_pytest() {
    let check = |line: &str, expected: bool| assert_eq!(is_summary(line), expected, "{line}");
    check("132 passed, 2 skipped in 48.20s\n", true);
    check("===== 3 passed in 0.10s =====", true);
    check("1 failed, 131 passed in 60.01s (0:01:00)", true);
    check("tests/test_fork.py ..... [100%]", false);
    check("1.05s call     tests/test_end.py::test_in_passed", false);
}
