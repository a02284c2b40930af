//! The HTTP door through its router and through a socket, over a real engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

mod actions;
mod entries;
mod errors;
mod ingest;
mod openapi;
mod reads;
mod serving;
mod streams;
mod support;
