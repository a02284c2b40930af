//! Unit tests.

use super::*;

#[test]
fn a_step_lends_its_fields() {
    let step = Step {
        description: "search".into(),
        state: Some(Payload::from(serde_json::json!({"q": 1}))),
        decision: Some("web".into()),
        confidence: Some(0.7),
        key: Some("k".into()),
        state_key: Some("s".into()),
        effect: Some(true),
        propensity: Some(0.25),
        ..Step::default()
    };
    let features = StepFeatures::from(&step);
    assert_eq!((features.description, features.decision), ("search", Some("web")));
    assert_eq!((features.key, features.state_key), (Some("k"), Some("s")));
    assert_eq!((features.confidence, features.effect, features.propensity), (Some(0.7), Some(true), Some(0.25)));
    assert_eq!(features.state, Some("{\"q\":1}"));
}
