//! Automation for the workspace: what CI runs, the house rules, docs and benches.
//!
//! Start it with `cargo xtask`; without arguments it prints its usage. Exit codes: 0 when all is well, 1 when
//! something failed, 2 when the command line is wrong.

mod args;
mod bench;
mod cargo;
mod check;
mod docs;
mod test;
mod tidy;

use args::{Command, USAGE, UsageError};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&args)
        .map_err(anyhow::Error::from)
        .and_then(run)
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

/// Carries out one parsed command.
fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help => {
            print!("{USAGE}");
            Ok(())
        }
        Command::Check { skip } => check::run(&skip),
        Command::Test { backends } => test::run(&backends),
        Command::TestGpu => test::run_gpu(),
        Command::TestBrowser => test::run_browser(),
        Command::TestPostgres => test::run_postgres(),
        Command::Prove => test::run_proofs(),
        Command::Tidy => tidy::run(),
        Command::Docs => docs::run(),
        Command::Bench { name, args } => bench::run(name.as_deref(), &args),
    }
}
