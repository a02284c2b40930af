//! Unit tests.

use std::path::PathBuf;

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/who_and_when")
}

/// Mean, least and greatest over fold seeds.
fn over_seeds(values: &[f64]) -> (f64, f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().copied().fold(1.0, f64::min), values.iter().copied().fold(0.0, f64::max))
}

fn reports(training: Training, n_seeds: u64) -> Vec<Vec<FileReport>> {
    (0..n_seeds).map(|seed| evaluate(&folder(), training, seed).unwrap()).collect()
}

/// Prints the table of ten seeds where `WHO_AND_WHEN_SEEDS=10`, with `--nocapture`.
#[test]
fn the_ranker_finds_more_than_positions_do() {
    let n_seeds = std::env::var("WHO_AND_WHEN_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for training in [Training::Jointly, Training::Separately] {
        let reports = reports(training, n_seeds);
        for file in 0..FILES.len() {
            let of = |method: usize, of: fn(&MethodReport) -> f64| -> Vec<f64> {
                reports.iter().map(|files| of(&files[file].methods[method])).collect()
            };
            for method in 0..5 {
                let (step, low, high) = over_seeds(&of(method, |report| report.step.share));
                let (agent, agent_low, agent_high) = over_seeds(&of(method, |report| report.agent.share));
                let (one, name) = (&reports[0][file], reports[0][file].methods[method].method);
                let interval = Accuracy::of(step * one.n as f64, one.n).interval;
                let agent_interval = Accuracy::of(agent * one.n as f64, one.n).interval;
                println!(
                    "{training:?} {} n={} {name:7} step {step:.3} [{low:.3} {high:.3}] ({:.2} {:.2})  agent {agent:.3} [{agent_low:.3} {agent_high:.3}] ({:.2} {:.2})",
                    one.file, one.n, interval.0, interval.1, agent_interval.0, agent_interval.1,
                );
            }
            let steps = |method: usize| over_seeds(&of(method, |report| report.step.share)).0;
            let agents = |method: usize| over_seeds(&of(method, |report| report.agent.share)).0;
            assert!(steps(4) > steps(0) && agents(4) > agents(0), "{training:?} {}", FILES[file]);
            if training == Training::Jointly {
                assert!(steps(4) > steps(3) && agents(4) > agents(3), "{}", FILES[file]);
            }
        }
    }
}

#[test]
fn the_data_is_what_its_page_says() {
    for (file, n) in FILES.iter().zip([63, 29]) {
        let runs = read(&folder().join(format!("{file}.jsonl"))).unwrap();
        assert_eq!(runs.len(), n);
        assert!(runs.iter().all(|run| run.decisive_idx < run.steps.len()));
    }
    assert!(read(&folder().join("README.md")).is_err());
    assert!(evaluate(&folder().join("missing"), Training::Jointly, 0).is_err());
}

#[test]
fn ties_count_their_part() {
    let check = |credits: &[f64], wanted: usize, expected: f64| {
        assert_eq!(hit(credits.iter().copied().enumerate(), &wanted), expected, "{credits:?} {wanted}");
    };
    check(&[0.2, 0.5, 0.3], 1, 1.0);
    check(&[0.2, 0.5, 0.3], 2, 0.0);
    check(&[0.4, 0.4, 0.2], 1, 0.5);
    check(&[0.25; 4], 3, 0.25);
    check(&[], 0, 0.0);
}

/// Against the table in Newcombe, "Two-sided confidence intervals for the single proportion" (1998), method 3.
#[test]
fn intervals_are_those_of_the_literature() {
    for (n_right, n, low, high) in
        [(81.0, 263, 0.2553, 0.3662), (15.0, 148, 0.0624, 0.1605), (0.0, 20, 0.0, 0.1611), (1.0, 29, 0.0061, 0.1718)]
    {
        let (found_low, found_high) = Accuracy::of(n_right, n).interval;
        assert!((found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5, "{found_low} {found_high}");
    }
}
