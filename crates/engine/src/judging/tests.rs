//! Unit tests.

use super::*;

fn said(source: Option<&str>, step: Option<u64>, score: Option<f64>) -> Observation {
    Observation {
        observation_type: "review".to_owned(),
        source: source.map(str::to_owned),
        step,
        score,
        ..Observation::default()
    }
}

#[test]
fn the_latest_of_each_source_and_the_mean_of_all() {
    let check = |observations: &[Observation], expected: &[(usize, f64, u64)]| {
        let found = judgements(observations, &AgentId::from("planner"));
        let found: Vec<(usize, f64, u64)> = found.into_iter().map(|(step, it)| (step, it.score, it.judges)).collect();
        assert_eq!(found, expected);
    };
    let of = |source: &str, step: u64, score: f64| said(Some(source), Some(step), Some(score));
    check(&[], &[]);
    check(&[of("ann", 1, 0.25)], &[(1, 0.25, 1)]);
    check(&[of("ann", 1, 0.25), of("ann", 1, 0.75), of("bob", 0, 1.0)], &[(0, 1.0, 1), (1, 0.75, 1)]);
    check(&[of("ann", 1, 0.0), of("bob", 1, 1.0), of("ann", 1, 0.5), of("eve", 1, 0.0)], &[(1, 0.5, 3)]);
    // Those who do not say who they are, are one.
    let nobody = |score: f64| said(None, Some(2), Some(score));
    check(&[nobody(0.0), nobody(1.0), of(" ", 2, 0.5), of("ann", 2, 1.0)], &[(2, 0.75, 2)]);
    // What is no judgement of a step.
    check(&[said(Some("ann"), None, Some(1.0)), said(Some("ann"), Some(1), None)], &[]);
    check(&[Observation { criterion: Some("it reads well".to_owned()), ..of("ann", 1, 1.0) }], &[]);
    // Nobody judges his own steps.
    check(&[of("planner", 1, 1.0), of(" Planner ", 1, 1.0), of("self", 1, 1.0)], &[]);
    check(&[of("planner", 1, 1.0), of("planner-2", 1, 0.0)], &[(1, 0.0, 1)]);
}
