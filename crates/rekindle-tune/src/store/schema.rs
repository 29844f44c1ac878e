//! The tables.

use sqlx::{AnyConnection, Connection};

use super::address::Dialect;
use super::database::Database;
use crate::StoreError;

/// The version of the tables below.
const VERSION: i64 = 1;

/// Times are milliseconds since 1970 by the clock of the database. A value that is not a number is NULL: SQLite stores none.
const TABLES: [&str; 4] = [
    "CREATE TABLE rekindle_schema (version BIGINT NOT NULL)",
    "CREATE TABLE rekindle_studies (
        name TEXT NOT NULL PRIMARY KEY,
        direction TEXT NOT NULL,
        space TEXT NOT NULL,
        settings TEXT NOT NULL,
        created BIGINT NOT NULL
    )",
    "CREATE TABLE rekindle_trials (
        study TEXT NOT NULL REFERENCES rekindle_studies (name),
        number BIGINT NOT NULL,
        state TEXT NOT NULL,
        point TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        worker TEXT NOT NULL,
        heartbeat BIGINT NOT NULL,
        started BIGINT NOT NULL,
        ended BIGINT,
        value DOUBLE PRECISION,
        reason TEXT,
        PRIMARY KEY (study, number)
    )",
    "CREATE TABLE rekindle_reports (
        study TEXT NOT NULL,
        number BIGINT NOT NULL,
        step BIGINT NOT NULL,
        value DOUBLE PRECISION,
        PRIMARY KEY (study, number, step),
        FOREIGN KEY (study, number) REFERENCES rekindle_trials (study, number)
    )",
];

/// Creates the tables unless they are there.
pub(super) fn create(database: &mut Database) -> Result<(), StoreError> {
    if exists(database)? {
        return Ok(());
    }
    let dialect = database.address.dialect;
    database.run(async |connection| {
        let mut transaction = connection.begin_with(dialect.begin()).await?;
        sqlx::query(dialect.lock())
            .execute(&mut *transaction)
            .await?;
        if version(&mut transaction, dialect).await?.is_none() {
            for table in TABLES.into_iter().chain([dialect.clock()]) {
                sqlx::query(table).execute(&mut *transaction).await?;
            }
            sqlx::query("INSERT INTO rekindle_schema (version) VALUES ($1)")
                .bind(VERSION)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    })?;
    // Another process may have created others.
    exists(database).map(drop)
}

/// Whether there are tables.
///
/// # Errors
/// If they have another version.
pub(super) fn exists(database: &mut Database) -> Result<bool, StoreError> {
    let dialect = database.address.dialect;
    match database.run(async |connection| version(connection, dialect).await)? {
        None => Ok(false),
        Some(VERSION) => Ok(true),
        Some(found) => Err(StoreError::Schema {
            url: database.address.shown.clone(),
            found,
            expected: VERSION,
        }),
    }
}

/// The version of the tables that are there.
async fn version(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<Option<i64>, sqlx::Error> {
    let tables: i64 = sqlx::query_scalar(dialect.has_tables())
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(None);
    }
    // One row; if a tool has removed it, these are not our tables.
    let version = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM rekindle_schema");
    Ok(Some(version.fetch_one(connection).await?))
}
