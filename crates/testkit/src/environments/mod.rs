//! Environments whose credit is known, written anew from their published descriptions.
//!
//! Two kinds of truth. In the suites of *bsuite* one decision earns the outcome and all others earn nothing, so the
//! truth is its position. In finite Markov decision processes (*Gymnasium*, *MiniGrid*) every decision has an exact
//! advantage under the policy that behaved, by dynamic programming, so the truth is a number per step.
//!
//! A rollout says what an agent would record: a key and a description of the situation, the decision, and one reward
//! for the whole: the sum of the rewards on the way. Where an environment lets a noisy part of that sum out, its
//! documentation says so. What each step paid stands beside it, for methods that are told of rewards as they come.
//! Everything random comes from the [`Random`] that the caller gives.
//!
//! Not here: observations as pixels, policies that learn.
//!
//! ```
//! use accredit_testkit::Random;
//! use accredit_testkit::environments::{Environment, Truth, umbrella_length};
//!
//! let chain = &umbrella_length()[7];
//! let rollout = chain.rollout(&mut Random::new(1));
//! assert_eq!((chain.name().as_str(), rollout.steps.len()), ("umbrella_length/8", 8));
//! assert_eq!(rollout.truth, Truth::DecisiveStep(0));
//! ```

mod bsuite;
mod gymnasium;
mod mdp;
mod minigrid;

use serde_json::Value;

pub use self::bsuite::{
    DiscountingChain, LOG_SPACED, MemoryChain, UmbrellaChain, UmbrellaReward, discounting_chain, memory_len,
    noisy_umbrella, umbrella_distract, umbrella_length,
};
pub use self::gymnasium::{Ice, LakeMap, cliff_walking, frozen_lake, taxi};
pub use self::mdp::{Mdp, Transition};
pub use self::minigrid::{door_key, unlock};
use crate::Random;

/// Something that an agent acts in, under a behaviour policy of its own, and of which the right credit is known.
pub trait Environment {
    /// The suite and the setting, `umbrella_length/20`: stable, and different for every setting.
    fn name(&self) -> String;

    /// One episode. The same state of the generator gives the same episode.
    fn rollout(&self, random: &mut Random) -> Rollout;
}

/// One episode as an agent would record it, and the truth about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// Its steps in order, at least one.
    pub steps: Vec<RolloutStep>,
    /// The outcome: the sum of what the steps paid.
    pub reward: f64,
    /// Which steps made the outcome what it is.
    pub truth: Truth,
}

/// One decision and the situation in which it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutStep {
    /// Names the situation: equal where all that the agent sees is equal. It says nothing of the time unless the agent
    /// sees the time.
    pub state_key: String,
    /// What was decided, by name.
    pub decision: String,
    /// What the agent sees, for methods that read features. What is categorical is a string or a boolean.
    pub state: Value,
    /// What the step paid at once: its part of [`Rollout::reward`]. A record of outcomes alone does not have it.
    pub reward: f64,
}

/// Which steps made the outcome what it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// This step alone, by its index; no other decision had any effect on the outcome.
    DecisiveStep(usize),
    /// Per step `A_t = Q(s_t, a_t) − V(s_t)` under the behaviour policy, in units of reward.
    Advantages(Vec<f64>),
}

#[cfg(test)]
mod tests;
