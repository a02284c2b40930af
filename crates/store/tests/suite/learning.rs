//! What was learned is kept whole: bytes, models, the cursor, what is forgotten.

use accredit_model::ActionType;
use accredit_store::{Before, Learned, LearningState, NewModel, Packed, Store, Write};

use super::Database;
use super::build::{at, id, learned, model, problems, say};

fn state(taken_to: u64) -> LearningState {
    LearningState { writer: u64::MAX - 1, format: 3, taken_to }
}

fn of_type(action_type: &str) -> ActionType {
    action_type.into()
}

/// Versions, actions and bytes of the models, the newest first.
fn models(store: &dyn Store, action_type: &str) -> Vec<(u64, u64, Vec<u8>)> {
    let models = store.models(&of_type(action_type), 100).unwrap();
    models.into_iter().map(|model| (model.version, model.n_actions, model.bytes)).collect()
}

pub(crate) fn is_kept_together(database: &dyn Database) {
    let store = database.open();
    assert_eq!(store.learning_state().unwrap(), LearningState::default());
    assert_eq!((store.learned_types().unwrap(), store.forgotten().unwrap()), (vec![], vec![]));
    assert_eq!((store.learner(&of_type("work")).unwrap(), models(&*store, "work")), (None, vec![]));
    let long: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
    let first = Learned {
        state: state(5),
        models: vec![model("work", 1, 40, b"m1")],
        forgotten: vec![id(9), id(2)],
        ..learned(&[("work", &long), ("größe", b"")])
    };
    assert_eq!(say(&*store, vec![Write::Learned(Box::new(first))]), "done");
    let second = Learned { state: state(7), forgotten: vec![id(2)], ..learned(&[("größe", b"short")]) };
    assert_eq!(say(&*store, vec![Write::Learned(Box::new(second))]), "done");
    drop(store);
    let store = database.open();
    assert_eq!(store.learning_state().unwrap(), state(7));
    assert_eq!(store.learned_types().unwrap(), ["größe", "work"].map(ActionType::from));
    assert_eq!(store.learner(&of_type("work")).unwrap(), Some(long));
    assert_eq!(store.learner(&of_type("größe")).unwrap(), Some(b"short".to_vec()));
    assert_eq!(models(&*store, "work"), [(1, 40, b"m1".to_vec())]);
    let stored = store.models(&of_type("work"), 1).unwrap().remove(0);
    assert_eq!((stored.created_at, stored.method.as_str()), (at(40), "td_ce"));
    assert_eq!(store.forgotten().unwrap(), [id(2), id(9)]);
    assert_eq!(problems(&*store), [""; 0]);
}

pub(crate) fn old_models_go(database: &dyn Database) {
    let store = database.open();
    let fitted = |versions: std::ops::RangeInclusive<u64>| {
        let new = |version: u64| -> Vec<NewModel> {
            vec![model("work", version, version, &[1; 9_000]), model("other", version, version, b"o")]
        };
        Learned { models: versions.flat_map(new).collect(), models_max: 3, ..learned(&[]) }
    };
    say(&*store, vec![Write::Learned(Box::new(fitted(1..=2)))]);
    let versions = |action_type: &str| models(&*store, action_type).iter().map(|model| model.0).collect::<Vec<_>>();
    assert_eq!((versions("work"), versions("other")), (vec![2, 1], vec![2, 1]));
    say(&*store, vec![Write::Learned(Box::new(fitted(3..=11)))]);
    assert_eq!((versions("work"), versions("other")), (vec![11, 10, 9], vec![11, 10, 9]));
    assert_eq!(store.models(&of_type("work"), 2).unwrap().len(), 2);
    assert_eq!(models(&*store, "work")[0].2, [1; 9_000]);
}

pub(crate) fn begins_anew(database: &dyn Database) {
    let store = database.open();
    let first = Learned {
        models: vec![model("work", 1, 1, b"m")],
        forgotten: vec![id(1)],
        ..learned(&[("work", b"w"), ("other", b"o")])
    };
    say(&*store, vec![Write::Learned(Box::new(first))]);
    let anew = Learned { state: state(0), before: Before::Dropped, ..learned(&[("work", b"new")]) };
    say(&*store, vec![Write::Learned(Box::new(anew))]);
    assert_eq!(store.learned_types().unwrap(), [of_type("work")]);
    assert_eq!((store.learner(&of_type("work")).unwrap(), models(&*store, "work")), (Some(b"new".to_vec()), vec![]));
    // Whoever was to be forgotten stays so.
    assert_eq!(store.forgotten().unwrap(), [id(1)]);
}

/// Nothing of it is there when another part of the transaction fails: here a delivery of a sink that nobody knows.
pub(crate) fn is_all_or_nothing(database: &dyn Database) {
    let store = database.open();
    let unknown = accredit_store::Deliveries { sink: "nobody".to_owned(), taken_to: Some(1), outcomes: vec![] };
    let new = Learned { state: state(5), ..learned(&[("work", b"w")]) };
    store.commit(vec![Write::Learned(Box::new(new)), Write::Deliveries(unknown)]).unwrap_err();
    assert_eq!((store.learning_state().unwrap(), store.learned_types().unwrap()), (LearningState::default(), vec![]));
    assert!(Packed::pack(vec![7; 1 << 20]).is_ok());
}
