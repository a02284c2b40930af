//! What only the writing connection can bring about.

use accredit_model::{ActionId, EntryKind, Timestamp};

use super::SqliteStore;
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
