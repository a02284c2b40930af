//! Command lines in documents.

use std::path::Path;

use super::code::code_only;
use super::files::{files, has_extension};
use crate::Result;

/// The simple commands of a shell line: words with quotes taken off, split at `|`, `&&`, `||`, `;`, `&`.
pub(super) fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '\t' | '|' | '&' | ';' | '(' | ')') => {
                commands.last_mut().into_iter().for_each(|command| command.extend(word.take()));
                if !matches!(c, ' ' | '\t') {
                    commands.push(Vec::new());
                }
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().into_iter().for_each(|command| command.extend(word.take()));
    for command in &mut commands {
        let n_leading = command.iter().take_while(|word| is_assignment(word) || *word == "$").count();
        command.drain(..n_leading);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The subcommands of the command line, by the names in the enums that derive clap's `Subcommand`.
pub(super) fn accredit_commands(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("crates/cli/src");
    let mut names = vec!["help".to_owned()];
    for path in files(&folder, |path| has_extension(path, "rs"))? {
        names.extend(subcommands(&std::fs::read_to_string(folder.join(path))?));
    }
    Ok(names)
}

/// The variants of the enums that derive `Subcommand`, as clap names them.
pub(super) fn subcommands(source: &str) -> Vec<String> {
    let code = code_only(source);
    let mut names = Vec::new();
    let mut derived = false;
    let mut depth: Option<usize> = None;
    let mut renamed: Option<String> = None;
    for (line, code) in source.lines().zip(code.lines()) {
        let trimmed = code.trim();
        match depth {
            None if trimmed.starts_with("#[derive(") => derived = trimmed.contains("Subcommand"),
            None if derived && trimmed.contains("enum ") => depth = Some(0),
            Some(1) if trimmed.starts_with("#[") => renamed = value_of_name(line).or(renamed),
            Some(1) if trimmed.starts_with(char::is_uppercase) => {
                let variant: String = trimmed.chars().take_while(|c| c.is_alphanumeric()).collect();
                names.push(renamed.take().unwrap_or_else(|| kebab_case(&variant)));
            }
            _ => {}
        }
        if let Some(open) = depth {
            let after = code.chars().fold(open, |depth, c| match c {
                '{' => depth + 1,
                '}' => depth.saturating_sub(1),
                _ => depth,
            });
            let ended = after == 0 && code.contains('}');
            depth = (!ended).then_some(after);
            derived &= !ended;
        }
    }
    names
}

fn value_of_name(attribute: &str) -> Option<String> {
    let (_, rest) = attribute.split_once("name = \"")?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

fn kebab_case(variant: &str) -> String {
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}
