//! Files that cannot be opened, or not for writing.

use std::fs;
use std::path::Path;

use accredit_store::{SCHEMA_VERSION, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use super::build::{begin, close, id, problems, say, stats, texts, to};
use super::{place, refusal};

#[test]
fn a_read_only_file() {
    let (_folder, path) = place();
    drop(SqliteStore::open(&path).unwrap());
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let (error, words) = refusal(&path);
    assert!(matches!(error, StoreError::ReadOnlyFile { .. }) && words.contains("permissions"), "{words}");
    assert_eq!(stats(&SqliteStore::open_read_only(&path).unwrap()).begun, 0);
}

#[test]
fn a_folder_that_does_not_exist() {
    let (_folder, path) = place();
    let path = path.join("nowhere/accredit.db");
    let (error, words) = refusal(&path);
    assert!(matches!(error, StoreError::Io { .. }), "{words}");
    let error = SqliteStore::open_read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }) && error.to_string().contains("--store"), "{error}");
}

/// Neither way of opening takes the file, and neither changes it.
fn check_no_store(path: &Path) {
    let before = fs::read(path).ok();
    let (error, words) = refusal(path);
    assert!(matches!(error, StoreError::NotAStore { .. }) && words.contains("not an accredit store"), "{words}");
    let error = SqliteStore::open_read_only(path).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read(path).ok(), before);
}

#[test]
fn a_file_that_is_no_store() {
    let check = |content: &[u8]| {
        let (_folder, path) = place();
        fs::write(&path, content).unwrap();
        check_no_store(&path);
    };
    check(b"Dear diary,\n");
    check(&[0; 10_000]);
    check("SQLite format 3\0, says this text of somebody".as_bytes());
    check(&b"x".repeat(100_000));
}

#[test]
fn the_database_of_somebody_else() {
    let check = |sql: &str| {
        let (_folder, path) = place();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        check_no_store(&path);
    };
    check("CREATE TABLE diary (day TEXT)");
    check("CREATE TABLE diary (day TEXT); PRAGMA user_version = 1");
    check("PRAGMA application_id = 7; CREATE TABLE actions (no INTEGER)");
    check("PRAGMA application_id = 7");
    check("PRAGMA user_version = 7");
    check("PRAGMA journal_mode = WAL; CREATE TABLE diary (day TEXT)");
}

/// A crash between the making of the file and that of the tables.
#[test]
fn an_empty_file() {
    let check = |make: fn(&Path)| {
        let (_folder, path) = place();
        make(&path);
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(say(&store, vec![begin(1)]), "begun");
        assert_eq!(problems(&store), [""; 0]);
    };
    check(|path| fs::write(path, b"").unwrap());
    check(|path| Connection::open(path).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap());
}

#[test]
fn a_folder_in_place_of_a_file() {
    let (folder, _) = place();
    let (error, words) = refusal(folder.path());
    assert!(matches!(error, StoreError::NotAStore { .. }), "{words}");
}

#[test]
fn a_newer_schema() {
    let (_folder, path) = place();
    drop(SqliteStore::open(&path).unwrap());
    let newer = SCHEMA_VERSION + 1;
    Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA user_version = {newer}")).unwrap();
    let before = fs::read(&path).unwrap();
    for error in [refusal(&path).0, SqliteStore::open_read_only(&path).unwrap_err()] {
        let StoreError::SchemaTooNew { found, supported, .. } = error else { panic!("{error}") };
        assert_eq!((found, supported), (newer, SCHEMA_VERSION));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_second_writer() {
    let (_folder, path) = place();
    let first = SqliteStore::open(&path).unwrap();
    let (error, words) = refusal(&path);
    assert!(matches!(error, StoreError::Locked { .. }) && words.contains("accredit serve"), "{words}");
    // The first one is none the worse for it.
    assert_eq!(say(&first, vec![begin(1)]), "begun");
    // When it has ended writing, or is gone, the next one may.
    first.close().unwrap();
    let second = SqliteStore::open(&path).unwrap();
    assert_eq!(say(&second, vec![begin(1), begin(2)]), "begun before; begun");
    assert!(matches!(first.commit(vec![begin(3)]).unwrap_err(), StoreError::ReadOnly));
    assert_eq!(stats(&first).begun, 2);
    drop(second);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn a_reader_beside_a_writer() {
    let (_folder, path) = place();
    let writer = SqliteStore::open(&path).unwrap();
    let reader = SqliteStore::open_read_only(&path).unwrap();
    let error = reader.commit(vec![begin(1)]).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly) && error.to_string().contains("reading only"), "{error}");
    assert!(matches!(reader.register_sink("file").unwrap_err(), StoreError::ReadOnly));
    // It sees each commit.
    assert_eq!(say(&writer, vec![begin(1), begin(2)]), "begun; begun");
    for n in 0..5 {
        assert_eq!(say(&writer, vec![to(1).step(&n.to_string()).write()]), n.to_string());
        assert_eq!(texts(&reader, 1).len(), n + 1);
        assert_eq!((stats(&reader), reader.action(id(1)).unwrap()), (stats(&writer), writer.action(id(1)).unwrap()));
    }
    close(&writer, 1);
    assert_eq!(reader.action(id(1)).unwrap(), writer.action(id(1)).unwrap());
    assert_eq!((texts(&reader, 1).len(), problems(&reader).len()), (5, 0));
    // It opens, and stays, when the writer goes; another writer may come.
    drop(writer);
    assert_eq!((texts(&reader, 1).len(), stats(&reader).begun), (5, 2));
    let writer = SqliteStore::open(&path).unwrap();
    assert_eq!(say(&writer, vec![begin(3), to(2).step("x").write()]), "begun; 0");
    assert_eq!((texts(&reader, 2).len(), stats(&reader).begun), (1, 3));
}
