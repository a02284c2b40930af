//! accredit: records what agents do, works out which steps earned the outcome, and hands the experience on.
//!
//! [`Engine`] is the whole product in a library: the Rust API, the Python package and the server are doors to it.
//! Closed actions are learned from in the background, and what was learned credits the next ones.
//! Commands pass the guard (limits), wait in a bounded queue, and are made durable by one committer thread, many to
//! an fsync. A closed action gets an [`Attribution`]; sinks and subscribers get it from there.
//!
//! [`Client`] asks a server the same questions, and [`ServerTarget`] lets a [`Recorder`] record to one, with a [`Spool`] on
//! disk for the time in which it is away.
//!
//! What this crate is not: it has no HTTP server, knows no SQL, and needs no async runtime.
//!
//! Limits: every one is a key of [`Config`]; an open action costs under 1 KB of memory however long its chain. Learning
//! holds 256 MiB of learners in memory, and besides them what has changed since the last save; 256 action types.
//!
//! ```
//! use accredit::{Begin, Completion, Config, Engine, Step};
//!
//! let folder = tempfile::tempdir()?;
//! let engine = Engine::open(Config::at(folder.path().join("runs.db")))?;
//! let begin = Begin { agent_id: "planner".into(), action_type: "book_flight".into(), ..Begin::default() };
//! let id = engine.begin(begin)?.action_id;
//! engine.step(id, Step { description: "chose the cheapest".into(), ..Step::default() })?;
//! let attribution = engine.complete(id, Completion { reward: Some(1.0), ..Completion::default() })?;
//! assert_eq!((attribution.success_score, attribution.credits), (1.0, vec![1.0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accepted;
mod apply;
mod attribute;
mod client;
mod clock;
mod closing;
mod committer;
mod config;
mod deliver;
mod engine;
mod error;
mod events;
mod giver;
mod insight;
mod judging;
mod keeper;
mod late;
mod learning;
mod prompt;
mod queue;
mod reading;
mod record;
mod recorder;
mod reply;
mod sweep;
mod tree;

pub use accredit_credit::{
    LearnedMethod, Learner, METHOD_NAMES, METHODS, Method, MethodError, MethodInfo, MethodOption, Model,
};
pub use accredit_guard::{EvictionOrder, IdleFrom, Limits};
pub use accredit_model::*;
pub use accredit_store::{DeadLetter, Filter, Problem, Sizes, Stillness, VerifyReport, hold_still};
pub use apply::Applied;
pub use client::{Client, ClientOptions, LineAnswer, SPOOL_BYTES_MAX, ServerTarget, Spool, spool_folder};
pub use clock::{Clock, Environment, IdSource, SystemClock, UuidV7};
pub use config::{Access, Config, Learning, OnRefit, SinkConfig, SinkKind};
pub use engine::Engine;
pub use error::{Error, ErrorKind};
pub use events::Subscription;
pub use insight::{AgentCalibration, AgentReport, CalibrationBin, DecisionInsight, Insights};
pub use learning::{ModelCandidate, ModelSummary};
pub use prompt::{PromptBegun, PromptRecorder};
pub use reading::Page;
pub use record::{Begun, Recorded};
pub use recorder::{Answer, OpenAction, Recorder, RecorderOptions, RecorderStats, Target, TargetStats};
pub use reply::Ticket;
pub use tree::{AgentCredit, Tree, TreeNode};
