//! What one chain costs: on disk, to read back, to complete; and what open actions cost in memory.

use std::time::Instant;

use accredit::{Begin, Command, Completion, Error};

use super::plain::PlainLog;
use super::report::{Row, io_failed};
use super::{Plan, begin, bulk_call, open};

/// Chains that are completed; the median counts.
const CHAINS: u64 = 50;
/// Steps of each.
const CHAIN_STEPS: u64 = 1_000;

/// Chains of 1,000 steps: reading, completing, sealing.
pub(super) fn chain(plan: &Plan) -> Result<Vec<Row>, Error> {
    let engine = open(plan, "chain.db")?;
    let plain = PlainLog::create(&plan.folder.join("chain.log")).map_err(io_failed)?;
    let (mut reads, mut completions, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    let mut ids = Vec::new();
    for agent in 0..CHAINS {
        let id = begin(&engine, agent)?;
        for call in 0..CHAIN_STEPS / 100 {
            engine.record(id, bulk_call((agent << 32) + call * 100, 100))?;
        }
        ids.push(id);
    }
    let open_sizes = engine.sizes()?;
    for id in ids {
        completions.push(timed(|| engine.complete(id, Completion { reward: Some(1.0), ..Completion::default() }))?);
        reads.push(timed(|| engine.chain(id))?);
        syncs.push(timed(|| plain.append(b"one line\n".to_vec()).recv().map_err(|_| Error::Closed))?);
    }
    let sealed = engine.sizes()?;
    engine.close()?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a benchmark stay far below 2^53")]
    let per_step = |bytes: u64| bytes as f64 / (CHAINS * CHAIN_STEPS) as f64;
    let fsync_ms = median(syncs);
    Ok(vec![
        Row::fact("bytes of JSON a step", per_step(open_sizes.chunk_bytes)),
        Row::fact("bytes on disk a step while open", per_step(open_sizes.file_bytes)),
        Row::fact("bytes a step sealed", per_step(sealed.sealed_bytes)),
        Row::at_most(
            "sealed chain / its JSON",
            per_step(sealed.sealed_bytes) / per_step(sealed.sealed_json_bytes),
            0.35,
        ),
        Row::at_most("reading back a chain of 1,000 steps, ms", median(reads), 1.0),
        Row::fact("one fsync of the plain file, ms", fsync_ms),
        Row::at_most("completing 1,000 steps beyond one fsync, ms", median(completions) - fsync_ms, 2.0),
    ])
}

/// Open actions, each with one step.
pub(super) fn memory(plan: &Plan) -> Result<Vec<Row>, Error> {
    let engine = open(plan, "memory.db")?;
    // What the first actions cost once (buffers, caches) is not counted.
    begin_many(&engine, 2_000);
    let before = resident_bytes();
    begin_many(&engine, plan.open_actions);
    let after = resident_bytes();
    engine.close()?;
    let (Some(before), Some(after)) = (before, after) else { return Ok(Vec::new()) };
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory stay far below 2^53")]
    let per_action = after.saturating_sub(before) as f64 / plan.open_actions as f64;
    Ok(vec![Row::at_most(&format!("memory of an open action ({} open), bytes", plan.open_actions), per_action, 1024.0)])
}

fn begin_many(engine: &accredit::Engine, n: u64) {
    let begin = |agent: u64| {
        let agent_id = format!("agent-{}", agent % 100).into();
        Ok(Command::Begin(Begin { agent_id, action_type: "bench".into(), ..Begin::default() }))
    };
    for first in (0..n).step_by(1_000) {
        drop(engine.apply((first..n.min(first + 1_000)).map(begin).collect()));
    }
}

/// Milliseconds that a call takes, without giving back the memory of its answer.
fn timed<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<f64, Error> {
    let started = Instant::now();
    let answer = call()?;
    let elapsed = started.elapsed();
    drop(answer);
    Ok(elapsed.as_secs_f64() * 1e3)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Resident memory of this process, where the system tells it.
pub(super) fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
