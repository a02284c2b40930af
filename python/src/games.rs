//! Games whose value function is Python's.

use std::cell::RefCell;

use accredit_credit::{Coalition, GameShares, Sampling};
use pyo3::prelude::*;
use pyo3::types::PyFrozenSet;

/// Shares, standard errors, permutations drawn.
type Shares = (Vec<f64>, Vec<f64>, usize);

/// Calls a value function, and keeps what it raised: after that it is not called again.
struct Value<'py> {
    function: Bound<'py, PyAny>,
    raised: RefCell<Option<PyErr>>,
}

impl<'py> Value<'py> {
    fn new(function: Bound<'py, PyAny>) -> Self {
        Self { function, raised: RefCell::new(None) }
    }

    fn of(&self, coalition: &Coalition) -> f64 {
        if self.raised.borrow().is_some() {
            return 0.0;
        }
        self.ask(coalition).unwrap_or_else(|error| {
            *self.raised.borrow_mut() = Some(error);
            0.0
        })
    }

    fn ask(&self, coalition: &Coalition) -> PyResult<f64> {
        let py = self.function.py();
        py.check_signals()?;
        let players: Vec<usize> = coalition.players().collect();
        self.function.call1((PyFrozenSet::new(py, players)?,))?.extract()
    }

    fn answer(self, shares: GameShares) -> PyResult<Shares> {
        match self.raised.into_inner() {
            Some(error) => Err(error),
            None => Ok((shares.shares, shares.std_errors, shares.n_permutations)),
        }
    }
}

/// The Shapley value of a game of `n` players.
#[pyfunction]
pub(crate) fn shapley(n: usize, value: Bound<'_, PyAny>, n_permutations: usize, seed: u64) -> PyResult<Shares> {
    let value = Value::new(value);
    let shares = accredit_credit::shapley(n, |coalition| value.of(coalition), Sampling { n_permutations, seed });
    value.answer(shares)
}

/// The Owen value of a game in which players belong to unions.
#[pyfunction]
pub(crate) fn owen(unions: Vec<usize>, value: Bound<'_, PyAny>, n_permutations: usize, seed: u64) -> PyResult<Shares> {
    let value = Value::new(value);
    let shares = accredit_credit::owen(&unions, |coalition| value.of(coalition), Sampling { n_permutations, seed });
    value.answer(shares)
}
