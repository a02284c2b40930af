//! The proof that a value went through the guard.

use accredit_model::{EntryBody, Field, Observation, Step};

/// A value that the guard has let through. Only [`Guard`](crate::Guard) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Clean<T> {
    value: T,
    truncated: Vec<Field>,
}

impl<T> Clean<T> {
    pub(crate) const fn new(value: T, truncated: Vec<Field>) -> Self {
        Self { value, truncated }
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Which of its fields were cut to their limits, each once, in the order of the type.
    #[must_use]
    pub fn truncated(&self) -> &[Field] {
        &self.truncated
    }

    /// The value and the fields that were cut.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<Field>) {
        (self.value, self.truncated)
    }
}

impl From<Clean<Step>> for Clean<EntryBody> {
    fn from(clean: Clean<Step>) -> Self {
        Self::new(EntryBody::Step(clean.value), clean.truncated)
    }
}

impl From<Clean<Observation>> for Clean<EntryBody> {
    fn from(clean: Clean<Observation>) -> Self {
        Self::new(EntryBody::Observation(clean.value), clean.truncated)
    }
}
