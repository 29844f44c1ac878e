//! Studies in SQLite.

#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod stranger;

use std::fs;
use std::path::Path;

use common::{definition, faults, laws, open, options, propose, worker};
use rekindle_tune::{StoreError, Study};

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

fn url(folder: &Path) -> String {
    folder.join("a.db").display().to_string()
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
