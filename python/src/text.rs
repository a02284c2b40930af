//! The characters of Python's texts.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// The text as UTF-8. The interpreter lends its own where it can: a copy of each short text would take most of the time of
/// recording a state.
///
/// # Errors
/// When it holds lone surrogates.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match lent::utf8(text) {
        Some(text) => text.map(Cow::Borrowed),
        None => text.to_cow(),
    }
}

/// The same for any text; where it holds lone surrogates that is said, and each is U+FFFD.
pub(crate) fn utf8_or_lossy<'a>(text: &'a Bound<'_, PyString>, say_lone: impl FnOnce()) -> Cow<'a, str> {
    utf8(text).unwrap_or_else(|_| {
        say_lone();
        lossy(text).into()
    })
}

/// Text with U+FFFD for each lone surrogate.
pub(crate) fn lossy(text: &Bound<'_, PyString>) -> String {
    if let Ok(text) = utf8(text) {
        return text.into_owned();
    }
    let encoded = text.call_method1("encode", ("utf-16-le", "surrogatepass"));
    match encoded.and_then(|bytes| bytes.extract::<Vec<u8>>()) {
        Ok(bytes) => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        Err(_) => text.to_string_lossy().into_owned(),
    }
}

/// `PyUnicode_AsUTF8AndSize` is part of Python's stable interface since 3.10 and the package is built for 3.9, so it is
/// asked for when it runs.
#[cfg(unix)]
mod lent {
    use std::ffi::c_char;
    use std::sync::OnceLock;

    use pyo3::ffi::{Py_ssize_t, PyObject, PyUnicode_GetLength};
    use pyo3::prelude::*;
    use pyo3::types::PyString;

    /// Characters of a text that is lent at most. The interpreter keeps the UTF-8 of what is not ASCII as long as the text
    /// lives, and the agent's large texts should not take twice the memory for having been recorded.
    const LENT_MAX: Py_ssize_t = 4_096;

    type AsUtf8AndSize = unsafe extern "C" fn(*mut PyObject, *mut Py_ssize_t) -> *const c_char;

    fn find(py: Python<'_>) -> Option<AsUtf8AndSize> {
        if py.version_info() < (3, 10) {
            return None;
        }
        #[expect(unsafe_code, reason = "it looks a name up among what is loaded")]
        // SAFETY: the name ends with a NUL. What it stands for has had this signature since Python 3.3.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"PyUnicode_AsUTF8AndSize".as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, AsUtf8AndSize>(found))
        }
    }

    /// `None` where the interpreter has no such function, and for large texts.
    pub(super) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<PyResult<&'a str>> {
        static FOUND: OnceLock<Option<AsUtf8AndSize>> = OnceLock::new();
        let as_utf8_and_size = (*FOUND.get_or_init(|| find(text.py())))?;
        let mut n_bytes = 0;
        #[expect(unsafe_code, reason = "pyo3 offers it where it is built for 3.10 and later alone")]
        // SAFETY: `text` is a text, and the interpreter's lock is held. Where no error is raised the bytes are UTF-8, and
        // they live, unchanged, as long as the text, which `'a` does not outlive.
        let bytes = unsafe {
            if PyUnicode_GetLength(text.as_ptr()) > LENT_MAX {
                return None;
            }
            let bytes = as_utf8_and_size(text.as_ptr(), &raw mut n_bytes);
            if bytes.is_null() {
                return Some(Err(PyErr::fetch(text.py())));
            }
            std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(n_bytes).unwrap_or_default())
        };
        #[expect(unsafe_code, reason = "checking each text again would cost what is saved")]
        // SAFETY: see above.
        Some(Ok(unsafe { std::str::from_utf8_unchecked(bytes) }))
    }
}

#[cfg(not(unix))]
mod lent {
    use pyo3::prelude::*;
    use pyo3::types::PyString;

    /// Here nothing is looked up.
    pub(super) const fn utf8<'a>(_: &'a Bound<'_, PyString>) -> Option<PyResult<&'a str>> {
        None
    }
}
