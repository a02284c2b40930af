//! Counters that balance.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counters of a store, taken at one instant. Three identities hold at any instant:
/// `begun = open + completed + timed_out + evicted + cancelled`, `received = recorded + refused_total`,
/// `experiences = delivered + pending + dead`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Actions ever begun.
    pub begun: u64,
    /// Actions open now.
    pub open: u64,
    /// Actions that stand as completed.
    pub completed: u64,
    /// Actions that stand as timed out.
    pub timed_out: u64,
    /// Actions that stand as evicted.
    pub evicted: u64,
    /// Actions that stand as cancelled.
    pub cancelled: u64,
    /// Entries that arrived, those aside that had been stored before.
    pub received: u64,
    /// Entries stored.
    pub recorded: u64,
    /// Steps among those stored.
    pub steps: u64,
    /// Observations among those stored.
    pub observations: u64,
    /// Entries that had been stored before under the same client key and were answered again; counted apart.
    pub repeated: u64,
    /// Entries refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Entries refused, in all.
    pub refused_total: u64,
    /// Attribution versions beyond the first.
    pub revisions: u64,
    /// Deliveries owed: one for each attribution version and sink (where no sink is configured, as for one sink).
    pub experiences: u64,
    /// Deliveries that a sink acknowledged.
    pub delivered: u64,
    /// Deliveries still to be made, first attempts and retries.
    pub pending: u64,
    /// Deliveries given up after the last retry; they can be listed and replayed.
    pub dead: u64,
    /// The same by sink.
    pub sinks: Vec<SinkStats>,
}

/// Deliveries of one sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SinkStats {
    /// The sink's name in the configuration.
    pub name: String,
    /// Acknowledged.
    pub delivered: u64,
    /// Still to be made.
    pub pending: u64,
    /// Given up.
    pub dead: u64,
}
