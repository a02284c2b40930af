//! Unit tests.

use super::*;

fn check(folder: &Path) {
    let runs = tau_runs(folder).unwrap();
    let table = tau_table(&runs);
    for row in &table {
        let (low, high) = row.interval();
        let (share, n_found, n) = (row.share(), row.n_found, row.n);
        println!("{:22} {:10} {n_found:3}/{n:3} = {share:.2} [{low:.2}, {high:.2}]", row.measure, row.method);
    }
    let floors = [
        ("leave_one_out", 0.6),
        ("outcome_added", 0.6),
        ("own_outcome", 0.75),
        ("goal_solved", 0.85),
        ("effect", 0.85),
    ];
    for (measure, floor) in floors {
        let row = table.iter().find(|row| (row.measure, row.method) == (measure, "ridge_rd")).unwrap();
        assert!(row.share() >= floor, "{measure}: {}", row.share());
    }
}

#[test]
fn harmful_writes_are_found() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/tau_bench"));
}

#[test]
fn harmful_writes_of_a_folder_from_the_environment_are_found() {
    if let Some(folder) = std::env::var_os("ACCREDIT_TAU_BENCH_DIR") {
        check(Path::new(&folder));
    }
}

#[test]
fn runs_are_read_as_an_import_reads_them() {
    let runs = tau_runs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/tau_bench")).unwrap();
    let steps = || runs.iter().flat_map(|run| &run.steps);
    assert_eq!((runs.len(), steps().count()), (150, 1808));
    assert_eq!(steps().filter(|step| step.effect == Some(true)).count(), 130);
    assert_eq!(runs.iter().filter(|run| run.is_harmful()).count(), 33);
    assert!(steps().all(|step| !step.is_harmful || step.effect == Some(true)));
}

#[test]
fn the_interval_is_that_of_the_paper() {
    let row = TauRow { measure: "", method: "", n_found: 8, n: 10 };
    let (low, high) = row.interval();
    assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
}
