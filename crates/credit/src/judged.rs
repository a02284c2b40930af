//! What people and judges said of single steps, laid over what a method says.

use accredit_model::Evidence;

use crate::{Credit, CreditMethod, Decay, Trajectory, credit_shares};

/// The unit of judgements where nothing was learned: half the range of a success score.
pub const JUDGEMENT_UNIT: f64 = 0.5;

/// Lays the judgements of single steps over a method's credit: they outrank every estimate of those steps. Answers the
/// indices of the steps that were judged, in order.
///
/// `A_t := (2·j_t - 1)·u`, with standard error 0 and `n_t` the number of judgements
///
/// with `j_t` in \[0, 1\] what was said of step `t` ([`StepFeatures::judged`](crate::StepFeatures::judged); 0.5 is neither
/// good nor bad) and `unit` `u`, in units of reward: half the range of the rewards that a model was fitted on
/// ([`Model::half_range`](crate::Model::half_range)), [`JUDGEMENT_UNIT`] for a prior. A step that is called perfect has then
/// moved the expected reward by half of what is between the worst and the best that was ever earned.
///
/// The forecast is moved from step `t` on by what `A_t` changed, so that each step's own move is its advantage and what lies
/// between them is as it was; the residual takes all of it back, and `R = baseline + Σ A + residual` holds as before.
///
/// **Credits** of a learned method follow from the advantages by [`credit_shares`]. Of a prior, which has no advantages of the
/// other steps, a judged step's weight is
///
/// `(1/n)·2·j_t` where `R ≥ baseline`, `(1/n)·2·(1 - j_t)` where it is below,
///
/// with `n` steps, beside the others' shares by the prior; then all are divided by their sum. A judgement of 0.5 gives an
/// equal part. Those shares stand too where no advantage of a learned method goes with the outcome, made of [`Decay`].
/// Where they are all 0, because every step was judged and none goes with the outcome, the prior's stand.
///
/// Judgements that are no numbers are not looked at, others moved into \[0, 1\]. Without a judgement nothing is changed at
/// all. O(n). A heuristic scale: a judge's word has no unit of its own.
pub fn overlay_judgements(credit: &mut Credit, trajectory: &Trajectory<'_>, unit: f64) -> Vec<usize> {
    let judgement = |step: usize| {
        let judged = trajectory.steps[step].judged.filter(|judged| !judged.is_nan())?;
        Some(judged.clamp(0.0, 1.0))
    };
    let judged: Vec<(usize, f64)> =
        (0..trajectory.steps.len()).filter_map(|step| Some((step, judgement(step)?))).collect();
    if judged.is_empty() {
        return Vec::new();
    }
    let prior = match credit.evidence {
        Evidence::None => std::mem::take(&mut credit.credits),
        Evidence::Learned => Decay.assign(trajectory).credits,
    };
    let prior = with_judgements(prior, &judged, trajectory.reward >= credit.baseline);
    move_advantages(credit, trajectory, &judged, unit);
    credit.credits = match credit.evidence {
        Evidence::None => prior,
        Evidence::Learned => credit_shares(&credit.advantages, trajectory.reward, credit.baseline, &prior),
    };
    judged.into_iter().map(|(step, _)| step).collect()
}

/// A prior's shares with the weights of the judged steps in them.
fn with_judgements(prior: Vec<f64>, judged: &[(usize, f64)], is_good: bool) -> Vec<f64> {
    let n = prior.len() as f64;
    let mut weights = prior.clone();
    for (step, judged) in judged {
        let goes_with = if is_good { *judged } else { 1.0 - judged };
        weights[*step] = 2.0 * goes_with / n;
    }
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 { weights.into_iter().map(|weight| weight / sum).collect() } else { prior }
}

fn move_advantages(credit: &mut Credit, trajectory: &Trajectory<'_>, judged: &[(usize, f64)], unit: f64) {
    let n = trajectory.steps.len();
    // A prior says nothing of the other steps.
    credit.std_errors.resize(n, f64::INFINITY);
    credit.n.resize(n, 0);
    credit.forecast.resize(n, credit.baseline);
    let mut judged = judged.iter().peekable();
    let mut moved = 0.0;
    for step in 0..n {
        if let Some((_, judgement)) = judged.next_if(|(at, _)| *at == step) {
            let advantage = (2.0 * judgement - 1.0) * unit;
            moved += advantage - credit.advantages[step];
            credit.advantages[step] = advantage;
            credit.std_errors[step] = 0.0;
            credit.n[step] = trajectory.steps[step].judges.max(1);
        }
        credit.forecast[step] += moved;
    }
    credit.residual = trajectory.reward - credit.baseline - credit.advantages.iter().sum::<f64>();
}

#[cfg(test)]
mod tests;
