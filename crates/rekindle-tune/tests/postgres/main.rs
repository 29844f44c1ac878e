//! Studies in PostgreSQL, on a server of the test's own.

#[path = "../common/mod.rs"]
mod common;
mod server;

use std::thread;
use std::time::Duration;

use common::{definition, faults, laws, open, options, propose, worker};
use rekindle_tune::{Answer, Next, StoreError, Study};
use server::Server;

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test-postgres"]
fn laws_hold() {
    let server = Server::start();
    laws::all(&server.url());
}

/// A third of the way through, the server crashes as well, and stays away for longer than the grace.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test-postgres"]
fn nothing_is_lost_when_workers_and_the_server_die() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    faults::run(&server.url(), folder.path(), |killed| {
        if killed == 10 {
            server.stop("immediate");
            thread::sleep(options().grace + Duration::from_millis(500));
            server.start_again();
        }
    });
    server.check();
}

/// While the server is away nobody can give a sign of life, so that time does not count.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test-postgres"]
fn an_outage_costs_no_trial() {
    let server = Server::start();
    let (mut worker, mut other) = (open(&server.url(), "outage"), open(&server.url(), "outage"));
    let Next::Trial(claim) = worker.next("worker", Some(1), &mut propose).unwrap() else {
        panic!("no trial")
    };
    server.stop("fast");
    thread::sleep(options().grace + Duration::from_millis(500));
    server.start_again();
    let early = other.next("other", Some(1), &mut propose).unwrap();
    assert_eq!(early, Next::Wait);
    assert_eq!(worker.report(&claim, 1, 0.5).unwrap(), Answer::Written);
    thread::sleep(options().grace + Duration::from_millis(500));
    let Next::Trial(taken) = other.next("other", Some(1), &mut propose).unwrap() else {
        panic!("no trial")
    };
    assert_eq!((taken.attempt, &*taken.trial.curve), (2, &[(1, 0.5)][..]));
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test-postgres"]
fn mistakes_are_told_at_once() {
    let server = Server::start();
    let open = |url: &str| Study::open(url, "study", &definition(), options()).unwrap_err();
    let error = open(
        &server
            .url()
            .replace("user=postgres", "user=nobody&password=secret"),
    );
    assert!(matches!(error, StoreError::Denied { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = open(&server.url().replace("/postgres?", "/studies?"));
    assert!(matches!(error, StoreError::NoDatabase { .. }), "{error:?}");
    let error = open(&format!("{}&sslmode=require", server.url()));
    assert!(matches!(error, StoreError::Encryption { .. }), "{error:?}");
    let error = Study::load(&server.url(), "study", options()).unwrap_err();
    let none = matches!(&error, StoreError::NoStudy { known, .. } if known.is_empty());
    assert!(none, "{error:?}");

    server.sql("ALTER ROLE postgres SET default_transaction_read_only = on");
    let error = open(&server.url());
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test-postgres"]
fn patience_ends() {
    let server = Server::start();
    let (send, said) = std::sync::mpsc::channel();
    let told = move |outage: &rekindle_tune::Outage| send.send(outage.to_string()).unwrap();
    let mut options = options();
    options.patience = Duration::from_secs(1);
    options.told = Some(std::sync::Arc::new(told));
    let mut study = Study::open(&server.url(), "study", &definition(), options).unwrap();
    server.stop("fast");
    let error = study.history().unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let said: Vec<String> = said.try_iter().collect();
    assert!((3..20).contains(&said.len()), "{said:?}");
    assert!(said[0].contains("trying again"), "{said:?}");
    server.start_again();
    assert_eq!(study.history().unwrap().trials, []);
}

#[test]
#[ignore = "a process of a test above"]
fn worker() {
    worker::run();
}
