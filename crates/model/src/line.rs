//! Writing the lines that the store keeps.

use crate::{EntryBody, Field, Timestamp};

/// Writes entries that were received at the same time: what their lines begin with is made once.
#[derive(Clone, Debug)]
pub struct LineWriter {
    /// After the kind: time and lateness.
    head: String,
}

impl LineWriter {
    /// A writer of entries received at this time, after their action's closing or before.
    #[must_use]
    pub fn new(recorded_at: Timestamp, late: bool) -> Self {
        let late = if late { r#","late":true"# } else { "" };
        Self { head: format!(r#","recorded_at":"{recorded_at}"{late}"#) }
    }

    /// Appends one JSON object without `seq`, ended by a line break.
    ///
    /// A number that is not finite would be written as `null`; the guard refuses those.
    ///
    /// # Errors
    /// None that these types can cause: writing to memory does not fail, and every key is a string.
    pub fn write(&self, out: &mut Vec<u8>, truncated: &[Field], body: &EntryBody) -> Result<(), serde_json::Error> {
        out.extend_from_slice(match body {
            EntryBody::Step(_) => br#"{"kind":"step""#,
            EntryBody::Observation(_) => br#"{"kind":"observation""#,
        });
        out.extend_from_slice(self.head.as_bytes());
        let start = out.len();
        match body {
            EntryBody::Step(step) => serde_json::to_writer(&mut *out, step)?,
            EntryBody::Observation(observation) => serde_json::to_writer(&mut *out, observation)?,
        }
        // Both have a field that is always there: their objects are joined to the head by their first brace.
        if let Some(brace) = out.get_mut(start) {
            *brace = b',';
        }
        if !truncated.is_empty() {
            out.pop();
            out.extend_from_slice(br#","truncated":"#);
            serde_json::to_writer(&mut *out, truncated)?;
            out.push(b'}');
        }
        out.push(b'\n');
        Ok(())
    }
}
