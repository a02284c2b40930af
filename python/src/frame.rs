//! What was recorded as columns, handed over by the Arrow C data interface without a copy.

mod columns;

use std::sync::Arc;

use accredit::{Error, Experience, Filter, Insights, Status};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::SchemaRef;
use arrow_schema::ffi::FFI_ArrowSchema;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use self::columns::Rows;
use crate::backend::Backend;
use crate::error;
use crate::fields::Arg;
use crate::recorder::{Recorder, filter};

/// Rows of a batch, about: one action is never parted.
const BATCH_ROWS: usize = 65_536;
/// Actions read at once.
const PAGE: usize = 1_000;

/// A table in memory.
#[pyclass(frozen, module = "accredit._native")]
pub(crate) struct Frame {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

fn failed(_: arrow_schema::ArrowError) -> Error {
    Error::Bug("PY-2: columns have one length")
}

impl Frame {
    fn of<R: Rows>(batches: impl IntoIterator<Item = Vec<R>>) -> Result<Self, Error> {
        let schema = Arc::new(R::schema());
        let batch = |rows: Vec<R>| RecordBatch::try_new(Arc::clone(&schema), R::columns(&rows)).map_err(failed);
        let batches = batches.into_iter().filter(|rows| !rows.is_empty()).map(batch).collect::<Result<_, _>>()?;
        Ok(Self { schema, batches })
    }
}

fn actions(backend: &Backend, filter: &Filter, limit: usize) -> Result<Frame, Error> {
    let mut pages = Vec::new();
    each_page(backend, filter, limit, |actions| {
        pages.push(actions);
        Ok(())
    })?;
    Frame::of(pages)
}

fn steps(backend: &Backend, filter: &Filter, limit: usize) -> Result<Frame, Error> {
    let (mut batches, mut rows) = (Vec::new(), Vec::new());
    each_page(backend, filter, limit, |actions| {
        for action in actions {
            rows.extend(if action.status == Status::Open {
                let chain = backend.chain(action.action_id)?;
                columns::steps(action, None, chain)
            } else {
                let Experience { action, attribution, chain, .. } = backend.experience(action.action_id)?;
                columns::steps(action, Some(attribution), chain)
            });
            if rows.len() >= BATCH_ROWS {
                batches.push(std::mem::take(&mut rows));
            }
        }
        Ok(())
    })?;
    batches.push(rows);
    Frame::of(batches)
}

fn each_page(
    backend: &Backend,
    filter: &Filter,
    limit: usize,
    mut take: impl FnMut(Vec<accredit::Action>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut left, mut cursor) = (limit, None::<String>);
    while left > 0 {
        let page = backend.list(filter, left.min(PAGE), cursor.as_deref())?;
        left = left.saturating_sub(page.actions.len());
        take(page.actions)?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(())
}

/// Asks a recorder's engine without the interpreter's lock.
pub(crate) fn ask<T: Send>(
    py: Python<'_>,
    recorder: &Bound<'_, Recorder>,
    ask: impl FnOnce(&Backend) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let core = &recorder.get().core;
    core.live(py)?;
    py.detach(|| {
        core.backend().wait_accepted();
        ask(core.backend())
    })
    .map_err(|error| error::raise(py, &error))
}

/// Reads JSON that a server answered, and makes a frame of it.
fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::Bug("PY-3: an answer has the shape of the wire format"))
}

#[pymethods]
impl Frame {
    /// Actions that match, newest first.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they are the filter's own")]
    fn actions(
        py: Python<'_>,
        recorder: &Bound<'_, Recorder>,
        agent_id: Option<String>,
        action_type: Option<String>,
        goal_id: Option<String>,
        status: Option<String>,
        verdict: Option<String>,
        from_: Arg<'_, '_>,
        to: Arg<'_, '_>,
        limit: usize,
    ) -> PyResult<Self> {
        let filter = filter(py, (agent_id, action_type, goal_id, status, verdict, from_, to))?;
        ask(py, recorder, |backend| actions(backend, &filter, limit))
    }

    /// The steps of the actions that match, the newest action first.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they are the filter's own")]
    fn steps(
        py: Python<'_>,
        recorder: &Bound<'_, Recorder>,
        agent_id: Option<String>,
        action_type: Option<String>,
        goal_id: Option<String>,
        status: Option<String>,
        verdict: Option<String>,
        from_: Arg<'_, '_>,
        to: Arg<'_, '_>,
        limit: usize,
    ) -> PyResult<Self> {
        let filter = filter(py, (agent_id, action_type, goal_id, status, verdict, from_, to))?;
        ask(py, recorder, |backend| steps(backend, &filter, limit))
    }

    /// What each decision of an action type is worth.
    #[staticmethod]
    fn insights(py: Python<'_>, recorder: &Bound<'_, Recorder>, action_type: String) -> PyResult<Self> {
        let action_type = action_type.into();
        ask(py, recorder, |backend| Self::of([backend.insights(&action_type)?.decisions]))
    }

    /// The frame of a list of actions, as JSON.
    #[staticmethod]
    fn from_actions(py: Python<'_>, json: &str) -> PyResult<Self> {
        let made = py.detach(|| Self::of([read::<Vec<accredit::Action>>(json)?]));
        made.map_err(|error| error::raise(py, &error))
    }

    /// The frame of the steps of a list of experiences, as JSON.
    #[staticmethod]
    fn from_experiences(py: Python<'_>, json: &str) -> PyResult<Self> {
        let made = py.detach(|| {
            let experiences = read::<Vec<Experience>>(json)?;
            Self::of([experiences
                .into_iter()
                .flat_map(|Experience { action, attribution, chain, .. }| {
                    columns::steps(action, Some(attribution), chain)
                })
                .collect()])
        });
        made.map_err(|error| error::raise(py, &error))
    }

    /// The frame of insights, as JSON.
    #[staticmethod]
    fn from_insights(py: Python<'_>, json: &str) -> PyResult<Self> {
        let made = py.detach(|| Self::of([read::<Insights>(json)?.decisions]));
        made.map_err(|error| error::raise(py, &error))
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// A dict of columns, each a list.
    fn to_pydict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::to_pydict(py, &self.schema, &self.batches)
    }

    /// The Arrow C data interface: a capsule with the schema.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema =
            FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(|error| error::raise(py, &failed(error)))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// The Arrow C data interface: a capsule with a stream of record batches. The schema asked for is left to the reader,
    /// as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _left_to_the_reader = requested_schema;
        let batches = self.batches.clone().into_iter().map(Ok);
        let stream = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(stream)), c"arrow_array_stream")
    }
}
