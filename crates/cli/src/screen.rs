//! What the output is drawn on: its width, whether it has colour, and what time it is.

use std::io::IsTerminal as _;

use accredit_model::{Timestamp, Verdict};

/// The surface that a page is laid out for. Pages are pure functions of their data and a screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Columns.
    pub(crate) width: usize,
    /// Whether to colour.
    pub(crate) colour: bool,
    /// The time that "ago" counts from.
    pub(crate) now: Timestamp,
}

/// Narrower than this nothing can be laid out; wider, lines become hard to follow.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=200;

/// The width where nobody is looking and `COLUMNS` says nothing.
const WIDTH_UNKNOWN: usize = 120;

/// What a piece of text means, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Something to look at.
    Warn,
    /// Less important than the rest.
    Dim,
    /// More important than the rest.
    Strong,
    /// A bar or another mark.
    Accent,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warn => "33",
            Self::Dim => "2",
            Self::Strong => "1",
            Self::Accent => "36",
        }
    }

    /// The tone of a verdict.
    #[must_use]
    pub(crate) const fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Success) => Self::Good,
            Some(Verdict::Failure) => Self::Bad,
            Some(Verdict::Partial) => Self::Warn,
            Some(Verdict::Unknown) | None => Self::Dim,
        }
    }
}

impl Screen {
    /// The screen of this process: `COLUMNS`, else the terminal's own width; colour only on a terminal and where
    /// `NO_COLOR` is not set.
    #[must_use]
    pub(crate) fn of_process(now: Timestamp) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let measured = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        let width = columns.or_else(|| terminal.then(measured).flatten()).unwrap_or(WIDTH_UNKNOWN);
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { width: width.clamp(*WIDTHS.start(), *WIDTHS.end()), colour: terminal && !no_colour && !dumb, now }
    }

    /// The text in the colour of its meaning, where there is colour.
    #[must_use]
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{}m{text}\x1b[0m", tone.code()) } else { text.to_owned() }
    }
}

/// The wall clock.
pub(crate) fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
