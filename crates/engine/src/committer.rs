//! The one thread that writes: takes what waits, makes it durable in one transaction, answers.

use std::sync::Arc;

use accredit_model::EventBody;
use accredit_store::{Answer, EntryAnswer, Write};

use crate::Error;
use crate::engine::Inner;
use crate::queue::{End, Job, Queue};
use crate::reply::{Answering, Bell, Reply};

/// Runs until the queue ends. Whatever happens to this thread, nobody waits for ever.
pub(crate) fn run(inner: &Inner) {
    let poison = Poison(Arc::clone(&inner.queue));
    while let Some(jobs) = inner.queue.take() {
        commit(inner, jobs);
        if inner.store.is_maintenance_due() {
            inner.keeper.call();
        }
    }
    std::mem::forget(poison);
}

/// Ends the queue when the thread unwinds.
struct Poison(Arc<Queue>);

impl Drop for Poison {
    fn drop(&mut self) {
        tracing::error!("the committer has died; nothing more is recorded");
        self.0.end(End::Poisoned);
    }
}

fn commit(inner: &Inner, jobs: Vec<Job>) {
    let mut batch = Vec::with_capacity(jobs.len());
    let mut replies = Vec::with_capacity(jobs.len());
    // Each with the place of the write that it tells of.
    let mut events: Vec<(usize, EventBody)> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let place = batch.len();
        replies.push((job.reply, job.writes.len()));
        events.extend(job.events.into_iter().map(|event| (place, event)));
        for (at, write) in job.writes.into_iter().enumerate() {
            events.extend(event_of(&write).map(|event| (place + at, event)));
            batch.push(write);
        }
    }
    let refused = inner.tally.take();
    batch.extend(refused.iter().map(|(reason, n)| Write::CountRefused { reason: *reason, n: *n }));
    match inner.store.commit(batch) {
        Ok(answers) => {
            inner.hub.publish(events.into_iter().filter_map(|(at, event)| confirmed(event, answers.get(at)?)));
            let mut answers = answers.into_iter();
            answer(replies, |n| Ok(answers.by_ref().take(n).collect()));
        }
        Err(error) => {
            tracing::error!(%error, "a commit failed; its callers are told");
            refused.into_iter().for_each(|(reason, n)| inner.tally.add(reason, n));
            let error = Error::from(error);
            answer(replies, |_| Err(error.clone()));
        }
    }
}

/// Puts every answer, then wakes all who wait for one.
fn answer(replies: Vec<(Answering, usize)>, mut reply_to: impl FnMut(usize) -> Reply) {
    let mut bells: Vec<Arc<Bell>> = Vec::with_capacity(1);
    for (reply, n) in replies {
        let bell = reply.put(reply_to(n));
        if !bells.last().is_some_and(|last| Arc::ptr_eq(last, &bell)) {
            bells.push(bell);
        }
    }
    bells.iter().for_each(|bell| bell.ring());
}

/// What subscribers hear of a write, should it succeed.
fn event_of(write: &Write) -> Option<EventBody> {
    match write {
        Write::Begin(action) => Some(EventBody::Begun {
            action_id: action.id,
            agent_id: action.agent_id.clone(),
            action_type: action.action_type.clone(),
            goal_id: action.goal_id.clone(),
            parent_action_id: action.parent,
        }),
        Write::Append(append) => Some(EventBody::Recorded { action_id: append.action, first_seq: 0, entries: 0 }),
        _ => None,
    }
}

fn confirmed(event: EventBody, answer: &Answer) -> Option<EventBody> {
    match (event, answer) {
        (event @ EventBody::Begun { .. }, Answer::Begun { repeat: false }) => Some(event),
        (event @ EventBody::Completed { .. }, Answer::Attributed { cursor: Some(_), .. }) => Some(event),
        (
            EventBody::Recorded { action_id, .. },
            Answer::Attributed { late: Some(EntryAnswer::Stored { seq, repeat: false }), .. },
        ) => Some(EventBody::Recorded { action_id, first_seq: *seq, entries: 1 }),
        (EventBody::Recorded { action_id, .. }, Answer::Entries(answers)) => {
            let mut stored = answers.iter().filter_map(|answer| match answer {
                EntryAnswer::Stored { seq, repeat: false } => Some(*seq),
                _ => None,
            });
            let first_seq = stored.next()?;
            Some(EventBody::Recorded { action_id, first_seq, entries: 1 + stored.count() as u64 })
        }
        _ => None,
    }
}
