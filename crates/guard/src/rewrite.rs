//! Cutting JSON that breaks a limit, token by token: everything that is not cut stays as the sender wrote it.

use accredit_model::{JsonObject, Payload, Refusal, RefusalReason};
use serde_json::Value;

use crate::scan::{self, Fit};
use crate::{Limits, fields};

/// Characters of a value's JSON text that are kept where the value is replaced.
const PREVIEW_CHARS_MAX: usize = 200;

/// Guards a payload in place; answers whether something was cut. One that is still too large with its strings cut is
/// replaced as a whole.
pub(crate) fn payload(name: &str, payload: &mut Payload, limits: &Limits) -> Result<bool, Refusal> {
    let text = payload.get();
    match scan::fit(text, limits) {
        Fit::Whole => return Ok(false),
        Fit::TooDeep => return Err(too_deep(name, limits)),
        Fit::Rewrite => {}
    }
    let limit = Limit::new(limits);
    let mut rewritten = Rewriter::run(text, &limit);
    if rewritten.out.len() > limits.json_bytes_max {
        rewritten.replace_whole(text.len(), &limit);
    }
    if rewritten.cut {
        *payload = Payload::from_json(rewritten.out).map_err(|_| not_json(name))?;
    }
    Ok(rewritten.cut)
}

/// Guards an object in place; answers whether something was cut. Its largest values are replaced first, and the whole
/// only where that is not enough.
pub(crate) fn object(name: &str, object: &mut JsonObject, limits: &Limits) -> Result<bool, Refusal> {
    if object.is_empty() {
        return Ok(false);
    }
    if is_deeper(object, scan::depth_max(limits)) {
        return Err(too_deep(name, limits));
    }
    let text = serde_json::to_string(object).map_err(|_| not_json(name))?;
    match scan::fit(&text, limits) {
        Fit::Whole => return Ok(false),
        Fit::TooDeep => return Err(too_deep(name, limits)),
        Fit::Rewrite => {}
    }
    let limit = Limit::new(limits);
    let mut rewritten = Rewriter::run(&text, &limit);
    if rewritten.out.len() > limits.json_bytes_max {
        rewritten.replace_members(limits.json_bytes_max, &limit);
    }
    if rewritten.out.len() > limits.json_bytes_max {
        rewritten.replace_whole(text.len(), &limit);
    }
    if rewritten.cut {
        *object = serde_json::from_str(&rewritten.out).map_err(|_| not_json(name))?;
    }
    Ok(rewritten.cut)
}

fn too_deep(name: &str, limits: &Limits) -> Refusal {
    let depth_max = scan::depth_max(limits);
    Refusal::new(RefusalReason::TooDeep, format!("field `{name}`: nested deeper than {depth_max} levels"))
}

fn not_json(name: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, format!("field `{name}`: not JSON"))
}

/// Whether values inside values go deeper than `depth_max`, the object itself being the first level.
fn is_deeper(object: &JsonObject, depth_max: usize) -> bool {
    let mut open: Vec<(&Value, usize)> = object.values().map(|value| (value, 2)).collect();
    while let Some((value, depth)) = open.pop() {
        let is_container = value.is_object() || value.is_array();
        if is_container && depth > depth_max {
            return true;
        }
        match value {
            Value::Object(members) => open.extend(members.values().map(|value| (value, depth + 1))),
            Value::Array(elements) => open.extend(elements.iter().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    false
}

/// The limits as the rewriting needs them.
struct Limit {
    string_chars_max: usize,
    nested_chars_max: usize,
    preview_chars_max: usize,
}

impl Limit {
    fn new(limits: &Limits) -> Self {
        Self {
            string_chars_max: limits.string_chars_max,
            nested_chars_max: limits.nested_json_chars_max,
            preview_chars_max: PREVIEW_CHARS_MAX.min(limits.string_chars_max),
        }
    }

    /// The way of every string leaf, decoded: `None` keeps it as it was written. The three dots stand behind the
    /// characters that are kept, as in the reference, so that what was cut once is not cut again.
    fn leaf(&self, text: &str) -> Option<String> {
        let cut = format!("{}...", fields::prefix(text, self.string_chars_max)?);
        (cut != text).then_some(cut)
    }

    /// What stands in for a value of so many bytes.
    fn replacement(&self, bytes: usize, text: &str) -> String {
        let text = text.trim();
        let preview = fields::prefix(text, self.preview_chars_max).unwrap_or(text);
        format!(r#"{{"$truncated":{{"bytes":{bytes},"preview":{}}}}}"#, Value::from(preview))
    }
}

/// The value of one key of the outermost object.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// Where its text begins and ends in what was written.
    start: usize,
    end: usize,
    /// Its size as it came.
    bytes: usize,
}

/// Copies a JSON text with its strings and nested containers cut.
struct Rewriter<'a> {
    text: &'a str,
    limit: &'a Limit,
    /// What was read up to here is in `out`.
    copied: usize,
    out: String,
    cut: bool,
    members: Vec<Member>,
}

/// The copy, and where its members are.
struct Rewritten {
    out: String,
    cut: bool,
    members: Vec<Member>,
}

/// A position in the text that is read and the one in the text that is written.
#[derive(Clone, Copy)]
struct Mark {
    read: usize,
    written: usize,
}

impl<'a> Rewriter<'a> {
    fn run(text: &'a str, limit: &'a Limit) -> Rewritten {
        let out = String::with_capacity(text.len());
        let mut rewriter = Self { text, limit, copied: 0, out, cut: false, members: Vec::new() };
        rewriter.walk();
        rewriter.copy_to(text.len());
        Rewritten { out: rewriter.out, cut: rewriter.cut, members: rewriter.members }
    }

    fn walk(&mut self) {
        let bytes = self.text.as_bytes();
        let (mut at, mut depth) = (0, 0_usize);
        let (mut nested, mut member) = (None, None);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    let end = scan::string_end(bytes, at);
                    if !is_key(bytes, end) {
                        self.string(at, end);
                    }
                    at = end;
                    continue;
                }
                b'{' | b'[' => {
                    if depth == 1 {
                        nested = Some(self.mark(at));
                    }
                    depth += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    match depth {
                        0 => self.end_member(at, member.take()),
                        1 => self.end_nested(at + 1, nested.take()),
                        _ => {}
                    }
                }
                b':' if depth == 1 => member = Some(self.mark(at + 1)),
                b',' if depth == 1 => self.end_member(at, member.take()),
                _ => {}
            }
            at += 1;
        }
    }

    fn copy_to(&mut self, at: usize) {
        self.out.push_str(self.text.get(self.copied..at).unwrap_or_default());
        self.copied = self.copied.max(at);
    }

    fn mark(&mut self, at: usize) -> Mark {
        self.copy_to(at);
        Mark { read: at, written: self.out.len() }
    }

    fn string(&mut self, start: usize, end: usize) {
        let quoted = self.text.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
        let leaf = if quoted.contains('\\') { self.limit.leaf(&decode(quoted)) } else { self.limit.leaf(quoted) };
        if let Some(leaf) = leaf {
            self.copy_to(start);
            self.out.push_str(&Value::from(leaf).to_string());
            self.copied = end;
            self.cut = true;
        }
    }

    fn end_nested(&mut self, at: usize, start: Option<Mark>) {
        self.copy_to(at);
        let Some(start) = start else { return };
        let written = self.out.get(start.written..).unwrap_or_default();
        if fields::prefix(written, self.limit.nested_chars_max).is_some() {
            let replacement = self.limit.replacement(at - start.read, written);
            self.out.truncate(start.written);
            self.out.push_str(&replacement);
            self.cut = true;
        }
    }

    fn end_member(&mut self, at: usize, start: Option<Mark>) {
        self.copy_to(at);
        if let Some(start) = start {
            self.members.push(Member { start: start.written, end: self.out.len(), bytes: at - start.read });
        }
    }
}

/// A string is a key where a colon comes next.
fn is_key(bytes: &[u8], end: usize) -> bool {
    bytes.get(end..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

impl Rewritten {
    fn replace_whole(&mut self, bytes: usize, limit: &Limit) {
        self.out = limit.replacement(bytes, &self.out);
        self.cut = true;
    }

    /// Replaces the largest members, until the whole is within `bytes_max` or no replacement is shorter.
    fn replace_members(&mut self, bytes_max: usize, limit: &Limit) {
        let mut largest: Vec<usize> = (0..self.members.len()).collect();
        largest.sort_by_key(|&index| std::cmp::Reverse(self.members[index].end - self.members[index].start));
        let mut bytes = self.out.len();
        let mut replacements: Vec<(Member, String)> = Vec::new();
        for index in largest {
            let member = self.members[index];
            let text = self.out.get(member.start..member.end).unwrap_or_default();
            let replacement = limit.replacement(member.bytes, text);
            if bytes <= bytes_max || replacement.len() >= text.len() {
                break;
            }
            bytes -= text.len() - replacement.len();
            replacements.push((member, replacement));
        }
        replacements.sort_by_key(|(member, _)| member.start);
        let mut out = String::with_capacity(bytes);
        let mut copied = 0;
        for (member, replacement) in &replacements {
            out.push_str(self.out.get(copied..member.start).unwrap_or_default());
            out.push_str(replacement);
            copied = member.end;
        }
        out.push_str(self.out.get(copied..).unwrap_or_default());
        self.cut |= !replacements.is_empty();
        self.out = out;
    }
}

/// The text of a JSON string between its quotes. Half of a surrogate pair, which JSON allows and text does not, becomes
/// the replacement character.
fn decode(quoted: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(char) = chars.next() {
        let char = match char {
            '\\' => match chars.next() {
                Some('u') => {
                    let hex = (0..4).filter_map(|_| chars.next()?.to_digit(16));
                    #[expect(clippy::cast_possible_truncation, reason = "four hexadecimal digits fit sixteen bits")]
                    units.push(hex.fold(0, |unit, digit| unit << 4 | digit) as u16);
                    continue;
                }
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests;
