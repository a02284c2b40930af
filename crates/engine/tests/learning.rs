//! Learning as it goes: what is learned, when, what comes of it, and that a crash neither loses nor doubles any of it.

use std::path::Path;
use std::sync::Arc;

use accredit::{
    Access, ActionId, ActionType, Attribution, Begin, Completion, Config, Engine, Environment, Error, Evidence,
    LearnedMethod, Learner, METHOD_NAMES, Method, Observation, OnRefit, Revision, Step,
};
use accredit_store::{Before, Learned, Packed, SqliteStore, Store, Write};
use accredit_testkit::environments::{Environment as World, Rollout, Truth, discounting_chain};
use accredit_testkit::{Random, SeededIds};
use serde_json::json;

use crate::support::{
    IntoBody, Rig, assert_close, begin, chosen_id, eventually, judgement, outcome_of, probe, revision_to, step,
};

const TD_CE: Method = Method::Learned(LearnedMethod::TdCe);

fn rig() -> Rig {
    Rig::open_with(|config| config.method = TD_CE)
}

fn kind() -> ActionType {
    begin().action_type
}

/// An action with one step that decides: `good` earns 1, `bad` 0, and two that do nothing. Completed with that reward.
fn decide(engine: &Engine, action_type: &str, good: bool) -> Attribution {
    let id = engine.begin(Begin { action_type: action_type.into(), ..begin() }).unwrap().action_id;
    let at = |state: &str, decision: &str| {
        Step { state_key: Some(state.to_owned()), key: Some(decision.to_owned()), ..step(decision) }.into_body()
    };
    let chosen = if good { "good" } else { "bad" };
    let after = format!("after {chosen}");
    engine.record(id, vec![at("first", "look"), at("second", chosen), at(&after, "wait")]).unwrap();
    let reward = if good { 1.0 } else { 0.0 };
    engine.complete(id, Completion { reward: Some(reward), ..Completion::default() }).unwrap()
}

fn decide_many(engine: &Engine, n: usize) -> Vec<ActionId> {
    (0..n).map(|at| decide(engine, kind().as_str(), at % 2 == 0).action_id).collect()
}

/// What is learned of the usual type when everything has been read.
fn learned(engine: &Engine) -> Arc<Learner> {
    engine.learn_now().unwrap();
    engine.learner(&kind()).unwrap().unwrap()
}

fn n_actions(engine: &Engine) -> u64 {
    engine.learn_now().unwrap();
    engine.learner(&kind()).unwrap().map_or(0, |learner| learner.n_actions())
}

fn play(engine: &Engine, rollout: &Rollout) -> Attribution {
    let id = engine.begin(begin()).unwrap().action_id;
    let step = |at: &accredit_testkit::environments::RolloutStep| {
        let (state_key, decision) = (Some(at.state_key.clone()), Some(at.decision.clone()));
        Step { state_key, decision, state: Some((&at.state).into()), ..step("choose") }.into_body()
    };
    engine.record(id, rollout.steps.iter().map(step).collect()).unwrap();
    engine.complete(id, Completion { reward: Some(rollout.reward), ..Completion::default() }).unwrap()
}

#[test]
fn the_decisive_step_is_found_after_a_hundred_actions() {
    let rig = rig();
    let world = &discounting_chain()[2];
    let mut random = Random::new(5);
    let first = play(&rig.engine, &world.rollout(&mut random));
    assert_eq!((first.method.as_str(), first.model_version, first.evidence), ("decay", None, Evidence::None));
    assert_eq!((first.selection_reason, first.std_errors.len(), first.forecast.len()), (None, 0, 0));
    for _ in 1..100 {
        play(&rig.engine, &world.rollout(&mut random));
    }
    let model = rig.engine.refit(&kind()).unwrap().unwrap();
    assert_eq!((model.n_actions, model.method.as_str(), &model.action_type), (100, "td_ce", &kind()));
    assert_eq!(rig.engine.models(&kind()).unwrap()[0], model);
    let rollout = world.rollout(&mut random);
    let made = play(&rig.engine, &rollout);
    let Truth::DecisiveStep(decisive) = rollout.truth else { panic!("one step decides") };
    assert_eq!((made.method.as_str(), made.evidence), ("td_ce", Evidence::Learned));
    assert!(made.model_version >= Some(model.version), "{:?}", made.model_version);
    assert!(made.credits[decisive] > 0.99, "{:?}", made.credits);
    // How sure it is of each step comes along, and is read back.
    assert_eq!([made.std_errors.len(), made.n.len(), made.forecast.len()], [100; 3]);
    assert!(made.n[decisive] > 5 && made.std_errors[decisive].is_some_and(|error| error < 0.1));
    assert!(made.selection_reason.is_some());
    assert_eq!(rig.engine.attribution(made.action_id, None).unwrap(), made);
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn the_thread_fits_by_itself() {
    let rig = rig();
    decide_many(&rig.engine, 7);
    assert_eq!(rig.engine.models(&kind()).unwrap(), []);
    decide_many(&rig.engine, 1);
    eventually("a model at eight actions", || rig.engine.models(&kind()).unwrap().pop());
    decide_many(&rig.engine, 40);
    let newest = || rig.engine.models(&kind()).unwrap().into_iter().next();
    let model = eventually("a model at twice as many", || newest().filter(|model| model.n_actions >= 16));
    assert!(model.version >= 2);
    // It stands behind the next attribution after it is stored.
    eventually("credit by the model", || {
        let made = decide(&rig.engine, kind().as_str(), true);
        (made.method == "td_ce" && made.credits[1] > 0.99).then_some(())
    });
}

#[test]
fn models_are_counted_and_the_last_ten_kept() {
    let rig = rig();
    decide_many(&rig.engine, 20);
    let first = rig.engine.refit(&kind()).unwrap().unwrap();
    for version in first.version + 1..first.version + 12 {
        assert_eq!(rig.engine.refit(&kind()).unwrap().unwrap().version, version);
    }
    let versions: Vec<u64> = rig.engine.models(&kind()).unwrap().iter().map(|model| model.version).collect();
    assert_eq!(versions, (first.version + 2..first.version + 12).rev().collect::<Vec<_>>());
    // After a restart the newest stands at once, and counting goes on.
    let rig = rig.reopen();
    assert_eq!(decide(&rig.engine, kind().as_str(), false).model_version, Some(first.version + 11));
    assert!(rig.engine.refit(&kind()).unwrap().unwrap().version >= first.version + 12);
}

#[test]
fn what_nobody_judged_teaches_nothing() {
    let rig = rig();
    let check = |expected: u64, act: &dyn Fn(ActionId)| {
        let id = rig.begin();
        act(id);
        assert_eq!(n_actions(&rig.engine), expected);
    };
    check(0, &|id| drop(rig.complete(id, &json!({"success": true}))));
    check(0, &|id| {
        rig.steps(id, 2);
        rig.complete(id, &json!({"rows": 8}));
    });
    check(0, &|id| {
        rig.steps(id, 2);
        rig.engine.cancel(id, accredit::Cancel::default()).unwrap();
    });
    check(0, &|id| {
        rig.steps(id, 2);
        assert_eq!(rig.expire(), 1);
    });
    check(0, &|id| rig.steps(id, 2));
    check(1, &|id| {
        rig.steps(id, 2);
        rig.complete(id, &json!({"success": false}));
    });
    check(2, &|id| {
        rig.steps(id, 1);
        rig.engine.complete(id, Completion { reward: Some(-3.0), ..Completion::default() }).unwrap();
    });
}

#[test]
fn what_the_steps_say_is_learned() {
    let rig = rig();
    let id = rig.begin();
    let first = Step { reward: Some(0.25), propensity: Some(0.5), effect: Some(true), ..step("a") };
    let score = |step: u64, score: f64| Observation { step: Some(step), criterion: None, ..judgement("", score) };
    let entries = vec![
        first.into_body(),
        step("b").into_body(),
        step("c").into_body(),
        score(1, 0.75).into_body(),
        score(2, 0.125).into_body(),
        score(2, 0.5).into_body(),
        Observation { step: Some(0), ..probe(&json!({"x": 1})) }.into_body(),
    ];
    rig.record(id, entries);
    rig.complete(id, &json!({"success": true}));
    let judged = |learner: &Learner| -> Vec<Option<f64>> {
        learner.samples().flat_map(|sample| sample.steps.iter().map(|step| step.judged)).collect()
    };
    let before = learned(&rig.engine);
    let sample = before.samples().next().unwrap();
    assert_eq!(
        (sample.steps[0].reward, sample.steps[0].propensity, sample.steps[0].effect),
        (Some(0.25), Some(0.5), Some(true))
    );
    assert_eq!(judged(&before), [None, Some(0.75), Some(0.5)]);
    // A late judgement of a step is learned with the next version, be its reward another or not.
    rig.engine.observe(id, score(0, 1.0)).unwrap();
    rig.engine.revise(id, Revision { reason: Some("looked again".to_owned()), ..Revision::default() }).unwrap();
    let after = learned(&rig.engine);
    assert_eq!(judged(&after), [Some(1.0), Some(0.75), Some(0.5)]);
    assert_eq!(after.n_actions(), 1);
}

#[test]
fn revisions_move_the_counts() {
    let rig = rig();
    let ids = decide_many(&rig.engine, 3);
    let before = learned(&rig.engine);
    let sum = |learner: &Learner| learner.samples().map(|sample| sample.reward).sum::<f64>();
    assert_eq!((before.n_actions(), sum(&before)), (3, 2.0));
    let revise = |reward: f64| {
        rig.engine.revise(ids[0], Revision { reward: Some(reward), ..Revision::default() }).unwrap();
        learned(&rig.engine)
    };
    let moved = revise(-4.0);
    assert_eq!((moved.n_actions(), sum(&moved)), (3, -3.0));
    assert_ne!(moved.counts(), before.counts());
    let back = revise(1.0);
    assert_eq!((back.n_actions(), sum(&back)), (3, 2.0));
    // The same reward again teaches nothing.
    assert_eq!(revise(1.0), back);
    // A late truth of what had not been evaluated is learned; what is not evaluated any more is taken back.
    let id = rig.begin();
    rig.steps(id, 2);
    rig.complete(id, &json!({"rows": 8}));
    assert_eq!(n_actions(&rig.engine), 3);
    rig.engine.revise(id, revision_to(&json!({"success": true}))).unwrap();
    assert_eq!(n_actions(&rig.engine), 4);
    rig.engine.revise(id, revision_to(&json!({"rows": 8}))).unwrap();
    assert_eq!(n_actions(&rig.engine), 3);
}

/// What a kill would leave: the files as they are now.
fn image(rig: &Rig, name: &str) -> std::path::PathBuf {
    let copy = rig.file(name);
    for suffix in ["", "-wal"] {
        let of = |path: &Path| std::path::PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(of(&rig.file("accredit.db")), of(&copy)).unwrap();
    }
    copy
}

#[test]
fn a_crash_neither_loses_nor_doubles() {
    let rig = rig();
    let ids = decide_many(&rig.engine, 20);
    // Saved here, at the latest; what follows is in memory alone, in part or as a whole.
    rig.engine.refit(&kind()).unwrap().unwrap();
    decide_many(&rig.engine, 3);
    rig.engine.revise(ids[1], Revision { reward: Some(7.0), ..Revision::default() }).unwrap();
    rig.engine.revise(ids[1], Revision { reward: Some(8.0), ..Revision::default() }).unwrap();
    for n in 0..4 {
        let path = image(&rig, &format!("copy-{n}.db"));
        let crashed = Engine::open(Config { method: TD_CE, ..Config::at(&path) }).unwrap();
        let found = learned(&crashed);
        assert_eq!(found.n_actions(), 23 + n);
        assert_eq!(*found, *learned(&rig.engine), "image {n}");
        // Once more, closed in order.
        crashed.close().unwrap();
        let again = Engine::open(Config { method: TD_CE, ..Config::at(&path) }).unwrap();
        assert_eq!(*learned(&again), *found, "image {n}");
        decide(&rig.engine, kind().as_str(), true);
    }
}

#[test]
fn what_is_damaged_is_learned_anew() {
    let check = |what: &str, damage: &dyn Fn(&mut Learned)| {
        let rig = rig();
        decide_many(&rig.engine, 12);
        let before = learned(&rig.engine);
        rig.engine.refit(&kind()).unwrap();
        let path = image(&rig, "copy.db");
        let store = SqliteStore::open(&path).unwrap();
        let state = store.learning_state().unwrap();
        let mut written = Learned {
            state,
            learners: Vec::new(),
            models: Vec::new(),
            models_max: 10,
            forgotten: Vec::new(),
            before: Before::Kept,
        };
        damage(&mut written);
        store.commit(vec![Write::Learned(Box::new(written))]).unwrap();
        drop(store);
        let engine = Engine::open(Config { method: TD_CE, ..Config::at(&path) }).unwrap();
        let after = learned(&engine);
        assert_eq!((after.n_actions(), after.samples().len()), (12, 12), "{what}");
        assert_eq!(after.counts(), before.counts(), "{what}");
        assert!(engine.refit(&kind()).unwrap().is_some());
        assert_eq!(decide(&engine, kind().as_str(), true).method, "td_ce");
    };
    let bytes = |bytes: &[u8]| vec![(kind(), Packed::pack(bytes.to_vec()).unwrap())];
    check("no learner", &|written| written.learners = bytes(b""));
    check("another learner", &|written| written.learners = bytes(&[0xff; 20_000]));
    check("an older version", &|written| written.state.format = 0);
    check("a newer version", &|written| written.state.format = 1_000);
}

/// A store of its own with ids of its own.
fn engine_at(path: &Path, seed: u64) -> Engine {
    let environment = Environment { ids: Arc::new(SeededIds::new(seed)), ..Environment::default() };
    Engine::open_with(Config { method: TD_CE, ..Config::at(path) }, environment).unwrap()
}

#[test]
fn merging_is_free_of_order_and_of_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (seed, name, n) in [(11, "a.db", 9), (12, "b.db", 10), (13, "c.db", 11)] {
        let engine = engine_at(&at(name), seed);
        decide_many(&engine, n);
        decide(&engine, name, true);
        engine.learn_now().unwrap();
        engine.close().unwrap();
    }
    let merged = |seed: u64, order: &[&str]| {
        let engine = engine_at(&at(&format!("{seed}.db")), seed);
        order.iter().for_each(|name| assert_eq!(engine.merge_learned(&at(name)).unwrap(), 2));
        let own: Vec<_> = engine.learned_types().unwrap();
        assert_eq!(own, ["a.db", "b.db", "book_flight", "c.db"].map(ActionType::from));
        let learner = learned(&engine);
        assert!(engine.refit(&kind()).unwrap().is_some_and(|model| model.n_actions == 30));
        // It is stored, and goes on from there.
        engine.close().unwrap();
        let engine = engine_at(&at(&format!("{seed}.db")), seed + 100);
        assert_eq!(*learned(&engine), *learner);
        decide_many(&engine, 1);
        assert_eq!((learned(&engine).n_actions(), learned(&engine).samples().len()), (31, 31));
        learner
    };
    let one = merged(1, &["a.db", "b.db", "c.db"]);
    let other = merged(2, &["c.db", "b.db", "c.db", "a.db", "b.db"]);
    assert_eq!((one.n_actions(), one.samples().len()), (30, 30));
    assert_eq!(*one, *other);
    // A store that is merged back brings nothing that was there already.
    let a = engine_at(&at("a.db"), 14);
    a.merge_learned(&at("1.db")).unwrap();
    a.merge_learned(&at("2.db")).unwrap();
    assert_eq!(learned(&a).n_actions(), 32);
    assert!(matches!(a.merge_learned(&at("none.db")), Err(Error::Store(_))));
}

#[test]
fn what_is_forgotten_stays_forgotten() {
    let rig = rig();
    let ids = decide_many(&rig.engine, 10);
    assert_eq!(n_actions(&rig.engine), 10);
    assert!(rig.engine.forget(ids[3]).unwrap());
    assert!(!rig.engine.forget(ids[3]).unwrap());
    assert!(matches!(rig.engine.forget(chosen_id(1)), Err(Error::Refused(_))));
    let check = |engine: &Engine, n: usize| {
        let learner = learned(engine);
        assert_eq!((learner.n_actions(), learner.samples().len()), (n as u64, n));
        assert!(learner.samples().all(|sample| sample.action != ids[3]));
    };
    check(&rig.engine, 9);
    // Its revisions teach nothing either, and the action itself is there as before.
    rig.engine.revise(ids[3], Revision { reward: Some(3.0), ..Revision::default() }).unwrap();
    check(&rig.engine, 9);
    assert_eq!(rig.engine.chain(ids[3]).unwrap().len(), 3);
    // One that is forgotten while it is open is never learned.
    let id = rig.begin();
    rig.steps(id, 2);
    assert!(rig.engine.forget(id).unwrap());
    rig.complete(id, &json!({"success": true}));
    check(&rig.engine, 9);
    let rig = rig.reopen();
    check(&rig.engine, 9);
    assert!(!rig.engine.forget(ids[3]).unwrap());
    // Another store that had merged it before drops it from its sample, and it does not come back from there.
    let path = image(&rig, "copy.db");
    let elsewhere = engine_at(&rig.file("elsewhere.db"), 77);
    elsewhere.merge_learned(&path).unwrap();
    assert!(rig.engine.forget(ids[4]).unwrap());
    rig.engine.merge_learned(&rig.file("elsewhere.db")).unwrap();
    let learner = learned(&rig.engine);
    assert_eq!((learner.n_actions(), learner.samples().len()), (8, 8));
    elsewhere.merge_learned(&image(&rig, "copy.db")).unwrap();
    assert_eq!(learned(&elsewhere).samples().len(), 8);
}

#[test]
fn crediting_anew_changes_what_has_changed() {
    let rig = rig();
    let ids = decide_many(&rig.engine, 7);
    let other = decide(&rig.engine, "other", true).action_id;
    // Without a model there is nothing to say.
    assert_eq!(rig.engine.reattribute(None).unwrap(), 0);
    let model = rig.engine.refit(&kind()).unwrap().unwrap();
    assert_eq!(rig.engine.reattribute(Some(&kind())).unwrap(), 7);
    for id in &ids {
        let made = rig.engine.attribution(*id, None).unwrap();
        assert_eq!(
            (made.version, made.reason.clone(), made.method.as_str()),
            (2, Some(format!("model {}", model.version)), "td_ce")
        );
        assert!(made.credits[1] > 0.9);
        let before = rig.engine.attribution(*id, Some(1)).unwrap();
        assert_eq!((before.method.as_str(), before.effective_reward()), ("decay", made.effective_reward()));
    }
    assert_eq!(rig.engine.attribution(other, None).unwrap().version, 1);
    // The same model says the same, and versions that only credit anew teach nothing.
    assert_eq!(rig.engine.reattribute(None).unwrap(), 0);
    let before = learned(&rig.engine);
    assert_eq!((before.n_actions(), rig.engine.refit(&kind()).unwrap().unwrap().n_actions), (7, 7));
    assert_eq!(*learned(&rig.engine), *before);
    // A late revision is credited by the model that stands.
    let revised = rig.engine.revise(ids[0], Revision { reward: Some(0.5), ..Revision::default() }).unwrap();
    assert_eq!((revised.method.as_str(), revised.version), ("td_ce", 3));
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn a_refit_credits_anew_what_the_policy_says() {
    let check = |on_refit: OnRefit, expected: [u32; 3]| {
        let rig = Rig::open_with(|config| {
            (config.method, config.learning.on_refit) = (TD_CE, on_refit);
            config.learning.open_window_secs = 3_600;
        });
        let old = decide(&rig.engine, kind().as_str(), true).action_id;
        rig.clock.advance_secs(3_601);
        let young = decide(&rig.engine, kind().as_str(), false).action_id;
        let open = rig.begin();
        rig.engine.refit(&kind()).unwrap().unwrap();
        let version = |id: ActionId| rig.engine.action(id).unwrap().version;
        assert_eq!([old, young, open].map(version), expected, "{on_refit:?}");
        // No refit follows from that by itself, or it would never end.
        assert_eq!(rig.engine.learn_now().unwrap(), []);
    };
    check(OnRefit::None, [1, 1, 0]);
    check(OnRefit::OpenWindow, [1, 2, 0]);
    check(OnRefit::All, [2, 2, 0]);
}

#[test]
fn methods_by_type() {
    let rig = Rig::open_with(|config| {
        config.method = TD_CE;
        config.method_by_type = [("even".into(), Method::Uniform), ("later".into(), Method::Decay)].into();
    });
    let check = |action_type: &str, method: &str| {
        for n in 0..9 {
            decide(&rig.engine, action_type, n % 2 == 0);
        }
        let fitted = rig.engine.refit(&action_type.into()).unwrap();
        assert_eq!(fitted.is_some(), method == "td_ce");
        assert_eq!(decide(&rig.engine, action_type, true).method, method);
        // What is not fitted is learned all the same, for another day.
        assert_eq!(rig.engine.learner(&action_type.into()).unwrap().unwrap().n_actions(), 9);
    };
    check("even", "uniform");
    check("later", "decay");
    check("any", "td_ce");
    // That day: a method is taken up and another left at the next start.
    let rig = rig.reopen_with(|config| {
        config.method = Method::Decay;
        config.method_by_type = [("even".into(), TD_CE)].into();
    });
    eventually("a model of what was learned before", || {
        (decide(&rig.engine, "even", true).method == "td_ce").then_some(())
    });
    assert_eq!(decide(&rig.engine, "any", true).method, "decay");
}

/// Each name in the configuration credits the next action, says so, and its model outlives a restart.
#[test]
fn every_method_credits_by_its_name() {
    let mut rig = Rig::open();
    decide_many(&rig.engine, 24);
    for name in METHOD_NAMES {
        let method = Method::new(name, []).unwrap();
        rig = rig.reopen_with(|config| config.method = method);
        let fitted = rig.engine.refit(&kind()).unwrap();
        assert_eq!(fitted.is_some(), method.learned().is_some(), "{name}");
        let made = decide(&rig.engine, kind().as_str(), true);
        assert_eq!(made.evidence == Evidence::Learned, fitted.is_some(), "{name}");
        let expected = if name == "auto" { fitted.as_ref().unwrap().method.clone() } else { name.to_owned() };
        assert_eq!(made.method, expected);
        assert_close(made.credits.iter().sum(), 1.0, 1e-9);
        let explained = made.baseline + made.advantages.iter().sum::<f64>() + made.residual;
        assert_close(explained, made.effective_reward(), 1e-9);
        // The second step decides; a prior has no advantages.
        if !["uniform", "decay", "first", "last"].contains(&name) {
            assert!(made.advantages[1] > 0.05, "{name}: {:?}", made.advantages);
        }
        rig = rig.reopen();
        if let Some(fitted) = fitted {
            // The same method: the model is taken up again. Another option is another method.
            let made = decide(&rig.engine, kind().as_str(), true);
            assert_eq!(made.model_version, Some(fitted.version), "{name}");
        }
    }
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
    let gae = |lambda: f64| Method::Learned(LearnedMethod::Gae { lambda });
    let rig = rig.reopen_with(|config| config.method = gae(0.95));
    rig.engine.refit(&kind()).unwrap().unwrap();
    let rig = rig.reopen_with(|config| config.method = gae(0.5));
    let model = rig.engine.refit(&kind()).unwrap().unwrap();
    assert_eq!((model.method.as_str(), model.reason.as_str()), ("gae", "it was asked for, with lambda 0.5"));
}

#[test]
fn another_method_answers_and_leaves_no_trace() {
    let rig = rig();
    decide_many(&rig.engine, 24);
    rig.engine.refit(&kind()).unwrap().unwrap();
    let made = decide(&rig.engine, kind().as_str(), true);
    let id = made.action_id;
    assert_eq!((made.method.as_str(), made.what_if), ("td_ce", false));
    let before = (rig.stats(), rig.engine.attributions(id).unwrap(), rig.engine.models(&kind()).unwrap());
    rig.clock.advance_secs(60);
    for name in METHOD_NAMES {
        let method = Method::new(name, []).unwrap();
        let answer = rig.engine.what_if(id, method).unwrap();
        assert_eq!((answer.what_if, answer.version, answer.model_version), (true, 1, None), "{name}");
        assert_eq!(answer.attributed_at.micros_since(made.attributed_at), 60_000_000);
        assert_eq!(answer.evidence == Evidence::Learned, method.learned().is_some(), "{name}");
        assert!(name == "auto" || answer.method == name, "{name}: {}", answer.method);
        assert_eq!((answer.verdict, answer.reward, &answer.outcome), (made.verdict, made.reward, &made.outcome));
        assert_close(answer.credits.iter().sum(), 1.0, 1e-9);
        assert_eq!(rig.engine.what_if(id, method).unwrap(), answer, "{name}");
    }
    let gae = |lambda: f64| rig.engine.what_if(id, Method::Learned(LearnedMethod::Gae { lambda }));
    let (near, far) = (gae(0.0).unwrap(), gae(1.0).unwrap());
    assert_ne!(near.advantages, far.advantages);
    assert_eq!(far.selection_reason.as_deref(), Some("it was asked for, with lambda 1"));
    assert_eq!(far.advantages, rig.engine.what_if(id, Method::Learned(LearnedMethod::Mc)).unwrap().advantages);
    let after = (rig.stats(), rig.engine.attributions(id).unwrap(), rig.engine.models(&kind()).unwrap());
    assert_eq!(after, before);
    // What has been learned since is in the next answer.
    (0..10).for_each(|_| drop(decide(&rig.engine, kind().as_str(), false)));
    rig.engine.learn_now().unwrap();
    assert_ne!(gae(1.0).unwrap().baseline, far.baseline);
    // A reader beside the writer answers from what is stored.
    let reader = Engine::open(Config::read_only(rig.file("accredit.db"))).unwrap();
    let read = reader.what_if(id, Method::Learned(LearnedMethod::TdCe)).unwrap();
    assert_eq!((read.method.as_str(), read.evidence), ("td_ce", Evidence::Learned));
    // What cannot be asked.
    assert!(matches!(gae(2.0), Err(Error::Refused(_))));
    assert!(matches!(rig.engine.what_if(rig.begin(), Method::Decay), Err(Error::NoAttribution { .. })));
    assert!(matches!(rig.engine.what_if(chosen_id(7), Method::Decay), Err(Error::Refused(_))));
}

#[test]
fn another_method_that_has_learned_nothing_says_so() {
    let rig = rig();
    let id = rig.begin();
    rig.steps(id, 3);
    let made = rig.complete(id, &json!({}));
    let answer = rig.engine.what_if(id, Method::Learned(LearnedMethod::Hca)).unwrap();
    assert_eq!((answer.method.as_str(), answer.evidence, &answer.credits), ("decay", Evidence::None, &made.credits));
    assert_eq!(answer.selection_reason.as_deref(), Some("nothing was learned of actions of this type yet"));
    assert_eq!(rig.engine.what_if(id, Method::First).unwrap().selection_reason, None);
}

#[test]
fn learning_while_others_record() {
    let rig = rig();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = rig.engine.clone();
            scope.spawn(move || (0..60).for_each(|n| drop(decide(&engine, kind().as_str(), (n + thread) % 2 == 0))));
        }
        for _ in 0..10 {
            rig.engine.refit(&kind()).unwrap();
            rig.engine.learn_now().unwrap();
        }
    });
    let learner = learned(&rig.engine);
    assert_eq!((learner.n_actions(), learner.samples().len()), (240, 240));
    let rig = rig.reopen();
    assert_eq!(*learned(&rig.engine), *learner);
    assert_eq!(decide(&rig.engine, kind().as_str(), true).method, "td_ce");
}

#[test]
fn types_beyond_the_limit_are_not_learned() {
    let rig = rig();
    for n in 0..258 {
        decide(&rig.engine, &format!("type {n}"), true);
    }
    rig.engine.learn_now().unwrap();
    assert_eq!(rig.engine.learned_types().unwrap().len(), 256);
    assert!(rig.engine.learner(&"type 257".into()).unwrap().is_none());
    assert_eq!(rig.engine.refit(&"type 257".into()).unwrap(), None);
    // Those that are learned go on.
    decide(&rig.engine, "type 7", false);
    rig.engine.learn_now().unwrap();
    assert_eq!(rig.engine.learner(&"type 7".into()).unwrap().unwrap().n_actions(), 2);
}

#[test]
fn off_and_reading_only() {
    let rig = rig();
    decide_many(&rig.engine, 12);
    let model = rig.engine.refit(&kind()).unwrap().unwrap();
    let reader = Engine::open(Config::read_only(rig.file("accredit.db"))).unwrap();
    assert_eq!(reader.config().access, Access::ReadOnly);
    assert_eq!(reader.models(&kind()).unwrap()[0], model);
    assert_eq!(reader.learner(&kind()).unwrap().unwrap().n_actions(), 12);
    assert_eq!(reader.learned_types().unwrap(), [kind()]);
    assert!(matches!(reader.learn_now(), Err(Error::ReadOnly)));
    assert!(matches!(reader.reattribute(None), Err(Error::ReadOnly)));
    let rig = rig.reopen_with(|config| config.learning.enabled = false);
    assert_eq!(decide(&rig.engine, kind().as_str(), true).method, "decay");
    assert!(matches!(rig.engine.learn_now(), Err(Error::Config(_))));
    assert_eq!(rig.engine.models(&kind()).unwrap()[0], model);
    // Switched on again, it has missed nothing.
    let rig = rig.reopen_with(|config| config.learning.enabled = true);
    assert_eq!(n_actions(&rig.engine), 13);
    assert_eq!(decide(&rig.engine, kind().as_str(), true).method, "td_ce");
}

#[test]
fn the_default_says_why() {
    let rig = Rig::open_with(|config| config.method = Method::default());
    assert_eq!(rig.complete(rig.begin(), &json!({})).selection_reason, None);
    decide_many(&rig.engine, 40);
    let model = rig.engine.refit(&kind()).unwrap().unwrap();
    let made = decide(&rig.engine, kind().as_str(), true);
    assert!(!model.reason.is_empty() && made.selection_reason.is_some());
    // Rewards at the end of what a number can be are credited by the prior, and can be read.
    for reward in [f64::MAX, -f64::MAX, f64::MAX] {
        let id = rig.begin();
        rig.steps(id, 2);
        let made = rig.engine.complete(id, Completion { reward: Some(reward), ..outcome_of(&json!({})) }).unwrap();
        rig.engine.refit(&kind()).unwrap();
        assert_eq!(rig.engine.attribution(id, None).unwrap(), made);
    }
    rig.engine.reattribute(None).unwrap();
    let made = decide(&rig.engine, kind().as_str(), true);
    assert_eq!(rig.engine.attribution(made.action_id, None).unwrap(), made);
}
