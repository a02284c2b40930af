//! The binary `accredit`: hands its arguments to the library and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    accredit_cli::run(std::env::args_os())
}
