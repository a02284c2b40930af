//! Documents made from the code: `docs/cli.md`, `docs/exit-codes.md`, `docs/import.md`. A test compares them.

use clap::{Arg, Command, CommandFactory as _};

use crate::import::{READ_VERBS, WRITE_VERBS};
use crate::{Cli, Exit};

/// The reference of the command line.
#[must_use]
pub(crate) fn cli_page() -> String {
    let mut command = Cli::command();
    command.build();
    let mut page =
        "# The command line\n\nMade from the program by its tests; change the program, not this file.\n".to_owned();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.push_str(&format!("\n`accredit [OPTIONS] COMMAND`: {about}\n\n## Options of every command\n\n"));
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        page.push_str(&argument(arg));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        section(sub, "accredit", &mut page);
    }
    page.push_str("\nExit codes: `exit-codes.md`. What imports make of a file: `import.md`.\n");
    page
}

fn section(command: &Command, parent: &str, page: &mut String) {
    let path = format!("{parent} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    let positional: Vec<String> = command.get_positionals().map(|arg| format!(" {}", value(arg))).collect();
    page.push_str(&format!("\n## `{path}{}`\n\n{about}\n", positional.concat()));
    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version"));
    let own: String = own.map(argument).collect();
    if !own.is_empty() {
        page.push_str(&format!("\n{own}"));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        section(sub, &path, page);
    }
}

fn value(arg: &Arg) -> String {
    let name = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    if arg.get_num_args().is_some_and(|range| range.max_values() > 1) { format!("{name}…") } else { name }
}

fn argument(arg: &Arg) -> String {
    let takes_value = arg.get_num_args().is_some_and(|range| range.takes_values());
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        _ => String::new(),
    };
    let value = if takes_value { value(arg) } else { String::new() };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut line = format!("- `{}`: {help}", format!("{name} {value}").trim());
    let choices: Vec<String> = if takes_value {
        let shown = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
        let words = |help: Option<&clap::builder::StyledStr>| help.map(|help| format!(" ({help})")).unwrap_or_default();
        shown.map(|value| format!("`{}`{}", value.get_name(), words(value.get_help()))).collect()
    } else {
        Vec::new()
    };
    if !choices.is_empty() {
        line.push_str(&format!("; one of {}", choices.join(", ")));
    }
    if let Some(default) = arg.get_default_values().first().filter(|_| takes_value) {
        line.push_str(&format!("; default `{}`", default.to_string_lossy()));
    }
    if let Some(env) = arg.get_env() {
        line.push_str(&format!("; environment `{}`", env.to_string_lossy()));
    }
    format!("{line}\n")
}

/// The table of exit codes.
#[must_use]
pub(crate) fn exit_codes_page() -> String {
    let mut page = "# Exit codes\n\nMade from the program by its tests; change the program, not this file.\n\n| code | name | when |\n|---|---|---|\n".to_owned();
    for exit in Exit::ALL {
        page.push_str(&format!("| {} | {exit:?} | {} |\n", exit.code(), exit.meaning().trim()));
    }
    page.push_str("\nAn error is one line `error: …` on standard error, and a line `help: …` where something can be done.\nA reader that closes our output early (`accredit list | head`) is no error.\n");
    page
}

/// What imports make of a file.
#[must_use]
pub(crate) fn import_page() -> String {
    let words = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ");
    IMPORT.replace("{write}", &words(WRITE_VERBS)).replace("{read}", &words(READ_VERBS))
}

const IMPORT: &str = include_str!("import/page.md");
