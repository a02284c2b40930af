//! Recording entries.

use accredit_model::RefusalReason;
use accredit_store::Write;

use super::Database;
use super::build::{at, begin, close, heartbeat, id, refused, say, stats, texts, to};

pub(crate) fn order_and_positions(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![begin(1), to(1).steps(["a", "b"]).write()], "begun; 0 1");
    check(vec![to(1).observation("c").write(), to(1).step("d").observation("e").write()], "2; 3 4");
    check(vec![to(1).write()], "");
    check(vec![to(1).step("f").write(), to(2).step("x").write()], "5; unknown_action");
    assert_eq!(texts(&*store, 1), ["a", "b", "c", "d", "e", "f"]);
    let action = store.action(id(1)).unwrap().unwrap();
    assert_eq!((action.step_count, action.observation_count), (4, 2));
    let stats = stats(&*store);
    assert_eq!((stats.recorded, stats.steps, stats.observations, stats.refused_total), (6, 4, 2, 1));
}

pub(crate) fn refusals_keep_the_others(database: &impl Database) {
    let store = database.open();
    let mixed = to(1).step("a").observation("no").grounds(1).step("b").observation("c").grounds(1).step("d");
    assert_eq!(say(&*store, vec![begin(1), mixed.write()]), "begun; 0 unknown_step 1 2 3");
    assert_eq!(texts(&*store, 1), ["a", "b", "c", "d"]);
    let all = to(1).observation("no").grounds(7).observation("no").grounds(8);
    assert_eq!(say(&*store, vec![all.write(), to(1).step("e").write()]), "unknown_step unknown_step; 4");
    assert_eq!(texts(&*store, 1), ["a", "b", "c", "d", "e"]);
    assert_eq!(stats(&*store).refused["unknown_step"], 3);
}

pub(crate) fn limits_of_an_action(database: &impl Database) {
    let store = database.open();
    let many =
        to(1).limits(4, 2).steps(["a", "b", "no"]).observation("c").step("no").observation("d").observation("no");
    let expected = "begun; 0 1 action_full 2 action_full 3 action_full";
    assert_eq!(say(&*store, vec![begin(1), many.write()]), expected);
    assert_eq!(texts(&*store, 1), ["a", "b", "c", "d"]);
    // A limit that was raised since.
    assert_eq!(say(&*store, vec![to(1).limits(5, 3).steps(["e", "no"]).write()]), "4 action_full");
    assert_eq!(stats(&*store).refused["action_full"], 4);
}

pub(crate) fn keys_are_stored_once(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    let keyed = || to(1).step("a").key(7).step("b").step("a").key(7).observation("c").key(u128::MAX);
    check(vec![begin(1), begin(2), keyed().write()], "begun; begun; 0 1 0= 2");
    check(vec![keyed().write(), to(1).step("other text").key(7).write()], "0= 3 0= 2=; 0=");
    check(vec![to(2).step("x").key(7).write()], "0");
    assert_eq!(texts(&*store, 1), ["a", "b", "c", "b"]);
    // The key is known when the action takes nothing any more, and after a restart.
    close(&*store, 1);
    check(vec![to(1).step("a").key(7).step("no").key(8).write()], "0= closed_action");
    drop(store);
    let store = database.open();
    assert_eq!(say(&*store, vec![to(1).observation("c").key(u128::MAX).write()]), "2=");
    assert_eq!(say(&*store, vec![to(2).step("x").key(7).step("y").key(8).write()]), "0= 1");
    assert_eq!((stats(&*store).recorded, stats(&*store).repeated), (6, 8));
}

pub(crate) fn keys_of_refused_entries_are_free(database: &impl Database) {
    let store = database.open();
    let full = to(1).limits(1, 1).step("a").key(1).step("b").key(2);
    assert_eq!(say(&*store, vec![begin(1), full.write()]), "begun; 0 action_full");
    assert_eq!(say(&*store, vec![to(1).step("b").key(2).write()]), "1");
    assert_eq!(texts(&*store, 1), ["a", "b"]);
}

pub(crate) fn grounds(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![begin(1), to(1).observation("o").grounds(0).write()], "begun; unknown_step");
    // Steps are counted apart from entries.
    check(vec![to(1).observation("o").step("s").observation("p").grounds(0).write()], "0 1 2");
    check(
        vec![to(1).observation("p").grounds(1).observation("p").grounds(u64::MAX).write()],
        "unknown_step unknown_step",
    );
}

pub(crate) fn heartbeats(database: &impl Database) {
    let store = database.open();
    assert_eq!(say(&*store, vec![heartbeat(1, 0), begin(1), heartbeat(1, 10)]), "unknown_action; begun; done");
    assert_eq!(store.action(id(1)).unwrap().unwrap().last_activity_at, at(10));
    assert_eq!(say(&*store, vec![to(1).at(20).step("a").write()]), "0");
    assert_eq!(store.action(id(1)).unwrap().unwrap().last_activity_at, at(20));
    assert_eq!(say(&*store, vec![heartbeat(1, 30)]), "done");
    drop(store);
    let store = database.open();
    assert_eq!(store.action(id(1)).unwrap().unwrap().last_activity_at, at(30));
    close(&*store, 1);
    assert_eq!(say(&*store, vec![heartbeat(1, 40)]), "closed_action");
    assert_eq!(stats(&*store).recorded, 1);
}

pub(crate) fn counted_elsewhere(database: &impl Database) {
    let store = database.open();
    let batch = vec![refused(RefusalReason::TooDeep, 2), refused(RefusalReason::Malformed, 1), Write::Flush];
    assert_eq!(say(&*store, batch), "done; done; done");
    assert_eq!(say(&*store, vec![refused(RefusalReason::TooDeep, 3)]), "done");
    let counted = stats(&*store);
    assert_eq!((counted.refused["too_deep"], counted.refused["malformed"], counted.received), (5, 1, 6));
    // What was not flushed is durable with the next commit that is.
    assert_eq!(say(&*store, vec![begin(1)]), "begun");
    drop(store);
    let store = database.open();
    assert_eq!(stats(&*store).refused, counted.refused);
}
