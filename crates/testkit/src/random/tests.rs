use super::Random;

#[test]
fn unit_stays_in_its_interval_and_is_even() {
    let mut random = Random::new(1);
    let n = 100_000;
    let mut sum = 0.0;
    for _ in 0..n {
        let value = random.unit();
        assert!((0.0..1.0).contains(&value));
        sum += value;
    }
    // The mean of n uniform numbers has standard error sqrt(1 / 12 n) = 0.0009.
    assert!((sum / f64::from(n) - 0.5).abs() < 0.0045);
}

#[test]
fn weighted_follows_its_weights() {
    let weights = [0.2, 0.0, 0.5, 0.3, 0.0];
    let mut random = Random::new(2);
    let n = 100_000;
    let mut counts = [0_u32; 5];
    for _ in 0..n {
        counts[random.weighted(weights)] += 1;
    }
    for (weight, count) in weights.into_iter().zip(counts) {
        let standard_error = (weight * (1.0 - weight) / f64::from(n)).sqrt();
        let share = f64::from(count) / f64::from(n);
        assert!((share - weight).abs() <= 5.0 * standard_error, "weight {weight}, share {share}");
    }
}

#[test]
fn weighted_has_an_answer_where_weights_fall_short() {
    let mut random = Random::new(3);
    assert_eq!(random.weighted([]), 0);
    assert_eq!(random.weighted([0.0, 0.0]), 0);
    assert_eq!(random.weighted([0.0, 1e-300, 0.0]), 1);
}

#[test]
fn a_coin_is_fair() {
    let mut random = Random::new(4);
    let heads = (0..100_000).filter(|_| random.coin()).count();
    // 5 standard errors of 158.
    assert!(heads.abs_diff(50_000) < 790, "{heads}");
}
