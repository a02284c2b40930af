//! The command line as a whole: help, documents, codes, text.

use std::path::PathBuf;

use clap::{Command, CommandFactory as _};

use crate::{Cli, Exit, docs, text};

/// Calls `each` with every command and its path.
fn every_command(command: &Command, path: &str, each: &mut dyn FnMut(&Command, &str)) {
    each(command, path);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        every_command(sub, &format!("{path} {}", sub.get_name()), each);
    }
}

#[test]
fn the_definition_of_the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn everything_has_help() {
    let mut command = Cli::command();
    command.build();
    let mut n_commands = 0;
    every_command(&command, "accredit", &mut |command, path| {
        n_commands += 1;
        assert!(command.get_about().is_some(), "`{path}` says nothing of itself");
        for arg in command.get_arguments() {
            assert!(
                arg.get_help().is_some_and(|help| !help.to_string().is_empty()),
                "`{path}` {} has no help",
                arg.get_id()
            );
        }
    });
    assert!(n_commands >= 12, "only {n_commands} commands were looked at");
}

/// Documents made from the code. `ACCREDIT_UPDATE_DOCS=1 cargo test -p accredit-cli documents` writes them.
#[test]
fn the_documents_are_those_of_the_code() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let pages =
        [("cli.md", docs::cli_page()), ("exit-codes.md", docs::exit_codes_page()), ("import.md", docs::import_page())];
    for (name, page) in pages {
        let path = folder.join(name);
        if std::env::var_os("ACCREDIT_UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&folder).expect("the docs folder can be made");
            std::fs::write(&path, &page).expect("a document can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "docs/{name} is not what the code says: ACCREDIT_UPDATE_DOCS=1 writes it anew");
    }
}

/// `why` takes every method that there is, and every option of one.
#[test]
fn every_method_can_be_asked_for() {
    let command = Cli::command();
    let why = command.find_subcommand("why").expect("there is `why`");
    let arg = |name: &str| why.get_arguments().find(|arg| arg.get_long() == Some(name));
    let names: Vec<String> = arg("method")
        .expect("there is --method")
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    assert_eq!(names, accredit::METHOD_NAMES);
    for info in accredit::METHODS {
        for option in info.options {
            let help = arg(option.name).and_then(|arg| arg.get_help()).map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(info.name), "--{} does not name {}: {help}", option.name, info.name);
            assert!(help.contains(&format!("from {} to {}", option.min, option.max)), "{help}");
        }
    }
}

#[test]
fn exit_codes_are_distinct_and_ascend() {
    let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 70]);
    assert!(Exit::ALL.iter().all(|exit| !exit.meaning().is_empty()));
}

#[test]
fn recorded_text_cannot_reach_the_terminal() {
    let rows = [
        ("two\n lines\t", "two lines"),
        ("\x1b[31mred\x1b[0m", "·[31mred·[0m"),
        ("\u{202e}txt.exe", "·txt.exe"),
        ("bell\u{7}", "bell·"),
        ("   ", ""),
    ];
    for (given, wanted) in rows {
        assert_eq!(text::clean(given), wanted, "{given:?}");
    }
}

#[test]
fn text_is_cut_by_columns() {
    let rows = [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 4, "日…"),
        ("abcd", 1, "…"),
        ("abc", 0, ""),
        ("a bcd", 3, "a…"),
    ];
    for (given, columns, wanted) in rows {
        let cut = text::fit(given, columns);
        assert_eq!(cut, wanted, "{given:?} in {columns}");
        assert!(text::width(&cut) <= columns);
    }
}

#[test]
fn wrapped_text_loses_nothing_and_fits() {
    let given =
        "a quick brown fox jumps over thelongestwordthatthereisinthiswholesentence 日本語日本語日本語日本語 end";
    for columns in 8..80 {
        let lines = text::wrap(given, columns, usize::MAX);
        assert!(lines.iter().all(|line| text::width(line) <= columns), "{columns}: {lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), given.replace(' ', ""), "{columns}");
        let few = text::wrap(given, columns, 2);
        assert!(few.len() <= 2 && few.iter().all(|line| text::width(line) <= columns), "{columns}: {few:?}");
    }
}

#[test]
fn numbers_and_spans_are_short() {
    let spans = [
        (0, "0µs"),
        (999, "999µs"),
        (1_500, "1ms"),
        (12_340_000, "12.3s"),
        (61_000_000, "1m 1s"),
        (3_660_000_000, "1h 1m"),
        (180_000_000_000, "2d 2h"),
        (-5_000_000, "-5.0s"),
    ];
    for (micros, wanted) in spans {
        assert_eq!(text::span(micros), wanted, "{micros}");
    }
    let numbers = [(1.0, "1"), (0.5, "0.5"), (1.0 / 3.0, "0.333"), (-0.0001, "0"), (1234.5, "1234.5")];
    for (number, wanted) in numbers {
        assert_eq!(text::number(number), wanted);
    }
    assert_eq!(text::grouped(1_234_567), "1,234,567");
    assert_eq!(text::grouped(123), "123");
}
