//! What workers write, each only while the trial is theirs.

use sqlx::{AnyConnection, Connection, Row};

use super::database::Database;
use super::read::{self, integer, natural};
use crate::{Point, State, StoreError, Trial};

/// A trial that a worker carries out.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The trial. If it was taken over, its curve is what the workers before have reported; reporting these steps again
    /// replaces them.
    pub trial: Trial,
    /// How many workers have had the trial, this one included.
    pub attempt: u64,
}

/// How a trial ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It went to its end, with this value. If that is not a number, the trial has failed.
    Complete(f64),
    /// A pruner stopped it.
    Pruned,
    /// It ended in an error; the text says in which.
    Failed(String),
}

/// What became of a worker's write.
#[must_use = "a worker that has lost its trial must stop it"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in the database.
    Written,
    /// It is not: the trial has ended otherwise, or another worker has taken it over. It is not this worker's any more.
    Lost,
}

impl Answer {
    fn of(rows: u64) -> Self {
        match rows {
            0 => Self::Lost,
            _ => Self::Written,
        }
    }
}

/// Takes over the first trial whose worker gives no sign of life.
///
/// Time counts only while the database runs: after a restart, each worker has the whole grace period to come back.
pub(super) fn take_over(
    database: &mut Database,
    study: &str,
    worker: &str,
) -> Result<Option<Claim>, StoreError> {
    let grace = integer(database.options.grace.as_millis() as u64);
    let taken = database.run(async |connection| {
        let rows = sqlx::query(
            "UPDATE rekindle_trials
             SET attempt = attempt + 1, worker = $3, heartbeat = (SELECT now FROM rekindle_clock)
             WHERE study = $1 AND state = 'running'
                 AND heartbeat < (SELECT now - $2 FROM rekindle_clock WHERE since < now - $2)
                 AND number = (
                     SELECT MIN(number) FROM rekindle_trials
                     WHERE study = $1 AND state = 'running'
                         AND heartbeat < (SELECT now - $2 FROM rekindle_clock WHERE since < now - $2)
                 )
             RETURNING number, point, attempt",
        )
        .bind(study)
        .bind(grace)
        .bind(worker)
        .fetch_all(&mut *connection)
        .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (number, attempt) = (natural(row, 0)?, natural(row, 2)?);
        let point: String = row.try_get(1)?;
        let curve = read::curve(connection, study, integer(number)).await?;
        Ok(Some((number, point, attempt, curve)))
    })?;
    let Some((number, point, attempt, curve)) = taken else {
        return Ok(None);
    };
    let point = read::parse_point(&point).map_err(|error| StoreError::Row {
        url: database.address.shown.clone(),
        study: study.to_owned(),
        what: format!("trial {number}: {error}"),
    })?;
    let mut trial = running(number, point);
    trial.curve = curve;
    Ok(Some(Claim { trial, attempt }))
}

fn running(number: u64, point: Point) -> Trial {
    Trial {
        number,
        point,
        state: State::Running,
        curve: Vec::new(),
        value: None,
    }
}

/// Begins a new trial; none if another worker has begun one of this number.
///
/// If the connection is lost after the row was written and before that is known, nobody holds the trial: it is taken over
/// after the grace period like any other.
pub(super) fn begin(
    database: &mut Database,
    study: &str,
    worker: &str,
    number: u64,
    point: Point,
) -> Result<Option<Claim>, StoreError> {
    let text = serde_json::to_string(&point).expect("a point is names and JSON");
    let rows = database.run(async |connection| {
        let result = sqlx::query(
            "INSERT INTO rekindle_trials
                 (study, number, state, point, attempt, worker, heartbeat, started)
             SELECT $1, $2, 'running', $3, 1, $4, now, now FROM rekindle_clock WHERE TRUE
             ON CONFLICT (study, number) DO NOTHING",
        )
        .bind(study)
        .bind(integer(number))
        .bind(&text)
        .bind(worker)
        .execute(connection)
        .await?;
        Ok(result.rows_affected())
    })?;
    Ok((rows == 1).then(|| Claim {
        trial: running(number, point),
        attempt: 1,
    }))
}

/// Gives a sign of life. It locks the row until the transaction ends, so that nobody takes the trial over meanwhile.
async fn beat(
    connection: &mut AnyConnection,
    study: &str,
    number: i64,
    attempt: i64,
) -> Result<Answer, sqlx::Error> {
    let result = sqlx::query(
        "UPDATE rekindle_trials SET heartbeat = (SELECT now FROM rekindle_clock)
         WHERE study = $1 AND number = $2 AND attempt = $3 AND state = 'running' AND heartbeat > 0",
    )
    .bind(study)
    .bind(number)
    .bind(attempt)
    .execute(connection)
    .await?;
    Ok(Answer::of(result.rows_affected()))
}

/// Gives a sign of life.
pub(super) fn keep(
    database: &mut Database,
    study: &str,
    number: u64,
    attempt: u64,
) -> Result<Answer, StoreError> {
    let (number, attempt) = (integer(number), integer(attempt));
    database.run(async |connection| beat(connection, study, number, attempt).await)
}

/// Writes a measurement. What was measured at later steps, by an attempt that had come further, does not count any more.
pub(super) fn report(
    database: &mut Database,
    study: &str,
    claim: &Claim,
    step: u64,
    value: f64,
) -> Result<Answer, StoreError> {
    let (number, attempt) = (integer(claim.trial.number), integer(claim.attempt));
    let (step, value) = (integer(step), Some(value).filter(|value| !value.is_nan()));
    let begin = database.address.dialect.begin();
    database.run(async |connection| {
        let mut transaction = connection.begin_with(begin).await?;
        let answer = beat(&mut transaction, study, number, attempt).await?;
        if answer == Answer::Written {
            sqlx::query(
                "INSERT INTO rekindle_reports (study, number, step, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (study, number, step) DO UPDATE SET value = excluded.value",
            )
            .bind(study)
            .bind(number)
            .bind(step)
            .bind(value)
            // Not kept prepared: sqlx 0.9 gives a NULL in place of an `f64` the type of an `f32`, which would stay.
            .persistent(false)
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "DELETE FROM rekindle_reports WHERE study = $1 AND number = $2 AND step > $3",
            )
            .bind(study)
            .bind(number)
            .bind(step)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(answer)
    })
}

/// Ends a trial. A worker that has ended it just so already, and did not hear of it, is told that it is written.
pub(super) fn finish(
    database: &mut Database,
    study: &str,
    claim: &Claim,
    ending: &Ending,
) -> Result<Answer, StoreError> {
    let (number, attempt) = (integer(claim.trial.number), integer(claim.attempt));
    let (state, value, reason) = match ending {
        Ending::Complete(value) if value.is_nan() => {
            (State::Failed, None, Some("its value is not a number"))
        }
        Ending::Complete(value) => (State::Complete, Some(*value), None),
        Ending::Pruned => (State::Pruned, None, None),
        Ending::Failed(reason) => (State::Failed, None, Some(reason.as_str())),
    };
    let state = read::state_text(state);
    database.run(async |connection| {
        let result = sqlx::query(
            "UPDATE rekindle_trials
             SET state = $4, value = $5, reason = $6, ended = (SELECT now FROM rekindle_clock)
             WHERE study = $1 AND number = $2 AND attempt = $3 AND state = 'running' AND heartbeat > 0",
        )
        .bind(study)
        .bind(number)
        .bind(attempt)
        .bind(state)
        .bind(value)
        .bind(reason)
        // See `report`.
        .persistent(false)
        .execute(&mut *connection)
        .await?;
        if result.rows_affected() > 0 {
            return Ok(Answer::Written);
        }
        let same: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM rekindle_trials
             WHERE study = $1 AND number = $2 AND attempt = $3 AND state = $4",
        )
        .bind(study)
        .bind(number)
        .bind(attempt)
        .bind(state)
        .fetch_one(connection)
        .await?;
        Ok(Answer::of(same.unsigned_abs()))
    })
}

/// Makes a trial's last sign of life so old that anyone may take it over. 0 is a sign that its worker cannot renew.
pub(super) fn give_back(
    database: &mut Database,
    study: &str,
    claim: &Claim,
) -> Result<Answer, StoreError> {
    let (number, attempt) = (integer(claim.trial.number), integer(claim.attempt));
    let rows = database.run(async |connection| {
        let result = sqlx::query(
            "UPDATE rekindle_trials SET heartbeat = 0
             WHERE study = $1 AND number = $2 AND attempt = $3 AND state = 'running'",
        )
        .bind(study)
        .bind(number)
        .bind(attempt)
        .execute(connection)
        .await?;
        Ok(result.rows_affected())
    })?;
    Ok(Answer::of(rows))
}
