//! Committed events for live subscribers: a ring in memory that a slow or returning reader can resume from.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accredit_model::{Event, EventBody, Timestamp};
use event_listener::{Event as Signal, Listener};

/// The ring. Ids are `epoch-number`: the epoch tells engines apart, so that nobody resumes in another one's stream.
#[derive(Debug)]
pub(crate) struct Hub {
    epoch: String,
    ring: Mutex<Ring>,
    changed: Signal,
    events_max: usize,
}

#[derive(Debug, Default)]
struct Ring {
    /// Number of the first event kept; the first one ever has number 1.
    first: u64,
    events: VecDeque<EventBody>,
    closed: bool,
}

impl Ring {
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }
}

impl Hub {
    pub(crate) fn new(started: Timestamp, events_max: usize) -> Self {
        let ring = Mutex::new(Ring { first: 1, ..Ring::default() });
        Self { epoch: format!("{:x}", started.micros()), ring, changed: Signal::new(), events_max }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn publish(&self, events: impl IntoIterator<Item = EventBody>) {
        let mut ring = self.ring();
        for event in events {
            if ring.events.len() >= self.events_max {
                ring.events.pop_front();
                ring.first += 1;
            }
            ring.events.push_back(event);
        }
        drop(ring);
        self.changed.notify(usize::MAX);
    }

    pub(crate) fn close(&self) {
        self.ring().closed = true;
        self.changed.notify(usize::MAX);
    }

    pub(crate) fn subscribe(self: &Arc<Self>, after: Option<&str>) -> Subscription {
        let next = self.ring().next();
        let own = after.and_then(|id| id.split_once('-')).filter(|(epoch, _)| *epoch == self.epoch);
        let seen = own.and_then(|(_, number)| number.parse::<u64>().ok()).filter(|seen| *seen < next);
        let (next, lost_count) = match (after, seen) {
            (None, _) => (next, false),
            (Some(_), Some(seen)) => (seen + 1, false),
            // Of another engine: what happened between is not known here.
            (Some(_), None) => (next, true),
        };
        Subscription { hub: Arc::clone(self), next, lost_count }
    }
}

/// A reader of the stream. It never holds up recording: when it is too slow, it hears `gap` and goes on.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    next: u64,
    lost_count: bool,
}

enum Look {
    Found(Event),
    Nothing,
    Closed,
}

impl Subscription {
    fn look(&mut self) -> Look {
        let ring = self.hub.ring();
        let id = |number: u64| format!("{}-{number}", self.hub.epoch);
        if self.lost_count {
            self.lost_count = false;
            return Look::Found(Event { id: id(self.next.saturating_sub(1)), body: EventBody::Gap { missed: None } });
        }
        if self.next < ring.first {
            let missed = Some(ring.first - self.next);
            self.next = ring.first;
            return Look::Found(Event { id: id(self.next - 1), body: EventBody::Gap { missed } });
        }
        let index = usize::try_from(self.next - ring.first).unwrap_or(usize::MAX);
        match ring.events.get(index) {
            Some(body) => {
                let event = Event { id: id(self.next), body: body.clone() };
                self.next += 1;
                Look::Found(event)
            }
            None if ring.closed => Look::Closed,
            None => Look::Nothing,
        }
    }

    /// The next event; `None` when none comes within `timeout` or the engine has closed.
    pub fn next(&mut self, timeout: Duration) -> Option<Event> {
        let deadline = Instant::now() + timeout;
        loop {
            // Listening begins before looking, so that nothing slips in between.
            let listener = self.hub.changed.listen();
            match self.look() {
                Look::Found(event) => return Some(event),
                Look::Closed => return None,
                Look::Nothing => listener.wait_deadline(deadline)?,
            };
        }
    }

    /// The next event; `None` when the engine has closed. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<Event> {
        loop {
            let listener = self.hub.changed.listen();
            match self.look() {
                Look::Found(event) => return Some(event),
                Look::Closed => return None,
                Look::Nothing => listener.await,
            }
        }
    }
}
