//! What a crash leaves half written.
//!
//! The files of an open store, copied between two commits, are what a kill at that moment leaves.

use std::fs;
use std::path::{Path, PathBuf};

use accredit_store::{SqliteStore, Store, StoreError};

use super::build::{begin, close, problems, say, stats, texts, to};
use super::place;

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

/// The files as they are now, in a folder of their own.
fn image(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let (folder, copy) = place();
    fs::copy(path, &copy).unwrap();
    fs::copy(log_of(path), log_of(&copy)).unwrap();
    (folder, copy)
}

/// The store is sound, has the first entries of action 1 and no fewer than `least`, and goes on from there.
fn check_prefix(path: &Path, least: usize) -> usize {
    let store = SqliteStore::open(path).unwrap();
    let texts = texts(&store, 1);
    assert!(texts.len() >= least, "{} of {least} entries", texts.len());
    assert!(texts.iter().enumerate().all(|(seq, text)| text.starts_with(&format!("{seq} "))), "{texts:?}");
    assert_eq!(stats(&store).recorded, texts.len() as u64);
    assert_eq!(problems(&store), [""; 0]);
    assert_eq!(say(&store, vec![to(1).step("next").write()]), texts.len().to_string());
    assert_eq!(problems(&store), [""; 0]);
    texts.len()
}

fn record(store: &SqliteStore, seq: usize) {
    let text = format!("{seq} {}", "x".repeat(700 * (seq % 13)));
    assert_eq!(say(store, vec![to(1).step(&text).write()]), seq.to_string());
}

#[test]
fn a_killed_writer() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![begin(1)]).unwrap();
    for seq in 0..40 {
        record(&store, seq);
        let (_folder, copy) = image(&path);
        assert_eq!(check_prefix(&copy, seq + 1), seq + 1);
    }
}

/// A store, the length of its log before the last commit, and the number of entries with it.
fn with_last_commit() -> (tempfile::TempDir, SqliteStore, u64, usize) {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![begin(1)]).unwrap();
    (0..37).for_each(|seq| record(&store, seq));
    let log_bytes = fs::metadata(log_of(&path)).unwrap().len();
    record(&store, 37);
    (folder, store, log_bytes, 38)
}

/// The last commit was on its way when the power went: it is there or it is not, and what was before is.
#[test]
fn a_torn_log() {
    let (_folder, store, before, n) = with_last_commit();
    let whole = fs::metadata(log_of(store.path())).unwrap().len();
    assert!(whole > before, "the last commit did not lengthen the log");
    for cut in (before..whole).step_by(509) {
        let (_folder, copy) = image(store.path());
        let log = fs::OpenOptions::new().write(true).open(log_of(&copy)).unwrap();
        log.set_len(cut).unwrap();
        assert_eq!(check_prefix(&copy, n - 1), n - 1);
    }
}

#[test]
fn a_garbled_log() {
    let (_folder, store, before, n) = with_last_commit();
    let log = fs::read(log_of(store.path())).unwrap();
    for place in (usize::try_from(before).unwrap()..log.len()).step_by(509) {
        let (_folder, copy) = image(store.path());
        let mut log = log.clone();
        log[place..].iter_mut().take(64).for_each(|byte| *byte ^= 0xa5);
        fs::write(log_of(&copy), log).unwrap();
        assert_eq!(check_prefix(&copy, n - 1), n - 1);
    }
}

/// The power went while the log was moved into the file: each page that was being written may be anything.
#[test]
fn a_checkpoint_that_was_torn() {
    const PAGE: usize = 4096;
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![begin(1), begin(2)]).unwrap();
    (0..30).for_each(|seq| record(&store, seq));
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    (30..60).for_each(|seq| record(&store, seq));
    close(&store, 2);
    let log = fs::read(log_of(&path)).unwrap();
    // A frame is a page with a head of 24 bytes, of which the first four are its number; the log's own head is 32.
    let in_log = log[32..].chunks(24 + PAGE).map(|frame| u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize);
    let in_log: std::collections::BTreeSet<usize> = in_log.collect();
    let (_folder, copy) = image(&path);
    let mut file = fs::read(&copy).unwrap();
    let n_pages = file.len() / PAGE;
    let hit: Vec<usize> = in_log.into_iter().filter(|page| *page <= n_pages).collect();
    assert!(hit.len() > 1, "the log repeats no page of the file: {hit:?} of {n_pages}");
    for page in hit {
        file[(page - 1) * PAGE..][100..PAGE].fill(0xa5);
    }
    // The file was being made longer too.
    file.extend_from_slice(&[0xa5; 1000]);
    fs::write(&copy, file).unwrap();
    assert_eq!(check_prefix(&copy, 60), 60);
}

/// A file that has lost its end, with no log to mend it from: nobody is told that all is well.
#[test]
fn a_torn_file() {
    let check = |damage: fn(&mut Vec<u8>)| {
        let (_folder, path) = place();
        let store = SqliteStore::open(&path).unwrap();
        store.commit(vec![begin(1)]).unwrap();
        (0..30).for_each(|seq| record(&store, seq));
        drop(store);
        assert!(!log_of(&path).exists());
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();
        let verified = SqliteStore::open(&path).and_then(|store| store.verify(&|_, _, _| None, &mut |_, _| {}));
        match verified {
            Ok(report) => assert!(!report.problems.is_empty(), "nothing is wrong"),
            Err(error) => assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}"),
        }
    };
    check(|file| file.truncate(file.len() - 2048));
    check(|file| file.truncate(file.len() - 4096));
    check(|file| file.truncate(file.len() / 2));
    check(|file| file.truncate(5_000));
    check(|file| {
        let start = file.len() - 4096;
        file[start..].fill(0xa5);
    });
    check(|file| file[4096..].fill(0));
}
