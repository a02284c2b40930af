//! Arguments of recording calls as fields of commands. What is wrong with one refuses the call, by reason.

use accredit_model::{ActionId, JsonObject, Payload, RefusalReason, Timestamp, Usage};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::convert::{Counting, Json, Writing};
use crate::text::{utf8, utf8_or_lossy};

/// An argument that may be left out.
pub(crate) type Arg<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

fn given<'a, 'py>(value: Arg<'a, 'py>) -> Arg<'a, 'py> {
    value.filter(|value| !value.is_none())
}

/// Text; what is no text by its `str`.
pub(crate) fn text(core: &impl Counting, value: Arg<'_, '_>) -> Option<String> {
    given(value).map(|value| one_text(core, value))
}

pub(crate) fn one_text(core: &impl Counting, value: &Bound<'_, PyAny>) -> String {
    let owned = |text: &Bound<'_, PyString>| utf8_or_lossy(text, || core.count("lone_surrogates")).into_owned();
    if let Ok(text) = value.cast::<PyString>() {
        return owned(text);
    }
    core.count("not_text");
    match value.str() {
        Ok(text) => owned(&text),
        Err(_) => {
            core.count("unreadable");
            value.get_type().name().map_or_else(|_| "object".to_owned(), |name| format!("<{name}>"))
        }
    }
}

/// A number.
pub(crate) fn number(value: Arg<'_, '_>) -> Result<Option<f64>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    let number = if let Ok(number) = value.cast_exact::<PyFloat>() {
        number.value()
    } else if value.is_instance_of::<PyBool>() {
        return Err(RefusalReason::InvalidNumber);
    } else {
        value.extract::<f64>().map_err(|_| RefusalReason::InvalidNumber)?
    };
    if number.is_finite() { Ok(Some(number)) } else { Err(RefusalReason::InvalidNumber) }
}

/// A whole number that is not negative.
pub(crate) fn count(value: Arg<'_, '_>) -> Result<Option<u64>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return number.extract::<u64>().map(Some).map_err(|_| RefusalReason::InvalidField);
    }
    match number(Some(value))? {
        Some(number) if number >= 0.0 && number.fract() == 0.0 && number < 2e15 => Ok(Some(number as u64)),
        _ => Err(RefusalReason::InvalidField),
    }
}

/// True or false.
pub(crate) fn boolean(value: Arg<'_, '_>) -> Result<Option<bool>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    if let Ok(boolean) = value.cast_exact::<PyBool>() {
        return Ok(Some(boolean.is_true()));
    }
    if value.is_instance_of::<PyString>() {
        return Err(RefusalReason::InvalidField);
    }
    value.is_truthy().map(Some).map_err(|_| RefusalReason::InvalidField)
}

/// Has a value serialised; one that is nested too deep is refused.
fn written<T>(
    core: &impl Counting,
    value: &Bound<'_, PyAny>,
    write: impl FnOnce(&Json<'_, '_, '_>) -> Result<T, serde_json::Error>,
) -> Result<T, RefusalReason> {
    let writing = Writing::new(Some(core));
    let written = write(&writing.of(value));
    writing.end();
    written.ok().filter(|_| !writing.is_deep()).ok_or(RefusalReason::TooDeep)
}

/// Any JSON.
pub(crate) fn payload(core: &impl Counting, value: Arg<'_, '_>) -> Result<Option<Payload>, RefusalReason> {
    given(value).map(|value| written(core, value, |json| Payload::from_value(json))).transpose()
}

/// A JSON object. What is none is put under `value`.
pub(crate) fn object(core: &impl Counting, value: Arg<'_, '_>) -> Result<Option<JsonObject>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    Ok(Some(match written(core, value, |json| serde_json::to_value(json))? {
        serde_json::Value::Object(object) => object,
        other => {
            core.count("not_an_object");
            JsonObject::from_iter([("value".to_owned(), other)])
        }
    }))
}

/// Texts of one list: a generator may have no end.
const TEXTS_MAX: usize = 10_000;

/// A list of texts; a single text is a list of one.
pub(crate) fn texts(core: &impl Counting, value: Arg<'_, '_>) -> Result<Option<Vec<String>>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    if value.is_instance_of::<PyString>() {
        return Ok(Some(vec![one_text(core, value)]));
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return Ok(Some(list.iter().map(|text| one_text(core, &text)).collect()));
    }
    let items = value.try_iter().map_err(|_| RefusalReason::InvalidField)?;
    let mut texts = Vec::new();
    for item in items {
        if texts.len() >= TEXTS_MAX {
            return Err(RefusalReason::InvalidField);
        }
        texts.push(one_text(core, &item.map_err(|_| RefusalReason::InvalidField)?));
    }
    Ok(Some(texts))
}

/// An action's id: text, a `UUID`, or something with an `id`.
pub(crate) fn id(core: &impl Counting, value: Arg<'_, '_>) -> Result<Option<ActionId>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    one_id(core, value).map(Some)
}

pub(crate) fn one_id(core: &impl Counting, value: &Bound<'_, PyAny>) -> Result<ActionId, RefusalReason> {
    let parse = |text: &str| text.parse().map_err(|_| RefusalReason::InvalidId);
    if let Ok(text) = value.cast::<PyString>() {
        return parse(&utf8(text).map_err(|_| RefusalReason::InvalidId)?);
    }
    match value.getattr("id") {
        Ok(id) => parse(&one_text(core, &id)),
        Err(_) => value.str().map_err(|_| RefusalReason::InvalidId).and_then(|text| parse(&text.to_string_lossy())),
    }
}

/// A time: seconds since 1970, RFC 3339, or a `datetime`.
pub(crate) fn time(value: Arg<'_, '_>) -> Result<Option<Timestamp>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_string_lossy().parse().map(Some).map_err(|_| RefusalReason::InvalidField);
    }
    let seconds = match value.call_method0("timestamp") {
        Ok(seconds) => seconds,
        Err(_) => value.clone(),
    };
    let seconds = number(Some(&seconds))?.ok_or(RefusalReason::InvalidField)?;
    Timestamp::from_seconds(seconds).map(Some).ok_or(RefusalReason::InvalidField)
}

/// What a step cost: a dict with accredit's names or those of OpenAI's API; other keys are left out.
pub(crate) fn usage(value: Arg<'_, '_>) -> Result<Option<Usage>, RefusalReason> {
    let Some(value) = given(value) else { return Ok(None) };
    let get = |names: [&str; 2]| -> Result<Option<Bound<'_, PyAny>>, RefusalReason> {
        for name in names {
            let found = match value.cast::<PyDict>() {
                Ok(dict) => dict.get_item(name).map_err(|_| RefusalReason::InvalidField)?,
                Err(_) => value.getattr(name).ok(),
            };
            if let Some(found) = found.filter(|found| !found.is_none()) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    Ok(Some(Usage {
        input_tokens: count(get(["input_tokens", "prompt_tokens"])?.as_ref())?,
        output_tokens: count(get(["output_tokens", "completion_tokens"])?.as_ref())?,
        cost_usd: number(get(["cost_usd", "cost"])?.as_ref())?,
        latency_ms: number(get(["latency_ms", "latency"])?.as_ref())?,
    }))
}
