//! Learners and models as bytes.

use std::sync::Arc;

use accredit_credit::{Learner, Model};
use accredit_model::ActionType;
use accredit_store::{Packed, Store, StoreError, StoredModel};
use serde::{Deserialize, Serialize};

use crate::{Error, Method};

/// The version of the bytes. Another one on disk is not read: what it says is learned anew from the chains. Any change of
/// what [`Learner`] or [`Model`] hold, or of the order of an enum in them, makes a new version.
pub(super) const FORMAT: u32 = 3;

/// A model with the method that was asked for when it was fitted, which may be the rule that chose among several.
#[derive(Deserialize)]
pub(super) struct Kept {
    pub(super) asked: String,
    pub(super) model: Model,
}

#[derive(Serialize)]
struct KeptRef<'a> {
    asked: &'a str,
    model: &'a Model,
}

pub(super) fn learner_bytes(learner: &Learner) -> Result<Vec<u8>, Error> {
    postcard::to_allocvec(learner).map_err(|_| Error::Bug("EN-10: a learner can be written"))
}

pub(super) fn learner_from(action_type: &ActionType, bytes: &[u8]) -> Result<Learner, Error> {
    let damaged = |error| StoreError::Corrupt { what: format!("what was learned of `{action_type}` ({error})") };
    Ok(postcard::from_bytes(bytes).map_err(damaged)?)
}

/// Whether what is stored is of this version.
pub(super) fn is_current(store: &dyn Store) -> Result<bool, Error> {
    Ok(store.learning_state()?.format == FORMAT)
}

/// What is stored of a type, where it is of this version.
pub(super) fn stored_learner(store: &dyn Store, action_type: &ActionType) -> Result<Option<Arc<Learner>>, Error> {
    if !is_current(store)? {
        return Ok(None);
    }
    let bytes = store.learner(action_type)?;
    bytes.map(|bytes| learner_from(action_type, &bytes).map(Arc::new)).transpose()
}

pub(super) fn model_packed(method: Method, model: &Model) -> Result<Packed, Error> {
    let bytes = postcard::to_allocvec(&KeptRef { asked: &method.to_string(), model })
        .map_err(|_| Error::Bug("EN-11: a model can be written"))?;
    Ok(Packed::pack(bytes)?)
}

pub(super) fn model_from(action_type: &ActionType, stored: &StoredModel) -> Result<Kept, Error> {
    let damaged =
        |error| StoreError::Corrupt { what: format!("model {} of `{action_type}` ({error})", stored.version) };
    Ok(postcard::from_bytes(&stored.bytes).map_err(damaged)?)
}
