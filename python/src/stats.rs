//! What a recorder itself has counted.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use serde::Serialize;

use crate::core::Core;

/// Its counters, as JSON text.
pub(crate) fn own(py: Python<'_>, core: &Core) -> String {
    let is_live = core.is_live();
    // What is on disk is counted under a lock that writing holds. In a forked child, locks of the parent's may be held by
    // nobody for ever.
    let mut stats = py.detach(|| core.stats());
    let server = (is_live && core.backend().is_server()).then(|| stats.target.clone().into());
    stats.refused.extend(core.too_late_counted().map(|(why, n)| (why.to_owned(), n)));
    let own = OwnStats {
        pending: stats.pending,
        done: stats.done,
        refused: stats.refused,
        converted: core.counted(),
        last_error: stats.last_error,
        server,
    };
    serde_json::to_string(&own).unwrap_or_default()
}

#[derive(Serialize)]
struct OwnStats {
    pending: u64,
    done: u64,
    refused: BTreeMap<String, u64>,
    converted: BTreeMap<&'static str, u64>,
    last_error: Option<String>,
    /// Where it records to a server.
    #[serde(flatten)]
    server: Option<ServerStats>,
}

#[derive(Serialize)]
struct ServerStats {
    sent: u64,
    repeated: u64,
    spooled: u64,
    spool_bytes: u64,
    spool_damaged: u64,
    server_away: bool,
}

impl From<accredit::TargetStats> for ServerStats {
    fn from(stats: accredit::TargetStats) -> Self {
        Self {
            sent: stats.sent,
            repeated: stats.repeated,
            spooled: stats.spooled,
            spool_bytes: stats.spool_bytes,
            spool_damaged: stats.damaged,
            server_away: stats.is_away,
        }
    }
}
