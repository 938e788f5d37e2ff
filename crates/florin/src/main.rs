//! The `florin` binary: command line, settings and wiring. It decides nothing about money.

mod audit;
mod bench;
mod check;
mod cli;
mod demo;
mod export;
mod import;
mod key;
mod measure;
mod serve;
mod settings;
mod start;
mod webhook;
mod whose;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
