//! The `florin` binary: command line, settings and wiring. It decides nothing about money.

mod cli;
mod demo;
mod serve;
mod settings;
mod start;
mod webhook;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
