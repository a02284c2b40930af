//! The older module's answers, call by call. `ACCREDIT_PARITY_DIR` names a further folder of scenarios.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use accredit_testkit::parity::{differences, scenarios};

fn check(folder: &Path) {
    let scenarios = scenarios(folder).unwrap();
    assert!(!scenarios.is_empty(), "{} holds no scenarios", folder.display());
    // Most of the time is spent waiting for the disk, so several are played at once.
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = differences(scenario).unwrap_or_else(|error| vec![error]);
                    if let Some(first) = found.first() {
                        let n = found.len();
                        failed.lock().unwrap().push(format!("{}: {n} differences, first: {first}", scenario.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} scenarios differ\n{}", failed.len(), scenarios.len(), failed.join("\n"));
}

#[test]
fn parity_with_the_scenarios_of_the_project() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/parity"));
}

#[test]
fn parity_with_the_scenarios_of_a_folder_from_the_environment() {
    if let Some(folder) = std::env::var_os("ACCREDIT_PARITY_DIR") {
        check(&PathBuf::from(folder));
    }
}
