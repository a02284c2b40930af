//! Horizontal bars in eighths of a column.

/// Parts of a column, from one eighth to a whole.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar of `share` (0 to 1) of `columns`. What is above zero shows at least a sliver.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0…8 * columns")]
#[expect(clippy::cast_precision_loss, reason = "columns are few")]
pub(super) fn bar(share: f64, columns: usize) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let mut eighths = (share * (columns * 8) as f64).round() as usize;
    if share > 0.0 {
        eighths = eighths.max(1);
    }
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        bar.push(EIGHTHS[part]);
    }
    bar
}

/// A share as a percentage of always five columns: `12.3%`, ` 0.4%`, ` 100%`.
#[must_use]
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 99.95 {
        " 100%".to_owned()
    } else if percent > 0.0 && percent < 0.05 {
        "<0.1%".to_owned()
    } else {
        format!("{percent:4.1}%")
    }
}
