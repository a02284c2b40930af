//! The project's own tasks, run as `cargo xtask <task>`: the whole test, the generated files, the crash harness, the
//! benchmarks; and the checks of the tree itself (crate arrows, documents, sources).
//!
//! What this crate is not: no part of the product. Nothing depends on it, and it knows the product only by its
//! manifests, its binaries and its wire schemas.
//!
//! ```
//! let findings = xtask::check_source("a.rs", "fn main() { todo!() }");
//! assert_eq!(findings[0].to_string(), "a.rs:1: `todo!` is unfinished work");
//! ```

#![allow(clippy::print_stdout, reason = "a task talks to the person who runs it")]

mod bench;
mod checks;
mod command;
mod environments;
mod fixtures;
mod process;
mod python;
mod schemathesis;
mod steps;
mod tools;
mod workspace;

#[cfg(test)]
mod tests;

pub use checks::{
    Documents, Finding, check_arrows, check_crate_docs, check_dependencies, check_document, check_documents,
    check_forbidden, check_source, check_sources, check_tree, report,
};
pub use command::run;
pub use fixtures::stale_fixtures;
pub use workspace::Workspace;

/// What a task may fail with: a sentence for the person who runs it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of a task.
pub type Result<T> = std::result::Result<T, Error>;
