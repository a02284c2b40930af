//! `accredit bench ingest`: how fast steps become durable, beside a plain append-only file with the same fsync policy
//! in the same run, and what they cost on disk and in memory.

mod credit;
mod learning;
mod load;
mod measure;
mod plain;
mod report;

use std::path::PathBuf;

use accredit::{ActionId, Begin, Config, Engine, EntryBody, Error, Payload, Step};
use clap::ValueEnum;

pub(crate) use credit::{CreditBench, credit};
pub(crate) use report::{Report, Row};

/// How much to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Folder for the files, on the disk that is to be measured; they are deleted at the end.
    pub(crate) folder: PathBuf,
    /// Steps of the bulk load.
    pub(crate) bulk_steps: u64,
    /// Seconds that each crowd of producers records for.
    pub(crate) secs: u64,
    /// Open actions whose memory is measured.
    pub(crate) open_actions: u64,
    /// The parts to measure; all where empty.
    pub(crate) only: Vec<Part>,
}

/// Steps that one bulk call records.
const BULK_CALL_STEPS: u64 = 4_096;
/// Bulk calls under way at once: while one is being made durable, the next ones are prepared.
const BULK_CALLS: usize = 4;

/// One part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Memory of open actions
    Memory,
    /// Completing and reading back a chain of 1,000 steps
    Chain,
    /// The bulk load, and opening its store again
    Bulk,
    /// One producer
    #[value(name = "1")]
    One,
    /// 64 producers
    #[value(name = "64")]
    Some,
    /// 512 producers
    #[value(name = "512")]
    Many,
    /// 64 producers while the engine learns, beside an engine that does not
    Learning,
}

/// Measures the plan's parts, one row a fact; `progress` hears what comes next.
pub(crate) fn ingest(plan: &Plan, progress: &mut dyn FnMut(&str)) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for part in Part::value_variants().iter().filter(|part| plan.only.is_empty() || plan.only.contains(part)) {
        let help = part.to_possible_value();
        progress(&help.and_then(|value| Some(value.get_help()?.to_string())).unwrap_or_default());
        rows.extend(match part {
            Part::Memory => measure::memory(plan)?,
            Part::Chain => measure::chain(plan)?,
            Part::Bulk => load::bulk(plan)?,
            Part::One => load::crowd(plan, 1)?,
            Part::Some => load::crowd(plan, 64)?,
            Part::Many => load::crowd(plan, 512)?,
            Part::Learning => learning::while_recording(plan)?,
        });
    }
    Ok(rows)
}

/// A step of about 300 bytes of JSON as an agent would record it; `n` makes it differ from others.
fn sample_step(n: u64) -> Step {
    // The words wander through a small vocabulary, as a real agent's do: neither constant nor noise.
    const WORDS: [&str; 16] = [
        "search", "flight", "hotel", "compare", "price", "cheapest", "user", "asked", "reserve", "confirm", "retry",
        "tool", "result", "empty", "cancel", "refund",
    ];
    let mut bits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut word = || {
        bits ^= bits >> 29;
        bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        WORDS[(bits >> 33) as usize % WORDS.len()]
    };
    let description = format!("{} the {} and {} the {} for step {n}", word(), word(), word(), word());
    let state = format!(
        r#"{{"turn":{n},"query":"{} {} {}","open":[{},{},{}],"budget_usd":{}.{:02},"note":"{} {} {}"}}"#,
        word(),
        word(),
        word(),
        n % 7,
        n % 11,
        n % 13,
        100 + n % 900,
        n % 100,
        word(),
        word(),
        word(),
    );
    #[expect(clippy::cast_precision_loss, reason = "below 100")]
    let confidence = (n % 100) as f64 / 100.0;
    Step {
        description,
        state: Payload::from_json(state).ok(),
        decision: Some(word().to_owned()),
        confidence: Some(confidence),
        key: Some(word().to_owned()),
        ..Step::default()
    }
}

fn begin(engine: &Engine, agent: u64) -> Result<ActionId, Error> {
    let begin = Begin { agent_id: format!("agent-{agent}").into(), action_type: "bench".into(), ..Begin::default() };
    Ok(engine.begin(begin)?.action_id)
}

/// A store in the plan's folder that lets everything in.
fn open(plan: &Plan, name: &str) -> Result<Engine, Error> {
    let mut config = Config::at(plan.folder.join(name));
    config.limits.entries_max = u64::MAX;
    config.limits.open_actions_max = u64::MAX;
    Engine::open(config)
}

fn bulk_call(first: u64, n: u64) -> Vec<EntryBody> {
    (first..first + n).map(|n| EntryBody::Step(sample_step(n))).collect()
}
