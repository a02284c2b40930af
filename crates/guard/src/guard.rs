//! One method for each command.

use accredit_model::{
    Begin, Cancel, Completion, EntryBody, Field, Observation, Refusal, RefusalReason, Revision, Step, Usage,
};

use crate::fields::{self, Cut};
use crate::rewrite;
use crate::{Clean, Limits};

/// Lets commands through that are within its limits, repairs those that can be repaired and refuses the others.
///
/// It never recurses over what it is given and never panics, whatever that is.
#[derive(Clone, Debug)]
pub struct Guard {
    limits: Limits,
}

impl Guard {
    /// A guard with these limits. They should have passed [`Limits::validate`]; with others it still works, but what
    /// it cuts may not be within the limits afterwards.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The limits it goes by.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Guards the beginning of an action.
    ///
    /// # Errors
    /// When an id is empty or too long, the action is its own parent, or JSON is too deep.
    pub fn begin(&self, mut begin: Begin) -> Result<Clean<Begin>, Refusal> {
        let mut truncated = Vec::new();
        let text_max = self.limits.text_chars_max;
        fields::id("agent_id", begin.agent_id.as_str(), text_max)?;
        fields::id("action_type", begin.action_type.as_str(), usize::MAX)?;
        if let Some(goal_id) = &begin.goal_id {
            fields::id_length("goal_id", goal_id.as_str(), text_max)?;
        }
        if begin.action_id.is_some() && begin.action_id == begin.parent_action_id {
            return Err(Refusal::new(
                RefusalReason::ParentCycle,
                "field `parent_action_id`: an action cannot be its own parent",
            ));
        }
        if let Some(kept) = fields::prefix(begin.action_type.as_str(), text_max) {
            begin.action_type = kept.into();
            truncated.push(Field::ActionType);
        }
        self.object("expected_outcome", Field::ExpectedOutcome, &mut begin.expected_outcome, &mut truncated)?;
        if let Some(criteria) = &mut begin.acceptance_criteria {
            let many = criteria.len() > self.limits.criteria_max;
            criteria.truncate(self.limits.criteria_max);
            let cut = criteria.iter_mut().fold(many, |cut, criterion| self.cut_criterion(criterion) || cut);
            mark(cut, Field::AcceptanceCriteria, &mut truncated);
        }
        self.object("attributes", Field::Attributes, &mut begin.attributes, &mut truncated)?;
        Ok(Clean::new(begin, truncated))
    }

    /// Guards a step.
    ///
    /// # Errors
    /// When a number is not finite or out of its range, a key is too long, or the state is too deep.
    pub fn step(&self, mut step: Step) -> Result<Clean<Step>, Refusal> {
        let mut truncated = Vec::new();
        let limits = &self.limits;
        step.confidence = fields::unit("confidence", step.confidence)?;
        fields::propensity(step.propensity)?;
        fields::finite("reward", step.reward)?;
        if let Some(usage) = &step.usage {
            check_usage(usage)?;
        }
        fields::name("key", &mut step.key, limits.text_chars_max)?;
        fields::name("state_key", &mut step.state_key, limits.text_chars_max)?;
        fields::idempotency_key(step.idempotency_key.as_deref(), limits.text_chars_max)?;
        mark(Self::text(&mut step.description, limits.description_chars_max), Field::Description, &mut truncated);
        if let Some(decision) = &mut step.decision {
            mark(Self::text(decision, limits.decision_chars_max), Field::Decision, &mut truncated);
        }
        if let Some(state) = &mut step.state {
            mark(rewrite::payload("state", state, limits)?, Field::State, &mut truncated);
        }
        Ok(Clean::new(step, truncated))
    }

    /// Guards an observation.
    ///
    /// # Errors
    /// When a number is not finite, the client's key is unusable, or the data is too deep.
    pub fn observation(&self, mut observation: Observation) -> Result<Clean<Observation>, Refusal> {
        let mut truncated = Vec::new();
        let limits = &self.limits;
        observation.confidence = fields::unit("confidence", observation.confidence)?;
        observation.score = fields::unit("score", observation.score)?;
        fields::idempotency_key(observation.idempotency_key.as_deref(), limits.text_chars_max)?;
        let cut = Self::text(&mut observation.observation_type, limits.text_chars_max);
        mark(cut, Field::ObservationType, &mut truncated);
        if let Some(data) = &mut observation.data {
            mark(rewrite::payload("data", data, limits)?, Field::Data, &mut truncated);
        }
        if let Some(source) = &mut observation.source {
            mark(Self::text(source, limits.text_chars_max), Field::Source, &mut truncated);
        }
        if let Some(criterion) = &mut observation.criterion {
            mark(self.cut_criterion(criterion), Field::Criterion, &mut truncated);
        }
        Ok(Clean::new(observation, truncated))
    }

    /// Guards a step or an observation.
    ///
    /// # Errors
    /// Those of [`Guard::step`] and [`Guard::observation`].
    pub fn entry(&self, entry: EntryBody) -> Result<Clean<EntryBody>, Refusal> {
        match entry {
            EntryBody::Step(step) => self.step(step).map(Into::into),
            EntryBody::Observation(observation) => self.observation(observation).map(Into::into),
        }
    }

    /// Guards a completion.
    ///
    /// # Errors
    /// When the reward is not finite or the outcome too deep.
    pub fn completion(&self, mut completion: Completion) -> Result<Clean<Completion>, Refusal> {
        let mut truncated = Vec::new();
        fields::finite("reward", completion.reward)?;
        self.object("outcome", Field::Outcome, &mut completion.outcome, &mut truncated)?;
        Ok(Clean::new(completion, truncated))
    }

    /// Guards a revision.
    ///
    /// # Errors
    /// When the reward is not finite or the outcome too deep.
    pub fn revision(&self, mut revision: Revision) -> Result<Clean<Revision>, Refusal> {
        let mut truncated = Vec::new();
        fields::finite("reward", revision.reward)?;
        self.object("outcome", Field::Outcome, &mut revision.outcome, &mut truncated)?;
        self.reason(&mut revision.reason, &mut truncated);
        Ok(Clean::new(revision, truncated))
    }

    /// Guards a cancellation.
    ///
    /// # Errors
    /// None today; the reason is cut where it is too long.
    pub fn cancel(&self, mut cancel: Cancel) -> Result<Clean<Cancel>, Refusal> {
        let mut truncated = Vec::new();
        self.reason(&mut cancel.reason, &mut truncated);
        Ok(Clean::new(cancel, truncated))
    }

    /// The way of every plain text. Answers whether it was cut.
    fn text(text: &mut String, chars_max: usize) -> bool {
        fields::cut(text, chars_max, Cut::Plain)
    }

    /// A criterion that was cut could be another expression that still parses (`a > 10` and `a > 1`); the mark at its
    /// end keeps it from ever being evaluated, and a judge can still name it.
    fn cut_criterion(&self, criterion: &mut String) -> bool {
        fields::cut(criterion, self.limits.criterion_chars_max, Cut::Marked)
    }

    fn reason(&self, reason: &mut Option<String>, truncated: &mut Vec<Field>) {
        if let Some(reason) = reason {
            mark(Self::text(reason, self.limits.description_chars_max), Field::Reason, truncated);
        }
    }

    fn object(
        &self,
        name: &str,
        field: Field,
        object: &mut Option<accredit_model::JsonObject>,
        truncated: &mut Vec<Field>,
    ) -> Result<(), Refusal> {
        if let Some(object) = object {
            mark(rewrite::object(name, object, &self.limits)?, field, truncated);
        }
        Ok(())
    }
}

fn check_usage(usage: &Usage) -> Result<(), Refusal> {
    fields::not_negative("usage.cost_usd", usage.cost_usd)?;
    fields::not_negative("usage.latency_ms", usage.latency_ms)
}

fn mark(cut: bool, field: Field, truncated: &mut Vec<Field>) {
    if cut {
        truncated.push(field);
    }
}

#[cfg(test)]
mod tests;
