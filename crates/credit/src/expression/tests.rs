//! Unit tests.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

static NAMES: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "n": 1, "x": 1.0, "big": 18_446_744_073_709_551_615_u64, "s": "pass: 12", "flag": true, "nothing": null,
        "list": [1, 2.5, "three"], "map": {"a": 1, "b": {"c": [1, 2]}}, "a.b": 7,
        "long": vec![1; 10_000], "texts": vec!["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"; 200],
    })
});

fn evaluate(text: &str) -> Option<bool> {
    let budget = Budget::default();
    let expression = Expression::parse(text, &budget)?;
    let references = expression.references();
    let is_used = |name: &str| references.iter().any(|reference| reference.segments.join(".").starts_with(name));
    let names = NAMES.as_object()?.iter().filter(|(name, _)| is_used(name));
    expression.evaluate(&names.map(|(name, value)| (name.as_str(), value)).collect(), &budget)
}

#[test]
fn expressions_come_out_as_booleans_or_not_at_all() {
    let check = |text: &str, expected: Option<bool>| assert_eq!(evaluate(text), expected, "{text}");
    // Whole numbers and fractions compare with each other.
    check("n == 1 && n == 1.0 && x == 1 && x == 1.0", Some(true));
    check("n >= 0.93 && x >= 0.93 && x > 0 && n < 1.5", Some(true));
    check("n != x || n < x || x < n", Some(false));
    check("big > 1 && big == 18446744073709551615u && n < big", Some(true));
    check("double(n) / 2.0 == 0.5", Some(true));
    check("n in list && 2.5 in list && !(4 in list) && 'a' in map", Some(true));
    // Text, lists, maps.
    check("s.startsWith('pass') && s.contains(': ') && size(s) == 8", Some(true));
    check("s.matches('^pass: [0-9]+$') && matches(s, '12')", Some(true));
    check("s.matches('^[0-9]+$')", Some(false));
    check("list[0] == 1 && list[2] == 'three' && size(list) == 3", Some(true));
    check("map.b.c[1] == 2 && map['b'].c == [1, 2] && has(map.a) && !has(map.z)", Some(true));
    check("map.b.c.all(i, i > 0) && list.exists(i, i == 2.5) && [1, 2].map(i, i * 2) == [2, 4]", Some(true));
    check("nothing == null && flag && !(nothing == 0)", Some(true));
    check("flag ? n == 1 : n == 2", Some(true));
    check("type(n) == int && type(x) == double && type(s) == string", Some(true));
    check("a.b == 7", Some(true));
    // What evaluation cannot answer.
    check("n + 1", None);
    check("n", None);
    check("s > 1", None);
    check("map.z > 1", None);
    check("list[9] == 1", None);
    check("n / 0 == 1", None);
    check("9223372036854775807 + n > 0", None);
    check("n + x == 2.0", None);
    check("unknown == 1", None);
    check("unknown(n)", None);
    check("s.matches(s)", None);
    check("s.matches('(')", None);
    check("s.matches('(\\\\pL{500}){500}')", None);
    check("flag.matches('x')", None);
    // An error beside an answer that needs no more than the other side is none.
    check("flag || map.z > 1", Some(true));
    check("map.z > 1 && !flag", Some(false));
    // Text that is no expression.
    check("the report is readable", None);
    check("", None);
    check("n ==", None);
    check("n == 1…", None);
    check("Foo{a: 1}", None);
    check("s.?x == 1", None);
}

#[test]
fn references_are_the_names_that_no_macro_binds() {
    let check = |text: &str, expected: &[(&[&str], Option<&str>)]| {
        let expression = Expression::parse(text, &Budget::default()).unwrap();
        let references: Vec<(Vec<&str>, Option<&str>)> =
            expression.references().into_iter().map(|reference| (reference.segments, reference.field)).collect();
        let expected: Vec<(Vec<&str>, Option<&str>)> =
            expected.iter().map(|(segments, field)| (segments.to_vec(), *field)).collect();
        assert_eq!(references, expected, "{text}");
    };
    check("a > 1 && b.c == 2", &[(&["a"], None), (&["b", "c"], None)]);
    check("observed[\"x\"] == observed.y", &[(&["observed"], Some("x")), (&["observed", "y"], None)]);
    check("has(a.b.c)", &[(&["a", "b"], Some("c"))]);
    check("rows.all(x, x > y)", &[(&["rows"], None), (&["y"], None)]);
    check("x.all(x, x > 0)", &[(&["x"], None)]);
    check("rows.all(x, .x > x)", &[(&["rows"], None), (&["x"], None)]);
    check("size(a) == 1 && [b, {c: d}][0]", &[(&["a"], None), (&["b"], None), (&["c"], None), (&["d"], None)]);
    check("1 == 1", &[]);
}

/// Runs on a stack of half the size that threads have.
fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap()
}

#[test]
fn hostile_expressions_end_without_overflowing_a_small_stack() {
    let nested =
        |open: &str, inner: &str, close: &str, n: usize| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    let mut texts = Vec::new();
    for n in [8, 16, 24, 31, 32, 33, 64, 128, 300, 499, 100_000] {
        for (open, inner, close) in [
            ("(", "flag", ")"),
            ("[", "n", "]"),
            ("{1:", "n", "}"),
            ("!(", "flag", ")"),
            ("-(", "n", ")"),
            ("!", "flag", ""),
            ("!-", "flag", ""),
            ("-", "n", ""),
            ("n+", "n", ""),
            ("n+(", "n", ")"),
            ("flag||", "flag", ""),
            ("flag&&(flag||", "flag", "))"),
            ("flag?", "flag", ":flag"),
            ("flag?flag:", "flag", ""),
            ("n==", "n", ""),
            ("n<n==n+n*", "n", ""),
            ("(n<n==n+n*-", "n", ")"),
            ("size(", "s", ")"),
            ("map", ".a", ""),
            ("s", ".s", ".size()"),
            ("list[", "0", "]"),
            ("[1].all(x,", "flag", ")"),
            ("[1,2,3].all(x,", "flag", ")"),
            ("long.all(x,", "flag", ")"),
            ("long.map(x,", "n", ")"),
            ("", "long", ".map(x, [x, x])"),
            ("", "s", ".matches('(a+)+$')"),
            ("list+", "list", ""),
            ("(", "", ""),
            ("[", "", ""),
            ("{", "", ""),
            ("'", "", ""),
            ("\"\"\"", "", ""),
            ("//", "", "\n"),
            ("a.", "b{", "}"),
            ("?", "", ":"),
            (")", "", ""),
        ] {
            texts.push(nested(open, inner, close, n));
        }
    }
    for text in texts {
        let shown: String = text.chars().take(40).collect();
        let begun = Instant::now();
        on_a_small_stack(move || evaluate(&text));
        assert!(begun.elapsed() < Duration::from_secs(5), "{shown} took {:?}", begun.elapsed());
    }
}

#[test]
fn what_a_person_writes_is_within_the_bounds() {
    let check = |text: &str| assert!(evaluate(text).is_some(), "{text}");
    check(&vec!["n == 1"; 40].join(" && "));
    check(&vec!["(n == 1 || x > 2)"; 40].join(" && "));
    check(&format!("0 < {}", vec!["n"; 30].join(" + ")));
    check("long.all(i, i >= 0 && i < 10)");
    check("long.filter(i, i > 0).map(i, i * 2).size() == 10000");
    check("texts.all(t, t.matches('^a+!$'))");
    check("texts.all(t, texts.exists(u, t == u))");
    check("1 in long");
    check("texts.all(t, t in texts)");
}

#[test]
fn work_beyond_the_limit_is_not_begun() {
    let check = |text: &str| {
        let begun = Instant::now();
        assert_eq!(evaluate(text), None, "{text}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{text}");
    };
    check("long.all(x, long.all(y, x + y > 0))");
    check("long.all(x, x in long)");
    check("long.map(x, long).size() > 0");
    check("long.all(x, long == long)");
    check("long.map(x, [x, x]).map(x, long.map(y, x)).size() > 0");
    check("texts.all(t, texts.all(u, texts.all(v, t == u)))");
}

/// Expressions that parse, over values of every kind.
fn well_formed() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "n",
        "x",
        "s",
        "list",
        "map",
        "flag",
        "nothing",
        "big",
        "texts",
        "0",
        "-1",
        "2.5",
        "1u",
        "'a'",
        "b'\\xff'",
        "true",
        "null",
        "[]",
        "{}",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615u",
        "1e308",
        "map.b",
        "int",
        "double('NaN')",
        "double('inf')",
        "''",
        "'é🦀'",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let binary = vec!["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"];
        let unary = vec!["!", "-", "size", "int", "uint", "double", "string", "bytes", "type", "dyn", "bool"];
        let method = vec!["size()", "startsWith('a')", "contains(s)", "endsWith('')", "matches('a*')", "b", "a"];
        let call = vec!["all", "exists", "exists_one", "map", "filter"];
        prop_oneof![
            (inner.clone(), prop::sample::select(binary), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (prop::sample::select(unary), inner.clone())
                .prop_map(|(operator, operand)| format!("{operator}({operand})")),
            (inner.clone(), prop::sample::select(method)).prop_map(|(operand, method)| format!("({operand}).{method}")),
            (inner.clone(), prop::sample::select(call), inner.clone())
                .prop_map(|(range, call, body)| format!("({range}).{call}(n, {body})")),
            (inner.clone(), inner.clone()).prop_map(|(operand, index)| format!("({operand})[{index}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever the tokens, there is an answer or none: no panic in the library, no hang.
    #[test]
    fn tokens_in_any_order_do_no_harm(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "n", "x", "s", "list", "map", "flag", "nothing", "long", "1", "0", "2.5", "1u", "-1", "1e400", "'a'", "b'a'",
                "r'\\d'", "\"", "'", "'''", "(", ")", "[", "]", "{", "}", ",", ".", ":", "?", "+", "-", "*", "/", "%", "!", "==",
                "!=", "<", "<=", ">", ">=", "&&", "||", " in ", "true", "null", ".all(", ".exists(", ".exists_one(", ".map(",
                ".filter(", "has(", "size(", "int(", "uint(", "double(", "string(", "bytes(", "type(", "dyn(", "bool(", "i",
                ".matches(", ".startsWith(", ".contains(", "`", "@", "$", "é", "\\", "//", "\n", " ", "0x", "9223372036854775808",
                "optional.of(", ".value()", "?.", "[?", "[0]", ".a", "['a']", "i, i", "while", "duration('1s')",
            ]),
            0..24,
        ),
    ) {
        let _answer: Option<bool> = evaluate(&tokens.concat());
    }

    #[test]
    fn operations_on_values_of_any_kind_do_no_harm(text in well_formed()) {
        let begun = Instant::now();
        let _answer: Option<bool> = evaluate(&text);
        prop_assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn any_text_does_no_harm(text in "\\PC{0,60}") {
        let _answer: Option<bool> = evaluate(&text);
    }
}
