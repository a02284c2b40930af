//! Python values as JSON text.
//!
//! | Python | JSON |
//! |---|---|
//! | `None`, `bool`, `int`, `float`, `str` | themselves; an int beyond 64 bit, NaN and infinities as text |
//! | `dict` and other mappings | object; keys that are no text by their `str` |
//! | `list`, `tuple`, iterables named in `accredit._plain` | array; sets in the order of their JSON |
//! | dataclasses, pydantic and attrs models, named tuples | object of their fields |
//! | numpy scalars and arrays | number, nested arrays |
//! | dates, times, `UUID`, `Path`, `Decimal`, enums | text as ISO 8601 and `str`; an enum's value |
//! | `bytes` | `{"$bytes": base64}` |
//! | whatever contains itself | `{"$circular": type}` |
//! | anything else | `{"$repr": text}` |
//!
//! Lone surrogates become U+FFFD. Below 100 levels stands `{"$deep": type}`, which the guard's limit refuses.

use std::sync::Arc;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

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
        Self { out: Vec::with_capacity(256), counting, open: Vec::new() }
    }

    pub(crate) fn into_text(self) -> String {
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
        if self.out.len() > BYTES_MAX {
            self.count("too_large");
            self.note("$large", value);
        } else if let Ok(text) = value.cast_exact::<PyString>() {
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
            self.nested(value, |writer| writer.array(list.iter()));
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.nested(value, |writer| writer.array(tuple.iter()));
        } else {
            self.other(value);
        }
    }

    fn string(&mut self, text: &Bound<'_, PyString>) {
        match text.to_cow() {
            Ok(text) => self.text(&text),
            Err(_) => {
                self.count("lone_surrogates");
                self.text(&text.to_string_lossy());
            }
        }
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
            self.note("$deep", value);
        } else {
            self.open.push(address);
            write(self);
            self.open.pop();
        }
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>) {
        // A copy of the pairs: a value may be of a class whose code changes the dict.
        let pairs: Vec<_> = dict.iter().collect();
        self.out.push(b'{');
        for (at, (key, value)) in pairs.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.key(key);
            self.out.push(b':');
            self.write(value);
        }
        self.out.push(b'}');
    }

    /// A key is text; others are named as JSON would name them.
    fn key(&mut self, key: &Bound<'_, PyAny>) {
        if let Ok(text) = key.cast_exact::<PyString>() {
            return self.string(text);
        }
        if key.is_none() {
            return self.text("null");
        }
        if let Ok(boolean) = key.cast_exact::<PyBool>() {
            return self.text(if boolean.is_true() { "true" } else { "false" });
        }
        match key.str() {
            Ok(text) => self.string(&text),
            Err(_) => self.text("$unreadable"),
        }
    }

    fn array<'py>(&mut self, values: impl Iterator<Item = Bound<'py, PyAny>>) {
        let values: Vec<_> = values.collect();
        self.out.push(b'[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.write(value);
        }
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
                let name = if error.is_instance_of::<PyRecursionError>(py) { "$deep" } else { "$unreadable" };
                self.count("unreadable");
                self.note(name, value);
            }
        }
    }

    /// Stands for a value that cannot be written.
    fn note(&mut self, name: &str, value: &Bound<'_, PyAny>) {
        let said = match name {
            "$repr" => value.repr().map(|text| text.to_string_lossy().into_owned()).ok(),
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
