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

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRecursionError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::text::{lossy, utf8_or_lossy};

/// Levels that are looked into.
const DEPTH_MAX: usize = 100;

/// Bytes of JSON that are made of one value: far beyond what the guard keeps.
const BYTES_MAX: usize = 16 << 20;

/// Bytes from which on it is counted what escapes add.
const LOOKED_FROM: usize = BYTES_MAX / 64;

/// Bytes of one escaped byte at most.
const ESCAPE_BYTES_MAX: usize = 6;

/// Counts what became of values.
pub(crate) trait Counting {
    fn count(&self, what: &'static str);
}

impl<C: Counting> Counting for Arc<C> {
    fn count(&self, what: &'static str) {
        C::count(self, what);
    }
}

/// One conversion: what is known of the value so far.
pub(crate) struct Writing<'c> {
    counting: Option<&'c dyn Counting>,
    /// Addresses of the containers that are being written.
    open: RefCell<Vec<usize>>,
    /// Bytes of JSON that were written, or some more.
    n_bytes: Cell<usize>,
    /// Whether something was nested too deep to be looked at.
    is_deep: Cell<bool>,
    /// Whether the code of a value was interrupted by the person at the keyboard.
    is_interrupted: Cell<bool>,
}

/// The JSON text of a value; for tests and for handing objects on.
#[pyfunction]
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> String {
    let writing = Writing::new(None);
    let text = serde_json::to_string(&writing.of(value));
    writing.end();
    // Writing to memory does not fail, and neither does a value here.
    text.unwrap_or_default()
}

fn plain(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let plain = PLAIN.get_or_try_init(py, || Ok::<_, PyErr>(py.import("accredit._plain")?.getattr("plain")?.unbind()));
    plain.map(|plain| plain.bind(py))
}

impl<'c> Writing<'c> {
    pub(crate) const fn new(counting: Option<&'c dyn Counting>) -> Self {
        Self {
            counting,
            open: RefCell::new(Vec::new()),
            n_bytes: Cell::new(0),
            is_deep: Cell::new(false),
            is_interrupted: Cell::new(false),
        }
    }

    /// The value, to be serialised. That never fails: what cannot be written is written as what it is.
    pub(crate) const fn of<'a, 'py>(&'a self, value: &'a Bound<'py, PyAny>) -> Json<'a, 'py, 'c> {
        Json { value, writing: self }
    }

    /// Says that the value's code is over, once it is written.
    pub(crate) fn end(&self) {
        if self.is_interrupted.get() {
            #[expect(unsafe_code, reason = "pyo3 has no safe name for it")]
            // SAFETY: it takes nothing, and may be called at any time. Python raises the interrupt when the call is over;
            // sooner, another value's code would have swallowed it.
            unsafe {
                pyo3::ffi::PyErr_SetInterrupt();
            }
        }
    }

    /// Whether something was nested too deep to be looked at.
    pub(crate) const fn is_deep(&self) -> bool {
        self.is_deep.get()
    }

    fn count(&self, what: &'static str) {
        if let Some(counting) = self.counting {
            counting.count(what);
        }
    }

    /// Whether so much is written that the rest is left out.
    fn is_full(&self) -> bool {
        let is_full = self.n_bytes.get() > BYTES_MAX;
        if is_full {
            self.count("too_large");
        }
        is_full
    }

    fn wrote(&self, n_bytes: usize) {
        self.n_bytes.set(self.n_bytes.get() + n_bytes);
    }

    /// The same of a text, with its quotes and what stands after it. What is small is not looked through: it counts as though
    /// all of it were escaped.
    fn wrote_text(&self, text: &str) {
        let is_small = self.n_bytes.get() < LOOKED_FROM && text.len() < LOOKED_FROM / 64;
        self.wrote(3 + if is_small { ESCAPE_BYTES_MAX * text.len() } else { text.len() + escape_bytes(text) });
    }

    /// Notes what a value's code has raised, as far as it is not the value's own affair.
    fn failed(&self, py: Python<'_>, error: &PyErr) {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            self.is_interrupted.set(true);
        }
    }

    fn string<S: Serializer>(&self, text: &Bound<'_, PyString>, to: S) -> Result<S::Ok, S::Error> {
        let text = self.characters(text);
        self.wrote_text(&text);
        to.serialize_str(&text)
    }

    fn characters<'a>(&self, text: &'a Bound<'_, PyString>) -> Cow<'a, str> {
        let text = utf8_or_lossy(text, || self.count("lone_surrogates"));
        if text.len() <= BYTES_MAX {
            return text;
        }
        self.count("too_large");
        let end = (0..=BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.get(..end).unwrap_or_default().to_owned().into()
    }

    fn float<S: Serializer>(&self, number: f64, to: S) -> Result<S::Ok, S::Error> {
        self.wrote(FLOAT_BYTES_MAX);
        if number.is_finite() {
            return to.serialize_f64(number);
        }
        self.count("not_finite");
        to.serialize_str(if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    }

    fn int<S: Serializer>(&self, number: &Bound<'_, PyInt>, to: S) -> Result<S::Ok, S::Error> {
        if let Ok(number) = number.extract::<i64>() {
            self.wrote(int_bytes(number));
            return to.serialize_i64(number);
        }
        if let Ok(number) = number.extract::<u64>() {
            self.wrote(INT_BYTES_MAX);
            return to.serialize_u64(number);
        }
        self.count("large_int");
        // Python refuses to print what has more than some thousand digits.
        match number.str() {
            Ok(text) => self.string(&text, to),
            Err(_) => self.note("$repr", number.as_any(), to),
        }
    }

    /// Writes something that may contain itself.
    fn nested<S: Serializer>(
        &self,
        value: &Bound<'_, PyAny>,
        to: S,
        write: impl FnOnce(S) -> Result<S::Ok, S::Error>,
    ) -> Result<S::Ok, S::Error> {
        let address = value.as_ptr() as usize;
        let (is_open, depth) = {
            let open = self.open.borrow();
            (open.contains(&address), open.len())
        };
        if is_open {
            self.count("circular");
            self.note("$circular", value, to)
        } else if depth >= DEPTH_MAX {
            self.is_deep.set(true);
            self.note("$deep", value, to)
        } else {
            self.open.borrow_mut().push(address);
            let written = write(to);
            self.open.borrow_mut().pop();
            written
        }
    }

    fn dict<S: Serializer>(&self, dict: &Bound<'_, PyDict>, to: S) -> Result<S::Ok, S::Error> {
        // A copy of the pairs: a value may be of a class whose code changes the dict.
        let pairs: Vec<_> = dict.iter().take(BYTES_MAX / 4).collect();
        let mut to = to.serialize_map(None)?;
        for (key, value) in &pairs {
            if self.is_full() {
                to.serialize_entry("$large", "dict")?;
                break;
            }
            self.key(key, &mut to)?;
            to.serialize_value(&self.of(value))?;
        }
        to.end()
    }

    /// A key is text; others are named as JSON would name them.
    fn key<M: SerializeMap>(&self, key: &Bound<'_, PyAny>, to: &mut M) -> Result<(), M::Error> {
        if let Ok(text) = key.cast::<PyString>() {
            self.key_of(&self.characters(text), to)
        } else if key.is_none() {
            self.key_of("null", to)
        } else if let Ok(boolean) = key.cast_exact::<PyBool>() {
            self.key_of(if boolean.is_true() { "true" } else { "false" }, to)
        } else if let Ok(number) = key.extract::<i64>() {
            self.key_of(&number.to_string(), to)
        } else {
            match key.str() {
                Ok(text) => self.key_of(&self.characters(&text), to),
                Err(error) => {
                    self.failed(key.py(), &error);
                    self.count("unreadable");
                    self.key_of("$unreadable", to)
                }
            }
        }
    }

    fn key_of<M: SerializeMap>(&self, name: &str, to: &mut M) -> Result<(), M::Error> {
        self.wrote_text(name);
        to.serialize_key(name)
    }

    /// A list may be changed by the code of its members; so it is asked anew for each.
    fn list<S: Serializer>(&self, list: &Bound<'_, PyList>, to: S) -> Result<S::Ok, S::Error> {
        let mut next = 0;
        let items = std::iter::from_fn(|| {
            let item = list.get_item(next).ok();
            next += 1;
            item
        });
        self.array(items, to)
    }

    fn array<'py, S: Serializer>(
        &self,
        values: impl Iterator<Item = Bound<'py, PyAny>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let mut to = to.serialize_seq(None)?;
        for value in values {
            if self.is_full() {
                to.serialize_element(&Large(self, &value))?;
                break;
            }
            to.serialize_element(&self.of(&value))?;
        }
        to.end()
    }

    /// The members of a set, in an order that does not change from run to run.
    fn in_order<'py, S: Serializer>(
        &self,
        values: impl Iterator<Item = Bound<'py, PyAny>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        // A copy: the code of a member may change the set.
        let values: Vec<_> = values.take(BYTES_MAX / 2).collect();
        let mut members = Vec::with_capacity(values.len());
        for value in &values {
            if self.is_full() {
                break;
            }
            members.push(serde_json::value::to_raw_value(&self.of(value)).map_err(S::Error::custom)?);
        }
        members.sort_unstable_by(|left, right| left.get().cmp(right.get()));
        to.collect_seq(members)
    }

    /// What is none of the plain types: the Python part takes it apart by one level.
    fn other<S: Serializer>(&self, value: &Bound<'_, PyAny>, to: S) -> Result<S::Ok, S::Error> {
        let py = value.py();
        let taken = plain(py).and_then(|plain| plain.call1((value,)));
        match taken {
            Ok(taken) if taken.is(value) => self.note("$repr", value, to),
            Ok(taken) => self.nested(value, to, |to| self.of(&taken).serialize(to)),
            Err(error) => {
                self.failed(py, &error);
                let name = if error.is_instance_of::<PyRecursionError>(py) { "$deep" } else { "$unreadable" };
                self.count("unreadable");
                self.note(name, value, to)
            }
        }
    }

    /// Stands for a value that cannot be written.
    fn note<S: Serializer>(&self, name: &str, value: &Bound<'_, PyAny>, to: S) -> Result<S::Ok, S::Error> {
        let said = match name {
            "$repr" => value.repr().inspect_err(|error| self.failed(value.py(), error)).map(|text| lossy(&text)).ok(),
            _ => None,
        };
        let kind = || value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        let said: String = said.unwrap_or_else(kind).chars().take(500).collect();
        self.wrote(2);
        self.wrote_text(name);
        self.wrote_text(&said);
        to.collect_map([(name, said)])
    }
}

/// Bytes of a number as JSON, at most, with what stands after it.
const FLOAT_BYTES_MAX: usize = 25;
const INT_BYTES_MAX: usize = 21;

/// The same of this number.
fn int_bytes(number: i64) -> usize {
    let more_digits = number.unsigned_abs().checked_ilog10().unwrap_or_default() as usize;
    2 + more_digits + usize::from(number < 0)
}

/// Bytes that escapes add to a text.
fn escape_bytes(text: &str) -> usize {
    let added = |byte: u8| match byte {
        b'"' | b'\\' | 0x08 | b'\t' | b'\n' | 0x0c | b'\r' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.bytes().map(added).sum()
}

/// A value of Python as JSON.
pub(crate) struct Json<'a, 'py, 'c> {
    value: &'a Bound<'py, PyAny>,
    writing: &'a Writing<'c>,
}

impl Serialize for Json<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { value, writing } = *self;
        if let Ok(text) = value.cast_exact::<PyString>() {
            writing.string(text, to)
        } else if value.is_none() {
            writing.wrote(5);
            to.serialize_unit()
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            writing.float(number.value(), to)
        } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
            writing.wrote(6);
            to.serialize_bool(boolean.is_true())
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            writing.int(number, to)
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            writing.nested(value, to, |to| writing.dict(dict, to))
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            writing.nested(value, to, |to| writing.list(list, to))
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            writing.nested(value, to, |to| writing.array(tuple.iter(), to))
        } else {
            self.derived(to)
        }
    }
}

impl Json<'_, '_, '_> {
    /// What is derived from a plain type counts as what it stores; its own code is not asked.
    fn derived<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { value, writing } = *self;
        if let Ok(text) = value.cast::<PyString>() {
            writing.string(text, to)
        } else if let Ok(number) = value.cast::<PyInt>() {
            writing.int(number, to)
        } else if let Ok(number) = value.cast::<PyFloat>() {
            writing.float(number.value(), to)
        } else if let Ok(dict) = value.cast::<PyDict>() {
            writing.nested(value, to, |to| writing.dict(dict, to))
        } else if let Ok(list) = value.cast::<PyList>() {
            writing.nested(value, to, |to| writing.list(list, to))
        } else if let Ok(set) = value.cast_exact::<PySet>() {
            writing.nested(value, to, |to| writing.in_order(set.iter(), to))
        } else if let Ok(set) = value.cast_exact::<PyFrozenSet>() {
            writing.nested(value, to, |to| writing.in_order(set.iter(), to))
        } else {
            writing.other(value, to)
        }
    }
}

/// Stands for the rest of an array, from this value on.
struct Large<'a, 'py, 'c>(&'a Writing<'c>, &'a Bound<'py, PyAny>);

impl Serialize for Large<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.note("$large", self.1, to)
    }
}
