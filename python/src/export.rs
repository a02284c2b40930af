//! Writing what was recorded to a file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use accredit::Error;
use pyo3::prelude::*;

use crate::fields::Arg;
use crate::frame::ask;
use crate::recorder::{Recorder, filter};

/// Writes the closed actions that match as JSON lines, whole experiences, newest first; how many. The file is there when
/// all of it is.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are the filter's own")]
pub(crate) fn export(
    py: Python<'_>,
    recorder: &Bound<'_, Recorder>,
    path: PathBuf,
    agent_id: Option<String>,
    action_type: Option<String>,
    goal_id: Option<String>,
    status: Option<String>,
    verdict: Option<String>,
    from_: Arg<'_, '_>,
    to: Arg<'_, '_>,
) -> PyResult<u64> {
    let filter = filter(py, (agent_id, action_type, goal_id, status, verdict, from_, to))?;
    let mut name = OsString::from(path.as_os_str());
    name.push(".part");
    let part = PathBuf::from(name);
    ask(py, recorder, |backend| {
        let failed = |error: std::io::Error| Error::Export(Arc::new(error));
        let written = (|| {
            let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
            let n = backend.export(&filter, &mut out)?;
            out.flush().map_err(failed)?;
            std::fs::rename(&part, &path).map_err(failed)?;
            Ok(n)
        })();
        if written.is_err() {
            // What is left of it is of no use; that it cannot be removed either changes nothing.
            drop(std::fs::remove_file(&part));
        }
        written
    })
}
