//! Workers are killed, and nothing is lost or done twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rekindle_tune::{Ending, Entry, State, Study};

use super::worker::{self, STUDY, TRIALS, log_line};
use super::{definition, options, propose, x_of};

const WORKERS: usize = 4;
const KILLS: usize = 30;

/// All of it is over by then, or something hangs.
const LONGEST: Duration = Duration::from_secs(180);

/// The workers that run; they do not survive the test.
struct Workers {
    running: Vec<(String, Child)>,
    started: usize,
}

impl Drop for Workers {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Workers {
    fn start(&mut self, url: &str, log: &Path) {
        let name = format!("worker-{}", self.started);
        self.started += 1;
        let child = worker::start(url, &name, log);
        self.running.push((name, child));
    }

    /// Removes those that have ended by themselves, which is right only if they succeeded.
    fn sweep(&mut self) {
        self.running.retain_mut(|(name, child)| {
            let status = child.try_wait().unwrap();
            assert!(status.is_none_or(|status| status.success()), "{name}");
            status.is_none()
        });
    }
}

/// Four workers on one study; one of them is killed thirty times, and replaced. `after` is called after each death with
/// their number.
pub fn run(url: &str, folder: &Path, mut after: impl FnMut(usize)) {
    let log = folder.join("events.log");
    drop(Study::open(url, STUDY, &definition(), options()).unwrap());
    let begun = Instant::now();
    let mut random = StdRng::seed_from_u64(30);
    let (running, started) = (Vec::new(), 0);
    let mut workers = Workers { running, started };
    for _ in 0..WORKERS {
        workers.start(url, &log);
    }
    for killed in 1..=KILLS {
        thread::sleep(Duration::from_millis(random.random_range(50..350)));
        workers.sweep();
        assert_eq!(
            workers.running.len(),
            WORKERS,
            "the study ended before kill {killed}"
        );
        let (name, mut child) = workers.running.remove(random.random_range(0..WORKERS));
        child.kill().unwrap();
        child.wait().unwrap();
        log_line(&log, &format!("killed - - {name}"));
        after(killed);
        workers.start(url, &log);
    }
    while !workers.running.is_empty() {
        assert!(begun.elapsed() < LONGEST, "the workers do not end");
        thread::sleep(Duration::from_millis(50));
        workers.sweep();
    }
    check(url, &log);
    println!("{KILLS} kills in {:.1} s", begun.elapsed().as_secs_f64());
}

fn check(url: &str, log: &Path) {
    let mut study = Study::load(url, STUDY, options()).unwrap();
    assert_eq!(study.check().unwrap(), [""; 0]);
    let entries = study.trials().unwrap();
    assert_eq!(entries.len() as u64, TRIALS);
    for entry in &entries {
        check_entry(entry);
    }
    let taken_over = entries.iter().filter(|entry| entry.attempt > 1).count();
    assert!(
        taken_over > KILLS / 3,
        "only {taken_over} trials were taken over"
    );

    let values = entries.iter().filter_map(|entry| entry.trial.value);
    let least = values.min_by(f64::total_cmp);
    let best = study.history().unwrap().best().map(|(_, value)| value);
    assert_eq!(best, least);
    check_log(&std::fs::read_to_string(log).unwrap(), &entries);
}

/// It is what it would be if nobody had died.
fn check_entry(entry: &Entry) {
    let (trial, number) = (&entry.trial, entry.trial.number);
    let history = rekindle_tune::History::new(definition().direction);
    assert_eq!(Some(&trial.point), propose(&history, number).as_ref());
    let value = worker::objective(x_of(&trial.point));
    let expected = match worker::ending(number, value) {
        Ending::Complete(value) => (State::Complete, Some(value)),
        Ending::Pruned => (State::Pruned, None),
        Ending::Failed(_) => (State::Failed, None),
    };
    assert_eq!((trial.state, trial.value), expected, "trial {number}");
    let steps: Vec<u64> = trial.curve.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [1, 2, 3], "trial {number}");
}

/// What the workers themselves saw: at each time one has a trial, and one ends it, the one in the table.
fn check_log(log: &str, entries: &[Entry]) {
    let mut holders: BTreeMap<u64, &str> = BTreeMap::new();
    let (mut started, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [event, number, attempt, worker] = words[..] else {
            panic!("{line}")
        };
        if event == "killed" {
            holders.retain(|_, holder| *holder != worker);
            continue;
        }
        let number: u64 = number.parse().unwrap();
        let attempt: u64 = attempt.parse().unwrap();
        match event {
            "start" => {
                assert!(started.insert((number, attempt)), "begun twice: {line}");
                assert!(!ended.contains(&number), "begun after its end: {line}");
                let other = holders.insert(number, worker);
                assert_eq!(other, None, "runs twice at once: {line}");
            }
            "stop" => assert_eq!(holders.remove(&number), Some(worker), "{line}"),
            "end" => {
                assert!(ended.insert(number), "ended twice: {line}");
                assert_eq!(entries[number as usize].attempt, attempt, "{line}");
            }
            _ => panic!("a living worker has lost its trial: {line}"),
        }
    }
    // A worker may die between the end of its trial and the line in the log.
    assert!(ended.len() + KILLS >= entries.len());
}
