//! The models that attribution uses.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use accredit_credit::{Candidate, Model};
use accredit_model::{ActionType, Timestamp};
use accredit_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codec::{self, Kept};
use crate::{Config, Error};

/// Models that are kept of each type.
pub(super) const MODELS_MAX: u32 = 10;

/// A fitted model, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSummary {
    /// The type of the actions that it was fitted on.
    pub action_type: ActionType,
    /// Its version, from 1; attributions name it as `model_version`.
    pub version: u64,
    /// When it was fitted.
    pub created_at: Timestamp,
    /// On how many actions.
    pub n_actions: u64,
    /// The method that it uses; `decay` where nothing could be learned.
    pub method: String,
    /// Why this method.
    pub reason: String,
    /// Share of held-out steps whose situation had been seen at least twice.
    pub coverage: f64,
    /// Actions that the choice rests on.
    pub n: u64,
    /// What each method showed.
    pub candidates: Vec<ModelCandidate>,
}

/// What held-out actions said of one method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCandidate {
    /// The method.
    pub method: String,
    /// Paired z statistic of the gain of its forecasts over the base rate; `null` where there is none.
    pub z: Option<f64>,
    /// The same of the last forecast alone.
    pub z_final: Option<f64>,
    /// Share of the squared error of the base rate that its forecasts take away, on the mean over the steps; `null` where
    /// there is none.
    pub gain: Option<f64>,
    /// The same of the last forecast alone.
    pub gain_final: Option<f64>,
    /// The same of baseline and advantages: what the decisions explain, without the luck that the situations show.
    pub gain_explained: Option<f64>,
}

impl From<&Candidate> for ModelCandidate {
    fn from(candidate: &Candidate) -> Self {
        let number = |number: f64| Some(number).filter(|number| number.is_finite());
        Self {
            method: candidate.method.clone(),
            z: number(candidate.z),
            z_final: number(candidate.z_final),
            gain: number(candidate.gain),
            gain_final: number(candidate.gain_final),
            gain_explained: number(candidate.gain_explained),
        }
    }
}

impl ModelSummary {
    pub(super) fn of(action_type: &ActionType, created_at: Timestamp, method: &str, model: &Model) -> Self {
        let selection = &model.selection;
        Self {
            action_type: action_type.clone(),
            version: model.version,
            created_at,
            n_actions: model.n_actions,
            method: method.to_owned(),
            reason: selection.reason.clone(),
            coverage: if selection.coverage.is_finite() { selection.coverage } else { 0.0 },
            n: selection.n,
            candidates: selection.candidates.iter().map(ModelCandidate::from).collect(),
        }
    }
}

/// The summaries of the models that are stored, the newest first, so many at most.
pub(super) fn summaries(store: &dyn Store, action_type: &ActionType, limit: usize) -> Result<Vec<ModelSummary>, Error> {
    if !codec::is_current(store)? {
        return Ok(Vec::new());
    }
    let stored = store.models(action_type, limit)?;
    let summary = |stored: &accredit_store::StoredModel| {
        let kept = codec::model_from(action_type, stored)?;
        Ok(ModelSummary::of(action_type, stored.created_at, &stored.method, &kept.model))
    };
    stored.iter().map(summary).collect()
}

/// The newest model of a type that is stored.
pub(super) fn newest(store: &dyn Store, action_type: &ActionType) -> Result<Option<Kept>, Error> {
    let stored = if codec::is_current(store)? { store.models(action_type, 1)? } else { Vec::new() };
    stored.first().map(|stored| codec::model_from(action_type, stored)).transpose()
}

/// The newest model of each type. The lock is held to take or to replace a pointer.
#[derive(Debug, Default)]
pub(crate) struct Models(RwLock<HashMap<ActionType, Arc<Model>>>);

impl Models {
    pub(crate) fn get(&self, action_type: &ActionType) -> Option<Arc<Model>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(action_type).cloned()
    }

    pub(super) fn put(&self, action_type: &ActionType, model: Arc<Model>) {
        // The model before may be large: it is freed when the lock is given up.
        let before = self.0.write().unwrap_or_else(PoisonError::into_inner).insert(action_type.clone(), model);
        drop(before);
    }

    pub(super) fn clear(&self) {
        let before = std::mem::take(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner));
        drop(before);
    }

    /// Reads the newest models, those that are of the methods which the configuration now asks for. One that cannot be
    /// read is left out: the next one takes its place.
    pub(crate) fn load(&self, store: &dyn Store, config: &Config) -> Result<(), Error> {
        let read = || -> Result<(), Error> {
            for action_type in store.learned_types()? {
                let Some(kept) = newest(store, &action_type)? else { continue };
                if kept.asked == config.method_of(&action_type).to_string() {
                    self.put(&action_type, Arc::new(kept.model));
                }
            }
            Ok(())
        };
        match read() {
            Err(error) if error.kind() == crate::ErrorKind::Corrupt => {
                tracing::error!(%error, "models cannot be read; the prior stands until others are fitted");
                Ok(())
            }
            other => other,
        }
    }
}
