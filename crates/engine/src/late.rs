//! Observations that come after the closing.

use std::time::Instant;

use accredit_model::{
    Action, ActionId, Attribution, Entry, EntryBody, EventBody, Field, LineWriter, Observation, RefusalReason, Status,
};
use accredit_store::{Amend, Answer, Chain, EntryAnswer, StoreError, Write};

use crate::Error;
use crate::attribute::{Judged, duration_micros, stored};
use crate::closing::{CONTENTION_MAX, completed_event, pause};
use crate::engine::Inner;
use crate::judging::judgement;
use crate::record::{Recorded, push_line, refusal};

impl Inner {
    /// Stores an observation of a closed action, marked late, with a new version of the attribution where it changes
    /// the score. `line` is its stored form, guarded already.
    pub(crate) fn record_late(&self, id: ActionId, line: &str) -> Result<Recorded, Error> {
        let entry = Entry::from_line(line.trim_end(), 0)
            .map_err(|error| Error::from(StoreError::Corrupt { what: format!("a late observation ({error})") }))?;
        let EntryBody::Observation(observation) = &entry.body else {
            return Err(Error::Bug("EN-7: only observations come late"));
        };
        let deadline = Instant::now() + CONTENTION_MAX;
        loop {
            let action = self.action(id)?;
            if action.status != Status::Open
                && let Some(recorded) = self.try_late(&action, observation, &entry.truncated)?
            {
                return Ok(recorded);
            }
            pause(id, deadline)?;
        }
    }

    /// One attempt; `None` when somebody else changed the action meanwhile.
    fn try_late(
        &self,
        action: &Action,
        observation: &Observation,
        truncated: &[Field],
    ) -> Result<Option<Recorded>, Error> {
        let chain = self.stored_chain(action.action_id)?;
        let standing = self.attribution(action.action_id, None)?;
        let mut late = self.empty_append(action.action_id);
        let writer = LineWriter::new(late.received_at, true);
        push_line(&mut late, &writer, truncated, &EntryBody::Observation(observation.clone()))?;
        let revised = self.judge_with(action, &chain, &standing, observation)?;
        let attribution = revised.as_ref().map(stored).transpose()?;
        let amend = Amend {
            action: action.action_id,
            expect_version: standing.version,
            expect_entries: chain.n_entries(),
            late: Some(late),
            attribution,
            completed: None,
        };
        let mut events = vec![EventBody::Recorded { action_id: action.action_id, first_seq: 0, entries: 0 }];
        events.extend(revised.as_ref().map(|made| completed_event(action, made, duration_micros(action))));
        match self.submit_told(Write::Amend(Box::new(amend)), events)? {
            Answer::Attributed { late: Some(answer), .. } => Ok(Some(match answer {
                EntryAnswer::Stored { seq, repeat } => Recorded::Stored { seq, repeat },
                EntryAnswer::Refused(reason) => Recorded::Refused(refusal(reason)),
                EntryAnswer::Late { .. } => Recorded::Refused(refusal(RefusalReason::ClosedAction)),
            })),
            Answer::Refused(reason) => Ok(Some(Recorded::Refused(refusal(reason)))),
            _ => Ok(None),
        }
    }

    /// The next version of the attribution, where the observation changes the score or, judging a step, the credit.
    fn judge_with(
        &self,
        action: &Action,
        chain: &Chain,
        standing: &Attribution,
        observation: &Observation,
    ) -> Result<Option<Attribution>, Error> {
        let made = self.attribute(Judged {
            late: Some(observation),
            reason: Some("late observation".to_owned()),
            ..Judged::again(action, chain, standing, self.wall())
        })?;
        let verdict = |of: &Attribution| (of.success_score.to_bits(), of.evaluated, of.verdict);
        let shares = |of: &Attribution| (of.credits.clone(), of.advantages.clone(), of.judged.clone());
        // What is said of one step may change its credit alone.
        let judges_step = judgement(observation, &action.agent_id).is_some();
        let is_other = verdict(&made) != verdict(standing) || (judges_step && shares(&made) != shares(standing));
        Ok(is_other.then_some(made))
    }
}
