//! One module a command. Each opens its source, asks, and hands the answer to a page.

mod bench;
mod dead_letters;
mod export;
mod insights;
mod learn;
mod list;
mod serve;
mod show;
mod top;
mod verify;
mod why;

use crate::cli::{Cli, Command};
use crate::out::Out;
use crate::screen::{Screen, wall_clock};
use crate::source::{self, Use};
use crate::{Error, Exit, import};

/// Carries out what was asked.
pub(crate) fn run(cli: &Cli, out: &mut Out) -> Result<Exit, Error> {
    let Cli { global, command } = cli;
    let screen = Screen::of_process(wall_clock());
    match command {
        Command::Serve(args) => serve::run(global, args, out),
        Command::Import(args) => {
            import::check(args)?;
            let source = source::open(global, Use::Create)?;
            import::run(&*source, args, global.json, out)
        }
        Command::Bench(args) => bench::run(args, global.json, out),
        Command::DeadLetters(args) => dead_letters::run(global, args, screen, out),
        Command::List(args) => list::run(&*source::open(global, Use::Read)?, args, global.json, screen, out),
        Command::Show(args) => show::run(&*source::open(global, Use::Read)?, args, global.json, screen, out),
        Command::Why(args) => why::run(&*source::open(global, Use::Read)?, args, global.json, screen, out),
        Command::Insights(args) => insights::run(&*source::open(global, Use::Read)?, args, global.json, screen, out),
        Command::Learn(args) => learn::run(&*source::open(global, Use::Write)?, args, global.json, screen, out),
        Command::Top(args) => top::run(global, args, screen, out),
        Command::Export(args) => export::run(&*source::open(global, Use::Read)?, args, global.json, out),
        Command::Verify => verify::run(&*source::open(global, Use::Read)?, global.json, out),
    }
}
