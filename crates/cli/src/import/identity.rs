//! Ids and keys that follow from the content, so that the same thing imported again is the same thing.

use accredit_model::{ActionId, Command};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// The id of an imported action: the xxh3-128 hash of its parts in the form of a version 8 UUID.
///
/// Each part is preceded by its length, so that no two lists of parts run together into the same bytes.
pub(super) fn action_id(parts: &[&str]) -> ActionId {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    ActionId::new(uuid::Uuid::new_v8(hasher.digest128().to_be_bytes()))
}

/// The command with an idempotency key where it can have one and has none: made from the line and its number, so the
/// same file imported again, or with more lines at its end, stores each line once.
pub(super) fn keyed(mut command: Command, number: u64, line: &str) -> Command {
    let key = match &mut command {
        Command::Step { step, .. } => &mut step.idempotency_key,
        Command::Observe { observation, .. } => &mut observation.idempotency_key,
        _ => return command,
    };
    if key.is_none() {
        *key = Some(format!("import:{number}:{:032x}", xxh3_128(line.as_bytes())));
    }
    command
}
