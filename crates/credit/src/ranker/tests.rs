//! Unit tests.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::cholesky::dot;

/// An action whose steps have these features, by name.
fn action(action_type: &str, steps: &[&[(&str, f64)]]) -> RankedAction {
    let feature =
        |(name, value): &(&str, f64)| Feature { key: key(&[name]), value: *value, is_coarse: name.starts_with('~') };
    RankedAction {
        type_key: key(&["type", action_type]),
        agent_of: (0..steps.len()).collect(),
        steps: steps.iter().map(|step| step.iter().map(feature).collect()).collect(),
    }
}

fn step<'a>(agent: &'a str, n_chars: u64, cues: &[&'a str]) -> RankedStep<'a> {
    RankedStep { agent, role: agent, n_chars, cues: cues.to_vec(), numbers: vec![("novelty", 0.5)] }
}

/// Runs in which the decisive step is the one before the first error, of two types.
fn runs(n: usize, seed: u64) -> Vec<LabelledAction> {
    let mut random = Random::new(seed);
    let run = |idx: usize| {
        let n_steps = 4 + random.below(8);
        let decisive_idx = random.below(n_steps - 1);
        let steps: Vec<RankedStep<'_>> = (0..n_steps)
            .map(|at| {
                let mut cues = if random.below(3) == 0 { vec!["plan"] } else { vec![] };
                cues.extend((at == decisive_idx + 1).then_some("error"));
                step(["ann", "bob", "eve"][random.below(3)], random.below(900) as u64, &cues)
            })
            .collect();
        LabelledAction { action: RankedAction::new(["a", "b"][idx % 2], &steps), decisive_idx }
    };
    (0..n).map(run).collect()
}

const PENALTY: RankerPenalty = RankerPenalty { shared: 2.0, deviation: 4.0 };

/// The loss that the fit minimises, written out.
fn loss(model: &Ranker, labels: &[&LabelledAction], weights: &[f64], penalties: &Penalties) -> f64 {
    let n = model.columns.len();
    let mut types: Vec<u64> = labels.iter().map(|label| label.action.type_key).collect();
    types.sort_unstable();
    types.dedup();
    let mut loss = 0.0;
    for label in labels {
        let type_idx = types.iter().position(|of| *of == label.action.type_key).unwrap();
        let score = |step: &Vec<Feature>| -> f64 {
            let used = step.iter().filter_map(|feature| Some((model.columns.get(&feature.key)?, feature.value)));
            used.map(|(column, value)| {
                let j = column.index as usize;
                let own = if types.len() > 1 { weights[n * (1 + type_idx) + j] } else { 0.0 };
                (weights[j] + own) * column.scale * value
            })
            .sum()
        };
        let scores: Vec<f64> = label.action.steps.iter().map(score).collect();
        loss += scores.iter().map(|score| score.exp()).sum::<f64>().ln() - scores[label.decisive_idx];
    }
    let strength = |idx: usize| penalties.shared[idx % n] * if idx < n { 1.0 } else { penalties.deviation };
    loss + 0.5 * weights.iter().enumerate().map(|(idx, weight)| strength(idx) * weight * weight).sum::<f64>()
}

#[test]
fn at_the_optimum_the_numeric_gradient_is_0() {
    let labels = runs(14, 3);
    for labels in [&labels[..], &labels[..1], &labels[..7]] {
        let labels = usable(labels);
        let (model, choices) = Ranker::prepare(&labels);
        let penalties = model.penalties(PENALTY, &labels);
        let found = minimised(&choices, &penalties, vec![0.0; choices.n_weights()], 1e-8, |_| true);
        let mut gradient = vec![0.0; found.len()];
        let value = choices.evaluate(&found, &mut gradient, &penalties, |_| true);
        assert!((value - loss(&model, &labels, &found, &penalties)).abs() < 1e-9);
        for at in 0..found.len() {
            let moved = |by: f64| {
                let mut weights = found.clone();
                weights[at] += by;
                loss(&model, &labels, &weights, &penalties)
            };
            let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            assert!(slope.abs() < 1e-5, "weight {at}: {slope}");
        }
        // Away from it the gradient is the numeric one too.
        let away: Vec<f64> = found.iter().enumerate().map(|(idx, weight)| weight + (idx as f64).sin() * 0.3).collect();
        choices.evaluate(&away, &mut gradient, &penalties, |_| true);
        let direction: Vec<f64> = (0..away.len()).map(|idx| (idx as f64 * 1.7).cos()).collect();
        let along = |by: f64| -> Vec<f64> { away.iter().zip(&direction).map(|(x, d)| x + by * d).collect() };
        let slope =
            (loss(&model, &labels, &along(1e-5), &penalties) - loss(&model, &labels, &along(-1e-5), &penalties)) / 2e-5;
        assert!((slope - dot(&gradient, &direction)).abs() < 1e-4 * slope.abs().max(1.0), "{slope}");
    }
}

/// One flag, two of three actions decided by it: the minimum found on a grid.
#[test]
fn one_weight_is_the_one_of_a_grid() {
    for (name, times) in [("flag", 1.0), ("~coarse", 2.0)] {
        for shared in [0.1, 1.0, 5.0] {
            let of = |decisive_idx| LabelledAction { action: action("a", &[&[(name, 1.0)], &[], &[]]), decisive_idx };
            let labels = [of(0), of(0), of(1)];
            let loss = |w: f64| 3.0 * (w.exp() + 2.0).ln() - 2.0 * w + 0.5 * shared * times * w * w;
            let best = (0..=400_000).map(|k| -2.0 + f64::from(k) * 1e-5).min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
            let model = Ranker::with_penalty(&labels, RankerPenalty { shared, deviation: 4.0 });
            assert!((model.shared[0] - best.unwrap()).abs() < 2e-5, "{name} {shared}: {:?} {best:?}", model.shared);
            let chance = model.shared[0].exp() / (model.shared[0].exp() + 2.0);
            assert!((model.credits(&labels[0].action)[0] - chance).abs() < 1e-12);
        }
    }
}

#[test]
fn the_order_of_labels_does_not_matter() {
    let mut labels = runs(20, 5);
    let asked = RankedAction::new("b", &[step("ann", 3, &[]), step("bob", 70, &["plan"]), step("eve", 8, &["error"])]);
    let model = Ranker::fit(&labels, 9);
    Random::new(1).shuffle(&mut labels);
    let shuffled = Ranker::fit(&labels, 9);
    assert_eq!(model.credits(&asked), shuffled.credits(&asked));
    assert_eq!((model.penalty(), model.held_out_gain()), (shuffled.penalty(), shuffled.held_out_gain()));
}

#[test]
fn it_learns_what_points_at_the_decisive_step() {
    let model = Ranker::fit(&runs(60, 7), 0);
    assert!(model.held_out_gain().unwrap() > 0.5);
    let asked = runs(40, 8);
    let right = |label: &&LabelledAction| {
        let credits = model.credits(&label.action);
        (0..credits.len()).max_by(|a, b| credits[*a].total_cmp(&credits[*b])) == Some(label.decisive_idx)
    };
    assert!(asked.iter().filter(right).count() >= 36);
}

#[test]
fn a_type_without_labels_has_the_shared_model() {
    let labels = runs(20, 2);
    let model = Ranker::with_penalty(&labels, PENALTY);
    let steps = [step("ann", 3, &[]), step("bob", 70, &["plan"]), step("eve", 8, &["error"])];
    let of = |action_type: &str| model.credits(&RankedAction::new(action_type, &steps));
    assert_ne!(of("a"), of("b"));
    assert_eq!(of("c"), of("never seen"));
    let scored: Vec<f64> = (features(&steps).iter())
        .map(|step| step.iter().filter_map(|f| model.scaled(f)).map(|(j, x)| model.shared[j as usize] * x).sum())
        .collect();
    assert_eq!(of("c"), softmax(scored));
    // The stronger the penalty of deviations, the closer the types are to the shared model.
    let apart = |deviation: f64| {
        let model = Ranker::with_penalty(&labels, RankerPenalty { shared: 2.0, deviation });
        let of = |action_type: &str| model.credits(&RankedAction::new(action_type, &steps));
        of("a").iter().zip(of("c")).map(|(own, shared)| (own - shared).abs()).sum::<f64>()
    };
    assert!(apart(1.0) > apart(10.0) && apart(10.0) > apart(100.0) && apart(1e9) < 1e-6);
}

#[test]
fn without_evidence_chances_are_equal() {
    let asked = RankedAction::new("a", &[step("ann", 3, &["error"]), step("bob", 70, &[]), step("eve", 8, &[])]);
    let bad = |shared, deviation| Ranker::with_penalty(&runs(9, 1), RankerPenalty { shared, deviation });
    let beyond = LabelledAction { action: asked.clone(), decisive_idx: 3 };
    for model in [
        Ranker::default(),
        Ranker::fit(&[], 0),
        Ranker::fit(&runs(1, 1), 0),
        Ranker::fit(&vec![beyond; 8], 0),
        Ranker::with_penalty(&[], PENALTY),
        bad(0.0, 4.0),
        bad(f64::NAN, 4.0),
        bad(1.0, -1.0),
        bad(f64::INFINITY, 1.0),
    ] {
        assert_eq!(model.credits(&asked), [1.0 / 3.0; 3]);
        assert_eq!(model.penalty(), None);
    }
}

#[test]
fn agents_get_the_sum_of_their_steps() {
    let steps = ["ann", "bob", "ann", "eve"].map(|agent| step(agent, 1, &[]));
    let action = RankedAction::new("a", &steps);
    assert_eq!(action.agent_credits(&[0.125, 0.25, 0.5, 0.125]), [(0, 0.625), (1, 0.25), (3, 0.125)]);
    assert_eq!(action.agent_credits(&[0.5]), [(0, 0.5), (1, 0.0), (3, 0.0)]);
    assert_eq!(RankedAction::default().agent_credits(&[0.5]), []);
}

#[test]
fn hostile_steps_do_no_harm() {
    let many: Vec<String> = (0..2_000).map(|k| format!("cue {k}")).collect();
    let numbers = |number: f64| vec![("novelty", number), ("novelty", number), ("", 1e300)];
    let hostile: Vec<RankedStep<'_>> = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0, 5e-324]
        .into_iter()
        .map(|number| RankedStep {
            agent: "",
            role: "Ǆ ß (\u{0}",
            n_chars: u64::MAX,
            cues: many.iter().map(String::as_str).chain(["x", "x"]).collect(),
            numbers: numbers(number),
        })
        .collect();
    let actions = [RankedAction::new("", &[]), RankedAction::new("", &hostile), RankedAction::new("", &hostile[..1])];
    let mut labels = runs(12, 4);
    labels.extend(actions.iter().flat_map(|action| {
        [0, 3, usize::MAX].map(|decisive_idx| LabelledAction { action: action.clone(), decisive_idx })
    }));
    for model in [Ranker::fit(&labels, 0), Ranker::with_penalty(&labels, PENALTY)] {
        for action in &actions {
            let credits = model.credits(action);
            assert_eq!(credits.len(), action.steps.len());
            assert!(credits.iter().all(|credit| (0.0..=1.0).contains(credit)), "{credits:?}");
        }
    }
    assert!(actions[1].steps.iter().all(|step| step.len() < 9 * 256 + 100));
}

static MODEL: LazyLock<Ranker> = LazyLock::new(|| Ranker::with_penalty(&runs(8, 6), PENALTY));

proptest! {
    #[test]
    fn credits_are_chances(
        steps in prop::collection::vec((0..3_usize, 0..5_000_u64, prop::collection::vec(0..5_usize, 0..4)), 0..20),
    ) {
        let names = ["Ann", "Bob_Expert", "terminal", "plan", "error"];
        let steps: Vec<RankedStep<'_>> = (steps.iter())
            .map(|(agent, n_chars, cues)| step(names[*agent], *n_chars, &cues.iter().map(|cue| names[*cue]).collect::<Vec<_>>()))
            .collect();
        let credits = MODEL.credits(&RankedAction::new("a", &steps));
        prop_assert_eq!(credits.len(), steps.len());
        prop_assert!(credits.iter().all(|credit| *credit >= 0.0));
        prop_assert!(steps.is_empty() || (credits.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
