//! A connection that is made again when it is lost.

use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, ConnectOptions, Connection};
use tokio::runtime::{Builder, Runtime};

use super::address::{Address, Dialect};
use super::error::Kind;
use crate::StoreError;

/// The first pause before trying again; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How long a server may take to answer: more than the largest history takes.
const ANSWER: Duration = Duration::from_secs(60);

/// What is told of an outage.
pub type Told = Arc<dyn Fn(&Outage) + Send + Sync>;

/// How workers stay in touch with a database. All workers of a study should have the same `beat` and `grace`.
#[derive(Clone)]
pub struct StoreOptions {
    /// The time between two signs of life of a trial. Default: 5 s, so that six are missed within the grace.
    pub beat: Duration,
    /// After how long without a sign of life another worker takes a trial over. Default: 30 s: long enough for a disk that
    /// stalls, short beside most trials.
    pub grace: Duration,
    /// How long an operation waits for a database that is gone or busy. Default: 10 min, which a server's restart or upgrade
    /// seldom takes.
    pub patience: Duration,
    /// Is told of each attempt that failed while an operation waits. Default: nobody.
    pub told: Option<Told>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(5),
            grace: Duration::from_secs(30),
            patience: Duration::from_secs(600),
            told: None,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("beat", &self.beat)
            .field("grace", &self.grace)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// A database that does not answer now. Displayed as a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// The database, without a password.
    pub url: String,
    /// What the last attempt came to.
    pub cause: String,
    /// For how long the operation has waited.
    pub waited: Duration,
    /// For how long it goes on before it gives up.
    pub left: Duration,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url, cause, left, ..
        } = self;
        let left = left.as_secs();
        write!(
            f,
            "no answer from {url} ({cause}); trying again for up to {left} s"
        )
    }
}

/// A database, connected when it is needed.
pub(super) struct Database {
    pub(super) address: Address,
    pub(super) options: StoreOptions,
    /// How long a server may take to answer; then it counts as gone. SQLite waits for nothing but locks, and for these it
    /// has a limit of its own.
    pub(super) answer: Duration,
    runtime: Runtime,
    /// None before the first operation, and after one that failed: whatever was open there is rolled back.
    connection: Option<AnyConnection>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.address.shown)
    }
}

impl Database {
    pub(super) fn new(address: Address, options: StoreOptions) -> Result<Self, StoreError> {
        let (beat, grace) = (options.beat, options.grace);
        assert!(
            Duration::ZERO < beat && beat < grace,
            "signs of life come every {beat:?}, expected a time above 0 and below the grace of {grace:?}"
        );
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            address,
            options,
            answer: ANSWER,
            runtime: runtime.map_err(StoreError::Thread)?,
            connection: None,
        })
    }

    /// Carries out an operation, again and again while the database is gone or busy. So an operation may have been carried
    /// out already when it is tried again: it must not matter.
    pub(super) fn run<T>(
        &mut self,
        operation: impl AsyncFn(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.attempt(&operation) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let (kind, waited) = (Kind::of(&error), begun.elapsed());
            let left = self.options.patience.saturating_sub(waited);
            if !kind.passes() || left.is_zero() {
                return Err(kind.error(self.address.shown.clone(), waited, error));
            }
            if let Some(told) = &self.options.told {
                told(&Outage {
                    url: self.address.shown.clone(),
                    cause: error.to_string(),
                    waited,
                    left,
                });
            }
            std::thread::sleep(pause.min(left));
            pause = (2 * pause).min(LAST_PAUSE);
        }
    }

    fn attempt<T>(
        &mut self,
        operation: &impl AsyncFn(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Self {
            address,
            connection,
            runtime,
            answer,
            ..
        } = self;
        let limit = match address.dialect {
            Dialect::Sqlite => Duration::MAX,
            Dialect::Postgres => *answer,
        };
        let attempt = async {
            let mut open = match connection.take() {
                Some(open) => open,
                None => connect(address).await?,
            };
            let value = operation(&mut open).await?;
            *connection = Some(open);
            Ok(value)
        };
        runtime.block_on(async {
            let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
            tokio::time::timeout(limit, attempt)
                .await
                .unwrap_or_else(late)
        })
    }
}

async fn connect(address: &Address) -> Result<AnyConnection, sqlx::Error> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let mut connection = address.options.connect().await?;
    sqlx::raw_sql(address.dialect.setup())
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

impl Drop for Database {
    /// Says goodbye, so that SQLite tidies up its write-ahead log.
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let close = async {
                tokio::time::timeout(LAST_PAUSE, connection.close())
                    .await
                    .ok()
            };
            // Nothing is unwritten, so a connection that does not close is no loss.
            self.runtime.block_on(close);
        }
    }
}
