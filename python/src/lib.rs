//! The native part of the Python package: the engine's recorder behind three classes.
//!
//! What it is not: it has no logic of its own. It turns Python's values into commands (never raising for what an agent
//! passed in, unless it is strict), hands them to [`accredit::Recorder`], and answers questions as JSON text, which the
//! Python part turns into objects. The interpreter's lock is released around everything that waits.

mod action;
mod backend;
mod compat;
mod convert;
mod core;
mod credit;
mod error;
mod export;
mod fields;
mod frame;
mod games;
mod numbered;
mod process;
mod recorder;
mod stats;
mod text;
mod trajectory;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<recorder::Recorder>()?;
    module.add_class::<action::Action>()?;
    module.add_class::<compat::CompatEngine>()?;
    module.add_function(wrap_pyfunction!(convert::to_json, module)?)?;
    module.add_function(wrap_pyfunction!(numbered::numbered_step, module)?)?;
    module.add_function(wrap_pyfunction!(export::export, module)?)?;
    credit::add(module)?;
    module.add_class::<frame::Frame>()?;
    error::add(module)?;
    process::add(module)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
