//! More than the disk takes, and acknowledgements that come later.

use accredit::{ActionId, EntryBody, Error, ErrorKind, Recorded, RefusalReason, Ticket};
use serde_json::json;

use crate::support::{IntoBody, Rig, block_on, chosen_id, new_seq, probe, reason, refusal_of, step};

fn batch(n: usize) -> Vec<EntryBody> {
    (0..n).map(|_| step("s").into_body()).collect()
}

/// A queue with room for one job, and enough work in front of it that the next two find it full.
fn overloaded(rig: &Rig, id: ActionId) -> (Error, Vec<Ticket<Vec<Recorded>>>) {
    let mut tickets = vec![rig.engine.try_record(id, batch(20_000)).unwrap()];
    for _ in 0..1_000 {
        match rig.engine.try_record(id, batch(1)) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => return (error, tickets),
        }
    }
    panic!("a queue for one job took {} of them", tickets.len());
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_took() {
    let rig = Rig::open_with(|config| {
        config.queue_bytes_max = 1;
        config.block_ms_max = 30_000;
    });
    let id = rig.begin();
    let (error, tickets) = overloaded(&rig, id);
    assert!(matches!(error, Error::Overloaded), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // A call that waits finds room in time, behind what came before it.
    let waited = rig.engine.step(id, step("waited")).unwrap();
    let recorded: Vec<Recorded> = tickets.into_iter().flat_map(|ticket| ticket.wait().unwrap()).collect();
    assert_eq!(recorded.iter().map(new_seq).collect::<Vec<_>>(), (0..recorded.len() as u64).collect::<Vec<_>>());
    assert_eq!(new_seq(&waited), recorded.len() as u64);
    let stats = rig.stats();
    assert_eq!(stats.recorded, recorded.len() as u64 + 1);
    assert_eq!((stats.refused.get("overloaded"), stats.refused_total), (Some(&1), 1), "the one refused is counted");
}

#[test]
fn no_call_blocks_past_its_bound() {
    let rig = Rig::open_with(|config| {
        config.queue_bytes_max = 1;
        config.block_ms_max = 0;
    });
    let id = rig.begin();
    let refused = (0..100).find_map(|_| {
        let (_, tickets) = overloaded(&rig, id);
        let refused = rig.engine.step(id, step("no room")).err();
        for ticket in tickets {
            ticket.wait().unwrap();
        }
        refused
    });
    assert!(matches!(refused, Some(Error::Overloaded)), "{refused:?}");
}

#[test]
fn a_ticket_says_what_became_of_each_entry() {
    let rig = Rig::open();
    let id = rig.begin();
    let bad = accredit::Step { confidence: Some(f64::NAN), ..step("bad") };
    let ticket = rig.engine.try_record(id, vec![step("a").into_body(), bad.into_body(), step("b").into_body()]);
    let recorded = ticket.unwrap().wait().unwrap();
    assert_eq!((new_seq(&recorded[0]), new_seq(&recorded[2])), (0, 1));
    assert_eq!(reason(&recorded[1]), Some(RefusalReason::InvalidNumber));
    let nobody = rig.engine.try_record(chosen_id(9), batch(1)).unwrap().wait().unwrap();
    assert_eq!(reason(&nobody[0]), Some(RefusalReason::UnknownAction));
    assert!(rig.engine.try_record(id, Vec::new()).unwrap().wait().unwrap().is_empty());
    // A late observation takes its way as well.
    rig.complete(id, &json!({}));
    let late = rig.engine.try_record(id, vec![probe(&json!({})).into_body()]).unwrap().wait().unwrap();
    assert_eq!(new_seq(&late[0]), 2);
}

#[test]
fn a_ticket_can_be_awaited_or_dropped() {
    let rig = Rig::open();
    let id = rig.begin();
    for _ in 0..10 {
        drop(rig.engine.try_record(id, batch(1)).unwrap());
    }
    let recorded = block_on(rig.engine.try_record(id, batch(2)).unwrap()).unwrap();
    assert_eq!(recorded.iter().map(new_seq).collect::<Vec<_>>(), [10, 11], "dropping takes nothing back");
}

#[test]
fn in_strict_mode_a_ticket_raises() {
    let rig = Rig::open_with(|config| config.strict = true);
    let ticket = rig.engine.try_record(chosen_id(9), batch(1)).unwrap();
    assert_eq!(refusal_of(ticket.wait()), RefusalReason::UnknownAction);
}

#[test]
fn closing_makes_durable_what_waits() {
    let rig = Rig::open();
    let id = rig.begin();
    let tickets: Vec<_> = (0..20).map(|_| rig.engine.try_record(id, batch(500)).unwrap()).collect();
    let clone = rig.engine.clone();
    let closing = std::thread::spawn(move || clone.close());
    for ticket in tickets {
        assert!(ticket.wait().unwrap().iter().all(Recorded::is_stored));
    }
    closing.join().unwrap().unwrap();
    let rig = rig.reopen();
    assert_eq!(rig.engine.chain(id).unwrap().len(), 10_000);
}
