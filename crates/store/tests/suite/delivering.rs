//! Sinks: what they took, what is tried again, what is dead.

use accredit_model::SinkStats;
use accredit_store::{Deliveries, Delivery, Due, Fate, Store, Write};

use super::Database;
use super::build::{at, begin, close, id, say, stats};

/// A store with so many attributions.
fn with_experiences(database: &impl Database, n: u64) -> Box<dyn Store> {
    let store = database.open();
    store.commit((1..=n).map(begin).collect()).unwrap();
    (1..=n).for_each(|n| assert!(close(&*store, n).starts_with("attributed")));
    store
}

fn deliveries(sink: &str, taken_to: Option<u64>, outcomes: Vec<(u64, Fate)>) -> Write {
    let outcomes = outcomes.into_iter().map(|(cursor, fate)| Delivery { cursor, fate }).collect();
    Write::Deliveries(Deliveries { sink: sink.to_owned(), taken_to, outcomes })
}

fn retry(attempts: u32, due: i64) -> Fate {
    Fate::Retry { attempts, due_at: at(due), error: "no answer".to_owned() }
}

fn dead(attempts: u32, failed: i64) -> Fate {
    Fate::Dead { attempts, failed_at: at(failed), error: "given up".to_owned() }
}

fn sink(store: &dyn Store, name: &str) -> (u64, u64, u64) {
    let found = stats(store).sinks.into_iter().find(|sink| sink.name == name);
    let SinkStats { delivered, pending, dead, .. } = found.unwrap();
    (delivered, pending, dead)
}

pub(crate) fn registers(database: &impl Database) {
    let store = with_experiences(database, 2);
    // Where there is no sink, experiences wait as for one.
    assert_eq!((stats(&*store).experiences, stats(&*store).pending), (2, 2));
    assert_eq!(store.register_sink("file").unwrap(), 0);
    assert_eq!(sink(&*store, "file"), (0, 2, 0));
    store.commit(vec![deliveries("file", Some(1), vec![(1, Fate::Delivered)])]).unwrap();
    assert_eq!(store.register_sink("file").unwrap(), 1);
    drop(store);
    let store = database.open();
    assert_eq!(store.register_sink("file").unwrap(), 1);
    assert_eq!(sink(&*store, "file"), (1, 1, 0));
}

pub(crate) fn delivers(database: &impl Database) {
    let store = with_experiences(database, 3);
    store.register_sink("file").unwrap();
    let both = deliveries("file", Some(2), vec![(1, Fate::Delivered), (2, Fate::Delivered)]);
    assert_eq!(say(&*store, vec![both]), "done");
    assert_eq!(sink(&*store, "file"), (2, 1, 0));
    // A cursor never goes back.
    assert_eq!(say(&*store, vec![deliveries("file", Some(1), vec![])]), "done");
    assert_eq!(store.register_sink("file").unwrap(), 2);
    assert_eq!(say(&*store, vec![deliveries("file", Some(3), vec![(3, Fate::Delivered)])]), "done");
    assert_eq!(sink(&*store, "file"), (3, 0, 0));
    assert!(store.due("file", at(1_000), 10).unwrap().is_empty() && store.dead_letters().unwrap().is_empty());
}

pub(crate) fn retries_and_gives_up(database: &impl Database) {
    let store = with_experiences(database, 4);
    store.register_sink("http").unwrap();
    let outcomes = vec![(1, retry(1, 10)), (2, Fate::Delivered), (3, retry(1, 20)), (4, dead(1, 5))];
    store.commit(vec![deliveries("http", Some(4), outcomes)]).unwrap();
    assert_eq!(sink(&*store, "http"), (1, 2, 1));
    let due = |store: &dyn Store, secs, limit| store.due("http", at(secs), limit).unwrap();
    assert_eq!(due(&*store, 9, 10), []);
    assert_eq!(due(&*store, 10, 10), [Due { cursor: 1, attempts: 1 }]);
    assert_eq!(due(&*store, 20, 10), [Due { cursor: 1, attempts: 1 }, Due { cursor: 3, attempts: 1 }]);
    assert_eq!(due(&*store, 20, 1).len(), 1);
    assert_eq!(store.due("another", at(20), 10).unwrap(), []);
    store.commit(vec![deliveries("http", None, vec![(1, retry(2, 30)), (3, dead(2, 21))])]).unwrap();
    drop(store);
    let store = database.open();
    assert_eq!(sink(&*store, "http"), (1, 1, 2));
    assert_eq!(due(&*store, 30, 10), [Due { cursor: 1, attempts: 2 }]);
    let dead = store.dead_letters().unwrap();
    assert_eq!(dead.iter().map(|letter| (letter.cursor, letter.attempts)).collect::<Vec<_>>(), [(3, 2), (4, 1)]);
    let first = &dead[0];
    assert_eq!((first.sink.as_str(), first.action_id, first.version), ("http", id(3), 1));
    assert_eq!((first.error.as_str(), first.failed_at), ("given up", at(21)));
    store.commit(vec![deliveries("http", None, vec![(1, Fate::Delivered)])]).unwrap();
    assert_eq!(sink(&*store, "http"), (2, 0, 2));
    assert_eq!(due(&*store, 1_000, 10), []);
}

pub(crate) fn replays(database: &impl Database) {
    let store = with_experiences(database, 3);
    store.register_sink("http").unwrap();
    let replay = |sink: Option<&str>| Write::Replay { sink: sink.map(str::to_owned), due_at: at(50) };
    assert_eq!(say(&*store, vec![replay(None)]), "0");
    let outcomes = vec![(1, dead(9, 1)), (2, dead(9, 2)), (3, retry(4, 90))];
    store.commit(vec![deliveries("http", Some(3), outcomes)]).unwrap();
    assert_eq!(say(&*store, vec![replay(Some("another")), replay(Some("http")), replay(None)]), "0; 2; 0");
    assert_eq!(sink(&*store, "http"), (0, 3, 0));
    let due = store.due("http", at(50), 10).unwrap();
    assert_eq!(due, [Due { cursor: 1, attempts: 0 }, Due { cursor: 2, attempts: 0 }]);
    assert!(store.dead_letters().unwrap().is_empty());
    drop(store);
    assert_eq!(sink(&*database.open(), "http"), (0, 3, 0));
}

pub(crate) fn several_sinks(database: &impl Database) {
    let store = with_experiences(database, 2);
    store.register_sink("a").unwrap();
    store.register_sink("b").unwrap();
    assert_eq!((stats(&*store).experiences, stats(&*store).pending), (4, 4));
    store
        .commit(vec![
            deliveries("a", Some(2), vec![(1, Fate::Delivered), (2, dead(1, 1))]),
            deliveries("b", Some(1), vec![(1, dead(1, 1))]),
        ])
        .unwrap();
    assert_eq!((sink(&*store, "a"), sink(&*store, "b")), ((1, 0, 1), (0, 1, 1)));
    let dead: Vec<_> = store.dead_letters().unwrap().into_iter().map(|letter| (letter.sink, letter.cursor)).collect();
    assert_eq!(dead, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(say(&*store, vec![Write::Replay { sink: Some("b".to_owned()), due_at: at(0) }]), "1");
    assert_eq!((sink(&*store, "a"), sink(&*store, "b")), ((1, 0, 1), (0, 2, 0)));
    let totals = stats(&*store);
    assert_eq!((totals.experiences, totals.delivered, totals.pending, totals.dead), (4, 1, 2, 1));
    // Another attribution is owed to both.
    store.commit(vec![begin(9)]).unwrap();
    close(&*store, 9);
    assert_eq!((sink(&*store, "a"), sink(&*store, "b")), ((1, 1, 1), (0, 3, 0)));
}
