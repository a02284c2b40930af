//! The binary `accredit`: hands its arguments to the library and exits with its code.

use std::process::ExitCode;

/// Steps are allocated by the threads that record them and freed by the one that commits them, which the system's
/// allocator is slow at: with 64 producers it costs a tenth of the speed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    accredit_cli::run(std::env::args_os())
}
