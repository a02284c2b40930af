//! What the benchmark found, row by row.

use std::sync::Arc;

use accredit::Error;
use serde::Serialize;

/// One measured fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was measured, with its unit.
    pub name: String,
    /// What accredit did.
    pub accredit: f64,
    /// What the plain file did in the same run.
    pub plain_file: Option<f64>,
    /// The first by the second.
    pub ratio: Option<f64>,
    /// The goal: a ratio to reach, or a value to stay under.
    pub goal: Option<f64>,
    /// Whether the goal was reached.
    pub reached: Option<bool>,
}

impl Row {
    pub(super) fn fact(name: &str, accredit: f64) -> Self {
        Self { name: name.to_owned(), accredit, plain_file: None, ratio: None, goal: None, reached: None }
    }

    pub(super) fn beside(name: &str, accredit: f64, plain_file: f64) -> Self {
        Self { plain_file: Some(plain_file), ..Self::fact(name, accredit) }
    }

    pub(super) fn compared(name: &str, accredit: f64, plain_file: f64, ratio: f64, goal: Option<f64>) -> Self {
        let reached = goal.map(|goal| ratio >= goal);
        Self { ratio: Some(ratio), goal, reached, ..Self::beside(name, accredit, plain_file) }
    }

    pub(super) fn at_most(name: &str, accredit: f64, goal: f64) -> Self {
        Self { goal: Some(goal), reached: Some(accredit <= goal), ..Self::fact(name, accredit) }
    }
}

pub(super) fn io_failed(error: std::io::Error) -> Error {
    Error::Export(Arc::new(error))
}
