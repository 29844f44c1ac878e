//! The command `rekindle`: train, compare, evaluate, predict, inspect.

mod args;
mod compare;
mod evaluate;
mod inspect;
mod predict;
mod progress;
mod table;
mod train;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// Exit code for what the user can mend.
const BAD_INPUT: u8 = 2;
/// Exit code for a defect of the program (`EX_SOFTWARE` of `sysexits.h`).
const DEFECT: u8 = 70;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("rekindle has a defect, please report it with the command that you gave: {info}");
    }));
    let run = || run(Args::parse());
    match std::panic::catch_unwind(run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            report(&error);
            ExitCode::from(BAD_INPUT)
        }
        Err(_) => ExitCode::from(DEFECT),
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Train(args) => train::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Keys => inspect::keys(),
    }
}

/// Prints an error and those of its causes that its message does not tell already.
fn report(error: &anyhow::Error) {
    let mut told = error.to_string();
    eprintln!("error: {told}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            eprintln!("  caused by: {cause}");
            told = cause;
        }
    }
}

/// Whether whoever read the output has gone, as `head` does; then there is nobody to tell.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
