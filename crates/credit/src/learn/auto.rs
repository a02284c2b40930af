//! Choosing a method by evidence.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::model::Fitted;
use super::sample::Sample;
use super::{FitOptions, Learner, Model};
use crate::tabular::Table;
use crate::{Assessment, Episode, LearnedMethod, Method, Moments, RidgeRd, Sdae, TabularModel, TdCe};

/// Parts of the recorded actions, each held out once: three where there are many, up to ten of few, which need every
/// one to learn from.
const FOLDS: std::ops::RangeInclusive<usize> = 3..=10;
/// Trajectories that all parts together may be fitted on.
const FITTED_MAX: usize = 3_000;
/// Fewer actions teach nothing that could be held out.
const ACTIONS_MIN: usize = 6;
/// Share of held-out steps in known states from which on tables are used.
const COVERAGE_MIN: f64 = 0.5;
/// z from which on certainty equivalence is believed.
const TD_CE_Z_MIN: f64 = 1.0;
/// z from which on the others are believed.
const Z_MIN: f64 = 2.0;
/// How unlikely by chance the association must be that is believed before forecasts show it.
const P_MAX: f64 = 0.035;
/// And how unlikely it must be where forecasts show it faintly. Of a few dozen actions forecasts do so by chance in 3 of 100
/// cases; both ways together are to err in 1 of 20 at most.
const P_DOUBTED: f64 = 0.1;
/// The part of what `sdae` explains that `td_ce` must explain to be preferred. Its forecasts alone would not do: a
/// situation that tells of luck, or of what was decided long before, forecasts well and credits nothing.
const EXPLAINED_PART: f64 = 0.95;
/// The same where its forecasts, over all steps, are the better ones, and so much the less the better they are: situations
/// then say more of what is to come than decisions do, and single decisions are best compared within them.
const EXPLAINED_PART_FORECAST: f64 = 0.8;
/// And where `sdae` leaves next to nothing unexplained: then decisions alone say it, and situations add noise.
const EXPLAINED_PART_ALL: f64 = 0.99;
/// Share of held-out rewards from which on next to nothing is left.
const NEARLY_ALL: f64 = 0.95;
/// And where neither explains more, the part of the gain of `sdae`'s forecasts, over all steps, that those of `td_ce` must
/// have: who explains as much by earlier steps names the cause, and the other one what followed from it.
const FORESEEN_PART: f64 = 0.75;

/// The same where the forecasts of `td_ce` are weak, and the permutation test says whether to prefer `sdae`.
const EXPLAINED_PART_WEAK: f64 = 0.75;

/// Share of held-out rewards that `sdae` explains, below which its signal is faint.
const FAINT_MAX: f64 = 0.5;

/// Of a faint signal, the part of the gain of `td_ce`'s last forecasts below which those of `sdae` leave out most of what
/// the last situations tell. That is luck, which decisions compared within situations are free of and decisions alone are
/// not.
const TOLD_PART: f64 = 0.7;

/// Different arguments per decision, on average, from which on decisions are free-form.
const FREE_FORM_DETAILS_MIN: usize = 3;

/// What held-out actions said of one method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: String,
    /// Paired z statistic of the gain of its forecasts, after each step, over the base rate.
    pub z: f64,
    /// The same of the last forecast alone.
    pub z_final: f64,
    /// Share of the base rate's squared error that its forecasts take away, on the mean over the steps.
    pub gain: f64,
    /// The same of the last forecast alone.
    pub gain_final: f64,
    /// Paired z statistic of the gain of baseline and advantages alone.
    pub z_explained: f64,
    /// Share that baseline and advantages alone take away: what the decisions explain, without the luck that the situations show.
    pub gain_explained: f64,
}

/// Which method was chosen, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The chosen method's name.
    pub method: String,
    /// The reason, for people.
    pub reason: String,
    /// Share of held-out steps whose situation had been seen at least twice.
    pub coverage: f64,
    /// How likely the closest association of a decision with the rewards is by chance, where that was asked.
    pub p_value: Option<f64>,
    /// Trajectories that the choice rests on.
    pub n: u64,
    /// What each method showed.
    pub candidates: Vec<Candidate>,
}

/// Fits what the options ask for.
pub(super) fn fit(learner: &Learner, options: &FitOptions) -> Model {
    let samples: Vec<&Sample> = learner.samples().filter(|sample| !sample.steps.is_empty()).collect();
    let mut selection = Selection { n: samples.len() as u64, ..Selection::default() };
    let by_name = |method: LearnedMethod, is_faint: bool| match method {
        LearnedMethod::Auto => Fitted::Prior,
        LearnedMethod::TdCe => Fitted::TdCe(Box::new(TdCe::from_counts(learner.counts(), None))),
        LearnedMethod::Sdae if is_faint => Fitted::Sdae(Box::new(Sdae::fit_faint(&samples))),
        LearnedMethod::Sdae => Fitted::Sdae(Box::new(Sdae::fit(&samples))),
        LearnedMethod::RidgeRd => Fitted::RidgeRd(Box::new(RidgeRd::fit(&samples))),
        table => Table::fit(table, &samples).map_or(Fitted::Prior, |table| Fitted::Table(Box::new(table))),
    };
    let fitted = match options.method {
        _ if is_constant(&samples) => {
            "no signal: all rewards are equal".clone_into(&mut selection.reason);
            Fitted::Prior
        }
        LearnedMethod::Auto => {
            let chosen = choose(&samples, &mut selection);
            by_name(chosen, is_faint(&selection))
        }
        asked => {
            selection.reason = asked_for(asked);
            by_name(asked, false)
        }
    };
    let half_range = half_range(&samples);
    let mut model = Model { version: options.version, n_actions: learner.n_actions(), selection, half_range, fitted };
    model.selection.method = crate::CreditMethod::name(&model).to_owned();
    model
}

/// Whether `sdae` explains so little of held-out rewards that what is to be expected of a decision counts.
fn is_faint(selection: &Selection) -> bool {
    let sdae = selection.candidates.iter().find(|candidate| candidate.method == "sdae");
    sdae.is_some_and(|sdae| sdae.gain_explained < FAINT_MAX)
}

/// Why a method is used that was not chosen.
fn asked_for(method: LearnedMethod) -> String {
    let options = Method::Learned(method).options();
    let options: Vec<String> = options.iter().map(|(option, value)| format!("{option} {value}")).collect();
    if options.is_empty() {
        "it was asked for".to_owned()
    } else {
        format!("it was asked for, with {}", options.join(", "))
    }
}

fn half_range(samples: &[&Sample]) -> f64 {
    let rewards = || samples.iter().map(|sample| sample.reward);
    // Half of each first, so that the largest numbers there are do not overflow.
    let (low, high) = (rewards().fold(f64::INFINITY, f64::min), rewards().fold(f64::NEG_INFINITY, f64::max));
    (high / 2.0 - low / 2.0).max(0.0)
}

fn is_constant(samples: &[&Sample]) -> bool {
    let Some(first) = samples.first() else { return true };
    samples.iter().all(|sample| (sample.reward - first.reward).abs() <= 1e-12 * (1.0 + first.reward.abs()))
}

/// The rule, on three to ten folds. `Auto` stands for none of them.
fn choose(samples: &[&Sample], selection: &mut Selection) -> LearnedMethod {
    if samples.len() < ACTIONS_MIN {
        selection.reason = format!("{} actions are too few to compare methods on", samples.len());
        return LearnedMethod::Auto;
    }
    let ridge_rd = is_free_form(samples).then(Trial::default);
    let mut trials = Trials { ridge_rd, ..Trials::default() };
    let folds = (FITTED_MAX / samples.len()).clamp(*FOLDS.start(), *FOLDS.end());
    for fold in 0..folds {
        let is_held_out = |at: &usize| at % folds == fold;
        let part = |held_out: bool| {
            let part = samples.iter().enumerate().filter(|(at, _)| is_held_out(at) == held_out);
            part.map(|(_, sample)| *sample).collect::<Vec<&Sample>>()
        };
        trials.run(&part(false), &part(true));
    }
    selection.coverage = trials.coverage();
    let (td_ce, sdae) = (trials.td_ce.candidate("td_ce"), trials.sdae.candidate("sdae"));
    let (mut method, mut reason) = decide(selection.coverage, &td_ce, &sdae);
    // Held-out forecasts of a weak signal beat the base rate only after many actions; whether there is one shows sooner.
    let is_open = is_undecided(method, &td_ce, &sdae);
    if is_open || (method == LearnedMethod::Sdae && sdae.gain_explained < FAINT_MAX) {
        selection.p_value = Sdae::p_value(samples);
    }
    if let Some(p) = selection.p_value.filter(|p| is_open && *p <= P_MAX) {
        method = LearnedMethod::Sdae;
        reason = format!(
            "one decision goes with the rewards more closely than chance explains (p = {p:.3} by permutation), \
             though forecasts of held-out actions do not beat the base rate yet"
        );
    }
    if let Some(p) = selection.p_value.filter(|p| !is_open && *p > P_DOUBTED) {
        let none = Candidate::default();
        (method, _) = decide(selection.coverage, &td_ce, &none);
        reason = format!(
            "forecasts of sdae beat the base rate on held-out actions (z = {:.1}), but no decision goes with the rewards \
             more closely than chance explains (p = {p:.3} by permutation)",
            sdae.z.max(sdae.z_final)
        );
    }
    selection.candidates = vec![td_ce, sdae];
    if let Some(trial) = &trials.ridge_rd {
        let ridge_rd = trial.candidate("ridge_rd");
        let others = selection.candidates.iter().map(|other| other.gain_explained).fold(f64::NEG_INFINITY, f64::max);
        let z = ridge_rd.z_explained;
        if z >= Z_MIN && ridge_rd.gain_explained > others {
            method = LearnedMethod::RidgeRd;
            reason = format!(
                "decisions come with arguments of their own, and with these they explain {:.0} % of held-out rewards \
                 (z = {z:.1}; {:.0} % without)",
                ridge_rd.gain_explained * 100.0,
                others.max(0.0) * 100.0
            );
        }
        selection.candidates.push(ridge_rd);
    }
    selection.reason = reason;
    method
}

/// Whether the test is asked: where no method shows anything, and where forecasts from situations are weak and single decisions
/// explain much more.
fn is_undecided(method: LearnedMethod, td_ce: &Candidate, sdae: &Candidate) -> bool {
    let explains_much_less = td_ce.gain_explained <= EXPLAINED_PART_WEAK * sdae.gain_explained;
    // Tables whose advantages hold on held-out actions, and better than those of `sdae`, need no other method.
    let explains = td_ce.z_explained >= TD_CE_Z_MIN && td_ce.gain_explained > sdae.gain_explained;
    match method {
        LearnedMethod::Auto => true,
        // Tables that foresee the end know the situations that matter.
        LearnedMethod::TdCe if td_ce.z_final >= Z_MIN => false,
        LearnedMethod::TdCe => (td_ce.z < TD_CE_Z_MIN && !explains) || (td_ce.z < Z_MIN && explains_much_less),
        _ => false,
    }
}

/// Whether situations tell how an action ends where decisions alone say little of it, and what tables say of decisions
/// holds on held-out actions.
fn tells_luck(td_ce: &Candidate, sdae: &Candidate) -> bool {
    let foresees_end = td_ce.z_final >= Z_MIN && sdae.gain_final < TOLD_PART * td_ce.gain_final;
    foresees_end && td_ce.gain_explained > 0.0 && sdae.gain_explained < FAINT_MAX
}

/// Whether the same decision is made with different arguments: then there is more to tell apart than its key.
fn is_free_form(samples: &[&Sample]) -> bool {
    let steps = || samples.iter().flat_map(|sample| &sample.steps);
    let details: HashSet<u64> = steps().map(|step| step.detail).collect();
    let decisions: HashSet<u64> = steps().map(|step| step.decision).collect();
    details.len() >= FREE_FORM_DETAILS_MIN * decisions.len()
}

fn decide(coverage: f64, td_ce: &Candidate, sdae: &Candidate) -> (LearnedMethod, String) {
    let sdae_z = sdae.z.max(sdae.z_final);
    let is_known = coverage >= COVERAGE_MIN;
    let percent = (coverage * 100.0).round();
    let explained = |candidate: &Candidate| (candidate.gain_explained * 100.0).round().max(0.0);
    let part = if sdae.gain_explained >= NEARLY_ALL {
        EXPLAINED_PART_ALL
    } else if td_ce.gain > sdae.gain {
        EXPLAINED_PART_FORECAST * sdae.gain.max(0.0) / td_ce.gain
    } else {
        EXPLAINED_PART
    };
    let explains_less = td_ce.gain_explained <= part * sdae.gain_explained;
    let is_late =
        EXPLAINED_PART * td_ce.gain_explained <= sdae.gain_explained && td_ce.gain <= FORESEEN_PART * sdae.gain;
    let tells_luck = tells_luck(td_ce, sdae);
    let is_led = sdae_z >= Z_MIN && (explains_less || is_late) && !tells_luck;
    if is_known && (td_ce.z >= TD_CE_Z_MIN || tells_luck) && !is_led {
        let reason = format!(
            "situations recur ({percent} % of held-out steps), forecasts from them beat the base rate (z = {:.1}), and \
             decisions explain {} % of held-out rewards ({} % by sdae)",
            if tells_luck { td_ce.z_final } else { td_ce.z },
            explained(td_ce),
            explained(sdae)
        );
        return (LearnedMethod::TdCe, reason);
    }
    if sdae_z >= Z_MIN {
        let reason = format!(
            "its forecasts beat the base rate on held-out actions (z = {sdae_z:.1}), and decisions explain {} % of \
             held-out rewards ({} % by td_ce; situations recur in {percent} % of steps)",
            explained(sdae),
            explained(td_ce)
        );
        return (LearnedMethod::Sdae, reason);
    }
    if is_known {
        let reason = format!(
            "situations recur ({percent} % of held-out steps); no method forecasts better than the base rate yet"
        );
        return (LearnedMethod::TdCe, reason);
    }
    let best = sdae_z.max(td_ce.z);
    let reason = format!(
        "no method forecasts held-out actions better than the base rate (z = {best:.1} at best), so the prior stands"
    );
    (LearnedMethod::Auto, reason)
}

/// What the folds have said so far.
#[derive(Default)]
struct Trials {
    td_ce: Trial,
    sdae: Trial,
    /// Where decisions are free-form.
    ridge_rd: Option<Trial>,
    n_steps: u64,
    n_known: u64,
}

impl Trials {
    fn run(&mut self, train: &[&Sample], held_out: &[&Sample]) {
        let mean = train.iter().map(|sample| sample.reward).sum::<f64>() / train.len().max(1) as f64;
        let episodes: Vec<Episode> = train.iter().map(|sample| sample.episode()).collect();
        let (td_ce, sdae) = (TdCe::fit(&episodes), Sdae::fit(train));
        let ridge_rd = self.ridge_rd.is_some().then(|| RidgeRd::fit(train));
        let mut visits: HashMap<u64, u32> = HashMap::new();
        train.iter().flat_map(|sample| &sample.steps).for_each(|step| *visits.entry(step.state).or_default() += 1);
        for sample in held_out {
            self.n_steps += sample.steps.len() as u64;
            let is_known = |step: &&super::SampleStep| visits.get(&step.state).is_some_and(|n| *n >= 2);
            self.n_known += sample.steps.iter().filter(is_known).count() as u64;
            self.td_ce.add(sample.reward, mean, &td_ce.assess(&sample.episode()));
            self.sdae.add(sample.reward, mean, &sdae.assess(sample));
            if let (Some(trial), Some(model)) = (&mut self.ridge_rd, &ridge_rd) {
                trial.add(sample.reward, mean, &model.assess(sample));
            }
        }
    }

    fn coverage(&self) -> f64 {
        self.n_known as f64 / self.n_steps.max(1) as f64
    }
}

/// Squared errors of one method's forecasts, less those of the base rate.
#[derive(Default)]
struct Trial {
    mean: Moments,
    last: Moments,
    explained: Moments,
    base: Moments,
}

impl Trial {
    fn add(&mut self, reward: f64, base_rate: f64, assessment: &Assessment) {
        let error = |forecast: f64| (reward - forecast).powi(2);
        let base = error(base_rate);
        let n = assessment.forecast.len().max(1) as f64;
        self.base.add(base);
        self.mean.add(base - assessment.forecast.iter().map(|forecast| error(*forecast)).sum::<f64>() / n);
        self.explained.add(base - assessment.residual(reward).powi(2));
        self.last.add(base - error(assessment.forecast.last().copied().unwrap_or(base_rate)));
    }

    fn candidate(&self, method: &str) -> Candidate {
        let z = |gain: &Moments| {
            let error = (gain.variance() / gain.n.max(1) as f64).sqrt();
            if error > 0.0 { gain.mean / error } else { 0.0 }
        };
        let base = self.base.mean.max(f64::MIN_POSITIVE);
        Candidate {
            method: method.to_owned(),
            z: z(&self.mean),
            z_final: z(&self.last),
            z_explained: z(&self.explained),
            gain: self.mean.mean / base,
            gain_final: self.last.mean / base,
            gain_explained: self.explained.mean / base,
        }
    }
}

#[cfg(test)]
mod tests;
