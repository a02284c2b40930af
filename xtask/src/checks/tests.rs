//! The checks find what they are for, and leave the rest alone.

use super::commands::{simple_commands, subcommands};
use super::sources::names_absolute;
use super::*;

fn check_messages(findings: &[Finding], expected: &[&str]) {
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\ndoes not begin with\n{expected}");
    }
}

#[test]
fn sources() {
    let check = |source: &str, expected: &[&str]| check_messages(&check_source("a.rs", source), expected);
    check("fn a() { todo!() }", &["a.rs:1: `todo!`"]);
    check("\nfn a() { unimplemented!() }", &["a.rs:2: `unimplemented!`"]);
    check("#[test]\n#[ignore = \"slow\"]\nfn a() {}", &["a.rs:2: an ignored test"]);
    check("fn a() { matches!(x, 1); }", &["a.rs:1: a bare `matches!`"]);
    check("fn a() {\n    b();\n    matches!(\n        x,\n        Some(1)\n    );\n}", &["a.rs:3: a bare `matches!`"]);
    check(&"\n".repeat(701), &["a.rs: 701 lines"]);
    check(&"\n".repeat(700), &[]);
    check("fn a() -> bool { matches!(x, 1) }", &[]);
    check("fn a() { assert!(matches!(x, 1)); let b = matches!(x, 2); return matches!(x, 3); }", &[]);
    check("// todo!() #[ignore]\n/* matches!(x, 1); /* todo!() */ todo!() */", &[]);
    check("const A: &str = \"todo!() \\\" todo!()\"; const B: &str = r#\"todo!() \" todo!()\"#;", &[]);
    check(
        "const A: &[u8] = br\"todo!()\"; const B: char = '\"'; const C: char = '\\''; const D: &str = \"todo!()\";",
        &[],
    );
    check("fn a<'a>(x: &'a str) { todo!() }", &["a.rs:1: `todo!`"]);
}

#[test]
fn documents() {
    let workspace = Workspace::load().unwrap();
    let mut documents = Documents::new(&workspace).unwrap();
    documents.set_commands(&["serve", "why"]);
    let check =
        |text: &str, expected: &[&str]| check_messages(&check_document(&documents, "docs/a.md", text), expected);
    check("`xtask/src/lib.rs`, `crates/model`, `crates/*/src/lib.rs`, `xtask/src/*.rs`", &[]);
    check("see\n`crates/nowhere`", &["docs/a.md:2: names `crates/nowhere`"]);
    check("`src/nothing.rs` and `NOTHING.md` and `xtask/src/*.py`", &["docs/a.md:1", "docs/a.md:1", "docs/a.md:1"]);
    check("`application/json`, `/v1/actions`, `a/b`, `target/debug/x.rs`, `.md`, `accredit.db`", &[]);
    check("`accredit-model` and `accredit-nothing`", &["docs/a.md:1: names the crate `accredit-nothing`"]);
    check("`cargo xtask test`, `cargo xtask test clippy`, `cargo test -p accredit-model`, `cargo xtask <task>`", &[]);
    check("`cargo xtask nothing`", &["docs/a.md:1: `cargo xtask nothing` is no task"]);
    check("`cargo xtask test nothing`", &["docs/a.md:1: `cargo xtask test nothing`: no such step"]);
    check("`cargo nothing`", &["docs/a.md:1: `cargo nothing`"]);
    check("`cargo test -p nothing`", &["docs/a.md:1: names the package `nothing`"]);
    check("`cargo run -- why ID` and\n`cargo run --release -- when`", &["docs/a.md:2: `accredit when`"]);
    check("`accredit why --json`, `accredit --store x.db serve`, `accredit <command>`", &[]);
    check("```sh\necho 'accredit when' | accredit why - # accredit when\n```", &[]);
    check(
        "```sh\nA=1 ./accredit \\\n  when && cargo xtask no\n```",
        &["docs/a.md:2: `accredit when`", "docs/a.md:2: `cargo"],
    );
    check("```rust\naccredit when\n```\n\n```json\ncargo nothing\n```", &[]);
    check("[a](../xtask/src/lib.rs) [b](https://example.org/x) [c](#first-heading)\n\n# First heading", &[]);
    check(
        "[a](nothing.md)\n[b](#nothing)\n\n[c]: nothing.md",
        &["docs/a.md:1: links", "docs/a.md:2: links", "docs/a.md:4: links"],
    );
    check("`[a](nothing.md)` and ``[b](`x`)``", &[]);
}

#[test]
fn folders_of_one_machine() {
    let folder = format!("/{}/", "work");
    let check = |line: &str, expected: bool| assert_eq!(names_absolute(&line.replace('@', &folder), &folder), expected);
    check("@main", true);
    check("see `@main`", true);
    check("file://@main", true);
    check("https://example.org@main", false);
    check("a@main and ../b@c", false);
    check("{id}@x", false);
}

#[test]
fn shell_lines() {
    let words = |line: &str| simple_commands(line).iter().map(|words| words.join(" ")).collect::<Vec<_>>();
    assert_eq!(words("$ A=1 b c | d 'e | f' && g \"h;i\"; j"), ["b c", "d e | f", "g h;i", "j"]);
    assert_eq!(words("id=$(accredit why) # comment"), ["accredit why"]);
    assert_eq!(words("# comment"), [""; 0]);
}

#[test]
fn subcommand_names() {
    let source = r#"
        #[derive(Debug, Parser)]
        struct Cli { #[command(subcommand)] command: Command }

        /// The commands.
        #[derive(Debug, Subcommand)]
        enum Command {
            /// Serves `Nothing {`.
            Serve(Serve),
            ListAll { Json: bool },
            #[command(name = "why", about = "x")]
            Explain {
                Id: String,
            },
            Bench(bench::Args),
        }

        #[derive(Debug, ValueEnum)]
        enum Format { Json, Text }
    "#;
    assert_eq!(subcommands(source), ["serve", "list-all", "why", "bench"]);
}
