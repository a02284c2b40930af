//! Scores and credit: how well an action came out, and which of its steps made it so.
//!
//! * [`score`] compares an outcome, and what was observed, with what was expected and demanded.
//! * A [`CreditMethod`] splits the result over the steps; [`Decay`], [`Uniform`], [`First`] and [`Last`] are the priors,
//!   which know nothing of other actions. [`METHODS`] names every method that can be asked for, and [`Method`] is one of
//!   them with its options.
//! * A [`Learner`] keeps what is learned from closed actions of one type and fits a [`Model`], which is a method too.
//! * A [`TabularModel`] has learned from other actions what each decision is worth in each state: [`TdCe`] first among
//!   them; [`credit_shares`] makes credits of its advantages, and [`Counts`] is what it keeps.
//! * [`overlay_judgements`] lets what people said of single steps outrank what a method says of them.
//! * [`shapley`], [`owen`] and, in a tree, [`winter`] split a value over players, [`shapley_from_observations`] from what
//!   was seen.
//! * [`Ranker`] has learned from people which step of an action was decisive.
//! * [`calibration`] holds stated confidence against outcomes; [`bootstrap_interval`], [`benjamini_hochberg`] and
//!   [`spearman`] are the statistics of what is said about all this.
//! * [`tree_credit`] hands the credit of an action down to the actions that were begun during its steps.
//!
//! What this crate is not: it does no IO, has no async code, reads no clock and knows no store. Slices come in, numbers
//! go out, the same ones each time. It cuts nothing and clamps nothing that the guard has not seen; given commands that
//! never went through the guard it still ends, without a panic, but its answers may say less.
//!
//! Limits: an acceptance criterion is evaluated while it has at most 1,000 characters, 32 open brackets, 64 levels of
//! syntax and an estimated million units of work (a tenth of a second at most), and all criteria of an action together
//! four million; past any of these a criterion is unevaluable. A regular expression takes up to 1 MiB compiled, and an
//! expectation has up to 20 of them. JSON is compared to 128 levels. A tree is a slice, and a level of it costs no
//! stack. A game is solved exactly to 15 players and sampled above; observed coalitions have up to 40 players. A table of
//! counts holds 131,072 keys per writer.
//!
//! ```
//! use accredit_credit::{ActionFacts, Decay, CreditMethod, ScoreInput, StepFeatures, Trajectory, score};
//! use accredit_model::{Closing, JsonObject, Verdict};
//!
//! let expected: JsonObject = serde_json::from_str(r#"{"hive_score": {"$gte": 0.93}}"#)?;
//! let outcome: JsonObject = serde_json::from_str(r#"{"hive_score": 0.95, "shards": 7}"#)?;
//! let score = score(&ScoreInput {
//!     expected: &expected,
//!     criteria: &["shards == 8".to_owned()],
//!     outcome: &outcome,
//!     reward: None,
//!     closing: Closing::Completed,
//!     observations: &[],
//!     facts: ActionFacts::default(),
//! });
//! assert_eq!((score.success_score, score.verdict), (0.5, Verdict::Partial));
//!
//! let steps = [StepFeatures { confidence: Some(1.0), ..Default::default() }; 2];
//! let credit = Decay.assign(&Trajectory { steps: &steps, reward: score.success_score, ..Default::default() });
//! assert!((credit.credits[1] - 1.0 / 1.9).abs() < 1e-12);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod calibration;
mod choice;
mod cholesky;
mod criterion;
mod decay;
mod ends;
mod expectation;
mod expression;
mod games;
mod judged;
mod keys;
mod learn;
mod matcher;
mod method;
mod mixed;
mod observed;
mod pattern;
mod random;
mod ranker;
mod ridge_rd;
mod score;
mod sdae;
mod statistics;
mod tabular;
mod tree;
mod uniform;
mod work;

pub use calibration::{Calibration, Forecast, ReliabilityBin, calibration};
pub use choice::{LearnedMethod, METHOD_NAMES, METHODS, Method, MethodError, MethodInfo, MethodOption};
pub use decay::Decay;
pub use ends::{First, Last};
pub use expectation::validate_expectation;
pub use games::{
    Coalition, EXACT_PLAYERS_MAX, GameShares, LevelShares, OBSERVED_PLAYERS_MAX, ObservedCoalition, ObservedShares,
    Sampling, owen, shapley, shapley_from_observations, winter,
};
pub use judged::{JUDGEMENT_UNIT, overlay_judgements};
pub use learn::{
    Candidate, FitOptions, Insight, Learner, Model, RESERVOIR_BYTES_MAX, RESERVOIR_SAMPLES_MAX, Sample, SampleStep,
    Selection,
};
pub use method::{Credit, CreditMethod, NEUTRAL_SCORE, StepFeatures, Trajectory};
pub use ranker::{LabelledAction, RankedAction, RankedStep, Ranker, RankerPenalty};
pub use ridge_rd::RidgeRd;
pub use score::{ActionFacts, Score, ScoreInput, score};
pub use sdae::Sdae;
pub use statistics::{Bootstrap, BootstrapKind, Moments, benjamini_hochberg, bootstrap_interval, spearman};
pub use tabular::{
    Assessment, Counts, Episode, EpisodeStep, Gae, Gigpo, Hca, KEYS_MAX, Mc, Ochiai, TabularModel, TdCe, TdLambda,
    credit_shares,
};
pub use tree::{TreeInput, TreeShare, tree_credit};
pub use uniform::Uniform;
