//! Unit tests.

use serde_json::json;

use super::*;
use crate::expression::Expression;

/// The estimate of an expression over lists of 100 numbers.
fn work(text: &str) -> f64 {
    let names =
        json!({ "a": vec![1; 100], "b": vec![1; 100], "m": {"c": vec![1; 100]}, "n": 1, "t": "x".repeat(1_600) });
    let names = names.as_object().unwrap();
    let variables = names.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let expression = Expression::parse(text, &Budget::default()).unwrap();
    let mut bounds = Bounds { variables: &variables, work: 0.0, locals: Vec::new() };
    bounds.of(expression.tree());
    bounds.work
}

#[test]
fn work_grows_with_what_is_gone_through() {
    let check = |text: &str, least: f64, most: f64| {
        let work = work(text);
        assert!((least..=most).contains(&work), "{text}: {work}");
    };
    check("n == 1", 3.0, 10.0);
    check("a == b", 100.0, 200.0);
    check("n in a", 100.0, 200.0);
    check("t == t", 100.0, 120.0);
    check("t.matches('x')", 1_600.0, 2_000.0);
    check("a.all(x, x > 0)", 400.0, 2_000.0);
    check("m.c.all(x, x > 0)", 400.0, 2_000.0);
    check("a.all(x, b.all(y, x == y))", 40_000.0, 200_000.0);
    check("a.all(x, x in b)", 10_000.0, 20_000.0);
    check("(a + b).all(x, x > 0)", 1_000.0, 4_000.0);
    check("a.map(x, x + 1).all(x, x > 0)", 1_000.0, 6_000.0);
    check("a.map(x, b).all(y, y.all(z, z > 0))", 40_000.0, 200_000.0);
    check("{'k': a}.k.all(x, x > 0)", 400.0, 2_000.0);
    check("[a, b].all(l, l.all(x, x > 0))", 800.0, 4_000.0);
}

#[test]
fn a_budget_is_paid_from_until_it_is_spent() {
    let budget = Budget::default();
    let expression = Expression::parse("n == 1", &budget).unwrap();
    assert!((0..100).all(|_| budget.pay_for_pattern()));
    assert!(!budget.pay_for_pattern());
    assert!(!budget.pay_for(expression.tree(), &BTreeMap::new()));
}
