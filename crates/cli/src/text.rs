//! Fitting recorded text onto a screen: one line, no control characters, measured in columns.

use accredit_model::Timestamp;
use console::measure_text_width;

/// Recorded text made safe for a terminal: white space runs become one blank, control characters (an escape sequence
/// in a tool's answer must not move the reader's cursor) and direction overrides become `·`.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() || is_override(c) => out.push('·'),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

const fn is_override(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The width in columns.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// The text cut to `columns`, with `…` where something is missing.
#[must_use]
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    let mut buffer = [0; 4];
    for c in text.chars() {
        used += width(c.encode_utf8(&mut buffer));
        if used > columns {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Cleaned and cut.
#[must_use]
pub(crate) fn line(text: &str, columns: usize) -> String {
    // A megabyte of recorded text need not be cleaned to show its first columns.
    let head: String = text.chars().take(columns.saturating_mul(4).saturating_add(64)).collect();
    let cut = head.len() < text.len();
    let mut head = clean(&head);
    if cut {
        head.push('…');
    }
    fit(&head, columns)
}

/// Filled up with blanks on the right to `columns`.
#[must_use]
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Filled up with blanks on the left to `columns`.
#[must_use]
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The cleaned text in lines of at most `columns`, broken at blanks where there are any; at most `lines_max` lines, the
/// last ending in `…` where something is missing.
#[must_use]
pub(crate) fn wrap(text: &str, columns: usize, lines_max: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines: Vec<String> = vec![String::new()];
    for word in clean(text).split(' ') {
        let mut word = word;
        loop {
            let last = lines.last_mut().expect("there is a line from the beginning");
            let gap = usize::from(!last.is_empty());
            if width(last) + gap + width(word) <= columns {
                last.push_str(if gap == 1 { " " } else { "" });
                last.push_str(word);
                break;
            }
            if !last.is_empty() {
                lines.push(String::new());
                continue;
            }
            let (head, tail) = word.split_at(fitting(word, columns));
            last.push_str(head);
            word = tail;
            lines.push(String::new());
        }
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), columns);
        }
    }
    lines
}

/// Bytes of the longest beginning that fits, at least one character.
fn fitting(word: &str, columns: usize) -> usize {
    let mut used = 0;
    let mut end = 0;
    for (at, c) in word.char_indices() {
        let next = at + c.len_utf8();
        used += word.get(at..next).map_or(0, width);
        if used > columns && end > 0 {
            break;
        }
        end = next;
    }
    end
}

/// A span of time in one or two units: `850ms`, `12.3s`, `4m 10s`, `3h 5m`, `2d 4h`.
#[must_use]
pub(crate) fn span(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000;
    let text = match seconds {
        0 if micros < 1_000 => format!("{micros}µs"),
        0 => format!("{}ms", micros / 1_000),
        1..60 => format!("{seconds}.{}s", micros % 1_000_000 / 100_000),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    };
    format!("{sign}{text}")
}

/// A duration given in seconds.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a screen needs")]
pub(crate) fn seconds(seconds: f64) -> String {
    span((seconds * 1e6) as i64)
}

/// How long ago, in one unit: `now`, `12s ago`, `3h ago`.
#[must_use]
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.micros_since(then) / 1_000_000;
    match seconds {
        i64::MIN..1 => "now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A time to the second: `2026-01-31 12:00:00Z`.
#[must_use]
pub(crate) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{}Z", seconds.replace('T', " ")),
        None => text,
    }
}

/// A number without needless digits: `1`, `0.5`, `0.333`.
#[must_use]
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A count with a noun in the right number.
#[must_use]
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A whole number with its thousands set apart.
#[must_use]
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
