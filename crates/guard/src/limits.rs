//! Every limit of recording, by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The least that each limit of JSON can be, so that what stands in for cut JSON is within the limits itself.
const JSON_BYTES_LEAST: usize = 1_024;
const NESTED_JSON_CHARS_LEAST: usize = 500;
const JSON_DEPTH_LEAST: usize = 4;

/// JSON that is read back is parsed, and the parser stops at 128 levels, some of which stand around a payload.
pub(crate) const JSON_DEPTH_MOST: usize = 120;

/// What gives way first when too many actions are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvictionOrder {
    /// The action that was idle for longest.
    #[default]
    OldestActivity,
    /// The action that began first, as in the reference.
    OldestStart,
}

/// Where the idle time of an action is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdleFrom {
    /// The last call for it that was received.
    #[default]
    LastActivity,
    /// Its beginning, as in the reference.
    Start,
}

/// The limits of recording: [`Limits::default`] for everyone, [`Limits::compat`] for those who replace the reference.
///
/// A character is a Unicode scalar value; those of a string inside JSON are counted after its escapes are resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Actions open at once; one more closes another as `evicted`.
    pub open_actions_max: u64,
    /// Which action is evicted.
    pub eviction_order: EvictionOrder,
    /// Entries of one action, steps and observations together; one more is refused.
    pub entries_max: u64,
    /// Share of `entries_max` that steps cannot use, so that an agent cannot blind its overseers.
    pub observation_reserve_percent: u8,
    /// Idle time after which an action is closed as `timed_out`.
    pub idle_secs_max: u64,
    /// Where idle time is counted from.
    pub idle_from: IdleFrom,
    /// Description of a step, reason of a revision or cancellation; cut.
    pub description_chars_max: usize,
    /// Decision of a step; cut.
    pub decision_chars_max: usize,
    /// Observation type, source and action type are cut to it; ids and keys beyond it are refused.
    pub text_chars_max: usize,
    /// JSON text of a state, of data, of an outcome, an expectation or the attributes; cut.
    pub json_bytes_max: usize,
    /// A string inside JSON; cut, with `...` behind the characters that are kept.
    pub string_chars_max: usize,
    /// JSON text of an object or array that stands directly in the outermost object or array; cut.
    pub nested_json_chars_max: usize,
    /// Objects and arrays inside one another; deeper JSON is refused.
    pub json_depth_max: usize,
    /// Acceptance criteria of an action; the first of them are kept.
    pub criteria_max: usize,
    /// One acceptance criterion; cut, with `…` as its last character, which is no expression any more.
    pub criterion_chars_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_actions_max: 100_000,
            eviction_order: EvictionOrder::OldestActivity,
            entries_max: 100_000,
            observation_reserve_percent: 10,
            idle_secs_max: 6 * 60 * 60,
            idle_from: IdleFrom::LastActivity,
            description_chars_max: 4_000,
            decision_chars_max: 1_000,
            text_chars_max: 256,
            json_bytes_max: 64 * 1024,
            string_chars_max: 8_000,
            nested_json_chars_max: 64 * 1024,
            json_depth_max: 64,
            criteria_max: 100,
            criterion_chars_max: 1_000,
        }
    }
}

impl Limits {
    /// The limits of the reference. Its "strings 500, nested 1,000" is read as: a string of a state is cut to 500
    /// characters, and an object or array inside it is kept while its text has no more than 1,000.
    #[must_use]
    pub fn compat() -> Self {
        Self {
            open_actions_max: 500,
            eviction_order: EvictionOrder::OldestStart,
            entries_max: 1_000,
            observation_reserve_percent: 0,
            idle_from: IdleFrom::Start,
            description_chars_max: 500,
            decision_chars_max: 200,
            text_chars_max: 100,
            string_chars_max: 500,
            nested_json_chars_max: 1_000,
            ..Self::default()
        }
    }

    /// Entries that only observations may use.
    #[must_use]
    pub const fn observation_reserve(&self) -> u64 {
        // Divided first where the product would not fit; a reserve of so many entries need not be exact.
        match self.entries_max.checked_mul(self.observation_reserve_percent as u64) {
            Some(product) => product / 100,
            None => self.entries_max / 100 * self.observation_reserve_percent as u64,
        }
    }

    /// How many steps an action can have: all entries but the reserve.
    #[must_use]
    pub const fn steps_max(&self) -> u64 {
        self.entries_max.saturating_sub(self.observation_reserve())
    }

    /// Checks that the limits leave something to record.
    ///
    /// # Errors
    /// Names the first limit that does not, and what it must be.
    pub fn validate(&self) -> Result<(), LimitsError> {
        let at_least = [
            ("entries_max", self.entries_max, 1),
            ("open_actions_max", self.open_actions_max, 1),
            ("idle_secs_max", self.idle_secs_max, 1),
            ("description_chars_max", self.description_chars_max as u64, 1),
            ("decision_chars_max", self.decision_chars_max as u64, 1),
            ("text_chars_max", self.text_chars_max as u64, 1),
            ("json_bytes_max", self.json_bytes_max as u64, JSON_BYTES_LEAST as u64),
            ("string_chars_max", self.string_chars_max as u64, 1),
            ("nested_json_chars_max", self.nested_json_chars_max as u64, NESTED_JSON_CHARS_LEAST as u64),
            ("json_depth_max", self.json_depth_max as u64, JSON_DEPTH_LEAST as u64),
            ("criterion_chars_max", self.criterion_chars_max as u64, 1),
        ];
        for (limit, value, least) in at_least {
            if value < least {
                return Err(LimitsError::TooSmall { limit, value, least });
            }
        }
        let at_most = [
            ("observation_reserve_percent", u64::from(self.observation_reserve_percent), 100),
            ("json_depth_max", self.json_depth_max as u64, JSON_DEPTH_MOST as u64),
        ];
        for (limit, value, most) in at_most {
            if value > most {
                return Err(LimitsError::TooLarge { limit, value, most });
            }
        }
        Ok(())
    }
}

/// A limit that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// Nothing could be recorded under it.
    #[error("limit `{limit}` is {value}; it must be at least {least}")]
    TooSmall {
        /// The limit's name.
        limit: &'static str,
        /// What it was set to.
        value: u64,
        /// The least it can be.
        least: u64,
    },
    /// It is more than there can be.
    #[error("limit `{limit}` is {value}; it must be at most {most}")]
    TooLarge {
        /// The limit's name.
        limit: &'static str,
        /// What it was set to.
        value: u64,
        /// The most it can be.
        most: u64,
    },
}

#[cfg(test)]
mod tests;
