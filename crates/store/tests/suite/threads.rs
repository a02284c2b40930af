//! Reading while others write, and many who write at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use accredit_model::Status;
use accredit_store::{Filter, Store};

use super::Database;
use super::build::{begin, close, id, problems, say, stats, texts, to};

const N_ACTIONS: u64 = 40;
const N_ENTRIES: u64 = 12;

/// What a reader may count on: how many entries of each action had been acknowledged before it looked.
struct Acknowledged(Vec<AtomicU64>);

/// Lets the readers end, whatever becomes of the writer.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Acknowledged {
    fn of(&self, n: u64) -> u64 {
        self.0[usize::try_from(n).unwrap()].load(Ordering::SeqCst)
    }
}

pub(crate) fn reading_while_closing(database: &impl Database) {
    let store = database.open();
    store.commit((0..N_ACTIONS).map(begin).collect()).unwrap();
    let known = Acknowledged((0..N_ACTIONS).map(|_| AtomicU64::new(0)).collect());
    let done = AtomicBool::new(false);
    let ended = Ended(&done);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (store, known, done) = (&*store, &known, &done);
                scope.spawn(move || {
                    let mut n_looks = 0_u64;
                    while !done.load(Ordering::SeqCst) {
                        look(store, known, (n_looks * 7 + reader) % N_ACTIONS);
                        n_looks += 1;
                    }
                    n_looks
                })
            })
            .collect();
        for n in 0..N_ACTIONS {
            for seq in 0..N_ENTRIES {
                assert_eq!(say(&*store, vec![to(n).step(&seq.to_string()).write()]), seq.to_string());
                known.0[usize::try_from(n).unwrap()].fetch_add(1, Ordering::SeqCst);
            }
            assert!(close(&*store, n).starts_with("attributed"));
            store.maintain().unwrap();
        }
        drop(ended);
        let n_looks: u64 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert!(n_looks > 0);
    });
    assert_eq!(problems(&*store), [""; 0]);
}

/// Whatever the moment, each call tells of one state of the action, no older than what was acknowledged.
fn look(store: &dyn Store, known: &Acknowledged, n: u64) {
    let least = known.of(n);
    let texts = texts(store, n);
    assert!(texts.len() as u64 >= least, "{} of {least} entries", texts.len());
    assert!(texts.iter().enumerate().all(|(place, text)| *text == place.to_string()), "{texts:?}");
    let least = known.of(n);
    let action = store.action(id(n)).unwrap().unwrap();
    assert!(action.step_count >= least, "{} of {least} steps", action.step_count);
    assert_eq!(action.version, u32::from(action.status != Status::Open));
    assert!(store.attribution(id(n), None).unwrap().is_some() || action.status == Status::Open);
    let least: Vec<u64> = (0..N_ACTIONS).map(|n| known.of(n)).collect();
    let (listed, _) = store.list(&Filter::default(), 100, None).unwrap();
    for (action, least) in listed.iter().rev().zip(least) {
        assert!(action.step_count >= least, "{:?}: {} of {least} listed", action.status, action.step_count);
    }
    stats(store);
}

pub(crate) fn many_writers(database: &impl Database) {
    const N_THREADS: u64 = 6;
    const N_COMMITS: u64 = 30;
    let store = database.open();
    store.commit(vec![begin(0)]).unwrap();
    std::thread::scope(|scope| {
        for thread in 1..=N_THREADS {
            let store = &*store;
            scope.spawn(move || {
                assert_eq!(say(store, vec![begin(thread)]), "begun");
                for n in 0..N_COMMITS {
                    let text = format!("{thread} {n}");
                    say(store, vec![to(0).step(&text).write(), to(thread).step(&text).write()]);
                }
                assert!(close(store, thread).starts_with("attributed"));
            });
        }
    });
    let shared = texts(&*store, 0);
    assert_eq!(shared.len() as u64, N_THREADS * N_COMMITS);
    for thread in 1..=N_THREADS {
        let own: Vec<String> = (0..N_COMMITS).map(|n| format!("{thread} {n}")).collect();
        let within: Vec<&String> = shared.iter().filter(|text| text.starts_with(&format!("{thread} "))).collect();
        assert!(within.into_iter().eq(&own), "thread {thread} is out of order");
        assert_eq!(texts(&*store, thread), own);
    }
    assert_eq!(stats(&*store).completed, N_THREADS);
    assert_eq!(problems(&*store), [""; 0]);
}
