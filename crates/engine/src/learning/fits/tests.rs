//! Unit tests.

use super::*;

#[test]
fn a_model_is_fitted_once_while_nothing_is_learned() {
    let fits = Fits::default();
    let mut learner = Arc::new(Learner::default());
    let gae = |lambda: f64| LearnedMethod::Gae { lambda };
    let first = fits.model(gae(0.5), &learner);
    assert!(Arc::ptr_eq(&first, &fits.model(gae(0.5), &learner)));
    assert!(!Arc::ptr_eq(&first, &fits.model(gae(0.6), &learner)));
    // Another learner, and the same one after it has changed in place.
    assert!(!Arc::ptr_eq(&first, &fits.model(gae(0.5), &Arc::new(Learner::default()))));
    let before = Arc::as_ptr(&learner);
    Arc::make_mut(&mut learner);
    assert!(!std::ptr::eq(before, Arc::as_ptr(&learner)));
    assert!(!Arc::ptr_eq(&first, &fits.model(gae(0.5), &learner)));
    for lambda in [0.0, 0.1, 0.2, 0.3, 0.4] {
        fits.model(gae(lambda), &learner);
    }
    assert_eq!(fits.0.lock().unwrap().len(), KEPT_MAX);
}
