//! Studies in SQLite.

mod common;

use common::{faults, laws, worker};

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
