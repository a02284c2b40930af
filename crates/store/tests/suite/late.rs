//! Observations after the closing, and amendments.

use accredit_model::{Closing, Status};
use accredit_store::{Amend, Answer, EntryAnswer, Write};

use super::Database;
use super::build::{amend, amended, at, attribution, begin, close, close_as, id, problems, say, stats, texts, to};

pub(crate) fn comes_back(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), to(1).step("a").write()]).unwrap();
    close(&*store, 1);
    let sent = to(1).observation("o").step("no").observation("p").append();
    let (first_end, second_end) = (sent.marks[0].end, sent.marks[1].end);
    let lines = String::from_utf8(sent.lines.clone()).unwrap();
    let answers = store.commit(vec![Write::Append(sent)]).unwrap();
    let [Answer::Entries(answers)] = &answers[..] else { panic!("{answers:?}") };
    let late = |answer: &EntryAnswer| match answer {
        EntryAnswer::Late { line } => line.clone(),
        other => panic!("{other:?}"),
    };
    let (first, rest) = lines.split_at(first_end);
    let (_, last) = rest.split_at(second_end - first_end);
    assert_eq!((late(&answers[0]), late(&answers[2])), (first.to_owned(), last.to_owned()));
    // Neither stored nor counted yet, but for the step.
    assert_eq!(texts(&*store, 1), ["a"]);
    assert_eq!((stats(&*store).received, stats(&*store).refused_total), (2, 1));
}

pub(crate) fn is_amended(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), to(1).step("a").observation("o").write()]).unwrap();
    close(&*store, 1);
    let late = |text: &str, key| Some(to(1).at(70).observation(text).key(key).append());
    // Without a new version, then with one.
    let first = Amend { late: late("p", 1), ..amend(1, 1, 2) };
    assert_eq!(say(&*store, vec![amended(first)]), "not attributed late 2");
    let second = Amend { late: late("q", 2), attribution: Some(attribution(2, 1.0)), ..amend(1, 1, 3) };
    assert_eq!(say(&*store, vec![amended(second)]), "attributed 2 late 3");
    let revision = Amend { attribution: Some(attribution(3, 0.25)), ..amend(1, 2, 4) };
    assert_eq!(say(&*store, vec![amended(revision)]), "attributed 3");
    // Sent again: whatever it was computed from, the first answer comes.
    let again = Amend { late: late("q", 2), attribution: Some(attribution(2, 1.0)), ..amend(1, 1, 3) };
    assert_eq!(say(&*store, vec![amended(again), to(1).observation("p").key(1).write()]), "not attributed late 3=; 2=");
    let check = |store: &dyn accredit_store::Store| {
        assert_eq!(texts(store, 1), ["a", "o", "p", "q"]);
        let chain = store.chain(id(1)).unwrap().unwrap();
        assert_eq!((chain.n_sealed, chain.n_entries()), (2, 4));
        let action = store.action(id(1)).unwrap().unwrap();
        assert_eq!((action.step_count, action.observation_count, action.version), (1, 3, 3));
        assert_eq!((action.success_score, action.last_activity_at), (Some(0.25), at(70)));
        let stats = stats(store);
        assert_eq!((stats.recorded, stats.repeated, stats.revisions, stats.experiences), (4, 2, 2, 3));
        assert_eq!(problems(store), [""; 0]);
    };
    check(&*store);
    drop(store);
    check(&*database.open());
}

pub(crate) fn preconditions(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), begin(2), to(1).step("a").write()]).unwrap();
    close(&*store, 1);
    let revision = |version, entries| Amend { attribution: Some(attribution(2, 1.0)), ..amend(1, version, entries) };
    for (version, entries) in [(0, 1), (2, 1), (1, 0), (1, 2)] {
        assert_eq!(say(&*store, vec![amended(revision(version, entries))]), "busy");
    }
    // Two that were computed from the same version: the second must look again.
    assert_eq!(say(&*store, vec![amended(revision(1, 1)), amended(revision(1, 1))]), "attributed 2; busy");
    assert_eq!(say(&*store, vec![amended(amend(2, 0, 0)), amended(amend(3, 1, 0))]), "busy; unknown_action");
    assert_eq!((stats(&*store).experiences, store.action(id(1)).unwrap().unwrap().version), (2, 2));
}

pub(crate) fn refusals(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), to(1).step("a").write()]).unwrap();
    close(&*store, 1);
    let with = |late| amended(Amend { late: Some(late), attribution: Some(attribution(2, 1.0)), ..amend(1, 1, 1) });
    let full = to(1).limits(1, 1).observation("no").append();
    let groundless = to(1).observation("no").grounds(1).append();
    assert_eq!(
        say(&*store, vec![with(full), with(groundless)]),
        "not attributed late action_full; not attributed late unknown_step"
    );
    // Nothing came of the versions that they brought.
    assert_eq!(store.action(id(1)).unwrap().unwrap().version, 1);
    assert_eq!(say(&*store, vec![with(to(1).observation("o").grounds(0).append())]), "attributed 2 late 1");
    assert_eq!((stats(&*store).refused_total, stats(&*store).experiences), (2, 2));
}

pub(crate) fn true_completion(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), begin(2)]).unwrap();
    close_as(&*store, 1, Closing::TimedOut);
    close_as(&*store, 2, Closing::Evicted);
    for n in [1, 2] {
        let truth =
            Amend { attribution: Some(attribution(2, 1.0)), completed: Some((at(99), 1_500_000)), ..amend(n, 1, 0) };
        assert_eq!(say(&*store, vec![amended(truth)]), format!("attributed {}", n + 2));
        let action = store.action(id(n)).unwrap().unwrap();
        assert_eq!((action.status, action.version), (Status::Closed(Closing::Completed), 2));
        assert_eq!((action.closed_at, action.duration_seconds), (Some(at(99)), Some(1.5)));
    }
    drop(store);
    let stats = stats(&*database.open());
    assert_eq!((stats.begun, stats.open, stats.completed, stats.timed_out, stats.evicted), (2, 0, 2, 0, 0));
}
