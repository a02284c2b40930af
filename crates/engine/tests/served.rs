//! Recording to a server: whatever it does, everything arrives once and in order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use accredit::{
    ActionId, Answer, Applied, Begin, Client, ClientOptions, Command, Completion, EntryBody, Environment, Error,
    ErrorKind, Recorder, RecorderOptions, RefusalReason, SPOOL_BYTES_MAX, ServerTarget, Spool, Step, Target,
};

use crate::support::server::{FakeServer, Reply};

fn client(url: &str) -> Client {
    Client::new(url, ClientOptions { timeout: Duration::from_millis(500), ..ClientOptions::default() }).unwrap()
}

fn target_with(url: &str, folder: &Path, bytes_max: u64) -> ServerTarget {
    let spool = Spool::open(folder, bytes_max).unwrap();
    ServerTarget::new(client(url), spool, &Environment::default()).unwrap()
}

fn target(url: &str, folder: &Path) -> ServerTarget {
    target_with(url, folder, SPOOL_BYTES_MAX)
}

fn id() -> ActionId {
    ActionId::from_bytes([7; 16])
}

fn step(description: &str) -> Command {
    Command::Step { action_id: id(), step: Step { description: description.into(), ..Step::default() } }
}

fn steps(names: std::ops::Range<usize>) -> (Vec<String>, Vec<Command>) {
    let names: Vec<String> = names.map(|n| format!("step {n}")).collect();
    let commands = names.iter().map(|name| step(name)).collect();
    (names, commands)
}

fn wait_empty(target: &ServerTarget) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while target.stats().spooled > 0 {
        assert!(Instant::now() < deadline, "{:?}", target.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_spooled(answers: &[Answer]) -> bool {
    answers.iter().all(|answer| matches!(answer, Answer::Spooled))
}

/// Whatever a server does to one request, the steps arrive once, in order, and newer ones behind.
#[test]
fn everything_arrives_once_and_in_order_whatever_the_server_does() {
    let rows: [(&[Reply], usize); 9] = [
        (&[], 0),
        (&[Reply::Status(429, "Retry-After: 1\r\n")], 0),
        (&[Reply::Status(503, ""), Reply::Status(500, ""), Reply::Status(502, "")], 0),
        (&[Reply::Status(401, "")], 0),
        (&[Reply::Status(307, "Location: http://127.0.0.1:1/\r\n")], 0),
        (&[Reply::HangUp], 0),
        (&[Reply::CutAfter(0)], 10),
        (&[Reply::CutAfter(4)], 6),
        (&[Reply::Slow(Duration::from_millis(800))], 10),
    ];
    for (script, n_repeats) in rows {
        let (server, folder) = (FakeServer::start(script), tempfile::tempdir().unwrap());
        let target = target(&server.url(), folder.path());
        let started = Instant::now();
        let (names, commands) = steps(0..10);
        let answers = target.carry_out(commands);
        assert_eq!(answers.len(), 10);
        assert!(!answers.iter().any(|answer| matches!(answer, Answer::Applied(_))), "{script:?}: {answers:?}");
        let (newer, commands) = steps(10..20);
        let _answers = target.carry_out(commands);
        wait_empty(&target);
        assert_eq!(server.stored("step", "description"), [names, newer].concat(), "{script:?}");
        assert_eq!(server.n_repeats(), n_repeats, "{script:?}");
        let stats = target.stats();
        assert_eq!((stats.sent, stats.repeated, stats.is_away), (20, n_repeats as u64, false), "{script:?}");
        if let [Reply::Status(429, _)] = script {
            assert!(started.elapsed() >= Duration::from_secs(1), "it came back before it was asked to");
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_waited_for_also_after_a_restart() {
    let (server, folder) = (FakeServer::start(&[]), tempfile::tempdir().unwrap());
    let (url, address) = (server.url(), server.address);
    let kept = server.stop();
    let first = target(&url, folder.path());
    let (names, commands) = steps(0..3_000);
    assert!(is_spooled(&first.carry_out(commands)));
    assert!(first.stats().is_away && first.stats().spooled == 3_000);
    let error = client(&url).action(id()).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.kind() == ErrorKind::Unavailable);
    let started = Instant::now();
    first.close();
    assert!(started.elapsed() < Duration::from_secs(1), "closing waits for nobody who is away");
    drop(first);
    let server = FakeServer::start_at(address, kept, &[]);
    let second = target(&url, folder.path());
    let (newer, commands) = steps(3_000..3_100);
    let _answers = second.carry_out(commands);
    wait_empty(&second);
    assert_eq!(server.stored("step", "description"), [names, newer].concat());
    assert_eq!(server.n_repeats(), 0);
    assert!(server.kept.lock().unwrap().requests.iter().all(|n| *n <= 1_024), "requests are bounded");
    let keys: std::collections::HashSet<String> = server.stored("step", "idempotency_key").into_iter().collect();
    assert_eq!(keys.len(), 3_100, "two recorders never make the same key");
}

#[test]
fn a_line_that_meets_trouble_is_sent_again_and_a_refused_one_is_not() {
    let (server, folder) = (FakeServer::start(&[Reply::Trouble(1)]), tempfile::tempdir().unwrap());
    let target = target(&server.url(), folder.path());
    let answers = target.carry_out(vec![step("a"), step("b"), step("c")]);
    assert!(matches!(answers[..], [Answer::Stored { .. }, Answer::Spooled, Answer::Stored { .. }]), "{answers:?}");
    let answers = target.carry_out(vec![step("refuse me"), step("d")]);
    wait_empty(&target);
    let n = target.stats().refused.get("closed_action").copied();
    match &answers[0] {
        Answer::Spooled => assert_eq!(n, Some(1), "counted where nobody waits for the answer any more"),
        Answer::Applied(applied) => assert_eq!((applied.reason(), n), (Some(RefusalReason::ClosedAction), None)),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.stored("step", "description"), ["a", "c", "b", "d"]);
}

#[test]
fn what_does_not_fit_is_refused_and_said() {
    let (url, folder) = ("http://127.0.0.1:9", tempfile::tempdir().unwrap());
    let target = target_with(url, folder.path(), 2_000);
    let answers = target.carry_out(steps(0..100).1);
    let n_kept = answers.iter().filter(|answer| matches!(answer, Answer::Spooled)).count();
    assert!(n_kept > 2 && n_kept < 30, "{n_kept}");
    for answer in &answers[n_kept..] {
        let Answer::Applied(applied) = answer else { panic!("{answer:?}") };
        assert_eq!(applied.reason(), Some(RefusalReason::Overloaded));
    }
    assert!(target.stats().spool_bytes <= 2_000);
}

#[test]
fn a_request_that_is_too_large_is_cut_in_halves() {
    let (server, folder) = (FakeServer::start(&[]), tempfile::tempdir().unwrap());
    server.kept.lock().unwrap().body_bytes_max = Some(1_000);
    let target = target(&server.url(), folder.path());
    let (names, mut commands) = steps(0..40);
    commands.insert(20, step(&"x".repeat(1_000)));
    let answers = target.carry_out(commands);
    let Answer::Applied(Applied::Failed(error)) = &answers[20] else { panic!("{:?}", answers[20]) };
    assert!(matches!(error, Error::Answered { code, .. } if code == "some_code"), "{error}");
    assert_eq!(server.stored("step", "description"), names);
}

#[test]
fn a_recorder_completes_while_the_server_is_away() {
    let (server, folder) = (FakeServer::start(&[]), tempfile::tempdir().unwrap());
    let (url, address) = (server.url(), server.address);
    let target = Arc::new(target(&url, folder.path()));
    let options = RecorderOptions::default();
    let recorder = Recorder::new(Box::new(Arc::clone(&target)), Environment::default(), options).unwrap();
    let begin = || Begin { agent_id: "a".into(), action_type: "t".into(), ..Begin::default() };
    let first = recorder.begin(begin()).unwrap();
    recorder.record(&first, EntryBody::Step(Step { description: "s".into(), ..Step::default() })).unwrap();
    let answer = recorder.complete(first.id(), Completion::default(), &mut || false).unwrap();
    assert!(matches!(answer, Answer::Stored { repeat: false }), "{answer:?}");
    let kept = server.stop();
    let second = recorder.begin(begin()).unwrap();
    let answer = recorder.complete(second.id(), Completion::default(), &mut || false).unwrap();
    assert!(matches!(answer, Answer::Spooled), "{answer:?}");
    assert!(first.is_closed() && second.is_closed());
    assert_eq!(recorder.stats().target.spooled, 2);
    let server = FakeServer::start_at(address, kept, &[]);
    wait_empty(&target);
    let ids = [first.id().to_string(), second.id().to_string()];
    assert_eq!(server.stored("begin", "action_id"), ids);
    assert_eq!(server.stored("complete", "action_id"), ids);
}

#[test]
fn numbers_that_json_lacks_are_refused_and_long_lines_are_cut() {
    let (server, folder) = (FakeServer::start(&[]), tempfile::tempdir().unwrap());
    let target = target(&server.url(), folder.path());
    let nan = Step { description: "nan".into(), confidence: Some(f64::NAN), ..Step::default() };
    let long = "x".repeat(3 << 20);
    let answers = target.carry_out(vec![Command::Step { action_id: id(), step: nan }, step(&long), step("after")]);
    let Answer::Applied(applied) = &answers[0] else { panic!("{answers:?}") };
    assert_eq!(applied.reason(), Some(RefusalReason::InvalidNumber));
    let stored = server.stored("step", "description");
    assert!(stored.len() == 2 && stored[0].starts_with("xxx") && stored[0].len() < 5_000 && stored[1] == "after");
}

#[test]
fn a_key_is_sent_and_never_shown() {
    let server = FakeServer::start(&[]);
    let options = ClientOptions { key: Some("s3cret".to_owned()), ..ClientOptions::default() };
    let client = Client::new(&server.url(), options.clone()).unwrap();
    client.send(vec![step("s")]).unwrap();
    assert_eq!(server.kept.lock().unwrap().headers["authorization"], "Bearer s3cret");
    assert!(!format!("{client:?} {options:?}").contains("s3cret"));
    let unusable = ["", "ftp://x", "http://", "http://u:p@host", "http://host/?q=1", "http://a b"];
    for url in unusable {
        let error = Client::new(url, ClientOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Expected, "{url}");
    }
    let options = ClientOptions { key: Some("two words\n".to_owned()), ..ClientOptions::default() };
    assert!(Client::new(&server.url(), options).is_err());
}
