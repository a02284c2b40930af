//! Unit tests.

use super::*;

fn limits() -> Limits {
    Limits {
        json_bytes_max: 60,
        string_chars_max: 10,
        nested_json_chars_max: 20,
        json_depth_max: 3,
        ..Limits::default()
    }
}

#[test]
fn a_text_fits_is_rewritten_or_is_too_deep() {
    let check = |text: &str, expected: Fit| assert_eq!(fit(text, &limits()), expected, "{text}");
    check("1", Fit::Whole);
    check("\"0123456789\"", Fit::Whole);
    check("\"0123456789a\"", Fit::Rewrite);
    check("[[[]]]", Fit::Whole);
    check("[[[[]]]]", Fit::TooDeep);
    check("[[],[],[],[[]]]", Fit::Whole);
    check("[[],[],[],[[[]]]]", Fit::TooDeep);
    check("[1,2,3,4,5,6,7,8,9,10,11,12,13,14]", Fit::Whole);
    check("[[1,2,3,4,5,6,7,8,9]]", Fit::Whole);
    check("[[1,2,3,4,5,6,7,8,9,10,11]]", Fit::Rewrite);
    check(&format!("[{}1]", "1,".repeat(30)), Fit::Rewrite);
    // Brackets and quotes inside strings are text.
    check(r#"["[[[[[","\"[[","\\"]"#, Fit::Whole);
    check(r#"{"a":"\\","b":[[]]}"#, Fit::Whole);
    // An escape counts as it is written: enough to look closer, never too little.
    check(r#""\u0041\u0041""#, Fit::Rewrite);
    // More levels than a parser takes, and more than a stack would.
    check(&"[".repeat(1_000_000), Fit::TooDeep);
    // No JSON; whatever the answer, it is one.
    for text in ["", "\"", "\"\\", "]]]", "{\"", "\\\\\"[[[["] {
        let _fit: Fit = fit(text, &limits());
    }
}

#[test]
fn brackets_are_counted_across_blocks() {
    let check = |n: usize, expected: bool| {
        let text = "[".repeat(n);
        assert_eq!(is_flat_enough(text.as_bytes(), 600), expected, "{n}");
    };
    check(255, true);
    check(256, true);
    check(600, true);
    check(601, false);
    check(10_000, false);
}

#[test]
fn depth_is_bounded_even_where_the_limit_is_not() {
    let limits = Limits { json_depth_max: usize::MAX, ..Limits::default() };
    assert_eq!(fit(&"[".repeat(120), &limits), Fit::Whole);
    assert_eq!(fit(&"[".repeat(121), &limits), Fit::TooDeep);
}
