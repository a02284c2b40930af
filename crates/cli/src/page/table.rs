//! Tables that fit their screen: columns shrink where they may, then go, the least important first.

use crate::screen::{Screen, Tone};
use crate::text;

/// Blanks between columns.
const GAP: usize = 2;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    /// Columns with higher ranks go first; those of rank 0 stay.
    rank: u8,
    right: bool,
    /// The width that it may shrink to, where it may.
    least: Option<usize>,
}

impl Column {
    /// A column of text.
    pub(crate) const fn left(title: &'static str, rank: u8) -> Self {
        Self { title, rank, right: false, least: None }
    }

    /// A column of numbers.
    pub(crate) const fn right(title: &'static str, rank: u8) -> Self {
        Self { title, rank, right: true, least: None }
    }

    /// It may be cut down to `least` columns.
    pub(crate) const fn flexible(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: None }
    }

    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone: Some(tone) }
    }
}

/// The table with its heading, each line ended by a line break. A column in which every cell is empty is left out.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Cell>], screen: &Screen) -> String {
    table_in_parts(columns, &[("", rows)], screen)
}

/// The same in parts under one heading and with one width of each column; a part that has a title begins with it, and one
/// without rows is left out.
pub(crate) fn table_in_parts(columns: &[Column], parts: &[(&str, &[Vec<Cell>])], screen: &Screen) -> String {
    let rows = || parts.iter().flat_map(|(_, rows)| rows.iter());
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let widest = rows().filter_map(|row| row.get(index)).map(|cell| text::width(&cell.text)).max();
            widest.filter(|widest| *widest > 0).map_or(0, |widest| widest.max(text::width(column.title)))
        })
        .collect();
    let widths = fitted(columns, &natural, screen.width);
    let heading: Vec<Cell> = columns.iter().map(|column| Cell::toned(column.title, Tone::Dim)).collect();
    let mut page = line(columns, &heading, &widths, screen);
    for (title, rows) in parts.iter().filter(|(_, rows)| !rows.is_empty()) {
        if !title.is_empty() {
            page.push_str(&format!("{}\n", screen.paint(Tone::Dim, &text::fit(&format!("  {title}"), screen.width))));
        }
        rows.iter().for_each(|row| page.push_str(&line(columns, row, &widths, screen)));
    }
    page
}

fn line(columns: &[Column], row: &[Cell], widths: &[usize], screen: &Screen) -> String {
    let cells = columns.iter().zip(row).zip(widths).filter(|(_, width)| **width > 0);
    let cells: Vec<String> = cells
        .map(|((column, cell), width)| {
            let cut = text::fit(&cell.text, *width);
            let padded = if column.right { text::right(&cut, *width) } else { text::left(&cut, *width) };
            cell.tone.map_or_else(|| padded.clone(), |tone| screen.paint(tone, &padded))
        })
        .collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// The width of each column; 0 for one that is left out.
fn fitted(columns: &[Column], natural: &[usize], screen: usize) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let least = |index: usize, width: usize| columns[index].least.map_or(width, |least| least.min(width));
    loop {
        let shown = widths.iter().filter(|width| **width > 0).count();
        let smallest: usize = widths.iter().enumerate().map(|(index, width)| least(index, *width)).sum();
        let gaps = GAP * shown.saturating_sub(1);
        let last = columns.iter().enumerate().filter(|(index, column)| widths[*index] > 0 && column.rank > 0);
        let Some((goes, _)) = last.max_by_key(|(_, column)| column.rank).filter(|_| smallest + gaps > screen) else {
            break;
        };
        widths[goes] = 0;
    }
    let gaps = GAP * widths.iter().filter(|width| **width > 0).count().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > screen {
        // The widest gives first: short columns stay whole.
        let widest = widths.iter().enumerate().filter(|(index, width)| **width > least(*index, **width));
        let Some((index, _)) = widest.max_by_key(|(_, width)| **width) else { break };
        widths[index] -= 1;
    }
    widths
}
