//! Acceptance criteria: names, expressions, and text that only a judge can decide.

use std::collections::BTreeMap;

use accredit_model::{CriterionResult, CriterionVerdict, Source};
use serde_json::Value;

use crate::expression::{Expression, Reference};
use crate::score::{Case, Supplied};

/// From this score on a judge's word means pass.
const JUDGED_PASS_SCORE: f64 = 0.5;

/// Evaluates one criterion.
///
/// A judge's score of this very text comes first, whether it is an expression or not. A bare name is a truth test of
/// whatever value it has, as in Python: null, false, 0 and everything empty is false. Any other text is a CEL
/// expression that must come out as a boolean. Text that does not parse, names something that nothing supplies, or
/// fails in evaluation (a missing field, an order between text and number) is unevaluable: it says nothing for or
/// against the action.
pub(crate) fn evaluate(criterion: &str, case: &Case<'_>) -> CriterionResult {
    let decided = match case.observed.judgement(criterion) {
        Some(score) => Some((score >= JUDGED_PASS_SCORE, Source::Judged)),
        None if is_name(criterion.trim()) => {
            case.name(criterion.trim()).map(|(value, source)| (is_truthy(&value), source))
        }
        None => {
            Expression::parse(criterion, &case.budget).and_then(|expression| evaluate_expression(&expression, case))
        }
    };
    let (result, source) = match decided {
        Some((true, source)) => (CriterionVerdict::Pass, source),
        Some((false, source)) => (CriterionVerdict::Fail, source),
        None => (CriterionVerdict::Unevaluable, Source::Missing),
    };
    CriterionResult { criterion: criterion.to_owned(), result, source }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
        && !["true", "false", "null", "in"].contains(&text)
}

/// Python's truth of a value.
pub(crate) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn evaluate_expression(expression: &Expression, case: &Case<'_>) -> Option<(bool, Source)> {
    let mut values: BTreeMap<String, Supplied<'_>> = BTreeMap::new();
    let mut source = Source::Claimed;
    for reference in expression.references() {
        let Some((name, field)) = resolve(&reference, case, &mut values) else {
            if reference.is_type() {
                continue;
            }
            return None;
        };
        let supplied_by = match name.as_str() {
            // The world's word counts for the field that is read; a field it does not have adds nothing.
            "observed" if field.is_some() => case.observed.source(field),
            _ => values.get(&name).map(|(_, source)| *source),
        };
        source = source.max(supplied_by.unwrap_or_default());
    }
    let variables = values.iter().map(|(name, (value, _))| (name.as_str(), value.as_ref())).collect();
    expression.evaluate(&variables, &case.budget).map(|holds| (holds, source))
}

/// Finds what a reference means: the longest of `a.b.c`, `a.b`, `a` that is the name of something, as keys may hold
/// dots, and the field that is read from it.
fn resolve<'e, 'c>(
    reference: &Reference<'e>,
    case: &'c Case<'_>,
    values: &mut BTreeMap<String, Supplied<'c>>,
) -> Option<(String, Option<&'e str>)> {
    for n_segments in (1..=reference.segments.len()).rev() {
        let name = reference.segments[..n_segments].join(".");
        if !values.contains_key(&name) {
            let Some(supplied) = case.name(&name) else { continue };
            values.insert(name.clone(), supplied);
        }
        let field = reference.segments.get(n_segments).copied().or(reference.field);
        return Some((name, field));
    }
    None
}

#[cfg(test)]
mod tests;
