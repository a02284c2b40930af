//! Lists, exports and what else is read back.

use std::collections::BTreeSet;

use accredit::{
    Action, ActionId, Begin, Cancel, Closing, Command, Error, ErrorKind, Experience, Filter, RefusalReason, Status,
    Timestamp, Verdict,
};
use serde_json::json;

use crate::support::{Rig, START_SECS, begin, chosen_id, refusal_of};

fn ids(actions: &[Action]) -> Vec<ActionId> {
    actions.iter().map(|action| action.action_id).collect()
}

/// Ten actions, an hour apart: by agent, type and goal; every third completed well, the next one badly.
fn ten(rig: &Rig) -> Vec<ActionId> {
    (0..10_u32)
        .map(|n| {
            let id = rig.begin_with(Begin {
                agent_id: if n < 5 { "planner" } else { "writer" }.into(),
                action_type: if n % 2 == 0 { "book" } else { "write" }.into(),
                goal_id: (n == 3 || n == 7).then(|| "goal".into()),
                ..begin()
            });
            match n % 3 {
                0 => drop(rig.complete(id, &json!({"success": true}))),
                1 => drop(rig.complete(id, &json!({"success": false}))),
                _ => {}
            }
            rig.clock.advance_secs(3_600);
            id
        })
        .collect()
}

#[test]
fn a_filter_holds_what_meets_all_its_conditions() {
    let rig = Rig::open();
    let begun = ten(&rig);
    rig.engine.cancel(begun[8], Cancel::default()).unwrap();
    let check = |filter: Filter, expected: &[usize]| {
        let page = rig.engine.list(&filter, 100, None).unwrap();
        let expected: Vec<ActionId> = expected.iter().rev().map(|n| begun[*n]).collect();
        assert_eq!((ids(&page.actions), page.next_cursor), (expected, None), "{filter:?}");
    };
    let all = Filter::default;
    let hour = |n: f64| Timestamp::from_seconds(START_SECS + n * 3600.0);
    check(all(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    check(Filter { agent_id: Some("planner".into()), ..all() }, &[0, 1, 2, 3, 4]);
    check(Filter { agent_id: Some("nobody".into()), ..all() }, &[]);
    check(Filter { action_type: Some("write".into()), ..all() }, &[1, 3, 5, 7, 9]);
    check(Filter { goal_id: Some("goal".into()), ..all() }, &[3, 7]);
    check(Filter { status: Some(Status::Open), ..all() }, &[2, 5]);
    check(Filter { status: Some(Status::Closed(Closing::Cancelled)), ..all() }, &[8]);
    check(Filter { status: Some(Status::Closed(Closing::Completed)), ..all() }, &[0, 1, 3, 4, 6, 7, 9]);
    check(Filter { verdict: Some(Verdict::Success), ..all() }, &[0, 3, 6, 9]);
    check(Filter { verdict: Some(Verdict::Failure), ..all() }, &[1, 4, 7]);
    check(Filter { verdict: Some(Verdict::Unknown), ..all() }, &[8]);
    check(Filter { from: hour(7.0), ..all() }, &[7, 8, 9]);
    check(Filter { to: hour(2.0), ..all() }, &[0, 1]);
    check(Filter { from: hour(2.0), to: hour(4.5), ..all() }, &[2, 3, 4]);
    let agent_id = Some("writer".into());
    check(Filter { agent_id, goal_id: Some("goal".into()), verdict: Some(Verdict::Failure), ..all() }, &[7]);
}

#[test]
fn pages_do_not_overlap_and_miss_nothing() {
    let rig = Rig::open();
    let begun = ten(&rig);
    let pages = |filter: &Filter, limit: usize, between: &dyn Fn()| {
        let (mut read, mut cursor, mut n_pages) = (Vec::new(), None, 0);
        loop {
            let page = rig.engine.list(filter, limit, cursor.as_deref()).unwrap();
            assert!(page.actions.len() <= limit.max(1));
            read.extend(ids(&page.actions));
            n_pages += 1;
            between();
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return (read, n_pages),
            }
        }
    };
    let newest_first: Vec<ActionId> = begun.iter().rev().copied().collect();
    for (limit, n_pages) in [(1, 10), (3, 4), (5, 2), (9, 2), (10, 1), (100, 1), (0, 10)] {
        assert_eq!(pages(&Filter::default(), limit, &|| {}), (newest_first.clone(), n_pages), "limit {limit}");
    }
    let of_writer = Filter { agent_id: Some("writer".into()), ..Filter::default() };
    assert_eq!(pages(&of_writer, 2, &|| {}), (newest_first[..5].to_vec(), 3));
    // Actions that begin meanwhile are newer than any cursor.
    assert_eq!(pages(&Filter::default(), 3, &|| assert!(rig.begin() != newest_first[0])).0, newest_first);
}

#[test]
fn a_list_holds_a_thousand_at_most() {
    let rig = Rig::open();
    let applied = rig.engine.apply((0..1_001).map(|_| Ok(Command::Begin(begin()))).collect());
    assert_eq!(applied.len(), 1_001);
    let page = rig.engine.list(&Filter::default(), usize::MAX, None).unwrap();
    assert_eq!(page.actions.len(), 1_000);
    let rest = rig.engine.list(&Filter::default(), usize::MAX, page.next_cursor.as_deref()).unwrap();
    assert_eq!((rest.actions.len(), rest.next_cursor), (1, None));
    let all: BTreeSet<ActionId> = ids(&page.actions).into_iter().chain(ids(&rest.actions)).collect();
    assert_eq!(all.len(), 1_001);
}

#[test]
fn a_cursor_of_somebody_else_is_refused() {
    let rig = Rig::open();
    rig.begin();
    for cursor in ["", "next", "-1", "1 ", "ffffffffffffffffff"] {
        let page = rig.engine.list(&Filter::default(), 10, Some(cursor));
        assert_eq!(refusal_of(page), RefusalReason::InvalidField, "{cursor}");
    }
}

#[test]
fn an_export_holds_every_closed_action_as_it_stands() {
    let rig = Rig::open();
    let begun = ten(&rig);
    rig.engine.revise(begun[1], crate::support::revision_to(&json!({"success": true}))).unwrap();
    let export = |filter: &Filter| {
        let mut out = Vec::new();
        let n = rig.engine.export(filter, &mut out).unwrap();
        let lines: Vec<Experience> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len() as u64, n);
        lines
    };
    let all = export(&Filter::default());
    let closed: Vec<ActionId> = [9, 7, 6, 4, 3, 1, 0].map(|n| begun[n]).to_vec();
    assert_eq!(all.iter().map(|line| line.action.action_id).collect::<Vec<_>>(), closed);
    for line in &all {
        assert_eq!(*line, rig.engine.experience(line.action.action_id, None).unwrap());
    }
    assert_eq!(all[5].attribution.version, 2);
    assert_eq!(export(&Filter { goal_id: Some("goal".into()), ..Filter::default() }).len(), 2);
    assert!(export(&Filter { status: Some(Status::Open), ..Filter::default() }).is_empty());
}

/// Takes this many bytes and no more.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_that_cannot_be_written_says_so() {
    let rig = Rig::open();
    ten(&rig);
    let failed = rig.engine.export(&Filter::default(), &mut Full(2_000)).unwrap_err();
    assert!(matches!(failed, Error::Export(_)), "{failed}");
    assert_eq!(failed.kind(), ErrorKind::Expected);
}

#[test]
fn children_are_listed_oldest_first() {
    let rig = Rig::open();
    let parent = rig.begin();
    let child = |id: u64| Begin { action_id: Some(chosen_id(id)), parent_action_id: Some(parent), ..begin() };
    for id in [3, 1, 2] {
        rig.begin_with(child(id));
    }
    assert_eq!(ids(&rig.engine.children(parent).unwrap()), [3, 1, 2].map(chosen_id));
    assert!(rig.engine.children(chosen_id(1)).unwrap().is_empty());
}

#[test]
fn a_sound_store_has_no_problems_and_known_sizes() {
    let rig = Rig::open();
    for id in ten(&rig) {
        rig.engine.record(id, vec![]).unwrap();
    }
    let mut heard = Vec::new();
    let report = rig.engine.verify(&mut |done, of| heard.push((done, of))).unwrap();
    assert_eq!((report.actions, report.open, report.attributions), (10, 3, 7));
    assert_eq!(report.problems, []);
    assert_eq!(heard.last(), Some(&(10, 10)));
    let sizes = rig.engine.sizes().unwrap();
    assert!(sizes.file_bytes > 0, "{sizes:?}");
}
