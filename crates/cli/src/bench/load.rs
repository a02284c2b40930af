//! Recording under load: crowds of producers that wait for each acknowledgement, and one bulk load.

use std::collections::VecDeque;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use accredit::{EntryBody, Error};

use super::plain::PlainLog;
use super::report::{Row, io_failed};
use super::{BULK_CALL_STEPS, BULK_CALLS, Plan, begin, bulk_call, open, sample_step};

/// Acknowledgement times of all producers and the time it took.
pub(super) struct Crowd {
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Crowd {
    #[expect(clippy::cast_precision_loss, reason = "counts of steps stay far below 2^53")]
    pub(super) fn steps_per_sec(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn percentile_us(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let at = self.latencies.len().saturating_sub(1) * percent / 100;
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// Producers that record one step after another and wait until each is durable: engine and plain file by turns, so
/// that a noisy machine treats both alike.
pub(super) fn crowd(plan: &Plan, producers: u64) -> Result<Vec<Row>, Error> {
    let engine = open(plan, &format!("crowd-{producers}.db"))?;
    let plain = PlainLog::create(&plan.folder.join(format!("crowd-{producers}.log"))).map_err(io_failed)?;
    let ids = (0..producers).map(|agent| begin(&engine, agent)).collect::<Result<Vec<_>, _>>()?;
    let (mut ours, mut yardstick) = (Vec::new(), Vec::new());
    const TURNS: u64 = 4;
    for _ in 0..TURNS {
        let duration = Duration::from_millis(plan.secs * 1000 / TURNS);
        ours.push(run_crowd(producers, duration, |producer, n| {
            let id = ids.get(usize::try_from(producer).unwrap_or(0)).ok_or(Error::Closed)?;
            engine.step(*id, sample_step(n)).map(drop)
        })?);
        yardstick.push(run_crowd(producers, duration, |_, n| plain.append(line(n)).recv().map_err(|_| Error::Closed))?);
    }
    let (mut ours, mut yardstick) = (join(ours), join(yardstick));
    let ratio = ours.steps_per_sec() / yardstick.steps_per_sec();
    let goal = match producers {
        64 => Some(0.9),
        512 => Some(0.6),
        _ => None,
    };
    let name = format!("{producers} producers");
    Ok(vec![
        Row::compared(
            &format!("{name}: durable steps a second"),
            ours.steps_per_sec(),
            yardstick.steps_per_sec(),
            ratio,
            goal,
        ),
        Row::beside(&format!("{name}: acknowledgement p50, µs"), ours.percentile_us(50), yardstick.percentile_us(50)),
        Row::beside(&format!("{name}: acknowledgement p99, µs"), ours.percentile_us(99), yardstick.percentile_us(99)),
    ])
}

pub(super) fn join(turns: Vec<Crowd>) -> Crowd {
    let elapsed = turns.iter().map(|turn| turn.elapsed).sum();
    Crowd { latencies: turns.into_iter().flat_map(|turn| turn.latencies).collect(), elapsed }
}

pub(super) fn run_crowd(
    producers: u64,
    duration: Duration,
    record: impl Fn(u64, u64) -> Result<(), Error> + Sync,
) -> Result<Crowd, Error> {
    let stop = AtomicBool::new(false);
    // Starting a thread and its first memory are nobody's recording: time begins when all have recorded once.
    let start = Barrier::new(usize::try_from(producers).unwrap_or(0) + 1);
    let mut started = Instant::now();
    let results: Vec<Result<Vec<Duration>, Error>> = std::thread::scope(|scope| {
        let producer = |producer: u64| {
            let (start, stop, record) = (&start, &stop, &record);
            scope.spawn(move || {
                let mut latencies = Vec::new();
                let mut n = producer << 32;
                let first = record(producer, n);
                start.wait();
                first?;
                n += 1;
                while !stop.load(Ordering::Relaxed) {
                    let before = Instant::now();
                    record(producer, n)?;
                    latencies.push(before.elapsed());
                    n += 1;
                }
                Ok(latencies)
            })
        };
        let threads: Vec<_> = (0..producers).map(producer).collect();
        start.wait();
        started = Instant::now();
        std::thread::sleep(duration);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Poisoned))).collect()
    });
    let elapsed = started.elapsed();
    let latencies = results.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Crowd { latencies, elapsed })
}

/// The line that a plain log of the same steps would hold.
fn line(n: u64) -> Vec<u8> {
    let mut line = Vec::with_capacity(320);
    // A sample step has nothing that JSON cannot hold.
    drop(serde_json::to_writer(&mut line, &sample_step(n)));
    line.push(b'\n');
    line
}

/// One producer that loads everything in large calls, with a few under way; then the same store is opened again.
pub(super) fn bulk(plan: &Plan) -> Result<Vec<Row>, Error> {
    let plain_secs = bulk_plain(plan)?;
    let engine = open(plan, "bulk.db")?;
    let id = begin(&engine, 0)?;
    let started = Instant::now();
    let mut tickets = VecDeque::new();
    let mut first = 0;
    while first < plan.bulk_steps {
        let n = BULK_CALL_STEPS.min(plan.bulk_steps - first);
        let entries: Vec<EntryBody> = bulk_call(first, n);
        tickets.push_back(engine.try_record(id, entries)?);
        first += n;
        if tickets.len() >= BULK_CALLS
            && let Some(ticket) = tickets.pop_front()
        {
            ticket.wait()?;
        }
    }
    tickets.into_iter().try_for_each(|ticket| ticket.wait().map(drop))?;
    let engine_secs = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of steps stay far below 2^53")]
    let n = plan.bulk_steps as f64;
    let (ours, yardstick) = (n / engine_secs, n / plain_secs);
    engine.close()?;
    let started = Instant::now();
    let engine = open(plan, "bulk.db")?;
    let reopened_secs = started.elapsed().as_secs_f64();
    let entries = engine.action(id)?.step_count;
    engine.close()?;
    Ok(vec![
        Row::compared("bulk: durable steps a second", ours, yardstick, ours / yardstick, Some(0.5)),
        Row::at_most(&format!("opening a store with {entries} open steps, s"), reopened_secs, 1.0),
    ])
}

fn bulk_plain(plan: &Plan) -> Result<f64, Error> {
    let plain = PlainLog::create(&plan.folder.join("bulk.log")).map_err(io_failed)?;
    let started = Instant::now();
    let mut waiting = VecDeque::new();
    let mut first = 0;
    while first < plan.bulk_steps {
        let n = BULK_CALL_STEPS.min(plan.bulk_steps - first);
        let mut lines = Vec::with_capacity(320 * usize::try_from(n).unwrap_or(0));
        for entry in bulk_call(first, n) {
            if let EntryBody::Step(step) = entry {
                drop(serde_json::to_writer(&mut lines, &step));
                lines.push(b'\n');
            }
        }
        waiting.push_back(plain.append(lines));
        first += n;
        if waiting.len() >= BULK_CALLS
            && let Some(durable) = waiting.pop_front()
        {
            durable.recv().map_err(|_| Error::Closed)?;
        }
    }
    waiting.into_iter().try_for_each(|durable| durable.recv().map_err(|_| Error::Closed))?;
    Ok(started.elapsed().as_secs_f64())
}
