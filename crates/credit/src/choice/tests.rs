//! Unit tests.

use super::*;
use crate::{FitOptions, Learner, StepFeatures, Trajectory};

#[test]
fn every_name_is_a_method_of_that_name() {
    for info in METHODS {
        let method = Method::new(info.name, []).unwrap();
        assert_eq!(method.name(), info.name);
        assert_eq!(method.options(), info.options.iter().map(|it| (it.name, it.default)).collect::<Vec<_>>());
        assert!(method.validate().is_ok() && !info.what.is_empty());
        // What never learns is its own prior; what learns is the prior until it has.
        let expected = if method.learned().is_some() { "decay" } else { info.name };
        assert_eq!(method.prior().name(), expected);
        for option in info.options {
            assert!(option.min <= option.default && option.default <= option.max && !option.what.is_empty());
        }
        let text = serde_json::to_string(&method).unwrap();
        assert_eq!(text, format!("\"{}\"", info.name));
        assert_eq!(serde_json::from_str::<Method>(&text).unwrap(), method);
    }
    assert_eq!(METHODS.map(|info| info.name), METHOD_NAMES);
    let mut names = METHOD_NAMES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), METHOD_NAMES[0]), (METHODS.len(), Method::default().name()));
}

/// Actions of which the second step decides.
fn learner() -> Learner {
    let mut learner = Learner::default();
    for at in 0..40_u8 {
        let good = at % 2 == 0;
        let steps = ["look", if good { "good" } else { "bad" }].map(|key| StepFeatures {
            key: Some(key),
            state_key: Some("here"),
            ..StepFeatures::default()
        });
        let reward = if good { 1.0 } else { 0.0 };
        let trajectory = Trajectory { steps: &steps, reward, ..Trajectory::default() };
        learner.learn(1, accredit_model::ActionId::from_bytes([at; 16]), 1, &trajectory);
    }
    learner
}

#[test]
fn what_learns_is_fitted_under_its_name() {
    let learner = learner();
    for method in METHOD_NAMES.into_iter().filter_map(|name| Method::new(name, []).unwrap().learned()) {
        let model = learner.fit(&FitOptions { method, version: 1 });
        if method != LearnedMethod::Auto {
            assert_eq!(model.name(), method.name());
            assert!(model.selection.reason.starts_with("it was asked for"), "{}", model.selection.reason);
        }
    }
}

#[test]
fn options_are_given_and_checked() {
    let gae = Method::new("gae", [("lambda", 0.5)]).unwrap();
    assert_eq!(gae, Method::Learned(LearnedMethod::Gae { lambda: 0.5 }));
    assert_eq!(gae.to_string(), "gae(lambda=0.5)");
    assert_eq!(Method::new("td_ce", []).unwrap().to_string(), "td_ce");
    let text = serde_json::to_string(&gae).unwrap();
    assert_eq!(text, r#"{"name":"gae","lambda":0.5}"#);
    for text in [text.as_str(), r#"{"lambda":0.5,"name":"gae"}"#] {
        assert_eq!(serde_json::from_str::<Method>(text).unwrap(), gae);
    }
    let check = |name: &str, options: &[(&str, f64)], said: &str| {
        let error = Method::new(name, options.iter().copied()).unwrap_err();
        assert_eq!(error.to_string(), said);
        let names = options.iter().map(|(name, _)| *name).collect::<std::collections::BTreeSet<_>>();
        let object: serde_json::Map<String, serde_json::Value> = std::iter::once(("name".to_owned(), name.into()))
            .chain(options.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())))
            .collect();
        // JSON has no NaN, and a map no name twice.
        if options.iter().all(|(_, value)| value.is_finite()) && names.len() == options.len() {
            let error = serde_json::from_value::<Method>(object.into()).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    };
    check("gae", &[("lambda", 1.5)], "`lambda` of `gae` must be a number from 0 to 1");
    check("td_lambda", &[("lambda", -0.1)], "`lambda` of `td_lambda` must be a number from 0 to 1");
    check("td_lambda", &[("lambda", f64::NAN)], "`lambda` of `td_lambda` must be a number from 0 to 1");
    check("gigpo", &[("weight", f64::INFINITY)], "`weight` of `gigpo` must be a number from 0 to 100");
    check("gigpo", &[("lambda", 0.5)], "`gigpo` has no option `lambda`; it takes `weight`");
    check("mc", &[("lambda", 0.5)], "`mc` has no option `lambda`; it takes none");
    check("gae", &[("lambda", 0.5), ("lambda", 0.5)], "`lambda` is given more than once");
    let unknown = Method::new("guess", []).unwrap_err().to_string();
    assert!(unknown.starts_with("`guess` is no credit method; there are `auto`, `decay`"), "{unknown}");
    assert!(METHOD_NAMES.iter().all(|name| unknown.contains(&format!("`{name}`"))), "{unknown}");
    assert!(Method::new(&"x".repeat(1_000), []).unwrap_err().to_string().len() < 400);
    let wrong = Method::Learned(LearnedMethod::Gae { lambda: 2.0 });
    assert_eq!(wrong.validate(), Err(MethodError::OutOfRange { method: "gae", option: "lambda" }));
    let rows = [("{}", "name"), ("7", "table"), (r#"{"name":"gae","lambda":"high"}"#, "f64")];
    for (text, said) in rows {
        let error = serde_json::from_str::<Method>(text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
