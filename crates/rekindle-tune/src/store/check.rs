//! What can be wrong in a database that answers.

use sqlx::Row;

use super::address::Dialect;
use super::database::Database;
use super::read::Entry;
use crate::{Space, State, StoreError};

/// SQLite's own check. PostgreSQL has none that a client may run.
pub(super) fn integrity(database: &mut Database) -> Result<Vec<String>, StoreError> {
    if database.address.dialect == Dialect::Postgres {
        return Ok(Vec::new());
    }
    database.run(async |connection| {
        let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&mut *connection)
            .await?;
        let mut findings: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
        let rows = sqlx::query("PRAGMA foreign_key_check")
            .fetch_all(connection)
            .await?;
        for row in rows {
            let (from, to): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            findings.push(format!("a row of {from} refers to none of {to}"));
        }
        Ok(findings)
    })
}

/// Whether the rows of a study agree with each other and with its space.
pub(super) fn rows(entries: &[Entry], space: &Space) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, entry) in (0_u64..).zip(entries) {
        let trial = &entry.trial;
        let number = trial.number;
        let mut find = |wrong: bool, what: &str| {
            if wrong {
                findings.push(format!("trial {number} {what}"));
            }
        };
        let (running, complete) = (
            trial.state == State::Running,
            trial.state == State::Complete,
        );
        find(number != index, "is not next to the one before");
        find(running && entry.ended.is_some(), "runs, but has an end");
        find(
            !running && entry.ended.is_none(),
            "has ended without a time",
        );
        find(
            complete && trial.value.is_none(),
            "is complete without a value",
        );
        find(
            !complete && trial.value.is_some(),
            "has a value, but is not complete",
        );
        find(entry.attempt == 0, "was never attempted");
        find(
            !space.contains(&trial.point),
            "has a point outside the space",
        );
    }
    findings
}
