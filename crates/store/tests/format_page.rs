//! `docs/store-format.md` says what every table and every column is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

use std::path::Path;

use accredit_store::{SCHEMA_VERSION, SqliteStore};
use rusqlite::Connection;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/store-format.md");
    std::fs::read_to_string(path).unwrap()
}

/// The first cells of the table's section, where the names stand.
fn described(page: &str, table: &str) -> Vec<String> {
    let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{table}`\n")));
    let section = section.unwrap_or_else(|| panic!("no section on `{table}`"));
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn names(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A new store and a connection to it.
fn fresh() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accredit.db");
    drop(SqliteStore::open(&path).unwrap());
    (folder, Connection::open(&path).unwrap())
}

#[test]
fn every_table_and_column_is_on_the_page() {
    let (_folder, conn) = fresh();
    let page = page();
    let tables = names(&conn, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    assert_eq!(tables.len(), 12);
    for table in &tables {
        let mut columns = names(&conn, &format!("SELECT name FROM pragma_table_info('{table}')"));
        let mut described = described(&page, table);
        columns.sort();
        described.sort();
        assert_eq!(described, columns, "the columns of `{table}`");
    }
    let sections: Vec<&str> = page.split("\n## `").skip(1).filter_map(|section| section.split('`').next()).collect();
    assert!(sections.iter().all(|section| tables.iter().any(|table| table == section)), "{sections:?}");
}

#[test]
fn identity_and_counters_are_on_the_page() {
    let (_folder, conn) = fresh();
    let page = page();
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert!(page.contains(&format!("`PRAGMA application_id` {} ", pragma("application_id"))));
    assert!(page.contains(&format!("It describes schema {}.", pragma("user_version"))));
    assert_eq!((pragma("page_size"), page.contains("pages of 4,096 bytes")), (4096, true));
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("schema-{SCHEMA_VERSION}.db"));
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(fixture, &copy).unwrap();
    let conn = Connection::open(&copy).unwrap();
    let keys = names(&conn, "SELECT key FROM state, json_each(state.value)");
    assert_eq!(keys.len(), 11 + 3);
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "`{key}` of the counters is not on the page");
    }
}
