//! A disk that takes no more.

use std::path::Path;
use std::process::Command;

use accredit_store::{SqliteStore, Store, StoreError};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::build::{begin, close, problems, say, stats, texts, to};
use super::place;

/// Names the store to the child process; without it, the child's test has nothing to do.
const CHILD: &str = "ACCREDIT_STORE_TEST_CHILD";

/// Bytes that a file may have.
fn let_files_grow_to(bytes_max: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes_max, maximum: None }).unwrap();
}

/// A limit on the size of files stands in for a full disk, because it needs no privilege. It holds for a process, and
/// the signal that comes with it must be ignored: hence a process of its own, started by a shell that ignores it.
#[test]
fn that_is_full() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![begin(1), begin(2), to(2).step("before").write()]).unwrap();
    drop(store);
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" --exact disk::child --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("made room"), "{said}");
    // Another process finds the same.
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!((texts(&store, 2), problems(&store)), (vec!["before".to_owned(), "after".to_owned()], vec![]));
}

#[test]
fn child() {
    if let Some(path) = std::env::var_os(CHILD) {
        fill(Path::new(&path));
    }
}

/// Records until the file cannot grow, makes room, and records again.
fn fill(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let text = "x".repeat(50_000);
    let_files_grow_to(Some(1 << 20));
    let mut n_stored = 0;
    let error = loop {
        match store.commit(vec![to(1).step(&text).write()]) {
            Ok(_) => n_stored += 1,
            Err(error) => break error,
        }
    };
    assert!(n_stored > 5, "{n_stored}");
    // SQLite calls a full disk by its name, and a file that may not grow a failed write.
    assert!(matches!(error, StoreError::Full(_) | StoreError::Sqlite(_)), "{error:?}");
    for _ in 0..3 {
        store.commit(vec![begin(3), to(1).step(&text).write(), to(2).step("lost").write()]).unwrap_err();
    }
    // What was acknowledged can be read, and what was not is not there.
    let check = |n_begun| {
        assert_eq!((texts(&store, 1).len(), stats(&store).recorded), (n_stored, n_stored as u64 + 1));
        assert_eq!((texts(&store, 2), stats(&store).begun), (vec!["before".to_owned()], n_begun));
        assert_eq!(problems(&store), [""; 0]);
    };
    check(2);
    let_files_grow_to(None);
    check(2);
    assert_eq!(say(&store, vec![begin(3), to(1).step("y").write()]), format!("begun; {n_stored}"));
    assert_eq!(close(&store, 1), "attributed 1");
    assert_eq!(texts(&store, 1).len(), n_stored + 1);
    assert_eq!(say(&store, vec![to(2).step("after").write()]), "1");
    assert_eq!(problems(&store), [""; 0]);
    #[expect(clippy::print_stdout, reason = "what the test that started this process looks for")]
    {
        println!("made room");
    }
}
