//! Models that were fitted for single answers.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use accredit_credit::{FitOptions, LearnedMethod, Learner, Model};

/// Models that are kept: those used last.
const KEPT_MAX: usize = 4;

/// The last few models that were fitted for one answer each. A fit may take a second, so there is one at a time: whoever
/// asks for many waits, and recording does not.
#[derive(Default)]
pub(crate) struct Fits(Mutex<Vec<Fit>>);

struct Fit {
    method: LearnedMethod,
    /// What it was fitted on. A learner that has learned more since is another one.
    learner: Weak<Learner>,
    model: Arc<Model>,
}

impl Fits {
    /// The model of this method on what this learner knows.
    pub(crate) fn model(&self, method: LearnedMethod, learner: &Arc<Learner>) -> Arc<Model> {
        let mut fits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fits.retain(|fit| fit.learner.strong_count() > 0);
        let is_same = |fit: &Fit| fit.method == method && std::ptr::eq(fit.learner.as_ptr(), Arc::as_ptr(learner));
        let fit = match fits.iter().position(is_same) {
            Some(at) => fits.remove(at),
            None => {
                let model = Arc::new(learner.fit(&FitOptions { method, version: 0 }));
                Fit { method, learner: Arc::downgrade(learner), model }
            }
        };
        let model = Arc::clone(&fit.model);
        if fits.len() >= KEPT_MAX {
            fits.remove(0);
        }
        fits.push(fit);
        model
    }
}

#[cfg(test)]
mod tests;
