//! Lists, children, and which actions are the oldest.

use accredit_model::{ActionId, Closing, Status, Verdict};
use accredit_store::{Filter, IdleFrom, NewAction, Oldest, Store, Write};

use super::Database;
use super::build::{action, at, begin, close, close_as, freeze, heartbeat, id, thaw, to};

fn ids(numbers: &[u64]) -> Vec<ActionId> {
    numbers.iter().map(|n| id(*n)).collect()
}

fn listed(store: &dyn Store, filter: &Filter) -> Vec<ActionId> {
    let (actions, next) = store.list(filter, 100, None).unwrap();
    assert_eq!(next, None);
    actions.into_iter().map(|action| action.action_id).collect()
}

fn begin_as(n: u64, agent: &str, kind: &str, goal: Option<&str>) -> Write {
    Write::Begin(Box::new(NewAction {
        agent_id: agent.into(),
        action_type: kind.into(),
        goal_id: goal.map(Into::into),
        begun_at: at(n.cast_signed()),
        ..action(n)
    }))
}

pub(crate) fn filters(database: &impl Database) {
    let store = database.open();
    let batch = vec![
        begin_as(1, "ann", "fly", Some("moon")),
        begin_as(2, "ann", "walk", None),
        begin_as(3, "bob", "fly", Some("mars")),
        begin_as(4, "ann", "fly", Some("moon")),
        begin_as(5, "bob", "walk", Some("moon")),
    ];
    store.commit(batch).unwrap();
    close(&*store, 1);
    close_as(&*store, 3, Closing::TimedOut);
    let filter = Filter::default;
    let rows = [
        (filter(), vec![5, 4, 3, 2, 1]),
        (Filter { agent_id: Some("ann".into()), ..filter() }, vec![4, 2, 1]),
        (Filter { agent_id: Some("nobody".into()), ..filter() }, vec![]),
        (Filter { action_type: Some("walk".into()), ..filter() }, vec![5, 2]),
        (Filter { goal_id: Some("moon".into()), ..filter() }, vec![5, 4, 1]),
        (Filter { status: Some(Status::Open), ..filter() }, vec![5, 4, 2]),
        (Filter { status: Some(Status::Closed(Closing::TimedOut)), ..filter() }, vec![3]),
        (Filter { status: Some(Status::Closed(Closing::Cancelled)), ..filter() }, vec![]),
        (Filter { verdict: Some(Verdict::Partial), ..filter() }, vec![3, 1]),
        (Filter { verdict: Some(Verdict::Success), ..filter() }, vec![]),
        (Filter { from: Some(at(3)), ..filter() }, vec![5, 4, 3]),
        (Filter { to: Some(at(3)), ..filter() }, vec![2, 1]),
        (Filter { from: Some(at(2)), to: Some(at(4)), ..filter() }, vec![3, 2]),
        (
            Filter { agent_id: Some("ann".into()), action_type: Some("fly".into()), from: Some(at(2)), ..filter() },
            vec![4],
        ),
    ];
    for (filter, expected) in rows {
        assert_eq!(listed(&*store, &filter), ids(&expected), "{filter:?}");
    }
}

pub(crate) fn pages(database: &impl Database) {
    let store = database.open();
    store.commit((1..=10).map(begin).collect()).unwrap();
    store.commit(vec![to(4).steps(["a", "b"]).write()]).unwrap();
    for limit in [1, 3, 5, 9, 10, 11] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let (actions, next) = store.list(&Filter::default(), limit, before).unwrap();
            assert!(actions.len() <= limit);
            seen.extend(actions);
            before = next;
            if next.is_none() {
                break;
            }
        }
        let expected: Vec<ActionId> = (1..=10).rev().map(id).collect();
        assert_eq!(seen.iter().map(|action| action.action_id).collect::<Vec<_>>(), expected, "by {limit}");
        // A list tells of an open action what `action` tells.
        for action in seen {
            assert_eq!(store.action(action.action_id).unwrap(), Some(action));
        }
    }
    // What begins between two pages is not on the second.
    let (_, next) = store.list(&Filter::default(), 5, None).unwrap();
    store.commit(vec![begin(11)]).unwrap();
    let (rest, _) = store.list(&Filter::default(), 100, next).unwrap();
    assert_eq!(rest.first().map(|action| action.action_id), Some(id(5)));
}

pub(crate) fn children_in_order(database: &impl Database) {
    let store = database.open();
    let child = |n, parent| Write::Begin(Box::new(NewAction { parent: Some(id(parent)), ..action(n) }));
    store.commit(vec![child(5, 1), begin(1), child(3, 1), child(4, 3), child(2, 1)]).unwrap();
    store.commit(vec![to(3).step("a").write()]).unwrap();
    close(&*store, 5);
    let children = |n| -> Vec<(ActionId, u64)> {
        store.children(id(n)).unwrap().into_iter().map(|action| (action.action_id, action.step_count)).collect()
    };
    assert_eq!(children(1), [(id(5), 0), (id(3), 1), (id(2), 0)]);
    assert_eq!(children(3), [(id(4), 0)]);
    assert!(children(2).is_empty() && children(99).is_empty());
}

fn begin_at(n: u64, secs: i64) -> Write {
    Write::Begin(Box::new(NewAction { received_at: at(secs), steady: at(secs), ..action(n) }))
}

pub(crate) fn idle(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin_at(1, 10), begin_at(2, 20), begin_at(3, 30), begin_at(4, 40)]).unwrap();
    store.commit(vec![to(1).at(50).step("a").write(), heartbeat(3, 60)]).unwrap();
    let check = |store: &dyn Store| {
        let idle = |from, before, limit| store.idle(from, at(before), limit).unwrap();
        assert_eq!(idle(IdleFrom::Activity, 1_000, 10), ids(&[2, 4, 1, 3]));
        assert_eq!(idle(IdleFrom::Activity, 1_000, 2), ids(&[2, 4]));
        assert_eq!(idle(IdleFrom::Activity, 50, 10), ids(&[2, 4]));
        assert_eq!(idle(IdleFrom::Start, 1_000, 10), ids(&[1, 2, 3, 4]));
        assert_eq!(idle(IdleFrom::Start, 30, 10), ids(&[1, 2]));
        assert_eq!(idle(IdleFrom::Start, 1_000, 3), ids(&[1, 2, 3]));
        assert!(idle(IdleFrom::Start, 10, 10).is_empty() && idle(IdleFrom::Activity, 20, 10).is_empty());
    };
    check(&*store);
    drop(store);
    let store = database.open();
    check(&*store);
    close(&*store, 2);
    assert_eq!(store.idle(IdleFrom::Activity, at(1_000), 10).unwrap(), ids(&[4, 1, 3]));
    assert_eq!(store.idle(IdleFrom::Start, at(1_000), 10).unwrap(), ids(&[1, 3, 4]));
}

pub(crate) fn oldest(database: &impl Database) {
    let store = database.open();
    let oldest = |order| store.oldest_open(order).unwrap();
    assert_eq!((oldest(Oldest::Activity), oldest(Oldest::Start)), (None, None));
    store.commit(vec![begin_at(1, 10), begin_at(2, 20), begin_at(3, 30)]).unwrap();
    store.commit(vec![to(1).at(40).step("a").write()]).unwrap();
    assert_eq!((oldest(Oldest::Activity), oldest(Oldest::Start)), (Some(id(2)), Some(id(1))));
    // What is being closed gives way to nobody.
    store.commit(vec![freeze(1), freeze(2)]).unwrap();
    assert_eq!((oldest(Oldest::Activity), oldest(Oldest::Start)), (Some(id(3)), Some(id(3))));
    store.commit(vec![freeze(3)]).unwrap();
    assert_eq!((oldest(Oldest::Activity), oldest(Oldest::Start)), (None, None));
    store.commit(vec![thaw(1), thaw(2), thaw(3)]).unwrap();
    close(&*store, 1);
    assert_eq!((oldest(Oldest::Activity), oldest(Oldest::Start)), (Some(id(2)), Some(id(2))));
    // Calls whose clock went back do not make an action older.
    store.commit(vec![heartbeat(3, 50), heartbeat(3, 1), heartbeat(2, 45), to(2).at(2).step("b").write()]).unwrap();
    assert_eq!(oldest(Oldest::Activity), Some(id(2)));
}
