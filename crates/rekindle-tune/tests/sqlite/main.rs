//! Studies in SQLite.

#[path = "../common/mod.rs"]
mod common;
mod stranger;

use std::fs;
use std::path::Path;

use common::{definition, faults, laws, open, options, propose, worker};
use rekindle_tune::{StoreError, Study};
use stranger::Stranger;

#[test]
fn laws_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a study's 100%.db");
    laws::all(&format!("sqlite:{}", file.display()));
    assert!(file.exists());
}

#[test]
fn nothing_is_lost_when_workers_die() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studies.db");
    faults::run(&file.display().to_string(), folder.path(), |_| ());
}

#[test]
#[ignore = "a process of the test above"]
fn worker() {
    worker::run();
}

#[test]
#[ignore = "a process of tests above"]
fn stranger() {
    stranger::run();
}

fn url(folder: &Path) -> String {
    folder.join("a.db").display().to_string()
}

#[test]
fn a_read_only_file_is_told() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    drop(open(&url, "study"));
    stranger.may("a.db", 0o444);
    let said = stranger.writes(&url, "");
    let expected = format!("sqlite:{url} is read-only; allow this user to write");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_read_only_folder_is_told() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    drop(open(&url, "study"));
    stranger.may("a.db", 0o666);
    stranger.may("", 0o555);
    let said = stranger.writes(&url, "");
    let expected = format!("sqlite:{url} is read-only; allow this user to write");
    assert!(said.contains(&expected), "{said}");
    stranger.may("", 0o777);
}

/// The system refuses to let files grow, as a quota does. All that was said to be written is there.
#[test]
fn a_quota_loses_nothing() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    let said = stranger.writes(&url, "trap '' XFSZ; ulimit -f 1000;");
    let expected = format!("the disk of sqlite:{url} does not read or write as it should");
    assert!(said.contains(&expected), "{said}");
    let mut study = open(&url, "study");
    assert_eq!(study.check().unwrap(), [""; 0]);
    let steps = study.history().unwrap().trials[0].curve.len();
    assert!(steps > 10);
    assert!(
        said.contains(&format!("written {steps}\n")),
        "{steps}: {said}"
    );
}

#[test]
fn what_is_no_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let error = Study::load(&url, "study", options()).unwrap_err();
    assert!(matches!(error, StoreError::NoDatabase { .. }), "{error:?}");
    assert!(!Path::new(&url).exists());

    fs::write(
        &url,
        "This is a text, and long enough for a page. ".repeat(100),
    )
    .unwrap();
    let error = Study::open(&url, "study", &definition(), options()).unwrap_err();
    assert!(
        matches!(error, StoreError::NotADatabase { .. }),
        "{error:?}"
    );
    let expected = format!("sqlite:{url} is no SQLite database");
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(
        fs::read_to_string(&url)
            .unwrap()
            .starts_with("This is a text")
    );

    fs::write(&url, "").unwrap();
    let error = Study::load(&url, "study", options()).unwrap_err();
    assert!(error.to_string().contains("there is none"), "{error}");
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let mut study = open(&url, "study");
    for _ in 0..100 {
        study.next("worker", None, &mut propose).unwrap();
    }
    drop(study);
    let mut bytes = fs::read(&url).unwrap();
    // The pages of the tables, not the one with their definitions.
    for byte in &mut bytes[4096..] {
        *byte = 0xA5;
    }
    fs::write(&url, bytes).unwrap();
    let error = Study::load(&url, "study", options()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(
        error.to_string().contains("is damaged; restore it"),
        "{error}"
    );
}
