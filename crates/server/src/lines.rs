//! Cutting a stream of bytes into lines of bounded length.

use accredit::{Refusal, RefusalReason};

/// The longest line.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 20;

/// One line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1; blank lines count.
    pub(crate) number: u64,
    /// Its text, or why it has none.
    pub(crate) text: Result<String, Refusal>,
}

/// Collects what arrives until a line is whole.
#[derive(Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    is_overlong: bool,
    n_ended: u64,
}

impl Lines {
    /// Takes what has arrived and gives the lines that it ends.
    pub(crate) fn feed(&mut self, arrived: &[u8], mut emit: impl FnMut(Line)) {
        let mut pieces = arrived.split(|byte| *byte == b'\n');
        if let Some(first) = pieces.next() {
            self.extend(first);
        }
        for piece in pieces {
            self.end(&mut emit);
            self.extend(piece);
        }
    }

    /// The last line, where the input did not end with a line break.
    pub(crate) fn finish(mut self, emit: impl FnMut(Line)) {
        self.end(emit);
    }

    fn extend(&mut self, piece: &[u8]) {
        if self.partial.len() + piece.len() > LINE_BYTES_MAX {
            self.is_overlong = true;
            self.partial = Vec::new();
        }
        if !self.is_overlong {
            self.partial.extend_from_slice(piece);
        }
    }

    fn end(&mut self, mut emit: impl FnMut(Line)) {
        self.n_ended += 1;
        let bytes = std::mem::take(&mut self.partial);
        let malformed = |detail: String| Refusal::new(RefusalReason::Malformed, detail);
        let text = if std::mem::take(&mut self.is_overlong) {
            Err(malformed(format!("a line has at most {LINE_BYTES_MAX} bytes")))
        } else {
            String::from_utf8(bytes).map_err(|_| malformed("the line is not UTF-8 text".to_owned()))
        };
        if !text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            emit(Line { number: self.n_ended, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES_MAX, Lines};

    fn cut(chunks: &[&[u8]]) -> Vec<(u64, Result<String, String>)> {
        let (mut lines, mut cut) = (Lines::default(), Vec::new());
        let mut emit = |line: super::Line| cut.push((line.number, line.text.map_err(|refusal| refusal.detail)));
        for chunk in chunks {
            lines.feed(chunk, &mut emit);
        }
        lines.finish(&mut emit);
        cut
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"{\"a\":1}\r\n\n  \n{\"b\":\xff}\nlast";
        let whole = cut(&[text]);
        assert_eq!(whole.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 4, 5]);
        assert_eq!(whole[0].1.as_deref(), Ok("{\"a\":1}\r"));
        assert!(whole[1].1.as_ref().is_err_and(|detail| detail.contains("UTF-8")));
        for at in 0..text.len() {
            let (head, tail) = text.split_at(at);
            assert_eq!(cut(&[head, tail]), whole, "cut at {at}");
        }
        assert_eq!(cut(&text.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn an_overlong_line_is_refused_alone() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let lines = cut(&[&longest, b"\n", &longest, b"y", b"zzz\nnext"]);
        assert_eq!(lines[0].1.as_ref().map(String::len), Ok(LINE_BYTES_MAX));
        assert!(lines[1].1.is_err());
        assert_eq!(lines[2], (3, Ok("next".to_owned())));
    }
}
