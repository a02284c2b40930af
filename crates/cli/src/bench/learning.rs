//! What learning costs those who record, and what it keeps in memory.

use std::time::Duration;

use accredit::{ActionId, Begin, Completion, Config, Engine, Error, Step};
use accredit_credit::{Learner, RESERVOIR_BYTES_MAX, StepFeatures, Trajectory};
use accredit_testkit::credit_table::CreditRow;

use super::load::{join, run_crowd};
use super::measure::resident_bytes;
use super::report::Row;
use super::{Plan, sample_step};

/// Producers that record while learning goes on.
const PRODUCERS: u64 = 64;
/// Steps of each of their actions.
const STEPS: u64 = 20;
/// Turns of either engine.
const TURNS: u64 = 4;

/// The same crowd of producers on an engine that learns and on one that does not, by turns. Each records actions of twenty
/// steps, waits for each step, and completes.
pub(super) fn while_recording(plan: &Plan) -> Result<Vec<Row>, Error> {
    let engine = |name: &str, enabled: bool| {
        let mut config = Config::at(plan.folder.join(name));
        config.learning.enabled = enabled;
        Engine::open(config)
    };
    let (learning, plain) = (engine("learning.db", true)?, engine("not-learning.db", false)?);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let duration = Duration::from_millis(plan.secs * 1000 / TURNS);
        with.push(crowd(&learning, duration)?);
        without.push(crowd(&plain, duration)?);
    }
    let (with, without) = (join(with).steps_per_sec(), join(without).steps_per_sec());
    let n_learned = learning.learn_now()?.first().map_or(0, |model| model.n_actions);
    learning.close()?;
    plain.close()?;
    Ok(vec![
        Row::compared(
            "64 producers and learning, beside not learning: durable steps a second",
            with,
            without,
            with / without,
            Some(0.9),
        ),
        #[expect(clippy::cast_precision_loss, reason = "counts of actions stay far below 2^53")]
        Row::fact("actions learned from", n_learned as f64),
    ])
}

fn crowd(engine: &Engine, duration: Duration) -> Result<super::load::Crowd, Error> {
    let open: Vec<std::sync::Mutex<Option<ActionId>>> = (0..PRODUCERS).map(|_| std::sync::Mutex::default()).collect();
    run_crowd(PRODUCERS, duration, |producer, n| {
        let slot = &open[usize::try_from(producer).unwrap_or(0)];
        // Each producer has one of its own.
        let mut slot = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let id = match *slot {
            Some(id) => id,
            None => *slot.insert(engine.begin(begin(producer))?.action_id),
        };
        let step = Step { state_key: Some(format!("s{}", n % STEPS)), ..sample_step(n) };
        engine.step(id, step)?;
        if n % STEPS == STEPS - 1 {
            #[expect(clippy::cast_precision_loss, reason = "below 3")]
            let reward = (n / STEPS % 3) as f64;
            engine.complete(id, Completion { reward: Some(reward), ..Completion::default() })?;
            *slot = None;
        }
        Ok(())
    })
}

fn begin(producer: u64) -> Begin {
    Begin { agent_id: format!("agent-{producer}").into(), action_type: "bench".into(), ..Begin::default() }
}

/// Actions that a learner takes in.
const ACTIONS: u64 = 1_000_000;
/// Different keys of situations and decisions among them.
const KEYS: u64 = 50_000;
/// The stated bound of one learner with one writer, in MiB: counts, trajectories and names.
const LEARNER_MIB_MAX: f64 = 63.0;
// The bound above is the sum of the learner's own.
const _: () = assert!(RESERVOIR_BYTES_MAX <= 48 << 20);

/// What a learner holds after a million actions of one type: once with 50,000 keys that recur, and once with keys that
/// never do, which is the most that an adversary can send. `progress` hears each.
pub(super) fn memory(rows: &mut Vec<CreditRow>, progress: &mut dyn FnMut(&str)) {
    const MIB: f64 = 1024.0 * 1024.0;
    type Key = fn(u64) -> u64;
    let cases: [(&str, Key); 2] =
        [("50,000 keys", |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS), ("every key new", |n| n)];
    for (what, key) in cases {
        let before = resident_bytes();
        let mut learner = Learner::default();
        (0..ACTIONS).for_each(|n| learn(&mut learner, n, key));
        let after = resident_bytes();
        let kept = learner.samples().len();
        progress(&format!("{ACTIONS} actions, {what}: {kept} trajectories kept, {} keys", learner.counts().n_keys()));
        if let (Some(before), Some(after)) = (before, after) {
            #[expect(clippy::cast_precision_loss, reason = "bytes of memory stay far below 2^53")]
            let grown = after.saturating_sub(before) as f64 / MIB;
            rows.push(CreditRow {
                suite: "memory".to_owned(),
                n: ACTIONS,
                method: "learner".to_owned(),
                metric: format!("MiB, {what}"),
                value: grown,
                goal: Some(LEARNER_MIB_MAX),
                at_most: true,
            });
        }
        drop(learner);
    }
}

fn learn(learner: &mut Learner, n: u64, key: fn(u64) -> u64) {
    const STEPS: u64 = 4;
    let texts: Vec<(String, String)> =
        (0..STEPS).map(|at| (format!("s{}", key(n * STEPS + at)), format!("d{}", key(n * STEPS + at + 1)))).collect();
    let steps: Vec<StepFeatures<'_>> = texts
        .iter()
        .map(|(state_key, decision)| StepFeatures {
            state_key: Some(state_key),
            decision: Some(decision),
            ..StepFeatures::default()
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "below 2")]
    let reward = (n % 2) as f64;
    let id = ActionId::from_bytes(u128::from(n).to_le_bytes());
    let trajectory = Trajectory { agent_id: "agent", goal_id: None, action_id: None, steps: &steps, reward };
    learner.learn(1, id, 1, &trajectory);
}
