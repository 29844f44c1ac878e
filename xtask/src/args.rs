//! The command line: subcommands, their options, and what to say when a word is unknown.

use crate::check::STEPS;
use crate::tidy::features::BACKENDS;
use std::fmt;

/// Printed by `cargo xtask` and `cargo xtask --help`.
pub const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  check [--skip STEP]…     fmt, clippy, docs, test, each library alone (`alone`), tidy: all that CI runs without
                           a driver or a browser, up to the first that fails, but for the steps skipped
  test [--backend NAME]…   cargo test --workspace with these backends (default: flex and ndarray)
  test-gpu                 the backend matrix on wgpu; a software Vulkan driver is enough
  test-browser             the reports in a headless Chromium, which must be installed
  test-postgres            studies on a PostgreSQL server of the test's own; its programs must be installed
  prove                    the classic proofs that long dependencies are learned: minutes of training
  tidy                     the house rules: crate edges, headers, sizes, docs, words, features
  docs                     the API docs and the book's links, and where to open them
  bench [NAME [ARG]…]      all benches, or the one named NAME with these arguments;
                           `bench NAME --help` lists those that it takes

Backends: flex, ndarray, wgpu, vulkan, cuda, rocm, metal.
";

const COMMANDS: [&str; 9] = [
    "check",
    "test",
    "test-gpu",
    "test-browser",
    "test-postgres",
    "prove",
    "tidy",
    "docs",
    "bench",
];

/// A parsed command line.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Run every check but those named.
    Check {
        /// Names out of [`STEPS`].
        skip: Vec<String>,
    },
    /// Run the tests with these backends compiled in.
    Test {
        /// Names out of [`BACKENDS`], at least one.
        backends: Vec<String>,
    },
    /// Run the backend matrix on wgpu.
    TestGpu,
    /// Open the reports in a browser.
    TestBrowser,
    /// Share studies on a PostgreSQL server.
    TestPostgres,
    /// Train what proves that long dependencies are learned.
    Prove,
    /// Check the house rules.
    Tidy,
    /// Build the docs and check the book.
    Docs,
    /// Run benches.
    Bench {
        /// The bench to run; all of them when absent.
        name: Option<String>,
        /// What the bench is given; none when all run.
        args: Vec<String>,
    },
}

/// A command line that means nothing; the text says what was found and what was expected.
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Reads the arguments after the program's name.
pub fn parse(args: &[String]) -> Result<Command, UsageError> {
    let Some((first, rest)) = args.split_first() else {
        return Ok(Command::Help);
    };
    // What follows a bench's name is for the bench, even `--help`.
    let ours = match first.as_str() {
        "bench" => &args[..args.len().min(2)],
        _ => args,
    };
    if ours.iter().any(|arg| arg == "--help" || arg == "-h") {
        return Ok(Command::Help);
    }
    match first.as_str() {
        "help" => none_left(rest, Command::Help),
        "check" => check(rest),
        "test" => test(rest),
        "test-gpu" => none_left(rest, Command::TestGpu),
        "test-browser" => none_left(rest, Command::TestBrowser),
        "test-postgres" => none_left(rest, Command::TestPostgres),
        "prove" => none_left(rest, Command::Prove),
        "tidy" => none_left(rest, Command::Tidy),
        "docs" => none_left(rest, Command::Docs),
        "bench" => bench(rest),
        unknown => Err(UsageError(format!(
            "unknown command `{unknown}`, the nearest is `{}`; `cargo xtask --help` lists all",
            nearest(unknown, &COMMANDS)
        ))),
    }
}

/// `command`, if nothing follows it.
fn none_left(rest: &[String], command: Command) -> Result<Command, UsageError> {
    match rest.first() {
        None => Ok(command),
        Some(extra) => Err(unexpected(extra)),
    }
}

fn unexpected(word: &str) -> UsageError {
    UsageError(format!(
        "unexpected argument `{word}`; `cargo xtask --help` shows the usage"
    ))
}

fn check(rest: &[String]) -> Result<Command, UsageError> {
    let skip = values(rest, "--skip", "step", &STEPS)?;
    Ok(Command::Check { skip })
}

fn test(rest: &[String]) -> Result<Command, UsageError> {
    let mut backends = values(rest, "--backend", "backend", &BACKENDS)?;
    if backends.is_empty() {
        backends = vec!["flex".into(), "ndarray".into()];
    }
    Ok(Command::Test { backends })
}

/// The values of an option that may be given several times, `--option VALUE` or `--option=VALUE`, and of nothing else.
fn values(
    words: &[String],
    option: &str,
    what: &str,
    known: &[&str],
) -> Result<Vec<String>, UsageError> {
    let mut values = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(option) {
            Some("") => words.next().map(String::as_str).ok_or_else(|| {
                UsageError(format!("`{option}` has no value, expected a {what}'s name"))
            })?,
            Some(rest) => rest.strip_prefix('=').ok_or_else(|| unexpected(word))?,
            None => return Err(unexpected(word)),
        };
        if !known.contains(&value) {
            return Err(UsageError(format!(
                "unknown {what} `{value}`, the nearest is `{}`",
                nearest(value, known)
            )));
        }
        values.push(value.to_owned());
    }
    Ok(values)
}

fn bench(rest: &[String]) -> Result<Command, UsageError> {
    match rest.split_first() {
        Some((option, _)) if option.starts_with('-') => Err(unexpected(option)),
        Some((name, args)) => Ok(Command::Bench {
            name: Some(name.clone()),
            args: args.to_vec(),
        }),
        None => Ok(Command::Bench {
            name: None,
            args: Vec::new(),
        }),
    }
}

/// The option with the fewest edits from `word`; the first one on a tie.
fn nearest<'a>(word: &str, options: &[&'a str]) -> &'a str {
    options
        .iter()
        .copied()
        .min_by_key(|option| distance(word, option))
        .unwrap_or_default()
}

/// Levenshtein's distance: insertions, deletions and substitutions, each at cost 1.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        let args: Vec<String> = line.split_whitespace().map(String::from).collect();
        parse(&args).map_err(|error| error.0)
    }

    fn backends(names: &[&str]) -> Result<Command, String> {
        let backends = names.iter().map(|name| name.to_string()).collect();
        Ok(Command::Test { backends })
    }

    #[test]
    fn commands() {
        assert_eq!(parsed(""), Ok(Command::Help));
        assert_eq!(parsed("tidy --help"), Ok(Command::Help));
        assert_eq!(parsed("test-gpu"), Ok(Command::TestGpu));
        assert_eq!(parsed("test-browser"), Ok(Command::TestBrowser));
        assert_eq!(parsed("test-postgres"), Ok(Command::TestPostgres));
        assert_eq!(parsed("prove"), Ok(Command::Prove));
    }

    #[test]
    fn what_follows_a_bench_is_its_own() {
        let bench = |name: Option<&str>, args: &[&str]| {
            Ok(Command::Bench {
                name: name.map(String::from),
                args: args.iter().map(|arg| arg.to_string()).collect(),
            })
        };
        assert_eq!(parsed("bench"), bench(None, &[]));
        assert_eq!(parsed("bench scan"), bench(Some("scan"), &[]));
        assert_eq!(
            parsed("bench scan --cell gru"),
            bench(Some("scan"), &["--cell", "gru"])
        );
        assert_eq!(
            parsed("bench scan --help"),
            bench(Some("scan"), &["--help"])
        );
        assert_eq!(parsed("bench --help"), Ok(Command::Help));
    }

    #[test]
    fn steps_of_check() {
        let check = |skip: &[&str]| {
            let skip = skip.iter().map(|step| step.to_string()).collect();
            Ok(Command::Check { skip })
        };
        assert_eq!(parsed("check"), check(&[]));
        assert_eq!(
            parsed("check --skip test --skip=alone"),
            check(&["test", "alone"])
        );
    }

    #[test]
    fn backends_of_test() {
        assert_eq!(parsed("test"), backends(&["flex", "ndarray"]));
        assert_eq!(
            parsed("test --backend wgpu --backend=metal"),
            backends(&["wgpu", "metal"])
        );
    }

    #[test]
    fn mistakes_name_the_nearest() {
        assert!(parsed("tydi").unwrap_err().contains("nearest is `tidy`"));
        assert!(
            parsed("test_gpu")
                .unwrap_err()
                .contains("nearest is `test-gpu`")
        );
        assert!(
            parsed("test --backend cude")
                .unwrap_err()
                .contains("nearest is `cuda`")
        );
        assert!(parsed("test --backend").unwrap_err().contains("no value"));
        assert!(
            parsed("check --skip tests")
                .unwrap_err()
                .contains("unknown step `tests`, the nearest is `test`")
        );
        assert!(
            parsed("check --skipped")
                .unwrap_err()
                .contains("`--skipped`")
        );
        assert!(parsed("tidy now").unwrap_err().contains("`now`"));
        assert!(parsed("bench --all").unwrap_err().contains("`--all`"));
    }

    #[test]
    fn usage_names_every_command_backend_and_step() {
        for word in COMMANDS.iter().chain(&BACKENDS).chain(&STEPS) {
            assert!(USAGE.contains(word), "{word}");
        }
    }

    #[test]
    fn distances_by_hand() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
