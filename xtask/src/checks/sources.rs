//! Rules for source files that the compiler does not know.

use std::path::Path;

use super::Finding;
use super::code::code_only;
use super::files::{files, has_extension};
use crate::{Result, Workspace};

/// A longer file has a seam.
const LINES_MAX: usize = 700;

/// Code that has no place in the tree, and why.
const BANNED: [(&str, &str); 3] = [
    ("todo!", "`todo!` is unfinished work"),
    ("unimplemented!", "`unimplemented!` is unfinished work"),
    ("#[ignore", "an ignored test is no test: mend it or remove it"),
];

/// What a crate's own documentation says of its limits, in one of these phrases.
const ABSENCE: [&str; 3] = ["what this crate is not", "what it is not", "what this program is not"];

/// The rules for every Rust file of the tree.
///
/// # Errors
/// When a file cannot be read.
pub fn check_sources(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in files(workspace.root(), |path| has_extension(path, "rs"))? {
        let source = std::fs::read_to_string(workspace.root().join(&path))?;
        findings.extend(check_source(&path.to_string_lossy(), &source));
    }
    Ok(findings)
}

/// The rules for one Rust file: not too long, nothing unfinished, no test switched off, no `matches!` that asserts
/// nothing.
#[must_use]
pub fn check_source(file: &str, source: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let n_lines = source.lines().count();
    if n_lines > LINES_MAX {
        findings.push(Finding::new(file, 0, format!("{n_lines} lines, more than {LINES_MAX}: is there a seam?")));
    }
    let code = code_only(source);
    for (index, line) in code.lines().enumerate() {
        for (text, why) in BANNED {
            if line.contains(text) {
                findings.push(Finding::new(file, index + 1, why));
            }
        }
    }
    let bare = code.match_indices("matches!").filter(|(at, _)| is_statement(&code, *at));
    findings.extend(bare.map(|(at, _)| {
        let line = 1 + code.bytes().take(at).filter(|byte| *byte == b'\n').count();
        Finding::new(file, line, "a bare `matches!` asserts nothing: write `assert!(matches!(…))`")
    }));
    findings
}

/// Whether the macro call at this place is a whole statement, its result thrown away.
fn is_statement(code: &str, at: usize) -> bool {
    let (before, after) = code.split_at(at);
    if !before.trim_end().ends_with([';', '{', '}']) && !before.trim().is_empty() {
        return false;
    }
    let mut depth = 0_usize;
    for (offset, c) in after.char_indices().skip_while(|(_, c)| !matches!(c, '(' | '[' | '{')) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return after.split_at(offset + c.len_utf8()).1.trim_start().starts_with(';');
        }
    }
    false
}

/// Every crate's `//!` says what the crate is not.
///
/// # Errors
/// When a file cannot be read.
pub fn check_crate_docs(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let main =
            package.targets.iter().find(|target| target.is_lib() || target.is_proc_macro() || target.is_cdylib());
        let Some(target) = main.or_else(|| package.targets.iter().find(|target| target.is_bin())) else { continue };
        let source = std::fs::read_to_string(&target.src_path)?;
        let docs: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let docs = docs.join(" ").to_lowercase();
        if !ABSENCE.iter().any(|phrase| docs.contains(phrase)) {
            let path = target.src_path.strip_prefix(workspace.root()).unwrap_or(&target.src_path);
            let message = format!("the crate's `//!` does not say \"{}: …\"", ABSENCE[0]);
            findings.push(Finding::new(path.as_str(), 1, message));
        }
    }
    Ok(findings)
}

/// No text of the tree names a folder of one particular machine.
///
/// # Errors
/// When a file cannot be read.
pub fn check_forbidden(workspace: &Workspace) -> Result<Vec<Finding>> {
    // In two halves, or this file would be a finding itself.
    let forbidden = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    for path in files(workspace.root(), |path| !has_extension(path, "lock"))? {
        let Ok(text) = String::from_utf8(std::fs::read(workspace.root().join(&path))?) else { continue };
        for (index, line) in text.lines().enumerate() {
            for folder in forbidden.iter().filter(|folder| names_absolute(line, folder)) {
                let message = format!("names `{folder}`, a folder of one machine");
                findings.push(Finding::new(&path.to_string_lossy(), index + 1, message));
            }
        }
    }
    Ok(findings)
}

/// Whether the folder stands in the line as the beginning of an absolute path.
pub(super) fn names_absolute(line: &str, folder: &str) -> bool {
    let inside_path = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '~' | '*');
    line.match_indices(folder).any(|(at, _)| !line.split_at(at).0.ends_with(inside_path))
}

/// Whether a path from the root stands for a file or folder of the tree; `*` stands for any part of a name.
pub(super) fn exists(root: &Path, path: &str) -> bool {
    let Some((folder, pattern)) = path.rsplit_once('/').filter(|_| path.contains('*')) else {
        return root.join(path).exists();
    };
    if folder.contains('*') {
        return exists(root, folder);
    }
    let parts: Vec<&str> = pattern.split('*').collect();
    let (first, last) = (parts.first().copied().unwrap_or_default(), parts.last().copied().unwrap_or_default());
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .any(|name| name.len() >= first.len() + last.len() && name.starts_with(first) && name.ends_with(last))
}
