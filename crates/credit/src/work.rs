//! How much work an expression can take, before it is evaluated.
//!
//! An abstract evaluation: every value is replaced by upper bounds of its size, every operation by an upper bound of
//! its work, one unit being about the evaluation of one node of the tree (100 ns). Macros multiply:
//! `a.all(x, b.exists(y, x == y))` takes as much as `a` times `b`.

use std::cell::Cell;
use std::collections::BTreeMap;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use crate::expression::{MATCHES, segments};
use crate::matcher::DEPTH_MAX;

/// Units that one expression may take: a tenth of a second at most.
const WORK_MAX: f64 = 1e6;

/// Units that all criteria of an action may take together.
const WORK_OF_ALL_MAX: f64 = 4e6;

/// Units of compiling a pattern, which takes 0.1 ms as a rule and 10 ms at worst.
const PATTERN: f64 = 4e4;

/// Units of one round of a macro, beside what its body takes: a scope and its variables.
const ROUND: f64 = 4.0;

/// Bytes of text that are compared or copied in one unit.
const BYTES_PER_UNIT: f64 = 16.0;

/// What is left for the criteria of one action. What cannot be paid for is not begun.
pub(crate) struct Budget(Cell<f64>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(WORK_OF_ALL_MAX))
    }
}

impl Budget {
    /// Pays for one pattern.
    pub(crate) fn pay_for_pattern(&self) -> bool {
        self.pay(PATTERN)
    }

    /// Pays for evaluating the tree over these variables, where that stays within the limit of one expression.
    pub(crate) fn pay_for(&self, tree: &IdedExpr, variables: &BTreeMap<&str, &Value>) -> bool {
        let mut bounds = Bounds { variables, work: 0.0, locals: Vec::new() };
        bounds.of(tree);
        // Also false where the estimate overflowed to infinity or NaN.
        bounds.work <= WORK_MAX && self.pay(bounds.work)
    }

    fn pay(&self, units: f64) -> bool {
        let left = self.0.get() - units;
        if left < 0.0 {
            return false;
        }
        self.0.set(left);
        true
    }
}

/// Upper bounds of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bound {
    /// Elements, where it is a list or map.
    len: f64,
    /// Elements of the longest list or map inside it.
    item_len: f64,
    /// Units to copy or compare it, all levels.
    size: f64,
    /// The same of the largest value inside it.
    item_size: f64,
}

impl Bound {
    const SCALAR: Self = Self { len: 0.0, item_len: 0.0, size: 1.0, item_size: 0.0 };

    #[expect(clippy::cast_precision_loss, reason = "a bound need not be exact")]
    fn text(text: &str) -> Self {
        Self { size: 1.0 + text.len() as f64 / BYTES_PER_UNIT, ..Self::SCALAR }
    }

    /// What is inside it.
    const fn item(self) -> Self {
        Self { len: self.item_len, size: self.item_size, ..self }
    }

    /// The result of an operation: it may hold all that its operands hold.
    fn combine(parts: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> f64| parts.iter().map(of).sum::<f64>();
        let largest = |of: fn(&Self) -> f64| parts.iter().map(of).fold(0.0, f64::max);
        Self {
            len: sum(|part| part.len),
            item_len: largest(|part| part.item_len),
            size: 1.0 + sum(|part| part.size),
            item_size: largest(|part| part.size.max(part.item_size)),
        }
    }

    /// A list or map of these values.
    #[expect(clippy::cast_precision_loss, reason = "a bound need not be exact")]
    fn container(parts: &[Self]) -> Self {
        let item_len = parts.iter().map(|part| part.len.max(part.item_len)).fold(0.0, f64::max);
        Self { len: parts.len() as f64, item_len, ..Self::combine(parts) }
    }

    fn of_json(value: &Value, depth: usize) -> Self {
        // Deeper JSON is not evaluated at all.
        if depth > DEPTH_MAX {
            return Self::SCALAR;
        }
        match value {
            Value::String(text) => Self::text(text),
            Value::Array(elements) => {
                let parts: Vec<Self> = elements.iter().map(|element| Self::of_json(element, depth + 1)).collect();
                Self::container(&parts)
            }
            Value::Object(members) => {
                let parts = members.iter().map(|(key, value)| {
                    let value = Self::of_json(value, depth + 1);
                    Self { size: value.size + Self::text(key).size, ..value }
                });
                Self::container(&parts.collect::<Vec<_>>())
            }
            _ => Self::SCALAR,
        }
    }
}

struct Bounds<'e> {
    variables: &'e BTreeMap<&'e str, &'e Value>,
    work: f64,
    locals: Vec<(&'e str, Bound)>,
}

impl<'e> Bounds<'e> {
    /// Bounds the value of a node and adds the work of it. Recursion is bounded by the depth of the tree.
    fn of(&mut self, node: &'e IdedExpr) -> Bound {
        self.work += 1.0;
        match &node.expr {
            Expr::Literal(LiteralValue::String(text)) => Bound::text(text.inner()),
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Bound::SCALAR,
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => match self.path(&node.expr) {
                Some(value) => Bound::of_json(value, 0),
                None => self.of(&select.operand).item(),
            },
            Expr::List(list) => {
                let parts: Vec<Bound> = list.elements.iter().map(|element| self.of(element)).collect();
                self.copied(Bound::container(&parts))
            }
            Expr::Map(map) => {
                let mut parts = Vec::new();
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        parts.extend([self.of(&entry.key), self.of(&entry.value)]);
                    }
                }
                self.copied(Bound::container(&parts))
            }
            Expr::Call(call) => {
                let parts: Vec<Bound> =
                    call.target.as_deref().into_iter().chain(&call.args).map(|part| self.of(part)).collect();
                self.call(&call.func_name, &parts)
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn copied(&mut self, bound: Bound) -> Bound {
        self.work += bound.size;
        bound
    }

    fn name(&self, name: &str) -> Bound {
        let local = self.locals.iter().rev().find(|(local, _)| *local == name).map(|(_, bound)| *bound);
        local.unwrap_or_else(|| {
            let name = name.strip_prefix('.').unwrap_or(name);
            self.variables.get(name).map_or(Bound::SCALAR, |value| Bound::of_json(value, 0))
        })
    }

    /// The value that `a.b.c` names, where that is known before evaluation.
    fn path(&self, expr: &'e Expr) -> Option<&'e Value> {
        let segments = segments(expr)?;
        let first = *segments.first()?;
        if self.locals.iter().any(|(local, _)| *local == first) {
            return None;
        }
        (1..=segments.len()).rev().find_map(|n_segments| {
            let name = segments[..n_segments].join(".");
            let root = *self.variables.get(name.strip_prefix('.').unwrap_or(&name))?;
            segments[n_segments..].iter().try_fold(root, |value, segment| value.get(segment))
        })
    }

    fn call(&mut self, function: &str, parts: &[Bound]) -> Bound {
        let combined = Bound::combine(parts);
        match function {
            operators::EQUALS
            | operators::NOT_EQUALS
            | operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS => {
                // Two values are compared no further than the smaller one goes.
                self.work += parts.iter().map(|part| part.size).fold(f64::INFINITY, f64::min).min(combined.size);
                Bound::SCALAR
            }
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT | operators::NEGATE => {
                Bound::SCALAR
            }
            operators::NOT_STRICTLY_FALSE => Bound::SCALAR,
            operators::INDEX => parts.first().map_or(Bound::SCALAR, |part| part.item()),
            operators::CONDITIONAL => combined,
            operators::IN => {
                self.work += combined.size;
                Bound::SCALAR
            }
            // A lazy automaton reads a byte in a nanosecond or so; where it gives up, a slower one takes far longer.
            MATCHES => {
                self.work += 16.0 * combined.size;
                Bound::SCALAR
            }
            _ => self.copied(combined),
        }
    }

    fn comprehension(&mut self, comprehension: &'e ComprehensionExpr) -> Bound {
        let range = self.of(&comprehension.iter_range);
        let init = self.of(&comprehension.accu_init);
        let n_locals = self.locals.len();
        self.locals.push((&comprehension.iter_var, range.item()));
        if let Some(name) = &comprehension.iter_var2 {
            self.locals.push((name, range.item()));
        }
        self.locals.push((&comprehension.accu_var, init));
        let before = std::mem::take(&mut self.work);
        self.of(&comprehension.loop_cond);
        let step = self.of(&comprehension.loop_step);
        // Every element is copied once, and they are all inside the range.
        self.work = before + range.len * (self.work + ROUND) + range.size;
        let accumulated = match &comprehension.accu_init.expr {
            // What one round appends, in every round.
            Expr::List(_) => Bound { len: range.len * step.len, size: range.len * step.size, ..step },
            _ => Bound::SCALAR,
        };
        self.locals.pop();
        self.locals.push((&comprehension.accu_var, accumulated));
        let result = self.of(&comprehension.result);
        self.locals.truncate(n_locals);
        result
    }
}

#[cfg(test)]
mod tests;
