#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Spool, spool_folder};
use crate::{Error, ErrorKind};

fn open(base: &Path) -> Spool {
    Spool::open(base, 1 << 20).unwrap()
}

fn append(spool: &mut Spool, commands: &[&str]) -> usize {
    let appended = spool.append(commands);
    assert!(appended.trouble.is_none(), "{:?}", appended.trouble);
    appended.n
}

fn command(n: usize) -> String {
    format!(r#"{{"op":"heartbeat","n":{n}}}"#)
}

/// Takes everything, `at_once` of each batch.
fn drain(spool: &mut Spool, at_once: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while let Some(batch) = spool.peek().unwrap() {
        let n = at_once.min(batch.commands.len());
        spool.advance(&batch, n).unwrap();
        taken.extend(batch.commands.into_iter().take(n));
    }
    taken
}

fn segments(base: &Path, writer: usize) -> Vec<PathBuf> {
    let files = std::fs::read_dir(base.join(writer.to_string())).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "ndjson")).collect();
    files.sort();
    files
}

#[test]
fn what_is_appended_comes_out_in_order_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = (0..5_000).map(command).collect();
    for at_once in [1, 7, 5_000] {
        let mut spool = open(folder.path());
        let texts: Vec<&str> = all.iter().map(String::as_str).collect();
        for texts in texts.chunks(999) {
            assert_eq!(append(&mut spool, texts), texts.len());
        }
        assert_eq!(spool.n_pending(), 5_000);
        let batch = spool.peek().unwrap().unwrap();
        spool.advance(&batch, 600).unwrap();
        drop(spool);
        let mut spool = open(folder.path());
        assert_eq!(spool.n_pending(), 4_400, "what was sent is not there again");
        assert_eq!(append(&mut spool, &["\"newer\""]), 1);
        let taken = drain(&mut spool, at_once);
        assert_eq!(taken[..4_400], all[600..]);
        assert_eq!(taken[4_400..], ["\"newer\""]);
        assert!(spool.is_empty() && spool.bytes() == 0 && segments(folder.path(), 0).is_empty());
    }
}

#[test]
fn a_lost_position_costs_a_repeat_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for damage in ["", "{\"accredit_spool\":1,\"segment\":1,\"offset\":99999999}", "nonsense"] {
        let mut spool = open(folder.path());
        append(&mut spool, &["1", "2", "3"]);
        let batch = spool.peek().unwrap().unwrap();
        spool.advance(&batch, 1).unwrap();
        drop(spool);
        std::fs::write(folder.path().join("0/position"), damage).unwrap();
        let left = drain(&mut open(folder.path()), 9);
        assert_eq!(left, ["1", "2", "3"], "{damage}");
    }
}

/// The bytes of the last line as a crash may leave them.
#[test]
fn a_torn_or_damaged_line_is_known_and_skipped() {
    let tails: [&[u8]; 6] =
        [b"", b"{\"sum\":\"01", b"{\"sum\":\"0123456789abcdef\",\"command\":{}}\n", &[0; 4_096], b"\xff\xfe\n", b"\n"];
    for (row, tail) in tails.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        append(&mut spool, &["1", "2"]);
        drop(spool);
        let mut file = OpenOptions::new().append(true).open(&segments(folder.path(), 0)[0]).unwrap();
        file.write_all(tail).unwrap();
        let mut spool = open(folder.path());
        append(&mut spool, &["3"]);
        assert_eq!(drain(&mut spool, 1), ["1", "2", "3"], "row {row}");
        assert_eq!((spool.n_damaged(), spool.n_pending()), (u64::from(row > 0), 0), "row {row}");
    }
}

#[test]
fn a_damaged_line_in_the_middle_costs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    append(&mut spool, &["\"one\"", "\"two\"", "\"three\""]);
    drop(spool);
    let path = segments(folder.path(), 0).remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("two", "tow")).unwrap();
    let mut spool = open(folder.path());
    assert_eq!(drain(&mut spool, 9), ["\"one\"", "\"three\""]);
    assert_eq!((spool.n_damaged(), spool.n_pending()), (1, 0));
}

#[test]
fn a_full_spool_takes_what_fits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1_000).unwrap();
    let texts = vec!["\"0123456789\""; 100];
    let n = append(&mut spool, &texts);
    assert!(n > 10 && n < 30 && spool.bytes() <= 1_000, "{n} commands, {} bytes", spool.bytes());
    assert_eq!(append(&mut spool, &texts), 0);
    let batch = spool.peek().unwrap().unwrap();
    spool.advance(&batch, 5).unwrap();
    assert_eq!(append(&mut spool, &texts), 5, "what was sent makes room");
    assert_eq!(drain(&mut spool, 100).len(), n);
}

#[test]
fn segments_follow_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), u64::MAX).unwrap();
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let texts = vec![large.as_str(); 20];
    assert_eq!(append(&mut spool, &texts), 20);
    assert_eq!(segments(folder.path(), 0).len(), 3);
    assert_eq!(drain(&mut spool, 100).len(), 20);
    assert!(segments(folder.path(), 0).is_empty());
}

#[test]
fn each_writer_has_its_own_folder_and_takes_over_what_the_dead_have_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path());
    let mut second = open(folder.path());
    append(&mut first, &["\"a\""]);
    append(&mut second, &["\"b\""]);
    assert_eq!((segments(folder.path(), 0).len(), segments(folder.path(), 1).len()), (1, 1));
    first.adopt().unwrap();
    assert_eq!(first.n_pending(), 1, "the second one lives");
    drop(second);
    first.adopt().unwrap();
    append(&mut first, &["\"c\""]);
    assert_eq!(drain(&mut first, 1), ["\"b\"", "\"a\"", "\"c\""], "what was left is older");
    let third = open(folder.path());
    assert_eq!(third.own.path(), folder.path().join("1"));
    drop(first);
}

#[test]
fn what_another_version_has_written_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("0")).unwrap();
    let foreign = folder.path().join("0/00000000000000000001.ndjson");
    std::fs::write(&foreign, "{\"accredit_spool\":2}\nwhatever\n").unwrap();
    let mut spool = open(folder.path());
    append(&mut spool, &["1"]);
    assert_eq!(drain(&mut spool, 1), ["1"]);
    assert_eq!(spool.own.path(), folder.path().join("1"));
    assert!(foreign.exists());
}

/// The file as the first version of the format was written; it is never edited.
#[test]
fn the_first_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("0")).unwrap();
    let fixture = include_str!("../../../tests/fixtures/spool-v1.ndjson");
    std::fs::write(folder.path().join("0/00000000000000000001.ndjson"), fixture).unwrap();
    let mut spool = open(folder.path());
    assert_eq!(spool.n_pending(), 4);
    let taken = drain(&mut spool, 9);
    let ops: Vec<_> = taken.iter().map(|text| accredit_model::Command::from_json(text).unwrap()).collect();
    assert_eq!(ops.len(), 3);
    assert_eq!(spool.n_damaged(), 1, "its last line is damaged");
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_of_the_spool() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Spool::open(file.path(), 1).unwrap_err();
    assert!(matches!(error, Error::Spool { .. }) && error.kind() == ErrorKind::Unavailable, "{error}");
}

#[cfg(unix)]
#[test]
fn what_waits_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder.path().join("made"));
    append(&mut spool, &["1"]);
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path().join("made/0")), 0o700);
    assert_eq!(mode(segments(&folder.path().join("made"), 0).remove(0)), 0o600);
}

#[test]
fn the_default_folder_is_one_for_each_server() {
    let of = |url| spool_folder(url).map(|path| path.to_string_lossy().into_owned());
    assert_eq!(of("http://127.0.0.1:7117"), of("http://127.0.0.1:7117/"));
    assert_ne!(of("http://127.0.0.1:7117"), of("http://127.0.0.1:7118"));
}
