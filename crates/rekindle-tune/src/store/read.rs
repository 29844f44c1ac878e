//! What is read: studies, trials and reports.

use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::database::Database;
use crate::{Point, State, StoreError, Trial};

/// A trial, and what the database knows about who ran it and when. Times are those of the database's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The trial.
    pub trial: Trial,
    /// How many workers have had it, one after the other.
    pub attempt: u64,
    /// The last of them.
    pub worker: String,
    /// When the first attempt began.
    pub started: SystemTime,
    /// The last sign of life; 1970 if its worker gave it back.
    pub heartbeat: SystemTime,
    /// When it ended.
    pub ended: Option<SystemTime>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// The names of all studies, in their order.
pub(super) fn names(database: &mut Database) -> Result<Vec<String>, StoreError> {
    database.run(async |connection| {
        sqlx::query_scalar("SELECT name FROM rekindle_studies ORDER BY name")
            .fetch_all(connection)
            .await
    })
}

/// A study's direction, space and settings.
pub(super) fn definition(
    database: &mut Database,
    name: &str,
) -> Result<Option<[String; 3]>, StoreError> {
    database.run(async |connection| {
        let row =
            sqlx::query("SELECT direction, space, settings FROM rekindle_studies WHERE name = $1")
                .bind(name)
                .fetch_optional(connection)
                .await?;
        row.map(|row| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]))
            .transpose()
    })
}

/// The trials from a number on, in the order of their numbers.
///
/// The reports are read after the trials, so that a trial that has ended has all of them.
pub(super) fn entries(
    database: &mut Database,
    study: &str,
    from: u64,
) -> Result<Vec<Entry>, StoreError> {
    let from = integer(from);
    let (rows, reports) = database.run(async |connection| {
        let rows = sqlx::query(
            "SELECT number, state, point, value, attempt, worker, started, heartbeat, ended, reason
             FROM rekindle_trials WHERE study = $1 AND number >= $2 ORDER BY number",
        )
        .bind(study)
        .bind(from)
        .fetch_all(&mut *connection)
        .await?;
        let reports = reports(connection, study, from).await?;
        Ok((rows, reports))
    })?;
    let mut entries = Vec::with_capacity(rows.len());
    let mut reports = reports.into_iter().peekable();
    for row in rows {
        let mut entry = entry(&row).map_err(|what| StoreError::Row {
            url: database.address.shown.clone(),
            study: study.to_owned(),
            what,
        })?;
        let number = entry.trial.number;
        // Trials that began between the two reads may have reports already.
        while let Some((_, step, value)) = reports.next_if(|(of, ..)| *of <= number) {
            entry.trial.curve.push((step, value));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The reports of the trials from a number on: trial, step and value.
async fn reports(
    connection: &mut AnyConnection,
    study: &str,
    from: i64,
) -> Result<Vec<(u64, u64, f64)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT number, step, value FROM rekindle_reports
         WHERE study = $1 AND number >= $2 ORDER BY number, step",
    )
    .bind(study)
    .bind(from)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let value: Option<f64> = row.try_get(2)?;
            let value = value.unwrap_or(f64::NAN);
            Ok((natural(row, 0)?, natural(row, 1)?, value))
        })
        .collect()
}

/// The reports of one trial.
pub(super) async fn curve(
    connection: &mut AnyConnection,
    study: &str,
    number: i64,
) -> Result<Vec<(u64, f64)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT step, value FROM rekindle_reports
         WHERE study = $1 AND number = $2 ORDER BY step",
    )
    .bind(study)
    .bind(number)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let value: Option<f64> = row.try_get(1)?;
            Ok((natural(row, 0)?, value.unwrap_or(f64::NAN)))
        })
        .collect()
}

fn entry(row: &AnyRow) -> Result<Entry, String> {
    let number = natural(row, 0).map_err(|error| error.to_string())?;
    let of = |error: sqlx::Error| format!("trial {number}: {error}");
    let state: String = row.try_get(1).map_err(of)?;
    let point: String = row.try_get(2).map_err(of)?;
    let ended: Option<i64> = row.try_get(8).map_err(of)?;
    let trial = Trial {
        number,
        point: parse_point(&point).map_err(|error| format!("trial {number}: {error}"))?,
        state: parse_state(&state).map_err(|error| format!("trial {number}: {error}"))?,
        curve: Vec::new(),
        value: row.try_get(3).map_err(of)?,
    };
    Ok(Entry {
        trial,
        attempt: natural(row, 4).map_err(of)?,
        worker: row.try_get(5).map_err(of)?,
        started: time(row.try_get(6).map_err(of)?),
        heartbeat: time(row.try_get(7).map_err(of)?),
        ended: ended.map(time),
        reason: row.try_get(9).map_err(of)?,
    })
}

/// A state as the table has it.
pub(super) fn state_text(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Complete => "complete",
        State::Pruned => "pruned",
        State::Failed => "failed",
    }
}

fn parse_state(text: &str) -> Result<State, String> {
    let all = [
        State::Running,
        State::Complete,
        State::Pruned,
        State::Failed,
    ];
    let mut all = all.into_iter();
    all.find(|state| state_text(*state) == text)
        .ok_or_else(|| format!("its state is `{text}`"))
}

/// A point as the table has it.
pub(super) fn parse_point(text: &str) -> Result<Point, String> {
    serde_json::from_str(text).map_err(|error| format!("its point is `{text}` ({error})"))
}

fn time(milliseconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.max(0).unsigned_abs())
}

/// A number that is not negative.
pub(super) fn natural(row: &AnyRow, column: usize) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A number as the database has it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or_else(|_| panic!("{number} is above 2⁶³ - 1"))
}
