//! Reading back.

use std::io::Write;
use std::sync::Arc;

use accredit_model::{
    Action, ActionId, Attribution, Entry, Experience, Refusal, RefusalReason, Stats, Status, Version,
};
use accredit_store::{Chain, DeadLetter, Filter, Sizes, StoredAttribution, VerifyReport, Write as StoreWrite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Inner;
use crate::{Engine, Error, attribute};

/// Actions that a list holds at most.
const PAGE_MAX: usize = 1_000;

/// A part of a list, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// The actions.
    pub actions: Vec<Action>,
    /// Give this as `cursor` for the next part; `null` at the end.
    pub next_cursor: Option<String>,
}

impl Engine {
    /// One action.
    ///
    /// # Errors
    /// When it is unknown or cannot be read.
    pub fn action(&self, id: ActionId) -> Result<Action, Error> {
        self.inner.action(id)
    }

    /// The entries of one action, in order.
    ///
    /// # Errors
    /// When it is unknown or cannot be read.
    pub fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        Ok(self.inner.stored_chain(id)?.entries()?)
    }

    /// The attribution that stands, or one of its versions.
    ///
    /// # Errors
    /// When the action is unknown, open, or never had this version.
    pub fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        self.inner.attribution(id, version)
    }

    /// All versions of the attribution, oldest first; none while the action is open.
    ///
    /// # Errors
    /// When the action is unknown or cannot be read.
    pub fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        let action = self.action(id)?;
        (1..=action.version).map(|version| self.attribution(id, Some(version))).collect()
    }

    /// The whole chain of a closed action with its attribution.
    ///
    /// # Errors
    /// As for [`Engine::attribution`].
    pub fn experience(&self, id: ActionId, version: Option<Version>) -> Result<Experience, Error> {
        self.inner.experience(&self.inner.stored_attribution(id, version)?)
    }

    /// Experiences after a cursor of the feed, at most `limit`, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn experiences(&self, after: u64, limit: usize) -> Result<Vec<Experience>, Error> {
        let stored = self.inner.store.attributions_after(after, limit)?;
        stored.iter().map(|stored| self.inner.experience(stored)).collect()
    }

    /// Actions that match, newest first: at most `limit` (1 to 1,000) from where `cursor` left off.
    ///
    /// # Errors
    /// When the cursor is none of ours, or the actions cannot be read.
    pub fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        let before = cursor.map(parse_cursor).transpose()?;
        let (actions, next) = self.inner.store.list(filter, limit.clamp(1, PAGE_MAX), before)?;
        Ok(Page { actions, next_cursor: next.map(|next| format!("{next:x}")) })
    }

    /// The actions that name this one as their parent, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn children(&self, id: ActionId) -> Result<Vec<Action>, Error> {
        Ok(self.inner.store.children(id)?)
    }

    /// The counters at this instant.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn stats(&self) -> Result<Stats, Error> {
        if !self.inner.tally.is_empty() && self.inner.config.access.writes() {
            // Counted with the commit that this makes; where nothing is committed any more, what stands is the answer.
            drop(self.inner.submit_one(StoreWrite::Flush));
        }
        Ok(self.inner.store.stats()?)
    }

    /// Where the store's bytes are.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sizes(&self) -> Result<Sizes, Error> {
        Ok(self.inner.store.sizes()?)
    }

    /// Deliveries that were given up.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        Ok(self.inner.store.dead_letters()?)
    }

    /// Writes the standing experience of every closed action that matches, one JSON line each, newest first; answers
    /// how many.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn export(&self, filter: &Filter, out: &mut dyn Write) -> Result<u64, Error> {
        let failed = |error: std::io::Error| Error::Export(Arc::new(error));
        let (mut n, mut cursor) = (0, None);
        loop {
            let (actions, next) = self.inner.store.list(filter, PAGE_MAX, cursor)?;
            for action in actions.iter().filter(|action| action.status != Status::Open) {
                let experience = self.experience(action.action_id, None)?;
                serde_json::to_writer(&mut *out, &experience).map_err(|error| failed(error.into()))?;
                out.write_all(b"\n").map_err(failed)?;
                n += 1;
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(n),
            }
        }
    }

    /// Reads the whole store and compares everything that can be: checksums, sequences, counters, sums of credit.
    /// `progress` hears actions done and in all.
    ///
    /// # Errors
    /// When the file cannot be read at all; what is merely wrong is in the report.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, Error> {
        Ok(self.inner.store.verify(&attribute::complaint, progress)?)
    }
}

impl Inner {
    pub(crate) fn action(&self, id: ActionId) -> Result<Action, Error> {
        self.store.action(id)?.ok_or_else(Error::unknown_action)
    }

    pub(crate) fn stored_chain(&self, id: ActionId) -> Result<Chain, Error> {
        self.store.chain(id)?.ok_or_else(Error::unknown_action)
    }

    fn stored_attribution(&self, id: ActionId, version: Option<Version>) -> Result<StoredAttribution, Error> {
        match self.store.attribution(id, version)? {
            Some(stored) => Ok(stored),
            None => {
                self.action(id)?;
                Err(Error::NoAttribution { action_id: id, version })
            }
        }
    }

    pub(crate) fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        attribute::read(&self.stored_attribution(id, version)?)
    }

    pub(crate) fn experience(&self, stored: &StoredAttribution) -> Result<Experience, Error> {
        Ok(Experience {
            cursor: stored.cursor,
            action: self.action(stored.action)?,
            attribution: attribute::read(stored)?,
            chain: self.stored_chain(stored.action)?.entries()?,
        })
    }
}

fn parse_cursor(cursor: &str) -> Result<u64, Refusal> {
    u64::from_str_radix(cursor, 16).map_err(|_| {
        Refusal::new(RefusalReason::InvalidField, "`cursor` is not one that a list answered as next_cursor")
    })
}
