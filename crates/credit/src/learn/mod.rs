//! Learning from recorded actions: what is kept of each, and what is fitted on all.

mod auto;
mod insights;
mod learner;
mod model;
mod sample;

pub use auto::{Candidate, Selection};
pub use insights::Insight;
pub use learner::{Learner, RESERVOIR_BYTES_MAX, RESERVOIR_SAMPLES_MAX};
pub use model::{FitOptions, Model};
pub use sample::{Sample, SampleStep};
