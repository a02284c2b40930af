//! The penalised likelihood of a conditional logit, with weights that types share and deviations of each.

/// Choices, their features numbered: what a fit works on.
#[derive(Debug, Default)]
pub(super) struct Choices {
    pub(super) n_features: usize,
    pub(super) n_types: usize,
    pub(super) choices: Vec<Choice>,
}

/// One action: the features of its steps, and which step was decisive.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) type_idx: usize,
    pub(super) decisive_idx: usize,
    /// Per step, its features that are not 0.
    pub(super) steps: Vec<Vec<(u32, f64)>>,
}

/// How strongly weights are drawn to 0.
#[derive(Debug)]
pub(super) struct Penalties {
    /// Per feature, of the shared weight: `λ m_j`.
    pub(super) shared: Vec<f64>,
    /// How many times stronger a type's deviation is penalised: `κ`.
    pub(super) deviation: f64,
}

impl Choices {
    /// How many weights there are: the shared ones, then each type's deviations. A single type deviates from nothing.
    pub(super) const fn n_weights(&self) -> usize {
        self.n_features * (1 + self.n_deviating())
    }

    const fn n_deviating(&self) -> usize {
        if self.n_types > 1 { self.n_types } else { 0 }
    }

    /// The weights that a type's steps are scored with: shared plus its deviations.
    pub(super) fn of_type(&self, weights: &[f64], type_idx: usize) -> Vec<f64> {
        let mut sum = weights[..self.n_features].to_vec();
        if type_idx < self.n_deviating() {
            let own = &weights[self.n_features * (1 + type_idx)..self.n_features * (2 + type_idx)];
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        sum
    }

    /// `-Σ ln P(decisive) + ½ Σ_j λ_j w_j² + ½ κ Σ_k Σ_j λ_j d_kj²` over the choices that `wanted` picks, and its gradient.
    pub(super) fn evaluate(
        &self,
        weights: &[f64],
        gradient: &mut [f64],
        penalties: &Penalties,
        wanted: impl Fn(usize) -> bool,
    ) -> f64 {
        gradient.fill(0.0);
        let of_types: Vec<Vec<f64>> =
            (0..self.n_types.max(1)).map(|type_idx| self.of_type(weights, type_idx)).collect();
        let mut slopes = vec![vec![0.0; self.n_features]; self.n_types.max(1)];
        let mut loss = 0.0;
        for (_, choice) in self.choices.iter().enumerate().filter(|(idx, _)| wanted(*idx)) {
            let chances = choice.chances(&of_types[choice.type_idx]);
            loss -= chances[choice.decisive_idx].max(f64::MIN_POSITIVE).ln();
            for (step_idx, (step, chance)) in choice.steps.iter().zip(&chances).enumerate() {
                let excess = chance - f64::from(u8::from(step_idx == choice.decisive_idx));
                step.iter().for_each(|(j, x)| slopes[choice.type_idx][*j as usize] += excess * x);
            }
        }
        let n = self.n_features;
        for slopes in &slopes {
            gradient[..n].iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        for type_idx in 0..self.n_deviating() {
            gradient[n * (1 + type_idx)..n * (2 + type_idx)].copy_from_slice(&slopes[type_idx]);
        }
        for (idx, (weight, slope)) in weights.iter().zip(gradient).enumerate() {
            let strength = penalties.shared[idx % n] * if idx < n { 1.0 } else { penalties.deviation };
            loss += 0.5 * strength * weight * weight;
            *slope += strength * weight;
        }
        loss
    }
}

impl Choice {
    /// `P(step) = e^{w·x_step} / Σ e^{w·x}`.
    pub(super) fn chances(&self, weights: &[f64]) -> Vec<f64> {
        let score = |step: &Vec<(u32, f64)>| step.iter().map(|(j, x)| weights[*j as usize] * x).sum();
        softmax(self.steps.iter().map(score).collect())
    }
}

/// `e^{s_i} / Σ e^{s_j}`, the largest score taken off first, so that nothing overflows.
pub(super) fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
    scores
}
