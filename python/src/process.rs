//! The process: its forks, and its end.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use accredit::Stillness;
use pyo3::exceptions::{PyImportError, PyRuntimeError};
use pyo3::prelude::*;

use crate::core::Core;

/// How long a fork waits for the moment in which no thread is inside SQLite. Longer is only somebody else's lock.
const STILL_WITHIN: Duration = Duration::from_secs(5);

/// How often this process has been forked from the one that loaded the module.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Everything that was opened. Only looked at with the interpreter's lock, so nobody holds it during a fork.
static OPENED: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

thread_local! {
    /// Held by the thread that forks, in the parent and in the child.
    static STILL: RefCell<Option<Stillness>> = const { RefCell::new(None) };
}

fn opened() -> MutexGuard<'static, Vec<Weak<Core>>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Remembers what is to be ended with the process.
pub(crate) fn register(core: &Arc<Core>) {
    let mut opened = opened();
    opened.retain(|core| core.strong_count() > 0);
    opened.push(Arc::downgrade(core));
}

/// Before a fork: waits until no thread is inside SQLite.
#[pyfunction]
fn before_fork(py: Python<'_>) {
    // Without the interpreter's lock: another thread may be about to fork, and needs it to do so.
    py.detach(|| STILL.with_borrow_mut(|still| *still = accredit::hold_still(STILL_WITHIN)));
}

/// After a fork, in the parent.
#[pyfunction]
fn after_fork_in_parent() {
    STILL.with_borrow_mut(|still| drop(still.take()));
}

/// After a fork, in the child: threads and locks of what was opened before stayed behind.
#[pyfunction]
fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    if let Some(still) = STILL.with_borrow_mut(Option::take) {
        still.in_child();
    }
    let (go_on, stay): (Vec<_>, Vec<_>) =
        opened().drain(..).filter_map(|core| core.upgrade()).partition(|core| core.outlives_forks());
    for core in &go_on {
        core.after_fork();
    }
    opened().extend(go_on.iter().map(Arc::downgrade));
    for core in stay {
        core.after_fork();
        // It is the parent's, and nothing of it may be dropped here.
        std::mem::forget(core);
    }
}

/// At the very end of the interpreter, after the last `atexit` handler and the last `__del__`.
extern "C" fn at_exit() {
    for core in opened().drain(..).filter_map(|core| core.upgrade()) {
        core.close_at_exit();
    }
}

/// The interpreter that loaded the module first; the module's state is the process's.
#[cfg(not(windows))]
static INTERPRETER: AtomicI64 = AtomicI64::new(-1);

#[cfg(not(windows))]
fn refuse_subinterpreters() -> PyResult<()> {
    #[expect(unsafe_code, reason = "which interpreter this is can be asked in C alone")]
    // SAFETY: called with the interpreter's lock, under which there is an interpreter.
    let own = unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) };
    match INTERPRETER.compare_exchange(-1, own, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != own => Err(PyImportError::new_err(
            "accredit cannot be used in a subinterpreter: use it in one interpreter of the process, or through a server",
        )),
        _ => Ok(()),
    }
}

/// The stable interface of Windows cannot tell them apart in all versions; PyO3 loads a module once there.
#[cfg(windows)]
fn refuse_subinterpreters() -> PyResult<()> {
    Ok(())
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    refuse_subinterpreters()?;
    module.add_function(wrap_pyfunction!(before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(after_fork_in_child, module)?)?;
    #[expect(unsafe_code, reason = "what the interpreter offers for its end is a C function")]
    // SAFETY: called with the interpreter's lock; the function lives as long as the module, which is never unloaded.
    let registered = unsafe { pyo3::ffi::Py_AtExit(Some(at_exit)) };
    if registered == 0 { Ok(()) } else { Err(PyRuntimeError::new_err("the interpreter takes no more exit functions")) }
}
