//! Unit tests.

mod actions;
mod chains;
mod entries;
mod rows;
mod schemas;
mod times;
mod wire;

use serde::Serialize;
use serde::de::DeserializeOwned;

const ID: &str = "018f0000-0000-7000-8000-000000000000";

/// Reads the JSON, writes it again, and expects the same text.
fn check_json<T: Serialize + DeserializeOwned>(json: &str) -> T {
    let value: T = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(serde_json::to_string(&value).expect("it was read from JSON"), json);
    value
}
