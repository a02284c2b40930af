//! Random commands, answered as a plain model in memory answers them.

use std::collections::BTreeMap;

use accredit_model::Closing;
use accredit_store::{Amend, Deliveries, Store, Write};

use super::Database;
use super::build::{
    amend, amended, attribution, begin, close_write, freeze, heartbeat, problems, say, stats, texts, thaw, to,
};

const N_ACTIONS: u64 = 6;
const ENTRIES_MAX: u64 = 40;
const STEPS_MAX: u64 = 30;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

#[derive(Clone, Default)]
struct Model {
    actions: BTreeMap<u64, Plain>,
    repeated: u64,
    refused: u64,
    cursor: u64,
}

#[derive(Clone, Default)]
struct Plain {
    texts: Vec<String>,
    n_steps: u64,
    keys: BTreeMap<u128, u64>,
    is_frozen: bool,
    /// 0 while it is open.
    version: u32,
}

/// One entry as the model sees it.
struct Sent {
    text: String,
    is_step: bool,
    key: Option<u128>,
    grounds: Option<u64>,
}

impl Model {
    fn begin(&mut self, n: u64) -> &'static str {
        if self.actions.contains_key(&n) {
            return "begun before";
        }
        self.actions.insert(n, Plain::default());
        "begun"
    }

    fn append(&mut self, n: u64, sent: &[Sent]) -> String {
        sent.iter().map(|sent| self.entry(n, sent)).collect::<Vec<_>>().join(" ")
    }

    fn entry(&mut self, n: u64, sent: &Sent) -> String {
        let Some(action) = self.actions.get_mut(&n) else {
            self.refused += 1;
            return "unknown_action".to_owned();
        };
        if let Some(seq) = sent.key.and_then(|key| action.keys.get(&key)) {
            self.repeated += 1;
            return format!("{seq}=");
        }
        if (action.is_frozen || action.version > 0) && !sent.is_step {
            return "late".to_owned();
        }
        let refusal = match () {
            () if action.is_frozen || action.version > 0 => Some("closed_action"),
            () => action.full(sent),
        };
        if let Some(refusal) = refusal {
            self.refused += 1;
            return refusal.to_owned();
        }
        action.store(sent).to_string()
    }

    fn freeze(&mut self, n: u64) -> String {
        match self.actions.get_mut(&n) {
            None => "unknown_action".to_owned(),
            Some(action) if action.version > 0 => "closed_action".to_owned(),
            Some(action) if action.is_frozen => "busy".to_owned(),
            Some(action) => {
                action.is_frozen = true;
                format!("frozen {}+{} begun 0", action.n_steps, action.texts.len() as u64 - action.n_steps)
            }
        }
    }

    fn close(&mut self, n: u64) -> String {
        match self.actions.get_mut(&n) {
            Some(action) if action.is_frozen => {
                (action.is_frozen, action.version) = (false, 1);
                self.cursor += 1;
                format!("attributed {}", self.cursor)
            }
            _ => "busy".to_owned(),
        }
    }

    fn amend(&mut self, n: u64, version: u32, entries: u64, late: &Sent) -> String {
        let Some(action) = self.actions.get_mut(&n) else { return "unknown_action".to_owned() };
        if let Some(seq) = late.key.and_then(|key| action.keys.get(&key)) {
            self.repeated += 1;
            return format!("not attributed late {seq}=");
        }
        if action.version == 0 || action.version != version || action.texts.len() as u64 != entries {
            return "busy".to_owned();
        }
        if let Some(refusal) = action.full(late) {
            self.refused += 1;
            return format!("not attributed late {refusal}");
        }
        action.version += 1;
        self.cursor += 1;
        format!("attributed {} late {}", self.cursor, action.store(late))
    }
}

impl Plain {
    fn full(&self, sent: &Sent) -> Option<&'static str> {
        let is_full = self.texts.len() as u64 >= ENTRIES_MAX || (sent.is_step && self.n_steps >= STEPS_MAX);
        let is_groundless = sent.grounds.is_some_and(|step| step >= self.n_steps);
        if is_full { Some("action_full") } else { is_groundless.then_some("unknown_step") }
    }

    fn store(&mut self, sent: &Sent) -> u64 {
        let seq = self.texts.len() as u64;
        self.texts.push(sent.text.clone());
        self.n_steps += u64::from(sent.is_step);
        self.keys.extend(sent.key.map(|key| (key, seq)));
        seq
    }
}

/// Some entries, for the store and for the model.
fn entries(random: &mut Random, n: u64, n_entries: u64, observations_only: bool) -> (super::build::Entries, Vec<Sent>) {
    let (mut writes, mut sent) = (to(n).limits(ENTRIES_MAX, STEPS_MAX), Vec::new());
    for _ in 0..n_entries {
        let text = format!("{:x}", random.below(u64::MAX));
        let is_step = !observations_only && random.below(3) > 0;
        let key = (random.below(3) == 0).then(|| u128::from(random.below(30)) << 64);
        let grounds = (!is_step && random.below(2) == 0).then(|| random.below(STEPS_MAX / 2));
        writes = if is_step { writes.step(&text) } else { writes.observation(&text) };
        writes = key.into_iter().fold(writes, super::build::Entries::key);
        writes = grounds.into_iter().fold(writes, super::build::Entries::grounds);
        sent.push(Sent { text, is_step, key, grounds });
    }
    (writes, sent)
}

/// One write with the answer that the model gives.
fn one(random: &mut Random, store: &dyn Store, model: &mut Model) -> (Write, String) {
    let n = random.below(N_ACTIONS);
    match random.below(20) {
        0..2 => (begin(n), model.begin(n).to_owned()),
        2..12 => {
            let n_entries = 1 + random.below(4);
            let (writes, sent) = entries(random, n, n_entries, false);
            (writes.write(), model.append(n, &sent))
        }
        12..14 => (freeze(n), model.freeze(n)),
        14 => {
            if let Some(action) = model.actions.get_mut(&n) {
                action.is_frozen = false;
            }
            (thaw(n), "done".to_owned())
        }
        15..18 => {
            let (late, sent) = entries(random, n, 1, true);
            let (version, n_entries) =
                model.actions.get(&n).map_or((1, 0), |action| (action.version.max(1), action.texts.len() as u64));
            let version = version + u32::from(random.below(5) == 0);
            let said = model.amend(n, version, n_entries, &sent[0]);
            let new = Some(attribution(version + 1, 1.0));
            (amended(Amend { late: Some(late.append()), attribution: new, ..amend(n, version, n_entries) }), said)
        }
        18 => {
            let said = match model.actions.get(&n) {
                None => "unknown_action",
                Some(action) if action.version > 0 => "closed_action",
                Some(_) => "done",
            };
            (heartbeat(n, 1), said.to_owned())
        }
        _ => match store.chain(super::build::id(n)).unwrap() {
            // What this batch appends before makes the chain a stale one, and the model then says so too.
            Some(chain) if model.actions[&n].texts.len() as u64 == chain.n_entries() => {
                (close_write(store, n, Closing::Completed), model.close(n))
            }
            _ => (Write::Flush, "done".to_owned()),
        },
    }
}

fn play(database: &impl Database, seed: u64) {
    let mut random = Random(seed);
    let mut store = database.open();
    let mut model = Model::default();
    for turn in 0..150 {
        let before = model.clone();
        let (mut batch, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..1 + random.below(4) {
            let (write, said) = one(&mut random, &*store, &mut model);
            batch.push(write);
            expected.push(said);
        }
        let context = || format!("seed {seed}, turn {turn}");
        if random.below(8) == 0 {
            let nobody = Deliveries { sink: "nobody".to_owned(), taken_to: None, outcomes: vec![] };
            batch.push(Write::Deliveries(nobody));
            store.commit(batch).expect_err(&context());
            model = before;
        } else {
            assert_eq!(say(&*store, batch), expected.join("; "), "{}", context());
        }
        if random.below(10) == 0 {
            // Counts of refusals that nothing durable followed may go with the process.
            store.commit(vec![Write::Flush]).unwrap();
            drop(store);
            store = database.open();
            model.actions.values_mut().for_each(|action| action.is_frozen = false);
        }
        for (n, action) in &model.actions {
            assert_eq!(texts(&*store, *n), action.texts, "{}", context());
            assert_eq!(store.action(super::build::id(*n)).unwrap().unwrap().version, action.version, "{}", context());
        }
        let counted = stats(&*store);
        let recorded = model.actions.values().map(|action| action.texts.len() as u64).sum::<u64>();
        let expected = (recorded, model.repeated, model.refused, model.cursor, model.actions.len() as u64);
        let found = (counted.recorded, counted.repeated, counted.refused_total, counted.experiences, counted.begun);
        assert_eq!(found, expected, "{}", context());
    }
    assert_eq!(problems(&*store), [""; 0], "seed {seed}");
}

pub(crate) fn agrees_with_a_plain_model(database: &impl Database) {
    play(database, 1);
}
