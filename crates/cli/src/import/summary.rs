//! What became of an import.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde::Serialize;

use crate::source::Refused;
use crate::text;

/// Refusals that are shown one by one; the rest is counted by reason.
const SHOWN: usize = 10;

/// Where in which file something stood.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: Rc<str>,
    unit: Unit,
    number: u64,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Line,
    Item,
}

impl Place {
    pub(super) fn line(file: &Rc<str>, number: u64) -> Self {
        Self { file: Rc::clone(file), unit: Unit::Line, number }
    }

    pub(super) fn item(file: &Rc<str>, number: u64) -> Self {
        Self { file: Rc::clone(file), unit: Unit::Item, number }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Line => write!(f, "{}:{}", self.file, self.number),
            Unit::Item => write!(f, "{} item {}", self.file, self.number),
        }
    }
}

/// The counts of an import; `--json` prints it as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Actions that are new.
    pub(super) actions: u64,
    /// Steps stored.
    pub(super) steps: u64,
    /// Observations stored.
    pub(super) observations: u64,
    /// Actions completed or cancelled.
    pub(super) closed: u64,
    /// Actions that were there before.
    pub(super) actions_repeated: u64,
    /// Other commands that had been carried out before.
    pub(super) repeated: u64,
    /// Commands, lines and items that were refused.
    pub(super) refused: u64,
    /// The same by reason.
    pub(super) refused_by_reason: BTreeMap<String, u64>,
    /// The first of them.
    pub(super) first_refused: Vec<Shown>,
}

/// One refusal, to look up in the file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<u64>,
    reason: String,
    detail: String,
    #[serde(skip)]
    place: String,
}

impl Summary {
    pub(super) fn refuse(&mut self, place: Place, refused: Refused) {
        self.refused += 1;
        *self.refused_by_reason.entry(refused.reason.clone()).or_default() += 1;
        if self.first_refused.len() < SHOWN {
            let (line, item) = match place.unit {
                Unit::Line => (Some(place.number), None),
                Unit::Item => (None, Some(place.number)),
            };
            let Refused { reason, detail } = refused;
            let file = place.file.to_string();
            self.first_refused.push(Shown { file, line, item, reason, detail, place: place.to_string() });
        }
    }

    /// The summary line, and the refusals below it.
    pub(super) fn page(&self, place: &str) -> String {
        let mut parts = vec![
            text::count(self.actions, "action"),
            text::count(self.steps, "step"),
            text::count(self.observations, "observation"),
        ];
        if self.actions_repeated + self.repeated > 0 {
            let entries = text::count(self.repeated, "other command");
            parts.push(format!("there before: {} and {entries}", text::count(self.actions_repeated, "action")));
        }
        if self.refused > 0 {
            parts.push(format!("{} refused", text::grouped(self.refused)));
        }
        let mut page = format!("imported into {place}: {}\n", parts.join(", "));
        for shown in &self.first_refused {
            let detail = text::line(&shown.detail, 200);
            page.push_str(&format!("  {}: {}: {detail}\n", shown.place, shown.reason));
        }
        if self.refused > self.first_refused.len() as u64 {
            let reasons = self.refused_by_reason.iter().map(|(reason, n)| format!("{reason} {}", text::grouped(*n)));
            page.push_str(&format!("  in all: {}\n", reasons.collect::<Vec<_>>().join(", ")));
        }
        page
    }
}
