//! Calls to cargo, printed before they run, and what cargo knows of the workspace.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root folder of the workspace.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// One call of cargo: its arguments and the variables set for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
}

impl Call {
    /// `cargo ARGS…`, split at spaces.
    pub fn new(args: &str) -> Self {
        Self {
            args: args.split_whitespace().map(String::from).collect(),
            env: Vec::new(),
        }
    }

    /// The same call with these arguments behind its own, as they are.
    pub fn args(mut self, args: &[String]) -> Self {
        self.args.extend_from_slice(args);
        self
    }

    /// The same call with a variable set.
    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// Runs it in the root folder with the terminal's input and output. Says so on stderr: stdout is for what it prints.
    ///
    /// # Errors
    /// Cargo cannot be started, or ends with another status than 0.
    pub fn run(&self) -> Result<()> {
        eprintln!("$ {self}");
        let status = self.command().status().context("cannot start cargo")?;
        if !status.success() {
            bail!("`{self}` ended with {status}");
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command =
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        command
            .args(&self.args)
            .envs(self.env.iter().copied())
            .current_dir(root());
        command
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}=\"{value}\" ")?;
        }
        f.write_str("cargo")?;
        self.args
            .iter()
            .try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// An argument as a shell reads it.
fn quoted(arg: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=,.:/+@".contains(c);
    match !arg.is_empty() && arg.chars().all(plain) {
        true => arg.into(),
        false => format!("'{}'", arg.replace('\'', r"'\''")).into(),
    }
}

/// What `cargo metadata` says of the workspace.
pub struct Workspace {
    /// The members, in cargo's order.
    pub packages: Vec<Package>,
    /// Where cargo builds.
    pub target: PathBuf,
}

/// A member of the workspace.
#[derive(Debug, PartialEq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Whether it has a library.
    pub library: bool,
    /// The names of its benches.
    pub benches: Vec<String>,
}

/// Asks cargo for the members of the workspace.
///
/// # Errors
/// Cargo fails, or answers in another form than expected.
pub fn workspace() -> Result<Workspace> {
    let call = Call::new("metadata --no-deps --format-version 1");
    let output = call.command().output().context("cannot start cargo")?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("`{call}` ended with {}: {}", output.status, message.trim());
    }
    let json = serde_json::from_slice(&output.stdout).context("cannot read cargo's metadata")?;
    read(&json).context("cargo's metadata lacks `packages` or `target_directory`")
}

fn read(json: &Value) -> Option<Workspace> {
    let packages = json["packages"].as_array()?;
    Some(Workspace {
        packages: packages.iter().map(package).collect::<Option<_>>()?,
        target: PathBuf::from(json["target_directory"].as_str()?),
    })
}

fn package(json: &Value) -> Option<Package> {
    let targets = json["targets"].as_array()?;
    let of_kind = |kind: &'static str| {
        targets.iter().filter(move |target| {
            let kinds = target["kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|found| found == kind))
        })
    };
    Some(Package {
        name: json["name"].as_str()?.to_owned(),
        library: of_kind("lib").next().is_some(),
        benches: of_kind("bench")
            .filter_map(|target| target["name"].as_str().map(String::from))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_like_a_shell_line() {
        let call = Call::new("doc --no-deps").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            call.to_string(),
            "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps"
        );
        let call = Call::new("bench --").args(&["1;2".into(), "it's".into(), "".into()]);
        assert_eq!(call.to_string(), r"cargo bench -- '1;2' 'it'\''s' ''");
    }

    #[test]
    fn metadata_is_read() {
        let json = serde_json::json!({
            "target_directory": "/t",
            "packages": [{
                "name": "a",
                "targets": [
                    { "kind": ["lib"], "name": "a" },
                    { "kind": ["bench"], "name": "scan" },
                ],
            }],
        });
        let workspace = read(&json).unwrap();
        assert_eq!(workspace.target, Path::new("/t"));
        let expected = Package {
            name: "a".into(),
            library: true,
            benches: vec!["scan".into()],
        };
        assert_eq!(workspace.packages, [expected]);
        assert!(read(&serde_json::json!({ "packages": [{}] })).is_none());
    }
}
