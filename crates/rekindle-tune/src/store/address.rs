//! Where a database is, and which of the two kinds it has.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use sqlx::any::AnyConnectOptions;

use crate::StoreError;

/// A database's place.
#[derive(Clone)]
pub(super) struct Address {
    /// The URL, without a password.
    pub(super) shown: String,
    pub(super) dialect: Dialect,
    pub(super) options: AnyConnectOptions,
    /// SQLite's file.
    pub(super) file: Option<PathBuf>,
}

impl fmt::Debug for Address {
    /// Without the password, which the options have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shown)
    }
}

/// All that differs between the two databases; the other statements are one text for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Address {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let path = match url.strip_prefix("sqlite:") {
            Some(path) => Some(path.strip_prefix("//").unwrap_or(path)),
            None if url.ends_with(".db") && !url.contains("://") => Some(url),
            None => None,
        };
        match path {
            Some(path) if !path.is_empty() => Self::sqlite(path),
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Self::postgres(url)
            }
            _ => Err(StoreError::Url { url: hidden(url) }),
        }
    }

    fn sqlite(path: &str) -> Result<Self, StoreError> {
        let shown = format!("sqlite:{path}");
        let path = Path::new(path);
        let Some(name) = path.file_name() else {
            return Err(StoreError::Url { url: shown });
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let file = match folder.canonicalize() {
            Ok(folder) => folder.join(name),
            Err(source) => {
                let (url, folder) = (shown, folder.to_owned());
                return Err(StoreError::Folder {
                    url,
                    folder,
                    source,
                });
            }
        };
        let url = format!("sqlite:{}?mode=rwc", encoded(&file));
        let options = url.parse();
        let options = options.map_err(|_| StoreError::Url { url: shown.clone() })?;
        Ok(Self {
            shown,
            dialect: Dialect::Sqlite,
            options,
            file: Some(file),
        })
    }

    fn postgres(url: &str) -> Result<Self, StoreError> {
        let options: Result<AnyConnectOptions, _> = url.parse();
        let options = options.map_err(|_| StoreError::Url { url: hidden(url) })?;
        let mut shown = options.database_url.clone();
        // Refused if there is no host, and so no password either.
        let _ = shown.set_password(None);
        let pairs = shown.query_pairs().into_owned();
        let pairs: Vec<_> = pairs.filter(|(key, _)| key != "password").collect();
        shown.set_query(None);
        if !pairs.is_empty() {
            shown.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(Self {
            shown: shown.into(),
            dialect: Dialect::Postgres,
            options,
            file: None,
        })
    }
}

/// A path as a URL has it.
fn encoded(path: &Path) -> String {
    let mut encoded = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                encoded.push(char::from(*byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("a string takes all"),
        }
    }
    encoded
}

/// What cannot be read as a URL, without what may be a password.
pub(super) fn hidden(url: &str) -> String {
    let (place, _) = url.split_once('?').unwrap_or((url, ""));
    match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => place.to_owned(),
    }
}

impl Dialect {
    /// What every connection begins with. SQLite: readers do not wait for writers, a commit is on the disk when it
    /// returns, and who finds the file locked waits for up to 30 s before it counts as busy.
    pub(super) fn setup(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON"
            }
            Self::Postgres => "SET application_name = 'rekindle'",
        }
    }

    /// Begins a transaction that writes.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Waits, inside a transaction, until no other process creates tables. SQLite has one writer anyway.
    pub(super) fn lock(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 1",
            Self::Postgres => "SELECT pg_advisory_xact_lock(8243122784560537)",
        }
    }

    /// How many tables with the version there are.
    pub(super) fn has_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'rekindle_schema'",
            Self::Postgres => {
                "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('rekindle_schema')"
            }
        }
    }

    /// A view of one row: the time, and since when the database runs; both in milliseconds since 1970.
    pub(super) fn clock(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "CREATE VIEW rekindle_clock AS
                 SELECT CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) AS now, 0 AS since"
            }
            Self::Postgres => {
                "CREATE VIEW rekindle_clock AS
                 SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now,
                     CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000 AS BIGINT) AS since"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        Address::parse(url).unwrap().shown
    }

    #[test]
    fn urls_of_both_kinds() {
        for url in ["sqlite:a b.db", "sqlite://a b.db", "a b.db"] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.dialect, Dialect::Sqlite);
            assert_eq!(address.shown, "sqlite:a b.db");
            assert!(address.file.unwrap().is_absolute());
            let url = address.options.database_url;
            assert!(url.as_str().ends_with("/a%20b.db?mode=rwc"), "{url}");
        }
        for url in ["postgres://h/d", "postgresql://h/d"] {
            assert_eq!(Address::parse(url).unwrap().dialect, Dialect::Postgres);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("postgres://u:secret@h:1/d"), "postgres://u@h:1/d");
        let url = "postgres:///d?host=%2Ftmp&password=secret&user=u";
        assert_eq!(shown(url), "postgres:///d?host=%2Ftmp&user=u");
        assert_eq!(shown("postgres:///d?password=secret"), "postgres:///d");
        for url in [
            "mysql://u:secret@h/d",
            "postgres://u:sec@ret@h:no/d",
            "postgres://h:no/d?password=secret",
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(!error.contains("sec"), "{error}");
            assert!(error.contains("expected `sqlite:PATH`"), "{error}");
        }
    }

    #[test]
    fn places_that_are_none() {
        for url in ["", "sqlite:", "sqlite:/", "study.json"] {
            let error = Address::parse(url).unwrap_err();
            assert!(matches!(error, StoreError::Url { .. }), "{error}");
        }
        let error = Address::parse("sqlite:no/such/folder/a.db").unwrap_err();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
    }
}
