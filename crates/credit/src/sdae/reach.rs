//! Which chosen columns the steps of one action can be part of.

use std::collections::HashMap;
use std::ops::Range;

use super::Sdae;
use super::columns::{ALWAYS, ANYWHERE, AT_END, aspects, bucket, first};
use crate::keys::combine;
use crate::mixed::BuildMixed;
use crate::{Sample, SampleStep};

/// A chosen column that a feature is part of, with the feature's sign.
#[derive(Clone, Copy, Debug)]
struct Part {
    column: usize,
    sign: f64,
}

/// What each feature of an action is part of, found out once for each position, where
/// [`contexts`](super::columns::contexts) asks again at every step. Few columns are chosen, so that most features are part
/// of none, and most steps need no policy.
///
/// O(distinct features · log(steps)) to find out, then O(parts) a step.
pub(super) struct Reach<'a> {
    model: &'a Sdae,
    sample: &'a Sample,
    /// Where the action is, and the positions that hold there.
    place: Option<(u64, bool)>,
    positions: Vec<u64>,
    parts: Vec<Part>,
    of_features: HashMap<u64, Range<usize>, BuildMixed>,
    /// Of all features of a situation, by where they begin in the sample.
    of_situations: Vec<Option<Range<usize>>>,
    of_states: HashMap<u64, Range<usize>, BuildMixed>,
    /// What every step is part of; and what every step but the first is part of, by the first one.
    always: Range<usize>,
    first: Range<usize>,
}

impl<'a> Reach<'a> {
    pub(super) fn of(model: &'a Sdae, sample: &'a Sample) -> Self {
        Self {
            model,
            sample,
            place: None,
            positions: Vec::new(),
            parts: Vec::new(),
            of_features: HashMap::default(),
            of_situations: Vec::new(),
            of_states: HashMap::default(),
            always: 0..0,
            first: 0..0,
        }
    }

    /// Comes to a place: what holds at another one is forgotten.
    fn come_to(&mut self, place: (u64, bool)) {
        if self.place == Some(place) {
            return;
        }
        self.place = Some(place);
        self.positions.clear();
        self.positions.extend([ANYWHERE, place.0]);
        self.positions.extend(place.1.then_some(AT_END));
        self.parts.clear();
        self.of_features.clear();
        self.of_situations.clear();
        self.of_states.clear();
        let (model, sample) = (self.model, self.sample);
        self.always = self.parts_of([(ALWAYS, 1.0)]);
        let features = sample.steps.iter().take(1).flat_map(|step| {
            let features = sample.features_of(step).iter().flat_map(|feature| aspects(*feature, &model.contrasts));
            features.chain([(step.state, 1.0)]).map(|(feature, sign)| (first(feature), sign))
        });
        self.first = self.parts_of(features);
    }

    /// Finds out what these features are part of, one after the other.
    fn parts_of(&mut self, features: impl IntoIterator<Item = (u64, f64)>) -> Range<usize> {
        let before = self.parts.len();
        for (feature, sign) in features {
            for position in &self.positions {
                let columns = self.model.columns.by_context.get(&combine(&[feature, *position]));
                let parts = columns.into_iter().flatten();
                self.parts.extend(parts.map(|column| Part { column: *column, sign }));
            }
        }
        before..self.parts.len()
    }

    fn find_out(&mut self, feature: u64) {
        if !self.of_features.contains_key(&feature) {
            let parts = self.parts_of(aspects(feature, &self.model.contrasts));
            self.of_features.insert(feature, parts);
        }
    }

    fn of_situation(&mut self, step: &SampleStep) -> Range<usize> {
        let start = step.features.start as usize;
        if let Some(Some(known)) = self.of_situations.get(start) {
            return known.clone();
        }
        let features = self.sample.features_of(step);
        if features.is_empty() {
            return 0..0;
        }
        features.iter().for_each(|feature| self.find_out(*feature));
        let before = self.parts.len();
        for parts in features.iter().filter_map(|feature| self.of_features.get(feature)) {
            self.parts.extend_from_within(parts.clone());
        }
        let parts = before..self.parts.len();
        if self.of_situations.len() <= start {
            self.of_situations.resize(start + 1, None);
        }
        self.of_situations[start] = Some(parts.clone());
        parts
    }

    fn of_state(&mut self, state: u64) -> Range<usize> {
        if let Some(known) = self.of_states.get(&state) {
            return known.clone();
        }
        let parts = self.parts_of([(state, 1.0)]);
        self.of_states.insert(state, parts.clone());
        parts
    }

    /// The chosen columns of one step, with their values; `name` is its state's.
    pub(super) fn hits(&mut self, at: usize, name: u64, hits: &mut Vec<(usize, f64)>) {
        let (model, sample) = (self.model, self.sample);
        if model.columns.list.is_empty() {
            return;
        }
        let step = &sample.steps[at];
        self.come_to((bucket(step.index), model.knows_end && at + 1 == sample.steps.len()));
        let (of_situation, of_state) = (self.of_situation(step), self.of_state(step.state));
        let of_first = if at > 0 { self.first.clone() } else { 0..0 };
        if [&self.always, &of_situation, &of_state, &of_first].into_iter().all(Range::is_empty) {
            return;
        }
        let state = model.policy.state(name);
        let knows_state = state.is_some_and(|state| state.n_actions >= 3);
        let of_state = if knows_state { of_state } else { 0..0 };
        for range in [self.always.clone(), of_situation, of_state, of_first] {
            for part in &self.parts[range] {
                let decision = model.columns.list[part.column].column.decision;
                let probability = model.policy.probability(step, decision, state);
                let x = part.sign * (f64::from(step.decision == decision) - probability);
                if x.abs() > 1e-9 {
                    hits.push((part.column, x));
                }
            }
        }
    }
}
