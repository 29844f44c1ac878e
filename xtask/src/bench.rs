//! `cargo xtask bench`: the benches of the workspace, by name.

use crate::args::UsageError;
use crate::cargo::{self, Call, Package};
use anyhow::Result;

/// Runs the bench `name` with these arguments, or all without any.
///
/// # Errors
/// No bench has that name, or a bench fails.
pub fn run(name: Option<&str>, args: &[String]) -> Result<()> {
    let calls = calls(&cargo::workspace()?.packages, name, args)?;
    if calls.is_empty() {
        println!("no crate has a bench");
    }
    calls.iter().try_for_each(Call::run)
}

/// The calls that run the benches chosen by `name`. Both CPU backends are compiled in, so that a bench can choose.
fn calls(
    packages: &[Package],
    name: Option<&str>,
    args: &[String],
) -> Result<Vec<Call>, UsageError> {
    let benches: Vec<(&str, &str)> = packages
        .iter()
        .flat_map(|package| package.benches.iter().map(move |bench| (package, bench)))
        .map(|(package, bench)| (package.name.as_str(), bench.as_str()))
        .collect();
    let chosen: Vec<Call> = benches
        .iter()
        .filter(|(_, bench)| name.is_none_or(|name| name == *bench))
        .map(|(package, bench)| {
            let call = format!("bench -p {package} --features flex,ndarray --bench {bench} --");
            Call::new(&call).args(args)
        })
        .collect();
    match name {
        Some(name) if chosen.is_empty() => Err(UsageError(format!(
            "unknown bench `{name}`, {}",
            listed(&benches)
        ))),
        _ => Ok(chosen),
    }
}

fn listed(benches: &[(&str, &str)]) -> String {
    if benches.is_empty() {
        return "no crate has a bench".into();
    }
    let names: Vec<String> = benches
        .iter()
        .map(|(package, bench)| format!("`{bench}` ({package})"))
        .collect();
    format!("expected one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Vec<Package> {
        let package = |name: &str, benches: &[&str]| Package {
            name: name.into(),
            library: true,
            benches: benches.iter().map(|bench| bench.to_string()).collect(),
        };
        vec![
            package("rekindle-init", &[]),
            package("rekindle-kernels", &["scan", "tile"]),
        ]
    }

    #[test]
    fn one_or_all() {
        let scan = Call::new("bench -p rekindle-kernels --features flex,ndarray --bench scan --");
        assert_eq!(calls(&packages(), Some("scan"), &[]).unwrap(), [scan]);
        assert_eq!(calls(&packages(), None, &[]).unwrap().len(), 2);
        assert!(calls(&[], None, &[]).unwrap().is_empty());
    }

    #[test]
    fn arguments_reach_the_bench() {
        let args = ["--shapes".to_string(), "1,2,3,4; 5,6,7,8".to_string()];
        let found = calls(&packages(), Some("scan"), &args).unwrap();
        let line = found[0].to_string();
        let end = "--bench scan -- --shapes '1,2,3,4; 5,6,7,8'";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = calls(&packages(), Some("scam"), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`scan` (rekindle-kernels), `tile`"),
            "{error}"
        );
        let error = calls(&[], Some("scan"), &[]).unwrap_err().to_string();
        assert!(error.contains("no crate has a bench"), "{error}");
    }
}
