//! What the benchmark found, row by row.

use std::sync::Arc;

use accredit::Error;
use serde::Serialize;

use crate::text;

/// One measured fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was measured, with its unit.
    pub(crate) name: String,
    /// What accredit did.
    pub(crate) accredit: f64,
    /// What the plain file did in the same run.
    pub(crate) plain_file: Option<f64>,
    /// The first by the second.
    pub(crate) ratio: Option<f64>,
    /// The goal: a ratio to reach, or a value to stay under.
    pub(crate) goal: Option<f64>,
    /// Whether the goal was reached.
    pub(crate) reached: Option<bool>,
}

impl Row {
    pub(super) fn fact(name: &str, accredit: f64) -> Self {
        Self { name: name.to_owned(), accredit, plain_file: None, ratio: None, goal: None, reached: None }
    }

    pub(super) fn beside(name: &str, accredit: f64, plain_file: f64) -> Self {
        Self { plain_file: Some(plain_file), ..Self::fact(name, accredit) }
    }

    pub(super) fn compared(name: &str, accredit: f64, plain_file: f64, ratio: f64, goal: Option<f64>) -> Self {
        let reached = goal.map(|goal| ratio >= goal);
        Self { ratio: Some(ratio), goal, reached, ..Self::beside(name, accredit, plain_file) }
    }

    pub(super) fn at_most(name: &str, accredit: f64, goal: f64) -> Self {
        Self { goal: Some(goal), reached: Some(accredit <= goal), ..Self::fact(name, accredit) }
    }
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    /// Where it ran: processor, cores, system.
    pub(crate) machine: String,
    /// The facts.
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn of(rows: Vec<Row>) -> Self {
        Self { machine: machine(), rows }
    }

    /// A table in Markdown, which is as readable on a terminal.
    pub(crate) fn table(&self) -> String {
        let heads = ["", "accredit", "plain file", "ratio", "goal"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(heads).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| rows.iter().map(|row| text::width(&row[column])).max().unwrap_or_default();
        let widths: [usize; 5] = std::array::from_fn(width);
        let mut table = String::new();
        for (index, row) in rows.iter().enumerate() {
            let [name, numbers @ ..] = row;
            table.push_str(&format!("| {name}{} |", " ".repeat(widths[0] - text::width(name))));
            for (cell, width) in numbers.iter().zip(&widths[1..]) {
                table.push_str(&format!(" {}{cell} |", " ".repeat(width - text::width(cell))));
            }
            table.push('\n');
            if index == 0 {
                let rules = widths.map(|width| "-".repeat(width));
                let [name, numbers @ ..] = &rules;
                let numbers: String =
                    numbers.iter().map(|rule| format!(" {}: |", rule.get(1..).unwrap_or("-"))).collect();
                table.push_str(&format!("| {name} |{numbers}\n"));
            }
        }
        table
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let goal = match (self.goal, self.reached, self.ratio) {
            (Some(goal), Some(reached), ratio) => {
                let sense = if ratio.is_some() { '≥' } else { '≤' };
                format!("{sense} {} {}", number(goal), if reached { "reached" } else { "missed" })
            }
            _ => String::new(),
        };
        let ratio = self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        [self.name.clone(), number(self.accredit), self.plain_file.map_or_else(String::new, number), ratio, goal]
    }
}

/// Whole numbers where they are large, two decimals where they are small.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "measured values are small and positive")]
fn number(value: f64) -> String {
    if value >= 100.0 { text::grouped(value.round() as u64) } else { format!("{value:.2}") }
}

/// The processor and the system, where they can be told.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!("{cores} cores, {}, {}", if model.is_empty() { "unknown processor" } else { model }, std::env::consts::OS)
}

pub(super) fn io_failed(error: std::io::Error) -> Error {
    Error::Export(Arc::new(error))
}
