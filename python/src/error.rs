//! The package's exceptions. Each has a `code`, the stable name that the wire format has too.

use accredit::{Error, ErrorKind};
use accredit_model::{Refusal, RefusalReason};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(accredit, AccreditError, PyException, "What accredit raises; `code` is a stable name.");
create_exception!(accredit, RefusedError, AccreditError, "What was passed in is not acceptable as it is.");
create_exception!(accredit, NotFoundError, AccreditError, "There is no such action, version, agent or model.");
create_exception!(accredit, ConflictError, AccreditError, "The action is in a state that this does not fit.");
create_exception!(accredit, UnavailableError, AccreditError, "Not now: try again in a moment.");
create_exception!(accredit, StoreError, AccreditError, "The store cannot be used, or something in it is damaged.");

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("AccreditError", py.get_type::<AccreditError>())?;
    module.add("RefusedError", py.get_type::<RefusedError>())?;
    module.add("NotFoundError", py.get_type::<NotFoundError>())?;
    module.add("ConflictError", py.get_type::<ConflictError>())?;
    module.add("UnavailableError", py.get_type::<UnavailableError>())?;
    module.add("StoreError", py.get_type::<StoreError>())
}

fn with_code(py: Python<'_>, error: PyErr, code: &str) -> PyErr {
    // A plain exception takes any attribute.
    match error.value(py).setattr("code", code) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// The exception for an error of the engine.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    let raised = match error.kind() {
        ErrorKind::Expected => RefusedError::new_err(text),
        ErrorKind::NotFound => NotFoundError::new_err(text),
        ErrorKind::Conflict => ConflictError::new_err(text),
        ErrorKind::Unavailable => UnavailableError::new_err(text),
        ErrorKind::Corrupt | ErrorKind::Bug => StoreError::new_err(text),
    };
    with_code(py, raised, error.code())
}

/// The exception for a refusal.
pub(crate) fn refused(py: Python<'_>, reason: RefusalReason, detail: &str) -> PyErr {
    raise(py, &Error::from(Refusal::new(reason, detail)))
}
