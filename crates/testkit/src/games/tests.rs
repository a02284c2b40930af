use super::{
    Airport, Game, Glove, KnownGame, SecurityCouncil, WeightedVoting, known_games, shapley_by_orderings,
    shapley_by_subsets,
};

#[track_caller]
fn check_close(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (player, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{name}, player {player}: {found}, not {expected}");
    }
}

#[test]
fn closed_forms_agree_with_every_coalition() {
    for game in known_games() {
        check_close(game.name(), &game.known_shapley(), &shapley_by_subsets(game.as_ref()).unwrap(), 1e-12);
    }
    for (n_left, n_right) in [(1, 1), (1, 4), (2, 2), (2, 3), (3, 5), (6, 2), (0, 3), (4, 0)] {
        let game = Glove { n_left, n_right };
        check_close("glove", &game.known_shapley(), &shapley_by_subsets(&game).unwrap(), 1e-12);
    }
}

#[test]
fn coalitions_agree_with_every_order_of_arrival() {
    for game in known_games() {
        match shapley_by_orderings(game.as_ref()) {
            Some(found) => check_close(game.name(), &found, &shapley_by_subsets(game.as_ref()).unwrap(), 1e-12),
            None => assert!(game.players() > super::N_ORDERED_PLAYERS_MAX, "{}", game.name()),
        }
    }
}

#[test]
fn what_the_players_get_is_what_they_earn_together() {
    for game in known_games() {
        let everyone = (1_u32 << game.players()) - 1;
        let sum: f64 = game.known_shapley().iter().sum();
        assert!((sum - game.value(everyone)).abs() < 1e-12 * f64::max(1.0, sum), "{}: {sum}", game.name());
        assert!(game.value(0).abs() < f64::EPSILON, "{}", game.name());
    }
}

#[test]
fn published_values() {
    let council = SecurityCouncil.known_shapley();
    check_close("permanent", &council[..5], &[0.196_270; 5], 5e-7);
    check_close("others", &council[5..], &[0.001_865; 10], 5e-7);
    check_close("glove", &Glove { n_left: 1, n_right: 2 }.known_shapley(), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0], 1e-15);
    // The example of Littlechild and Owen's form with three aircraft: 3, 3 + 3, 3 + 3 + 7 shared by three, two and one.
    let airport = Airport { costs: vec![12.0, 6.0, 19.0] };
    check_close("airport", &airport.known_shapley(), &[5.0, 2.0, 12.0], 1e-15);
    // Four decimals as they stand in the literature on the Council's voting power.
    let eu_15 = WeightedVoting::eu_15();
    assert_eq!(eu_15.votes.iter().sum::<usize>(), 87);
    let rows = [(4, 0.1167), (1, 0.0955), (4, 0.0552), (2, 0.0454), (3, 0.0353), (1, 0.0207)];
    let expected: Vec<f64> = rows.iter().flat_map(|&(n, share)| std::iter::repeat_n(share, n)).collect();
    check_close("eu_15", &eu_15.known_shapley(), &expected, 6e-5);
}

#[test]
fn values_of_coalitions() {
    #[track_caller]
    fn check(game: &dyn Game, coalition: u32, value: f64) {
        assert!((game.value(coalition) - value).abs() < f64::EPSILON, "{coalition:#b}");
    }
    check(&SecurityCouncil, 0b1_1110_1111, 0.0);
    check(&SecurityCouncil, 0b0_1111_1111, 0.0);
    check(&SecurityCouncil, 0b1_1111_1111, 1.0);
    check(&SecurityCouncil, 0b11_1100_0001_1111, 1.0);
    check(&SecurityCouncil, 0b111_1111_1111_1110, 0.0);
    check(&Glove { n_left: 1, n_right: 2 }, 0b110, 0.0);
    check(&Glove { n_left: 1, n_right: 2 }, 0b111, 1.0);
    check(&Airport { costs: vec![1.0, 5.0, 3.0] }, 0b101, 3.0);
    // The nine largest states have 68 votes; without one of the four, 58.
    check(&WeightedVoting::eu_15(), 0b1_1111_1111, 1.0);
    check(&WeightedVoting::eu_15(), 0b1_1111_1110, 0.0);
    // The four, Spain and two fives have 58: a four makes 62, a three 61.
    check(&WeightedVoting::eu_15(), 0b10_0111_1111, 1.0);
    check(&WeightedVoting::eu_15(), 0b1000_0111_1111, 0.0);
}

#[test]
fn oracles_refuse_what_they_cannot_finish() {
    let game = Airport { costs: vec![1.0; 21] };
    assert_eq!(shapley_by_subsets(&game), None);
    assert_eq!(shapley_by_orderings(&game), None);
    assert_eq!(shapley_by_subsets(&Airport { costs: vec![] }), Some(vec![]));
    assert_eq!(shapley_by_orderings(&Airport { costs: vec![] }), Some(vec![]));
}
