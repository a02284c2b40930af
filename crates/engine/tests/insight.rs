//! What is said of decisions and agents.

use accredit::{ActionType, AgentId, Begin, Completion, Observation, Step, Usage};

use crate::support::*;

