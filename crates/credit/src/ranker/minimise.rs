//! Minimising a smooth convex function.

use crate::cholesky::dot;

/// How many past steps the curvature is taken from.
const MEMORY: usize = 12;

/// More iterations than a strongly convex function of this size ever takes.
const ITERATIONS_MAX: usize = 1_000;

/// The part of the predicted decrease that a step must bring.
const DECREASE_MIN: f64 = 1e-4;

/// `argmin f` by limited-memory BFGS: `x ← x - α H g`, with `H` the inverse curvature that the last 12 steps saw.
///
/// Nocedal, "Updating Quasi-Newton Matrices with Limited Storage" (1980); `α` is halved from 1 until `f` falls by 1e-4 of
/// what the slope promises (Armijo, 1966). It ends where no slope exceeds `tolerance`, or nothing smaller than rounding is
/// left to gain. O(n) an iteration besides one evaluation, linear convergence where `f` is strongly convex.
/// `evaluate(x, gradient)` returns `f` and fills the gradient.
pub(super) fn minimise(
    mut x: Vec<f64>,
    tolerance: f64,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Vec<f64> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = evaluate(&x, &mut gradient);
    let mut past: Vec<Change> = Vec::new();
    for _ in 0..ITERATIONS_MAX {
        if gradient.iter().all(|slope| slope.abs() <= tolerance) {
            break;
        }
        let mut direction = descent(&gradient, &past);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            past.clear();
            direction = gradient.iter().map(|slope| -slope).collect();
            slope = -dot(&gradient, &gradient);
        }
        let mut length = if past.is_empty() { 1.0 / (-slope).sqrt().max(1.0) } else { 1.0 };
        let mut next_gradient = vec![0.0; x.len()];
        let (next, next_value) = loop {
            let next: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let next_value = evaluate(&next, &mut next_gradient);
            if next_value <= value + DECREASE_MIN * length * slope {
                break (next, next_value);
            }
            length /= 2.0;
            if length < 1e-12 {
                return x;
            }
        };
        let change = Change::between(&x, &next, &gradient, &next_gradient);
        if change.curvature > 0.0 {
            if past.len() == MEMORY {
                past.remove(0);
            }
            past.push(change);
        }
        (x, value) = (next, next_value);
        gradient.copy_from_slice(&next_gradient);
    }
    x
}

/// One step, and by how much it turned the gradient.
struct Change {
    step: Vec<f64>,
    turn: Vec<f64>,
    /// `step · turn`, above 0 where the function is convex.
    curvature: f64,
}

impl Change {
    fn between(x: &[f64], next: &[f64], gradient: &[f64], next_gradient: &[f64]) -> Self {
        let difference = |to: &[f64], from: &[f64]| to.iter().zip(from).map(|(to, from)| to - from).collect();
        let (step, turn): (Vec<f64>, Vec<f64>) = (difference(next, x), difference(next_gradient, gradient));
        let curvature = dot(&step, &turn);
        Self { step, turn, curvature }
    }
}

/// `-H g`, by the two loops over the past.
fn descent(gradient: &[f64], past: &[Change]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut along = vec![0.0; past.len()];
    for (change, along) in past.iter().zip(&mut along).rev() {
        *along = dot(&change.step, &direction) / change.curvature;
        add(&mut direction, -*along, &change.turn);
    }
    if let Some(last) = past.last() {
        let scale = last.curvature / dot(&last.turn, &last.turn);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (change, along) in past.iter().zip(&along) {
        let across = dot(&change.turn, &direction) / change.curvature;
        add(&mut direction, along - across, &change.step);
    }
    direction
}

fn add(to: &mut [f64], factor: f64, of: &[f64]) {
    to.iter_mut().zip(of).for_each(|(to, of)| *to += factor * of);
}
