//! What the documents name exists: paths, crates, commands, links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Finding;
use super::commands::{accredit_commands, simple_commands};
use super::files::{files, has_extension};
use super::markdown::Markdown;
use super::sources::exists;
use crate::command::TASKS;
use crate::{Result, Workspace, steps};

/// What a document may name.
#[derive(Debug)]
pub struct Documents {
    root: PathBuf,
    /// Packages of the workspace.
    members: Vec<String>,
    /// Binary targets of the workspace.
    binaries: Vec<String>,
    /// Subcommands of `accredit`.
    commands: Vec<String>,
}

impl Documents {
    /// What this workspace has.
    ///
    /// # Errors
    /// When a source file cannot be read.
    pub fn new(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            root: workspace.root().to_path_buf(),
            members: workspace.packages().iter().map(|package| package.name.to_string()).collect(),
            binaries: workspace.binaries().map(str::to_owned).collect(),
            commands: accredit_commands(workspace.root())?,
        })
    }

    #[cfg(test)]
    pub(super) fn set_commands(&mut self, names: &[&str]) {
        self.commands = names.iter().map(|name| (*name).to_owned()).collect();
    }
}

/// Folders of the root, whether or not they exist: a path that begins with one is a path of this project.
const FOLDERS: [&str; 13] = [
    ".cargo", ".ci", ".config", "crates", "data", "docs", "examples", "fuzz", "python", "schemas", "scripts", "tests",
    "xtask",
];
/// A name with a slash that ends so is a path of this project, wherever it begins.
const EXTENSIONS: [&str; 7] = ["json", "md", "ndjson", "py", "rs", "sh", "toml"];
/// The document that says why each dependency is there.
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// What cargo can do, as far as documents say it.
const CARGO: [&str; 14] = [
    "add", "bench", "build", "check", "clippy", "deny", "doc", "fmt", "fuzz", "install", "nextest", "run", "test",
    "update",
];
/// Options of `accredit` that stand before the subcommand and take a value.
const GLOBAL_OPTIONS: [&str; 2] = ["--config", "--store"];

/// Every document at the root, in `docs` and in the crates.
///
/// # Errors
/// When a file cannot be read.
pub fn check_documents(workspace: &Workspace) -> Result<Vec<Finding>> {
    let documents = Documents::new(workspace)?;
    let mut findings = Vec::new();
    for path in files(workspace.root(), |path| has_extension(path, "md"))? {
        let folder = path.components().next().map(|it| it.as_os_str().to_owned()).unwrap_or_default();
        if path.components().count() == 1 || folder == "docs" || folder == "crates" {
            let text = std::fs::read_to_string(workspace.root().join(&path))?;
            findings.extend(check_document(&documents, &path.to_string_lossy(), &text));
        }
    }
    Ok(findings)
}

/// ARCHITECTURE.md has a line for each library that a manifest names.
///
/// # Errors
/// When it cannot be read.
pub fn check_dependencies(workspace: &Workspace) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(workspace.root().join(ARCHITECTURE))?;
    let named = |name: &str| text.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
    let dependencies = workspace.packages().iter().flat_map(|package| &package.dependencies);
    let outside: BTreeSet<&str> = dependencies.filter(|it| it.path.is_none()).map(|it| it.name.as_str()).collect();
    let missing = outside.into_iter().filter(|name| !named(name));
    Ok(missing.map(|name| Finding::new(ARCHITECTURE, 0, format!("does not say what `{name}` is for"))).collect())
}

/// One document, whose path from the root is `file`.
#[must_use]
pub fn check_document(documents: &Documents, file: &str, text: &str) -> Vec<Finding> {
    let markdown = Markdown::parse(text);
    let folder = Path::new(file).parent().unwrap_or(Path::new("")).to_path_buf();
    let mut findings = Vec::new();
    let mut find =
        |line: usize, message: Option<String>| findings.extend(message.map(|it| Finding::new(file, line, it)));
    for (line, span) in &markdown.spans {
        if span.starts_with("cargo ") || span.starts_with("accredit ") {
            simple_commands(span).iter().for_each(|words| find(*line, documents.wrong_command(words)));
        } else {
            find(*line, documents.wrong_path(&folder, span).or_else(|| documents.wrong_crate(span)));
        }
    }
    for (line, command) in &markdown.commands {
        for words in simple_commands(command) {
            find(*line, documents.wrong_command(&words));
            words.iter().for_each(|word| find(*line, documents.wrong_path(&folder, word)));
        }
    }
    for (line, target) in &markdown.links {
        find(*line, documents.wrong_link(&folder, target, &markdown.anchors));
    }
    findings
}

impl Documents {
    fn wrong_path(&self, folder: &Path, text: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*');
        if !text.chars().all(plain) || text.starts_with(['/', '-', '*']) || text.contains("...") {
            return None;
        }
        let is_file = Path::new(text).extension().is_some_and(|it| EXTENSIONS.iter().any(|known| it == *known));
        let first = text.split('/').next().unwrap_or_default();
        let names_ours = match text.contains('/') {
            true => FOLDERS.contains(&first) || (is_file && !matches!(first, "target" | ".venv")),
            false => has_extension(Path::new(text), "md") && !text.starts_with('.'),
        };
        let stands = exists(&self.root, text) || exists(&self.root.join(folder), text);
        (names_ours && !stands).then(|| format!("names `{text}`, which does not exist"))
    }

    fn wrong_crate(&self, text: &str) -> Option<String> {
        let is_name = text.starts_with("accredit-") && text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        (is_name && !self.is_member(text) && !self.binaries.iter().any(|it| it == text))
            .then(|| format!("names the crate `{text}`, which the workspace does not have"))
    }

    fn is_member(&self, name: &str) -> bool {
        self.members.iter().any(|member| member == name)
    }

    fn wrong_command(&self, words: &[String]) -> Option<String> {
        let (program, arguments) = words.split_first()?;
        match program.rsplit('/').next().unwrap_or_default() {
            "cargo" => self.wrong_cargo(arguments),
            "accredit" => self.wrong_accredit(arguments),
            _ => None,
        }
    }

    fn wrong_cargo(&self, words: &[String]) -> Option<String> {
        let (own, rest) = words.split_at(words.iter().position(|word| word == "--").unwrap_or(words.len()));
        let mut plain = own.iter().filter(|word| !word.starts_with(['-', '+'])).map(String::as_str);
        let subcommand = plain.next().filter(|word| !is_placeholder(word))?;
        if subcommand == "xtask" {
            return wrong_task(plain.next(), plain);
        }
        if !CARGO.contains(&subcommand) {
            return Some(format!("`cargo {subcommand}` is no command that these documents may name"));
        }
        let value_of = |names: [&str; 2]| {
            own.windows(2).find(|pair| names.contains(&pair[0].as_str())).map(|pair| pair[1].as_str())
        };
        let package = value_of(["-p", "--package"]);
        if let Some(package) = package.filter(|name| !is_placeholder(name) && !self.is_member(name)) {
            return Some(format!("names the package `{package}`, which the workspace does not have"));
        }
        let binary = value_of(["--bin", "--bin"]);
        if let Some(binary) = binary.filter(|name| !is_placeholder(name) && !self.binaries.iter().any(|it| it == name))
        {
            return Some(format!("names the binary `{binary}`, which the workspace does not have"));
        }
        let runs_accredit = subcommand == "run"
            && package.is_none_or(|it| it == "accredit-cli")
            && binary.is_none_or(|it| it == "accredit");
        rest.split_first().filter(|_| runs_accredit).and_then(|(_, arguments)| self.wrong_accredit(arguments))
    }

    fn wrong_accredit(&self, words: &[String]) -> Option<String> {
        let mut words = words.iter().map(String::as_str);
        let subcommand = loop {
            let word = words.next()?;
            if GLOBAL_OPTIONS.contains(&word) {
                words.next();
            } else if !word.starts_with('-') {
                break word;
            }
        };
        (!is_placeholder(subcommand) && !self.commands.iter().any(|command| command == subcommand))
            .then(|| format!("`accredit {subcommand}`: no enum of crates/cli that derives `Subcommand` has it"))
    }

    fn wrong_link(&self, folder: &Path, target: &str, own_anchors: &[String]) -> Option<String> {
        if target.contains("://") || target.starts_with("mailto:") || target.is_empty() {
            return None;
        }
        let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let file = self.root.join(folder).join(path);
        if !path.is_empty() && !file.exists() {
            return Some(format!("links to `{target}`, which does not exist"));
        }
        let anchor = anchor?;
        let anchors = match path {
            "" => own_anchors.to_vec(),
            _ => Markdown::parse(&std::fs::read_to_string(file).unwrap_or_default()).anchors,
        };
        let is_document = path.is_empty() || has_extension(Path::new(path), "md");
        (is_document && !anchors.iter().any(|it| it == anchor)).then(|| format!("links to `{target}`: no such heading"))
    }
}

fn wrong_task<'a>(task: Option<&str>, mut arguments: impl Iterator<Item = &'a str>) -> Option<String> {
    let task = task.filter(|word| !is_placeholder(word))?;
    if !TASKS.iter().any(|(name, _)| *name == task) {
        return Some(format!("`cargo xtask {task}` is no task"));
    }
    let names = steps::names();
    let unknown =
        arguments.find(|word| matches!(task, "test" | "ci") && !is_placeholder(word) && !names.contains(word));
    unknown.map(|step| format!("`cargo xtask {task} {step}`: no such step"))
}

/// A word that stands for another.
fn is_placeholder(word: &str) -> bool {
    word.starts_with(['<', '[', '…', '.', '$', '{'])
        || (word.chars().all(|c| c.is_ascii_uppercase()) && !word.is_empty())
}
