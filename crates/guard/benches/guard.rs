//! What the guard costs: a step of 300 bytes, and a state of 64 KiB scanned and rewritten.

use std::hint::black_box;

use accredit_guard::{Guard, Limits};
use accredit_model::{Payload, Step};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

/// About 300 bytes as it goes over the wire.
fn step() -> Step {
    Step {
        description: "read the build log and look for the first failing test".into(),
        state: Some(Payload::from(json!({
            "branch": "main", "open_files": ["src/lib.rs", "src/score.rs"], "failing": 3, "cpu": 0.71, "dirty": false,
            "last": {"tool": "grep", "args": {"pattern": "FAILED", "path": "target/log.txt"}},
        }))),
        decision: Some("grep FAILED".into()),
        confidence: Some(0.8),
        key: Some("grep".into()),
        ..Step::default()
    }
}

fn guarding(criterion: &mut Criterion) {
    let guard = Guard::new(Limits::default());
    criterion.bench_function("guard/step_300_bytes", |bencher| {
        bencher.iter_batched(step, |step| guard.step(black_box(step)), BatchSize::SmallInput);
    });
    let rows: Vec<_> = (0..1_000).map(|i| json!({"id": i, "name": "a row of the table", "ok": true})).collect();
    let large =
        |text: &str| Step { state: Some(Payload::from(json!({ "rows": rows, "text": text }))), ..Step::default() };
    let mut group = criterion.benchmark_group("guard/state_50_kb");
    let bytes = large("short").state.map_or(0, |state| state.get().len() as u64);
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("scanned", |bencher| {
        bencher.iter_batched(|| large("short"), |step| guard.step(black_box(step)), BatchSize::SmallInput);
    });
    let long = "x".repeat(9_000);
    group.bench_function("rewritten", |bencher| {
        bencher.iter_batched(|| large(&long), |step| guard.step(black_box(step)), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, guarding);
criterion_main!(benches);
