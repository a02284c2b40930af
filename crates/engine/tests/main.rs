//! The contract of the product, row by row, through the engine's public interface.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

mod accepted;
mod apply;
mod closing;
mod config;
mod counters;
mod credit;
mod criteria;
mod delivery;
mod entries;
mod events;
mod insight;
mod judged;
mod late;
mod learner;
mod learning;
mod limits;
mod long;
mod overload;
mod prompt;
mod reading;
mod recorder;
mod scoring;
mod served;
mod sharing;
mod support;
mod timeouts;
mod trees;
