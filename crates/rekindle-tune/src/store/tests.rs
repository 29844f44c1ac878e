//! What needs a look behind the public face.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::json;
use sqlx::AssertSqlSafe;

use super::*;
use crate::{Direction, Domain, History, Parameter, Point, Space};

fn definition() -> Definition {
    let choices = vec![json!("a"), json!("b")];
    let parameter = Parameter {
        name: "letter".into(),
        domain: Domain::Choice { choices },
        when: vec![],
    };
    Definition {
        direction: Direction::Maximize,
        space: Space::new(vec![parameter]).unwrap(),
        settings: json!(null),
    }
}

fn propose(_: &History, _: u64) -> Option<Point> {
    let space = definition().space;
    Some(space.point(|parameter| parameter.domain.at(0.0)))
}

fn open(folder: &tempfile::TempDir) -> Study {
    let file = folder.path().join("a.db").display().to_string();
    let options = StoreOptions::default();
    Study::open(&file, "study", &definition(), options).unwrap()
}

fn sql(study: &mut Study, text: &str) {
    let run = study
        .database
        .run(async |connection| sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await);
    run.unwrap();
}

fn claim(study: &mut Study) -> Claim {
    match study.next("worker", None, &mut propose).unwrap() {
        Next::Trial(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = open(&folder);
    let first = claim(&mut study);
    // Of this connection; the one after the error has none.
    sql(&mut study, "PRAGMA max_page_count = 1");
    let mut answers = (1..10_000).map(|step| study.report(&first, step, 0.5));
    let error = answers.find_map(Result::err).unwrap();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("make room"), "{error}");

    let written = study.trials().unwrap()[0].trial.curve.len() as u64;
    assert!(written > 10);
    let next = study.report(&first, written + 1, 0.5);
    assert_eq!(next.unwrap(), Answer::Written);
    let end = study.finish(&first, &Ending::Complete(0.5));
    assert_eq!(end.unwrap(), Answer::Written);
    assert_eq!(study.check().unwrap(), [""; 0]);
}

#[test]
fn a_busy_database_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (mut study, mut other) = (open(&folder), open(&folder));
    let first = claim(&mut study);
    let (send, said) = mpsc::channel();
    let told = move |outage: &Outage| send.send(outage.cause.clone()).unwrap();
    study.database.options.told = Some(Arc::new(told));
    // Of this connection; the one after the error has more.
    sql(&mut study, "PRAGMA busy_timeout = 1");
    sql(&mut other, "BEGIN IMMEDIATE");
    let release = thread::spawn(move || {
        let cause = said.recv().unwrap();
        sql(&mut other, "COMMIT");
        cause
    });
    let answer = study.report(&first, 1, 0.5);
    assert_eq!(answer.unwrap(), Answer::Written);
    let cause = release.join().unwrap();
    assert!(cause.contains("database is locked"), "{cause}");
}

#[test]
fn tables_of_another_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = open(&folder);
    sql(&mut study, "UPDATE rekindle_schema SET version = 7");
    let url = study.url().to_owned();
    let options = StoreOptions::default;
    for error in [
        Study::open(&url, "study", &definition(), options()).unwrap_err(),
        Study::load(&url, "study", options()).unwrap_err(),
        Study::names(&url, options()).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("have version 7, expected 1"), "{text}");
        assert!(text.contains("another database"), "{text}");
    }
}

#[test]
fn what_is_wrong_in_the_rows_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = open(&folder);
    for _ in 0..4 {
        let claim = claim(&mut study);
        let end = study.finish(&claim, &Ending::Complete(1.0));
        assert_eq!(end.unwrap(), Answer::Written);
    }
    assert_eq!(study.check().unwrap(), [""; 0]);
    sql(
        &mut study,
        "PRAGMA foreign_keys = OFF;
         DELETE FROM rekindle_trials WHERE number = 0;
         UPDATE rekindle_trials SET value = NULL WHERE number = 1;
         UPDATE rekindle_trials SET ended = NULL, point = '{\"letter\": \"c\"}' WHERE number = 2;
         UPDATE rekindle_trials SET state = 'running', attempt = 0 WHERE number = 3;
         INSERT INTO rekindle_reports VALUES ('study', 99, 1, 0.5)",
    );
    let findings = study.check().unwrap().join("\n");
    for expected in [
        "a row of rekindle_reports refers to none of rekindle_trials",
        "trial 1 is not next to the one before",
        "trial 1 is complete without a value",
        "trial 2 has ended without a time",
        "trial 2 has a point outside the space",
        "trial 3 runs, but has an end",
        "trial 3 has a value, but is not complete",
        "trial 3 was never attempted",
    ] {
        assert!(findings.contains(expected), "{expected}: {findings}");
    }
    // A row that is missing does not keep the study from going on.
    let mut study = open(&folder);
    assert_eq!(study.history().unwrap().trials.len(), 3);
    assert_eq!(study.history().unwrap().trials.len(), 3);
    assert_eq!(claim(&mut study).trial.number, 4);
    sql(
        &mut study,
        "UPDATE rekindle_trials SET state = 'done' WHERE number = 3",
    );
    let error = study.check().unwrap_err().to_string();
    assert!(error.contains("trial 3: its state is `done`"), "{error}");
}

#[test]
#[should_panic(expected = "expected a time above 0 and below the grace of 30s")]
fn a_beat_is_shorter_than_the_grace() {
    let options = StoreOptions {
        beat: Duration::from_secs(30),
        ..StoreOptions::default()
    };
    let _ = Study::load("postgres://nowhere/none", "study", options);
}
