//! The command `rekindle`: train, compare, tune, evaluate, predict, generate, prune, report, inspect, find-lr, doctor, and what
//! recipes may hold.

mod args;
mod compare;
mod doctor;
mod evaluate;
mod find_lr;
mod generate;
mod history;
mod inspect;
mod interrupt;
mod keys;
mod output;
mod predict;
mod progress;
mod prune;
mod report;
mod run_names;
mod schedule;
mod table;
mod train;
mod tune;

use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// Exit code for what the user can mend.
const BAD_INPUT: u8 = 2;
/// Exit code for a defect of the program (`EX_SOFTWARE` of `sysexits.h`).
const DEFECT: u8 = 70;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| eprintln!("{}", defect(info))));
    match std::panic::catch_unwind(|| run(Args::parse())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if output::is_reader_gone(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprint!("{}", message(&error));
            ExitCode::from(match interrupt::is_why(&error) {
                true => interrupt::INTERRUPTED,
                false => BAD_INPUT,
            })
        }
        Err(_) => ExitCode::from(DEFECT),
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Train(args) => train::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Prune(args) => prune::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Schedule(args) => schedule::run(&args),
        Command::FindLr(args) => find_lr::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Keys => keys::run(),
    }
}

/// An error, and those of its causes that are not told yet.
fn message(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!("  caused by: {cause}\n");
        }
    }
    text
}

/// One line about a panic, which always is a mistake in the program.
fn defect(info: &PanicHookInfo) -> String {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let what: Vec<&str> = what.split_whitespace().collect();
    let place = info
        .location()
        .map_or("unknown place".to_string(), ToString::to_string);
    format!(
        "rekindle has a defect at {place}, please report it with the command that you gave: {}",
        what.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn causes_are_told_once() {
        let error = anyhow!("no space")
            .context("disk: no space")
            .context("cannot write a.csv");
        assert_eq!(
            message(&error),
            "error: cannot write a.csv\n  caused by: disk: no space\n"
        );
    }
}
