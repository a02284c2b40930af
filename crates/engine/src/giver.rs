//! What shares out the credit of an action: the model that stands for its type, the prior where there is none, or another
//! method for one answer alone.

use std::sync::Arc;

use accredit_credit::{Credit, CreditMethod, JUDGEMENT_UNIT, Method, Model, Trajectory, overlay_judgements};
use accredit_model::{ActionId, ActionType, Attribution, Evidence, Refusal, RefusalReason};

use crate::attribute::Judged;
use crate::engine::Inner;
use crate::{Engine, Error};

/// A method with what it has learned.
pub(crate) struct Giver {
    method: Method,
    /// `None` where the method never learns, or nothing was learned of the type.
    model: Option<Arc<Model>>,
    /// Whether attributions name the model's version: one that was fitted for one answer has none.
    is_kept: bool,
}

/// Credit, and how it came to be.
pub(crate) struct Given {
    pub(crate) method: &'static str,
    pub(crate) selection_reason: Option<String>,
    pub(crate) credit: Credit,
    /// The steps that were judged, in order.
    pub(crate) judged: Vec<u64>,
}

impl Giver {
    /// Shares out by the model, where there is one, else by the prior; what was said of single steps outranks both.
    pub(crate) fn give(&self, trajectory: &Trajectory<'_>) -> Given {
        if let Some(model) = &self.model {
            let mut credit = model.assign(trajectory);
            let unit = if credit.evidence == Evidence::None { JUDGEMENT_UNIT } else { model.half_range };
            let judged = overlay(&mut credit, trajectory, unit);
            if is_sound(&credit, trajectory.steps.len()) {
                credit.model_version = credit.model_version.filter(|_| self.is_kept);
                let selection_reason = Some(model.selection.reason.clone()).filter(|reason| !reason.is_empty());
                return Given { method: model.name(), selection_reason, credit, judged };
            }
        }
        let has_nothing = !self.is_kept && self.model.is_none() && self.method.learned().is_some();
        let selection_reason = has_nothing.then(|| "nothing was learned of actions of this type yet".to_owned());
        let prior = self.method.prior();
        let mut credit = prior.assign(trajectory);
        let judged = overlay(&mut credit, trajectory, JUDGEMENT_UNIT);
        Given { method: prior.name(), selection_reason, credit, judged }
    }
}

fn overlay(credit: &mut Credit, trajectory: &Trajectory<'_>, unit: f64) -> Vec<u64> {
    overlay_judgements(credit, trajectory, unit).into_iter().map(|step| step as u64).collect()
}

impl Inner {
    /// What shares out actions of this type.
    pub(crate) fn giver(&self, action_type: &ActionType) -> Giver {
        let method = self.config.method_of(action_type);
        Giver { method, model: self.models.get(action_type), is_kept: true }
    }
}

impl Engine {
    /// The attribution of a closed action as another method would give it now, fitted on what has been learned of its type
    /// so far. It is stored nowhere and makes no version: `what_if` is set, `version` is the one that stands, and
    /// `model_version` is `None` even where something was learned.
    ///
    /// Fits for such answers are made one after another, and the last four are kept while nothing more is learned.
    ///
    /// # Errors
    /// When an option of the method is out of its range, the action is unknown or open, or what was learned cannot be
    /// read.
    pub fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        method.validate().map_err(|error| Refusal::new(RefusalReason::InvalidField, error.to_string()))?;
        let standing = self.attribution(id, None)?;
        let action = self.action(id)?;
        let chain = self.inner.stored_chain(id)?;
        let model = match method.learned() {
            Some(learned) => {
                let learner = self.learner(&action.action_type)?.filter(|learner| learner.n_actions() > 0);
                learner.map(|learner| self.inner.fits.model(learned, &learner))
            }
            None => None,
        };
        self.inner.attribute(Judged {
            version: standing.version,
            what_if: Some(Giver { method, model, is_kept: false }),
            ..Judged::again(&action, &chain, &standing, self.inner.wall())
        })
    }
}

/// Whether every number can be written. Rewards near the largest number there is make sums that are none.
fn is_sound(credit: &Credit, n_steps: usize) -> bool {
    let lists = [&credit.credits, &credit.advantages, &credit.forecast];
    let is_number = |numbers: &Vec<f64>| numbers.iter().all(|number| number.is_finite());
    let has_room = |n: usize| n == n_steps || n == 0;
    credit.baseline.is_finite()
        && credit.residual.is_finite()
        && lists.into_iter().all(is_number)
        && (credit.credits.len(), credit.advantages.len()) == (n_steps, n_steps)
        && [credit.std_errors.len(), credit.n.len(), credit.forecast.len()].into_iter().all(has_room)
}
