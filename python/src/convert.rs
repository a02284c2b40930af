//! Python values as JSON text.
//!
//! | Python | JSON |
//! |---|---|
//! | `None`, `bool`, `int`, `float`, `str`, and subclasses | themselves, as they are stored; an int beyond 64 bit, NaN and infinities as text |
//! | `dict` and subclasses, other mappings | object; keys that are no text by their `str` |
//! | `list`, `tuple`, `deque`, `range`, views of dicts, arrays of `array` | array |
//! | `set`, `frozenset` | array in the order of its members' JSON |
//! | dataclasses, pydantic, attrs and msgspec models, named tuples | object of their fields |
//! | numpy scalars and arrays, tensors, series | number, nested arrays; above 10,000 elements `{"$array": {"shape", "dtype", "first"}}` |
//! | tables of pandas, Polars, Arrow | `{"$table": {"rows", "columns"}}` |
//! | dates, times, `UUID`, `Path`, `Decimal`, `Fraction` | text as ISO 8601 and `str`; a duration in seconds; what pandas calls missing is null |
//! | enums | their value |
//! | `bytes` and the like | `{"$bytes": base64}`; above 48 KiB its first ones and `length` |
//! | exceptions | `{"type", "message"}` |
//! | classes and functions | their qualified name |
//! | whatever contains itself | `{"$circular": type}` |
//! | what raises when it is looked at | `{"$unreadable": type}` |
//! | anything else, generators too | `{"$repr": text}` |
//!
//! Nothing is consumed: iterators stay where they are. Lone surrogates become U+FFFD. Below 100 levels stands
//! `{"$deep": type}`, which the guard's limit refuses; behind 16 MiB of JSON `{"$large": type}`.

use std::sync::Arc;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRecursionError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};

use crate::text::{self, lossy};

/// Levels that are looked into.
const DEPTH_MAX: usize = 100;

/// Bytes of JSON that are made of one value: far beyond what the guard keeps.
const BYTES_MAX: usize = 16 << 20;

/// Counts what became of values.
pub(crate) trait Counting {
    fn count(&self, what: &'static str);
}

impl<C: Counting> Counting for Arc<C> {
    fn count(&self, what: &'static str) {
        C::count(self, what);
    }
}

/// What became of a value.
pub(crate) struct Writer<'c> {
    pub(crate) out: Vec<u8>,
    counting: Option<&'c dyn Counting>,
    /// Addresses of the containers that are being written.
    open: Vec<usize>,
    /// Whether something was nested too deep to be looked at.
    is_deep: bool,
    /// Whether the code of a value was interrupted by the person at the keyboard.
    is_interrupted: bool,
}

/// The JSON text of a value; for tests and for handing objects on.
#[pyfunction]
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> String {
    let mut writer = Writer::new(None);
    writer.write(value);
    writer.into_text()
}

fn plain(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let plain = PLAIN.get_or_try_init(py, || Ok::<_, PyErr>(py.import("accredit._plain")?.getattr("plain")?.unbind()));
    plain.map(|plain| plain.bind(py))
}

impl<'c> Writer<'c> {
    pub(crate) fn new(counting: Option<&'c dyn Counting>) -> Self {
        Self { out: Vec::with_capacity(256), counting, open: Vec::new(), is_deep: false, is_interrupted: false }
    }

    /// The JSON that was written.
    pub(crate) fn into_text(self) -> String {
        if self.is_interrupted {
            #[expect(unsafe_code, reason = "pyo3 has no safe name for it")]
            // SAFETY: it takes nothing, and may be called at any time. Python raises the interrupt when the call is over;
            // sooner, another value's code would have swallowed it.
            unsafe {
                pyo3::ffi::PyErr_SetInterrupt();
            }
        }
        // Only JSON made of strings is written, and those are UTF-8.
        String::from_utf8(self.out).unwrap_or_default()
    }

    fn count(&self, what: &'static str) {
        if let Some(counting) = self.counting {
            counting.count(what);
        }
    }

    /// Writes a value. It never fails: what cannot be written is written as what it is.
    pub(crate) fn write(&mut self, value: &Bound<'_, PyAny>) {
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.string(text);
        } else if value.is_none() {
            self.out.extend_from_slice(b"null");
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(number.value());
        } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
            self.out.extend_from_slice(if boolean.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            self.int(number);
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.nested(value, |writer| writer.dict(dict));
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.nested(value, |writer| writer.list(list));
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.nested(value, |writer| writer.array(tuple.iter()));
        } else {
            self.derived(value);
        }
    }

    /// What is derived from a plain type counts as what it stores; its own code is not asked.
    fn derived(&mut self, value: &Bound<'_, PyAny>) {
        if let Ok(text) = value.cast::<PyString>() {
            self.string(text);
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.int(number);
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(number.value());
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.nested(value, |writer| writer.dict(dict));
        } else if let Ok(list) = value.cast::<PyList>() {
            self.nested(value, |writer| writer.list(list));
        } else if let Ok(set) = value.cast_exact::<PySet>() {
            self.nested(value, |writer| writer.in_order(set.iter()));
        } else if let Ok(set) = value.cast_exact::<PyFrozenSet>() {
            self.nested(value, |writer| writer.in_order(set.iter()));
        } else {
            self.other(value);
        }
    }

    fn string(&mut self, text: &Bound<'_, PyString>) {
        match text::utf8(text) {
            Ok(text) if text.len() <= BYTES_MAX => self.text(&text),
            Ok(text) => {
                self.count("too_large");
                let end = (0..=BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
                self.text(text.get(..end).unwrap_or_default());
            }
            Err(_) => {
                self.count("lone_surrogates");
                self.text(&lossy(text));
            }
        }
    }

    /// Whether something was nested too deep to be looked at.
    pub(crate) const fn is_deep(&self) -> bool {
        self.is_deep
    }

    pub(crate) fn text(&mut self, text: &str) {
        // Writing to memory does not fail.
        let _written = serde_json::to_writer(&mut self.out, text);
    }

    fn float(&mut self, number: f64) {
        if number.is_finite() {
            let _written = serde_json::to_writer(&mut self.out, &number);
        } else {
            self.count("not_finite");
            self.text(if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            });
        }
    }

    fn int(&mut self, number: &Bound<'_, PyInt>) {
        if let Ok(number) = number.extract::<i64>() {
            let _written = serde_json::to_writer(&mut self.out, &number);
        } else if let Ok(number) = number.extract::<u64>() {
            let _written = serde_json::to_writer(&mut self.out, &number);
        } else {
            self.count("large_int");
            // Python refuses to print what has more than some thousand digits.
            match number.str() {
                Ok(text) => self.string(&text),
                Err(_) => self.note("$repr", number.as_any()),
            }
        }
    }

    /// Writes something that may contain itself.
    fn nested(&mut self, value: &Bound<'_, PyAny>, write: impl FnOnce(&mut Self)) {
        let address = value.as_ptr() as usize;
        if self.open.contains(&address) {
            self.count("circular");
            self.note("$circular", value);
        } else if self.open.len() >= DEPTH_MAX {
            self.is_deep = true;
            self.note("$deep", value);
        } else {
            self.open.push(address);
            write(self);
            self.open.pop();
        }
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>) {
        // A copy of the pairs: a value may be of a class whose code changes the dict.
        let pairs: Vec<_> = dict.iter().take(BYTES_MAX / 4).collect();
        self.out.push(b'{');
        for (at, (key, value)) in pairs.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            if self.is_full() {
                self.text("$large");
                self.out.extend_from_slice(b":\"dict\"");
                break;
            }
            self.key(key);
            self.out.push(b':');
            self.write(value);
        }
        self.out.push(b'}');
    }

    /// Whether so much is written that the rest is left out.
    fn is_full(&self) -> bool {
        let is_full = self.out.len() > BYTES_MAX;
        if is_full {
            self.count("too_large");
        }
        is_full
    }

    /// A key is text; others are named as JSON would name them.
    fn key(&mut self, key: &Bound<'_, PyAny>) {
        if let Ok(text) = key.cast::<PyString>() {
            self.string(text);
        } else if key.is_none() {
            self.text("null");
        } else if let Ok(boolean) = key.cast_exact::<PyBool>() {
            self.text(if boolean.is_true() { "true" } else { "false" });
        } else if let Ok(number) = key.extract::<i64>() {
            self.text(&number.to_string());
        } else {
            match key.str() {
                Ok(text) => self.string(&text),
                Err(error) => {
                    self.failed(key.py(), &error);
                    self.count("unreadable");
                    self.text("$unreadable");
                }
            }
        }
    }

    /// A list may be changed by the code of its members; so it is asked anew for each.
    fn list(&mut self, list: &Bound<'_, PyList>) {
        let mut next = 0;
        self.array(std::iter::from_fn(|| {
            let item = list.get_item(next).ok();
            next += 1;
            item
        }));
    }

    fn array<'py>(&mut self, values: impl Iterator<Item = Bound<'py, PyAny>>) {
        self.out.push(b'[');
        for (at, value) in values.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            if self.is_full() {
                self.note("$large", &value);
                break;
            }
            self.write(&value);
        }
        self.out.push(b']');
    }

    /// The members of a set, in an order that does not change from run to run.
    fn in_order<'py>(&mut self, values: impl Iterator<Item = Bound<'py, PyAny>>) {
        // A copy: the code of a member may change the set.
        let values: Vec<_> = values.take(BYTES_MAX / 2).collect();
        let start = self.out.len();
        let mut members = Vec::with_capacity(values.len());
        for value in &values {
            if self.is_full() {
                break;
            }
            let from = self.out.len();
            self.write(value);
            members.push(self.out[from..].to_vec());
        }
        members.sort_unstable();
        self.out.truncate(start);
        self.out.push(b'[');
        self.out.extend_from_slice(&members.join(&b','));
        self.out.push(b']');
    }

    /// What is none of the plain types: the Python part takes it apart by one level.
    fn other(&mut self, value: &Bound<'_, PyAny>) {
        let py = value.py();
        let taken = plain(py).and_then(|plain| plain.call1((value,)));
        match taken {
            Ok(taken) if taken.is(value) => self.note("$repr", value),
            Ok(taken) => self.nested(value, |writer| writer.write(&taken)),
            Err(error) => {
                self.failed(py, &error);
                let name = if error.is_instance_of::<PyRecursionError>(py) { "$deep" } else { "$unreadable" };
                self.count("unreadable");
                self.note(name, value);
            }
        }
    }

    /// Notes what a value's code has raised, as far as it is not the value's own affair.
    fn failed(&mut self, py: Python<'_>, error: &PyErr) {
        self.is_interrupted |= error.is_instance_of::<PyKeyboardInterrupt>(py);
    }

    /// Stands for a value that cannot be written.
    fn note(&mut self, name: &str, value: &Bound<'_, PyAny>) {
        let said = match name {
            "$repr" => value.repr().inspect_err(|error| self.failed(value.py(), error)).map(|text| lossy(&text)).ok(),
            _ => None,
        };
        let kind = || value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        let said: String = said.unwrap_or_else(kind).chars().take(500).collect();
        self.out.extend_from_slice(b"{");
        self.text(name);
        self.out.push(b':');
        self.text(&said);
        self.out.push(b'}');
    }
}
