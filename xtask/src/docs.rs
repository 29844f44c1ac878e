//! `cargo xtask docs`: builds the API docs, checks the links of the pages beside them, says where to open both.

use crate::{cargo, check, tidy};
use anyhow::Result;

/// Builds, checks, and prints the places.
///
/// # Errors
/// Rustdoc warns, or a page is out of step with the workspace.
pub fn run() -> Result<()> {
    check::docs().run()?;
    tidy::run_docs()?;
    let api = cargo::workspace()?.target.join("doc/rekindle/index.html");
    let book = cargo::root().join("docs/src/SUMMARY.md");
    println!("API docs: {}\nbook:     {}", api.display(), book.display());
    Ok(())
}
