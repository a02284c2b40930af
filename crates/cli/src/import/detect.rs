//! Telling formats apart by the first bytes of a file.

use std::io::{self, Cursor, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cli::ImportFormat;

/// How much of a file is looked at.
const HEAD_BYTES: u64 = 1024 * 1024;

/// How the items lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One on a line.
    Lines,
    /// Elements of one JSON array.
    Array,
    /// The whole file is one item.
    Whole,
}

/// The first bytes of a file, and where reading goes on.
pub(super) struct Head {
    bytes: Vec<u8>,
}

impl Head {
    /// Reads them.
    pub(super) fn read(input: &mut dyn Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        input.take(HEAD_BYTES).read_to_end(&mut bytes)?;
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Self { bytes })
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec() }
    }

    /// The whole file again: these bytes, then the rest.
    pub(super) fn chain(self, rest: impl Read) -> impl Read {
        Cursor::new(self.bytes).chain(rest)
    }

    /// Whether the first line that is not blank is a JSON value by itself.
    fn is_lines(&self) -> bool {
        let line = self.bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        // A line that goes on beyond the head must be one: nobody writes a megabyte before the first line break of a
        // document that is spread over lines.
        line.is_some_and(|line| {
            serde_json::from_slice::<IgnoredAny>(line).is_ok() || line.len() as u64 >= HEAD_BYTES - 64
        })
    }
}

/// What the first JSON value looks like.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// An object with these keys, as far as the head shows them.
    Object(Vec<String>),
    /// An array, and its first element.
    Array(Box<Self>),
    /// Something else.
    Other,
    /// No JSON.
    None,
}

/// Format and layout of a file. Where `format` says what it is, only the layout is looked for.
///
/// The error lists what was tried.
pub(super) fn decide(head: &Head, format: ImportFormat) -> Result<(ImportFormat, Layout), String> {
    if format == ImportFormat::Native {
        return Ok((format, Layout::Lines));
    }
    let shape = shape(&head.bytes);
    let found = match &shape {
        Shape::Object(keys) => of_keys(keys).map(|format| {
            let lines = format == ImportFormat::Native || head.is_lines();
            (format, if lines { Layout::Lines } else { Layout::Whole })
        }),
        Shape::Array(element) => match &**element {
            Shape::Object(keys) if has(keys, "role") => Some((ImportFormat::Openai, Layout::Array)),
            Shape::Object(keys) => of_keys(keys)
                .map(|format| (format, Layout::Array))
                .filter(|(format, _)| *format != ImportFormat::Native),
            Shape::Array(message) if matches!(&**message, Shape::Object(keys) if has(keys, "role")) => {
                Some((ImportFormat::Openai, Layout::Array))
            }
            _ => None,
        },
        Shape::Other | Shape::None => None,
    };
    let found = found.map(|(format, layout)| (format, list_layout(&shape, head, layout)));
    match (found, format) {
        (Some(found), ImportFormat::Auto) => Ok(found),
        (Some((_, layout)), _) => Ok((format, layout)),
        (None, ImportFormat::Auto) => Err(tried(&shape)),
        (None, _) => Ok((format, if matches!(shape, Shape::Array(_)) { Layout::Array } else { Layout::Lines })),
    }
}

/// A list of messages is one item: the whole file, or a line of it.
fn list_layout(shape: &Shape, head: &Head, layout: Layout) -> Layout {
    match shape {
        Shape::Array(element) if matches!(&**element, Shape::Object(keys) if has(keys, "role")) => {
            let lines = head.bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            if head.is_lines() && lines.take(2).count() == 2 { Layout::Lines } else { Layout::Whole }
        }
        _ => layout,
    }
}

fn has(keys: &[String], key: &str) -> bool {
    keys.iter().any(|have| have == key)
}

fn of_keys(keys: &[String]) -> Option<ImportFormat> {
    if has(keys, "op") {
        Some(ImportFormat::Native)
    } else if has(keys, "traj") || (has(keys, "task_id") && has(keys, "reward") && has(keys, "info")) {
        Some(ImportFormat::TauBench)
    } else if has(keys, "messages") {
        Some(ImportFormat::Openai)
    } else {
        None
    }
}

fn tried(shape: &Shape) -> String {
    let found = match shape {
        Shape::None => "it does not begin with JSON".to_owned(),
        Shape::Other => "it begins with a plain JSON value".to_owned(),
        Shape::Object(keys) => format!("it begins with an object of {}", named(keys)),
        Shape::Array(element) => match &**element {
            Shape::Object(keys) => format!("it begins with an array of objects of {}", named(keys)),
            _ => "it begins with an array of neither messages nor runs".to_owned(),
        },
    };
    format!(
        "{found}; tried native (lines with `op`), tau-bench (runs with `traj`), openai (lists of messages with `role`, or objects with `messages`)"
    )
}

fn named(keys: &[String]) -> String {
    const SHOWN: usize = 6;
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let shown: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`{}`", crate::text::line(key, 24))).collect();
    format!("{}{}", shown.join(", "), if keys.len() > SHOWN { ", …" } else { "" })
}

/// The shape of the first value, even where the head ends inside it.
fn shape(bytes: &[u8]) -> Shape {
    let mut found = Shape::None;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // The error at the end of the head is expected: what was seen before it counts.
    drop(Look(&mut found).deserialize(&mut json));
    found
}

struct Look<'a>(&'a mut Shape);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Shape::Object(Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            if let Shape::Object(keys) = self.0 {
                keys.push(key);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        *self.0 = Shape::Array(Box::new(Shape::Other));
        let Shape::Array(element) = self.0 else { return Ok(()) };
        seq.next_element_seed(Look(element))?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        *self.0 = Shape::Other;
        Ok(())
    }
}
