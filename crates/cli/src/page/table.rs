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
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let widest = rows.iter().filter_map(|row| row.get(index)).map(|cell| text::width(&cell.text)).max();
            widest.filter(|widest| *widest > 0).map_or(0, |widest| widest.max(text::width(column.title)))
        })
        .collect();
    let widths = fitted(columns, &natural, screen.width);
    let mut page = String::new();
    let heading: Vec<Cell> = columns.iter().map(|column| Cell::toned(column.title, Tone::Dim)).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let cells = columns.iter().zip(row).zip(&widths).filter(|(_, width)| **width > 0);
        let cells: Vec<String> = cells
            .map(|((column, cell), width)| {
                let cut = text::fit(&cell.text, *width);
                let padded = if column.right { text::right(&cut, *width) } else { text::left(&cut, *width) };
                cell.tone.map_or_else(|| padded.clone(), |tone| screen.paint(tone, &padded))
            })
            .collect();
        page.push_str(cells.join("  ").trim_end());
        page.push('\n');
    }
    page
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
