//! What tells the steps of an action apart.

use std::collections::BTreeMap;

/// Of an action's distinct cues the first this many in order of appearance count.
const CUES_MAX: usize = 256;

/// A measured number beyond this counts as this.
const NUMBER_MAX: f64 = 1e6;

/// How many first turns of a role are told apart.
const TURNS_TOLD_APART: usize = 4;

/// One step, as the ranker sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankedStep<'a> {
    /// Who did it.
    pub agent: &'a str,
    /// As what: a tool, a planner; the agent's name where nothing else is known.
    pub role: &'a str,
    /// Length of its text in characters.
    pub n_chars: u64,
    /// What was found in its text: words, exit codes.
    pub cues: Vec<&'a str>,
    /// What was measured of it, by name; not finite counts as not measured.
    pub numbers: Vec<(&'a str, f64)>,
}

/// A feature that is not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Feature {
    /// Hash of family and name.
    pub(super) key: u64,
    pub(super) value: f64,
    /// Whether its weight is penalised twice as much: what other features of a finer kind say as well.
    pub(super) is_coarse: bool,
}

/// The features of each step, in an order that depends on the steps alone.
///
/// * Position: index, relative position and its square, distance from the end, flags of the first and last three.
/// * Turns: which turn of its agent and of its role this is, whether the same agent acts before and after.
/// * Agent: its share of the steps, the mean length of its texts, whether it begins or ends the action.
/// * Role: its name, and the words of its name, which carry over to roles never seen.
/// * Text: length and measured numbers here, before and after.
/// * Cues: here, first and last time; one step before, one after (and whether for the first time), two after; any later.
/// * Drift: per cue that occurs anywhere, the relative position, so that actions with it lean to earlier or later steps.
pub(super) fn features(steps: &[RankedStep<'_>]) -> Vec<Vec<Feature>> {
    let survey = Survey::of(steps);
    (0..steps.len())
        .map(|step_idx| {
            let mut row = Row { survey: &survey, steps, step_idx, features: Vec::new() };
            row.add_position();
            row.add_turns();
            row.add_roles();
            row.add_text();
            row.add_cues();
            row.features
        })
        .collect()
}

/// Per step, which agent did it; agents numbered in order of appearance.
pub(super) fn agent_indices(steps: &[RankedStep<'_>]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    steps.iter().map(|step| *numbered(&mut known, step.agent)).collect()
}

/// FNV-1a, 64 bits (Fowler, Noll & Vo, "The FNV Non-Cryptographic Hash Algorithm", 2012), a byte between the parts.
pub(super) fn key(parts: &[&str]) -> u64 {
    let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    parts.iter().fold(0xcbf2_9ce4_8422_2325, |state, part| mix(part.bytes().fold(state, mix), 0xff))
}

fn numbered<'m, 'a>(known: &'m mut BTreeMap<&'a str, usize>, name: &'a str) -> &'m usize {
    let next = known.len();
    known.entry(name).or_insert(next)
}

/// What has to be known of the whole action.
struct Survey<'a> {
    /// Per cue, its first and its last step.
    cues: BTreeMap<&'a str, (usize, usize)>,
    /// Per step, its cues, each once.
    of_steps: Vec<Vec<&'a str>>,
    agents: Vec<Turns>,
    agent_of: Vec<usize>,
    /// Per step, how often its agent and its role had acted before.
    agent_turn: Vec<usize>,
    role_turn: Vec<usize>,
}

/// What one agent did.
#[derive(Clone, Default)]
struct Turns {
    n: usize,
    first_idx: usize,
    last_idx: usize,
    ln_chars: f64,
}

impl<'a> Survey<'a> {
    fn of(steps: &[RankedStep<'a>]) -> Self {
        let agent_of = agent_indices(steps);
        let mut agents = vec![Turns::default(); agent_of.iter().max().map_or(0, |last| last + 1)];
        let mut cues: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
        let mut survey = Self {
            cues: BTreeMap::new(),
            of_steps: Vec::new(),
            agents: Vec::new(),
            agent_turn: Vec::new(),
            role_turn: Vec::new(),
            agent_of,
        };
        for (step_idx, step) in steps.iter().enumerate() {
            let agent = &mut agents[survey.agent_of[step_idx]];
            survey.agent_turn.push(agent.n);
            if agent.n == 0 {
                agent.first_idx = step_idx;
            }
            agent.n += 1;
            agent.last_idx = step_idx;
            agent.ln_chars += ln_chars(step);
            let role = roles.entry(step.role).or_default();
            survey.role_turn.push(*role);
            *role += 1;
            let mut own = step.cues.clone();
            own.sort_unstable();
            own.dedup();
            own.retain(|cue| {
                if cues.len() < CUES_MAX || cues.contains_key(cue) {
                    cues.entry(cue).or_insert((step_idx, step_idx)).1 = step_idx;
                }
                cues.contains_key(cue)
            });
            survey.of_steps.push(own);
        }
        Self { cues, agents, ..survey }
    }
}

/// The features of one step, as they come together.
struct Row<'s, 'a> {
    survey: &'s Survey<'a>,
    steps: &'s [RankedStep<'a>],
    step_idx: usize,
    features: Vec<Feature>,
}

impl<'a> Row<'_, 'a> {
    fn add(&mut self, name: &[&str], value: f64) {
        if value != 0.0 && value.is_finite() {
            let value = value.clamp(-NUMBER_MAX, NUMBER_MAX);
            self.features.push(Feature { key: key(name), value, is_coarse: false });
        }
    }

    fn add_coarse(&mut self, name: &[&str], value: f64) {
        self.add(name, value);
        if let Some(last) = self.features.last_mut().filter(|last| last.key == key(name)) {
            last.is_coarse = true;
        }
    }

    fn flag(&mut self, name: &[&str], is_so: bool) {
        self.add(name, f64::from(u8::from(is_so)));
    }

    fn before(&self) -> Option<&RankedStep<'a>> {
        self.step_idx.checked_sub(1).and_then(|before| self.steps.get(before))
    }

    fn after(&self) -> Option<&RankedStep<'a>> {
        self.steps.get(self.step_idx + 1)
    }

    /// In [0, 1]; 0 in an action of one step.
    fn relative(&self) -> f64 {
        self.step_idx as f64 / (self.steps.len() - 1).max(1) as f64
    }

    fn add_position(&mut self) {
        let from_end = self.steps.len() - 1 - self.step_idx;
        for (flag, k) in [("0", 0), ("1", 1), ("2", 2)] {
            self.flag(&["begin", flag], self.step_idx == k);
            self.flag(&["end", flag], from_end == k);
        }
        self.add(&["begin", "ln"], (self.step_idx as f64).ln_1p());
        self.add(&["end", "ln"], (from_end as f64).ln_1p());
        self.add(&["relative"], self.relative());
        self.add(&["relative", "squared"], self.relative().powi(2));
    }

    fn add_turns(&mut self) {
        let turn = self.survey.agent_turn[self.step_idx];
        let agent = self.survey.agents[self.survey.agent_of[self.step_idx]].clone();
        let own = self.steps[self.step_idx].agent;
        for (flag, k) in [("0", 0), ("1", 1), ("2", 2)] {
            self.flag(&["turn", flag], turn == k);
        }
        self.add(&["turn", "ln"], (turn as f64).ln_1p());
        self.flag(&["turn", "last"], turn + 1 == agent.n);
        self.flag(&["turn", "goes on"], self.before().is_some_and(|before| before.agent == own));
        self.flag(&["turn", "will go on"], self.after().is_some_and(|after| after.agent == own));
        self.add(&["agent", "share"], agent.n as f64 / self.steps.len() as f64);
        self.add(&["agent", "ln n"], (agent.n as f64).ln());
        self.add(&["agent", "ln chars"], agent.ln_chars / agent.n as f64);
        self.flag(&["agent", "begins"], agent.first_idx == 0);
        self.flag(&["agent", "ends"], agent.last_idx + 1 == self.steps.len());
        let difference = ln_chars(&self.steps[self.step_idx]) - agent.ln_chars / agent.n as f64;
        self.add(&["chars", "unlike agent"], difference);
    }

    fn add_roles(&mut self) {
        let role = self.steps[self.step_idx].role;
        let turn = self.survey.role_turn[self.step_idx];
        self.flag(&["role", role], true);
        words(role).iter().for_each(|word| self.flag(&["role word", word], true));
        if turn < TURNS_TOLD_APART {
            self.flag(&["role turn", role, ["0", "1", "2", "3"][turn]], true);
        }
        self.add(&["role turn", role, "ln"], (turn as f64).ln_1p());
    }

    fn add_text(&mut self) {
        let steps = self.steps;
        let step = &steps[self.step_idx];
        self.add(&["chars", "ln"], ln_chars(step));
        self.flag(&["chars", "none"], step.n_chars == 0);
        self.add(&["cues", "n"], self.survey.of_steps[self.step_idx].len() as f64);
        self.add(&["chars", "before"], self.before().map_or(0.0, ln_chars));
        self.add(&["chars", "after"], self.after().map_or(0.0, ln_chars));
        let around = [
            ("here", Some(step)),
            ("before", self.step_idx.checked_sub(1).map(|idx| &steps[idx])),
            ("after", steps.get(self.step_idx + 1)),
        ];
        for (place, step) in around {
            for (name, number) in step.iter().flat_map(|step| &step.numbers) {
                self.add(&["number", place, name], *number);
            }
        }
    }

    fn add_cues(&mut self) {
        let (survey, at) = (self.survey, self.step_idx);
        for cue in &survey.of_steps[at] {
            let (first, last) = survey.cues[cue];
            self.add_coarse(&["cue", "here", cue], 1.0);
            self.flag(&["cue", "first", cue], first == at);
            self.flag(&["cue", "last", cue], last == at);
        }
        let cues_at = |idx: Option<usize>| idx.and_then(|idx| survey.of_steps.get(idx)).into_iter().flatten();
        cues_at(at.checked_sub(1)).for_each(|cue| self.flag(&["cue", "before", cue], true));
        for cue in cues_at(Some(at + 1)) {
            self.flag(&["cue", "after", cue], true);
            self.flag(&["cue", "after for the first time", cue], survey.cues[cue].0 == at + 1);
        }
        cues_at(Some(at + 2)).for_each(|cue| self.flag(&["cue", "two after", cue], true));
        let drift = self.relative() - 0.5;
        for (cue, (_, last)) in &survey.cues {
            self.flag(&["cue", "later", cue], *last > at);
            self.add_coarse(&["drift", cue], drift);
        }
    }
}

fn ln_chars(step: &RankedStep<'_>) -> f64 {
    (step.n_chars as f64).ln_1p()
}

/// The words of a name, in lower case, each once: `Data_Check`, `data check` and `DataCheck` have the same two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut in_word, mut after_lower) = (false, false);
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            if !in_word || (after_lower && letter.is_uppercase()) {
                words.push(String::new());
            }
            words.iter_mut().last().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
        (in_word, after_lower) = (letter.is_alphanumeric(), letter.is_lowercase());
    }
    words.sort_unstable();
    words.dedup();
    words
}
