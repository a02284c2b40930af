//! Chains in many pieces.

use accredit_store::{Chain, Store, Write};

use super::Database;
use super::build::{begin, close, id, problems, say, texts, to};

/// Bytes of a segment at most, unless one entry alone is longer.
const SEGMENT_BYTES_MAX: usize = 4 << 20;

pub(crate) fn of_many_chunks(database: &impl Database) {
    let store = database.open();
    store.commit(vec![begin(1)]).unwrap();
    for n in 0..300 {
        assert_eq!(say(&*store, vec![to(1).step(&n.to_string()).write()]), n.to_string());
    }
    let expected: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    assert_eq!(texts(&*store, 1), expected);
    assert_eq!(close(&*store, 1), "attributed 1");
    assert_eq!(texts(&*store, 1), expected);
    assert_eq!(problems(&*store), [""; 0]);
}

fn long(letter: char, n_bytes: usize) -> String {
    letter.to_string().repeat(n_bytes)
}

fn check_segments(chain: &Chain) {
    for segment in &chain.segments {
        let n_bytes = segment.text.len();
        assert!(segment.n == 1 || n_bytes <= SEGMENT_BYTES_MAX, "{} entries in {n_bytes} bytes", segment.n);
    }
}

/// The chain is the same, in segments of a bounded size, while it is open, when it is closed and after a restart.
fn check_long(database: &impl Database, store: Box<dyn Store>, expected: &[String]) {
    let check = |store: &dyn Store| {
        assert!(texts(store, 1) == expected, "the chain is another one");
        check_segments(&store.chain(id(1)).unwrap().unwrap());
        assert_eq!(problems(store), [""; 0]);
    };
    check(&*store);
    drop(store);
    let store = database.open();
    check(&*store);
    assert_eq!(close(&*store, 1), "attributed 1");
    check(&*store);
    assert!(store.chain(id(1)).unwrap().unwrap().segments.len() > 1, "one block");
}

pub(crate) fn of_many_segments(database: &impl Database) {
    let store = database.open();
    let lengths = [3 << 20, 3 << 20, 5 << 20, 1 << 20, 1, 3 << 20, 1 << 20, (4 << 20) - 100, 7];
    let expected: Vec<String> = lengths.iter().zip('a'..).map(|(n_bytes, letter)| long(letter, *n_bytes)).collect();
    // Several commits, the first of which must part what it has gathered for the action.
    for run in [0..4, 4..7, 7..9] {
        let writes: Vec<Write> = expected[run].iter().map(|text| to(1).step(text).write()).collect();
        store.commit([begin(1)].into_iter().chain(writes).collect()).unwrap();
    }
    check_long(database, store, &expected);
}

pub(crate) fn of_one_long_call(database: &impl Database) {
    let store = database.open();
    let expected: Vec<String> = ('a'..='m').map(|letter| long(letter, 1 << 20)).collect();
    let mut entries = to(1).steps(&expected[..9]);
    // One that is refused in the middle, and observations, which are counted apart.
    entries = entries.observation("no").grounds(99);
    entries = expected[9..].iter().fold(entries, |entries, text| entries.observation(text));
    assert_eq!(say(&*store, vec![begin(1), entries.write()]), "begun; 0 1 2 3 4 5 6 7 8 unknown_step 9 10 11 12");
    let action = store.action(id(1)).unwrap().unwrap();
    assert_eq!((action.step_count, action.observation_count), (9, 4));
    check_long(database, store, &expected);
}

pub(crate) fn of_interleaved_actions(database: &impl Database) {
    const N_ACTIONS: u64 = 20;
    let store = database.open();
    store.commit((0..N_ACTIONS).map(begin).collect()).unwrap();
    for round in 0..20 {
        let append = |n: u64| to(n).step(&format!("{n} {round}")).observation(&format!("{n} {round} seen")).write();
        store.commit((0..N_ACTIONS).chain(0..N_ACTIONS / 2).map(append).collect()).unwrap();
        if round == 9 {
            (0..N_ACTIONS).step_by(3).for_each(|n| assert!(close(&*store, n).starts_with("attributed")));
        }
    }
    for n in 0..N_ACTIONS {
        let rounds = if n % 3 == 0 { 10 } else { 20 };
        let each = if n < N_ACTIONS / 2 { 2 } else { 1 };
        let pairs = (0..rounds).flat_map(|round| std::iter::repeat_n(round, each));
        let expected: Vec<String> =
            pairs.flat_map(|round| [format!("{n} {round}"), format!("{n} {round} seen")]).collect();
        assert_eq!(texts(&*store, n), expected);
    }
    assert_eq!(problems(&*store), [""; 0]);
}
