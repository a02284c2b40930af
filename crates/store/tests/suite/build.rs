//! Writes and readings with little ceremony.
#![allow(dead_code, reason = "each test binary uses its part")]

use accredit_model::{ActionId, Closing, Entry, EntryKind, RefusalReason, Stats, Timestamp, Verdict, Version};
use accredit_store::{
    Amend, Answer, Append, Before, Close, EntryAnswer, EntryMark, LateObservations, Learned, LearningState, NewAction,
    NewAttribution, NewModel, Packed, SealedChain, Store, Write,
};

/// The action numbered so.
pub(crate) fn id(n: u64) -> ActionId {
    ActionId::from_bytes((u128::from(n) << 8 | 0xac).to_be_bytes())
}

/// So many seconds after the beginning of the tests.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + secs) * 1_000_000)
}

pub(crate) fn action(n: u64) -> NewAction {
    NewAction::new(id(n), "agent", "work", at(0))
}

pub(crate) fn begin(n: u64) -> Write {
    Write::Begin(Box::new(action(n)))
}

/// Entries of one action.
#[derive(Clone)]
pub(crate) struct Entries(Append);

pub(crate) fn to(n: u64) -> Entries {
    Entries(Append {
        action: id(n),
        lines: Vec::new(),
        marks: Vec::new(),
        received_at: at(0),
        steady: at(0),
        entries_max: u64::MAX,
        steps_max: u64::MAX,
        late: LateObservations::Accept,
    })
}

impl Entries {
    pub(crate) fn step(self, text: &str) -> Self {
        self.line(EntryKind::Step, "description", text)
    }

    pub(crate) fn steps(self, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        texts.into_iter().fold(self, |entries, text| entries.step(text.as_ref()))
    }

    pub(crate) fn observation(self, text: &str) -> Self {
        self.line(EntryKind::Observation, "observation_type", text)
    }

    fn line(mut self, kind: EntryKind, field: &str, text: &str) -> Self {
        let kind_code = if kind == EntryKind::Step { "step" } else { "observation" };
        let line = format!(r#"{{"kind":"{kind_code}","recorded_at":"{}","{field}":"{text}"}}"#, self.0.received_at);
        self.0.lines.extend_from_slice(line.as_bytes());
        self.0.lines.push(b'\n');
        self.0.marks.push(EntryMark { end: self.0.lines.len(), kind, key: None, grounds: None });
        self
    }

    /// Gives the last entry a key.
    pub(crate) fn key(mut self, key: u128) -> Self {
        self.0.marks.last_mut().unwrap().key = Some(key.to_be_bytes());
        self
    }

    /// Has the last entry ground a step.
    pub(crate) fn grounds(mut self, step: u64) -> Self {
        self.0.marks.last_mut().unwrap().grounds = Some(step);
        self
    }

    pub(crate) fn at(mut self, secs: i64) -> Self {
        (self.0.received_at, self.0.steady) = (at(secs), at(secs));
        self
    }

    pub(crate) fn limits(mut self, entries_max: u64, steps_max: u64) -> Self {
        (self.0.entries_max, self.0.steps_max) = (entries_max, steps_max);
        self
    }

    pub(crate) fn refuse_late(mut self) -> Self {
        self.0.late = LateObservations::Refuse;
        self
    }

    pub(crate) fn write(self) -> Write {
        Write::Append(self.0)
    }

    pub(crate) fn append(self) -> Append {
        self.0
    }
}

pub(crate) fn freeze(n: u64) -> Write {
    Write::Freeze { action: id(n) }
}

pub(crate) fn thaw(n: u64) -> Write {
    Write::Thaw { action: id(n) }
}

pub(crate) fn heartbeat(n: u64, secs: i64) -> Write {
    Write::Heartbeat { action: id(n), received_at: at(secs), steady: at(secs) }
}

pub(crate) fn refused(reason: RefusalReason, n: u64) -> Write {
    Write::CountRefused { reason, n }
}

/// A version of an attribution, its body no longer than it must be.
pub(crate) fn attribution(version: Version, score: f64) -> NewAttribution {
    NewAttribution {
        version,
        body: format!(r#"{{"version":{version},"success_score":{score}}}"#).into_bytes(),
        outcome: format!(r#"{{"version":{version}}}"#),
        reward: None,
        score,
        verdict: if score == 1.0 { Verdict::Success } else { Verdict::Partial },
    }
}

/// The closing of an action as it is now.
pub(crate) fn close_write(store: &dyn Store, n: u64, closing: Closing) -> Write {
    let chain = store.chain(id(n)).unwrap().unwrap();
    Write::Close(Box::new(Close {
        action: id(n),
        closing,
        closed_at: at(60),
        duration_micros: 60_000_000,
        sealed: SealedChain::compress(&chain).unwrap(),
        attribution: attribution(1, 0.5),
        received_at: at(60),
    }))
}

/// Freezes and closes.
pub(crate) fn close_as(store: &dyn Store, n: u64, closing: Closing) -> String {
    let frozen = say(store, vec![freeze(n)]);
    assert!(frozen.starts_with("frozen"), "{frozen}");
    say(store, vec![close_write(store, n, closing)])
}

pub(crate) fn close(store: &dyn Store, n: u64) -> String {
    close_as(store, n, Closing::Completed)
}

pub(crate) fn amend(n: u64, expect_version: Version, expect_entries: u64) -> Amend {
    Amend { action: id(n), expect_version, expect_entries, late: None, attribution: None, completed: None }
}

pub(crate) fn amended(amend: Amend) -> Write {
    Write::Amend(Box::new(amend))
}

/// Learners with these bytes, and nothing else.
pub(crate) fn learned(learners: &[(&str, &[u8])]) -> Learned {
    let packed = |(action_type, bytes): &(&str, &[u8])| ((*action_type).into(), Packed::pack(bytes.to_vec()).unwrap());
    Learned {
        state: LearningState { writer: 1, format: 1, taken_to: 0 },
        learners: learners.iter().map(packed).collect(),
        models: vec![],
        models_max: 10,
        forgotten: vec![],
        before: Before::Kept,
    }
}

pub(crate) fn model(action_type: &str, version: u64, n_actions: u64, bytes: &[u8]) -> NewModel {
    NewModel {
        action_type: action_type.into(),
        version,
        created_at: at(40),
        n_actions,
        method: "td_ce".to_owned(),
        packed: Packed::pack(bytes.to_vec()).unwrap(),
    }
}

/// Commits a batch and says the answers in words, parted by semicolons.
pub(crate) fn say(store: &dyn Store, batch: Vec<Write>) -> String {
    let answers = store.commit(batch).unwrap();
    answers.iter().map(said).collect::<Vec<_>>().join("; ")
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Begun { repeat: false } => "begun".to_owned(),
        Answer::Begun { repeat: true } => "begun before".to_owned(),
        Answer::AtCapacity => "at capacity".to_owned(),
        Answer::Entries(entries) => entries.iter().map(entry_said).collect::<Vec<_>>().join(" "),
        Answer::Frozen(action, begun) => {
            let begun_secs = begun.micros_since(at(0)) / 1_000_000;
            format!("frozen {}+{} begun {begun_secs}", action.step_count, action.observation_count)
        }
        Answer::Busy => "busy".to_owned(),
        Answer::Attributed { cursor, late } => {
            let cursor = cursor.map_or("not attributed".to_owned(), |cursor| format!("attributed {cursor}"));
            late.as_ref().map_or(cursor.clone(), |late| format!("{cursor} late {}", entry_said(late)))
        }
        Answer::Count(n) => n.to_string(),
        Answer::Done => "done".to_owned(),
        Answer::Refused(reason) => reason.to_string(),
    }
}

fn entry_said(answer: &EntryAnswer) -> String {
    match answer {
        EntryAnswer::Stored { seq, repeat: false } => seq.to_string(),
        EntryAnswer::Stored { seq, repeat: true } => format!("{seq}="),
        EntryAnswer::Refused(reason) => reason.to_string(),
        EntryAnswer::Late { .. } => "late".to_owned(),
    }
}

/// The texts of a chain, in order; checks that positions count from 0.
pub(crate) fn texts(store: &dyn Store, n: u64) -> Vec<String> {
    let entries = store.chain(id(n)).unwrap().expect("the action is there").entries().unwrap();
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, place as u64);
    }
    entries.iter().map(text).collect()
}

fn text(entry: &Entry) -> String {
    match (entry.step(), entry.observation()) {
        (Some(step), _) => step.description.clone(),
        (_, Some(observation)) => observation.observation_type.clone(),
        _ => String::new(),
    }
}

/// The counters, of which the identities hold.
pub(crate) fn stats(store: &dyn Store) -> Stats {
    let stats = store.stats().unwrap();
    assert_eq!(stats.begun, stats.open + stats.completed + stats.timed_out + stats.evicted + stats.cancelled);
    assert_eq!(stats.received, stats.recorded + stats.refused_total, "{stats:?}");
    assert_eq!(stats.recorded, stats.steps + stats.observations);
    assert_eq!(stats.refused_total, stats.refused.values().sum::<u64>());
    assert_eq!(stats.experiences, stats.delivered + stats.pending + stats.dead, "{stats:?}");
    stats
}

/// What `verify` finds wrong, in words.
pub(crate) fn problems(store: &dyn Store) -> Vec<String> {
    let report = store.verify(&|_, _, _| None, &mut |_, _| {}).unwrap();
    report.problems.into_iter().map(|problem| problem.what).collect()
}
