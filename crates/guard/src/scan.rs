//! One look over the bytes of a JSON text: does it fit as it is?
//!
//! The text is valid JSON, which whoever made the payload has checked; with other text the answer means nothing.

use crate::Limits;
use crate::limits::JSON_DEPTH_MOST;

/// What is to be done with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Nothing: it is within every limit.
    Whole,
    /// Something in it may be too long.
    Rewrite,
    /// Refuse it.
    TooDeep,
}

/// How deep JSON may be; bounded even under limits that were not validated, because a parser recurses over it.
pub(crate) fn depth_max(limits: &Limits) -> usize {
    limits.json_depth_max.min(JSON_DEPTH_MOST)
}

/// Whether `text` is within the limits. Linear in its bytes, no allocation.
pub(crate) fn fit(text: &str, limits: &Limits) -> Fit {
    let bytes_max = limits.json_bytes_max.min(limits.nested_json_chars_max).min(limits.string_chars_max);
    if text.len() <= bytes_max && is_flat_enough(text.as_bytes(), depth_max(limits)) {
        return Fit::Whole;
    }
    let Some(extent) = Extent::of(text.as_bytes(), depth_max(limits)) else { return Fit::TooDeep };
    // No character is shorter than a byte, so what fits in bytes fits in characters.
    let fits = text.len() <= limits.json_bytes_max
        && extent.string_bytes <= limits.string_chars_max
        && extent.nested_bytes <= limits.nested_json_chars_max;
    if fits { Fit::Whole } else { Fit::Rewrite }
}

/// A text shorter than every limit needs only its brackets counted: there are at least as many as levels. No branch
/// depends on the bytes, so the compiler takes sixteen or more at a time.
fn is_flat_enough(bytes: &[u8], depth_max: usize) -> bool {
    // A block's count fits the one byte that keeps the vectors full. `[` and `{` differ in the bit 0x20 alone.
    let opened = bytes
        .chunks(255)
        .map(|block| usize::from(block.iter().fold(0_u8, |opened, byte| opened + u8::from(byte | 0x20 == b'{'))));
    opened.sum::<usize>() <= depth_max
}

/// The measures of a JSON text, escapes counted as they are written.
#[derive(Debug, Default)]
struct Extent {
    string_bytes: usize,
    nested_bytes: usize,
}

impl Extent {
    /// `None` where it is deeper than `depth_max`.
    fn of(bytes: &[u8], depth_max: usize) -> Option<Self> {
        let mut extent = Self::default();
        let (mut at, mut depth, mut nested_from) = (0, 0_usize, 0);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    let end = string_end(bytes, at);
                    extent.string_bytes = extent.string_bytes.max((end - at).saturating_sub(2));
                    at = end;
                    continue;
                }
                b'{' | b'[' => {
                    if depth == 1 {
                        nested_from = at;
                    }
                    depth += 1;
                    if depth > depth_max {
                        return None;
                    }
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 1 {
                        extent.nested_bytes = extent.nested_bytes.max(at + 1 - nested_from);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Some(extent)
    }
}

/// The position after the closing quote of the string that opens at `at`.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
