//! `cargo xtask check`: every step that CI runs with cargo alone, in order, up to the first that fails.

use crate::cargo::{self, Call, Package};
use crate::{test, tidy};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// What `--skip` takes.
pub const STEPS: [&str; 6] = ["fmt", "clippy", "docs", "test", "alone", "tidy"];

/// A part of the check.
struct Step {
    /// Out of [`STEPS`].
    kind: &'static str,
    /// The kind, or what of it.
    name: String,
    action: Action,
}

/// What a step does.
#[derive(Debug, PartialEq)]
enum Action {
    Cargo(Call),
    Tidy,
}

/// Runs the steps, but for those skipped, and prints how long each took.
///
/// # Errors
/// The first step that fails, by name.
pub fn run(skip: &[String]) -> Result<()> {
    let mut times = Vec::new();
    let result = steps(&cargo::workspace()?.packages)
        .into_iter()
        .filter(|step| !skip.iter().any(|skipped| skipped == step.kind))
        .try_for_each(|step| {
            println!("\n=== {} ===", step.name);
            let start = Instant::now();
            let result = match &step.action {
                Action::Cargo(call) => call.run(),
                Action::Tidy => tidy::run(),
            };
            let result = result.with_context(|| format!("check failed at `{}`", step.name));
            times.push((step.name, start.elapsed()));
            result
        });
    print!("\n{}", table(&times));
    result
}

/// The steps, given the members of the workspace.
fn steps(packages: &[Package]) -> Vec<Step> {
    let clippy = "clippy --workspace --all-targets --features flex,ndarray -- -D warnings";
    let mut steps = vec![
        step("fmt", Action::Cargo(Call::new("fmt --all --check"))),
        step("clippy", Action::Cargo(Call::new(clippy))),
        step("docs", Action::Cargo(docs())),
        step("test", Action::Cargo(test::call(&["flex", "ndarray"]))),
    ];
    steps.extend(packages.iter().filter(|package| package.library).map(alone));
    steps.push(step("tidy", Action::Tidy));
    steps
}

/// The step that checks a library without a backend.
fn alone(package: &Package) -> Step {
    let name = &package.name;
    let call = format!("check -p {name} --no-default-features --lib");
    Step {
        kind: "alone",
        name: format!("{name} alone"),
        action: Action::Cargo(Call::new(&call)),
    }
}

/// The call that builds the API docs; a warning, such as a broken link, is an error.
pub fn docs() -> Call {
    Call::new("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings")
}

fn step(kind: &'static str, action: Action) -> Step {
    Step {
        kind,
        name: kind.into(),
        action,
    }
}

/// One line per step, and the sum.
fn table(times: &[(String, Duration)]) -> String {
    let total = times.iter().map(|(_, time)| time).sum();
    let line = |name: &str, time: Duration| format!("{name:<28} {:>8.1}\n", time.as_secs_f64());
    let mut table = format!("{:<28} {:>8}\n", "step", "seconds");
    for (name, time) in times {
        table += &line(name, *time);
    }
    table + &line("total", total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_in_order_with_every_library_alone() {
        let package = |name: &str, library| Package {
            name: name.into(),
            library,
            benches: Vec::new(),
        };
        let steps = steps(&[package("a", true), package("tool", false)]);
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["fmt", "clippy", "docs", "test", "a alone", "tidy"]);
        let alone = Call::new("check -p a --no-default-features --lib");
        assert_eq!(steps[4].action, Action::Cargo(alone));
        let kinds: Vec<&str> = steps.iter().map(|step| step.kind).collect();
        assert_eq!(kinds, STEPS);
    }

    #[test]
    fn the_table_sums_up() {
        let times = [
            ("fmt".to_string(), Duration::from_millis(1500)),
            ("tidy".to_string(), Duration::from_millis(250)),
        ];
        let table = table(&times);
        assert_eq!(table.lines().count(), 4);
        assert!(table.lines().all(|line| line.len() == 37));
        assert!(table.ends_with(" 1.8\n"), "{table}");
    }
}
