//! A worker in a process of its own: the test binary, started again.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rekindle_tune::{Answer, Claim, Ending, Next, Study};

use super::{options, propose, x_of};

/// How many trials the study has.
pub const TRIALS: u64 = 150;

/// The steps of a trial, a tenth of a second each.
const STEPS: u64 = 3;

pub const STUDY: &str = "faults";

/// Starts a worker.
pub fn start(url: &str, name: &str, log: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--ignored", "--nocapture"])
        .env("REKINDLE_TUNE_WORKER", name)
        .env("REKINDLE_TUNE_URL", url)
        .env("REKINDLE_TUNE_LOG", log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the process that [`start`] started does; nothing in any other.
pub fn run() {
    let Ok(name) = std::env::var("REKINDLE_TUNE_WORKER") else {
        return;
    };
    let url = std::env::var("REKINDLE_TUNE_URL").unwrap();
    let log = std::env::var_os("REKINDLE_TUNE_LOG").unwrap();
    let write = |event: String| log_line(Path::new(&log), &event);
    let mut study = Study::load(&url, STUDY, options()).unwrap();
    loop {
        match study.next(&name, Some(TRIALS), &mut propose).unwrap() {
            Next::Trial(claim) => carry_out(&mut study, &claim, &name, &write),
            Next::Wait => thread::sleep(Duration::from_millis(50)),
            Next::Done => return,
        }
    }
}

fn carry_out(study: &mut Study, claim: &Claim, name: &str, write: &impl Fn(String)) {
    let what = format!("{} {} {name}", claim.trial.number, claim.attempt);
    write(format!("start {what}"));
    let alive = study.keep_alive(claim).unwrap();
    let value = objective(x_of(&claim.trial.point));
    for step in claim.trial.curve.len() as u64 + 1..=STEPS {
        thread::sleep(Duration::from_millis(100));
        let answer = study
            .report(claim, step, value + 1.0 / step as f64)
            .unwrap();
        if answer == Answer::Lost || alive.is_lost() {
            return write(format!("lost {what}"));
        }
    }
    write(format!("stop {what}"));
    match study
        .finish(claim, &ending(claim.trial.number, value))
        .unwrap()
    {
        Answer::Written => write(format!("end {what}")),
        Answer::Lost => write(format!("lost {what}")),
    }
}

pub fn objective(x: f64) -> f64 {
    (x - 0.3).abs()
}

/// Every tenth trial is pruned, and every tenth fails.
pub fn ending(number: u64, value: f64) -> Ending {
    match number % 10 {
        3 => Ending::Pruned,
        7 => Ending::Failed("it is the turn of this one".into()),
        _ => Ending::Complete(value),
    }
}

/// Appends a line with one write, so that the lines of several processes keep their order.
pub fn log_line(log: &Path, event: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    file.write_all(format!("{event}\n").as_bytes()).unwrap();
}
