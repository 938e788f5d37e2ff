//! The `florin` binary: command line, settings and wiring. It decides nothing about money.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod bench;
mod check;
mod cli;
mod demo;
mod existing;
mod export;
mod import;
mod key;
mod lane;
mod measure;
mod output;
mod places;
mod provider;
mod providers;
mod reach;
mod serve;
mod settings;
mod start;
mod tenant;
mod webhook;

use std::process::ExitCode;

/// Makes a transfer a tenth cheaper than glibc's: it takes many small allocations, and the lane frees what
/// a worker made.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
