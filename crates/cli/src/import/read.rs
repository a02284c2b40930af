//! Reading items one after another: lines, elements of an array, or a whole file.

use std::io::{self, BufRead as _, BufReader, Read};

use accredit_model::Refusal;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;

use super::{LINE_BYTES_MAX, unusable};
use crate::Error;

/// A file that is one single item has at most this many bytes.
const WHOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Takes a line's number and its text, or why it has none; its error ends the reading.
pub(super) type EachLine<'a> = dyn FnMut(u64, Result<&str, Refusal>) -> Result<(), Error> + 'a;

/// Takes an element's number and the element, or why it is none; its error ends the reading.
pub(super) type EachItem<'a> = dyn FnMut(u64, Result<Value, Refusal>) -> Result<(), Error> + 'a;

/// The refusal of text that is no JSON; serde's message names the place, never the content.
pub(super) fn malformed(error: &serde_json::Error) -> Refusal {
    unusable(format!("not JSON: {error}"))
}

/// Hands every line that is not blank to `each`, with its number from 1. The outer error is the file's, the inner one
/// that of `each`.
pub(super) fn lines(input: &mut dyn Read, each: &mut EachLine<'_>) -> io::Result<Result<(), Error>> {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let answer = if line.len() > LINE_BYTES_MAX && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
            each(number, Err(unusable(format!("the line is longer than {LINE_BYTES_MAX} bytes"))))
        } else if line.trim_ascii().is_empty() {
            Ok(())
        } else {
            let text = std::str::from_utf8(line.trim_ascii());
            each(number, text.map_err(|error| unusable(format!("the line is not UTF-8: {error}"))))
        };
        if answer.is_err() {
            return Ok(answer);
        }
    }
    Ok(Ok(()))
}

/// Hands every element of the JSON array to `each`, with its number from 1, as they are read; what is no JSON is
/// handed over as a refusal, and nothing after it.
pub(super) fn array(input: &mut dyn Read, each: &mut EachItem<'_>) -> io::Result<Result<(), Error>> {
    let mut progress = Progress { each, number: 0, stopped: None };
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(256 * 1024, input));
    let result = json.deserialize_seq(&mut progress).and_then(|()| json.end());
    match (progress.stopped.take(), result) {
        (Some(error), _) => Ok(Err(error)),
        (None, Ok(())) => Ok(Ok(())),
        (None, Err(error)) if error.is_io() => Err(error.into()),
        (None, Err(error)) => Ok((progress.each)(progress.number + 1, Err(malformed(&error)))),
    }
}

struct Progress<'a, 'b> {
    each: &'a mut EachItem<'b>,
    number: u64,
    stopped: Option<Error>,
}

impl<'de> Visitor<'de> for &mut Progress<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element()? {
            self.number += 1;
            if let Err(error) = (self.each)(self.number, Ok(item)) {
                self.stopped = Some(error);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// The whole input as one JSON value.
pub(super) fn whole(input: &mut dyn Read) -> io::Result<Result<Value, Refusal>> {
    let mut bytes = Vec::new();
    input.take(WHOLE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > WHOLE_BYTES_MAX {
        return Ok(Err(unusable(format!("one item of more than {WHOLE_BYTES_MAX} bytes; write one item on a line"))));
    }
    Ok(serde_json::from_slice(&bytes).map_err(|error| malformed(&error)))
}
