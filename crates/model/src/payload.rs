//! JSON that accredit carries and does not interpret.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object whose keys matter to scoring: an outcome, an expectation.
pub type JsonObject = serde_json::Map<String, Value>;

/// A JSON value kept as the text it came in: digits, key order and spacing are the sender's. Only line breaks, which
/// JSON has between its tokens alone, become spaces, so that whatever holds a payload can be one line.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

const LINE_BREAKS: [char; 2] = ['\n', '\r'];

impl Payload {
    /// Checks that the text is JSON and wraps it.
    ///
    /// # Errors
    /// When the text is not exactly one JSON value.
    pub fn from_json(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self::one_line)
    }

    /// The JSON of anything that serialises.
    ///
    /// # Errors
    /// When the value's `Serialize` fails or a map key is no string.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    fn one_line(raw: Box<RawValue>) -> Self {
        if memchr::memchr2(b'\n', b'\r', raw.get().as_bytes()).is_none() {
            return Self(raw);
        }
        // Whitespace takes the place of whitespace: in a string, JSON has no line break unescaped.
        let text = raw.get().replace(LINE_BREAKS, " ");
        Self(RawValue::from_string(text).expect("JSON stays JSON when its whitespace changes"))
    }

    /// The JSON text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The value, parsed.
    ///
    /// # Errors
    /// When a number lies outside what an `f64` holds or the nesting is deeper than 128.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(self.get())
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::one_line)
    }
}

impl From<&Value> for Payload {
    fn from(value: &Value) -> Self {
        // A `Value` has string keys and finite numbers only, and its `Display` is its JSON.
        Self(RawValue::from_string(value.to_string()).expect("a JSON value prints as JSON"))
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Payloads are private data: their size is all that a log may show.
        write!(f, "Payload({} bytes)", self.get().len())
    }
}

impl JsonSchema for Payload {
    fn schema_name() -> Cow<'static, str> {
        "Payload".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Any JSON value; an object where it matters" })
    }
}
