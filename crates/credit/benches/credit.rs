//! What scoring and crediting cost.

use std::hint::black_box;

use accredit_credit::{
    ActionFacts, Coalition, Counts, CreditMethod, Decay, Episode, EpisodeStep, Sampling, ScoreInput, StepFeatures,
    TabularModel, TdCe, Trajectory, TreeInput, score, shapley, tree_credit,
};
use accredit_model::{Closing, JsonObject, Observation, Payload};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}

fn decay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("credit/decay");
    for n_steps in [1_000_u64, 1_000_000] {
        let steps: Vec<StepFeatures<'_>> = (0..n_steps)
            .map(|i| StepFeatures { confidence: Some((i % 10) as f64 / 10.0), ..StepFeatures::default() })
            .collect();
        group.throughput(Throughput::Elements(n_steps));
        group.bench_function(n_steps.to_string(), |bencher| {
            bencher
                .iter(|| Decay.assign(black_box(&Trajectory { steps: &steps, reward: 1.0, ..Trajectory::default() })));
        });
    }
    group.finish();
}

fn scoring(criterion: &mut Criterion) {
    let expected = object(json!({"hive_score": {"$gte": 0.93}, "rows": 100, "label": "cat"}));
    let outcome = object(json!({"hive_score": 0.95, "rows": 104, "label": "cat", "done": true, "list": vec![1; 200]}));
    let sensor = Observation { data: Some(Payload::from(json!({"rows": 101}))), ..Observation::default() };
    let mut bench = |name: &str, criteria: &[&str], n_observations: usize| {
        let criteria: Vec<String> = criteria.iter().map(ToString::to_string).collect();
        let observations = vec![&sensor; n_observations];
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                score(black_box(&ScoreInput {
                    expected: &expected,
                    criteria: &criteria,
                    outcome: &outcome,
                    reward: None,
                    closing: Closing::Completed,
                    observations: &observations,
                    facts: ActionFacts::default(),
                }))
            });
        });
    };
    bench("credit/score_3_expected", &[], 1);
    bench("credit/score_3_expected_3_criteria", &["hive_score >= 0.93", "done", "rows > 90 && label == 'cat'"], 1);
    bench("credit/score_1000_observations", &["done"], 1_000);
    // Close to the limit of work that an expression may take.
    bench("credit/score_dearest_criterion", &["list.all(x, list.all(y, x + y > 0))"], 1);
}

fn tree(criterion: &mut Criterion) {
    let credits = [0.25; 4];
    let nodes: Vec<TreeInput<'_>> = (0..10_000_usize)
        .map(|i| TreeInput { parent: i.checked_sub(1), parent_step: Some(2), credits: &credits })
        .collect();
    criterion.bench_function("credit/tree_10000_deep", |bencher| bencher.iter(|| tree_credit(black_box(&nodes))));
}

/// Episodes of 100 steps that walk a ring of states to and fro, so that every state leads back to every other.
fn wandering(n_states: u64, n_episodes: u64) -> Vec<Episode> {
    let mut word = 7_u64;
    let mut next = |bound: u64| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 33) % bound
    };
    (0..n_episodes)
        .map(|_| {
            let mut state = next(n_states);
            let mut step = || {
                let decision = next(3);
                let step = EpisodeStep { state, decision, ..EpisodeStep::default() };
                state = (state + n_states + decision * 2 - 1 - next(2)) % n_states;
                step
            };
            let steps = (0..100).map(|_| step()).collect();
            Episode { reward: next(2) as f64, steps }
        })
        .collect()
}

fn td_ce(criterion: &mut Criterion) {
    let episodes = wandering(10_000, 5_000);
    let mut counts = Counts::default();
    episodes.iter().for_each(|episode| counts.add(1, episode));
    let mut group = criterion.benchmark_group("credit/td_ce");
    group.sample_size(10);
    group.bench_function("solve_10000_states", |bencher| {
        bencher.iter(|| TdCe::from_counts(black_box(&counts), None));
    });
    let model = TdCe::from_counts(&counts, None);
    group.bench_function("solve_10000_states_warm", |bencher| {
        bencher.iter(|| TdCe::from_counts(black_box(&counts), Some(&model)));
    });
    let long = Episode { reward: 1.0, steps: episodes.iter().take(10).flat_map(|e| e.steps.clone()).collect() };
    group.bench_function("assess_1000_steps", |bencher| bencher.iter(|| model.assess(black_box(&long))));
    group.finish();
}

fn games(criterion: &mut Criterion) {
    let weights = [10, 10, 10, 10, 8, 5, 5, 5, 5, 4, 4, 3, 3, 3, 2];
    let wins = |coalition: &Coalition| {
        let weight: u32 = coalition.players().map(|player| weights[player]).sum();
        f64::from(u8::from(weight >= 62))
    };
    criterion.bench_function("credit/shapley_15_players", |bencher| {
        bencher.iter(|| shapley(15, wins, black_box(Sampling::default())));
    });
}

criterion_group!(benches, decay, scoring, tree, td_ce, games);
criterion_main!(benches);
