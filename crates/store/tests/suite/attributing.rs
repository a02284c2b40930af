//! Attributions read back.

use accredit_model::Closing;
use accredit_store::{Amend, NewAttribution, Store, Write};

use super::Database;
use super::build::{amend, amended, attribution, begin, close, close_write, freeze, id, say};

fn body(store: &dyn Store, n: u64, version: Option<u32>) -> Option<String> {
    let stored = store.attribution(id(n), version).unwrap()?;
    assert_eq!(stored.action, id(n));
    assert!(version.is_none_or(|version| version == stored.version));
    Some(String::from_utf8(stored.body).unwrap())
}

pub(crate) fn by_version(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1), begin(2), begin(3)]).unwrap();
    close(&*store, 1);
    close(&*store, 2);
    for version in 2..=4 {
        let revision = Amend { attribution: Some(attribution(version, 0.75)), ..amend(1, version - 1, 0) };
        store.commit(vec![amended(revision)]).unwrap();
    }
    let check = |store: &dyn Store| {
        let text = |version: u32, score: f64| Some(format!(r#"{{"version":{version},"success_score":{score}}}"#));
        assert_eq!(body(store, 1, None), text(4, 0.75));
        assert_eq!(body(store, 1, Some(1)), text(1, 0.5));
        assert_eq!(body(store, 1, Some(3)), text(3, 0.75));
        assert_eq!((body(store, 1, Some(0)), body(store, 1, Some(5))), (None, None));
        assert_eq!((body(store, 2, None), body(store, 2, Some(2))), (text(1, 0.5), None));
        assert_eq!((body(store, 3, None), body(store, 9, None), body(store, 9, Some(1))), (None, None, None));
    };
    check(&*store);
    drop(store);
    check(&*database.open());
}

pub(crate) fn bodies_of_any_length(database: &impl Database) {
    let store = database.open();
    let lengths = [2, 2_047, 2_048, 2_049, 100_000, 5 << 20];
    for (n, n_bytes) in (0..).zip(lengths) {
        store.commit(vec![begin(n), freeze(n)]).unwrap();
        let Write::Close(mut close) = close_write(&*store, n, Closing::Completed) else { unreachable!() };
        let body = format!("\"{}\"", "x".repeat(n_bytes - 2)).into_bytes();
        close.attribution = NewAttribution { body, ..attribution(1, 1.0) };
        assert_eq!(say(&*store, vec![Write::Close(close)]), format!("attributed {}", n + 1));
        let read = body_len(&*store, n);
        assert_eq!(read, n_bytes);
    }
}

fn body_len(store: &dyn Store, n: u64) -> usize {
    let body = body(store, n, None).unwrap();
    assert!(body.starts_with('"') && body.ends_with('"') && body.trim_matches('"').bytes().all(|byte| byte == b'x'));
    body.len()
}

pub(crate) fn feed(database: &impl Database) {
    let store = database.open();
    assert!(store.attributions_after(0, 10).unwrap().is_empty());
    store.commit((1..=5).map(begin).collect()).unwrap();
    for n in [3, 1, 5] {
        close(&*store, n);
    }
    let revision = Amend { attribution: Some(attribution(2, 1.0)), ..amend(1, 1, 0) };
    store.commit(vec![amended(revision)]).unwrap();
    close(&*store, 2);
    let after = |store: &dyn Store, cursor: u64, limit: usize| -> Vec<(u64, _, u32)> {
        let read = store.attributions_after(cursor, limit).unwrap();
        read.into_iter().map(|stored| (stored.cursor, stored.action, stored.version)).collect()
    };
    let all = [(1, id(3), 1), (2, id(1), 1), (3, id(5), 1), (4, id(1), 2), (5, id(2), 1)];
    let check = |store: &dyn Store| {
        assert_eq!(after(store, 0, usize::MAX), all);
        assert_eq!(after(store, 0, 2), all[..2]);
        assert_eq!(after(store, 2, 2), all[2..4]);
        assert_eq!(after(store, 4, 9), all[4..]);
        assert!(after(store, 5, 9).is_empty() && after(store, u64::MAX, 9).is_empty() && after(store, 0, 0).is_empty());
        for (cursor, action, version) in all {
            let stored = store.attribution_at(cursor).unwrap().unwrap();
            assert_eq!((stored.cursor, stored.action, stored.version), (cursor, action, version));
        }
        assert!(store.attribution_at(0).unwrap().is_none() && store.attribution_at(6).unwrap().is_none());
    };
    check(&*store);
    drop(store);
    check(&*database.open());
}
