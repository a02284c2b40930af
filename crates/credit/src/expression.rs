//! CEL expressions from users, parsed and evaluated within bounds.
//!
//! The library parses and evaluates by recursion and counts no work, so what reaches it is bounded first: the length
//! of the text, the nesting that its parser recurses into, the depth of the tree that its evaluator recurses over, and
//! the work that evaluation can take (`work.rs`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use cel::extractors::This;
use cel::parser::PrattParser;
use cel::{Context, Env, ExecutionError};
use regex::Regex;
use serde_json::Value;

use crate::matcher::DEPTH_MAX;
use crate::pattern;
use crate::work::Budget;

/// Characters of an expression.
const EXPRESSION_CHARS_MAX: usize = 1_000;

/// Brackets of all kinds that may be open at once.
const OPEN_BRACKETS_MAX: u16 = 32;

/// Conditions (`a ? b : c`) in an expression; the parser recurses into each without counting it.
const CONDITIONS_MAX: usize = 32;

/// Levels of the syntax tree, macros expanded.
const TREE_DEPTH_MAX: usize = 64;

/// The name under which `matches` calls the patterns that were compiled beforehand.
pub(crate) const MATCHES: &str = "accredit_matches";

/// Names that mean a type where nothing supplies a value: `type(rows) == int`.
const TYPES: [&str; 11] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The functions of CEL's standard library. Making them takes 100 µs, so it is done once.
static FUNCTIONS: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// An expression that may be evaluated.
pub(crate) struct Expression {
    tree: IdedExpr,
    patterns: Arc<HashMap<String, Regex>>,
}

/// A free name in an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference<'e> {
    /// `a`, `b`, `c` of `a.b.c`.
    pub(crate) segments: Vec<&'e str>,
    /// The field read from it by other means than a dot: `a["b"]`, `has(a.b)`.
    pub(crate) field: Option<&'e str>,
}

impl Reference<'_> {
    /// Whether it is the name of a type.
    pub(crate) fn is_type(&self) -> bool {
        self.segments.first().is_some_and(|name| TYPES.contains(name))
    }
}

impl Expression {
    /// Parses an expression; `None` where the text is none, or exceeds a bound.
    pub(crate) fn parse(text: &str, budget: &Budget) -> Option<Self> {
        if text.chars().nth(EXPRESSION_CHARS_MAX).is_some() {
            return None;
        }
        if text.bytes().filter(|byte| *byte == b'?').count() > CONDITIONS_MAX {
            return None;
        }
        let mut tree = PrattParser::new().max_recursion_depth(OPEN_BRACKETS_MAX).parse(text).ok()?;
        if !is_evaluable(&tree) {
            return None;
        }
        let mut patterns = HashMap::new();
        compile_patterns(&mut tree, &mut patterns, budget)?;
        Some(Self { tree, patterns: Arc::new(patterns) })
    }

    /// Every free name, as often as it stands there.
    pub(crate) fn references(&self) -> Vec<Reference<'_>> {
        let mut references = Vec::new();
        collect_references(&self.tree, &mut Vec::new(), &mut references);
        references
    }

    /// The syntax tree, macros expanded.
    #[cfg(test)]
    pub(crate) const fn tree(&self) -> &IdedExpr {
        &self.tree
    }

    /// The value of the expression; `None` where it is no boolean, fails, or would take too much work.
    pub(crate) fn evaluate(&self, variables: &BTreeMap<&str, &Value>, budget: &Budget) -> Option<bool> {
        if !budget.pay_for(&self.tree, variables) {
            return None;
        }
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        for (name, value) in variables {
            context.add_variable_from_value(*name, to_cel(value, 0)?);
        }
        if !self.patterns.is_empty() {
            let patterns = Arc::clone(&self.patterns);
            let matches = move |This(text): This<Arc<String>>, pattern: Arc<String>| {
                let pattern = patterns.get(pattern.as_str());
                pattern.map(|pattern| pattern.is_match(&text)).ok_or(ExecutionError::MissingArgumentOrTarget)
            };
            context.add_function(MATCHES, matches).ok()?;
        }
        match context.resolve(&self.tree) {
            Ok(cel::Value::Bool(holds)) => Some(holds),
            _ => None,
        }
    }
}

/// Lists the parts of an expression, by reference or by mutable reference.
macro_rules! parts {
    ($name:ident, $($mutability:ident)?) => {
        fn $name(expr: & $($mutability)? Expr) -> Vec<& $($mutability)? IdedExpr> {
            match expr {
                Expr::Call(call) => {
                    let target = & $($mutability)? call.target;
                    let target = target.into_iter().map(|target| & $($mutability)? **target);
                    (& $($mutability)? call.args).into_iter().chain(target).collect()
                }
                Expr::Comprehension(comprehension) => {
                    let comprehension = & $($mutability)? **comprehension;
                    vec![
                        & $($mutability)? comprehension.iter_range,
                        & $($mutability)? comprehension.accu_init,
                        & $($mutability)? comprehension.loop_cond,
                        & $($mutability)? comprehension.loop_step,
                        & $($mutability)? comprehension.result,
                    ]
                }
                Expr::List(list) => (& $($mutability)? list.elements).into_iter().collect(),
                Expr::Map(map) => (& $($mutability)? map.entries)
                    .into_iter()
                    .flat_map(|entry| match & $($mutability)? entry.expr {
                        cel::common::ast::EntryExpr::MapEntry(entry) => {
                            vec![& $($mutability)? entry.key, & $($mutability)? entry.value]
                        }
                        cel::common::ast::EntryExpr::StructField(_) => Vec::new(),
                    })
                    .collect(),
                Expr::Select(select) => vec![& $($mutability)? *select.operand],
                Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Vec::new(),
            }
        }
    };
}

parts!(parts,);
parts!(parts_mut, mut);

/// Whether the evaluator may recurse over a tree: not too deep, and nothing in it that no text can mean here.
fn is_evaluable(tree: &IdedExpr) -> bool {
    let mut open = vec![(tree, 1)];
    while let Some((node, depth)) = open.pop() {
        let is_foreign = matches!(node.expr, Expr::Struct(_) | Expr::Unspecified);
        if is_foreign || depth > TREE_DEPTH_MAX {
            return false;
        }
        open.extend(parts(&node.expr).into_iter().map(|part| (part, depth + 1)));
    }
    true
}

/// Compiles the patterns of `matches` once, within a memory limit, and lets the calls use them. A pattern that is not
/// written out could be anything, so it makes the expression unusable.
fn compile_patterns(node: &mut IdedExpr, patterns: &mut HashMap<String, Regex>, budget: &Budget) -> Option<()> {
    if let Expr::Call(call) = &mut node.expr
        && call.func_name == "matches"
    {
        let LiteralValue::String(text) = literal(call.args.last()?)? else { return None };
        if !patterns.contains_key(text.inner()) {
            budget.pay_for_pattern().then_some(())?;
            patterns.insert(text.inner().to_owned(), pattern::compile(text.inner())?);
        }
        MATCHES.clone_into(&mut call.func_name);
    }
    parts_mut(&mut node.expr).into_iter().try_for_each(|part| compile_patterns(part, patterns, budget))
}

fn literal(node: &IdedExpr) -> Option<&LiteralValue> {
    match &node.expr {
        Expr::Literal(literal) => Some(literal),
        _ => None,
    }
}

/// Collects the names that no macro in the expression binds.
fn collect_references<'e>(node: &'e IdedExpr, bound: &mut Vec<&'e str>, references: &mut Vec<Reference<'e>>) {
    if let Some(segments) = segments(&node.expr) {
        refer(segments, None, bound, references);
        return;
    }
    match &node.expr {
        // `has(a.b)`
        Expr::Select(select) => match segments(&select.operand.expr) {
            Some(segments) => refer(segments, Some(&select.field), bound, references),
            None => collect_references(&select.operand, bound, references),
        },
        Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
            if let (Some(segments), Some(LiteralValue::String(field))) =
                (segments(&call.args[0].expr), literal(&call.args[1]))
            {
                refer(segments, Some(field.inner()), bound, references);
            } else {
                call.args.iter().for_each(|part| collect_references(part, bound, references));
            }
        }
        Expr::Comprehension(comprehension) => {
            collect_references(&comprehension.iter_range, bound, references);
            collect_references(&comprehension.accu_init, bound, references);
            let n_bound = bound.len();
            bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            bound.extend(comprehension.iter_var2.as_deref());
            for part in [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result] {
                collect_references(part, bound, references);
            }
            bound.truncate(n_bound);
        }
        expr => parts(expr).into_iter().for_each(|part| collect_references(part, bound, references)),
    }
}

fn refer<'e>(
    mut segments: Vec<&'e str>,
    field: Option<&'e str>,
    bound: &[&'e str],
    references: &mut Vec<Reference<'e>>,
) {
    let Some(first) = segments.first_mut() else { return };
    // A leading dot reaches past the names that macros bind.
    match first.strip_prefix('.') {
        Some(absolute) => *first = absolute,
        None if bound.contains(first) => return,
        None => {}
    }
    references.push(Reference { segments, field });
}

/// `a`, `b`, `c` of `a.b.c`; `None` for whatever is not names joined by dots.
pub(crate) fn segments(expr: &Expr) -> Option<Vec<&str>> {
    let mut segments = Vec::new();
    let mut expr = expr;
    loop {
        match expr {
            Expr::Ident(name) => {
                segments.push(name.as_str());
                segments.reverse();
                return Some(segments);
            }
            Expr::Select(select) if !select.test => {
                segments.push(select.field.as_str());
                expr = &select.operand.expr;
            }
            _ => return None,
        }
    }
}

/// JSON as CEL sees it: whole numbers are int, or uint past its range, others double; the two compare with each other.
fn to_cel(value: &Value, depth: usize) -> Option<cel::Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => cel::Value::Int(int),
            (None, Some(uint)) => cel::Value::UInt(uint),
            (None, None) => cel::Value::Float(number.as_f64()?),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(elements) => {
            let elements: Option<Vec<_>> = elements.iter().map(|element| to_cel(element, depth + 1)).collect();
            cel::Value::from(elements?)
        }
        Value::Object(members) => {
            let members: Option<HashMap<String, cel::Value>> =
                members.iter().map(|(key, value)| Some((key.clone(), to_cel(value, depth + 1)?))).collect();
            cel::Value::from(members?)
        }
    })
}

#[cfg(test)]
mod tests;
