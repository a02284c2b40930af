//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::tabular::EpisodeStep;

fn episode(reward: f64, states: &[u64]) -> Episode {
    let steps = states.iter().map(|state| EpisodeStep { state: *state, decision: state % 3, ..Default::default() });
    Episode { reward, steps: steps.collect() }
}

#[test]
fn what_is_taken_back_is_gone() {
    let mut counts = Counts::default();
    let (first, second) = (episode(1.0, &[1, 2, 3]), episode(0.5, &[1, 2, 4]));
    counts.add(7, &first);
    let only_first = (counts.cells(), counts.ends(), counts.rewards());
    counts.add(7, &second);
    counts.add(7, &episode(f64::NAN, &[1]));
    counts.add(7, &episode(1.0, &[]));
    assert_eq!((counts.n_episodes(), counts.n_keys(), counts.n_dropped()), (2, 5, 0));
    counts.remove(7, &second);
    assert_eq!((counts.cells(), counts.ends(), counts.rewards()), only_first);
    counts.remove(9, &first);
    counts.remove(7, &first);
    assert_eq!((counts.n_episodes(), counts.n_keys()), (0, 0));
    assert!(counts.ends().is_empty());
}

#[test]
fn lengths_are_counted_where_episodes_end_and_forgotten_with_their_cells() {
    let mut counts = Counts::default();
    counts.add(1, &episode(0.5, &[1, 2, 3]));
    counts.add(1, &episode(0.25, &[3]));
    counts.add(2, &episode(1.0, &[2, 3]));
    let expected = Ends { steps: 3, squares: 5, products: 2.0 * 0.5 + 1.0 };
    assert_eq!(counts.ends().into_iter().collect::<Vec<_>>(), [((3, 0), expected)]);
    let mut full = Counts::new(16);
    for state in 0..300 {
        full.add(1, &episode(1.0, &[state]));
        let ends: Vec<Key> = full.ends().into_keys().map(|(state, decision)| (state, decision, None)).collect();
        assert_eq!(ends, full.cells().into_keys().collect::<Vec<_>>());
    }
}

#[test]
fn a_full_shard_forgets_what_is_rare() {
    let mut counts = Counts::new(80);
    for state in 0..1_000 {
        counts.add(1, &episode(1.0, &[state]));
        counts.add(1, &episode(1.0, &[1_000_001]));
        assert!(counts.n_keys() <= 80);
    }
    let often = counts.cells().iter().map(|(key, cell)| (cell.n, key.0)).max();
    assert_eq!(often, Some((1_000, 1_000_001)));
    let n_held: u64 = counts.cells().values().map(|cell| cell.n).sum();
    assert_eq!(n_held + counts.n_dropped(), 2_000);
    assert_eq!(counts.n_episodes(), 2_000);
}

#[test]
fn counts_are_written_and_read_back() {
    let mut counts = Counts::new(50);
    counts.add(u64::MAX, &episode(0.1, &[u64::MAX, 2, 3]));
    let text = serde_json::to_string(&counts).unwrap();
    assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts);
}

fn merged(parts: &[&Counts]) -> Counts {
    let mut all = Counts::new(20);
    parts.iter().for_each(|part| all.merge(part));
    all
}

proptest! {
    #[test]
    fn merging_is_free_of_order_and_repetition(
        writes in prop::collection::vec((0..3_u64, -1.0..1.0_f64, prop::collection::vec(0..30_u64, 1..6)), 1..40),
        copies in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Each writer keeps its own shard; copies of it were taken at several times.
        let mut taken = vec![];
        let mut writers: Vec<Counts> = (0..3).map(|_| Counts::new(20)).collect();
        let copied: Vec<usize> = copies.iter().map(|copy| copy.index(writes.len())).collect();
        for (at, (writer, reward, states)) in writes.iter().enumerate() {
            writers[*writer as usize].add(*writer, &episode(*reward, states));
            if at % 5 == 4 {
                writers[*writer as usize].remove(*writer, &episode(*reward, states));
            }
            if copied.contains(&at) {
                taken.push(writers[*writer as usize].clone());
            }
        }
        let expected = merged(&writers.iter().collect::<Vec<_>>());
        let all: Vec<&Counts> = writers.iter().chain(&taken).chain(&writers).collect();
        let mut shuffled: Vec<&Counts> = order.iter().filter_map(|at| all.get(*at).copied()).collect();
        shuffled.extend(all.iter().rev());
        prop_assert_eq!(&merged(&shuffled), &expected);
        // Grouped otherwise.
        let (left, right) = shuffled.split_at(shuffled.len() / 2);
        prop_assert_eq!(&merged(&[&merged(right), &merged(left)]), &expected);
        prop_assert_eq!(&merged(&[&expected, &expected]), &expected);
    }
}
