//! Bits that turned on the disk: what they hit is reported, what they did not hit is read as ever.

use std::path::Path;

use accredit_model::Closing;
use accredit_store::{Amend, Learned, NewAttribution, SqliteStore, Store, StoreError, Write};
use rusqlite::Connection;

use super::build::{
    amend, amended, attribution, begin, close, close_write, freeze, id, learned, model, say, texts, to,
};
use super::place;

/// Action 1 is open, 2 closed, 3 closed with late observations and a compressed attribution, 4 closed; each has
/// neighbours of its kind among 5 to 8.
fn make(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    store.commit((1..=8).map(begin).collect()).unwrap();
    for round in 0..3 {
        let append = |n: u64| to(n).step(&format!("{n} {round}")).observation("seen").write();
        store.commit((1..=8).map(append).collect()).unwrap();
    }
    for n in [2, 4, 6, 7] {
        close(&store, n);
    }
    for n in [3, 8] {
        store.commit(vec![freeze(n)]).unwrap();
        let Write::Close(mut closing) = close_write(&store, n, Closing::Completed) else { unreachable!() };
        closing.attribution =
            NewAttribution { body: format!("\"{}\"", "long ".repeat(1_000)).into_bytes(), ..attribution(1, 1.0) };
        assert!(say(&store, vec![Write::Close(closing)]).starts_with("attributed"));
        let late = Amend { late: Some(to(n).observation("late").append()), ..amend(n, 1, 6) };
        assert_eq!(say(&store, vec![amended(late)]), "not attributed late 6");
    }
}

/// Turns one bit of a blob.
fn turn(conn: &Connection, table: &str, action: u64, place: usize) {
    let filter = "action_no = (SELECT no FROM actions WHERE id = ?1) ORDER BY 1 DESC LIMIT 1";
    let read = format!("SELECT rowid, bytes FROM {table} WHERE {filter}");
    let (row, mut bytes): (i64, Vec<u8>) =
        conn.query_row(&read, [id(action).as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    bytes[place] ^= 4;
    conn.execute(&format!("UPDATE {table} SET bytes = ?2 WHERE rowid = ?1"), (row, bytes)).unwrap();
}

/// Whether everything of an action can be read.
fn is_readable(store: &dyn Store, n: u64) -> bool {
    let chain = store.chain(id(n)).and_then(|chain| chain.unwrap().entries());
    let whole = [store.action(id(n)).map(drop), chain.map(drop), store.attribution(id(n), None).map(drop)];
    for result in &whole {
        assert!(matches!(result, Ok(()) | Err(StoreError::Corrupt { .. })), "{result:?}");
    }
    whole.iter().all(Result::is_ok)
}

/// After `damage` to action `hurt`, it cannot be read or `verify` says of it `told`; of the others it says nothing.
fn check(hurt: u64, told: &str, damage: impl Fn(&Connection)) {
    let (_folder, path) = place();
    make(&path);
    let conn = Connection::open(&path).unwrap();
    damage(&conn);
    drop(conn);
    for store in [SqliteStore::open_read_only(&path).unwrap(), SqliteStore::open(&path).unwrap()] {
        for n in (1..=8).filter(|n| *n != hurt) {
            assert!(is_readable(&store, n), "{told}: action {n} is hurt as well");
            assert!(texts(&store, n).len() >= 6);
        }
        let report = store.verify(&|_, _, _| None, &mut |_, _| {}).unwrap();
        let said: Vec<String> =
            report.problems.iter().map(|problem| format!("{:?} {}", problem.action_id, problem.what)).collect();
        let expected = format!("{:?} {told}", Some(id(hurt)));
        assert!(said.iter().any(|said| said.starts_with(&expected)), "{told}: {said:?}");
        assert!(report.problems.iter().all(|problem| problem.action_id.is_none_or(|of| of == id(hurt))), "{said:?}");
    }
}

/// The same, and the action cannot be read.
fn check_unreadable(hurt: u64, told: &str, damage: impl Fn(&Connection)) {
    check(hurt, told, |conn| {
        damage(conn);
        let path = conn.path().unwrap().to_owned();
        assert!(!is_readable(&SqliteStore::open_read_only(Path::new(&path)).unwrap(), hurt), "{told}");
    });
}

/// SQL about the newest row of a table that belongs to an action.
fn of(sql: &'static str, action: u64) -> impl Fn(&Connection) {
    move |conn| {
        let sql = sql.replace("MINE", "(SELECT no FROM actions WHERE id = ?1)");
        assert_eq!(conn.execute(&sql, [id(action).as_bytes()]).unwrap(), 1);
    }
}

#[test]
fn chunks() {
    for place in [0, 17, 90] {
        check_unreadable(1, "chunk ", |conn| turn(conn, "chunks", 1, place));
        // A late observation behind a sealed chain.
        check_unreadable(3, "chunk ", |conn| turn(conn, "chunks", 3, place));
    }
    let newest = "no = (SELECT max(no) FROM chunks WHERE action_no = MINE)";
    let sql = |set: &str| -> &'static str { format!("UPDATE chunks SET {set} WHERE {newest}").leak() };
    check_unreadable(1, "chunk ", of(sql("checksum = checksum + 1"), 1));
    check_unreadable(1, "chunk ", of(sql("previous = no"), 1));
    check_unreadable(1, "chunk ", of(sql("action_no = 99"), 1));
    check_unreadable(1, "chunk ", of(format!("DELETE FROM chunks WHERE {newest}").leak(), 1));
    check_unreadable(1, "entries 4 and following", of(sql("first_seq = 5"), 1));
    check_unreadable(1, "entries 4 and following", of(sql("n_observations = 9"), 1));
    // A chunk left out of the row of links.
    check_unreadable(1, "entries 0 and following", of(sql("previous = 0"), 1));
}

#[test]
fn blocks() {
    for place in [0, 5, 40] {
        check_unreadable(2, "block ", |conn| turn(conn, "blocks", 2, place));
    }
    check_unreadable(2, "block ", of("DELETE FROM blocks WHERE action_no = MINE", 2));
    check_unreadable(2, "block ", of("UPDATE blocks SET raw_bytes = raw_bytes + 1 WHERE action_no = MINE", 2));
    check_unreadable(2, "block ", of("UPDATE blocks SET raw_bytes = 1 << 40 WHERE action_no = MINE", 2));
    check_unreadable(2, "block ", of("UPDATE blocks SET raw_bytes = -1 WHERE action_no = MINE", 2));
    check_unreadable(2, "block ", of("UPDATE blocks SET action_no = 99 WHERE action_no = MINE", 2));
    check_unreadable(2, "entries 0 and following", of("UPDATE blocks SET n = 5 WHERE action_no = MINE", 2));
}

#[test]
fn attributions() {
    for (action, places) in [(4, [0, 5, 20]), (3, [0, 5, 12])] {
        for place in places {
            check_unreadable(action, "attribution ", |conn| turn(conn, "attributions", action, place));
        }
    }
    check(4, "attribution version 1 is missing", of("DELETE FROM attributions WHERE action_no = MINE", 4));
    check(4, "attribution version 2 is missing", of("UPDATE actions SET version = 2 WHERE id = ?1", 4));
    check_unreadable(3, "attribution ", of("UPDATE attributions SET raw_bytes = 7 WHERE action_no = MINE", 3));
}

#[test]
fn rows_of_actions() {
    check_unreadable(2, "an action's status (9)", of("UPDATE actions SET status = 9 WHERE id = ?1", 2));
    check_unreadable(2, "an action's verdict (9)", of("UPDATE actions SET verdict = 9 WHERE id = ?1", 2));
    check_unreadable(2, "an action's row ", of("UPDATE actions SET spec = '{' WHERE id = ?1", 2));
    check_unreadable(2, "an action's row ", of("UPDATE actions SET outcome = 'no' WHERE id = ?1", 2));
    check(2, "has 6 entries where its row counts 7", of("UPDATE actions SET n_steps = 4 WHERE id = ?1", 2));
    check(2, "is completed with version 0", of("UPDATE actions SET version = 0 WHERE id = ?1", 2));
    check(1, "is open with version 1", of("UPDATE actions SET version = 1 WHERE id = ?1", 1));
}

#[test]
fn what_was_learned() {
    let check = |told: &str, damage: &str| {
        let (_folder, path) = place();
        let store = SqliteStore::open(&path).unwrap();
        let new =
            Learned { models: vec![model("work", 1, 1, &[7; 9_000])], ..learned(&[("work", b"w"), ("play", b"p")]) };
        say(&store, vec![begin(1), Write::Learned(Box::new(new))]);
        drop(store);
        assert_eq!(Connection::open(&path).unwrap().execute(damage, []).unwrap(), 1, "{damage}");
        let store = SqliteStore::open(&path).unwrap();
        let reads = [
            store.learning_state().map(drop),
            store.learner(&"work".into()).map(drop),
            store.models(&"work".into(), 1).map(drop),
        ];
        let failed: Vec<String> = reads.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        assert!(matches!(&failed[..], [error] if error.contains(told)), "{damage}: {failed:?}");
        assert_eq!(store.learner(&"play".into()).unwrap(), Some(b"p".to_vec()));
        let found = super::build::problems(&store);
        assert!(matches!(&found[..], [problem] if problem.contains(told)), "{damage}: {found:?}");
        // It hinders nothing else.
        assert_eq!(say(&store, vec![to(1).step("goes on").write()]), "0");
    };
    check("what was learned of `work`", "UPDATE learners SET bytes = x'00' WHERE action_type = 'work'");
    check("what was learned of `work`", "UPDATE learners SET raw_bytes = 1 WHERE action_type = 'work'");
    check("model 1 of `work`", "UPDATE models SET checksum = checksum + 1");
    check("model 1 of `work`", "UPDATE models SET raw_bytes = 1 << 40");
    check("the state of learning", "UPDATE state SET value = '{}' WHERE name = 'learning'");
    check("the state of learning", "UPDATE state SET value = replace(value, '0001', '000g') WHERE name = 'learning'");
}

/// The counters are in one row, and without it nobody knows which numbers are free.
#[test]
fn counters() {
    let with_totals = |value: &str| {
        let (folder, path) = place();
        make(&path);
        Connection::open(&path).unwrap().execute("UPDATE state SET value = ?1", [value]).unwrap();
        (folder, path)
    };
    let (_folder, path) = with_totals("{\"begun\":");
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("counters"), "{error}");

    let (_folder, path) = place();
    make(&path);
    let changed = "UPDATE state SET value = json_set(value, '$.steps', 23, '$.begun', 9)";
    Connection::open(&path).unwrap().execute(changed, []).unwrap();
    let said = super::build::problems(&SqliteStore::open_read_only(&path).unwrap());
    assert_eq!(
        said,
        ["actions begun: 8 found, 9 counted", "actions open: 2 found, 3 counted", "steps: 24 found, 23 counted",]
    );
}
