//! Checks of the tree itself. Each returns what it found; finding nothing is passing.

mod arrows;
mod code;
mod commands;
mod documents;
mod files;
mod markdown;
mod sources;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Result, Workspace};

pub use arrows::check_arrows;
pub use documents::{Documents, check_dependencies, check_document, check_documents};
pub use sources::{check_crate_docs, check_forbidden, check_source, check_sources};

/// One thing that is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the root.
    pub file: String,
    /// Line, counted from 1; 0 where it is about the file as a whole.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// Every check of the tree.
///
/// # Errors
/// When a file cannot be read.
pub fn check_tree(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = check_arrows(workspace);
    findings.extend(check_documents(workspace)?);
    findings.extend(check_dependencies(workspace)?);
    findings.extend(check_sources(workspace)?);
    findings.extend(check_crate_docs(workspace)?);
    findings.extend(check_forbidden(workspace)?);
    Ok(findings)
}

/// Nothing, or all findings as one text.
///
/// # Errors
/// When there is a finding.
pub fn report(findings: &[Finding]) -> std::result::Result<(), String> {
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(format!("{} found\n{}", findings.len(), lines.join("\n")))
}
