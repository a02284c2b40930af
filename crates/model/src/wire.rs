//! Reading wire format v1: one JSON object a command, unknown fields refused by name.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{ActionId, Begin, Cancel, Command, Completion, Observation, Refusal, RefusalReason, Revision, Step};

/// Text that is no command. The message names the field and says what was expected; it never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct WireError {
    /// The reason to count it under.
    pub reason: RefusalReason,
    /// What is wrong and where.
    pub detail: String,
}

impl WireError {
    fn new(reason: RefusalReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self { reason: error.reason, detail: error.detail }
    }
}

impl de::Error for WireError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        if text.starts_with("unknown field") {
            Self::new(RefusalReason::UnknownField, text)
        } else if text.starts_with("number out of range") {
            Self::new(RefusalReason::InvalidNumber, text)
        } else if text.starts_with("recursion limit exceeded") {
            Self::new(RefusalReason::TooDeep, "nested too deep")
        } else if text.starts_with("UUID parsing failed") {
            Self::new(RefusalReason::InvalidId, "expected a UUID")
        } else {
            Self::new(RefusalReason::InvalidField, without_values(&text))
        }
    }
}

impl Command {
    /// Reads one command from its JSON object.
    ///
    /// # Errors
    /// When the text is no JSON object, `op` is missing or unknown, a field is unknown, missing, or of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, WireError> {
        let mut fields = Fields::parse(text)?;
        let op: String = fields.take("op")?.ok_or_else(|| missing("op"))?;
        if op == "begin" {
            return fields.read::<Begin>().map(Self::Begin);
        }
        if !OPS.contains(&op.as_str()) {
            let detail = format!("unknown op; it is one of begin, {}", OPS.join(", "));
            return Err(WireError::new(RefusalReason::Malformed, detail));
        }
        let action_id: ActionId = fields.take("action_id")?.ok_or_else(|| missing("action_id"))?;
        Ok(match op.as_str() {
            "step" => Self::Step { action_id, step: fields.read::<Step>()? },
            "observe" => Self::Observe { action_id, observation: fields.read::<Observation>()? },
            "complete" => Self::Complete { action_id, completion: fields.read::<Completion>()? },
            "revise" => Self::Revise { action_id, revision: fields.read::<Revision>()? },
            "cancel" => Self::Cancel { action_id, cancel: fields.read::<Cancel>()? },
            _ => {
                fields.read::<Nothing>()?;
                Self::Heartbeat { action_id }
            }
        })
    }
}

const OPS: [&str; 6] = ["step", "observe", "complete", "revise", "cancel", "heartbeat"];

/// Reads the body of a command (a [`Begin`], [`Step`], [`Observation`], [`Completion`], [`Revision`], [`Cancel`]) from
/// its JSON object, with the same errors as [`Command::from_json`].
///
/// # Errors
/// When the text is no JSON object, or a field is unknown, missing, or of the wrong type.
pub fn body_from_json<T: DeserializeOwned>(text: &str) -> Result<T, WireError> {
    Fields::parse(text)?.read()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn missing(field: &str) -> WireError {
    WireError::new(RefusalReason::InvalidField, format!("missing field `{field}`"))
}

/// Serde's messages quote the offending value (``invalid type: string "secret", expected f64``), which may be private:
/// what stands between the kind and the expectation is left out.
fn without_values(text: &str) -> String {
    let (Some(head), Some(at)) = (text.split_once(": "), text.rfind(", expected ")) else {
        return text.to_owned();
    };
    let Some(expected) = text.get(at..) else { return text.to_owned() };
    if !head.0.starts_with("invalid ") {
        return text.to_owned();
    }
    let kind: String = head.1.chars().take_while(|c| c.is_ascii_alphabetic() || *c == ' ').collect();
    format!("{}: {}{expected}", head.0, kind.trim_end())
}

/// The fields of one JSON object, unparsed, in order.
struct Fields<'de> {
    fields: Vec<(Cow<'de, str>, &'de RawValue)>,
}

impl<'de> Fields<'de> {
    fn parse(text: &'de str) -> Result<Self, WireError> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(12);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(fields)
            }
        }

        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(Object).and_then(|fields| json.end().map(|()| fields));
        fields.map(|fields| Self { fields }).map_err(|error| {
            let detail = format!("not a JSON object: {}", without_values(&error.to_string()));
            WireError::new(RefusalReason::Malformed, detail)
        })
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, WireError> {
        let Some(index) = self.fields.iter().position(|(field, _)| field == name) else { return Ok(None) };
        let (_, raw) = self.fields.remove(index);
        T::deserialize(raw).map(Some).map_err(|error| in_field(name, &error))
    }

    fn read<T: Deserialize<'de>>(self) -> Result<T, WireError> {
        T::deserialize(FieldsDeserializer { fields: self.fields.into_iter(), current: None })
    }
}

/// A field's name; borrowed unless it holds an escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

fn in_field(name: &str, error: &serde_json::Error) -> WireError {
    let mut wire: WireError = de::Error::custom(error);
    // The position counts within the field's own value, which tells a caller nothing.
    if let Some(at) = wire.detail.rfind(" at line ") {
        wire.detail.truncate(at);
    }
    wire.detail = format!("field `{name}`: {}", wire.detail);
    wire
}

struct FieldsDeserializer<'de> {
    fields: std::vec::IntoIter<(Cow<'de, str>, &'de RawValue)>,
    current: Option<(Cow<'de, str>, &'de RawValue)>,
}

impl<'de> Deserializer<'de> for FieldsDeserializer<'de> {
    type Error = WireError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for FieldsDeserializer<'de> {
    type Error = WireError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, WireError> {
        self.current = self.fields.next();
        match &self.current {
            Some((name, _)) => seed.deserialize(de::value::StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, WireError> {
        let (name, raw) = self.current.take().ok_or_else(|| missing("value"))?;
        seed.deserialize(raw).map_err(|error| in_field(&name, &error))
    }
}
