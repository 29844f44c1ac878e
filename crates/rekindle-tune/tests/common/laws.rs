//! What holds for studies in every database. Each function makes a study of its own.

use std::thread;
use std::time::{Duration, Instant};

use rekindle_tune::{Answer, Claim, Definition, Direction, Ending, Next, State, StoreError, Study};
use serde_json::json;

use super::{definition, open, options, propose, x_of};

/// All of them, in a database that is new.
pub fn all(url: &str) {
    many_begin_at_once(url);
    a_study_goes_from_open_to_done(url);
    definitions_are_compared(url);
    the_same_number_is_given_once(url);
    trials_of_the_dead_are_taken_over(url);
    signs_of_life_keep_a_trial(url);
    a_trial_ends_once(url);
    what_is_given_back_is_taken_at_once(url);
    many_threads_share_a_study(url);
}

fn claim(study: &mut Study, worker: &str) -> Claim {
    match study.next(worker, None, &mut propose).unwrap() {
        Next::Trial(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn complete(study: &mut Study, claim: &Claim, value: f64) -> Answer {
    study.finish(claim, &Ending::Complete(value)).unwrap()
}

/// Each finds no tables, and creates them.
fn many_begin_at_once(url: &str) {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| open(url, "new"));
        }
    });
    assert_eq!(Study::names(url, options()).unwrap(), ["new"]);
}

fn a_study_goes_from_open_to_done(url: &str) {
    let mut study = open(url, "life");
    assert_eq!(study.history().unwrap().trials, []);
    let first = claim(&mut study, "a");
    assert_eq!((first.trial.number, first.attempt), (0, 1));
    // What was measured again replaces what was measured, and what came later.
    for (step, value) in [
        (1, 0.1 + 0.2),
        (2, 7.0),
        (1, -1e-300),
        (2, f64::NAN),
        (3, f64::INFINITY),
        (4, 5.0),
        (3, f64::INFINITY),
    ] {
        let answer = study.report(&first, step, value).unwrap();
        assert_eq!(answer, Answer::Written);
    }

    let mut other = Study::load(url, "life", options()).unwrap();
    assert_eq!(*other.definition(), definition());
    assert_eq!(other.name(), "life");
    let none = &mut |_: &rekindle_tune::History, _| None;
    assert_eq!(other.next("b", Some(1), &mut propose).unwrap(), Next::Wait);
    assert_eq!(other.next("b", None, none).unwrap(), Next::Wait);
    let curve = &other.history().unwrap().trials[0].curve;
    assert_eq!(curve[0], (1, -1e-300));
    assert!(curve[1].1.is_nan());
    assert_eq!(curve[2..], [(3, f64::INFINITY)]);

    assert_eq!(complete(&mut study, &first, 0.1 + 0.2), Answer::Written);
    assert_eq!(other.next("b", Some(1), &mut propose).unwrap(), Next::Done);
    let history = other.history().unwrap();
    assert_eq!(history.trials[0].point, first.trial.point);
    let best = history.best().map(|(trial, value)| (trial.number, value));
    assert_eq!(best, Some((0, 0.1 + 0.2)));
    assert_eq!(history.trials[0].curve.len(), 3);

    let entry = &other.trials().unwrap()[0];
    assert_eq!((entry.attempt, entry.worker.as_str()), (1, "a"));
    let ended = entry.ended.unwrap();
    assert!(entry.started <= entry.heartbeat && entry.heartbeat <= ended);
    let age = ended.elapsed().unwrap_or_default();
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert_eq!(other.check().unwrap(), [""; 0]);
}

fn definitions_are_compared(url: &str) {
    open(url, "definition");
    open(url, "definition");
    let with = |settings, direction| {
        let space = definition().space;
        let other = Definition {
            direction,
            space,
            settings,
        };
        Study::open(url, "definition", &other, options()).unwrap_err()
    };
    let settings = json!({ "sampler": "golden", "seed": 2 });
    let error = with(settings, Direction::Minimize).to_string();
    let expected = "settings.seed is 1 there, expected 2";
    assert!(error.contains(expected), "{error}");
    let error = with(definition().settings, Direction::Maximize);
    assert!(matches!(error, StoreError::Differs { place, .. } if place == "direction"));

    let names = Study::names(url, options()).unwrap();
    assert!(names.contains(&"definition".to_owned()), "{names:?}");
    let error = Study::load(url, "definitoin", options()).unwrap_err();
    let known = format!("`{}`", names.join("`, `"));
    assert!(error.to_string().contains(&known), "{error}");
}

/// While one worker thinks, another is faster.
fn the_same_number_is_given_once(url: &str) {
    let (mut slow, mut fast) = (open(url, "numbers"), open(url, "numbers"));
    let mut asked = Vec::new();
    let next = slow.next("slow", None, &mut |history, number| {
        asked.push((history.trials.len(), number));
        if number < 2 {
            assert_eq!(claim(&mut fast, "fast").trial.number, number);
        }
        propose(history, number)
    });
    let Next::Trial(claim) = next.unwrap() else {
        panic!("no trial")
    };
    assert_eq!(claim.trial.number, 2);
    assert_eq!(asked, [(0, 0), (1, 1), (2, 2)]);
    assert_eq!(slow.check().unwrap(), [""; 0]);
}

fn trials_of_the_dead_are_taken_over(url: &str) {
    let (mut dead, mut heir) = (open(url, "dead"), open(url, "dead"));
    let lost = claim(&mut dead, "dead");
    assert_eq!(dead.report(&lost, 1, 0.5).unwrap(), Answer::Written);
    let early = heir.next("heir", Some(1), &mut propose).unwrap();
    assert_eq!(early, Next::Wait);
    thread::sleep(options().grace + Duration::from_millis(100));
    let taken = claim(&mut heir, "heir");
    assert_eq!((taken.trial.number, taken.attempt), (0, 2));
    assert_eq!(taken.trial.point, lost.trial.point);
    assert_eq!(taken.trial.curve, [(1, 0.5)]);

    // It was not dead. It hears so, and writes nothing.
    let alive = dead.keep_alive(&lost).unwrap();
    assert_eq!(dead.report(&lost, 2, 0.1).unwrap(), Answer::Lost);
    assert_eq!(complete(&mut dead, &lost, 0.1), Answer::Lost);
    assert_eq!(dead.give_back(&lost).unwrap(), Answer::Lost);
    let begun = Instant::now();
    while !alive.is_lost() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        thread::sleep(options().beat);
    }

    assert_eq!(complete(&mut heir, &taken, 0.2), Answer::Written);
    assert_eq!(complete(&mut dead, &lost, 0.2), Answer::Lost);
    let entries = heir.trials().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].trial.value, Some(0.2));
    assert_eq!(entries[0].trial.curve, [(1, 0.5)]);
    assert_eq!(entries[0].worker, "heir");
}

fn signs_of_life_keep_a_trial(url: &str) {
    let (mut worker, mut other) = (open(url, "alive"), open(url, "alive"));
    let claim = claim(&mut worker, "worker");
    let alive = worker.keep_alive(&claim).unwrap();
    for _ in 0..3 {
        thread::sleep(options().grace / 2);
        let next = other.next("other", Some(1), &mut propose).unwrap();
        assert_eq!(next, Next::Wait);
    }
    assert!(!alive.is_lost());
    drop(alive);
    assert_eq!(complete(&mut worker, &claim, 0.0), Answer::Written);
}

fn a_trial_ends_once(url: &str) {
    let mut study = open(url, "ends");
    let first = claim(&mut study, "a");
    assert_eq!(complete(&mut study, &first, 1.0), Answer::Written);
    assert_eq!(complete(&mut study, &first, 1.0), Answer::Written);
    assert_eq!(study.finish(&first, &Ending::Pruned).unwrap(), Answer::Lost);
    assert_eq!(study.report(&first, 1, 1.0).unwrap(), Answer::Lost);

    let second = claim(&mut study, "a");
    assert_eq!(complete(&mut study, &second, f64::NAN), Answer::Written);
    let third = claim(&mut study, "a");
    let failed = Ending::Failed("no memory".into());
    assert_eq!(study.finish(&third, &failed).unwrap(), Answer::Written);
    let fourth = claim(&mut study, "a");
    assert_eq!(
        study.finish(&fourth, &Ending::Pruned).unwrap(),
        Answer::Written
    );

    let entries = study.trials().unwrap();
    let states = entries.iter().map(|entry| entry.trial.state);
    let expected = [State::Complete, State::Failed, State::Failed, State::Pruned];
    assert!(states.eq(expected));
    assert_eq!(
        entries[1].reason.as_deref(),
        Some("its value is not a number")
    );
    assert_eq!(entries[2].reason.as_deref(), Some("no memory"));
    assert_eq!(study.history().unwrap().best().unwrap().1, 1.0);
    assert_eq!(study.check().unwrap(), [""; 0]);
}

fn what_is_given_back_is_taken_at_once(url: &str) {
    let mut study = open(url, "back");
    let given = claim(&mut study, "a");
    assert_eq!(study.give_back(&given).unwrap(), Answer::Written);
    assert_eq!(study.report(&given, 1, 0.5).unwrap(), Answer::Lost);
    assert_eq!(complete(&mut study, &given, 0.5), Answer::Lost);
    assert_eq!(study.give_back(&given).unwrap(), Answer::Written);
    let taken = claim(&mut study, "b");
    assert_eq!((taken.trial.number, taken.attempt), (0, 2));
}

fn many_threads_share_a_study(url: &str) {
    open(url, "threads");
    thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let mut study = Study::load(url, "threads", options()).unwrap();
                let worker = format!("thread {worker}");
                while let Next::Trial(claim) = study.next(&worker, Some(20), &mut propose).unwrap()
                {
                    let value = x_of(&claim.trial.point);
                    assert_eq!(study.report(&claim, 1, value).unwrap(), Answer::Written);
                    assert_eq!(complete(&mut study, &claim, value), Answer::Written);
                }
            });
        }
    });
    let mut study = Study::load(url, "threads", options()).unwrap();
    let entries = study.trials().unwrap();
    assert_eq!(entries.len(), 20);
    for entry in &entries {
        assert_eq!((entry.attempt, entry.trial.state), (1, State::Complete));
    }
    assert_eq!(study.check().unwrap(), [""; 0]);
}
