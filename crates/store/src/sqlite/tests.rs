//! What only the writing connection can bring about.

use std::time::Duration;

use accredit_model::{ActionId, EntryKind, Timestamp};

use super::{SqliteStore, gate, hold_still};
use crate::{Answer, Append, EntryAnswer, EntryMark, LateObservations, NewAction, Store, StoreError, Write};

fn begin(n: u8) -> Write {
    Write::Begin(Box::new(NewAction::new(ActionId::from_bytes([n; 16]), "agent", "work", Timestamp::default())))
}

fn step_of(n_bytes: usize) -> Write {
    let line = format!("{{\"description\":\"{}\"}}\n", "x".repeat(n_bytes)).into_bytes();
    Write::Append(Append {
        action: ActionId::from_bytes([1; 16]),
        marks: vec![EntryMark { end: line.len(), kind: EntryKind::Step, key: None, grounds: None }],
        lines: line,
        received_at: Timestamp::default(),
        steady: Timestamp::default(),
        entries_max: u64::MAX,
        steps_max: u64::MAX,
        late: LateObservations::Accept,
    })
}

/// SQLite says `database or disk is full` alike, whether a limit of its own or the disk's was met.
#[test]
fn a_full_disk_is_called_by_its_name_and_is_over_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("accredit.db")).unwrap();
    store.commit(vec![begin(1)]).unwrap();
    let pages_max = |n: u32| store.writer().conn.pragma_update(None, "max_page_count", n).unwrap();
    pages_max(100);
    let mut n = 0;
    let error = loop {
        match store.commit(vec![step_of(50_000)]) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full(_)) && error.to_string().contains("free some space"), "{error:?}");
    assert!(matches!(store.commit(vec![begin(2), step_of(50_000)]), Err(StoreError::Full(_))));
    assert_eq!((store.stats().unwrap().begun, store.stats().unwrap().recorded), (1, n));
    pages_max(1_000_000);
    let answers = store.commit(vec![begin(2), step_of(50_000)]).unwrap();
    let [Answer::Begun { repeat: false }, Answer::Entries(entries)] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(entries[..], [EntryAnswer::Stored { seq: n, repeat: false }]);
}

/// 2 is SQLite's number for `FULL`, 0 for `OFF`.
#[test]
fn an_ephemeral_store_waits_for_no_disk_and_any_other_does() {
    let folder = tempfile::tempdir().unwrap();
    let check = |store: SqliteStore, synchronous: i64| {
        store.commit(vec![begin(1), step_of(10)]).unwrap();
        store.maintain().unwrap();
        let mode = |conn: &rusqlite::Connection| conn.pragma_query_value(None, "synchronous", |row| row.get(0));
        assert_eq!(mode(&store.writer().conn), Ok(synchronous));
        let mover = store.mover.lock().unwrap();
        assert_eq!(mode(mover.as_ref().unwrap()), Ok(synchronous));
    };
    check(SqliteStore::open(&folder.path().join("kept.db")).unwrap(), 2);
    let ephemeral = folder.path().join("ephemeral.db");
    check(SqliteStore::open_ephemeral(&ephemeral).unwrap(), 0);
    // It is a store as any other once it is there.
    assert_eq!(SqliteStore::open(&ephemeral).unwrap().stats().unwrap().recorded, 1);
}

#[test]
fn a_fork_waits_until_nobody_is_inside_and_keeps_others_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("accredit.db")).unwrap();
    let (short, long) = (Duration::from_millis(20), Duration::from_secs(60));
    let inside = gate::enter();
    // On another thread: this one could not leave while it waits.
    let is_still = |patience| std::thread::scope(|scope| scope.spawn(move || hold_still(patience).is_some()).join());
    assert!(!is_still(short).unwrap(), "somebody is inside");
    drop(gate::enter());
    drop(inside);
    let still = hold_still(long).unwrap();
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| store.commit(vec![begin(1)]).unwrap());
        std::thread::sleep(short);
        assert!(!commit.is_finished(), "nobody gets in during a fork");
        drop(still);
        assert_eq!(commit.join().unwrap().len(), 1);
    });
    let still = hold_still(long).unwrap();
    still.in_child();
    assert_eq!(store.commit(vec![begin(2)]).unwrap().len(), 1);
}

#[test]
fn a_store_that_is_closed_is_free_although_a_child_has_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accredit.db");
    let store = SqliteStore::open(&path).unwrap();
    // A copy of the file is what a forked child has.
    let copy = store.lock.lock().unwrap().as_ref().unwrap().try_clone().unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Locked { .. })));
    store.close().unwrap();
    drop(SqliteStore::open(&path).unwrap());
    drop(copy);
}
