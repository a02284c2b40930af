//! What stays: after a restart, and after a commit that failed.

use std::cell::RefCell;

use accredit_model::{Closing, RefusalReason};
use accredit_store::{Amend, Deliveries, Delivery, Fate, Filter, IdleFrom, Oldest, Store, StoreError, Write};

use super::Database;
use super::build::{
    action, amend, amended, at, attribution, begin, close, close_as, close_write, freeze, heartbeat, id, problems,
    refused, say, stats, texts, to,
};

/// Everything that a store tells, as text.
fn told(store: &dyn Store) -> Vec<String> {
    let (actions, _) = store.list(&Filter::default(), usize::MAX - 1, None).unwrap();
    let mut told = Vec::new();
    for action in &actions {
        let chain = store.chain(action.action_id).unwrap().unwrap();
        let lines: Vec<_> = chain.lines().map(|(seq, line)| (seq, line.to_owned())).collect();
        told.push(format!("{action:?} {:?} {lines:?} {}", chain.status, chain.n_sealed));
        assert_eq!(store.action(action.action_id).unwrap().as_ref(), Some(action));
        told.push(format!("{:?}", store.children(action.action_id).unwrap()));
        for version in 1..=action.version {
            told.push(format!("{:?}", store.attribution(action.action_id, Some(version)).unwrap().unwrap()));
        }
    }
    told.push(format!("{:?}", store.attributions_after(0, 1_000).unwrap()));
    for from in [IdleFrom::Activity, IdleFrom::Start] {
        told.push(format!("{:?}", store.idle(from, at(1_000_000), 1_000).unwrap()));
    }
    for order in [Oldest::Activity, Oldest::Start] {
        told.push(format!("{:?}", store.oldest_open(order).unwrap()));
    }
    told.push(format!("{:?} {:?}", stats(store), store.dead_letters().unwrap()));
    told.push(format!("{:?}", store.due("http", at(1_000), 100).unwrap()));
    told
}

fn compare(before: &[String], after: &[String]) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

fn busy_store(database: &impl Database) -> Box<dyn Store> {
    let store = database.open();
    store.commit((1..=8).map(begin).collect()).unwrap();
    for round in 0..3 {
        let append = |n: u64| {
            let key = u128::from(n) << 8 | round;
            to(n).at(n.cast_signed()).step("s").step("k").key(key).observation("o").grounds(0).write()
        };
        store.commit((1..=8).map(append).collect()).unwrap();
    }
    store.commit(vec![heartbeat(8, 70), refused(RefusalReason::TooDeep, 3), heartbeat(7, 71)]).unwrap();
    close(&*store, 1);
    close_as(&*store, 2, Closing::TimedOut);
    close_as(&*store, 3, Closing::Cancelled);
    let late = Amend { late: Some(to(1).observation("late").append()), ..amend(1, 1, 9) };
    let truth = Amend { attribution: Some(attribution(2, 1.0)), completed: Some((at(9), 3)), ..amend(2, 1, 9) };
    assert_eq!(say(&*store, vec![amended(late), amended(truth)]), "not attributed late 9; attributed 4");
    store.register_sink("http").unwrap();
    let fates = [Fate::Delivered, Fate::Retry { attempts: 1, due_at: at(9), error: "e".to_owned() }];
    let outcomes = (1..).zip(fates).map(|(cursor, fate)| Delivery { cursor, fate }).collect();
    let taken = Deliveries { sink: "http".to_owned(), taken_to: Some(2), outcomes };
    assert_eq!(say(&*store, vec![Write::Deliveries(taken), heartbeat(1, 99)]), "done; closed_action");
    store
}

pub(crate) fn reopening_changes_nothing(database: &impl Database) {
    let store = busy_store(database);
    let before = told(&*store);
    store.maintain().unwrap();
    compare(&before, &told(&*store));
    drop(store);
    let store = database.open();
    compare(&before, &told(&*store));
    assert_eq!(problems(&*store), [""; 0]);
    // Positions and keys go on where they were.
    assert_eq!(say(&*store, vec![to(4).step("k").key(4 << 8).step("next").write()]), "1= 9");
    drop(store);
    let store = database.open();
    assert_eq!(texts(&*store, 4).len(), 10);
    assert_eq!(close(&*store, 4), "attributed 5");
}

pub(crate) fn ends_writing(database: &impl Database) {
    let store = busy_store(database);
    let before = told(&*store);
    store.close().unwrap();
    // Reading goes on, and what another writer does is seen.
    compare(&before, &told(&*store));
    let next = database.open();
    assert_eq!(say(&*next, vec![begin(9), to(4).step("next").write()]), "begun; 9");
    assert_eq!((texts(&*store, 4).len(), stats(&*store).begun), (10, 9));
    assert!(matches!(store.commit(vec![begin(10)]).unwrap_err(), StoreError::ReadOnly));
    assert!(matches!(store.register_sink("late").unwrap_err(), StoreError::ReadOnly));
    // Once is enough, and neither this nor its end disturbs the other.
    store.close().unwrap();
    drop(store);
    assert_eq!(say(&*next, vec![to(4).step("and on").write()]), "10");
}

/// A batch that does a bit of everything and then something that cannot be done.
fn failing(store: &dyn Store) -> Vec<Write> {
    vec![
        begin(20),
        to(20).step("no").write(),
        to(5).step("no").step("no").key(77).write(),
        to(6).step("no").observation("no").grounds(99).write(),
        heartbeat(7, 90),
        close_write(store, 8, Closing::Completed),
        amended(Amend { attribution: Some(attribution(2, 0.1)), ..amend(1, 1, 10) }),
        refused(RefusalReason::TooDeep, 5),
        freeze(4),
        Write::Deliveries(Deliveries { sink: "nobody registered it".to_owned(), taken_to: Some(9), outcomes: vec![] }),
    ]
}

pub(crate) fn failed_commits_leave_nothing(database: &impl Database) {
    let store = busy_store(database);
    assert_eq!(say(&*store, vec![freeze(8)]), "frozen 6+3 begun 0");
    let before = told(&*store);
    for _ in 0..2 {
        store.commit(failing(&*store)).unwrap_err();
        compare(&before, &told(&*store));
    }
    assert_eq!(problems(&*store), [""; 0]);
    // The rest of the batch, tried again, does what it would have done at first.
    let mut batch = failing(&*store);
    batch.pop();
    let expected = "begun; 0; 9 10; 9 unknown_step; done; attributed 5; attributed 6; done; frozen 6+3 begun 0";
    assert_eq!(say(&*store, batch), expected);
    assert_eq!((texts(&*store, 5).len(), texts(&*store, 6).len(), texts(&*store, 20).len()), (11, 10, 1));
    drop(store);
    assert_eq!(problems(&*database.open()), [""; 0]);
}

pub(crate) fn verifies(database: &impl Database) {
    let store = busy_store(database);
    let (looked_at, heard) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let report = store
        .verify(
            &|action, chain, stored| {
                assert_eq!(chain.n_entries(), action.step_count + action.observation_count);
                looked_at.borrow_mut().push((action.action_id, stored.version));
                (stored.version == 2).then(|| "is not to our taste".to_owned())
            },
            &mut |done, all| heard.borrow_mut().push((done, all)),
        )
        .unwrap();
    assert_eq!((report.actions, report.open, report.entries, report.attributions), (8, 5, 73, 4));
    assert_eq!(looked_at.into_inner(), [(id(1), 1), (id(2), 1), (id(2), 2), (id(3), 1)]);
    let heard = heard.into_inner();
    assert_eq!((heard.first(), heard.last()), (Some(&(0, 8)), Some(&(8, 8))));
    let [problem] = &report.problems[..] else { panic!("{:?}", report.problems) };
    assert_eq!((problem.action_id, problem.what.as_str()), (Some(id(2)), "attribution version 2 is not to our taste"));
}

pub(crate) fn sizes(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), begin(2), to(1).step(&"x".repeat(10_000)).write(), to(2).step("y").write()]).unwrap();
    let open = store.sizes().unwrap();
    assert!(open.chunk_bytes > 10_000 && open.file_bytes > open.chunk_bytes, "{open:?}");
    assert_eq!((open.sealed_bytes, open.sealed_json_bytes), (0, 0));
    close(&*store, 1);
    let closed = store.sizes().unwrap();
    assert_eq!(closed.chunk_bytes + closed.sealed_json_bytes, open.chunk_bytes);
    assert!(0 < closed.sealed_bytes && closed.sealed_bytes < 1_000, "{closed:?}");
}

/// More chunks than an opening may have to look at one by one.
pub(crate) fn many_chunks_are_reckoned(database: &impl Database) {
    const N_ACTIONS: u64 = 4_100;
    const N_COMMITS: u64 = 17;
    let store = database.open();
    let open = |n| Write::Begin(Box::new(accredit_store::NewAction { fresh: true, ..action(n) }));
    store.commit((0..N_ACTIONS).map(open).collect()).unwrap();
    for commit in 0..N_COMMITS {
        let append = |n: u64| to(n).step(&commit.to_string()).observation("o").write();
        store.commit((0..N_ACTIONS).map(append).collect()).unwrap();
    }
    let last = [texts(&*store, 0), texts(&*store, N_ACTIONS - 1)];
    let counted = stats(&*store);
    assert_eq!((counted.recorded, last[0].len()), (N_ACTIONS * N_COMMITS * 2, 34));
    let (listed, _) = store.list(&Filter::default(), 10_000, None).unwrap();
    drop(store);
    let store = database.open();
    assert_eq!((&[texts(&*store, 0), texts(&*store, N_ACTIONS - 1)], stats(&*store)), (&last, counted));
    assert!(store.list(&Filter::default(), 10_000, None).unwrap().0 == listed, "the actions tell otherwise");
    assert_eq!(say(&*store, vec![to(7).step("next").write()]), "34");
    assert_eq!(problems(&*store), [""; 0]);
}
