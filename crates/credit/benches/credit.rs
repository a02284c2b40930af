//! What scoring and crediting cost.

use std::hint::black_box;

use accredit_credit::{
    ActionFacts, CreditMethod, Decay, ScoreInput, StepFeatures, Trajectory, TreeInput, score, tree_credit,
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
            bencher.iter(|| Decay.assign(black_box(&Trajectory { steps: &steps, reward: 1.0 })));
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

criterion_group!(benches, decay, scoring, tree);
criterion_main!(benches);
