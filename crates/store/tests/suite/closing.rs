//! Freezing, thawing, closing.

use accredit_model::{Closing, Status, Verdict};
use accredit_store::Write;

use super::Database;
use super::build::{at, begin, close, close_as, close_write, freeze, id, problems, say, stats, texts, thaw, to};

pub(crate) fn freezes_and_closes(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![freeze(1), begin(1), to(1).step("a").observation("o").write()], "unknown_action; begun; 0 1");
    // The entries of the same batch are in the picture.
    check(vec![to(1).at(5).step("b").write(), freeze(1)], "2; frozen 2+1 begun 0");
    check(vec![to(1).step("no").observation("late").write()], "closed_action late");
    check(vec![to(1).refuse_late().observation("no").write()], "closed_action");
    check(vec![close_write(&*store, 1, Closing::Completed)], "attributed 1");
    check(vec![freeze(1), thaw(1), to(1).step("no").write()], "closed_action; done; closed_action");
    let action = store.action(id(1)).unwrap().unwrap();
    assert_eq!((action.status, action.version), (Status::Closed(Closing::Completed), 1));
    assert_eq!((action.closed_at, action.duration_seconds), (Some(at(60)), Some(60.0)));
    assert_eq!((action.last_activity_at, action.step_count, action.observation_count), (at(60), 2, 1));
    assert_eq!((action.success_score, action.verdict, action.reward), (Some(0.5), Some(Verdict::Partial), None));
    assert_eq!(serde_json::to_string(&action.outcome).unwrap(), r#"{"version":1}"#);
    assert_eq!(texts(&*store, 1), ["a", "o", "b"]);
    let chain = store.chain(id(1)).unwrap().unwrap();
    assert_eq!((chain.status, chain.n_sealed, chain.n_entries()), (action.status, 3, 3));
    assert_eq!(stats(&*store).refused["closed_action"], 3);
}

pub(crate) fn busy(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![begin(1), to(1).step("a").write()], "begun; 0");
    let close_of_one = || close_write(&*store, 1, Closing::Completed);
    // Nobody has frozen it.
    check(vec![close_of_one()], "busy");
    check(vec![freeze(1), freeze(1)], "frozen 1+0 begun 0; busy");
    // Entries have come since the chain was read.
    let stale = close_of_one();
    check(vec![thaw(1), to(1).step("b").write(), freeze(1)], "done; 1; frozen 2+0 begun 0");
    check(vec![stale], "busy");
    let (first, second) = (close_of_one(), close_of_one());
    check(vec![first, second], "attributed 1; busy");
    assert_eq!(texts(&*store, 1), ["a", "b"]);
    assert_eq!((stats(&*store).completed, stats(&*store).experiences), (1, 1));
}

pub(crate) fn thaws(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![begin(1), freeze(1), thaw(1), to(1).step("a").write()], "begun; frozen 0+0 begun 0; done; 0");
    check(vec![thaw(1), thaw(2)], "done; done");
    assert_eq!(close(&*store, 1), "attributed 1");
}

pub(crate) fn every_closing(database: &impl Database) {
    let store = database.open();
    for (n, closing) in (0..).zip(Closing::ALL) {
        store.commit(vec![begin(n)]).unwrap();
        close_as(&*store, n, closing);
        assert_eq!(store.action(id(n)).unwrap().unwrap().status, Status::Closed(closing));
    }
    close_as_first(&*store);
    let stats = stats(&*store);
    assert_eq!((stats.begun, stats.open), (5, 0));
    assert_eq!((stats.completed, stats.timed_out, stats.evicted, stats.cancelled), (2, 1, 1, 1));
}

fn close_as_first(store: &dyn accredit_store::Store) {
    store.commit(vec![begin(10)]).unwrap();
    assert_eq!(close(store, 10), "attributed 5");
}

pub(crate) fn empty_chains(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), begin(2)]).unwrap();
    assert_eq!(close(&*store, 1), "attributed 1");
    assert_eq!(texts(&*store, 1), [""; 0]);
    // What is sealed next does not look like the chain of the empty one.
    assert_eq!(say(&*store, vec![to(2).step("a").write()]), "0");
    assert_eq!(close(&*store, 2), "attributed 2");
    assert_eq!(texts(&*store, 1), [""; 0]);
    assert_eq!(texts(&*store, 2), ["a"]);
}

pub(crate) fn accepted_is_durable(database: &impl Database) {
    let store = database.open();
    let accept = |n: u64, text: &str| Write::Accept { action: id(n), completion: text.as_bytes().to_vec() };
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![accept(1, "no"), begin(1), begin(2), begin(3)], "unknown_action; begun; begun; begun");
    check(vec![to(1).step("a").write(), accept(1, "first"), accept(1, "again")], "0; frozen 1+0 begun 0; busy");
    check(
        vec![freeze(2), accept(2, "busy"), thaw(2), accept(2, "second")],
        "frozen 0+0 begun 0; busy; done; frozen 0+0 begun 0",
    );
    // An accepted completion is not taken back.
    check(vec![thaw(1), to(1).step("no").write()], "done; closed_action");
    assert_eq!(store.accepted().unwrap(), [(id(1), b"first".to_vec()), (id(2), b"second".to_vec())]);
    drop(store);
    let store = database.open();
    assert_eq!(say(&*store, vec![to(1).step("no").write(), to(3).step("yes").write()]), "closed_action; 0");
    assert_eq!(store.accepted().unwrap(), [(id(1), b"first".to_vec()), (id(2), b"second".to_vec())]);
    assert_eq!(say(&*store, vec![close_write(&*store, 1, Closing::Completed)]), "attributed 1");
    assert_eq!(store.accepted().unwrap(), [(id(2), b"second".to_vec())]);
    assert_eq!(problems(&*store), Vec::<String>::new());
}

pub(crate) fn frozen_is_not_durable(database: &impl Database) {
    let store = database.open();
    assert_eq!(say(&*store, vec![begin(1), to(1).step("a").write(), freeze(1)]), "begun; 0; frozen 1+0 begun 0");
    drop(store);
    let store = database.open();
    assert_eq!(say(&*store, vec![to(1).step("b").write()]), "1");
    assert_eq!(close(&*store, 1), "attributed 1");
}
