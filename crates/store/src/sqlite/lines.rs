//! Lines of an append: parted where they are too long for one chunk, and without those that were refused.

use std::mem;

use crate::{Append, EntryAnswer};

/// Parts of `bytes_max` at most, each a run of whole lines; a line that alone is longer is a part of its own.
pub(super) fn parts(mut append: Append, bytes_max: usize) -> Vec<Append> {
    let (lines, marks) = (mem::take(&mut append.lines), mem::take(&mut append.marks));
    let mut parts: Vec<Append> = Vec::new();
    let mut start = 0;
    for mut mark in marks {
        let line = lines.get(start..mark.end).unwrap_or_default();
        start = mark.end;
        let last = parts.last_mut().filter(|part| part.lines.len() + line.len() <= bytes_max);
        let part = match last {
            Some(part) => part,
            None => parts.push_mut(append.clone()),
        };
        part.lines.extend_from_slice(line);
        mark.end = part.lines.len();
        part.marks.push(mark);
    }
    parts
}

/// The lines that were stored: all of them as they are, or those alone that were not refused.
pub(super) fn stored(append: Append, answers: &[EntryAnswer]) -> Vec<u8> {
    let is_stored = |answer: &EntryAnswer| matches!(answer, EntryAnswer::Stored { repeat: false, .. });
    if answers.iter().all(is_stored) {
        return append.lines;
    }
    let mut kept = Vec::with_capacity(append.lines.len());
    let mut start = 0;
    for (mark, answer) in append.marks.iter().zip(answers) {
        if is_stored(answer) {
            kept.extend_from_slice(append.lines.get(start..mark.end).unwrap_or_default());
        }
        start = mark.end;
    }
    kept
}
