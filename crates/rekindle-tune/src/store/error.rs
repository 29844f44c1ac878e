//! What can go wrong with a database, and which of it passes by itself.

use std::path::PathBuf;
use std::time::Duration;

/// What the database or the system said.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A study that cannot be reached, read or written. Passwords are left out of every `url`.
///
/// Whatever the error, nothing that was written before is lost, and the operation can be repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A URL of another form.
    #[error(
        "{url} names no database, expected `sqlite:PATH`, a path that ends in .db, or `postgres://USER@HOST/DATABASE`"
    )]
    Url {
        /// What was given.
        url: String,
    },
    /// A folder that is not there.
    #[error("{url} lies in {}, which cannot be reached, expected a folder; create it", folder.display())]
    Folder {
        /// The database.
        url: String,
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No database at this place.
    #[error("there is no database at {url}; correct the name, or create a study there first")]
    NoDatabase {
        /// The place.
        url: String,
    },
    /// Tables of another version.
    #[error(
        "the tables in {url} have version {found}, expected {expected}; go on with the release of Rekindle that wrote them, or take another database"
    )]
    Schema {
        /// The database.
        url: String,
        /// Its version.
        found: i64,
        /// The version that this release reads and writes.
        expected: i64,
    },
    /// A study that is not there.
    #[error("there is no study `{name}` in {url}, expected {}", one_of(known))]
    NoStudy {
        /// The database.
        url: String,
        /// What was asked for.
        name: String,
        /// What is there.
        known: Vec<String>,
    },
    /// A study of this name searches something else.
    #[error(
        "study `{name}` in {url} has another definition: {place} is {found} there, expected {expected}; give this one another name, or load the study with the definition that it has"
    )]
    Differs {
        /// The database.
        url: String,
        /// The study.
        name: String,
        /// The first place where the definitions differ, such as `settings.seed`.
        place: String,
        /// What stands there in the database.
        found: String,
        /// What was given.
        expected: String,
    },
    /// A row that another program wrote or changed.
    #[error(
        "study `{study}` in {url} cannot be read: {what}, expected what Rekindle writes; repair or remove the row"
    )]
    Row {
        /// The database.
        url: String,
        /// The study.
        study: String,
        /// Which row, and what is wrong there.
        what: String,
    },
    /// The database was gone or busy for longer than the patience.
    #[error(
        "no answer from {url} for {} s; start the database or find out what holds it, then start again: the study goes on",
        waited.as_secs()
    )]
    Unreachable {
        /// The database.
        url: String,
        /// How long was waited.
        waited: Duration,
        /// What the last attempt came to.
        source: Cause,
    },
    /// A database that cannot be written.
    #[error(
        "{url} is read-only; allow this user to write (SQLite writes in the folder too), or take another database"
    )]
    ReadOnly {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// A database that this user may not use.
    #[error(
        "{url} cannot be opened by this user; check that it is there, its permissions and the password"
    )]
    Denied {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// A connection that is to be encrypted.
    #[error(
        "{url} asks for an encrypted connection, expected a plain one; leave out `sslmode`, and connect through a private network or a tunnel"
    )]
    Encryption {
        /// The database.
        url: String,
    },
    /// No room left.
    #[error("the disk of {url} is full; make room, then start again: the study goes on")]
    Full {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// A disk that does not read or write.
    #[error("the disk of {url} does not read or write as it should; check it, and its quota")]
    Disk {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// A file of another kind.
    #[error("{url} is no SQLite database; correct the path, or move the file away to begin anew")]
    NotADatabase {
        /// The file.
        url: String,
        /// What SQLite said.
        source: Cause,
    },
    /// A damaged database.
    #[error("{url} is damaged; restore it from a copy, or repair it with the tools of its makers")]
    Corrupt {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// Anything else that the database refuses.
    #[error("{url} refuses an operation")]
    Refused {
        /// The database.
        url: String,
        /// What the database said.
        source: Cause,
    },
    /// The system gives no thread or no runtime.
    #[error("the system has no room for another thread")]
    Thread(#[source] std::io::Error),
}

fn one_of(known: &[String]) -> String {
    match known {
        [] => "one to be created first: there is none".to_owned(),
        _ => format!("one of those that are: `{}`", known.join("`, `")),
    }
}

/// What an error of the database means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// The server does not answer, or has closed the connection.
    Lost,
    /// Another process is in the way.
    Busy,
    ReadOnly,
    Denied,
    Encryption,
    Full,
    Disk,
    NotADatabase,
    NoDatabase,
    Corrupt,
    Refused,
}

impl Kind {
    /// What an error means.
    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(error) => match error.kind() {
                std::io::ErrorKind::PermissionDenied => Self::Denied,
                _ => Self::Lost,
            },
            sqlx::Error::WorkerCrashed => Self::Lost,
            sqlx::Error::Tls(_) => Self::Encryption,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                // PostgreSQL's codes have five characters, SQLite's are numbers of up to four digits.
                match code.parse::<u32>() {
                    Ok(number) if code.len() < 5 => Self::of_sqlite(number),
                    _ => Self::of_postgres(&code),
                }
            }
            _ => Self::Refused,
        }
    }

    /// By the result codes of SQLite, <https://sqlite.org/rescode.html>. The low byte is the primary one.
    fn of_sqlite(code: u32) -> Self {
        match code & 0xFF {
            // BUSY, LOCKED, and PROTOCOL: a race for the locks of the write-ahead log.
            5 | 6 | 15 => Self::Busy,
            8 => Self::ReadOnly,
            // PERM, CANTOPEN, AUTH.
            3 | 14 | 23 => Self::Denied,
            13 => Self::Full,
            10 => Self::Disk,
            26 => Self::NotADatabase,
            11 => Self::Corrupt,
            _ => Self::Refused,
        }
    }

    /// By the codes of PostgreSQL, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn of_postgres(code: &str) -> Self {
        match code {
            // Shut down, crashed, not started yet, idle for too long.
            "57P01" | "57P02" | "57P03" | "57P05" => Self::Lost,
            // Too many connections, serialization, deadlock, lock.
            "53300" | "40001" | "40P01" | "55P03" => Self::Busy,
            "25006" => Self::ReadOnly,
            "42501" => Self::Denied,
            "53100" => Self::Full,
            "58030" => Self::Disk,
            "3D000" => Self::NoDatabase,
            "XX001" | "XX002" => Self::Corrupt,
            _ if code.starts_with("08") => Self::Lost,
            _ if code.starts_with("28") => Self::Denied,
            _ => Self::Refused,
        }
    }

    /// Whether it passes by itself, so that trying again makes sense.
    pub(super) fn passes(self) -> bool {
        matches!(self, Self::Lost | Self::Busy)
    }

    /// The error for the caller.
    pub(super) fn error(self, url: String, waited: Duration, error: sqlx::Error) -> StoreError {
        let source = Box::new(error);
        match self {
            Self::Lost | Self::Busy => StoreError::Unreachable {
                url,
                waited,
                source,
            },
            Self::ReadOnly => StoreError::ReadOnly { url, source },
            Self::Denied => StoreError::Denied { url, source },
            Self::Encryption => StoreError::Encryption { url },
            Self::Full => StoreError::Full { url, source },
            Self::Disk => StoreError::Disk { url, source },
            Self::NotADatabase => StoreError::NotADatabase { url, source },
            Self::NoDatabase => StoreError::NoDatabase { url },
            Self::Corrupt => StoreError::Corrupt { url, source },
            Self::Refused => StoreError::Refused { url, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_by_hand() {
        // SQLITE_BUSY_SNAPSHOT, SQLITE_READONLY_DBMOVED, SQLITE_CONSTRAINT_PRIMARYKEY.
        assert_eq!(Kind::of_sqlite(517), Kind::Busy);
        assert_eq!(Kind::of_sqlite(1032), Kind::ReadOnly);
        assert_eq!(Kind::of_sqlite(1555), Kind::Refused);
        assert_eq!(Kind::of_postgres("08006"), Kind::Lost);
        assert_eq!(Kind::of_postgres("28P01"), Kind::Denied);
        assert_eq!(Kind::of_postgres("42601"), Kind::Refused);
        assert!(Kind::Busy.passes() && !Kind::Full.passes());
    }
}
