//! Numbers, ids and plain text.

use accredit_model::{Refusal, RefusalReason};

/// How text that is too long ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Where the limit is.
    Plain,
    /// One character before the limit, with `…` in the last place.
    Marked,
}

/// Cuts `text` to `chars_max` characters; answers whether it had more.
pub(crate) fn cut(text: &mut String, chars_max: usize, how: Cut) -> bool {
    if char_end(text, chars_max).is_none() {
        return false;
    }
    let kept_max = match how {
        Cut::Plain => chars_max,
        Cut::Marked => chars_max.saturating_sub(1),
    };
    let end = char_end(text, kept_max).unwrap_or(text.len());
    text.truncate(end);
    if how == Cut::Marked && chars_max > 0 {
        text.push('…');
    }
    true
}

/// The first `chars_max` characters of `text`, where it has more.
pub(crate) fn prefix(text: &str, chars_max: usize) -> Option<&str> {
    char_end(text, chars_max).and_then(|end| text.get(..end))
}

/// Where the first `chars_max` characters end, where there are more.
fn char_end(text: &str, chars_max: usize) -> Option<usize> {
    // No character is shorter than a byte, so most text needs no counting.
    if text.len() <= chars_max {
        return None;
    }
    text.char_indices().nth(chars_max).map(|(end, _)| end)
}

/// An id that must be there.
pub(crate) fn id(name: &str, id: &str, chars_max: usize) -> Result<(), Refusal> {
    if id.is_empty() {
        return Err(Refusal::new(RefusalReason::InvalidId, format!("field `{name}`: must not be empty")));
    }
    id_length(name, id, chars_max)
}

/// An id, whether empty or not.
pub(crate) fn id_length(name: &str, id: &str, chars_max: usize) -> Result<(), Refusal> {
    if char_end(id, chars_max).is_none() {
        return Ok(());
    }
    let detail = format!("field `{name}`: longer than {chars_max} characters; ids are not cut");
    Err(Refusal::new(RefusalReason::InvalidId, detail))
}

/// A key of decision or situation. An empty one names nothing and counts as not given.
pub(crate) fn name(name: &str, key: &mut Option<String>, chars_max: usize) -> Result<(), Refusal> {
    match key {
        Some(text) if text.is_empty() => *key = None,
        Some(text) => id_length(name, text, chars_max)?,
        None => {}
    }
    Ok(())
}

/// A client's key. An empty one would make every entry the repeat of the first, so it is refused.
pub(crate) fn idempotency_key(key: Option<&str>, chars_max: usize) -> Result<(), Refusal> {
    key.map_or(Ok(()), |key| id("idempotency_key", key, chars_max))
}

/// A number that may be anything finite.
pub(crate) fn finite(name: &str, number: Option<f64>) -> Result<(), Refusal> {
    if number.is_none_or(f64::is_finite) {
        return Ok(());
    }
    Err(Refusal::new(RefusalReason::InvalidNumber, format!("field `{name}`: must be a finite number")))
}

/// A number in [0, 1]; what lies outside is clamped.
pub(crate) fn unit(name: &str, number: Option<f64>) -> Result<Option<f64>, Refusal> {
    finite(name, number)?;
    Ok(number.map(|number| number.clamp(0.0, 1.0)))
}

/// A number that is finite and not negative.
pub(crate) fn not_negative(name: &str, number: Option<f64>) -> Result<(), Refusal> {
    finite(name, number)?;
    if number.is_some_and(|number| number < 0.0) {
        return Err(Refusal::new(RefusalReason::InvalidField, format!("field `{name}`: must not be negative")));
    }
    Ok(())
}

/// A probability of something that happened: in (0, 1].
pub(crate) fn propensity(number: Option<f64>) -> Result<(), Refusal> {
    finite("propensity", number)?;
    if number.is_some_and(|number| number <= 0.0 || number > 1.0) {
        let detail = "field `propensity`: must be greater than 0 and not greater than 1";
        return Err(Refusal::new(RefusalReason::InvalidField, detail));
    }
    Ok(())
}
