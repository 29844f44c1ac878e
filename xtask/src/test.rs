//! `cargo xtask test`, `test-gpu`, `test-browser`, `test-postgres` and `prove`: the tests, with the backends, the program or
//! the time that they need.

use crate::cargo::Call;
use anyhow::Result;

/// Runs the tests of the workspace with these backends compiled in.
///
/// # Errors
/// A test or the build fails.
pub fn run(backends: &[String]) -> Result<()> {
    call(backends).run()
}

/// Runs the backend matrix on wgpu. Autotune is kept minimal: cold, it costs a software driver a minute.
///
/// # Errors
/// A test or the build fails, or no graphics driver is found.
pub fn run_gpu() -> Result<()> {
    Call::new("test -p rekindle --features wgpu --test backends")
        .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
        .run()
}

/// Opens the reports of real runs in a headless Chromium and uses them. Built as [`call`] builds the tests, so that nothing
/// is compiled again after them.
///
/// # Errors
/// A test or the build fails, or no Chromium is found.
pub fn run_browser() -> Result<()> {
    run_ignored("browser")
}

/// Shares studies on a PostgreSQL server that the tests start and stop. Built as [`call`] builds the tests, too.
///
/// # Errors
/// A test or the build fails, or no PostgreSQL is found.
pub fn run_postgres() -> Result<()> {
    run_ignored("postgres")
}

/// Runs the tests of one target that `cargo test` ignores.
fn run_ignored(target: &str) -> Result<()> {
    let args = ["--test", target, "--", "--ignored"].map(String::from);
    call(&["flex", "ndarray"]).args(&args).run()
}

/// Trains what proves that long dependencies are learned, one after the other.
///
/// # Errors
/// A proof fails.
pub fn run_proofs() -> Result<()> {
    Call::new("test -p rekindle-cli --test proofs -- --ignored --nocapture --test-threads=1").run()
}

/// The call that tests the workspace. Flex is always in: it is the default, and what the others are compared with.
pub fn call(backends: &[impl AsRef<str>]) -> Call {
    let names: Vec<&str> = backends.iter().map(AsRef::as_ref).collect();
    Call::new(&format!("test --workspace --features {}", names.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_become_features() {
        assert_eq!(
            call(&["flex", "ndarray"]).to_string(),
            "cargo test --workspace --features flex,ndarray"
        );
    }
}
