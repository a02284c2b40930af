//! What is learned, and what becomes of closed actions then.

use serde::{Deserialize, Serialize};

/// What is learned from closed actions, and what becomes of those that are closed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Whether to learn, and to use what was learned. Off, every action is credited by the prior.
    pub enabled: bool,
    /// Which closed actions are credited anew when a model replaces another. For learners that are to hear what is now
    /// known of old actions; each costs a version and a delivery.
    pub on_refit: OnRefit,
    /// For `open_window`: how long after its closing an action is credited anew, in seconds.
    pub open_window_secs: u64,
}

impl Default for Learning {
    fn default() -> Self {
        Self { enabled: true, on_refit: OnRefit::None, open_window_secs: 24 * 60 * 60 }
    }
}

/// Which closed actions are credited anew when a model replaces another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefit {
    /// None: an attribution stays as it was made until somebody asks.
    #[default]
    None,
    /// Those that were closed not long ago.
    OpenWindow,
    /// All of the type.
    All,
}
