//! Which crate may depend on which.

use cargo_metadata::{Dependency, DependencyKind, Package};

use super::Finding;
use crate::Workspace;

/// For each crate, the crates of the workspace that it may use: `model ← guard, credit, store ← engine ← server, cli`.
const ARROWS: [(&str, &[&str]); 9] = [
    ("accredit-model", &[]),
    ("accredit-guard", &["accredit-model"]),
    ("accredit-credit", &["accredit-model"]),
    ("accredit-store", &["accredit-model"]),
    ("accredit", &["accredit-model", "accredit-guard", "accredit-credit", "accredit-store"]),
    ("accredit-server", &["accredit", "accredit-model"]),
    ("accredit-cli", &["accredit", "accredit-credit", "accredit-model", "accredit-server", TESTKIT]),
    ("accredit-python", &["accredit", "accredit-credit", "accredit-model"]),
    ("xtask", &["accredit-model"]),
];

/// The crate that may use all others, and that the others use in tests alone; `accredit bench credit` measures on its
/// environments.
const TESTKIT: &str = "accredit-testkit";

/// Crates that stay free of asynchronous code and of input and output.
const PURE: [&str; 3] = ["accredit-model", "accredit-guard", "accredit-credit"];

/// What a pure crate's manifest never names, not even for its tests.
const IMPURE: [&str; 16] = [
    "async-compat",
    "async-std",
    "async-trait",
    "axum",
    "futures",
    "futures-core",
    "futures-util",
    "hyper",
    "mio",
    "reqwest",
    "rusqlite",
    "smol",
    "tokio",
    "tokio-util",
    "tonic",
    "ureq",
];

/// A library that one crate alone may name.
const OWNED: [(&str, &str); 2] = [("rusqlite", "accredit-store"), ("axum", "accredit-server")];

/// The dependencies that run against the architecture.
#[must_use]
pub fn check_arrows(workspace: &Workspace) -> Vec<Finding> {
    let members: Vec<&str> = workspace.packages().iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let manifest = package.manifest_path.strip_prefix(workspace.root()).unwrap_or(&package.manifest_path);
        for dependency in &package.dependencies {
            if let Some(message) = wrong(package, dependency, &members) {
                findings.push(Finding::new(manifest.as_str(), 0, message));
            }
        }
    }
    findings
}

fn wrong(package: &Package, dependency: &Dependency, members: &[&str]) -> Option<String> {
    let (name, on) = (package.name.as_str(), dependency.name.as_str());
    if PURE.contains(&name) && IMPURE.contains(&on) {
        return Some(format!("{name} is pure computation and must not name {on}"));
    }
    if let Some((_, owner)) = OWNED.iter().find(|(library, owner)| *library == on && *owner != name) {
        return (name != TESTKIT || on == "rusqlite").then(|| format!("{on} belongs to {owner} alone"));
    }
    if !members.contains(&on) || name == TESTKIT || dependency.kind == DependencyKind::Development {
        return None;
    }
    if on == TESTKIT && name != "accredit-cli" {
        return Some(format!("{TESTKIT} may be a dev-dependency only"));
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return Some(format!("{name} has no row in the table of arrows (xtask/src/checks/arrows.rs)"));
    };
    (!allowed.contains(&on)).then(|| format!("{name} must not depend on {on}; it may on: {}", allowed.join(", ")))
}
