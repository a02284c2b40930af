//! Regular expressions from users.

use regex::{Regex, RegexBuilder};

/// Memory that a compiled pattern may take; it also bounds the time of compiling and of matching, which is linear in
/// the text.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A pattern, compiled; `None` where it is no regular expression or needs more memory than the limit.
pub(crate) fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX).build().ok()
}
